"""Optional reading: the arguments of an MDP, read and checked.

An error names the place and what is required. Behind this border the other modules
trust an MDP. Functions that start with `read_` return a new, writable object.
"""

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse, vstack

from ...errors import InputError

U = np.finfo(float).eps  # machine epsilon
LARGEST = np.finfo(float).max / 4  # of a value, so that the sum of four has a float64
DENSE_STATES = 500  # a table of transitions with more states makes a sparse MDP
# Probabilities that were normalized in float32 sum to 1 within (log₂ S + 1)·2⁻²⁴,
# by pairwise summation: for up to 2¹⁵ states within this.
FLOAT32_ROW = 2.0**-20
OUTCOME = "(probability, next state, reward, done)"
TABLE = f"{{s: {{a: [{OUTCOME}, …]}}}}, or lists in place of the dictionaries"


def refuse_masked(name: str, x) -> None:
    """ValueError if x, or an array in the list x, is masked: NumPy drops the mask."""
    if isinstance(x, (list, tuple)):
        for part in x:
            refuse_masked(name, part)
    elif np.ma.is_masked(x):
        raise InputError(
            f"{name} is a masked array, whose mask would be lost; fill it, or say with "
            "available= which actions a state does not have"
        )


def read_array(name: str, x, shape: tuple | None = None) -> np.ndarray:
    """A float64 copy, of the given shape."""
    refuse_masked(name, x)
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
    number = isinstance(gamma, Real) and not isinstance(gamma, bool)
    if not number or not 0 <= float(gamma) <= 1:
        raise InputError(f"gamma is {gamma}; a discount factor is a number from 0 to 1")
    return float(gamma)


def read_integer(name: str, x, low: int, high: float = np.inf) -> int:
    """x, an integer with low ≤ x ≤ high"""
    integer = isinstance(x, Integral) and not isinstance(x, bool)
    if not integer or not low <= int(x) <= high:
        bounds = f", at least {low}" if high == np.inf else f" from {low} to {high}"
        raise InputError(f"{name} is {x}; it must be an integer{bounds}")
    return int(x)


def read_labels(name: str, labels, count: int) -> tuple:
    """`count` labels, all different, by default 0, 1, 2, …"""
    if labels is None:
        labels = range(count)
    elif isinstance(labels, np.ndarray):
        labels = labels.tolist()  # np.int64(3) would be shown as such
    labels = tuple(labels)
    if len(labels) != count:
        raise InputError(f"{name}: {len(labels)} labels, but P has {count} {name}")
    if len(number_of(name, labels)) < count:
        twice = next(x for k, x in enumerate(labels) if x in labels[:k])
        raise InputError(f"{name}: {twice!r} is the label of two {name}")
    return labels


def number_of(name: str, labels: Iterable) -> dict:
    """{label: its number}"""
    try:
        return {label: number for number, label in enumerate(labels)}
    except TypeError:
        raise InputError(
            f"{name}: a label must be hashable, as keys of a dictionary are: "
            "a number, a string or a tuple"
        ) from None


def read_mask(name: str, mask, shape: tuple) -> np.ndarray:
    """A boolean copy, of the given shape."""
    refuse_masked(name, mask)
    try:
        mask = np.array(mask)
    except ValueError:
        raise InputError(f"{name} is ragged: its rows have different lengths") from None
    if mask.dtype != bool or mask.shape != shape:
        raise InputError(
            f"{name} is {mask.dtype} of shape {mask.shape}; it must be boolean {shape}"
        )
    return mask


def read_terminal(terminal, states: tuple) -> tuple:
    """Boolean (S,) or {state label: value} -> boolean (S,), and the values (S,)"""
    values = np.zeros(len(states))
    if terminal is None:
        return np.zeros(len(states), dtype=bool), values
    if not isinstance(terminal, Mapping):
        return read_mask("terminal", terminal, (len(states),)), values
    mask, number = np.zeros(len(states), dtype=bool), number_of("states", states)
    for label, value in terminal.items():
        if label not in number:
            raise InputError(f"terminal: {label!r} is no state; {_some(states)}")
        if not _is_finite(value):
            raise InputError(
                f"terminal: the value of state {label!r} is {value!r}; "
                "it must be a finite number"
            )
        mask[number[label]] = True
        values[number[label]] = value
    return mask, values


