"""Chapter 4. Solvers: value iteration, policy iteration, and modified policy iteration.

The optimal value v* satisfies the Bellman optimality equation v* = T v*, with T from (3.4). To average over next states
and to take a maximum are non-expansive, and γ contracts:

    ‖T u − T v‖ ≤ γ ‖u − v‖,                                                                                   (4.1)

so the fixed point v* is unique, and v ← T v approaches it from anywhere. A policy is greedy with respect to v if it
takes an action with the largest q(s, a) in each state. Three ways to v*:

    value iteration             v ← T v; the error shrinks by γ per sweep
    policy iteration            v ← v_π by (3.2), π ← greedy(v); few iterations, a linear system each
    modified policy iteration   v ← T v, π ← greedy, then sweeps of v ← T_π v, which cost one action, not A

The effective horizon is H = 1/(1 − γ): for small γ all three converge quickly; near 1 value iteration is slow, for it
needs about H·log 10 sweeps per decimal digit. At γ = 1 the place of H is taken by the largest expected length of an
episode; see `effective_horizon`. In both cases, by (3.5) and one more sweep,

    ‖v − v*‖ ≤ H ‖T v − v‖        and        ‖T v − v*‖ ≤ (H − 1) ‖T v − v‖.                                   (4.2)

Why policy iteration ends. With v = v_π, equation (3.5) for a new policy π′ reads

    v_π′ − v_π = (I − γ P_π′)⁻¹ ( q_π(·, π′) − v_π ).                                                          (4.3)

If π′ changes only actions that improve q, the bracket is nowhere negative. The inverse has no negative entry and is at
least I. So no value falls and one rises: no policy repeats, and there are finitely many. Rounding could break this
where two actions tie. So an action is replaced only if another is better by more than the error of both values: first
the error bound (3.5) of the LU solution; when that decides nothing any more, the values are refined (see rounding).

Modified policy iteration needs not wait for the constant part of the error, which decays slowest. If no episode ends,
adding c to v adds γc to T v, takes (1 − γ)c from T v − v, and changes no policy. Let low and high be the extremes of
T v − v. Then v* lies between v + low·H and v + high·H (MacQueen); the middle is within (high − low)/2·H of it.      (4.4)

Source: Puterman (1994), chapter 6; Howard 1960; MacQueen 1966; Bertsekas and Tsitsiklis 1991 for γ = 1.
"""

from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np

from .bellman import _action_values, action_values, as_policy, as_values, factorize, induced_chain, policy_evaluation
from .episodes import effective_horizon
from .model import MDP
from .rounding import next_states, refine, tie_tolerance
from .validation import U, check_count


class Solution(NamedTuple):
    """What a solver returns."""

    policy: np.ndarray      # (S,) action numbers
    values: np.ndarray      # (S,)
    iterations: int         # policies evaluated, sweeps of T, or rounds: what the method counts
    error_bound: float      # ‖values − v*‖ is at most this, rounding included


def greedy_policy(mdp: MDP, v, current=None) -> np.ndarray:
    """argmaxₐ q(s, a) (S,): greedy with respect to v; ties go to the lowest index.

    With `current`, a policy (S,): its action, unless another is better by more than rounding explains.
    """
    if current is None:
        return action_values(mdp, v).argmax(axis=1)
    v = as_values(mdp, v)
    return _improve(mdp, v, _deterministic(mdp, current), U * abs(v))


def _improve(mdp: MDP, v, policy, error) -> np.ndarray:
    """The greedy policy, but `policy` where the gain is within the error of the two action values. error: of v (S,)."""
    q, tau, states = _action_values(mdp, v), tie_tolerance(mdp, v, error), np.arange(len(v))
    best = q.argmax(axis=1)
    gain = q[states, best] - q[states, policy]
    return np.where(gain > tau[states, best] + tau[states, policy], best, policy)


def policy_iteration(mdp: MDP, policy=None, v=None, on_iteration: Callable | None = None) -> Solution:
    """v_π, then π ← greedy(v_π), until π is unchanged. The values are refined: |values − v_π| ≤ u·|v_π| in each state.

    policy: where to start, (S,) or (S, A); or v (S,): start from its greedy policy. Default: greedy for v = maxₐ R(s, a).
    on_iteration(k, v): called with the values of each policy.
    A large sparse problem needs a good start: policy_iteration(mdp, modified_policy_iteration(mdp, 1e-3).policy).
    """
    return solve_exactly(mdp, policy, v, on_iteration)[0]


def solve_exactly(mdp: MDP, policy=None, v=None, on_iteration: Callable | None = None) -> tuple:
    """policy_iteration's Solution, and a bound on |values − v_π| in each state (S,)"""
    if policy is None:
        policy = greedy_policy(mdp, mdp.R.max(axis=1) if v is None else v)
    elif np.ndim(policy) == 2:
        policy = greedy_policy(mdp, policy_evaluation(mdp, policy))
    policy, H, visited = _deterministic(mdp, policy), effective_horizon(mdp), set()
    unit = H * rounding_unit(mdp)
    while policy.tobytes() not in visited:              # by (4.3) always true; a safeguard against rounding beyond τ
        visited.add(policy.tobytes())
        P, r = induced_chain(mdp, policy)
        solve = factorize(P, mdp.gamma)
        v = solve(r)
        error = H * abs(r + mdp.gamma * (P @ v) - v).max() + unit * (abs(r).max() + 2 * abs(v).max())
        previous, policy = policy, _improve(mdp, v, policy, error)
        if (policy == previous).all():
            v, error = refine(P, r, mdp.gamma, solve, H)
            policy = _improve(mdp, v, policy, error)
        if on_iteration is not None:
            on_iteration(len(visited), v.copy())
        if (policy == previous).all():
            break
    bound = H * abs(_action_values(mdp, v).max(axis=1) - v).max() + unit * (abs(r).max() + 2 * abs(v).max())
    return Solution(previous, v, len(visited), float(bound)), np.broadcast_to(error, v.shape)


