"""Importance weights: tighter bounds on log p(x), and log p(x) itself.

The first line of the derivation is an estimator. p(x) = E_q[w] with the importance weight w = p(x,z)/q(z|x), so a mean
of K weights estimates p(x) without bias. Its logarithm is below log p(x) in expectation (Jensen again), and rises to it:

    L_K = E[ log 1/K Σₖ wₖ ]        ELBO = L₁ ≤ L₂ ≤ … → log p(x)        wₖ = p(x|zₖ) p(zₖ) / q(zₖ|x)

With z = mu + σ eps, (z − mu)/σ is eps itself, and so log q(z|x) = −½ Σ (log 2π + logvar + eps²). If q is the exact
posterior, every weight is p(x): no variance, no gap. In general log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)).

L_K can be trained, too (`negative_iwae`). By ∂ log Σ exp(aₖ) = Σ softmax(a)ₖ ∂aₖ, the gradient is that of the log
weights, averaged with the normalized weights w̃ₖ = wₖ/Σw: better samples count for more.

Source: Burda, Grosse & Salakhutdinov 2016, eqs. 8, 13 and 14. Next: adam.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from .gaussian import LOG_2PI, log_density, log_density_backward, reparameterize, reparameterize_backward
from .likelihoods import LIKELIHOODS
from .model import check_noise, decode, decode_backward, encode, encode_backward, prior_parameters
from .parameters import Parameters, zero_parameters
from ..settings import VAEConfig


class WeightCache(NamedTuple):
    """The values that log_importance_weights leaves for a backward pass"""

    z: Array
    y: Array
    decoder_cache: list


class IwaeCache(NamedTuple):
    """The values of the forward pass that the backward pass needs"""

    params: Parameters
    config: VAEConfig
    x: Array
    eps: Array
    mu: Array
    logvar: Array
    encoder_cache: list
    log_w: Array  # (K, N)
    weight_cache: WeightCache


def log_mean_exp(a: Array, axis: int = 0) -> Array:
    """log 1/K Σₖ exp(aₖ) = m + log 1/K Σₖ exp(aₖ − m), m the largest, so that nothing overflows; all −inf gives −inf"""
    m = a.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(a - m).mean(axis=axis)) + m.squeeze(axis)


def log_importance_weights(params: Parameters, x: Array, mu: Array, logvar: Array, eps: Array,
                           config: VAEConfig) -> tuple[Array, WeightCache]:
    """log wₖ = log p(x|zₖ) + log p(zₖ) − log q(zₖ|x)        eps (K, N, L) -> (K, N), and the cache"""
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
    log_pz = log_density(z, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + logvar + eps**2).sum(axis=-1)
    return log_px + log_pz - log_qz, WeightCache(z, y, decoder_cache)


def negative_iwae(params: Parameters, x: Array, eps: Array, config: VAEConfig) -> tuple[float, IwaeCache]:
    """loss = −1/N Σₙ log 1/K Σₖ w_nk        eps (K, N, L), in nats per image, and the cache

    With K = 1 this is the ELBO with a sampled KL; there is no KL term for beta to weight.
    ValueError if eps has another shape.
    """
    check_noise(eps, x, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    log_w, weight_cache = log_importance_weights(params, x, mu, logvar, eps, config)
    loss = -log_mean_exp(log_w).mean()
    return loss, IwaeCache(params, config, x, eps, mu, logvar, encoder_cache, log_w, weight_cache)


def negative_iwae_backward(cache: IwaeCache, dloss: float = 1.0, grads: Parameters | None = None) -> Parameters:
    """dloss ∂loss/∂params; written into the Parameters `grads`, if given, which is overwritten."""
    params, config, x, eps, mu, logvar, encoder_cache, log_w, (z, y, decoder_cache) = cache
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    w = np.exp(log_w - log_w.max(axis=0))
    dlog_w = -w / w.sum(axis=0) * (dloss / len(x))

    dy = LIKELIHOODS[config.likelihood].log_prob_backward(dlog_w, params, x, y, config, grads)
    dz_likelihood, _ = decode_backward(dy, decoder_cache, config, grads)
    dz_prior, _, _ = log_density_backward(dlog_w[..., None], z, *prior_parameters(config, mu.dtype))
    dmu, dlogvar_z = reparameterize_backward(dz_likelihood + dz_prior, mu, logvar, eps)
    dlogvar_q = 0.5 * dlog_w.sum(axis=0)[:, None]  # from −log q = ½ logvar + …
    return encode_backward(dmu, dlogvar_z + dlogvar_q, encoder_cache, config, grads)


def log_marginal(params: Parameters, x: Array, config: VAEConfig, num_samples: int, rng: np.random.Generator,
                 chunk_rows: int = 400) -> tuple[Array, Array]:
    """log p(x) for each image from `num_samples` importance weights, and its standard error        x (N, D) -> (N,), (N,)

    The estimate is L_K's: low by about half its squared standard error, as little as K makes it. The standard error is
    that of log(mean w), std(w)/(√K mean w), to first order. Weights are made about `chunk_rows` at a time, so that their
    pixels fit the cache, and folded into their running maximum m, Σ exp(log w − m) and Σ exp(log w − m)²: memory does
    not grow with K. If every weight is 0, log p(x) is −inf, and its standard error nobody knows: NaN.
    """
    (mu, logvar), _ = encode(params, x, config)
    m, s1, s2 = np.full(len(x), np.finfo(np.float64).min), np.zeros(len(x)), np.zeros(len(x))
    done, chunk = 0, max(1, chunk_rows // len(x))
    while done < num_samples:
        k = min(chunk, num_samples - done)
        eps = rng.standard_normal((k, *mu.shape), dtype=mu.dtype)
        log_w = log_importance_weights(params, x, mu, logvar, eps, config)[0].astype(np.float64)
        new_m = np.maximum(m, log_w.max(axis=0))
        scale, w = np.exp(m - new_m), np.exp(log_w - new_m)
        s1, s2, m, done = s1 * scale + w.sum(axis=0), s2 * scale**2 + (w * w).sum(axis=0), new_m, done + k
    mean = s1 / num_samples
    variance = np.maximum(s2 / num_samples - mean**2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return m + np.log(mean), np.sqrt(variance / num_samples) / mean
