"""Known errors in book one's model, bound and importance weights."""

import numpy as np

from ...vae.elbo import ForwardCache, elbo_terms
from ...vae.gaussian import (
    LOG_2PI,
    kl_divergence,
    kl_divergence_backward,
    log_density,
    reparameterize,
    reparameterize_backward,
)
from ...vae.gradient_estimators import _path_derivative
from ...vae.iwae import (
    joint_backward,
    log_importance_weights,
    log_mean_exp,
    negative_iwae,
    normalized_weights,
)
from ...vae.layers import linear, linear_backward, linear_backward_params
from ...vae.likelihoods import LIKELIHOODS
from ...vae.model import (
    ACTIVATIONS,
    check_minibatch,
    decode,
    decode_backward,
    encode,
    encode_backward,
    mlp_backward,
    prior_parameters,
)
from ...vae.parameters import zero_parameters
from ..judge.known_errors import KnownError


def _iwae(reduce):
    """negative_iwae with reduce(log_w) for its loss"""

    def loss(params, x, eps, config):
        _, cache = negative_iwae(params, x, eps, config)
        return reduce(cache.log_w), cache

    return loss


PYRO = "Pyro, VAE example, pull request 1896"
KERAS = "Keras, VAE example, pull request 3383"


def _mlp_1(params, prefix, x, config):
    activate, _ = ACTIVATIONS[config.activation]
    x, cache = linear(x, params[f"{prefix}.0.W"], params[f"{prefix}.0.b"])
    caches = [cache]
    for i in range(1, len(config.hidden_dims) + 1):
        _, activation_cache = activate(x)
        x, linear_cache = linear(
            x, params[f"{prefix}.{i}.W"], params[f"{prefix}.{i}.b"]
        )
        caches += [activation_cache, linear_cache]
    return (x, caches)


def _mlp_backward_1(dy, caches, prefix, config, grads):
    _, activate_backward = ACTIVATIONS[config.activation]
    for i in range(len(config.hidden_dims), 0, -1):
        dx, _, _ = linear_backward(
            dy, caches[2 * i], (grads[f"{prefix}.{i}.W"], grads[f"{prefix}.{i}.b"])
        )
        dy = dx
    return dy


def _mlp_backward_2(dy, caches, prefix, config, grads):
    _, activate_backward = ACTIVATIONS[config.activation]
    for i in range(1, len(config.hidden_dims) + 1):
        dx, _, _ = linear_backward(
            dy, caches[2 * i], (grads[f"{prefix}.{i}.W"], grads[f"{prefix}.{i}.b"])
        )
        dy = activate_backward(dx, caches[2 * i - 1])
    return dy


def _encode_backward_1(dmu, dlogvar, cache, config, grads=None):
    grads = zero_parameters(config, dmu.dtype) if grads is None else grads
    dy = np.concatenate([dlogvar, dmu], axis=1)
    dy = mlp_backward(dy, cache, "encoder", config, grads)
    linear_backward_params(dy, cache[0], (grads["encoder.0.W"], grads["encoder.0.b"]))
    return grads


def _encode_backward_2(dmu, dlogvar, cache, config, grads=None):
    grads = zero_parameters(config, dmu.dtype) if grads is None else grads
    dy = np.concatenate([dmu, dlogvar], axis=1)
    dy = mlp_backward(dy, cache, "encoder", config, grads)
    return grads


def _decode_backward_1(dy, cache, config, grads=None):
    grads = zero_parameters(config, dy.dtype) if grads is None else grads
    shape = dy.shape[:-1]
    dy = mlp_backward(dy.reshape(-1, config.input_dim), cache, "decoder", config, grads)
    dz, _, _ = linear_backward(
        0 * dy, cache[0], (grads["decoder.0.W"], grads["decoder.0.b"])
    )
    return (dz.reshape(*shape, config.latent_dim), grads)


def _elbo_terms_1(params, x, eps, config):
    check_minibatch(x, eps, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config).sum(axis=0)
    kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    return (
        log_px,
        kl,
        ForwardCache(
            params, config, x, eps, mu, logvar, z, y, encoder_cache, decoder_cache
        ),
    )


def _elbo_terms_2(params, x, eps, config):
    check_minibatch(x, eps, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config).sum(
        axis=0
    ) / len(eps)
    kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).mean(axis=-1)
    return (
        log_px,
        kl,
        ForwardCache(
            params, config, x, eps, mu, logvar, z, y, encoder_cache, decoder_cache
        ),
    )


