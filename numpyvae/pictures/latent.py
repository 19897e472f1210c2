"""SVG plots of the latent space: the test images in it, the manifold that it maps, and
its units' variances.

`latent_scatter_svg` shows mu of test images on the first two principal components of
mu: one point per image, colored by its label (not used in training). With the centered
mu (N, L) = U S Vᵀ, the components are the first two columns of V, the coordinates those
of U S, and s² / Σ s² is the fraction of the variance that a component explains. With
two latents nothing has to be projected. `plane_scatter_svg` shows mu itself, and
`manifold_svg` the decoder's images, on the same axes, where equal lengths are equal
probabilities of the prior: z is placed at Φ((z − mu_p)/sigma_p).

`unit_variance_svg` shows the variance over the images of each unit's mu. An inactive
unit has a variance below 0.01: its q(z|x) is nearly the same for all images (Burda et
al. 2016, section 5.2).
"""

import base64
import colorsys
from collections.abc import Sequence

import numpy as np

from . import svg
from .png import png_bytes
from .svg import Axis, element

WIDTH, LEFT, RIGHT, BOTTOM = 380, 50, 14, 52  # and margins around the frame
SIDE = WIDTH - LEFT - RIGHT  # the frame of scatter and manifold is a square
CLASS_COLORS = (  # of the digits 0 to 9
    *("#4c76a2", "#de760e", "#dc3e40", "#169cad", "#539549"),
    *("#b18f22", "#8c5bb8", "#e0679d", "#956747", "#898e98"),
)
POINT_STYLE = "fill: none; stroke-linecap: round; stroke-width: 4"
UNITS_HEIGHT = 260
MOST_NUMBERED = 14  # units whose numbers stand under their bars
_SMALLEST = 1e-6  # a variance below is shown here


