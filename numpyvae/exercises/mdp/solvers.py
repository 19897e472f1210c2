"""Book two, chapter 4, solvers: oracles and known errors. The oracle is the best of all policies, in fractions."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from ...mdp.bellman import (
    as_policy,
    bellman_operator,
    induced_chain,
    policy_evaluation,
)
from ...mdp.improvement import greedy_policy
from ...mdp.solution import Solution
from ..judge.known_errors import errors_of
from ..judge.outputs import Unusable, kind_of
from ..judge.verdict import Trial
from .bellman import (
    FAR,
    PROBLEMS,
    Problem,
    as_floats,
    best_policy,
    deterministic,
    lowest,
    policies,
    q,
    q_of,
    swept,
    trials_for,
    vectors,
)

SLOW = Problem(
    "2 states far apart, gamma 0.984375",
    [[[0.75, 0.25], [0, 1]], [[1, 0], [0, 1]]],
    [[1, 0.25], [0, 2]],
    0.984375,
)


# greedy_policy


def ending(words: str, *rewards: float) -> Problem:
    """One state; action 0 ends the episode, action 1 stays"""
    return Problem(words, [[[0], [1]]], [list(rewards)], 0.5)


GREEDY = (  # problem, v, current, expected
    (ending("1, or 0 and half of v", 1, 0), 1.5, None, 0),
    (ending("two actions that are the same", 1, 0), 2.0, None, 0),
    (ending("two actions that are the same", 1, 0), 2.0, 1, 1),
    (ending("q = 0.3 and 0.1 + 0.4/2, the same but for rounding", 0.3, 0.1), 0.4, 0, 0),
    (ending("action 1 is better by 1e-10", 0.3 - 1e-10, 0.1), 0.4, 0, 1),
    (ending("action 1 is better by 1e-10", 0.3 - 1e-10, 0.1), 0.4, None, 1),
    (ending("action 1 is better by 1e-6", 0.3 - 1e-6, 0.1), 0.4, 0, 1),
)


def greedy_policy_trials() -> list[Trial]:
    """The first maximum of q in fractions; with `current`, its action where it attains the maximum"""

    def make(problem):
        for v in vectors(problem):
            each, floats = q_of(problem, v), as_floats(v)
            first = [row.index(max(row)) for row in each]
            last = [max(a for a, x in enumerate(row) if x == max(row)) for row in each]
            words = f"v = {floats.tolist()}"
            yield {"v": floats}, words, np.array(first), None
            for current in (last, *map(list, deterministic(problem)[:2])):
                kept = [  # a tie keeps its action; anything worse is replaced
                    a if row[a] == max(row) else row.index(max(row))
                    for a, row in zip(current, each, strict=True)
                ]
                inputs = {"v": floats, "current": np.array(current)}
                yield inputs, f"{words}, current = {current}", np.array(kept), None

    trials = trials_for("greedy_policy", make)
    for problem, v, current, expected in GREEDY:
        inputs = {"mdp": problem.mdp, "v": np.array([v])}
        words = f"greedy_policy, v = [{v}]"
        if current is not None:
            inputs["current"] = np.array([current])
            words += f", current = [{current}]"
        words += f": {problem.words}"
        trials.append(Trial(inputs, np.array([expected]), text=words))
    return trials


# The solvers


def read_solution(result, exact: list) -> Solution:
    """A solver's result as a Solution; Unusable unless it is one, with values of the right shape"""
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


def check_bound(solution: Solution, exact: list) -> None:
    """Unusable unless ‖values − v*‖ ≤ error_bound, in fractions"""
    error = max(
        abs(Fraction(float(v)) - x) for v, x in zip(solution.values, exact, strict=True)
    )
    if not error <= solution.error_bound:
        raise Unusable(
            f"reports error_bound = {float(solution.error_bound):.3g}; its values are "
            f"{float(error):.3g} from v*"
        )