def read_named_policy(policy, mdp):
    """A policy with labels -> numbers (S,) or probabilities (S, A); others unchanged.

    {state: action}, or {state: {action: probability}} if it is random; terminal states
    may be left out. Or a sequence of strings, the label of an action per state.
    """
    refuse_masked("policy", policy)
    sequence = isinstance(policy, (list, tuple, np.ndarray)) and np.ndim(policy) == 1
    if sequence and all(isinstance(label, str) for label in policy):
        if len(policy) != len(mdp.states):
            raise InputError(
                f"policy: {len(policy)} labels of actions for {len(mdp.states)} states"
            )
        policy = dict(zip(mdp.states, policy, strict=True))
    if not isinstance(policy, Mapping):
        return policy
    known, column = set(mdp.states), number_of("actions", mdp.actions)
    for s in policy:
        if s not in known:
            raise InputError(f"policy: {s!r} is no state; {_some(mdp.states)}")
    weights = np.zeros(mdp.R.shape)
    for i, s in enumerate(mdp.states):
        if s in policy:
            for a, probability in _read_choice(s, policy[s], column).items():
                weights[i, column[a]] = probability
        elif mdp.terminal[i]:
            weights[i, mdp.available[i].argmax()] = 1
        else:
            raise InputError(f"policy: state {s!r} has no action")
    random = any(isinstance(choice, Mapping) for choice in policy.values())
    return weights if random else weights.argmax(axis=1)


def _read_choice(s, choice, column: Mapping) -> Mapping:
    """{action: probability} of state s, from such a dictionary or from one action"""
    if not isinstance(choice, Mapping):
        try:
            choice = {choice: 1.0}
        except TypeError:
            raise InputError(
                f"policy: state {s!r} has {choice!r}; it must be the label of an "
                "action, or {action: probability}"
            ) from None
    for a, probability in choice.items():
        if a not in column:
            raise InputError(
                f"policy: state {s!r} has {a!r}, which is no action; "
                f"{_some(tuple(column))}"
            )
        number = isinstance(probability, Real)
        if not number:
            raise InputError(
                f"policy: state {s!r}, action {a!r} has {probability!r}; it must be a "
                "probability"
            )
    return choice


def _some(labels: tuple) -> str:
    more = ", …" if len(labels) > 6 else ""
    return f"there are {', '.join(map(repr, labels[:6]))}{more}"


def _is_finite(x) -> bool:
    return isinstance(x, Real) and bool(np.isfinite(float(x)))


def is_matrix_list(x) -> bool:
    """A list or tuple of matrices, one per action; a nested list of numbers is not."""
    if not isinstance(x, (list, tuple)) or len(x) == 0:
        return False
    return all(issparse(M) or (isinstance(M, np.ndarray) and M.ndim == 2) for M in x)


def read_transitions(P, name: str = "P") -> tuple:
    """P in any accepted form -> (S·A, S) transitions, dense or CSR; S; A"""
    if issparse(P):
        raise InputError(
            f"{name} is one sparse matrix; it must be a list of them, one per action, "
            "or one row per state and action in MDP.from_pairs"
        )
    if is_matrix_list(P):
        return _read_matrices(P, name)
    P = read_array(name, P)
    if P.ndim != 3 or P.shape[0] != P.shape[2] or 0 in P.shape:
        raise InputError(
            f"{name} has shape {P.shape}; it must be (states, actions, states), or a "
            "list of matrices (states, states), one per action"
        )
    S, A = P.shape[:2]
    return P.reshape(S * A, S), S, A


