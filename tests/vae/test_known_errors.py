"""Errors in the worked solutions of an exercise sheet on this model: the printed
formula fails, the correct one holds.

Each is easily made and hard to see in a formula. Those of its second half are in
tests/mdp.
"""

import math

import numpy as np
import pytest
from scipy import integrate

from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    Parameters,
    elbo_terms,
    encode,
    init_params,
    negative_elbo,
    parameter_shapes,
)
from numpyvae.vae.gaussian import cross_entropy, entropy, kl_divergence, log_density
from numpyvae.vae.iwae import log_importance_weights

Q = [(0.3, -0.8), (-1.2, 0.9)]  # two encoders' (mu, logvar)


def expectation(f, mu, logvar):
    """E[f(z)] under N(mu, exp(logvar)), by quadrature"""
    sigma = math.exp(logvar / 2)
    return integrate.quad(
        lambda t: math.exp(-t * t / 2) / math.sqrt(2 * math.pi) * f(mu + sigma * t),
        -40,
        40,
        points=[-8, 0, 8],
        epsabs=1e-12,
        epsrel=1e-12,
    )[0]


# The bound: printed E_q[p(x,z)/q(z|x)], with no logarithm inside the expectation.
# The model: z ~ N(0, 1), x ~ N(z, 1), hence x ~ N(0, 2) and z|x ~ N(x/2, 1/2).

x = 1.4
LOG_PX = log_density(x, 0.0, math.log(2))


def log_weight(z, mu, logvar):
    return (
        log_density(x, z, 0.0) + log_density(z, 0.0, 0.0) - log_density(z, mu, logvar)
    )


@pytest.mark.parametrize("mu, logvar", Q)
def test_with_the_log_inside_the_gap_is_the_kl_to_the_posterior(mu, logvar):
    elbo = expectation(lambda z: log_weight(z, mu, logvar), mu, logvar)
    assert elbo < LOG_PX - 0.01
    assert elbo + kl_divergence(mu, logvar, x / 2, math.log(1 / 2)) == pytest.approx(
        LOG_PX, abs=1e-11
    )


@pytest.mark.parametrize("mu, logvar", Q)
def test_without_the_log_it_is_the_likelihood_for_every_encoder(mu, logvar):
    printed = expectation(lambda z: math.exp(log_weight(z, mu, logvar)), mu, logvar)
    assert printed == pytest.approx(
        math.exp(LOG_PX), rel=1e-11
    )  # there is nothing in it to train an encoder with
    assert printed > LOG_PX + 1


def test_the_package_takes_the_logarithm_inside():
    """The same model as a linear VAE; Gauss-Hermite nodes for noise make its means
    exact
    """
    config = VAEConfig(
        input_dim=1, hidden_dims=(), latent_dim=1, likelihood="normal", logvar_x=0.0
    )
    (mu, logvar), nodes, weights = Q[0], *np.polynomial.hermite_e.hermegauss(60)
    params = Parameters(parameter_shapes(config), np.array([0, 0, mu, logvar, 1, 0]))
    images, eps = (
        np.array([[x]]),
        nodes[:, None, None],
    )  # noise that is not random: a node for each sample
    (mu_x, logvar_x), _ = encode(params, images, config)
    log_w = log_importance_weights(params, images, mu_x, logvar_x, eps, config)[0][:, 0]
    elbo = weights @ log_w / math.sqrt(2 * math.pi)
    assert elbo == pytest.approx(
        expectation(lambda z: log_weight(z, mu, logvar), mu, logvar), abs=1e-11
    )
    # the nodes lie symmetrically, so J = 2 samples at e and −e have the same weighted
    # mean
    in_pairs = [
        -negative_elbo(params, images, e * np.array([[[1.0]], [[-1.0]]]), config)[0]
        for e in nodes
    ]
    assert weights @ in_pairs / math.sqrt(2 * math.pi) == pytest.approx(elbo, abs=1e-11)


# Gaussian moments: printed (n − 1)! for (n − 1)!!.


def moment(n):
    return expectation(lambda z: z**n, 0.0, 0.0)


@pytest.mark.parametrize(
    "n, double_factorial", [(2, 1), (4, 3), (6, 15), (8, 105), (10, 945)]
)
def test_moments_are_double_factorials_not_factorials(n, double_factorial):
    assert moment(n) == pytest.approx(double_factorial, rel=1e-10)
    assert (math.factorial(n - 1) == double_factorial) == (n == 2)
    assert math.factorial(n - 1) >= 2 * double_factorial or n == 2


# Term 1: printed log(2π √·) for log(2πσ²).


@pytest.mark.parametrize("mu, logvar", Q)
def test_the_entropy_has_the_variance_in_its_logarithm_and_not_its_root(mu, logvar):
    true = expectation(lambda z: -log_density(z, mu, logvar), mu, logvar)
    printed = 0.5 * (math.log(2 * math.pi * math.sqrt(math.exp(logvar))) + 1)
    assert entropy(logvar) == pytest.approx(true, abs=1e-11)
    assert printed - true == pytest.approx(
        -logvar / 4, abs=1e-11
    )  # right where σ = 1, where it is likely to be tried


# Term 2: printed as KL = ∫ q log q − ∫ q log p; two lines later −∫ q log p is called
# term 2, and is added. Both are correct by themselves, but with two meanings of term 2
# the sign is easily lost.


@pytest.mark.parametrize("mu, logvar", Q)
def test_the_second_term_has_its_minus_inside_and_is_added(mu, logvar):
    mu_p, logvar_p = 0.5, 0.4
    without = expectation(lambda z: log_density(z, mu_p, logvar_p), mu, logvar)
    true = expectation(
        lambda z: log_density(z, mu, logvar) - log_density(z, mu_p, logvar_p),
        mu,
        logvar,
    )
    kl = kl_divergence(mu, logvar, mu_p, logvar_p)
    assert cross_entropy(mu, logvar, mu_p, logvar_p) == pytest.approx(
        -without, abs=1e-11
    )
    assert kl == pytest.approx(true, abs=1e-11)
    assert kl == pytest.approx(
        -entropy(logvar) + cross_entropy(mu, logvar, mu_p, logvar_p), abs=1e-14
    )
    assert kl == pytest.approx(
        -entropy(logvar) - without, abs=1e-11
    )  # the first definition, subtracted
    assert (
        -entropy(logvar) - cross_entropy(mu, logvar, mu_p, logvar_p) < 0 < kl
    )  # the second, subtracted: no KL
    assert -entropy(logvar) + without < 0 < kl  # the first, added


# J samples: printed as their sum, without the 1/J.


def test_the_reconstruction_is_a_mean_over_samples_not_their_sum():
    config = VAEConfig(input_dim=10, hidden_dims=(8,), latent_dim=3)
    rng = np.random.default_rng(1)
    params, images = init_params(config, rng, np.float64), rng.random((5, 10))
    eps = rng.standard_normal((1000, 5, 3))
    many, _, _ = elbo_terms(params, images, eps, config)
    few, _, _ = elbo_terms(params, images, rng.standard_normal((250, 5, 3)), config)
    one = [elbo_terms(params, images, e[None], config)[0] for e in eps]
    np.testing.assert_allclose(many, np.mean(one, axis=0), rtol=1e-13)
    standard_error = np.std(one, axis=0) * math.sqrt(1 / 250 + 1 / 1000)
    assert (abs(many - few) < 5 * standard_error).all()  # one number, whatever J is
    printed = np.sum(one, axis=0)
    assert (
        printed < 999 * many
    ).all()  # J times too much: beside it the KL would count for nothing
