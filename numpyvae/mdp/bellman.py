"""A Markov decision process, and Bellman's equation for a policy: a linear system.

In state s the agent picks action a, is paid R(s, a), and lands in state t with probability P(t | s, a). A payment k
steps ahead counts γᵏ of its amount, 0 ≤ γ < 1. A policy π says what to do in each state, and its value is the
discounted sum of all that it will be paid,

    v_π(s) = E[ Σₖ γᵏ R(sₖ, aₖ) | s₀ = s ].

Take the first payment out of the sum; what is left is γ times the same sum, begun one step later. That is Bellman's
equation,

    v_π = r_π + γ P_π v_π        or        (I - γ P_π) v_π = r_π,

S linear equations in S unknowns, where row s of P_π and entry s of r_π are those of the action that π takes. The
matrix is never singular: rows of P_π sum to 1, so (I - γ P_π)⁻¹ = Σₖ γᵏ P_πᵏ converges, and its largest row sum is
exactly 1/(1-γ). That number governs everything here. It is how far the solution magnifies an error in r_π (so that
rounding may cost about 2n·eps/(1-γ) of the largest value, n = S), and it turns what can be measured into what one
wants to know: for any v,

    v_π - v = (I - γ P_π)⁻¹ (r_π + γ P_π v - v)        so        ‖v_π - v‖ ≤ ‖r_π + γ P_π v - v‖ / (1-γ),

all norms being the largest entry. The right-hand side is the certificate: whoever doubts the solver need only trust
one matrix product.

Source: Puterman, Markov Decision Processes (1994), section 6.1. Next: rounding, on how small a difference still means
something.
"""

from numbers import Real

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse import csr_array, eye_array, issparse, vstack
from scipy.sparse.linalg import splu


