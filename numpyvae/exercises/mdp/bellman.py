"""Book two, chapter 3, Bellman's equations: oracles and known errors.

The oracles are exact fractions, and every policy in turn.

Probabilities and rewards are dyadic, so their float64 is exact; values are solutions of
linear systems in fractions.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ...mdp.bellman import (
    action_values,
    bellman_operator,
    induced_chain,
    policy_evaluation,
)
from ...mdp.model import MDP
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial


class Problem(NamedTuple):
    """P[s][a][s′] and R[s][a]

    A row that sums to less than 1 ends the episode; R None: no such action.
    """

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
PROBLEMS += [
    Problem("one state, episodes end with probability 1/2", [[[0.5]]], [[1]], 0.5),
    Problem("3 states, 2 actions, gamma 0", *CYCLE, 0.0),
]
UNDISCOUNTED = [
    Problem("3 states, episodes end, gamma 1", ENDS, [[1, 0], [-2, 2], [4, 0.5]], 1.0)
]
SIXTEENTHS = np.array(
    [[[1, 4, 11], [7, 1, 8]], [[0, 6, 10], [0, 2, 14]], [[0, 11, 5], [8, 3, 5]]]
)
FAR = Problem(
    "3 states, 2 actions, gamma 1023/1024",
    (SIXTEENTHS / 16).tolist(),
    [[-2, 1], [2, -1], [0, 4]],
    1023 / 1024,
)


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


def best_policy(problem: Problem) -> tuple[np.ndarray, list]:
    """The policy that no other beats in any state, unique here, and its values"""
    values = {
        actions: value_of(problem, one_hot(problem, actions))
        for actions in deterministic(problem)
    }
    best = [max(v[s] for v in values.values()) for s in range(len(problem.R))]
    (actions,) = [actions for actions, v in values.items() if v == best]
    return np.array(actions), best


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
    """make(problem) yields (more inputs, their text, expected, call) for each trial"""
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
    """The first policy, the last, and one that chooses at random

    Each as the package takes it, and as probabilities.
    """
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

    return trials_for("policy_evaluation", make, [*PROBLEMS, *UNDISCOUNTED, FAR])


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


# Known errors


def q(mdp, v, gamma=None):
    """R + γ P v (S, A), with another γ if one is given"""
    gamma = mdp.gamma if gamma is None else gamma
    return mdp.R + gamma * (mdp.transitions @ v).reshape(mdp.R.shape)


def lowest(mdp, q):
    """q with +∞, where an action is not available"""
    return np.where(mdp.available, q, np.inf)


def last_of(each):
    """The last index of the maximum of each row"""
    return each.shape[1] - 1 - each[:, ::-1].argmax(axis=1)


def or_nan(matrix, b):
    """The solution of a linear system, NaN where the matrix is singular"""
    try:
        return np.linalg.solve(matrix, b)
    except np.linalg.LinAlgError:
        return np.full(len(b), np.nan)


def evaluation_of(value):
    """policy_evaluation with value(I, P, r, γ)"""

    def evaluate(mdp, policy):
        P, r = induced_chain(mdp, policy)
        return value(np.eye(len(r)), P, r, mdp.gamma)

    return evaluate


def swept(P, r, gamma, sweeps):
    """v ← r + γ P v, from 0"""
    v = 0 * r
    for _ in range(sweeps):
        v = r + gamma * (P @ v)
    return v


def as_actions(mdp, policy):
    """The most probable action of each state"""
    return np.argmax(policy, axis=1) if np.ndim(policy) == 2 else policy


def as_random(mdp, policy):
    """Every available action with the same probability"""
    return mdp.available / mdp.available.sum(axis=1, keepdims=True)


def weighted(mdp, v, policy):
    """Σ π q, with 0 · (−∞) = NaN where an action is not available"""
    weights = np.eye(mdp.R.shape[1])[policy] if np.ndim(policy) == 1 else policy
    return (weights * q(mdp, v)).sum(axis=1)


def weighted_evaluation(mdp, policy):
    """policy_evaluation with r = Σ π R, with 0 · (−∞) = NaN"""
    weights = np.eye(mdp.R.shape[1])[policy] if np.ndim(policy) == 1 else policy
    P, _ = induced_chain(mdp, policy)
    return or_nan(np.eye(len(P)) - mdp.gamma * P, (weights * mdp.R).sum(axis=1))


def advantages_of(difference):
    """advantages with difference(mdp, q_π, v_π)"""

    def advantages(mdp, policy):
        v = policy_evaluation(mdp, policy)
        return difference(mdp, action_values(mdp, v), v[:, None])

    return advantages


def under_policy(operator):
    """bellman_operator with operator(mdp, v, policy) where a policy is given"""
    return lambda mdp, v, policy=None: (
        bellman_operator(mdp, v) if policy is None else operator(mdp, v, policy)
    )


def in_chain(term):
    """bellman_operator with term(P, r, γ, v) where a policy is given"""
    return under_policy(
        lambda mdp, v, policy: term(*induced_chain(mdp, policy), mdp.gamma, v)
    )


def without_policy(operator):
    """bellman_operator with operator(mdp, v) where no policy is given"""
    return lambda mdp, v, policy=None: (
        operator(mdp, v) if policy is None else bellman_operator(mdp, v, policy)
    )


ERRORS = [
    *errors_of(
        "action_values",
        {
            "the discount is on the reward: γ (R + P v)": lambda mdp, v: np.where(
                mdp.available, mdp.gamma * lowest(mdp, q(mdp, v, 1.0)), -np.inf
            ),
            "the discount factor is missing": lambda mdp, v: q(mdp, v, 1.0),
            "the reward is missing: this is γ P v": lambda mdp, v: (
                q(mdp, v) - np.where(mdp.available, mdp.R, 0)
            ),
            "the value of the state itself, not of the next state: R + γ v(s)": (
                lambda mdp, v: mdp.R + mdp.gamma * v[:, None]
            ),
            "the discount factor is squared": lambda mdp, v: q(mdp, v, mdp.gamma**2),
            "an action that is not available has γ P v; it must have −∞": (
                lambda mdp, v: q(mdp, v) - np.where(mdp.available, 0, mdp.R)
            ),
            "γ P v is subtracted; it must be added": lambda mdp, v: q(
                mdp, v, -mdp.gamma
            ),
            "the best next state, not the mean over the next states": lambda mdp, v: (
                mdp.R
                + mdp.gamma * np.where(mdp.P > 0, v, -np.inf).max(axis=2, initial=-1e9)
            ),
            "the most probable next state, not the mean over the next states": (
                lambda mdp, v: mdp.R + mdp.gamma * v[mdp.P.argmax(axis=2)]
            ),
            "the transitions are transposed: P(s | s′, a)": lambda mdp, v: (
                mdp.R + mdp.gamma * np.einsum("tas,t->sa", mdp.P, v)
            ),
        },
    ),
    *errors_of(
        "bellman_operator",
        {
            "the maximum is inside the expectation: max R + γ max v(s′)": (
                without_policy(
                    lambda mdp, v: (
                        mdp.R.max(axis=1)
                        + (q(mdp, v) - mdp.R).max(
                            axis=1, where=mdp.available, initial=-np.inf
                        )
                    )
                )
            ),
            "a minimum over the actions; it must be the maximum": without_policy(
                lambda mdp, v: lowest(mdp, q(mdp, v)).min(axis=1)
            ),
            "a mean over the actions; it must be the maximum": without_policy(
                lambda mdp, v: q(mdp, v).mean(axis=1)
            ),
            "a sum over the actions; it must be the maximum": without_policy(
                lambda mdp, v: q(mdp, v).sum(axis=1, where=mdp.available)
            ),
            "this is the best action's number, argmax; it must be the maximum": (
                without_policy(lambda mdp, v: q(mdp, v).argmax(axis=1))
            ),
            "the first action is taken, not the best": without_policy(
                lambda mdp, v: q(mdp, v)[:, 0]
            ),
            "without a policy the discount factor is missing": without_policy(
                lambda mdp, v: q(mdp, v, 1.0).max(axis=1)
            ),
            "with a policy the discount is on the reward: γ (r + P v)": in_chain(
                lambda P, r, g, v: g * (r + P @ v)
            ),
            "with a policy the discount factor is missing": in_chain(
                lambda P, r, g, v: r + P @ v
            ),
            "with a policy the transitions are transposed": in_chain(
                lambda P, r, g, v: r + g * (P.T @ v)
            ),
            "with a policy the reward is missing": in_chain(
                lambda P, r, g, v: g * (P @ v)
            ),
            "with a policy this is v_π: the fixed point, not one step": under_policy(
                lambda mdp, v, policy: policy_evaluation(mdp, policy)
            ),
            "the policy is ignored": under_policy(
                lambda mdp, v, policy: bellman_operator(mdp, v)
            ),
            "of a random policy only the most probable action is taken": under_policy(
                lambda mdp, v, policy: bellman_operator(mdp, v, as_actions(mdp, policy))
            ),
            "0 · (−∞) is NaN: an action with probability 0 may not be available": (
                under_policy(weighted)
            ),
        },
    ),
    *errors_of(
        "policy_evaluation",
        {
            "(I + γ P) v = r: the sign of γ P is wrong": evaluation_of(
                lambda I, P, r, g: or_nan(I + g * P, r)
            ),
            "(I − γ P)ᵀ v = r: the transitions are transposed": evaluation_of(
                lambda I, P, r, g: or_nan((I - g * P).T, r)
            ),
            "(I − P) v = r: the discount factor is missing": evaluation_of(
                lambda I, P, r, g: or_nan(I - P, r)
            ),
            "γ (I − P) v = r: γ multiplies the identity as well": evaluation_of(
                lambda I, P, r, g: or_nan(g * (I - P), r)
            ),
            "the discount is on the reward as well: v = γ (I − γ P)⁻¹ r": evaluation_of(
                lambda I, P, r, g: or_nan(I - g * P, g * r)
            ),
            "the normalized value (1 − γ) v": evaluation_of(
                lambda I, P, r, g: or_nan(I - g * P, (1 - g) * r)
            ),
            "(I − γ P) r: multiplied; the system must be solved": evaluation_of(
                lambda I, P, r, g: (I - g * P) @ r
            ),
            "this is r_π: the immediate reward only": evaluation_of(
                lambda I, P, r, g: r
            ),
            "this is two steps, r + γ P r": evaluation_of(
                lambda I, P, r, g: swept(P, r, g, 2)
            ),
            "200 sweeps of v ← r + γ P v: too few where γ is near 1": evaluation_of(
                lambda I, P, r, g: swept(P, r, g, 200)
            ),
            "1,000 sweeps of v ← r + γ P v: too few where γ is near 1": evaluation_of(
                lambda I, P, r, g: swept(P, r, g, 1000)
            ),
            "a diagonal that is set to 1, where 1 must be added: states that stay where "
            "they are go wrong": evaluation_of(
                lambda I, P, r, g: or_nan(np.where(I == 1, 1.0, -g * P), r)
            ),
            "of a random policy only the most probable action is taken": (
                lambda mdp, policy: policy_evaluation(mdp, as_actions(mdp, policy))
            ),
            "the policy is ignored: every action has the same probability": (
                lambda mdp, policy: policy_evaluation(mdp, as_random(mdp, policy))
            ),
            "0 · (−∞) is NaN: an action with probability 0 may not be available": (
                weighted_evaluation
            ),
        },
    ),
    *errors_of(
        "advantages",
        {
            "this is q_π: v is not subtracted": advantages_of(lambda mdp, q, v: q),
            "this is q + v: v is added": advantages_of(lambda mdp, q, v: q + v),
            "the best action value is subtracted, max q, in the place of v": (
                advantages_of(lambda mdp, q, v: q - q.max(axis=1)[:, None])
            ),
            "the mean over the actions is subtracted in the place of v": advantages_of(
                lambda mdp, q, v: q - q.mean(axis=1, where=mdp.available, keepdims=True)
            ),
            "this is R − v: the next state's value is missing": advantages_of(
                lambda mdp, q, v: mdp.R - v
            ),
            "the discount factor is missing in q": lambda mdp, policy: (
                q(mdp, policy_evaluation(mdp, policy), 1.0)
                - policy_evaluation(mdp, policy)[:, None]
            ),
            "of a random policy only the most probable action is taken": (
                lambda mdp, policy: advantages_of(lambda mdp, q, v: q - v)(
                    mdp, as_actions(mdp, policy)
                )
            ),
        },
    ),
]
