"""Critical discount factors are exact, touching roots are not among them, and the last
policy is Blackwell-optimal.
"""

import itertools
from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    blackwell_policy,
    critical_discounts,
    four_state_chain,
    optimal_actions,
)
from numpyvae.mdp.discount import _to_fraction
from tests.mdp.oracle import mdps, random_mdp, stream_problem


def test_the_chain_has_one_critical_discount_half_of_root_3_minus_1():
    critical = critical_discounts(four_state_chain(0.5).P, four_state_chain(0.5).R)
    assert (
        len(critical) == 1 and abs(critical[0] - (sqrt(3) - 1) / 2) <= 1e-15
    )  # its root at 1 is outside


def test_putermans_two_states_have_the_critical_discount_10_11():
    P, R = [[[0.5, 0.5], [0, 1]], [[0, 1], [0, 1]]], [[5, 10], [-1, -1]]
    assert critical_discounts(P, R) == [10 / 11]
    assert blackwell_policy(P, R)[0] == 0


@pytest.mark.parametrize(
    "rewards, critical",
    [
        ((-1 / 4, 1, -1), []),  # -(γ - 1/2)²: touches from below
        ((1 / 4, -1, 1), []),  # +(γ - 1/2)²: touches from above
        ((-1 / 8, 3 / 4, -3 / 2, 1), [1 / 2]),  # (γ - 1/2)³: a triple root crosses
        ((-3 / 16, 1, -1), [1 / 4, 3 / 4]),  # there, and back
        ((-1 / 2, 1), [1 / 2]),
        ((0, 1), []),  # γ: the root at 0 is outside
        ((-1, 1), []),  # γ - 1: and so is the one at 1
        ((0, 0, 0), []),  # equal everywhere
        ((1,), []),  # better everywhere
        ((-(2**-22 + 2**-42), 2**-10 + 2**-31, -1 / 2 + 2**-12), None),
        (
            (-1 / 4 * (1 / 4 + 2**-20), 1 / 2 + 2**-20, -1),
            [1 / 4, 1 / 4 + 2**-20],
        ),  # two critical a millionth apart
        ((-1 / 10, 1 / 5), [1 / 2]),  # read as the tenths that the floats stand for
        (
            (-1 / 10, 1 / 5 + 1 / 10, -1 / 5),
            [1 / 2],
        ),  # -(γ - 1/2)(γ - 1)/5, whose sum rounds to 0.30000000000000004
    ],
)
def test_critical_discounts_are_sign_changes_of_the_polynomial(rewards, critical):
    if critical is None:  # whatever the roots: by numpy's, which are simple here
        roots = np.roots(rewards[::-1])
        critical = sorted(
            root.real for root in roots if root.imag == 0 and 0 < root.real < 1
        )
    assert np.allclose(
        critical_discounts(*stream_problem(*rewards)), critical, rtol=0, atol=1e-12
    )
    assert len(critical_discounts(*stream_problem(*rewards))) == len(critical)


def test_policies_that_touch_tie_at_that_point_only():
    P, R = stream_problem(-1 / 4, 1, -1)
    sets = [
        optimal_actions(MDP(P, R, gamma))[0].tolist() for gamma in (0.49, 0.5, 0.51)
    ]
    assert sets == [[True, False], [True, True], [True, False]]


def test_a_duplicated_action_adds_no_critical_discount():
    mdp = four_state_chain(0.5)
    P, R = mdp.P[:, [0, 1, 1, 0]], mdp.R[:, [0, 1, 1, 0]]
    assert critical_discounts(P, R) == critical_discounts(mdp.P, mdp.R)


def check_against_the_sets_on_a_grid(P, R):
    """Between neighbouring critical the set of optimal actions is one and the same;
    across a switch it differs.
    """
    critical = critical_discounts(P, R)
    edges = np.array([0.0, *critical, 1.0])
    assert (np.diff(edges) > 0).all()
    sets = []
    for low, high in itertools.pairwise(edges):
        inside = [
            optimal_actions(MDP(P, R, low + (high - low) * t))
            for t in (0.03, 0.1234, 0.377, 0.6181, 0.871, 0.971)
        ]
        assert all((one == inside[0]).all() for one in inside)
        sets.append(inside[0])
    assert all((one != two).any() for one, two in itertools.pairwise(sets))
    last = blackwell_policy(P, R)
    assert sets[-1][np.arange(len(last)), last].all()


@settings(max_examples=40)
@given(mdps(max_states=4))
def test_the_optimal_set_changes_at_critical_discounts_only(mdp):
    check_against_the_sets_on_a_grid(mdp.P, mdp.R)


