"""Oracles for the solvers of book two: the best of all policies in fractions, recursion over every path, series."""

from fractions import Fraction

import numpy as np

from ..judge.outputs import kind_of
from ..judge.verdict import Trial, Unusable
from .bellman import (
    PROBLEMS,
    UNDISCOUNTED,
    Problem,
    as_floats,
    chain,
    deterministic,
    optimum,
    policies,
    q_of,
    solve,
    trials_for,
    vectors,
)

SLOW = Problem(
    "2 states far apart, gamma 0.984375",
    [[[0.75, 0.25], [0, 1]], [[1, 0], [0, 1]]],
    [[1, 0.25], [0, 2]],
    0.984375,
)


def greedy_policy_trials() -> list[Trial]:
    """The first maximum of q in fractions; with `current`, its action where it attains the maximum"""

    def make(problem):
        for v in vectors(problem):
            q, floats = q_of(problem, v), as_floats(v)
            lowest = [row.index(max(row)) for row in q]
            yield {"v": floats}, f"v = {floats.tolist()}", np.array(lowest), None
            other = [max(a for a, x in enumerate(row) if x == max(row)) for row in q]
            yield (
                {"v": floats, "current": np.array(other)},
                f"v = {floats.tolist()}, current = {other}",
                np.array(other),
                None,
            )
            for actions in deterministic(problem)[
                :2
            ]:  # keeps a tie, replaces anything worse
                kept = [
                    a if row[a] == max(row) else row.index(max(row))
                    for a, row in zip(actions, q, strict=True)
                ]
                yield (
                    {"v": floats, "current": np.array(actions)},
                    f"v = {floats.tolist()}, current = {list(actions)}",
                    np.array(kept),
                    None,
                )

    tie = Problem("2 actions that are the same, gamma 0.5", [[[1], [1]]], [[1, 1]], 0.5)
    call = [
        Trial(
            {"mdp": tie.mdp, "v": np.array([2.0])},
            np.array([0]),
            text=f"greedy_policy, v = [2]: {tie.words}",
        ),
        Trial(
            {"mdp": tie.mdp, "v": np.array([2.0]), "current": np.array([1])},
            np.array([1]),
            text=f"greedy_policy, v = [2], current = [1]: {tie.words}",
        ),
    ]
    return trials_for("greedy_policy", make) + call


def solution(result, count: int = 2) -> tuple:
    """policy and values of what a solver returns"""
    if not (hasattr(result, "policy") and hasattr(result, "values")) and not (
        isinstance(result, tuple) and len(result) >= count
    ):
        raise Unusable(
            f"returns {kind_of(result)}; a Solution(policy, values, iterations, error_bound) was expected"
        )
    return (
        (result.policy, result.values)
        if hasattr(result, "policy")
        else (result[0], result[1])
    )


def value_iteration_trials(name: str = "value_iteration") -> list[Trial]:
    """Within the tolerance of the exact optimum; the reported error bound is one, and at most the tolerance."""

    def call(f, functions, mdp, tolerance, start, exact):
        result = f(mdp, tolerance) if start is None else f(mdp, tolerance, v=start)
        policy, values = solution(result)
        bound = np.asarray(getattr(result, "error_bound", tolerance), float)
        if np.shape(values) != exact.shape:
            raise Unusable(
                f"returns values of shape {np.shape(values)}; {exact.shape} was expected"
            )
        error = abs(values - exact).max()
        return policy, values, bool(error <= bound <= tolerance)

    trials = []
    for problem in [*PROBLEMS, SLOW]:
        policy, values = optimum(problem)
        for tolerance, start in (
            (1e-8, None),
            (1e-3, None),
            (1e-6, np.full(len(values), 50.0)),
        ):
            trials.append(
                Trial(
                    {
                        "mdp": problem.mdp,
                        "tolerance": tolerance,
                        "start": start,
                        "exact": values,
                    },
                    (policy, values, True),
                    call,
                    rtol=1e-12,
                    atol=tolerance,
                    text=f"{name}, tolerance {tolerance:g}"
                    + ("" if start is None else ", v = 50")
                    + f": {problem.words}",
                )
            )
    return trials


