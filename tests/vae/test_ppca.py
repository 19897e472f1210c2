"""The exact oracle: with linear networks and a normal decoder, the autoencoder is
probabilistic PCA.

    z ~ N(mu_p, diag σ_p²) and x|z ~ N(z W + b, s²)
    so x ~ N(mu_p W + b, C) with C = Wᵀ diag(σ_p²) W + s² I

and everything that is intractable in general has a closed form here: log p(x), the
posterior p(z|x) = N(m, S), the gap.

    S⁻¹ = diag(1/σ_p²) + W Wᵀ/s²        m = (mu_p/σ_p² + (x − b) Wᵀ/s²) S

S does not depend on x, and is diagonal when the rows of W are orthogonal: then a linear
encoder can say it exactly. An expectation over eps of anything quadratic in eps, such
as log p(x|z) here, is the mean over the 2L points ±√L eₗ.

Sources: Tipping & Bishop 1999; Lucas et al. 2019, on the linear VAE and its optimum.
"""

import math

import numpy as np
import pytest
from scipy import stats

from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    OBJECTIVES,
    elbo_terms,
    encode,
    init_params,
    negative_elbo,
    negative_elbo_backward,
)
from numpyvae.vae.adam import Adam
from numpyvae.vae.iwae import (
    log_importance_weights,
    log_marginal,
    log_mean_exp,
    negative_iwae,
)

D, L = 7, 3
PRIORS = {
    "standard prior": (0.0, 0.0),
    "general prior": ((0.5, -1.0, 2.0), (0.4, -0.8, 0.1)),
}
LOGVAR_X = {"fixed variance": -0.7, "learned variance": None}


def linear_vae(prior=(0.0, 0.0), logvar_x=-0.7, input_dim=D, latent_dim=L):
    return VAEConfig(
        input_dim, (), latent_dim, likelihood="normal", prior=prior, logvar_x=logvar_x
    )


def random_params(config, seed=1, orthogonal=False):
    rng = np.random.default_rng(seed)
    params = init_params(config, rng, np.float64)
    if "logvar_x" in params:
        params["logvar_x"][...] = -0.3
    if orthogonal:
        rows = np.linalg.qr(rng.standard_normal((config.input_dim, config.latent_dim)))[
            0
        ].T
        params["decoder.0.W"][...] = rows * rng.uniform(0.5, 2, (config.latent_dim, 1))
    return params


def parts(params, config):
    """W, b, s² and the prior's mu_p, σ_p² as vectors"""
    mu_p, logvar_p = (
        np.broadcast_to(p, config.latent_dim).astype(float) for p in config.prior
    )
    logvar_x = params["logvar_x"] if config.logvar_x is None else config.logvar_x
    return (
        params["decoder.0.W"],
        params["decoder.0.b"],
        float(np.exp(logvar_x)),
        mu_p,
        np.exp(logvar_p),
    )


def exact_log_px(params, x, config):
    W, b, s2, mu_p, var_p = parts(params, config)
    return stats.multivariate_normal(
        mu_p @ W + b, W.T * var_p @ W + s2 * np.eye(len(b))
    ).logpdf(x)


def posterior(params, x, config):
    """m (N, L) and S (L, L)"""
    W, b, s2, mu_p, var_p = parts(params, config)
    S = np.linalg.inv(np.diag(1 / var_p) + W @ W.T / s2)
    return (mu_p / var_p + (x - b) @ W.T / s2) @ S, S


def put_the_posterior_into_the_encoder(params, config):
    W, b, s2, mu_p, var_p = parts(params, config)
    S = np.diag(1 / (1 / var_p + (W**2).sum(axis=1) / s2))
    params["encoder.0.W"][...] = np.hstack([W.T / s2 @ S, np.zeros(W.T.shape)])
    params["encoder.0.b"][...] = np.concatenate(
        [(mu_p / var_p - b @ W.T / s2) @ S, np.log(np.diag(S))]
    )


def sigma_points(n, latent):
    """±√L eₗ (2L, n, L), whose mean and covariance are those of N(0, I)"""
    points = math.sqrt(latent) * np.concatenate([np.eye(latent), -np.eye(latent)])
    return np.repeat(points[:, None], n, axis=1)


def gap(params, x, config):
    """KL(q(z|x) ‖ p(z|x)), of a diagonal normal from a full one"""
    (mu, logvar), _ = encode(params, x, config)
    m, S = posterior(params, x, config)
    precision = np.linalg.inv(S)
    trace = np.exp(logvar) @ np.diag(precision)
    distance = np.einsum("ni,ij,nj->n", mu - m, precision, mu - m)
    return 0.5 * (
        trace
        + distance
        - config.latent_dim
        + np.linalg.slogdet(S)[1]
        - logvar.sum(axis=1)
    )


