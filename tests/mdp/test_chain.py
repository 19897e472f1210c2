"""The four-state example: its values, its critical discount factor, and the errors in
its printed solution.
"""

from math import sqrt

import numpy as np
import pytest

from numpyvae.mdp import (
    enumerate_policies,
    four_state_chain,
    optimal_policies,
    policy_evaluation,
    policy_iteration,
)
from numpyvae.mdp.chain import closed_form

MYOPIC, FARSIGHTED = [0, 0, 1, 1], [0, 1, 1, 1]
DISCOUNTS = [0.0, 0.05, 0.1, 0.2, (sqrt(3) - 1) / 2, 0.5, 0.7, 0.9, 0.99, 0.999]


def myopic(g):
    return [
        1 / (1 - g**2),
        g / (1 - g**2),
        3 * g + g**3 / (1 - g**2),
        3 + g**2 / (1 - g**2),
    ]


def farsighted(g):
    return [
        1 + 3 * g**3 / (1 - g**3),
        3 * g**2 / (1 - g**3),
        3 * g / (1 - g**3),
        3 + 3 * g**3 / (1 - g**3),
    ]


@pytest.mark.parametrize("g", DISCOUNTS)
def test_both_policies_have_their_closed_forms(g):
    # both lose eps/(1 − g), here up to 2e-13 in relative terms, and a few roundings
    assert np.allclose(
        policy_evaluation(four_state_chain(g), MYOPIC), myopic(g), rtol=1e-12, atol=0
    )
    assert np.allclose(
        policy_evaluation(four_state_chain(g), FARSIGHTED),
        farsighted(g),
        rtol=1e-12,
        atol=0,
    )


@pytest.mark.parametrize(
    "g, policy, values",
    [
        (0.1, MYOPIC, [1.01010101, 0.10101010, 0.30101010, 3.01010101]),
        (0.99, FARSIGHTED, [99.00670011, 98.99666678, 99.99663311, 101.00670011]),
    ],
)
def test_optimal_policies_and_values_to_eight_places(g, policy, values):
    assert [found.tolist() for found in optimal_policies(four_state_chain(g))] == [
        policy
    ]
    # eight places in print
    assert np.allclose(
        policy_iteration(four_state_chain(g)).values, values, rtol=0, atol=5.1e-9
    )


def test_the_myopic_policy_evaluated_at_a_large_discount_factor():
    assert np.allclose(
        policy_evaluation(four_state_chain(0.99), MYOPIC),
        [50.25125628, 49.74874372, 51.72874372, 52.25125628],
        rtol=0,
        atol=5.1e-9,
    )


@pytest.mark.parametrize(
    "g, policy, state, printed, right",
    [
        (
            0.1,
            MYOPIC,
            2,
            3 + 0.1**3 / (1 - 0.1**2),
            3 * 0.1 + 0.1**3 / (1 - 0.1**2),
        ),  # 3 for 3g
        (0.99, FARSIGHTED, 0, 99.001, 99.007),
        (0.99, FARSIGHTED, 1, 98.991, 98.997),
        (0.99, FARSIGHTED, 2, 99.991, 99.997),
        (0.99, FARSIGHTED, 3, 101.001, 101.007),
        (0.99, MYOPIC, 2, 51.13, 51.73),
    ],
)
def test_the_errors_of_the_printed_solution_are_errors(
    g, policy, state, printed, right
):
    v = policy_evaluation(four_state_chain(g), policy)[state]
    assert (
        abs(v - right) < 0.0013 + 1e-12 < 0.004 < abs(v - printed)
    )  # two or three places in print


def test_at_the_critical_discount_both_policies_are_optimal():
    g = (sqrt(3) - 1) / 2
    assert [policy.tolist() for policy in optimal_policies(four_state_chain(g))] == [
        MYOPIC,
        FARSIGHTED,
    ]
    assert (
        np.allclose(myopic(g), farsighted(g), rtol=1e-14, atol=0)
        and abs(2 * g**3 - 3 * g + 1) < 1e-15
    )
    for step, policy in ((-1e-9, MYOPIC), (1e-9, FARSIGHTED)):
        assert [
            found.tolist() for found in optimal_policies(four_state_chain(g + step))
        ] == [policy]


@pytest.mark.parametrize("g", [1 - 1e-6, 1 - 1e-9, 1 - 1e-12])
def test_there_is_one_optimal_policy_near_gamma_one(g):
    assert [policy.tolist() for policy in optimal_policies(four_state_chain(g))] == [
        FARSIGHTED
    ]


def test_the_transitions_and_rewards_are_those_of_the_drawing():
    mdp = four_state_chain(0.5)
    assert mdp.states == (-1, 0, 1, 2) and mdp.actions == ("-", "+")
    targets = {
        (s, a): mdp.states[mdp.P[i, j].argmax()]
        for i, s in enumerate(mdp.states)
        for j, a in enumerate(mdp.actions)
    }
    assert targets == {
        (-1, "-"): 0,
        (-1, "+"): 0,
        (0, "-"): -1,
        (0, "+"): 1,
        (1, "-"): 0,
        (1, "+"): 2,
        (2, "-"): 1,
        (2, "+"): 0,
    }
    assert mdp.R.tolist() == [[1, 0], [0, 0], [0, 0], [0, 3]]


@pytest.mark.parametrize("g", [0.0, 0.3, 0.9])
def test_the_closed_form_is_the_value_of_all_sixteen_policies(g):
    for policy in enumerate_policies(four_state_chain(g)):
        forms = closed_form(["-+"[a] for a in policy], g)
        assert np.allclose(
            policy_evaluation(four_state_chain(g), policy),
            [value for _, value in forms],
            rtol=0,
            atol=1e-13,
        )
        for (
            formula,
            value,
        ) in forms:  # and the formula that is printed is the one that was computed
            python = (
                formula.replace("²", "**2")
                .replace("³", "**3")
                .replace("⁴", "**4")
                .replace("3g", "3*g")
            )
            assert eval(python, {"g": g}) == pytest.approx(value, abs=1e-14)


def test_the_formulas_are_those_of_the_derivation():
    myopic, farsighted = (
        [formula for formula, _ in closed_form(policy, 0.1)]
        for policy in ("--++", "-+++")
    )
    assert myopic == ["1/(1-g²)", "g/(1-g²)", "3g + g³/(1-g²)", "3 + g²/(1-g²)"]
    assert farsighted == ["1 + 3g³/(1-g³)", "3g²/(1-g³)", "3g/(1-g³)", "3/(1-g³)"]