def modified_policy_iteration_trials() -> list[Trial]:
    """As value_iteration_trials"""
    return value_iteration_trials("modified_policy_iteration")


def policy_iteration_trials() -> list[Trial]:
    """By the best of all policies, in fractions"""

    def call(f, functions, mdp, start):
        return solution(f(mdp) if start is None else f(mdp, start))

    return [
        Trial(
            {"mdp": problem.mdp, "start": start},
            optimum(problem),
            call,
            rtol=1e-12,
            text="policy_iteration"
            + ("" if start is None else f", policy = {start.tolist()}")
            + f": {problem.words}",
        )
        for problem in [*PROBLEMS, SLOW]
        for start in (None, *(policy for policy, _ in policies(problem)[:2]))
    ]


def backward_induction_trials() -> list[Trial]:
    """By recursion over the steps to go, in fractions"""

    def call(f, functions, mdp, horizon, final, gamma):
        result = f(mdp, horizon, final, gamma)
        if not hasattr(result, "policies") and not (
            isinstance(result, tuple) and len(result) == 2
        ):
            raise Unusable(
                f"returns {kind_of(result)}; a FiniteHorizonSolution(policies, values) was expected"
            )
        return (
            (result.policies, result.values) if hasattr(result, "policies") else result
        )

    def tree(problem, steps, final, gamma):
        """(actions, values) for each number of steps to go, from 0, by recursion (4.1)"""
        if steps == 0:
            return [(None, final)]
        *rest, (action, v) = tree(problem, steps - 1, final, gamma)
        q = q_of(problem, v, gamma)
        return [
            *rest,
            (action, v),
            ([row.index(max(row)) for row in q], [max(row) for row in q]),
        ]

    def make(problem):
        S = len(problem.R)
        for horizon, gamma, given in (
            (1, None, [Fraction(0)] * S),
            (2, 1.0, [Fraction(s) for s in range(S)]),
            (4, None, [Fraction(5 * s) for s in range(S)]),
        ):
            final = [
                0 if terminal else x
                for terminal, x in zip(problem.terminal, given, strict=True)
            ]
            stages = tree(
                problem, horizon, final, problem.gamma if gamma is None else gamma
            )[::-1]
            expected = (
                np.array([action for action, _ in stages[:-1]]),
                np.array([as_floats(v) for _, v in stages]),
            )
            yield (
                {"horizon": horizon, "final": as_floats(given), "gamma": gamma},
                f"horizon {horizon}, final = {as_floats(given).tolist()}, gamma = {gamma}",
                expected,
                call,
            )

    return trials_for("backward_induction", make, PROBLEMS + UNDISCOUNTED)


def state_visitation_trials() -> list[Trial]:
    """The solution of the transposed system in fractions"""

    def make(problem):
        S, gamma = len(problem.R), Fraction(problem.gamma)
        scale = 1 - gamma if gamma < 1 else 1
        for policy, probabilities in policies(problem):
            P, _ = chain(problem, probabilities)
            for start in (
                [1] + [0] * (S - 1),
                [Fraction(1, 2), *[Fraction(0)] * (S - 2), Fraction(1, 2)][:S]
                if S > 1
                else [1],
            ):
                transposed = [
                    [(s == t) - gamma * P[t][s] for t in range(S)] for s in range(S)
                ]
                d = [scale * x for x in solve(transposed, [Fraction(x) for x in start])]
                floats = as_floats(start)
                yield (
                    {"policy": policy, "start": floats},
                    f"policy = {policy.tolist()}, start = {floats.tolist()}",
                    as_floats(d),
                    None,
                )
        yield (
            {"policy": policy, "start": S - 1},
            f"policy = {policy.tolist()}, start = {S - 1}",
            as_floats(
                [
                    scale * x
                    for x in solve(
                        transposed, [Fraction(int(s == S - 1)) for s in range(S)]
                    )
                ]
            ),
            None,
        )

    return trials_for("state_visitation", make, PROBLEMS + UNDISCOUNTED)
