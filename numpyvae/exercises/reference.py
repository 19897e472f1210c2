"""The model and its losses once more: the oracle of book one.

The formulas are plain, and share no code with the package. Parameters are a dict of
arrays, real or complex. A gradient is a complex step through these formulas.
"""

import itertools
import math

import numpy as np

STEP = 1e-20


def network(params: dict, prefix: str, rows: np.ndarray, activation: str) -> np.ndarray:
    """A multilayer perceptron, one row at a time: activation(… (row W + b) …) W + b"""
    depth = sum(name.startswith(prefix) for name in params) // 2
    result = []
    for h in rows:
        for i in range(depth):
            if i > 0:
                h = np.tanh(h) if activation == "tanh" else np.where(h.real > 0, h, 0)
            h = (
                np.einsum("i,io->o", h, params[f"{prefix}.{i}.W"])
                + params[f"{prefix}.{i}.b"]
            )
        result.append(h)
    return np.array(result)


def log_normal(x, mu, sigma):
    """log N(x; mu, σ²), of σ itself"""
    return -np.log(sigma) - math.log(2 * math.pi) / 2 - ((x - mu) / sigma) ** 2 / 2


def likelihood(params: dict, x: np.ndarray, y: np.ndarray, config) -> np.ndarray:
    """log p(x|z) of each image (N,), y (N, D)"""
    if config.likelihood == "bernoulli":
        p = 1 / (1 + np.exp(-y))
        return (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)
    s = np.sqrt(
        np.exp(params["logvar_x"] if config.logvar_x is None else config.logvar_x)
    )
    return log_normal(x, y, s).sum(axis=1)


def posterior(params: dict, x: np.ndarray, config) -> tuple[np.ndarray, np.ndarray]:
    """mu and σ of q(z|x), each (N, L)"""
    heads = network(params, "encoder", x, config.activation)
    return heads[:, : config.latent_dim], np.sqrt(np.exp(heads[:, config.latent_dim :]))


def prior(config) -> tuple[np.ndarray, np.ndarray]:
    """mu_p and σ_p"""
    return np.asarray(config.prior[0], float), np.sqrt(
        np.exp(np.asarray(config.prior[1], float))
    )


def terms(params: dict, x: np.ndarray, eps: np.ndarray, config) -> tuple:
    """log_px (N,), the mean over J, and kl (N,)"""
    mu, sigma = posterior(params, x, config)
    mu_p, sigma_p = prior(config)
    log_px = sum(
        likelihood(
            params,
            x,
            network(params, "decoder", mu + sigma * e, config.activation),
            config,
        )
        for e in eps
    ) / len(eps)
    kl = (
        np.log(sigma_p / sigma) + (sigma**2 + (mu - mu_p) ** 2) / (2 * sigma_p**2) - 0.5
    )
    return log_px, kl.sum(axis=1)


def elbo_loss(params: dict, x: np.ndarray, eps: np.ndarray, config):
    """(7.5)"""
    log_px, kl = terms(params, x, eps, config)
    return (config.beta * kl - log_px).sum() / len(x)


def log_weights(
    params: dict,
    x: np.ndarray,
    mu,
    sigma,
    eps: np.ndarray,
    config,
    held: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """log w (K, N) of (10.1)

    held: the mu and σ of q that log q(z|x) has, if they are to be constants
    """
    mu_p, sigma_p = prior(config)
    rows = []
    for e in eps:
        z = mu + sigma * e
        log_q = log_normal(z, *(held or (mu, sigma)))
        log_px = likelihood(
            params, x, network(params, "decoder", z, config.activation), config
        )
        rows.append(log_px + (log_normal(z, mu_p, sigma_p) - log_q).sum(axis=1))
    return np.array(rows)


def iwae_loss(params: dict, x: np.ndarray, eps: np.ndarray, config):
    """−1/N Σₙ log 1/K Σₖ w_nk"""
    log_w = log_weights(params, x, *posterior(params, x, config), eps, config)
    return -np.log(np.exp(log_w).sum(axis=0) / len(eps)).sum() / len(x)


def stl_loss(params: dict, x: np.ndarray, eps: np.ndarray, config, held: tuple):
    """−1/(NJ) Σ log w, where log q(z|x) has constants for its parameters

    Its derivative is the path derivative.
    """
    return -log_weights(
        params, x, *posterior(params, x, config), eps, config, held
    ).sum() / (len(x) * len(eps))


def gradient(loss, params: dict) -> tuple:
    """∂loss/∂(each parameter), in the order of params, by a complex step"""
    stepped = {name: np.array(array, np.complex128) for name, array in params.items()}
    gradients = []
    for name, array in params.items():
        g = np.zeros(array.shape)
        for i in itertools.product(*map(range, array.shape)):
            stepped[name][i] += 1j * STEP
            g[i] = np.imag(loss(stepped)) / STEP
            stepped[name][i] = array[i]
        gradients.append(g)
    return tuple(gradients)
