"""Chapter 2, normal distributions: oracles and known errors.

The oracles are quadrature, complex steps through formulas in σ, and sample moments.
"""

import cmath
import math
from typing import Any

import numpy as np
from scipy.special import ndtri

from ...vae.gaussian import (
    cross_entropy,
    entropy,
    kl_divergence,
    kl_divergence_backward,
    log_density,
    reparameterize,
)
from ..calculus import deviation, expectation, in_float32, minus_log, over, slope
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial

QUARTET = [
    (0.5, 0.0, 0.0, 0.0),
    (0.0, 1.2, 0.0, 0.0),
    (-1.0, -0.8, 0.0, 0.0),
    (0.5, -0.8, 1.5, 0.4),
    (2.0, 1.0, -1.0, -0.6),
]


def entropy_trials() -> list[Trial]:
    """By quadrature of −q log q"""

    def value(logvar):
        return expectation(
            lambda x: minus_log(x, 0, math.sqrt(math.exp(logvar))), 0.0, logvar
        )

    trials = [Trial({"logvar": np.array(v)}, value(v)) for v in (0.0, 1.2, -3.0)]
    grid = np.array([[-1.0, 0.5, 2.0], [0.0, -4.0, 3.0]])
    trials.append(Trial({"logvar": grid}, over(value, grid)))
    return trials + in_float32(trials)


GRID = {
    "x": np.array([[0.5, -1.0, 2.0], [0.0, 1.5, -2.5]]),
    "mu": np.array([[0.0, 1.0, -0.5], [0.25, 1.0, 2.0]]),
    "logvar": np.array([[0.0, -1.0, 0.7], [1.3, -0.4, 2.0]]),
}


def log_density_trials() -> list[Trial]:
    """By the formula in σ, with `math`"""

    def value(x, mu, logvar):
        return -minus_log(x, mu, math.sqrt(math.exp(logvar)))

    trials = [
        Trial(dict(zip(GRID, map(np.array, v), strict=True)), value(*v))
        for v in [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.2), (1.5, 0.5, -0.8)]
    ]
    trials.append(Trial(dict(GRID), over(value, *GRID.values())))
    samples = np.array(
        [[[1.0, 0.0, -1.0]], [[0.5, 2.0, 0.25]]]
    )  # (J, 1, L) beside (N, L)
    trials.append(
        Trial({**GRID, "x": samples}, over(value, samples, GRID["mu"], GRID["logvar"]))
    )
    return trials + in_float32(trials)


def log_density_backward_trials() -> list[Trial]:
    """By complex steps through the formula in σ"""

    def formula(x, mu, logvar):
        return -cmath.log(deviation(logvar)) - 0.5 * ((x - mu) / deviation(logvar)) ** 2

    def value(dy, *values):
        return tuple(
            over(lambda d, *v, k=k: d * slope(formula, v, k), dy, *values)
            for k in range(3)
        )

    trials = [
        Trial(
            {
                "dy": np.array(v[0]),
                **dict(zip(GRID, map(np.array, v[1:]), strict=True)),
            },
            value(*v),
        )
        for v in [(1.0, 1.0, 0.0, 0.0), (1.0, 1.5, 0.5, -0.8), (-2.0, 0.5, 2.0, 1.1)]
    ]
    dy = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])
    trials.append(Trial({"dy": dy, **GRID}, value(dy, *GRID.values())))
    return trials + in_float32(trials)


def four(values) -> dict:
    """The four arguments of a KL divergence, or the first two"""
    names = ("mu_q", "logvar_q", "mu_p", "logvar_p")
    return {name: np.array(value) for name, value in zip(names, values, strict=False)}


QP = {
    "mu_q": np.array([[0.5, -1.0, 2.0], [0.0, 1.5, -2.5]]),
    "logvar_q": np.array([[0.0, -1.0, 0.7], [1.3, -0.4, 2.0]]),
    "mu_p": np.array([0.1, 1.0, -0.5]),
    "logvar_p": np.array([0.3, -0.7, 0.9]),
}


def cross_entropy_trials() -> list[Trial]:
    """By quadrature of −q log p"""

    def value(mu_q, logvar_q, mu_p, logvar_p):
        return expectation(
            lambda x: minus_log(x, mu_p, math.sqrt(math.exp(logvar_p))), mu_q, logvar_q
        )

    trials = [Trial(four(v), value(*v)) for v in QUARTET]
    trials.append(Trial(dict(QP), over(value, *QP.values())))
    return trials + in_float32(trials)


