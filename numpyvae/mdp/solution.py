"""Optional reading: what a solver returns, and how it prints."""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

ROWS = 20  # of a table that is printed; of a longer one the first and the last half


class _Fields(NamedTuple):
    policy: np.ndarray
    values: np.ndarray
    iterations: int
    error_bound: float


class Solution(_Fields):
    """A policy, its values, how long it took, and how wrong the values can be.

    policy: (S,) action numbers; for which values it is greedy, each solver says
    values: (S,), the computed optimal values
    iterations: what the method counts: policies evaluated, sweeps of T, or rounds
    error_bound: ‖values − v*‖ is at most this, rounding included

    A tuple of these four. `print` shows a table with the labels of states and actions.
    """

    states: Sequence | None = None  # labels, if the problem is known
    actions: Sequence | None = None
    terminal: np.ndarray | None = None  # in a terminal state no action matters

    def __new__(cls, policy, values, iterations, error_bound, mdp=None):
        """mdp: the problem, for its labels; without it numbers are shown"""
        solution = super().__new__(cls, policy, values, iterations, error_bound)
        if mdp is not None:
            solution.states = mdp.states
            solution.actions = mdp.actions
            solution.terminal = mdp.terminal
        return solution

    def __repr__(self) -> str:
        return (
            f"<Solution: {len(self.values):,} states, {self.iterations:,} iterations, "
            f"error at most {self.error_bound:.2g}>"
        )

    def __str__(self) -> str:
        """The table, and __repr__ below it"""
        return f"{text_table(self._table())}\n{self!r}"

    def _repr_html_(self) -> str:
        """The same for a notebook"""
        return f"{html_table(self._table())}<p>{html.escape(repr(self))}</p>"

    def _table(self) -> list:
        rows = [("state", "action", "value")]
        for s in shown_rows(len(self.values)):
            if s is None:
                rows.append(("…", "…", "…"))
                continue
            state = s if self.states is None else self.states[s]
            action: Any = self.policy[s]
            if self.actions is not None:
                action = self.actions[action]
            if self.terminal is not None and self.terminal[s]:
                action = ""
            rows.append((str(state), str(action), f"{self.values[s]:.6g}"))
        return rows


def shown_rows(count: int) -> list:
    """The numbers of the rows to show; None where the middle is left out"""
    if count <= ROWS:
        return list(range(count))
    return [*range(ROWS // 2), None, *range(count - ROWS // 2, count)]


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns, two spaces apart and aligned to the right; the first row is their names"""
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
