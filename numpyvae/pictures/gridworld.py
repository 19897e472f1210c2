"""Plot of a grid world: one cell per state with its value, and an arrow per optimal action, as SVG."""

from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from .svg import document, element, line, number, text

CELL, MARGIN, TITLE = 84, 16, 44  # pixels
DARKEST = 0.45  # opacity of the largest value's color: text on it has a contrast of 4.8:1, also on a dark page
DIRECTIONS = {"up": (0, -1), "right": (1, 0), "down": (0, 1), "left": (-1, 0)}


def gridworld_svg(
    values,
    actions,
    columns: int,
    directions: Sequence[str] = ("left", "down", "right", "up"),
    labels: Sequence[str] | None = None,
    title: str = "State values and optimal actions",
) -> str:
    """A self-contained SVG document. State s is in row s // columns, column s % columns.

    values: (S,); the larger its value, the more color a cell has; NaN marks a wall, which is gray
    actions: boolean (S, A), an arrow for each True (ties have several), or action numbers (S,)
    directions: the direction of each action; by default in the order of Gymnasium's FrozenLake
    labels: one text per state, shown instead of arrows where it is not empty
    """
    values, actions = np.asarray(values, dtype=float), np.asarray(actions)
    if actions.ndim == 1:
        actions = np.arange(len(directions)) == actions[:, None]
    if (
        values.ndim != 1
        or columns < 1
        or len(values) % columns
        or actions.shape != (len(values), len(directions))
    ):
        raise InputError(
            f"a grid world has values (S,), S a multiple of its {columns} columns, and actions (S, "
            f"{len(directions)}); not {values.shape} and {actions.shape}"
        )
    if (labels is not None and len(labels) != len(values)) or not set(
        directions
    ) <= set(DIRECTIONS):
        raise InputError(
            f"a grid world takes one label per state, and directions among {', '.join(DIRECTIONS)}"
        )
    width = 2 * MARGIN + columns * CELL
    height = TITLE + MARGIN + len(values) // columns * CELL
    finite = values[np.isfinite(values)]
    low, span = (finite.min(), np.ptp(finite) or 1.0) if finite.size else (0.0, 1.0)
    parts = [text(MARGIN, 28, title, class_="title")]
    for s, value in enumerate(values):
        x, y = MARGIN + s % columns * CELL, TITLE + s // columns * CELL
        label = labels[s] if labels is not None else ""
        parts.append(
            _cell(x, y, value, (value - low) / span, actions[s], directions, str(label))
        )
    return document(width, height, title, *parts)


def _cell(
    x: int, y: int, value: float, fraction: float, actions, directions, label: str
) -> str:
    """<g> with the cell, its value, and an arrow per action or the label."""
    cell = {"x": x, "y": y, "width": CELL, "height": CELL}
    if not np.isfinite(value):
        return element("g", element("rect", **cell, style="fill: var(--axis)"))
    cx, cy = x + CELL / 2, y + CELL / 2 - 8
    parts = [
        element(
            "rect",
            **cell,
            class_="grid",
            style="fill: var(--series-0)",
            fill_opacity=DARKEST * fraction,
        ),
        text(cx, y + CELL - 8, number(value, 3), text_anchor="middle"),
    ]
    if label:
        parts.append(text(cx, cy + 6, label, class_="title", text_anchor="middle"))
    else:
        for name in (
            name for name, taken in zip(directions, actions, strict=True) if taken
        ):
            dx, dy = DIRECTIONS[name]
            tip_x, tip_y = cx + 26 * dx, cy + 26 * dy
            sides = " ".join(
                f"{tip_x - 8 * dx + k * 5 * dy:g},{tip_y - 8 * dy + k * 5 * dx:g}"
                for k in (-1, 1)
            )
            parts.append(
                line(
                    cx,
                    cy,
                    tip_x - 7 * dx,
                    tip_y - 7 * dy,
                    style="stroke: var(--text); stroke-width: 2",
                )
            )
            parts.append(
                element(
                    "polygon",
                    points=f"{tip_x:g},{tip_y:g} {sides}",
                    style="fill: var(--text)",
                )
            )
    return element("g", *parts)