def kl_divergence_trials() -> list[Trial]:
    """By quadrature of q (log q − log p)

    Near equality by its series; far away by its limit.
    """

    def value(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        return expectation(
            lambda x: (
                minus_log(x, mu_p, math.sqrt(math.exp(logvar_p)))
                - minus_log(x, mu_q, math.sqrt(math.exp(logvar_q)))
            ),
            mu_q,
            logvar_q,
        )

    close: Any = {"rtol": 1e-9, "atol": 1e-12}  # the quadrature's own rounding
    trials = [Trial(four(v[:2]), value(*v), **close) for v in QUARTET[:3]] + [
        Trial(four(v), value(*v), **close) for v in QUARTET
    ]
    q = {key: QP[key] for key in ("mu_q", "logvar_q")}
    trials.append(Trial(q, over(value, *q.values()), **close))
    trials.append(Trial(dict(QP), over(value, *QP.values()), **close))
    trials += in_float32(trials)
    # near equality: ½ (d²/2 + d³/6 + …), which exp(d) − 1 − d loses by cancellation
    for d in (1e-3, -1e-6):
        series = 0.5 * sum(d**n / math.factorial(n) for n in range(2, 9))
        trials.append(Trial(four((0.0, d)), series, rtol=1e-6, delicate=True))
        # 0.5 + d is rounded itself
        trials.append(
            Trial(four((1.0, 0.5 + d, 1.0, 0.5)), series, rtol=1e-3, delicate=True)
        )
    trials.append(
        Trial(
            four((0.0, np.float32(1e-3))),
            0.5 * sum(1e-3**n / math.factorial(n) for n in range(2, 9)),
            rtol=0.1,
            delicate=True,
        )
    )
    trials.append(Trial(four((1.0, 800.0)), np.inf, delicate=True))
    trials.append(
        Trial(four((1.0, -700.0)), 0.5 * (1.0 - 1 + 700), rtol=1e-6, delicate=True)
    )
    trials.append(Trial(four((0.0, 0.0, 0.0, -720.0)), np.inf, delicate=True))
    return trials


def kl_divergence_backward_trials() -> list[Trial]:
    """By complex steps through (2.6), the formula in σ"""

    def formula(mu_q, logvar_q, mu_p, logvar_p):
        q, p = deviation(logvar_q), deviation(logvar_p)
        return cmath.log(p / q) + (q**2 + (mu_q - mu_p) ** 2) / (2 * p**2)

    def value(dy, *values):
        values = values if len(values) == 4 else (*values, 0.0, 0.0)
        return tuple(
            over(lambda d, *v, k=k: d * slope(formula, v, k), dy, *values)
            for k in range(2)
        )

    trials = [
        Trial({"dy": np.array(d), **four(v)}, value(d, *v))
        for d, v in [
            (1.0, QUARTET[0][:2]),
            (1.0, QUARTET[1][:2]),
            *zip((1.0, 1.0, -2.0, 0.5, 1.0), QUARTET, strict=True),
        ]
    ]
    dy = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])
    trials.append(Trial({"dy": dy, **QP}, value(dy, *QP.values())))
    return trials + in_float32(trials)


def reparameterize_trials() -> list[Trial]:
    """By the formula in σ, with `math`; and the moments of many samples"""

    def value(mu, logvar, eps):
        return mu + math.sqrt(math.exp(logvar)) * eps

    def moments(f, functions, mu, logvar, eps):
        z = np.asarray(f(mu, logvar, eps))
        return z.mean(axis=(0, 1)), z.std(axis=(0, 1))

    names = ("mu", "logvar", "eps")
    trials = [
        Trial(
            dict(zip(names, (np.array([[v]]) for v in values), strict=True)),
            np.array([[value(*values)]]),
        )
        for values in [(0.5, 0.0, 1.0), (0.0, 1.2, 1.0), (0.5, -0.8, -2.0)]
    ]
    mu = GRID["mu"]
    logvar = GRID["logvar"]
    eps = np.array(
        [
            [[1.0, -0.5, 2.0], [0.25, 0.0, -1.0]],
            [[0.5, 1.5, -1.0], [-2.0, 1.0, 0.75]],
        ]
    )
    trials.append(
        Trial({"mu": mu, "logvar": logvar, "eps": eps}, over(value, mu, logvar, eps))
    )
    trials += in_float32(trials)
    quantiles = ndtri((np.arange(2000) + 0.5) / 2000).reshape(
        2000, 1, 1
    )  # mean 0; standard deviation 1 to 4e-4
    trials.append(
        Trial(
            {"mu": np.array([[0.5]]), "logvar": np.array([[1.2]]), "eps": quantiles},
            (np.array([0.5]), np.array([math.sqrt(math.exp(1.2))])),
            moments,
            rtol=1e-3,
            text="mean and deviation of 2,000 samples, mu = 0.5 and logvar = 1.2",
        )
    )
    return trials