def _read_matrices(matrices, name: str) -> tuple:
    refuse_masked(name, matrices)
    S, A = matrices[0].shape[0], len(matrices)
    shapes = [M.shape for M in matrices]
    if S == 0 or shapes != [(S, S)] * A:
        raise InputError(
            f"{name} is matrices of shapes {shapes}; it must be one (states, states) "
            "per action"
        )
    if not any(map(issparse, matrices)):
        dense = np.stack([read_array(name, M) for M in matrices], axis=1)
        return dense.reshape(S * A, S), S, A
    # In this stack the row of (s, a) is a·S + s; in transitions it is s·A + a.
    by_action: Any = vstack([_read_sparse(name, M) for M in matrices], format="csr")
    order = np.arange(S)[:, None] + S * np.arange(A)
    return _compact(by_action[order.ravel()]), S, A


def _read_sparse(name: str, M) -> Any:
    if M.dtype.kind not in "biuf":
        raise InputError(f"{name} contains {M.dtype}; it must contain real numbers")
    return csr_array(M, dtype=float)


def _compact(matrix) -> Any:
    """As CSR without duplicate entries, with indices of half the size if they fit."""
    compact: Any = csr_array(matrix)
    compact.sum_duplicates()
    if max(compact.shape[0], compact.nnz) < 2**31:
        compact.indices = compact.indices.astype(np.int32)
        compact.indptr = compact.indptr.astype(np.int32)
    return compact


def read_rewards(R, transitions: Any, S: int, A: int) -> np.ndarray:
    """Expected rewards (S, A), from (S, A), from (S,), or from rewards of transitions.

    Those average to R(s, a) = Σ_{s′} P(s′ | s, a) R(s, a, s′).
    """
    rewards: Any
    if is_matrix_list(R):
        rewards, *size = read_transitions(R, "R")
        shape: tuple = (*size, size[0])
    else:
        rewards = read_array("R", R)
        shape = rewards.shape
    if shape == (S, A):
        return rewards
    if shape == (S,):
        return np.repeat(rewards, A).reshape(S, A)
    if shape != (S, A, S):
        raise InputError(
            f"R has shape {shape}; P requires {(S, A)}, or {(S,)} if each action has "
            f"the reward of its state, or {(S, A, S)} for rewards of transitions"
        )
    if not np.isfinite(rewards.data if issparse(rewards) else rewards).all():
        raise InputError(
            "R: the reward of a transition is not finite; say with available= which "
            "actions are missing"
        )
    if issparse(rewards):
        product = rewards.multiply(transitions)
    else:
        sparse: Any = csr_array(transitions)
        product = sparse.multiply(rewards.reshape(S * A, S))
    return np.array(product.sum(axis=1)).reshape(S, A)


def read_pairs(P, R, s, a, end, num_actions: int | None) -> tuple:
    """One row per pair (s, a) -> P in a form of MDP, R, end and available (S, A)

    P: (pairs, S), dense or sparse; R, s, a, end: (pairs,)
    """
    Q = _read_sparse("P", P) if issparse(P) else read_array("P", P)
    if Q.ndim != 2 or 0 in Q.shape:
        raise InputError(f"P has shape {Q.shape}; it must be (pairs, states)")
    pairs, S = Q.shape
    s = _read_numbers("s", s, pairs, S)
    a = _read_numbers("a", a, pairs, num_actions)
    A = int(a.max()) + 1 if num_actions is None else num_actions
    row = s * A + a
    order = np.argsort(row)
    twice = np.flatnonzero(np.diff(row[order]) == 0)
    if twice.size:
        first, second = sorted(order[twice[0] : twice[0] + 2].tolist())
        raise InputError(
            f"s and a: pairs {first} and {second} are both state {s[first]}, action "
            f"{a[first]}; each may stand once"
        )

    def table(name, x):
        filled = np.zeros((S, A))
        filled[s, a] = read_array(name, x, (pairs,))
        return filled

    available = np.zeros((S, A), dtype=bool)
    available[s, a] = True
    if issparse(Q):
        place = csr_array((np.ones(pairs), (row, np.arange(pairs))), (S * A, pairs))
        rows = csr_array(place @ Q)
        matrices: Any = [rows[k::A] for k in range(A)]
    else:
        matrices = np.zeros((S, A, S))
        matrices[s, a] = Q
    ends = table("end", np.zeros(pairs) if end is None else end)
    return matrices, table("R", R), ends, available


