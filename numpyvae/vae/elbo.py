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

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from .gaussian import kl_divergence, kl_divergence_backward, reparameterize, reparameterize_backward
from .likelihoods import LIKELIHOODS
from .model import check_noise, decode, decode_backward, encode, encode_backward, prior_parameters
from .parameters import Parameters, zero_parameters
from ..settings import VAEConfig


class ElboCache(NamedTuple):
    """The values of the forward pass that the backward pass needs"""

    params: Parameters
    config: VAEConfig
    x: Array
    eps: Array
    mu: Array
    logvar: Array
    y: Array
    encoder_cache: list
    decoder_cache: list
    log_px: Array  # E_q[log p(x|z)], estimated by J samples (N,)
    kl: Array  # KL(q(z|x) ‖ p(z)) (N,)


def elbo_terms(params: Parameters, x: Array, eps: Array, config: VAEConfig) -> tuple[Array, Array, ElboCache]:
    """log_px = 1/J Σⱼ log p(x|zⱼ) and kl = KL(q(z|x) ‖ p(z)) of each image, (N,) and (N,), in nats; and the cache

    x (N, D) in [0, 1], or any real number for the normal likelihood; eps ~ N(0, 1), (J, N, L).
    ValueError if eps has another shape.
    """
    check_noise(eps, x, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config).sum(axis=0) / len(eps)
    kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    return log_px, kl, ElboCache(params, config, x, eps, mu, logvar, y, encoder_cache, decoder_cache, log_px, kl)


def negative_elbo(params: Parameters, x: Array, eps: Array, config: VAEConfig) -> tuple[float, ElboCache]:
    """loss = 1/N Σₙ ( β KLₙ − 1/J Σⱼ log p(xₙ|z_nj) )        in nats per image, and the cache; arguments as elbo_terms"""
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return (config.beta * kl - log_px).sum() / len(x), cache


def negative_elbo_backward(cache: ElboCache, dloss: float = 1.0, grads: Parameters | None = None) -> Parameters:
    """dloss ∂loss/∂params, with the keys of params; written into the Parameters `grads`, if given, which is overwritten."""
    params, config, x, eps, mu, logvar, y, encoder_cache, decoder_cache, _, _ = cache
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N  # ∂loss/∂KLₙ
    dlog_px = np.full((J, N), -dloss / (J * N), y.dtype)  # ∂loss/∂log p(xₙ|z_nj)

    dmu_kl, dlogvar_kl = kl_divergence_backward(dkl, mu, logvar, *prior_parameters(config, mu.dtype))
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(dlog_px, params, x, y, config, grads)
    dz, _ = decode_backward(dy, decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    return encode_backward(dmu_z + dmu_kl, dlogvar_z + dlogvar_kl, encoder_cache, config, grads)
