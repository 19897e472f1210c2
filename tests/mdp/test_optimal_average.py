"""The best average reward, against linear programs, exact fractions, and γ → 1."""

import doctest
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import linprog
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    average_policy_iteration,
    average_reward,
    blackwell_policy,
    four_state_chain,
    optimal_average,
    policy_iteration,
    relative_value_iteration,
)
from numpyvae.mdp.optimal_average import (
    plain_average_policy_iteration,
    plain_relative_value_iteration,
)
from tests.mdp.oracle import mdps, random_mdp

SOLVERS = [average_policy_iteration, relative_value_iteration]


def program(mdp) -> np.ndarray:
    """The best gain from each state, by the linear program of Puterman's chapter 9:

    minimize Σ g with g ≥ P_a g and g + h ≥ R_a + P_a h for every action a.
    """
    S, A = mdp.R.shape
    P = mdp.transitions.toarray() if mdp.sparse else mdp.transitions
    stays = np.repeat(np.eye(S), A, axis=0)
    kept = mdp.available.ravel()
    constraints = np.block([[P - stays, np.zeros_like(P)], [-stays, P - stays]])
    limits = np.concatenate([np.zeros(S * A), -mdp.R.ravel()])
    kept = np.concatenate([kept, kept])
    cost = np.concatenate([np.ones(S), np.zeros(S)])
    found = linprog(cost, constraints[kept], limits[kept], bounds=(None, None))
    return found.x[:S]


def as_sparse(mdp):
    matrices = [csr_array(mdp.P[:, a]) for a in range(mdp.R.shape[1])]
    return MDP(matrices, mdp.R, mdp.gamma)


def test_the_example_of_the_chapter():
    assert doctest.testmod(optimal_average).attempted > 0
    assert doctest.testmod(optimal_average).failed == 0


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize("form", [lambda mdp: mdp, as_sparse], ids=["dense", "sparse"])
def test_the_chain_earns_three_every_three_steps(solve, form):
    solution = solve(form(four_state_chain(0.5)))
    assert abs(solution.gain - 1) <= solution.error_bound <= 1e-8
    assert solution.policy.tolist() == [0, 1, 1, 1]


def test_each_state_takes_the_action_that_leads_to_the_larger_gain():
    """a and c stay where nothing is earned; b earns 1. The ways to b differ."""
    stay_or_go = {"stay": [(1, "a", 0, False)], "go": [(1, "b", 0, False)]}
    table = {
        "a": stay_or_go,
        "b": {"stay": [(1, "b", 1, False)]},
        "c": {"stay": [(1, "b", 0, False)], "go": [(1, "c", 0, False)]},
    }
    mdp = MDP.from_transitions(table, 0.5)
    solution = average_policy_iteration(mdp, ["stay", "stay", "go"])
    assert solution.policy.tolist() == [1, 0, 0]
    assert solution.gain == pytest.approx(1, abs=1e-12)
    assert solution.iterations == 2  # both were changed at once


def test_max_sweeps_is_the_number_of_sweeps():
    mdp = four_state_chain(0.5)
    sweeps = relative_value_iteration(mdp, 1e-3).iterations
    assert relative_value_iteration(mdp, 1e-3, sweeps).iterations == sweeps
    with pytest.raises(ValueError, match=f"after {sweeps - 1} sweeps"):
        relative_value_iteration(mdp, 1e-3, sweeps - 1)


def test_a_solution_prints_the_bias_by_label():
    mdp = MDP([[[0, 1]], [[1, 0]]], [[0], [2]], 0.5, states="ab", actions=["go"])
    assert str(average_policy_iteration(mdp)).splitlines()[:3] == [
        "state  action  bias",
        "    a      go  -0.5",
        "    b      go   0.5",
    ]
    shown = repr(average_policy_iteration(mdp))
    assert shown.startswith("<OptimalAverageReward: 1 per step, 1 iterations, error at")


def test_policy_iteration_passes_through_a_policy_with_two_classes():
    """−1 ↔ 0 and 1 ↔ 2 are two cycles, with gains ½ and 0."""
    mdp = four_state_chain(0.5)
    start = [0, 0, 1, 0]
    with pytest.raises(ValueError, match="this policy has 2"):
        average_reward(mdp, start)
    solution = average_policy_iteration(mdp, start)
    assert solution.gain == pytest.approx(1, abs=1e-12)
    assert solution.policy.tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("solve", SOLVERS)
@settings(max_examples=40)
@given(mdp=mdps())
def test_the_gain_is_that_of_the_linear_program_or_there_is_none(solve, mdp):
    gains = program(mdp)
    if np.ptp(gains) > 1e-6:  # gains are small fractions; HiGHS solves to 1e-7
        options = {}
        if solve is relative_value_iteration:
            options["max_sweeps"] = 500
        with pytest.raises(ValueError, match=r"depends on the state|after 500 sweeps"):
            solve(mdp, **options)
        return
    if solve is relative_value_iteration:
        solution = solve(mdp, 1e-4, 10_000)
    else:
        solution = solve(mdp)
        assert solution.error_bound < 1e-10
    assert abs(solution.gain - gains.mean()) <= solution.error_bound + 1e-6
    # The equation (10.1), up to the error bound on both sides.
    right = (mdp.R + (mdp.transitions @ solution.bias).reshape(mdp.R.shape)).max(axis=1)
    residual = right - solution.bias - solution.gain
    assert abs(residual).max() <= 2 * solution.error_bound


