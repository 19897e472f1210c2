"""Chapter 10, importance weights: oracles and known errors.

The oracles are arithmetic in 50 decimal digits, and the formulas of reference.py.
"""

import math
from decimal import Decimal

import numpy as np

from ...vae.elbo import negative_elbo
from ...vae.gaussian import (
    LOG_2PI,
    log_density,
    log_density_backward,
    reparameterize,
    reparameterize_backward,
)
from ...vae.iwae import (
    log_importance_weights,
    log_mean_exp,
    negative_iwae,
    normalized_weights,
)
from ...vae.likelihoods import LIKELIHOODS
from ...vae.model import (
    decode,
    decode_backward,
    encode,
    encode_backward,
    prior_parameters,
)
from ...vae.parameters import zero_parameters
from .. import reference
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial, parts
from .bernoulli import digits
from .elbo import loss_trials, standard_prior
from .model import backward_trials, models, text, trials_of


def log_mean_exp_trials() -> list[Trial]:
    """In 50 digits; with shifts by ±2000, and weights that are 0"""

    def value(*values):
        return digits(
            lambda *v: (sum((a.exp() for a in v), Decimal(0)) / len(v)).ln(), *values
        )

    a = np.array([[0.0, -3.0, 0.5], [2.0, -1.0, 1.0]])
    trials = [
        Trial({"a": np.array([1.5])}, 1.5),
        Trial({"a": np.array([0.0, 2.0])}, value(0.0, 2.0)),
        Trial({"a": a}, np.array([value(*column) for column in a.T])),
        Trial({"a": a, "axis": 1}, np.array([value(*row) for row in a])),
    ]
    trials += [Trial({"a": a.astype(np.float32)}, trials[2].expected, rtol=1e-5)]
    trials.append(
        Trial(
            {"a": np.array([-2000.0, -2001.0])},
            value(-2000.0, -2001.0),
            delicate=True,
            reached=True,
        )
    )
    trials.append(
        Trial({"a": np.array([-2000.0, 0.0])}, value(-2000.0, 0.0), delicate=True)
    )
    trials.append(
        Trial({"a": np.array([2000.0, 1999.0])}, value(2000.0, 1999.0), delicate=True)
    )
    columns = np.array([[0.0, -2000.0], [1.0, -2001.0]])
    trials.append(
        Trial(
            {"a": columns},
            np.array([value(*column) for column in columns.T]),
            delicate=True,
            reached=True,
        )
    )
    trials.append(Trial({"a": np.array([-np.inf, 0.0])}, math.log(0.5), delicate=True))
    trials.append(Trial({"a": np.array([-np.inf, -np.inf])}, -np.inf, delicate=True))
    return trials


def normalized_weights_trials() -> list[Trial]:
    """In 50 digits; with shifts by ±2000"""

    def value(log_w):
        columns = [
            [
                digits(lambda *v, k=k: v[k].exp() / sum(a.exp() for a in v), *column)
                for k in range(len(column))
            ]
            for column in np.asarray(log_w).T
        ]
        return np.array(columns).T

    log_w = np.array([[0.0, -3.0, 0.5], [2.0, -1.0, 1.0]])
    trials = [
        Trial({"log_w": np.array(w)}, value(w))
        for w in ([[0.5]], [[0.0], [1.0]], log_w, [[1.0, 0.5], [0.0, -0.25]])
    ]
    trials.append(Trial({"log_w": log_w.astype(np.float32)}, value(log_w), rtol=1e-5))
    apart = np.array(
        [[0.0, -2000.0], [1.0, -2001.0]]
    )  # a maximum of both images, not of each, makes the second 0/0
    trials.append(Trial({"log_w": apart}, value(apart), delicate=True, reached=True))
    trials.append(
        Trial(
            {"log_w": np.array([[-2000.0], [0.0]])},
            value([[-2000.0], [0.0]]),
            delicate=True,
        )
    )
    for shift in (-2000.0, 2000.0):
        trials.append(Trial({"log_w": log_w + shift}, value(log_w), delicate=True))
    return trials