def data(config, n=6, seed=2):
    return np.random.default_rng(seed).normal(0.5, 1.5, (n, config.input_dim))


def in_every_setting(test):
    for name, values in {"prior": PRIORS, "logvar_x": LOGVAR_X}.items():
        test = pytest.mark.parametrize(name, values.values(), ids=values)(test)
    return test


# With the exact posterior


@in_every_setting
def test_every_log_weight_is_log_p(prior, logvar_x):
    """p(x, z)/p(z|x) = p(x), whatever z is: not only near q's center."""
    config = linear_vae(prior, logvar_x)
    params, x = random_params(config, orthogonal=True), data(config)
    put_the_posterior_into_the_encoder(params, config)
    (mu, logvar), _ = encode(params, x, config)
    assert mu == pytest.approx(posterior(params, x, config)[0], abs=1e-12)
    eps = 3 * np.random.default_rng(3).standard_normal((100, len(x), L))
    log_w, *_ = log_importance_weights(params, x, mu, logvar, eps, config)
    assert np.abs(log_w - exact_log_px(params, x, config)).max() <= 1e-11
    assert (
        np.ptp(exact_log_px(params, x, config)) > 1
    )  # and that differs from image to image


@in_every_setting
def test_elbo_k_sample_bound_and_log_marginal_agree_with_log_p(prior, logvar_x):
    config = linear_vae(prior, logvar_x)
    params = random_params(config, orthogonal=True)
    x = data(config)
    rng = np.random.default_rng(3)
    put_the_posterior_into_the_encoder(params, config)
    exact = exact_log_px(params, x, config)
    for K in (1, 2, 50):
        loss, _ = negative_iwae(params, x, rng.standard_normal((K, len(x), L)), config)
        assert abs(loss + exact.mean()) <= 1e-11
        estimate, se = log_marginal(params, x, config, K, rng)
        assert np.abs(estimate - exact).max() <= 1e-11
        assert (
            K == 1 or se.max() <= 1e-7
        )  # the root of a variance of 1e-15 or so, which is rounding
    elbo, _ = negative_elbo(params, x, sigma_points(len(x), L), config)
    assert abs(elbo + exact.mean()) <= 1e-11


def test_the_elbos_gradient_in_the_encoder_is_zero_there():
    """It is as high as an encoder can make it. The decoder, which could do better, is
    told so.
    """
    config = linear_vae(PRIORS["general prior"])
    params, x = random_params(config, orthogonal=True), data(config)
    put_the_posterior_into_the_encoder(params, config)
    grads = negative_elbo_backward(
        negative_elbo(params, x, sigma_points(len(x), L), config)[1]
    )
    assert (
        max(np.abs(grads[name]).max() for name in ("encoder.0.W", "encoder.0.b"))
        <= 1e-11
    )
    assert (
        min(np.abs(grads[name]).max() for name in ("decoder.0.W", "decoder.0.b")) > 0.1
    )


# With any encoder


@in_every_setting
@pytest.mark.parametrize("orthogonal", [True, False], ids=["orthogonal", "oblique"])
def test_elbo_plus_the_gap_is_log_p(prior, logvar_x, orthogonal):
    config = linear_vae(prior, logvar_x)
    x = data(config)
    for seed in range(5):
        params = random_params(config, seed, orthogonal)
        log_px, kl_prior, _ = elbo_terms(params, x, sigma_points(len(x), L), config)
        elbo, kl = log_px - kl_prior, gap(params, x, config)
        assert np.abs(elbo + kl - exact_log_px(params, x, config)).max() <= 1e-11
        assert kl.min() > 0.1


def test_the_elbos_gradient_is_that_of_minus_the_gap():
    """log p(x) does not know the encoder, so in its parameters ∂ELBO = −∂ gap: central
    differences of a closed form.
    """
    config = linear_vae(PRIORS["general prior"])
    params, x, h = random_params(config), data(config), 1e-5
    grads = negative_elbo_backward(
        negative_elbo(params, x, sigma_points(len(x), L), config)[1]
    )
    for name in ("encoder.0.W", "encoder.0.b"):
        for index in np.ndindex(params[name].shape):
            kept = params[name][index]
            params[name][index] = kept + h
            above = gap(params, x, config).mean()
            params[name][index] = kept - h
            below = gap(params, x, config).mean()
            params[name][index] = kept
            assert grads[name][index] == pytest.approx(
                (above - below) / (2 * h), abs=1e-7
            )


