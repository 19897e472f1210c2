"""Optional reading: the arguments of an MDP, read and checked. Errors name the place and what is required.

Behind this border the other modules trust an MDP. Functions that start with `read_` return a new, writable object.
"""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse, vstack

from ...errors import InputError

U = np.finfo(float).eps  # machine epsilon
LARGEST = np.finfo(float).max / 4  # of a value, so that the sum of four has a float64
DENSE_STATES = 500  # a dictionary with more states than this makes a sparse MDP


def read_array(name: str, x, shape: tuple | None = None) -> np.ndarray:
    """A float64 copy, of the given shape."""
    if np.ma.is_masked(x):
        raise InputError(
            f"{name} is a masked array; say with available= which actions a state does not have"
        )
    try:
        x = np.asarray(x)
    except ValueError:
        raise InputError(f"{name} is ragged: its rows have different lengths") from None
    if x.dtype.kind not in "biuf":
        raise InputError(f"{name} contains {x.dtype}; it must contain real numbers")
    if shape is not None and x.shape != shape:
        raise InputError(f"{name} has shape {x.shape}; it must be {shape}")
    return np.array(x, dtype=float, order="C")


def read_discount(gamma) -> float:
    """γ, 0 ≤ γ ≤ 1"""
    if (
        isinstance(gamma, bool)
        or not isinstance(gamma, Real)
        or not 0 <= float(gamma) <= 1
    ):
        raise InputError(f"gamma is {gamma}; a discount factor is a number from 0 to 1")
    return float(gamma)


def read_integer(name: str, x, low: int, high: float = np.inf) -> int:
    """x, an integer with low ≤ x ≤ high"""
    if isinstance(x, bool) or not isinstance(x, Integral) or not low <= x <= high:
        raise InputError(
            f"{name} is {x}; it must be an integer"
            + (f" from {low} to {high}" if high < np.inf else f", at least {low}")
        )
    return int(x)


def read_labels(name: str, labels, count: int) -> tuple:
    """`count` labels, by default 0, 1, 2, …"""
    labels = tuple(range(count) if labels is None else labels)
    if len(labels) != count:
        raise InputError(f"{name}: {len(labels)} labels, but P has {count} {name}")
    return labels


def read_mask(name: str, mask, shape: tuple) -> np.ndarray:
    """A boolean copy, of the given shape."""
    mask = np.array(mask)
    if mask.dtype != bool or mask.shape != shape:
        raise InputError(
            f"{name} is {mask.dtype} of shape {mask.shape}; it must be boolean {shape}"
        )
    return mask


def is_matrix_list(x) -> bool:
    """A list or tuple of matrices, one per action; a nested list of numbers is not."""
    return (
        isinstance(x, (list, tuple))
        and len(x) > 0
        and all(issparse(M) or (isinstance(M, np.ndarray) and M.ndim == 2) for M in x)
    )


def read_transitions(P, name: str = "P") -> tuple:
    """P in any accepted form -> (S·A, S) transitions, dense or CSR; S; A"""
    if issparse(P):
        raise InputError(
            f"{name} is one sparse matrix; it must be a list of them, one per action"
        )
    if not is_matrix_list(P):
        P = read_array(name, P)
        if P.ndim != 3 or P.shape[0] != P.shape[2] or 0 in P.shape:
            raise InputError(
                f"{name} has shape {P.shape}; it must be (states, actions, states), or a list of matrices "
                "(states, states), one per action"
            )
        S, A = P.shape[:2]
        return P.reshape(S * A, S), S, A
    S, A, shapes = P[0].shape[0], len(P), [M.shape for M in P]
    if S == 0 or shapes != [(S, S)] * A:
        raise InputError(
            f"{name} is matrices of shapes {shapes}; it must be one (states, states) per action"
        )
    if not any(map(issparse, P)):
        return (
            np.stack([read_array(name, M) for M in P], axis=1).reshape(S * A, S),
            S,
            A,
        )
    if any(M.dtype.kind not in "biuf" for M in P):
        raise InputError(f"{name} contains {P[0].dtype}; it must contain real numbers")
    by_action = vstack(
        [csr_array(M, dtype=float) for M in P], format="csr"
    )  # row a·S + s is (s, a)
    order = np.arange(S)[:, None] + S * np.arange(A)  # (S, A): s·A + a is (s, a)
    transitions = csr_array(by_action[order.ravel()])
    transitions.sum_duplicates()
    if max(S * A, transitions.nnz) < 2**31:  # indices of half the size
        transitions.indices = transitions.indices.astype(np.int32)
        transitions.indptr = transitions.indptr.astype(np.int32)
    return transitions, S, A


