"""Chapter 10. Importance weights: tighter bounds on log p(x), and log p(x) itself.

By (7.1), p(x) = E_q[w] with the importance weight w = p(x,z)/q(z|x). So the mean of K weights, of independent samples
z₁ … z_K ~ q(z|x), is an unbiased estimate of p(x). The expectation of its logarithm is a bound:

    (10.1)  wₖ = p(x|zₖ) p(zₖ)/q(zₖ|x)        zₖ = mu + σ epsₖ, so that log q(zₖ|x) = −½ Σ (log 2π + logvar + epsₖ²)
    (10.2)  ELBO_K = E[log 1/K Σₖ wₖ]         ELBO = ELBO₁ ≤ ELBO₂ ≤ … → log p(x)

A bound for each K: by Jensen's inequality E[log mean w] ≤ log E[mean w] = log p(x). Tighter with each K: the mean of
K + 1 weights is the mean of K + 1 means, of which Mᵢ is that of all weights but wᵢ. Since log is concave,

    (10.3)  ELBO_(K+1) = E[log 1/(K+1) Σᵢ Mᵢ] ≥ 1/(K+1) Σᵢ E[log Mᵢ] = ELBO_K

The limit: by the law of large numbers mean w → p(x), so log mean w → log p(x), and so does its expectation if the
weights are bounded. With mean w = p(x)(1 + δ), E δ = 0 and log(1 + δ) ≈ δ − δ²/2, the gap is about E δ²/2, which is
var w/(2K p(x)²): it falls as 1/K. If q is the exact posterior, every weight is p(x): no variance, no gap.

ELBO_K can also be trained. Its gradient weights the gradients of the log wₖ, and larger wₖ contribute more:

    (10.4)  w̃ₖ = wₖ/Σᵢ wᵢ        ∂ log Σₖ exp(log wₖ) = Σₖ exp(log wₖ) ∂ log wₖ / Σᵢ exp(log wᵢ) = Σₖ w̃ₖ ∂ log wₖ

In the decoder's gradient sample k has the weight w̃ₖ in place of 1/J. Two gradients meet at zₖ, of log p(x|zₖ) and of
log p(zₖ); and two at logvar: through zₖ, and ½, from the term ½ logvar of −log q(zₖ|x). At mu there is only that
through zₖ: by (10.1) log q has no mu for fixed eps. Unlike J, K changes the loss. The decoder's time grows as K.

Source: Burda, Grosse & Salakhutdinov 2016, theorem 1 and eqs. 8, 13 and 14.
"""

import numpy as np
from numpy import ndarray as Array

from ..settings import VAEConfig
from .elbo import ForwardCache
from .gaussian import (
    LOG_2PI,
    log_density,
    log_density_backward,
    reparameterize,
    reparameterize_backward,
)
from .likelihoods import LIKELIHOODS
from .model import (
    check_minibatch,
    decode,
    decode_backward,
    encode,
    encode_backward,
    join_class,
    prior_parameters,
    split_class,
)
from .parameters import Parameters, zero_parameters


def log_mean_exp(a: Array, axis: int = 0) -> Array:
    """log 1/K Σₖ exp(aₖ) = m + log 1/K Σₖ exp(aₖ − m), m the largest, so that nothing overflows; all −inf gives −inf"""
    m = a.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(a - m).mean(axis=axis)) + m.squeeze(axis)


def normalized_weights(log_w: Array) -> Array:
    """w̃ₖ = wₖ/Σᵢ wᵢ of each image        (K, N) -> (K, N); the largest of each image is taken out before exp"""
    w = np.exp(log_w - log_w.max(axis=0))
    return w / w.sum(axis=0)


