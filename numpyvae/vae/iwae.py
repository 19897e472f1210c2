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

import numpy as np
from numpy import ndarray as Array

from .gaussian import LOG_2PI, log_density, log_density_backward, reparameterize, reparameterize_backward
from .elbo import (decode, decode_backward, encode, encode_backward, log_likelihood, log_likelihood_backward, negative_elbo, negative_elbo_backward, prior)
from ..settings import VAEConfig
from .parameters import Parameters, parameter_shapes


def log_mean_exp(a: Array, axis: int = 0) -> Array:
    """log 1/K Σₖ exp(aₖ) = m + log 1/K Σₖ exp(aₖ − m), m the largest, so that nothing overflows; all −inf gives −inf"""
    m = a.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(a - m).mean(axis=axis)) + m.squeeze(axis)


def log_weights(params: Parameters, x: Array, mu: Array, logvar: Array, eps: Array, config: VAEConfig) -> tuple[Array, tuple]:
    """log wₖ = log p(x|zₖ) + log p(zₖ) − log q(zₖ|x)        eps (K, N, L) -> (K, N); and what the backward needs"""
    z = reparameterize(mu, logvar, eps)
    y, decoder = decode(params, z, config)
    log_px = log_likelihood(params, x, y, config)
    log_pz = log_density(z, *prior(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + logvar + eps**2).sum(axis=-1)
    return log_px + log_pz - log_qz, (z, y, decoder)


def negative_iwae(params: Parameters, x: Array, eps: Array, config: VAEConfig) -> tuple[float, tuple]:
    """loss = −1/N Σₙ log 1/K Σₖ w_nk        eps (K, N, L), in nats an image

    With K = 1 this is the ELBO, its KL sampled, too: there is no separate term for config.beta to weigh.
    """
    (mu, logvar), encoder = encode(params, x, config)
    log_w, weights = log_weights(params, x, mu, logvar, eps, config)
    loss = -log_mean_exp(log_w).mean()
    return loss, (params, config, x, eps, mu, logvar, encoder, log_w, weights)


def negative_iwae_backward(cache: tuple, out: Parameters | None = None, dloss: float = 1.0) -> Parameters:
    """dloss ∂loss/∂params; written into the Parameters `out`, if given, which is overwritten."""
    params, config, x, eps, mu, logvar, encoder, log_w, (z, y, decoder) = cache
    grads = Parameters(parameter_shapes(config), np.empty_like(params.vector)) if out is None else out
    w = np.exp(log_w - log_w.max(axis=0))
    dlog_w = -w / w.sum(axis=0) * (dloss / len(x))

    dy = log_likelihood_backward(grads, dlog_w, params, x, y, config)
    dz_likelihood = decode_backward(grads, dy, decoder, config)
    dz_prior, _, _ = log_density_backward(dlog_w[..., None], z, *prior(config, mu.dtype))
    dmu, dlogvar_z = reparameterize_backward(dz_likelihood + dz_prior, mu, logvar, eps)
    dlogvar_q = 0.5 * dlog_w.sum(axis=0)[:, None]  # from −log q = ½ logvar + …
    encode_backward(grads, dmu, dlogvar_z + dlogvar_q, encoder, config)
    return grads


OBJECTIVES = {"elbo": (negative_elbo, negative_elbo_backward), "iwae": (negative_iwae, negative_iwae_backward)}


def log_marginal(params: Parameters, x: Array, config: VAEConfig, samples: int, rng: np.random.Generator,
                 rows: int = 400) -> tuple[Array, Array]:
    """log p(x) for each image from `samples` importance weights, and its standard error        x (N, D) -> (N,), (N,)

    The estimate is L_K's: low by about half its squared standard error, as little as K makes it. The standard error is
    that of log(mean w), std(w)/(√K mean w), to first order. Weights are made about `rows` at a time, so that their
    pixels fit the cache, and folded into their running maximum m, Σ exp(log w − m) and Σ exp(log w − m)²: memory does
    not grow with K. If every weight is 0, log p(x) is −inf, and its standard error nobody knows: NaN.
    """
    (mu, logvar), _ = encode(params, x, config)
    m, s1, s2 = np.full(len(x), np.finfo(np.float64).min), np.zeros(len(x)), np.zeros(len(x))
    done, step = 0, max(1, rows // len(x))
    while done < samples:
        k = min(step, samples - done)
        eps = rng.standard_normal((k, *mu.shape), dtype=mu.dtype)
        log_w = log_weights(params, x, mu, logvar, eps, config)[0].astype(np.float64)
        new_m = np.maximum(m, log_w.max(axis=0))
        scale, w = np.exp(m - new_m), np.exp(log_w - new_m)
        s1, s2, m, done = s1 * scale + w.sum(axis=0), s2 * scale**2 + (w * w).sum(axis=0), new_m, done + k
    mean = s1 / samples
    variance = np.maximum(s2 / samples - mean**2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return m + np.log(mean), np.sqrt(variance / samples) / mean