def value_iteration(mdp: MDP, tolerance: float = 1e-8, v=None, max_sweeps: int = 1_000_000,
                    on_sweep: Callable | None = None) -> Solution:
    """v ← T v, from v or zero, until ‖v − v*‖ ≤ tolerance by (4.2) and rounding. on_sweep(k, v): called after sweep k.

    (The span high − low of T v − v, often used, bounds the loss of the policy; the values may still be far from v*.)
    ValueError if float64 cannot reach the tolerance at this discount factor, or if max_sweeps do not.
    """
    check_count("max_sweeps", max_sweeps, 1)
    v, H, unit = _start(mdp, tolerance, v)
    for sweep in range(1, max_sweeps + 1):
        last, v = v, _action_values(mdp, v).max(axis=1)
        if on_sweep is not None:
            on_sweep(sweep, v.copy())
        low, high = (v - last).min(), (v - last).max()
        error = (H - 1) * max(high, -low)
        if error <= tolerance:
            policy = _action_values(mdp, v).argmax(axis=1)
            bound = error + unit * (abs(_chosen(mdp.R, policy)).max() + 2 * max(abs(v).max(), abs(last).max()))
            if bound <= tolerance:
                return Solution(policy, v, sweep, float(bound))
        _check_reachable(mdp, tolerance, H, unit, last, low, high)
    raise ValueError(f"value iteration is within {error:.3g} of the optimal values, not {tolerance:g}, "
                     f"after {max_sweeps} sweeps; use policy_iteration")


def modified_policy_iteration(mdp: MDP, tolerance: float = 1e-8, sweeps: int = 50, max_rounds: int = 1_000_000, v=None,
                              on_iteration: Callable | None = None) -> Solution:
    """Rounds of v ← T v and `sweeps` of v ← T_π v, from v or zero, until ‖v − v*‖ ≤ tolerance by (4.2) or (4.4).

    on_iteration(k, v): called in each round with the values that would be returned. ValueError as for value_iteration.
    """
    check_count("max_rounds", max_rounds, 1)
    check_count("sweeps", sweeps, 0)
    v, H, unit = _start(mdp, tolerance, v)
    centered = mdp.gamma < 1 and not mdp.end.any()
    for iteration in range(1, max_rounds + 1):
        q = _action_values(mdp, v)
        policy = q.argmax(axis=1)
        Tv = _chosen(q, policy)
        low, high = (Tv - v).min(), (Tv - v).max()
        values, error = (v + (low + high) / 2 * H, (high - low) / 2 * H) if centered else (Tv, (H - 1) * max(high, -low))
        if on_iteration is not None:
            on_iteration(iteration, values.copy())
        if error <= tolerance:
            bound = error + unit * (abs(_chosen(mdp.R, policy)).max() + 2 * max(abs(v).max(), abs(values).max()))
            if bound <= tolerance:
                return Solution(policy, values, iteration, float(bound))
        _check_reachable(mdp, tolerance, H, unit, v, low, high)
        P, r = induced_chain(mdp, policy)
        P *= mdp.gamma
        v = Tv
        for _ in range(sweeps):
            v = P @ v
            v += r
    raise ValueError(f"modified policy iteration is within {error:.3g} of the optimal values, not {tolerance:g}, "
                     f"after {max_rounds} rounds; use policy_iteration")


def rounding_unit(mdp: MDP) -> float:
    """The residual of computed values (4.2) has a rounding error of at most this times (‖R‖ + 2‖v‖), as for (R.2)."""
    return (next_states(mdp) + 3) * U / 2


def _start(mdp: MDP, tolerance: float, v) -> tuple:
    """The values to start from, H, and H times rounding_unit."""
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real) or not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance is {tolerance}; it must be a positive number")
    v = np.zeros(len(mdp.R)) if v is None else as_values(mdp, v)
    H = effective_horizon(mdp)
    unit = H * rounding_unit(mdp)
    # v* = T v* and the triangle inequality: ‖v*‖ ≥ ‖T 0‖/(1 + γ)
    _check_floor(mdp, tolerance, unit, abs(mdp.R.max(axis=1)).max() / (1 + mdp.gamma))
    return v, H, unit


def _check_reachable(mdp: MDP, tolerance, H, unit, v, low, high) -> None:
    """As the constructor of (4.4): v* ≥ v + low·H if low < 0, else v + low; and the same from above."""
    _check_floor(mdp, tolerance, unit, max(v.max() + low * (H if low < 0 else 1), -v.min() - high * (H if high > 0 else 1)))


def _check_floor(mdp: MDP, tolerance, unit, size) -> None:
    """ValueError if the rounding of values as large as `size`, in v and in T v, exceeds the tolerance."""
    if 4 * unit * size > tolerance:
        raise ValueError(f"float64 cannot certify values to {tolerance:g} at gamma = {mdp.gamma}: "
                         f"rounding alone may cost {4 * unit * size:.2g}; ask for less, or use policy_iteration")


def _chosen(q: np.ndarray, policy: np.ndarray) -> np.ndarray:
    """q(s, π(s)) (S,)"""
    return q[np.arange(len(q)), policy]


def _deterministic(mdp: MDP, policy) -> np.ndarray:
    policy = as_policy(mdp, policy)
    if policy.ndim != 1:
        raise ValueError("policy: one action per state is required here, not probabilities")
    return policy
