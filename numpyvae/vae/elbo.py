"""The variational autoencoder: its bound on log p(x), and the gradient of that bound.

The model draws z, which nobody sees, from the prior p(z), and then the data x from the decoder p(x|z): together,
p(x,z) = p(x|z) p(z). The likelihood log p(x) = log ∫ p(x,z) dz has no closed form, since z goes through a network, nor
has p(z|x) = p(x,z)/p(x), the posterior. But any density q(z|x), the encoder, gives a bound on the likelihood. Multiply
and divide by q, and use Jensen's inequality (log is concave):

    log p(x) = log E_q[p(x,z)/q(z|x)]  ≥  E_q[log p(x,z)/q(z|x)]  =  E_q[log p(x|z)] − KL(q(z|x) ‖ p(z))  =  ELBO(x)

The gap is log p(x) − ELBO = E_q[log q(z|x) p(x)/p(x,z)] = KL(q(z|x) ‖ p(z|x)) ≥ 0: a higher ELBO is a higher likelihood
or a smaller gap; in the encoder, on which log p(x) does not depend, a smaller gap. The ELBO's first term, the
reconstruction, is estimated with J samples z_j = mu + σ eps_j; the second is a closed form:

    loss = 1/N Σₙ ( β KL(q(z|xₙ) ‖ p(z))  −  1/J Σⱼ log p(xₙ|z_nj) )        in nats an image, to be minimized

Here is the one place where signs and scales are chosen: the loss is the *negative* bound, *summed* over pixels and
latents, a *mean* over the N images and J samples. β = 1 is the bound; another β weighs its two terms differently.

`negative_elbo_backward` is `negative_elbo` read from the bottom up; its first two values undo both means. Nothing here
draws a random number: the noise eps is an argument.

Source: Kingma & Welling 2014, eqs. 1 to 3 and 8; Higgins et al. 2017 for β. Next: bounds.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from . import bernoulli
from .gaussian import (kl_divergence, kl_divergence_backward, log_density, log_density_backward,
                       reparameterize, reparameterize_backward)
from .layers import (linear, linear_backward, linear_backward_parameters,
                     relu, relu_backward, tanh, tanh_backward)
from ..settings import VAEConfig
from .parameters import Parameters, init_params, parameter_shapes

ACTIVATIONS = {"relu": (relu, relu_backward), "tanh": (tanh, tanh_backward)}


def network(params: Parameters, part: str, x: Array, config: VAEConfig) -> tuple[Array, list]:
    """linear, then an activation and linear again for each hidden layer        x (N, I) -> y (N, O)

    caches = [linear 0, activation 1, linear 1, …]: linear i at 2i, the activation before it at 2i − 1
    """
    activate, _ = ACTIVATIONS[config.activation]
    x, cache = linear(x, params[f"{part}.0.W"], params[f"{part}.0.b"])
    caches = [cache]
    for i in range(1, len(config.hidden_dims) + 1):
        x, activation_cache = activate(x)
        x, linear_cache = linear(x, params[f"{part}.{i}.W"], params[f"{part}.{i}.b"])
        caches += [activation_cache, linear_cache]
    return x, caches


def network_backward(grads: Parameters, part: str, dy: Array, caches: list, config: VAEConfig) -> Array | None:
    """Writes the gradients of part's parameters into grads; returns dx, or None for the encoder, whose x is data."""
    _, activate_backward = ACTIVATIONS[config.activation]
    for i in range(len(config.hidden_dims), 0, -1):
        dy, _, _ = linear_backward(dy, caches[2 * i], out=(grads[f"{part}.{i}.W"], grads[f"{part}.{i}.b"]))
        dy = activate_backward(dy, caches[2 * i - 1])
    out = grads[f"{part}.0.W"], grads[f"{part}.0.b"]
    if part == "encoder":
        linear_backward_parameters(dy, caches[0], out)  # at 784-400-20 and J = 1, a sixth of the step's products saved
        return None
    return linear_backward(dy, caches[0], out)[0]


def encode(params: Parameters, x: Array, config: VAEConfig) -> tuple[tuple[Array, Array], list]:
    """q(z|x) = N(mu, exp(logvar)), diagonal        x (N, D) -> (mu, logvar), each (N, L), and the cache"""
    y, cache = network(params, "encoder", x, config)
    return (y[:, : config.latent_dim], y[:, config.latent_dim :]), cache


def encode_backward(grads: Parameters, dmu: Array, dlogvar: Array, cache: list, config: VAEConfig) -> None:
    """Writes the encoder's gradients into grads; mu and logvar were halves of one array, so their gradients are, too."""
    network_backward(grads, "encoder", np.concatenate([dmu, dlogvar], axis=1), cache, config)


