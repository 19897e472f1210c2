"""Chapter 4. Solvers: value iteration, policy iteration, and modified policy iteration.

The optimal value v* satisfies the Bellman optimality equation v* = T v*, with T from (3.4). Averages of x and of y over
next states differ by at most ‖x − y‖, and maxima by no more: |max a − max b| ≤ max |a − b|. So, with the factor γ,

    ‖T x − T y‖ ≤ γ ‖x − y‖,                                                                                     (4.1)

T has exactly one fixed point v*, and v ← T v approaches it from anywhere. (At γ = 1, T contracts in a norm weighted by
the w of (6.1).) A policy is greedy with respect to v if it takes an action with the largest q(s, a) in each state.
Three ways to v*, with the operations (·, +) of each step, for k next states per action, or k = S if P is dense:

    value iteration             v ← T v: 2kSA per sweep, which shrinks the error by γ
    policy iteration            v ← v_π by (3.2): ⅔S³ + 2S² by dense LU; π ← greedy(v): 2kSA; few iterations
    modified policy iteration   v ← T v and π ← greedy: 2kSA per round; v ← T_π v: 2kS per sweep, a fraction 1/A

Sparse evaluation costs what the factors do, or above 5,000 states about 4kS per iterative step. Near γ = 1 value
iteration is slow: it needs about H·log 10 sweeps per decimal digit. H = `effective_horizon`(mdp) is 1/(1 − γ), or at
γ = 1 the longest expected episode, which chapter 6 computes. By (3.5), and since γH = H − 1,

    ‖v − v*‖ ≤ H ‖T v − v‖        and        ‖T v − v*‖ ≤ (H − 1) ‖T v − v‖.                                     (4.2)

Why policy iteration ends. With v = v_π, equation (3.5) for a new policy π′ reads

    v_π′ − v_π = (I − γ P_π′)⁻¹ ( q_π(·, π′) − v_π ).                                                            (4.3)

Here q_π(·, π′), the vector of the q_π(s, π′(s)), is T_π′ v_π. If π′ changes only actions that improve q, the bracket
is nowhere negative. The inverse has no negative entry and is at least I. So no value falls and one rises: no policy
repeats, and there are finitely many.

The constant part of the error decays slowest, and need not be waited for. If no episode ends, adding c to v adds γc to
T v, and changes no policy. T is monotone: v ≤ v′ gives T v ≤ T v′. So with the extremes low, high of T v − v (MacQueen)

    v + low·H  ≤  v*  ≤  v + high·H        in each state; the middle is within (high − low)/2·H of v*.           (4.4)

Rounding could break both arguments, of the end and of the bounds. Let v̂ be computed values, and v the exact ones.
A computed q(s, a) with k next states has an error of at most

    τ(s, a) = γ Σ P |v̂ − v|  +  (k + 2)·u/2·( |R(s, a)| + γ Σ P |v̂| ).                                           (4.5)

The first part is the error of v̂, the second the rounding of the sum. An action is replaced only if another is better
by more than τ(s, a) + τ(s, a′). First (3.5) bounds |v̂ − v|. When that replaces no action any more, the values are
refined until |v̂ − v| ≤ u·|v| in each state. How is optional reading: rounding.

Source: Puterman (1994), chapter 6; Howard 1960; MacQueen 1966.
"""

from collections.abc import Callable

import numpy as np

from ..errors import InputError
from .bellman import (
    action_values,
    as_policy,
    as_values,
    factorize,
    induced_chain,
    policy_evaluation,
)
from .horizon import effective_horizon
from .model import MDP
from .numerics.rounding import (
    bound_with_rounding,
    check_tolerance,
    next_states,
    refine,
    rounding_unit,
    tie_tolerance,
)
from .numerics.validation import U, read_integer
from .solution import Solution


def greedy_policy(mdp: MDP, v, current=None) -> np.ndarray:
    """argmaxₐ q(s, a) (S,): greedy with respect to v; ties go to the lowest index.

    With `current`, a policy (S,): its action, unless another is better by more than rounding explains.
    """
    if current is None:
        return action_values(mdp, v).argmax(axis=1)
    v, current = as_values(mdp, v), as_policy(mdp, current)
    if current.ndim != 1:
        raise InputError(
            "policy: one action per state is required here, not probabilities"
        )
    return _improve(mdp, v, current, U * abs(v))[0]


