"""Line plots as SVG: learning curves, and any curves of one's own.

`chart` plots series over two axes: lines, dashed lines, dots, and bands around a line.
`line_plot_svg` is the short form for curves over common x values; its legend names each
curve with its last value. `curve_svg` is the learning curve: x is the epoch, and the
axis of the loss shows both of its ends.

A line of more than 1,000 points is thinned: of the points in one pixel column the
first, the lowest, the highest and the last remain, which cover the same pixels. So a
plot of any number of points has a bounded size, and the time to make it grows in
proportion to their number.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypedDict

import numpy as np

from ..errors import InputError
from ..files import atomic_write
from ..settings import TrainingOptions, VAEConfig
from ..training.history import TEST_LOSS, training_loss_name
from . import svg
from .svg import SERIES, Axis, element, text

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, BOTTOM = 64, 24, 52  # margins; title, legend and y label stand above
_FEW = 1000  # points, which are plotted as they are


class Size(TypedDict):
    """The size of a plot, in pixels."""

    width: int
    height: int


SMALL = Size(width=380, height=300)  # a plot whose text is readable on a phone


class Curve(NamedTuple):
    """One series of a chart.

    kind     "line", "dashed" or "dots"
    color    the number of a color in SERIES, or a color
    band     (low, high), two curves over the same x; the area between them is shaded
    """

    name: str
    x: Sequence[float] | np.ndarray
    y: Sequence[float] | Sequence[np.ndarray] | np.ndarray
    kind: str = "line"
    color: int | str = 0
    band: tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray] | None = (
        None
    )


def chart(
    title: str,
    curves: Sequence[Curve],
    x_label: str,
    y_label: str,
    *,
    width: int = SMALL["width"],
    height: int = SMALL["height"],
    heading: bool = False,
    log_x: bool = False,
    log_y: bool = False,
    integer_x: bool = False,
    integer_y: bool = False,
    y_range: tuple[float, float] | None = None,
    floor: float | None = None,
    end_dots: bool = False,
    notes: Iterable[tuple[float, float, str, str]] = (),
    live: bool = False,
) -> svg.Svg:
    """Plot series over two axes. Returns an SVG document.

    title       for screen readers; also visible if `heading`
    y_range     replaces the range of the values on the y axis
    floor       y has the logarithm of its distance from this value: see `Axis`
    end_dots    a dot at the last point of each line
    notes       (x, y, words, text-anchor), in the units of the axes
    live        the document says its axes to a script that redraws the curves

    Points that are not finite, or that a logarithmic axis cannot show, are left out.
    Curves of one name share one entry of the legend. Raises ValueError if a curve has
    no point that can be shown, or x and y of different lengths.
    """
    points = [_shown(curve, log_x, log_y) for curve in curves]
    xs = np.concatenate([x for x, _ in points])
    ys = np.concatenate([y for _, y in points])
    if y_range is None:
        low, high = float(ys.min()), float(ys.max())
        for curve in curves:
            if curve.band is not None:
                low = min(low, float(np.nanmin(curve.band[0])))
                high = max(high, float(np.nanmax(curve.band[1])))
        if low == high and not log_y:  # one value: ± a tenth of it, or [-1, 1]
            low, high = low - (abs(low) / 10 or 1), high + (abs(high) / 10 or 1)
    else:
        low, high = y_range

    head = [text(16, 30, title, class_="title")] if heading else []
    names = {curve.name: color_of(curve) for curve in curves if curve.name}
    entries = [(color, name) for name, color in names.items()]
    legend, top = svg.legend(entries, width, 52 if heading else 24)
    x_axis = Axis(
        xs.min(),
        xs.max(),
        LEFT,
        width - RIGHT,
        log=log_x,
        finest=1 if integer_x else 0,
    )
    y_axis = Axis(
        low,
        high,
        height - BOTTOM,
        top + 34,
        log=log_y,
        outward=floor is None,
        finest=1 if integer_y else 0,
        floor=floor,
    )
    body = [*head, *legend, *svg.frame(x_axis, y_axis, x_label, y_label)]
    for curve in curves:
        if curve.band is not None:
            area = _area(curve, *curve.band, x_axis, y_axis)
            body.append(inside(x_axis, y_axis, area))
    for curve, (x, y) in zip(curves, points, strict=True):
        px, py = x_axis(x), y_axis(y)
        body.append(inside(x_axis, y_axis, mark(curve, px, py)))
        if end_dots and y_axis.last - 1 <= py[-1] <= y_axis.first + 1:
            color = f"fill: {color_of(curve)}"
            body.append(element("circle", cx=px[-1], cy=py[-1], r=3.5, style=color))
    for note_x, note_y, words, anchor in notes:
        place = float(x_axis(note_x)), float(y_axis(note_y))
        body.append(text(*place, words, text_anchor=anchor))
    axes = {}
    if live:
        axes = {"data_x": x_axis.description(), "data_y": y_axis.description()}
    return svg.document(width, height, title or ", ".join(names), *body, **axes)


def color_of(curve: Curve) -> str:
    """The color of a series, as CSS."""
    return SERIES[curve.color] if isinstance(curve.color, int) else curve.color


def intervals_svg(
    rows: Sequence[tuple[str, float, float]], x_label: str, *, width: int = 380
) -> svg.Svg:
    """Plot values with error bars, one row per (name, value, error): a dot at the
    value, and a line from value − error to value + error. Returns an SVG document.
    """
    low = min(value - error for _, value, error in rows)
    high = max(value + error for _, value, error in rows)
    if low == high:
        low, high = low - (abs(low) / 10 or 1), high + (abs(high) / 10 or 1)
    pitch, top = 44, 16
    bottom = top + pitch * len(rows)
    x_axis = Axis(low, high, 24, width - RIGHT, outward=True)
    body = []
    tick = {"class_": "tick", "text_anchor": "middle"}
    for x, label in zip(x_axis.tick_pixels(), x_axis.labels, strict=True):
        body.append(svg.line(x, top, x, bottom, class_="grid"))
        body.append(text(x, bottom + 20, label, **tick))
    for i, (name, value, error) in enumerate(rows):
        y = top + pitch * i + 30
        first, last = float(x_axis(value - error)), float(x_axis(value + error))
        style = f"stroke: {SERIES[0]}; stroke-width: 2.5"
        shown = f"{value:.2f}" + (f" ± {error:.2f}" if error else "")
        words = f"{name}: {shown}".replace("-", "−")
        body.append(text(24, y - 12, words, class_="name"))
        body.append(svg.line(first, y, last, y, class_="interval", style=style))
        dot = {"cx": float(x_axis(value)), "cy": y, "r": 4.5}
        body.append(element("circle", **dot, style=f"fill: {SERIES[0]}"))
    middle = {"text_anchor": "middle", "class_": "x-label"}
    body.append(text(width / 2, bottom + 42, x_label, **middle))
    return svg.document(width, bottom + 54, x_label, *body)


def line_plot_svg(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    log_x: bool = False,
    log_y: bool = False,
    integer_x: bool = False,
    integer_y: bool = False,
    y_range: tuple[float, float] | None = None,
    floor: float | None = None,
) -> svg.Svg:
    """Plot `curves`, {name: values}, over the common x. Returns an SVG document, which
    `write_svg` makes a file.

    Values that are not finite are left out. `integer_x` and `integer_y` put ticks at
    integers only. `y_range` and `floor` are those of `chart`.

    Raises ValueError if a curve's length is not that of x, if x has values that are not
    finite, if a curve has no finite value, or if a logarithmic axis has values that are
    not positive.
    """
    series = []
    for i, (name, (xs, ys)) in enumerate(_checked(x, curves, log_x, log_y).items()):
        last = f"{ys[-1]:.5g}".replace("-", "−")
        series.append(Curve(f"{name} {last}", xs, ys, color=i % len(SERIES)))
    return chart(
        title or ", ".join(map(str, curves)),
        series,
        x_label,
        y_label,
        width=width,
        height=height,
        heading=bool(title),
        log_x=log_x,
        log_y=log_y,
        integer_x=integer_x,
        integer_y=integer_y,
        y_range=y_range,
        floor=floor,
        end_dots=True,
    )


def curve_svg(
    epochs: Sequence[int],
    curves: Mapping[str, Sequence[float]],
    title: str = "Learning curve",
    y_label: str = "loss, nats per image",
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> svg.Svg:
    """Plot a learning curve: `curves`, {name: values}, over the epochs.

    The loss falls most in the first epochs. On a linear axis they would take all the
    room, so the axis of the loss is finer at its lower end (`loss_floor`).
    """
    return line_plot_svg(
        epochs,
        curves,
        title,
        "epoch",
        y_label,
        width=width,
        height=height,
        integer_x=True,
        floor=loss_floor(list(curves.values())),
    )


def loss_floor(curves: Iterable[Sequence[float] | np.ndarray]) -> float | None:
    """The `floor` of an axis that shows both ends of learning curves, or None.

    It lies below the lowest value by the range of the later half of the epochs, so that
    half has as much room as the fall before it. The distance is at least 1/200 of the
    whole range, and at most 1/4 of it, where the axis is nearly linear. A curve of
    fewer than four epochs, or one that is constant, has a linear axis.
    """
    values = [np.asarray(list(curve), np.float64) for curve in curves]
    finite = [v[np.isfinite(v)] for v in values]
    shown = np.concatenate(finite or [np.empty(0)])
    if not len(shown) or max(map(len, finite)) < 4 or np.ptp(shown) == 0:
        return None
    later = np.concatenate([v[len(v) // 2 :] for v in finite])
    gap = np.clip(np.ptp(later), np.ptp(shown) / 200, np.ptp(shown) / 4)
    return float(shown.min() - gap)


def learning_curve_svg(
    history: Sequence[Mapping],
    config: VAEConfig,
    options: TrainingOptions,
    title: str = "Learning curve",
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> svg.Svg:
    """Plot the training and test loss of a run's history. Each is called by its name
    where they are not the same quantity.

    Without a test loss there is one curve. Raises ValueError if no epoch has a finite
    loss.
    """
    names = {"train_loss": "train", "test_loss": "test"}
    trained = training_loss_name(config, options)
    if trained != TEST_LOSS:
        names = {"train_loss": f"train: {trained}", "test_loss": f"test: {TEST_LOSS}"}
    curves = {}
    for key, name in names.items():
        values = [row[key] for row in history]
        if np.isfinite(np.asarray(values, np.float64)).any():
            curves[name] = values
    epochs = [row["epoch"] for row in history]
    return curve_svg(epochs, curves, title, width=width, height=height)


def write_svg(path: str | os.PathLike, document: str) -> None:
    """Write the text as a file, atomically."""
    with atomic_write(path) as file:
        file.write(document.encode())


def mark(curve: Curve, px: np.ndarray, py: np.ndarray) -> str:
    """The markup of one series at the pixels px, py."""
    color = color_of(curve)
    if curve.kind == "dots":
        radius, opacity = (1.6, 0.6) if len(px) > 20 else (4, None)
        dots = [
            element(
                "circle",
                cx=x,
                cy=y,
                r=radius,
                style=f"fill: {color}",
                fill_opacity=opacity,
            )
            for x, y in zip(px, py, strict=True)
        ]
        return "".join(dots)
    dashes = "; stroke-dasharray: 6 4" if curve.kind == "dashed" else ""
    points = zip(*_thin(px, py), strict=True)
    return svg.polyline(points, style=f"stroke: {color}{dashes}")


def inside(x_axis: Axis, y_axis: Axis, markup: str) -> str:
    """Markup cut off at the frame, with a margin for its lines' width. A nested svg
    clips, and needs no id.
    """
    left, top = x_axis.first - 4, y_axis.last - 3
    width, height = x_axis.last + 4 - left, y_axis.first + 4 - top
    return element(
        "svg",
        markup,
        x=left,
        y=top,
        width=width,
        height=height,
        viewBox=f"{left} {top} {width} {height}",
    )


def _area(curve: Curve, low, high, x_axis: Axis, y_axis: Axis) -> str:
    """The area between two curves over a curve's x, in its color"""
    x = np.asarray(curve.x, np.float64)
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    kept = np.isfinite(low) & np.isfinite(high)
    px, lower, upper = x_axis(x[kept]), y_axis(low[kept]), y_axis(high[kept])
    outline = [*zip(px, lower, strict=True), *zip(px[::-1], upper[::-1], strict=True)]
    corners = " ".join(f"{x:.2f},{y:.2f}" for x, y in outline)
    style = f"fill: {color_of(curve)}; fill-opacity: 0.18"
    return element("polygon", class_="band", points=corners, style=style)


