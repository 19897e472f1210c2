"""Figures of book one that need no data: numerical derivatives, the KL near 0, Adam's
first steps, the K-sample bound.

Each function returns an SVG document, computed by the package's own functions when it
is called, from fixed seeds.
"""

import math

import numpy as np

from ...pictures.plots import Curve, chart
from ...settings import VAEConfig
from ...vae.adam import Adam
from ...vae.elbo import negative_elbo, negative_elbo_backward
from ...vae.gaussian import kl_divergence
from ...vae.gradcheck import (
    central_difference_gradient,
    complex_step_gradient,
    relative_error,
)
from ...vae.iwae import log_importance_weights, log_mean_exp
from ...vae.model import encode
from ...vae.parameters import Parameters, init_params, parameter_shapes

LOGVAR_X = -1.0  # of the linear model's decoder
K_MAX, WEIGHTS = 1024, 2**18  # importance samples per estimate, and in all


def gradient_errors_svg() -> str:
    """The relative error of both numerical derivatives against their step h, for one
    gradient of a small model.
    """
    config = VAEConfig(input_dim=6, hidden_dims=(5,), latent_dim=2, activation="tanh")
    rng, name = np.random.default_rng(1), "encoder.1.W"
    params, x, eps = (
        init_params(config, rng, np.float64),
        rng.random((3, 6)),
        rng.standard_normal((1, 3, 2)),
    )
    exact = negative_elbo_backward(negative_elbo(params, x, eps, config)[1])[name]

    def loss(inputs):
        replaced = Parameters(
            parameter_shapes(config), params.vector.astype(inputs[name].dtype)
        )
        replaced[name][...] = inputs[name]
        return negative_elbo(replaced, x, eps, config)[0]

    curves: list[Curve] = []
    for label, method, smallest, kind in (
        ("complex step", complex_step_gradient, -20, "line"),
        ("central difference", central_difference_gradient, -13, "dashed"),
    ):
        steps = np.logspace(smallest, 0, 4 * -smallest + 1)
        errors = [
            relative_error(method(loss, {name: params[name]}, name, h), exact, 2)
            for h in steps
        ]
        curves.append(Curve(label, steps, errors, kind, len(curves)))
    return chart(
        "Error of two numerical derivatives against their step",
        curves,
        "step h",
        "relative error",
        log_x=True,
        log_y=True,
    )


def kl_cancellation_svg() -> str:
    """KL(q ‖ p) in float32 for nearly equal variances: exp(d) − 1 − d as written, and
    the package's expm1(d) − d.
    """
    d = np.linspace(-1e-3, 1e-3, 401).astype(np.float32)
    as_written = np.float32(0.5) * (np.exp(d) - np.float32(1) - d)
    stable = kl_divergence(np.zeros_like(d), d)
    return chart(
        "The KL divergence near 0 in float32",
        [
            Curve("exp(d) − 1 − d", d * 1e3, as_written * 1e7, color=1),
            Curve("expm1(d) − d", d * 1e3, stable * 1e7),
        ],
        "d, thousandths",
        "KL, 10⁻⁷ nats",
    )


def adam_steps_svg() -> str:
    """The length of Adam's step, in learning rates, for a constant gradient, with and
    without bias correction.
    """
    steps, lr = 3000, 1e-3
    theta, g = np.zeros(1), np.ones(1)
    adam, corrected, m, v, uncorrected = Adam(theta, lr), [], 0.0, 0.0, []
    for _ in range(steps):
        before = theta.copy()
        adam.step(theta, g)
        corrected.append((before - theta)[0] / lr)
        m, v = adam.beta1 * m + (1 - adam.beta1), adam.beta2 * v + (1 - adam.beta2)
        uncorrected.append(m / (math.sqrt(v) + adam.epsilon))
    shown = np.unique(np.geomspace(1, steps, 200).astype(int)) - 1
    return chart(
        "Adam's first steps",
        [
            Curve(
                "without bias correction",
                shown + 1,
                np.array(uncorrected)[shown],
                color=1,
            ),
            Curve("with it", shown + 1, np.array(corrected)[shown]),
        ],
        "step t",
        "length of the step, in learning rates",
        log_x=True,
        y_range=(0, 7),
    )


def importance_bound_svg() -> str:
    """ELBO_K against K for a linear model, whose log p(x) has a closed form; the
    encoder is not the posterior.
    """
    K, bounds, exact = importance_bounds()
    return chart(
        "The K-sample bound rises to log p(x)",
        [
            Curve("log p(x), exact", (1, K_MAX), (exact, exact), "dashed", 2),
            Curve("ELBO_K", K, bounds),
        ],
        "importance samples K",
        "nats per image",
        log_x=True,
        notes=[(1.15, bounds[0], "ELBO₁, the ELBO", "start")],
    )


def importance_bounds() -> tuple[list[int], list[float], float]:
    """K = 1, 2, 4, …; ELBO_K for each, estimated from the same 2¹⁸ weights; and log
    p(x) in closed form.

    Groups of K weights are nested, so that the estimates increase strictly (Jensen),
    and not only on average.
    """
    config, params, x = linear_model()
    (mu, logvar), _ = encode(params, x, config)
    eps = np.random.default_rng(3).standard_normal((WEIGHTS, 1, config.latent_dim))
    log_w = log_importance_weights(params, x, mu, logvar, eps, config)[0].ravel()
    sizes = [2**i for i in range(K_MAX.bit_length())]
    bounds = [float(log_mean_exp(log_w.reshape(-1, K), axis=1).mean()) for K in sizes]
    return sizes, bounds, log_marginal_of_linear(config, params, x)


def linear_model() -> tuple[VAEConfig, Parameters, np.ndarray]:
    """z ~ N(0, I), x|z ~ N(z W + b, s²), an encoder with the posterior's mean, shifted,
    and too wide; and one x.
    """
    config = VAEConfig(
        input_dim=6,
        hidden_dims=(),
        latent_dim=2,
        likelihood="normal",
        logvar_x=LOGVAR_X,
    )
    rng = np.random.default_rng(2)
    params = init_params(config, rng, np.float64)
    W, b, s2 = params["decoder.0.W"], params["decoder.0.b"], math.exp(LOGVAR_X)
    W[...] = np.linalg.qr(rng.standard_normal((6, 2)))[0].T * [
        [1.6],
        [0.8],
    ]  # orthogonal rows: a diagonal posterior
    variance = 1 / (1 + (W**2).sum(axis=1) / s2)
    params["encoder.0.W"][...] = np.hstack([W.T / s2 * variance, np.zeros((6, 2))])
    params["encoder.0.b"][...] = np.concatenate(
        [-b @ W.T / s2 * variance + 0.35, np.log(variance) + 0.8]
    )
    x = (
        rng.standard_normal((1, 2)) @ W
        + b
        + math.sqrt(s2) * rng.standard_normal((1, 6))
    )
    return config, params, x


def log_marginal_of_linear(
    config: VAEConfig, params: Parameters, x: np.ndarray
) -> float:
    """log p(x) of one x: x ~ N(b, Wᵀ W + s² I)"""
    W, r = params["decoder.0.W"], (x - params["decoder.0.b"])[0]
    C = W.T @ W + math.exp(LOGVAR_X) * np.eye(config.input_dim)
    log_det = np.linalg.slogdet(C)[1]
    return float(
        -0.5
        * (
            config.input_dim * math.log(2 * math.pi)
            + log_det
            + r @ np.linalg.solve(C, r)
        )
    )
