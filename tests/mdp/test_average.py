"""Gain, bias, stationary distribution and state visitation.

They are compared with exact fractions, limits and simulation.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    average_reward,
    four_state_chain,
    induced_chain,
    policy_evaluation,
    simulate,
    state_visitation,
)
from tests.mdp.oracle import EPS, exact_values, mdps, random_mdp


def as_sparse(mdp):
    return MDP(
        [csr_array(mdp.P[:, a]) for a in range(mdp.R.shape[1])], mdp.R, mdp.gamma
    )


@pytest.mark.parametrize("form", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_the_gain_of_the_chain_is_its_reward_per_cycle(form):
    mdp = form(four_state_chain(0.5))
    myopic = average_reward(mdp, [0, 0, 1, 1])
    farsighted = average_reward(mdp, [0, 1, 1, 1])
    assert myopic.gain == pytest.approx(
        1 / 2, abs=4 * EPS
    ) and farsighted.gain == pytest.approx(3 / 3, abs=4 * EPS)
    assert farsighted.stationary == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=4 * EPS)
    # by hand: h(0) = h(1) - 1 = h(2) - 2, the mean of the three is 0, and
    # h(-1) = 1 - 1 + h(0)
    assert farsighted.bias == pytest.approx([-1, -1, 0, 1], abs=8 * EPS)


@pytest.mark.parametrize("form", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_gain_and_bias_solve_their_equations(form):
    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 9):
        mdp = form(random_mdp(rng, n, 2, 0.9))
        policy = rng.dirichlet(np.ones(2), n)
        gain, bias, stationary = average_reward(mdp, policy)
        P, r = induced_chain(mdp, policy)
        # n terms up to ‖h‖, which is some 10 here
        assert np.allclose(bias + gain, r + P @ bias, rtol=0, atol=1e-13)
        assert stationary @ bias == pytest.approx(0, abs=1e-13)
        assert np.allclose(P.T @ stationary, stationary, rtol=0, atol=1e-14)
        assert stationary.sum() == pytest.approx(1, abs=1e-14)
        assert gain == pytest.approx(stationary @ r, abs=1e-13)


def test_the_discounted_value_near_one_is_gain_and_bias():
    """v_π = g/(1 - γ) + h + O(1 - γ), in exact fractions of γ = 1 - 1e-9."""
    mdp = random_mdp(np.random.default_rng(1), 4, 2, 0.5)
    policy = np.array([0, 1, 1, 0])
    P, r = induced_chain(mdp, policy)
    gain, bias, _ = average_reward(mdp, policy)
    # The rows of P are rounded, so their sums miss 1 by 1e-16, which 1/(1 - γ)² would
    # magnify: normalize exactly.
    exact_P = [
        [Fraction(x) / sum(map(Fraction, row)) for x in row] for row in P.tolist()
    ]
    gamma = 1 - Fraction(1, 10**9)
    values = exact_values(exact_P, r.tolist(), gamma)
    constant = sum(values) / 4
    assert float(constant * (1 - gamma)) == pytest.approx(gain, abs=1e-8)
    assert [float(v - constant) for v in values] == pytest.approx(
        (bias - bias.mean()).tolist(), abs=1e-7
    )


def test_several_recurrent_classes_are_refused_by_their_states():
    mdp = MDP(np.eye(3)[:, None], np.ones((3, 1)), 0.5, states="abc")
    with pytest.raises(
        ValueError,
        match="one recurrent class; this policy has 3: states 'a' and 'b' are in",
    ):
        average_reward(mdp, [0, 0, 0])
    P = np.array(
        [[[0.5, 0.5, 0]], [[0, 1, 0]], [[0.5, 0.25, 0.25]]]
    )  # transient states lead into one class
    assert average_reward(
        MDP(P, [[7], [2], [5]], 0.5), [0, 0, 0]
    ).gain == pytest.approx(2)


@pytest.mark.parametrize("form", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_two_classes_that_a_transient_state_leads_to_are_two(form):
    P = np.array([[[0, 0.5, 0.5]], [[0, 1, 0]], [[0, 0, 1]]])
    mdp = form(MDP(P, [[0], [1], [2]], 0.5))
    with pytest.raises(ValueError, match="has 2: states 1 and 2 are in different"):
        average_reward(mdp, [0, 0, 0])


def test_an_action_of_probability_zero_connects_no_states():
    """A sparse product stores its zeros, and a graph would take them for edges."""
    mdp = MDP([csr_array(np.eye(2)), csr_array(np.eye(2)[::-1])], np.eye(2), 0.5)
    with pytest.raises(ValueError, match="this policy has 2"):
        average_reward(mdp, [[1.0, 0.0], [1.0, 0.0]])


def test_a_policy_that_may_end_is_refused_and_one_that_does_not_is_evaluated():
    """Only one of two actions ends, and only in one state."""
    mdp = MDP.from_transitions(
        {
            "a": {"stay": [(1, "b", 3, False)], "quit": [(0.5, "b", 9, True)] * 2},
            "b": {"stay": [(1, "a", 1, False)]},
        },
        0.5,
    )
    assert average_reward(mdp, ["stay", "stay"]).gain == pytest.approx(2)
    for policy in (["quit", "stay"], [[0.75, 0.25], [1, 0]]):
        with pytest.raises(
            ValueError, match="never ends; in state 'a' this policy may"
        ):
            average_reward(mdp, policy)


@given(mdps(), st.integers(0, 2**32 - 1))
def test_state_visitation_averages_rewards_to_the_value(mdp, seed):
    rng = np.random.default_rng(seed)
    policy = rng.dirichlet(np.ones(mdp.R.shape[1]), len(mdp.R))
    start = rng.dirichlet(np.ones(len(mdp.R)))
    d = state_visitation(mdp, policy, start)
    _, r = induced_chain(mdp, policy)
    # both sides have the rounding of a linear system of condition 200
    assert (d >= -1e-15).all() and d.sum() == pytest.approx(1, abs=1e-12)
    assert d @ r / (1 - mdp.gamma) == pytest.approx(
        start @ policy_evaluation(mdp, policy), abs=1e-10
    )


def test_state_visitation_is_where_a_process_stops_that_stops_at_random():
    rng = np.random.default_rng(2)
    mdp, policy = random_mdp(rng, 4, 2, 0.8), np.array([0, 1, 0, 1])
    ends = np.array(
        [
            simulate(mdp, policy, 1, int(rng.geometric(0.2)) - 1, rng).states[-1]
            for _ in range(4_000)
        ]
    )
    # five standard errors of a fraction
    found = np.bincount(ends, minlength=4) / 4_000
    assert abs(found - state_visitation(mdp, policy, 1)).max() <= 5 * 0.5 / np.sqrt(
        4_000
    )


def test_without_discount_state_visitation_counts_visits():
    mdp = MDP.from_transitions(
        {
            0: {0: [(0.75, 0, 1.0, False), (0.25, 1, 1.0, False)]},
            1: {0: [(1, 0, 0, True)]},
        },
        1.0,
    )
    assert state_visitation(mdp, [0, 0], 0) == pytest.approx([4, 1])
    assert state_visitation(mdp.with_discount(0.5), [0, 0], 0) == pytest.approx(
        [0.5 / 0.625, 0.5 * 0.125 / 0.625]
    )


def test_without_discount_a_policy_that_never_ends_has_no_visitation():
    table = {0: {"stay": [(1, 0, 0, False)], "quit": [(1, 0, 0, True)]}}
    mdp = MDP.from_transitions(table, 1.0)
    assert state_visitation(mdp, ["quit"], 0).tolist() == [1]
    with pytest.raises(ValueError, match="gamma is 1, and in state 0 the policy never"):
        state_visitation(mdp, ["stay"], 0)


@pytest.mark.parametrize(
    "start, message",
    [
        (4, "start is 4; it must be an integer from 0 to 3"),
        (-1, "start is -1"),
        ([0.5, 0.5, 0.5, 0], "start is no distribution"),
        ([1.5, -0.5, 0, 0], "start is no distribution: its smallest entry is -0.5"),
        ([1.0], r"start has shape \(1,\)"),
    ],
)
def test_an_invalid_start_is_refused(start, message):
    with pytest.raises(ValueError, match=message):
        state_visitation(four_state_chain(0.5), [0, 0, 0, 0], start)
