"""Chapter 3. Bellman's equations: the value of a policy, and of the best one.

A policy π selects the action in each state, or its probability. Its value is the expected discounted return,

    v_π(s) = E[ Σₖ γᵏ R(sₖ, aₖ) | s₀ = s ].                                                                    (3.1)

Separate the first reward; the rest is γ times the same sum from the next state. With r_π(s) the expected reward of the
first step and P_π(s, s′) the probability of the next state, this is Bellman's equation,

    v_π = r_π + γ P_π v_π,        or        (I − γ P_π) v_π = r_π,                                             (3.2)

S linear equations in S unknowns. No row of P_π sums to more than 1, so for γ < 1 the inverse exists: (I − γ P_π)⁻¹ =
Σₖ γᵏ P_πᵏ converges. It has no negative entry, and no row of it sums to more than H = 1/(1 − γ). (At γ = 1 the inverse
exists if every policy ends every episode; chapter 6 gives the H of that case.)

The action value is the value of action a followed by π, the advantage what that gains over π itself,

    q_π(s, a) = R(s, a) + γ Σ_{s′} P(s′ | s, a) v_π(s′),        advantage(s, a) = q_π(s, a) − v_π(s).          (3.3)

With any vector v in place of v_π, the same formula gives the action values q(s, a) of v; q(·, a) is the vector of them
for one action a, an entry per state. The Bellman operator replaces v by one step and then v. Under a policy, and with
the best action in each state,

    T_π v = r_π + γ P_π v,        T v = maxₐ q(·, a).                                                          (3.4)

So v_π is the fixed point of T_π. T has exactly one fixed point, v*: chapter 4 shows it, from (4.1). For every
policy, also a random one, v* = T v* ≥ T_π v*; T_π is monotone, so v* ≥ T_πᵏ v* → v_π: no policy is better in any state.
One that takes a maximizing action everywhere attains v*. For any v, the Bellman residual bounds the error in maximum
norm:

    v_π − v = (I − γ P_π)⁻¹ (T_π v − v),        so        ‖v_π − v‖ ≤ H ‖T_π v − v‖.                           (3.5)

The same holds for T and v*, since by (4.1) ‖v* − v‖ ≤ ‖T v* − T v‖ + ‖T v − v‖ ≤ γ ‖v* − v‖ + ‖T v − v‖. It is an a
posteriori bound: to check a solution takes one matrix product.

An error e in r_π changes v_π by (I − γ P_π)⁻¹ e, at most H ‖e‖. The rounding of a linear solver is like an error of
about 2S·u·‖v_π‖ in r_π, with u = 2⁻⁵² the machine epsilon: it costs at most 2S·u·H·‖v_π‖.

Source: Puterman, Markov Decision Processes (1994), section 6.1.
"""

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_array, eye_array, issparse
from scipy.sparse.linalg import bicgstab, splu

from ..errors import InputError
from ..errors import InputError
from .model import MDP
from .numerics.validation import U, read_array, read_named_policy

ITERATIVE_STATES = 5_000  # sparse systems above this size are solved by iteration first
LU_STATES = 200_000  # and above this size by iteration only


def as_policy(mdp: MDP, policy) -> np.ndarray:
    """The policy as an array: integers (S,), one action per state, or probabilities (S, A). ValueError otherwise."""
    S, A = mdp.R.shape
    policy = np.asarray(read_named_policy(policy, mdp))
    if policy.shape == (S,) and policy.dtype.kind in "iu":
        inside = (policy >= 0) & (policy < A)
        valid = inside & mdp.available[np.arange(S), np.where(inside, policy, 0)]
        problem = (
            "takes action {}; actions are numbered 0 to "
            + str(A - 1)
            + ", and not every state may have each"
        )
    elif policy.shape == (S, A) and policy.dtype.kind in "iuf":
        valid = (policy >= 0).all(axis=1) & (abs(policy.sum(axis=1) - 1) <= 4 * A * U)
        valid &= ~((policy > 0) & ~mdp.available).any(axis=1)
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
    """P_π (S, S), dense or sparse as the problem is, and r_π (S,): the Markov reward process induced by π."""
    S, A = mdp.R.shape
    policy = as_policy(mdp, policy)
    if policy.ndim == 1:
        rows = np.arange(S) * A + policy
        return mdp.transitions[rows], mdp.R.reshape(-1)[rows]
    average = csr_array(
        (policy.reshape(-1), np.arange(S * A), np.arange(0, S * A + 1, A)),
        shape=(S, S * A),
    )
    return average @ mdp.transitions, (policy * np.where(mdp.available, mdp.R, 0)).sum(
        axis=1
    )


