"""γ = 1: the best total reward where there is one, and a refusal that says where not."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from numpyvae.mdp import (
    MDP,
    advantages,
    bellman_residual,
    effective_horizon,
    enumerate_policies,
    four_state_chain,
    modified_policy_iteration,
    optimal_actions,
    optimal_policies,
    policy_evaluation,
    policy_iteration,
    refined_policy_evaluation,
    value_iteration,
)
from tests.mdp.oracle import EPS, exact_values
from tests.mdp.test_episodes import frozen_lake

SOLVERS = (policy_iteration, value_iteration, modified_policy_iteration)


def gridworld(absorbing=False):
    """Sutton and Barto's example 4.1: 4 x 4, −1 per step, two opposite corners end.

    absorbing: the corners are states that stay, with reward 0, and nothing is marked
    """
    table = {}
    for s in range(16):
        row, column = divmod(s, 4)
        if s in (0, 15):
            stay = {a: [(1.0, s, 0.0, False)] for a in range(4)}
            table[s] = stay if absorbing else {}
            continue
        table[s] = {}
        for a, (di, dj) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
            i, j = min(max(row + di, 0), 3), min(max(column + dj, 0), 3)
            table[s][a] = [(1.0, 4 * i + j, -1.0, False)]
    return MDP.from_transitions(table, 1.0)


@pytest.mark.parametrize("absorbing", [False, True], ids=["terminal", "absorbing"])
def test_the_random_policy_has_the_values_of_sutton_and_barto(absorbing):
    """Figure 4.1: a random walk to a corner takes 14, 20, 22 and 18 steps."""
    mdp = gridworld(absorbing)
    policy = np.where(mdp.available, 0.25, 0)
    policy[~mdp.available.all(axis=1), 0] += 1 - policy[~mdp.available.all(axis=1)].sum(
        axis=1
    )
    v = policy_evaluation(mdp, policy)
    expected = [0, 14, 20, 22, 14, 18, 20, 20, 20, 20, 18, 14, 22, 20, 14, 0]
    assert np.allclose(v, [-x for x in expected], rtol=1e-13, atol=0)
    assert np.allclose(refined_policy_evaluation(mdp, policy), v, rtol=1e-13, atol=0)
    steps = [min(s // 4 + s % 4, 6 - s // 4 - s % 4) for s in range(16)]
    for solve in SOLVERS:
        solution = solve(mdp)
        assert abs(solution.values + steps).max() <= solution.error_bound <= 1e-8
        assert policy_evaluation(mdp, solution.policy).tolist() == [-x for x in steps]


def test_the_lake_is_crossed_with_probability_14_17ths():
    mdp = MDP.from_transitions(frozen_lake(), 1.0)
    for solve in SOLVERS:
        solution = solve(mdp)
        assert abs(solution.values[0] - 14 / 17) <= solution.error_bound <= 1e-8
        v = policy_evaluation(mdp, solution.policy)
        assert v[0] == pytest.approx(14 / 17, rel=1e-14)


def test_the_dry_lake_is_crossed_surely_though_one_may_wait_for_nothing():
    mdp = MDP.from_transitions(frozen_lake(slippery=False), 1.0)
    holes = np.array([cell in "HG" for cell in "SFFFFHFHFFFHHFFG"])
    for solve in SOLVERS:
        solution = solve(mdp)
        assert np.array_equal(solution.values, np.where(holes, 0.0, 1.0))
        assert np.array_equal(policy_evaluation(mdp, solution.policy), solution.values)
    larger = solution.values + 1  # also a solution of v = T v, but for the ends
    larger[holes] = 0
    assert bellman_residual(mdp, solution.values) == 0
    for solve in SOLVERS:  # and no start leads to it
        assert np.array_equal(solve(mdp, v=larger).values, solution.values)


def aima():
    """Russell and Norvig's 4 x 3 world, −0.04 per step: (1, 1) is worth 0.705."""
    cells = [(i, j) for j in range(1, 4) for i in range(1, 5) if (i, j) != (2, 2)]
    moves = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    table = {}
    for i, j in cells:
        if (i, j) in ((4, 3), (4, 2)):
            outcome = [(1.0, (i, j), 1.0 if j == 3 else -1.0, True)]
            table[i, j] = dict.fromkeys(range(4), outcome)
            continue
        table[i, j] = {}
        for a in range(4):
            table[i, j][a] = []
            for turn, p in ((0, 0.8), (1, 0.1), (-1, 0.1)):
                di, dj = moves[(a + turn) % 4]
                to = (i + di, j + dj)
                to = to if to in cells else (i, j)
                table[i, j][a].append((p, to, -0.04, False))
    return MDP.from_transitions(table, 1.0)


