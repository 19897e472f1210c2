"""Chapter 5. Value iteration: why it converges, and when it may stop.

The best value solves Bellman's optimality equation v = T v, with T of (3.4). This
chapter shows that T has exactly one fixed point v*, that repeating v ← T v leads to
it from anywhere, and that no policy is better than v* in any state. Until the last
section γ < 1.

T is a contraction. Take two value vectors x and y, and write q_x, q_y for their
action values (3.3). The rewards cancel:

    |q_x(s, a) − q_y(s, a)|
        = γ |Σ_{s′} P(s′ | s, a) (x(s′) − y(s′))|       by (3.3)
        ≤ γ Σ_{s′} P(s′ | s, a) |x(s′) − y(s′)|         the probabilities are ≥ 0
        ≤ γ ‖x − y‖                                     they sum to at most 1

Maxima differ by no more than what is maximized. If a* maximizes q_x(s, ·), then

    max q_x − max q_y ≤ q_x(s, a*) − q_y(s, a*) ≤ γ ‖x − y‖,

and with x and y exchanged the same holds for the other sign. So

    ‖T x − T y‖ ≤ γ ‖x − y‖.                                                   (5.1)

Banach's fixed-point theorem says what follows. Start anywhere, v₀, and set
v_{k+1} = T v_k. Then

  1. Steps shrink: ‖v_{k+1} − v_k‖ ≤ γᵏ ‖v₁ − v₀‖, by (5.1) k times.
  2. All steps after the k-th together are at most (γᵏ + γᵏ⁺¹ + …) ‖v₁ − v₀‖, which
     is γᵏ H ‖v₁ − v₀‖ with H = 1/(1 − γ). This goes to 0, so the entries of v_k are
     Cauchy sequences. The real numbers are complete: such sequences have limits.
     The vector of the limits is v*.
  3. The limit is a fixed point: T is continuous by (5.1), so
     T v* = lim T v_k = lim v_{k+1} = v*.
  4. There is only one. If also T y = y, then ‖v* − y‖ = ‖T v* − T y‖ ≤ γ ‖v* − y‖,
     and γ < 1 leaves only ‖v* − y‖ = 0.
  5. Each sweep multiplies the error by at most γ: ‖T v − v*‖ = ‖T v − T v*‖, so

    ‖T v − v*‖ ≤ γ ‖v − v*‖.                                                   (5.2)

v* is the best value. Take any policy π, random or not. In each state the best
action is at least as good as π's, so v* = T v* ≥ T_π v*. T_π is monotone: a larger
v makes T_π v = r_π + γ P_π v no smaller in any state, since P_π has no negative
entry. So

    v* ≥ T_π v* ≥ T_π T_π v* ≥ … → v_π.

The limit is v_π because T_π, too, contracts: it is T of the problem that has π's
action only. A policy that takes a maximizing action of v* everywhere has T_π v* = T
v* = v*, so v* is its value: the maximum is attained.

Nor does memory help. Take any plan, which may look at the past and at the clock. By
chapter 4 its first k steps earn at most Tᵏ 0, as (4.1) with f = 0 is best. The steps
after them add at most γᵏ H ‖R‖, which goes to 0, and Tᵏ 0 → v*. So the plan is worth
at most v*.

When to stop. The residual T v − v is known, the error v − v* is not. The triangle
inequality and (5.2) give

    ‖v − v*‖ ≤ ‖v − T v‖ + ‖T v − v*‖ ≤ ‖T v − v‖ + γ ‖v − v*‖.

Solve for ‖v − v*‖, then use (5.2) once more, with γH = γ/(1 − γ) = H − 1:

    ‖v − v*‖ ≤ H ‖T v − v‖        and        ‖T v − v*‖ ≤ (H − 1) ‖T v − v‖.   (5.3)

`value_iteration` stops when the second bound, with what rounding may add, is at
most the tolerance. A sweep is 2kSA operations, for k next states per action (k = S
if P is dense). The error shrinks by γ per sweep, so a decimal digit takes
log 10/log(1/γ) sweeps, about 2.3·H: 22 at γ = 0.9, 2,301 at γ = 0.999. Six digits at
γ = 0.99 take 1,375.

How good is the policy? A policy is greedy for v if it takes an action with the
largest q(s, a) in each state; then T_π v = T v. Textbooks bound its loss by the
error ε of v: ‖v* − v_π‖ ≤ 2γε/(1 − γ). That is the worst case for a v about which
only ε is known. Here the residual is known. The values returned are v = T v₋, with
v₋ the values one sweep before, and π is greedy for v. So

    ‖v_π − v‖ ≤ H ‖T_π v − v‖             by (3.5)
              = H ‖T v − T v₋‖            T_π v = T v, and v = T v₋
              ≤ H γ ‖v − v₋‖              by (5.1)
              = (H − 1) ‖T v₋ − v₋‖,      the bound that (5.3) gives for ‖v − v*‖

and ‖v* − v_π‖ ≤ ‖v* − v‖ + ‖v − v_π‖ ≤ 2·error_bound, without another factor H.

At γ = 1 (chapter 9) T need not contract in this norm. The bounds (5.3) hold with
another H, the longest expected episode. If every policy ends, it is that of all
policies (9.3); else it is that of nearly greedy policies only (9.4).

For example, two states. In A the agent stays with reward 1, or goes to B with
reward 0. In B it stays with reward 2. At γ = ½ the values are v*(B) = 2/(1 − ½) =
4, and v*(A) = 2 (staying gives 1/(1 − ½), going ½·4: a tie). Three sweeps from 0:

    v₁ = (max(1, 0), 2)                        = (1, 2)         error 2
    v₂ = (max(1 + ½·1, ½·2), 2 + ½·2)          = (1.5, 3)       error 1
    v₃ = (max(1 + ½·1.5, ½·3), 2 + ½·3)        = (1.75, 3.5)    error ½

The error halves. H = 2, and the last change is ½, so (5.3) promises (2 − 1)·½ = ½:
here the bound is the error.

    >>> import numpy as np
    >>> from numpyvae.mdp import MDP, value_iteration
    >>> stay, go = [[1, 0], [0, 1]], [[0, 1], [0, 1]]
    >>> mdp = MDP.from_action_matrices([stay, go], [[1, 0], [2, 2]], 0.5)
    >>> solution = value_iteration(mdp, 0.51)
    >>> solution.values.tolist(), solution.iterations
    ([1.75, 3.5], 3)
    >>> round(solution.error_bound, 9)
    0.5

Source: Banach 1922; Puterman (1994), sections 6.2 and 6.3.
"""

