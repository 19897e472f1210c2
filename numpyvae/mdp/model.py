"""Chapter 2. A Markov decision process: states, actions, transitions, rewards, and a discount factor.

In state s the agent takes action a, receives the reward R(s, a) and moves to state s′ with probability P(s′ | s, a).
Instead of moving on, an episode may end, with probability end(s, a). So

    Σ_{s′} P(s′ | s, a) + end(s, a) = 1        for every state s and every action a that s has.                   (2.1)

Nothing follows the end: its value is 0. So an ending needs no state of its own. It is the probability that is missing
from a row of P, and every equation of the following chapters holds as it stands. A terminal state is one in which every
action ends the episode with reward 0. An action that a state does not have has the reward −∞: no maximum selects it.

The effective horizon is H = 1/(1 − γ) = 1 + γ + γ² + …: how many steps ahead rewards
matter. With γ = 1 there is no such limit. Whether the total reward is finite is then a
question of the policy: it is if the policy ends (chapter 9). The solvers check that.

Source: Puterman, Markov Decision Processes (1994), chapters 2 and 7.
"""

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_array, issparse

from .numerics.validation import (
    LARGEST,
    check_rows,
    clear_rows,
    freeze,
    read_array,
    read_discount,
    read_labels,
    read_mask,
    read_rewards,
    read_transition_table,
    read_transitions,
)


