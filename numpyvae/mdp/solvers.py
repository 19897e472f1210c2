"""Chapter 4. Solvers: value iteration, policy iteration, and modified policy iteration.

The optimal value v* satisfies the Bellman optimality equation v* = T v*, with T from (3.4). To average over next states
and to take a maximum are non-expansive, and γ contracts:

    ‖T u − T v‖ ≤ γ ‖u − v‖,                                                                                     (4.1)

so v* is unique, and v ← T v approaches it from anywhere. A policy is greedy with respect to v if it takes an action
with the largest q(s, a) in each state. Three ways to v*:

    value iteration             v ← T v; the error shrinks by γ per sweep
    policy iteration            v ← v_π by (3.2), π ← greedy(v); few iterations, a linear system each
    modified policy iteration   v ← T v, π ← greedy, then sweeps of v ← T_π v, which cost one action, not A

For small γ all three converge quickly; near 1 value iteration is slow: it needs about H·log 10 sweeps per decimal
digit, H = 1/(1 − γ). At γ = 1, chapter 6 gives H another value. By (3.5) and one more sweep,

    ‖v − v*‖ ≤ H ‖T v − v‖        and        ‖T v − v*‖ ≤ (H − 1) ‖T v − v‖.                                     (4.2)

Why policy iteration ends. With v = v_π, equation (3.5) for a new policy π′ reads

    v_π′ − v_π = (I − γ P_π′)⁻¹ ( q_π(·, π′) − v_π ).                                                            (4.3)

If π′ changes only actions that improve q, the bracket is nowhere negative. The inverse has no negative entry and is at
least I. So no value falls and one rises: no policy repeats, and there are finitely many. Rounding could break this
where actions tie. So an action is replaced only if another is better by more than the error of both values: first the
error bound (3.5) of the LU solution, and when that decides nothing any more, that of refined values (see rounding).

The constant part of the error decays slowest, and need not be waited for. If no episode ends, adding c to v adds γc to
T v, takes (1 − γ)c from T v − v, and changes no policy. With low and high the extremes of T v − v, v* lies between
v + low·H and v + high·H (MacQueen); the middle is within (high − low)/2·H of it.                                 (4.4)

Source: Puterman (1994), chapter 6; Howard 1960; MacQueen 1966.
"""

from collections.abc import Callable
from numbers import Real
from typing import NamedTuple

import numpy as np

from .bellman import action_values, as_policy, as_values, factorize, induced_chain, policy_evaluation
from .horizon import effective_horizon
from .model import MDP
from .rounding import next_states, refine, rounding_unit, tie_tolerance
from .validation import U, read_integer


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
    v, current = as_values(mdp, v), as_policy(mdp, current)
    if current.ndim != 1:
        raise ValueError("policy: one action per state is required here, not probabilities")
    return _improve(mdp, v, current, U * abs(v))


def _improve(mdp: MDP, v, policy, error) -> np.ndarray:
    """The greedy policy, but `policy` where the gain is within the error of the two action values. error: of v (S,)."""
    q, tau, states = action_values(mdp, v), tie_tolerance(mdp, v, error), np.arange(len(v))
    best = q.argmax(axis=1)
    gain = q[states, best] - q[states, policy]
    return np.where(gain > tau[states, best] + tau[states, policy], best, policy)


def policy_iteration(mdp: MDP, policy=None, v=None, on_iteration: Callable | None = None) -> Solution:
    """v_π, then π ← greedy(v_π), until π is unchanged. The values are refined: |values − v_π| ≤ u·|v_π| in each state.

    Starts from `policy`, (S,) or (S, A); or from the greedy policy of v (S,), by default v(s) = maxₐ R(s, a). A large
    problem needs a good start: v=modified_policy_iteration(mdp, 1e-3).values. on_iteration(k, v): for each policy.
    """
    return solve_exactly(mdp, policy, v, on_iteration)[0]


def solve_exactly(mdp: MDP, policy=None, v=None, on_iteration: Callable | None = None) -> tuple:
    """policy_iteration's Solution, and a bound on |values − v_π| in each state (S,)"""
    if policy is None:
        policy = greedy_policy(mdp, mdp.R.max(axis=1) if v is None else v)
    elif np.ndim(policy) == 2:
        policy = greedy_policy(mdp, policy_evaluation(mdp, policy))
    policy, H, unit, visited = as_policy(mdp, policy), effective_horizon(mdp), rounding_unit(mdp), set()
    while policy.tobytes() not in visited:              # by (4.3) always true; a safeguard against rounding beyond τ
        visited.add(policy.tobytes())
        P, r = induced_chain(mdp, policy)
        solve = factorize(P, mdp.gamma)
        v = solve(r)
        error = H * (abs(r + mdp.gamma * (P @ v) - v).max() + unit * (abs(r).max() + 2 * abs(v).max()))
        previous, policy = policy, _improve(mdp, v, policy, error)
        if (policy == previous).all():
            v, error = refine(P, r, mdp.gamma, solve, H)
            policy = _improve(mdp, v, policy, error)
        if on_iteration is not None:
            on_iteration(len(visited), v.copy())
        if (policy == previous).all():
            break
    bound = H * (abs(action_values(mdp, v).max(axis=1) - v).max() + unit * (abs(r).max() + 2 * abs(v).max()))
    return Solution(previous, v, len(visited), float(bound)), np.broadcast_to(error, v.shape)


