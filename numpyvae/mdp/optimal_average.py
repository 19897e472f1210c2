"""Chapter 13. The best average reward.

A process that never ends has an average reward per step: chapter 10 computes it for one
policy. Which policy has the largest? No discount factor enters. The role of v* is
played by two unknowns, the best gain g and a bias h. They solve

    h(s) + g = maxₐ ( R(s, a) + Σ_{s′} P(s′ | s, a) h(s′) ),                      (13.1)

the optimality equation of the average reward. In this chapter T h is its right side,
the T of (3.4) at γ = 1.

Why a solution is the best gain. More is true: any vector h bounds it. Let low and high
be the smallest and the largest entry of T h − h. Then

    low  ≤  g  ≤  high.                                                           (13.2)

For the right part, take any policy π and a stationary distribution μ of it. Since T
takes the best action, r_π + P_π h ≤ T h ≤ h + high. Now average over μ. The left side
becomes μ·r_π + μ·h, because μ·P_π = μ, and the right side μ·h + high. So μ·r_π, the
gain of π, is at most high. For the left part take the greedy policy of h: its
r_π + P_π h is T h ≥ h + low, so its gain is at least low. If h and g solve (13.1), both
bounds are g: no policy has a larger gain, and the greedy policy of h has this one.

Policy iteration. Compute g and h of a policy by (10.3). Then take in each state an
action with the largest R(s, a) + Σ P(s′ | s, a) h(s′), but keep the action where no
other is better. Let π′ be the new policy, and

    δ = r_π′ + P_π′ h − h − g ≥ 0                                                 (13.3)

by how much its first step is better. Average over the stationary distribution μ′ of π′:
μ′·δ = g′ − g. So the gain never falls, and it rises if δ > 0 in a recurrent state of
π′. If δ is 0 in all of those, no action was changed there. The recurrent class, the
gain and the bias in it are those of π. In the transient states the bias rises, since
h′ − h = δ + P_π′ (h′ − h) = Σₖ P_π′ᵏ δ ≥ δ. So no policy repeats, and there are
finitely many. At the end T h = h + g, which is (13.1).

Several recurrent classes. So far every policy that was met had one recurrent class. In
the chain of chapter 1 the policy that goes back and forth between −1 and 0, and between
1 and 2, has two. Such a policy has a gain for each state, g(s): that of its class; and
in a transient state the average over the classes that it leads to, so g = P_π g. There
h + g = r_π + P_π h as before. One constant of h is free in each class; it is chosen so
that μ·h = 0 with the μ of that class. Two equations, one within the other, take the
place of (13.1):

    g(s)        = maxₐ Σ_{s′} P(s′ | s, a) g(s′),
    h(s) + g(s) = maxₐ ( R(s, a) + Σ_{s′} P(s′ | s, a) h(s′) ),

the second maximum over the actions that attain the first (Puterman, section 9.1). So
the improvement asks two questions in turn (Howard):

    1. Is there an action with a larger Σ P(s′ | s, a) g(s′)? It leads to larger gains.
    2. If not: of the actions with the same Σ P g, has one a larger R + Σ P h?

This ends too (Puterman, section 9.2). Suppose that all g(s) are equal at the end. Then
Σ P g is the same for all actions, so the second question was asked of all. None was
better, so (13.1) holds. If the g(s) differ, the best average depends on the start. Such
a problem has no single g and is refused.

Relative value iteration. A sweep v ← T v makes the values larger by about g each time.
So subtract the value of the first state, and h stays bounded. A step of half the
length,

    h ← h + ½ (T h − h), then subtract h₁ from each entry,                        (13.4)

is value iteration for a process that stays where it is with probability ½ and earns
half the reward. Its gain is half of g, its bias is h, and no state returns at even
steps only. Without the ½, T h − h may oscillate forever: two states that alternate,
with rewards 0 and 2, give T h − h = (0, 2), then (2, 0), and so on.

The bounds (13.2) become no wider from sweep to sweep. Write T̃ h for h + ½ (T h − h).
Like T, it is monotone, and T̃(h + c) = T̃ h + c for a number c. Apply it to both sides
of T̃ h ≤ h + ½ high. The result is T̃ T̃ h ≤ T̃ h + ½ high, so the next `high` is no
larger. The same holds for `low`. The bounds meet if the best gain is the same from
every state (Schweitzer and Federgruen 1977).

How this is the limit γ → 1. By (10.5), (1 − γ) v_π → g_π for every policy. (With
several classes, g_π has an entry for each state.) A Blackwell-optimal policy (chapter
12) has the largest v_π for all γ near 1, so its gain is the best. The converse is
false: gain alone says nothing about the transient states. For example, A goes to B with
reward 0 or with reward 5, and B stays with reward 1. Both policies have g = 1. With
h(B) = 0, (10.3) in A gives h(A) = −1 for the one and 4 for the other. So the first has
the best gain, but not the best bias, and is optimal for no γ.

On paper: the machine of chapter 10, but a worn machine may also run on, and earn 1.
Start with the policy that never repairs. Its recurrent class is the worn state, g = 1.
With h(worn) = 0, (10.3) in the good state is h + 1 = 4 + ½ h, so h(good) = 6. Repairing
gives −2 + 6 = 4 in the worn state, more than 1 + 0: repair. Chapter 10 has that policy:
g = 2 and h(good) − h(worn) = 4. Now repairing gives −2 + 4 = 2 and running 1: nothing
improves, and 2 is the best gain.

    >>> from numpyvae.mdp import MDP, average_policy_iteration
    >>> machine = {
    ...     "good": {"run": [(0.5, "good", 4, False), (0.5, "worn", 4, False)]},
    ...     "worn": {
    ...         "run": [(1.0, "worn", 1, False)],
    ...         "repair": [(1.0, "good", -2, False)],
    ...     },
    ... }
    >>> mdp = MDP.from_transitions(machine, gamma=0.9)  # γ is not used
    >>> best = average_policy_iteration(mdp)
    >>> [mdp.actions[a] for a in best.policy], round(best.gain, 9), best.iterations
    (['run', 'repair'], 2.0, 2)

Source: Puterman (1994), sections 8.4 to 8.6 and 9.2; Howard 1960; White 1963; Odoni
1969 for the bounds.
"""