def _read_numbers(name: str, x, pairs: int, count: int | None) -> np.ndarray:
    """Integers (pairs,) from 0 to count − 1"""
    refuse_masked(name, x)
    x = np.asarray(x)
    if x.shape != (pairs,) or x.dtype.kind not in "iu":
        raise InputError(
            f"{name} is {x.dtype} of shape {x.shape}; it must be integers ({pairs},), "
            "one per row of P"
        )
    high = np.inf if count is None else count - 1
    outside = (x < 0) | (x > high)
    if outside.any():
        k = int(outside.argmax())
        bounds = "at least 0" if count is None else f"from 0 to {high}"
        raise InputError(f"{name}: pair {k} has {x[k]}; it must be {bounds}")
    return x.astype(np.intp)


def read_transition_table(table, terminal=None) -> tuple:
    """A table as MDP.from_transitions has it
    -> states, actions, P, R, end, available, {terminal state: value}
    """
    rows = {s: _as_mapping(choices) for s, choices in _as_mapping(table).items()}
    given = _read_terminal_labels(terminal)
    values = {s: 0.0 for s, choices in rows.items() if not choices} | given
    states = tuple(dict.fromkeys([*rows, *given]))
    actions = tuple(dict.fromkeys(a for choices in rows.values() for a in choices))
    S, A = len(states), len(actions)
    index, column = number_of("states", states), number_of("actions", actions)
    R, end = np.zeros((S, A)), np.zeros((S, A))
    available = np.zeros((S, A), dtype=bool)
    entries = []  # of P: probability, row, column
    for s, a, outcome in _outcomes(rows):
        probability, following, reward, done = _read_outcome(s, a, outcome, index)
        i, j = index[s], column[a]
        available[i, j] = True
        R[i, j] += probability * reward
        if done and following not in given:
            end[i, j] += probability
            probability, following = 0.0, s  # nothing of it in P
        entries.append((probability, i * A + j, index[following]))
    if not entries:
        raise InputError(f"transitions is empty; it must be {TABLE}")
    data, origins, targets = zip(*entries, strict=True)
    places = (data, (origins, targets))
    transitions = csr_array(coo_array(places, shape=(S * A, S), dtype=float))
    P: Any = [transitions[j::A] for j in range(A)]
    if S <= DENSE_STATES:
        P = transitions.toarray().reshape(S, A, S)
    return states, actions, P, R, end, available, values


def _as_mapping(x) -> Mapping:
    """A dictionary as it is; of a list, the entries by number."""
    if isinstance(x, Mapping):
        return x
    if isinstance(x, (list, tuple)):
        return dict(enumerate(x))
    raise InputError(f"transitions must be {TABLE}; {x!r} is neither")


def _read_terminal_labels(terminal) -> dict:
    """{label: value} from labels or from such a dictionary"""
    if terminal is None:
        return {}
    if isinstance(terminal, Mapping):
        return dict(terminal)
    several = isinstance(terminal, Iterable) and not isinstance(terminal, str)
    if not several:
        raise InputError(
            f"terminal is {terminal!r}; it must be a list of states, or a dictionary "
            "{state: value}"
        )
    labels = list(terminal)
    if any(isinstance(label, (bool, np.bool_)) for label in labels):
        raise InputError(
            "terminal contains True or False; in from_transitions it is a list of "
            "states, or a dictionary {state: value}"
        )
    number_of("terminal", labels)
    return dict.fromkeys(labels, 0.0)


