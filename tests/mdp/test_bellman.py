"""Policy values are exact to their bound: dense, sparse and iterative; deterministic
and stochastic policies.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array, csc_matrix, csr_array

from numpyvae.mdp import (
    MDP,
    action_values,
    advantages,
    bellman,
    bellman_operator,
    bellman_residual,
    factorize,
    greedy_policy,
    policy_evaluation,
    policy_iteration,
)
from tests.mdp.oracle import (
    DISCOUNTS,
    EPS,
    error,
    exact_evaluation,
    exact_values,
    mdps,
    random_mdp,
)

P = np.full((3, 2, 3), 1 / 3)
R = np.arange(6.0).reshape(3, 2)


def sparse(mdp, kind=csr_array):
    return MDP([kind(mdp.P[:, a]) for a in range(mdp.R.shape[1])], mdp.R, mdp.gamma)


@pytest.mark.parametrize("gamma", DISCOUNTS)
@pytest.mark.parametrize("form", [lambda mdp: mdp, sparse], ids=["dense", "sparse"])
def test_evaluation_agrees_with_exact_fractions(gamma, form):
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 5, 8):
        mdp = random_mdp(rng, n, 2, gamma)
        policy = rng.integers(2, size=n)
        # Backward stability of LU: an error of n·eps in a system whose condition is
        # (1+γ)/(1-γ).
        assert error(
            policy_evaluation(form(mdp), policy), exact_evaluation(mdp, policy)
        ) <= n * EPS * (1 + gamma) / (1 - gamma)


@given(mdps(), st.data())
def test_policy_values_solve_their_bellman_equation(mdp, data):
    S, A = mdp.R.shape
    policy = np.array(
        data.draw(st.lists(st.integers(0, A - 1), min_size=S, max_size=S))
    )
    v = policy_evaluation(mdp, policy)
    # A backward stable solution leaves a residual of n roundings of ‖v‖; that it is
    # small at all is what v had to
    # satisfy.
    assert bellman_residual(mdp, v, policy) <= 4 * S * EPS * (
        abs(mdp.R).max() + abs(v).max()
    )


@given(mdps(), st.integers(0, 2**32 - 1))
def test_the_error_bound_holds_for_any_vector(mdp, seed):
    rng = np.random.default_rng(seed)
    policy = rng.integers(mdp.R.shape[1], size=len(mdp.R))
    v = policy_evaluation(mdp, policy) + rng.normal(
        size=len(mdp.R)
    ) * 10.0 ** rng.integers(-6, 3)
    truth = np.array([float(x) for x in exact_evaluation(mdp, policy)])
    # the rounding of residual itself
    assert (
        abs(v - truth).max()
        <= bellman_residual(mdp, v, policy) / (1 - mdp.gamma) * (1 + 1e-7) + 1e-11
    )


@given(mdps())
def test_a_constant_reward_has_its_value_over_one_minus_gamma(mdp):
    v = policy_evaluation(
        MDP(mdp.P, np.full(mdp.R.shape, 2.0), mdp.gamma),
        np.zeros(len(mdp.R), dtype=int),
    )
    assert np.allclose(
        v, 2 / (1 - mdp.gamma), rtol=2 * len(v) * EPS / (1 - mdp.gamma), atol=0
    )


@given(mdps(), st.randoms(use_true_random=False))
def test_relabelling_states_permutes_values(mdp, random):
    order = list(range(len(mdp.R)))
    random.shuffle(order)
    policy = np.zeros(len(order), dtype=int)
    shuffled = MDP(mdp.P[order][:, :, order], mdp.R[order], mdp.gamma)
    # sums in another order; each side may be off by 2n·eps/(1 − γ) of the largest
    # value: 2e-13 of 300,
    # with n = 5 and γ = 0.99
    assert np.allclose(
        policy_evaluation(shuffled, policy),
        policy_evaluation(mdp, policy)[order],
        rtol=1e-12,
        atol=1e-11,
    )


def test_a_stochastic_policy_averages_transitions_and_rewards():
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 4, 3, 0.9)
    policy = np.array(
        [[0.5, 0.25, 0.25], [0, 1, 0], [0.125, 0.875, 0], [0.5, 0, 0.5]]
    )  # exact in binary
    average = [
        [
            sum(Fraction(policy[s, a]) * Fraction(mdp.P[s, a, t]) for a in range(3))
            for t in range(4)
        ]
        for s in range(4)
    ]
    reward = [
        sum(Fraction(policy[s, a]) * Fraction(mdp.R[s, a]) for a in range(3))
        for s in range(4)
    ]
    exact = exact_values(average, reward, mdp.gamma)
    assert error(policy_evaluation(mdp, policy), exact) <= 4 * EPS * 19
    assert error(policy_evaluation(sparse(mdp), policy), exact) <= 4 * EPS * 19
    assert bellman_residual(mdp, policy_evaluation(mdp, policy), policy) < 1e-14


def test_a_one_hot_policy_equals_the_deterministic_one():
    mdp = random_mdp(np.random.default_rng(3), 5, 3, 0.9)
    policy = np.array([2, 0, 1, 1, 2])
    # the bound 2n·eps/(1 − γ) is 2e-14, and these two keep to half of it
    assert np.allclose(
        policy_evaluation(mdp, policy),
        policy_evaluation(mdp, np.eye(3)[policy]),
        rtol=1e-14,
        atol=0,
    )


@pytest.mark.parametrize("kind", [csr_array, csc_matrix, coo_array])
def test_sparse_problems_of_any_format_equal_the_dense_ones(kind):
    mdp = random_mdp(np.random.default_rng(4), 6, 3, 0.95)
    v = np.arange(6.0)
    # six products summed in some order: a few roundings
    assert np.allclose(
        action_values(sparse(mdp, kind), v), action_values(mdp, v), rtol=1e-15, atol=0
    )
    assert np.allclose(
        action_values(mdp, v),
        [[mdp.R[s, a] + 0.95 * mdp.P[s, a] @ v for a in range(3)] for s in range(6)],
        rtol=1e-15,
        atol=0,
    )


@pytest.mark.parametrize(
    "policy, message",
    [
        ([0, 2, 0], "policy: state 1 takes action 2; actions are numbered 0 to 1"),
        ([0, 0, -1], "policy: state 2 takes action -1"),
        (
            [0, 0],
            r"of shape \(2,\); it must be action numbers \(3,\) or probabilities \(3, 2\)",
        ),
        ([0.0, 1.0, 0.0], "policy: float64 of shape"),
        (
            [[0.5, 0.5], [0.5, 0.4], [1, 0]],
            r"policy: state 1 has \[0.5, 0.4\], which is no distribution over its",
        ),
        ([[0.5, 0.5], [1.5, -0.5], [1, 0]], "policy: state 1"),
        ([[0.5, 0.5], [0.5, 0.5], [np.nan, 0]], "policy: state 2"),
    ],
)
def test_an_invalid_policy_is_refused_with_its_place(policy, message):
    with pytest.raises(ValueError, match=message):
        policy_evaluation(MDP(P, R, 0.5), policy)


@given(mdps(), st.integers(0, 2**32 - 1))
def test_the_operator_is_the_formula_with_and_without_a_policy(mdp, seed):
    rng = np.random.default_rng(seed)
    S, A = mdp.R.shape
    v, policy = rng.normal(size=S), rng.integers(A, size=S)
    q = [
        [
            mdp.R[s, a] + mdp.gamma * sum(mdp.P[s, a, t] * v[t] for t in range(S))
            for a in range(A)
        ]
        for s in range(S)
    ]
    # sums of six terms up to 3
    assert np.allclose(bellman_operator(mdp, v), np.max(q, axis=1), rtol=0, atol=1e-14)
    assert np.allclose(
        bellman_operator(mdp, v, policy),
        [row[a] for row, a in zip(q, policy, strict=True)],
        rtol=0,
        atol=1e-14,
    )
    assert bellman_residual(mdp, v) == pytest.approx(
        abs(np.max(q, axis=1) - v).max(), abs=1e-14
    )


@given(mdps(), st.integers(0, 2**32 - 1))
def test_advantages_average_to_zero_under_the_policy(mdp, seed):
    policy = np.random.default_rng(seed).dirichlet(np.ones(mdp.R.shape[1]), len(mdp.R))
    values = policy_evaluation(mdp, policy)
    mean = (policy * advantages(mdp, policy)).sum(axis=1)
    assert abs(mean).max() <= 1e-14 * (1 + abs(values).max()) / (1 - mdp.gamma)
    better = greedy_policy(
        mdp, values
    )  # improvement: no state's value falls, but for rounding
    assert (policy_evaluation(mdp, better) >= values - 1e-10).all()
    assert (advantages(mdp, policy_iteration(mdp).policy) <= 1e-10).all()


@pytest.mark.parametrize(
    "v, message",
    [
        (np.zeros((3, 1)), r"v has shape \(3, 1\); it must be \(3,\)"),
        (0.0, "v has shape"),
        ([0, np.nan, 0], "v: the value of state 1 is nan, which is not finite"),
        (np.ma.masked_array([1.0, 2, 3], mask=[0, 1, 0]), "v is a masked array"),
        ([0, 1j, 0], "v contains complex128"),
    ],
)
def test_invalid_values_are_refused(v, message):
    mdp = MDP(P, R, 0.5)
    for function in (action_values, bellman_operator, bellman_residual, greedy_policy):
        with pytest.raises(ValueError, match=message):
            function(mdp, v)


def grid(side, gamma):
    """Four noisy moves in a square, sparse; reward 1 in the last corner."""
    S = side * side
    i, j = np.divmod(np.arange(S), side)
    moves = []
    for di, dj in ((-1, 0), (0, 1), (1, 0), (0, -1)):
        target = np.clip(i + di, 0, side - 1) * side + np.clip(j + dj, 0, side - 1)
        moves.append(csr_array((np.ones(S), (np.arange(S), target)), shape=(S, S)))
    R = np.zeros((S, 4))
    R[-1] = 1
    return MDP(
        [
            0.8 * moves[a] + 0.1 * moves[a - 1] + 0.1 * moves[(a + 1) % 4]
            for a in range(4)
        ],
        R,
        gamma,
    )


@pytest.mark.parametrize("gamma", [0.0, 0.9, 0.999])
def test_the_iterative_solver_reaches_the_accuracy_of_factors(gamma, monkeypatch):
    mdp = grid(30, gamma)
    policy = np.random.default_rng(0).integers(4, size=900)
    P, _ = bellman.induced_chain(mdp, policy)
    b = np.random.default_rng(1).normal(size=900)
    exact = [factorize(P, gamma)(b, transpose) for transpose in (False, True)]
    v = policy_evaluation(mdp, policy)
    monkeypatch.setattr(bellman, "ITERATIVE_STATES", 100)
    monkeypatch.setattr(bellman, "_sparse_lu", None)  # not even as a fallback
    for transpose in (False, True):
        # residuals of 8 roundings, times the norm of the inverse (of the transposed
        # one: less than 100
        # times 1/(1 - γ), here)
        error = abs(factorize(P, gamma)(b, transpose) - exact[transpose]).max()
        assert error <= 100 * EPS / (1 - gamma) * abs(exact[transpose]).max()
    iterated = policy_evaluation(mdp, policy)
    assert abs(iterated - v).max() <= 20 * EPS / (1 - gamma) * abs(v).max()
    assert bellman_residual(mdp, iterated, policy) <= 8 * EPS * (1 + 2 * abs(v).max())


def test_without_convergence_factors_are_used_or_the_size_is_named(monkeypatch):
    mdp = grid(30, 0.999)
    policy = np.zeros(900, dtype=int)
    v = policy_evaluation(mdp, policy)
    monkeypatch.setattr(bellman, "ITERATIVE_STATES", 100)
    monkeypatch.setattr(
        bellman, "bicgstab", lambda matrix, b, **options: (np.zeros(len(b)), 1)
    )
    assert np.allclose(policy_evaluation(mdp, policy), v, rtol=1e-12, atol=0)
    monkeypatch.setattr(bellman, "LU_STATES", 500)
    with pytest.raises(
        ValueError,
        match="the equations of 900 states are solved to a residual of 1 only; use",
    ):
        policy_evaluation(mdp, policy)


def test_an_action_that_a_state_lacks_adds_nothing_to_a_random_policys_step():
    """Its probability is 0 and its reward −∞: the product must not be NaN."""
    P = np.array([[[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
    problem = MDP(P, np.array([[1.0, 2.0], [3.0, -np.inf]]), 0.5)
    policy = np.array([[0.25, 0.75], [1.0, 0.0]])
    Tv = bellman_operator(problem, np.array([4.0, 8.0]), policy)
    assert Tv.tolist() == [0.25 * (1 + 4) + 0.75 * (2 + 2), 3 + 2]
