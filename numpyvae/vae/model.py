"""Chapter 6. The model: encoder, decoder and prior.

    encode    x (N, D) -> mu, logvar (N, L)     q(z|x) = N(mu, σ²), diagonal: the approximate posterior
    decode    z (J, N, L) -> y (J, N, D)        the parameter of p(x|z) for each pixel, of each sample, of each image
    prior     p(z) = N(mu_p, σ_p²)              diagonal and fixed; mu_p = 0 and σ_p = 1 unless configured

The encoder's output is logvar = log σ², since a linear layer gives any real number, and σ must be positive. The prior
need not be learned: the decoder's first layer can shift and scale z. Both networks are multilayer perceptrons (MLP):
linear layers with an activation between them. To add an activation: tests/README.md, Contributing.

Source: Kingma & Welling 2014, appendix C.
"""

import numpy as np
from numpy import ndarray as Array

from ..errors import InputError
from ..settings import VAEConfig
from .layers import (
    linear,
    linear_backward,
    linear_backward_params,
    relu,
    relu_backward,
    tanh,
    tanh_backward,
)
from .parameters import Parameters, zero_parameters

ACTIVATIONS = {"relu": (relu, relu_backward), "tanh": (tanh, tanh_backward)}


def mlp(
    params: Parameters, prefix: str, x: Array, config: VAEConfig
) -> tuple[Array, list]:
    """linear, then an activation and linear again for each hidden layer        x (N, I) -> y (N, O)

    caches = [linear 0, activation 1, linear 1, …]: linear i at 2i, the activation before it at 2i − 1
    """
    activate, _ = ACTIVATIONS[config.activation]
    x, cache = linear(x, params[f"{prefix}.0.W"], params[f"{prefix}.0.b"])
    caches = [cache]
    for i in range(1, len(config.hidden_dims) + 1):
        x, activation_cache = activate(x)
        x, linear_cache = linear(
            x, params[f"{prefix}.{i}.W"], params[f"{prefix}.{i}.b"]
        )
        caches += [activation_cache, linear_cache]
    return x, caches


def mlp_backward(
    dy: Array, caches: list, prefix: str, config: VAEConfig, grads: Parameters
) -> Array:
    """Write the gradients of linear 1, 2, … into grads; return ∂loss/∂(the output of linear 0), for the caller."""
    _, activate_backward = ACTIVATIONS[config.activation]
    for i in range(len(config.hidden_dims), 0, -1):
        dx, _, _ = linear_backward(
            dy, caches[2 * i], (grads[f"{prefix}.{i}.W"], grads[f"{prefix}.{i}.b"])
        )
        dy = activate_backward(dx, caches[2 * i - 1])
    return dy


def encode(
    params: Parameters, x: Array, config: VAEConfig
) -> tuple[tuple[Array, Array], list]:
    """q(z|x) = N(mu, exp(logvar)), diagonal        x (N, D) -> (mu, logvar), each (N, L), and the cache"""
    y, cache = mlp(params, "encoder", x, config)
    mu, logvar = y[:, : config.latent_dim], y[:, config.latent_dim :]
    return (mu, logvar), cache


def encode_backward(
    dmu: Array,
    dlogvar: Array,
    cache: list,
    config: VAEConfig,
    grads: Parameters | None = None,
) -> Parameters:
    """Write the encoder's gradients into grads (new, and 0 for the decoder, unless given); x is data: no dx."""
    grads = zero_parameters(config, dmu.dtype) if grads is None else grads
    dy = np.concatenate(
        [dmu, dlogvar], axis=1
    )  # mu and logvar are halves of one array, and so are their gradients
    dy = mlp_backward(dy, cache, "encoder", config, grads)
    linear_backward_params(
        dy, cache[0], (grads["encoder.0.W"], grads["encoder.0.b"])
    )  # no dx: a sixth of the work
    return grads


def decode(params: Parameters, z: Array, config: VAEConfig) -> tuple[Array, list]:
    """The parameter of p(x|z): logits (bernoulli) or means (normal)        z (..., L) -> y (..., D), and the cache"""
    y, cache = mlp(params, "decoder", z.reshape(-1, z.shape[-1]), config)  # JN rows
    return y.reshape(*z.shape[:-1], config.input_dim), cache


def decode_backward(
    dy: Array, cache: list, config: VAEConfig, grads: Parameters | None = None
) -> tuple[Array, Parameters]:
    """dy (..., D) -> dz (..., L), and grads, into which the decoder's gradients are written"""
    grads = zero_parameters(config, dy.dtype) if grads is None else grads
    shape = dy.shape[:-1]
    dy = mlp_backward(dy.reshape(-1, config.input_dim), cache, "decoder", config, grads)
    dz, _, _ = linear_backward(
        dy, cache[0], (grads["decoder.0.W"], grads["decoder.0.b"])
    )
    return dz.reshape(*shape, -1)[..., : config.latent_dim], grads


def prior_parameters(config: VAEConfig, dtype: np.dtype) -> tuple[Array, Array]:
    """(mu_p, logvar_p) as arrays that broadcast against (N, L)"""
    mu_p, logvar_p = config.prior
    return np.asarray(mu_p, dtype), np.asarray(logvar_p, dtype)


def split_class(x: Array, config: VAEConfig) -> tuple[Array, Array]:
    """x (N, D + C) -> the pixels (N, D), and c (N, C), which chapter 14 introduces; C = 0 without classes"""
    return x[:, : config.input_dim], x[:, config.input_dim :]


def join_class(z: Array, c: Array) -> Array:
    """z (J, N, L), c (N, C) -> [z, c] (J, N, L + C), the decoder's input; z itself without classes"""
    if c.shape[1] == 0:
        return z
    c = np.broadcast_to(c, (*z.shape[:-1], c.shape[1]))
    return np.concatenate([z, c], axis=-1)


def check_minibatch(x: Array, eps: Array, config: VAEConfig) -> None:
    """ValueError unless x is (N, D) and eps (J, N, L) with J ≥ 1: noise of another shape would broadcast."""
    N, L, columns = len(x), config.latent_dim, config.input_dim + config.num_classes
    if np.shape(x) != (N, columns):
        raise InputError(
            f"x must have the shape (N, {columns}), one row per image; it has {np.shape(x)}"
        )
    if np.ndim(eps) != 3 or np.shape(eps)[0] < 1 or np.shape(eps)[1:] != (N, L):
        raise InputError(
            f"eps must have the shape (J, {N}, {L}): J samples of {L} latents for each of the {N} images; "
            f"it has {np.shape(eps)}"
        )