def test_the_four_by_three_world_has_the_values_of_the_book():
    """Figure 17.3: 0.812 0.868 0.918 / 0.762 0.660 / 0.705 0.655 0.611 0.388."""
    mdp = aima()
    book = {(1, 3): 0.812, (2, 3): 0.868, (3, 3): 0.918, (1, 2): 0.762, (3, 2): 0.660}
    book |= {(1, 1): 0.705, (2, 1): 0.655, (3, 1): 0.611, (4, 1): 0.388}
    for solve in SOLVERS:
        values = dict(zip(mdp.states, solve(mdp).values, strict=True))
        for cell, value in book.items():
            assert abs(values[cell] - value) <= 0.00051  # three places in print


# The oracle: every deterministic policy, in fractions.


def recurrent_classes(P):
    """The sets of states that a chain never leaves and in which each reaches each."""
    n = len(P)
    reach = [{s} for s in range(n)]
    for _ in range(n):
        for s in range(n):
            for t in range(n):
                if P[s][t]:
                    reach[s] = reach[s] | reach[t]
    return {
        frozenset(reach[s]) for s in range(n) if all(s in reach[t] for t in reach[s])
    }, reach


def average(P, r, members):
    """The average reward of a recurrent class, in fractions."""
    members = sorted(members)
    # h + g = r + P h with h = 0 in the first state, so g takes its place
    n = len(members)
    system = [
        [Fraction(1)] + [Fraction(s == t) - P[s][t] for t in members[1:]]
        for s in members
    ]
    # exact_values solves I − γ P: give it P = I − system and γ = 1
    rows = [[Fraction(i == j) - system[i][j] for j in range(n)] for i in range(n)]
    return exact_values(rows, [r[s] for s in members], 1)[0]


