"""The encoder's gradient: what each estimator's mean is, exactly, and how its noise
falls.
"""

import numpy as np
import pytest

from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    LIKELIHOODS,
    Parameters,
    decode,
    encode,
    init_params,
    negative_elbo,
    negative_elbo_backward,
)
from numpyvae.vae.gradient_estimators import (
    BASELINE,
    ESTIMATORS,
    NAIVE,
    PATH_DERIVATIVE,
    PATHWISE,
    SCORE,
    encoder_slice,
    estimate_gradients,
)
from tests.gradient_estimators import compare_estimators

CONFIG = VAEConfig(input_dim=4, hidden_dims=(3,), latent_dim=1, activation="tanh")
X = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.2]])


@pytest.fixture(scope="module")
def params():
    params = init_params(CONFIG, np.random.default_rng(1), np.float64)
    params["decoder.0.W"][...] = 1.0, -0.8, 0.5
    params["decoder.1.W"] *= 3
    return params


def exact_loss(params, n=60):
    """The loss, its expectation by Gauss-Hermite quadrature over z itself and the KL by
    the textbook's formula
    """
    t, w = np.polynomial.hermite_e.hermegauss(n)
    (mu, logvar), _ = encode(params, X, CONFIG)
    z = mu + np.exp(logvar / 2) * t[:, None, None]  # (n, N, 1)
    log_px = LIKELIHOODS[CONFIG.likelihood].log_prob(
        params, X, decode(params, z, CONFIG)[0], CONFIG
    )
    kl = (mu**2 + np.exp(logvar) - logvar - 1).sum(axis=1) / 2
    return (kl - w @ log_px / w.sum()).mean()


@pytest.fixture(scope="module")
def exact(params):
    """Its gradient in every parameter, by complex step"""
    shapes = {name: array.shape for name, array in params.items()}
    gradient = Parameters(shapes, np.empty_like(params.vector))
    for i in range(len(params.vector)):
        stepped = Parameters(shapes, params.vector.astype(complex))
        stepped.vector[i] += 1e-20j
        gradient.vector[i] = exact_loss(stepped).imag / 1e-20
    return gradient


def within_4_standard_errors(samples, expected):
    """The mean of independent samples (M, P) is the expected vector; a component that
    never varies is equal to it.
    """
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert np.all(np.abs(samples.mean(axis=0) - expected) <= 4 * error + 1e-14)


def pathwise(params, J, count, seed=2):
    """`count` independent gradients of J samples each, in all parameters"""
    rng = np.random.default_rng(seed)
    return np.array(
        [
            negative_elbo_backward(
                negative_elbo(params, X, rng.standard_normal((J, 2, 1)), CONFIG)[1]
            ).vector
            for _ in range(count)
        ]
    )


def test_quadrature_has_converged(params):
    assert exact_loss(params, 60) == pytest.approx(exact_loss(params, 90), abs=1e-7)


def test_the_pathwise_estimators_mean_is_the_exact_gradient(params, exact):
    """To 4 standard errors of 2,000 samples, in every parameter, also the decoder's"""
    samples = pathwise(params, 1, 2000)
    within_4_standard_errors(samples, exact.vector)
    assert np.linalg.norm(samples.mean(axis=0) - exact.vector) <= 0.05 * np.linalg.norm(
        exact.vector
    )


def test_pathwise_gradients_at_quadrature_nodes_average_to_the_exact_one(params, exact):
    """No sampling: the pathwise gradients at the nodes, in their weighted mean"""
    t, w = np.polynomial.hermite_e.hermegauss(60)
    caches = [negative_elbo(params, X, np.full((1, 2, 1), t_i), CONFIG)[1] for t_i in t]
    gradients = [negative_elbo_backward(cache).vector for cache in caches]
    assert w @ gradients / w.sum() == pytest.approx(exact.vector, abs=1e-13)


def test_the_pathwise_variance_falls_as_1_over_j(params):
    """J times the variance is the same for J = 1, 4 and 16, within 15%: 1,500 samples
    estimate it to about 4%.
    """
    variances = [
        J * pathwise(params, J, 1500, seed=J).var(axis=0).sum() for J in (1, 4, 16)
    ]
    assert variances == pytest.approx([variances[0]] * 3, rel=0.15)


@pytest.fixture(scope="module")
def samples(params):
    """name -> 4,000 one-sample estimates (M, P)"""
    rng = np.random.default_rng(3)
    rows = [
        estimate_gradients(
            params,
            X,
            rng.standard_normal((1, 2, 1)),
            CONFIG,
            baseline=np.array([-2.5, -2.5]),
        )
        for _ in range(4000)
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("name", [SCORE, BASELINE, PATHWISE, PATH_DERIVATIVE])
def test_every_estimator_but_the_naive_one_is_unbiased(samples, exact, name):
    within_4_standard_errors(samples[name], encoder_slice(exact))


def test_the_naive_estimators_mean_is_zero(samples, exact):
    """It varies, but around nothing, and the gradient that it should find is 5 of its
    standard errors from there.
    """
    within_4_standard_errors(samples[NAIVE], 0)
    error = samples[NAIVE].std(axis=0) / np.sqrt(len(samples[NAIVE]))
    assert np.max(np.abs(encoder_slice(exact)) / error) > 5


def test_the_reparameterized_estimators_have_the_least_variance(samples):
    variance = {name: rows.var(axis=0).sum() for name, rows in samples.items()}
    assert 5 * variance[PATHWISE] < variance[BASELINE] < variance[SCORE]


def test_the_table_at_the_default_models_size():
    """Random pixels, untrained weights, few samples: enough to tell the rows apart."""
    config, rng = VAEConfig(), np.random.default_rng(4)
    params, x = init_params(config, rng), rng.random((16, 784), dtype=np.float32)
    rows = compare_estimators(params, x, config, 20, rng)
    assert tuple(rows) == ESTIMATORS
    mean, error, _ = rows[PATHWISE]
    assert mean == pytest.approx(1, abs=4 * error)
    mean, error, _ = rows[NAIVE]
    assert abs(mean) <= 4 * error and error < 0.25
    assert rows[SCORE][2] > 1000 * rows[PATHWISE][2]
