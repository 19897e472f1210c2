"""Three solvers find the one optimal value, all optimal policies are found, and experience agrees."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mdp.oracle import EPS, error, exact_evaluation, mdps, random_mdp
from scipy.sparse import csr_array

from numpyvae.mdp.solvers import chain
from numpyvae.mdp import (MDP, action_values, enumerate_policies, greedy_policy, modified_policy_iteration, optimal_actions,
                          optimal_policies, policy_evaluation, policy_iteration, residual, simulate, value_iteration)


def optimal_operator(mdp, v):
    return action_values(mdp, v).max(axis=1)


vectors = st.lists(st.integers(-50, 50), min_size=5, max_size=5).map(np.array)


@given(mdps(), vectors, vectors)
def test_the_optimal_operator_is_a_contraction(mdp, u, v):
    u, v = u[:len(mdp.R)], v[:len(mdp.R)]
    assert abs(optimal_operator(mdp, u) - optimal_operator(mdp, v)).max() <= mdp.gamma * abs(u - v).max() + 1e-12     # rounding, values to 100


@given(mdps(), vectors, vectors)
def test_the_optimal_operator_is_monotone(mdp, u, v):
    low, high = np.minimum(u, v)[:len(mdp.R)], np.maximum(u, v)[:len(mdp.R)]
    assert (optimal_operator(mdp, low) <= optimal_operator(mdp, high) + 1e-12).all()


@given(mdps())
def test_the_optimal_value_is_its_own_fixed_point(mdp):
    solution = policy_iteration(mdp)
    assert residual(mdp, solution.values) <= 4 * len(mdp.R) * EPS * (3 + abs(solution.values).max())
    assert residual(mdp, solution.values) / (1 - mdp.gamma) <= solution.bound


@given(mdps(max_states=4))
def test_no_policy_beats_the_optimal_value_and_the_best_of_all_attains_it_everywhere(mdp):
    values = np.array([policy_evaluation(mdp, policy) for policy in enumerate_policies(mdp)])
    assert np.allclose(policy_iteration(mdp).values, values.max(axis=0), rtol=0, atol=1e-10)     # values to 300, condition 200


@given(mdps())
def test_all_three_solvers_agree_within_the_bounds_they_state(mdp):
    exact = [float(x) for x in exact_evaluation(mdp, policy_iteration(mdp).policy)]
    for solution in (policy_iteration(mdp), value_iteration(mdp, 1e-7), modified_policy_iteration(mdp, 1e-7)):
        assert abs(solution.values - exact).max() <= solution.bound <= 1e-7
        assert np.allclose(policy_evaluation(mdp, solution.policy), exact, rtol=0, atol=1e-5)     # within 2γ·1e-7/(1-γ)


@given(mdps(max_states=4))
def test_optimal_policies_are_those_whose_exact_values_are_best(mdp):
    values = {tuple(policy): exact_evaluation(mdp, policy) for policy in enumerate_policies(mdp)}
    best = [float(max(v[s] for v in values.values())) for s in range(len(mdp.R))]
    # Thirds are rounded in P, so exact arithmetic on the floats breaks ties by about eps·‖v‖/(1-γ) = 1e-11: far below any real difference.
    attain = {policy for policy, v in values.items() if np.allclose([float(x) for x in v], best, rtol=0, atol=1e-10)}
    assert {tuple(policy) for policy in optimal_policies(mdp)} == attain


@given(mdps(), st.randoms(use_true_random=False))
def test_policy_iteration_stops_from_any_start_and_keeps_an_optimal_one(mdp, random):
    start = np.array([random.randrange(mdp.R.shape[1]) for _ in mdp.R])
    solution = policy_iteration(mdp, start)
    assert np.allclose(solution.values, policy_iteration(mdp).values, rtol=0, atol=1e-10)
    again = policy_iteration(mdp, solution.policy)
    assert again.steps == 1 and (again.policy == solution.policy).all()


def test_where_every_action_ties_the_current_one_is_kept():
    mdp = random_mdp(np.random.default_rng(0), 6, 4, 0.95)
    mdp = MDP(mdp.P, np.full((6, 4), 0.1), 0.95)
    start = np.array([3, 1, 2, 0, 1, 3])
    solution = policy_iteration(mdp, start)
    assert (solution.policy == start).all() and solution.steps == 1 and optimal_actions(mdp).all()


# A grid world full of ties: four sure moves, walls, -1 a step until the last corner, where all is over.

def quiet_grid(side, gamma, sparse):
    S = side * side
    i, j = np.divmod(np.arange(S), side)
    P = np.zeros((S, 4, S))
    for a, (di, dj) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
        P[np.arange(S), a, np.clip(i + di, 0, side - 1) * side + np.clip(j + dj, 0, side - 1)] = 1
    P[-1] = np.eye(S)[-1]
    R = np.full((S, 4), -1.0)
    R[-1] = 0
    return MDP([csr_array(P[:, a]) for a in range(4)] if sparse else P, R, gamma)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99, 1 - 1e-6, 1 - 1e-9])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_in_a_grid_full_of_ties_policy_iteration_stops_and_every_shortest_path_is_found(gamma, sparse):
    mdp = quiet_grid(9, gamma, sparse)
    i, j = np.divmod(np.arange(81), 9)
    nearer = np.stack([np.zeros(81, bool), j < 8, i < 8, np.zeros(81, bool)], axis=1)     # right and down approach the corner
    nearer[-1] = True                                                                     # where nothing matters any more
    solution = policy_iteration(mdp)
    distance = 16 - i - j
    assert solution.steps <= 20
    # -Σ γᵏ over the way there; relative to the largest, n·eps/(1-γ) is what LU may lose
    truth = np.expm1(distance * np.log(gamma)) / (1 - gamma)
    assert np.allclose(solution.values, truth, rtol=0, atol=16 * 81 * EPS / (1 - gamma))
    assert (optimal_actions(mdp) == nearer).all()


# Puterman (1994), section 3.1: two states; in the first, a₁ pays 5 and moves on half the time, a₂ pays 10 and moves on; the second
# costs 1 a step for ever. a₁ is better above 10/11 and a₂ below.

def puterman(gamma):
    return MDP([[[0.5, 0.5], [0, 1]], [[0, 1], [0, 1]]], [[5, 10], [-1, -1]], gamma)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.9, 0.91, 0.95, 0.999])
def test_putermans_two_states_have_the_values_he_derives(gamma):
    first = (5 - 5.5 * gamma) / ((1 - 0.5 * gamma) * (1 - gamma)), (10 - 11 * gamma) / (1 - gamma)
    solution = policy_iteration(puterman(gamma))
    assert solution.policy[0] == int(first[1] > first[0])
    assert np.allclose(solution.values, [max(first), -1 / (1 - gamma)], rtol=1e-12, atol=0)
    assert optimal_actions(puterman(gamma)).tolist() == [[first[0] > first[1], first[1] > first[0]], [True, True]]


def test_at_ten_elevenths_putermans_actions_tie():
    assert optimal_actions(puterman(10 / 11)).all()


def test_value_iteration_waits_for_the_value_not_for_the_policy():
    mdp = MDP(np.ones((1, 1, 1)), [[1.0]], 0.99)        # T v - v has no span at all, from the first sweep: v = 1, and the value is 100
    solution = value_iteration(mdp, 1e-8)
    assert abs(solution.values[0] - 100) <= 1e-8
    assert solution.steps == 2292                       # the first k with 0.99ᵏ·100 ≤ 1e-8


def test_a_tolerance_beyond_float64_is_refused_not_pretended():
    for solve in (value_iteration, modified_policy_iteration):
        with pytest.raises(ValueError, match="float64 cannot certify values to 1e-14 at gamma = 0.99: rounding alone may cost"):
            solve(chain(0.99), 1e-14)
    with pytest.raises(ValueError, match=r"value iteration is within .* of the optimal values, not 1e-08, after 100 sweeps"):
        value_iteration(chain(0.99), 1e-8, max_sweeps=100)
    with pytest.raises(ValueError, match=r"modified policy iteration is within .* not 1e-08, after 2 rounds"):
        modified_policy_iteration(chain(0.99), 1e-8, max_rounds=2)


def test_a_good_start_saves_value_iteration_its_sweeps():
    mdp = chain(0.99)
    assert value_iteration(mdp, 1e-8, v=policy_iteration(mdp).values).steps == 1


def test_modified_policy_iteration_takes_far_fewer_sweeps_of_all_actions():
    mdp = random_mdp(np.random.default_rng(1), 40, 5, 0.99)
    assert modified_policy_iteration(mdp, 1e-8).steps < 20 < 1000 < value_iteration(mdp, 1e-8).steps


def test_sparse_and_dense_problems_have_the_same_solution():
    dense = random_mdp(np.random.default_rng(2), 30, 3, 0.97)
    sparse = MDP([csr_array(dense.P[:, a]) for a in range(3)], dense.R, 0.97)
    for solve in (policy_iteration, value_iteration, modified_policy_iteration):
        assert np.allclose(solve(sparse).values, solve(dense).values, rtol=0, atol=2e-8)
        assert (solve(sparse).policy == solve(dense).policy).all()
    assert (optimal_actions(sparse) == optimal_actions(dense)).all()


def test_another_discount_is_another_problem_with_the_same_moves():
    mdp = chain(0.5).discounted(0.9)
    assert mdp.gamma == 0.9 and mdp.states == (-1, 0, 1, 2) and (mdp.P == chain(0.1).P).all() and (mdp.R == chain(0.1).R).all()


def test_the_greedy_policy_of_nothing_takes_the_best_payment_and_the_first_of_equals():
    assert greedy_policy(chain(0.9), np.zeros(4)).tolist() == [0, 0, 0, 1]


def test_every_policy_is_enumerated_once_and_too_many_are_refused():
    policies = [tuple(policy) for policy in enumerate_policies(chain(0.5))]
    assert len(policies) == len(set(policies)) == 16 and set(sum(policies, ())) == {0, 1}
    with pytest.raises(ValueError, match=r"4 actions in 81 states make 4\^81 policies, more than 100000; use policy_iteration"):
        enumerate_policies(quiet_grid(9, 0.9, False))
    with pytest.raises(ValueError, match="more than 15"):
        enumerate_policies(chain(0.5), limit=15)


def test_policy_iteration_starts_from_actions_not_from_probabilities():
    with pytest.raises(ValueError, match="not from probabilities"):
        policy_iteration(chain(0.5), np.full((4, 2), 0.5))


# Experience.

def test_a_sure_path_is_the_path():
    mdp = chain(0.5)
    path = simulate(mdp, np.array([0, 1, 1, 1]), start=0, steps=5, rng=np.random.default_rng(0))
    assert path.states.tolist() == [0, 1, 2, 3, 1, 2] and path.actions.tolist() == [0, 1, 1, 1, 1]
    assert path.rewards.tolist() == [1, 0, 0, 3, 0] and path.value == 1 + 3 / 8
    assert simulate(mdp, np.array([0, 1, 1, 1]), start=0, steps=0, rng=np.random.default_rng(0)).value == 0


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_the_mean_return_is_the_value(sparse):
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 4, 2, 0.7)
    policy = np.array([[0.5, 0.5], [1, 0], [0.25, 0.75], [0, 1]])
    v = policy_evaluation(mdp, policy)
    if sparse:
        mdp = MDP([csr_array(mdp.P[:, a]) for a in range(2)], mdp.R, 0.7)
    returns = np.array([simulate(mdp, policy, 2, 30, rng).value for _ in range(400)])
    cut = 0.7**30 * abs(mdp.R).max() / 0.3
    assert abs(returns.mean() - v[2]) <= 4 * returns.std(ddof=1) / 20 + cut     # four standard errors, and the steps not walked
    assert returns.std(ddof=1) < 3


def test_a_start_outside_the_states_is_refused():
    with pytest.raises(ValueError, match="start is 4; states are numbered 0 to 3"):
        simulate(chain(0.5), np.zeros(4, dtype=int), 4, 10, np.random.default_rng(0))


def test_the_returned_values_are_right_to_the_bound_of_a_linear_solve():
    solution = policy_iteration(chain(0.99))
    assert error(solution.values, exact_evaluation(chain(0.99), solution.policy)) <= 4 * EPS * 199


@settings(max_examples=50)
@given(mdps())
def test_an_optimal_action_is_kept_whichever_of_equals_it_is(mdp):
    mdp = MDP(np.concatenate([mdp.P, mdp.P], axis=1), np.concatenate([mdp.R, mdp.R], axis=1), mdp.gamma)    # every action twice
    solution = policy_iteration(mdp)
    ties = optimal_actions(mdp)
    other = np.array([np.flatnonzero(row)[-1] for row in ties])
    assert (policy_iteration(mdp, other).policy == other).all()
    assert np.allclose(policy_iteration(mdp, other).values, solution.values, rtol=0, atol=1e-10)