def check_calls(calls: list, solution: Solution, name: str) -> None:
    """Unusable unless the callback got k = 1, 2, …, iterations, and at last the values"""
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
    """Within the tolerance of the exact optimum; the error bound is one, and at most the tolerance"""

    def call(f, functions, mdp, tolerance, start, exact):
        calls = []
        options = {} if start is None else {"v": start}
        options[callback] = lambda k, v: calls.append((k, v.copy()))
        solution = read_solution(f(mdp, tolerance, **options), exact)
        values = np.asarray(solution.values, float)
        if abs(values - as_floats(exact)).max() <= tolerance:
            check_bound(solution, exact)
            check_calls(calls, solution, callback)
            if solution.error_bound > tolerance:
                raise Unusable(
                    f"reports error_bound = {float(solution.error_bound):.3g}, more than "
                    f"the tolerance {tolerance:g}"
                )
        return solution.policy, values

    trials = []
    for problem in [*PROBLEMS, SLOW]:
        policy, values = best_policy(problem)
        start = np.full(len(values), 50.0)
        for tolerance, v in ((1e-8, None), (1e-3, None), (1e-6, start)):
            words = f"{name}, tolerance {tolerance:g}" + (
                "" if v is None else ", v = 50"
            )
            inputs = {
                "mdp": problem.mdp,
                "tolerance": tolerance,
                "start": v,
                "exact": values,
            }
            trials.append(
                Trial(
                    inputs,
                    (policy, as_floats(values)),
                    call,
                    rtol=1e-12,
                    atol=tolerance,
                    text=f"{words}: {problem.words}",
                )
            )
    return trials


def modified_policy_iteration_trials() -> list[Trial]:
    """As value_iteration_trials"""
    return value_iteration_trials("modified_policy_iteration", "on_iteration")


def policy_iteration_trials() -> list[Trial]:
    """By the best of all policies, in fractions; started from it, one evaluation is enough"""

    def call(f, functions, mdp, policy, v, exact, best):
        calls = []

        def record(k, v):
            calls.append((k, v.copy()))

        solution = read_solution(f(mdp, policy, v, on_iteration=record), exact)
        if np.array_equal(solution.policy, best):
            check_bound(solution, exact)
            check_calls(calls, solution, "on_iteration")
            starts_best = v is not None or np.array_equal(policy, best)
            if starts_best and solution.iterations != 1:
                raise Unusable(
                    f"evaluates {solution.iterations} policies; it starts from the "
                    "optimal one, and one evaluation shows that no action is better"
                )
        return solution.policy, np.asarray(solution.values, float)

    def trial(problem, policy=None, v=None, **options):
        best, exact = best_policy(problem)
        words = "policy_iteration"
        for name, value in (("policy", policy), ("v", v)):
            if value is not None:
                words += f", {name} = {value.tolist()}"
        return Trial(
            {
                "mdp": problem.mdp,
                "policy": policy,
                "v": v,
                "exact": exact,
                "best": best,
            },
            (best, as_floats(exact)),
            call,
            text=f"{words}: {problem.words}",
            **{"rtol": 1e-11, **options},
        )

    trials = []
    for problem in [*PROBLEMS, SLOW]:
        best, exact = best_policy(problem)
        trials.append(trial(problem))
        trials += [trial(problem, policy) for policy, _ in policies(problem)]
        trials.append(trial(problem, best))
        trials.append(trial(problem, v=as_floats(exact)))
    # refined: |values − v_π| ≤ u |v_π|, where a linear solver alone loses digits
    trials.append(trial(FAR, rtol=1.5 * 2**-52, delicate=True))
    return trials


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
    """value_iteration with another part; error: of the last change, what must be below the tolerance"""

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


def best_change(change, gamma):
    """H ‖change‖"""
    return abs(change).max() / (1 - gamma)


