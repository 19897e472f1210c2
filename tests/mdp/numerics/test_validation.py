"""Every form of a problem that is accepted means one thing.

What is not accepted is refused with its place.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_array

from numpyvae.mdp import (
    MDP,
    action_values,
    enumerate_policies,
    four_state_chain,
    policy_evaluation,
    policy_iteration,
)
from numpyvae.mdp.numerics.validation import read_integer
from tests.mdp.oracle import EPS, error, exact_values, random_mdp

P = np.full((3, 2, 3), 1 / 3)
R = np.arange(6.0).reshape(3, 2)


def test_a_row_within_the_rounding_of_float64_is_left_as_it_is():
    p = P.copy()
    p[1, 1] = [1 / 3, 1 / 3, 1 / 3 + 4 * 3 * EPS * 0.9]
    assert np.array_equal(MDP(p, R, 0.5).P, p)


@pytest.mark.parametrize("form", ["array", "sparse", "table", "with end"])
def test_a_row_that_was_rounded_to_float32_is_divided_by_its_sum(form):
    thirds = np.full((3, 2, 3), 1 / 3, dtype=np.float32)  # sums to 1 + 3.0e-8
    if form == "array":
        mdp = MDP(thirds, R, 0.5)
    elif form == "sparse":
        mdp = MDP([csr_array(thirds[:, a]) for a in range(2)], R, 0.5)
    elif form == "table":
        third = float(np.float32(1 / 3))
        row = [(third, t, 0.0, False) for t in range(3)]
        mdp = MDP.from_transitions([[row, row]] * 3, 0.5)
    else:
        thirds[:, :, 2] = 0
        mdp = MDP(thirds, R, 0.5, end=np.full((3, 2), np.float32(1 / 3)))
        assert mdp.end == pytest.approx(np.full((3, 2), 1 / 3), abs=EPS)
    total = mdp.transitions.sum(axis=1) + mdp.end.ravel()
    assert abs(total - 1).max() <= 2 * EPS  # a division and a sum of three
    assert mdp.transitions[[0], [0]] == pytest.approx(1 / 3, abs=EPS)


@pytest.mark.parametrize("miss", [9e-7, -9e-7])
def test_a_row_that_misses_one_by_less_than_a_millionth_is_divided(miss):
    p = P.copy()
    p[1, 1, 2] += miss
    rows = MDP(p, R, 0.5).P
    assert rows.sum(axis=2) == pytest.approx(np.ones((3, 2)), abs=2 * EPS)
    assert rows[1, 1, 0] == pytest.approx(1 / 3 / (1 + miss), abs=EPS)


@pytest.mark.parametrize("miss", [1e-6, -1e-6, 1e-3, -1e-3])
def test_a_row_that_misses_one_by_more_than_float32_is_refused(miss):
    p = P.copy()
    p[1, 1, 2] += miss
    remedy = "divide the row by its sum, in float64"
    if miss < 0:
        remedy = "give it as end=; if it is rounding, " + remedy
    with pytest.raises(ValueError, match=f"state 1, action 1 sum to .*{remedy}"):
        MDP(p, R, 0.5)


def test_a_small_negative_probability_is_refused():
    p = P.copy()
    p[2, 0] = [-1e-3, 0.5, 0.501]
    with pytest.raises(ValueError, match=r"state 2, action 0 is -0.001, which is neg"):
        MDP(p, R, 0.5)
    with pytest.raises(ValueError, match=r"policy: state 0 has .*is no distribution"):
        policy_evaluation(MDP(P, R, 0.5), [[-1e-3, 1.001]] * 3)


@pytest.mark.parametrize("miss", [1e-6, -1e-6])
def test_a_policy_sums_to_one(miss):
    policy = np.full((3, 2), 0.5)
    policy[1, 0] += miss
    with pytest.raises(ValueError, match=r"policy: state 1 has .*is no distribution"):
        policy_evaluation(MDP(P, R, 0.5), policy)


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


@pytest.mark.parametrize(
    "p, r, gamma, message",
    [
        (
            changed(P, (1, 0), [0.3, 0.3, 0.3]),
            R,
            0.5,
            (
                "P: the probabilities of state 'b', action '[+]' sum to 0.9, which differs "
                "from 1 by -0.1"
            ),
        ),
        (
            changed(P, (2, 1, 0), -0.1),
            R,
            0.5,
            "P: a probability of state 'c', action '-' is -0.1, which is negative",
        ),
        (
            changed(P, (0, 1, 2), np.nan),
            R,
            0.5,
            "P: a probability of state 'a', action '-' is nan, which is not finite",
        ),
        (
            changed(P, (0, 1, 2), np.inf),
            R,
            0.5,
            "P: a probability of state 'a', action '-' is inf, which is not finite",
        ),
        (
            P,
            changed(R, (1, 1), np.nan),
            0.5,
            "R: the reward of state 'b', action '-' is nan",
        ),
        (
            P,
            changed(R, (2, 0), np.inf),
            0.5,
            r"R: the reward of state 'c', action '\+' is inf",
        ),
        (P, R, 1.5, "gamma is 1.5; a discount factor is a number from 0 to 1"),
        (P, R, False, "gamma is False"),
        (P, R, np.False_, "gamma is False"),
        (P, R, True, "gamma is True"),
        (P, R, None, "gamma is None"),
        (P, R, -0.1, "gamma is -0.1"),
        (P, R, np.nan, "gamma is nan"),
        (
            P,
            R * 1e307,
            0.9,
            (
                r"R: the reward of state 'c', action '-' is 5e\+307; values at gamma = 0.9 "
                "may exceed the range of float64"
            ),
        ),
        (
            np.ma.masked_array(P, mask=P > 1),
            np.ma.masked_array(R, mask=R > 4),
            0.5,
            "R is a masked array",
        ),
        (np.ma.masked_array(P, mask=P < 1), R, 0.5, "P is a masked array"),
        ([np.eye(3) * 1j, np.eye(3)], R, 0.5, "P contains complex128"),
        (
            [csr_array(np.eye(3) * 1j), csr_array(np.eye(3))],
            R,
            0.5,
            "P contains complex128",
        ),
        (P, np.full((3, 2), -np.inf), 0.5, "state 'a' has no available action"),
        (P, R, "0.5", "gamma is '0.5'"),
        (
            P[:2],
            R,
            0.5,
            r"P has shape \(2, 2, 3\); it must be \(states, actions, states\), or a list",
        ),
        (
            P,
            R.T,
            0.5,
            r"R has shape \(2, 3\); P requires \(3, 2\), or .*, or \(3, 2, 3\) for rewards",
        ),
        (P, R[0], 0.5, r"R has shape \(2,\); .* or \(3,\) if each action has"),
        (np.zeros((0, 2, 0)), np.zeros((0, 2)), 0.5, "P has shape"),
        (P * 1j, R, 0.5, "P contains complex128"),
        ([[1, 2], [3]], R, 0.5, "P is ragged"),
        (csr_array(np.eye(3)), R, 0.5, "P is one sparse matrix"),
        (
            [csr_array(np.eye(3))] * 3,
            R,
            0.5,
            r"R has shape \(3, 2\); P requires \(3, 3\)",
        ),
        (
            [np.eye(3), np.eye(2)],
            R,
            0.5,
            (
                r"P is matrices of shapes \[\(3, 3\), \(2, 2\)\]; it must be one "
                r"\(states, states\) per action"
            ),
        ),
        (
            [csr_array(np.eye(3)), csr_array(np.eye(3) * 0.9)],
            R,
            0.5,
            "state 'a', action '-' sum to 0.9",
        ),
        (
            [csr_array(np.eye(3)), csr_array(np.diag([1, 1, np.nan]))],
            R,
            0.5,
            "state 'c', action '-' is nan",
        ),
        (
            [csr_array([[2, -1, 0], [0, 1, 0], [0, 0, 1]])] * 2,
            R,
            0.5,
            "state 'a', action '[+]' is -1.0",
        ),
    ],
)
def test_an_invalid_problem_is_refused_with_its_place(p, r, gamma, message):
    with pytest.raises(ValueError, match=message) as caught:
        MDP(
            p,
            r,
            gamma,
            states="abc" if len(r) == 3 else None,
            actions="+-" if np.shape(r)[-1] == 2 else None,
        )
    assert "\n" not in str(caught.value)


def test_there_is_one_label_per_state_and_action():
    with pytest.raises(ValueError, match="states: 2 labels, but P has 3 states"):
        MDP(P, R, 0.5, states="ab")
    with pytest.raises(ValueError, match="actions: 3 labels, but P has 2 actions"):
        MDP(P, R, 0.5, actions="abc")


STAY, GO = (
    np.array([[0.9, 0.1], [0.2, 0.8]]),
    np.array([[0.3, 0.7], [0.6, 0.4]]),
)  # S == A: the order shows


REWARDS = np.array([[5.0, 1.0], [0.0, 3.0]])


@pytest.mark.parametrize(
    "form",
    [
        lambda: [STAY, GO],
        lambda: (STAY, GO),
        lambda: [csr_array(STAY), csr_array(GO)],
        lambda: (csc_array(STAY), GO),
        lambda: np.stack([STAY, GO], axis=1),
        lambda: np.stack([STAY, GO], axis=1).tolist(),
    ],
)
def test_a_list_of_matrices_is_read_action_by_action(form):
    mdp = MDP(form(), REWARDS, 0.9)
    for policy in enumerate_policies(mdp):
        chosen = [(STAY, GO)[a][s] for s, a in enumerate(policy)]
        exact = exact_values(chosen, REWARDS[[0, 1], policy].tolist(), 0.9)
        assert error(policy_evaluation(mdp, policy), exact) <= 2 * EPS * 19
    assert np.array_equal(
        np.asarray(
            mdp.P if not mdp.sparse else np.stack([M.toarray() for M in mdp.P], axis=1)
        ),
        np.stack([STAY, GO], axis=1),
    )


@pytest.mark.parametrize(
    "form",
    [
        list,
        np.array,
        lambda P: [M.tolist() for M in P],
        lambda P: [csr_array(M) for M in P],
    ],
)
def test_the_named_constructor_reads_action_by_action(form):
    mdp = MDP.from_action_matrices(form([STAY, GO]), REWARDS, 0.9)
    expected = MDP([STAY, GO], REWARDS, 0.9)
    assert np.array_equal(action_values(mdp, [1, 2]), action_values(expected, [1, 2]))


def test_the_named_constructors_pass_on_labels_and_masks():
    options = {"states": "ab", "actions": "xyz", "terminal": [False, True]}
    by_matrix = MDP.from_action_matrices(
        [np.eye(2)] * 3, np.zeros((2, 3)), 0.5, **options
    )
    pairs = ([0, 0, 0], [0, 1, 2])
    by_pair = MDP.from_pairs(np.eye(2)[[0, 0, 0]], [0.0] * 3, 0.5, *pairs, **options)
    for mdp in (by_matrix, by_pair):
        assert mdp.states == ("a", "b") and mdp.actions == ("x", "y", "z")
        assert mdp.terminal.tolist() == [False, True]


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_rewards_of_transitions_are_averaged_over_next_states(sparse):
    rng = np.random.default_rng(0)
    dense = random_mdp(rng, 4, 3, 0.9)
    by_transition = rng.normal(size=(4, 3, 4))
    expected = [
        [
            sum(dense.P[s, a, t] * by_transition[s, a, t] for t in range(4))
            for a in range(3)
        ]
        for s in range(4)
    ]
    kind = csr_array if sparse else np.array
    matrices = [kind(dense.P[:, a]) for a in range(3)]
    for rewards in (
        by_transition,
        [np.array(by_transition[:, a]) for a in range(3)],
        [csr_array(by_transition[:, a]) for a in range(3)],
    ):
        # sums of four terms up to 2
        assert np.allclose(
            MDP(matrices, rewards, 0.9).R, expected, rtol=0, atol=1e-15 * 4
        )
    assert np.allclose(
        MDP.from_action_matrices(matrices, np.moveaxis(by_transition, 1, 0), 0.9).R,
        expected,
        rtol=0,
        atol=4e-15,
    )
    with pytest.raises(
        ValueError,
        match=r"R has shape \(4, 3, 3\); P requires \(4, 3\), or .*, or \(4, 3, 4\)",
    ):
        MDP(matrices, by_transition[..., :3], 0.9)
    by_transition[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="R: the reward of a transition is not finite"):
        MDP(matrices, by_transition, 0.9)


@pytest.mark.parametrize(
    "argument, message",
    [
        (
            {"available": np.ones((2, 3), bool)},
            r"available is bool of shape \(2, 3\); it must be boolean \(3, 2\)",
        ),
        ({"available": np.ones((3, 2))}, "available is float64"),
        (
            {"available": [[True, True], [False, False], [True, True]]},
            "state 1 has no available action",
        ),
        (
            {"terminal": [2]},
            r"terminal is int64 of shape \(1,\); it must be boolean \(3,\)",
        ),
        ({"terminal": 1}, "terminal is"),
        ({"terminal": [True]}, r"terminal is bool of shape \(1,\)"),
        (
            {"end": np.full((3, 2), -0.1)},
            "end: a probability of state 0, action 0 is -0.1, which is negative",
        ),
        (
            {"end": np.full((3, 2), 0.5)},
            "P: the probabilities of state 0, action 0 sum to 1.5, which differs from",
        ),
        ({"end": np.zeros(3)}, r"end has shape \(3,\); it must be \(3, 2\)"),
    ],
)
def test_invalid_masks_and_endings_are_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        MDP(P, R, 0.5, **argument)


def table_of(mdp, states, actions):
    return {
        s: {
            a: [(mdp.P[i, j, k], t, mdp.R[i, j], False) for k, t in enumerate(states)]
            for j, a in enumerate(actions)
        }
        for i, s in enumerate(states)
    }


@pytest.mark.parametrize("dense_states", [500, 3])
def test_a_dictionary_of_transitions_is_the_same_problem(dense_states, monkeypatch):
    monkeypatch.setattr("numpyvae.mdp.numerics.validation.DENSE_STATES", dense_states)
    mdp = random_mdp(np.random.default_rng(2), 5, 3, 0.9)
    found = MDP.from_transitions(table_of(mdp, "abcde", "xyz"), 0.9)
    assert (
        found.states == tuple("abcde")
        and found.actions == tuple("xyz")
        and found.sparse == (dense_states == 3)
    )
    assert np.allclose(
        found.transitions.toarray() if found.sparse else found.transitions,
        mdp.transitions,
        rtol=1e-15,
        atol=0,
    )
    assert np.allclose(found.R, mdp.R, rtol=1e-14, atol=0)  # Σ p·r for one r


def test_done_ends_the_episode_wherever_it_leads():
    """Three outcomes of probability 1/3: two of them end, with rewards 2 and 3."""
    mdp = MDP.from_transitions(
        {
            0: {
                "go": [
                    (1 / 3, 0, 1.0, False),
                    (1 / 3, 0, 2.0, True),
                    (1 / 3, "outside", 3.0, True),
                ]
            }
        },
        0.5,
    )
    assert mdp.R.tolist() == [[pytest.approx(2.0)]] and mdp.end.tolist() == [[2 / 3]]
    assert policy_evaluation(mdp, [0]) == pytest.approx(2 / (1 - 0.5 / 3))


def test_states_without_actions_are_terminal_and_missing_ones_unavailable():
    mdp = MDP.from_transitions(
        {"a": {"x": [(1, "b", 4, False)]}, "b": {"y": [(1, "c", 8, False)]}, "c": {}},
        0.5,
    )
    assert mdp.available.tolist() == [[True, False], [False, True], [True, True]]
    assert mdp.terminal.tolist() == [False, False, True]
    assert policy_iteration(mdp).values.tolist() == [8, 8, 0] and policy_iteration(
        mdp
    ).policy.tolist()[:2] == [0, 1]


@pytest.mark.parametrize(
    "table, message",
    [
        ({}, "transitions is empty"),
        ({"s": {"a": [(2.0, "s", 0.0, False)]}}, "state 's', action 'a' has"),
        ({0: {}}, "transitions is empty"),
        (
            {0: {0: [(1.0, 1, 0.0, False)]}},
            r"state 0, action 0 has \(1.0, 1, 0.0, False\); it must be \(probability",
        ),
        ({0: {0: [(1.0, 0, 0.0)]}}, r"state 0, action 0 has \(1.0, 0, 0.0\)"),
        ({0: {0: [(1.5, 0, 0.0, False)]}}, "state 0, action 0 has"),
        ({0: {0: [(1.0, 0, np.inf, False)]}}, "state 0, action 0 has"),
        ({0: {0: [("1", 0, 0.0, False)]}}, "state 0, action 0 has"),
        (
            {0: {0: [(0.5, 0, 0.0, False), (0.4, 0, 0.0, True)]}},
            "P: the probabilities of state 0, action 0 sum to 0.9",
        ),
    ],
)
def test_an_invalid_dictionary_is_refused_with_its_place(table, message):
    with pytest.raises(ValueError, match=message):
        MDP.from_transitions(table, 0.5)


@pytest.mark.parametrize(
    "table", [[], None, {0: [(1.0, 0, 0.0, False)]}, {0: {0: [(1.0, 0, 0.0, "no")]}}]
)
def test_a_table_of_transitions_of_another_type_is_refused(table):
    with pytest.raises(ValueError, match="transitions"):
        MDP.from_transitions(table, gamma=0.9)


def test_an_integer_is_read_within_its_bounds():
    for x in (2, np.int64(2), np.uint8(2)):
        assert read_integer("n", x, 2) == read_integer("n", x, 0, 2) == 2
    for x in (1, 4, 2.0, True, "2", None):
        with pytest.raises(
            ValueError, match=f"n is {x!r}; it must be an integer from 2"
        ):
            read_integer("n", x, 2, 3)
    with pytest.raises(ValueError, match=r"n is 1; it must be an integer, at least 2$"):
        read_integer("n", 1, 2)


MASKED = np.ma.masked_array(np.ones((3, 2), bool), mask=R > 4)


@pytest.mark.parametrize(
    "arguments, name",
    [
        ({"available": MASKED}, "available"),
        ({"available": list(MASKED)}, "available"),
        ({"terminal": np.ma.masked_array([False] * 3, [True, False, False])}, "term"),
        ({"end": np.ma.masked_array(np.zeros((3, 2)), mask=R > 4)}, "end"),
        ({"R": list(np.ma.masked_array(R, mask=R > 4))}, "R"),
        ({"R": np.ma.masked_array([1.0, 2, 3], [True, False, False])}, "R"),
        ({"P": [np.ma.masked_array(np.eye(3), np.eye(3)), csr_array(np.eye(3))]}, "P"),
    ],
)
def test_a_mask_is_never_dropped(arguments, name):
    with pytest.raises(ValueError, match=f"{name}.* is a masked array, whose mask"):
        MDP(**{"P": P, "R": R, "gamma": 0.5, **arguments})


def test_a_masked_policy_is_refused():
    mdp = MDP(P, R, 0.5)
    for policy in (
        np.ma.masked_array([0, 1, 0], [True, False, False]),
        np.ma.masked_array(np.full((3, 2), 0.5), mask=R > 4),
    ):
        with pytest.raises(ValueError, match="policy is a masked array, whose mask"):
            policy_evaluation(mdp, policy)
    unmasked = np.ma.masked_array([0, 1, 0], [False] * 3)  # nothing to lose
    assert np.array_equal(
        policy_evaluation(mdp, unmasked), policy_evaluation(mdp, [0, 1, 0])
    )


def test_one_reward_per_state_is_that_of_each_action():
    mdp = MDP(P, [1.0, 2.0, 3.0], 0.5)
    assert mdp.R.tolist() == [[1, 1], [2, 2], [3, 3]]
    by_action = MDP.from_action_matrices(np.moveaxis(P, 1, 0), [1.0, 2.0, 3.0], 0.5)
    assert np.array_equal(by_action.R, mdp.R)


def as_lists(mdp):
    """P[s][a] as nested lists, the outcome a list too"""
    S, A = mdp.R.shape
    return [
        [[[mdp.P[s, a, t], t, mdp.R[s, a], False] for t in range(S)] for a in range(A)]
        for s in range(S)
    ]


def test_lists_stand_for_dictionaries_in_a_table():
    mdp = random_mdp(np.random.default_rng(3), 4, 3, 0.9)
    lists = as_lists(mdp)
    for table in (
        lists,
        {s: lists[s] for s in range(4)},
        [dict(enumerate(x)) for x in lists],
    ):
        found = MDP.from_transitions(table, 0.9)
        assert found.states == (0, 1, 2, 3) and found.actions == (0, 1, 2)
        assert np.allclose(found.transitions, mdp.transitions, rtol=1e-15, atol=0)
        assert np.allclose(found.R, mdp.R, rtol=1e-14, atol=0)  # Σ p·r for one r
    lists[1][2] = []
    assert MDP.from_transitions(lists, 0.9).available.tolist()[1] == [True, True, False]


@pytest.mark.parametrize(
    "table, message",
    [
        ([[[(0.5, 0, 0.0, False)]]], "state 0, action 0 sum to 0.5"),
        ([[[]]], "transitions is empty"),
        ([[5]], r"state 0, action 0 has 5; it must be a list \[\(probability, next"),
        ([5], "transitions must be {s: {a: .*, or lists .*; 5 is neither"),
        ({0: {0: [(1.0, [0], 0.0, True)]}}, r"state 0, action 0 has \(1.0, \[0\]"),
    ],
)
def test_an_invalid_list_of_transitions_is_refused_with_its_place(table, message):
    with pytest.raises(ValueError, match=message):
        MDP.from_transitions(table, 0.5)


WALK = {"a": {"go": [(0.5, "goal", 1.0, False), (0.5, "pit", 0.0, False)]}}


def test_a_terminal_state_of_a_table_needs_no_key():
    mdp = MDP.from_transitions(WALK, 0.5, terminal=["goal", "pit"])
    assert mdp.states == ("a", "goal", "pit")
    assert mdp.terminal.tolist() == [False, True, True]
    assert policy_iteration(mdp).values.tolist() == [0.5, 0, 0]


@pytest.mark.parametrize("done", [False, True])
def test_a_terminal_value_is_received_one_step_after_the_reward(done):
    """0.5·(1 + γ·8) + 0.5·(0 − γ·4) at γ = ½: 2.5 - 1"""
    table = {
        "a": {"go": [(0.5, "goal", 1.0, done), (0.5, "pit", 0.0, done)]},
        "pit": {"go": [(1.0, "a", 100.0, False)]},  # ignored: the pit is terminal
    }
    mdp = MDP.from_transitions(table, 0.5, terminal={"goal": 8, "pit": -4.0})
    values = dict(zip(mdp.states, policy_iteration(mdp).values.tolist(), strict=True))
    assert values == {"a": 1.5, "goal": 8, "pit": -4}
    assert mdp.terminal.tolist() == [s != "a" for s in mdp.states]


def test_terminal_values_are_given_by_state():
    mdp = MDP(P, R, 0.5, states="abc", terminal={"c": 8.0})
    assert mdp.terminal.tolist() == [False, False, True]
    assert mdp.R[2].tolist() == [8, 8] and policy_iteration(mdp).values[2] == 8
    assert not mdp.terminal.flags.writeable


@pytest.mark.parametrize(
    "terminal, message",
    [
        ({"d": 1}, "terminal: 'd' is no state; there are 'a', 'b', 'c'"),
        ({"a": np.inf}, "terminal: the value of state 'a' is inf; it must be a finite"),
        ({"a": "1"}, "terminal: the value of state 'a' is '1'"),
    ],
)
def test_invalid_terminal_values_are_refused(terminal, message):
    with pytest.raises(ValueError, match=message):
        MDP(P, R, 0.5, states="abc", terminal=terminal)


@pytest.mark.parametrize(
    "terminal, message",
    [
        ("goal", "terminal is 'goal'; it must be a list of states, or a dictionary"),
        (3, "terminal is 3; it must be a list of states"),
        ([True, False], "terminal contains True or False; in from_transitions"),
    ],
)
def test_invalid_terminal_states_of_a_table_are_refused(terminal, message):
    with pytest.raises(ValueError, match=message):
        MDP.from_transitions(WALK, 0.5, terminal=terminal)


@pytest.mark.parametrize("form", [np.array, csr_array], ids=["dense", "sparse"])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_pairs_in_any_order_are_the_same_problem(form, seed):
    rng = np.random.default_rng(seed)
    full = random_mdp(rng, 4, 3, 0.9)
    available = rng.random((4, 3)) < 0.6
    available[:, 0] = True
    s, a = rng.permutation(np.argwhere(available)).T
    mdp = MDP.from_pairs(form(full.P[s, a]), full.R[s, a], 0.9, s, a, actions="xyz")
    expected = MDP(full.P, full.R, 0.9, actions="xyz", available=available)
    dense = mdp.transitions.toarray() if mdp.sparse else mdp.transitions
    assert np.array_equal(dense, expected.transitions)
    assert np.array_equal(mdp.R, expected.R) and mdp.sparse == (form is csr_array)


def test_pairs_may_end_the_episode_and_lead_to_terminal_states():
    """State 0: 1 + ½(½·v(0)) + ½·¼·8; a quarter of the time the episode ends."""
    P = [[0.5, 0.25], [0.0, 1.0]]
    mdp = MDP.from_pairs(
        P, [1.0, 0.0], 0.5, [0, 0], [1, 0], end=[0.25, 0], terminal={1: 8.0}
    )
    assert mdp.available.tolist() == [[True, True], [True, True]]
    assert policy_evaluation(mdp, [1, 0]) == pytest.approx([2 / 0.75, 8], abs=4 * EPS)


PAIRS = {"P": np.eye(2), "R": [1.0, 2.0], "gamma": 0.5, "s": [0, 1], "a": [0, 0]}


@pytest.mark.parametrize(
    "argument, message",
    [
        ({"P": np.eye(2)[0]}, r"P has shape \(2,\); it must be \(pairs, states\)"),
        ({"R": [1.0]}, r"R has shape \(1,\); it must be \(2,\)"),
        ({"s": [0, 2]}, "s: pair 1 has 2; it must be from 0 to 1"),
        ({"s": [0, -1]}, "s: pair 1 has -1; it must be from 0 to 1"),
        ({"s": [0.0, 1.0]}, r"s is float64 of shape \(2,\); it must be integers"),
        ({"a": [0, -1]}, "a: pair 1 has -1; it must be at least 0"),
        ({"a": [0, 1], "actions": "x"}, "a: pair 1 has 1; it must be from 0 to 0"),
        ({"s": [1, 1]}, "s and a: pairs 0 and 1 are both state 1, action 0"),
        ({"a": [0]}, r"a is int64 of shape \(1,\); it must be integers \(2,\)"),
        ({"P": np.eye(2) * 0.5}, "state 0, action 0 sum to 0.5"),
        ({"P": csr_array(np.eye(2) * 1j)}, "P contains complex128"),
    ],
)
def test_invalid_pairs_are_refused_with_their_place(argument, message):
    with pytest.raises(ValueError, match=message):
        MDP.from_pairs(**{**PAIRS, **argument})


def test_a_pair_that_stands_twice_is_named_by_its_two_rows():
    s, a = [0, 1, 0, 1, 1], [0, 1, 1, 0, 1]
    P = np.eye(2)[[0] * 5]
    message = "s and a: pairs 1 and 4 are both state 1, action 1; each may stand once"
    with pytest.raises(ValueError, match=message):
        MDP.from_pairs(P, np.zeros(5), 0.5, s, a)


@pytest.mark.parametrize("states, sparse", [(500, False), (501, True)])
def test_a_table_above_500_states_is_sparse(states, sparse):
    table = {s: {0: [(1.0, s, 0.0, False)]} for s in range(states)}
    assert MDP.from_transitions(table, 0.5).sparse == sparse


def test_nothing_is_stored_for_an_action_that_is_not_available():
    matrices = [csr_array(np.eye(3)), csr_array(np.eye(3)[::-1])]
    available = np.array([[True, False], [True, True], [True, False]])
    assert MDP(matrices, R, 0.5, available=available).transitions.nnz == 4


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: MDP(P, R, 0.5, states=7), "states is 7; it must be a list of labels"),
        (lambda: MDP.from_pairs(**PAIRS, actions=7), "actions is 7; it must be a list"),
        (lambda: MDP.from_action_matrices(None, R, 0.5), "P is None; it must be one"),
        (lambda: MDP.from_action_matrices(P, 7, 0.5), "R is 7; it must be one matrix"),
        (lambda: MDP(P, R, np.eye(2)), r"gamma is \[\[1. 0.\] \[0. 1.\]\]; a discount"),
        (lambda: MDP.from_transitions(np.zeros(99), 0.5), "0. 0. 0…; |0.… is neither"),
        (
            lambda: MDP.from_transitions({0: {0: [(1, 0, [1], False)]}}, 0.5),
            "state 0, a",
        ),
        (
            lambda: MDP.from_transitions({0: {0: [([1], 0, 1, False)]}}, 0.5),
            "state 0, a",
        ),
        (
            lambda: MDP.from_transitions({0: {0: np.array(1)}}, 0.5),
            "action 0 has 1; it",
        ),
        (
            lambda: MDP.from_transitions(WALK, 0.5, terminal=np.array(1)),
            "terminal is 1",
        ),
    ],
)
def test_what_is_of_another_type_is_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_state_without_a_pair_is_refused():
    with pytest.raises(ValueError, match="state 1 has no available action"):
        MDP.from_pairs([[1.0, 0.0]], [1.0], 0.5, [0], [0])


def test_labels_are_different_and_can_be_looked_up():
    with pytest.raises(ValueError, match="states: 'b' is the label of two states"):
        MDP(P, R, 0.5, states="abb")
    with pytest.raises(ValueError, match="actions: a label must be hashable"):
        MDP(P, R, 0.5, actions=[[0], [1]])


def test_labels_of_an_array_are_plain_numbers():
    mdp = MDP(P, R, 0.5, states=np.arange(3) * 2)
    assert repr(mdp.states) == "(0, 2, 4)"


@pytest.mark.parametrize(
    "policy, numbers",
    [
        (["-", "+", "+", "-"], [0, 1, 1, 0]),
        (("-", "+", "+", "-"), [0, 1, 1, 0]),
        (np.array(["-", "+", "+", "-"]), [0, 1, 1, 0]),
        ({2: "-", 1: "+", 0: "+", -1: "-"}, [0, 1, 1, 0]),
        (
            {-1: "-", 0: {"+": 0.25, "-": 0.75}, 1: "+", 2: {"-": 1}},
            [[1, 0], [0.75, 0.25], [0, 1], [1, 0]],
        ),
    ],
)
def test_a_policy_by_label_is_the_policy_by_number(policy, numbers):
    mdp = four_state_chain(0.5)
    assert np.array_equal(
        policy_evaluation(mdp, policy), policy_evaluation(mdp, numbers)
    )


def test_terminal_states_may_be_left_out_of_a_policy():
    mdp = MDP.from_transitions(WALK, 0.5, terminal={"goal": 8, "pit": -4})
    assert policy_evaluation(mdp, {"a": "go"}).tolist() == [1.5, 8, -4]


@pytest.mark.parametrize(
    "policy, message",
    [
        ({-1: "-", 0: "+", 1: "+"}, "policy: state 2 has no action"),
        ({3: "-"}, "policy: 3 is no state; there are -1, 0, 1, 2"),
        (["-", "+", "+", "x"], "policy: state 2 has 'x', which is no action; there"),
        ({-1: "-", 0: "+", 1: "+", 2: ["-"]}, r"policy: state 2 has \['-'\]; it must"),
        ({-1: "-", 0: "+", 1: "+", 2: {"-": "1"}}, "policy: state 2, action '-' has"),
        ({-1: "-", 0: "+", 1: "+", 2: {"-": 0.5}}, r"policy: state 2 has \[0.5, 0.0\]"),
        (["-", "+"], "policy: 2 labels of actions for 4 states"),
    ],
)
def test_an_invalid_policy_by_label_is_refused_with_its_state(policy, message):
    with pytest.raises(ValueError, match=message):
        policy_evaluation(four_state_chain(0.5), policy)
