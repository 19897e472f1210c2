"""Refined values are right to the last place at any discount, and the tolerance for ties follows from that."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mdp.oracle import DISCOUNTS, EPS, error, exact_evaluation, random_mdp
from scipy.sparse import csr_array

from numpyvae.mdp.bellman import MDP, follow, policy_evaluation
from numpyvae.mdp import optimal_actions
from numpyvae.mdp.rounding import _product, defect, refined_evaluation, tie

ordinary = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)      # no product under- or overflows


@given(ordinary, ordinary)
def test_a_product_is_kept_whole(a, b):
    high, low = _product(np.float64(a), np.float64(b))
    assert Fraction(float(high)) + Fraction(float(low)) == Fraction(a) * Fraction(b)
    assert high == a * b


@pytest.mark.parametrize("gamma", DISCOUNTS)
def test_what_a_solution_fails_by_is_computed_to_twice_the_precision(gamma):
    rng = np.random.default_rng(5)
    mdp = random_mdp(rng, 7, 2, gamma)
    P, r = follow(mdp, rng.integers(2, size=7))
    v = rng.normal(size=7) * 1e6
    exact = [Fraction(r[s]) + Fraction(gamma) * sum(Fraction(P[s, t]) * Fraction(v[t]) for t in range(7)) - Fraction(v[s]) for s in range(7)]
    for form in (P, csr_array(P)):
        # one rounding of the result, and the low parts of the products to eps² (7 terms)
        assert all(abs(Fraction(d) - x) <= Fraction(EPS) / 2 * abs(x) + 7 * Fraction(EPS) ** 2 * 10**7
                   for d, x in zip(defect(form, r, gamma, v).tolist(), exact))


@pytest.mark.parametrize("gamma", DISCOUNTS)
def test_refined_values_are_right_to_the_last_place_at_any_discount(gamma):
    rng = np.random.default_rng(6)
    for n in (1, 2, 4, 9):
        mdp = random_mdp(rng, n, 2, gamma)
        policy = rng.integers(2, size=n)
        assert error(refined_evaluation(mdp, policy), exact_evaluation(mdp, policy)) <= EPS


@pytest.mark.parametrize("payment", [0.0, 5e-324, 1e-300, 1e300, 1.7e308 * (1 - 0.9)])
def test_payments_of_any_size_are_refined_alike(payment):
    """Half of the time each, from either state: the values are ½ · payment/(1 − γ), and payment more where it is paid."""
    mdp = MDP(np.full((2, 1, 2), 0.5), np.array([[payment], [0.0]]), 0.9)
    exact = exact_evaluation(mdp, [0, 0])
    if payment > 1e-300:
        assert error(refined_evaluation(mdp, np.array([0, 0])), exact) <= EPS
    assert np.array_equal(refined_evaluation(mdp, np.array([0, 0])) > 0, [payment > 0] * 2)
    assert optimal_actions(mdp).all()


def two_ways_to_earn_one(gamma) -> MDP:
    """State 0 goes to state 1, which stays, or to a ring of three, 2 → 3 → 4 → 2; all of them pay 1. Sums 1 + γ + γ² + … both."""
    P = np.zeros((5, 2, 5))
    P[0, 0, 1] = P[0, 1, 2] = P[1, :, 1] = P[2, :, 3] = P[3, :, 4] = P[4, :, 2] = 1
    return MDP(P, np.ones((5, 2)), gamma)


@pytest.mark.parametrize("gamma", [0.3, 0.999, 1 - 1e-6, 1 - 1e-9, 1 - 1e-12])
def test_equals_are_seen_to_be_equal_whatever_the_discount(gamma):
    assert optimal_actions(two_ways_to_earn_one(gamma)).all()


@pytest.mark.parametrize("gamma", [0.3, 0.999, 1 - 1e-6, 1 - 1e-9])
def test_and_what_is_a_little_worse_is_seen_to_be_worse(gamma):
    mdp = two_ways_to_earn_one(gamma)
    R = mdp.R.copy()
    R[0, 1] -= 2 * tie(mdp, np.full(5, 1 / (1 - gamma)))
    assert optimal_actions(MDP(mdp.P, R, gamma))[0].tolist() == [True, False]


def test_unrefined_values_would_miss_the_tie():
    missed = 0
    for gamma in 1 - np.logspace(-4, -10, 25):
        mdp = two_ways_to_earn_one(gamma)
        v = policy_evaluation(mdp, np.zeros(5, dtype=int))
        missed += abs(v[1] - v[2]) > tie(mdp, v)
    assert missed > 10