def rounds_with(
    error=best_change,
    evaluate=lambda mdp, policy, v: swept_from(mdp, policy, v, 50),
    improve=lambda mdp, v: q(mdp, v).argmax(axis=1),
    reported=lambda error: error + 1e-12,
    values_of=lambda v, Tv, gamma: Tv,
    count=lambda k: k,
    limit=20_000,
):
    """modified_policy_iteration with another part"""

    def iterate(
        mdp, tolerance=1e-8, sweeps=100, max_rounds=limit, v=None, on_iteration=None
    ):
        v = np.zeros(len(mdp.R)) if v is None else v
        for k in range(1, min(limit, max_rounds) + 1):
            policy = improve(mdp, v)
            Tv = bellman_operator(mdp, v, policy)
            bound = float(error(Tv - v, mdp.gamma))
            values = values_of(v, Tv, mdp.gamma)
            if on_iteration is not None:
                on_iteration(k, values.copy())
            if bound <= tolerance / 2:
                break
            v = evaluate(mdp, policy, Tv)
        return Solution(policy, values, count(k), reported(bound))

    return iterate


def swept_from(mdp, policy, v, sweeps):
    """v ← T_π v"""
    for _ in range(sweeps):
        v = bellman_operator(mdp, v, policy)
    return v


def centered(v, Tv, gamma):
    """The middle of (4.4)"""
    change = Tv - v
    return v + (change.min() + change.max()) / 2 / (1 - gamma)


def spread(change, gamma):
    """Half the width of (4.4)"""
    return np.ptp(change) / 2 / (1 - gamma)


def policy_rounds(
    rounds=20,
    better=greedy_policy,
    first=None,
    evaluate=policy_evaluation,
    bound=lambda v: 1e-9 * abs(v).max(),
    last=lambda previous, policy: previous,
    count=lambda k: k,
):
    """policy_iteration with another part; first: of (mdp, policy, v), where it starts"""

    def initial(mdp, policy, v):
        if policy is None:
            return greedy_policy(mdp, mdp.R.max(axis=1) if v is None else v)
        policy = as_policy(mdp, policy)
        if policy.ndim == 2:
            policy = greedy_policy(mdp, policy_evaluation(mdp, policy))
        return policy

    def iterate(mdp, policy=None, v=None, on_iteration=None):
        policy = (first or initial)(mdp, policy, v)
        for k in range(1, rounds + 1):
            values = evaluate(mdp, policy)
            if on_iteration is not None:
                on_iteration(k, values.copy())
            previous, policy = policy, better(mdp, values, policy)
            if (policy == previous).all():
                break
        return Solution(last(previous, policy), values, count(k), bound(values))

    return iterate


def from_default(mdp, policy, v):
    """The greedy policy of the rewards, whatever is given"""
    return greedy_policy(mdp, mdp.R.max(axis=1))


def with_tolerance(tolerance: Callable):
    """greedy_policy where another action must be better by more than tolerance(q)"""

    def greedy(mdp, v, current=None):
        each = q(mdp, v)
        if current is None:
            return each.argmax(axis=1)
        own = each[np.arange(len(each)), current]
        better = each.max(axis=1) > own + tolerance(own)
        return np.where(better, each.argmax(axis=1), current)

    return greedy


def of_q(policy: Callable, gamma: float | None = None):
    """greedy_policy of policy(q) without `current`, and with it unless that is as good"""

    def greedy(mdp, v, current=None):
        found = policy(mdp, q(mdp, v, gamma))
        return found if current is None else greedy_policy(mdp, v, current)

    return greedy


def last_of(each):
    """The last index of the maximum of each row"""
    return each.shape[1] - 1 - each[:, ::-1].argmax(axis=1)