from numbers import Real
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from .average import recurrent_classes, solve_gain_equations
from .bellman import as_policy, factorize, induced_chain
from .model import MDP
from .numerics.rounding import rounding_unit
from .numerics.validation import read_integer, shown
from .solution import PrintsTable

# An action is replaced only if the other is better by more than this, relative to
# rewards and bias. The error bound covers what is left.
SMALLEST_GAIN = 1e-12


class _Fields(NamedTuple):
    policy: np.ndarray
    gain: float
    bias: np.ndarray
    iterations: int
    error_bound: float


class OptimalAverageReward(PrintsTable, _Fields):
    """What the two solvers of this chapter return.

    policy: (S,) action numbers, greedy for the bias
    gain: the best average reward per step
    bias: h (S,) of (13.1), up to a constant
    iterations: policies evaluated, or sweeps
    error_bound: the best gain, and that of the policy, is within this of `gain`,
       rounding included

    A tuple of these five. `print` shows a table with the labels of states and actions.
    """

    def __new__(cls, policy, gain, bias, iterations, error_bound, mdp=None):
        """mdp: the problem, for its labels"""
        found = super().__new__(cls, policy, gain, bias, iterations, error_bound)
        found.name_by(mdp)
        return found

    def __repr__(self) -> str:
        return (
            f"<OptimalAverageReward: {self.gain:.6g} per step, {self.iterations:,} "
            f"iterations, error at most {self.error_bound:.2g}>"
        )

    def _column(self) -> tuple:
        return "bias", self.bias


def plain_average_policy_iteration(P, R) -> tuple:
    """A best policy (S,), its gain and its bias (S,): the loop and nothing else.

    P: (S, A, S); R: (S, A). Every policy that is met must have one recurrent class. An
    action that is better by up to 1e-9 is taken for rounding, whatever the size of the
    rewards.
    `average_policy_iteration` needs neither.
    """
    states = np.arange(len(R))
    policy = R.argmax(axis=1)
    while True:
        M = np.eye(len(R)) - P[states, policy]  # (10.4)
        M[:, 0] = 1
        h = np.linalg.solve(M, R[states, policy])
        gain = h[0]
        h[0] = 0
        q = R + P @ h
        better = q.max(axis=1) > q[states, policy] + 1e-9
        if not better.any():
            return policy, gain, h
        policy = np.where(better, q.argmax(axis=1), policy)


def plain_relative_value_iteration(P, R, sweeps: int) -> tuple:
    """The bounds (13.2) and a bias (S,) after so many sweeps of (13.4).

    P: (S, A, S); R: (S, A). Rounding widens the bounds; `relative_value_iteration` adds
    it, and knows when to stop.
    """
    h = np.zeros(len(R))
    for _ in range(sweeps):
        change = (R + P @ h).max(axis=1) - h  # T h − h
        h = h + change / 2
        h = h - h[0]
    return change.min(), change.max(), h


