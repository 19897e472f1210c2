"""Chapter 2. A Markov decision process: its states, actions, transitions and rewards.

In state s the agent takes action a. It receives the reward R(s, a) and moves to state
s′ with probability P(s′ | s, a). Instead of moving on, an episode may end, with
probability end(s, a). One of these happens, so

    Σ_{s′} P(s′ | s, a) + end(s, a) = 1                                           (2.1)

for every state s and every action a that s has. Nothing follows the end: its value is
0. So an ending needs no state of its own. It is the probability that is missing from a
row of P, and every equation of the following chapters holds as it stands.

A terminal state is one in which every action ends the episode. Its rewards are 0, or
all equal to one number, its terminal value: what ending there is worth. A terminal
state pays its value once, as the reward of a last action. That reward is discounted
like any other. An action that a state does not have has the reward −∞. No maximum
selects it.

The effective horizon is H = 1/(1 − γ) = 1 + γ + γ² + …: how many steps ahead rewards
matter. With γ = 1 there is no such limit. Whether the total reward is finite is then a
question of the policy: it is if the policy ends (chapter 9). The solvers check that.

Source: Puterman, Markov Decision Processes (1994), chapters 2 and 7.
"""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..errors import InputError
from .numerics.validation import (
    LARGEST,
    as_matrices,
    check_rows,
    clear_rows,
    freeze,
    read_array,
    read_discount,
    read_labels,
    read_mask,
    read_pairs,
    read_rewards,
    read_terminal,
    read_transition_table,
    read_transitions,
)


