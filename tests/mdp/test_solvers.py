"""Three solvers find the optimal value within their error bounds; policy iteration ends
at any discount factor.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    bellman_operator,
    bellman_residual,
    enumerate_policies,
    four_state_chain,
    greedy_policy,
    modified_policy_iteration,
    optimal_actions,
    optimal_policies,
    policy_evaluation,
    policy_iteration,
    value_iteration,
)
from numpyvae.mdp.contraction import plain_value_iteration
from numpyvae.mdp.improvement import plain_policy_iteration
from numpyvae.mdp.span import plain_modified_policy_iteration
from tests.mdp.oracle import (
    EPS,
    error,
    exact_evaluation,
    linprog_values,
    mdps,
    random_mdp,
)

vectors = st.lists(st.integers(-50, 50), min_size=5, max_size=5).map(np.array)


@given(mdps(), vectors, vectors)
def test_the_bellman_operator_is_a_contraction(mdp, u, v):
    u, v = u[: len(mdp.R)], v[: len(mdp.R)]
    # rounding, values to 100
    assert (
        abs(bellman_operator(mdp, u) - bellman_operator(mdp, v)).max()
        <= mdp.gamma * abs(u - v).max() + 1e-12
    )


@given(mdps(), vectors, vectors)
def test_the_bellman_operator_is_monotone(mdp, u, v):
    low, high = np.minimum(u, v)[: len(mdp.R)], np.maximum(u, v)[: len(mdp.R)]
    assert (bellman_operator(mdp, low) <= bellman_operator(mdp, high) + 1e-12).all()


@given(mdps())
def test_the_optimal_value_is_its_own_fixed_point(mdp):
    solution = policy_iteration(mdp)
    assert bellman_residual(mdp, solution.values) <= 4 * len(mdp.R) * EPS * (
        3 + abs(solution.values).max()
    )
    assert (
        bellman_residual(mdp, solution.values) / (1 - mdp.gamma) <= solution.error_bound
    )


@given(mdps(max_states=4))
def test_the_optimal_value_is_the_maximum_over_all_policies(mdp):
    values = np.array(
        [policy_evaluation(mdp, policy) for policy in enumerate_policies(mdp)]
    )
    # values to 300, condition 200
    assert np.allclose(
        policy_iteration(mdp).values, values.max(axis=0), rtol=0, atol=1e-10
    )


@given(mdps())
def test_all_three_solvers_are_within_their_error_bounds(mdp):
    exact = [float(x) for x in exact_evaluation(mdp, policy_iteration(mdp).policy)]
    for solution in (
        policy_iteration(mdp),
        value_iteration(mdp, 1e-7),
        modified_policy_iteration(mdp, 1e-7),
    ):
        assert abs(solution.values - exact).max() <= solution.error_bound <= 1e-7
        assert np.allclose(
            policy_evaluation(mdp, solution.policy), exact, rtol=0, atol=1e-5
        )  # within 2γ·1e-7/(1-γ)


@pytest.mark.parametrize("solve", [value_iteration, modified_policy_iteration])
@given(mdps(), st.sampled_from([1e-3, 0.3, 3.0, 30.0]))
def test_the_returned_policy_keeps_the_error_bound_as_well(solve, mdp, tolerance):
    solution = solve(mdp, tolerance)
    values = np.array([float(x) for x in exact_evaluation(mdp, solution.policy)])
    best = np.array(
        [float(x) for x in exact_evaluation(mdp, policy_iteration(mdp).policy)]
    )
    rounding = 1e-10  # of the two evaluations: values to 300
    assert abs(values - solution.values).max() <= solution.error_bound + rounding
    assert abs(values - best).max() <= 2 * solution.error_bound + rounding


@given(mdps(max_states=4))
def test_optimal_policies_are_those_with_the_best_exact_values(mdp):
    values = {
        tuple(policy): exact_evaluation(mdp, policy)
        for policy in enumerate_policies(mdp)
    }
    best = [float(max(v[s] for v in values.values())) for s in range(len(mdp.R))]
    # Thirds are rounded in P, so exact arithmetic on the floats breaks ties by about
    # eps·‖v‖/(1-γ) = 1e-11: far below
    # any real difference.
    attain = {
        policy
        for policy, v in values.items()
        if np.allclose([float(x) for x in v], best, rtol=0, atol=1e-10)
    }
    assert {tuple(policy) for policy in optimal_policies(mdp)} == attain


@given(mdps(), st.randoms(use_true_random=False))
def test_policy_iteration_ends_from_any_start_and_keeps_an_optimal_one(mdp, random):
    start = np.array([random.randrange(mdp.R.shape[1]) for _ in mdp.R])
    solution = policy_iteration(mdp, start)
    assert np.allclose(
        solution.values, policy_iteration(mdp).values, rtol=0, atol=1e-10
    )
    again = policy_iteration(mdp, solution.policy)
    assert again.iterations == 1 and (again.policy == solution.policy).all()


def test_where_every_action_ties_the_current_one_is_kept():
    mdp = random_mdp(np.random.default_rng(0), 6, 4, 0.95)
    mdp = MDP(mdp.P, np.full((6, 4), 0.1), 0.95)
    start = np.array([3, 1, 2, 0, 1, 3])
    solution = policy_iteration(mdp, start)
    assert (
        (solution.policy == start).all()
        and solution.iterations == 1
        and optimal_actions(mdp).all()
    )


# A grid world with many ties: four deterministic moves, walls, reward -1 per step until
# the last corner.


def deterministic_grid(side, gamma, sparse):
    S = side * side
    i, j = np.divmod(np.arange(S), side)
    P = np.zeros((S, 4, S))
    for a, (di, dj) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
        P[
            np.arange(S),
            a,
            np.clip(i + di, 0, side - 1) * side + np.clip(j + dj, 0, side - 1),
        ] = 1
    P[-1] = np.eye(S)[-1]
    R = np.full((S, 4), -1.0)
    R[-1] = 0
    return MDP([csr_array(P[:, a]) for a in range(4)] if sparse else P, R, gamma)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99, 1 - 1e-6, 1 - 1e-9])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_in_a_grid_with_ties_every_shortest_path_is_found(gamma, sparse):
    mdp = deterministic_grid(9, gamma, sparse)
    i, j = np.divmod(np.arange(81), 9)
    # right and down approach the corner
    nearer = np.stack([np.zeros(81, bool), j < 8, i < 8, np.zeros(81, bool)], axis=1)
    nearer[-1] = True  # absorbing: all actions tie
    solution = policy_iteration(mdp)
    distance = 16 - i - j
    assert solution.iterations <= 20
    truth = np.expm1(distance * np.log(gamma)) / (1 - gamma)  # -Σ γᵏ over the way there
    # the logarithm of γ is rounded: eps of log γ is eps/(1 - γ) of the value, at most
    # 16
    assert np.allclose(solution.values, truth, rtol=0, atol=16 * EPS / (1 - gamma))
    assert (optimal_actions(mdp) == nearer).all()


# Puterman (1994), section 3.1: two states. In the first, a₁ has reward 5 and leaves
# half the time, a₂ has reward 10
# and leaves;
# the second has reward -1 per step forever. a₁ is better above 10/11 and a₂ below.


def puterman(gamma):
    return MDP([[[0.5, 0.5], [0, 1]], [[0, 1], [0, 1]]], [[5, 10], [-1, -1]], gamma)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.9, 0.91, 0.95, 0.999])
def test_putermans_two_states_have_the_values_he_derives(gamma):
    first = (
        (5 - 5.5 * gamma) / ((1 - 0.5 * gamma) * (1 - gamma)),
        (10 - 11 * gamma) / (1 - gamma),
    )
    solution = policy_iteration(puterman(gamma))
    assert solution.policy[0] == int(first[1] > first[0])
    assert np.allclose(
        solution.values, [max(first), -1 / (1 - gamma)], rtol=1e-12, atol=0
    )
    assert optimal_actions(puterman(gamma)).tolist() == [
        [first[0] > first[1], first[1] > first[0]],
        [True, True],
    ]


def test_at_ten_elevenths_putermans_actions_tie():
    assert optimal_actions(puterman(10 / 11)).all()


def test_value_iteration_stops_on_the_values_not_on_the_span():
    # T v - v has no span at all, from the first sweep: v = 1, and the value is 100
    mdp = MDP(np.ones((1, 1, 1)), [[1.0]], 0.99)
    solution = value_iteration(mdp, 1e-8)
    assert abs(solution.values[0] - 100) <= 1e-8
    assert solution.iterations == 2292  # the first k with 0.99ᵏ·100 ≤ 1e-8


def test_a_tolerance_beyond_float64_is_refused():
    for solve in (value_iteration, modified_policy_iteration):
        with pytest.raises(
            ValueError,
            match=r"float64 cannot certify values to 1e-14 at gamma = 0.99: rounding alone",
        ):
            solve(four_state_chain(0.99), 1e-14)
    with pytest.raises(
        ValueError,
        match=r"value iteration is within .* of the optimal values, not 1e-08, after 100",
    ):
        value_iteration(four_state_chain(0.99), 1e-8, max_sweeps=100)
    with pytest.raises(
        ValueError,
        match=r"modified policy iteration is within .* not 1e-08, after 2 rounds",
    ):
        modified_policy_iteration(four_state_chain(0.99), 1e-8, max_rounds=2)


def test_good_starting_values_save_iterations():
    mdp = four_state_chain(0.99)
    v = policy_iteration(mdp).values
    assert (
        value_iteration(mdp, 1e-8, v=v).iterations
        == modified_policy_iteration(mdp, 1e-8, v=v).iterations
        == 1
    )
    assert (
        policy_iteration(mdp, v=v).iterations
        == 1
        < policy_iteration(mdp, np.array([1, 0, 0, 0])).iterations
    )
    for solve in (policy_iteration, value_iteration, modified_policy_iteration):
        with pytest.raises(ValueError, match=r"v has shape \(3,\); it must be \(4,\)"):
            solve(mdp, v=np.zeros(3))


def test_modified_policy_iteration_takes_far_fewer_sweeps():
    mdp = random_mdp(np.random.default_rng(1), 40, 5, 0.99)
    assert modified_policy_iteration(mdp, 1e-8).iterations < 20
    assert value_iteration(mdp, 1e-8).iterations > 1000
    rounds = []
    modified_policy_iteration(
        mdp, 1e-8, sweeps=10**9, on_iteration=lambda k, v: rounds.append(k)
    )  # rounds end early
    assert len(rounds) < 20


def test_sparse_and_dense_problems_have_the_same_solution():
    dense = random_mdp(np.random.default_rng(2), 30, 3, 0.97)
    sparse = MDP([csr_array(dense.P[:, a]) for a in range(3)], dense.R, 0.97)
    for solve in (policy_iteration, value_iteration, modified_policy_iteration):
        assert np.allclose(solve(sparse).values, solve(dense).values, rtol=0, atol=2e-8)
        assert (solve(sparse).policy == solve(dense).policy).all()
    assert (optimal_actions(sparse) == optimal_actions(dense)).all()


def test_the_greedy_policy_of_zero_takes_the_best_reward():
    assert greedy_policy(four_state_chain(0.9), np.zeros(4)).tolist() == [0, 0, 0, 1]


def test_policies_are_enumerated_once_and_too_many_are_refused():
    policies = [tuple(policy) for policy in enumerate_policies(four_state_chain(0.5))]
    assert len(policies) == len(set(policies)) == 16 and set(sum(policies, ())) == {
        0,
        1,
    }
    with pytest.raises(
        ValueError,
        match=r"4 actions in 81 states make 4\^81 policies, more than 100000; use",
    ):
        enumerate_policies(deterministic_grid(9, 0.9, False))
    assert len(list(enumerate_policies(four_state_chain(0.5), limit=16))) == 16
    with pytest.raises(ValueError, match="more than 15"):
        enumerate_policies(four_state_chain(0.5), limit=15)


def test_the_values_of_policy_iteration_are_refined():
    solution = policy_iteration(four_state_chain(0.99))
    assert (
        error(
            solution.values, exact_evaluation(four_state_chain(0.99), solution.policy)
        )
        <= EPS
    )


@settings(max_examples=50)
@given(mdps())
def test_any_of_several_optimal_actions_is_kept(mdp):
    # every action twice
    mdp = MDP(
        np.concatenate([mdp.P, mdp.P], axis=1),
        np.concatenate([mdp.R, mdp.R], axis=1),
        mdp.gamma,
    )
    solution = policy_iteration(mdp)
    ties = optimal_actions(mdp)
    other = np.array([np.flatnonzero(row)[-1] for row in ties])
    assert (policy_iteration(mdp, other).policy == other).all()
    assert np.allclose(
        policy_iteration(mdp, other).values, solution.values, rtol=0, atol=1e-10
    )


@settings(max_examples=60)
@given(mdps())
def test_linear_programming_finds_the_same_values(mdp):
    # HiGHS stops at a feasibility of 1e-7, which 1/(1 - γ) = 100 magnifies
    assert np.allclose(
        policy_iteration(mdp).values, linprog_values(mdp), rtol=0, atol=1e-7 * 100
    )


@given(mdps(), st.integers(0, 2**32 - 1))
def test_values_above_their_image_bound_the_optimal_value(mdp, seed):
    """Bellman's inequality: v ≥ T v implies v ≥ v*, and v ≤ T v implies v ≤ v*."""
    v = np.random.default_rng(seed).normal(size=len(mdp.R)) * 10
    best = policy_iteration(mdp).values
    change = bellman_operator(mdp, v) - v
    above = v + max(change.max(), 0) / (1 - mdp.gamma)
    below = v + min(change.min(), 0) / (1 - mdp.gamma)
    assert (bellman_operator(mdp, above) <= above + 1e-10).all() and (
        above >= best - 1e-9
    ).all()
    assert (bellman_operator(mdp, below) >= below - 1e-10).all() and (
        below <= best + 1e-9
    ).all()