def _elbo_terms_3(params, x, eps, config):
    check_minibatch(x, eps, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config).sum(
        axis=0
    ) / len(eps)
    kl = kl_divergence(mu, logvar).sum(axis=-1)
    return (
        log_px,
        kl,
        ForwardCache(
            params, config, x, eps, mu, logvar, z, y, encoder_cache, decoder_cache
        ),
    )


def _elbo_terms_4(params, x, eps, config):
    check_minibatch(x, eps, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    z = reparameterize(mu, logvar, 0 * eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config).sum(
        axis=0
    ) / len(eps)
    kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    return (
        log_px,
        kl,
        ForwardCache(
            params, config, x, eps, mu, logvar, z, y, encoder_cache, decoder_cache
        ),
    )


def _negative_elbo_1(params, x, eps, config):
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return ((-config.beta * kl - log_px).sum() / len(x), cache)


def _negative_elbo_2(params, x, eps, config):
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return ((config.beta * kl - log_px).sum(), cache)


def _negative_elbo_3(params, x, eps, config):
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return ((log_px - config.beta * kl).sum() / len(x), cache)


def _negative_elbo_4(params, x, eps, config):
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return ((kl - config.beta * log_px).sum() / len(x), cache)


def _negative_elbo_5(params, x, eps, config):
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return ((kl - log_px).sum() / len(x), cache)


def _negative_elbo_6(params, x, eps, config):
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return ((-log_px).sum() / len(x), cache)


def _negative_elbo_7(params, x, eps, config):
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return ((config.beta * kl - log_px).sum() / x.size, cache)


def _negative_elbo_backward_1(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_2(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss / N
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_3(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), -dloss / N, y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_4(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), -dloss / J, y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_5(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_6(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = config.beta / N
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_7(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_8(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_z
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_9(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_10(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_kl
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_11(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_kl
    dlogvar = dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _negative_elbo_backward_12(cache, dloss=1.0, grads=None):
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(dkl, mu, logvar)
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl
    dlogvar = dlogvar_z + dlogvar_kl
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)


def _log_mean_exp_1(a, axis=0):
    m = a.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(a - m).sum(axis=axis)) + m.squeeze(axis)


def _normalized_weights_1(log_w):
    w = np.exp(log_w - log_w.max(axis=0))
    return w / w.sum(axis=1, keepdims=True)


def _normalized_weights_2(log_w):
    w = np.exp(log_w - log_w.max(axis=0))
    return w / w.sum()


def _normalized_weights_3(log_w):
    w = np.exp(log_w - log_w.max(axis=0))
    return w


def _log_importance_weights_1(params, x, mu, logvar, eps, config):
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
    log_pz = log_density(z, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + logvar + eps**2).sum(axis=-1)
    return (log_px - log_qz, z, y, decoder_cache)


def _log_importance_weights_2(params, x, mu, logvar, eps, config):
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
    log_pz = log_density(z, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + logvar + eps**2).sum(axis=-1)
    return (log_px + log_pz + log_qz, z, y, decoder_cache)


def _log_importance_weights_3(params, x, mu, logvar, eps, config):
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
    log_pz = log_density(z, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + logvar + eps**2).sum(axis=-1)
    return (log_px + log_pz, z, y, decoder_cache)


def _log_importance_weights_4(params, x, mu, logvar, eps, config):
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
    log_pz = log_density(z, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + 0 * logvar + eps**2).sum(axis=-1)
    return (log_px + log_pz - log_qz, z, y, decoder_cache)


def _log_importance_weights_5(params, x, mu, logvar, eps, config):
    z = reparameterize(mu, logvar, eps)
    y, decoder_cache = decode(params, z, config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
    log_pz = log_density(z, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + logvar + z**2).sum(axis=-1)
    return (log_px + log_pz - log_qz, z, y, decoder_cache)


def _negative_iwae_backward_1(cache, dloss=1.0, grads=None):
    dlog_w = -np.full_like(cache.log_w, 1 / len(cache.log_w)) * (dloss / len(cache.x))
    dz, grads = joint_backward(dlog_w, cache, grads)
    dmu, dlogvar_z = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
    dlogvar_q = 0.5 * dlog_w.sum(axis=0)[:, None]
    return encode_backward(
        dmu, dlogvar_z + dlogvar_q, cache.encoder_cache, cache.config, grads
    )


def _negative_iwae_backward_2(cache, dloss=1.0, grads=None):
    dlog_w = -normalized_weights(cache.log_w) * (dloss / len(cache.x))
    dz, grads = joint_backward(dlog_w, cache, grads)
    dmu, dlogvar_z = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
    dlogvar_q = 0.5 * dlog_w.sum(axis=0)[:, None]
    return encode_backward(dmu, dlogvar_z, cache.encoder_cache, cache.config, grads)


def _negative_iwae_backward_3(cache, dloss=1.0, grads=None):
    dlog_w = -normalized_weights(cache.log_w) * (dloss / len(cache.x))
    dz, grads = joint_backward(dlog_w, cache, grads)
    dmu, dlogvar_z = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
    dlogvar_q = dlog_w.sum(axis=0)[:, None]
    return encode_backward(
        dmu, dlogvar_z + dlogvar_q, cache.encoder_cache, cache.config, grads
    )


def _negative_iwae_backward_4(cache, dloss=1.0, grads=None):
    dlog_w = -normalized_weights(cache.log_w) * dloss
    dz, grads = joint_backward(dlog_w, cache, grads)
    dmu, dlogvar_z = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
    dlogvar_q = 0.5 * dlog_w.sum(axis=0)[:, None]
    return encode_backward(
        dmu, dlogvar_z + dlogvar_q, cache.encoder_cache, cache.config, grads
    )


def _negative_iwae_backward_5(cache, dloss=1.0, grads=None):
    dlog_w = -normalized_weights(cache.log_w) * (1 / len(cache.x))
    dz, grads = joint_backward(dlog_w, cache, grads)
    dmu, dlogvar_z = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
    dlogvar_q = 0.5 * dlog_w.sum(axis=0)[:, None]
    return encode_backward(
        dmu, dlogvar_z + dlogvar_q, cache.encoder_cache, cache.config, grads
    )


def _log_marginal_1(params, x, config, num_samples, rng, chunk_rows=400):
    (mu, logvar), _ = encode(params, x, config)
    m = np.full(len(x), np.finfo(np.float64).min)
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
        return (m + np.log(mean), np.sqrt(variance) / mean)


def _log_marginal_2(params, x, config, num_samples, rng, chunk_rows=400):
    (mu, logvar), _ = encode(params, x, config)
    m = np.full(len(x), np.finfo(np.float64).min)
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
        return (m + np.log(mean), np.sqrt(variance / num_samples))


def _log_marginal_3(params, x, config, num_samples, rng, chunk_rows=400):
    (mu, logvar), _ = encode(params, x, config)
    m = np.full(len(x), np.finfo(np.float64).min)
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
        s1 = s1 + w.sum(axis=0)
        s2 = s2 * scale**2 + (w * w).sum(axis=0)
        m = new_m
    mean = s1 / num_samples
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(s2 - num_samples * mean**2, 0) / np.float64(
            num_samples - 1
        )
        return (m + np.log(mean), np.sqrt(variance / num_samples) / mean)


def _log_marginal_4(params, x, config, num_samples, rng, chunk_rows=400):
    (mu, logvar), _ = encode(params, x, config)
    m = np.full(len(x), np.finfo(np.float64).min)
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
        s2 = s2 * scale + (w * w).sum(axis=0)
        m = new_m
    mean = s1 / num_samples
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(s2 - num_samples * mean**2, 0) / np.float64(
            num_samples - 1
        )
        return (m + np.log(mean), np.sqrt(variance / num_samples) / mean)


def _log_marginal_5(params, x, config, num_samples, rng, chunk_rows=400):
    (mu, logvar), _ = encode(params, x, config)
    m = np.full(len(x), np.finfo(np.float64).min)
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
        return (m + np.log(s1), np.sqrt(variance / num_samples) / mean)


def _negative_elbo_stl_backward_1_helper(dlog_w, factor, cache, grads):
    dz, grads = joint_backward(dlog_w, cache, grads)
    dz_q = dlog_w[..., None] * cache.eps
    dmu, dlogvar = reparameterize_backward(
        factor * (dz + dz_q), cache.mu, cache.logvar, cache.eps
    )
    return encode_backward(dmu, dlogvar, cache.encoder_cache, cache.config, grads)


def _negative_elbo_stl_backward_1(cache, dloss=1.0, grads=None):
    dlog_w = np.full_like(cache.log_w, -dloss / cache.log_w.size)
    return _negative_elbo_stl_backward_1_helper(dlog_w, 1, cache, grads)


def _negative_elbo_stl_backward_2_helper(dlog_w, factor, cache, grads):
    dz, grads = joint_backward(dlog_w, cache, grads)
    dz_q = dlog_w[..., None] * cache.eps * np.exp(-0.5 * cache.logvar)
    dmu, dlogvar = reparameterize_backward(
        factor * dz, cache.mu, cache.logvar, cache.eps
    )
    return encode_backward(dmu, dlogvar, cache.encoder_cache, cache.config, grads)


def _negative_elbo_stl_backward_2(cache, dloss=1.0, grads=None):
    dlog_w = np.full_like(cache.log_w, -dloss / cache.log_w.size)
    return _negative_elbo_stl_backward_2_helper(dlog_w, 1, cache, grads)


def _negative_elbo_stl_backward_3_helper(dlog_w, factor, cache, grads):
    dz, grads = joint_backward(dlog_w, cache, grads)
    dz_q = dlog_w[..., None] * cache.eps * np.exp(-0.5 * cache.logvar)
    dmu, dlogvar = reparameterize_backward(
        factor * (dz - dz_q), cache.mu, cache.logvar, cache.eps
    )
    return encode_backward(dmu, dlogvar, cache.encoder_cache, cache.config, grads)


def _negative_elbo_stl_backward_3(cache, dloss=1.0, grads=None):
    dlog_w = np.full_like(cache.log_w, -dloss / cache.log_w.size)
    return _negative_elbo_stl_backward_3_helper(dlog_w, 1, cache, grads)


def _negative_elbo_stl_backward_4(cache, dloss=1.0, grads=None):
    dlog_w = np.full_like(cache.log_w, -dloss / len(cache.x))
    return _path_derivative(dlog_w, 1, cache, grads)


def _negative_iwae_dreg_backward_1(cache, dloss=1.0, grads=None):
    w = normalized_weights(cache.log_w)
    return _path_derivative(-w * (dloss / len(cache.x)), 1, cache, grads)


def _negative_iwae_dreg_backward_2_helper(dlog_w, factor, cache, grads):
    dz, grads = joint_backward(dlog_w, cache, grads)
    dz_q = dlog_w[..., None] * cache.eps * np.exp(-0.5 * cache.logvar)
    dmu, dlogvar = reparameterize_backward(
        factor * dz, cache.mu, cache.logvar, cache.eps
    )
    return encode_backward(dmu, dlogvar, cache.encoder_cache, cache.config, grads)


def _negative_iwae_dreg_backward_2(cache, dloss=1.0, grads=None):
    w = normalized_weights(cache.log_w)
    return _negative_iwae_dreg_backward_2_helper(
        -w * (dloss / len(cache.x)), w[..., None], cache, grads
    )


def _negative_iwae_dreg_backward_3(cache, dloss=1.0, grads=None):
    w = normalized_weights(cache.log_w)
    return _path_derivative(-w * dloss, w[..., None], cache, grads)


ERRORS = [
    KnownError(
        "mlp", "no activation between the layers: two linear layers are one", _mlp_1
    ),
    KnownError(
        "mlp_backward", "the activations are skipped on the way back", _mlp_backward_1
    ),
    KnownError(
        "mlp_backward",
        "the gradients pass the layers in the wrong order: first layer first",
        _mlp_backward_2,
    ),
    KnownError(
        "encode_backward",
        "mu and logvar are exchanged on the way back",
        _encode_backward_1,
    ),
    KnownError(
        "encode_backward", "the first layer gets no gradient", _encode_backward_2
    ),
    KnownError(
        "decode_backward",
        "the activations' gradient is skipped: this is dy through the last layers only",
        _decode_backward_1,
    ),
    KnownError(
        "elbo_terms",
        "log_px is summed over the J samples; it must be their mean",
        _elbo_terms_1,
    ),
    KnownError(
        "elbo_terms",
        "the KL is a mean over the latents; it must be their sum",
        _elbo_terms_2,
    ),
    KnownError(
        "elbo_terms",
        "the KL is to the standard normal, not to the configured prior",
        _elbo_terms_3,
    ),
    KnownError(
        "elbo_terms",
        "log_px is of mu, not of the samples: the decoder never sees noise",
        _elbo_terms_4,
    ),
    KnownError(
        "negative_elbo",
        "the KL has the wrong sign: this is −1/N Σ (β KL + log p)",
        _negative_elbo_1,
    ),
    KnownError(
        "negative_elbo",
        "this is summed over the images; it must be a mean",
        _negative_elbo_2,
    ),
    KnownError(
        "negative_elbo",
        "this is the ELBO itself: the sign is missing",
        _negative_elbo_3,
    ),
    KnownError(
        "negative_elbo",
        "β weights the likelihood; it must weight the KL",
        _negative_elbo_4,
    ),
    KnownError("negative_elbo", "β is missing", _negative_elbo_5),
    KnownError("negative_elbo", "the KL is missing", _negative_elbo_6),
    KnownError(
        "negative_elbo",
        "divided by the number of pixels as well",
        _negative_elbo_7,
        published=KERAS,
    ),
    KnownError(
        "negative_elbo_backward",
        "1/N is missing in the KL's gradient",
        _negative_elbo_backward_1,
    ),
    KnownError(
        "negative_elbo_backward",
        "β is missing in the KL's gradient",
        _negative_elbo_backward_2,
    ),
    KnownError(
        "negative_elbo_backward",
        "1/J is missing in the likelihood's gradient",
        _negative_elbo_backward_3,
    ),
    KnownError(
        "negative_elbo_backward",
        "1/N is missing in the likelihood's gradient",
        _negative_elbo_backward_4,
    ),
    KnownError(
        "negative_elbo_backward",
        "the likelihood's gradient has the wrong sign",
        _negative_elbo_backward_5,
    ),
    KnownError(
        "negative_elbo_backward",
        "dloss is ignored in the KL's gradient",
        _negative_elbo_backward_6,
    ),
    KnownError(
        "negative_elbo_backward",
        "mu gets no gradient from the KL",
        _negative_elbo_backward_7,
    ),
    KnownError(
        "negative_elbo_backward",
        "logvar gets no gradient from the KL",
        _negative_elbo_backward_8,
    ),
    KnownError(
        "negative_elbo_backward",
        "logvar gets no gradient through the samples",
        _negative_elbo_backward_9,
    ),
    KnownError(
        "negative_elbo_backward",
        "mu gets no gradient through the samples",
        _negative_elbo_backward_10,
    ),
    KnownError(
        "negative_elbo_backward",
        "the samples are treated as data: the encoder gets the KL's gradient only",
        _negative_elbo_backward_11,
        published=PYRO,
    ),
    KnownError(
        "negative_elbo_backward",
        "the KL's gradient is that to the standard normal, whatever the prior is",
        _negative_elbo_backward_12,
    ),
    KnownError(
        "log_mean_exp", "this is log Σ exp: the 1/K is missing", _log_mean_exp_1
    ),
    KnownError(
        "log_mean_exp",
        "this is the mean of the logarithms; it must be the logarithm of the mean",
        lambda a, axis=0: a.mean(axis=axis),
    ),
    KnownError(
        "log_mean_exp",
        "correct on paper, but exp overflows or becomes 0: take the largest out first",
        lambda a, axis=0: np.log(np.exp(a).mean(axis=axis)),
    ),
    KnownError(
        "log_mean_exp",
        "correct, but NaN where all weights are 0: −inf − (−inf)",
        lambda a, axis=0: (
            np.log(np.exp(a - a.max(axis=axis, keepdims=True)).mean(axis=axis))
            + a.max(axis=axis)
        ),
    ),
    KnownError(
        "log_mean_exp",
        "the largest is subtracted and not added back",
        lambda a, axis=0: np.log(
            np.exp(a - a.max(axis=axis, keepdims=True)).mean(axis=axis)
        ),
    ),
    KnownError(
        "normalized_weights",
        "normalized over the images; it must be over the samples, axis 0",
        _normalized_weights_1,
    ),
    KnownError(
        "normalized_weights",
        "normalized over everything: the weights of each image must sum to 1",
        _normalized_weights_2,
    ),
    KnownError("normalized_weights", "not normalized", _normalized_weights_3),
    KnownError(
        "normalized_weights",
        "every sample has the weight 1/K",
        lambda log_w: np.ones_like(log_w) / len(log_w),
    ),
    KnownError(
        "normalized_weights",
        "correct on paper, but exp overflows or becomes 0: take the largest out first",
        lambda log_w: np.exp(log_w) / np.exp(log_w).sum(axis=0),
    ),
    KnownError(
        "log_importance_weights", "the prior is missing", _log_importance_weights_1
    ),
    KnownError(
        "log_importance_weights",
        "multiplied by q; it must be divided",
        _log_importance_weights_2,
    ),
    KnownError(
        "log_importance_weights", "log q(z|x) is missing", _log_importance_weights_3
    ),
    KnownError(
        "log_importance_weights", "log q without logvar", _log_importance_weights_4
    ),
    KnownError(
        "log_importance_weights",
        "log q of z², not of eps² = (z − mu)²/σ²",
        _log_importance_weights_5,
    ),
    KnownError(
        "negative_iwae",
        "the mean of the log weights, K samples of the ELBO; it must be the log of the mean weight",
        function=_iwae(lambda log_w: -log_w.mean()),
    ),
    KnownError(
        "negative_iwae",
        "this is summed over the images; it must be a mean",
        function=_iwae(lambda log_w: -log_mean_exp(log_w).sum()),
    ),
    KnownError(
        "negative_iwae",
        "this is the bound itself: the sign is missing",
        function=_iwae(lambda log_w: log_mean_exp(log_w).mean()),
    ),
    KnownError(
        "negative_iwae",
        "this is log Σ w: the 1/K is missing",
        function=_iwae(
            lambda log_w: -(log_mean_exp(log_w) + np.log(len(log_w))).mean()
        ),
    ),
    KnownError(
        "negative_iwae",
        "the mean over the images is inside the logarithm: log p of all images must be a sum of logarithms",
        function=_iwae(lambda log_w: -log_mean_exp(log_w.reshape(-1))),
    ),
    KnownError(
        "negative_iwae_backward",
        "every sample counts the same: the weights must be the normalized ones",
        _negative_iwae_backward_1,
    ),
    KnownError(
        "negative_iwae_backward",
        "log q's gradient in logvar is missing",
        _negative_iwae_backward_2,
    ),
    KnownError(
        "negative_iwae_backward",
        "log q's gradient in logvar without its half",
        _negative_iwae_backward_3,
    ),
    KnownError("negative_iwae_backward", "1/N is missing", _negative_iwae_backward_4),
    KnownError("negative_iwae_backward", "dloss is ignored", _negative_iwae_backward_5),
    KnownError(
        "log_marginal",
        "a standard error of one weight, not of the mean of K",
        _log_marginal_1,
    ),
    KnownError("log_marginal", "a standard error of w, not of log w", _log_marginal_2),
    KnownError(
        "log_marginal",
        "the running sum is not rescaled to the new maximum",
        _log_marginal_3,
    ),
    KnownError(
        "log_marginal",
        "the running squares are rescaled once; they must be twice",
        _log_marginal_4,
    ),
    KnownError(
        "log_marginal",
        "this is the log of the sum of the weights: the 1/K is missing",
        _log_marginal_5,
    ),
    KnownError(
        "negative_elbo_stl_backward",
        "log q's gradient is not divided by σ",
        _negative_elbo_stl_backward_1,
    ),
    KnownError(
        "negative_elbo_stl_backward",
        "log q's gradient is missing",
        _negative_elbo_stl_backward_2,
    ),
    KnownError(
        "negative_elbo_stl_backward",
        "log q's gradient has the wrong sign",
        _negative_elbo_stl_backward_3,
    ),
    KnownError(
        "negative_elbo_stl_backward", "1/J is missing", _negative_elbo_stl_backward_4
    ),
    KnownError(
        "negative_iwae_dreg_backward",
        "w̃ in the place of w̃²: this is neither estimator",
        _negative_iwae_dreg_backward_1,
    ),
    KnownError(
        "negative_iwae_dreg_backward",
        "log q's gradient is missing",
        _negative_iwae_dreg_backward_2,
    ),
    KnownError(
        "negative_iwae_dreg_backward", "1/N is missing", _negative_iwae_dreg_backward_3
    ),
]
