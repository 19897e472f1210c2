"""The chain's picture: what each state is worth under the near-sighted and the far-sighted policy, at every discount, as SVG.

A panel a state. Values grow as 1/(1-γ), so the vertical axis is logarithmic: both the crossing, where they are near 1, and what patience
earns at γ = 0.99, where they are near 100, can be seen. The two curves of every panel cross at the same discount, the switch, and the area
between them is what the wrong policy costs: in its winner's colour.
"""

from math import log10

from numpyvae.chain import ARROWS, closed_form
from numpyvae.mdp import chain, discount_switches

NEAR, FAR = ("-", "-", "+", "+"), ("-", "+", "+", "+")
BLUE, ORANGE, INK, FAINT = "#2f6db5", "#d9662b", "#2b2d33", "#d9dbe0"
WIDTH, HEIGHT, MARGIN, GAP, HEAD, FOOT = 960, 760, 74, 46, 122, 62          # pixels
LOWEST, HIGHEST, LAST = 0.1, 200.0, 0.995                                   # values shown, and the last discount drawn


def report_svg() -> str:
    """A self-contained SVG document."""
    mdp = chain(0.0)
    (switch,) = discount_switches(mdp.P, mdp.R)
    wide, high = (WIDTH - 2 * MARGIN - GAP + 20) / 2, (HEIGHT - HEAD - FOOT - GAP) / 2
    discounts = [LAST * k / 400 for k in range(401)] + [switch]
    curves = [[(g, [value for _, value in closed_form(policy, g)]) for g in sorted(discounts)] for policy in (NEAR, FAR)]
    panels = [_panel(s, MARGIN + (s % 2) * (wide + GAP), HEAD + (s // 2) * (high + GAP), wide, high, curves, switch) for s in range(4)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' font-family="Helvetica, Arial, \'DejaVu Sans\', sans-serif" font-size="13" fill="{INK}">',
        "<title>The value of each state of the chain against the discount, under two policies</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="40" font-size="22" font-weight="bold">Where patience begins to pay</text>',
        f'<text x="{MARGIN}" y="63" fill="#60646e">The value of each state of the chain, by discount. The optimal policy changes at'
        f' γ* = (√3 − 1)/2 = {switch:.6f}, and nowhere else.</text>',
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

    def line(curve, colour):
        seen = [(g, v) for g, v in curve if v >= LOWEST]
        return f'<polyline points="{_points(seen, x, y)}" fill="none" stroke="{colour}" stroke-width="2.4" stroke-linejoin="round"/>'

    parts = []
    for value in (0.1, 1, 10, 100):
        parts.append(f'<line x1="{left:.1f}" y1="{y(value):.1f}" x2="{right:.1f}" y2="{y(value):.1f}" stroke="{FAINT}"/>')
        parts.append(f'<text x="{left - 9:.1f}" y="{y(value) + 4.5:.1f}" text-anchor="end" fill="#60646e">{value:g}</text>')
    for gamma in (0, 0.2, 0.4, 0.6, 0.8, 1):
        parts.append(f'<line x1="{x(gamma):.1f}" y1="{bottom:.1f}" x2="{x(gamma):.1f}" y2="{bottom + 5:.1f}" stroke="{INK}"/>')
        parts.append(f'<text x="{x(gamma):.1f}" y="{bottom + 20:.1f}" text-anchor="middle" fill="#60646e">{gamma:g}</text>')
    parts += [area(lambda g: g <= switch, BLUE), area(lambda g: g >= switch, ORANGE), line(near, BLUE), line(far, ORANGE)]
    parts.append(f'<line x1="{left:.1f}" y1="{bottom:.1f}" x2="{right:.1f}" y2="{bottom:.1f}" stroke="{INK}"/>')
    parts.append(f'<line x1="{x(switch):.1f}" y1="{top:.1f}" x2="{x(switch):.1f}" y2="{bottom:.1f}" stroke="{INK}" stroke-dasharray="3 4"/>')
    meet = dict(near)[switch]
    parts.append(f'<circle cx="{x(switch):.1f}" cy="{y(meet):.1f}" r="4.5" fill="#ffffff" stroke="{INK}" stroke-width="1.8"/>')
    parts.append(f'<text x="{x(switch) + 7:.1f}" y="{top + 12:.1f}">γ*</text>')
    parts.append(f'<text x="{left + 10:.1f}" y="{top + 14:.1f}" font-size="15" font-weight="bold">state {str(chain(0.0).states[s]).replace("-", "−")}</text>')
    if s % 2 == 0:
        middle = (top + bottom) / 2
        parts.append(f'<text x="{left - 50:.1f}" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 {left - 50:.1f} {middle:.1f})">'
                     "value (logarithmic)</text>")
    if s >= 2:
        parts.append(f'<text x="{(left + right) / 2:.1f}" y="{bottom + 44:.1f}" text-anchor="middle">discount γ</text>')
    return "<g>" + "\n".join(parts) + "</g>"


def _points(curve: list, x, y) -> str:
    return " ".join(f"{x(gamma):.1f},{y(value):.1f}" for gamma, value in curve)