def dyadic_mdp(rng, S, A, gamma):
    """Probabilities are eighths, rewards halves: exact in binary, so that ties are
    exact. Every action twice.
    """
    P = rng.multinomial(8, np.ones(S) / S, size=(S, A)) / 8
    R = rng.integers(-4, 5, size=(S, A)) / 2
    return MDP(np.concatenate([P, P], axis=1), np.concatenate([R, R], axis=1), gamma)


@pytest.mark.parametrize("gamma", [0.5, 0.99, 1 - 1e-6, 1 - 1e-9, 1 - 1e-12])
def test_policy_iteration_is_exactly_optimal_at_any_discount(gamma):
    rng = np.random.default_rng(3)
    for _ in range(12):
        mdp = dyadic_mdp(rng, 3, 2, gamma)
        values = {
            policy: exact_evaluation(mdp, list(policy))
            for policy in map(tuple, enumerate_policies(mdp))
        }
        best = [max(v[s] for v in values.values()) for s in range(3)]
        for start in ([0, 0, 0], [3, 1, 2], rng.integers(4, size=3)):
            solution = policy_iteration(mdp, np.array(start))
            assert (
                values[tuple(solution.policy.tolist())] == best
                and error(solution.values, best) <= EPS
            )
            assert solution.iterations <= 9  # each policy improves on the last
        actions = {tuple(policy.tolist()) for policy in optimal_policies(mdp)}
        assert actions == {policy for policy, v in values.items() if v == best}


