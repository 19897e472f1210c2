"""Chapter 7. Modified policy iteration, and the bound by the span.

Value iteration spends 2kSA operations on each sweep, since it looks at every
action. Policy iteration solves a linear system for each policy. Between the two:
improve the policy once, then sweep with this policy only,

    v ← T v, and π ← the policy that is greedy for the v before      2kSA operations
    v ← T_π v, some m times                                          2kS each

A sweep of T_π is cheaper by the factor A, and while π is right it makes the same
progress as a sweep of T. With m = 0 this is value iteration. As m grows, T_πᵐ v
approaches v_π, and this becomes policy iteration without its linear system.

The span. Which part of the error dies slowest? Let no episode end, so that each row
of P sums to 1. Add the same number c to every entry of v: a shift. Then

    T (v + c) = T v + γ c,                                                     (7.1)

since γ Σ_{s′} P(s′ | s, a) c = γ c for every action. A shift is discounted by
exactly γ per sweep, the slowest that (5.1) allows. It also changes no greedy
policy, as it adds γc to every q(s, a). What differs from state to state is averaged
by P as well as discounted, so it mostly dies sooner. Its measure is the span, the
largest entry minus the smallest. So: bound the shift instead of waiting for it
(MacQueen).

Why modified policy iteration converges from any v. Suppose that v ≤ T v. Then

    v ≤ T v = T_π v ≤ T_π T v ≤ T_π T_π T v ≤ …,

as T_π is monotone (chapter 5). So a round ends at a y with T v ≤ y, and y ≤ T_π y ≤
T y: the next round may suppose the same. No y exceeds v*, as y ≤ T y ≤ T T y ≤ … →
v*. So the rounds stay between value iteration and v*, and value iteration converges.
If v ≤ T v fails, it holds for v − c with a large enough number c, since T (v − c) =
T v − γ c. By (7.1) the two runs take the same actions and differ by a shift, which
γ shrinks in each sweep. (Where episodes end, count the end as one more state, which is
shifted as well. See also Puterman, section 6.5.)

Let low and high be the smallest and the largest entry of T v − v, so v + low ≤ T v.
T is monotone, as T_π is (chapter 5). Apply it to both sides, with (7.1):

    T v + γ low ≤ T T v,       so       T T v ≥ T v + γ low ≥ v + low + γ low.

Once more gives v + (1 + γ + γ²) low, and so on. The left side tends to v*, the
factor to 1 + γ + γ² + … = H. The same with high, from above:

    v + low·H  ≤  v*  ≤  v + high·H        in each state.                      (7.2)

So the middle, v + (low + high)/2·H, is within (high − low)/2·H of v*: half the span
times H. T may be replaced by T_π throughout. As π is greedy, T_π v = T v and the
extremes are the same; so v_π lies in the same interval, and the policy loses at
most (high − low)·H = 2·error_bound.

Where an action may end the episode, a row of P sums to less than 1 and (7.1) fails.
There, and at γ = 1 (chapter 9), the bound is (5.3), for the values T v.

How many sweeps of T_π? After a while they only improve the value of a policy that
is about to change. The rule here: every 20 sweeps, compare the change of the last
sweep with the change that T made in this round, and begin a new round when it is
15% of that or less. "Change" is the span where (7.2) is used, else the largest
entry. Both numbers were found by trial. On a grid of 90,000 states at γ = 0.99 the
rule takes a quarter off the time of 100 sweeps in each round. To compare after
every sweep would add a third: it costs time, and rounds end too soon.

For example, the two states of chapter 5 at γ = ½, and v = 0. Then T v = (1, 2), so
low = 1, high = 2, and H = 2. By (7.2) both values lie between 0 + 1·2 = 2 and 0 +
2·2 = 4. The middle is 3, the bound (2 − 1)/2·2 = 1. The true values, 2 and 4, are
the two ends of the interval.

    >>> from numpyvae.mdp import MDP, modified_policy_iteration
    >>> stay, go = [[1, 0], [0, 1]], [[0, 1], [0, 1]]
    >>> mdp = MDP.from_action_matrices([stay, go], [[1, 0], [2, 2]], 0.5)
    >>> solution = modified_policy_iteration(mdp, 1.01)
    >>> solution.values.tolist(), solution.iterations
    ([3.0, 3.0], 1)
    >>> round(solution.error_bound, 9)
    1.0

Source: Puterman (1994), sections 6.5 and 6.6; MacQueen 1966.
"""

from collections.abc import Callable

import numpy as np

from ..errors import InputError
from .bellman import as_values, policy_evaluation
from .episodes import Horizon, ending_policy, join_loops
from .model import MDP
from .numerics.rounding import (
    bound_with_rounding,
    check_reachable,
    check_tolerance,
    next_states,
)
from .numerics.validation import U, read_integer
from .solution import Solution

COMPARED_EVERY = 20  # sweeps of T_π
ENOUGH = 0.15  # of the change by T: then a new round begins