def reparameterize_backward_trials() -> list[Trial]:
    """By complex steps through the formula in σ, one sample at a time"""

    def value(dz, mu, logvar, eps):
        def sample(m, s, e):
            return m + deviation(s) * e

        def gradient(k):
            each = over(
                lambda d, m, s, e: d * slope(lambda m, s: sample(m, s, e), (m, s), k),
                dz,
                mu,
                logvar,
                eps,
            )
            return each.reshape(-1, *mu.shape).sum(axis=0)

        return gradient(0), gradient(1)

    one = [
        np.array([[[1.0]]]),
        np.array([[0.5]]),
        np.array([[0.0]]),
        np.array([[[2.0]]]),
    ]
    two = [
        np.array([[[1.0]]]),
        np.array([[0.5]]),
        np.array([[1.2]]),
        np.array([[[1.0]]]),
    ]
    dz = (np.arange(12).reshape(2, 2, 3) - 4.5) / 2
    eps = np.cos(np.arange(12)).reshape(2, 2, 3)
    trials = [
        Trial(dict(zip(("dz", "mu", "logvar", "eps"), v, strict=True)), value(*v))
        for v in [
            one,
            two,
            [dz[0], GRID["mu"], GRID["logvar"], eps[0]],
            [dz, GRID["mu"], GRID["logvar"], eps],
        ]
    ]
    return trials + in_float32(trials)


# Known errors

LOG_2PI = math.log(2 * math.pi)
VARIANCE = (
    "numpy-ml, neural_nets/models/vae.py; DeZero, examples/vae.py (of its third book)"
)


def of_log_sigma(f, *places: int):
    """f as if the arguments at these places were log σ, not log σ²"""
    return lambda *v: f(*(2 * x if i in places else x for i, x in enumerate(v)))


def density_of(term):
    """log_density with term(v, r) in the place of v + r² exp(−v), r = x − mu"""
    return lambda x, mu, v: -0.5 * (LOG_2PI + term(v, x - mu))


def cross_entropy_of(term):
    """cross_entropy with term(r, v_q, v_p), in the place of all but ½ and log 2π"""
    return lambda m, v, mp, vp: 0.5 * (LOG_2PI + term(m - mp, v, vp))


