"""The optimal value, three ways to find it, and every policy that attains it.

The model, and the equation of a policy's value, are in bellman; read that first. No policy does better from any state
than the optimal value v*, and some policy attains it in all states at once. Its own equation says that the first
action is the best one,

    v*(s) = maxₐ q*(s, a),    q*(s, a) = R(s, a) + γ Σₜ P(t | s, a) v*(t),        or        v* = T v*.

The operator T is a contraction, ‖T u - T v‖ ≤ γ ‖u - v‖: averaging over next states and taking the largest action
cannot widen a gap, and γ narrows it. Hence there is exactly one v*, and

    value iteration            v ← T v          nearer by a factor γ each time: cheap steps, some 1/(1-γ) per digit
    policy iteration           π ← greedy(v_π)  a linear system a step, few steps: it is Newton's method for v = T v
    modified policy iteration  between them: v ← T v, then sweeps of v ← r_π + γ P_π v, which cost one action, not A

and any v at all is at most ‖T v - v‖ / (1-γ) from v*. The discount is how far the agent sees, about 1/(1-γ) steps:
near 0 it takes what lies nearest and all three are done at once, near 1 it plans far ahead and value iteration
crawls.

Why ties matter: where two actions are equally good the optimal policy is not one but many, and rounding decides,
afresh at each step, which looks better. Policy iteration that follows it can go round for ever. So an action is kept
unless another is better by more than the tolerance τ that module rounding derives. Then values only rise: put v = v_π
into bellman's identity for the new policy π′,

    v_π′ - v_π = (I - γ P_π′)⁻¹ (q_π(·, π′) - v_π).

The bracket is nowhere negative, and positive where an action changed; the inverse, Σ γᵏ P_π′ᵏ, has no negative entry
and is at least I: no value falls, and one rises. So no policy comes back, and they are finite in number: it stops.
Should rounding beyond τ bring one back all the same, that ends the search, too.

Source: Puterman (1994), chapter 6; Howard 1960; MacQueen 1966. Next: discount, on where the optimal policy changes.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from .bellman import MDP, action_values, check_policy, follow, policy_evaluation, residual
from .discount import blackwell_policy, discount_switches
from .rounding import refined_evaluation, tie

__all__ = ["MDP", "policy_evaluation", "residual", "action_values", "greedy_policy", "Solution", "policy_iteration",
           "value_iteration", "modified_policy_iteration", "optimal_actions", "optimal_policies", "enumerate_policies",
           "discount_switches", "blackwell_policy", "Trajectory", "simulate", "chain"]


def chain(gamma: float) -> MDP:
    """States -1, 0, 1, 2 in a row; - moves left and + moves right, surely. Two moves pay, and both land in 0:

             - pays 1        + pays 3
         ┌────────────┐ ┌───────────────────────┐
         │            ↓ ↓                       │
        -1 ←────────→  0  ←─────→ 1 ←─────────→ 2
    """
    left, right = [1, 0, 1, 2], [1, 2, 3, 1]                # the state after - and after +, by index: -1 is 0, 0 is 1, …
    P = np.eye(4)[np.array([left, right]).T]                # (4, 2, 4)
    R = [[1, 0], [0, 0], [0, 0], [0, 3]]
    return MDP(P, R, gamma, states=(-1, 0, 1, 2), actions=("-", "+"))


class Solution(NamedTuple):
    policy: np.ndarray      # (S,) action numbers
    values: np.ndarray      # (S,)
    steps: int              # policies evaluated, sweeps of T, or rounds: what the method counts
    bound: float            # ‖values - v*‖ is at most this, rounding included


def greedy_policy(mdp: MDP, v, current=None) -> np.ndarray:
    """argmaxₐ q(s, a) (S,): the best first action if v is what follows; of equals, the first.

    With `current`, a policy (S,): its action, unless another is better by more than τ.
    """
    q = action_values(mdp, v)
    best = q.argmax(axis=1)
    if current is None:
        return best
    gain = q.max(axis=1) - np.take_along_axis(q, current[:, None], axis=1)[:, 0]
    return np.where(gain > tie(mdp, v), best, current)


def policy_iteration(mdp: MDP, policy=None) -> Solution:
    """v_π, then π ← greedy(v_π), until π stays. Starts from `policy` (S,), or from the greedy one of v(s) = maxₐ R(s, a).

    A large sparse problem wants a good start: policy_iteration(mdp, modified_policy_iteration(mdp, 1e-3).policy).
    """
    policy = greedy_policy(mdp, mdp.R.max(axis=1)) if policy is None else _deterministic(mdp, policy)
    left = set()
    while policy.tobytes() not in left:
        left.add(policy.tobytes())
        v = policy_evaluation(mdp, policy)
        kept, policy = policy, greedy_policy(mdp, v, policy)
        if (policy == kept).all():
            break
    return Solution(kept, v, len(left), _certified(mdp, residual(mdp, v) / (1 - mdp.gamma), v))


def value_iteration(mdp: MDP, tolerance: float = 1e-8, v=None, max_sweeps: int = 1_000_000) -> Solution:
    """v ← T v, from v or zero, until ‖v - v*‖ ≤ tolerance by the bound ‖T v - v*‖ ≤ γ/(1-γ) ‖T v - v‖ and rounding.

    (The span of T v - v, smaller and often used, bounds how wrong the policy is; the values may still be far from v*.)
    ValueError if float64 cannot reach the tolerance at this discount, or if max_sweeps do not.
    """
    v = np.zeros(len(mdp.R)) if v is None else np.asarray(v, dtype=float)
    for sweeps in range(1, max_sweeps + 1):
        last, v = v, action_values(mdp, v).max(axis=1)
        error = mdp.gamma / (1 - mdp.gamma) * abs(v - last).max()
        if error <= tolerance and (bound := _certified(mdp, error, v, tolerance)) <= tolerance:
            return Solution(greedy_policy(mdp, v), v, sweeps, bound)
    raise ValueError(f"value iteration is within {error:.3g} of the optimal values, not {tolerance:g}, "
                     f"after {max_sweeps} sweeps; use policy_iteration")


def modified_policy_iteration(mdp: MDP, tolerance: float = 1e-8, sweeps: int = 50,
                              max_rounds: int = 1_000_000) -> Solution:
    """Rounds of v ← T v and then `sweeps` of v ← r_π + γ P_π v, until ‖v - v*‖ ≤ tolerance by the bound ‖T v - v‖/(1-γ).

    A constant c added to v adds γc to T v, takes (1-γ)c from T v - v, and changes no policy. So the constant part of the
    error, the slowest to die, need not be waited for: the c that centres T v - v on zero, halfway between MacQueen's bounds,
    is added at the end.
    ValueError as for value_iteration.
    """
    states, v = np.arange(len(mdp.R)), np.zeros(len(mdp.R))
    for rounds in range(1, max_rounds + 1):
        q = action_values(mdp, v)
        policy = q.argmax(axis=1)
        Tv = q[states, policy]
        high, low = (Tv - v).max(), (Tv - v).min()
        c = (high + low) / 2 / (1 - mdp.gamma)
        error = (high - low) / 2 / (1 - mdp.gamma)
        if error <= tolerance and (bound := _certified(mdp, error, v + c, tolerance)) <= tolerance:
            return Solution(policy, v + c, rounds, bound)
        P, r = follow(mdp, policy)
        P *= mdp.gamma
        v = Tv
        for _ in range(sweeps):
            v = P @ v
            v += r
    raise ValueError(f"modified policy iteration is within {error:.3g} of the optimal values, not {tolerance:g}, "
                     f"after {max_rounds} rounds; use policy_iteration")


def optimal_actions(mdp: MDP, policy=None) -> np.ndarray:
    """Boolean (S, A): whether q*(s, a) = v*(s), for every action, ties (to within τ) included. `policy`: where to begin."""
    v = refined_evaluation(mdp, policy_iteration(mdp, policy).policy)
    q = action_values(mdp, v)
    return q >= q.max(axis=1, keepdims=True) - tie(mdp, v)


def optimal_policies(mdp: MDP) -> Iterator[np.ndarray]:
    """All deterministic policies (S,) that are optimal: any choice among each state's optimal actions. May be very many."""
    choices = [np.flatnonzero(row) for row in optimal_actions(mdp)]
    return (np.array(policy) for policy in product(*choices))


