"""SVG as text: elements, a document, axes with their ticks, and one set of colors for
light and dark pages.

An SVG file is XML. Coordinates are pixels, x to the right and y downward. `element`
writes any element; the functions below it are the few that the plots need. All text
passes through `escape`.

Colors are CSS variables, each with a value for a light and for a dark page (`PALETTE`);
the reader's setting decides. On `paper`, text has a contrast of at least 4.5:1 and a
line or a mark at least 3:1, as WCAG 2.2 (1.4.3, 1.4.11) asks. Grid lines are fainter:
every value can be read without them. A standalone file has the colors of an embedded
plot.

An `Axis` maps values to pixels, linearly or by their logarithm.

Source: W3C, "Scalable Vector Graphics (SVG) 2"; W3C, "Web Content Accessibility
Guidelines 2.2".
"""

import html
import math
import re
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from ..errors import InputError

PALETTE = {  # name: (light, dark)
    "page": ("#f4f5f7", "#14171b"),
    "paper": ("#ffffff", "#1d2127"),
    "text": ("#2f3640", "#dfe3e8"),
    "muted": ("#5d6673", "#a3adb9"),
    "grid": ("#e2e5ea", "#363d47"),
    "axis": ("#7f8791", "#8a939e"),
    "series-0": ("#1f5fa8", "#74b3f7"),
    "series-1": ("#b4470f", "#f29a63"),
    "series-2": ("#277a3c", "#72c98a"),
    "series-3": ("#7d4fa3", "#c6a0ea"),
    "alert": ("#b3261e", "#ff9c90"),
}
SERIES = tuple(f"var(--{name})" for name in PALETTE if name.startswith("series"))
FONT = "system-ui, 'Helvetica Neue', Arial, sans-serif"
TICK_ROOM = 24  # pixels, at least, between the ticks of an uneven axis
_LETTER = 7.5  # pixels, a wide estimate of a letter's width
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def palette_css(selector: str) -> str:
    """CSS that defines the colors for `selector`, with the dark values under
    prefers-color-scheme.
    """
    light, dark = (
        "; ".join(f"--{name}: {pair[i]}" for name, pair in PALETTE.items())
        for i in (0, 1)
    )
    return (
        f"{selector} {{ color-scheme: light dark; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}"
    )


SVG_STYLE = (
    palette_css(".plot")
    + f"""
.plot text {{ font: 13px {FONT}; fill: var(--text) }}
.plot .title {{ font-size: 16px; font-weight: 600 }} .plot .name {{ font-weight: 600 }}
.plot .tick {{ fill: var(--muted) }}
.plot .paper {{ fill: var(--paper) }} .plot .grid {{ stroke: var(--grid) }} .plot .axis {{ stroke: var(--axis) }}
.plot polyline {{ fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }}
"""
)


def escape(text: object) -> str:
    """Text for XML and HTML, also inside quotes. What XML has no character for becomes
    U+FFFD.
    """
    return html.escape(_NOT_XML.sub("\ufffd", str(text)))


def element(tag: str, *children: str, **attributes: object) -> str:
    """<tag a="…">children</tag>. Children are markup. Attributes are escaped; None is
    left out.

    `class_` is written class, and text_anchor text-anchor; a float is rounded to a
    hundredth of a pixel.
    """
    written = [
        f' {name.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for name, value in attributes.items()
        if value is not None
    ]
    inner = "".join(children)
    return (
        f"<{tag}{''.join(written)}>{inner}</{tag}>"
        if inner
        else f"<{tag}{''.join(written)}/>"
    )


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> str:
    """A straight line from (x1, y1) to (x2, y2)"""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def text(x: float, y: float, words: object, **attributes: object) -> str:
    """Words, escaped, with their baseline at (x, y)"""
    return element("text", escape(words), x=x, y=y, **attributes)


def polyline(points: Iterable[tuple[float, float]], **attributes: object) -> str:
    """A line through all points"""
    return element(
        "polyline", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in points), **attributes
    )


class Svg(str):
    """An SVG document as text; a notebook shows it as the picture."""

    def _repr_svg_(self) -> str:
        return str(self)


def document(
    width: int, height: int, title: str, *body: str, **attributes: object
) -> Svg:
    """A complete SVG document on its own background, to be a file or to stand in a
    page. attributes: more ones of its root.
    """
    head = (
        element("title", escape(title)),
        element("style", SVG_STYLE),
        element("rect", width=width, height=height, rx=8, class_="paper"),
    )
    parts = "\n".join([*head, *body])
    root = element(
        "svg",
        f"\n{parts}\n",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        class_="plot",
        **attributes,
    )
    return Svg(root + "\n")