def _outcomes(rows: Mapping) -> Iterable:
    """(state, action, outcome) of each outcome in the table"""
    for s, choices in rows.items():
        for a, outcomes in choices.items():
            several = isinstance(outcomes, Iterable)
            if not several:
                raise InputError(
                    f"transitions: state {s!r}, action {a!r} has {outcomes!r}; it must "
                    f"be a list [{OUTCOME}, …]"
                )
            for outcome in outcomes:
                yield s, a, outcome


def _read_outcome(s, a, outcome, index: Mapping) -> tuple:
    """probability, next state, reward, done"""
    try:
        probability, following, reward, done = outcome
        possible = 0 <= probability <= 1 and bool(np.isfinite(reward))
        known = bool(done) or following in index
        valid = possible and known and isinstance(done, (bool, np.bool_, int))
        hash(following)  # TypeError if it can be no label
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise InputError(
            f"transitions: state {s!r}, action {a!r} has {outcome!r}; it must be "
            "(probability, next state, finite reward, done), and the next state a key "
            "or in terminal= unless done"
        )
    return probability, following, reward, bool(done)


def clear_rows(transitions, rows: np.ndarray) -> None:
    """Overwrite these rows (boolean, S·A) with zeros, whatever they contain."""
    if issparse(transitions):
        transitions.data[np.repeat(rows, np.diff(transitions.indptr))] = 0
        transitions.eliminate_zeros()
    else:
        transitions[rows] = 0


def check_rows(transitions, R, end, available, describe_row) -> None:
    """Probabilities are finite, non-negative and sum to 1; rewards are finite.

    Rows that miss 1 by no more than FLOAT32_ROW are divided by their sum, in place.
    describe_row: row number -> text
    """
    for name, matrix in (("P", transitions), ("end", end.reshape(-1, 1))):
        _check_probabilities(name, matrix, describe_row)
    total = transitions.sum(axis=1) + end.ravel()
    total[~available.ravel()] = 1
    off = abs(total - 1)
    row = int(off.argmax())
    if off[row] > FLOAT32_ROW:
        remedy = "if it is rounding, divide the row by its sum, in float64"
        if total[row] < 1:
            remedy = f"if the rest ends the episode, give it as end=; {remedy}"
        raise InputError(
            f"P: the probabilities of {describe_row(row)} sum to {total[row]:.12g}, "
            f"which differs from 1 by {total[row] - 1:.2g}; {remedy}"
        )
    rounded = off > 4 * len(R) * U
    if rounded.any():
        scale = np.where(rounded, 1 / total, 1)
        if issparse(transitions):
            transitions.data *= np.repeat(scale, np.diff(transitions.indptr))
        else:
            transitions *= scale[:, None]
        end *= scale.reshape(end.shape)
    invalid = available & ~np.isfinite(R)
    if invalid.any():
        row = int(invalid.argmax())
        raise InputError(
            f"R: the reward of {describe_row(row)} is {R.flat[row]}, which is not "
            "finite"
        )


def _check_probabilities(name: str, matrix, describe_row) -> None:
    entries = matrix.data if issparse(matrix) else matrix.reshape(-1)
    not_finite, negative = ~np.isfinite(entries), entries < 0
    for invalid, problem in ((not_finite, "not finite"), (negative, "negative")):
        if not invalid.any():
            continue
        k = int(invalid.argmax())
        if issparse(matrix):
            row = int(np.searchsorted(matrix.indptr, k, side="right")) - 1
        else:
            row = k // matrix.shape[1]
        raise InputError(
            f"{name}: a probability of {describe_row(row)} is {entries[k]}, which is "
            f"{problem}"
        )


def freeze(*arrays) -> None:
    """Make arrays and sparse matrices read-only."""
    for x in arrays:
        for part in (x.data, x.indices, x.indptr) if issparse(x) else (x,):
            part.flags.writeable = False