@pytest.mark.parametrize("gamma", [0.9, 1 - 1e-6, 1 - 1e-9])
def test_the_values_of_policy_iteration_never_fall(gamma):
    for seed in range(20):
        mdp = random_mdp(np.random.default_rng(seed), 6, 4, gamma)
        history: list = []

        def record(k, v, history=history):
            history.append((k, v))

        solution = policy_iteration(mdp, np.zeros(6, int), on_iteration=record)
        assert [k for k, _ in history] == list(range(1, solution.iterations + 1))
        # those before the last are not refined: LU's error, 2n·eps/(1 - γ) of the
        # largest
        allowed = 24 * EPS / (1 - gamma) * abs(solution.values).max()
        assert all(
            (later >= earlier - allowed).all()
            for (_, earlier), (_, later) in itertools.pairwise(history)
        )
        assert np.array_equal(history[-1][1], solution.values)


def test_a_stochastic_policy_is_improved():
    mdp = random_mdp(np.random.default_rng(5), 5, 3, 0.9)
    solution = policy_iteration(mdp, np.full((5, 3), 1 / 3))
    assert np.array_equal(solution.policy, policy_iteration(mdp).policy)
    with pytest.raises(
        ValueError,
        match="policy: one action per state is required here, not probabilities",
    ):
        greedy_policy(mdp, np.zeros(5), current=np.full((5, 3), 1 / 3))


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda mdp: value_iteration(mdp, max_sweeps=0),
            "max_sweeps is 0; it must be an integer, at least 1",
        ),
        (lambda mdp: value_iteration(mdp, max_sweeps=-1), "max_sweeps is -1"),
        (lambda mdp: value_iteration(mdp, max_sweeps=2.5), "max_sweeps is 2.5"),
        (lambda mdp: value_iteration(mdp, max_sweeps=True), "max_sweeps is True"),
        (
            lambda mdp: modified_policy_iteration(mdp, max_rounds=0),
            "max_rounds is 0; it must be an integer, at least 1",
        ),
        (
            lambda mdp: modified_policy_iteration(mdp, sweeps=-1),
            "sweeps is -1; it must be an integer, at least 0",
        ),
        *[
            (
                lambda mdp, solve=solve, bad=bad: solve(mdp, bad),
                f"tolerance is {bad}; it must be a positive number",
            )
            for solve in (value_iteration, modified_policy_iteration)
            for bad in (float("nan"), -1e-8, 0, True, float("inf"), "1e-8")
        ],
    ],
)
def test_limits_without_meaning_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call(four_state_chain(0.5))


