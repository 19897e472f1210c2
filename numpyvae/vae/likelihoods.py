"""Chapter 4. The table of likelihoods: the distribution p(x|z) whose parameters the decoder outputs.

    bernoulli    y is each pixel's logit; p(x|z) as in bernoulli.py
    normal       y is each pixel's mean; p(x|z) = N(y, s²) with one variance s² for all pixels, learned or fixed

Both are products over the pixels, as in (3.5). With a fixed s² the normal log p(x|z) is −‖x − y‖²/(2s²) and a constant:
the squared error, weighted. p(x|z) is then a density, which may exceed 1, so the loss may be negative. The code carries
logvar_x = log s². `config` is a VAEConfig, in settings.py. To add a likelihood: tests/README.md, Contributing.

Source: Kingma & Welling 2014, appendix C.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from ..settings import VAEConfig
from . import bernoulli
from .gaussian import log_density, log_density_backward


class Likelihood(NamedTuple):
    """One distribution p(x|z), where y is the decoder's output."""

    log_prob: Callable  # (params, x, y, config) -> log p(x|z): x (N, D), y (..., N, D) -> (..., N), in nats
    log_prob_backward: Callable  # (dlog_prob, params, x, y, config, grads) -> dy; its parameters' gradients into grads
    mean: Callable  # y -> E[x|z], of the same shape
    output_bias: Callable  # mean image (D,) -> the bias of the decoder's last layer, for chapter 5's glorot_init
    shapes: Callable  # config -> its own parameters, name -> shape
    is_density: bool  # if so, log p(x|z) may be positive
    unit_interval: bool  # if so, x must lie in [0, 1]


def bernoulli_output_bias(mean_image: Array) -> Array:
    """The logit of the mean image, whose values are first clipped to [0.001, 0.999] so that logits are finite"""
    clipped = np.clip(mean_image, 0.001, 0.999)
    return np.log(clipped / (1 - clipped))


def normal_log_prob(params: dict, x: Array, y: Array, config: VAEConfig) -> Array:
    """log p(x|z) = Σᵢ log N(xᵢ; yᵢ, s²)        x (N, D), y (..., N, D) -> (..., N)"""
    return log_density(x, y, decoder_logvar(params, y.dtype, config)).sum(axis=-1)


def normal_log_prob_backward(
    dlog_prob: Array,
    params: dict,
    x: Array,
    y: Array,
    config: VAEConfig,
    grads: dict | None = None,
) -> Array:
    """dlog_prob (..., N) -> dy (..., N, D); the gradient of a learned logvar_x is written into grads."""
    _, dy, dlogvar_x = log_density_backward(
        dlog_prob[..., None], x, y, decoder_logvar(params, y.dtype, config)
    )
    if grads is not None and "logvar_x" in grads:
        grads["logvar_x"][...] = dlogvar_x.sum()
    return dy


def decoder_logvar(params: dict, dtype: np.dtype, config: VAEConfig) -> Array:
    """log s² of the normal likelihood: learned, or as configured"""
    return (
        params["logvar_x"] if config.logvar_x is None else dtype.type(config.logvar_x)
    )


LIKELIHOODS = {
    "bernoulli": Likelihood(
        log_prob=lambda params, x, y, config: bernoulli.log_prob(x, y),
        log_prob_backward=lambda dlog_prob, params, x, y, config, grads=None: (
            bernoulli.log_prob_backward(dlog_prob, x, y)
        ),
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
        shapes=lambda config: {"logvar_x": ()} if config.logvar_x is None else {},
        is_density=True,
        unit_interval=False,
    ),
}
