"""Switches are found exactly, touching is not crossing, and the last policy is the patient one."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.mdp.oracle import mdps, random_mdp, stream_problem
from scipy.sparse import csr_array

from numpyvae.mdp.solvers import chain
from numpyvae.mdp import MDP, blackwell_policy, discount_switches, optimal_actions


def test_the_chain_switches_once_at_half_of_root_three_less_one():
    switches = discount_switches(chain(0.5).P, chain(0.5).R)
    assert len(switches) == 1 and abs(switches[0] - (sqrt(3) - 1) / 2) <= 1e-15     # its root at 1 is outside


def test_putermans_two_states_switch_at_ten_elevenths():
    P, R = [[[0.5, 0.5], [0, 1]], [[0, 1], [0, 1]]], [[5, 10], [-1, -1]]
    assert discount_switches(P, R) == [10 / 11]
    assert blackwell_policy(P, R)[0] == 0


@pytest.mark.parametrize("payments, switches", [
    ((-1 / 4, 1, -1), []),                              # -(γ - 1/2)²: touches from below
    ((1 / 4, -1, 1), []),                               # +(γ - 1/2)²: touches from above
    ((-1 / 8, 3 / 4, -3 / 2, 1), [1 / 2]),              # (γ - 1/2)³: a triple root crosses
    ((-3 / 16, 1, -1), [1 / 4, 3 / 4]),                 # there, and back
    ((-1 / 2, 1), [1 / 2]),
    ((0, 1), []),                                       # γ: the root at 0 is outside
    ((-1, 1), []),                                      # γ - 1: and so is the one at 1
    ((0, 0, 0), []),                                    # equal everywhere
    ((1,), []),                                         # better everywhere
    ((-(2**-22 + 2**-42), 2**-10 + 2**-31, -1 / 2 + 2**-12), None),
    ((-1 / 4 * (1 / 4 + 2**-20), 1 / 2 + 2**-20, -1), [1 / 4, 1 / 4 + 2**-20]),         # two switches a millionth apart
    ((-1 / 10, 1 / 5), [1 / 2]),                        # read as the tenths that the floats stand for
    ((-1 / 10, 1 / 5 + 1 / 10, -1 / 5), [1 / 2]),       # -(γ - 1/2)(γ - 1)/5, whose sum rounds to 0.30000000000000004
])
def test_a_stream_of_payments_switches_where_its_polynomial_changes_sign(payments, switches):
    if switches is None:                                # whatever the roots: by numpy's, which are simple here
        roots = np.roots(payments[::-1])
        switches = sorted(root.real for root in roots if root.imag == 0 and 0 < root.real < 1)
    assert np.allclose(discount_switches(*stream_problem(*payments)), switches, rtol=0, atol=1e-12)
    assert len(discount_switches(*stream_problem(*payments))) == len(switches)


def test_where_two_policies_touch_they_tie_for_that_instant():
    P, R = stream_problem(-1 / 4, 1, -1)
    sets = [optimal_actions(MDP(P, R, gamma))[0].tolist() for gamma in (0.49, 0.5, 0.51)]
    assert sets == [[True, False], [True, True], [True, False]]


def test_a_doubled_action_is_no_switch():
    mdp = chain(0.5)
    P, R = mdp.P[:, [0, 1, 1, 0]], mdp.R[:, [0, 1, 1, 0]]
    assert discount_switches(P, R) == discount_switches(mdp.P, mdp.R)


def check_against_the_sets_on_a_grid(P, R):
    """Between neighbouring switches the set of optimal actions is one and the same; across a switch it differs."""
    switches = discount_switches(P, R)
    edges = np.array([0.0, *switches, 1.0])
    assert (np.diff(edges) > 0).all()
    sets = []
    for low, high in zip(edges, edges[1:]):
        inside = [optimal_actions(MDP(P, R, low + (high - low) * t)) for t in (0.03, 0.1234, 0.377, 0.6181, 0.871, 0.971)]
        assert all((one == inside[0]).all() for one in inside)
        sets.append(inside[0])
    assert all((one != two).any() for one, two in zip(sets, sets[1:]))
    last = blackwell_policy(P, R)
    assert sets[-1][np.arange(len(last)), last].all()


@settings(max_examples=40)
@given(mdps(max_states=4))
def test_the_optimal_set_is_constant_between_switches_and_differs_across_them(mdp):
    check_against_the_sets_on_a_grid(mdp.P, mdp.R)


def test_and_so_it_is_for_problems_of_real_numbers():
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(25):
        mdp = random_mdp(rng, 4, 2, 0.5)
        check_against_the_sets_on_a_grid(mdp.P, mdp.R)
        found += len(discount_switches(mdp.P, mdp.R))
    assert found > 5


@settings(max_examples=30)
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_switches_are_the_roots_that_were_put_there(a, b, c):
    roots = np.sort([a, b, c])
    assume(np.diff(roots).min() >= 1e-3)
    found = discount_switches(*stream_problem(*np.poly(roots)[::-1]))
    # The payments are rounded to 1e-16, and roots a thousandth apart magnify that by up to a million: 1e-3² in the derivative.
    assert len(found) == 3 and np.allclose(found, roots, rtol=0, atol=1e-9)


def test_sparse_problems_have_the_switches_of_dense_ones():
    mdp = chain(0.5)
    P = [csr_array(mdp.P[:, a]) for a in range(2)]
    assert discount_switches(P, mdp.R) == discount_switches(mdp.P, mdp.R)
    assert blackwell_policy(P, mdp.R).tolist() == [0, 1, 1, 1]


def test_too_many_policies_are_refused():
    with pytest.raises(ValueError, match=r"2 actions in 17 states make 2\^17 policies"):
        discount_switches(np.full((17, 2, 17), 1 / 17), np.zeros((17, 2)))


def test_what_is_no_problem_is_refused_here_too():
    with pytest.raises(ValueError, match="state 0, action 0 sum to 0.9"):
        discount_switches([[[0.9]]], [[1]])


def test_payments_that_differ_by_rounding_alone_do_not_switch():
    P = np.zeros((4, 2, 4))
    P[0, 0, 1] = P[0, 1, 2] = P[1:, :, 3] = 1
    up, down = np.nextafter(0.3, 1), np.nextafter(np.nextafter(0.3, 0), 0)
    R = np.array([[0.3, up], [0.3, 0.3], [down, down], [0, 0]])     # read to the last bit: δ(1 - 2γ), which changes sign at 1/2
    assert discount_switches(P, R) == []
    assert optimal_actions(MDP(P, R, 0.9))[0].all()