ERRORS = [
    *errors_of(
        "greedy_policy",
        {
            "the lowest action value; it must be the highest": (
                lambda mdp, v, current=None: lowest(mdp, q(mdp, v)).argmin(axis=1)
            ),
            "greedy for the immediate reward: v is ignored": (
                lambda mdp, v, current=None: mdp.R.argmax(axis=1)
            ),
            "greedy for the next state's value: the reward is missing": of_q(
                lambda mdp, q: np.where(mdp.available, q - mdp.R, -np.inf).argmax(
                    axis=1
                )
            ),
            "the discount factor is missing": lambda mdp, v, current=None: (
                q(mdp, v, 1.0).argmax(axis=1)
                if current is None
                else greedy_policy(mdp.with_discount(1 - 2**-20), v, current)
            ),
            "this is the maximum, not the action that attains it": (
                lambda mdp, v, current=None: q(mdp, v).max(axis=1)
            ),
            "`current` is ignored: a tie must keep its action": (
                lambda mdp, v, current=None: q(mdp, v).argmax(axis=1)
            ),
            "`current` is returned as it is: a better action must replace it": (
                lambda mdp, v, current=None: (
                    greedy_policy(mdp, v) if current is None else current.copy()
                )
            ),
            "there is no tolerance: an action that is better by rounding only must not "
            "replace the current one": with_tolerance(lambda own: 0.0),
            "the tolerance is 1e-8: far more than rounding explains": with_tolerance(
                lambda own: 1e-8
            ),
            "the tolerance is np.isclose's, 1e-5 of the value: far more than rounding "
            "explains": with_tolerance(lambda own: 1e-8 + 1e-5 * abs(own)),
            "ties go to the last action; they must go to the first": of_q(
                lambda mdp, q: last_of(q)
            ),
        },
    ),
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
    *errors_of(
        "policy_iteration",
        {
            "ends after one evaluation; it must go on until the policy is unchanged": (
                policy_rounds(1)
            ),
            "ends after two evaluations; it must go on until the policy is unchanged": (
                policy_rounds(2)
            ),
            "improves by the immediate reward: the values are ignored": policy_rounds(
                better=lambda mdp, v, policy: mdp.R.argmax(axis=1)
            ),
            "takes the worst action in each state": policy_rounds(
                better=lambda mdp, v, policy: lowest(mdp, q(mdp, v)).argmin(axis=1)
            ),
            "evaluates a policy by one sweep": policy_rounds(
                evaluate=lambda mdp, policy: induced_chain(mdp, policy)[1]
            ),
            "evaluates a policy by 10 sweeps; v_π is the solution of (3.2)": (
                policy_rounds(
                    evaluate=lambda mdp, policy: swept(
                        *induced_chain(mdp, policy), mdp.gamma, 10
                    )
                )
            ),
            "the given start is ignored": policy_rounds(first=from_default),
            "the given v is ignored": policy_rounds(
                first=lambda mdp, policy, v: (
                    from_default(mdp, policy, v)
                    if policy is None
                    else greedy_policy(mdp, policy_evaluation(mdp, policy), None)
                    if np.ndim(policy) == 2
                    else policy
                )
            ),
            "error_bound is 0: the values are rounded": policy_rounds(
                bound=lambda v: 0.0
            ),
            "iterations is one too few: the first evaluation counts": policy_rounds(
                count=lambda k: k - 1
            ),
            "correct, but the values are not refined: a linear solver loses digits "
            "where γ is near 1": policy_rounds(),
        },
    ),
    *errors_of(
        "modified_policy_iteration",
        {
            "stops when the last change is below the tolerance; the error is up to H "
            "times that": rounds_with(lambda change, gamma: abs(change).max()),
            "stops when the last change is below the tolerance, and makes no sweeps: "
            "this is value iteration": rounds_with(
                lambda change, gamma: abs(change).max(), lambda mdp, policy, v: v
            ),
            "the middle of (4.4), although episodes end: there its bounds do not hold": (
                rounds_with(spread, values_of=centered)
            ),
            "stops on the span of the change, and returns T v, not the middle of (4.4)": (
                rounds_with(spread)
            ),
            "error_bound is 0: the values are not exact": rounds_with(
                reported=lambda error: 0.0
            ),
            "the policy is that of the rewards in every round": rounds_with(
                improve=lambda mdp, v: mdp.R.argmax(axis=1), limit=200
            ),
            "takes the worst action in each state": rounds_with(
                improve=lambda mdp, v: lowest(mdp, q(mdp, v)).argmin(axis=1), limit=200
            ),
            "iterations counts from 0": rounds_with(count=lambda k: k - 1),
        },
    ),
]
