"""Charts for the book's figures: lines and dots over two axes, and arrays drawn as images, all as SVG.

A chart is narrow enough that its text stays readable on a phone, where it is scaled down to the window's width.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ...errors import InputError
from ...pictures import svg
from ...pictures.svg import SERIES, Axis, element, text

WIDTH, HEIGHT = 348, 300
LEFT, RIGHT, BOTTOM = (
    52,
    22,
    52,
)  # margins around the frame; legend and y label stand above it
_LEVELS = 16  # shades of an array drawn as an image


class Curve(NamedTuple):
    """One series of a chart. kind: "line", "dashed" or "dots"; color: the number of a color in SERIES."""

    name: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | np.ndarray
    kind: str = "line"
    color: int = 0


def chart(
    title: str,
    curves: Sequence[Curve],
    x_label: str,
    y_label: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    integer_x: bool = False,
    y_range: tuple[float, float] | None = None,
    notes: Iterable[tuple[float, float, str, str]] = (),
    height: int = HEIGHT,
) -> str:
    """An SVG document. The title is for screen readers; the page sets the visible one in its caption.

    Points that are not finite, or that a logarithmic axis cannot show, are left out. Curves of one name share one entry
    of the legend. notes: (x, y, words, text-anchor) in the units of the axes. y_range replaces the range of the values.
    """
    points = [_finite(curve, log_x, log_y) for curve in curves]
    names = {curve.name: SERIES[curve.color] for curve in curves if curve.name}
    legend, top = svg.legend(
        [(color, name) for name, color in names.items()], WIDTH, 24
    )
    xs, ys = (np.concatenate([pair[i] for pair in points]) for i in (0, 1))
    low, high = y_range or (ys.min(), ys.max())
    x_axis = Axis(
        xs.min(), xs.max(), LEFT, WIDTH - RIGHT, log=log_x, finest=1 if integer_x else 0
    )
    y_axis = Axis(low, high, height - BOTTOM, top + 34, log=log_y, outward=True)
    body = [*legend, *svg.frame(x_axis, y_axis, x_label, y_label)]
    body += [
        inside(x_axis, y_axis, mark(curve, x_axis(x), y_axis(y)))
        for curve, (x, y) in zip(curves, points, strict=True)
    ]
    body += [
        text(float(x_axis(x)), float(y_axis(y)), words, text_anchor=anchor)
        for x, y, words, anchor in notes
    ]
    return svg.document(WIDTH, height, title, *body)


def mark(curve: Curve, px: np.ndarray, py: np.ndarray) -> str:
    """The markup of one series at the pixels px, py."""
    color = SERIES[curve.color]
    if curve.kind == "dots":
        radius, opacity = (1.6, 0.6) if len(px) > 20 else (4, None)
        return "".join(
            element(
                "circle",
                cx=x,
                cy=y,
                r=radius,
                style=f"fill: {color}",
                fill_opacity=opacity,
            )
            for x, y in zip(px, py, strict=True)
        )
    dashes = "; stroke-dasharray: 6 4" if curve.kind == "dashed" else ""
    return svg.polyline(zip(px, py, strict=True), style=f"stroke: {color}{dashes}")


def inside(x_axis: Axis, y_axis: Axis, markup: str) -> str:
    """Markup cut off at the frame, with a margin for a line's width. A nested svg clips, and needs no id."""
    left, top = x_axis.first - 3, y_axis.last - 3
    width, height = x_axis.last + 3 - left, y_axis.first + 3 - top
    return element(
        "svg",
        markup,
        x=left,
        y=top,
        width=width,
        height=height,
        viewBox=f"{left} {top} {width} {height}",
    )


def array_image(
    array: np.ndarray, x: float, y: float, cell: float, *, signed: bool = True
) -> str:
    """A 2-D array as squares of `cell` pixels, its upper left corner at (x, y), framed.

    Signed values are blue below 0, white at 0 and orange above it, relative to the largest absolute value; values in
    [0, 1] are black to white. One path per shade: run by run, so an image of 784 pixels is a few kilobytes.
    """
    array = np.atleast_2d(np.asarray(array, np.float64))
    rows, columns = array.shape
    scaled = array / (np.abs(array).max() or 1.0) if signed else array
    shades = np.rint(scaled * _LEVELS).astype(int)
    parts = [
        element(
            "rect",
            x=x,
            y=y,
            width=columns * cell,
            height=rows * cell,
            fill=_shade(0, signed),
        )
    ]
    for shade in sorted(set(shades.ravel().tolist()) - {0}):
        runs = [
            f"M{x + j * cell:.6g} {y + i * cell:.6g}h{n * cell:.6g}v{cell:.6g}h{-n * cell:.6g}z"
            for i in range(rows)
            for j, n in _runs(shades[i] == shade)
        ]
        parts.append(element("path", d="".join(runs), fill=_shade(shade, signed)))
    frame = element(
        "rect",
        x=x,
        y=y,
        width=columns * cell,
        height=rows * cell,
        fill="none",
        class_="axis",
    )
    return element("g", *parts, frame, class_="array", shape_rendering="crispEdges")


def _shade(level: int, signed: bool) -> str:
    fraction = abs(level) / _LEVELS
    if signed:
        white, end = (255, 255, 255), (200, 82, 10) if level > 0 else (31, 95, 168)
    else:
        white, end = (12, 14, 18), (255, 255, 255)
    return "#" + "".join(
        f"{round(a + (b - a) * fraction):02x}" for a, b in zip(white, end, strict=True)
    )


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """(start, length) of each run of True"""
    edges = np.flatnonzero(
        np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    )
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _finite(curve: Curve, log_x: bool, log_y: bool) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(curve.x, np.float64), np.asarray(curve.y, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise InputError(
            f"the curve {curve.name!r} has {y.shape} values over {x.shape}; both must be one-dimensional "
            "and equally long"
        )
    kept = (
        np.isfinite(x)
        & np.isfinite(y)
        & ((x > 0) | (not log_x))
        & ((y > 0) | (not log_y))
    )
    if not kept.any():
        raise InputError(f"the curve {curve.name!r} has no value that can be shown")
    return x[kept], y[kept]
