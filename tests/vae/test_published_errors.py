"""Five errors from published programs: each made here, with what a gradient check says,
and what sees it.

Each is a pair of functions in place of the package's own. The places are named in
numpyvae/vae/gradcheck.py.
"""

from dataclasses import replace

import numpy as np
import pytest

from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    bernoulli,
    elbo,
    gaussian,
    init_params,
    kl_divergence,
    negative_elbo,
    negative_elbo_backward,
)
from numpyvae.vae.adam import Adam, adam_update
from numpyvae.vae.gradcheck import check_gradients

CONFIG = VAEConfig(input_dim=6, hidden_dims=(5,), latent_dim=2, activation="tanh")


def a_step(seed=1, J=1):
    rng = np.random.default_rng(seed)
    params = init_params(CONFIG, rng, np.float64)
    params.vector += 0.3 * rng.standard_normal(params.vector.size)
    return params, rng.random((4, 6)), rng.standard_normal((J, 4, 2))


def gradient_check_passes():
    """Of the whole loss, in every parameter"""
    params, x, eps = a_step()
    gradients = negative_elbo_backward(negative_elbo(params, x, eps, CONFIG)[1])
    checks = check_gradients(
        lambda p: negative_elbo(p, x, eps, CONFIG)[0], params, gradients
    )
    return all(check.passed for check in checks)


def test_without_an_error_the_gradient_check_passes():
    assert gradient_check_passes()


def test_noise_times_the_variance_passes_and_the_moments_of_z_show_it(monkeypatch):
    """numpy-ml, neural_nets/models/vae.py, _sample and backward; DeZero,
    examples/vae.py, sampling
    """
    monkeypatch.setattr(
        elbo, "reparameterize", lambda mu, logvar, eps: mu + np.exp(logvar) * eps
    )
    monkeypatch.setattr(
        elbo,
        "reparameterize_backward",
        lambda dz, mu, logvar, eps: (
            dz.sum(axis=0),
            (dz * eps).sum(axis=0) * np.exp(logvar),
        ),
    )
    assert gradient_check_passes()
    eps = np.random.default_rng(1).standard_normal((200_000, 1, 1))
    logvar = np.array([[1.0]])
    correct = gaussian.reparameterize(np.zeros((1, 1)), logvar, eps)
    wrong = elbo.reparameterize(np.zeros((1, 1)), logvar, eps)
    assert correct.var() == pytest.approx(
        np.e, rel=0.013
    )  # four standard errors of a variance, √(2/n)
    assert wrong.var() == pytest.approx(np.e**2, rel=0.013)


def test_mean_over_pixels_passes_and_is_another_objective(monkeypatch):
    """Keras, VAE example before pull request 3383: the reconstruction a mean over
    pixels, the KL a sum over latents
    """
    log_prob, log_prob_backward = bernoulli.log_prob, bernoulli.log_prob_backward
    params, x, eps = a_step()
    loss_beta_6, cache = negative_elbo(params, x, eps, replace(CONFIG, beta=6.0))
    gradient_beta_6 = negative_elbo_backward(cache).vector
    monkeypatch.setattr(
        bernoulli, "log_prob", lambda x, y: log_prob(x, y) / x.shape[-1]
    )
    monkeypatch.setattr(
        bernoulli,
        "log_prob_backward",
        lambda dy, x, y: log_prob_backward(dy, x, y) / x.shape[-1],
    )
    assert gradient_check_passes()
    loss, cache = negative_elbo(params, x, eps, CONFIG)
    assert loss == pytest.approx(
        loss_beta_6 / 6, rel=1e-14
    )  # β = D in disguise: the encoder is pulled to the prior
    assert negative_elbo_backward(cache).vector == pytest.approx(
        gradient_beta_6 / 6, abs=1e-14
    )


def test_a_wrong_sign_in_the_kl_passes_and_its_value_shows_it(monkeypatch):
    """Flux model-zoo, vae.jl before pull request 147: + log σ² for − log σ², so that a
    variance of 0 is the optimum
    """

    def kl(mu, logvar, *prior):
        return 0.5 * (np.exp(logvar) - 1 + logvar + mu**2)

    monkeypatch.setattr(elbo, "kl_divergence", kl)
    monkeypatch.setattr(
        elbo,
        "kl_divergence_backward",
        lambda dy, mu, logvar, *prior: (dy * mu, 0.5 * dy * (np.exp(logvar) + 1)),
    )
    assert gradient_check_passes()
    assert kl(0.0, 0.0) == kl_divergence(0.0, 0.0) == 0
    assert kl(0.0, -2.0) < 0 < kl_divergence(0.0, -2.0)


def test_samples_treated_as_data_fail_the_gradient_check(monkeypatch):
    """Pyro, VAE example before pull request 1896: `sample` for `rsample`, so that no
    gradient passes through z
    """
    monkeypatch.setattr(
        elbo,
        "reparameterize_backward",
        lambda dz, mu, logvar, eps: (0 * mu, 0 * logvar),
    )
    params, x, eps = a_step()
    gradients = negative_elbo_backward(negative_elbo(params, x, eps, CONFIG)[1])
    checks = check_gradients(
        lambda p: negative_elbo(p, x, eps, CONFIG)[0], params, gradients
    )
    failed = {check.name for check in checks if not check.passed}
    assert failed == {name for name in params if name.startswith("encoder")}


def test_a_missing_bias_correction_passes_and_the_first_update_shows_it():
    """google-research/bert, issue 153: m and v as they are. No gradient is wrong, so no
    gradient check sees it.
    """
    theta, g = np.zeros(3), np.array([1.0, -2.0, 0.5])
    m, v = 0.1 * g, 0.001 * g**2
    without = -1e-3 * m / (np.sqrt(v) + 1e-8)
    correct = theta.copy()
    Adam(correct).step(correct, g)
    assert gradient_check_passes()
    assert correct == pytest.approx(-1e-3 * np.sign(g), rel=1e-7)
    assert without / correct == pytest.approx(
        0.1 / np.sqrt(0.001), rel=1e-6
    )  # 3.2 times too long
    assert correct == pytest.approx(
        adam_update(theta, g, np.zeros(3), np.zeros(3), 1)[0], rel=1e-14
    )