def value_iteration(mdp: MDP, tolerance: float = 1e-8, v=None, max_sweeps: int = 1_000_000,
                    on_sweep: Callable | None = None) -> Solution:
    """v ← T v, from v or zero, until ‖v − v*‖ ≤ tolerance by (4.2) and rounding. on_sweep(k, v): called after sweep k.

    (The span high − low of T v − v, often used, bounds the loss of the policy; the values may still be far from v*.)
    ValueError if float64 cannot reach the tolerance at this discount factor, or if max_sweeps do not.
    """
    read_integer("max_sweeps", max_sweeps, 1)
    v, H = _start(mdp, tolerance, v)
    for sweep in range(1, max_sweeps + 1):
        last, v = v, action_values(mdp, v).max(axis=1)
        if on_sweep is not None:
            on_sweep(sweep, v.copy())
        bound = _bound(mdp, tolerance, H, last, v, error=(H - 1) * abs(v - last).max())
        if bound <= tolerance:
            return Solution(action_values(mdp, v).argmax(axis=1), v, sweep, float(bound))
    raise ValueError(f"value iteration is within {bound:.3g} of the optimal values, not {tolerance:g}, "
                     f"after {max_sweeps} sweeps; use policy_iteration")


def modified_policy_iteration(mdp: MDP, tolerance: float = 1e-8, sweeps: int = 100, max_rounds: int = 1_000_000, v=None,
                              on_iteration: Callable | None = None) -> Solution:
    """Rounds of v ← T v and sweeps of v ← T_π v, from v or zero, until ‖v − v*‖ ≤ tolerance by (4.2) or (4.4).

    A round ends after `sweeps` sweeps, or when a sweep (every 20th is looked at) changes v by 15% of what T did (in
    spread, where (4.4) holds): then a new policy gains more. On a grid of 90,000 states this saves a third of the time.
    on_iteration(k, v): called in each round with the values that would be returned. ValueError as for value_iteration.
    """
    read_integer("max_rounds", max_rounds, 1)
    read_integer("sweeps", sweeps, 0)
    v, H = _start(mdp, tolerance, v)
    states = np.arange(len(v))
    centered = mdp.gamma < 1 and not mdp.end.any()
    size = np.ptp if centered else lambda change: abs(change).max()
    # A row of P sums to 1 within `off`, so adding c changes T v by up to γ·c·off more than (4.4) says.
    off = (abs(mdp.transitions.sum(axis=1) - 1)[mdp.available.ravel()]).max() + next_states(mdp) * U / 2
    for iteration in range(1, max_rounds + 1):
        q = action_values(mdp, v)
        policy = q.argmax(axis=1)
        Tv = q[states, policy]
        low, high = (Tv - v).min(), (Tv - v).max()
        c = (low + high) / 2 * H                                        # (4.4), else (4.2)
        values, error = (v + c, (high - low) / 2 * H + abs(c) * (H * mdp.gamma * off + 4 * U)) if centered else (
            Tv, (H - 1) * max(high, -low))
        if on_iteration is not None:
            on_iteration(iteration, values.copy())
        bound = _bound(mdp, tolerance, H, v, Tv, error + 2 * U * abs(values).max())
        if bound <= tolerance:
            return Solution(policy, values, iteration, float(bound))
        rows = states * mdp.R.shape[1] + policy                         # induced_chain, without its checks
        P, r = mdp.gamma * mdp.transitions[rows], mdp.R.reshape(-1)[rows]
        enough, v = 0.15 * size(Tv - v), Tv
        for k in range(sweeps):
            last, v = v, P @ v
            v += r
            if k % 20 == 19 and size(v - last) <= enough:
                break
    raise ValueError(f"modified policy iteration is within {bound:.3g} of the optimal values, not {tolerance:g}, "
                     f"after {max_rounds} rounds; use policy_iteration")


def _start(mdp: MDP, tolerance: float, v) -> tuple:
    """The values to start from, and H. ValueError if the tolerance is invalid, or certainly below rounding."""
    if isinstance(tolerance, bool) or not isinstance(tolerance, Real) or not 0 < tolerance < np.inf:
        raise ValueError(f"tolerance is {tolerance}; it must be a positive number")
    H = effective_horizon(mdp)
    # v* = T v* and the triangle inequality: ‖v*‖ ≥ ‖T 0‖/(1 + γ)
    _check_rounding(mdp, tolerance, 4 * H * rounding_unit(mdp) * abs(mdp.R.max(axis=1)).max() / (1 + mdp.gamma))
    return np.zeros(len(mdp.R)) if v is None else as_values(mdp, v), H


def _bound(mdp: MDP, tolerance: float, H: float, v, Tv, error: float) -> float:
    """`error`, of exact arithmetic, plus the rounding of T v − v. ValueError if the sum cannot reach the tolerance."""
    unit = H * rounding_unit(mdp)
    rounding = unit * (abs(Tv).max() + 3 * abs(v).max())                # ‖r_π‖ ≤ ‖T v‖ + ‖v‖
    if error + rounding > tolerance:
        low, high = (Tv - v).min(), (Tv - v).max()                      # as for (4.4): at least so large is ‖v*‖
        size = max(v.max() + low * (H if low < 0 else 1), -v.min() - high * (H if high > 0 else 1))
        _check_rounding(mdp, tolerance, error + rounding if error <= rounding else 4 * unit * size)
    return error + rounding


def _check_rounding(mdp: MDP, tolerance: float, rounding: float) -> None:
    if rounding > tolerance:
        raise ValueError(f"float64 cannot certify values to {tolerance:g} at gamma = {mdp.gamma}: "
                         f"rounding alone may cost {rounding:.2g}; ask for less, or use policy_iteration")