class Axis:
    """A map from values to pixels, `low` at `first` and `high` at `last`.

    It is linear, or by the logarithm if `log`, or by the logarithm of the distance from
    `floor`, which lies below `low`: then equal factors of that distance are equal
    lengths, and the axis is finer at its lower end. `ticks` are nice values from low to
    high. With `outward` the axis is extended to the nice values around them. `finest`
    is the smallest distance of two ticks: 1 for integers.
    """

    def __init__(
        self,
        low: float,
        high: float,
        first: float,
        last: float,
        *,
        log: bool = False,
        outward: bool = False,
        finest: float = 0.0,
        floor: float | None = None,
    ):
        self.log, self.first, self.last, self.floor = log, first, last, floor
        if floor is not None:
            self.low, self.high = float(self._scaled(low)), float(self._scaled(high))
            self.ticks = self._spread_ticks(low, high)
            self.labels = [number(tick) for tick in self.ticks]
            return
        if log:
            low, high = math.log10(low), math.log10(high)
        ticks = nice_ticks(low, high, 1 if log else finest)
        self.low, self.high = (ticks[0], ticks[-1]) if outward else (low, high)
        margin = 1e-9 * (ticks[1] - ticks[0])
        self.ticks = [t for t in ticks if self.low - margin <= t <= self.high + margin]
        self.labels = [_decade(t) if log else number(t) for t in self.ticks]

    def __call__(self, values: float | np.ndarray) -> np.ndarray:
        """The pixels of values (…). An axis of a single value has it in the middle."""
        return self._place(self._scaled(values))

    def description(self) -> str:
        """The four numbers of a linear axis, for a script: low, high, first, last."""
        return f"{self.low:.10g} {self.high:.10g} {self.first:g} {self.last:g}"

    def _scaled(self, values):
        values = np.asarray(values, np.float64)
        if self.floor is not None:
            return np.log10(values - self.floor)
        return np.log10(values) if self.log else values

    def _spread_ticks(self, low: float, high: float) -> list[float]:
        """Round values with room between them: the roundest first, then finer ones
        where they fit
        """
        chosen: dict[float, float] = {}  # value: pixel
        power = math.floor(math.log10(high - low))
        for exponent in range(power, power - 4, -1):
            for factor in (5, 2, 1):
                step = factor * 10.0**exponent
                first, last = math.ceil(low / step), math.floor(high / step)
                # Many steps fit near the lower end only, where the axis is finer.
                values = step * np.arange(first, min(last, first + 99) + 1)
                for value, pixel in zip(values, self(values), strict=True):
                    if all(abs(pixel - p) >= TICK_ROOM for p in chosen.values()):
                        chosen[float(value)] = pixel
        return sorted(chosen) or [low]

    def tick_pixels(self) -> np.ndarray:
        ticks = np.asarray(self.ticks, np.float64)
        return self._place(ticks if self.floor is None else self._scaled(ticks))

    def _place(self, values):
        if self.high == self.low:
            return np.full(values.shape, (self.first + self.last) / 2)
        return self.first + (self.last - self.first) * (
            (values - self.low) / (self.high - self.low)
        )


class AnyAxis(Protocol):
    """What `frame` asks of an axis: its ends, and the places and labels of its ticks."""

    first: float
    last: float
    labels: list[str]

    def tick_pixels(self) -> np.ndarray:
        """The pixel of each tick"""
        ...


def frame(
    x_axis: AnyAxis, y_axis: AnyAxis, x_label: str = "", y_label: str = ""
) -> list[str]:
    """Grid lines, ticks and their values on both axes, and the labels: x below, y above
    the axis' upper end.
    """
    left, right, bottom, top = x_axis.first, x_axis.last, y_axis.first, y_axis.last
    parts = []
    for y, label in zip(y_axis.tick_pixels(), y_axis.labels, strict=True):
        parts.append(line(left, y, right, y, class_="grid"))
        parts.append(text(left - 8, y + 4.5, label, class_="tick", text_anchor="end"))
    for x, label in zip(x_axis.tick_pixels(), x_axis.labels, strict=False):
        parts.append(line(x, bottom, x, bottom + 5, class_="axis"))
        parts.append(text(x, bottom + 20, label, class_="tick", text_anchor="middle"))
    parts.append(line(left, bottom, right, bottom, class_="axis"))
    if x_label:
        parts.append(
            text(
                (left + right) / 2,
                bottom + 40,
                x_label,
                text_anchor="middle",
                class_="x-label",
            )
        )
    if y_label:
        parts.append(text(16, top - 14, y_label, class_="y-label"))
    return parts


def legend(
    entries: Iterable[tuple[str, object]], width: int, y: float = 24
) -> tuple[list[str], float]:
    """A colored dot and a name for each (color, name), in rows from y downward; and the
    last row's y.
    """
    parts, x = [], 16.0
    for color, name in entries:
        space = 14 + _LETTER * len(str(name)) + 15
        if x > 16 and x + space > width:
            x, y = 16, y + 18
        parts.append(
            element("circle", cx=x + 5, cy=y - 4.5, r=5, style=f"fill: {color}")
        )
        parts.append(text(x + 14, y, name, class_="name"))
        x += space
    return parts, y


def number(value: float, digits: int = 10) -> str:
    """A number for people: no zeros behind it, and a minus sign that is one"""
    return ("−" if value < 0 else "") + f"{abs(value):.{digits}g}"


def nice_ticks(low: float, high: float, finest: float = 0.0) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, at most eight steps, from `low` or
    below to `high` or above
    """
    span = high - low
    if not math.isfinite(span):
        raise InputError(f"an axis cannot reach from {low:g} to {high:g}")
    if span <= 1e-9 * max(abs(low), abs(high)):  # a constant curve has ticks as well
        span = 1e-3 * abs(low) or 1.0
    span = max(span, 1e-290)
    power = 10.0 ** math.floor(math.log10(span / 8))
    step = max(
        finest,
        next(
            factor * power
            for factor in (1, 2, 5, 10)
            if factor * power * 8 >= span * (1 - 1e-9)
        ),
    )
    first, last = math.floor(low / step), math.ceil(high / step)
    return [i * step for i in range(first, max(last, first + 1) + 1)]


def _attribute(value):
    if isinstance(value, (float, np.floating)):
        return f"{round(float(value), 2) + 0.0:.2f}".rstrip("0").rstrip(
            "."
        )  # + 0.0: no "-0"
    return escape(value)


def _decade(exponent):
    """10 to an integer, as a tick's label"""
    if abs(exponent) <= 3:
        return f"{10.0**exponent:g}"
    return "10" + str(round(exponent)).translate(_SUPERSCRIPTS)
