"""Optional reading: which differences between actions are more than rounding.

Policy iteration asks whether one action is better than another, and "every optimal
action" must contain both of two actions with equal values. In floating point equal
values come out unequal. So a comparison needs a tolerance: above the rounding error, or
ties are missed and policy iteration may cycle; and not much above it, or worse actions
count as ties. Below, u = 2⁻⁵² is machine epsilon.

The tolerance. Let v̂ be computed values and v the exact ones. A computed q(s, a) with k
next states has two errors: it inherits that of v̂, and its sum is rounded,

    τ(s, a) = γ Σ P |v̂ − v|  +  (k + 2)·u/2·( |R(s, a)| + γ Σ P |v̂| ).          (R.1)

The count k + 2: the sum has k products with P, one product with γ and one reward, and
each rounding is at most u/2 of a partial sum. Two actions tie if their values differ by
at most the sum of their τ. Only rewards and values that enter this one comparison enter
τ: a reward of −10⁹ elsewhere does not make different actions equal.

|v̂ − v| should be small. The LU solution of (I − γ P) v = r is not good enough. Its
error is of order u·H·‖v‖, and ‖v‖ itself grows as H = 1/(1 − γ), so that at γ = 1 −
10⁻⁸ the error exceeds every reward. Iterative refinement removes it. With e = v − v̂,

    (I − γ P) e = r + γ P v̂ − v̂ = δ,                                            (R.2)

and the same factors solve this for e. The residual δ suffers from cancellation;
computed naively it is pure rounding error. So its products are computed without error.
P and γ v̂ are cut into slices of few bits, as a long number into groups of digits. The
product of two slices, as a matrix product, is exact: all its terms are integers times
one power of two, and their sum is at most 2⁵³ of these. Products of the last slices,
which are small, are rounded, and the sum of all is kept as high + low. `_slice_count`
takes no more slices than u·|v| needs: two for 1,000 states at γ = 0.99, four at 1 −
10⁻⁹. Each iteration multiplies the error by about S·u·H. In the end v̂ is the float
nearest to v in each state, or its neighbor. The last e, with a bound on its own error
by (3.5), says how near.

Source: Dekker 1971; Wilkinson 1963; Ozaki, Ogita, Oishi and Rump 2012 (slices); Higham,
Accuracy and Stability of Numerical Algorithms (2002), chapters 4 and 12.
"""

from collections.abc import Iterator
from numbers import Real

import numpy as np
from scipy.sparse import csr_array, issparse

from ...errors import InputError
from ..bellman import factorize, total_chain
from ..model import MDP
from .validation import U

MAX_SLICES = 5  # more do not reduce the error: that of the sum remains
BLOCK = 65_536  # entries of P that are sliced at a time: they stay in the cache


def rounding_unit(mdp: MDP) -> float:
    """A computed T v − v is off by at most this times ‖r_π‖ + 2‖v‖, as (R.1) counts."""
    return (next_states(mdp) + 3) * U / 2


def tie_tolerance(
    mdp: MDP, v: np.ndarray, error=None, rows: np.ndarray | None = None
) -> np.ndarray:
    """τ (S, A), equation (R.1); or of these rows s·A + a of mdp.transitions only.

    error: a bound on |v̂ − v|; by default u·|v̂|, as of refined values
    """
    if error is None:
        error = U * abs(v)
    unit = (next_states(mdp) + 2) * U / 2
    size = unit * np.where(mdp.available, abs(mdp.R), 0).reshape(-1)
    inherited = error + unit * abs(v)  # both sums of (R.1) in one product with P
    if rows is not None:
        return size[rows] + mdp.gamma * (mdp.transitions[rows] @ inherited)
    return (size + mdp.gamma * (mdp.transitions @ inherited)).reshape(mdp.R.shape)


def check_tolerance(tolerance: float) -> None:
    """ValueError if a solver's tolerance is no positive number."""
    number = isinstance(tolerance, Real) and not isinstance(tolerance, bool)
    if not number or not 0 < tolerance < np.inf:
        raise InputError(f"tolerance is {tolerance}; it must be a positive number")


