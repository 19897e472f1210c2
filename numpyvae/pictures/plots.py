"""Pictures without a plotting library: arrays to PNG, curves to SVG.

PNG is a signature and a row of chunks: four bytes of length, four of type, the data, and a CRC-32 of type and data.
Three kinds are enough:

    IHDR    width, height, 8 bits a sample, colour type (0 grey, 2 RGB), and three zeros (the only compression and
            filtering there are; not interlaced)
    IDAT    the rows from the top, each behind one byte that names its filter (0: none), compressed by zlib
    IEND    nothing

SVG is text: a learning curve is a frame, round ticks, one <polyline> for each curve, and its name beside its end.

Source: W3C, "Portable Network Graphics (PNG) Specification". Next: pair.
"""

import math
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from ..files import atomic_write


def write_png(path: str | os.PathLike, image: np.ndarray) -> None:
    """Write uint8 pixels, grey (H, W) or colour (H, W, 3), as a PNG file that appears whole or not at all."""
    try:
        data = png(image)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    with atomic_write(path) as file:
        file.write(data)


def png(image: np.ndarray) -> bytes:
    """uint8 pixels, grey (H, W) or colour (H, W, 3) -> the bytes of a PNG file"""
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or image.size == 0:
        raise ValueError(f"a picture is uint8 pixels of shape (H, W) or (H, W, 3), not {image.dtype} {image.shape}")
    height, width = image.shape[:2]
    rows = np.zeros((height, 1 + image[0].size), np.uint8)           # column 0: filter 0, none
    rows[:, 1:] = image.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if image.ndim == 2 else 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9))
            + _chunk(b"IEND", b""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def grid(images: np.ndarray, columns: int, gap: int = 2, shade: int = 48) -> np.ndarray:
    """One picture of many: images (N, H, W) or (N, H, W, 3), row by row, `gap` pixels of grey `shade` around each.

    N images make ⌈N / columns⌉ rows; places left over in the last one stay grey.
    """
    images = np.asarray(images)
    if images.ndim not in (3, 4) or columns < 1 or gap < 0:
        raise ValueError(f"a grid takes images (N, H, W) or (N, H, W, 3), at least one column and no negative gap; "
                         f"not {images.shape}, {columns} and {gap}")
    count, height, width = images.shape[:3]
    rows = -(-count // columns)
    picture = np.full((gap + rows * (height + gap), gap + columns * (width + gap), *images.shape[3:]), shade,
                      images.dtype)
    for i, image in enumerate(images):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        picture[top:top + height, left:left + width] = image
    return picture


# Learning curves. A file of its own brings its own white; a page that it becomes a part of may set the colours.

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 120, 72, 60          # margins around the frame; the curves' names stand at the right, which may take more
COLOURS = ("#1f5fa8", "#d1602b", "#3a8a4d", "#7d4fa3")
STYLE = ("text { font: 13px system-ui, 'Helvetica Neue', Arial, sans-serif; fill: var(--ink, #444) } "
         ".title { font-size: 16px; font-weight: 600 } .name { font-weight: 600 } .paper { fill: var(--paper, #fff) } "
         ".grid { stroke: var(--grid, #e6e6e6) } .axis { stroke: var(--axis, #888) } "
         "polyline { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }")


def curve_svg(epochs: Sequence[float], curves: Mapping[str, Sequence[float]], title: str = "Learning curve",
              y_label: str = "loss, nats per image", width: int = WIDTH, height: int = HEIGHT) -> str:
    """An SVG page of curves over the same epochs; `curves` is {name: values}; values that are not finite are left out.

    Each curve ends in a dot, its name and its last value. Returns the text; `write_svg` makes it a file.
    """
    points = {}
    for name, values in curves.items():
        if len(values) != len(epochs):
            raise ValueError(f"the curve {name!r} has {len(values)} values for {len(epochs)} epochs")
        points[name] = [(float(x), float(y)) for x, y in zip(epochs, values) if math.isfinite(y)]
    if not all(points.values()) or not points:
        raise ValueError("a learning curve takes at least one curve, and each at least one finite value")
    xs, ys = zip(*(point for curve in points.values() for point in curve))
    y_ticks = round_ticks(min(ys), max(ys))
    x_ticks = [x for x in round_ticks(min(xs), max(xs), finest=1) if min(xs) <= x <= max(xs)]

    margin = max(RIGHT, 16 + 8 * max(len(f"{name} {curve[-1][1]:.2f}") for name, curve in points.items()))
    right, bottom = width - margin, height - BOTTOM

    def across(x: float) -> float:
        share = (x - min(xs)) / (max(xs) - min(xs)) if max(xs) > min(xs) else 0.5
        return round(LEFT + (right - LEFT) * share, 2)

    def down(y: float) -> float:
        share = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return round(bottom - (bottom - TOP) * share, 2)

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
             f'height="{height}" role="img">', f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
             f'<rect width="{width}" height="{height}" rx="8" class="paper" fill="#fff"/>',
             f'<text class="title" x="{LEFT}" y="30">{escape(title)}</text>',
             f'<text x="{LEFT}" y="50">{escape(y_label)}</text>']
    for y in y_ticks:
        lines += [f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{down(y)}" y2="{down(y)}"/>',
                  f'<text x="{LEFT - 10}" y="{down(y) + 4.5}" text-anchor="end">{y:.10g}</text>']
    for x in x_ticks:
        lines += [f'<line class="axis" x1="{across(x)}" x2="{across(x)}" y1="{bottom}" y2="{bottom + 5}"/>',
                  f'<text x="{across(x)}" y="{bottom + 21}" text-anchor="middle">{x:.10g}</text>']
    lines += [f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>',
              f'<text x="{(LEFT + right) / 2}" y="{height - 16}" text-anchor="middle">epoch</text>']
    baseline = -math.inf                             # names from the top down, none on top of another
    for name, curve in sorted(points.items(), key=lambda item: -item[1][-1][1]):
        colour = COLOURS[list(points).index(name) % len(COLOURS)]
        (x, y), baseline = curve[-1], max(down(curve[-1][1]) + 4.5, baseline + 18)
        lines += [f'<polyline stroke="{colour}" points="{" ".join(f"{across(x)},{down(y)}" for x, y in curve)}"/>',
                  f'<circle cx="{across(x)}" cy="{down(y)}" r="3.5" fill="{colour}"/>',
                  f'<text class="name" x="{right + 12}" y="{baseline}" style="fill:{colour}">'
                  f'{escape(name)} {y:.2f}</text>']
    return "\n".join([*lines, "</svg>", ""])


def round_ticks(low: float, high: float, finest: float = 0.0) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, at most eight steps, from at or below `low` to at or above `high`."""
    span = max(high - low, 1e-3 * abs(low), 1e-9)               # a flat curve has ticks too
    power = 10.0 ** math.floor(math.log10(span / 8))
    step = max(finest, next(factor * power for factor in (1, 2, 5, 10) if factor * power * 8 >= span * (1 - 1e-9)))
    first, last = math.floor(low / step), math.ceil(high / step)
    return [i * step for i in range(first, max(last, first + 1) + 1)]


def write_svg(path: str | os.PathLike, svg: str) -> None:
    """Write the text as a file that appears whole or not at all."""
    with atomic_write(path) as file:
        file.write(svg.encode())
