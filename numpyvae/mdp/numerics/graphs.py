"""Optional reading: which states can be reached, and which actions form loops.

Only whether a probability is positive matters here, not how large it is.
"""

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components


class JoinedLabels(tuple):
    """The labels of several states that count as one state, in place of its label."""


def name_states(states, which: np.ndarray) -> str:
    """Name states by their labels, "in 5 states (0, 1, 2, …)"; which: boolean (S,)."""
    labels: list = []
    for s in np.flatnonzero(which):
        label = states[s]
        labels += label if isinstance(label, JoinedLabels) else [label]
    names = ", ".join(map(repr, labels[:3]))
    if len(labels) == 1:
        return f"in state {names}"
    more = ", …" if len(labels) > 3 else ""
    return f"in {len(labels)} states ({names}{more})"


def can_reach(P, target: np.ndarray) -> np.ndarray:
    """Boolean (S,): from where a chain P (S, S) may reach the target (S,)."""
    reached = target.copy()
    while True:
        grown = reached | (P @ reached.astype(float) > 0)
        if (grown == reached).all():
            return reached
        reached = grown


def lead_to(transitions, end, actions, target: np.ndarray) -> tuple:
    """A policy (S,) that approaches the target or an end, and where it does (S,).

    From each of these states it takes one of the `actions`, boolean (S, A), that may
    lead one step nearer; the first such. So from none of them does it miss for ever.
    """
    policy = np.zeros(len(target), dtype=np.intp)
    reached = target.copy()
    while True:
        nearer = (transitions @ reached.astype(float)).reshape(end.shape) + end > 0
        nearer &= actions
        new = nearer.any(axis=1) & ~reached
        if not new.any():
            return policy, reached
        policy[new] = nearer.argmax(axis=1)[new]
        reached |= new


def endless_states(transitions, end, actions) -> np.ndarray:
    """Boolean (S,): the largest set that some choice of these actions never leaves.

    It starts with all states. A state goes if each of its actions may leave the set, or
    end; what remains in the end is such a set, or empty.
    """
    inside = np.ones(len(end), dtype=bool)
    while True:
        outside = (~inside).astype(float)
        may_leave = (transitions @ outside).reshape(end.shape) + end > 0
        kept = inside & (actions & ~may_leave).any(axis=1)
        if (kept == inside).all():
            return inside
        inside = kept


def loops(transitions, end, actions) -> tuple:
    """The loops of these actions, boolean (S, A): the label of each state, and `inner`.

    A loop is a set of states and actions that never leaves the set and in which each
    state can be reached from each other; it is as large as possible. States of one loop
    share a label, any other state has its own. inner (S, A): the actions of the loops.
    """
    S, A = end.shape
    edges = coo_array(transitions)
    positive = edges.data > 0
    row, target = edges.row[positive], edges.col[positive]
    origin = row // A
    inner = actions & (end == 0)
    while True:
        kept = inner.reshape(-1)[row]
        graph = csr_array(
            (np.ones(kept.sum()), (origin[kept], target[kept])), shape=(S, S)
        )
        _, label = connected_components(graph, connection="strong")
        leaving = kept & (label[origin] != label[target])
        if not leaving.any():
            return label, inner
        inner.reshape(-1)[row[leaving]] = False