class MDP:
    """An immutable MDP. Arguments are validated and copied; the arrays are read-only.

    P: array (S, A, S) with P[s, a, s′] = P(s′ | s, a), state by state; or a list or tuple of A matrices (S, S), dense
       or sparse (if one is sparse, all are stored so), one per action, with row s and column s′. A nested list of
       numbers is an array. Beware: an array has the state first, P[s, a, s′], but a list of matrices has the action
       first, P[a][s, s′]. One array (A, S, S) with the action first is for MDP.from_action_matrices; if A = S, MDP
       cannot notice the difference.
    R: (S, A), expected rewards; −inf for an action that a state does not have. Or rewards of transitions, in one of the
       forms of P; they are averaged over s′.
    gamma: the discount factor γ, 0 ≤ γ ≤ 1; for γ = 1 see chapter 9
    states, actions: S and A labels, used in messages; 0, 1, 2, … by default. Policies hold indices, not labels.
    available: boolean (S, A), the actions that each state has; the rows of P and R of others are ignored
    terminal: boolean (S,), the terminal states; their rows of P and R are ignored
    end: (S, A), the probability that the episode ends after the action; P and end together sum to 1

    Attributes: R (S, A); gamma; states; actions; end (S, A); and `transitions`, P as one (S·A, S) matrix whose row
    s·A + a is the distribution of the next state, so that dense and sparse problems share code. (The dictionary that
    from_transitions takes is something else: the problem written as a table.)

    ValueError names the argument, the state and the action if a shape, an entry, a sum (to within 4·S·u, u = 2⁻⁵²)
    or γ is wrong.
    """

    R: np.ndarray
    gamma: float
    states: tuple
    actions: tuple
    end: np.ndarray
    transitions: np.ndarray | csr_array

    def __init__(
        self,
        P,
        R,
        gamma: float,
        states=None,
        actions=None,
        *,
        available=None,
        terminal=None,
        end=None,
    ):
        transitions, S, A = read_transitions(P)
        R = read_rewards(R, transitions, S, A)
        available = read_mask(
            "available",
            np.ones((S, A), bool) if available is None else available,
            (S, A),
        )
        terminal = read_mask(
            "terminal", np.zeros(S, bool) if terminal is None else terminal, (S,)
        )
        end = read_array("end", np.zeros((S, A)) if end is None else end, (S, A))
        states, actions = (
            read_labels("states", states, S),
            read_labels("actions", actions, A),
        )

        available = (available & (-np.inf != R)) | terminal[:, None]
        R[~available] = -np.inf
        R[terminal] = 0
        end[~available] = 0
        end[terminal] = 1
        clear_rows(transitions, ~available.ravel() | np.repeat(terminal, A))
        if not available.any(axis=1).all():
            raise ValueError(
                f"state {states[int(available.any(axis=1).argmin())]!r} has no available action"
            )
        self.__dict__.update(
            R=R,
            gamma=read_discount(gamma),
            states=states,
            actions=actions,
            end=end,
            transitions=transitions,
        )
        check_rows(transitions, R, end, available, self._describe_row)
        freeze(R, end, transitions)
        self._check_values_exist()

    @classmethod
    def from_action_matrices(
        cls, P, R, gamma: float, states=None, actions=None, **options
    ) -> "MDP":
        """P (A, S, S) with P[a, s, s′], action by action. R: (S, A), or (A, S, S) for rewards of transitions."""
        P = [M if issparse(M) else np.asarray(M) for M in P]
        matrices = [M if issparse(M) else np.asarray(M) for M in R]
        if (
            matrices[0].ndim == 2
        ):  # rewards of transitions; of (S, A), a row has one dimension
            R = matrices
        return cls(P, R, gamma, states, actions, **options)

    @classmethod
    def from_transitions(cls, transitions: Mapping, gamma: float) -> "MDP":
        """{s: {a: [(probability, next state, reward, done), …]}}, as Gymnasium's toy-text environments have it (env.P).

        The labels of states and actions are the keys, in order of first appearance. done: the episode ends with this
        transition, and the next state need not be a key. A state without actions is terminal. Sparse above 500 states.
        """
        states, actions, P, R, end, available = read_transition_table(transitions)
        terminal = [not transitions[s] for s in states]
        return cls(
            P,
            R,
            gamma,
            states,
            actions,
            available=available,
            terminal=terminal,
            end=end,
        )

    @property
    def P(self) -> np.ndarray | tuple[csr_array, ...]:
        """(S, A, S) if dense, else A matrices (S, S). Rows of endings and of unavailable actions sum to less than 1."""
        S, A = self.R.shape
        return (
            tuple(self.transitions[a::A] for a in range(A))
            if self.sparse
            else self.transitions.reshape(S, A, S)
        )

    @property
    def sparse(self) -> bool:
        return issparse(self.transitions)

    @property
    def available(self) -> np.ndarray:
        """Boolean (S, A): the actions that each state has."""
        return -np.inf < self.R

    @property
    def terminal(self) -> np.ndarray:
        """Boolean (S,): every action ends the episode with reward 0."""
        ends = (self.end == 1) & (self.R == 0)
        return (ends | ~self.available).all(axis=1)

    def with_discount(self, gamma: float) -> "MDP":
        """The same problem at another discount factor."""
        other = object.__new__(MDP)
        other.__dict__.update(self.__dict__, gamma=read_discount(gamma))
        other._check_values_exist()
        return other

    def __setattr__(self, name: str, value) -> None:
        raise AttributeError(
            f"{name}: an MDP cannot be changed; make another one, or use with_discount"
        )

    def __setstate__(self, attributes: dict) -> None:
        freeze(attributes["R"], attributes["end"], attributes["transitions"])
        self.__dict__.update(attributes)

    def _describe_row(self, row: int) -> str:
        return f"state {self.states[row // len(self.actions)]!r}, action {self.actions[row % len(self.actions)]!r}"

    def _check_values_exist(self) -> None:
        """For γ < 1 float64 can represent every value; chapter 9 has γ = 1."""
        size = np.where(self.available, abs(self.R), 0)
        if size.max() > LARGEST * (1 - self.gamma) and self.gamma < 1:
            row = int(size.argmax())
            raise ValueError(
                f"R: the reward of {self._describe_row(row)} is {self.R.flat[row]}; values at gamma = "
                f"{self.gamma} may exceed the range of float64: scale the rewards"
            )
