"""Known errors in chapters 6 to 12 of book one: model, bound, Adam, gradient checks, importance weights."""

import numpy as np

from .known_errors import KnownError


def _edit(name, words, *edits, published=""):
    return KnownError(name, words, edits=edits, published=published)


def _adam(name, words, m_hat="m / (1 - beta1**t)", v_hat="v / (1 - beta2**t)", update=None, published="", **lines):
    """An edit of adam_update's lines"""
    new = dict(m="m = beta1 * m + (1 - beta1) * g", v="v = beta2 * v + (1 - beta2) * g**2", m_hat=f"m_hat = {m_hat}",
               v_hat=f"v_hat = {v_hat}", theta=update or "theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)")
    new.update(lines)
    old = dict(m="m = beta1 * m + (1 - beta1) * g", v="v = beta2 * v + (1 - beta2) * g**2", m_hat="m_hat = m / (1 - beta1**t)",
               v_hat="v_hat = v / (1 - beta2**t)", theta="theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)")
    return KnownError(name, words, edits=tuple((old[key], new[key]) for key in old if old[key] != new[key]), published=published)


def _plain_adam(update):
    """A class like Adam, whose step is update(self, g), the change of theta, on m and v of Algorithm 1"""
    class Plain:
        def __init__(self, theta, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
            self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
            self.t, self.m, self.v = 0, np.zeros_like(theta), np.zeros_like(theta)

        def step(self, theta, g, shard=slice(None)):
            self.t += 1
            self.m = self.beta1 * self.m + (1 - self.beta1) * g
            self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
            theta[shard] -= update(self)[shard]

    return Plain


def _corrected(a):
    return a.m / (1 - a.beta1**a.t), a.v / (1 - a.beta2**a.t)


def _one_sided(f, inputs, name, h=1e-6):
    """A one-sided difference"""
    inputs = {key: np.array(value, float) for key, value in inputs.items()}
    x, base = inputs[name], f(inputs)
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x[i] += h
        gradient[i] = (f(inputs) - base) / h
        x[i] -= h
    return gradient


def _central(f, inputs, name, h, over, restore=True):
    inputs = {key: np.array(value, float) for key, value in inputs.items()}
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + h
        above = f(inputs)
        x[i] = old - h
        gradient[i] = (above - f(inputs)) / (over * h)
        x[i] = old if restore else old + h
    return gradient


BERT = "google-research/bert, issue 153"
PYRO = "Pyro, VAE example, pull request 1896"
KERAS = "Keras, VAE example, pull request 3383"
EPSILON_ROOT = "theta = theta - lr * m_hat / np.sqrt(v_hat + epsilon)"

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
    _adam("adam_update", "no bias correction: the first steps have the wrong size", m_hat="m", v_hat="v", published=BERT),
    _adam("adam_update", "m is not corrected", m_hat="m"),
    _adam("adam_update", "v is not corrected", v_hat="v"),
    _adam("adam_update", "both corrections have beta, not betaᵗ: right in step 1 only", m_hat="m / (1 - beta1)", v_hat="v / (1 - beta2)"),
    _adam("adam_update", "the correction of m has beta1, not beta1ᵗ: right in step 1 only", m_hat="m / (1 - beta1)"),
    _adam("adam_update", "the correction of v has beta2, not beta2ᵗ: right in step 1 only", v_hat="v / (1 - beta2)"),
    _adam("adam_update", "beta1 and beta2 are exchanged", m="m = beta2 * m + (1 - beta2) * g", v="v = beta1 * v + (1 - beta1) * g**2",
          m_hat="m / (1 - beta2**t)", v_hat="v / (1 - beta1**t)"),
    _adam("adam_update", "epsilon is under the root", update=EPSILON_ROOT),
    _adam("adam_update", "the root of v̂ is missing", update="theta = theta - lr * m_hat / (v_hat + epsilon)"),
    _adam("adam_update", "theta grows along the gradient: the sign is turned",
          update="theta = theta + lr * m_hat / (np.sqrt(v_hat) + epsilon)"),
    _adam("adam_update", "v averages g, not g²", v="v = beta2 * v + (1 - beta2) * abs(g)"),
    _adam("adam_update", "the gradient itself is in the place of m̂", update="theta = theta - lr * g / (np.sqrt(v_hat) + epsilon)"),
    KnownError("Adam.step", "no bias correction: the first steps have the wrong size", published=BERT,
               function=_plain_adam(lambda a: a.lr * a.m / (np.sqrt(a.v) + a.epsilon))),
    KnownError("Adam.step", "m is not corrected",
               function=_plain_adam(lambda a: a.lr * a.m / (np.sqrt(_corrected(a)[1]) + a.epsilon))),
    KnownError("Adam.step", "v is not corrected", function=_plain_adam(lambda a: a.lr * _corrected(a)[0] / (np.sqrt(a.v) + a.epsilon))),
    KnownError("Adam.step", "both corrections have beta, not betaᵗ: right in step 1 only", function=_plain_adam(
        lambda a: a.lr * a.m / (1 - a.beta1) / (np.sqrt(a.v / (1 - a.beta2)) + a.epsilon))),
    KnownError("Adam.step", "epsilon is under the root", function=_plain_adam(
        lambda a: a.lr * _corrected(a)[0] / np.sqrt(_corrected(a)[1] + a.epsilon))),
    KnownError("Adam.step", "epsilon is not scaled where the corrections are folded into the learning rate",
               function=_plain_adam(lambda a: a.lr * np.sqrt(1 - a.beta2**a.t) / (1 - a.beta1**a.t) * a.m / (np.sqrt(a.v) + a.epsilon))),
    KnownError("Adam.step", "the root of v̂ is missing", function=_plain_adam(
        lambda a: a.lr * _corrected(a)[0] / (_corrected(a)[1] + a.epsilon))),
    KnownError("Adam.step", "theta grows along the gradient: the sign is turned", function=_plain_adam(
        lambda a: -a.lr * _corrected(a)[0] / (np.sqrt(_corrected(a)[1]) + a.epsilon))),
    KnownError("central_difference_gradient", "this is divided by h; it must be 2h", lambda f, inputs, name, h=1e-5: _central(
        f, inputs, name, h, 1)),
    KnownError("central_difference_gradient", "this is one-sided, (f(x + h) − f(x))/h: its error falls as h, not as h²", _one_sided),
    KnownError("central_difference_gradient", "the entry is not restored before the next: errors add up",
               lambda f, inputs, name, h=1e-3: _central(f, inputs, name, h, 2, restore=False)),
    _edit("complex_step_gradient", "this is not divided by h", ("np.imag(f(inputs)) / h", "np.imag(f(inputs))")),
    _edit("complex_step_gradient", "this is the real part; it must be the imaginary part", ("np.imag(f(inputs)) / h", "np.real(f(inputs)) / h")),
    _edit("complex_step_gradient", "the step is not taken back: every later entry sees it", ("        x.imag[i] = 0\n", "")),
    KnownError("complex_step_gradient", "this is a central difference: half of the digits are lost to cancellation",
               lambda f, inputs, name, h=1e-20: _central(f, inputs, name, 6e-6, 2)),
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
    _edit("negative_iwae", "the mean of the log weights, K samples of the ELBO; it must be the log of the mean weight",
          ("-log_mean_exp(log_w).mean()", "-log_w.mean()")),
    _edit("negative_iwae", "this is summed over the images; it must be a mean", ("-log_mean_exp(log_w).mean()", "-log_mean_exp(log_w).sum()")),
    _edit("negative_iwae", "this is the bound itself: the sign is missing", ("-log_mean_exp(log_w).mean()", "log_mean_exp(log_w).mean()")),
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
    _edit("negative_elbo_stl_backward", "dlog q/dz is not divided by σ", ("* eps * np.exp(-0.5 * logvar)", "* eps")),
    _edit("negative_elbo_stl_backward", "the prior's gradient is missing", ("dz_likelihood + dz_prior + dz_q", "dz_likelihood + dz_q")),
    _edit("negative_elbo_stl_backward", "log q's gradient is missing", ("dz_likelihood + dz_prior + dz_q", "dz_likelihood + dz_prior")),
]
