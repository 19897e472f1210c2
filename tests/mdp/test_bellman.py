"""The model is checked at its border; a policy's value is exact to its bound, dense or sparse, deterministic or stochastic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mdp.oracle import DISCOUNTS, EPS, error, exact_evaluation, exact_values, mdps, random_mdp
from scipy.sparse import coo_array, csc_matrix, csr_array

from numpyvae.mdp.bellman import MDP, action_values, policy_evaluation, residual

P = np.full((3, 2, 3), 1 / 3)
R = np.arange(6.0).reshape(3, 2)


def sparse(mdp, kind=csr_array):
    return MDP([kind(mdp.P[:, a]) for a in range(mdp.R.shape[1])], mdp.R, mdp.gamma)


@pytest.mark.parametrize("gamma", DISCOUNTS)
@pytest.mark.parametrize("form", [lambda mdp: mdp, sparse], ids=["dense", "sparse"])
def test_evaluation_agrees_with_exact_fractions_to_the_condition_of_the_system(gamma, form):
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 5, 8):
        mdp = random_mdp(rng, n, 2, gamma)
        policy = rng.integers(2, size=n)
        # Backward stability of LU: an error of n·eps in a system whose condition is (1+γ)/(1-γ).
        assert error(policy_evaluation(form(mdp), policy), exact_evaluation(mdp, policy)) <= n * EPS * (1 + gamma) / (1 - gamma)


@given(mdps(), st.data())
def test_a_policys_value_solves_its_bellman_equation(mdp, data):
    S, A = mdp.R.shape
    policy = np.array(data.draw(st.lists(st.integers(0, A - 1), min_size=S, max_size=S)))
    v = policy_evaluation(mdp, policy)
    # A backward stable solution leaves a residual of n roundings of ‖v‖; that it is small at all is what v had to satisfy.
    assert residual(mdp, v, policy) <= 4 * S * EPS * (abs(mdp.R).max() + abs(v).max())


@given(mdps(), st.integers(0, 2**32 - 1))
def test_the_certificate_bounds_the_error_of_any_vector(mdp, seed):
    rng = np.random.default_rng(seed)
    policy = rng.integers(mdp.R.shape[1], size=len(mdp.R))
    v = policy_evaluation(mdp, policy) + rng.normal(size=len(mdp.R)) * 10.0 ** rng.integers(-6, 3)
    truth = np.array([float(x) for x in exact_evaluation(mdp, policy)])
    assert abs(v - truth).max() <= residual(mdp, v, policy) / (1 - mdp.gamma) * (1 + 1e-7) + 1e-11     # the rounding of residual itself


@given(mdps())
def test_a_constant_payment_is_worth_itself_over_one_minus_gamma(mdp):
    v = policy_evaluation(MDP(mdp.P, np.full(mdp.R.shape, 2.0), mdp.gamma), np.zeros(len(mdp.R), dtype=int))
    assert np.allclose(v, 2 / (1 - mdp.gamma), rtol=2 * len(v) * EPS / (1 - mdp.gamma), atol=0)


@given(mdps(), st.randoms(use_true_random=False))
def test_relabelling_states_permutes_values(mdp, random):
    order = list(range(len(mdp.R)))
    random.shuffle(order)
    policy = np.zeros(len(order), dtype=int)
    shuffled = MDP(mdp.P[order][:, :, order], mdp.R[order], mdp.gamma)
    # sums in another order; each side may be off by 2n·eps/(1 − γ) of the largest value: 2e-13 of 300, with n = 5, γ = 0.99
    assert np.allclose(policy_evaluation(shuffled, policy), policy_evaluation(mdp, policy)[order], rtol=1e-12, atol=1e-11)


def test_a_stochastic_policy_averages_moves_and_payments():
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 4, 3, 0.9)
    policy = np.array([[0.5, 0.25, 0.25], [0, 1, 0], [0.125, 0.875, 0], [0.5, 0, 0.5]])     # exact in binary
    average = [[sum(Fraction(policy[s, a]) * Fraction(mdp.P[s, a, t]) for a in range(3)) for t in range(4)] for s in range(4)]
    payment = [sum(Fraction(policy[s, a]) * Fraction(mdp.R[s, a]) for a in range(3)) for s in range(4)]
    exact = exact_values(average, payment, mdp.gamma)
    assert error(policy_evaluation(mdp, policy), exact) <= 4 * EPS * 19
    assert error(policy_evaluation(sparse(mdp), policy), exact) <= 4 * EPS * 19
    assert residual(mdp, policy_evaluation(mdp, policy), policy) < 1e-14


def test_certainty_is_a_stochastic_policy_too():
    mdp = random_mdp(np.random.default_rng(3), 5, 3, 0.9)
    policy = np.array([2, 0, 1, 1, 2])
    # the bound 2n·eps/(1 − γ) is 2e-14, and these two keep to half of it
    assert np.allclose(policy_evaluation(mdp, policy), policy_evaluation(mdp, np.eye(3)[policy]), rtol=1e-14, atol=0)


@pytest.mark.parametrize("kind", [csr_array, csc_matrix, coo_array])
def test_sparse_problems_of_any_format_are_the_dense_ones(kind):
    mdp = random_mdp(np.random.default_rng(4), 6, 3, 0.95)
    v = np.arange(6.0)
    # six products summed in some order: a few roundings
    assert np.allclose(action_values(sparse(mdp, kind), v), action_values(mdp, v), rtol=1e-15, atol=0)
    assert np.allclose(action_values(mdp, v), [[mdp.R[s, a] + 0.95 * mdp.P[s, a] @ v for a in range(3)] for s in range(6)],
                       rtol=1e-15, atol=0)


def test_the_model_is_a_copy_that_cannot_be_changed():
    p, r = P.copy(), R.copy()
    mdp = MDP(p, r, 0.5)
    p[:], r[:] = 0, 0
    assert mdp.P.sum() == pytest.approx(6) and mdp.R.sum() == 15
    for array in (mdp.P, mdp.R, mdp.rows):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_a_row_may_miss_one_by_its_rounding_and_no_more():
    p = P.copy()
    p[1, 1] = [1 / 3, 1 / 3, 1 / 3 + 4 * 3 * EPS * 0.9]
    MDP(p, R, 0.5)
    p[1, 1, 2] += 4 * 3 * EPS
    with pytest.raises(ValueError, match=r"P: the probabilities of state 1, action 1 sum to 1, off 1 by 4\.\de-15"):
        MDP(p, R, 0.5)


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


@pytest.mark.parametrize("p, r, gamma, complaint", [
    (changed(P, (1, 0), [0.3, 0.3, 0.3]), R, 0.5, "P: the probabilities of state 'b', action '[+]' sum to 0.9, off 1 by -0.1"),
    (changed(P, (2, 1, 0), -0.1), R, 0.5, "P: a probability of state 'c', action '-' is -0.1, which is negative"),
    (changed(P, (0, 1, 2), np.nan), R, 0.5, "P: a probability of state 'a', action '-' is nan, which is not finite"),
    (changed(P, (0, 1, 2), np.inf), R, 0.5, "P: a probability of state 'a', action '-' is inf, which is not finite"),
    (P, changed(R, (1, 1), np.nan), 0.5, "R: the payment of state 'b', action '-' is nan"),
    (P, changed(R, (2, 0), np.inf), 0.5, r"R: the payment of state 'c', action '\+' is inf"),
    (P, R, 1, "gamma is 1; a discount is a number from 0 up to, but not including, 1"),
    (P, R, -0.1, "gamma is -0.1"),
    (P, R, np.nan, "gamma is nan"),
    (P, R, 1 - Fraction(1, 10**30), "gamma is "),
    (P, R, "0.5", "gamma is 0.5"),
    (P[:2], R, 0.5, r"P has shape \(2, 2, 3\); R \(3, 2\) asks for \(3, 2, 3\)"),
    (P, R.T, 0.5, r"P has shape \(3, 2, 3\); R \(2, 3\) asks for \(2, 3, 2\)"),
    (P, R[0], 0.5, r"R has shape \(2,\)"),
    (np.zeros((0, 2, 0)), np.zeros((0, 2)), 0.5, "R has shape"),
    (P * 1j, R, 0.5, "P holds complex128"),
    ([[1, 2], [3]], R, 0.5, "P is ragged"),
    (csr_array(np.eye(3)), R, 0.5, "P is one sparse matrix"),
    ([csr_array(np.eye(3))] * 3, R, 0.5, r"asks for 2 of shape \(3, 3\)"),
    ([csr_array(np.eye(3)), csr_array(np.eye(3) * 0.9)], R, 0.5, "state 'a', action '-' sum to 0.9"),
    ([csr_array(np.eye(3)), csr_array(np.diag([1, 1, np.nan]))], R, 0.5, "state 'c', action '-' is nan"),
    ([csr_array([[2, -1, 0], [0, 1, 0], [0, 0, 1]])] * 2, R, 0.5, "state 'a', action '[+]' is -1.0"),
])
def test_what_is_no_problem_is_refused_with_its_place(p, r, gamma, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        MDP(p, r, gamma, states="abc" if len(r) == 3 else None, actions="+-" if np.shape(r)[-1] == 2 else None)
    assert "\n" not in str(caught.value)


def test_labels_are_as_many_as_what_they_label():
    with pytest.raises(ValueError, match="states: 2 labels, but R has 3 states"):
        MDP(P, R, 0.5, states="ab")
    with pytest.raises(ValueError, match="actions: 3 labels, but R has 2 actions"):
        MDP(P, R, 0.5, actions="abc")


@pytest.mark.parametrize("policy, complaint", [
    ([0, 2, 0], "policy: state 1 takes action 2; actions are numbered 0 to 1"),
    ([0, 0, -1], "policy: state 2 takes action -1"),
    ([0, 0], r"of shape \(2,\); it must be action numbers \(3,\) or probabilities \(3, 2\)"),
    ([0.0, 1.0, 0.0], "policy: float64 of shape"),
    ([[0.5, 0.5], [0.5, 0.4], [1, 0]], r"policy: in state 1, \[0.5, 0.4\] is no distribution over the 2 actions"),
    ([[0.5, 0.5], [1.5, -0.5], [1, 0]], "policy: in state 1"),
    ([[0.5, 0.5], [0.5, 0.5], [np.nan, 0]], "policy: in state 2"),
])
def test_what_is_no_policy_is_refused_with_its_place(policy, complaint):
    with pytest.raises(ValueError, match=complaint):
        policy_evaluation(MDP(P, R, 0.5), policy)
