"""Undiscounted problems that end are solved with a bound that holds; those that may not
end are refused.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    effective_horizon,
    enumerate_policies,
    four_state_chain,
    induced_chain,
    modified_policy_iteration,
    optimal_actions,
    policy_evaluation,
    policy_iteration,
    value_iteration,
)
from tests.mdp.oracle import EPS, error, exact_evaluation, linprog_values

# FrozenLake 4 x 4, slippery, as Gymnasium's toy-text environment defines it, written
# out here: an action leads to
# either side instead with probability 1/3 each; reward 1 on entering G; holes H and the
# goal G end the episode.
MAP = "SFFFFHFHFFFHHFFG"
MOVES = [(0, -1), (1, 0), (0, 1), (-1, 0)]  # left, down, right, up


def frozen_lake(slippery=True):
    table = {}
    for s, cell in enumerate(MAP):
        table[s] = {}
        for a in range(4):
            if cell in "HG":
                table[s][a] = [(1.0, s, 0, True)]
                continue
            table[s][a] = []
            for b in ((a - 1) % 4, a, (a + 1) % 4) if slippery else (a,):
                row = min(max(s // 4 + MOVES[b][0], 0), 3)
                column = min(max(s % 4 + MOVES[b][1], 0), 3)
                t = 4 * row + column
                table[s][a].append(
                    (
                        1 / 3 if slippery else 1.0,
                        t,
                        float(MAP[t] == "G"),
                        MAP[t] in "HG",
                    )
                )
    return table


def test_the_frozen_lake_is_solved_as_by_linear_programming():
    for gamma in (0.9, 0.99):
        mdp = MDP.from_transitions(frozen_lake(), gamma)
        assert mdp.terminal.tolist() == [cell in "HG" for cell in MAP]
        for solve in (policy_iteration, value_iteration, modified_policy_iteration):
            solution = solve(mdp)
            # HiGHS stops at a feasibility of 1e-7, which 1/(1 - γ) magnifies
            assert np.allclose(
                solution.values, linprog_values(mdp), rtol=0, atol=1e-7 / (1 - gamma)
            )
            assert (
                abs(solution.values - policy_iteration(mdp).values).max()
                <= solution.error_bound
            )


def test_the_dry_lake_is_crossed_in_six_steps():
    """Without noise the goal is six moves away, so the values are γ to the number of
    moves less one.
    """
    mdp = MDP.from_transitions(frozen_lake(slippery=False), 0.9)
    moves = [6, 5, 4, 5, 5, None, 3, None, 4, 3, 2, None, None, 2, 1, None]
    assert np.allclose(
        policy_iteration(mdp).values,
        [0 if k is None else 0.9 ** (k - 1) for k in moves],
        rtol=4 * EPS,
        atol=0,
    )


def random_episodes(rng, S, A):
    """Every action may end the episode, or lead to a state with a higher number: every
    policy ends.
    """
    P, end = np.zeros((S, A, S)), np.zeros((S, A))
    for s in range(S):
        for a in range(A):
            weights = rng.integers(0, 5, size=S + 1) * (rng.random(S + 1) < 0.7)
            if not weights[s + 1 :].any():
                weights[S] = 1
            weights[:s] *= rng.random() < 0.5  # back, sometimes
            weights[S] += (
                16 - weights.sum()
                if weights.sum() < 16 and weights[: s + 1].any()
                else 0
            )
            P[s, a], end[s, a] = weights[:S] / weights.sum(), weights[S] / weights.sum()
    return P, end, rng.integers(-3, 4, size=(S, A)).astype(float)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.booleans())
def test_undiscounted_solutions_are_the_best_of_all_policies(seed, S, sparse):
    P, end, R = random_episodes(np.random.default_rng(seed), S, 2)
    mdp = MDP([csr_array(P[:, a]) for a in range(2)] if sparse else P, R, 1.0, end=end)
    values = np.array(
        [policy_evaluation(mdp, policy) for policy in enumerate_policies(mdp)]
    )
    H = effective_horizon(mdp)
    lengths = [
        np.linalg.solve(np.eye(S) - P[np.arange(S), policy], np.ones(S)).max()
        for policy in enumerate_policies(mdp)
    ]
    assert (
        pytest.approx(max(lengths), rel=1e-8) == H
    )  # the longest that any policy makes an episode
    for solve in (policy_iteration, value_iteration, modified_policy_iteration):
        solution = solve(mdp)
        assert (
            abs(solution.values - values.max(axis=0)).max()
            <= solution.error_bound
            <= 1e-8
        )
    best = values.max(axis=0)
    for policy, v in zip(enumerate_policies(mdp), values, strict=True):
        assert (
            np.allclose(v, best, rtol=0, atol=1e-9)
            == optimal_actions(mdp)[np.arange(S), policy].all()
        )


def test_the_gamblers_probability_to_reach_the_goal():
    """A fair game, stakes of 1, from 0 to 10: 10 is reached first with probability
    s/10, after s(10 - s) steps.
    """
    P, end, R = np.zeros((9, 1, 9)), np.zeros((9, 1)), np.zeros((9, 1))
    for s in range(9):  # state s is a capital of s + 1
        for t in (s - 1, s + 1):
            if 0 <= t < 9:
                P[s, 0, t] = 0.5
            else:
                end[s, 0], R[s, 0] = 0.5, 0.5 * (t == 9)
    mdp = MDP(P, R, 1.0, end=end)
    assert np.allclose(
        policy_iteration(mdp).values, np.arange(1, 10) / 10, rtol=1e-15 * 4, atol=0
    )
    assert effective_horizon(mdp) == pytest.approx(25, rel=1e-12)
    assert np.allclose(
        value_iteration(mdp, 1e-10).values, np.arange(1, 10) / 10, rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("gamma, expected", [(0.0, 1), (0.5, 2), (0.99, 100)])
def test_the_effective_horizon_is_one_over_one_minus_gamma(gamma, expected):
    assert effective_horizon(four_state_chain(gamma)) == pytest.approx(
        expected, rel=1e-13
    )


@given(st.integers(0, 2**32 - 1))
def test_no_row_of_an_inverse_exceeds_the_effective_horizon(seed):
    P, end, R = random_episodes(np.random.default_rng(seed), 4, 3)
    mdp = MDP(P, R, 1.0, end=end)
    H = effective_horizon(mdp)
    for policy in enumerate_policies(mdp):
        induced, _ = induced_chain(mdp, policy)
        assert np.linalg.inv(np.eye(4) - induced).sum(axis=1).max() <= H * (1 + 1e-12)


def test_undiscounted_values_are_exact():
    P, end, R = random_episodes(np.random.default_rng(4), 5, 2)
    mdp = MDP(P, R, 1.0, end=end)
    solution = policy_iteration(mdp)
    assert error(solution.values, exact_evaluation(mdp, solution.policy)) <= EPS


def test_an_episode_that_is_almost_endless_is_refused():
    """Half of the precision of 1 is lost per step: the computed w is no bound."""
    mdp = MDP(
        [[[1 - 2**-52, 2**-52]], [[2**-52, 1 - 2**-51]]],
        np.ones((2, 1)),
        1.0,
        end=[[0], [2**-52]],
    )
    with pytest.raises(
        ValueError,
        match=r"gamma is 1, and some policy needs about .* steps to end an episode; values",
    ):
        policy_iteration(mdp)


@pytest.mark.parametrize("gamma", [0.5, 0.9])
def test_where_episodes_end_no_constant_is_added(gamma):
    """T 0 = 1 in every state, but with half of the probability gone the value is 1/(1 -
    γ/2), not 1/(1 - γ).
    """
    mdp = MDP(
        np.array([[[0.5, 0]], [[0, 0.5]]]),
        np.ones((2, 1)),
        gamma,
        end=np.full((2, 1), 0.5),
    )
    for solve in (modified_policy_iteration, value_iteration):
        assert np.allclose(solve(mdp).values, 1 / (1 - gamma / 2), rtol=0, atol=1e-8)
