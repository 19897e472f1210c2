"""Plot of the four-state example: state values against the discount factor, one panel per state, as SVG.

Values grow as 1/(1 − γ), so the vertical axis is logarithmic: it shows the crossing, where values are near 1, and the
gain at γ = 0.99, where they are near 100. All curves cross at the critical discount factor; the shaded area is the loss
of the worse policy, in the color of the better one.
"""

from math import log10

from ..mdp.chain import ARROWS, STATES, closed_form, four_state_chain
from ..mdp.discount import critical_discounts

MYOPIC, FARSIGHTED = ("-", "-", "+", "+"), ("-", "+", "+", "+")
BLUE, ORANGE, TEXT_COLOR, GRAY, GRID_COLOR = "#2f6db5", "#d9662b", "#2b2d33", "#60646e", "#d9dbe0"
WIDTH, HEIGHT, MARGIN, GAP, TOP, BOTTOM = 960, 760, 74, 46, 122, 62          # pixels
Y_MIN, Y_MAX, GAMMA_MAX = 0.1, 200.0, 0.995                                   # range of values, and the largest γ


def chain_svg() -> str:
    """A self-contained SVG document."""
    (critical,) = critical_discounts(four_state_chain(0.0))
    width, height = (WIDTH - 2 * MARGIN - GAP + 20) / 2, (HEIGHT - TOP - BOTTOM - GAP) / 2
    discounts = [GAMMA_MAX * k / 400 for k in range(401)] + [critical]
    curves = [[(g, [value for _, value in closed_form(policy, g)]) for g in sorted(discounts)]
              for policy in (MYOPIC, FARSIGHTED)]
    corners = [(MARGIN + (s % 2) * (width + GAP), TOP + (s // 2) * (height + GAP)) for s in range(4)]
    panels = [_panel(s, left, top, width, height, curves, critical) for s, (left, top) in enumerate(corners)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' font-family="Helvetica, Arial, \'DejaVu Sans\', sans-serif" font-size="13" fill="{TEXT_COLOR}">',
        "<title>State values of the four-state chain against the discount factor, under two policies</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(MARGIN, 40, "State values against the discount factor", 'font-size="22" font-weight="bold"'),
        _text(MARGIN, 63, f"The optimal policy changes at γ* = (√3 − 1)/2 = {critical:.6f} only. "
              "The shaded area is the loss of the worse policy.", f'fill="{GRAY}"'),
        _legend_entry(MARGIN, 90, BLUE, MYOPIC, "myopic: reward 1"),
        _legend_entry(MARGIN + 300, 90, ORANGE, FARSIGHTED, "farsighted: reward 3"),
        *panels, "</svg>"]) + "\n"


def _legend_entry(x: float, y: float, color: str, policy: tuple, label: str) -> str:
    arrows = " ".join(ARROWS[action] for action in policy)
    return (f'<line x1="{x}" y1="{y}" x2="{x + 30}" y2="{y}" stroke="{color}" stroke-width="3" stroke-linecap="round"/>'
            f'<text x="{x + 40}" y="{y + 4.5}"><tspan fill="{color}" font-weight="bold">{arrows}</tspan>'
            f'  {label}</text>')


def _panel(s: int, left: float, top: float, width: float, height: float, curves: list, critical: float) -> str:
    bottom, right = top + height, left + width

    def x(gamma):
        return left + width * gamma

    def y(value):
        return bottom - height * log10(max(value, Y_MIN) / Y_MIN) / log10(Y_MAX / Y_MIN)

    myopic, farsighted = ([(g, values[s]) for g, values in curve] for curve in curves)

    def area(between, color):
        outline = [(g, a) for g, a in myopic if between(g)] + [(g, b) for g, b in reversed(farsighted) if between(g)]
        return f'<polygon points="{_points(outline, x, y)}" fill="{color}" fill-opacity="0.14"/>'

    def curve(points, color):
        visible = _points([(g, v) for g, v in points if v >= Y_MIN], x, y)
        return f'<polyline points="{visible}" fill="none" stroke="{color}" stroke-width="2.4" stroke-linejoin="round"/>'

    parts = []
    for value in (0.1, 1, 10, 100):
        parts.append(_line(left, y(value), right, y(value), f'stroke="{GRID_COLOR}"'))
        parts.append(_text(left - 9, y(value) + 4.5, f"{value:g}", f'text-anchor="end" fill="{GRAY}"'))
    for gamma in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(_line(x(gamma), bottom, x(gamma), bottom + 5, f'stroke="{TEXT_COLOR}"'))
        parts.append(_text(x(gamma), bottom + 20, f"{gamma:g}", f'text-anchor="middle" fill="{GRAY}"'))
    parts += [area(lambda g: g <= critical, BLUE), area(lambda g: g >= critical, ORANGE)]
    parts += [curve(myopic, BLUE), curve(farsighted, ORANGE)]
    parts.append(_line(left, bottom, right, bottom, f'stroke="{TEXT_COLOR}"'))
    parts.append(_line(x(critical), top, x(critical), bottom, f'stroke="{TEXT_COLOR}" stroke-dasharray="3 4"'))
    cx, cy = x(critical), y(dict(myopic)[critical])
    parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="4.5" fill="#ffffff" stroke="{TEXT_COLOR}" '
                 'stroke-width="1.8"/>')
    parts.append(_text(cx + 7, top + 12, "γ*"))
    name = str(STATES[s]).replace("-", "−")
    parts.append(_text(left + 10, top + 14, f"state {name}", 'font-size="15" font-weight="bold"'))
    if s % 2 == 0:
        middle = (top + bottom) / 2
        rotation = f'text-anchor="middle" transform="rotate(-90 {left - 50:.1f} {middle:.1f})"'
        parts.append(_text(left - 50, middle, "value (logarithmic)", rotation))
    if s >= 2:
        parts.append(_text((left + right) / 2, bottom + 44, "discount factor γ", 'text-anchor="middle"'))
    return "<g>" + "\n".join(parts) + "</g>"


def _points(curve: list, x, y) -> str:
    return " ".join(f"{x(gamma):.1f},{y(value):.1f}" for gamma, value in curve)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def _text(x: float, y: float, content: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{content}</text>'
