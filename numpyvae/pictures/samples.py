"""Images from a trained model: samples, reconstructions, interpolations, traversals, a
latent manifold.

Each function returns uint8 images (N, rows, cols) of the decoder's mean: for a
Bernoulli decoder the probability that a pixel is 1, for a normal one the mean, clipped
to [0, 1]. Pixels are not sampled. A model that is told the class decodes z with it:
then c (N, C) are the classes of z, and x are rows [x, c] (chapter 14). `image_grid`
puts images together in one, and `enlarge` makes it larger.
"""

from collections.abc import Sequence

import numpy as np

from ..data.pixels import to_bytes
from ..errors import InputError
from ..settings import VAEConfig
from ..vae.conditional import one_hot
from ..vae.gaussian import reparameterize
from ..vae.likelihoods import LIKELIHOODS
from ..vae.model import (
    decode,
    encode,
    join_class,
    prior_parameters,
    split_class,
)
from ..vae.parameters import Parameters
from .png import png_bytes


def mean_images(
    params: Parameters,
    z: np.ndarray,
    config: VAEConfig,
    shape: tuple[int, int],
    c: np.ndarray | None = None,
) -> np.ndarray:
    """z (N, L) -> the decoder's mean as uint8 images (N, *shape)"""
    if c is not None:
        z = join_class(z, c)
    return to_bytes(decoder_mean(params, z, config)).reshape(-1, *shape)


def decoder_mean(params: Parameters, z: np.ndarray, config: VAEConfig) -> np.ndarray:
    """E[x|z]: for a Bernoulli decoder the probability that a pixel is 1        z (N, L) -> (N, D)"""
    y, _ = decode(params, z.astype(params.vector.dtype), config)
    return LIKELIHOODS[config.likelihood].mean(y)


def sample_prior(eps: np.ndarray, config: VAEConfig) -> np.ndarray:
    """z ~ p(z), from eps ~ N(0, 1)        (…, L) -> (…, L)"""
    return reparameterize(*prior_parameters(config, eps.dtype), eps)


