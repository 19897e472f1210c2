"""Optional reading: the rounding error of policy values, and which differences between actions are significant.

"Every optimal action" must contain both of two actions with equal values. In floating point equal values come out
unequal, so a comparison needs a tolerance: above the rounding error (or ties are missed, and policy iteration may
cycle), and not much above it (or worse actions count as ties). Below, u = 2⁻⁵² is machine epsilon.

The LU solution of (I − γ P) v = r is not good enough. Its error is of order u·H·‖v‖, and ‖v‖ itself grows as
H = 1/(1 − γ), so that at γ = 1 − 10⁻⁸ the error exceeds every reward. Iterative refinement removes it. With e = v − v̂,

    (I − γ P) e = r + γ P v̂ − v̂ = δ,                                                                            (R.1)

and the same factors solve this for e. The residual δ suffers from cancellation; computed naively it is pure rounding
error. So every product and every sum is split into high + low without error, which doubles the precision. Each
iteration multiplies the error by a factor of order S·u·H. In the end v̂ is the float nearest to v in each state, or its
neighbor. The last e, with a bound on its own error by (3.5), says how near.

The tie tolerance τ(s, a) of (4.5) follows: q is a sum of k + 1 terms, k of them products, and each rounding is at most
u/2 of a partial sum. Two actions tie if their values differ by at most the sum of their τ. Only rewards and values that
enter this one comparison enter τ: a reward of −10⁹ elsewhere does not make different actions equal.

Source: Dekker 1971; Wilkinson 1963; Higham, Accuracy and Stability of Numerical Algorithms (2002), chapters 4 and 12.
"""

from numbers import Real

import numpy as np
from scipy.sparse import csr_array

from .bellman import factorize, induced_chain
from .model import MDP
from .validation import U


def rounding_unit(mdp: MDP) -> float:
    """A computed T v − v has a rounding error of at most this times ‖r_π‖ + 2‖v‖, by the count of (4.5)."""
    return (next_states(mdp) + 3) * U / 2


def tie_tolerance(mdp: MDP, v: np.ndarray, error=None) -> np.ndarray:
    """τ (S, A), equation (4.5). error: a bound on |v̂ − v|; by default u·|v̂|, as of refined values."""
    error = U * abs(v) if error is None else error
    inherited = mdp.gamma * (mdp.transitions @ np.broadcast_to(error, v.shape))
    size = np.where(mdp.available, abs(mdp.R), 0).reshape(-1) + mdp.gamma * (mdp.transitions @ abs(v))
    return (inherited + (next_states(mdp) + 2) * U / 2 * size).reshape(mdp.R.shape)


def check_tolerance(mdp: MDP, tolerance: float, H: float) -> None:
    """ValueError if the tolerance of a solver is invalid, or certainly below rounding."""
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real) or not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance is {tolerance}; it must be a positive number")
    # v* = T v* and the triangle inequality: ‖v*‖ ≥ ‖T 0‖/(1 + γ)
    _check_rounding(mdp, tolerance, 4 * H * rounding_unit(mdp) * abs(mdp.R.max(axis=1)).max() / (1 + mdp.gamma))


def bound_with_rounding(mdp: MDP, tolerance: float, H: float, v, Tv, error: float) -> float:
    """`error`, of exact arithmetic, plus the rounding of T v − v. ValueError if the sum cannot reach the tolerance."""
    unit = H * rounding_unit(mdp)
    rounding = unit * (abs(Tv).max() + 3 * abs(v).max())                # ‖r_π‖ ≤ ‖T v‖ + ‖v‖
    if error + rounding > tolerance:
        if error <= rounding:                                           # more sweeps cannot help
            _check_rounding(mdp, tolerance, error + rounding)
        else:                                                           # nor here, if v* itself is too large:
            low, high = (Tv - v).min(), (Tv - v).max()                  # as in (4.4), but also where episodes end
            above = v.max() + low * (H if low < 0 else 1)               # ≤ max v*
            below = v.min() + high * (H if high > 0 else 1)             # ≥ min v*
            _check_rounding(mdp, tolerance, 4 * unit * max(above, -below))
    return error + rounding


def _check_rounding(mdp: MDP, tolerance: float, rounding: float) -> None:
    if rounding > tolerance:
        raise ValueError(f"float64 cannot certify values to {tolerance:g} at gamma = {mdp.gamma}: "
                         f"rounding alone may cost {rounding:.2g}; ask for less, or use policy_iteration")


def next_states(mdp: MDP) -> int:
    """k: the largest number of next states of any row, or S if the rows are stored densely."""
    return int(np.diff(mdp.transitions.indptr).max()) if mdp.sparse else len(mdp.R)


def refined_policy_evaluation(mdp: MDP, policy) -> np.ndarray:
    """v_π (S,) as policy_evaluation gives it, refined: |v̂ − v_π| ≤ u·|v_π| in each state. About ten times slower."""
    P, r = induced_chain(mdp, policy)
    v, _ = refine(P, r, mdp.gamma, factorize(P, mdp.gamma), H=1.0)      # H enters the bound alone
    return v


def refine(P, r, gamma: float, solve, H: float) -> tuple:
    """v_π (S,) and a bound on its error (S,). solve: as factorize returns it. H: of (3.5)."""
    P, scale = csr_array(P), 2.0 ** (np.frexp(abs(r).max())[1] - 1)
    # exact, and products stay in the range of `_two_product`
    r, longest = r / scale, max(np.diff(P.indptr).max(), 1)
    v, last = solve(r), np.inf
    while True:
        delta = exact_residual(P, r, gamma, v)
        e = solve(delta)
        if not abs(e).max() < last / 2:                         # converged: the correction is at the level of rounding
            break
        v, last = v + e, abs(e).max()
    # (3.5) for e: its own residual, the rounding of that, and the rounding of delta
    unsolved = abs(delta - e + gamma * (P @ e)).max() + (longest + 4) * U * abs(e).max()
    unsolved += U * abs(delta).max() + 4 * longest * U**2 * (abs(r).max() + 2 * abs(v).max())
    return v * scale, (abs(e) + H * unsolved) * scale


def exact_residual(P, r, gamma: float, v) -> np.ndarray:
    """r + γ P v − v, with error-free products and sums: as if computed in twice the precision and rounded once."""
    P = csr_array(P)
    w, w_low = _two_product(gamma, v)
    total, low = _two_sum(r, -v)
    length = np.diff(P.indptr)
    for k in range(length.max()):                       # the k-th entry of every row that has one
        rows = np.flatnonzero(length > k)
        at = P.indptr[rows] + k
        p, column = P.data[at], P.indices[at]
        product, product_low = _two_product(p, w[column])
        total[rows], carry = _two_sum(total[rows], product)
        low[rows] += carry + (product_low + p * w_low[column])
    return total + low


def _two_sum(a, b) -> tuple:
    """a + b = high + low without error (Knuth)"""
    high = a + b
    b_part = high - a
    return high, (a - (high - b_part)) + (b - b_part)


def _two_product(a, b) -> tuple:
    """a·b = high + low without error (Dekker), for |a|, |b| < 10³⁰⁰, unless low is below the smallest normal float"""
    (a1, a2), (b1, b2) = _split(a), _split(b)
    high = a * b
    return high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2


def _split(x) -> tuple:
    """x = x1 + x2, 26 bits each, so that products of halves are exact (Veltkamp)"""
    c = 134217729.0 * x                         # 2²⁷ + 1
    x1 = c - (c - x)
    return x1, x - x1
