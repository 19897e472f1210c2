"""Plot of a grid world: one cell per state with its value, and an arrow per optimal action, as SVG."""

from collections.abc import Sequence
from html import escape

import numpy as np

CELL, MARGIN, TITLE = 84, 16, 44                                    # pixels
LOW, HIGH, BLOCKED = (255, 255, 255), (47, 109, 181), "#2b2d33"     # colors of the smallest and the largest value
DIRECTIONS = {"up": (0, -1), "right": (1, 0), "down": (0, 1), "left": (-1, 0)}


def gridworld_svg(values, actions, columns: int, directions: Sequence[str] = ("left", "down", "right", "up"),
                  labels: Sequence[str] | None = None, title: str = "State values and optimal actions") -> str:
    """A self-contained SVG document. State s is in row s // columns, column s % columns.

    values: (S,); a cell is darker the larger its value, and NaN marks a wall
    actions: boolean (S, A), an arrow for each True (ties have several), or action numbers (S,)
    directions: the direction of each action; by default in the order of Gymnasium's FrozenLake
    labels: one text per state, shown instead of arrows where it is not empty
    """
    values, actions = np.asarray(values, dtype=float), np.asarray(actions)
    if actions.ndim == 1:
        actions = np.arange(len(directions)) == actions[:, None]
    if values.ndim != 1 or columns < 1 or len(values) % columns or actions.shape != (len(values), len(directions)):
        raise ValueError(f"a grid world has values (S,), S a multiple of its {columns} columns, and actions (S, "
                         f"{len(directions)}); not {values.shape} and {actions.shape}")
    if labels is not None and len(labels) != len(values) or not set(directions) <= set(DIRECTIONS):
        raise ValueError(f"a grid world takes one label per state, and directions among {', '.join(DIRECTIONS)}")
    width = 2 * MARGIN + columns * CELL
    height = TITLE + MARGIN + len(values) // columns * CELL
    finite = values[np.isfinite(values)]
    low, span = (finite.min(), np.ptp(finite) or 1.0) if finite.size else (0.0, 1.0)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
             f'height="{height}" font-family="Helvetica, Arial, \'DejaVu Sans\', sans-serif" text-anchor="middle">',
             f"<title>{escape(title)}</title>", f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             f'<text x="{MARGIN}" y="28" font-size="16" font-weight="bold" text-anchor="start">{escape(title)}</text>']
    for s, value in enumerate(values):
        x, y = MARGIN + s % columns * CELL, TITLE + s // columns * CELL
        label = labels[s] if labels is not None else ""
        lines.append(_cell(x, y, value, (value - low) / span, actions[s], directions, str(label)))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _cell(x: int, y: int, value: float, fraction: float, actions, directions, label: str) -> str:
    """<g> with the cell, its value, and an arrow per action or the label."""
    if not np.isfinite(value):
        return f'<g><rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{BLOCKED}"/></g>'
    color = "#" + "".join(f"{round(a + (b - a) * fraction):02x}" for a, b in zip(LOW, HIGH))
    text_color = "#ffffff" if fraction > 0.75 else BLOCKED
    cx, cy = x + CELL / 2, y + CELL / 2 - 8
    parts = [f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{color}" stroke="#d9dbe0"/>',
             f'<text x="{cx}" y="{y + CELL - 8}" font-size="13" fill="{text_color}">{value:.3g}</text>']
    if label:
        parts.append(f'<text x="{cx}" y="{cy + 6}" font-size="18" font-weight="bold" fill="{text_color}">'
                     f'{escape(label)}</text>')
    else:
        for name in (name for name, taken in zip(directions, actions) if taken):
            dx, dy = DIRECTIONS[name]
            tip_x, tip_y = cx + 26 * dx, cy + 26 * dy
            sides = " ".join(f"{tip_x - 8 * dx + k * 5 * dy:g},{tip_y - 8 * dy + k * 5 * dx:g}" for k in (-1, 1))
            parts.append(f'<line x1="{cx}" y1="{cy}" x2="{tip_x - 7 * dx:g}" y2="{tip_y - 7 * dy:g}" '
                         f'stroke="{text_color}" stroke-width="2"/>'
                         f'<polygon points="{tip_x:g},{tip_y:g} {sides}" fill="{text_color}"/>')
    return "<g>" + "".join(parts) + "</g>"