def sample_images(
    params: Parameters,
    config: VAEConfig,
    shape: tuple[int, int],
    rng: np.random.Generator,
    count: int,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """`count` samples of z ~ p(z), decoded; labels (count,) if the model has classes"""
    eps = rng.standard_normal((count, config.latent_dim))
    c = None if labels is None else one_hot(labels, config.num_classes)
    return mean_images(params, sample_prior(eps, config), config, shape, c)


def change_class(
    params: Parameters, x: np.ndarray, config: VAEConfig, shape: tuple[int, int]
) -> np.ndarray:
    """Each image as every class: its mu, decoded with c = 0, 1, … C − 1

    Rows [x, c] (N, D + C)  ->  (N · (C + 1), *shape), each original before its C
    images.
    """
    (mu, _), _ = encode(params, x, config)
    C = config.num_classes
    c = np.tile(np.eye(C, dtype=mu.dtype), (len(x), 1))
    images = mean_images(params, mu.repeat(C, axis=0), config, shape, c)
    originals = to_bytes(split_class(x, config)[0]).reshape(-1, 1, *shape)
    rows = np.concatenate([originals, images.reshape(-1, C, *shape)], axis=1)
    return rows.reshape(-1, *shape)


def reconstruct(
    params: Parameters, x: np.ndarray, config: VAEConfig, shape: tuple[int, int]
) -> np.ndarray:
    """x (N, D) -> encoded, and the mean of q(z|x) decoded: mu itself, not a sample
    around it
    """
    (mu, _), _ = encode(params, x, config)
    _, c = split_class(x, config)
    return mean_images(params, mu, config, shape, c)


def reconstruction_rows(
    params: Parameters,
    x: np.ndarray,
    config: VAEConfig,
    shape: tuple[int, int],
    columns: int,
) -> tuple[np.ndarray, int]:
    """(images, columns): originals x (N, D), each row above its reconstructions. Images
    beyond the last full row are left out; fewer than `columns` are one row.
    """
    columns = min(columns, len(x))
    x = x[: len(x) // columns * columns]
    originals = to_bytes(split_class(x, config)[0]).reshape(-1, *shape)
    return interleave_rows(
        originals, reconstruct(params, x, config, shape), columns
    ), columns


def reconstruction_grid(
    params: Parameters,
    x: np.ndarray,
    config: VAEConfig,
    shape: tuple[int, int],
    columns: int = 8,
) -> np.ndarray:
    """The rows of `reconstruction_rows` as one image"""
    return image_grid(*reconstruction_rows(params, x, config, shape, columns))


def interpolate(
    params: Parameters,
    x: np.ndarray,
    config: VAEConfig,
    shape: tuple[int, int],
    steps: int = 6,
) -> np.ndarray:
    """Linear interpolation in latent space: from mu(x₀) to mu(x₁), from mu(x₂) to
    mu(x₃), …

    Each is steps + 2 images: the original x₀, `steps` images from its reconstruction to
    that of x₁, the original x₁. Returns (N/2 · (steps + 2), *shape). Raises ValueError
    if N is odd or steps is less than 2.
    """
    if len(x) % 2 or steps < 2:
        raise InputError(
            "an interpolation takes pairs of images and at least 2 steps; "
            f"not {len(x)} images and {steps} steps"
        )
    (mu, _), _ = encode(params, x, config)
    t = np.linspace(0, 1, steps)[None, :, None]
    z = mu[0::2, None] * (1 - t) + mu[1::2, None] * t
    pixels, c = split_class(x, config)
    c = c[0::2].repeat(steps, axis=0)  # all of a row have the class of the first image
    between = mean_images(params, z.reshape(-1, config.latent_dim), config, shape, c)
    between = between.reshape(-1, steps, *shape)
    originals = to_bytes(pixels).reshape(-1, 2, *shape)
    return np.concatenate(
        [originals[:, :1], between, originals[:, 1:]], axis=1
    ).reshape(-1, *shape)


def traverse(
    params: Parameters,
    units: Sequence[int],
    config: VAEConfig,
    shape: tuple[int, int],
    steps: int = 8,
    eps: np.ndarray | None = None,
    label: int = 0,
) -> np.ndarray:
    """One latent unit at a time through the prior's quantiles (i − ½)/steps, the others
    held fixed.

    The others are at the prior's mean, or at sample_prior(eps) for an eps of shape
    (L,). Returns `steps` images for each of `units`, in their order: (len(units) ·
    steps, *shape). Raises ValueError for a unit that does not exist. `active_first`
    gives the order in which the units matter. label: the class, if the model has any.
    """
    if wrong := [unit for unit in units if not 0 <= unit < config.latent_dim]:
        raise InputError(
            f"latent unit {wrong[0]} does not exist; the model has units 0 to {config.latent_dim - 1}"
        )
    held = np.zeros(config.latent_dim) if eps is None else eps
    varied = np.tile(held, (len(units), steps, 1))
    for row, unit in zip(varied, units, strict=True):
        row[:, unit] = _quantiles(steps)
    z = sample_prior(varied.reshape(-1, config.latent_dim), config)
    return mean_images(params, z, config, shape, _all_of(label, len(z), config))


def active_first(mu: np.ndarray) -> np.ndarray:
    """mu (N, L) -> the L units by falling variance of their mu, equal ones in their
    order
    """
    return np.argsort(-mu.astype(np.float64).var(axis=0), kind="stable")


def manifold(
    params: Parameters,
    config: VAEConfig,
    shape: tuple[int, int],
    side: int = 20,
    label: int = 0,
) -> np.ndarray:
    """A map of a 2-D latent space: side² images, at the prior's quantiles (i − ½)/side
    along each axis, so each image represents equal prior probability; z₁ grows to the
    right, z₂ upward. Raises ValueError if L is not 2.
    """
    if config.latent_dim != 2:
        raise InputError(
            f"the manifold is a map of 2 latents, and this model has {config.latent_dim}"
        )
    z1, z2 = np.meshgrid(_quantiles(side), _quantiles(side)[::-1])
    eps = np.stack([z1.ravel(), z2.ravel()], axis=1)
    c = _all_of(label, len(eps), config)
    return mean_images(params, sample_prior(eps, config), config, shape, c)


def _all_of(label: int, count: int, config: VAEConfig) -> np.ndarray:
    """c of `count` rows of one class; (count, 0) without classes"""
    if config.num_classes == 0:
        return np.empty((count, 0))
    return one_hot(np.full(count, label), config.num_classes)


def _quantiles(n):
    from scipy.special import ndtri  # here, so that training does not load SciPy

    return ndtri((np.arange(n) + 0.5) / n)


def interleave_rows(
    originals: np.ndarray, others: np.ndarray, columns: int = 8
) -> np.ndarray:
    """Rows of originals, each above the row of its reconstructions        both (N, …), N a multiple of columns"""
    rows = (-1, columns, *originals.shape[1:])
    return np.stack([originals.reshape(rows), others.reshape(rows)], axis=1).reshape(
        -1, *originals.shape[1:]
    )


class Picture(np.ndarray):
    """Pixels, uint8 (H, W) or (H, W, 3), which a notebook shows as the image. It is an
    array in every other respect.
    """

    def _repr_png_(self) -> bytes | None:
        if self.dtype != np.uint8 or self.ndim not in (2, 3) or not self.size:
            return None  # part of a picture that is none itself
        return png_bytes(np.asarray(self))


def image_grid(
    images: np.ndarray, columns: int, padding: int = 2, pad_value: int = 48
) -> np.ndarray:
    """One image of many: (N, H, W) or (N, H, W, 3), row by row, with `padding` pixels
    of `pad_value` around each.

    N images make ⌈N / columns⌉ rows; unused cells keep pad_value. Raises ValueError for
    another shape, no column or a negative padding.
    """
    images = np.asarray(images)
    if images.ndim not in (3, 4) or columns < 1 or padding < 0:
        raise InputError(
            f"a grid takes images (N, H, W) or (N, H, W, 3), at least one column and no negative padding; "
            f"not {images.shape}, {columns} and {padding}"
        )
    count, height, width = images.shape[:3]
    rows = -(-count // columns)
    high = padding + rows * (height + padding)
    wide = padding + columns * (width + padding)
    grid = np.full((high, wide, *images.shape[3:]), pad_value, images.dtype)
    for i, image in enumerate(images):
        top = padding + i // columns * (height + padding)
        left = padding + i % columns * (width + padding)
        grid[top : top + height, left : left + width] = image
    return grid.view(Picture)


def enlarge(image: np.ndarray, n: int = 4) -> np.ndarray:
    """Repeat each pixel n times along rows and columns: (H, W, …) -> (nH, nW, …).
    ValueError if n is less than 1.
    """
    if n < 1:
        raise InputError(f"an image is enlarged 1 time or more, not {n}")
    return image.repeat(n, axis=0).repeat(n, axis=1).view(Picture)
