"""Known errors in chapters 1 to 3 of book one: layers, normal distributions, Bernoulli."""

import numpy as np

from .known_errors import KnownError
from ..vae.bernoulli import sigmoid, softplus

LOG_2PI = np.log(2 * np.pi)
VARIANCE_PUBLISHED = "numpy-ml, neural_nets/models/vae.py; DeZero, examples/vae.py (of its third book)"


def _error(name, words, wrong, published=""):
    """wrong: a function, or one edit (old, new)"""
    if callable(wrong):
        return KnownError(name, words, function=wrong, published=published)
    return KnownError(name, words, edits=(wrong,), published=published)


def _linear_backward(dy, cache, grads=(None, None), *, dx=None, dW=None, db=None):
    """linear_backward with one of its three gradients replaced; x, W and dy are given to the replacement"""
    x, W = cache
    gradients = (dx(dy, x, W) if dx else dy @ W.T, dW(dy, x, W) if dW else x.T @ dy, db(dy, x, W) if db else dy.sum(axis=0))
    for destination, gradient in zip(grads, gradients[1:]):
        if destination is not None:
            destination[...] = gradient
    return gradients


def _with(**wrong):
    return lambda dy, cache, grads=(None, None): _linear_backward(dy, cache, grads, **wrong)


def _params_with(**wrong):
    return lambda dy, cache, grads=(None, None): _linear_backward(dy, cache, grads, **wrong)[1:]


def _scaled(factor):
    """reparameterize_backward with `factor` in the place of σ/2"""
    def backward(dz, mu, logvar, eps):
        dsigma = dz * eps
        if np.ndim(eps) > np.ndim(mu):
            dz, dsigma = dz.sum(axis=0), dsigma.sum(axis=0)
        return dz, dsigma * factor(logvar)
    return backward


def _mean_backward(dz, mu, logvar, eps):
    dsigma = dz * eps
    if np.ndim(eps) > np.ndim(mu):
        dz, dsigma = dz.mean(axis=0), dsigma.mean(axis=0)
    return dz, dsigma * 0.5 * np.exp(0.5 * logvar)