@pytest.mark.parametrize("solve", [value_iteration, modified_policy_iteration])
@pytest.mark.parametrize(
    "mdp",
    [
        four_state_chain(1 - 1e-9),
        four_state_chain(1 - 1e-6),
        random_mdp(np.random.default_rng(0), 5, 2, 1 - 1e-7),
    ],
    ids=["chain, 1e-9", "chain, 1e-6", "random, 1e-7"],
)
def test_an_unreachable_tolerance_is_refused_early(solve, mdp):
    with pytest.raises(
        ValueError,
        match=r"float64 cannot certify values to 1e-08 .* use policy_iteration",
    ):
        solve(
            mdp,
            1e-8,
            **{"max_sweeps" if solve is value_iteration else "max_rounds": 200},
        )


@pytest.mark.parametrize("solve", [value_iteration, modified_policy_iteration])
def test_large_rewards_with_a_small_tolerance_are_refused_early(solve):
    mdp = random_mdp(np.random.default_rng(1), 50, 3, 0.9)
    mdp = MDP(mdp.P, mdp.R * 1e6, 0.9)
    with pytest.raises(ValueError, match="float64 cannot certify"):
        solve(
            mdp,
            1e-8,
            **{"max_sweeps" if solve is value_iteration else "max_rounds": 200},
        )
    assert abs(solve(mdp, 1e-4).values - policy_iteration(mdp).values).max() <= 1e-4


