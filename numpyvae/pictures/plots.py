"""Line plots as SVG: learning curves, and any curves of one's own.

`line_plot_svg` plots curves over common x values. The axes have nice ticks; a legend above the plot names the curves
and their last values. A curve of more than 1,000 points is thinned: of the points in one pixel column the first, the
lowest, the highest and the last remain, which cover the same pixels. So a plot of any number of points has a bounded
size, and the time to make it grows in proportion to their number.

`curve_svg` is the learning curve: x is the epoch, and the first epochs do not rule the axis of the loss.
"""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import InputError
from ..files import atomic_write
from ..settings import TrainingOptions, VAEConfig
from ..training.history import TEST_LOSS, training_loss_name
from . import svg
from .svg import SERIES, Axis, element, text

WIDTH, HEIGHT = 720, 420
_FEW = 1000  # points, which are plotted as they are
LEFT, RIGHT, BOTTOM = (
    64,
    24,
    52,
)  # margins around the frame; title, legend and y label stand above it


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
    y_min: float | None = None,
    y_max: float | None = None,
) -> str:
    """Plot `curves`, {name: values}, over the common x. Returns an SVG document; `write_svg` makes it a file.

    Values that are not finite are left out. `integer_x` and `integer_y` put ticks at integers only. `y_min` and `y_max`
    are the ends of the y axis in place of those of the values; the label says so if a curve leaves the plot above.

    Raises ValueError if a curve's length is not that of x, if x has values that are not finite, if a curve has no
    finite value, or if a logarithmic axis has values that are not positive.
    """
    x, curves = _checked(x, curves, log_x, log_y)
    xs = np.concatenate([points[0] for points in curves.values()])
    ys = np.concatenate([points[1] for points in curves.values()])
    low, high = (
        ys.min() if y_min is None else y_min,
        ys.max() if y_max is None else y_max,
    )
    if (
        y_min is None and low == high and not log_y
    ):  # one value: an axis of a fifth of it, or of [-1, 1]
        low, high = low - (abs(low) / 10 or 1), high + (abs(high) / 10 or 1)
    if ys.max() > high:
        y_label = f"{y_label} (up to {ys.max():.5g}, above the axis)".lstrip()

    head = [text(16, 30, title, class_="title")] if title else []
    last = [f"{y[-1]:.5g}".replace("-", "−") for _, y in curves.values()]
    entries = [
        (color, f"{name} {value}")
        for color, name, value in zip(_colors(curves), curves, last, strict=True)
    ]
    legend, top = svg.legend(entries, width, 52 if title else 24)
    x_axis = Axis(
        xs.min(), xs.max(), LEFT, width - RIGHT, log=log_x, finest=1 if integer_x else 0
    )
    y_axis = Axis(
        low,
        high,
        height - BOTTOM,
        top + 34,
        log=log_y,
        outward=True,
        finest=1 if integer_y else 0,
    )

    body = [*head, *legend, *svg.frame(x_axis, y_axis, x_label, y_label)]
    for color, (px, py) in zip(
        _colors(curves),
        ((x_axis(a), y_axis(b)) for a, b in curves.values()),
        strict=True,
    ):
        body.append(
            _inside(
                x_axis,
                y_axis,
                svg.polyline(
                    zip(*_thin(px, py), strict=True), style=f"stroke: {color}"
                ),
            )
        )
        if y_axis.last <= py[-1] <= y_axis.first:
            body.append(
                element("circle", cx=px[-1], cy=py[-1], r=3.5, style=f"fill: {color}")
            )
    return svg.document(width, height, title or ", ".join(curves), *body)


def curve_svg(
    epochs: Sequence[int],
    curves: Mapping[str, Sequence[float]],
    title: str = "Learning curve",
    y_label: str = "loss, nats per image",
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> str:
    """Plot a learning curve: `curves`, {name: values}, over the epochs.

    The loss falls most in the first epochs, and an axis that shows them whole shows nothing of the others. So from four
    epochs on, the first tenth of them may leave the plot at its upper edge, if that makes the axis shorter by a third.
    """
    skipped = max(len(epochs) // 10, 1) if len(epochs) >= 4 else 0
    values = [np.asarray(list(curve), np.float64) for curve in curves.values()]
    everything, settled = (
        np.concatenate([v[k:] for v in values] or [np.empty(0)]) for k in (0, skipped)
    )
    everything, settled = (
        everything[np.isfinite(everything)],
        settled[np.isfinite(settled)],
    )
    y_max = None
    if (
        len(settled)
        and settled.max() - everything.min()
        < (everything.max() - everything.min()) * 2 / 3
    ):
        y_max = settled.max()
    return line_plot_svg(
        epochs,
        curves,
        title,
        "epoch",
        y_label,
        width=width,
        height=height,
        integer_x=True,
        y_max=y_max,
    )


def learning_curve_svg(
    history: Sequence[Mapping],
    config: VAEConfig,
    options: TrainingOptions,
    title: str = "Learning curve",
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> str:
    """Plot the training and test loss of a run's history, each called by its name where they are not the same quantity.

    Without a test loss there is one curve. Raises ValueError if no epoch has a finite loss.
    """
    trained = training_loss_name(config, options)
    names = (
        ("train", "test")
        if trained == TEST_LOSS
        else (f"train: {trained}", f"test: {TEST_LOSS}")
    )
    curves = {
        name: [row[key] for row in history]
        for name, key in zip(names, ("train_loss", "test_loss"), strict=True)
    }
    curves = {
        name: values
        for name, values in curves.items()
        if np.isfinite(np.asarray(values, np.float64)).any()
    }
    return curve_svg(
        [row["epoch"] for row in history], curves, title, width=width, height=height
    )


def write_svg(path: str | os.PathLike, document: str) -> None:
    """Write the text as a file, atomically."""
    with atomic_write(path) as file:
        file.write(document.encode())


def _checked(x, curves, log_x, log_y):
    """x, and {name: (x, y)} of the finite values, as float64"""
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
                f"the curve {name!r} has values that are not positive, on a logarithmic axis"
            )
        points[str(name)] = x[finite], y[finite]
    if not points or not all(len(y) for _, y in points.values()):
        raise InputError(
            "a plot takes at least one curve, and each at least one finite value"
        )
    return x, points


def _colors(curves):
    return [SERIES[i % len(SERIES)] for i in range(len(curves))]


def _inside(x_axis, y_axis, markup):
    """Markup cut off at the frame, with a margin for its lines' width. A nested svg clips, and needs no id."""
    left, top = x_axis.first - 4, y_axis.last - 2
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


def _thin(x, y):
    """Of the points in each pixel column: the first, the lowest, the highest and the last"""
    column = np.floor(x)
    if len(x) <= _FEW or (np.diff(column) < 0).any():
        return x, y
    first = np.flatnonzero(np.diff(column, prepend=-np.inf))
    last = np.append(first[1:], len(x)) - 1
    ascending = np.lexsort(
        (y, column)
    )  # the columns keep their places; within each, y ascends
    kept = np.unique(np.concatenate([first, last, ascending[first], ascending[last]]))
    return x[kept], y[kept]
