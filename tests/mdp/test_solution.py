"""A solution is a tuple of four, and prints the labels of its problem."""

import pickle
from xml.etree import ElementTree

import numpy as np

from numpyvae.mdp import (
    MDP,
    Solution,
    four_state_chain,
    policy_evaluation,
    policy_iteration,
)

FIELDS = (np.array([0, 1, 1, 1]), np.array([0.5, -1 / 3, 1e9, 0.0]), 3, 1.25e-12)


def test_a_solution_is_a_tuple_of_four():
    policy, values, iterations, error_bound = Solution(*FIELDS, four_state_chain(0.5))
    assert policy is FIELDS[0] and values is FIELDS[1]
    assert (iterations, error_bound) == (3, 1.25e-12)


def test_a_solution_prints_a_table_with_labels():
    solution = Solution(*FIELDS, four_state_chain(0.5))
    assert str(solution).splitlines() == [
        "state  action      value",
        "   -1       -        0.5",
        "    0       +  -0.333333",
        "    1       +      1e+09",
        "    2       +          0",
        "<Solution: 4 states, 3 iterations, error at most 1.2e-12>",
    ]
    assert repr(solution) == str(solution).splitlines()[-1]


def test_without_a_problem_numbers_are_shown():
    for solution in (Solution(*FIELDS), Solution(*FIELDS)._replace(iterations=2)):
        assert str(solution).splitlines()[2].split() == ["1", "1", "-0.333333"]


def test_a_terminal_state_shows_no_action():
    mdp = MDP.from_transitions({"a": {"x": [(1.0, "b", 1.0, False)]}, "b": {}}, 0.5)
    shown = str(Solution(np.array([0, 0]), np.array([1.0, 0.0]), 1, 0.0, mdp))
    assert [line.split() for line in shown.splitlines()[1:3]] == [
        ["a", "x", "1"],
        ["b", "0"],
    ]


def test_a_named_policy_is_read_as_the_policy():
    mdp = MDP.from_transitions(
        {"a": {"x": [(1.0, "b", 1.0, False)], "y": [(1.0, "a", 1.0, False)]}, "b": {}},
        0.5,
    )
    solution = policy_iteration(mdp)
    assert solution.named_policy() == {"a": "y"}
    values = policy_evaluation(mdp, solution.named_policy())
    assert np.array_equal(values, solution.values)
    assert Solution(*FIELDS).named_policy() == {0: 0, 1: 1, 2: 1, 3: 1}


def test_a_long_table_leaves_out_its_middle():
    n = 1000
    solution = Solution(np.zeros(n, int), np.arange(n) / 1.0, 1, 0.0)
    states = [line.split()[0] for line in str(solution).splitlines()[1:-1]]
    assert states == [*map(str, range(10)), "…", *map(str, range(990, 1000))]


def test_a_notebook_shows_the_same_table_escaped():
    mdp = MDP(np.ones((1, 1, 1)), [[0.0]], 0.5, states=["<s>"], actions=["a & b"])
    solution = Solution(np.array([0]), np.array([2.5]), 1, 0.0, mdp)
    page = ElementTree.fromstring(f"<div>{solution._repr_html_()}</div>")
    rows = [[cell.text for cell in row] for row in page.iter("tr")]
    assert rows == [["state", "action", "value"], ["<s>", "a & b", "2.5"]]
    assert page.find("p").text == repr(solution)


def test_a_pickled_solution_keeps_its_labels():
    solution = Solution(*FIELDS, four_state_chain(0.5))
    assert str(pickle.loads(pickle.dumps(solution))) == str(solution)
