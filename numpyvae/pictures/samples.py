"""What the model has learned, as images: samples, reconstructions, walks and maps through the latent space.

Each returns uint8 images (N, rows, cols) that show the decoder's mean: for a Bernoulli decoder the probability of ink,
for a normal one the mean, cut off at 0 and 1. No noise is added to the pixels.

Next: runs.
"""

import numpy as np

from ..vae.gaussian import reparameterize
from ..vae.likelihoods import LIKELIHOODS
from ..vae.model import decode, encode, prior_parameters
from ..settings import VAEConfig
from ..vae.parameters import Parameters


def mean_images(params: Parameters, z: np.ndarray, config: VAEConfig, shape: tuple[int, int]) -> np.ndarray:
    """z (N, L) -> the decoder's mean as uint8 images (N, *shape)"""
    mean = np.clip(decoder_mean(params, z, config), 0, 1)
    return np.rint(mean * 255).astype(np.uint8).reshape(-1, *shape)


def decoder_mean(params: Parameters, z: np.ndarray, config: VAEConfig) -> np.ndarray:
    """E[x|z]: for a Bernoulli decoder the probability of ink        z (N, L) -> (N, D)"""
    y, _ = decode(params, z.astype(params.vector.dtype), config)
    return LIKELIHOODS[config.likelihood].mean(y)


def from_prior(eps: np.ndarray, config: VAEConfig) -> np.ndarray:
    """z ~ p(z), from eps ~ N(0, 1)"""
    return reparameterize(*prior_parameters(config, eps.dtype), eps)


def samples(params: Parameters, config: VAEConfig, shape: tuple[int, int], rng: np.random.Generator, count: int) -> np.ndarray:
    """z ~ p(z), decoded"""
    eps = rng.standard_normal((count, config.latent_dim))
    return mean_images(params, from_prior(eps, config), config, shape)


def reconstructions(params: Parameters, x: np.ndarray, config: VAEConfig, shape: tuple[int, int]) -> np.ndarray:
    """x (N, D) -> encoded, and the mean of q(z|x) decoded: mu itself, not a sample around it"""
    (mu, _), _ = encode(params, x, config)
    return mean_images(params, mu, config, shape)


def pairs(originals: np.ndarray, others: np.ndarray, columns: int = 8) -> np.ndarray:
    """Rows of originals, each above the row of its reconstructions        both (N, …), N a multiple of columns"""
    rows = (-1, columns, *originals.shape[1:])
    return np.stack([originals.reshape(rows), others.reshape(rows)], axis=1).reshape(-1, *originals.shape[1:])


def manifold(params: Parameters, config: VAEConfig, shape: tuple[int, int], side: int = 20) -> np.ndarray:
    """A map of a 2-D latent space: side² images, at the prior's quantiles (i − ½)/side along each axis, so that each
    stands for an equal share of what the prior would draw; z₁ grows to the right, z₂ upward. ValueError if L is not 2."""
    if config.latent_dim != 2:
        raise ValueError(f"the manifold is a map of 2 latents, and this model has {config.latent_dim}; train with --latent 2")
    from scipy.special import ndtri

    quantiles = ndtri((np.arange(side) + 0.5) / side)
    z1, z2 = np.meshgrid(quantiles, quantiles[::-1])
    eps = np.stack([z1.ravel(), z2.ravel()], axis=1)
    return mean_images(params, from_prior(eps, config), config, shape)


def interpolations(params: Parameters, x: np.ndarray, config: VAEConfig, shape: tuple[int, int], steps: int = 8) -> np.ndarray:
    """Straight lines in the latent space: from mu(x₀) to mu(x₁), from mu(x₂) to mu(x₃), …, in `steps` images each"""
    (mu, _), _ = encode(params, x, config)
    t = np.linspace(0, 1, steps)[None, :, None]
    z = mu[0::2, None] * (1 - t) + mu[1::2, None] * t
    return mean_images(params, z.reshape(-1, config.latent_dim), config, shape)
