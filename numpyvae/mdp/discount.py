"""What the discount does: the exact points at which the optimal policy changes, and the policy that wins in the end.

A small γ looks near and a large one looks far, and somewhere between them the optimal policy changes. Where? No grid
of discounts can tell for certain; algebra can. By Cramer's rule the value of a policy is a rational function of the
discount,

    v_π(γ) = (I - γ P_π)⁻¹ r_π = N(γ) / c(γ),        c(γ) = det(I - γ P_π) > 0 for 0 ≤ γ < 1,

and so is the advantage of taking action a once and following π thereafter,

    q_π(s, a) - v_π(s) = p(γ) / c(γ),        p(γ) = R(s, a) c(γ) + γ Σₜ P(t | s, a) Nₜ(γ) - Nₛ(γ).

π is optimal at γ exactly when no p(γ) is positive. Follow an optimal π up from γ = 0: while it stays optimal, the
optimal actions are those with p = 0, and a polynomial that vanishes on an interval vanishes everywhere. So the set of
optimal policies can change only

  - for an instant, where some p touches zero from below and returns: it is the same on both sides, and no switch; or
  - where some p turns positive: π is optimal no longer, the sets on the two sides differ, and that root is the switch.

Only sign changes matter, and those are safe to find by Rolle: between two neighbouring sign changes of p′, p is
monotone and has at most one of its own, which bisection finds. All of this is done in fractions, where a sign is a
sign and a tie is a tie; only the roots, which are seldom rational, are rounded, to 2⁻⁶⁰. The last policy of the walk
is Blackwell's: it is optimal for every discount near enough to 1.

Source: Faddeev & Leverrier for N and c; Blackwell, Discrete dynamic programming (1962). Next: chain, where all of it
is seen at work.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np

from .bellman import MDP

RESOLUTION = Fraction(1, 2**60)     # of a root; two sign changes nearer than this would be taken for none


def discount_switches(P, R) -> list[float]:
    """The discounts in (0, 1), ascending, where the set of optimal policies differs on the two sides. P, R as for MDP.

    Right to one rounding of float64. ValueError for more than 100,000 policies.
    """
    return [float(gamma) for gamma, _ in _reign(P, R)][1:]


def blackwell_policy(P, R) -> np.ndarray:
    """A policy (S,) that is optimal for every discount from the last switch up to 1. P, R as for MDP, and small."""
    *_, (_, policy) = _reign(P, R)
    return policy


def _reign(P, R) -> Iterator[tuple]:
    """(γ, π): π is optimal from γ to the next pair's γ, or to 1."""
    mdp = MDP(P, R, 0.0)
    S, A = mdp.R.shape
    if A ** S > 100_000:
        raise ValueError(f"{A} actions in {S} states make {A}^{S} policies; switches are found for at most 100000")
    P = _exact(mdp.rows.toarray() if mdp.sparse else mdp.rows)
    P = (P / P.sum(axis=1, keepdims=True)).reshape(S, A, S)
    R = _exact(mdp.R)

    gamma, policy = RESOLUTION, np.zeros(S, dtype=np.intp)      # a hair to the right of 0
    while gamma is not None:
        policy, advantages = _optimal(P, R, gamma, policy)
        yield gamma, policy
        # No p is positive at γ, so whichever changes sign first turns positive.
        gamma = min((turn for p in advantages for turn in _sign_changes(p, gamma)), default=None)


def _optimal(P, R, gamma, policy) -> tuple:
    """Policy iteration without rounding, from `policy`: the optimal policy at γ, and its p's."""
    while True:
        advantages = _advantages(P, R, policy)
        better = np.reshape([_sign(p, gamma) > 0 for p in advantages], R.shape)
        if not better.any():
            return policy, advantages
        policy = np.where(better.any(axis=1), better.argmax(axis=1), policy)


def _advantages(P, R, policy) -> list:
    """The polynomials p, state by state and action by action: integers, lowest power first (p times a positive number).

    Faddeev and Leverrier: (I - γP)⁻¹ = Σₖ γᵏ Bₖ / Σₖ γᵏ cₖ, where B₀ = I and c₀ = 1, then cₖ = -tr(P Bₖ₋₁)/k and
    Bₖ = P Bₖ₋₁ + cₖ I, until B_S = 0.
    """
    S, A = R.shape
    Pi, r = P[range(S), policy], R[range(S), policy]
    eye = np.array([[Fraction(s == t) for t in range(S)] for s in range(S)], dtype=object)
    B, p = eye, np.full((S, A, S + 1), Fraction(0), dtype=object)
    p[:, :, 0] = R
    for k in range(S):
        N = B @ r                                               # the coefficient of γᵏ
        p[:, :, k] -= N[:, None]
        p[:, :, k + 1] += P @ N
        PB = Pi @ B
        c = -PB.trace() / (k + 1)
        p[:, :, k + 1] += R * c
        B = PB + c * eye
    return [[int(x * math.lcm(*(y.denominator for y in q))) for x in q] for q in p.reshape(S * A, S + 1)]


def _sign_changes(p: list, low, high=Fraction(1)) -> list:
    """Where p changes sign in (low, high), ascending: the right ends of brackets of width RESOLUTION."""
    if len(p) < 2:
        return []
    slope = [k * x for k, x in enumerate(p)][1:]
    ends = [low, *_sign_changes(slope, low, high), high]
    return [_bisect(p, a, b) for a, b in pairwise(ends) if _sign(p, a) * _sign(p, b) < 0]


def _bisect(p: list, a, b) -> Fraction:
    after = _sign(p, b)
    while b - a > RESOLUTION:
        middle = (a + b) / 2
        if _sign(p, middle) == after:
            b = middle
        else:
            a = middle
    return b


def _sign(p: list, gamma: Fraction) -> int:
    """The sign of p(γ) at γ = m/d, by Horner's rule on dⁿ p(m/d), all in integers."""
    m, d = gamma.numerator, gamma.denominator
    value, power = 0, 1
    for x in reversed(p):
        value = value * m + x * power
        power *= d
    return (value > 0) - (value < 0)


def _exact(x: np.ndarray) -> np.ndarray:
    """The fractions that the floats stand for: 1/3 for 0.333…, where a denominator up to a million is within two ulps."""

    def fraction(value):
        near = Fraction(value).limit_denominator(10**6)
        return near if abs(near - Fraction(value)) <= 2 * Fraction(np.spacing(abs(value))) else Fraction(value)

    return np.vectorize(fraction, otypes=[object])(x)