def _improve(mdp: MDP, v, policy, error) -> tuple:
    """The greedy policy, but `policy` where the gain is within the error of the values; and T v. error: of v (S,)"""
    q, rows = action_values(mdp, v), np.arange(len(v)) * mdp.R.shape[1]
    best = q.argmax(axis=1)
    Tv, gain = (
        q.reshape(-1)[rows + best],
        q.reshape(-1)[rows + best] - q.reshape(-1)[rows + policy],
    )
    s = np.flatnonzero(gain > 0)  # τ is computed where it decides
    gain[s] -= tie_tolerance(mdp, v, error, (rows + best)[s]) + tie_tolerance(
        mdp, v, error, (rows + policy)[s]
    )
    return np.where(gain > 0, best, policy), Tv


def policy_iteration(
    mdp: MDP, policy=None, v=None, on_iteration: Callable | None = None
) -> Solution:
    """v_π, then π ← greedy(v_π), until π is unchanged. The values are refined: |values − v_π| ≤ u·|v_π| in each state.

    An evaluation is ⅔S³ operations if dense, an improvement 2kSA, the refinement at the end some 20 to 100 S².
    Starts from `policy`, (S,) or (S, A); or from the greedy policy of v (S,), by default v(s) = maxₐ R(s, a). A large
    problem needs a good start: v=modified_policy_iteration(mdp, 1e-3).values. on_iteration(k, v): for each policy.
    """
    return solve_exactly(mdp, policy, v, on_iteration)[0]


def solve_exactly(
    mdp: MDP, policy=None, v=None, on_iteration: Callable | None = None
) -> tuple:
    """policy_iteration's Solution, and a bound on |values − v_π| in each state (S,)"""
    if policy is None:
        policy = greedy_policy(mdp, mdp.R.max(axis=1) if v is None else v)
    elif np.ndim(policy) == 2:
        policy = greedy_policy(mdp, policy_evaluation(mdp, policy))
    policy, visited = as_policy(mdp, policy), set()
    H, unit = effective_horizon(mdp), rounding_unit(mdp)
    while (
        policy.tobytes() not in visited
    ):  # by (4.3) always true; a safeguard against rounding beyond τ
        visited.add(policy.tobytes())
        P, r = induced_chain(mdp, policy)
        solve = factorize(P, mdp.gamma)
        v = solve(r)
        error = H * (
            abs(r + mdp.gamma * (P @ v) - v).max()
            + unit * (abs(r).max() + 2 * abs(v).max())
        )
        previous, (policy, Tv) = policy, _improve(mdp, v, policy, error)
        if (policy == previous).all():
            v, error = refine(P, r, mdp.gamma, solve, H, v)
            policy, Tv = _improve(mdp, v, policy, error)
        if on_iteration is not None:
            on_iteration(len(visited), v.copy())
        if (policy == previous).all():
            break
    bound = H * (abs(Tv - v).max() + unit * (abs(r).max() + 2 * abs(v).max()))
    return Solution(previous, v, len(visited), float(bound)), np.broadcast_to(
        error, v.shape
    )


def value_iteration(
    mdp: MDP,
    tolerance: float = 1e-8,
    v=None,
    max_sweeps: int = 1_000_000,
    on_sweep: Callable | None = None,
) -> Solution:
    """v ← T v, from v or zero, until ‖v − v*‖ ≤ tolerance by (4.2) and rounding. on_sweep(k, v): called after sweep k.

    A sweep is 2kSA operations. The policy is greedy for the last v; for γ < 1, ‖v* − v_π‖ ≤ 2·error_bound.
    Many programs stop when the span high − low of (4.4) is small. That also bounds the loss of the policy, by H times
    the span if no episode ends; but the values may still be far from v*.
    ValueError if float64 cannot reach the tolerance at this discount factor, or if max_sweeps do not.
    """
    read_integer("max_sweeps", max_sweeps, 1)
    v, H = (
        np.zeros(len(mdp.R)) if v is None else as_values(mdp, v),
        effective_horizon(mdp),
    )
    unit = check_tolerance(mdp, tolerance, H)
    for sweep in range(1, max_sweeps + 1):
        last, v = v, action_values(mdp, v).max(axis=1)
        if on_sweep is not None:
            on_sweep(sweep, v.copy())
        low, high = (v - last).min(), (v - last).max()
        bound = bound_with_rounding(
            mdp,
            tolerance,
            H,
            unit,
            last,
            v,
            (low, high),
            error=(H - 1) * max(high, -low),
        )
        if bound <= tolerance:
            return Solution(
                action_values(mdp, v).argmax(axis=1), v, sweep, float(bound)
            )
    raise InputError(
        f"value iteration is within {bound:.3g} of the optimal values, not {tolerance:g}, "
        f"after {max_sweeps} sweeps; use policy_iteration"
    )