def principal_components(mu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """mu (N, L) -> coordinates (N, 2) on the first two principal components, and the
    fractions (2,) that they explain

    With one latent, or one image, the second coordinate is 0. The sign of each
    component is fixed, so that the plot is reproducible: the sum of its coefficients is
    not negative.
    """
    u, s, vt = np.linalg.svd(mu - mu.mean(axis=0), full_matrices=False)
    sign = np.where(vt.sum(axis=1) < 0, -1, 1)
    coordinates = u * s * sign
    explained = s**2 / max((s**2).sum(), 1e-300)
    missing = max(0, 2 - len(s))
    coordinates = np.pad(coordinates, ((0, 0), (0, missing)))
    return coordinates[:, :2], np.pad(explained, (0, missing))[:2]


def latent_scatter_svg(
    coordinates: np.ndarray,
    explained_variance: np.ndarray,
    labels: np.ndarray | None = None,
) -> svg.Svg:
    """Plot one point per image, colored by its label if there are labels: coordinates
    (N, 2), labels (N,) -> SVG

    Both axes have the same scale, so that distances can be compared.
    """
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    side, center = max((high - low).max(), 1e-6) * 1.04, (low + high) / 2
    legend, top = _legend(labels)
    x_axis = Axis(center[0] - side / 2, center[0] + side / 2, LEFT, WIDTH - RIGHT)
    y_axis = Axis(center[1] - side / 2, center[1] + side / 2, top + SIDE, top)
    first, second = (
        f"principal component {i + 1}: {explained_variance[i]:.0%} of mu's variance"
        for i in (0, 1)
    )
    points = _points(x_axis(coordinates[:, 0]), y_axis(coordinates[:, 1]), labels)
    return _document(
        "Test images on the first two principal components of mu",
        top,
        [*legend, *svg.frame(x_axis, y_axis, first, second), *points],
    )


def plane_scatter_svg(
    mu: np.ndarray,
    mu_p: np.ndarray,
    sigma_p: np.ndarray,
    labels: np.ndarray | None = None,
) -> svg.Svg:
    """Plot mu (N, 2) on the axes of the manifold, one point per image; mu_p, sigma_p
    (2,) are the prior's -> SVG
    """
    legend, top = _legend(labels)
    x_axis, y_axis = _plane_axes(mu_p, sigma_p, top, SIDE)
    points = _points(x_axis(mu[:, 0]), y_axis(mu[:, 1]), labels)
    return _document(
        "Test images in the latent plane",
        top,
        [*legend, *svg.frame(x_axis, y_axis, "z₁", "z₂"), *points],
    )


def manifold_svg(image: np.ndarray, mu_p: np.ndarray, sigma_p: np.ndarray) -> svg.Svg:
    """Plot the manifold's images, a grid without padding, uint8 (H, W), on the axes of
    the prior's quantiles -> SVG
    """
    top, high = 32, SIDE * image.shape[0] / image.shape[1]
    x_axis, y_axis = _plane_axes(mu_p, sigma_p, top, high)
    shown = _embedded(image, LEFT, top, SIDE, high)
    return _document(
        "The decoder's mean in the latent plane",
        top,
        [*svg.frame(x_axis, y_axis, "z₁", "z₂"), shown],
        high,
    )


def traversal_svg(image: np.ndarray, units: Sequence[int]) -> svg.Svg:
    """Plot the rows of a traversal, uint8 (H, W), with the number of the latent unit
    beside each row -> SVG
    """
    left, top = 62, 12
    width = WIDTH - left - 12
    height = width * image.shape[0] / image.shape[1]
    row = height / len(units)
    numbers = []
    for i, unit in enumerate(units):
        y = top + (i + 0.5) * row + 4.5
        numbers.append(svg.text(left - 8, y, f"unit {unit}", text_anchor="end"))
    title = f"Traversals of latent units {', '.join(map(str, units))}"
    shown = _embedded(image, left, top, width, height)
    return svg.document(WIDTH, round(top + height + 12), title, *numbers, shown)


def _embedded(
    image: np.ndarray, x: float, y: float, width: float, height: float
) -> str:
    """Pixels as an image of this size within a plot"""
    data = base64.b64encode(png_bytes(image)).decode()
    return element(
        "image",
        href=f"data:image/png;base64,{data}",
        x=x,
        y=y,
        width=width,
        height=height,
        preserveAspectRatio="none",
        style="image-rendering: pixelated",
    )


def unit_variance_svg(variance: np.ndarray, threshold: float) -> svg.Svg:
    """Plot the variance of each unit's mu, the largest first, as bars on a logarithmic
    axis: variance (L,) -> SVG

    A dashed line marks the threshold. The bar of an active unit reaches beyond it.
    """
    order = np.argsort(-variance, kind="stable")
    values = np.maximum(variance[order], _SMALLEST)
    active = values > threshold
    entries = {
        f"{active.sum()} active": "series-0",
        f"{(~active).sum()} inactive": "muted",
        f"threshold {threshold:g}": "alert",
    }
    colors = [(f"var(--{color})", name) for name, color in entries.items()]
    legend, y = svg.legend(colors, WIDTH)
    y_axis = Axis(
        min(threshold, values[-1]) / 2,  # the shortest bar has a length
        max(threshold * 100, values[0]),
        UNITS_HEIGHT - BOTTOM,
        y + 32,
        log=True,
        outward=True,
    )
    units = UnitAxis(order, LEFT, WIDTH - RIGHT)
    bars = []
    for i, (unit, top) in enumerate(zip(order, y_axis(values), strict=True)):
        color = "series-0" if active[i] else "muted"
        bar = element(
            "rect",
            element("title", svg.escape(f"unit {unit}: {variance[unit]:.3g}")),
            class_="bar",
            x=units.middles[i] - 0.4 * units.width,
            y=top,
            width=0.8 * units.width,
            height=y_axis.first - top,
            style=f"fill: var(--{color})",
        )
        bars.append(bar)
    level = float(y_axis(threshold))
    ends = LEFT, level, WIDTH - RIGHT, level
    halo = svg.line(*ends, style="stroke: var(--paper); stroke-width: 4")
    style = "stroke: var(--alert); stroke-width: 1.5; stroke-dasharray: 5 4"
    line = svg.line(*ends, class_="threshold", style=style)
    frame = svg.frame(
        units,
        y_axis,
        "latent units, the largest variance first",
        "variance of mu over the test images",
    )
    title = "Variance of each latent unit's mu over the test images"
    body = [*legend, *frame, *bars, halo, line]
    return svg.document(WIDTH, UNITS_HEIGHT, title, *body)


class UnitAxis:
    """An axis of equal slots, one per latent unit, in the given order. The numbers of
    many units would touch each other, so only a few units are numbered.
    """

    def __init__(self, order: np.ndarray, first: float, last: float):
        self.first, self.last = first, last
        self.width = (last - first) / len(order)
        self.middles = first + (np.arange(len(order)) + 0.5) * self.width
        self.numbered = len(order) <= MOST_NUMBERED
        self.labels = [str(unit) for unit in order] if self.numbered else []

    def tick_pixels(self) -> np.ndarray:
        return self.middles[: len(self.labels)]


def class_colors(classes: np.ndarray) -> list[str]:
    """A color per class, 3:1 on light and on dark paper: by the digit if all classes
    are 0 to 9, else by their order
    """
    if all(isinstance(c, (int, np.integer)) and 0 <= c <= 9 for c in classes):
        return [CLASS_COLORS[c] for c in classes]
    if len(classes) <= len(CLASS_COLORS):
        return list(CLASS_COLORS[: len(classes)])
    return [
        _of_luminance(i / len(classes), (0.17, 0.27)[i % 2])
        for i in range(len(classes))
    ]


def _of_luminance(hue: float, luminance: float) -> str:
    """The color of a hue with this relative luminance (WCAG 2.2), by bisection"""
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        red, green, blue = colorsys.hls_to_rgb(hue, middle, 0.7)
        found = 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)
        if found < luminance:
            low = middle
        else:
            high = middle
    return "#" + "".join(f"{round(255 * c):02x}" for c in (red, green, blue))


