"""Book two, chapter 5, value iteration: oracle and known errors.

The oracle is the best of all policies, in fractions.
"""

from fractions import Fraction

import numpy as np

from ...mdp.solution import Solution
from ..judge.known_errors import errors_of
from ..judge.outputs import Unusable, kind_of
from ..judge.verdict import Trial
from .bellman import PROBLEMS, Problem, as_floats, best_policy, lowest, q

SLOW = Problem(
    "2 states far apart, gamma 0.984375",
    [[[0.75, 0.25], [0, 1]], [[1, 0], [0, 1]]],
    [[1, 0.25], [0, 2]],
    0.984375,
)


def read_solution(result, exact: list) -> Solution:
    """A solver's result; Unusable unless a Solution with values of the right shape"""
    if not all(hasattr(result, name) for name in Solution._fields):
        raise Unusable(
            f"returns {kind_of(result)}; a Solution(policy, values, iterations, "
            "error_bound) was expected"
        )
    if np.shape(result.values) != (len(exact),):
        raise Unusable(
            f"returns values of shape {np.shape(result.values)}; ({len(exact)},) was "
            "expected"
        )
    return result


def check_bound(solution: Solution, exact: list, tolerance: float = np.inf) -> None:
    """Unusable unless ‖values − v*‖ ≤ error_bound ≤ tolerance, in fractions"""
    pairs = zip(solution.values, exact, strict=True)
    error = float(max(abs(Fraction(float(v)) - x) for v, x in pairs))
    reported = f"reports error_bound = {float(solution.error_bound):.3g}"
    if not error <= solution.error_bound:
        raise Unusable(f"{reported}; its values are {error:.3g} from v*")
    if solution.error_bound > tolerance:
        raise Unusable(f"{reported}, more than the tolerance {tolerance:g}")


def check_calls(calls: list, solution: Solution, name: str) -> None:
    """Unusable unless the callback got k = 1, …, iterations, and at last the values"""
    numbers = [k for k, _ in calls]
    if numbers != list(range(1, solution.iterations + 1)) or not numbers:
        shown = ", ".join(map(str, numbers[:4])) + (", …" if len(numbers) > 4 else "")
        raise Unusable(
            f"calls {name} with k = {shown or 'nothing'}; 1, 2, …, iterations = "
            f"{solution.iterations} was expected"
        )
    if not np.array_equal(calls[-1][1], solution.values):
        raise Unusable(f"the last v that {name} gets is not the values of the solution")


def value_iteration_trials(
    name: str = "value_iteration", callback: str = "on_sweep"
) -> list[Trial]:
    """Within the tolerance of the exact optimum; the bound, and the callback"""

    def call(f, functions, mdp, tolerance, start, exact):
        options = {} if start is None else {"v": start}
        solution = read_solution(f(mdp, tolerance, **options), exact)
        values = np.asarray(solution.values, float)
        if abs(values - as_floats(exact)).max() <= tolerance:
            check_bound(solution, exact, tolerance)
        return solution.policy, values

    def call_with_callback(f, functions, mdp, tolerance, start, exact):
        calls = []

        def record(k, v):
            calls.append((k, v.copy()))

        solution = read_solution(f(mdp, tolerance, **{callback: record}), exact)
        check_calls(calls, solution, callback)
        return solution.policy, np.asarray(solution.values, float)

    def trial(problem, tolerance, start=None, call=call):
        policy, exact = best_policy(problem)
        words = f"{name}, tolerance {tolerance:g}" + ", v = 50" * (start is not None)
        if call is call_with_callback:
            words += f", with {callback}"
        inputs = {"mdp": problem.mdp, "tolerance": tolerance, "start": start}
        return Trial(
            {**inputs, "exact": exact},
            (policy, as_floats(exact)),
            call,
            rtol=1e-12,
            atol=tolerance,
            text=f"{words}: {problem.words}",
        )

    trials = []
    for problem in [*PROBLEMS, SLOW]:
        trials += [trial(problem, 1e-8), trial(problem, 1e-3)]
        trials.append(trial(problem, 1e-6, np.full(len(problem.R), 50.0)))
    return [*trials, trial(PROBLEMS[2], 1e-3, call=call_with_callback)]


# Known errors


def sweeps_with(
    error=lambda change, gamma: abs(change).max() * gamma / (1 - gamma),
    update=lambda mdp, v: q(mdp, v).max(axis=1),
    reported=lambda error, gamma: error + 1e-12,
    greedy_for=lambda last, v: v,
    start=lambda v: v,
    count=lambda k: k,
    limit=20_000,
):
    """value_iteration with another part

    error: of the last change, what must be below the tolerance
    """

    def iterate(mdp, tolerance=1e-8, v=None, max_sweeps=limit, on_sweep=None):
        v = np.zeros(len(mdp.R)) if v is None else start(v)
        for k in range(1, min(limit, max_sweeps) + 1):
            last, v = v, update(mdp, v)
            if on_sweep is not None:
                on_sweep(k, v.copy())
            bound = float(error(v - last, mdp.gamma))
            if bound <= tolerance / 2:
                break
        policy = q(mdp, greedy_for(last, v)).argmax(axis=1)
        return Solution(policy, v, count(k), reported(bound, mdp.gamma))

    return iterate


def last_change(error, gamma):
    """‖change‖ of γ/(1 − γ) ‖change‖"""
    return error * (1 - gamma) / gamma + 1e-12 if gamma else error


ERRORS = [
    *errors_of(
        "value_iteration",
        {
            "stops when the last change is below the tolerance; the error is up to "
            "γ/(1 − γ) times that": sweeps_with(
                lambda change, gamma: abs(change).max()
            ),
            "stops on the span of the change: the values may be far from v*": (
                sweeps_with(lambda change, gamma: np.ptp(change) * gamma / (1 - gamma))
            ),
            "stops on the largest increase; a decrease counts as well": sweeps_with(
                lambda change, gamma: change.max() * gamma / (1 - gamma)
            ),
            "stops after one sweep": sweeps_with(limit=1),
            "stops after 100 sweeps, whatever the error is": sweeps_with(
                lambda change, gamma: np.inf, limit=100
            ),
            "error_bound is the last change; the error is up to γ/(1 − γ) times that": (
                sweeps_with(reported=last_change)
            ),
            "error_bound is 0: the values are not exact": sweeps_with(
                reported=lambda error, gamma: 0.0
            ),
            "the discount is on the reward: v ← γ max (R + P v)": sweeps_with(
                update=lambda mdp, v: mdp.gamma * q(mdp, v, 1.0).max(axis=1)
            ),
            "a minimum over the actions; it must be the maximum": sweeps_with(
                update=lambda mdp, v: lowest(mdp, q(mdp, v)).min(axis=1)
            ),
            "the values are never below 0: the maximum is taken with 0": sweeps_with(
                update=lambda mdp, v: np.maximum(q(mdp, v).max(axis=1), 0)
            ),
            "iterations counts from 0": sweeps_with(count=lambda k: k - 1),
        },
    ),
]