def _checked(x, curves, log_x, log_y):
    """{name: (x, y)} of the finite values, as float64"""
    x = np.asarray(list(x), np.float64)
    if not np.isfinite(x).all():
        raise InputError("x has values that are not finite")
    points = {}
    for name, values in curves.items():
        y = np.asarray(list(values), np.float64)
        if y.shape != x.shape or x.ndim != 1:
            raise InputError(
                f"the curve {name!r} has {len(y)} values, and x has {len(x)}"
            )
        finite = np.isfinite(y)
        if (log_x and (x <= 0).any()) or (log_y and (y[finite] <= 0).any()):
            raise InputError(
                f"the curve {name!r} has values that are not positive, "
                "on a logarithmic axis"
            )
        points[str(name)] = x[finite], y[finite]
    if not points or not all(len(y) for _, y in points.values()):
        raise InputError(
            "a plot takes at least one curve, and each at least one finite value"
        )
    return points


def _shown(curve: Curve, log_x: bool, log_y: bool) -> tuple[np.ndarray, np.ndarray]:
    """The points of a curve that the axes can show"""
    x, y = np.asarray(curve.x, np.float64), np.asarray(curve.y, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise InputError(
            f"the curve {curve.name!r} has {y.shape} values over {x.shape}; both must "
            "be one-dimensional and equally long"
        )
    kept = np.isfinite(x) & np.isfinite(y)
    if log_x:
        kept &= x > 0
    if log_y:
        kept &= y > 0
    if not kept.any():
        raise InputError(f"the curve {curve.name!r} has no value that can be shown")
    return x[kept], y[kept]


def _thin(x, y):
    """Of the points in each pixel column: the first, the lowest, the highest and the
    last
    """
    column = np.floor(x)
    if len(x) <= _FEW or (np.diff(column) < 0).any():
        return x, y
    first = np.flatnonzero(np.diff(column, prepend=-np.inf))
    last = np.append(first[1:], len(x)) - 1
    ascending = np.lexsort((y, column))  # columns stay in place; within each, y rises
    kept = np.unique(np.concatenate([first, last, ascending[first], ascending[last]]))
    return x[kept], y[kept]