def _linear(channel: float) -> float:
    """The light of an sRGB channel"""
    if channel <= 0.04045:
        return channel / 12.92
    return ((channel + 0.055) / 1.055) ** 2.4


class QuantileAxis:
    """An axis on which equal lengths are equal probabilities of N(mean, sigma²): z is
    placed at Φ((z − mean)/sigma).
    """

    def __init__(self, mean: float, sigma: float, first: float, last: float):
        self.mean, self.sigma, self.first, self.last = mean, sigma, first, last
        self.ticks = mean + sigma * np.arange(-2, 3)
        self.labels = [svg.number(tick, 3) for tick in self.ticks]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr  # here, so that training does not load SciPy

        fraction = ndtr((np.asarray(values, np.float64) - self.mean) / self.sigma)
        return self.first + (self.last - self.first) * fraction

    def tick_pixels(self) -> np.ndarray:
        return self(self.ticks)


def _plane_axes(mu_p, sigma_p, top, height):
    return (
        QuantileAxis(mu_p[0], sigma_p[0], LEFT, WIDTH - RIGHT),
        QuantileAxis(mu_p[1], sigma_p[1], top + height, top),
    )


def _legend(labels):
    """The legend's markup, and where the frame begins"""
    if labels is None:
        return [], 32
    classes = np.unique(labels)
    parts, y = svg.legend(zip(class_colors(classes), classes, strict=True), WIDTH)
    return parts, y + 32


def _points(px, py, labels):
    """A path for each class, with a point for each image"""
    if labels is None:
        return [_path(px, py, "var(--series-0)")]
    classes = np.unique(labels)
    paths = []
    for each, color in zip(classes, class_colors(classes), strict=True):
        members = labels == each
        paths.append(_path(px[members], py[members], color))
    return paths


def _path(px, py, color):
    dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in zip(px, py, strict=True))
    style = f"{POINT_STYLE}; stroke: {color}"
    return element("path", class_="points", d=dots, style=style)


def _document(title, top, body, height=SIDE):
    return svg.document(WIDTH, round(top + height + BOTTOM), title, *body)
