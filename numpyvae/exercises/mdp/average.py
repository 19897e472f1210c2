"""Book two, chapter 10, where a policy spends its time: oracle and known errors.

The oracle is a linear system in fractions.
"""

from fractions import Fraction

import numpy as np

from ...mdp.average import state_visitation
from ...mdp.bellman import induced_chain
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial
from .bellman import (
    PROBLEMS,
    UNDISCOUNTED,
    as_actions,
    as_floats,
    chain,
    or_nan,
    policies,
    solve,
    trials_for,
)


def state_visitation_trials() -> list[Trial]:
    """The solution of the transposed system in fractions"""

    def visits(problem, probabilities, start):
        gamma, S = Fraction(problem.gamma), len(start)
        P, _ = chain(problem, probabilities)
        system = [[(s == t) - gamma * P[t][s] for t in range(S)] for s in range(S)]
        scale = 1 - gamma if gamma < 1 else 1
        return as_floats([scale * x for x in solve(system, start)])

    def make(problem):
        S = len(problem.R)
        units = [[Fraction(int(s == t)) for t in range(S)] for s in range(S)]
        ends = [(a + b) / 2 for a, b in zip(units[0], units[-1], strict=True)]
        for policy, probabilities in policies(problem):
            words = f"policy = {policy.tolist()}"
            for start in (units[0], ends):
                floats = as_floats(start)
                yield (
                    {"policy": policy, "start": floats},
                    f"{words}, start = {floats.tolist()}",
                    visits(problem, probabilities, start),
                    None,
                )
            yield (
                {"policy": policy, "start": S - 1},
                f"{words}, start = {S - 1}",
                visits(problem, probabilities, units[-1]),
                None,
            )

    return trials_for("state_visitation", make, PROBLEMS + UNDISCOUNTED)


# Known errors


def visitation(d):
    """state_visitation with d(I, P, γ, d₀)"""

    def visits(mdp, policy, start):
        I = np.eye(len(mdp.R))
        P, _ = induced_chain(mdp, policy)
        return d(I, P, mdp.gamma, I[start] if np.ndim(start) == 0 else start)

    return visits


def scale(gamma):
    """1 − γ, or 1 at γ = 1"""
    return 1 - gamma if gamma < 1 else 1


def normalized(d):
    """d, divided by its sum"""
    return d / d.sum()


ERRORS = errors_of(
    "state_visitation",
    {
        "the factor 1 − γ is missing: the sum is H, not 1": visitation(
            lambda I, P, g, d: or_nan((I - g * P).T, d)
        ),
        "the factor 1 − γ at γ = 1: there it is omitted": visitation(
            lambda I, P, g, d: (1 - g) * or_nan((I - g * P).T, d)
        ),
        "the transitions are not transposed": visitation(
            lambda I, P, g, d: scale(g) * or_nan(I - g * P, d)
        ),
        "the discount factor is missing": visitation(
            lambda I, P, g, d: scale(g) * or_nan((I - P).T, d)
        ),
        "the sign of γ P is wrong": visitation(
            lambda I, P, g, d: scale(g) * or_nan((I + g * P).T, d)
        ),
        "one step only: P_πᵀ d₀": visitation(lambda I, P, g, d: P.T @ d),
        "the start is not counted: the sum begins after the first step": visitation(
            lambda I, P, g, d: scale(g) * (or_nan((I - g * P).T, d) - d)
        ),
        "this is d₀: no transition": visitation(lambda I, P, g, d: scale(g) * d),
        "divided by its sum, although episodes end: then the sum is less than 1": (
            lambda mdp, policy, start: normalized(state_visitation(mdp, policy, start))
        ),
        "the start is ignored: every state is as probable": visitation(
            lambda I, P, g, d: scale(g) * or_nan((I - g * P).T, 0 * d + 1 / len(d))
        ),
        "of a random policy only the most probable action is taken": (
            lambda mdp, policy, start: state_visitation(
                mdp, as_actions(mdp, policy), start
            )
        ),
    },
)
