"""Oracles for book two: exact fractions, and every policy in turn.

Probabilities and rewards are dyadic, so their float64 is exact; values are solutions of linear systems in fractions.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ...mdp.model import MDP
from ..judge.verdict import Trial


class Problem(NamedTuple):
    """P[s][a][s′] and R[s][a]. A row that sums to less than 1 ends the episode; R None: no such action."""

    words: str
    P: list
    R: list
    gamma: float

    @property
    def mdp(self) -> MDP:
        R = [[-np.inf if r is None else float(r) for r in row] for row in self.R]
        end = [
            [
                0.0 if r is None else 1 - float(sum(row))
                for row, r in zip(*state, strict=True)
            ]
            for state in zip(self.P, self.R, strict=True)
        ]
        return MDP(np.array(self.P, float), np.array(R), self.gamma, end=np.array(end))

    @property
    def terminal(self) -> list[bool]:
        """Per state, whether every action ends the episode with reward 0"""
        return [
            all(
                r is None or (r == 0 and not any(row))
                for row, r in zip(*state, strict=True)
            )
            for state in zip(self.P, self.R, strict=True)
        ]


CYCLE = (
    [
        [[0, 1, 0], [1, 0, 0]],
        [[0, 0, 1], [0.5, 0.5, 0]],
        [[1, 0, 0], [0.25, 0.25, 0.5]],
    ],
    [[1, 0], [-2, 2], [4, 0.5]],
)
PROBLEMS = [
    Problem("one state, one action, reward 1, gamma 0.5", [[[1]]], [[1]], 0.5),
    Problem(
        "2 states, 2 actions, gamma 0.5",
        [[[0, 1], [1, 0]], [[1, 0], [0.5, 0.5]]],
        [[1, 0], [2, 3]],
        0.5,
    ),
    Problem("3 states, 2 actions, gamma 0.75", *CYCLE, 0.75),
    Problem(
        "3 states, 2 actions, negative rewards, gamma 0.875",
        CYCLE[0],
        [[-3, -1], [-2, -4], [-1, -2.5]],
        0.875,
    ),
    Problem(
        "3 states, 2 actions, one of them not available, gamma 0.75",
        CYCLE[0],
        [[1, 0], [-2, 2], [None, 0.5]],
        0.75,
    ),
]


ENDS = [
    [[0, 0.5, 0], [0.25, 0, 0.5]],
    [[0, 0, 1], [0.5, 0.25, 0]],
    [[0, 0, 0], [0, 0, 0]],
]
PROBLEMS += [
    Problem(
        "3 states, episodes end, gamma 0.75", ENDS, [[1, 0], [-2, 2], [4, 0.5]], 0.75
    ),
    Problem(
        "3 states, the last one terminal, gamma 0.75",
        ENDS,
        [[1, 0], [-2, 2], [0, None]],
        0.75,
    ),
]
UNDISCOUNTED = [
    Problem("3 states, episodes end, gamma 1", ENDS, [[1, 0], [-2, 2], [4, 0.5]], 1.0)
]


def solve(matrix: list, b: list) -> list:
    """The solution of a linear system, in fractions, by elimination"""
    rows = [[*row, value] for row, value in zip(matrix, b, strict=True)]
    for k in range(len(rows)):
        pivot = next(i for i in range(k, len(rows)) if rows[i][k] != 0)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(len(rows)):
            if i != k:
                rows[i] = [
                    x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)
                ]
    return [row[-1] for row in rows]


def chain(problem: Problem, policy: list) -> tuple:
    """P_π and r_π in fractions; policy: for each state a probability per action"""
    S, A = len(problem.R), len(problem.R[0])
    P = [
        [
            sum(Fraction(policy[s][a]) * Fraction(problem.P[s][a][t]) for a in range(A))
            for t in range(S)
        ]
        for s in range(S)
    ]
    r = [
        sum(
            Fraction(policy[s][a]) * Fraction(problem.R[s][a])
            for a in range(A)
            if policy[s][a]
        )
        for s in range(S)
    ]
    return P, r


def value_of(problem: Problem, policy: list) -> list:
    """v_π in fractions: (I − γ P_π) v = r_π"""
    P, r = chain(problem, policy)
    gamma = Fraction(problem.gamma)
    return solve(
        [[(s == t) - gamma * P[s][t] for t in range(len(r))] for s in range(len(r))], r
    )


def one_hot(problem: Problem, actions: tuple) -> list:
    """Actions as probabilities"""
    return [[int(a == chosen) for a in range(len(problem.R[0]))] for chosen in actions]


def deterministic(problem: Problem) -> list[tuple]:
    """Every policy that uses available actions only"""
    return list(
        itertools.product(
            *([a for a, r in enumerate(row) if r is not None] for row in problem.R)
        )
    )


def optimum(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """The policy that no other beats in any state, and its values (unique in PROBLEMS)"""
    values = {
        actions: value_of(problem, one_hot(problem, actions))
        for actions in deterministic(problem)
    }
    best = [max(v[s] for v in values.values()) for s in range(len(problem.R))]
    (actions,) = [actions for actions, v in values.items() if v == best]
    return np.array(actions), as_floats(best)


def as_floats(values: list) -> np.ndarray:
    """Each fraction, rounded once"""
    return np.array([float(x) for x in values])


def q_of(problem: Problem, v: list, gamma=None) -> list:
    """q(s, a) in fractions, −inf where an action is not available"""
    gamma = Fraction(problem.gamma if gamma is None else gamma)
    return [
        [
            -np.inf
            if r is None
            else Fraction(r)
            + gamma
            * sum(Fraction(p) * x for p, x in zip(problem.P[s][a], v, strict=True))
            for a, r in enumerate(row)
        ]
        for s, row in enumerate(problem.R)
    ]


def vectors(problem: Problem) -> list[list]:
    """Values to start from"""
    S = len(problem.R)
    return [
        [Fraction(1)] * S,
        [Fraction(s * s - 2 * s, 2) - 1 for s in range(S)],
        [Fraction(8 * (-1) ** s) for s in range(S)],
    ]


def trials_for(words: str, make: Callable, problems: list = PROBLEMS) -> list[Trial]:
    """make(problem) yields (more inputs, their text, expected, call) for each trial of a problem"""
    return [
        Trial(
            {"mdp": problem.mdp, **inputs},
            expected,
            call,
            text=f"{words}{', ' * bool(more)}{more}: {problem.words}",
        )
        for problem in problems
        for inputs, more, expected, call in make(problem)
    ]


def action_values_trials() -> list[Trial]:
    """Sums in fractions"""

    def make(problem):
        for v in vectors(problem):
            floats = as_floats(v)
            yield (
                {"v": floats},
                f"v = {floats.tolist()}",
                np.array([[float(x) for x in row] for row in q_of(problem, v)]),
                None,
            )

    return trials_for("action_values", make)


def policies(problem: Problem) -> list[tuple]:
    """(policy as the package takes it, as probabilities): the first, the last, and one that chooses at random"""
    found = [
        (np.array(actions), one_hot(problem, actions))
        for actions in dict.fromkeys(
            (deterministic(problem)[0], deterministic(problem)[-1])
        )
    ]
    if len(problem.R[0]) == 2:
        mixed = [
            [0.25, 0.75] if None not in row else [float(r is not None) for r in row]
            for row in problem.R
        ]
        found.append((np.array(mixed), mixed))
    return found


def bellman_operator_trials() -> list[Trial]:
    """Sums in fractions, and their maximum over the actions or mean under a policy"""

    def make(problem):
        for v in vectors(problem):
            floats = as_floats(v)
            yield (
                {"v": floats},
                f"v = {floats.tolist()}",
                as_floats([max(row) for row in q_of(problem, v)]),
                None,
            )
            for policy, probabilities in policies(problem):
                P, r = chain(problem, probabilities)
                expected = [
                    r[s]
                    + Fraction(problem.gamma)
                    * sum(p * x for p, x in zip(P[s], v, strict=True))
                    for s in range(len(r))
                ]
                words = f"v = {floats.tolist()}, policy = {policy.tolist()}"
                yield {"v": floats, "policy": policy}, words, as_floats(expected), None

    return trials_for("bellman_operator", make)


def policy_evaluation_trials() -> list[Trial]:
    """The solution of the linear system in fractions"""

    def make(problem):
        for policy, probabilities in policies(problem):
            yield (
                {"policy": policy},
                f"policy = {policy.tolist()}",
                as_floats(value_of(problem, probabilities)),
                None,
            )

    return trials_for("policy_evaluation", make, PROBLEMS + UNDISCOUNTED)


def advantages_trials() -> list[Trial]:
    """q − v in fractions"""

    def make(problem):
        for policy, probabilities in policies(problem):
            v = value_of(problem, probabilities)
            expected = [
                [float(x - v[s]) if x != -np.inf else x for x in row]
                for s, row in enumerate(q_of(problem, v))
            ]
            yield (
                {"policy": policy},
                f"policy = {policy.tolist()}",
                np.array(expected),
                None,
            )

    return trials_for("advantages", make)
