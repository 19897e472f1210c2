"""Chapter 6. Policy iteration: why it ends, and why its end is optimal.

Value iteration approaches v*. Policy iteration reaches it, in few steps:

    evaluate    v_π, the solution of the linear system (3.2)
    improve     in each state take an action with the largest q_π(s, a), but keep
                π's action where no other is better
    repeat      until no action changes

Why no step is worse. Let π′ be the improved policy. Write q_π(·, π′) for the vector
of q_π(s, π′(s)): one step of π′, then π for ever, which is T_π′ v_π. Put v = v_π
and the policy π′ into equation (3.5):

    v_π′ − v_π = (I − γ P_π′)⁻¹ ( q_π(·, π′) − v_π ).                          (6.1)

The bracket is the advantage of π′ over π. It is nowhere negative: where π′ differs
from π it is positive, elsewhere it is q_π(s, π(s)) − v_π(s) = 0. The inverse is
I + γ P_π′ + γ² P_π′² + …, so it has no negative entry and is at least I. Hence

    v_π′ ≥ v_π + advantage ≥ v_π        in each state.

Why it ends. While an action changes, the advantage is positive in some state, and
there the value rises. So no policy comes twice. There are finitely many policies, at
most A^S, so the steps end. (In practice after about ten.)

Why an action that ties is kept. Exchanged for an equal one it would raise no value,
and equal policies could follow each other for ever. At γ = 1 (chapter 9) the equal
action may walk in a circle, so that the new policy never ends. For the average reward
(chapter 13) it may change the recurrent class, and with it the bias, for no gain.

Why its end is optimal. At the end no action of any state is better than π's, so the
largest q_π(s, a) is π's own:

    T v_π = v_π.

But T has only one fixed point (chapter 5), and this is v*. So v_π = v*: no policy
is better in any state. A local improvement that stops has found the global best.

Why so few steps. In each state T v is the largest of the functions q(s, a), and each
is linear in v but for a constant. T_π′ takes the ones that are the largest at v_π.
Policy iteration solves v = T_π′ v in place of v = T v: it is Newton's method for the
equation v = T v (Puterman and Brumelle 1979).

The work: an evaluation costs what chapter 3 says, an improvement 2kSA operations.

Rounding. The argument above needs "better" to be exact. A computed q(s, a) is off
by the error of v and by its own rounding, and two equal actions come out unequal:
the loop could exchange them for ever. So an action is replaced only if another is
better by more than the errors of both, which (R.1) bounds. The bound needs the
error of the computed v, and (3.5) gives a rough one. When no action is better by
more than that, v is refined to the last bit, and the actions are compared once
more. Chapter "rounding" has the details; nothing else depends on them.

At γ = 1 the start must be a policy that ends, and (6.1) holds as long as the
improved policies end; chapter 9 says when, and what it means if one does not.

For example, the two states of chapter 5 at γ = ¾: in A stay (reward 1) or go to B
(reward 0), in B stay (reward 2). The start is the policy that is greedy for v =
maxₐ R(·, a), here v = (1, 2). In A staying gives 1 + ¾·1, going ¾·2, so it stays:

    π = (stay)    v(B) = 2/(1 − ¾) = 8, v(A) = 1/(1 − ¾) = 4
                  q(A, go) = ¾·8 = 6 > 4: go is better
    π = (go)      v(B) = 8, v(A) = 6
                  q(A, stay) = 1 + ¾·6 = 5.5 < 6: no action is better, the end

    >>> import numpy as np
    >>> from numpyvae.mdp import MDP, policy_iteration
    >>> stay, go = [[1, 0], [0, 1]], [[0, 1], [0, 1]]
    >>> mdp = MDP.from_action_matrices([stay, go], [[1, 0], [2, 2]], 0.75)
    >>> solution = policy_iteration(mdp, on_iteration=lambda k, v: print(k, v))
    1 [4. 8.]
    2 [6. 8.]
    >>> solution.policy.tolist()
    [1, 0]

Source: Howard 1960; Puterman (1994), section 6.4; Puterman and Brumelle, On the
convergence of policy iteration in stationary dynamic programming (1979).
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
    never_ends,
    policy_evaluation,
    total_chain,
)
from .episodes import (
    effective_horizon,
    ending_policy,
    expected_steps,
    join_loops,
    near_greedy_horizon,
    refuse_cancelling,
    refuse_endless,
)
from .model import MDP
from .numerics.rounding import refine, rounding_unit, tie_tolerance
from .numerics.validation import U
from .solution import Solution


def plain_policy_iteration(P, R, gamma: float) -> tuple:
    """An optimal policy (S,) and v* (S,), for γ < 1: the loop and nothing else.

    P: array (S, A, S); R: (S, A). An advantage of up to 1e-9 counts as rounding.
       Where values are large, rounding may pass for an advantage. Where rewards are
       small, an advantage may pass for rounding. `policy_iteration` computes the
       limit instead.
    """
    states = np.arange(len(R))
    policy = (R + gamma * P @ R.max(axis=1)).argmax(axis=1)
    while True:
        system = np.eye(len(R)) - gamma * P[states, policy]
        v = np.linalg.solve(system, R[states, policy])
        q = R + gamma * P @ v
        better = q.max(axis=1) > q[states, policy] + 1e-9
        if not better.any():
            return policy, v
        policy = np.where(better, q.argmax(axis=1), policy)


def greedy_policy(mdp: MDP, v, current=None) -> np.ndarray:
    """argmaxₐ q(s, a) (S,): greedy for v (S,); ties go to the lowest index.

    current: a policy (S,); its action is kept unless another is better by more than
    rounding explains.
    """
    if current is None:
        return action_values(mdp, v).argmax(axis=1)
    v, current = as_values(mdp, v), as_policy(mdp, current)
    if current.ndim != 1:
        raise InputError(
            "policy: one action per state is required here, not probabilities"
        )
    policy, _ = _improve(mdp, v, current, U * abs(v))
    return policy


def _improve(mdp: MDP, v, policy, error) -> tuple:
    """The improved policy, and T v. error: of v, (S,) or a number."""
    q = action_values(mdp, v)
    first_row = np.arange(len(v)) * mdp.R.shape[1]
    best = q.argmax(axis=1)
    best_row, own_row = first_row + best, first_row + policy
    Tv = q.reshape(-1)[best_row]
    gain = Tv - q.reshape(-1)[own_row]
    s = np.flatnonzero(gain > 0)  # the tolerance is computed where it decides
    gain[s] -= tie_tolerance(mdp, v, error, best_row[s])
    gain[s] -= tie_tolerance(mdp, v, error, own_row[s])
    return np.where(gain > 0, best, policy), Tv


def policy_iteration(
    mdp: MDP, policy=None, v=None, on_iteration: Callable | None = None
) -> Solution:
    """Evaluate and improve until no action changes. v is refined to the last bit.

    policy: where to start, (S,) or (S, A); at γ = 1 it must end
    v: (S,), instead of a policy: start with the policy that is greedy for v; by
       default v(s) = maxₐ R(s, a). A large problem needs a good start:
       v=modified_policy_iteration(mdp, 1e-3).values
    on_iteration: called as on_iteration(k, v) for each policy, with a copy of its v

    Returns a Solution whose values are those of the policy: |values − v_π| ≤
    u·|v_π| in each state. `iterations` counts the policies evaluated.
    """
    return solve_exactly(mdp, policy, v, on_iteration)[0]


def solve_exactly(
    mdp: MDP, policy=None, v=None, on_iteration: Callable | None = None
) -> tuple:
    """policy_iteration's Solution, and a bound on |values − v_π| in each state (S,)."""
    if policy is not None:
        policy = as_policy(mdp, policy)
    joined = join_loops(mdp)
    if joined is not None:
        if policy is not None:
            v = policy_evaluation(mdp, policy)
        solution, error = solve_exactly(
            joined.mdp, None, joined.reduce(v), joined.report(on_iteration)
        )
        return joined.expand(solution), error[joined.label]
    policy = _first_policy(mdp, policy, v)
    H, unit = effective_horizon(mdp), rounding_unit(mdp)
    all_end = not np.isinf(H)
    visited = set()
    while True:
        visited.add(policy.tobytes())
        P, r = induced_chain(mdp, policy)
        if not all_end:
            refuse_endless(mdp, P, policy)
        solve = factorize(P, mdp.gamma)
        if not all_end:
            H = expected_steps(P, solve)
        v = solve(r)
        residual = abs(r + mdp.gamma * (P @ v) - v).max()
        rounding = unit * (abs(r).max() + 2 * abs(v).max())
        error = H * (residual + rounding)
        improved, Tv = _improve(mdp, v, policy, error)
        if (improved == policy).all():
            v, error = refine(P, r, mdp.gamma, solve, H, v)
            improved, Tv = _improve(mdp, v, policy, error)
        if on_iteration is not None:
            on_iteration(len(visited), v.copy())
        # By (6.1) no policy comes twice; should rounding beyond (R.1) bring one, stop.
        if improved.tobytes() in visited:
            break
        policy = improved
    if not all_end:
        H, near = near_greedy_horizon(mdp, v, action_values(mdp, v))
        if np.isinf(H):
            refuse_cancelling(mdp, near)
    bound = H * (abs(Tv - v).max() + unit * (abs(r).max() + 2 * abs(v).max()))
    solution = Solution(policy, v, len(visited), float(bound), mdp)
    return solution, np.broadcast_to(error, v.shape)


def _first_policy(mdp: MDP, policy, v) -> np.ndarray:
    """Where policy iteration starts, (S,); at γ = 1 a policy that ends."""
    if policy is not None and policy.ndim == 1:
        total_chain(mdp, policy)  # ValueError if it need not end
        return policy
    if policy is not None:
        v = policy_evaluation(mdp, policy)
    policy = greedy_policy(mdp, mdp.R.max(axis=1) if v is None else v)
    if mdp.gamma == 1:
        P, _ = induced_chain(mdp, policy)
        if never_ends(mdp, policy, P).any():
            return ending_policy(mdp)
    return policy
