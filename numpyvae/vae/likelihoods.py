"""Chapter 4. Likelihoods: the distribution p(x|z).

The decoder is a network (chapter 6) that turns z into y, one number per pixel. What
y means is the likelihood's choice:

    bernoulli    y is each pixel's logit; p(x|z) as in chapter 3
    normal       y is each pixel's mean; p(x|z) = N(y, s²)

s² is one variance for all pixels, learned or fixed. Both are products over the
pixels, as in (3.5). So by (2.3), with r = x − y and D pixels

    (4.1)  log p(x|z) = −½ D log(2πs²) − Σᵢ rᵢ²/(2s²)        normal

With a fixed s² this is the squared error, weighted by 1/(2s²), and a constant.
p(x|z) is then a density, which may exceed 1, so the loss may be negative. The code
carries logvar_x = log s².

An entry of the table has what the rest of the program needs to know of a
distribution:

    log_prob             log p(x|z), and its backward        chapter 7
    mean                 E[x|z], to show an image            pictures/samples
    output_bias          a first value of y, for a bias      chapter 5
    shapes               parameters of its own: the normal's logvar_x
    is_density           whether log p(x|z) may be positive
    unit_interval        whether x must be in [0, 1]

To add a likelihood: tests/README.md, Contributing.

An example small enough for paper: two pixels x = (1, 0), means y = (½, 1), and s² =
1.

    log p(x|z) = −log(2π) − (¼ + 1)/2 = −log(2π) − 5/8        = −2.463
    dy = (x − y)/s² = (½, −1)                                 chapter 2, dmu
    dlogvar_x = Σᵢ ½ (rᵢ²/s² − 1) = ½ (5/4 − 2) = −3/8

    >>> config = VAEConfig(input_dim=2, likelihood="normal")     # s² is learned
    >>> params, grads = {"logvar_x": np.array(0.0)}, {"logvar_x": np.array(np.nan)}
    >>> x, y = np.array([[1.0, 0.0]]), np.array([[0.5, 1.0]])
    >>> LIKELIHOODS["normal"].log_prob(params, x, y, config).round(3)
    array([-2.463])
    >>> one = np.array([1.0])
    >>> normal_log_prob_backward(one, params, x, y, config, grads)
    array([[ 0.5, -1. ]])
    >>> grads["logvar_x"]
    array(-0.375)

Source: Kingma & Welling 2014, appendix C.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from ..settings import VAEConfig
from . import bernoulli
from .gaussian import log_density, log_density_backward


class Likelihood(NamedTuple):
    """One distribution p(x|z), where y is the decoder's output.

    log_prob             (params, x, y, config) -> log p(x|z), in nats
                         x (N, D), y (..., N, D)  ->  (..., N)
    log_prob_backward    (dlog_prob, params, x, y, config, grads) -> dy
                         writes the gradients of its own parameters into grads
    mean                 y -> E[x|z], of the same shape
    output_bias          mean image (D,) -> the y (D,) that has this mean
    shapes               config -> its own parameters, name -> shape
    is_density           whether log p(x|z) may be positive
    unit_interval        whether x must lie in [0, 1]
    """

    log_prob: Callable
    log_prob_backward: Callable
    mean: Callable
    output_bias: Callable
    shapes: Callable
    is_density: bool
    unit_interval: bool


def bernoulli_log_prob(params: Mapping, x: Array, y: Array, config: VAEConfig) -> Array:
    """(3.5)        x (N, D), y (..., N, D) -> (..., N)"""
    return bernoulli.log_prob(x, y)


def bernoulli_log_prob_backward(
    dlog_prob: Array,
    params: Mapping,
    x: Array,
    y: Array,
    config: VAEConfig,
    grads: Mapping | None = None,
) -> Array:
    """dlog_prob (..., N) -> dy (..., N, D), by (3.4)"""
    return bernoulli.log_prob_backward(dlog_prob, x, y)


def bernoulli_output_bias(mean_image: Array) -> Array:
    """The logit of the mean image, clipped to [0.001, 0.999] to be finite"""
    clipped = np.clip(mean_image, 0.001, 0.999)
    return np.log(clipped / (1 - clipped))


def normal_log_prob(params: Mapping, x: Array, y: Array, config: VAEConfig) -> Array:
    """log p(x|z) = Σᵢ log N(xᵢ; yᵢ, s²), (4.1)

    x (N, D), y (..., N, D)  ->  (..., N)
    """
    bernoulli.check_pixels(x)
    return log_density(x, y, decoder_logvar(params, y.dtype, config)).sum(axis=-1)


def normal_log_prob_backward(
    dlog_prob: Array,
    params: Mapping,
    x: Array,
    y: Array,
    config: VAEConfig,
    grads: Mapping | None = None,
) -> Array:
    """dlog_prob (..., N) -> dy (..., N, D)

    The gradient of a learned logvar_x is written into grads.
    """
    logvar_x = decoder_logvar(params, y.dtype, config)
    _, dy, dlogvar_x = log_density_backward(dlog_prob[..., None], x, y, logvar_x)
    if grads is not None and "logvar_x" in grads:
        grads["logvar_x"][...] = dlogvar_x.sum()
    return dy


def decoder_logvar(params: Mapping, dtype: np.dtype, config: VAEConfig) -> Array:
    """log s² of the normal likelihood: learned, or as configured"""
    if config.logvar_x is None:
        return params["logvar_x"]
    return dtype.type(config.logvar_x)


def normal_shapes(config: VAEConfig) -> dict[str, tuple[int, ...]]:
    """logvar_x is one number, a parameter unless it is configured."""
    return {"logvar_x": ()} if config.logvar_x is None else {}


LIKELIHOODS = {
    "bernoulli": Likelihood(
        log_prob=bernoulli_log_prob,
        log_prob_backward=bernoulli_log_prob_backward,
        mean=bernoulli.sigmoid,
        output_bias=bernoulli_output_bias,
        shapes=lambda config: {},
        is_density=False,
        unit_interval=True,
    ),
    "normal": Likelihood(
        log_prob=normal_log_prob,
        log_prob_backward=normal_log_prob_backward,
        mean=lambda y: y,
        output_bias=lambda mean_image: mean_image,
        shapes=normal_shapes,
        is_density=True,
        unit_interval=False,
    ),
}