def check_reachable(mdp: MDP, tolerance: float, H: float) -> float:
    """rounding_unit(mdp). ValueError if the tolerance is certainly below rounding.

    H: of (5.3), inf if not known
    """
    unit = rounding_unit(mdp)
    if np.isinf(H):
        return unit
    # v* = T v* and the triangle inequality: ‖v*‖ ≥ ‖T 0‖/(1 + γ)
    smallest = abs(mdp.R.max(axis=1)).max() / (1 + mdp.gamma)
    _check_rounding(mdp, tolerance, 4 * H * unit * smallest)
    return unit


def bound_with_rounding(
    mdp: MDP,
    tolerance: float,
    H: float,
    unit: float,
    v,
    Tv,
    change: tuple,
    error: float,
) -> float:
    """`error`, of exact arithmetic, plus the rounding of T v − v.

    H: of (5.3), inf if not known
    unit: rounding_unit(mdp)
    change: the extremes (low, high) of T v − v

    ValueError if the sum cannot reach the tolerance.
    """
    if np.isinf(H):
        return np.inf
    low, high = change
    v_min, v_max = v.min(), v.max()
    unit *= H
    # ‖r_π‖ ≤ ‖T v‖ + ‖v‖
    rounding = unit * (max(Tv.max(), -Tv.min()) + 3 * max(v_max, -v_min))
    if error + rounding <= tolerance:
        return error + rounding
    if error <= rounding:  # more sweeps cannot help
        _check_rounding(mdp, tolerance, error + rounding)
    else:  # nor here, if v* itself is too large
        # As in (7.2), but also where episodes end: above ≤ max v*, below ≥ min v*.
        above = v_max + low * (H if low < 0 else 1)
        below = v_min + high * (H if high > 0 else 1)
        _check_rounding(mdp, tolerance, 4 * unit * max(above, -below))
    return error + rounding


def _check_rounding(mdp: MDP, tolerance: float, rounding: float) -> None:
    if rounding > tolerance:
        raise InputError(
            f"float64 cannot certify values to {tolerance:g} at gamma = {mdp.gamma}: "
            f"rounding alone may cost {rounding:.2g}; ask for less, or use "
            "policy_iteration"
        )


def next_states(mdp: MDP) -> int:
    """k: the largest number of next states of any row, or S if rows are dense."""
    return _longest(mdp.transitions)


def _longest(P) -> int:
    """The number of terms of the longest sum in P @ v."""
    return int(np.diff(P.indptr).max()) if issparse(P) else P.shape[1]


def _entries(P) -> np.ndarray:
    return P.data if issparse(P) else P


def refined_policy_evaluation(mdp: MDP, policy) -> np.ndarray:
    """v_π (S,) as policy_evaluation gives it, refined: |v̂ − v_π| ≤ u·|v_π| per state.

    Up to twice its time.
    """
    P, r = total_chain(mdp, policy)
    solve = factorize(P, mdp.gamma)
    H = 1 / max(1 - mdp.gamma, U)
    return refine(P, r, mdp.gamma, solve, H, solve(r))[0]


def refine(P, r, gamma: float, solve, H: float, v) -> tuple:
    """v_π (S,) and a bound on its error (S,), by (R.2).

    solve: as `factorize` returns it; v: its solution; H: of (3.5)
    """
    # A power of two: exact, and products stay in the range of float64.
    scale = 2.0 ** (np.frexp(abs(r).max())[1] - 1)
    r, v = r / scale, v / scale
    terms = max(_longest(P), 1)
    slices, sliced = _slice_count(P, terms, H, r, v)
    last = np.inf
    while True:
        delta = exact_residual(P, r, gamma, v, slices)
        e = solve(delta)
        # half of u is the rounding of v, and 2% are for what is beyond first order
        only_rounding = (abs(e) <= 0.51 * U * abs(v)).all()
        shrinks = abs(e).max() < last / 2
        if only_rounding or not shrinks:
            break
        last = abs(e).max()
        v = v + e
    # (3.5) for e: its own residual, the rounding of that, and the rounding of delta
    unsolved = abs(delta - e + gamma * (P @ e)).max() + (terms + 4) * U * abs(e).max()
    unsolved += U * abs(delta).max() + sliced
    return v * scale, (abs(e) + H * unsolved) * scale


