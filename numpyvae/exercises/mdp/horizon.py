"""Book two, chapter 4, a fixed number of steps: oracle and known errors.

The oracle is recursion, in fractions.
"""

from fractions import Fraction

import numpy as np

from ...mdp.horizon import FiniteHorizonSolution, backward_induction
from ..judge.known_errors import errors_of
from ..judge.outputs import Unusable, kind_of
from ..judge.verdict import Trial
from .bellman import (
    PROBLEMS,
    UNDISCOUNTED,
    Problem,
    as_floats,
    last_of,
    q,
    q_of,
    trials_for,
)

TIED = Problem(
    "2 states, 2 actions that are the same, gamma 0.5",
    [[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    [[1, 1], [2, 2]],
    0.5,
)


def tree(problem: Problem, steps: int, final: list, gamma: float) -> list:
    """(actions, values) for each number of steps to go, from 0, by recursion (4.1)"""
    if steps == 0:
        return [(None, final)]
    stages = tree(problem, steps - 1, final, gamma)
    each = q_of(problem, stages[-1][1], gamma)
    actions, values = [row.index(max(row)) for row in each], [max(row) for row in each]
    return [*stages, (actions, values)]


def backward_induction_trials() -> list[Trial]:
    """By recursion over the steps to go, in fractions"""

    def call(f, functions, mdp, horizon, final, gamma):
        result = f(mdp, horizon, final, gamma)
        if not hasattr(result, "policies") or not hasattr(result, "values"):
            raise Unusable(
                f"returns {kind_of(result)}; a FiniteHorizonSolution(policies, values) "
                "was expected"
            )
        return result.policies, result.values

    def make(problem):
        S = len(problem.R)
        for horizon, gamma, given in (
            (1, None, [Fraction(0)] * S),
            (2, 1.0, [Fraction(s + 3) for s in range(S)]),
            (2, 0.0, [Fraction(s + 3) for s in range(S)]),
            (3, 0.25, [Fraction(-2)] * S),
            (4, None, [Fraction(5 * s + 2) for s in range(S)]),
        ):
            ends = problem.terminal
            final = [0 if end else x for end, x in zip(ends, given, strict=True)]
            used = problem.gamma if gamma is None else gamma
            stages = tree(problem, horizon, final, used)[::-1]
            expected = (
                np.array([actions for actions, _ in stages[:-1]]),
                np.array([as_floats(v) for _, v in stages]),
            )
            f = as_floats(given) if len(set(given)) > 1 else float(given[0])
            inputs = {"horizon": horizon, "final": f, "gamma": gamma}
            shown = f.tolist() if isinstance(f, np.ndarray) else f
            words = f"horizon {horizon}, final = {shown}, gamma = {gamma}"
            yield inputs, words, expected, call

    return trials_for("backward_induction", make, [*PROBLEMS, *UNDISCOUNTED, TIED])


# Known errors


def induction(
    each=q,
    future=lambda values, t: values[t + 1],
    action=lambda each: each.argmax(axis=1),
    best=lambda each: each.max(axis=1),
    ended=True,
    final_of=lambda final, gamma: final,
    discount=lambda given, mdp: mdp.gamma if given is None else given,
):
    """backward_induction with another part; each(mdp, v, gamma): the action values"""

    def induce(mdp, horizon, final=0.0, gamma=None):
        gamma, S = discount(gamma, mdp), len(mdp.R)
        values, policies = np.zeros((horizon + 1, S)), np.zeros((horizon, S), np.intp)
        values[horizon] = np.where(mdp.terminal & ended, 0, final_of(final, gamma))
        for t in range(horizon - 1, -1, -1):
            stage = each(mdp, future(values, t), gamma)
            policies[t], values[t] = action(stage), best(stage)
        return FiniteHorizonSolution(policies, values)

    return induce


def changed(change):
    """backward_induction whose policies and values are change(policies, values)"""
    return lambda *args: FiniteHorizonSolution(*change(*backward_induction(*args)))


def extra(steps):
    """backward_induction with another number of steps, cut to the expected shapes"""

    def induce(mdp, horizon, final=0.0, gamma=None):
        policies, values = backward_induction(mdp, horizon + steps, final, gamma)
        return FiniteHorizonSolution(policies[:horizon], values[: horizon + 1])

    return induce


ERRORS = errors_of(
    "backward_induction",
    {
        "the discount is on the reward: γ (R + P v)": induction(
            lambda mdp, v, gamma: np.where(
                mdp.available,
                gamma * np.where(mdp.available, q(mdp, v, 1.0), 0),
                -np.inf,
            )
        ),
        "the discount factor is missing": induction(
            lambda mdp, v, gamma: q(mdp, v, 1.0)
        ),
        "the given gamma is ignored": induction(discount=lambda given, mdp: mdp.gamma),
        "gamma = 0 is taken as not given": induction(
            discount=lambda given, mdp: given or mdp.gamma
        ),
        "every stage has the final values after it, not those of the next stage": (
            induction(future=lambda values, t: values[-1])
        ),
        "the final values are ignored: f is 0": induction(
            final_of=lambda final, gamma: 0.0
        ),
        "the final values are discounted once more": induction(
            final_of=lambda final, gamma: gamma * final
        ),
        "a terminal state has its final value; an episode that has ended does not "
        "receive it": induction(ended=False),
        "the stages are in reverse order: the first must be the first step": changed(
            lambda policies, values: (policies[::-1], values[::-1])
        ),
        "the values are in the right order, the policies in reverse": changed(
            lambda policies, values: (policies[::-1], values)
        ),
        "there is one step too many": extra(1),
        "every stage has the policy of the first": changed(
            lambda policies, values: (0 * policies + policies[0], values)
        ),
        "ties go to the last action; they must go to the first": induction(
            action=last_of
        ),
        "the lowest action value; it must be the highest": induction(
            lambda mdp, v, gamma: np.where(mdp.available, q(mdp, v, gamma), np.inf),
            action=lambda each: each.argmin(axis=1),
            best=lambda each: each.min(axis=1),
        ),
        "a mean over the actions; it must be the maximum": induction(
            best=lambda each: each.mean(axis=1)
        ),
    },
)