def read_rewards(R, transitions, S: int, A: int) -> np.ndarray:
    """Expected rewards (S, A), or what rewards of transitions average to: R(s, a) = Σ_{s′} P(s′ | s, a) R(s, a, s′)"""
    if is_matrix_list(R):
        rewards, *size = read_transitions(R, "R")
        shape = (*size, size[0])
    else:
        rewards = read_array("R", R)
        shape = rewards.shape
        if shape == (S, A):
            return rewards
    if shape != (S, A, S):
        raise InputError(
            f"R has shape {shape}; P requires {(S, A)}, or {(S, A, S)} for rewards of transitions"
        )
    if not np.isfinite(rewards.data if issparse(rewards) else rewards).all():
        raise InputError(
            "R: the reward of a transition is not finite; say with available= which actions are missing"
        )
    rewards = rewards if issparse(rewards) else rewards.reshape(S * A, S)
    product = (
        rewards.multiply(transitions)
        if issparse(rewards)
        else csr_array(transitions).multiply(rewards)
    )
    return np.array(product.sum(axis=1), dtype=float).reshape(S, A)


def read_transition_table(table: Mapping) -> tuple:
    """{s: {a: [(probability, next state, reward, done), …]}} -> states, actions, P, R, end, available"""
    if not isinstance(table, Mapping) or not all(
        isinstance(choices, Mapping) for choices in table.values()
    ):
        raise InputError(
            "transitions must be a dictionary {s: {a: [(probability, next state, reward, done)]}}"
        )
    states, actions = (
        tuple(table),
        tuple(dict.fromkeys(a for choices in table.values() for a in choices)),
    )
    S, A = len(states), len(actions)
    index, column = (
        {s: i for i, s in enumerate(states)},
        {a: j for j, a in enumerate(actions)},
    )
    R, end, available = np.zeros((S, A)), np.zeros((S, A)), np.zeros((S, A), dtype=bool)
    entries = []  # (probability, row, column)
    for s, a, outcome in (
        (s, a, outcome) for s in states for a in table[s] for outcome in table[s][a]
    ):
        i, j = index[s], column[a]
        try:
            probability, following, reward, done = outcome
            valid = (
                0 <= probability <= 1
                and np.isfinite(reward)
                and (done or following in index)
            )
            valid &= isinstance(done, (bool, np.bool_, int))
        except (TypeError, ValueError):
            valid = False
        if not valid:
            raise InputError(
                f"transitions: state {s!r}, action {a!r} has {outcome!r}; it must be (probability, next "
                "state, finite reward, done), and the next state a key unless done"
            )
        available[i, j] = True
        R[i, j] += probability * reward
        end[i, j] += probability if done else 0
        entries.append((0 if done else probability, i * A + j, index.get(following, 0)))
    if not entries:
        raise InputError(
            "transitions is empty; it must be {s: {a: [(probability, next state, reward, done)]}}"
        )
    data, rows, columns = zip(*entries, strict=True)
    transitions = csr_array(
        coo_array((data, (rows, columns)), shape=(S * A, S), dtype=float)
    )
    P = (
        transitions.toarray().reshape(S, A, S)
        if S <= DENSE_STATES
        else [transitions[a::A] for a in range(A)]
    )
    return states, actions, P, R, end, available


def clear_rows(transitions, rows: np.ndarray) -> None:
    """Overwrite these rows (boolean, S·A) with zeros, whatever they contain."""
    if issparse(transitions):
        transitions.data[np.repeat(rows, np.diff(transitions.indptr))] = 0
        transitions.eliminate_zeros()
    else:
        transitions[rows] = 0


def check_rows(transitions, R, end, available, describe_row) -> None:
    """Probabilities are finite, non-negative and sum to 1; rewards are finite. describe_row: row number -> text."""
    for name, matrix in (("P", transitions), ("end", end.reshape(-1, 1))):
        entries = matrix.data if issparse(matrix) else matrix.reshape(-1)
        for invalid, problem in (
            (~np.isfinite(entries), "not finite"),
            (entries < 0, "negative"),
        ):
            if invalid.any():
                k = int(invalid.argmax())
                row = (
                    np.searchsorted(matrix.indptr, k, side="right") - 1
                    if issparse(matrix)
                    else k // matrix.shape[1]
                )
                raise InputError(
                    f"{name}: a probability of {describe_row(row)} is {entries[k]}, which is {problem}"
                )
    total = np.where(available.ravel(), transitions.sum(axis=1) + end.ravel(), 1)
    invalid = abs(total - 1) > 4 * len(R) * U
    if invalid.any():
        row = int(invalid.argmax())
        raise InputError(
            f"P: the probabilities of {describe_row(row)} sum to {total[row]:.12g}, "
            f"which differs from 1 by {total[row] - 1:.2g}"
        )
    invalid = available & ~np.isfinite(R)
    if invalid.any():
        row = int(invalid.argmax())
        raise InputError(
            f"R: the reward of {describe_row(row)} is {R.flat[row]}, which is not finite"
        )


def freeze(*arrays) -> None:
    """Make arrays and sparse matrices read-only."""
    for x in arrays:
        for part in (x.data, x.indices, x.indptr) if issparse(x) else (x,):
            part.flags.writeable = False