def enumerate_policies(mdp: MDP, limit: int = 100_000) -> Iterator[np.ndarray]:
    """All Aˢ deterministic policies (S,). ValueError if there are more than `limit`."""
    S, A = mdp.R.shape
    if A ** S > limit:
        raise ValueError(f"{A} actions in {S} states make {A}^{S} policies, more than {limit}; "
                         "use policy_iteration or optimal_policies")
    return (np.array(policy) for policy in product(range(A), repeat=S))


class Trajectory(NamedTuple):
    states: np.ndarray      # (steps + 1,) state numbers, the start first
    actions: np.ndarray     # (steps,) action numbers
    rewards: np.ndarray     # (steps,)
    value: float            # Σₖ γᵏ rewardₖ, short of the whole sum's expectation by at most γ^steps·‖R‖/(1-γ)


def simulate(mdp: MDP, policy, start: int, steps: int, rng: np.random.Generator) -> Trajectory:
    """Follow the policy, (S,) or (S, A), for `steps` steps from state number `start`. Its value is the mean over many."""
    S, A = mdp.R.shape
    policy = check_policy(mdp, policy)
    if not 0 <= start < S:
        raise ValueError(f"start is {start}; states are numbered 0 to {S - 1}")
    states, actions = [start], []
    for _ in range(steps):
        s = states[-1]
        a = policy[s] if policy.ndim == 1 else rng.choice(A, p=policy[s])
        actions.append(a)
        states.append(_land(mdp, s * A + a, rng))
    rewards = mdp.R[states[:-1], actions]
    value = float(rewards @ mdp.gamma ** np.arange(steps))
    return Trajectory(np.array(states), np.array(actions, dtype=np.intp), rewards, value)


def _land(mdp: MDP, row: int, rng: np.random.Generator) -> int:
    if not mdp.sparse:
        return rng.choice(len(mdp.R), p=mdp.rows[row])
    row = slice(*mdp.rows.indptr[row:row + 2])
    return rng.choice(mdp.rows.indices[row], p=mdp.rows.data[row])


def _deterministic(mdp: MDP, policy) -> np.ndarray:
    policy = check_policy(mdp, policy)
    if policy.ndim != 1:
        raise ValueError("policy: policy iteration starts from one action a state, not from probabilities")
    return policy


def _certified(mdp: MDP, error: float, v, tolerance: float = np.inf) -> float:
    """A bound on ‖v - v*‖: what it is in exact arithmetic, and rounding's share. ValueError if that exceeds the tolerance."""
    floor = tie(mdp, v) / (1 - mdp.gamma)       # τ covers two action values; T v - v has one, less v
    if floor > tolerance:
        raise ValueError(f"float64 cannot certify values to {tolerance:g} at gamma = {mdp.gamma}: "
                         f"rounding alone may cost {floor:.2g}; ask for less, or use policy_iteration")
    return float(error + floor)
