"""Chapter 2. A Markov decision process: states, actions, transitions, rewards, and a discount factor.

In state s the agent takes action a, receives the reward R(s, a) and moves to state s′ with probability P(s′ | s, a).
Instead of moving on, an episode may end, with probability end(s, a). So

    Σ_{s′} P(s′ | s, a) + end(s, a) = 1        for every state s and every action a that s has.                 (2.1)

Nothing follows the end, so that its value is 0. An ending therefore needs no state of its own: it is the probability
that is missing from a row of P, and every equation of the following chapters holds as it stands. A terminal state is
one in which every action ends the episode with reward 0.

Not every state has every action. An action that is not available has the reward −∞, so that no maximum selects it.

The effective horizon is H = 1/(1 − γ), the sum 1 + γ + γ² + …: how many steps ahead rewards matter. With γ = 1 there
is no such limit, and values are finite only if every policy ends every episode. That fails exactly if there is a set
of states that some choice of actions never leaves; the check below removes states from the set of all states until
what remains is such a set, or is empty.

Source: Puterman, Markov Decision Processes (1994), chapters 2 and 7; the transitions of `from_transitions` have the
format of the Gymnasium toy-text environments.
"""

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_array, issparse

from .validation import (LARGEST, check_rows, clear_rows, describe_row, endless_states, freeze, read_array, read_discount,
                         read_labels, read_mask, read_rewards, read_terminal, read_transition_table, read_transitions)


class MDP:
    """An immutable MDP. Arguments are validated and copied; the arrays are read-only.

    P: array (S, A, S) with P[s, a, s′] = P(s′ | s, a), state by state; or a list or tuple of A matrices (S, S), dense or
       sparse, one per action, row s, column s′. A nested list of numbers is an array.
    R: (S, A), expected rewards; −inf for an action that a state does not have. Or rewards of transitions, in the forms
       that P has; they are averaged over s′.
    gamma: the discount factor γ, 0 ≤ γ ≤ 1; 1 only if every policy ends every episode
    states, actions: S and A labels, used in messages; 0, 1, 2, … by default. Policies hold indices, not labels.
    available: boolean (S, A), the actions that each state has; the rows of P and R of others are ignored
    terminal: boolean (S,), or the indices of the terminal states; their rows of P and R are ignored
    end: (S, A), the probability that the episode ends after the action; P and end together sum to 1

    Attributes: R (S, A); gamma; states; actions; end (S, A); and `transitions`, P as one (S·A, S) matrix whose row
    s·A + a is the distribution of the next state, so that dense and sparse problems share code.

    ValueError names the argument, the state and the action if a shape, an entry, a sum (to within 4·S·u, u = 2⁻⁵²)
    or γ is wrong.
    """

    R: np.ndarray
    gamma: float
    states: tuple
    actions: tuple
    end: np.ndarray
    transitions: np.ndarray | csr_array

    def __init__(self, P, R, gamma: float, states=None, actions=None, *, available=None, terminal=None, end=None):
        transitions, S, A = read_transitions(P)
        R = read_rewards(R, transitions, S, A)
        states, actions = read_labels("states", states, S), read_labels("actions", actions, A)
        available = read_mask("available", available, (S, A)) & (R != -np.inf)
        terminal = read_terminal(terminal, S)
        end = np.zeros((S, A)) if end is None else read_array("end", end, (S, A)).copy()

        # What is ignored is overwritten: an ending has no next state, and no row of P has a missing action's entries.
        available[terminal] = True
        R[terminal] = 0
        R[~available] = -np.inf
        end[terminal] = 1
        end[~available] = 0
        transitions = clear_rows(transitions, ~available.ravel() | np.repeat(terminal, A))
        check_rows(transitions, R, end, available, states, actions)
        freeze(R, end, transitions)
        self.__dict__.update(R=R, gamma=read_discount(gamma), states=states, actions=actions, end=end,
                             transitions=transitions)
        self._check_values_exist()

    @classmethod
    def from_action_matrices(cls, P, R, gamma: float, states=None, actions=None, **options) -> "MDP":
        """P (A, S, S) with P[a, s, s′], action by action. R: (S, A), or (A, S, S) for rewards of transitions."""
        by_action = [M if issparse(M) else np.asarray(M) for M in P]
        if all(np.ndim(M) == 2 for M in R):                             # a row of (S, A) has one dimension
            R = [M if issparse(M) else np.asarray(M) for M in R]
        return cls(by_action, R, gamma, states, actions, **options)

    @classmethod
    def from_transitions(cls, transitions: Mapping, gamma: float) -> "MDP":
        """{s: {a: [(probability, next state, reward, done), …]}}, as Gymnasium's toy-text environments have it (env.P).

        The labels of states and actions are the keys, in order of first appearance. done: the episode ends with this
        transition, and the next state need not be a key. A state without actions is terminal. Sparse above 500 states.
        """
        states, actions, P, R, end, available = read_transition_table(transitions)
        terminal = [i for i, s in enumerate(states) if not transitions[s]]
        return cls(P, R, gamma, states, actions, available=available, terminal=terminal, end=end)

    @property
    def P(self) -> np.ndarray | tuple[csr_array, ...]:
        """(S, A, S) if dense, else A matrices (S, S). Rows of endings and of unavailable actions sum to less than 1."""
        S, A = self.R.shape
        if self.sparse:
            return tuple(self.transitions[np.arange(a, S * A, A)] for a in range(A))
        return self.transitions.reshape(S, A, S)

    @property
    def sparse(self) -> bool:
        return issparse(self.transitions)

    @property
    def available(self) -> np.ndarray:
        """Boolean (S, A): the actions that each state has."""
        return self.R > -np.inf

    @property
    def terminal(self) -> np.ndarray:
        """Boolean (S,): every action ends the episode with reward 0."""
        return (~self.available | (self.end == 1) & (self.R == 0)).all(axis=1)

    def with_discount(self, gamma: float) -> "MDP":
        """The same problem at another discount factor."""
        other = object.__new__(MDP)
        other.__dict__.update(self.__dict__, gamma=read_discount(gamma))
        other._check_values_exist()
        return other

    def __repr__(self) -> str:
        S, A = self.R.shape
        return f"MDP({S} states, {A} actions, gamma={self.gamma}, {'sparse' if self.sparse else 'dense'})"

    def __setattr__(self, name: str, value) -> None:
        raise AttributeError(f"{name}: an MDP cannot be changed; make another one, or use with_discount")

    def __setstate__(self, attributes: dict) -> None:
        freeze(attributes["R"], attributes["end"], attributes["transitions"])
        self.__dict__.update(attributes)

    def _check_values_exist(self) -> None:
        """Every policy has a finite value, and float64 can represent it and the sum of four such numbers."""
        size = np.where(self.available, abs(self.R), 0)
        if self.gamma < 1:
            if size.max() > LARGEST * (1 - self.gamma):
                row = int(size.argmax())
                raise ValueError(f"R: the reward of {describe_row(row, self.states, self.actions)} is {self.R.flat[row]}; "
                                 f"values at gamma = {self.gamma} may exceed the range of float64: scale the rewards")
        elif (forever := endless_states(self.transitions, self.end, self.available)).any():
            names = ", ".join(repr(self.states[s]) for s in np.flatnonzero(forever)[:3])
            raise ValueError(f"gamma is {self.gamma}, which requires that every policy ends every episode; some policy stays forever "
                             f"in {forever.sum()} states ({names}{', …' if forever.sum() > 3 else ''}): mark terminal "
                             "states with terminal=, or use gamma < 1")