@given(mdps(), st.integers(-8, 8), st.sampled_from([1e-3, 1e-9, 1e-12]))
def test_a_refusal_for_rounding_is_justified(mdp, power, tolerance):
    """No tolerance is refused that is sixteen times the rounding of the optimal values
    themselves.
    """
    mdp = MDP(mdp.P, mdp.R * 10.0**power, mdp.gamma)
    size = abs(policy_iteration(mdp).values).max()
    needed = 16 * (len(mdp.R) + 3) * EPS / 2 * size / (1 - mdp.gamma)
    for solve in (value_iteration, modified_policy_iteration):
        if tolerance >= needed:
            assert solve(mdp, tolerance).error_bound <= tolerance


def test_on_sweep_receives_every_iterate():
    mdp, seen = four_state_chain(0.9), []
    solution = value_iteration(mdp, 1e-8, on_sweep=lambda k, v: seen.append((k, v)))
    assert [k for k, _ in seen] == list(range(1, solution.iterations + 1))
    assert np.array_equal(seen[-1][1], solution.values)
    v = np.zeros(4)
    for _, found in seen:
        v = bellman_operator(mdp, v)
        assert np.array_equal(found, v)
    rounds = []
    solution = modified_policy_iteration(
        mdp, 1e-8, on_iteration=lambda k, v: rounds.append(v)
    )
    assert len(rounds) == solution.iterations and np.array_equal(
        rounds[-1], solution.values
    )
    seen[0][1][:] = np.nan  # the caller's copy


@pytest.mark.parametrize("sweeps", [0, 1, 20])
def test_modified_policy_iteration_takes_any_number_of_sweeps(sweeps):
    solution = modified_policy_iteration(four_state_chain(0.9), 1e-8, sweeps=sweeps)
    assert (
        abs(solution.values - policy_iteration(four_state_chain(0.9)).values).max()
        <= solution.error_bound
        <= 1e-8
    )