def policy_evaluation(mdp: MDP, policy) -> np.ndarray:
    """v_π (S,), the solution of (3.2), with ‖v̂ − v_π‖ ≤ S·u·(1 + γ)·H·‖v_π‖

    H is 1/(1 − γ), or at γ = 1 that of chapter 6.
    policy: (S,) action numbers, or (S, A) probabilities
    """
    P, r = induced_chain(mdp, policy)
    return factorize(P, mdp.gamma)(r)  # as np.linalg.solve(np.eye(S) - gamma * P, r)


def factorize(P, gamma: float):
    """Factorize I − γ P once and return the solve function: (b, transpose=False) -> (I − γ P)⁻¹ b, or (I − γ P)⁻ᵀ b

    The factors are L and U of Gaussian elimination, both triangular; with them each b costs two substitutions.
    """
    if not issparse(P):
        return _dense_lu(P, gamma)
    system = (eye_array(P.shape[0]) - gamma * P).tocsc()
    return _iterative(system) if P.shape[0] > ITERATIVE_STATES else _sparse_lu(system)


def _dense_lu(P, gamma):
    # lu_factor(np.eye(S) - gamma * P), faster. LAPACK is column-major: the transpose of a C-ordered array is factored
    # in place, without a copy, which is a tenth of the time at 1,000 states; hence `trans`.
    system = -gamma * P
    system.flat[:: P.shape[0] + 1] += 1  # the identity
    factors = lu_factor(system.T, overwrite_a=True, check_finite=False)
    return lambda b, transpose=False: lu_solve(
        factors, b, trans=0 if transpose else 1, check_finite=False
    )


def _sparse_lu(system):
    # Elimination makes nonzeros where the matrix has zeros: fill-in. It depends on the order of the unknowns, and most
    # transition graphs are nearly symmetric, for which this order gives the least.
    factors = splu(system, permc_spec="MMD_AT_PLUS_A")
    return lambda b, transpose=False: factors.solve(b, "T" if transpose else "N")


def _iterative(system):
    """BiCGSTAB, restarted on the true residual until only rounding is left of it; LU if it does not converge.

    The factors of a large sparse matrix may not fit in memory: for random transitions they are nearly dense. BiCGSTAB
    (van der Vorst 1992) needs none: it approaches the solution by products of the matrix with vectors.
    """
    by_rows, longest, factors = system.tocsr(), np.bincount(system.indices).max(), []

    def solve(b, transpose=False):
        matrix = system.T if transpose else by_rows
        x, residual, size, last = np.zeros(len(b)), b, abs(b).max(), np.inf
        while not factors and size <= last / 2:  # false for NaN
            if size <= (longest + 4) * U * (abs(b).max() + abs(x).max()):
                return x
            x = x + bicgstab(matrix, residual, rtol=1e-4, maxiter=1_000)[0]
            residual, last = b - matrix @ x, size
            size = abs(residual).max()
        if not factors and len(b) > LU_STATES:
            raise InputError(
                f"the equations of {len(b):,} states are solved to a residual of {size:.2g} only; "
                "use modified_policy_iteration, or a smaller discount factor"
            )
        factors[:] = factors or [_sparse_lu(system)]
        return factors[0](b, transpose)

    return solve


def action_values(mdp: MDP, v) -> np.ndarray:
    """q (S, A), equation (3.3), of values v (S,). −inf where an action is not available."""
    q = (mdp.transitions @ as_values(mdp, v)).reshape(mdp.R.shape)
    # in place: mdp.R + mdp.gamma * q takes 1.5 times as long
    q *= mdp.gamma
    q += mdp.R
    return q


def advantages(mdp: MDP, policy) -> np.ndarray:
    """q_π − v_π (S, A), equation (3.3). Nowhere positive for an optimal policy; the mean under π is 0 in each state."""
    v = policy_evaluation(mdp, policy)
    return action_values(mdp, v) - v[:, None]


def bellman_operator(mdp: MDP, v, policy=None) -> np.ndarray:
    """T v (S,), or T_π v with a policy: equation (3.4)."""
    if policy is None:
        return action_values(mdp, v).max(axis=1)
    P, r = induced_chain(mdp, policy)
    return r + mdp.gamma * (P @ as_values(mdp, v))


def bellman_residual(mdp: MDP, v, policy=None) -> float:
    """‖T v − v‖, or ‖T_π v − v‖ with a policy. The error of v is at most H times this number, by (3.5).

    It is at least this number divided by 1 + γ, since ‖T v − v‖ ≤ ‖T v − v*‖ + ‖v* − v‖ and by (4.1).
    """
    return float(abs(bellman_operator(mdp, v, policy) - as_values(mdp, v)).max())