def kl_of(term):
    """kl_divergence with 2 KL = term(d, r, σ_q², σ_p²), d = logvar_q − logvar_p"""

    def kl(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        d, r = logvar_q - logvar_p, mu_q - mu_p
        return 0.5 * term(d, r, np.exp(logvar_q), np.exp(logvar_p))

    return kl


def kl_gradients(dmu=None, dlogvar=None):
    """kl_divergence_backward with another factor of dy, a function of r, d, σ_q, σ_p"""

    def backward(dy, mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        sq, sp = np.exp(0.5 * np.asarray(logvar_q)), np.exp(0.5 * np.asarray(logvar_p))
        args = mu_q - mu_p, logvar_q - logvar_p, sq, sp
        right = args[0] / sp**2, 0.5 * np.expm1(args[1])
        return (
            dy * (right[0] if dmu is None else dmu(*args)),
            dy * (right[1] if dlogvar is None else dlogvar(*args)),
        )

    return backward


def density_gradients(dx=None, dmu=None, dlogvar=None):
    """log_density_backward with another factor of dy, a function of r = x − mu and σ"""

    def backward(dy, x, mu, logvar):
        args = x - mu, np.exp(0.5 * logvar)
        score = args[0] / args[1] ** 2
        return (
            dy * (-score if dx is None else dx(*args)),
            dy * (score if dmu is None else dmu(*args)),
            dy * (0.5 * (score * args[0] - 1) if dlogvar is None else dlogvar(*args)),
        )

    return backward


def sample_gradients(factor=lambda s: s / 2, total=np.sum, noise=lambda e: e):
    """reparameterize_backward with other parts: σ/2, the sum over J, the noise"""

    def backward(dz, mu, logvar, eps):
        dsigma = dz * noise(eps)
        if np.ndim(eps) > np.ndim(mu):
            dz, dsigma = total(dz, axis=0), total(dsigma, axis=0)
        return dz, dsigma * factor(np.exp(0.5 * logvar))

    return backward


def product_of_sums(dz, mu, logvar, eps):
    """dlogvar from Σ dz Σ eps in the place of Σ dz eps"""
    if np.ndim(eps) > np.ndim(mu):
        dz, eps = dz.sum(axis=0), eps.sum(axis=0)
    return dz, dz * eps * 0.5 * np.exp(0.5 * logvar)


def logvar_is_sigma(mu, logvar, eps):
    """z = mu + logvar eps"""
    return mu + logvar * eps


ERRORS = [
    *errors_of(
        "entropy",
        {
            "this is ½ log(2π σ²) + 1: the 1 needs the half as well": lambda v: (
                0.5 * (LOG_2PI + v) + 1
            ),
            "log σ is in the place of log σ²: logvar counts half": lambda v: (
                0.5 * (LOG_2PI + 0.5 * v + 1)
            ),
            "the ½ E[(x − mu)²/σ²] = ½ is missing": lambda v: 0.5 * (LOG_2PI + v),
            "the constant is ½ log π; it must be ½ log 2π": lambda v: (
                0.5 * (math.log(math.pi) + v + 1)
            ),
            "σ² is in the place of log σ²: this is ½ (log 2π + exp(logvar) + 1)": (
                lambda v: 0.5 * (LOG_2PI + np.exp(v) + 1)
            ),
            "logvar is taken for log σ: it is log σ²": of_log_sigma(entropy, 0),
            "this is ½ (log 2π − logvar + 1): the sign of logvar": lambda v: (
                0.5 * (LOG_2PI - v + 1)
            ),
            "½ stands before log 2π only": lambda v: 0.5 * LOG_2PI + v + 1,
            "this is in bits, with log₂; nats are natural logarithms": lambda v: (
                entropy(v) / math.log(2)
            ),
        },
    ),
    *errors_of(
        "log_density",
        {
            "the ½ logvar of the normalizing constant is missing": density_of(
                lambda v, r: r**2 * np.exp(-v)
            ),
            "the square is divided by σ, not by σ²": density_of(
                lambda v, r: v + r**2 * np.exp(-v / 2)
            ),
            "the square is not divided by σ²": density_of(lambda v, r: v + r**2),
            "the square is multiplied by σ²; it must be divided": density_of(
                lambda v, r: v + r**2 * np.exp(v)
            ),
            "mu is added to x; it must be subtracted": lambda x, mu, v: log_density(
                x, -mu, v
            ),
            "the distance is not squared": density_of(lambda v, r: v + r * np.exp(-v)),
            "the square is added; it must be subtracted": density_of(
                lambda v, r: v - r**2 * np.exp(-v)
            ),
            "log σ² is added; it must be subtracted": density_of(
                lambda v, r: -v + r**2 * np.exp(-v)
            ),
            "log σ is in the place of log σ²: logvar counts half": density_of(
                lambda v, r: 0.5 * v + r**2 * np.exp(-v)
            ),
            "logvar is taken for log σ: it is log σ²": of_log_sigma(log_density, 2),
            "the square is not halved": density_of(
                lambda v, r: v + 2 * r**2 * np.exp(-v)
            ),
            "log 2π is missing": density_of(
                lambda v, r: v + r**2 * np.exp(-v) - LOG_2PI
            ),
            "the constant is ½ log π; it must be ½ log 2π": density_of(
                lambda v, r: v + r**2 * np.exp(-v) - math.log(2)
            ),
        },
    ),
    *errors_of(
        "cross_entropy",
        {
            "the σ_q² of E_q[(x − mu_p)²] is missing": cross_entropy_of(
                lambda r, v, vp: vp + r**2 * np.exp(-vp) + 0 * v
            ),
            "the ratio of the variances is upside down: σ_p²/σ_q² for σ_q²/σ_p²": (
                cross_entropy_of(
                    lambda r, v, vp: vp + np.exp(vp - v) + r**2 * np.exp(-vp)
                )
            ),
            "the distance of the means is missing": cross_entropy_of(
                lambda r, v, vp: vp + np.exp(v - vp) + 0 * r
            ),
            "the distance of the means is not divided by σ_p²": cross_entropy_of(
                lambda r, v, vp: vp + np.exp(v - vp) + r**2
            ),
            "σ_q is in the place of σ_q²": cross_entropy_of(
                lambda r, v, vp: vp + np.exp(v / 2 - vp) + r**2 * np.exp(-vp)
            ),
            "σ_q² is not divided by σ_p²": cross_entropy_of(
                lambda r, v, vp: vp + np.exp(v) + r**2 * np.exp(-vp)
            ),
            "the logarithm has σ_q²; it must be σ_p²": cross_entropy_of(
                lambda r, v, vp: v + np.exp(v - vp) + r**2 * np.exp(-vp)
            ),
            "the logarithm of σ_p² is missing": cross_entropy_of(
                lambda r, v, vp: np.exp(v - vp) + r**2 * np.exp(-vp)
            ),
            "q and p are exchanged": lambda m, v, mp, vp: cross_entropy(mp, vp, m, v),
            "this is the entropy of q": lambda m, v, mp, vp: (
                entropy(v) + 0 * (m + mp + vp)
            ),
            "the logvars are taken for log σ: they are log σ²": of_log_sigma(
                cross_entropy, 1, 3
            ),
            "the prior is ignored: p is the standard normal": lambda m, v, mp, vp: (
                cross_entropy(m, v, 0 * mp, 0 * vp)
            ),
        },
    ),
    *errors_of(
        "kl_divergence",
        {
            "the factor ½ is missing": kl_of(
                lambda d, r, sq, sp: 2 * (np.expm1(d) - d + r**2 / sp)
            ),
            "d is added; it must be subtracted. The result can be negative": (
                kl_of(lambda d, r, sq, sp: np.expm1(d) + d + r**2 / sp),
                "Flux model-zoo, vae.jl, pull request 147",
            ),
            "log σ is in the place of log σ²: d counts half": kl_of(
                lambda d, r, sq, sp: np.expm1(d) - 0.5 * d + r**2 / sp
            ),
            "the logvars are taken for log σ: they are log σ²": kl_of(
                lambda d, r, sq, sp: np.expm1(2 * d) - 2 * d + r**2 / sp**2
            ),
            "the square of log σ is in the place of log σ²": (
                kl_of(lambda d, r, sq, sp: np.expm1(d) - d**2 / 4 + r**2 / sp),
                "Flux model-zoo, vae.jl, pull request 76",
            ),
            "log(σ_p²/σ_q²) is in the place of log(σ_p/σ_q): d counts twice": kl_of(
                lambda d, r, sq, sp: np.expm1(d) - 2 * d + r**2 / sp
            ),
            "σ is in the place of σ²: this has exp(d/2)": kl_of(
                lambda d, r, sq, sp: np.expm1(d / 2) - d + r**2 / sp
            ),
            "the − 1 is missing": kl_of(lambda d, r, sq, sp: np.exp(d) - d + r**2 / sp),
            "exp(d), the ratio of the variances, is missing": kl_of(
                lambda d, r, sq, sp: -1 - d + r**2 / sp
            ),
            "d, the logarithm of the ratio of the variances, is missing": kl_of(
                lambda d, r, sq, sp: np.expm1(d) + r**2 / sp
            ),
            "this is KL(p ‖ q): the two distributions are exchanged": kl_of(
                lambda d, r, sq, sp: np.expm1(-d) + d + r**2 / sq
            ),
            "the prior is ignored: this is the KL to the standard normal": (
                lambda m, v, mp=0.0, vp=0.0: kl_divergence(m, v) + 0 * (mp + vp)
            ),
            "the prior's mean is ignored": lambda m, v, mp=0.0, vp=0.0: kl_divergence(
                m, v, 0 * mp, vp
            ),
            "the prior's variance is ignored": lambda m, v, mp=0.0, vp=0.0: (
                kl_divergence(m, v, mp, 0 * vp)
            ),
            "the means are added, mu_q + mu_p; they must be subtracted": (
                lambda m, v, mp=0.0, vp=0.0: kl_divergence(m, v, -mp, vp)
            ),
            "the distance of the means is missing": kl_of(
                lambda d, r, sq, sp: np.expm1(d) - d + 0 * r
            ),
            "the distance of the means is subtracted; it must be added": kl_of(
                lambda d, r, sq, sp: np.expm1(d) - d - r**2 / sp
            ),
            "the distance of the means is divided by q's variance; it must be p's": (
                kl_of(lambda d, r, sq, sp: np.expm1(d) - d + r**2 / sq)
            ),
            "the distance of the means is not divided by the prior's variance": kl_of(
                lambda d, r, sq, sp: np.expm1(d) - d + r**2
            ),
            "the distance of the means is not squared": kl_of(
                lambda d, r, sq, sp: np.expm1(d) - d + r / sp
            ),
            "the distance of the means is divided by σ_p, not by σ_p²": kl_of(
                lambda d, r, sq, sp: np.expm1(d) - d + r**2 / np.sqrt(sp)
            ),
            "the distance of the means is not halved": kl_of(
                lambda d, r, sq, sp: np.expm1(d) - d + 2 * r**2 / sp
            ),
            "this is summed over the latents; every function of this chapter is "
            "elementwise": lambda *v: kl_divergence(*v).sum(axis=-1),
            "this is in bits, with log₂; nats are natural logarithms": lambda *v: (
                kl_divergence(*v) / math.log(2)
            ),
            "this is the cross-entropy: the entropy of q is not subtracted": (
                lambda m, v, mp=0.0, vp=0.0: cross_entropy(m, v, mp, vp)
            ),
            "correct on paper, but exp(d) − 1 − d loses its digits near d = 0: use "
            "np.expm1": kl_of(lambda d, r, sq, sp: np.exp(d) - 1 - d + r**2 / sp),
        },
    ),
    *errors_of(
        "kl_divergence_backward",
        {
            "dmu_q without the prior's variance": kl_gradients(lambda r, d, sq, sp: r),
            "dmu_q without the prior's mean": lambda dy, m, v, mp=0.0, vp=0.0: (
                kl_divergence_backward(dy, m, v, 0 * mp, vp)
            ),
            "the prior is ignored: these are the gradients for the standard normal": (
                lambda dy, m, v, mp=0.0, vp=0.0: kl_divergence_backward(
                    dy, m, v, 0 * mp, 0 * vp
                )
            ),
            "dlogvar_q without the prior's variance": kl_gradients(
                dlogvar=lambda r, d, sq, sp: 0.5 * (sq**2 - 1)
            ),
            "dmu_q is divided by q's variance; it must be p's": kl_gradients(
                lambda r, d, sq, sp: r / sq**2
            ),
            "dmu_q is divided by σ_p, not by σ_p²": kl_gradients(
                lambda r, d, sq, sp: r / sp
            ),
            "dmu_q is squared": kl_gradients(lambda r, d, sq, sp: r**2 / sp**2),
            "dlogvar_q is ½ exp(d): the − 1 is missing": kl_gradients(
                dlogvar=lambda r, d, sq, sp: 0.5 * np.exp(d)
            ),
            "dlogvar_q is ½ exp(d) − 1: the 1 needs the half as well": kl_gradients(
                dlogvar=lambda r, d, sq, sp: 0.5 * np.exp(d) - 1
            ),
            "dlogvar_q is ½ (1 + exp(d)): the sign of the 1": kl_gradients(
                dlogvar=lambda r, d, sq, sp: 0.5 * (np.exp(d) + 1)
            ),
            "the logvars are taken for log σ: they are log σ²": of_log_sigma(
                kl_divergence_backward, 2, 4
            ),
            "dlogvar_q is ½ (exp(d/2) − 1): σ is in the place of σ²": kl_gradients(
                dlogvar=lambda r, d, sq, sp: 0.5 * np.expm1(d / 2)
            ),
            "dlogvar_q is that of KL(p ‖ q), without the means: ½ (1 − exp(−d))": (
                kl_gradients(dlogvar=lambda r, d, sq, sp: -0.5 * np.expm1(-d))
            ),
            "the gradient in the standard deviation, σ − 1/σ, in the place of that in "
            "logvar": kl_gradients(
                dlogvar=lambda r, d, sq, sp: np.exp(0.5 * d) - np.exp(-0.5 * d)
            ),
        },
    ),
    *errors_of(
        "log_density_backward",
        {
            "dlogvar without the − 1 of the normalizing constant": density_gradients(
                dlogvar=lambda r, s: 0.5 * r**2 / s**2
            ),
            "dlogvar is ½ (score − 1): x − mu is missing": density_gradients(
                dlogvar=lambda r, s: 0.5 * (r / s**2 - 1)
            ),
            "dlogvar is the gradient in σ, (r²/σ² − 1)/σ": density_gradients(
                dlogvar=lambda r, s: (r**2 / s**2 - 1) / s
            ),
            "x − mu is divided by σ, not by σ²": density_gradients(
                lambda r, s: -r / s,
                lambda r, s: r / s,
                lambda r, s: 0.5 * (r**2 / s - 1),
            ),
            "dx and dmu are not divided by σ²": density_gradients(
                lambda r, s: -r, lambda r, s: r
            ),
            "dx and dmu are multiplied by σ²; they must be divided": density_gradients(
                lambda r, s: -r * s**2, lambda r, s: r * s**2
            ),
        },
    ),
    *errors_of(
        "reparameterize",
        {
            "this is mu + exp(logvar)·eps: the variance where the standard deviation "
            "belongs": (lambda mu, v, eps: mu + np.exp(v) * eps, VARIANCE),
            "this is mu + logvar·eps: the exponential is missing": logvar_is_sigma,
            "this is mu − σ·eps: of the same distribution, but not of this noise": (
                lambda mu, v, eps: reparameterize(mu, v, -eps)
            ),
            "this is mu + eps: the noise is not scaled": lambda mu, v, eps: (
                mu + 0 * v + eps
            ),
            "this is mu + √logvar·eps: the exponential is missing": lambda mu, v, eps: (
                mu + np.sqrt(v) * eps
            ),
            "this is mu + exp(2 logvar)·eps: logvar is doubled; it must be halved": (
                lambda mu, v, eps: reparameterize(mu, 4 * v, eps)
            ),
            "this is mu + exp(−logvar/2)·eps: divided by σ, not multiplied": (
                lambda mu, v, eps: reparameterize(mu, -v, eps)
            ),
            "this is σ·eps: mu is missing": lambda mu, v, eps: reparameterize(
                0 * mu, v, eps
            ),
            "this is (mu + eps)·σ: mu is scaled as well": lambda mu, v, eps: (
                (mu + eps) * np.exp(0.5 * v)
            ),
            "this is mu + σ: the noise is missing": lambda mu, v, eps: reparameterize(
                mu, v, 0 * eps + 1
            ),
            "this is mu + σ + eps: the noise is added, not multiplied": (
                lambda mu, v, eps: mu + np.exp(0.5 * v) + eps
            ),
            "this is mu·eps + σ: mu and σ are exchanged": lambda mu, v, eps: (
                mu * eps + np.exp(0.5 * v)
            ),
            "this is mu + ½ exp(logvar)·eps: the half stands outside the exponential": (
                lambda mu, v, eps: mu + 0.5 * np.exp(v) * eps
            ),
            "this is mu: there is no noise": lambda mu, v, eps: mu + 0 * v * eps,
        },
    ),
    *errors_of(
        "reparameterize_backward",
        {
            "dlogvar without its half: ∂σ/∂logvar is σ/2": sample_gradients(
                lambda s: s
            ),
            "dlogvar with exp(logvar): the variance where the standard deviation "
            "belongs": (sample_gradients(lambda s: s**2), VARIANCE),
            "dlogvar with exp(logvar)/2: the variance where the standard deviation "
            "belongs": sample_gradients(lambda s: 0.5 * s**2),
            "dlogvar without σ": sample_gradients(lambda s: 0.5 + 0 * s),
            "dlogvar is divided by σ; it must be multiplied": sample_gradients(
                lambda s: 0.5 / s
            ),
            "dlogvar is dσ: neither the half nor σ": sample_gradients(
                lambda s: 1 + 0 * s
            ),
            "dlogvar without the noise": sample_gradients(noise=lambda e: 1 + 0 * e),
            "dlogvar has the square of the noise": sample_gradients(
                noise=lambda e: e**2
            ),
            "the gradients are those of the first sample only": sample_gradients(
                total=lambda a, axis: a[0]
            ),
            "dlogvar is Σ dz Σ eps, a product of sums; it must be a sum of products": (
                product_of_sums
            ),
            "dmu has the noise as well: it is Σ dz eps": lambda dz, mu, v, eps: (
                sample_gradients()(dz * eps, mu, v, eps)[0],
                sample_gradients()(dz, mu, v, eps)[1],
            ),
        },
    ),
]