def test_rows_that_miss_one_by_rounding_are_within_the_error_bound():
    """Rows of thirds sum to 1 − u/2 here: a constant added to v is not exactly
    discounted.
    """
    P = np.full((3, 1, 3), 1 / 3)
    P[:, 0, 0] -= 2.0**-53
    assert (P.sum(axis=2) < 1).all()
    mdp = MDP(P, np.full((3, 1), 3.0), 0.99)
    exact = exact_evaluation(mdp, [0, 0, 0])
    solution = modified_policy_iteration(mdp, 1e-8)
    assert solution.iterations == 1 and solution.values[0] != float(exact[0])
    assert all(
        abs(Fraction(x) - y) <= Fraction(solution.error_bound)
        for x, y in zip(solution.values.tolist(), exact, strict=True)
    )


def test_values_that_overflow_at_no_discount_are_refused():
    """γ = 1: a million million steps to the end, 1e300 each."""
    mdp = MDP([[[1 - 2**-40]]], [[1e300]], 1.0, end=[[2**-40]])
    with pytest.raises(
        ValueError, match="exceed the range or the precision of float64"
    ):
        policy_iteration(mdp)


# The toolboxes' own examples, with values derived here.


@pytest.mark.parametrize("p, gamma", [(0.1, 0.9), (0.1, 0.96), (0.3, 0.99)])
def test_the_forest_is_left_to_grow(p, gamma):
    """Forest management: a stand of age 0, 1, 2 burns with probability p. Rewards: wait
    0, 0, 4; cut 0, 1, 2.

    If waiting is best everywhere, with q = 1 - p: v₂ = 4 + γ(p v₀ + q v₂), v₁ = v₂ - 4,
    v₀ = γ(p v₀ + q v₁). Then v₀ (1 - γp) = γq (v₂ - 4) and v₂ (1 - γq) = 4 + γp v₀.
    """
    burn, grow = np.eye(3)[[0, 0, 0]], np.eye(3)[[1, 2, 2]]
    mdp = MDP([p * burn + (1 - p) * grow, burn], [[0, 0], [0, 1], [4, 2]], gamma)
    q = 1 - p
    v2 = (4 * (1 - gamma * p) - 4 * gamma**2 * p * q) / (
        (1 - gamma * q) * (1 - gamma * p) - gamma**2 * p * q
    )
    solution = policy_iteration(mdp)
    assert solution.policy.tolist() == [0, 0, 0]
    assert np.allclose(
        solution.values,
        [gamma * q * (v2 - 4) / (1 - gamma * p), v2 - 4, v2],
        rtol=1e-13,
        atol=0,
    )


def test_a_machine_is_replaced_at_the_age_that_minimizes_the_cost():
    """Replacement: a machine of age k costs k per period to run; a new one costs 10 and
    then runs at age 0.

    If it is replaced at age n, v(n) = -10 + v₀ and v₀ = -Σ_{k<n} γᵏ k + γⁿ v(n), so
    that v₀ = -(Σ_{k<n} γᵏ k + 10 γⁿ)/(1 - γⁿ). The best n is searched for.
    """
    gamma, oldest = 0.9, 30
    keep = np.eye(oldest + 1)[np.minimum(np.arange(oldest + 1) + 1, oldest)]
    replace = np.eye(oldest + 1)[
        np.full(oldest + 1, 1)
    ]  # runs at age 0 now, and is of age 1 next
    ages = np.arange(oldest + 1.0)
    solution = policy_iteration(
        MDP(
            [keep, replace], np.column_stack([-ages, np.full(oldest + 1, -10.0)]), gamma
        )
    )
    costs = [
        -(sum(gamma**k * k for k in range(n)) + 10 * gamma**n) / (1 - gamma**n)
        for n in range(1, oldest)
    ]
    best = int(np.argmax(costs)) + 1
    assert solution.values[0] == pytest.approx(max(costs), rel=1e-13)
    assert solution.policy.tolist() == [0] * best + [1] * (oldest + 1 - best)


# The plain forms, and what the solvers promise beyond them.


def two_states(gamma):
    """In A stay (reward 1) or go to B (reward 0); in B stay (reward 2)."""
    stay, go = np.array([[1, 0], [0, 1]]), np.array([[0, 1], [0, 1]])
    return MDP.from_action_matrices([stay, go], [[1, 0], [2, 2]], gamma)


