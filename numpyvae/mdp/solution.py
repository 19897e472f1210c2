"""Optional reading: what a solver returns, and how it prints."""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

ROWS = 20  # of a table that is printed; of a longer one the first and the last half


class PrintsTable:
    """A result that prints the labels of its problem: a policy, a number per state."""

    policy: np.ndarray
    states: Sequence | None = None  # labels, if the problem is known
    actions: Sequence | None = None
    terminal: np.ndarray | None = None  # in a terminal state no action matters

    def name_by(self, mdp) -> None:
        """Take the labels of this MDP; None: numbers are shown."""
        if mdp is not None:
            self.states = mdp.states
            self.actions = mdp.actions
            self.terminal = mdp.terminal

    def named_policy(self) -> dict:
        """{state: action} by label, without terminal states: a policy to other functions"""
        return {
            state: action
            for state, action in map(self._names, range(len(self.policy)))
            if action is not None
        }

    def __str__(self) -> str:
        """The table, and __repr__ below it"""
        return f"{text_table(self._table())}\n{self!r}"

    def _repr_html_(self) -> str:
        """The same for a notebook"""
        return f"{html_table(self._table())}<p>{html.escape(repr(self))}</p>"

    def _column(self) -> tuple:
        """The name of the number per state, and the numbers (S,)"""
        raise NotImplementedError

    def _table(self) -> list:
        name, numbers = self._column()
        rows = [("state", "action", name)]
        for s in shown_rows(len(numbers)):
            if s is None:
                rows.append(("…", "…", "…"))
                continue
            state, action = self._names(s)
            shown = "" if action is None else str(action)
            rows.append((str(state), shown, f"{numbers[s]:.6g}"))
        return rows

    def _names(self, s: int) -> tuple:
        """The labels of state s and of its action; None in a terminal state"""
        action: Any = int(self.policy[s])
        if self.actions is not None:
            action = self.actions[action]
        if self.terminal is not None and self.terminal[s]:
            action = None
        return s if self.states is None else self.states[s], action


class _Fields(NamedTuple):
    policy: np.ndarray
    values: np.ndarray
    iterations: int
    error_bound: float


class Solution(PrintsTable, _Fields):
    """A policy, its values, how long it took, and how wrong the values can be.

    policy: (S,) action numbers; for which values it is greedy, each solver says
    values: (S,), the computed optimal values
    iterations: what the method counts: policies evaluated, sweeps of T, or rounds
    error_bound: ‖values − v*‖ is at most this, rounding included

    A tuple of these four. `print` shows a table with the labels of states and actions,
    and named_policy() has them as a dictionary.
    """

    def __new__(cls, policy, values, iterations, error_bound, mdp=None):
        """mdp: the problem, for its labels"""
        solution = super().__new__(cls, policy, values, iterations, error_bound)
        solution.name_by(mdp)
        return solution

    def __repr__(self) -> str:
        return (
            f"<Solution: {len(self.values):,} states, {self.iterations:,} iterations, "
            f"error at most {self.error_bound:.2g}>"
        )

    def _column(self) -> tuple:
        return "value", self.values


def shown_rows(count: int) -> list:
    """The numbers of the rows to show; None where the middle is left out"""
    if count <= ROWS:
        return list(range(count))
    return [*range(ROWS // 2), None, *range(count - ROWS // 2, count)]


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns, two spaces apart, aligned to the right; the first row has their names"""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def html_table(rows: Sequence[Sequence[str]]) -> str:
    """The same as an element of HTML"""
    lines = []
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        cells = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
        lines.append(f"<tr>{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"