def log_importance_weights_trials() -> list[Trial]:
    """By the reference model, from densities in σ"""

    def call(f, functions, params, x, eps, config):
        mu, sigma = reference.posterior(params, x, config)
        return parts(
            f(params, x, mu, 2 * np.log(sigma), eps, config), None, "a tuple (log_w, …)"
        )[0]

    def value(model):
        return reference.log_weights(
            model.params,
            model.x,
            *reference.posterior(model.params, model.x, model.config),
            model.eps,
            model.config,
        )

    return trials_of("log_importance_weights", value, call)


def iwae_gradients(model) -> tuple:
    """∂negative_iwae/∂params"""
    return reference.gradient(
        lambda p: reference.iwae_loss(p, model.x, model.eps, model.config), model.params
    )


def negative_iwae_trials() -> list[Trial]:
    """By the reference model"""
    return loss_trials("negative_iwae", reference.iwae_loss)


def negative_iwae_backward_trials() -> list[Trial]:
    """By complex steps through the reference model"""
    return backward_trials("negative_iwae_backward", "negative_iwae", iwae_gradients)


def log_marginal_trials() -> list[Trial]:
    """By the reference model

    If there is one image, the noise is one sequence, however it is divided into chunks.
    """

    def call(f, functions, params, x, eps, config, num_samples, chunk_rows):
        rng = np.random.default_rng(5)
        return parts(
            f(params, x, config, num_samples, rng, chunk_rows),
            2,
            "a pair (log_px, error)",
        )

    def value(model, x, num_samples):
        eps = np.random.default_rng(5).standard_normal(
            (num_samples, len(x), model.config.latent_dim)
        )
        log_w = reference.log_weights(
            model.params,
            x,
            *reference.posterior(model.params, x, model.config),
            eps,
            model.config,
        )
        w = np.exp(log_w - log_w.max(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = ((w - w.mean(axis=0)) ** 2).sum(axis=0) / np.float64(
                num_samples - 1
            )
        return log_w.max(axis=0) + np.log(w.mean(axis=0)), np.sqrt(
            variance / num_samples
        ) / w.mean(axis=0)

    def trial(model, num_samples, chunk_rows, x=None, words=""):
        x = model.x[:1] if x is None else x
        inputs = {
            "params": model.params,
            "x": x,
            "eps": None,
            "config": model.config,
            "num_samples": num_samples,
            "chunk_rows": chunk_rows,
        }
        return Trial(
            inputs,
            value(model, x, num_samples),
            call,
            delicate=bool(words),
            reached=num_samples > 1 and bool(words),
            text=text(
                model._replace(x=x),
                (f"log_marginal with {num_samples} samples, chunk_rows={chunk_rows}"),
            )
            + words,
        )

    smallest, *_ = found = models()
    far = smallest.x + np.array([[0.0], [60.0]])  # exp(log w) of the second image is 0
    return [
        *(
            trial(model, *sizes)
            for sizes in ((2, 400), (10, 400), (10, 4), (1000, 7))
            for model in found[:3]
        ),
        trial(smallest, 10, 4, far[1:], "; so improbable that exp(log w) is 0"),
        trial(smallest, 10, 400, far, "; one so improbable that exp(log w) is 0"),
        trial(smallest, 1, 400, words="; one weight has no variance"),
    ]


# Known errors


def weights_with(
    total=lambda log_px, log_pz, log_qz: log_px + log_pz - log_qz,
    log_q=lambda logvar, eps, z, mu: -0.5 * (LOG_2PI + logvar + eps**2),
    prior=prior_parameters,
):
    """log_importance_weights with another sum, or log q (elementwise), or prior"""

    def weights(params, x, mu, logvar, eps, config):
        z = reparameterize(mu, logvar, eps)
        y, decoder_cache = decode(params, z, config)
        log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
        log_pz = log_density(z, *prior(config, mu.dtype)).sum(axis=-1)
        log_qz = log_q(logvar, eps, z, mu).sum(axis=-1)
        return total(log_px, log_pz, log_qz), z, y, decoder_cache

    return weights


def iwae_of(loss):
    """negative_iwae with loss(log_w) for its loss"""

    def negative(params, x, eps, config):
        _, cache = negative_iwae(params, x, eps, config)
        return loss(cache.log_w), cache

    return negative


def elbo_loss(params, x, eps, config):
    """negative_elbo with negative_iwae's cache"""
    _, cache = negative_iwae(params, x, eps, config)
    return negative_elbo(params, x, eps, config)[0], cache


def weighted_backward(
    weights=normalized_weights,
    scale=lambda dloss, N: dloss / N,
    through_q=0.5,
    prior=1.0,
    path_of_q=None,
    factor=lambda w: 1.0,
    decoder=lambda w: w,
):
    """negative_iwae_backward, or with path_of_q a path derivative, with another part

    weights     of the log wₖ, from log_w
    through_q   the factor of ∂ log q(z|x)/∂logvar for fixed eps
    prior       the factor of ∂ log p(z)/∂z
    path_of_q   −∂ log q/∂z, a function of eps and σ
    factor      of dz on its way to the encoder, a function of the weights
    decoder     the weights in the decoder's gradient
    """

    def backward(cache, dloss=1.0, grads=None):
        config, sigma = cache.config, np.exp(0.5 * cache.logvar)
        dtype = cache.params.vector.dtype
        grads = zero_parameters(config, dtype) if grads is None else grads
        log_prob_backward = LIKELIHOODS[config.likelihood].log_prob_backward
        w = weights(cache.log_w)

        def through_decoder(w):
            dlog_w = -w * scale(dloss, len(cache.x))
            dy = log_prob_backward(
                dlog_w, cache.params, cache.x, cache.y, config, grads
            )
            return dlog_w, decode_backward(dy, cache.decoder_cache, config, grads)[0]

        dlog_w, dz = through_decoder(w)
        dz = (
            dz
            + prior
            * log_density_backward(
                dlog_w[..., None], cache.z, *prior_parameters(config, cache.z.dtype)
            )[0]
        )
        if path_of_q is not None:
            dz = dz + dlog_w[..., None] * path_of_q(cache.eps, sigma)
        dz = factor(w) * dz
        through_decoder(decoder(w))
        dmu, dlogvar = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
        dlogvar = dlogvar + through_q * dlog_w.sum(axis=0)[:, None]
        return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)

    return backward


def equal_weights(log_w):
    """1/K"""
    return np.full_like(log_w, 1 / len(log_w))


def largest_only(log_w):
    """1 for the largest weight of each image"""
    return (log_w == log_w.max(axis=0)) * np.ones_like(log_w)


def over_images(log_w):
    """Weights normalized over the images"""
    return normalized_weights(log_w.T).T


def ignored(dloss, N):
    """1/N without dloss"""
    return 1 / N


def marginal_of(
    result=lambda m, mean, error: (m + np.log(mean), error / mean),
    variance=lambda s1, s2, K: (s2 - s1**2 / K) / np.float64(K - 1),
    error=lambda variance, K: np.sqrt(variance / K),
    rescale=(1, 2),
    chunks=lambda chunks: chunks,
    noise=lambda eps: eps,
):
    """log_marginal with another part; rescale: powers of the factor to a new maximum"""

    def marginal(params, x, config, num_samples, rng, chunk_rows=400):
        (mu, logvar), _ = encode(params, x, config)
        m = np.full(len(x), np.finfo(float).min)
        s1, s2 = np.zeros(len(x)), np.zeros(len(x))
        chunk = max(1, chunk_rows // len(x))
        for done in chunks(range(0, num_samples, chunk)):
            size = min(chunk, num_samples - done)
            eps = noise(rng.standard_normal((size, *mu.shape)))
            log_w = log_importance_weights(params, x, mu, logvar, eps, config)[0]
            new_m = np.maximum(m, log_w.max(axis=0))
            scale, w = np.exp(m - new_m), np.exp(log_w - new_m)
            s1 = s1 * scale ** rescale[0] + w.sum(axis=0)
            s2 = s2 * scale ** rescale[1] + (w * w).sum(axis=0)
            m = new_m
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = error(np.maximum(variance(s1, s2, num_samples), 0), num_samples)
            return result(m, s1 / num_samples, spread)

    return marginal


def from_log_weights(estimate):
    """log_marginal of estimate(log_w), with log_w (K, N) all at once"""

    def marginal(params, x, config, num_samples, rng, chunk_rows=400):
        (mu, logvar), _ = encode(params, x, config)
        eps = rng.standard_normal((num_samples, *mu.shape))
        log_w = log_importance_weights(params, x, mu, logvar, eps, config)[0]
        return estimate(log_w)

    return marginal


def spread_of_logs(log_w):
    """The standard error of a mean of log w"""
    K = len(log_w)
    variance = ((log_w - log_w.mean(axis=0)) ** 2).sum(axis=0) / np.float64(K - 1)
    return np.sqrt(variance / K)


def marginal_error(log_w):
    """√(var w/K)/mean w"""
    w = np.exp(log_w - log_w.max(axis=0))
    variance = ((w - w.mean(axis=0)) ** 2).sum(axis=0) / np.float64(len(w) - 1)
    return np.sqrt(variance / len(w)) / w.mean(axis=0)


def largest_of_all(a, axis=0):
    """log_mean_exp with one maximum for the whole array"""
    m = a.max()
    return np.log(np.exp(a - m).mean(axis=axis)) + m


def largest(a, axis):
    """The maximum as an array that broadcasts, 0 for −inf"""
    m = a.max(axis=axis, keepdims=True)
    return np.where(np.isfinite(m), m, 0)


OVERFLOW = (
    "correct on paper, but exp overflows or becomes 0: take the largest out first"
)
ERRORS = [
    *errors_of(
        "log_mean_exp",
        {
            "this is log Σ exp: the 1/K is missing": lambda a, axis=0: (
                log_mean_exp(a, axis) + math.log(a.shape[axis])
            ),
            "1/K stands before the logarithm; it must be inside": lambda a, axis=0: (
                (log_mean_exp(a, axis) + math.log(a.shape[axis])) / a.shape[axis]
            ),
            "this is the mean of the logarithms; it must be the logarithm of the mean": (
                lambda a, axis=0: a.mean(axis=axis)
            ),
            "this is the largest": lambda a, axis=0: a.max(axis=axis),
            "the mean is over the whole array, not along the axis": lambda a, axis=0: (
                log_mean_exp(a.reshape(-1))
            ),
            "the axis is ignored: it is always 0": lambda a, axis=0: log_mean_exp(a),
            "the largest is subtracted and not added back": lambda a, axis=0: (
                log_mean_exp(a - largest(a, axis), axis)
            ),
            "the largest is added twice": lambda a, axis=0: log_mean_exp(
                a + largest(a, axis), axis
            ),
            "the largest is added inside the logarithm; it must be outside": (
                lambda a, axis=0: np.log(
                    np.exp(a - largest(a, axis)).mean(axis=axis)
                    + largest(a, axis).squeeze(axis)
                )
            ),
            OVERFLOW: lambda a, axis=0: np.log(np.exp(a).mean(axis=axis)),
            "correct, but NaN where all weights are 0: −inf − (−inf)": (
                lambda a, axis=0: (
                    np.log(np.exp(a - a.max(axis=axis, keepdims=True)).mean(axis=axis))
                    + a.max(axis=axis)
                )
            ),
            "correct on paper, but the largest of the whole array is taken out: where "
            "all of a column is far below it, exp becomes 0": largest_of_all,
        },
    ),
    *errors_of(
        "normalized_weights",
        {
            "normalized over the images; it must be over the samples, axis 0": (
                over_images
            ),
            "normalized over everything: the weights of each image must sum to 1": (
                lambda log_w: normalized_weights(log_w.reshape(-1)).reshape(log_w.shape)
            ),
            "not normalized: the largest of each image is 1": lambda log_w: np.exp(
                log_w - log_w.max(axis=0)
            ),
            "not normalized: this is w": lambda log_w: np.exp(log_w),
            "every sample has the weight 1/K": equal_weights,
            "only the largest of each image counts": largest_only,
            "the logarithms are normalized: log w/Σ log w": lambda log_w: (
                log_w / log_w.sum(axis=0)
            ),
            "large weights become small: the sign of log w": lambda log_w: (
                normalized_weights(-log_w)
            ),
            "normalized to Σ w̃² = 1; the weights of each image must sum to 1": (
                lambda log_w: (
                    normalized_weights(log_w)
                    / np.sqrt((normalized_weights(log_w) ** 2).sum(axis=0))
                )
            ),
            OVERFLOW: lambda log_w: np.exp(log_w) / np.exp(log_w).sum(axis=0),
            "correct on paper, but the largest of the whole array is taken out: where "
            "an image's weights are all far below it, exp becomes 0": lambda log_w: (
                np.exp(log_w - log_w.max()) / np.exp(log_w - log_w.max()).sum(axis=0)
            ),
        },
    ),
    *errors_of(
        "log_importance_weights",
        {
            "the prior is missing": weights_with(lambda px, pz, qz: px - qz),
            "log p(x|z) is missing": weights_with(lambda px, pz, qz: pz - qz),
            "log q(z|x) is missing": weights_with(lambda px, pz, qz: px + pz),
            "multiplied by q; it must be divided": weights_with(
                lambda px, pz, qz: px + pz + qz
            ),
            "divided by the prior; it must be multiplied": weights_with(
                lambda px, pz, qz: px - pz - qz
            ),
            "the prior is the standard normal, whatever is configured": weights_with(
                prior=standard_prior
            ),
            "log q without logvar": weights_with(
                log_q=lambda logvar, eps, z, mu: -0.5 * (LOG_2PI + 0 * logvar + eps**2)
            ),
            "log q with log σ in the place of log σ²": weights_with(
                log_q=lambda logvar, eps, z, mu: (
                    -0.5 * (LOG_2PI + 0.5 * logvar + eps**2)
                )
            ),
            "log q without its half": weights_with(
                log_q=lambda logvar, eps, z, mu: -(LOG_2PI + logvar + eps**2)
            ),
            "log q without eps²": weights_with(
                log_q=lambda logvar, eps, z, mu: -0.5 * (LOG_2PI + logvar + 0 * eps)
            ),
            "log q of z², not of eps² = (z − mu)²/σ²": weights_with(
                log_q=lambda logvar, eps, z, mu: -0.5 * (LOG_2PI + logvar + z**2)
            ),
            "log q of (z − mu)²: it is not divided by σ²": weights_with(
                log_q=lambda logvar, eps, z, mu: (
                    -0.5 * (LOG_2PI + logvar + (z - mu) ** 2)
                )
            ),
        },
    ),
    *errors_of(
        "negative_iwae",
        {
            "the mean of the log weights, K samples of the ELBO; it must be the log of "
            "the mean weight": iwae_of(lambda log_w: -log_w.mean()),
            "this is negative_elbo, with the KL in closed form": elbo_loss,
            "this is log Σ w: the 1/K is missing": iwae_of(
                lambda log_w: -(log_mean_exp(log_w) + np.log(len(log_w))).mean()
            ),
            "the mean over the images is inside the logarithm: log p of all images must "
            "be a sum of logarithms": iwae_of(
                lambda log_w: -log_mean_exp(log_w.reshape(-1))
            ),
            "only the largest weight counts": iwae_of(
                lambda log_w: -log_w.max(axis=0).mean()
            ),
            "the weighted mean Σ w̃ log w; it must be the log of the mean weight": (
                iwae_of(
                    lambda log_w: (
                        -(normalized_weights(log_w) * log_w).sum(axis=0).mean()
                    )
                )
            ),
            "the logarithm of the mean is over the images, the mean over the samples": (
                iwae_of(lambda log_w: -log_mean_exp(log_w, axis=1).mean())
            ),
        },
    ),
    *errors_of(
        "negative_iwae_backward",
        {
            "every sample counts the same: the weights must be the normalized ones": (
                weighted_backward(equal_weights)
            ),
            "only the largest weight counts: the weights must be the normalized ones": (
                weighted_backward(largest_only)
            ),
            "the weights are not normalized: the largest of each image is 1": (
                weighted_backward(lambda log_w: np.exp(log_w - log_w.max(axis=0)))
            ),
            "the weights are normalized over the images; it must be over the samples": (
                weighted_backward(over_images)
            ),
            "the weights are squared: w̃² for w̃": weighted_backward(
                lambda log_w: normalized_weights(log_w) ** 2
            ),
            "the decoder's gradient has 1/K in the place of w̃": weighted_backward(
                decoder=lambda w: np.full_like(w, 1 / len(w))
            ),
            "log q's gradient in logvar is missing": weighted_backward(through_q=0.0),
            "log q's gradient in logvar without its half": weighted_backward(
                through_q=1.0
            ),
            "log q's gradient in logvar has the wrong sign": weighted_backward(
                through_q=-0.5
            ),
            "the prior's gradient in z is missing": weighted_backward(prior=0.0),
            "the prior's gradient in z has the wrong sign": weighted_backward(
                prior=-1.0
            ),
            "log q's gradient through z is added: for fixed eps there is none": (
                weighted_backward(path_of_q=lambda eps, sigma: eps / sigma)
            ),
            "dloss is ignored": weighted_backward(scale=ignored),
        },
    ),
    *errors_of(
        "log_marginal",
        {
            "a standard error of one weight, not of the mean of K": marginal_of(
                error=lambda variance, K: np.sqrt(variance)
            ),
            "a standard error of w, not of log w": marginal_of(
                lambda m, mean, error: (m + np.log(mean), error)
            ),
            "a standard error of the mean of log w; it must be of the log of the mean": (
                from_log_weights(lambda w: (log_mean_exp(w), spread_of_logs(w)))
            ),
            "var w is divided by K; unbiased is over K − 1": marginal_of(
                variance=lambda s1, s2, K: (s2 - s1**2 / K) / K
            ),
            "E[w²] is in the place of var w: the square of the mean is not subtracted": (
                marginal_of(variance=lambda s1, s2, K: s2 / np.float64(K - 1))
            ),
            "the running sum is not rescaled to the new maximum": marginal_of(
                rescale=(0, 2)
            ),
            "the running squares are rescaled once; they must be twice": marginal_of(
                rescale=(1, 1)
            ),
            "neither running sum is rescaled to the new maximum": marginal_of(
                rescale=(0, 0)
            ),
            "this is the log of the sum of the weights: the 1/K is missing": (
                from_log_weights(
                    lambda w: (
                        log_mean_exp(w) + math.log(len(w)),
                        marginal_error(w),
                    )
                )
            ),
            "this is the mean of log w, the ELBO; it must be the log of the mean": (
                from_log_weights(lambda w: (w.mean(axis=0), marginal_error(w)))
            ),
            "the maximum is not added back": marginal_of(
                lambda m, mean, error: (np.log(mean), error / mean)
            ),
            "only the first chunk counts": marginal_of(
                chunks=lambda chunks: chunks[:1]
            ),
            "the last chunk is missing": marginal_of(chunks=lambda chunks: chunks[:-1]),
            "there is no noise: every sample is mu": marginal_of(
                noise=lambda eps: 0 * eps
            ),
        },
    ),
]
