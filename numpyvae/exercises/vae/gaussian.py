"""Oracles for chapter 2: quadrature, complex steps through formulas in σ, sample moments."""

import cmath
import itertools
import math

import numpy as np
from scipy.special import ndtri

from ..calculus import deviation, expectation, in_float32, minus_log, over, slope
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
    """By quadrature of q (log q − log p); near equality by its series; far away by its limit"""

    def value(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        return expectation(
            lambda x: (
                minus_log(x, mu_p, math.sqrt(math.exp(logvar_p)))
                - minus_log(x, mu_q, math.sqrt(math.exp(logvar_q)))
            ),
            mu_q,
            logvar_q,
        )

    close = {"rtol": 1e-9, "atol": 1e-12}  # the quadrature's own rounding
    trials = [Trial(four(v[:2]), value(*v), **close) for v in QUARTET[:3]] + [
        Trial(four(v), value(*v), **close) for v in QUARTET
    ]
    q = {key: QP[key] for key in ("mu_q", "logvar_q")}
    trials.append(Trial(q, over(value, *q.values()), **close))
    trials.append(Trial(dict(QP), over(value, *QP.values()), **close))
    trials += in_float32(trials)
    for d in (
        1e-3,
        -1e-6,
    ):  # near equality: ½ (d²/2 + d³/6 + …), which exp(d) − 1 − d loses by cancellation
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
    mu, logvar, eps = (
        GRID["mu"],
        GRID["logvar"],
        np.array(
            [
                [[1.0, -0.5, 2.0], [0.25, 0.0, -1.0]],
                [[0.5, 1.5, -1.0], [-2.0, 1.0, 0.75]],
            ]
        ),
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
            text="mean and standard deviation of 2,000 samples, mu = 0.5 and logvar = 1.2",
        )
    )
    return trials


def reparameterize_backward_trials() -> list[Trial]:
    """By complex steps through the formula in σ, one sample at a time"""

    def value(dz, mu, logvar, eps):
        eps = eps.reshape(-1, *mu.shape)
        dz = dz.reshape(eps.shape)
        dmu, dlogvar = np.zeros(mu.shape), np.zeros(mu.shape)
        for i in itertools.product(*map(range, mu.shape)):
            for j in range(len(eps)):
                v = float(mu[i]), float(logvar[i])
                dmu[i] += dz[j][i] * slope(
                    lambda m, s: m + deviation(s) * eps[j][i], v, 0
                )
                dlogvar[i] += dz[j][i] * slope(
                    lambda m, s: m + deviation(s) * eps[j][i], v, 1
                )
        return dmu, dlogvar

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
    dz, eps = (
        (np.arange(12).reshape(2, 2, 3) - 4.5) / 2,
        np.cos(np.arange(12)).reshape(2, 2, 3),
    )
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