def _kl(term):
    """kl_divergence with term(d, r, s_q, s_p) in the place of exp(d) − 1 − d + r²/σ_p², s the variances"""
    def kl(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        return 0.5 * term(logvar_q - logvar_p, mu_q - mu_p, np.exp(logvar_q), np.exp(logvar_p))
    return kl


def _kl_backward(dmu, dlogvar):
    """kl_divergence_backward with its two factors of dy given"""
    def backward(dy, mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        args = mu_q, mu_p, logvar_q - logvar_p, np.exp(-np.asarray(logvar_p))
        return dy * dmu(*args), dy * dlogvar(*args)
    return backward


def _right_dmu(mu_q, mu_p, d, precision):
    return (mu_q - mu_p) * precision


def _right_dlogvar(mu_q, mu_p, d, precision):
    return 0.5 * np.expm1(d)


ERRORS = [
    _error("linear", "this is x W: the bias is missing", lambda x, W, b: (x @ W, (x, W))),
    _error("linear", "this is x Wᵀ + b: the weight is transposed", lambda x, W, b: (x @ W.T + b, (x, W))),
    _error("relu", "this is |x|: negative inputs change their sign instead of becoming 0", lambda x: (abs(x), abs(x))),
    _error("relu", "this is leaky: negative inputs are scaled by 0.01 instead of becoming 0",
           lambda x: (np.where(x > 0, x, 0.01 * x),) * 2),
    _error("relu_backward", "this is dy: the gradient is not 0 where the input was negative", lambda dy, y: dy * np.ones_like(y)),
    _error("relu_backward", "the mask is dy > 0, the sign of the gradient; it must be y > 0", lambda dy, y: dy * (dy > 0)),
    _error("relu_backward", "this is dy y: the output itself in the place of the mask", lambda dy, y: dy * y),
    _error("tanh_backward", "this is dy (1 − y): the square is missing", lambda dy, y: dy * (1 - y)),
    _error("tanh_backward", "this is dy (1 − tanh² y): y is tanh x already", lambda dy, y: dy * (1 - np.tanh(y) ** 2)),
    _error("tanh_backward", "this is dy y (1 − y): the derivative of the sigmoid", lambda dy, y: dy * y * (1 - y)),
    _error("linear_backward_params", "dW is dyᵀ x: transposed", _params_with(dW=lambda dy, x, W: dy.T @ x)),
    _error("linear_backward_params", "dW and db are means over the images; they must be sums",
           _params_with(dW=lambda dy, x, W: x.T @ dy / len(dy), db=lambda dy, x, W: dy.mean(axis=0))),
    _error("linear_backward_params", "db is a mean over the images; it must be a sum", _params_with(db=lambda dy, x, W: dy.mean(axis=0))),
    _error("linear_backward_params", "dW is a mean over the images; it must be a sum", _params_with(dW=lambda dy, x, W: x.T @ dy / len(dy))),
    _error("linear_backward_params", "db is summed over the outputs; it must be summed over the images",
           _params_with(db=lambda dy, x, W: dy.sum(axis=1))),
    _error("linear_backward_params", "dW is x dy: the transpose of x is missing", _params_with(dW=lambda dy, x, W: x @ dy)),
    _error("linear_backward", "dx is dy W: the transpose of the weight is missing", _with(dx=lambda dy, x, W: dy @ W)),
    _error("linear_backward", "dW is dyᵀ x: transposed", _with(dW=lambda dy, x, W: dy.T @ x)),
    _error("linear_backward", "db is a mean over the images; it must be a sum", _with(db=lambda dy, x, W: dy.mean(axis=0))),
    _error("linear_backward", "dW is a mean over the images; it must be a sum", _with(dW=lambda dy, x, W: x.T @ dy / len(dy))),
    _error("entropy", "this is ½ log(2π σ²) + 1: the 1 needs the half as well", lambda v: 0.5 * (LOG_2PI + v) + 1),
    _error("entropy", "log σ is in the place of log σ²: logvar counts half", lambda v: 0.5 * (LOG_2PI + 0.5 * v + 1)),
    _error("entropy", "this is E[log q]: the sign is missing", lambda v: -0.5 * (LOG_2PI + v + 1)),
    _error("entropy", "the ½ E[(x − mu)²/σ²] = ½ is missing", lambda v: 0.5 * (LOG_2PI + v)),
    _error("log_density", "the factor ½ is missing", lambda x, mu, v: -(LOG_2PI + v + (x - mu) ** 2 * np.exp(-v))),
    _error("log_density", "the ½ logvar of the normalizing constant is missing",
           lambda x, mu, v: -0.5 * (LOG_2PI + (x - mu) ** 2 * np.exp(-v) + 0 * v)),
    _error("log_density", "the square is divided by σ, not by σ²",
           lambda x, mu, v: -0.5 * (LOG_2PI + v + (x - mu) ** 2 * np.exp(-0.5 * v))),
    _error("log_density", "the constant is ½ log π; it must be ½ log 2π",
           lambda x, mu, v: -0.5 * (np.log(np.pi) + v + (x - mu) ** 2 * np.exp(-v))),
    _error("log_density", "this is −log N: the sign is missing", lambda x, mu, v: 0.5 * (LOG_2PI + v + (x - mu) ** 2 * np.exp(-v))),
    _error("log_density", "this is the density: the logarithm is missing",
           lambda x, mu, v: np.exp(-0.5 * (LOG_2PI + v + (x - mu) ** 2 * np.exp(-v)))),
    _error("cross_entropy", "the σ_q² of E_q[(x − mu_p)²] is missing",
           lambda m, v, mp, vp: 0.5 * (LOG_2PI + vp + (m - mp) ** 2 * np.exp(-vp) + 0 * v)),
    _error("cross_entropy", "the ratio of the variances is upside down: σ_p²/σ_q² for σ_q²/σ_p²",
           lambda m, v, mp, vp: 0.5 * (LOG_2PI + vp + np.exp(vp - v) + (m - mp) ** 2 * np.exp(-vp))),
    _error("cross_entropy", "this is E_q[log p]: the sign is missing",
           lambda m, v, mp, vp: -0.5 * (LOG_2PI + vp + np.exp(v - vp) + (m - mp) ** 2 * np.exp(-vp))),
    _error("kl_divergence", "the factor ½ is missing", _kl(lambda d, r, sq, sp: 2 * (np.expm1(d) - d + r**2 / sp))),
    _error("kl_divergence", "this is −KL: the sign is missing", _kl(lambda d, r, sq, sp: -(np.expm1(d) - d + r**2 / sp))),
    _error("kl_divergence", "d is added; it must be subtracted. The result can be negative",
           _kl(lambda d, r, sq, sp: np.expm1(d) + d + r**2 / sp), "Flux model-zoo, vae.jl, pull request 147"),
    _error("kl_divergence", "log σ is in the place of log σ²: d counts half", _kl(lambda d, r, sq, sp: np.expm1(d) - 0.5 * d + r**2 / sp)),
    _error("kl_divergence", "the − 1 is missing", _kl(lambda d, r, sq, sp: np.exp(d) - d + r**2 / sp)),
    _error("kl_divergence", "this is KL(p ‖ q): the two distributions are exchanged", _kl(lambda d, r, sq, sp: np.expm1(-d) + d + r**2 / sq)),
    _error("kl_divergence", "the distance of the means is missing", _kl(lambda d, r, sq, sp: np.expm1(d) - d + 0 * r)),
    _error("kl_divergence", "the distance of the means is divided by q's variance; it must be p's",
           _kl(lambda d, r, sq, sp: np.expm1(d) - d + r**2 / sq)),
    _error("kl_divergence", "the distance of the means is not squared", _kl(lambda d, r, sq, sp: np.expm1(d) - d + r / sp)),
    _error("kl_divergence", "the distance of the means is divided by σ_p, not by σ_p²",
           _kl(lambda d, r, sq, sp: np.expm1(d) - d + r**2 / np.sqrt(sp))),
    _error("kl_divergence", "this is summed over the latents; every function of this chapter is elementwise",
           lambda *v: _kl(lambda d, r, sq, sp: np.expm1(d) - d + r**2 / sp)(*v).sum(axis=-1)),
    _error("kl_divergence", "correct on paper, but exp(d) − 1 − d loses its digits near d = 0: use np.expm1",
           ("np.expm1(d) - d", "(np.exp(d) - 1) - d")),
    _error("kl_divergence_backward", "dmu_q without the prior's variance",
           _kl_backward(lambda m, mp, d, w: m - mp + 0 * w, _right_dlogvar)),
    _error("kl_divergence_backward", "dmu_q without the prior's mean", _kl_backward(lambda m, mp, d, w: m * w + 0 * mp, _right_dlogvar)),
    _error("kl_divergence_backward", "dlogvar_q without its half", _kl_backward(_right_dmu, lambda m, mp, d, w: np.expm1(d))),
    _error("kl_divergence_backward", "dlogvar_q is ½ exp(d): the − 1 is missing", _kl_backward(_right_dmu, lambda m, mp, d, w: 0.5 * np.exp(d))),
    _error("kl_divergence_backward", "dmu_q is half of what it must be", _kl_backward(lambda *v: 0.5 * _right_dmu(*v), _right_dlogvar)),
    _error("kl_divergence_backward", "the gradient in the standard deviation, σ − 1/σ, in the place of that in logvar",
           _kl_backward(_right_dmu, lambda m, mp, d, w: np.exp(0.5 * d) - np.exp(-0.5 * d))),
    _error("log_density_backward", "dx has the sign of dmu",
           lambda dy, x, mu, v: (dy * (x - mu) * np.exp(-v), dy * (x - mu) * np.exp(-v), 0.5 * dy * ((x - mu) ** 2 * np.exp(-v) - 1))),
    _error("log_density_backward", "dlogvar without its half",
           lambda dy, x, mu, v: (-dy * (x - mu) * np.exp(-v), dy * (x - mu) * np.exp(-v), dy * ((x - mu) ** 2 * np.exp(-v) - 1))),
    _error("log_density_backward", "dlogvar without the − 1 of the normalizing constant",
           lambda dy, x, mu, v: (-dy * (x - mu) * np.exp(-v), dy * (x - mu) * np.exp(-v), 0.5 * dy * (x - mu) ** 2 * np.exp(-v))),
    _error("log_density_backward", "x − mu is divided by σ, not by σ²",
           lambda dy, x, mu, v: (-dy * (x - mu) * np.exp(-v / 2), dy * (x - mu) * np.exp(-v / 2),
                                 0.5 * dy * ((x - mu) ** 2 * np.exp(-v / 2) - 1))),
    _error("reparameterize", "this is mu + exp(logvar)·eps: the variance where the standard deviation belongs",
           lambda mu, logvar, eps: mu + np.exp(logvar) * eps, VARIANCE_PUBLISHED),
    _error("reparameterize", "this is mu + logvar·eps: the exponential is missing", lambda mu, logvar, eps: mu + logvar * eps),
    _error("reparameterize", "this is mu − σ·eps: of the same distribution, but not of this noise",
           lambda mu, logvar, eps: mu - np.exp(0.5 * logvar) * eps),
    _error("reparameterize", "this is mu + eps: the noise is not scaled", lambda mu, logvar, eps: mu + 0 * logvar + eps),
    _error("reparameterize", "this is mu + exp(−logvar/2)·eps: divided by σ, not multiplied",
           lambda mu, logvar, eps: mu + np.exp(-0.5 * logvar) * eps),
    _error("reparameterize_backward", "dlogvar without its half: ∂σ/∂logvar is σ/2", _scaled(lambda v: np.exp(0.5 * v))),
    _error("reparameterize_backward", "dlogvar with exp(logvar): the variance where the standard deviation belongs",
           _scaled(np.exp), VARIANCE_PUBLISHED),
    _error("reparameterize_backward", "dlogvar with exp(logvar)/2: the variance where the standard deviation belongs",
           _scaled(lambda v: 0.5 * np.exp(v))),
    _error("reparameterize_backward", "dlogvar without σ", _scaled(lambda v: 0.5 + 0 * v)),
    _error("reparameterize_backward", "the gradients are means over the J samples; they must be sums", _mean_backward),
    _error("reparameterize_backward", "dlogvar without the noise", ("dsigma = dz * eps", "dsigma = dz")),
    _error("sigmoid", "this is sigmoid(−l): the sign in the exponential is missing", lambda v: 1 / (1 + np.exp(v))),
    _error("sigmoid", "correct on paper, but exp(l)/(1 + exp(l)) is inf/inf for a large l", lambda v: np.exp(v) / (1 + np.exp(v))),
    _error("softplus", "correct on paper, but exp(l) overflows, and 1 + exp(l) loses a small exp(l): use max(l, 0) and np.log1p",
           lambda v: np.log(1 + np.exp(v))),
    _error("softplus", "correct on paper, but exp(l) overflows: use max(l, 0) + log(1 + exp(−|l|))", lambda v: np.log1p(np.exp(v))),
    _error("softplus", "this is log(1 + exp(−l)): the sign of l", lambda v: np.logaddexp(0, -v)),
    _error("log_prob", "this is a mean over the pixels; it must be a sum",
           lambda x, v: (x * v - softplus(v)).mean(axis=-1), "Keras, VAE example, pull request 3383"),
    _error("log_prob", "this is summed over the images as well", lambda x, v: (x * v - softplus(v)).sum()),
    _error("log_prob", "this is −log p: the sign is missing", lambda x, v: -(x * v - softplus(v)).sum(axis=-1)),
    _error("log_prob", "x and 1 − x are exchanged", lambda x, v: ((1 - x) * v - softplus(v)).sum(axis=-1)),
    _error("log_prob", "only x log sigmoid(l): the term of 1 − x is missing", lambda x, v: -(x * softplus(-v)).sum(axis=-1)),
    _error("log_prob", "correct on paper, but log(sigmoid(l)) is log 0 for a large |l|: use logits",
           lambda x, v: (x * np.log(sigmoid(v)) + (1 - x) * np.log(1 - sigmoid(v))).sum(axis=-1)),
    _error("log_prob_backward", "the sign is turned: sigmoid(l) − x", lambda dy, x, v: dy[..., None] * (sigmoid(v) - x)),
    _error("log_prob_backward", "this is dy (x − l): the sigmoid is missing", lambda dy, x, v: dy[..., None] * (x - v)),
    _error("log_prob_backward", "a factor sigmoid(l) (1 − sigmoid(l)) too many, as after a sigmoid layer",
           lambda dy, x, v: dy[..., None] * (x - sigmoid(v)) * sigmoid(v) * (1 - sigmoid(v))),
    _error("log_prob_backward", "this is divided by the number of pixels", lambda dy, x, v: dy[..., None] * (x - sigmoid(v)) / x.shape[-1]),
]
