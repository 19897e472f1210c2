"""Numbers to images and labels: arranged, scaled to bytes, made gray, resized.

An array of images is (N, rows, cols), (N, rows, cols, channels), (N, channels, rows,
cols), or one flat image per row, (N, rows·cols). The number of images may come last, as
in MATLAB, where the labels, the size or the shape says so.

Which number is white is never guessed in silence (`white_of`):

    integers 0 to 255    255, if one of them reaches half of it; 1 if none is above 1
    numbers 0 to 1       1, but for the rounding of float32
    all else             refused, unless `white` says which number it is

Color becomes gray by the luma of ITU-R BT.601:

    Y = 0.299 R + 0.587 G + 0.114 B

Images are resized by area: a new pixel is the mean over the rectangle of the old image
that it covers. With s = R / r old rows per new row, row i covers i·s to (i + 1)·s, so
the weight of old row j in it is the length of the overlap

    W_ij = max(0, min((i + 1) s, j + 1) − max(i s, j)) / s
    new image = W_rows · image · W_colsᵀ
"""

import math
from typing import NamedTuple

import numpy as np

from ...errors import InputError
from ..pixels import ROUNDING

LUMA = np.array([0.299, 0.587, 0.114])
CHANNELS = (1, 3, 4)


class Images(NamedTuple):
    """images (N, rows, cols) uint8; labels (N,) uint8 or None; the names of classes 0,
    1, …, or None."""

    images: np.ndarray
    labels: np.ndarray | None = None
    classes: list[str] | None = None


class Reading(NamedTuple):
    """How a source is to be read.

    size           (rows, cols) to resize to, or the shape of flat images
    white          the number that is white; None: 255 or 1, see `white_of`
    label_column   first, last, none, or a name in a table's header; None: `label`,
                   `class`, `target` or `y`, if the header has one of them
    transpose      exchange rows and columns, as files of EMNIST need it; those that
                   have its name are turned without it
    invert         black on white becomes white on black
    """

    size: tuple[int, int] | None = None
    white: float | None = None
    label_column: str | None = None
    transpose: bool = False
    invert: bool = False


def to_gray(images: np.ndarray) -> np.ndarray:
    """RGB uint8 (…, 3) -> luma uint8 (…)."""
    return np.rint(images @ LUMA).astype(np.uint8)


