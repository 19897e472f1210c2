"""Arrays drawn as images, as SVG: the step's figure shows vectors and digits so."""

import numpy as np

from ...pictures.svg import element

_LEVELS = 16  # shades of an array drawn as an image


def array_image(
    array: np.ndarray, x: float, y: float, cell: float, *, signed: bool = True
) -> str:
    """A 2-D array as squares of `cell` pixels, its upper left corner at (x, y), framed.

    Signed values are blue below 0, white at 0 and orange above it, relative to the
    largest absolute value; values in [0, 1] are black to white. One path per shade: run
    by run, so an image of 784 pixels is a few kilobytes.
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
        path = ""
        for i in range(rows):
            for j, n in _runs(shades[i] == shade):
                path += f"M{x + j * cell:.6g} {y + i * cell:.6g}"
                path += f"h{n * cell:.6g}v{cell:.6g}h{-n * cell:.6g}z"
        parts.append(element("path", d=path, fill=_shade(shade, signed)))
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
    if not signed:
        zero, end = (12, 14, 18), (255, 255, 255)
    elif level > 0:
        zero, end = (255, 255, 255), (200, 82, 10)
    else:
        zero, end = (255, 255, 255), (31, 95, 168)
    mixed = [round(a + (b - a) * fraction) for a, b in zip(zero, end, strict=True)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """(start, length) of each run of True"""
    edges = np.flatnonzero(
        np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    )
    return [(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
