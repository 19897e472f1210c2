"""Chapter 7, the bound and its gradient: oracles and known errors.

The oracles are the formulas of reference.py.
"""

import numpy as np

from ...vae.elbo import elbo_terms
from ...vae.gaussian import (
    kl_divergence,
    kl_divergence_backward,
    reparameterize_backward,
)
from ...vae.iwae import log_mean_exp
from ...vae.likelihoods import LIKELIHOODS
from ...vae.model import decode_backward, encode_backward, prior_parameters
from ...vae.parameters import zero_parameters
from .. import reference
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial, parts
from .model import Model, backward_trials, in_order, trials_of


def elbo_terms_trials() -> list[Trial]:
    """By the reference model; and whether its cache serves negative_elbo_backward"""

    def terms(f, *inputs):
        return parts(f(*inputs), 3, "a triple (log_px, kl, cache)")

    def call(f, functions, *inputs):
        return terms(f, *inputs)[:2]

    def backward(f, functions, params, x, eps, config):
        cache = terms(f, params, x, eps, config)[2]
        return in_order(functions("negative_elbo_backward")(cache), params)

    return [
        *trials_of(
            "elbo_terms",
            lambda model: reference.terms(
                model.params, model.x, model.eps, model.config
            ),
            call,
        ),
        *trials_of(
            "elbo_terms' cache, passed to negative_elbo_backward",
            elbo_gradients,
            backward,
        ),
    ]


def elbo_gradients(model: Model) -> tuple:
    """Of (7.5)"""
    return reference.gradient(
        lambda p: reference.elbo_loss(p, model.x, model.eps, model.config), model.params
    )


def loss_trials(name: str, loss) -> list[Trial]:
    """By loss(params, x, eps, config)"""

    def call(f, functions, *inputs):
        return parts(f(*inputs), 2, "a pair (loss, cache)")[0]

    def value(model):
        return loss(model.params, model.x, model.eps, model.config)

    return trials_of(name, value, call)


def negative_elbo_trials() -> list[Trial]:
    """By the reference model"""
    return loss_trials("negative_elbo", reference.elbo_loss)


def negative_elbo_backward_trials() -> list[Trial]:
    """By complex steps through the reference model"""
    return backward_trials("negative_elbo_backward", "negative_elbo", elbo_gradients)


# Known errors


def terms_with(
    noise=lambda eps: eps,
    log_px=lambda log_prob, cache: log_prob.mean(axis=0),
    kl=lambda kl, cache: kl.sum(axis=-1),
    prior=prior_parameters,
):
    """elbo_terms with another part: log_px of log_prob (J, N), kl of kl (N, L)"""

    def terms(params, x, eps, config):
        _, _, cache = elbo_terms(params, x, noise(eps), config)
        log_prob = LIKELIHOODS[config.likelihood].log_prob(params, x, cache.y, config)
        each = kl_divergence(cache.mu, cache.logvar, *prior(config, cache.mu.dtype))
        return log_px(log_prob, cache), kl(each, cache), cache

    return terms


def standard_prior(config, dtype):
    """mu_p and logvar_p of N(0, 1)"""
    return np.zeros((), dtype), np.zeros((), dtype)


def loss_of(loss):
    """negative_elbo with loss(log_px, kl, β, shape of x)"""

    def negative_elbo(params, x, eps, config):
        log_px, kl, cache = elbo_terms(params, x, eps, config)
        return loss(log_px, kl, config.beta, x.shape), cache

    return negative_elbo


def bound_backward(
    likelihood=lambda dloss, beta, J, N: -dloss / (J * N),
    kl=lambda dloss, beta, J, N: dloss * beta / N,
    prior=prior_parameters,
    mu=lambda sample, kl: sample + kl,
    logvar=lambda sample, kl: sample + kl,
    decoder=1.0,
):
    """negative_elbo_backward with another part: dlog_prob or dkl, a path of (7.6)"""

    def backward(cache, dloss=1.0, grads=None):
        params, config = cache.params, cache.config
        J, N, _ = cache.eps.shape
        scale = dloss, config.beta, J, N
        grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
        dmu_kl, dlogvar_kl = kl_divergence_backward(
            kl(*scale), cache.mu, cache.logvar, *prior(config, cache.mu.dtype)
        )
        dlog_prob = np.full((J, N), likelihood(*scale), cache.y.dtype)
        dy = LIKELIHOODS[config.likelihood].log_prob_backward(
            dlog_prob, params, cache.x, cache.y, config, grads
        )
        dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
        for name in grads:
            if name.startswith("decoder"):
                grads[name][...] *= decoder
        dmu, dlogvar = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
        return encode_backward(
            mu(dmu, dmu_kl),
            logvar(dlogvar, dlogvar_kl),
            cache.encoder_cache,
            config,
            grads,
        )

    return backward


def without_learned_variance(cache, dloss=1.0, grads=None):
    """negative_elbo_backward that forgets logvar_x"""
    grads = bound_backward()(cache, dloss, grads)
    if "logvar_x" in grads:
        grads["logvar_x"][...] = 0
    return grads


def only_sample(sample, kl):
    """The gradient through the samples"""
    return sample


def only_kl(sample, kl):
    """The gradient through the KL"""
    return kl


