"""Pixels: bytes, floats in [0, 1], and binary pixels.

    to_input      x = v/255                   v a byte, 0 … 255
    to_bytes      v = round(255 x)            x clipped to [0, 1] first

A Bernoulli decoder describes pixels that are 0 or 1. Gray pixels can be binarized,
in three ways. The choice is `TrainingOptions.binarize`, which `Dataset.input`
applies (data/dataset):

    none          x stays gray                the usual objective, no log-likelihood
    threshold     1 where x >= ½              always the same image
    dynamic       1 with probability x        sampled every time an image is used
    static        1 with probability x        sampled once, from a stated seed

What that does to the numbers. Let the decoder say 1 with probability p for a pixel.
Gray, its loss is −x log p − (1 − x) log(1 − p), by chapter 3 of book one. This is
smallest at p = x, where it is the entropy of x:

    H(x) = −x log x − (1 − x) log(1 − x)      0.69 nats at x = ½, 0 at x = 0 or 1

So however well a model knows a gray image, the loss of a pixel never falls below
H(x).

Let b = 1 with probability x, else 0. The loss is linear in the pixel, so the mean
loss of b is the gray loss, for a given p:

    E[−b log p − (1 − b) log(1 − p)] = −x log p − (1 − x) log(1 − p)

The two are equal only for a given p. p itself depends on what the encoder sees: b
with dynamic or static binarization, x without.

Only b has a log-likelihood. log p(b) is one, and log p(x) of a gray x is not
(chapter 3 of book one). So importance sampling, too, means something else.

With a threshold nothing is random, and the smallest loss is 0.

Hence losses with and without binarization, and with different binarizations, are
not comparable. Dynamic binarization also regularizes, since a model hardly ever
sees one image twice.

Sources: Salakhutdinov & Murray 2008, "On the quantitative analysis of deep belief
networks" (static); Burda, Grosse & Salakhutdinov 2016, "Importance weighted
autoencoders" (dynamic).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError

BINARIZATIONS = ("none", "threshold", "dynamic", "static")
STATIC_SEEDS = {"train": 1, "test": 2}  # the same images in every run
ROUNDING = 1e-6  # of float32 near 1, some 8 units in its last place
MAX_MEAN, MAX_SPREAD = 200, 50  # of a column, for the normal likelihood
_STATIC_CHUNK = 2**20  # random numbers at a time


def scale_of(images: np.ndarray) -> int:
    """The number that stands for 1: 255 for bytes, 1 for floats"""
    return 255 if images.dtype == np.uint8 else 1


def to_input(images: np.ndarray, binarize: str, rng: np.random.Generator) -> np.ndarray:
    """Images as the model's input: (N, rows, cols) or (N, D) -> float32 (N, D).

    uint8 is divided by 255; floats are taken as they are, and expected in [0, 1]
    where they are binarized. `rng` is used by "dynamic" only: N·D uniform numbers,
    in the order of the pixels. "static" expects images from `binarize_static`.
    ValueError for an unknown `binarize`, and for "static" with pixels that are not
    binarized.
    """
    if binarize not in BINARIZATIONS:
        raise InputError(
            f"binarize must be one of {', '.join(BINARIZATIONS)}, not {binarize!r}"
        )
    x = images.reshape(len(images), -1)
    if scale_of(x) == 255:
        x = x * np.float32(1 / 255)
    else:
        x = x.astype(np.float32, copy=False)
    if binarize == "threshold":
        return (x >= 0.5).astype(np.float32)
    if binarize == "dynamic":
        return (rng.random(x.shape, dtype=np.float32) < x).astype(np.float32)
    if binarize == "static" and ((x != 0) & (x != 1)).any():
        raise InputError(
            'binarize is "static", but the images have gray pixels; '
            "pass them through binarize_static first"
        )
    return x


def check_images(
    name: str, images: ArrayLike, columns: int | None = None, unit_interval: bool = True
) -> np.ndarray:
    """Images (N, rows, cols) or rows (N, D), as an array of uint8 or float32

    columns: the number of pixels per image, if it is known. unit_interval: whether
    floats must be in [0, 1]. ValueError names what is wrong and where.
    """
    if np.ma.isMaskedArray(images):
        raise InputError(f"{name} is a masked array: fill the masked values first")
    try:
        array = np.asarray(images)
    except ValueError:
        raise InputError(f"{name} is ragged: the images have different sizes") from None
    if array.dtype != np.uint8 and array.dtype.kind not in "bf":
        raise InputError(
            f"{name} holds {array.dtype}: pixels are uint8, 0 to 255, or floats; "
            "convert them with .astype"
        )
    if array.ndim not in (2, 3):
        raise InputError(
            f"{name} has shape {array.shape}: images are (N, rows, columns) or "
            "(N, pixels)"
        )
    size = math.prod(array.shape[1:])
    if size == 0 or columns not in (None, size):
        raise InputError(
            f"{name} has {size} pixels per image, but the model has {columns}"
        )
    if array.dtype == np.uint8:
        return array
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    right, rule = np.isfinite(array), "finite in float32"
    if unit_interval:
        right = (array >= -ROUNDING) & (array <= 1 + ROUNDING)
        rule = "in [0, 1], for this likelihood"
    if not right.all():
        first = int((~right).reshape(len(array), -1).any(axis=1).argmax())
        value = array[first][~right[first]].flat[0]
        raise InputError(
            f"{name}: image {first} has a pixel of {value!s}; pixels must be {rule}"
        )
    return array.clip(0, 1) if unit_interval else array


def check_columns(name: str, array: np.ndarray) -> None:
    """Refuse columns that the normal likelihood cannot be trained on.

    Such a model begins near mean 0 and variance 1. From far away, the first updates
    make variances that overflow. InputError names the worst column and the remedy.
    """
    if array.dtype == np.uint8 or not len(array):
        return
    rows = array.reshape(len(array), -1)
    mean, spread = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=float)
    size = np.maximum(abs(mean) / MAX_MEAN, spread / MAX_SPREAD)
    far = int((size > 1).sum())
    if far:
        worst = int(size.argmax())
        raise InputError(
            f"{name}: column {worst} has mean {mean[worst]:.4g} and standard deviation "
            f"{spread[worst]:.4g} ({far:,} of {len(size):,} columns are beyond "
            f"{MAX_MEAN} or {MAX_SPREAD}); the normal likelihood needs about 0 and 1: "
            "standardize the columns, (x - mean) / std"
        )


def check_array(
    X: ArrayLike, name: str, n_features: int | None = None, unit_interval: bool = False
) -> np.ndarray:
    """X as uint8, if it is that, else as float32

    ValueError if it is not a matrix of finite numbers, in [0, 1] if
    `unit_interval`; TypeError for an object that is no number.
    """
    if hasattr(X, "toarray"):
        raise InputError(
            f"{name} is sparse, and sparse input is not supported: "
            f"pass {name}.toarray()"
        )
    if np.ma.isMaskedArray(X):
        raise InputError(f"{name} is a masked array: fill the masked values first")
    X = np.asarray(X, order="C")  # contiguous rows can be hashed
    if X.dtype == object:
        X = X.astype(np.float64)
    if X.dtype.kind not in "buif" or X.ndim != 2:
        reshape = f". Reshape your data: {name}[None]" if X.ndim == 1 else ""
        hint = ". Complex data not supported" if X.dtype.kind == "c" else reshape
        raise InputError(
            f"{name} must be a real matrix, one row per sample, not {X.dtype} of shape "
            f"{X.shape}{hint}"
        )
    if 0 in X.shape:
        missing = "feature" if X.shape[0] else "sample"
        raise InputError(
            f"{name} has 0 {missing}(s) (shape={X.shape}) while a minimum of 1 is "
            "required."
        )
    if n_features and X.shape[1] != n_features:
        raise InputError(
            f"{name} has {X.shape[1]} features, but VAE is expecting {n_features} "
            "features as input"
        )
    if X.dtype == np.uint8:
        return X
    with np.errstate(over="ignore"):
        X = X.astype(np.float32)
    if not np.isfinite(X).all():
        raise InputError(
            f"{name} has NaN, infinity, or a number too large for single precision"
        )
    if unit_interval and (X.min() < -ROUNDING or X.max() > 1 + ROUNDING):
        raise InputError(
            f"{name} goes from {_plain(X.min())} to {_plain(X.max())}, but the "
            "bernoulli likelihood is of numbers in [0, 1]; scale it, or use "
            "likelihood='normal'"
        )
    return X.clip(0, 1) if unit_interval else X


def _plain(value: np.float32) -> str:
    """As few digits as tell it from its neighbors: 255, 0.99, 1.0000001"""
    return np.format_float_positional(value, trim="-")


def to_bytes(mean: np.ndarray) -> np.ndarray:
    """Round pixels in [0, 1] to bytes: float (…) -> uint8 (…), the inverse of v/255

    Values outside, as a normal decoder's mean has them, are clipped. ValueError for
    NaN, which no byte can show.
    """
    if np.isnan(mean).any():
        raise InputError(
            "the pixels have NaN among them, which cannot be shown; the model's "
            "parameters are not finite"
        )
    return np.rint(np.clip(mean, 0, 1) * 255).astype(np.uint8)


def binarize_static(images: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
    """Sample each pixel once, 255 with its gray value as probability, else 0.

    uint8 (N, …) -> uint8 (N, …). The same seed gives the same images, and the first
    n images do not depend on those behind them. Training and test set need
    different seeds, or they share their random numbers (to NumPy, [seed, 0] is the
    same as seed). ValueError unless the images are uint8.
    """
    if images.dtype != np.uint8:
        raise InputError(
            f"images to binarize must be uint8, 0 to 255, not {images.dtype}"
        )
    rng, v = np.random.default_rng(seed), images.reshape(-1)
    binary = np.empty_like(v)
    for first in range(0, v.size, _STATIC_CHUNK):
        chunk = slice(first, first + _STATIC_CHUNK)
        x = v[chunk] * np.float32(1 / 255)
        binary[chunk] = (rng.random(x.shape, dtype=np.float32) < x) * np.uint8(255)
    return binary.reshape(images.shape)
