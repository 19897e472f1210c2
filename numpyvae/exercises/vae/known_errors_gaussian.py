"""Known errors in book one's normal distributions."""

import numpy as np

from ...vae.gaussian import _exp
from ..judge.known_errors import KnownError

LOG_2PI = np.log(2 * np.pi)
VARIANCE_PUBLISHED = (
    "numpy-ml, neural_nets/models/vae.py; DeZero, examples/vae.py (of its third book)"
)


def _error(name, words, wrong, published=""):
    return KnownError(name, words, wrong, published)


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
        return 0.5 * term(
            logvar_q - logvar_p, mu_q - mu_p, np.exp(logvar_q), np.exp(logvar_p)
        )

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


def _kl_divergence_1(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
    with np.errstate(over="ignore", invalid="ignore"):
        d = np.minimum(logvar_q - logvar_p, 10000.0)
        r = mu_q - mu_p
        scaled = np.where(r == 0, r, r * _exp(-0.5 * logvar_p, r))
        return 0.5 * (np.exp(d) - 1 - d + scaled**2)


def _reparameterize_backward_1(dz, mu, logvar, eps):
    dsigma = dz
    if np.ndim(eps) > np.ndim(mu):
        dz, dsigma = (dz.sum(axis=0), dsigma.sum(axis=0))
    return (dz, dsigma * (0.5 * np.exp(0.5 * logvar)))


ERRORS = [
    _error(
        "entropy",
        "this is ½ log(2π σ²) + 1: the 1 needs the half as well",
        lambda v: 0.5 * (LOG_2PI + v) + 1,
    ),
    _error(
        "entropy",
        "log σ is in the place of log σ²: logvar counts half",
        lambda v: 0.5 * (LOG_2PI + 0.5 * v + 1),
    ),
    _error(
        "entropy",
        "this is E[log q]: the sign is missing",
        lambda v: -0.5 * (LOG_2PI + v + 1),
    ),
    _error(
        "entropy", "the ½ E[(x − mu)²/σ²] = ½ is missing", lambda v: 0.5 * (LOG_2PI + v)
    ),
    _error(
        "log_density",
        "the factor ½ is missing",
        lambda x, mu, v: -(LOG_2PI + v + (x - mu) ** 2 * np.exp(-v)),
    ),
    _error(
        "log_density",
        "the ½ logvar of the normalizing constant is missing",
        lambda x, mu, v: -0.5 * (LOG_2PI + (x - mu) ** 2 * np.exp(-v) + 0 * v),
    ),
    _error(
        "log_density",
        "the square is divided by σ, not by σ²",
        lambda x, mu, v: -0.5 * (LOG_2PI + v + (x - mu) ** 2 * np.exp(-0.5 * v)),
    ),
    _error(
        "log_density",
        "the constant is ½ log π; it must be ½ log 2π",
        lambda x, mu, v: -0.5 * (np.log(np.pi) + v + (x - mu) ** 2 * np.exp(-v)),
    ),
    _error(
        "log_density",
        "this is −log N: the sign is missing",
        lambda x, mu, v: 0.5 * (LOG_2PI + v + (x - mu) ** 2 * np.exp(-v)),
    ),
    _error(
        "log_density",
        "this is the density: the logarithm is missing",
        lambda x, mu, v: np.exp(-0.5 * (LOG_2PI + v + (x - mu) ** 2 * np.exp(-v))),
    ),
    _error(
        "cross_entropy",
        "the σ_q² of E_q[(x − mu_p)²] is missing",
        lambda m, v, mp, vp: 0.5 * (LOG_2PI + vp + (m - mp) ** 2 * np.exp(-vp) + 0 * v),
    ),
    _error(
        "cross_entropy",
        "the ratio of the variances is upside down: σ_p²/σ_q² for σ_q²/σ_p²",
        lambda m, v, mp, vp: (
            0.5 * (LOG_2PI + vp + np.exp(vp - v) + (m - mp) ** 2 * np.exp(-vp))
        ),
    ),
    _error(
        "cross_entropy",
        "this is E_q[log p]: the sign is missing",
        lambda m, v, mp, vp: (
            -0.5 * (LOG_2PI + vp + np.exp(v - vp) + (m - mp) ** 2 * np.exp(-vp))
        ),
    ),
    _error(
        "kl_divergence",
        "the factor ½ is missing",
        _kl(lambda d, r, sq, sp: 2 * (np.expm1(d) - d + r**2 / sp)),
    ),
    _error(
        "kl_divergence",
        "this is −KL: the sign is missing",
        _kl(lambda d, r, sq, sp: -(np.expm1(d) - d + r**2 / sp)),
    ),
    _error(
        "kl_divergence",
        "d is added; it must be subtracted. The result can be negative",
        _kl(lambda d, r, sq, sp: np.expm1(d) + d + r**2 / sp),
        "Flux model-zoo, vae.jl, pull request 147",
    ),
    _error(
        "kl_divergence",
        "log σ is in the place of log σ²: d counts half",
        _kl(lambda d, r, sq, sp: np.expm1(d) - 0.5 * d + r**2 / sp),
    ),
    _error(
        "kl_divergence",
        "the − 1 is missing",
        _kl(lambda d, r, sq, sp: np.exp(d) - d + r**2 / sp),
    ),
    _error(
        "kl_divergence",
        "this is KL(p ‖ q): the two distributions are exchanged",
        _kl(lambda d, r, sq, sp: np.expm1(-d) + d + r**2 / sq),
    ),
    _error(
        "kl_divergence",
        "the distance of the means is missing",
        _kl(lambda d, r, sq, sp: np.expm1(d) - d + 0 * r),
    ),
    _error(
        "kl_divergence",
        "the distance of the means is divided by q's variance; it must be p's",
        _kl(lambda d, r, sq, sp: np.expm1(d) - d + r**2 / sq),
    ),
    _error(
        "kl_divergence",
        "the distance of the means is not squared",
        _kl(lambda d, r, sq, sp: np.expm1(d) - d + r / sp),
    ),
    _error(
        "kl_divergence",
        "the distance of the means is divided by σ_p, not by σ_p²",
        _kl(lambda d, r, sq, sp: np.expm1(d) - d + r**2 / np.sqrt(sp)),
    ),
    _error(
        "kl_divergence",
        "this is summed over the latents; every function of this chapter is elementwise",
        lambda *v: _kl(lambda d, r, sq, sp: np.expm1(d) - d + r**2 / sp)(*v).sum(
            axis=-1
        ),
    ),
    KnownError(
        "kl_divergence",
        "correct on paper, but exp(d) − 1 − d loses its digits near d = 0: use np.expm1",
        _kl_divergence_1,
    ),
    _error(
        "kl_divergence_backward",
        "dmu_q without the prior's variance",
        _kl_backward(lambda m, mp, d, w: m - mp + 0 * w, _right_dlogvar),
    ),
    _error(
        "kl_divergence_backward",
        "dmu_q without the prior's mean",
        _kl_backward(lambda m, mp, d, w: m * w + 0 * mp, _right_dlogvar),
    ),
    _error(
        "kl_divergence_backward",
        "dlogvar_q without its half",
        _kl_backward(_right_dmu, lambda m, mp, d, w: np.expm1(d)),
    ),
    _error(
        "kl_divergence_backward",
        "dlogvar_q is ½ exp(d): the − 1 is missing",
        _kl_backward(_right_dmu, lambda m, mp, d, w: 0.5 * np.exp(d)),
    ),
    _error(
        "kl_divergence_backward",
        "dmu_q is half of what it must be",
        _kl_backward(lambda *v: 0.5 * _right_dmu(*v), _right_dlogvar),
    ),
    _error(
        "kl_divergence_backward",
        "the gradient in the standard deviation, σ − 1/σ, in the place of that in logvar",
        _kl_backward(
            _right_dmu, lambda m, mp, d, w: np.exp(0.5 * d) - np.exp(-0.5 * d)
        ),
    ),
    _error(
        "log_density_backward",
        "dx has the sign of dmu",
        lambda dy, x, mu, v: (
            dy * (x - mu) * np.exp(-v),
            dy * (x - mu) * np.exp(-v),
            0.5 * dy * ((x - mu) ** 2 * np.exp(-v) - 1),
        ),
    ),
    _error(
        "log_density_backward",
        "dlogvar without its half",
        lambda dy, x, mu, v: (
            -dy * (x - mu) * np.exp(-v),
            dy * (x - mu) * np.exp(-v),
            dy * ((x - mu) ** 2 * np.exp(-v) - 1),
        ),
    ),
    _error(
        "log_density_backward",
        "dlogvar without the − 1 of the normalizing constant",
        lambda dy, x, mu, v: (
            -dy * (x - mu) * np.exp(-v),
            dy * (x - mu) * np.exp(-v),
            0.5 * dy * (x - mu) ** 2 * np.exp(-v),
        ),
    ),
    _error(
        "log_density_backward",
        "x − mu is divided by σ, not by σ²",
        lambda dy, x, mu, v: (
            -dy * (x - mu) * np.exp(-v / 2),
            dy * (x - mu) * np.exp(-v / 2),
            0.5 * dy * ((x - mu) ** 2 * np.exp(-v / 2) - 1),
        ),
    ),
    _error(
        "reparameterize",
        "this is mu + exp(logvar)·eps: the variance where the standard deviation belongs",
        lambda mu, logvar, eps: mu + np.exp(logvar) * eps,
        VARIANCE_PUBLISHED,
    ),
    _error(
        "reparameterize",
        "this is mu + logvar·eps: the exponential is missing",
        lambda mu, logvar, eps: mu + logvar * eps,
    ),
    _error(
        "reparameterize",
        "this is mu − σ·eps: of the same distribution, but not of this noise",
        lambda mu, logvar, eps: mu - np.exp(0.5 * logvar) * eps,
    ),
    _error(
        "reparameterize",
        "this is mu + eps: the noise is not scaled",
        lambda mu, logvar, eps: mu + 0 * logvar + eps,
    ),
    _error(
        "reparameterize",
        "this is mu + exp(−logvar/2)·eps: divided by σ, not multiplied",
        lambda mu, logvar, eps: mu + np.exp(-0.5 * logvar) * eps,
    ),
    _error(
        "reparameterize_backward",
        "dlogvar without its half: ∂σ/∂logvar is σ/2",
        _scaled(lambda v: np.exp(0.5 * v)),
    ),
    _error(
        "reparameterize_backward",
        "dlogvar with exp(logvar): the variance where the standard deviation belongs",
        _scaled(np.exp),
        VARIANCE_PUBLISHED,
    ),
    _error(
        "reparameterize_backward",
        "dlogvar with exp(logvar)/2: the variance where the standard deviation belongs",
        _scaled(lambda v: 0.5 * np.exp(v)),
    ),
    _error(
        "reparameterize_backward", "dlogvar without σ", _scaled(lambda v: 0.5 + 0 * v)
    ),
    _error(
        "reparameterize_backward",
        "the gradients are means over the J samples; they must be sums",
        _mean_backward,
    ),
    KnownError(
        "reparameterize_backward",
        "dlogvar without the noise",
        _reparameterize_backward_1,
    ),
]
