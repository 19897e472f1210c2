"""Chapter 3. Bellman's equations: the value of a policy, and of the best one.

A policy π selects the action in each state, or its probability. (A plan might look at
the past or at the clock, too. Chapter 5 shows that it gains nothing by that.) The
value of π is the expected discounted return,

    v_π(s) = E[ Σₖ γᵏ R(sₖ, aₖ) | s₀ = s ].                                    (3.1)

Separate the first reward. The rest is γ times the same sum from the next state.
Write r_π(s) for the expected reward of the first step, and P_π(s, s′) for the
probability of the next state. This is Bellman's equation,

    v_π = r_π + γ P_π v_π,        or        (I − γ P_π) v_π = r_π,             (3.2)

S linear equations in S unknowns. For γ < 1 the matrix has an inverse,

    (I − γ P_π)⁻¹ = I + γ P_π + γ² P_π² + …

The series converges: no row of P_π sums to more than 1, so no row of its k-th power
does, and no row of the k-th term to more than γᵏ. Its sum is the inverse, since

    (I − γ P_π) (I + γ P_π + … + γᵏ P_πᵏ) = I − γᵏ⁺¹ P_πᵏ⁺¹ → I.

No entry is negative, and no row of the sum exceeds H = 1/(1 − γ). (γ = 1 is the
subject of chapter 9.)

The action value is the value of action a followed by π. The advantage is what a
gains over π itself,

    q_π(s, a) = R(s, a) + γ Σ_{s′} P(s′ | s, a) v_π(s′),
    advantage(s, a) = q_π(s, a) − v_π(s).                                      (3.3)

With any vector v in place of v_π, the same formula gives the action values q(s, a)
of v. The Bellman operator replaces v by one step and then v: one step of a policy,
or one step of the best action in each state,

    T_π v = r_π + γ P_π v,        T v = maxₐ q(·, a).                          (3.4)

So (3.2) says v_π = T_π v_π. The best value v* solves v* = T v*, as chapter 5 shows;
it also shows that no policy is better in any state.

How wrong is a v? Subtract v = (I − γ P_π)⁻¹ (I − γ P_π) v from (3.2) solved for
v_π:

    v_π − v = (I − γ P_π)⁻¹ ( r_π − (I − γ P_π) v )
            = (I − γ P_π)⁻¹ ( T_π v − v ).                                     (3.5)

T_π v − v is the Bellman residual. No row of the inverse sums to more than H, so
‖v_π − v‖ ≤ H ‖T_π v − v‖, with ‖·‖ the largest absolute entry. To check a solution
takes one matrix product. (5.3) says the same of T and v*.

Rounding. Gaussian elimination returns the exact solution v̂ of a system whose matrix
is off by a little, by some E. Its size is at most about S·u times that of I − γ P_π,
which is at most 1 + γ, with u = 2⁻⁵² the machine epsilon. (The diagonal dominates
each row. That alone bounds the growth of the factors, also without pivoting.) From

    (I − γ P_π + E) v̂ = r_π        follows        T_π v̂ − v̂ = E v̂,

so the residual of v̂ is at most S·u·(1 + γ)·‖v̂‖. By (3.5) the error is at most H
times that. The factor (1 + γ)·H bounds the condition number of I − γ P_π: values may
lose about log₁₀ H digits.

The work. The factors of a dense matrix take ⅔S³ operations, and then each right side
2S². The factors of a sparse matrix take what its fill-in costs.

For example, two states, one action, γ = ½. State 0 has reward 5 and leads to either
state with probability ½. State 1 has reward 2 and stays. Then

    v(1) = 2 + ½ v(1)                        so v(1) = 4
    v(0) = 5 + ½ (½ v(0) + ½·4)              so v(0) = 6/(1 − ¼) = 8

For v = 0 the residual is (5, 2), and H = 2: the bound is 10, the error 8.

    >>> from numpyvae.mdp import MDP, bellman_residual, policy_evaluation
    >>> mdp = MDP([[[0.5, 0.5]], [[0, 1]]], [[5], [2]], 0.5)
    >>> policy_evaluation(mdp, [0, 0]).tolist()
    [8.0, 4.0]
    >>> bellman_residual(mdp, [0, 0]), bellman_residual(mdp, [8, 4])
    (5.0, 0.0)

Source: Puterman, Markov Decision Processes (1994), section 6.1; Higham, Accuracy
and Stability of Numerical Algorithms (2002), sections 9.3 and 9.5.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_array, eye_array, issparse
from scipy.sparse.linalg import bicgstab, splu

from ..errors import InputError
from .model import MDP
from .numerics.graphs import can_reach, name_states
from .numerics.validation import U, read_array, read_named_policy

# Sparse systems of more states are solved by iteration first; of still more, only so.
ITERATIVE_STATES = 5_000
LU_STATES = 200_000


def as_policy(mdp: MDP, policy) -> np.ndarray:
    """The policy as an array: integers (S,), an action per state, or (S, A) weights.

    ValueError names the first state whose entry is no available action, or no
    distribution over them (to within 4·A·u).
    """
    S, A = mdp.R.shape
    policy = np.asarray(read_named_policy(policy, mdp))
    if policy.shape == (S,) and policy.dtype.kind in "iu":
        inside = (policy >= 0) & (policy < A)
        valid = inside & mdp.available[np.arange(S), np.where(inside, policy, 0)]
        problem = (
            f"takes action {{}}; actions are numbered 0 to {A - 1}, "
            "and not every state may have each"
        )
    elif policy.shape == (S, A) and policy.dtype.kind in "iuf":
        sums_to_1 = abs(policy.sum(axis=1) - 1) <= 4 * A * U
        missing = (policy > 0) & ~mdp.available
        valid = (policy >= 0).all(axis=1) & sums_to_1 & ~missing.any(axis=1)
        problem = "has {}, which is no distribution over its available actions"
    else:
        raise InputError(
            f"policy: {policy.dtype} of shape {policy.shape}; "
            f"it must be action numbers ({S},) or probabilities ({S}, {A})"
        )
    if not valid.all():
        s = int(valid.argmin())
        raise InputError(
            f"policy: state {mdp.states[s]!r} " + problem.format(policy[s].tolist())
        )
    return policy.astype(np.intp if policy.ndim == 1 else float)


def as_values(mdp: MDP, v) -> np.ndarray:
    """v (S,) as finite float64, or ValueError."""
    v = read_array("v", v, (len(mdp.R),))
    if not np.isfinite(v).all():
        s = int((~np.isfinite(v)).argmax())
        raise InputError(
            f"v: the value of state {mdp.states[s]!r} is {v[s]}, which is not finite"
        )
    return v


def induced_chain(mdp: MDP, policy) -> tuple:
    """P_π (S, S), dense or sparse as the problem is, and r_π (S,).

    They are the Markov chain with rewards that the policy, (S,) or (S, A), makes.
    """
    S, A = mdp.R.shape
    policy = as_policy(mdp, policy)
    if policy.ndim == 1:
        rows = np.arange(S) * A + policy
        return mdp.transitions[rows], mdp.R.reshape(-1)[rows]
    # Row s of this matrix has the weights of the rows s·A, …, s·A + A − 1.
    average = csr_array(
        (policy.reshape(-1), np.arange(S * A), np.arange(0, S * A + 1, A)),
        shape=(S, S * A),
    )
    rewards = np.where(mdp.available, mdp.R, 0)
    return average @ mdp.transitions, (policy * rewards).sum(axis=1)


def total_chain(mdp: MDP, policy) -> tuple:
    """P_π and r_π as policy_evaluation needs them: I − γ P_π has an inverse.

    For γ < 1 those of induced_chain. At γ = 1 a state from which no reward follows
    counts as ended, so its row is 0; ValueError names the states from which the
    policy neither ends nor comes to such a state.
    """
    P, r = induced_chain(mdp, policy)
    if mdp.gamma < 1:
        return P, r
    ended = ~can_reach(P, r != 0)
    require_end(mdp, policy, P, ended)
    if mdp.sparse:
        return csr_array(P.multiply(~ended[:, None])), r
    return P * ~ended[:, None], r


def require_end(mdp: MDP, policy, P, ended: np.ndarray | bool = False) -> None:
    """ValueError if the policy never ends, nor comes to a state in `ended` (S,)."""
    lost = never_ends(mdp, policy, P, ended)
    if lost.any():
        raise InputError(
            f"gamma is 1, and {name_states(mdp.states, lost)} the policy never ends, "
            "so the sum along a trajectory has no finite limit: mark terminal states "
            "with terminal=, take another policy, or use gamma < 1"
        )


def never_ends(mdp: MDP, policy, P, ended: np.ndarray | bool = False) -> np.ndarray:
    """Boolean (S,): from where a policy with transitions P cannot come to an end.

    ended: boolean (S,), states that count as an end
    """
    policy = as_policy(mdp, policy)
    if policy.ndim == 1:
        end = mdp.end[np.arange(len(policy)), policy]
    else:
        end = (policy * mdp.end).sum(axis=1)
    return ~can_reach(P, (end > 0) | ended)


def policy_evaluation(mdp: MDP, policy) -> np.ndarray:
    """v_π (S,), the solution of (3.2): ‖v̂ − v_π‖ ≤ S·u·(1 + γ)·H·‖v_π‖.

    policy: (S,) action numbers, or (S, A) probabilities

    H is 1/(1 − γ). At γ = 1 it is the longest expected episode of the policy, and
    ValueError names the states from which the policy never ends (chapter 9).
    """
    P, r = total_chain(mdp, policy)
    return factorize(P, mdp.gamma)(r)  # np.linalg.solve(np.eye(S) - gamma * P, r)


def factorize(P, gamma: float) -> Callable:
    """Factorize I − γ P once and return the function that solves with it.

    solve(b) is (I − γ P)⁻¹ b, solve(b, transpose=True) is (I − γ P)⁻ᵀ b, for b
    (S,). The factors are L and U of Gaussian elimination, both triangular; with
    them each b costs two substitutions. Sparse systems of many states are solved by
    iteration.
    """
    if not issparse(P):
        return _dense_lu(P, gamma)
    system = (eye_array(P.shape[0]) - gamma * P).tocsc()
    return _iterative(system) if P.shape[0] > ITERATIVE_STATES else _sparse_lu(system)


def _dense_lu(P, gamma):
    # lu_factor(np.eye(S) - gamma * P), faster. LAPACK is column-major: the transpose of
    # a C-ordered array is factored in place, without a copy, which is a tenth of the
    # time at 1,000 states; hence `trans`.
    system = -gamma * P
    system.flat[:: P.shape[0] + 1] += 1  # the identity
    factors = lu_factor(system.T, overwrite_a=True, check_finite=False)

    def solve(b, transpose=False):
        trans = 0 if transpose else 1
        return lu_solve(factors, b, trans=trans, check_finite=False)

    return solve


def _sparse_lu(system):
    # Elimination makes nonzeros where the matrix has zeros: fill-in. It depends on the
    # order of the unknowns, and most transition graphs are nearly symmetric, for which
    # this order gives the least.
    factors = splu(system, permc_spec="MMD_AT_PLUS_A")

    def solve(b, transpose=False):
        return factors.solve(b, "T" if transpose else "N")

    return solve


def _iterative(system):
    """BiCGSTAB, restarted on the true residual until only rounding is left of it.

    The factors of a large sparse matrix may not fit in memory: for random
    transitions they are nearly dense. BiCGSTAB (van der Vorst 1992) needs none: it
    approaches the solution by products of the matrix with vectors. Where it does
    not converge, LU.
    """
    by_rows = system.tocsr()
    longest = np.bincount(system.indices).max()
    direct = None  # the LU, once it was needed

    def solve(b, transpose=False):
        nonlocal direct
        if direct is None:
            x, residual = _bicgstab(system.T if transpose else by_rows, b, longest)
            if residual is None:
                return x
            if len(b) > LU_STATES:
                raise InputError(
                    f"the equations of {len(b):,} states are solved to a residual of "
                    f"{residual:.2g} only; use modified_policy_iteration, or a smaller "
                    "discount factor"
                )
            direct = _sparse_lu(system)
        return direct(b, transpose)

    return solve


def _bicgstab(matrix, b, longest: int) -> tuple:
    """x and None; or, if the residual stops shrinking, x and the size of the residual.

    longest: the largest number of terms of a sum in matrix @ x
    """
    x, residual, size, last = np.zeros(len(b)), b, abs(b).max(), np.inf
    while size <= last / 2:  # false for NaN
        if size <= (longest + 4) * U * (abs(b).max() + abs(x).max()):
            return x, None
        x = x + bicgstab(matrix, residual, rtol=1e-4, maxiter=1_000)[0]
        residual = b - matrix @ x
        last = size
        size = abs(residual).max()
    return x, size


def action_values(mdp: MDP, v) -> np.ndarray:
    """q (S, A), equation (3.3), of values v (S,); −inf for an action not available."""
    q = (mdp.transitions @ as_values(mdp, v)).reshape(mdp.R.shape)
    # in place: mdp.R + mdp.gamma * q takes 1.5 times as long
    q *= mdp.gamma
    q += mdp.R
    return q


def advantages(mdp: MDP, policy) -> np.ndarray:
    """q_π − v_π (S, A), equation (3.3), of a policy (S,) or (S, A).

    Nowhere positive for an optimal policy; the mean under π is 0 in each state.
    """
    v = policy_evaluation(mdp, policy)
    return action_values(mdp, v) - v[:, None]


def bellman_operator(mdp: MDP, v, policy=None) -> np.ndarray:
    """T v (S,), or T_π v with a policy: equation (3.4)."""
    if policy is None:
        return action_values(mdp, v).max(axis=1)
    P, r = induced_chain(mdp, policy)
    return r + mdp.gamma * (P @ as_values(mdp, v))


def bellman_residual(mdp: MDP, v, policy=None) -> float:
    """‖T v − v‖ (a number), or ‖T_π v − v‖ with a policy.

    The error of v is at most H times this number, by (5.3) or (3.5). It is at least
    this number divided by 1 + γ: ‖T v − v‖ ≤ ‖T v − v*‖ + ‖v* − v‖ ≤ (1 + γ) ‖v −
    v*‖.
    """
    return float(abs(bellman_operator(mdp, v, policy) - as_values(mdp, v)).max())
