"""A grid world as SVG: one cell per state, its value, and its optimal actions."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from .svg import document, element, line, number, text

CELL, MARGIN, TITLE = 84, 16, 44  # pixels
# The opacity of the largest value's color. Text on it has a contrast of 4.8:1, also on
# a dark page.
DARKEST = 0.45
DIRECTIONS = {"up": (0, -1), "right": (1, 0), "down": (0, 1), "left": (-1, 0)}
_OTHER_NAMES = {
    "up": ("u", "north", "n", "↑", "^"),
    "right": ("r", "east", "e", "→", ">"),
    "down": ("d", "south", "s", "↓", "v"),
    "left": ("l", "west", "w", "←", "<"),
}
_MEANINGS = {
    name: direction
    for direction, names in _OTHER_NAMES.items()
    for name in (direction, *names)
}
KINDS = ("", "wall", "hole", "goal", "start")
_LETTERS = {"#": "wall", "H": "hole", "G": "goal", "S": "start"}


def gridworld_svg(
    values,
    actions,
    columns: int,
    directions: Sequence | None = None,
    labels: Sequence[str] | None = None,
    title: str = "State values and optimal actions",
    cells: Sequence[str] | None = None,
) -> str:
    """A self-contained SVG document; state s is in row s // columns, column s % columns.

    values: (S,); the larger its value, the more color a cell has; NaN marks a wall
    actions: boolean (S, A), an arrow for each True (ties have several), or action
       numbers (S,)
    directions: which way each action goes: up, right, down, left, or north, east,
       south, west, or arrows. mdp.actions, if the actions have such labels
    labels: one text per state, shown instead of arrows where it is not empty
    cells: what stands in each cell: "wall", "hole", "goal", "start", or "". Or a map,
       whose letters #, H, G, S mean these and others an ordinary cell: "SFFFFHFH…"
    """
    values, actions = np.asarray(values, dtype=float), np.asarray(actions)
    ways = _read_directions(directions, actions)
    if actions.ndim == 1:
        actions = np.arange(len(ways)) == actions[:, None]
    S = len(values) if values.ndim == 1 else 0
    if S == 0 or columns < 1 or S % columns or actions.shape != (S, len(ways)):
        raise InputError(
            f"a grid world has values (S,), S a multiple of its {columns} columns, and "
            f"actions (S, {len(ways)}); not {values.shape} and {actions.shape}"
        )
    if labels is not None and len(labels) != S:
        raise InputError(f"labels: {len(labels)} for {S} cells; there is one per cell")
    kinds = _read_cells(cells, S)
    width = 2 * MARGIN + columns * CELL
    height = TITLE + MARGIN + S // columns * CELL
    opacity = _opacity(values, kinds)
    parts = [text(MARGIN, 28, title, class_="title")]
    for s in range(S):
        x, y = MARGIN + s % columns * CELL, TITLE + s // columns * CELL
        label = "" if labels is None else str(labels[s])
        taken = [way for way, chosen in zip(ways, actions[s], strict=True) if chosen]
        parts.append(_cell(x, y, values[s], opacity[s], kinds[s], label, taken))
    return document(width, height, title, *parts)


def _read_directions(directions, actions) -> list[str]:
    """up, right, down or left for each action"""
    order = "('left', 'down', 'right', 'up')"
    if directions is None:
        raise InputError(
            "a grid world needs directions=, which way each action goes: mdp.actions "
            f"if they are named so, or {order} for Gymnasium's FrozenLake, or "
            "('up', 'right', 'down', 'left') for its CliffWalking"
        )
    names = [str(name).lower() for name in directions]
    for given, name in zip(directions, names, strict=True):
        if name not in _MEANINGS:
            raise InputError(
                f"directions: {given!r} is none of up, right, down, left, or north, "
                f"east, south, west; name the way of each action, such as {order}"
            )
    return [_MEANINGS[name] for name in names]


def _read_cells(cells, S: int) -> list[str]:
    """A word of KINDS for each cell"""
    if cells is None:
        return [""] * S
    if len(cells) != S:
        raise InputError(f"cells: {len(cells)} for {S} cells; there is one per cell")
    kinds = []
    for s, cell in enumerate(cells):
        if len(cell) > 1 and cell not in KINDS:
            raise InputError(
                f"cells: cell {s} is {cell!r}; it must be wall, hole, goal, start, "
                "nothing, or a letter of a map"
            )
        kinds.append(_LETTERS.get(cell, cell if cell in KINDS else ""))
    return kinds


def _opacity(values, kinds) -> list[float]:
    """Of each cell's color, in proportion to its value, holes and walls left out"""
    shown = np.array([kind not in ("wall", "hole") for kind in kinds])
    finite = values[np.isfinite(values) & shown]
    low, span = 0.0, 1.0
    if finite.size:
        low, span = finite.min(), np.ptp(finite) or 1.0
    return (DARKEST * np.clip((values - low) / span, 0, 1)).tolist()


def _cell(x, y, value, opacity, kind: str, label: str, taken: list) -> str:
    """<g> with the cell, what stands in it, its value, and its arrows or its label."""
    cell = {"x": x, "y": y, "width": CELL, "height": CELL}
    if kind == "wall" or not np.isfinite(value):
        return element("g", element("rect", **cell, style="fill: var(--axis)"))
    cx, cy = x + CELL / 2, y + CELL / 2 - 8
    fill = {"style": "fill: var(--series-0)", "fill_opacity": opacity}
    if kind == "hole":
        fill = {"style": "fill: none"}
    parts = [element("rect", **cell, class_="grid", **fill)]
    if kind == "hole":
        style = "fill: none; stroke: var(--alert); stroke-width: 2"
        parts.append(element("ellipse", cx=cx, cy=cy, rx=26, ry=18, style=style))
    if kind == "goal":
        inner = {"x": x + 4, "y": y + 4, "width": CELL - 8, "height": CELL - 8}
        style = "fill: none; stroke: var(--series-2); stroke-width: 3"
        parts.append(element("rect", **inner, style=style))
    if kind == "start":
        parts.append(text(x + 6, y + 16, "start", class_="tick"))
    if kind in ("hole", "goal"):
        label = label or kind
    if kind != "hole" or value != 0:
        parts.append(text(cx, y + CELL - 8, number(value, 3), text_anchor="middle"))
    if label:
        parts.append(text(cx, cy + 6, label, class_="title", text_anchor="middle"))
    else:
        for way in taken:
            parts += _arrow(cx, cy, *DIRECTIONS[way])
    return element("g", *parts)


def _arrow(cx: float, cy: float, dx: int, dy: int) -> list[str]:
    """A line from the center and its head"""
    tip_x, tip_y = cx + 26 * dx, cy + 26 * dy
    base_x, base_y = tip_x - 8 * dx, tip_y - 8 * dy
    sides = " ".join(f"{base_x + k * dy:g},{base_y + k * dx:g}" for k in (-5, 5))
    stroke, fill = "stroke: var(--text); stroke-width: 2", "fill: var(--text)"
    return [
        line(cx, cy, tip_x - 7 * dx, tip_y - 7 * dy, style=stroke),
        element("polygon", points=f"{tip_x:g},{tip_y:g} {sides}", style=fill),
    ]