def best_totals(P, R, end):
    """v* in fractions, or None if there is none; P (S, A, S), R (S, A), end (S, A)."""
    S, A = len(R), len(R[0])
    best = [None] * S
    for number in range(A**S):
        policy = [number // A**s % A for s in range(S)]
        rows = [P[s][policy[s]] for s in range(S)]
        r = [R[s][policy[s]] for s in range(S)]
        ends = [end[s][policy[s]] > 0 for s in range(S)]
        classes, reach = recurrent_classes(rows)
        worthless, losing = set(), set()
        for members in classes:
            if any(ends[s] for s in members):
                continue
            if all(r[s] == 0 for s in members):
                worthless |= members
            elif average(rows, r, members) >= 0:
                return None
            else:
                losing |= members
        lost = {s for s in range(S) if reach[s] & losing}
        kept = [
            [Fraction(0)] * S if s in worthless | lost else rows[s] for s in range(S)
        ]
        values = exact_values(
            kept, [0 if s in worthless else r[s] for s in range(S)], 1
        )
        for s in set(range(S)) - lost:
            best[s] = values[s] if best[s] is None else max(best[s], values[s])
    return None if None in best else best


def random_problem(seed):
    """P, R, end in fractions: few next states, so that loops of all kinds are common."""
    rng = np.random.default_rng(seed)
    S, A = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    rewards = ([-1, 0], [0, 1], [-2, -1, 0], [-1, 0, 1], [-1])[int(rng.integers(5))]
    P = [[[Fraction(0)] * S for _ in range(A)] for _ in range(S)]
    R = [[Fraction(int(rng.choice(rewards))) for _ in range(A)] for _ in range(S)]
    end = [[Fraction(0)] * A for _ in range(S)]
    for s in range(S):
        for a in range(A):
            parts = int(rng.choice([1, 2, 4]))
            for _ in range(parts):
                t = int(rng.integers(S + 1))
                if t < S:
                    P[s][a][t] += Fraction(1, parts)
                else:
                    end[s][a] += Fraction(1, parts)
    return P, R, end


def as_mdp(P, R, end, sparse=False):
    P, R, end = (np.array(x, dtype=float) for x in (P, R, end))
    if sparse:
        P = [csr_array(P[:, a]) for a in range(P.shape[1])]
    return MDP(P, R, 1.0, end=end)


def test_the_solvers_agree_with_all_policies_in_fractions_or_refuse_as_they_do():
    solved = refused = with_loops = 0
    for seed in range(120):
        P, R, end = random_problem(seed)
        best = best_totals(P, R, end)
        mdp = as_mdp(P, R, end, sparse=seed % 2 == 1)
        if best is None:
            refused += 1
            for solve in SOLVERS:
                with pytest.raises(ValueError, match=r"^gamma is 1, and in "):
                    solve(mdp)
            continue
        solved += 1
        with_loops += effective_horizon(mdp) == np.inf
        for solve in SOLVERS:
            solution = solve(mdp)
            errors = [
                abs(Fraction(float(a)) - b)
                for a, b in zip(solution.values, best, strict=True)
            ]
            assert max(errors) <= Fraction(solution.error_bound), (seed, solve)
            assert solution.error_bound <= 1e-8
        found = policy_iteration(mdp)
        assert np.allclose(found.values, np.array(best, float), rtol=EPS, atol=0)
        # values up to 10, each a few roundings off
        assert np.allclose(
            policy_evaluation(mdp, found.policy), found.values, rtol=0, atol=1e-13
        )
    assert solved >= 40 and with_loops >= 30 and refused >= 15


def test_the_optimal_policies_are_those_with_the_best_totals():
    for seed in range(60):
        P, R, end = random_problem(seed)
        best = best_totals(P, R, end)
        if best is None:
            continue
        mdp = as_mdp(P, R, end)
        attained = set()
        for policy in enumerate_policies(mdp):
            try:
                v = policy_evaluation(mdp, policy)
            except ValueError:  # it has no total
                continue
            if np.allclose(v, np.array(best, float), rtol=0, atol=1e-12):
                attained.add(tuple(policy.tolist()))
        assert {tuple(p.tolist()) for p in optimal_policies(mdp)} == attained, seed


@pytest.mark.parametrize("solve", SOLVERS)
def test_what_has_no_answer_is_refused_with_its_states(solve):
    with pytest.raises(
        ValueError,
        match=r"gamma is 1, and in 4 states \(-1, 0, 1, …\) a policy collects reward",
    ):
        solve(four_state_chain(1.0))
    with pytest.raises(
        ValueError, match="gamma is 1, and in state 'x' no policy ends the episode"
    ):
        solve(MDP([[[1.0]]], [[-1]], 1.0, ["x"]))
    earning = MDP([[[0.5], [1.0]]], [[-1, 1]], 1.0, ["x"], end=[[0.5, 0]])
    with pytest.raises(
        ValueError, match="in state 'x' a policy collects reward without end"
    ):
        solve(earning)
    P = np.zeros((2, 2, 2))
    P[0, 0, 1] = P[1, 0, 0] = 1  # to and fro, +1 and −1
    cancelling = MDP(P, [[1, 0], [-1, 0]], 1.0, ["x", "y"], end=[[0, 1], [0, 1]])
    with pytest.raises(
        ValueError, match=r"in 2 states \('x', 'y'\) .* rewards that cancel"
    ):
        solve(cancelling)


def test_a_policy_that_never_ends_is_refused_with_its_states():
    mdp = gridworld()
    up = np.zeros(16, int)
    with pytest.raises(
        ValueError,
        match=r"gamma is 1, and in 11 states \(1, 2, 3, …\) the policy never ends",
    ):
        policy_evaluation(mdp, up)
    for function in (refined_policy_evaluation, policy_iteration, advantages):
        with pytest.raises(ValueError, match="the policy never ends"):
            function(mdp, up)


def test_a_start_that_ends_is_improved_to_the_best():
    mdp = gridworld()
    random = np.where(mdp.available, 0.25, 0)
    random[[0, 15]] = np.eye(4)[0]
    left_then_up = np.array([0 if s % 4 == 0 else 3 for s in range(16)])
    left_then_up[[0, 15]] = 0
    for start in (random, left_then_up):
        assert policy_iteration(mdp, start).values.min() == -3


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 1e-3, 0.5, 5.0]))
def test_the_bound_holds_at_any_tolerance_and_from_any_start(seed, tolerance):
    P, R, end = random_problem(seed)
    mdp = as_mdp(P, R, end)
    try:
        exact = policy_iteration(mdp).values
    except ValueError:
        return
    start = np.random.default_rng(seed).normal(size=len(R)) * 10
    for solve in (value_iteration, modified_policy_iteration):
        solution = solve(mdp, tolerance, v=start)
        assert abs(solution.values - exact).max() <= solution.error_bound <= tolerance


def test_callbacks_see_the_values_of_the_problem_as_it_was_given():
    mdp, seen = MDP.from_transitions(frozen_lake(slippery=False), 1.0), []
    value_iteration(mdp, on_sweep=lambda k, v: seen.append(v))
    policy_iteration(mdp, on_iteration=lambda k, v: seen.append(v))
    modified_policy_iteration(mdp, on_iteration=lambda k, v: seen.append(v))
    assert len(seen) >= 3 and all(v.shape == (16,) for v in seen)


def test_a_long_corridor_is_walked():
    """500 states in a row, back or on, −1 per step: many sweeps, one way."""
    n = 500
    on = csr_array((np.ones(n - 1), (np.arange(n - 1), np.arange(1, n))), shape=(n, n))
    before = np.maximum(np.arange(n) - 1, 0)
    back = csr_array((np.ones(n), (np.arange(n), before)), shape=(n, n))
    end = np.zeros((n, 2))
    end[-1, 0] = 1
    mdp = MDP([on, back], np.full((n, 2), -1.0), 1.0, end=end)
    for solve in SOLVERS:
        assert np.array_equal(solve(mdp).values, np.arange(-n, 0))
    assert not optimal_actions(mdp)[:, 1].any()