def average_policy_iteration(mdp: MDP, policy=None) -> OptimalAverageReward:
    """Policy iteration for the best average reward; γ is not used.

    policy: the first one, (S,); by default that with the largest rewards

    The bias is that of the policy, with μ·h = 0. InputError if an action may end an
    episode, or if the best average depends on the state.
    """
    _refuse_endings(mdp)
    policy = mdp.R.argmax(axis=1) if policy is None else as_policy(mdp, policy)
    if policy.ndim != 1:
        raise InputError(
            "policy: one action per state is required here, not probabilities"
        )
    states, visited = np.arange(len(policy)), set()
    while True:
        visited.add(policy.tobytes())
        g, h = _gain_and_bias(*induced_chain(mdp, policy))
        tolerance = SMALLEST_GAIN * _size(mdp, h)
        # The first question, then the second; keep the action where no other is better.
        leads_to = np.where(mdp.available, _expected(mdp, g), -np.inf)
        better = leads_to.max(axis=1) > leads_to[states, policy] + tolerance
        as_good = leads_to >= leads_to[states, policy][:, None] - tolerance
        q = np.where(as_good, mdp.R + _expected(mdp, h), -np.inf)
        also = ~better & (q.max(axis=1) > q[states, policy] + tolerance)
        improved = np.where(better, leads_to.argmax(axis=1), policy)
        improved = np.where(also, q.argmax(axis=1), improved)
        # Rounding beyond the tolerance could let a policy return: then this is the end.
        if improved.tobytes() in visited:
            break
        policy = improved
    least, most = int(g.argmin()), int(g.argmax())
    if g[most] - g[least] > tolerance:
        raise InputError(
            f"the best average reward depends on the state: it is {g[most]:.6g} from "
            f"state {mdp.states[most]!r} and {g[least]:.6g} from state "
            f"{mdp.states[least]!r}, so there is no single gain"
        )
    gain = float(g[0])
    low, high = _bounds(q.max(axis=1) - h, _rounding(mdp) * _size(mdp, h))
    error = float(max(high - gain, gain - low) + tolerance)
    return OptimalAverageReward(policy, gain, h, len(visited), error, mdp)


def relative_value_iteration(
    mdp: MDP, tolerance: float = 1e-8, max_sweeps: int = 100_000
) -> OptimalAverageReward:
    """Sweeps of (13.4) until (13.2) encloses the best gain within 2·tolerance.

    γ is not used. A sweep is 2kSA operations. The gain is the middle of the bounds; the
    bias has h = 0 in the first state. InputError if an action may end an episode, if
    rounding forbids the tolerance, or if max_sweeps do not reach it.
    """
    _refuse_endings(mdp)
    read_integer("max_sweeps", max_sweeps, 1)
    number = isinstance(tolerance, Real) and not isinstance(tolerance, bool)
    if not number or not 0 < tolerance < np.inf:
        raise InputError(
            f"tolerance is {shown(tolerance)}; it must be a positive number"
        )
    h, rounding = np.zeros(len(mdp.R)), _rounding(mdp)
    for sweep in range(1, max_sweeps + 1):
        q = mdp.R + _expected(mdp, h)
        change = q.max(axis=1) - h
        low, high = _bounds(change, rounding * _size(mdp, h))
        error = (high - low) / 2
        if error <= tolerance:
            gain = (low + high) / 2
            return OptimalAverageReward(q.argmax(axis=1), gain, h, sweep, error, mdp)
        h = h + change / 2
        h -= h[0]
    raise InputError(
        f"the best average reward is between {low:.6g} and {high:.6g} after "
        f"{max_sweeps} sweeps; average_policy_iteration says whether it depends on the "
        "state"
    )


def _refuse_endings(mdp: MDP) -> None:
    if mdp.end.any():
        s, a = np.argwhere(mdp.end > 0)[0]
        raise InputError(
            "an average reward requires a process that never ends; state "
            f"{mdp.states[s]!r}, action {mdp.actions[a]!r} may end the episode"
        )


def _gain_and_bias(P, r) -> tuple:
    """g (S,) and h (S,) of any policy: class by class, then the transient states"""
    g, h = np.zeros(len(r)), np.zeros(len(r))
    transient = np.ones(len(r), dtype=bool)
    for states in recurrent_classes(P):
        inside = P[states][:, states]
        g[states], h[states], _ = solve_gain_equations(inside, r[states])
        transient[states] = False
    if transient.any():
        solve = factorize(P[transient][:, transient], 1.0)
        out = P[transient][:, ~transient]
        g[transient] = solve(out @ g[~transient])
        h[transient] = solve(r[transient] - g[transient] + out @ h[~transient])
    return g, h


def _expected(mdp: MDP, x) -> np.ndarray:
    """Σ_{s′} P(s′ | s, a) x(s′) (S, A)"""
    return (mdp.transitions @ x).reshape(mdp.R.shape)


def _size(mdp: MDP, h) -> float:
    """‖R‖ + 2‖h‖, what rounding is relative to"""
    return float(abs(mdp.R[mdp.available]).max() + 2 * abs(h).max())


def _rounding(mdp: MDP) -> float:
    """A bound of (13.2) may be off by this times _size(mdp, h).

    A row of P sums to 1 only up to `off`, so P preserves a stationary distribution only
    up to that: it costs at most off·‖h‖. The rest is the rounding of T h − h.
    """
    off = abs(mdp.transitions.sum(axis=1) - 1)[mdp.available.ravel()].max()
    return rounding_unit(mdp) + float(off)


def _bounds(change, slack: float) -> tuple[float, float]:
    """low and high of (13.2), wider by slack. change: T h − h"""
    return float(change.min()) - slack, float(change.max()) + slack