def decode(params: Parameters, z: Array, config: VAEConfig) -> tuple[Array, list]:
    """The parameter of p(x|z): logits (bernoulli), the mean (normal)        z (..., L) -> y (..., D), and the cache"""
    y, cache = network(params, "decoder", z.reshape(-1, config.latent_dim), config)
    return y.reshape(*z.shape[:-1], config.input_dim), cache


def decode_backward(grads: Parameters, dy: Array, cache: list, config: VAEConfig) -> Array:
    """Writes the decoder's gradients into grads; returns dz in the shape of z."""
    dz = network_backward(grads, "decoder", dy.reshape(-1, config.input_dim), cache, config)
    return dz.reshape(*dy.shape[:-1], config.latent_dim)


def log_likelihood(params: Parameters, x: Array, y: Array, config: VAEConfig) -> Array:
    """log p(x|z), where y = decode(z)        x (N, D), y (..., N, D) -> (..., N)"""
    if config.likelihood == "bernoulli":
        return bernoulli.log_likelihood(x, y)
    return log_density(x, y, decoder_logvar(params, y.dtype, config)).sum(axis=-1)


def log_likelihood_backward(grads: Parameters, dlog_px: Array, params: Parameters, x: Array, y: Array,
                            config: VAEConfig) -> Array:
    """dlog_px (..., N) -> dy (..., N, D); a learned logvar_x gets its gradient written into grads."""
    if config.likelihood == "bernoulli":
        return bernoulli.log_likelihood_backward(dlog_px, x, y)
    _, dy, dlogvar_x = log_density_backward(dlog_px[..., None], x, y, decoder_logvar(params, y.dtype, config))
    if "logvar_x" in grads:
        grads["logvar_x"][...] = dlogvar_x.sum()
    return dy


def decoder_logvar(params: Parameters, dtype: np.dtype, config: VAEConfig) -> Array:
    """log s² of the normal decoder: learned, or as configured"""
    return params["logvar_x"] if config.logvar_x is None else dtype.type(config.logvar_x)


def prior(config: VAEConfig, dtype: np.dtype) -> tuple[Array, Array]:
    """(mu_p, logvar_p) as arrays that broadcast against (N, L)"""
    return tuple(np.asarray(p, dtype) for p in config.prior)


class Cache(NamedTuple):
    """What the backward pass needs of the forward pass; and the two terms of each image's bound, for whoever reports."""

    params: Parameters
    config: VAEConfig
    x: Array
    eps: Array
    mu: Array
    logvar: Array
    y: Array
    encoder: list
    decoder: list
    reconstruction: Array  # E_q[log p(x|z)], estimated (N,)
    kl: Array  # KL(q(z|x) ‖ p(z)) (N,)


def negative_elbo(params: Parameters, x: Array, eps: Array, config: VAEConfig) -> tuple[float, Cache]:
    """loss = 1/N Σₙ ( β KLₙ − 1/J Σⱼ log p(xₙ|z_nj) )

    x (N, D) in [0, 1], or any real number for the normal decoder; eps ~ N(0, 1), (N, L) or (J, N, L) for J samples.
    Returns the loss in nats an image, and the cache. With the normal decoder log p(x|z) is a density, which may exceed
    1: the loss may then be negative.
    """
    (mu, logvar), encoder = encode(params, x, config)
    z = reparameterize(mu, logvar, eps)
    y, decoder = decode(params, z, config)
    log_px = log_likelihood(params, x, y, config)
    J = log_px.size // len(x)
    reconstruction = log_px.reshape(J, len(x)).sum(axis=0) / J
    kl = kl_divergence(mu, logvar, *prior(config, mu.dtype)).sum(axis=-1)
    loss = (config.beta * kl - reconstruction).sum() / len(x)
    return loss, Cache(params, config, x, eps, mu, logvar, y, encoder, decoder, reconstruction, kl)


def negative_elbo_backward(cache: Cache, out: Parameters | None = None, dloss: float = 1.0) -> Parameters:
    """dloss ∂loss/∂params, with the keys of params; written into the Parameters `out`, if given, which is overwritten."""
    params, config, x, eps, mu, logvar, y, encoder, decoder, _, _ = cache
    grads = Parameters(parameter_shapes(config), np.empty_like(params.vector)) if out is None else out
    dkl = dloss * config.beta / len(x)  # ∂loss/∂KLₙ
    dlog_px = np.full(y.shape[:-1], -dloss / math.prod(y.shape[:-1]), y.dtype)  # ∂loss/∂log p(xₙ|z_nj) = −1/(NJ)

    dmu_kl, dlogvar_kl = kl_divergence_backward(dkl, mu, logvar, *prior(config, mu.dtype))
    dy = log_likelihood_backward(grads, dlog_px, params, x, y, config)
    dz = decode_backward(grads, dy, decoder, config)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    encode_backward(grads, dmu_z + dmu_kl, dlogvar_z + dlogvar_kl, encoder, config)
    return grads
