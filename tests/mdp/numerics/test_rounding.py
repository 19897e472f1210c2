"""Refined values are accurate to the last bit, and ties are told from differences, at
any discount factor.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    factorize,
    induced_chain,
    optimal_actions,
    policy_evaluation,
    policy_iteration,
    refined_policy_evaluation,
)
from numpyvae.mdp.numerics.rounding import (
    _power_above,
    _slice_bits,
    _slice_count,
    _slices,
    _two_product,
    _two_sum,
    exact_residual,
    refine,
    tie_tolerance,
)
from tests.mdp.oracle import DISCOUNTS, EPS, error, exact_evaluation, random_mdp

ordinary = st.floats(-1e100, 1e100).filter(
    lambda x: x == 0 or abs(x) > 1e-100
)  # no product under- or overflows


@given(ordinary, ordinary)
def test_a_product_is_split_without_error(a, b):
    high, low = _two_product(np.float64(a), np.float64(b))
    assert Fraction(float(high)) + Fraction(float(low)) == Fraction(a) * Fraction(b)
    assert high == a * b


@pytest.mark.parametrize("gamma", DISCOUNTS)
def test_the_residual_is_computed_to_twice_the_precision(gamma):
    rng = np.random.default_rng(5)
    mdp = random_mdp(rng, 7, 2, gamma)
    P, r = induced_chain(mdp, rng.integers(2, size=7))
    v = rng.normal(size=7) * 1e6
    exact = []
    for s in range(7):
        mean = sum(Fraction(P[s, t]) * Fraction(v[t]) for t in range(7))
        exact.append(Fraction(r[s]) + Fraction(gamma) * mean - Fraction(v[s]))
    for form in (P, csr_array(P)):
        # one rounding of the result, and the low parts of the products to eps² (7
        # terms)
        assert all(
            abs(Fraction(d) - x)
            <= Fraction(EPS) / 2 * abs(x) + 7 * Fraction(EPS) ** 2 * 10**7
            for d, x in zip(
                exact_residual(form, r, gamma, v).tolist(), exact, strict=True
            )
        )


@pytest.mark.parametrize("gamma", DISCOUNTS)
def test_refined_values_are_accurate_to_the_last_bit(gamma):
    rng = np.random.default_rng(6)
    for n in (1, 2, 4, 9):
        mdp = random_mdp(rng, n, 2, gamma)
        policy = rng.integers(2, size=n)
        assert (
            error(refined_policy_evaluation(mdp, policy), exact_evaluation(mdp, policy))
            <= EPS
        )


@pytest.mark.parametrize("reward", [0.0, 5e-324, 1e-300, 1e300, 4e307 * (1 - 0.9)])
def test_rewards_of_any_size_are_refined_alike(reward):
    """Either state half of the time: the values are ½·γ·reward/(1 − γ), and the reward
    more in state 0.
    """
    mdp = MDP(np.full((2, 1, 2), 0.5), np.array([[reward], [0.0]]), 0.9)
    exact = exact_evaluation(mdp, [0, 0])
    if reward > 1e-300:
        assert error(refined_policy_evaluation(mdp, np.array([0, 0])), exact) <= EPS
    assert np.array_equal(
        refined_policy_evaluation(mdp, np.array([0, 0])) > 0, [reward > 0] * 2
    )
    assert optimal_actions(mdp).all()


def two_ways_to_earn_one(gamma) -> MDP:
    """State 0 leads to state 1, which stays, or to the cycle 2 → 3 → 4 → 2. Every
    reward is 1, every value H.
    """
    P = np.zeros((5, 2, 5))
    P[0, 0, 1] = P[0, 1, 2] = P[1, :, 1] = P[2, :, 3] = P[3, :, 4] = P[4, :, 2] = 1
    return MDP(P, np.ones((5, 2)), gamma)


@pytest.mark.parametrize("gamma", [0.3, 0.999, 1 - 1e-6, 1 - 1e-9, 1 - 1e-12])
def test_ties_are_detected_at_any_discount(gamma):
    assert optimal_actions(two_ways_to_earn_one(gamma)).all()


@pytest.mark.parametrize("gamma", [0.3, 0.999, 1 - 1e-6, 1 - 1e-9])
def test_slightly_worse_actions_do_not_tie(gamma):
    mdp = two_ways_to_earn_one(gamma)
    R = mdp.R.copy()
    R[0, 1] -= (
        3 * tie_tolerance(mdp, np.full(5, 1 / (1 - gamma)))[0, 1]
    )  # two errors tie, one more does not
    assert optimal_actions(MDP(mdp.P, R, gamma))[0].tolist() == [True, False]


def test_unrefined_values_would_miss_ties():
    missed = 0
    for gamma in 1 - np.logspace(-4, -10, 25):
        mdp = two_ways_to_earn_one(gamma)
        v = policy_evaluation(mdp, np.zeros(5, dtype=int))
        missed += abs(v[1] - v[2]) > 2 * tie_tolerance(mdp, v)[0, 0]
    assert missed > 10


@given(ordinary, ordinary)
def test_a_sum_is_split_without_error(a, b):
    high, low = _two_sum(np.float64(a), np.float64(b))
    assert (
        Fraction(float(high)) + Fraction(float(low)) == Fraction(a) + Fraction(b)
        and high == a + b
    )


@pytest.mark.parametrize("gamma", DISCOUNTS)
def test_the_refined_error_bound_holds_in_each_state(gamma):
    rng = np.random.default_rng(7)
    for n in (1, 3, 6):
        mdp = random_mdp(rng, n, 2, gamma)
        scale = 10.0 ** rng.integers(-8, 8, size=(n, 1))  # values of different sizes
        mdp = MDP(mdp.P, mdp.R * scale, gamma)
        policy = rng.integers(2, size=n)
        P, r = induced_chain(mdp, policy)
        v, bound = refine(
            P,
            r,
            gamma,
            factorize(P, gamma),
            1 / (1 - gamma),
            policy_evaluation(mdp, policy),
        )
        exact = exact_evaluation(mdp, policy)
        assert all(
            abs(Fraction(a) - b) <= Fraction(c)
            for a, b, c in zip(v.tolist(), exact, bound.tolist(), strict=True)
        )
        # half of u from v itself, half from its last correction
        assert bound.max() <= 1.1 * EPS * abs(v).max()


@pytest.mark.parametrize("penalty", [-1e9, -1e12, -1e15])
def test_a_large_penalty_elsewhere_makes_no_ties(penalty):
    """300 states; in each, an action that is 1e-6 worse, and one that no optimal policy
    takes.
    """
    rng = np.random.default_rng(0)
    n = 300
    P = np.repeat(rng.dirichlet(np.ones(n), n)[:, None], 3, axis=1)
    R = np.column_stack([np.ones(n), np.ones(n) - 1e-6, np.full(n, penalty)])
    best = rng.integers(2, size=n)
    R[best == 1, :2] = R[best == 1, 1::-1]
    mdp = MDP(P, R, 0.9)
    assert (optimal_actions(mdp) == (np.arange(3) == best[:, None])).all()
    assert (policy_iteration(mdp, np.zeros(n, int)).policy == best).all()
    assert (policy_iteration(mdp, np.full(n, 2)).policy == best).all()


def test_a_penalty_that_cannot_be_avoided_makes_no_ties_elsewhere():
    """State 2 costs 1e12 forever; states 0 and 1, which never lead there, have actions
    1e-6 apart.
    """
    P = np.zeros((3, 2, 3))
    P[0, :, 1] = P[1, :, 0] = P[2, :, 2] = 1
    mdp = MDP(P, [[1, 1 - 1e-6], [1 - 1e-6, 1], [-1e12, -1e12]], 0.99)
    assert optimal_actions(mdp).tolist() == [[True, False], [False, True], [True, True]]


@pytest.mark.parametrize("longest", [1, 3, 1000, 10**6])
def test_products_of_slices_are_exact_and_slices_add_up(longest):
    rng, bits = np.random.default_rng(8), _slice_bits(longest)
    for x in (
        rng.random(50) ** 9,
        rng.normal(size=50) * 1e9,
        np.full(50, 0.1),
        np.ones(50),
        np.zeros(50),
    ):
        power = _power_above(x)
        parts = list(_slices(x, power, bits, 4))
        assert power > abs(x).max() or not x.any()
        assert all(
            sum(Fraction(part[k]) for part in parts) == Fraction(x[k])
            for k in range(50)
        )
        for k, part in enumerate(parts[:-1], 1):
            units = part / (
                power * 2.0 ** (-k * bits)
            )  # integers, and `longest` of their products
            assert (units == np.rint(units)).all() and longest * abs(
                units
            ).max() ** 2 <= 2**53  # have an exact sum


@pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("gamma", [0.5, 0.99, 1 - 1e-6, 1 - 1e-12])
def test_the_error_of_the_residual_is_within_its_bound(gamma, form):
    rng, n = np.random.default_rng(9), 40
    P = rng.dirichlet(np.full(n, 0.1), n)
    r, v = rng.normal(size=n), rng.normal(size=n) / (1 - gamma)
    exact = [
        Fraction(r[s])
        - Fraction(v[s])
        + Fraction(gamma) * sum(Fraction(P[s, t]) * Fraction(v[t]) for t in range(n))
        for s in range(n)
    ]
    for H in (1, 1 / (1 - gamma), 1e18):
        slices, bound = _slice_count(form(P), n, H, r, v)
        found = exact_residual(form(P), r, gamma, v, slices).tolist()
        # EPS/2: the sum of high + low is rounded once
        assert all(
            abs(Fraction(d) - x) <= Fraction(float(bound)) + Fraction(EPS) / 2 * abs(x)
            for d, x in zip(found, exact, strict=True)
        )
        assert slices == 5 or H * bound <= EPS / 8 * abs(v).min()


def test_a_residual_takes_no_more_slices_than_it_needs():
    rng = np.random.default_rng(10)
    P, r, v = rng.dirichlet(np.ones(300), 300), rng.random(300), 1 + rng.random(300)
    counts = [_slice_count(P, 300, H, r, v)[0] for H in (1, 1e2, 1e6, 1e12)]
    assert counts == sorted(counts) and counts[:2] == [2, 2] and counts[-1] > 3
    v[0] = 1e-9  # the smallest value, too, is refined to the last bit
    assert _slice_count(P, 300, 1e2, r, v)[0] > 2


@pytest.mark.parametrize("form", [np.asarray, csr_array], ids=["dense", "sparse"])
def test_blocks_of_rows_have_the_residual_of_all(form, monkeypatch):
    rng = np.random.default_rng(11)
    P, r, v = rng.dirichlet(np.ones(30), 30), rng.normal(size=30), rng.normal(size=30)
    whole = exact_residual(form(P), r, 0.9, v)
    monkeypatch.setattr(
        "numpyvae.mdp.numerics.rounding.BLOCK", 100
    )  # three rows per block
    assert np.array_equal(exact_residual(form(P), r, 0.9, v), whole)


@given(st.integers(0, 2**32 - 1))
def test_the_tolerance_of_some_rows_is_that_of_all(seed):
    rng = np.random.default_rng(seed)
    mdp, v, error = random_mdp(rng, 6, 3, 0.9), rng.normal(size=6), rng.random(6)
    rows = rng.integers(18, size=5)
    # the sum of six terms in another order: a few roundings
    assert np.allclose(
        tie_tolerance(mdp, v, error, rows),
        tie_tolerance(mdp, v, error).ravel()[rows],
        rtol=1e-14,
    )
