"""Oracles of the MDP tests: exact rational arithmetic, linear programming, and problems
small enough for them.
"""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog

from numpyvae.mdp import MDP

EPS = np.finfo(float).eps
DISCOUNTS = [0.0, 0.1, 0.5, 0.9, 0.99, 1 - 1e-4, 1 - 1e-8, 1 - 1e-12]


def exact_values(P, r, gamma) -> list[Fraction]:
    """(I - γP)⁻¹ r by Gauss and Jordan, in fractions of the very floats that are given."""
    n, gamma = len(r), Fraction(gamma)
    rows = [
        [Fraction(s == t) - gamma * Fraction(P[s][t]) for t in range(n)]
        + [Fraction(r[s])]
        for s in range(n)
    ]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                rows[i] = [
                    x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)
                ]
    return [row[n] for row in rows]


def exact_evaluation(mdp, policy) -> list[Fraction]:
    states = np.arange(len(mdp.R))
    P = mdp.transitions.reshape(*mdp.R.shape, -1)[states, policy]
    return exact_values(P.tolist(), mdp.R[states, policy].tolist(), mdp.gamma)


def linprog_values(mdp) -> np.ndarray:
    """v* as the smallest v with v ≥ R(·, a) + γ P v for every action: a linear program,
    solved by SciPy's HiGHS
    """
    S, A = mdp.R.shape
    P = mdp.transitions.toarray() if mdp.sparse else mdp.transitions
    constraints = mdp.gamma * P - np.repeat(np.eye(S), A, axis=0)
    kept = mdp.available.ravel()
    return linprog(
        np.ones(S), constraints[kept], -mdp.R.ravel()[kept], bounds=(None, None)
    ).x


def error(v, exact) -> float:
    """‖v - exact‖ / ‖exact‖, the difference taken before anything is rounded."""
    scale = max(map(abs, exact))
    return (
        float(
            max(abs(Fraction(a) - b) for a, b in zip(v.tolist(), exact, strict=True))
            / scale
        )
        if scale
        else float(abs(v).max())
    )


def random_mdp(rng, S, A, gamma) -> MDP:
    P = rng.dirichlet(np.ones(S), (S, A))
    P[rng.random(P.shape) < 0.3] = 0
    P[..., 0] += P.sum(axis=-1) == 0
    return MDP(P / P.sum(axis=-1, keepdims=True), rng.normal(size=(S, A)), gamma)


@st.composite
def mdps(draw, max_states=5, max_actions=3):
    """Small integers as weights and rewards: zeros, ties, cycles and unreachable states
    are common.
    """
    S, A = draw(st.integers(1, max_states)), draw(st.integers(1, max_actions))
    weights = np.array(
        draw(st.lists(st.integers(0, 3), min_size=S * A * S, max_size=S * A * S)),
        dtype=float,
    )
    weights = weights.reshape(S, A, S)
    weights[..., 0] += weights.sum(axis=-1) == 0
    R = np.array(
        draw(st.lists(st.integers(-3, 3), min_size=S * A, max_size=S * A))
    ).reshape(S, A)
    return MDP(
        weights / weights.sum(axis=-1, keepdims=True),
        R,
        draw(st.sampled_from([0.0, 0.3, 0.5, 0.9, 0.99])),
    )


def stream_problem(*rewards) -> tuple:
    """P and R of a problem where state 0 chooses between nothing (action 0) and a
    sequence of rewards, one per step.

    The advantage of action 1 is the polynomial in γ with these coefficients, lowest
    power first.
    """
    n = len(rewards)
    P, R = np.zeros((n + 1, 2, n + 1)), np.zeros((n + 1, 2))
    P[0, 0, n] = P[n, :, n] = 1
    R[0, 1] = rewards[0]
    for k in range(n):
        P[k, 1 if k == 0 else slice(None), k + 1] = 1
        if k:
            R[k] = rewards[k]
    return P, R