def test_plain_policy_iteration_starts_as_policy_iteration_does():
    """Where two actions tie, the end shows the start, as a tie keeps its action.

    In A stay (reward 1) or go to B (reward 0). B has 10 and leads to C, which stays
    with -6. So v(C) = -12, v(B) = 10 - 6 = 4, and v(A) = 1/(1 - 1/2) = 4/2. The best
    reward is that of staying; one step and then the best reward prefers B.
    """
    stay, go = np.diag([1, 0, 1]), np.zeros((3, 3))
    stay[1, 2] = 1
    go[[0, 1, 2], [1, 2, 2]] = 1
    R = [[1, 0], [10, 10], [-6, -6]]
    mdp = MDP.from_action_matrices([stay, go], R, 0.5)
    assert policy_iteration(mdp).policy.tolist() == [1, 0, 0]
    policy, v = plain_policy_iteration(mdp.P, mdp.R, 0.5)
    assert policy.tolist() == [1, 0, 0]
    assert v.tolist() == [2, 4, -12]  # halves of integers: no rounding


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9])
def test_the_plain_forms_agree_with_the_solvers(gamma):
    for seed in range(5):
        mdp = random_mdp(np.random.default_rng(seed), 5, 3, gamma)
        P, R = mdp.P, mdp.R
        best = policy_iteration(mdp)
        policy, v = plain_policy_iteration(P, R, gamma)
        assert (policy == best.policy).all()
        assert np.allclose(v, best.values, rtol=0, atol=1e-12)  # values up to 20
        for sweeps in (0, 5):
            v = plain_modified_policy_iteration(P, R, gamma, sweeps)
            assert abs(v - best.values).max() <= 1e-8
        v = plain_value_iteration(P, R, gamma)
        assert np.allclose(v, value_iteration(mdp).values, rtol=0, atol=1e-12)


def test_the_policy_is_greedy_for_the_values_that_are_returned():
    """At γ = ¾ the second sweep changes the greedy action of A; there 4.5 ≤ 5 stops."""
    mdp = two_states(0.75)
    solution = value_iteration(mdp, 5.0)
    assert solution.iterations == 2 and solution.values.tolist() == [1.75, 3.5]
    assert greedy_policy(mdp, [1.0, 2.0]).tolist() == [0, 0]
    assert (
        solution.policy.tolist() == greedy_policy(mdp, [1.75, 3.5]).tolist() == [1, 0]
    )


def test_the_error_bound_is_h_minus_1_times_the_last_change():
    """(1.75, 3.5) to (2.625, …): (H − 1)·max(0.875, 1.125) = 3·1.125."""
    solution = value_iteration(two_states(0.75), 3.4)
    assert solution.iterations == 3 and solution.values.tolist() == [2.625, 4.625]
    assert solution.error_bound == pytest.approx(3.375, rel=1e-12)
    assert abs(solution.values - [6, 8]).max() <= solution.error_bound


def test_the_value_of_a_start_depends_on_the_discount_in_two_states_already():
    assert policy_iteration(two_states(0.49)).policy[0] == 0
    assert policy_iteration(two_states(0.51)).policy[0] == 1


@pytest.mark.parametrize("gamma", [0.9, 1.0])
def test_a_callback_cannot_change_the_solution(gamma):
    mdp = MDP.from_transitions(
        {
            s: {a: [(0.8, (s + 1 + a) % 4, -1.0 - a, False), (0.2, s, 0.5, True)]}
            | {2: [(1.0, s, -3.0, False)]}
            for s in range(4)
            for a in (0, 1)
        },
        gamma,
    )

    def spoil(k, v):
        v.fill(np.nan)

    for solve, name in (
        (policy_iteration, "on_iteration"),
        (value_iteration, "on_sweep"),
        (modified_policy_iteration, "on_iteration"),
    ):
        untouched, spoiled = solve(mdp), solve(mdp, **{name: spoil})
        assert np.array_equal(untouched.values, spoiled.values)
        assert np.array_equal(untouched.policy, spoiled.policy)


@pytest.mark.parametrize("solve", [value_iteration, modified_policy_iteration])
def test_a_start_is_not_written_to(solve):
    start = np.ones(2)
    solve(two_states(0.75), 1e-6, v=start)
    assert start.tolist() == [1, 1]


@pytest.mark.parametrize("every", [1, 20])
def test_sweeps_are_compared_every_so_often_only(monkeypatch, every):
    monkeypatch.setattr("numpyvae.mdp.span.COMPARED_EVERY", every)
    mdp = random_mdp(np.random.default_rng(4), 30, 3, 0.99)
    solution = modified_policy_iteration(mdp, 1e-9)
    best = policy_iteration(mdp).values
    assert abs(solution.values - best).max() <= solution.error_bound <= 1e-9
