"""The chain's picture: what each state is worth under the near-sighted and the far-sighted policy at every discount, as SVG.

A panel a state. Values grow as 1/(1-γ), so the vertical axis is logarithmic: it shows the crossing, where they are near 1, and
what patience earns at γ = 0.99, where they are near 100. The curves of every panel cross at the same discount, the switch, and
the area between them is what the wrong policy costs, in its winner's colour.
"""

from math import log10

from ..mdp.chain import ARROWS, closed_form
from ..mdp.solvers import chain, discount_switches

NEAR, FAR = ("-", "-", "+", "+"), ("-", "+", "+", "+")
BLUE, ORANGE, INK, GREY, FAINT = "#2f6db5", "#d9662b", "#2b2d33", "#60646e", "#d9dbe0"
WIDTH, HEIGHT, MARGIN, GAP, HEAD, FOOT = 960, 760, 74, 46, 122, 62          # pixels
LOWEST, HIGHEST, LAST = 0.1, 200.0, 0.995                                   # values shown, and the last discount drawn


def report_svg() -> str:
    """A self-contained SVG document."""
    mdp = chain(0.0)
    (switch,) = discount_switches(mdp.P, mdp.R)
    wide, high = (WIDTH - 2 * MARGIN - GAP + 20) / 2, (HEIGHT - HEAD - FOOT - GAP) / 2
    discounts = [LAST * k / 400 for k in range(401)] + [switch]
    curves = [[(g, [value for _, value in closed_form(policy, g)]) for g in sorted(discounts)] for policy in (NEAR, FAR)]
    corners = [(MARGIN + (s % 2) * (wide + GAP), HEAD + (s // 2) * (high + GAP)) for s in range(4)]
    panels = [_panel(s, left, top, wide, high, curves, switch) for s, (left, top) in enumerate(corners)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' font-family="Helvetica, Arial, \'DejaVu Sans\', sans-serif" font-size="13" fill="{INK}">',
        "<title>The value of each state of the chain against the discount, under two policies</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(MARGIN, 40, "Where patience begins to pay", 'font-size="22" font-weight="bold"'),
        _text(MARGIN, 63, "The value of each state of the chain, by discount. The optimal policy changes at"
              f" γ* = (√3 − 1)/2 = {switch:.6f}, and nowhere else.", f'fill="{GREY}"'),
        _key(MARGIN, 90, BLUE, NEAR, "takes the 1 nearby"), _key(MARGIN + 300, 90, ORANGE, FAR, "walks to the 3"),
        *panels, "</svg>"]) + "\n"


def _key(x: float, y: float, colour: str, policy: tuple, does: str) -> str:
    arrows = " ".join(ARROWS[move] for move in policy)
    return (f'<line x1="{x}" y1="{y}" x2="{x + 30}" y2="{y}" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'
            f'<text x="{x + 40}" y="{y + 4.5}"><tspan fill="{colour}" font-weight="bold">{arrows}</tspan>  {does}</text>')


def _panel(s: int, left: float, top: float, wide: float, high: float, curves: list, switch: float) -> str:
    bottom, right = top + high, left + wide

    def x(gamma):
        return left + wide * gamma

    def y(value):
        return bottom - high * log10(max(value, LOWEST) / LOWEST) / log10(HIGHEST / LOWEST)

    near, far = ([(g, values[s]) for g, values in curve] for curve in curves)

    def area(between, colour):
        there = [(g, a) for g, a in near if between(g)] + [(g, b) for g, b in reversed(far) if between(g)]
        return f'<polygon points="{_points(there, x, y)}" fill="{colour}" fill-opacity="0.14"/>'

    def curve(points, colour):
        seen = _points([(g, v) for g, v in points if v >= LOWEST], x, y)
        return f'<polyline points="{seen}" fill="none" stroke="{colour}" stroke-width="2.4" stroke-linejoin="round"/>'

    parts = []
    for value in (0.1, 1, 10, 100):
        parts.append(_line(left, y(value), right, y(value), f'stroke="{FAINT}"'))
        parts.append(_text(left - 9, y(value) + 4.5, f"{value:g}", f'text-anchor="end" fill="{GREY}"'))
    for gamma in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(_line(x(gamma), bottom, x(gamma), bottom + 5, f'stroke="{INK}"'))
        parts.append(_text(x(gamma), bottom + 20, f"{gamma:g}", f'text-anchor="middle" fill="{GREY}"'))
    parts += [area(lambda g: g <= switch, BLUE), area(lambda g: g >= switch, ORANGE), curve(near, BLUE), curve(far, ORANGE)]
    parts.append(_line(left, bottom, right, bottom, f'stroke="{INK}"'))
    parts.append(_line(x(switch), top, x(switch), bottom, f'stroke="{INK}" stroke-dasharray="3 4"'))
    cx, cy = x(switch), y(dict(near)[switch])
    parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="4.5" fill="#ffffff" stroke="{INK}" stroke-width="1.8"/>')
    parts.append(_text(cx + 7, top + 12, "γ*"))
    name = str(chain(0.0).states[s]).replace("-", "−")
    parts.append(_text(left + 10, top + 14, f"state {name}", 'font-size="15" font-weight="bold"'))
    if s % 2 == 0:
        middle = (top + bottom) / 2
        turned = f'text-anchor="middle" transform="rotate(-90 {left - 50:.1f} {middle:.1f})"'
        parts.append(_text(left - 50, middle, "value (logarithmic)", turned))
    if s >= 2:
        parts.append(_text((left + right) / 2, bottom + 44, "discount γ", 'text-anchor="middle"'))
    return "<g>" + "\n".join(parts) + "</g>"


def _points(curve: list, x, y) -> str:
    return " ".join(f"{x(gamma):.1f},{y(value):.1f}" for gamma, value in curve)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def _text(x: float, y: float, words: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{words}</text>'