def _slice_count(P, longest: int, H: float, r, v) -> tuple:
    """How many slices, so that the error of δ costs at most u/8·|v|; and its bound.

    After n slices of b bits the rest is at most 2⁻ⁿᵇ of the largest entry, and so is
    the product of two slices i and j with i + j > n. These products are rounded. A sum of k
    terms has a relative error of at most k·u/2.
    """
    size, smallest = abs(v).max(), abs(v[v != 0]).min(initial=np.inf)
    # The entries of slice i + 1 are at most half a unit of slice i, so a row of them
    # sums to at most spread/2 · 2⁻ⁱᵇ.
    spread = longest * _power_above(_entries(P))
    bits = _slice_bits(longest)
    for slices in range(2, MAX_SLICES + 1):
        per_slice = (longest + 3) * U / 2 * (1 + (slices - 1) * spread / 2)
        rounded = per_slice * 2.0 ** ((1 - slices) * bits) * size
        summed = ((slices + 1) * (slices + 2) * U) ** 2 / 4
        error = rounded + summed * (abs(r).max() + 2 * size)
        if H * error <= U / 8 * smallest:
            break
    return slices, error


def _slice_bits(longest: int) -> int:
    """b with 2ᵇ · 2ᵇ · longest ≤ 2⁵³"""
    return (53 - int(longest).bit_length()) // 2


def _power_above(x) -> float:
    """The smallest power of two above all |entries| of x"""
    return 2.0 ** np.frexp(max(x.max(initial=0), -x.min(initial=0)))[1]


def _slices(x, power: float, bits: int, count: int) -> Iterator:
    """x as a sum of `count` arrays; power: above all |x|.

    They are multiples of power·2^−bits, of power·2^−2·bits, …, and the rest.
    """
    x = np.array(x)
    for k in range(1, count):
        # The floats near `shift` are multiples of power·2^(−k·bits).
        shift = 1.5 * 2.0**52 * power * 2.0 ** (-k * bits)
        part = (x + shift) - shift
        x -= part
        yield part
    yield x


def exact_residual(P, r, gamma: float, v, slices: int = MAX_SLICES) -> np.ndarray:
    """r + γ P v − v; with all slices as if in twice the precision and rounded once."""
    bits = _slice_bits(max(_longest(P), 1))
    w, w_low = _two_product(gamma, v)
    columns = np.column_stack(list(_slices(w, _power_above(w), bits, slices)))
    columns[:, -1] += w_low
    # tails[:, j]: the sum of columns j, j + 1, …
    tails = columns[:, ::-1].cumsum(axis=1)[:, ::-1]
    total, low = _two_sum(r, -v)
    power = _power_above(_entries(P))
    for rows, entries, as_matrix in _blocks(P):
        for i, part in enumerate(_slices(entries, power, bits, slices)):
            exact = slices - 1 - i  # so many products with slices of γ v are exact
            factors = np.column_stack([columns[:, :exact], tails[:, exact]])
            for product in (as_matrix(part) @ factors).T:
                total[rows], carry = _two_sum(total[rows], product)
                low[rows] += carry
    return total + low


def _blocks(P) -> Iterator[tuple]:
    """(rows, entries, the function that makes a matrix of such entries) of parts of P.

    A dense P is cut into blocks of rows, a sparse one is a single block.
    """
    if issparse(P):

        def with_pattern(data):
            return csr_array((data, P.indices, P.indptr), shape=P.shape)

        yield slice(None), P.data, with_pattern
        return
    height = max(BLOCK // P.shape[1], 1)
    for start in range(0, P.shape[0], height):
        rows = slice(start, start + height)
        yield rows, P[rows], np.asarray


def _two_sum(a, b) -> tuple:
    """a + b = high + low without error (Knuth)"""
    high = a + b
    b_part = high - a
    return high, (a - (high - b_part)) + (b - b_part)


def _two_product(a, b) -> tuple:
    """a·b = high + low without error (Dekker), for |a|, |b| < 10³⁰⁰.

    Unless low is below the smallest normal float.
    """
    a1, a2 = _split(a)
    b1, b2 = _split(b)
    high = a * b
    return high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2


def _split(x) -> tuple:
    """x = x1 + x2, 26 bits each, so that products of halves are exact (Veltkamp)"""
    c = 134217729.0 * x  # 2²⁷ + 1
    x1 = c - (c - x)
    return x1, x - x1
