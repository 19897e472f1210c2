"""Backward induction agrees with the enumeration of all histories, and with the
infinite horizon in the limit.
"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.mdp import MDP, backward_induction, four_state_chain, policy_iteration
from tests.mdp.oracle import mdps, random_mdp


def best_plan(mdp, horizon, final, gamma, s):
    """The best expected return over all plans (an action for each stage and state), by
    enumeration of histories.
    """
    S, A = mdp.R.shape
    best = -np.inf
    for plan in product(range(A), repeat=S * horizon):
        total = 0.0
        for history in product(range(S), repeat=horizon):  # the states of stages 1 to h
            probability, value, state = 1.0, 0.0, s
            for t, following in enumerate(history):
                a = plan[t * S + state]
                value += gamma**t * mdp.R[state, a]
                probability *= mdp.P[state, a, following]
                state = following
            total += probability * (value + gamma**horizon * final[state])
        best = max(best, total)
    return best


@pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
def test_the_value_is_the_best_over_all_histories(gamma):
    rng = np.random.default_rng(0)
    for horizon in (1, 2, 3):
        mdp, final = random_mdp(rng, 2, 2, 0.5), rng.normal(size=2)
        solution = backward_induction(mdp, horizon, final, gamma=gamma)
        assert solution.values.shape == (
            horizon + 1,
            2,
        ) and solution.policies.shape == (horizon, 2)
        expected = [best_plan(mdp, horizon, final, gamma, s) for s in range(2)]
        assert np.allclose(
            solution.values[0], expected, rtol=0, atol=1e-13
        )  # sums of 8 terms up to 5


@given(mdps())
def test_a_long_horizon_approaches_the_infinite_one(mdp):
    best = policy_iteration(mdp).values
    for horizon in (1, 5, 40):
        gap = abs(backward_induction(mdp, horizon, 1.0).values[0] - best).max()
        assert gap <= mdp.gamma**horizon * abs(1.0 - best).max() + 1e-12 * (
            1 + abs(best).max()
        )


def test_the_optimal_action_depends_on_the_stage():
    """In state 0 of the chain, the reward 3 is within reach with three steps to go, and
    out of reach with two.
    """
    solution = backward_induction(four_state_chain(0.99), 4, gamma=1)
    assert [int(policy[1]) for policy in solution.policies] == [1, 1, 0, 0]
    assert solution.values[:, 1].tolist() == [3, 3, 1, 0, 0]


def test_final_values_are_received_in_the_state_of_the_end():
    mdp = four_state_chain(0.5)
    assert backward_induction(mdp, 1, [0, 0, 0, 10]).values[0].tolist() == [1, 0, 5, 3]
    assert backward_induction(mdp, 1, 2).values[0].tolist() == [2, 1, 1, 4]


def test_an_ended_episode_receives_no_final_value():
    mdp = MDP.from_transitions(
        {0: {0: [(0.5, 0, 1.0, False), (0.5, 1, 1.0, True)]}, 1: {}}, 1.0
    )
    assert backward_induction(mdp, 2, 8.0).values.tolist() == [
        [1 + 0.5 * 5, 0],
        [5, 0],
        [8, 0],
    ]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((0,), "horizon is 0; it must be an integer, at least 1"),
        ((2.0,), "horizon is 2.0"),
        ((3, [1.0, 2]), r"v has shape \(2,\); it must be \(4,\)"),
        ((3, np.nan), "the value of state -1 is nan"),
        ((3, 0, 1.5), "gamma is 1.5"),
        ((3, 0, False), "gamma is False"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        backward_induction(four_state_chain(0.5), *arguments)


def test_values_beyond_float64_are_refused():
    with (
        pytest.raises(ValueError, match="exceed the range of float64"),
        np.errstate(over="ignore"),
    ):
        backward_induction(MDP([[[1.0]]], [[4e307]], 0.0), 10, gamma=1)


@given(mdps(max_states=3), st.integers(1, 4))
def test_one_more_stage_is_one_more_sweep(mdp, horizon):
    short, long = backward_induction(mdp, horizon), backward_induction(mdp, horizon + 1)
    assert np.array_equal(short.values, long.values[1:]) and np.array_equal(
        short.policies, long.policies[1:]
    )