class MDP:
    """P, R and γ, checked once and then kept: the arrays are copies, and read-only.

    P: (S, A, S) with P[s, a, t] = P(t | s, a), or a sequence of A sparse (S, S) matrices, one an action, row s column t
    R: (S, A), the expected payment
    gamma: the discount γ, 0 ≤ γ < 1
    states, actions: S and A labels, for people to read; 0, 1, 2, … unless given. Policies hold indices, not labels.

    `rows` is P as one (S·A, S) matrix, row s·A + a being the distribution of the next state, so that the same expressions
    work dense and sparse problems.

    ValueError, naming the state and the action, if a shape, an entry, a row's sum (to within 4·S·eps) or γ is wrong.
    """

    P: np.ndarray | tuple[csr_array, ...]
    R: np.ndarray
    gamma: float
    states: tuple
    actions: tuple
    rows: np.ndarray | csr_array

    def __init__(self, P, R, gamma: float, states=None, actions=None):
        self.R = _numbers("R", R)
        if self.R.ndim != 2 or 0 in self.R.shape:
            raise ValueError(f"R has shape {self.R.shape}; it must be (states, actions), at least one of each")
        S, A = self.R.shape
        if isinstance(gamma, bool) or not isinstance(gamma, Real) or not 0 <= float(gamma) < 1:
            raise ValueError(f"gamma is {gamma}; a discount is a number from 0 up to, but not including, 1")
        self.gamma = float(gamma)
        self.states = _labels("states", states, S)
        self.actions = _labels("actions", actions, A)

        if issparse(P):
            raise ValueError(f"P is one sparse matrix; give a sequence of them, one for each of the {A} actions")
        if not isinstance(P, np.ndarray) and len(P) and all(map(issparse, P)):
            shapes = [M.shape for M in P]
            if shapes != [(S, S)] * A:
                raise ValueError(f"P is matrices of shapes {shapes}; R {self.R.shape} asks for {A} of shape {(S, S)}")
            self.P = tuple(csr_array(M, dtype=float, copy=True) for M in P)
            by_action = vstack(self.P, format="csr")                                          # row a·S + s
            self.rows = csr_array(by_action[np.arange(S * A).reshape(A, S).T.ravel()])        # row s·A + a
            self.rows.sum_duplicates()
        else:
            self.P = _numbers("P", P)
            if self.P.shape != (S, A, S):
                raise ValueError(f"P has shape {self.P.shape}; R {self.R.shape} asks for {(S, A, S)}")
            self.rows = self.P.reshape(S * A, S)
        self._check()

    @property
    def sparse(self) -> bool:
        return issparse(self.rows)

    def discounted(self, gamma: float) -> "MDP":
        """The same problem at another discount."""
        return MDP(self.P, self.R, gamma, self.states, self.actions)

    def _check(self) -> None:
        S, A = self.R.shape
        entries = self.rows.data if self.sparse else self.rows.reshape(-1)
        row_of = (lambda k: np.searchsorted(self.rows.indptr, k, side="right") - 1) if self.sparse else (lambda k: k // S)

        def place(row):
            return f"state {self.states[row // A]!r}, action {self.actions[row % A]!r}"

        for wrong, complaint in ((~np.isfinite(entries), "is not finite"), (entries < 0, "is negative")):
            if wrong.any():
                k = int(wrong.argmax())
                raise ValueError(f"P: a probability of {place(row_of(k))} is {entries[k]}, which {complaint}")
        total = self.rows.sum(axis=1)
        wrong = abs(total - 1) > 4 * S * np.finfo(float).eps
        if wrong.any():
            row = int(wrong.argmax())
            off = total[row] - 1
            raise ValueError(f"P: the probabilities of {place(row)} sum to {total[row]:.12g}, off 1 by {off:.2g}")
        if not np.isfinite(self.R).all():
            row = int((~np.isfinite(self.R)).argmax())
            raise ValueError(f"R: the payment of {place(row)} is {self.R.flat[row]}, which is not finite")


def check_policy(mdp: MDP, policy) -> np.ndarray:
    """The policy as an array: integers (S,), an action a state, or probabilities (S, A). ValueError if it is neither."""
    S, A = mdp.R.shape
    policy = np.asarray(policy)
    if policy.shape == (S,) and policy.dtype.kind in "iu":
        wrong = (policy < 0) | (policy >= A)
        if wrong.any():
            s = int(wrong.argmax())
            state = mdp.states[s]
            raise ValueError(f"policy: state {state!r} takes action {policy[s]}; actions are numbered 0 to {A - 1}")
        return policy.astype(np.intp)
    if policy.shape == (S, A) and policy.dtype.kind in "iuf":
        wrong = ~((policy >= 0).all(axis=1) & (abs(policy.sum(axis=1) - 1) <= 4 * A * np.finfo(float).eps))
        if wrong.any():
            s = int(wrong.argmax())
            state = mdp.states[s]
            raise ValueError(f"policy: in state {state!r}, {policy[s].tolist()} is no distribution over the {A} actions")
        return policy.astype(float)
    raise ValueError(f"policy: {policy.dtype} of shape {policy.shape}; "
                     f"it must be action numbers ({S},) or probabilities ({S}, {A})")


def follow(mdp: MDP, policy) -> tuple:
    """P_π (S, S), dense or sparse as the problem is, and r_π (S,): what is left of the problem once π decides."""
    S, A = mdp.R.shape
    policy = check_policy(mdp, policy)
    if policy.ndim == 1:
        chosen = np.arange(S) * A + policy
        return mdp.rows[chosen], mdp.R.reshape(-1)[chosen]
    average = csr_array((policy.reshape(-1), np.arange(S * A), np.arange(0, S * A + 1, A)), shape=(S, S * A))
    return average @ mdp.rows, average @ mdp.R.reshape(-1)


def solver(P, gamma: float):
    """b -> (I - γ P)⁻¹ b, by the factors of one LU factorisation; no inverse is formed."""
    if issparse(P):
        # Neighbours point both ways in most problems, and for such patterns this ordering fills in least.
        return splu((eye_array(P.shape[0]) - gamma * P).tocsc(), permc_spec="MMD_AT_PLUS_A").solve
    system = -gamma * P
    system.flat[:: P.shape[0] + 1] += 1
    # LAPACK stores by columns, so that the transpose of an array stored by rows is what it can factor in place.
    factors = lu_factor(system.T, overwrite_a=True, check_finite=False)
    return lambda b: lu_solve(factors, b, trans=1, check_finite=False)


def policy_evaluation(mdp: MDP, policy) -> np.ndarray:
    """v_π (S,), the solution of (I - γ P_π) v = r_π, with ‖v̂ - v_π‖ ≤ n·eps·(1+γ)/(1-γ)·‖v_π‖

    policy: (S,) action numbers, or (S, A) probabilities
    """
    P, r = follow(mdp, policy)
    return solver(P, mdp.gamma)(r)


def action_values(mdp: MDP, v) -> np.ndarray:
    """q(s, a) = R(s, a) + γ Σₜ P(t | s, a) v(t)        v (S,)  ->  q (S, A)"""
    return mdp.R + mdp.gamma * (mdp.rows @ v).reshape(mdp.R.shape)


def residual(mdp: MDP, v, policy=None) -> float:
    """‖T v - v‖, the certificate: ‖v - v_π‖ ≤ residual / (1-γ)

    With a policy, T v = r_π + γ P_π v and v_π is its value; without one, T v = maxₐ q(·, a) and v_π is the optimal value.
    """
    if policy is None:
        return float(abs(action_values(mdp, v).max(axis=1) - v).max())
    P, r = follow(mdp, policy)
    return float(abs(r + mdp.gamma * (P @ v) - v).max())


def _numbers(name: str, x) -> np.ndarray:
    """A read-only float64 copy."""
    try:
        x = np.asarray(x)
    except ValueError:
        raise ValueError(f"{name} is ragged: its rows have different lengths") from None
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {x.dtype}; it must hold real numbers")
    x = np.array(x, dtype=float, order="C")
    x.flags.writeable = False
    return x


def _labels(name: str, labels, count: int) -> tuple:
    labels = tuple(range(count) if labels is None else labels)
    if len(labels) != count:
        raise ValueError(f"{name}: {len(labels)} labels, but R has {count} {name}")
    return labels
