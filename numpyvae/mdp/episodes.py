"""Chapter 9. γ = 1: problems that end.

A game or a way through a maze ends. Then the rewards need no discount factor: the
value is the expected total reward of the episode. All equations of chapter 3 hold
as they stand. What changes is when the total exists, and the bound H = 1/(1 − γ),
which would be infinite.

One policy. Say that a policy ends if from every state the episode ends with
probability 1. It is enough that from every state the end can be reached at all:
then it is reached within S steps with some probability p > 0 from each state, so
the probability of still going on after nS steps is at most (1 − p)ⁿ, which goes to
0. So the test is a search in a graph. It asks which probabilities are exactly 0, not
how large the others are. If π ends,

    (I − P_π)⁻¹ = I + P_π + P_π² + …                                           (9.1)

converges. Its entry (s, s′) is the expected number of visits to s′ from s. Its rows
sum to w_π(s), the expected number of steps to the end. So (3.5) holds with H_π =
‖w_π‖.

A state from which no reward follows any more counts as ended, with value 0: that is
how textbooks draw a goal. Suppose that from another state neither the end nor such a
state can be reached. Then the rewards never stop, and the sum along a trajectory has
no finite limit. `policy_evaluation` refuses the policy and names such states.

Some policies never end. In a maze a policy may walk into a wall for ever, so we cannot
ask that every policy ends. Such a policy stays, in the end, in a loop: a set of states
and actions that it never leaves. What counts is the average reward per step in a
loop:

    negative    the total is −∞. No harm: such a policy is not the best.
    positive    the total is +∞. There is no best value: the problem is refused.
    0, since every reward is 0
                the total stays as it is. The loop is worth 0 to whoever stays, and
                nothing is lost by walking in it.
    0, since rewards cancel
                the sum along a trajectory goes up and down for ever: refused.

In the last case the expected sum may settle. For example, two states with rewards 1
and −1, each followed by either with probability ½: from the first, the expected sum is
1 after every step. A trajectory does not come to rest there, so it is refused as well.

A loop without rewards is joined: its states become one, with all their actions that
lead out, and with one that stays, which ends with reward 0. Take a problem whose
rewards are never negative (the frozen lake is one). There this gives the least
solution of v = T v that is nowhere negative. For let v_k = Tᵏ 0, the best total of k
steps. As T 0 ≥ 0 and T is monotone, v_k rises, to the best total. If x = T x ≥ 0, then
v_k = Tᵏ 0 ≤ Tᵏ x = x: the limit stays below every such solution. Larger solutions
exist: the loop may have any larger value, if the states that lead there rise with it.
No policy earns them, and they are not returned.

After that, assume that one policy ends from every state, and that each loop has a
negative average (Bertsekas and Tsitsiklis). If every policy ends there is no loop, and
the assumption holds. Without it v = T v may have many solutions. In the example below,
with reward 0 for "wait", it reads v = max(−1 + ½ v, v), which every v ≥ −2 solves.

Policy iteration. Start with a policy that ends. Suppose that an improved policy π′
stays in a loop C. In C,

    v_π ≤ r_π′ + P_π′ v_π,

as π′ improves π. Let μ be the fraction of time that π′ spends in each state of C,
so μ = P_π′ᵀ μ. Average the inequality with these weights:

    μ·v_π ≤ μ·r_π′ + μ·P_π′ v_π = μ·r_π′ + μ·v_π,        so        μ·r_π′ ≥ 0.

The left side of the last inequality is the average reward of C. It is not negative,
and that contradicts the assumption. So π′ ends, and (6.1) holds as before. The values
rise, no policy comes twice, and the steps end.

At the end T v_π = v_π. Take any policy σ that ends: v_π ≥ r_σ + P_σ v_π. Put the
right side into itself k times, and the last term, P_σᵏ v_π, goes to 0: v_π ≥ v_σ.
A policy that need not end has −∞ wherever it may come to a loop. From its other
states it ends, and is compared as σ is. So v_π is the best value: v* exists, v* = T v*,
and a policy that ends attains it.

No other v solves v = T v. By the same argument v ≥ v_σ for every σ that ends, so v ≥
v*. Let π be greedy for v, so v = r_π + P_π v. In a loop of π the average over μ would
be μ·r_π = 0, against the assumption. So π ends, v = v_π, and v ≤ v*.

Where the assumption fails, policy iteration notices. If π′ stays in C, some action
in C has changed, since π ends. There the advantage is positive, so μ·r_π′ > 0: a loop
that earns without end. Or policy iteration ends, although there is a loop with average
0. Then v_π ≥ r + P v_π in it, as T v_π = v_π. The average of the difference over μ is
−μ·r = 0, and μ is positive in the whole loop. So v_π = r + P v_π there: each action of
the loop is among the best, and rewards that cancel are found among the best actions.

Every policy ends. Let w be the longest expected time to the end,

    w(s) = maxₐ ( 1 + Σ_{s′} P(s′ | s, a) w(s′) ),        H = ‖w‖.             (9.2)

It is the best value if each step has reward 1, so it exists: policy iteration ends at
it. For every policy w ≥ 1 + P_π w, that is (I − P_π) w ≥ 1. Multiply by the inverse,
which has no negative entry: w ≥ w_π. So no row of any (I − P_π)⁻¹ sums to more than
H, and no row of

    P_π (I − P_π)⁻¹ = (I − P_π)⁻¹ − I        to more than H − 1.               (9.3)

T contracts, too, if each state is measured by its own w. From w ≥ 1 + P_π w follows

    P_π w ≤ w − 1 ≤ (1 − 1/H) w,        since w ≤ H.

So with ‖v‖_w = maxₛ |v(s)|/w(s), each sweep of T multiplies the error by at most
1 − 1/H, as (5.1) says of γ. That is why value iteration converges here.

The bounds (5.3) follow, for any v. Let π be greedy for v*, π′ greedy for v, and
δ = T v − v, so δ = T_π′ v − v and δ ≥ T_π v − v:

    v* − v = v_π − v = (I − P_π)⁻¹ (T_π v − v)             by (3.5)
                     ≤ (I − P_π)⁻¹ δ ≤ H ‖δ‖
    v* − v ≥ v_π′ − v = (I − P_π′)⁻¹ δ ≥ −H ‖δ‖            since v* ≥ v_π′

One sweep later, with T v ≥ T_π v in the first line and T v = T_π′ v in the third:

    v* − T v ≤ T_π v* − T_π v = P_π (v* − v)
             ≤ P_π (I − P_π)⁻¹ δ ≤ (H − 1) ‖δ‖             by (9.3)
    v* − T v ≥ v_π′ − T_π′ v = P_π′ (v_π′ − v)
             = P_π′ (I − P_π′)⁻¹ δ ≥ −(H − 1) ‖δ‖          by (9.3)

Any w with w ≥ c + P_π w for all π and a number c > 0 gives the bound ‖w‖/c, so a
computed w gives one as well, although it solves (9.2) only up to rounding.

Not every policy ends. No H covers every policy now, but only nearly greedy policies
matter. Let d = ‖T v − v‖. Call an action near if q(s, a) ≥ (T v)(s) − θ, with a
number θ. Suppose that all policies of near actions end. Let w solve (9.2) with the
maximum over near actions only, and H = ‖w‖. Let θ be so large that θ ≥ d (1 + H).
Then x = v + d·w satisfies x ≥ T x:

    near actions    q(s, a) + d Σ P w ≤ (T v)(s) + d (w(s) − 1)
                                      ≤ v(s) + d w(s) = x(s)
    the others      q(s, a) + d Σ P w ≤ (T v)(s) − θ + d H
                                      ≤ v(s) + d − θ + d H ≤ v(s) ≤ x(s)

The left sides are the action values of x. From x ≥ T x ≥ T_σ x ≥ T_σ T_σ x ≥ … →
v_σ follows x ≥ v_σ for every policy σ that ends. So v* ≤ x, that is v* − v ≤ d H.
The greedy policy π′ of v has near actions only, so v* − v ≥ −d H, as above.

For T v, use v* = T v* ≤ T x. By the first line of each case and θ ≥ d, no action
value of x exceeds (T v)(s) + d (H − 1). The other side is as above, by (9.3) for
π′. Together

    ‖v − v*‖ ≤ H ‖T v − v‖        and        ‖T v − v*‖ ≤ (H − 1) ‖T v − v‖    (9.4)

holds again, with this H.

For example, one state and two actions. "Try" has reward −1 and ends with
probability ½: v = −1 + ½ v, so v = −2. "Wait" has the reward that is printed, and
never ends:

    >>> from numpyvae.mdp import MDP, policy_iteration
    >>> def best(wait):
    ...     mdp = MDP([[[0.5], [1.0]]], [[-1, wait]], 1.0, end=[[0.5, 0.0]])
    ...     return policy_iteration(mdp).values.tolist()
    >>> best(-1), best(0)
    ([-2.0], [0.0])
    >>> try:
    ...     best(1)
    ... except ValueError as error:
    ...     print(error)
    gamma is 1, and in state 0 a policy collects reward without end; use gamma < 1

Source: Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems
(1991); Puterman (1994), sections 7.2 and 7.3.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ..errors import InputError
from .bellman import as_values, factorize, induced_chain, never_ends
from .model import MDP
from .numerics.graphs import (
    JoinedLabels,
    endless_states,
    lead_to,
    loops,
    name_states,
)
from .numerics.rounding import rounding_unit
from .numerics.validation import LARGEST
from .solution import Solution

LONG_EPISODE = 10_000  # steps; beyond, linear systems take less time than sweeps
ENDLESS_REWARD = "a policy collects reward without end; use gamma < 1"
CANCELLING = (
    "a policy goes round for ever with rewards that cancel: the sum along a "
    "trajectory does not settle; use gamma < 1"
)


def effective_horizon(mdp: MDP) -> float:
    """H: no row of (I − γ P_π)⁻¹ sums to more than this, whatever the policy π.

    1/(1 − γ), or at γ = 1 the ‖w‖ of (9.2), which is inf if some policy never ends.
    ValueError if episodes may be so long that float64 cannot bound them, or values
    as large as H·‖R‖ (‖R‖ over the available actions).
    """
    if mdp.gamma < 1:
        return 1 / (1 - mdp.gamma)
    return longest_episode(mdp, mdp.available)


def longest_episode(mdp: MDP, actions: np.ndarray) -> float:
    """The H of (9.2), or a little more, over policies of these actions (S, A).

    inf if one of the policies need not end.
    """
    if endless_states(mdp.transitions, mdp.end, actions).any():
        return np.inf
    w, q = _largest_totals(mdp, np.ones(mdp.R.shape), actions, actions.argmax(axis=1))
    c = (w - (q.max(axis=1) - 1)).min()  # 1, but for rounding and advantages below 1e-9
    largest_reward = max(abs(mdp.R[mdp.available]).max(), 1)
    if not c > 0.5 or w.max() / c > LARGEST / largest_reward:
        raise InputError(
            f"gamma is 1, and some policy needs about {abs(w).max():.2g} steps to end "
            "an episode; values may exceed the range or the precision of float64: use "
            "gamma < 1, or scale the rewards"
        )
    return float(w.max() / c)


def _largest_totals(mdp: MDP, R, actions, policy) -> tuple:
    """Policy iteration at γ = 1 (chapter 6), to nine digits: v and q of rewards R.

    policy: one that ends. Here without what chapter 6 does against rounding, which
    needs the H that is computed with this.
    """
    states = np.arange(len(R))
    while True:
        P, _ = induced_chain(mdp, policy)
        refuse_endless(mdp, P, policy)
        v = factorize(P, 1.0)(R[states, policy])
        q = np.where(actions, R + (mdp.transitions @ v).reshape(R.shape), -np.inf)
        better = q.max(axis=1) > q[states, policy] + 1e-9 * abs(v).max()
        if not better.any():
            return v, q
        policy = np.where(better, q.argmax(axis=1), policy)


def refuse_endless(mdp: MDP, P, policy) -> None:
    """ValueError if an improved policy never ends: its average reward is positive."""
    endless = never_ends(mdp, policy, P)
    if endless.any():
        where = name_states(mdp.states, endless)
        raise InputError(f"gamma is 1, and {where} {ENDLESS_REWARD}")


def ending_policy(mdp: MDP) -> np.ndarray:
    """A policy (S,) that ends from every state; ValueError names where none does."""
    nowhere = np.zeros(len(mdp.R), dtype=bool)
    policy, ends = lead_to(mdp.transitions, mdp.end, mdp.available, nowhere)
    if not ends.all():
        where = name_states(mdp.states, ~ends)
        raise InputError(
            f"gamma is 1, and {where} no policy ends the episode, and rewards go on: "
            "mark terminal states with terminal=, or use gamma < 1"
        )
    return policy


def check_totals(mdp: MDP) -> None:
    """ValueError if at γ = 1 no policy ends, or a loop has an average of 0 or more.

    The problem has no loop without rewards (`join_loops`). So if no reward in a
    loop is positive, its average is negative; only otherwise the policies are
    improved.
    """
    start = ending_policy(mdp)
    _, inner = loops(mdp.transitions, mdp.end, mdp.available)
    if (mdp.R[inner] <= 0).all():
        return
    R = np.where(mdp.available, mdp.R, 0)
    v, q = _largest_totals(mdp, R, mdp.available, start)
    best = q >= (q.max(axis=1) - 1e-9 * (1 + abs(v).max()))[:, None]
    refuse_cancelling(mdp, best)


def refuse_cancelling(mdp: MDP, best: np.ndarray) -> None:
    """ValueError if the best actions, boolean (S, A), contain a loop."""
    circling = endless_states(mdp.transitions, mdp.end, best)
    if circling.any():
        where = name_states(mdp.states, circling)
        raise InputError(f"gamma is 1, and {where} {CANCELLING}")


def near_greedy_horizon(mdp: MDP, v, q) -> tuple:
    """H of (9.4), inf if some nearly greedy policy need not end; and the near actions.

    v (S,), and its action values q (S, A). The larger θ is, the more actions are
    near, and the larger H: θ starts small and grows until it is d·(1 + H).
    """
    Tv = q.max(axis=1)
    rounding = rounding_unit(mdp) * (abs(Tv).max() + 3 * abs(v).max())
    d = abs(Tv - v).max() + 2 * rounding  # q and T v are off by `rounding`, at most
    theta = 2 * d
    while True:
        near = q >= (Tv - theta - 2 * rounding)[:, None]
        H = _longest_near_episode(mdp, near)
        if np.isinf(H) or d * (1 + H) <= theta:
            return H, near
        theta = d * (1 + H)


def _longest_near_episode(mdp: MDP, actions: np.ndarray) -> float:
    """longest_episode, up to a ninth larger, but in less time: by sweeps of (9.2).

    From w = 0 the sweeps only rise. Once no entry rises by more than c′ = 0.1, the
    next w is at most w + c′, so w ≥ (1 − c′) + P_π w for all policies of these
    actions.
    """
    if endless_states(mdp.transitions, mdp.end, actions).any():
        return np.inf
    S, A = mdp.R.shape
    rows = np.flatnonzero(actions)
    first = np.searchsorted(rows, np.arange(S) * A)  # row of each state
    P = mdp.transitions[rows]
    w = np.zeros(S)
    for _ in range(LONG_EPISODE):
        following = np.maximum.reduceat(1 + P @ w, first)
        rise = (following - w).max()
        if rise <= 0.1:
            return float(w.max() / (1 - rise))
        w = following
    return longest_episode(mdp, actions)


def expected_steps(P, solve) -> float:
    """H_π, or a little more: the most steps that a policy needs to end, on average.

    P: its transitions; solve: as `factorize` returns it.
    """
    w = solve(np.ones(P.shape[0]))
    c = (w - P @ w).min()  # 1, but for rounding
    if not c > 0.5:
        raise InputError(
            f"gamma is 1, and a policy needs about {abs(w).max():.2g} steps to end an "
            "episode: beyond the precision of float64; use gamma < 1"
        )
    return float(w.max() / c)


class Horizon:
    """H for the sweeps of a solver: that of the problem, or (9.4) where this is inf.

    (9.4) holds for one v and takes a policy iteration of its own. So it is computed
    after 1, 4, 16, … sweeps, and whenever it may suffice: when the change of v has
    fallen to a quarter, or once an H is known, when H times the change is small
    enough.
    """

    def __init__(self, mdp: MDP, tolerance: float):
        self.mdp = mdp
        self.tolerance = tolerance
        self.fixed = effective_horizon(mdp)
        self.calls = 0
        self.next_call = 1
        self.small_change = np.inf
        if np.isinf(self.fixed):
            check_totals(mdp)

    def at(self, v, q) -> float:
        """H for v (S,) with action values q (S, A); inf while none is known."""
        if self.fixed < np.inf:
            return self.fixed
        self.calls += 1
        change = abs(q.max(axis=1) - v).max()
        if change > self.small_change and self.calls < self.next_call:
            return np.inf
        if self.calls >= self.next_call:
            self.next_call *= 4
        H, _ = near_greedy_horizon(self.mdp, v, q)
        self.small_change = change / 4
        if not np.isinf(H):
            self.small_change = min(self.small_change, self.tolerance / H)
        return H


class Joined(NamedTuple):
    """A problem whose loops without rewards are one state each, and the way back.

    mdp: the joined problem
    label: (S,) the joined state of each state
    state, action: (S′, A′) which state and action each joined action is; −1: stay
    inner: (S, A) the actions within the loops
    original: the problem before
    """

    mdp: MDP
    label: np.ndarray
    state: np.ndarray
    action: np.ndarray
    inner: np.ndarray
    original: MDP

    def reduce(self, v) -> np.ndarray | None:
        """Values (S,) to start from, for the joined problem: the best of each loop."""
        if v is None:
            return None
        start = np.full(len(self.mdp.R), -np.inf)
        np.maximum.at(start, self.label, as_values(self.original, v))
        return start

    def report(self, callback: Callable | None) -> Callable | None:
        """The callback of the original problem, for a solver of the joined one."""
        if callback is None:
            return None
        return lambda k, values: callback(k, values[self.label])

    def expand(self, solution: Solution) -> Solution:
        """The solution of the original problem: a loop is left where it should be."""
        mdp = self.original
        joined = np.arange(len(solution.policy))
        state = self.state[joined, solution.policy]
        action = self.action[joined, solution.policy]
        leaving = state >= 0
        exits = np.zeros(len(mdp.R), dtype=bool)
        exits[state[leaving]] = True
        never = np.zeros(mdp.R.shape)
        policy, _ = lead_to(mdp.transitions, never, self.inner, exits)
        stays = ~leaving[self.label]
        policy[stays] = self.inner.argmax(axis=1)[stays]
        policy[state[leaving]] = action[leaving]
        values = solution.values[self.label]
        return Solution(policy, values, solution.iterations, solution.error_bound, mdp)


def join_loops(mdp: MDP) -> Joined | None:
    """The problem with its loops without rewards joined; None if none, or γ < 1."""
    if mdp.gamma < 1:
        return None
    label, inner = loops(mdp.transitions, mdp.end, mdp.R == 0)
    if not inner.any():
        return None
    S, A = mdp.R.shape
    stay = np.unique(label[inner.any(axis=1)])  # the joined states that may stay
    rows = np.flatnonzero(mdp.available & ~inner)  # the actions that remain: s·A + a
    owner = np.concatenate([label[rows // A], stay])
    members: list[list] = [[] for _ in range(label.max() + 1)]
    for s in range(S):
        members[label[s]].append(mdp.states[s])

    # Number the actions of each joined state 0, 1, 2, …
    count = np.bincount(owner, minlength=len(members))
    first = np.cumsum(count) - count
    order = np.argsort(owner, kind="stable")
    number = np.empty(len(owner), dtype=np.intp)
    number[order] = np.arange(len(owner)) - first[owner[order]]
    shape = len(count), count.max()
    place = owner * shape[1] + number
    moved, staying = place[: len(rows)], place[len(rows) :]

    R = np.full(shape, -np.inf)
    R.flat[moved] = mdp.R.flat[rows]
    R.flat[staying] = 0
    end = np.zeros(shape)
    end.flat[moved] = mdp.end.flat[rows]
    end.flat[staying] = 1
    state = np.full(shape, -1)
    state.flat[moved] = rows // A
    action = np.full(shape, -1)
    action.flat[moved] = rows % A

    move = csr_array((np.ones(len(rows)), (moved, rows)), shape=(R.size, S * A))
    merge = csr_array((np.ones(S), (np.arange(S), label)), shape=(S, len(count)))
    transitions = move @ csr_array(mdp.transitions) @ merge
    joined = object.__new__(MDP)  # not by MDP(…), which would check valid rows again
    joined.__dict__.update(
        R=R,
        gamma=mdp.gamma,
        states=tuple(JoinedLabels(labels) for labels in members),
        actions=tuple(range(shape[1])),
        end=end,
        transitions=transitions if mdp.sparse else transitions.toarray(),
        terminal=np.zeros(len(R), dtype=bool),
    )
    return Joined(joined, label, state, action, inner, mdp)
