"""Known errors in book one's model, bound and importance weights."""

import numpy as np

from .known_errors import KnownError
from ..vae.iwae import log_mean_exp, negative_iwae


def _edit(name, words, *edits, published=""):
    return KnownError(name, words, edits=edits, published=published)


def _iwae(reduce):
    """negative_iwae with reduce(log_w) for its loss"""
    def loss(params, x, eps, config):
        _, cache = negative_iwae(params, x, eps, config)
        return reduce(cache.log_w), cache
    return loss


PYRO = "Pyro, VAE example, pull request 1896"
KERAS = "Keras, VAE example, pull request 3383"
ERRORS = [
    _edit("mlp", "no activation between the layers: two linear layers are one",
          ("x, activation_cache = activate(x)", "_, activation_cache = activate(x)")),
    _edit("mlp_backward", "the activations are skipped on the way back", ("dy = activate_backward(dx, caches[2 * i - 1])", "dy = dx")),
    _edit("mlp_backward", "the gradients pass the layers in the wrong order: first layer first",
          ("range(len(config.hidden_dims), 0, -1)", "range(1, len(config.hidden_dims) + 1)")),
    _edit("encode_backward", "mu and logvar are exchanged on the way back", ("[dmu, dlogvar], axis=1", "[dlogvar, dmu], axis=1")),
    _edit("encode_backward", "the first layer gets no gradient",
          ('linear_backward_params(dy, cache[0], (grads["encoder.0.W"], grads["encoder.0.b"]))', "pass")),
    _edit("decode_backward", "the activations' gradient is skipped: this is dy through the last layers only",
          ("dz, _, _ = linear_backward(dy, cache[0], (grads", "dz, _, _ = linear_backward(0 * dy, cache[0], (grads")),
    _edit("elbo_terms", "log_px is summed over the J samples; it must be their mean", (".sum(axis=0) / len(eps)", ".sum(axis=0)")),
    _edit("elbo_terms", "the KL is a mean over the latents; it must be their sum",
          ("kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).sum(axis=-1)",
           "kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).mean(axis=-1)")),
    _edit("elbo_terms", "the KL is to the standard normal, not to the configured prior",
          ("kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype))", "kl_divergence(mu, logvar)")),
    _edit("elbo_terms", "log_px is of mu, not of the samples: the decoder never sees noise",
          ("z = reparameterize(mu, logvar, eps)", "z = reparameterize(mu, logvar, 0 * eps)")),
    _edit("negative_elbo", "the KL has the wrong sign: this is −1/N Σ (β KL + log p)",
          ("config.beta * kl - log_px", "-config.beta * kl - log_px")),
    _edit("negative_elbo", "this is summed over the images; it must be a mean", (".sum() / len(x)", ".sum()")),
    _edit("negative_elbo", "this is the ELBO itself: the sign is missing", ("(config.beta * kl - log_px)", "(log_px - config.beta * kl)")),
    _edit("negative_elbo", "β weights the likelihood; it must weight the KL", ("config.beta * kl - log_px", "kl - config.beta * log_px")),
    _edit("negative_elbo", "β is missing", ("config.beta * kl", "kl")),
    _edit("negative_elbo", "the KL is missing", ("config.beta * kl - log_px", "-log_px")),
    _edit("negative_elbo", "divided by the number of pixels as well", (".sum() / len(x)", ".sum() / x.size"), published=KERAS),
    _edit("negative_elbo_backward", "1/N is missing in the KL's gradient", ("dloss * config.beta / N", "dloss * config.beta")),
    _edit("negative_elbo_backward", "β is missing in the KL's gradient", ("dloss * config.beta / N", "dloss / N")),
    _edit("negative_elbo_backward", "1/J is missing in the likelihood's gradient", ("-dloss / (J * N)", "-dloss / N")),
    _edit("negative_elbo_backward", "1/N is missing in the likelihood's gradient", ("-dloss / (J * N)", "-dloss / J")),
    _edit("negative_elbo_backward", "the likelihood's gradient has the wrong sign", ("-dloss / (J * N)", "dloss / (J * N)")),
    _edit("negative_elbo_backward", "dloss is ignored in the KL's gradient", ("dloss * config.beta / N", "config.beta / N")),
    _edit("negative_elbo_backward", "mu gets no gradient from the KL", ("dmu_z + dmu_kl", "dmu_z")),
    _edit("negative_elbo_backward", "logvar gets no gradient from the KL", ("dlogvar_z + dlogvar_kl", "dlogvar_z")),
    _edit("negative_elbo_backward", "logvar gets no gradient through the samples", ("dlogvar_z + dlogvar_kl", "dlogvar_kl")),
    _edit("negative_elbo_backward", "mu gets no gradient through the samples", ("dmu_z + dmu_kl", "dmu_kl")),
    _edit("negative_elbo_backward", "the samples are treated as data: the encoder gets the KL's gradient only",
          ("dmu_z + dmu_kl", "dmu_kl"), ("dlogvar_z + dlogvar_kl", "dlogvar_kl"), published=PYRO),
    _edit("negative_elbo_backward", "the KL's gradient is that to the standard normal, whatever the prior is",
          ("kl_divergence_backward(dkl, mu, logvar, *prior_parameters(config, mu.dtype))", "kl_divergence_backward(dkl, mu, logvar)")),
    _edit("log_mean_exp", "this is log Σ exp: the 1/K is missing", ("np.exp(a - m).mean(axis=axis)", "np.exp(a - m).sum(axis=axis)")),
    KnownError("log_mean_exp", "this is the mean of the logarithms; it must be the logarithm of the mean", lambda a, axis=0: a.mean(axis=axis)),
    KnownError("log_mean_exp", "correct on paper, but exp overflows or becomes 0: take the largest out first",
               lambda a, axis=0: np.log(np.exp(a).mean(axis=axis))),
    KnownError("log_mean_exp", "correct, but NaN where all weights are 0: −inf − (−inf)", lambda a, axis=0: np.log(
        np.exp(a - a.max(axis=axis, keepdims=True)).mean(axis=axis)) + a.max(axis=axis)),
    KnownError("log_mean_exp", "the largest is subtracted and not added back",
               lambda a, axis=0: np.log(np.exp(a - a.max(axis=axis, keepdims=True)).mean(axis=axis))),
    _edit("normalized_weights", "normalized over the images; it must be over the samples, axis 0",
          ("w / w.sum(axis=0)", "w / w.sum(axis=1, keepdims=True)")),
    _edit("normalized_weights", "normalized over everything: the weights of each image must sum to 1", ("w.sum(axis=0)", "w.sum()")),
    _edit("normalized_weights", "not normalized", ("return w / w.sum(axis=0)", "return w")),
    KnownError("normalized_weights", "every sample has the weight 1/K", lambda log_w: np.ones_like(log_w) / len(log_w)),
    KnownError("normalized_weights", "correct on paper, but exp overflows or becomes 0: take the largest out first",
               lambda log_w: np.exp(log_w) / np.exp(log_w).sum(axis=0)),
    _edit("log_importance_weights", "the prior is missing", ("log_px + log_pz - log_qz", "log_px - log_qz")),
    _edit("log_importance_weights", "multiplied by q; it must be divided", ("log_px + log_pz - log_qz", "log_px + log_pz + log_qz")),
    _edit("log_importance_weights", "log q(z|x) is missing", ("log_px + log_pz - log_qz", "log_px + log_pz")),
    _edit("log_importance_weights", "log q without logvar", ("(LOG_2PI + logvar + eps**2)", "(LOG_2PI + 0 * logvar + eps**2)")),
    _edit("log_importance_weights", "log q of z², not of eps² = (z − mu)²/σ²", ("logvar + eps**2", "logvar + z**2")),
    KnownError("negative_iwae", "the mean of the log weights, K samples of the ELBO; it must be the log of the mean weight",
               function=_iwae(lambda log_w: -log_w.mean())),
    KnownError("negative_iwae", "this is summed over the images; it must be a mean",
               function=_iwae(lambda log_w: -log_mean_exp(log_w).sum())),
    KnownError("negative_iwae", "this is the bound itself: the sign is missing", function=_iwae(lambda log_w: log_mean_exp(log_w).mean())),
    KnownError("negative_iwae", "this is log Σ w: the 1/K is missing",
               function=_iwae(lambda log_w: -(log_mean_exp(log_w) + np.log(len(log_w))).mean())),
    KnownError("negative_iwae", "the mean over the images is inside the logarithm: log p of all images must be a sum of logarithms",
               function=_iwae(lambda log_w: -log_mean_exp(log_w.reshape(-1)))),
    _edit("negative_iwae_backward", "every sample counts the same: the weights must be the normalized ones",
          ("-normalized_weights(cache.log_w) *", "-np.full_like(cache.log_w, 1 / len(cache.log_w)) *")),
    _edit("negative_iwae_backward", "log q's gradient in logvar is missing", ("dlogvar_z + dlogvar_q", "dlogvar_z")),
    _edit("negative_iwae_backward", "log q's gradient in logvar without its half", ("0.5 * dlog_w.sum(axis=0)", "dlog_w.sum(axis=0)")),
    _edit("negative_iwae_backward", "1/N is missing", ("(dloss / len(cache.x))", "dloss")),
    _edit("negative_iwae_backward", "dloss is ignored", ("(dloss / len(cache.x))", "(1 / len(cache.x))")),
    _edit("log_marginal", "a standard error of one weight, not of the mean of K",
          ("np.sqrt(variance / num_samples) / mean", "np.sqrt(variance) / mean")),
    _edit("log_marginal", "a standard error of w, not of log w", ("np.sqrt(variance / num_samples) / mean", "np.sqrt(variance / num_samples)")),
    _edit("log_marginal", "the running sum is not rescaled to the new maximum", ("s1 * scale + w.sum", "s1 + w.sum")),
    _edit("log_marginal", "the running squares are rescaled once; they must be twice", ("s2 * scale**2", "s2 * scale")),
    _edit("log_marginal", "this is the log of the sum of the weights: the 1/K is missing", ("m + np.log(mean)", "m + np.log(s1)")),
    _edit("negative_elbo_stl_backward", "log q's gradient is not divided by σ", (" * np.exp(-0.5 * cache.logvar)", "")),
    _edit("negative_elbo_stl_backward", "log q's gradient is missing", ("dz + dz_q", "dz")),
    _edit("negative_elbo_stl_backward", "log q's gradient has the wrong sign", ("dz + dz_q", "dz - dz_q")),
    _edit("negative_elbo_stl_backward", "1/J is missing", ("-dloss / cache.log_w.size", "-dloss / len(cache.x)")),
    _edit("negative_iwae_dreg_backward", "w̃ in the place of w̃²: this is neither estimator", ("w[..., None], cache", "1, cache")),
    _edit("negative_iwae_dreg_backward", "log q's gradient is missing", ("dz + dz_q", "dz")),
    _edit("negative_iwae_dreg_backward", "1/N is missing", ("-w * (dloss / len(cache.x))", "-w * dloss")),
]