ERRORS = [
    *errors_of(
        "elbo_terms",
        {
            "log_px is that of the first sample only": terms_with(
                log_px=lambda log_prob, cache: log_prob[0]
            ),
            "log_px is the logarithm of a mean over J; it must be the mean of the "
            "logarithms": terms_with(
                log_px=lambda log_prob, cache: log_mean_exp(log_prob)
            ),
            "log_px is of mu, not of the samples: the decoder never sees noise": (
                terms_with(noise=lambda eps: 0 * eps)
            ),
            "the KL is a mean over the latents; it must be their sum": (
                terms_with(kl=lambda kl, cache: kl.mean(axis=-1)),
                "Keras, convolutional VAE example, pull request 4538",
            ),
            "the KL is to the standard normal, not to the configured prior": (
                terms_with(prior=standard_prior)
            ),
        },
    ),
    *errors_of(
        "negative_elbo",
        {
            "the KL has the wrong sign: this is −1/N Σ (β KL + log p)": loss_of(
                lambda log_px, kl, beta, shape: (-beta * kl - log_px).mean()
            ),
            "β weights the likelihood; it must weight the KL": loss_of(
                lambda log_px, kl, beta, shape: (kl - beta * log_px).mean()
            ),
            "β weights both; it must weight the KL alone": loss_of(
                lambda log_px, kl, beta, shape: beta * (kl - log_px).mean()
            ),
            "the KL is divided by β; it must be multiplied": loss_of(
                lambda log_px, kl, beta, shape: (kl / beta - log_px).mean()
            ),
            "β is missing": loss_of(
                lambda log_px, kl, beta, shape: (kl - log_px).mean()
            ),
            "the KL is missing": loss_of(
                lambda log_px, kl, beta, shape: -log_px.mean()
            ),
            "the likelihood is missing": loss_of(
                lambda log_px, kl, beta, shape: beta * kl.mean()
            ),
            "the KL is summed over the images; it must be a mean": loss_of(
                lambda log_px, kl, beta, shape: beta * kl.sum() - log_px.mean()
            ),
            "the likelihood is summed over the images; it must be a mean": loss_of(
                lambda log_px, kl, beta, shape: beta * kl.mean() - log_px.sum()
            ),
            "log p is a mean over the pixels beside a summed KL: as if β were D times "
            "as large": (
                loss_of(
                    lambda log_px, kl, beta, shape: (
                        beta * kl - log_px / shape[1]
                    ).mean()
                ),
                "Keras, VAE example, pull request 3383",
            ),
        },
    ),
    *errors_of(
        "negative_elbo_backward",
        {
            "1/N is missing in the KL's gradient": bound_backward(
                kl=lambda dloss, beta, J, N: dloss * beta
            ),
            "β is missing in the KL's gradient": bound_backward(
                kl=lambda dloss, beta, J, N: dloss / N
            ),
            "dloss is ignored in the KL's gradient": bound_backward(
                kl=lambda dloss, beta, J, N: beta / N
            ),
            "the KL's gradient has the wrong sign": bound_backward(
                kl=lambda dloss, beta, J, N: -dloss * beta / N
            ),
            "the KL's gradient is divided by the J samples": bound_backward(
                kl=lambda dloss, beta, J, N: dloss * beta / (J * N)
            ),
            "1/J is missing in the likelihood's gradient": bound_backward(
                lambda dloss, beta, J, N: -dloss / N
            ),
            "1/N is missing in the likelihood's gradient": bound_backward(
                lambda dloss, beta, J, N: -dloss / J
            ),
            "dloss is ignored in the likelihood's gradient": bound_backward(
                lambda dloss, beta, J, N: -1 / (J * N)
            ),
            "dloss is ignored": bound_backward(
                lambda dloss, beta, J, N: -1 / (J * N),
                lambda dloss, beta, J, N: beta / N,
            ),
            "the likelihood's gradient has the wrong sign": bound_backward(
                lambda dloss, beta, J, N: dloss / (J * N)
            ),
            "β weights the likelihood's gradient; it must weight the KL's": (
                bound_backward(
                    lambda dloss, beta, J, N: -dloss * beta / (J * N),
                    lambda dloss, beta, J, N: dloss / N,
                )
            ),
            "mu gets no gradient from the KL": bound_backward(mu=only_sample),
            "logvar gets no gradient from the KL": bound_backward(logvar=only_sample),
            "the encoder gets no gradient from the KL": bound_backward(
                mu=only_sample, logvar=only_sample
            ),
            "logvar gets no gradient through the samples": bound_backward(
                logvar=only_kl
            ),
            "mu gets no gradient through the samples": bound_backward(mu=only_kl),
            "the samples are treated as data: the encoder gets the KL's gradient only": (
                bound_backward(mu=only_kl, logvar=only_kl)
            ),
            "the two gradients of logvar are multiplied; they must be added": (
                bound_backward(logvar=lambda sample, kl: sample * kl)
            ),
            "the KL's gradient is that to the standard normal, whatever the prior is": (
                bound_backward(prior=standard_prior)
            ),
            "the decoder gets no gradient": bound_backward(decoder=0.0),
            "the learned variance logvar_x gets no gradient": without_learned_variance,
        },
    ),
]
