"""What rounding does to the values of a policy, and how small a difference between two actions still means something.

Two actions tie when their values are equal, and "every optimal action" must hold both. In floating point equal values
come out unequal, so that a comparison needs a tolerance τ: above the error that rounding can cause (or ties are
missed, and policy iteration may swap one tied action for another for ever), and as little above it as can be (or
worse actions pass for ties).

The LU solution of (I - γ P) v = r is not good enough for that. Its error is of order eps/(1-γ)·‖v‖, and since ‖v‖
itself grows as 1/(1-γ), at γ = 1 - 10⁻⁸ it exceeds every reward. Refinement removes it. With e = v - v̂ the error,

    (I - γ P) e = r + γ P v̂ - v̂ = d,

and the same factors solve this for e. All depends on d, in which nearly everything cancels: computed as it stands, it
is rounding error alone. Computed from products without error (Dekker 1971: a·b = high + low, both floats) and summed
exactly (math.fsum), it is right to about eps²·‖v‖ (each low part is itself rounded), every round multiplies the error
by n·eps/(1-γ) or less, and v̂ becomes the nearest float to v, or its neighbour: wrong by at most eps·‖v‖, as long as
n·eps is well below 1-γ. (Here and in bellman, eps is float64's: 2⁻⁵², the distance from 1 to the next number.)

A computed q(s, a) = R + γ Σ P v̂, a sum over k next states, is then wrong by γ·eps·‖v‖ that it inherits and
(k+2)·eps/2·(‖R‖ + ‖v‖) of its own; two actions, by twice that. Hence, for γ < 1,

    τ = (k + 4)·eps·(‖R‖ + ‖v‖),        with no 1/(1-γ) in it.

Source: Wilkinson 1963; Higham, Accuracy and Stability of Numerical Algorithms (2002), chapter 12. Next: mdp.
"""

import math
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from .bellman import MDP, follow, solver

EPS = np.finfo(float).eps


def tie(mdp: MDP, v) -> float:
    """τ: action values nearer to each other than this are equal, as far as float64 can tell."""
    S, A = mdp.R.shape
    successors = np.diff(mdp.rows.indptr).max() if mdp.sparse else S
    return float((successors + 4) * EPS * (abs(mdp.R).max() + abs(v).max()))


def refined_evaluation(mdp: MDP, policy) -> np.ndarray:
    """v_π (S,) as policy_evaluation gives it, and then refined: ‖v̂ - v_π‖ ≤ eps·‖v_π‖, at ten times the time."""
    P, r = follow(mdp, policy)
    scale = 2.0 ** (np.frexp(abs(r).max())[1] - 1)  # v is proportional to r; without error, as near 1 as products need
    r = r / scale
    solve = solver(P, mdp.gamma)
    v, last = solve(r), np.inf
    while True:
        e = solve(defect(P, r, mdp.gamma, v))
        size = abs(e).max()
        if size >= last / 2:                    # no longer converging: at the floor, one float from the end
            return v * scale
        v, last = v + e, size


def defect(P, r, gamma: float, v) -> np.ndarray:
    """r + γ P v - v, every product kept whole and every sum rounded once."""
    P = csr_array(P)
    w, w_low = _product(gamma, v)
    high, low = _product(P.data, w[P.indices])
    low += P.data * w_low[P.indices]
    high, low, r, v = high.tolist(), low.tolist(), r.tolist(), v.tolist()
    rows = enumerate(pairwise(P.indptr.tolist()))
    return np.array([math.fsum((*high[i:j], *low[i:j], r[s], -v[s])) for s, (i, j) in rows])


def _product(a, b) -> tuple:
    """a·b = high + low without error, for |a|, |b| < 10³⁰⁰ (and unless low falls below the smallest normal float)"""
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    high = a * b
    return high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(x) -> tuple:
    """x = x1 + x2, 26 bits each, so that products of halves are exact (Veltkamp)"""
    c = 134217729.0 * x                         # 2²⁷ + 1
    x1 = c - (c - x)
    return x1, x - x1