from collections.abc import Callable

import numpy as np

from ..errors import InputError
from .bellman import action_values, as_values
from .episodes import Horizon, join_loops
from .model import MDP
from .numerics.rounding import bound_with_rounding, check_reachable, check_tolerance
from .numerics.validation import read_integer
from .solution import Solution


def plain_value_iteration(P, R, gamma: float, tolerance: float = 1e-8) -> np.ndarray:
    """v* to within the tolerance, by (5.3), for γ < 1: the loop and nothing else.

    P: array (S, A, S); R: (S, A). `value_iteration` adds a policy, a bound that
       counts rounding, sparse problems, and γ = 1.
    """
    v = np.zeros(len(R))
    while True:
        last = v
        v = (R + gamma * P @ last).max(axis=1)
        if gamma / (1 - gamma) * abs(v - last).max() <= tolerance:
            return v


def value_iteration(
    mdp: MDP,
    tolerance: float = 1e-8,
    v=None,
    max_sweeps: int = 1_000_000,
    on_sweep: Callable | None = None,
) -> Solution:
    """v ← T v until ‖v − v*‖ ≤ tolerance, by (5.3) and with rounding.

    tolerance: of the values, in units of reward
    v: (S,), where to start; 0 by default
    max_sweeps: ValueError if these do not suffice
    on_sweep: called as on_sweep(k, v) after sweep k, with a copy of the values

    Returns a Solution. The policy is greedy for the values; for γ < 1 its own
    values are within error_bound of them, and within 2·error_bound of v*.
    ValueError also if float64 cannot reach the tolerance at this discount factor.

    Many programs stop on the span (chapter 7) of T v − v. A small span bounds the
    loss of the policy, but the values may still be far from v*.
    """
    read_integer("max_sweeps", max_sweeps, 1)
    joined = join_loops(mdp)
    if joined is not None:
        start, report = joined.reduce(v), joined.report(on_sweep)
        return joined.expand(
            value_iteration(joined.mdp, tolerance, start, max_sweeps, report)
        )
    v = np.zeros(len(mdp.R)) if v is None else as_values(mdp, v)
    check_tolerance(tolerance)
    horizon = Horizon(mdp, tolerance)
    unit = check_reachable(mdp, tolerance, horizon.fixed)
    bound = np.inf
    for sweep in range(1, max_sweeps + 1):
        last = v
        q = action_values(mdp, last)
        v = q.max(axis=1)
        if on_sweep is not None:
            on_sweep(sweep, v.copy())
        change = v - last
        low, high = change.min(), change.max()
        H = horizon.at(last, q)
        error = (H - 1) * max(high, -low)
        bound = bound_with_rounding(
            mdp, tolerance, H, unit, last, v, (low, high), error
        )
        if bound <= tolerance:
            policy = action_values(mdp, v).argmax(axis=1)
            return Solution(policy, v, sweep, float(bound), mdp)
    raise InputError(
        f"value iteration is within {bound:.3g} of the optimal values, not "
        f"{tolerance:g}, after {max_sweeps} sweeps; use policy_iteration"
    )
