"""Book two, chapter 6, policy iteration: oracles and known errors.

The oracle is the best of all policies, in fractions.
"""

from collections.abc import Callable

import numpy as np

from ...mdp.bellman import as_policy, induced_chain, policy_evaluation
from ...mdp.improvement import greedy_policy
from ...mdp.solution import Solution
from ..judge.known_errors import errors_of
from ..judge.outputs import Unusable
from ..judge.verdict import Trial
from .bellman import (
    FAR,
    PROBLEMS,
    Problem,
    as_floats,
    best_policy,
    deterministic,
    evaluation_of,
    last_of,
    lowest,
    policies,
    q,
    q_of,
    swept,
    trials_for,
    vectors,
)
from .contraction import SLOW, check_bound, check_calls, read_solution


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
    """The first maximum of q in fractions; `current` keeps an action that is as good"""

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


def policy_iteration_trials() -> list[Trial]:
    """By the best of all policies, in fractions; from there one evaluation is enough"""

    def call(f, functions, mdp, policy, v, exact, best):
        starts_best = v is not None or np.array_equal(policy, best)
        solution = read_solution(f(mdp, policy, v), exact)
        if np.array_equal(solution.policy, best):
            check_bound(solution, exact)
            if starts_best and solution.iterations != 1:
                raise Unusable(
                    f"evaluates {solution.iterations} policies; it starts from the "
                    "optimal one, and one evaluation shows that no action is better"
                )
        return solution.policy, np.asarray(solution.values, float)

    def call_with_callback(f, functions, mdp, policy, v, exact, best):
        calls = []

        def record(k, v):
            calls.append((k, v.copy()))

        solution = read_solution(f(mdp, on_iteration=record), exact)
        check_calls(calls, solution, "on_iteration")
        return solution.policy, np.asarray(solution.values, float)

    def trial(problem, policy=None, v=None, call=call, **options):
        best, exact = best_policy(problem)
        words = "policy_iteration"
        for name, value in (("policy", policy), ("v", v)):
            if value is not None:
                words += f", {name} = {value.tolist()}"
        if call is call_with_callback:
            words += ", with on_iteration"
        inputs = {"mdp": problem.mdp, "policy": policy, "v": v}
        return Trial(
            {**inputs, "exact": exact, "best": best},
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
    trials.append(trial(PROBLEMS[2], call=call_with_callback))
    # refined: |values − v_π| ≤ u |v_π|, where a linear solver alone loses digits
    trials.append(trial(FAR, rtol=1.5 * 2**-52, delicate=True))
    return trials


# Known errors


def policy_rounds(
    rounds=20,
    better=greedy_policy,
    first=None,
    evaluate=policy_evaluation,
    bound=lambda v: 1e-9 * abs(v).max(),
    last=lambda previous, policy: previous,
    count=lambda k: k,
):
    """policy_iteration with another part; first(mdp, policy, v): where it starts"""

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
    """greedy_policy, of policy(q) where `current` is not given"""

    def greedy(mdp, v, current=None):
        found = policy(mdp, q(mdp, v, gamma))
        return found if current is None else greedy_policy(mdp, v, current)

    return greedy


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
                    evaluate=evaluation_of(lambda I, P, r, g: swept(P, r, g, 10))
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
]