def log_importance_weights(
    params: Parameters,
    x: Array,
    mu: Array,
    logvar: Array,
    eps: Array,
    config: VAEConfig,
) -> tuple[Array, Array, Array, list]:
    """log wₖ = log p(x|zₖ) + log p(zₖ) − log q(zₖ|x)        (10.1), eps (K, N, L) -> (K, N); and z, y, decoder_cache"""
    z = reparameterize(mu, logvar, eps)
    x, c = split_class(x, config)
    y, decoder_cache = decode(params, join_class(z, c), config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
    log_pz = log_density(z, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + logvar + eps**2).sum(axis=-1)
    return log_px + log_pz - log_qz, z, y, decoder_cache


def negative_iwae(
    params: Parameters, x: Array, eps: Array, config: VAEConfig
) -> tuple[float, ForwardCache]:
    """loss = −1/N Σₙ log 1/K Σₖ w_nk        eps (K, N, L), in nats per image, and the cache

    With K = 1 this is the ELBO with a sampled KL; β is not used. ValueError if x or eps has another shape.
    """
    check_minibatch(x, eps, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    log_w, z, y, decoder_cache = log_importance_weights(
        params, x, mu, logvar, eps, config
    )
    loss = -log_mean_exp(log_w).mean()
    x, _ = split_class(x, config)
    return loss, ForwardCache(
        params, config, x, eps, mu, logvar, z, y, encoder_cache, decoder_cache, log_w
    )


def negative_iwae_backward(
    cache: ForwardCache, dloss: float = 1.0, grads: Parameters | None = None
) -> Parameters:
    """dloss ∂loss/∂params, by (10.4); written into `grads`, if given, which is overwritten."""
    dlog_w = -normalized_weights(cache.log_w) * (dloss / len(cache.x))
    dz, grads = joint_backward(dlog_w, cache, grads)
    dmu, dlogvar_z = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
    dlogvar_q = 0.5 * dlog_w.sum(axis=0)[:, None]  # from −log q = ½ logvar + …
    return encode_backward(
        dmu, dlogvar_z + dlogvar_q, cache.encoder_cache, cache.config, grads
    )


def joint_backward(
    dlog_w: Array, cache: ForwardCache, grads: Parameters | None
) -> tuple[Array, Parameters]:
    """dz (K, N, L) of log p(x,z) = log p(x|z) + log p(z), the sum of two gradients; and grads, with the decoder's"""
    params, config, z = cache.params, cache.config, cache.z
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_w, params, cache.x, cache.y, config, grads
    )
    dz_likelihood, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dz_prior, _, _ = log_density_backward(
        dlog_w[..., None], z, *prior_parameters(config, z.dtype)
    )
    return dz_likelihood + dz_prior, grads


def log_marginal(
    params: Parameters,
    x: Array,
    config: VAEConfig,
    num_samples: int,
    rng: np.random.Generator,
    chunk_rows: int = 400,
) -> tuple[Array, Array]:
    """log p(x) of each image from K = num_samples importance weights, and its standard error    (N, D) -> (N,), (N,)

    The standard error is that of log(mean w) to first order, √(var w/K)/mean w, var w unbiased, over K − 1. It is NaN
    for K = 1, and if all w are 0: log p(x) is −inf. The estimate is too low, by about half the squared error.

    Weights are computed in chunks of about chunk_rows rows, whose pixels fit the cache, and summed in float64, relative
    to each image's running maximum m: s1 = Σ exp(log w − m), s2 = Σ (exp(log w − m))². Memory does not grow with K.
    """
    (mu, logvar), _ = encode(params, x, config)
    m = np.full(
        len(x), np.finfo(np.float64).min
    )  # not −inf: if every weight is 0, m − new_m would be NaN
    s1, s2 = np.zeros((2, len(x)))
    chunk = max(1, chunk_rows // len(x))
    for done in range(0, num_samples, chunk):
        eps = rng.standard_normal(
            (min(chunk, num_samples - done), *mu.shape), dtype=mu.dtype
        )
        log_w = log_importance_weights(params, x, mu, logvar, eps, config)[0].astype(
            np.float64
        )
        new_m = np.maximum(m, log_w.max(axis=0))
        scale = np.exp(m - new_m)
        w = np.exp(log_w - new_m)
        s1 = s1 * scale + w.sum(axis=0)
        s2 = s2 * scale**2 + (w * w).sum(axis=0)
        m = new_m
    mean = s1 / num_samples
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(s2 - num_samples * mean**2, 0) / np.float64(
            num_samples - 1
        )
        return m + np.log(mean), np.sqrt(variance / num_samples) / mean
