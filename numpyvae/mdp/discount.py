"""Chapter 12. Critical discount factors, exactly, and the Blackwell-optimal policy.

The optimal policy depends on γ, and a grid of discount factors can miss a change.
So this chapter computes with polynomials in γ and exact fractions. By Cramer's rule
the value of a policy is a rational function of γ, with a polynomial n_s for each
state:

    v_π(γ) = (I − γ P_π)⁻¹ r_π = n(γ) / c(γ),        c(γ) = det(I − γ P_π).   (12.1)

c is positive for 0 ≤ γ < 1: it is 1 at γ = 0, continuous, and never 0 there, as the
inverse exists. The advantage (3.3) is a rational function with the same
denominator:

    q_π(s, a) − v_π(s) = p(γ) / c(γ),
    p(γ) = R(s, a) c(γ) + γ Σ_{s′} P(s′ | s, a) n_{s′}(γ) − n_s(γ).           (12.2)

π is optimal at γ exactly if no p(γ) is positive: then no action is better than π's,
so T v_π = v_π, and T has one fixed point, v* (chapter 5).

Start with an optimal π just above 0 and let γ rise. While π stays optimal, the
optimal actions are those with p = 0, and a polynomial that is zero on an interval
is zero everywhere. So the set of optimal policies can change only

  - at an isolated point, where p touches zero from below: the set is the same on
    both sides, and γ is not critical; or
  - where p turns positive: π is no longer optimal, the sets on the two sides
    differ, and this root is critical.

There is a last critical γ, if there is any. For policies, states and actions are
finitely many, so the polynomials p are, too. Each p that is not 0 everywhere has
finitely many roots. Above the last root in (0, 1) the set of optimal policies no
longer changes. Its policies are Blackwell-optimal: optimal for every discount factor
near enough to 1. So such a policy exists.

At a critical γ policy iteration continues with a policy that is optimal just above
it. Only sign changes matter, and they are isolated with Rolle's theorem: between
two neighboring sign changes of p′, p is monotone and has at most one of its own,
which bisection finds. The policy of the last interval is Blackwell-optimal.

The arithmetic is exact, but three limits remain. Each number of the problem is read
as a simple fraction near it, 0.333… as 1/3. The search starts at γ = 2⁻⁶⁰. Roots
are isolated down to 2⁻⁶⁰, so two that are closer can be missed.

For example, two states. In A the agent stays with reward 1, or goes to B with
reward 0; in B it stays with reward 2. Let π stay. Then c = (1 − γ)², n_A = 1 − γ
and n_B = 2(1 − γ). The polynomial of going is

    p(γ) = 0·c + γ n_B − n_A = (2γ − 1)(1 − γ),

negative below γ = ½ and positive above it:

    >>> from numpyvae.mdp import MDP, blackwell_policy, critical_discounts
    >>> stay, go = [[1, 0], [0, 1]], [[0, 1], [0, 1]]
    >>> mdp = MDP.from_action_matrices([stay, go], [[1, 0], [2, 2]], 0.0)
    >>> critical_discounts(mdp), blackwell_policy(mdp).tolist()
    ([0.5], [1, 0])

Source: Faddeev and Leverrier for n and c; Blackwell, Discrete dynamic programming
(1962).
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, pairwise

import numpy as np

from ..errors import InputError
from .model import MDP

ROOT_TOLERANCE = Fraction(1, 2**60)  # of a root, and where the search starts
MAX_DENOMINATOR = 10**6  # of numbers that were meant as fractions


def critical_discounts(mdp, R=None) -> list[float]:
    """The γ in (0, 1), ascending, where the set of optimal policies changes.

    mdp: an MDP, whose own γ is not used: critical_discounts(mdp). Or two arguments,
       as for MDP: critical_discounts(P, R).

    Accurate to float64 rounding, within the limits above. ValueError for more than
    100,000 policies.
    """
    return [float(gamma) for gamma, _ in _optimal_policy_intervals(mdp, R)][1:]


def blackwell_policy(mdp, R=None) -> np.ndarray:
    """A policy (S,) that is optimal from the last critical discount factor up to 1.

    Arguments: as for critical_discounts.
    """
    *_, (_, policy) = _optimal_policy_intervals(mdp, R)
    return policy


def _optimal_policy_intervals(mdp, R) -> Iterator[tuple]:
    """(γ, π): π is optimal from γ to the next pair's γ, or to 1."""
    if not isinstance(mdp, MDP):
        mdp = MDP(mdp, R, 0.0)
    S, A = mdp.R.shape
    if A**S > 100_000:
        raise InputError(
            f"{A} actions in {S} states make {A}^{S} policies; at most 100,000 are "
            "searched"
        )
    P = _to_fractions(mdp.transitions.toarray() if mdp.sparse else mdp.transitions)
    total = P.sum(axis=1) + _to_fractions(mdp.end.ravel()) + ~mdp.available.ravel()
    P = (P / total[:, None]).reshape(S, A, S)
    R = _to_fractions(np.where(mdp.available, mdp.R, 0))

    gamma: Fraction | None = ROOT_TOLERANCE  # just above 0
    policy = mdp.available.argmax(axis=1)
    while gamma is not None:
        policy, advantages = _exact_policy_iteration(P, R, mdp.available, gamma, policy)
        yield gamma, policy
        # No p is positive at γ, so the first that changes its sign turns positive.
        roots = [_sign_changes(p, gamma) for p in advantages]
        gamma = min(chain.from_iterable(roots), default=None)


