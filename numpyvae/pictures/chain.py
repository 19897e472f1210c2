"""Plot of the four-state example: state values against the discount factor, one panel
per state, as SVG.

Values grow as 1/(1 − γ), so the vertical axis is logarithmic: it shows the crossing,
where values are near 1, and the gain at γ = 0.99, where they are near 100. All curves
cross at the critical discount factor; the shaded area is the loss of the worse policy,
in the color of the better one.
"""

from ..mdp.chain import ARROWS, STATES, closed_form, four_state_chain
from ..mdp.discount import critical_discounts
from .svg import SERIES, Axis, document, element, frame, line, number, polyline, text

MYOPIC, FARSIGHTED = ("-", "-", "+", "+"), ("-", "+", "+", "+")
MYOPIC_COLOR, FARSIGHTED_COLOR = SERIES[:2]
WIDTH, HEIGHT, MARGIN, GAP, TOP, BOTTOM = 960, 760, 74, 46, 122, 62  # pixels
Y_MIN, Y_MAX, GAMMA_MAX = 0.1, 200.0, 0.995  # range of values, and the largest γ


def chain_svg() -> str:
    """A self-contained SVG document."""
    (critical,) = critical_discounts(four_state_chain(0.0))
    width, height = (
        (WIDTH - 2 * MARGIN - GAP + 20) / 2,
        (HEIGHT - TOP - BOTTOM - GAP) / 2,
    )
    discounts = sorted([GAMMA_MAX * k / 400 for k in range(401)] + [critical])
    myopic, farsighted = (
        [
            (gamma, [value for _, value in closed_form(policy, gamma)])
            for gamma in discounts
        ]
        for policy in (MYOPIC, FARSIGHTED)
    )
    panels = []
    for s in range(4):
        left, top = MARGIN + (s % 2) * (width + GAP), TOP + (s // 2) * (height + GAP)
        x_axis, y_axis = (
            Axis(0, 1, left, left + width),
            Axis(Y_MIN, Y_MAX, top + height, top, log=True),
        )
        first = [(gamma, values[s]) for gamma, values in myopic]
        second = [(gamma, values[s]) for gamma, values in farsighted]
        panels.append(_panel(s, x_axis, y_axis, first, second, critical))
    title = "State values against the discount factor"
    return document(
        WIDTH,
        HEIGHT,
        "State values of the four-state chain against the discount factor, "
        "under two policies",
        text(MARGIN, 40, title, class_="title"),
        text(
            MARGIN,
            63,
            f"The optimal policy changes at γ* = (√3 − 1)/2 = {critical:.6f} only. "
            "The shaded area is the loss of the worse policy.",
            class_="tick",
        ),
        _legend_entry(MARGIN, 90, MYOPIC_COLOR, MYOPIC, "myopic: reward 1"),
        _legend_entry(
            MARGIN + 300, 90, FARSIGHTED_COLOR, FARSIGHTED, "farsighted: reward 3"
        ),
        *panels,
    )


def _legend_entry(x: float, y: float, color: str, policy: tuple, label: str) -> str:
    arrows = element(
        "tspan",
        " ".join(ARROWS[action] for action in policy),
        class_="name",
        style=f"fill: {color}",
    )
    return line(x, y, x + 30, y, style=f"stroke: {color}; stroke-width: 3") + element(
        "text", arrows, f" \u2002{label}", x=x + 40, y=y + 4.5
    )


def _panel(
    s: int, x_axis: Axis, y_axis: Axis, myopic: list, farsighted: list, critical: float
) -> str:
    """One state: `frame`, two areas, two curves, and the mark at the critical discount
    factor.
    """
    left, right, bottom, top = x_axis.first, x_axis.last, y_axis.first, y_axis.last

    def pixels(points):
        return [
            (float(x_axis(gamma)), float(y_axis(max(value, Y_MIN))))
            for gamma, value in points
        ]

    def area(between, color):
        outline = [p for p in myopic if between(p[0])] + [
            p for p in reversed(farsighted) if between(p[0])
        ]
        corners = " ".join(f"{x:.2f},{y:.2f}" for x, y in pixels(outline))
        return element(
            "polygon", points=corners, style=f"fill: {color}; fill-opacity: 0.14"
        )

    def curve(points, color):
        return polyline(
            pixels([(gamma, value) for gamma, value in points if value >= Y_MIN]),
            style=f"stroke: {color}",
        )

    cx, cy = pixels([(critical, dict(myopic)[critical])])[0]
    parts = frame(x_axis, y_axis)
    parts += [area(lambda gamma: gamma <= critical, MYOPIC_COLOR)]
    parts += [area(lambda gamma: gamma >= critical, FARSIGHTED_COLOR)]
    parts += [curve(myopic, MYOPIC_COLOR), curve(farsighted, FARSIGHTED_COLOR)]
    parts += [
        line(cx, top, cx, bottom, class_="axis", stroke_dasharray="3 4"),
        text(cx + 7, top + 12, "γ*"),
    ]
    parts += [
        element(
            "circle",
            cx=cx,
            cy=cy,
            r=4.5,
            class_="paper",
            style="stroke: var(--text); stroke-width: 1.8",
        )
    ]
    parts += [text(left + 10, top + 14, f"state {number(STATES[s])}", class_="name")]
    if s % 2 == 0:
        x, y = left - 50, (top + bottom) / 2
        parts.append(
            text(
                x,
                y,
                "value (logarithmic)",
                text_anchor="middle",
                transform=f"rotate(-90 {x:g} {y:g})",
            )
        )
    if s >= 2:
        parts.append(
            text(
                (left + right) / 2,
                bottom + 44,
                "discount factor γ",
                text_anchor="middle",
            )
        )
    return element("g", *parts)
