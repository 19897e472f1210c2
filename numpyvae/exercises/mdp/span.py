"""Book two, chapter 7, modified policy iteration: oracle and known errors.

The oracle is that of value iteration.
"""

import numpy as np

from ...mdp.bellman import bellman_operator
from ...mdp.solution import Solution
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial
from .bellman import lowest, q
from .contraction import value_iteration_trials


def modified_policy_iteration_trials() -> list[Trial]:
    """As value_iteration_trials"""
    return value_iteration_trials("modified_policy_iteration", "on_iteration")


# Known errors


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
    """The middle of (7.2)"""
    change = Tv - v
    return v + (change.min() + change.max()) / 2 / (1 - gamma)


def spread(change, gamma):
    """Half the width of (7.2)"""
    return np.ptp(change) / 2 / (1 - gamma)


ERRORS = [
    *errors_of(
        "modified_policy_iteration",
        {
            "stops when the last change is below the tolerance; the error is up to H "
            "times that": rounds_with(lambda change, gamma: abs(change).max()),
            "stops when the last change is below the tolerance, and makes no sweeps: "
            "this is value iteration": rounds_with(
                lambda change, gamma: abs(change).max(), lambda mdp, policy, v: v
            ),
            "the middle of (7.2), although episodes end: there its bounds do not hold": (
                rounds_with(spread, values_of=centered)
            ),
            "stops on the span of the change, and returns T v, not the middle of (7.2)": (
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