def plain_modified_policy_iteration(
    P, R, gamma: float, sweeps: int, tolerance: float = 1e-8
) -> np.ndarray:
    """v* to within the tolerance, by (5.3), for γ < 1: the loops and nothing else.

    P: array (S, A, S); R: (S, A). `modified_policy_iteration` ends its sweeps
       sooner, and stops by the span.
    """
    states, v = np.arange(len(R)), np.zeros(len(R))
    while True:
        q = R + gamma * P @ v
        last, v, policy = v, q.max(axis=1), q.argmax(axis=1)
        if gamma / (1 - gamma) * abs(v - last).max() <= tolerance:
            return v
        for _ in range(sweeps):
            v = R[states, policy] + gamma * P[states, policy] @ v


def modified_policy_iteration(
    mdp: MDP,
    tolerance: float = 1e-8,
    sweeps: int = 100,
    max_rounds: int = 1_000_000,
    v=None,
    on_iteration: Callable | None = None,
) -> Solution:
    """Rounds of one sweep of T and some of T_π, until ‖values − v*‖ ≤ tolerance.

    tolerance: of the values, in units of reward
    sweeps: the most sweeps of T_π in a round
    max_rounds: ValueError if these do not suffice
    v: (S,), where to start; 0 by default
    on_iteration: called as on_iteration(k, values) in round k, with a copy of what
       would be returned

    Returns a Solution: values T v, or the middle of (7.2) where no episode ends;
    the policy is greedy for v, and its own values are within error_bound of those
    returned, for γ < 1 or if every policy ends. ValueError also if float64 cannot
    reach the tolerance at this discount factor.
    """
    read_integer("max_rounds", max_rounds, 1)
    read_integer("sweeps", sweeps, 0)
    joined = join_loops(mdp)
    if joined is not None:
        start, report = joined.reduce(v), joined.report(on_iteration)
        return joined.expand(
            modified_policy_iteration(
                joined.mdp, tolerance, sweeps, max_rounds, start, report
            )
        )
    check_tolerance(tolerance)
    horizon = Horizon(mdp, tolerance)
    unit = check_reachable(mdp, tolerance, horizon.fixed)
    v = _first_values(mdp, horizon) if v is None else as_values(mdp, v)
    first_row = np.arange(len(v)) * mdp.R.shape[1]
    by_span = mdp.gamma < 1 and not mdp.end.any()
    off = _row_error(mdp)
    bound = np.inf
    for iteration in range(1, max_rounds + 1):
        q = (mdp.transitions @ v).reshape(mdp.R.shape)
        q *= mdp.gamma
        q += mdp.R  # action_values, without its checks
        policy = q.argmax(axis=1)
        rows = first_row + policy
        Tv = q.reshape(-1)[rows]
        change = Tv - v
        low, high = change.min(), change.max()
        H = horizon.at(v, q)
        if by_span:
            shift = (low + high) / 2 * H
            values = v + shift
            error = (high - low) / 2 * H + abs(shift) * (H * mdp.gamma * off + 4 * U)
        else:
            values = Tv
            error = (H - 1) * max(high, -low)
        if on_iteration is not None:
            on_iteration(iteration, values.copy())
        error += 2 * U * max(values.max(), -values.min())
        bound = bound_with_rounding(mdp, tolerance, H, unit, v, Tv, (low, high), error)
        if bound <= tolerance:
            return Solution(policy, values, iteration, float(bound), mdp)
        P, r = mdp.transitions[rows], mdp.R.reshape(-1)[rows]
        P *= mdp.gamma  # induced_chain, without its checks
        v = _sweep(P, r, Tv, sweeps, _size(change, by_span), by_span)
    raise InputError(
        f"modified policy iteration is within {bound:.3g} of the optimal values, not "
        f"{tolerance:g}, after {max_rounds} rounds; use policy_iteration"
    )


def _first_values(mdp: MDP, horizon: Horizon) -> np.ndarray:
    """0, or if some policy never ends the values of one that ends.

    From these the rounds only rise: v ≤ T v, and so v ≤ T_π T v, …. From 0, sweeps
    of a policy that never ends would lead away.
    """
    if horizon.fixed < np.inf:
        return np.zeros(len(mdp.R))
    return policy_evaluation(mdp, ending_policy(mdp))


def _sweep(gamma_P, r, v, sweeps: int, change: float, by_span: bool) -> np.ndarray:
    """At most `sweeps` sweeps of T_π. change: what T changed in this round."""
    for k in range(1, sweeps + 1):
        last = v
        v = gamma_P @ last
        v += r
        compared = k % COMPARED_EVERY == 0
        if compared and _size(v - last, by_span) <= ENOUGH * change:
            break
    return v


def _size(change, by_span: bool) -> float:
    return np.ptp(change) if by_span else abs(change).max()


def _row_error(mdp: MDP) -> float:
    """By how much a row of P may miss the sum 1, and the rounding of that sum.

    A shift c changes T v by up to γ·c times this more than (7.1) says.
    """
    missing = abs(mdp.transitions.sum(axis=1) - 1)[mdp.available.ravel()]
    return missing.max() + next_states(mdp) * U / 2