def _exact_policy_iteration(P, R, available, gamma, policy) -> tuple:
    """Policy iteration in exact arithmetic: the policy and its advantage polynomials.

    Each p is scaled by a factor of its own, so only their signs compare: any better
    action is taken, the first.
    """
    while True:
        advantages = _advantage_polynomials(P, R, available, policy)
        better = np.reshape([_sign_at(p, gamma) > 0 for p in advantages], R.shape)
        if not better.any():
            return policy, advantages
        policy = np.where(better.any(axis=1), better.argmax(axis=1), policy)


def _advantage_polynomials(P, R, available, policy) -> list:
    """The p of (12.2) for each state and action, times a positive number of its own.

    Integers, lowest power first. Faddeev and Leverrier:
    (I − γ P)⁻¹ = Σₖ γᵏ Bₖ / Σₖ γᵏ cₖ, where B₀ = I and c₀ = 1, then
    cₖ = −tr(P Bₖ₋₁)/k and Bₖ = P Bₖ₋₁ + cₖ I, until B_S = 0.
    """
    S, A = R.shape
    P_pi, r = P[range(S), policy], R[range(S), policy]
    eye = np.full((S, S), Fraction(0), dtype=object)
    np.fill_diagonal(eye, Fraction(1))
    B = eye
    p = np.full((S, A, S + 1), Fraction(0), dtype=object)
    p[:, :, 0] = R
    for k in range(S):
        n = B @ r  # the coefficients of γᵏ
        p[:, :, k] -= n[:, None]
        p[:, :, k + 1] += P @ n
        PB = P_pi @ B
        c = -PB.trace() / (k + 1)
        p[:, :, k + 1] += R * c
        B = PB + c * eye
    p[~available] = Fraction(0)  # never an improvement, never a change of sign
    return [_to_integers(q) for q in p.reshape(S * A, S + 1)]


def _to_integers(p: np.ndarray) -> list[int]:
    """The polynomial times the least common denominator of its coefficients."""
    denominator = math.lcm(*(x.denominator for x in p))
    return [int(x * denominator) for x in p]


def _sign_changes(p: list, low, high=Fraction(1)) -> list:
    """Where p changes sign in (low, high), ascending.

    They are the right ends of brackets of width ROOT_TOLERANCE.
    """
    if len(p) < 2:
        return []
    slope = [k * x for k, x in enumerate(p)][1:]
    ends = [low, *_sign_changes(slope, low, high), high]
    return [
        _bisect(p, a, b)
        for a, b in pairwise(ends)
        if _sign_at(p, a) * _sign_at(p, b) < 0
    ]


def _bisect(p: list, a, b) -> Fraction:
    after = _sign_at(p, b)
    while b - a > ROOT_TOLERANCE:
        middle = (a + b) / 2
        if _sign_at(p, middle) == after:
            b = middle
        else:
            a = middle
    return b


def _sign_at(p: list, gamma: Fraction) -> int:
    """The sign of p(γ) at γ = m/d, by Horner's rule on dⁿ p(m/d), all in integers."""
    m, d = gamma.numerator, gamma.denominator
    value, power = 0, 1
    for x in reversed(p):
        value = value * m + x * power
        power *= d
    return (value > 0) - (value < 0)


def _to_fractions(x: np.ndarray) -> np.ndarray:
    """Each number as the simplest fraction near it, or exactly if there is none."""
    return np.vectorize(_to_fraction, otypes=[object])(x)


def _to_fraction(x: float) -> Fraction:
    """1/3 for 0.333…: a denominator to 10⁶, within two units in the last place."""
    exact = Fraction(x)
    simple = exact.limit_denominator(MAX_DENOMINATOR)
    near = abs(simple - exact) <= 2 * Fraction(np.spacing(abs(x)))
    return simple if near else exact