class MDP:
    """An immutable MDP. Arguments are validated and copied; the arrays are read-only.

    P: array (S, A, S) with P[s, a, s′] = P(s′ | s, a), state by state; or a list or
       tuple of A matrices (S, S), dense or sparse, one per action, with row s and
       column s′. If one is sparse, all are stored so. A nested list of numbers is an
       array. Beware: an array has the state first, P[s, a, s′], but a list of matrices
       has the action first, P[a][s, s′]. One array (A, S, S) with the action first is
       for MDP.from_action_matrices; if A = S, MDP cannot notice the difference.
    R: (S, A), expected rewards; −inf for an action that a state does not have.
       Or (S,), if every action of a state has the same reward.
       Or rewards of transitions, in a form of P; they are averaged over s′.
    gamma: the discount factor γ, 0 ≤ γ ≤ 1; for γ = 1 see chapter 9
    states, actions: S and A different labels; by default 0, 1, 2, …
    available: boolean (S, A), the actions that each state has; the rows of P and R of
       others are ignored
    terminal: boolean (S,), the terminal states; or a dictionary {state: value} of them
       with the terminal value of each. Their rows of P and R are ignored.
    end: (S, A), the probability that the episode ends after the action

    A row of P, and of end with it, sums to 1. If it misses 1 by more than 4·S·u, with
    u = 2⁻⁵², but by at most 2⁻²⁰, about 1e-6, it is taken to have been rounded to
    float32: the row is divided by its sum. ValueError if it misses 1 by more.

    Attributes: R (S, A); gamma; states; actions; end (S, A); terminal (S,); and
    `transitions`, P as one (S·A, S) matrix whose row s·A + a is the distribution of the
    next state, so that dense and sparse problems share code.

    Where a policy is an argument, it holds the numbers of actions, (S,), or
    probabilities, (S, A). Or it holds labels: a dictionary {state: action}, or {state:
    {action: probability}}, or if the labels of actions are strings a list of them, one
    per state. Terminal states may be left out of a dictionary.

    ValueError names the argument, the state and the action if something is wrong.
    """

    R: np.ndarray
    gamma: float
    states: tuple
    actions: tuple
    end: np.ndarray
    terminal: np.ndarray
    transitions: Any  # an array, or a csr_array

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
        states = read_labels("states", states, S)
        actions = read_labels("actions", actions, A)
        terminal, terminal_values = read_terminal(terminal, states)
        if available is None:
            available = np.ones((S, A), dtype=bool)
        available = read_mask("available", available, (S, A))
        end = np.zeros((S, A)) if end is None else read_array("end", end, (S, A))

        available &= ~np.isneginf(R)
        available[terminal] = True
        R[terminal] = terminal_values[terminal, None]
        R[~available] = -np.inf
        end[terminal] = 1
        end[~available] = 0
        clear_rows(transitions, ~available.ravel() | np.repeat(terminal, A))
        if not available.any(axis=1).all():
            s = int(available.any(axis=1).argmin())
            raise InputError(f"state {states[s]!r} has no available action")
        self.__dict__.update(
            R=R,
            gamma=read_discount(gamma),
            states=states,
            actions=actions,
            end=end,
            transitions=transitions,
        )
        check_rows(transitions, R, end, available, self._describe_row)
        ends_without_reward = ((end == 1) & (R == 0)) | ~available
        self.__dict__["terminal"] = terminal | ends_without_reward.all(axis=1)
        freeze(R, end, self.terminal, transitions)
        self._check_values_exist()

    @classmethod
    def from_action_matrices(
        cls, P, R, gamma: float, states=None, actions=None, **options
    ) -> "MDP":
        """An MDP from arrays action by action: P (A, S, S) with P[a, s, s′].

        R: (S, A), or (S,), or (A, S, S) for rewards of transitions. The other arguments
        are those of MDP.
        """
        P, rewards = as_matrices("P", P), as_matrices("R", R)
        if rewards and rewards[0].ndim == 2:  # of (S, A), a row has one dimension
            R = rewards
        return cls(P, R, gamma, states, actions, **options)

    @classmethod
    def from_pairs(
        cls,
        P,
        R,
        gamma: float,
        s,
        a,
        states=None,
        actions=None,
        *,
        terminal=None,
        end=None,
    ) -> "MDP":
        """An MDP with one row per state-action pair that exists, in any order.

        P: (pairs, S), dense or sparse: row k is the distribution of the next state
           after action a[k] in state s[k]
        R: (pairs,), expected rewards
        s, a: integers (pairs,), the numbers of state and action; each pair once
        end: (pairs,), the probability that the episode ends after the pair

        A state has the actions that it has a pair with. A terminal state needs none.
        """
        P, R, end, available = read_pairs(P, R, s, a, end, actions)
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

    @classmethod
    def from_transitions(cls, transitions, gamma: float, *, terminal=None) -> "MDP":
        """{s: {a: [(probability, next state, reward, done), …]}}, as a table.

        Gymnasium's toy-text environments have it as env.P. Lists may stand in place of
        the dictionaries, with states or actions 0, 1, 2, … An action with an empty list
        is one that the state does not have.

        The labels of states and actions are the keys, in order of first appearance.
        done: the episode ends with this transition; the next state need not be a key.
        terminal: the labels of terminal states, or a dictionary {state: value} with the
           terminal value of each. They need not be keys; what they have is ignored. A
           transition that leads to one receives its value, done or not.
        A state without actions is terminal too. Sparse above 500 states.
        """
        states, actions, P, R, end, available, values = read_transition_table(
            transitions, terminal
        )
        return cls(
            P,
            R,
            gamma,
            states,
            actions,
            available=available,
            terminal=values,
            end=end,
        )

    @property
    def P(self) -> Any:
        """(S, A, S) if dense, else A matrices (S, S).

        Rows of endings and of unavailable actions sum to less than 1.
        """
        S, A = self.R.shape
        if self.sparse:
            return tuple(self.transitions[a::A] for a in range(A))
        return self.transitions.reshape(S, A, S)

    @property
    def sparse(self) -> bool:
        """Whether `transitions` is a sparse matrix."""
        return issparse(self.transitions)

    @property
    def available(self) -> np.ndarray:
        """Boolean (S, A): the actions that each state has."""
        return ~np.isneginf(self.R)

    def with_discount(self, gamma: float) -> "MDP":
        """The same problem at another discount factor."""
        other = object.__new__(MDP)
        other.__dict__.update(self.__dict__, gamma=read_discount(gamma))
        other._check_values_exist()
        return other

    def __repr__(self) -> str:
        """One line: <MDP: 4 states, 2 actions (-, +), gamma 0.5>"""
        names = ", ".join(map(str, self.actions[:6]))
        more = ", …" if len(self.actions) > 6 else ""
        S, A = self.R.shape
        parts = [_count(S, "state"), f"{_count(A, 'action')} ({names}{more})"]
        if self.terminal.any():
            parts.append(f"{int(self.terminal.sum())} terminal")
        if self.sparse:
            parts.append("sparse")
        return f"<MDP: {', '.join(parts)}, gamma {self.gamma:.12g}>"

    def __setattr__(self, name: str, value) -> None:
        raise AttributeError(
            f"{name}: an MDP cannot be changed; make another one, or use with_discount"
        )

    def __setstate__(self, attributes: dict) -> None:
        for name in ("R", "end", "terminal", "transitions"):
            freeze(attributes[name])
        self.__dict__.update(attributes)

    def _describe_row(self, row: int) -> str:
        s, a = divmod(row, len(self.actions))
        return f"state {self.states[s]!r}, action {self.actions[a]!r}"

    def _check_values_exist(self) -> None:
        """For γ < 1 float64 can represent every value; chapter 9 has γ = 1."""
        size = np.where(self.available, abs(self.R), 0)
        if size.max() > LARGEST * (1 - self.gamma) and self.gamma < 1:
            row = int(size.argmax())
            raise InputError(
                f"R: the reward of {self._describe_row(row)} is {self.R.flat[row]}; "
                f"values at gamma = {self.gamma} may exceed the range of float64: "
                "scale the rewards"
            )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