def test_the_optimal_set_changes_there_only_for_real_numbers():
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(25):
        mdp = random_mdp(rng, 4, 2, 0.5)
        check_against_the_sets_on_a_grid(mdp.P, mdp.R)
        found += len(critical_discounts(mdp.P, mdp.R))
    assert found > 5


@settings(max_examples=30)
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_critical_discounts_are_the_roots_of_the_construction(a, b, c):
    roots = np.sort([a, b, c])
    assume(np.diff(roots).min() >= 1e-3)
    found = critical_discounts(*stream_problem(*np.poly(roots)[::-1]))
    # The rewards are rounded to 1e-16, and roots a thousandth apart magnify that by up
    # to a million: 1e-3² in the
    # derivative.
    assert len(found) == 3 and np.allclose(found, roots, rtol=0, atol=1e-9)


def test_sparse_problems_have_the_critical_discounts_of_dense_ones():
    mdp = four_state_chain(0.5)
    P = [csr_array(mdp.P[:, a]) for a in range(2)]
    assert critical_discounts(P, mdp.R) == critical_discounts(mdp.P, mdp.R)
    assert blackwell_policy(P, mdp.R).tolist() == [0, 1, 1, 1]


def test_too_many_policies_are_refused():
    with pytest.raises(ValueError, match=r"2 actions in 17 states make 2\^17 policies"):
        critical_discounts(np.full((17, 2, 17), 1 / 17), np.zeros((17, 2)))


def test_an_invalid_problem_is_refused_here_as_well():
    with pytest.raises(ValueError, match=r"state 0, action 0 sum to 0\.9"):
        critical_discounts([[[0.9]]], [[1]])


def test_rewards_that_differ_by_rounding_have_no_critical_discount():
    P = np.zeros((4, 2, 4))
    P[0, 0, 1] = P[0, 1, 2] = P[1:, :, 3] = 1
    up, down = np.nextafter(0.3, 1), np.nextafter(np.nextafter(0.3, 0), 0)
    # read to the last bit: δ(1 - 2γ), which changes sign at 1/2
    R = np.array([[0.3, up], [0.3, 0.3], [down, down], [0, 0]])
    assert critical_discounts(P, R) == []
    assert optimal_actions(MDP(P, R, 0.9))[0].all()


def test_an_mdp_is_accepted_with_its_missing_actions_and_endings():
    """Leave with reward 1 now, or wait one step for 3: 3γ > 1 above 1/3. In state 0
    "steal" is not available.
    """
    mdp = MDP.from_transitions(
        {
            0: {"leave": [(1, 9, 1, True)], "wait": [(1, 1, 0, False)]},
            1: {"wait": [(1, 9, 3, True)], "steal": [(1, 9, 2, True)]},
        },
        0.5,
    )
    assert critical_discounts(mdp) == [1 / 3] and blackwell_policy(mdp).tolist() == [
        1,
        1,
    ]
    assert critical_discounts(mdp.with_discount(1.0)) == [1 / 3]


def test_endings_have_the_critical_discount_of_an_absorbing_state():
    P, R = (
        np.array([[[0.5, 0.5], [0, 1]], [[0, 1], [0, 1]]]),
        np.array([[2.0, 3], [0, 0]]),
    )  # v₀ = 2/(1 − γ/2) or 3
    absorbing, ending = MDP(P, R, 0.5), MDP(P[:1, :, :1], R[:1], 0.5, end=P[:1, :, 1])
    assert critical_discounts(ending) == critical_discounts(absorbing) == [2 / 3]


def test_a_missing_action_is_not_a_free_way_out_of_costs():
    """Pay 1 now, or 3 one step later: 3γ > 1 above 1/3. In state 0 "steal" is not
    available; as an action it costs 0.
    """
    mdp = MDP.from_transitions(
        {
            0: {"pay": [(1, 9, -1, True)], "wait": [(1, 1, 0, False)]},
            1: {"wait": [(1, 9, -3, True)], "steal": [(1, 9, -4, True)]},
        },
        0.5,
    )
    assert critical_discounts(mdp) == [1 / 3] and blackwell_policy(mdp).tolist() == [
        0,
        1,
    ]


@pytest.mark.parametrize("denominator", [3, 7, 999_983])
def test_a_number_that_was_meant_as_a_fraction_is_read_as_one(denominator):
    assert _to_fraction(1 / denominator) == Fraction(1, denominator)
    assert _to_fraction(2 / denominator) == Fraction(2, denominator)


def test_any_other_number_is_read_exactly():
    for x in (1 / 1_000_003, np.pi, 2.0**-60, 1e300, 1 / 3 + 1e-15):
        assert _to_fraction(x) == Fraction(x)
    assert _to_fraction(0.0) == 0