def resize_by_area(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize uint8 (…, rows, cols) to (…, *size): each new pixel is the mean of the
    area that it covers."""
    rows, cols = images.shape[-2:]
    down, across = _overlaps(rows, size[0]), _overlaps(cols, size[1])
    return np.rint(down @ images.astype(np.float64) @ across.T).astype(np.uint8)


def _overlaps(old: int, new: int) -> np.ndarray:
    """W (new, old); its rows sum to 1."""
    step = old / new
    i, j = np.arange(new)[:, None], np.arange(old)
    length = np.minimum((i + 1) * step, j + 1) - np.maximum(i * step, j)
    return np.maximum(length, 0) / step


def images_first(
    values: np.ndarray, count: int | None, size: tuple[int, int] | None, where: str
) -> np.ndarray:
    """The array with the images along its first axis.

    count   the number of labels, if there are any
    """
    if values.dtype.kind not in "buif":
        raise InputError(f"{where}: the array is of {values.dtype}; expected numbers")
    if values.size == 0:
        raise InputError(f"{where}: the array is {values.shape}; it has no pixels")
    last = False
    if count is not None:
        last = values.shape[-1] == count and len(values) != count
    elif values.ndim == 2 and size is not None:
        fits = len(values) == size[0] * size[1]
        last = fits and not _side(values.shape[1], size)
    elif values.ndim == 3 and size is not None:
        last = values.shape[:2] == size and values.shape[1:] != size
    elif values.ndim == 3:
        rows, cols, number = values.shape
        if rows == cols != number and number not in CHANNELS:
            raise InputError(
                f"{where}: the array is {values.shape}: {rows} images of {cols} x "
                f"{number}, or {number} of {rows} x {cols}? Give the size, as --size "
                "ROWS COLS"
            )
    elif values.ndim == 4:
        last = values.shape[2] in CHANNELS and values.shape[3] not in CHANNELS
    return np.moveaxis(values, -1, 0) if last else values


def white_of(arrays: list[np.ndarray], where: str) -> float:
    """The number that is white, 255 or 1. InputError if it is not plain."""
    low = min(array.min() for array in arrays)
    high = max(array.max() for array in arrays)
    if not np.isfinite([low, high]).all():
        raise InputError(f"{where}: a value is {high}; expected finite numbers")
    if low >= -ROUNDING and high <= 1 + ROUNDING:
        return 1
    whole = all(
        array.dtype.kind in "bui" or bool((array == np.rint(array)).all())
        for array in arrays
    )
    if whole and low >= 0 and 127 < high <= 255:
        return 255
    found = f"{where}: the values go from {low:g} to {high:g}"
    if low < 0:
        raise InputError(
            f"{found}; expected integers 0 to 255, or numbers 0 to 1: shift them first"
        )
    if whole and high <= 127:
        raise InputError(
            f"{found}, far below 255: say which value is white, as --white {high:g} or "
            "--white 255"
        )
    raise InputError(
        f"{found}; expected integers 0 to 255, or numbers 0 to 1: say which value is "
        f"white, as --white {65535 if whole and high > 4095 else high:g}"
    )


def as_bytes(values: np.ndarray, white: float, where: str) -> np.ndarray:
    """Numbers 0 to `white` -> uint8."""
    if values.dtype == np.uint8 and white == 255:
        return values
    scaled = values.astype(np.float64) / white
    wrong = ~((scaled >= -ROUNDING) & (scaled <= 1 + ROUNDING))  # NaN too
    if wrong.any():
        place = tuple(map(int, np.argwhere(wrong)[0]))
        raise InputError(
            f"{where}: the value at {place} is {values[place]}; "
            f"expected 0 to {white:g}, which is white"
        )
    return np.rint(scaled.clip(0, 1) * 255).astype(np.uint8)


def as_images(
    values: np.ndarray, size: tuple[int, int] | None, where: str
) -> np.ndarray:
    """Bytes, the images first -> uint8 (N, rows, cols), gray."""
    shape = values.shape
    if values.ndim == 4:
        if shape[-1] not in CHANNELS and shape[1] in CHANNELS:
            values = np.moveaxis(values, 1, -1)
        if values.shape[-1] == 4:
            raise InputError(
                f"{where}: the array is {shape}, with a fourth channel; keep three"
            )
        if values.shape[-1] in (1, 3):
            values = values[..., 0] if values.shape[-1] == 1 else to_gray(values)
    elif values.ndim == 3 and shape[-1] in CHANNELS and len(values) > 4:
        if size != shape[1:]:
            raise InputError(
                f"{where}: the array is {shape}, which looks like one color image; "
                "expected (N, rows, cols)"
            )
    elif values.ndim == 2:
        values = values.reshape(len(values), *_flat_shape(shape[1], size, where))
    if values.ndim != 3:
        raise InputError(
            f"{where}: the array is {shape}; expected (N, rows, cols), "
            "(N, rows, cols, 1 or 3) or (N, rows·cols)"
        )
    if size is None or values.shape[1:] == size:
        return values
    return resize_by_area(values, size)


def _side(pixels: int, size: tuple[int, int] | None) -> int:
    """The rows of a flat image of so many pixels, or 0 if it has no such shape."""
    if size is not None and size[0] * size[1] == pixels:
        return size[0]
    side = math.isqrt(pixels)
    return side if side * side == pixels else 0


def _flat_shape(
    pixels: int, size: tuple[int, int] | None, where: str
) -> tuple[int, int]:
    rows = _side(pixels, size)
    if not rows:
        raise InputError(
            f"{where}: a row has {pixels:,} pixels, which is not a square; "
            "give the size, as --size ROWS COLS"
        )
    return rows, pixels // rows


def label_index(
    column: str | None,
    names: list[str],
    count: int,
    size: tuple[int, int] | None,
    where: str,
) -> int | None:
    """The place of the label among the `count` columns of a table; None: no labels.

    column   "first", "last", "none", a name of `names`, the header; None: InputError
             if the table looks as if it had a label that is not marked
    """
    places = {"first": 0, "last": count - 1, "none": None}
    if column in places:
        return places[column]
    if column is not None:
        if column not in names:
            header = ", ".join(names[:8]) or "no header"
            raise InputError(f"{where}: has no column {column!r}; it has {header}")
        return names.index(column)
    wanted = _side(count - 1, size)
    fits = _side(count, size) and not (size and size[0] * size[1] == count)
    if wanted and count > 2 and not fits:
        raise InputError(
            f"{where}: a row has {count:,} numbers, one more than {wanted} x "
            f"{(count - 1) // wanted}: if the first is a label, --label-column first; "
            "if the last is one, --label-column last; else --label-column none"
        )
    return None


def number_labels(
    labels: dict[str, np.ndarray | None],
) -> tuple[dict[str, np.ndarray], list[str] | None]:
    """{set: labels, text or numbers} -> {set: numbers}, and the names of text.

    Sets without labels are left out.
    """
    known = {
        name: _one_column(each) for name, each in labels.items() if each is not None
    }
    try:
        return {name: each.astype(np.float64) for name, each in known.items()}, None
    except ValueError:  # text
        names = np.unique(np.concatenate(list(known.values()))).tolist()
        return {
            name: np.searchsorted(names, each) for name, each in known.items()
        }, names


def _one_column(labels: np.ndarray) -> np.ndarray:
    """(N, 1) -> (N,); rows with a single one, (N, K) -> the place of the one."""
    if labels.ndim == 2 and 1 in labels.shape:
        return labels.reshape(-1)
    if labels.ndim != 2 or labels.dtype.kind not in "buif":
        return labels
    one_hot = np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
    return labels.argmax(axis=1) if one_hot else labels


def as_labels(labels: np.ndarray, count: int, where: str) -> np.ndarray:
    """Numbers -> labels uint8 (count,)."""
    if labels.shape != (count,) or labels.dtype.kind not in "buif":
        raise InputError(
            f"{where}: labels are {labels.shape} {labels.dtype}; expected an integer "
            f"for each of the {count:,} images"
        )
    wrong = ~((labels >= 0) & (labels <= 255) & (labels == np.floor(labels)))
    if wrong.any():
        raise InputError(
            f"{where}: label {wrong.argmax():,} is {labels[wrong][0]:g}; expected an "
            "integer from 0 to 255"
        )
    return labels.astype(np.uint8)