def modified_policy_iteration(
    mdp: MDP,
    tolerance: float = 1e-8,
    sweeps: int = 100,
    max_rounds: int = 1_000_000,
    v=None,
    on_iteration: Callable | None = None,
) -> Solution:
    """Rounds of v ← T v and sweeps of v ← T_π v, from v or zero, until ‖v − v*‖ ≤ tolerance by (4.2) or (4.4).

    The policy π is greedy for v, the values are T v or the middle of (4.4). T_π v is T v, so v_π obeys the same bounds
    as v*: ‖values − v_π‖ ≤ error_bound and ‖v* − v_π‖ ≤ 2·error_bound. A round is 2kSA operations, 2kS per sweep; it
    ends after `sweeps` sweeps, or earlier, after a 20th, 40th, … that changes v by at most 15% of the change by T (the
    largest entry, or where (4.4) holds the spread): on 90,000 states this saves a third of the time. on_iteration(k,
    v): called in each round with the values that would be returned. ValueError as for value_iteration.
    """
    read_integer("max_rounds", max_rounds, 1)
    read_integer("sweeps", sweeps, 0)
    v, H = (
        np.zeros(len(mdp.R)) if v is None else as_values(mdp, v),
        effective_horizon(mdp),
    )
    unit = check_tolerance(mdp, tolerance, H)
    first_row, centered = (
        np.arange(len(v)) * mdp.R.shape[1],
        mdp.gamma < 1 and not mdp.end.any(),
    )
    size = np.ptp if centered else lambda change: abs(change).max()
    # A row of P sums to 1 within `off`, so adding c changes T v by up to γ·c·off more than (4.4) says.
    off = (
        (abs(mdp.transitions.sum(axis=1) - 1)[mdp.available.ravel()]).max()
        + next_states(mdp) * U / 2
    )
    for iteration in range(1, max_rounds + 1):
        q = (mdp.transitions @ v).reshape(
            mdp.R.shape
        )  # action_values, without its checks
        q *= mdp.gamma
        q += mdp.R
        policy = q.argmax(axis=1)
        rows = first_row + policy
        Tv = q.reshape(-1)[rows]
        change = Tv - v
        low, high = change.min(), change.max()
        if centered:  # (4.4)
            c = (low + high) / 2 * H
            values = v + c
            error = (high - low) / 2 * H + abs(c) * (H * mdp.gamma * off + 4 * U)
        else:  # (4.2)
            values = Tv
            error = (H - 1) * max(high, -low)
        if on_iteration is not None:
            on_iteration(iteration, values.copy())
        error += 2 * U * max(values.max(), -values.min())
        bound = bound_with_rounding(mdp, tolerance, H, unit, v, Tv, (low, high), error)
        if bound <= tolerance:
            return Solution(policy, values, iteration, float(bound))
        P, r = (
            mdp.transitions[rows],
            mdp.R.reshape(-1)[rows],
        )  # induced_chain, without its checks
        P *= mdp.gamma
        enough, v = 0.15 * size(change), Tv
        for k in range(sweeps):
            last, v = v, P @ v
            v += r
            if k % 20 == 19 and size(v - last) <= enough:
                break
    raise InputError(
        f"modified policy iteration is within {bound:.3g} of the optimal values, not {tolerance:g}, "
        f"after {max_rounds} rounds; use policy_iteration"
    )