@in_every_setting
def test_importance_weights_average_to_p(prior, logvar_x):
    """Within 4 standard errors, with an encoder that is off by 0.1 and 20% wider than
    the posterior
    """
    config = linear_vae(prior, logvar_x)
    params, x = random_params(config, orthogonal=True), data(config)
    put_the_posterior_into_the_encoder(params, config)
    params["encoder.0.b"] += np.repeat([0.1, math.log(1.2)], L)
    exact = exact_log_px(params, x, config)
    estimate, se = log_marginal(params, x, config, 5000, np.random.default_rng(5))
    assert np.all(np.abs(estimate - exact) <= 4 * se) and se.max() < 0.01
    (mu, logvar), _ = encode(params, x, config)
    eps = np.random.default_rng(5).standard_normal((5000, 6, L))
    one_by_one, *_ = log_importance_weights(params, x, mu, logvar, eps, config)
    assert np.all(
        one_by_one.mean(axis=0) < log_mean_exp(one_by_one)
    )  # ELBO below ELBO_K


# Training


def pca_optimum(x, latent):
    """The highest mean log p(x) that probabilistic PCA can reach

    It is −½ (D log 2π + Σ log λ + (D − L) log s² + D). The latents take the largest
    eigenvalues λ of x's covariance, and s² is the mean of the rest.
    """
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    kept, rest = eigenvalues[:latent], eigenvalues[latent:]
    return -0.5 * (
        x.shape[1] * (math.log(2 * math.pi) + 1)
        + np.log(kept).sum()
        + len(rest) * math.log(rest.mean())
    )


def test_the_optimum_is_log_p_at_the_principal_axes():
    """Tipping & Bishop's maximum, put into the decoder, gives the optimum; anything
    random is below it.
    """
    config = linear_vae(logvar_x=None, input_dim=5, latent_dim=2)
    x = training_data(5, 2)
    eigenvalues, axes = np.linalg.eigh(np.cov(x.T, bias=True))
    params, s2 = random_params(config), eigenvalues[:3].mean()
    params["decoder.0.W"][...] = (axes[:, 3:] * np.sqrt(eigenvalues[3:] - s2)).T
    params["decoder.0.b"][...] = x.mean(axis=0)
    params["logvar_x"][...] = math.log(s2)
    assert exact_log_px(params, x, config).mean() == pytest.approx(
        pca_optimum(x, 2), abs=1e-12
    )
    for seed in range(20):
        params.vector += 0.1 * np.random.default_rng(seed).standard_normal(
            params.vector.shape
        )
        assert exact_log_px(params, x, config).mean() < pca_optimum(x, 2)


def training_data(pixels, latent, n=300, seed=6):
    """Samples of a pPCA with different axes, noise 0.5 and a mean far from 0"""
    rng = np.random.default_rng(seed)
    W = (
        np.linalg.qr(rng.standard_normal((pixels, latent)))[0].T
        * np.linspace(3, 1.5, latent)[:, None]
    )
    return (
        rng.standard_normal((n, latent)) @ W
        + 0.5 * rng.standard_normal((n, pixels))
        + rng.uniform(-2, 2, pixels)
    )


def trained(x, config, objective=(negative_elbo, negative_elbo_backward), steps=1500):
    """As training does it, one sample a step, the rate falling from 0.05 to nothing"""
    loss_of, backward = objective
    rng = np.random.default_rng(7)
    params = init_params(config, rng, np.float64)
    adam = Adam(params.vector)
    for step in range(steps):
        adam.lr = 0.05 * (1 - step / steps)
        _, cache = loss_of(
            params, x, rng.standard_normal((1, len(x), config.latent_dim)), config
        )
        adam.step(params.vector, backward(cache).vector)
    return params


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_a_trained_linear_vae_reaches_the_pca_optimum(objective):
    """Both its likelihood and its bound, within 0.01 nat: the encoder has become the
    posterior, the decoder's columns orthogonal, as a diagonal q asks, and its variance
    that of the directions left out.
    """
    config = linear_vae(logvar_x=None, input_dim=8, latent_dim=2)
    x = training_data(8, 2)
    optimum, params = pca_optimum(x, 2), trained(x, config, objective)
    elbo = -negative_elbo(params, x, sigma_points(len(x), 2), config)[0]
    log_px = exact_log_px(params, x, config).mean()
    assert optimum - 0.01 <= elbo <= log_px <= optimum
    W = params["decoder.0.W"]
    assert abs(W[0] @ W[1]) <= 0.05 * np.linalg.norm(W[0]) * np.linalg.norm(W[1])
    assert np.exp(params["logvar_x"]) == pytest.approx(
        np.linalg.eigvalsh(np.cov(x.T, bias=True))[:6].mean(), rel=0.02
    )