@settings(max_examples=30)
@given(mdp=mdps())
def test_the_bias_is_that_of_the_policy(mdp):
    try:
        solution = average_policy_iteration(mdp)
        gain, bias, _ = average_reward(mdp, solution.policy)
    except ValueError:  # several classes
        return
    assert solution.gain == pytest.approx(gain, abs=1e-11)
    assert solution.bias == pytest.approx(bias, abs=1e-10)  # of size 100 at most


def test_the_plain_forms_agree():
    rng = np.random.default_rng(7)
    for _ in range(5):
        mdp = random_mdp(rng, 6, 3, 0.5)
        best = average_policy_iteration(mdp)
        policy, gain, h = plain_average_policy_iteration(mdp.P, mdp.R)
        assert policy.tolist() == best.policy.tolist()
        assert gain == pytest.approx(best.gain, abs=1e-12)
        assert h - h[0] == pytest.approx(best.bias - best.bias[0], abs=1e-11)
        sweeps = relative_value_iteration(mdp, 1e-6)
        low, high, _ = plain_relative_value_iteration(mdp.P, mdp.R, sweeps.iterations)
        # the middle, and half the width but for rounding
        assert (low + high) / 2 == pytest.approx(sweeps.gain, abs=1e-13)
        assert (high - low) / 2 == pytest.approx(sweeps.error_bound, abs=1e-12)


def test_a_blackwell_optimal_policy_has_the_best_gain():
    rng = np.random.default_rng(4)
    for _ in range(5):
        mdp = random_mdp(rng, 4, 2, 0.5)
        gain = average_reward(mdp, blackwell_policy(mdp)).gain
        assert average_policy_iteration(mdp).gain == pytest.approx(gain, abs=1e-12)


def test_the_gain_is_the_limit_of_discounted_values():
    """(1 − γ) v* = g + (1 − γ) h + …: h is some 10 here."""
    mdp = random_mdp(np.random.default_rng(5), 6, 3, 1 - 1e-8)
    values = policy_iteration(mdp).values * 1e-8
    assert average_policy_iteration(mdp).gain == pytest.approx(values, abs=1e-6)


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_periodic_problem_is_solved(solve):
    """Two states alternate, with rewards 0 and 2: T h − h alone would oscillate."""
    mdp = MDP([[[0, 1]], [[1, 0]]], [[0], [2]], 0.5)
    assert solve(mdp).gain == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("solve", SOLVERS)
def test_an_action_that_is_not_available_is_not_taken(solve):
    mdp = MDP(
        np.array([[[1, 0], [0, 1.0]], [[0, 1], [1, 0]]]),
        [[-np.inf, 0], [0.25, 1]],
        0.5,
    )
    assert solve(mdp).gain == pytest.approx(0.5, abs=1e-8)


def test_a_best_average_that_depends_on_the_state_is_refused_with_both():
    mdp = MDP(np.eye(3)[:, None], [[1.0], [2.5], [2.0]], 0.5, states="abc")
    message = "it is 2.5 from state 'b' and 1 from state 'a', so there is no single"
    with pytest.raises(ValueError, match=message):
        average_policy_iteration(mdp)
    with pytest.raises(ValueError, match=r"between 1 and 2\.5 after 50 sweeps"):
        relative_value_iteration(mdp, max_sweeps=50)


@pytest.mark.parametrize("solve", SOLVERS)
def test_a_process_that_may_end_is_refused_with_its_place(solve):
    table = {"a": {"x": [(1, "a", 1, False)], "y": [(1, "a", 1, True)]}}
    mdp = MDP.from_transitions(table, 0.5)
    with pytest.raises(ValueError, match="state 'a', action 'y' may end the episode"):
        solve(mdp)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"tolerance": 0}, "tolerance is 0; it must be a positive number"),
        ({"tolerance": np.nan}, "tolerance is nan"),
        ({"max_sweeps": 0}, "max_sweeps is 0"),
        ({"tolerance": 1e-300, "max_sweeps": 9}, "between .* after 9 sweeps"),
    ],
)
def test_invalid_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        relative_value_iteration(four_state_chain(0.5), **arguments)


def test_a_random_first_policy_is_refused():
    with pytest.raises(ValueError, match="one action per state is required here"):
        average_policy_iteration(four_state_chain(0.5), np.full((4, 2), 0.5))


def test_the_gain_is_exact_to_its_bound_in_fractions():
    """The stationary distribution of a random policy, in exact arithmetic."""
    mdp = random_mdp(np.random.default_rng(6), 5, 3, 0.5)
    solution = average_policy_iteration(mdp)
    rows = mdp.P[np.arange(5), solution.policy].tolist()
    P = [[Fraction(x) / sum(map(Fraction, row)) for x in row] for row in rows]
    mu = stationary(P)
    rewards = mdp.R[np.arange(5), solution.policy].tolist()
    exact = sum(m * Fraction(r) for m, r in zip(mu, rewards, strict=True))
    assert abs(solution.gain - float(exact)) <= solution.error_bound


def stationary(P) -> list[Fraction]:
    """μ = μ P by censoring: leave out the last state, again and again (Grassmann)."""
    P, n = [list(row) for row in P], len(P)
    for k in range(n - 1, 0, -1):
        out = sum(P[k][:k])
        for i in range(k):
            P[i][k] /= out
            for j in range(k):
                P[i][j] += P[i][k] * P[k][j]
    mu = [Fraction(1)]
    for k in range(1, n):
        mu.append(sum(mu[i] * P[i][k] for i in range(k)))
    return [m / sum(mu) for m in mu]
