"""Numbers from a CSV or an array to images: checked, made gray, resized.

An array of images is (N, rows, cols), (N, rows, cols, 1 or 3), or one flat image per row, (N, rows·cols). Values are
0 to 255; if none is above 1, they are 0 to 1. Color becomes gray by the luma of ITU-R BT.601:

    Y = 0.299 R + 0.587 G + 0.114 B

Images are resized by area: a new pixel is the mean over the rectangle of the old image that it covers. With s = R / r
old rows per new row, row i covers i·s to (i + 1)·s, so the weight of old row j in it is the length of the overlap

    W_ij = max(0, min((i + 1) s, j + 1) − max(i s, j)) / s          new image = W_rows · image · W_colsᵀ
"""

import io
import math
import zipfile
import zlib
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...files import open_regular

LUMA = np.array([0.299, 0.587, 0.114])


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read (values (N, D), labels (N,) or None): a header that begins with "label" makes the first column labels."""
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig") as file:
            lines = [line for line in file if line.strip()]
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not a text file in UTF-8") from None
    header = lines[0].split(",") if lines else []
    names = [field.strip().strip('"').lower() for field in header]
    labeled = names[:1] == ["label"]
    numbered = len(names) > 3 and names == [
        str(i) for i in range(len(names))
    ]  # as pandas names columns
    has_header = labeled or numbered or not any(map(_is_number, names))
    if len(lines) <= has_header:
        raise InputError(f"{path}: has no rows of numbers")
    try:
        values = np.loadtxt(lines[has_header:], delimiter=",", ndmin=2, comments=None)
    except ValueError as error:
        raise InputError(
            f"{path}: {str(error).partition('; ')[0]} (rows count from 0, without the header)"
        ) from None
    if labeled:
        return values[:, 1:], values[:, 0]
    return values, None


def read_array(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Read (values, labels or None) from .npy or .npz, without pickles."""
    try:
        with open_regular(path) as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded, None
            names = loaded.files
            name = (
                "images" if "images" in names else names[0] if len(names) == 1 else None
            )
            if name is None:
                raise InputError(
                    f"has the arrays {', '.join(names) or '(none)'}; expected images, and maybe labels"
                )
            return loaded[name], loaded[
                "labels"
            ] if "labels" in names and name != "labels" else None
    except (
        ValueError,
        EOFError,
        KeyError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        text = " ".join(str(error).split()) or "cannot be read as an array"
        if "allow_pickle" in text:
            text = "holds Python objects, which are never loaded; save numbers"
        raise InputError(f"{path}: {text}") from None


def to_gray(images: np.ndarray) -> np.ndarray:
    """RGB uint8 (…, 3) -> luma uint8 (…)."""
    return np.rint(images @ LUMA).astype(np.uint8)


def resize_by_area(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize uint8 (…, rows, cols) to (…, *size): each new pixel is the mean of the area that it covers."""
    down, across = (
        _overlaps(old, new) for old, new in zip(images.shape[-2:], size, strict=True)
    )
    return np.rint(down @ images.astype(np.float64) @ across.T).astype(np.uint8)


def _overlaps(old: int, new: int) -> np.ndarray:
    """W (new, old); its rows sum to 1."""
    step = old / new
    i, j = np.arange(new)[:, None], np.arange(old)
    length = np.minimum((i + 1) * step, j + 1) - np.maximum(i * step, j)
    return np.maximum(length, 0) / step


def as_images(
    values: np.ndarray, size: tuple[int, int] | None, where: str
) -> np.ndarray:
    """Numbers of any allowed shape -> uint8 (N, rows, cols)."""
    values = _as_bytes(values, where)
    if values.ndim == 4 and values.shape[-1] in (1, 3):
        values = values[..., 0] if values.shape[-1] == 1 else to_gray(values)
    elif (
        values.ndim == 3
        and values.shape[-1] in (1, 3, 4)
        and values.shape[0] > 4
        and size != values.shape[1:]
    ):
        raise InputError(
            f"{where}: the array is {values.shape}, which looks like one color image; expected "
            "(N, rows, cols)"
        )
    elif values.ndim == 2:
        values = values.reshape(len(values), *_flat_shape(values.shape[1], size, where))
    if values.ndim != 3:
        raise InputError(
            f"{where}: the array is {values.shape}; expected (N, rows, cols), (N, rows, cols, 1 or 3) or "
            "(N, rows·cols)"
        )
    return (
        values
        if size is None or values.shape[1:] == size
        else resize_by_area(values, size)
    )


def _flat_shape(
    pixels: int, size: tuple[int, int] | None, where: str
) -> tuple[int, int]:
    side = math.isqrt(pixels)
    if size is not None and size[0] * size[1] == pixels:
        return size
    if side * side != pixels:
        raise InputError(
            f"{where}: a row has {pixels:,} pixels, which is not a square; "
            "give the size, as --size ROWS COLS; if the first column is a label, begin with a header: label,…"
        )
    return side, side


def _as_bytes(values: np.ndarray, where: str) -> np.ndarray:
    if values.dtype.kind not in "buif":
        raise InputError(f"{where}: the array is of {values.dtype}; expected numbers")
    if values.size == 0:
        raise InputError(f"{where}: the array is {values.shape}; it has no pixels")
    if values.dtype == np.uint8 and values.max() > 1:
        return values
    wrong = ~((values >= 0) & (values <= 255))  # NaN compares as false
    if wrong.any():
        place = tuple(map(int, np.argwhere(wrong)[0]))
        raise InputError(
            f"{where}: the value at {place} is {values[place]}; expected 0 to 255, or 0 to 1"
        )
    return np.rint(
        values.astype(np.float64) * (255 if values.max() <= 1 else 1)
    ).astype(np.uint8)


def as_labels(labels: np.ndarray, count: int, where: str) -> np.ndarray:
    """Numbers -> labels uint8 (count,)."""
    if labels.shape != (count,) or labels.dtype.kind not in "buif":
        raise InputError(
            f"{where}: labels are {labels.shape} {labels.dtype}; expected an integer for each of the "
            f"{count:,} images"
        )
    wrong = ~((labels >= 0) & (labels <= 255) & (labels == np.floor(labels)))
    if wrong.any():
        raise InputError(
            f"{where}: label {wrong.argmax():,} is {labels[wrong][0]}; expected an integer from 0 to 255"
        )
    return labels.astype(np.uint8)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
