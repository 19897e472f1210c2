"""The path derivatives, elbo-stl and iwae-dreg: unbiased by quadrature, and 0 at an
exact posterior for every sample.

Their encoder's gradient is not the derivative of the loss that was computed, so a
gradient check cannot test it.
"""

from itertools import product

import numpy as np
import pytest

from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    OBJECTIVES,
    Parameters,
    decode,
    encode,
    init_params,
    negative_iwae,
    zero_parameters,
)
from numpyvae.vae.gradient_estimators import encoder_slice
from numpyvae.vae.objectives import NOT_DERIVATIVES
from tests.vae.test_ppca import (
    linear_vae,
    put_the_posterior_into_the_encoder,
    random_params,
)

CONFIG = VAEConfig(
    input_dim=4, hidden_dims=(3,), latent_dim=1, activation="tanh", prior=(0.3, -0.4)
)
X = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.2]])
NODES = {
    1: 80,
    2: 40,
}  # per sample: the sum over all pairs of nodes is the expectation over two samples


def nodes(K):
    """eps (K,) and its weight, over the grid of Gauss-Hermite nodes"""
    t, w = np.polynomial.hermite_e.hermegauss(NODES[K])
    for index in product(range(NODES[K]), repeat=K):
        yield t[list(index)], np.prod(w[list(index)]) / w.sum() ** K


@pytest.fixture(scope="module")
def params():
    """Weights of a decoder that depends on z, and of a q wide enough for the importance
    weights to be bounded
    """
    params = init_params(CONFIG, np.random.default_rng(1), np.float64)
    params["decoder.0.W"][...] = 0.7, -0.6, 0.4
    params["decoder.1.W"] *= 2
    params["encoder.1.b"][1] = 0.0
    return params


def log_weight(params, t):
    """log w (N,) at the noise t, by the definitions"""
    (mu, logvar), _ = encode(params, X, CONFIG)
    z = mu + np.exp(logvar / 2) * t
    y, _ = decode(params, z, CONFIG)
    log_px = (X * y - np.log(1 + np.exp(y))).sum(axis=1)
    log_pz = -0.5 * (np.log(2 * np.pi) - 0.4 + (z - 0.3) ** 2 * np.exp(0.4)).sum(axis=1)
    log_qz = -0.5 * (np.log(2 * np.pi) + logvar + (z - mu) ** 2 / np.exp(logvar)).sum(
        axis=1
    )
    return log_px + log_pz - log_qz


def negative_bound(params, objective, K):
    """The expected loss, by quadrature: −ELBO_K, or −ELBO₁ for any number of samples"""
    t, w = np.polynomial.hermite_e.hermegauss(NODES[K])
    log_w = np.array([log_weight(params, t_i) for t_i in t])
    w = w / w.sum()
    if K == 1 or objective == "elbo-stl":
        return -(w @ log_w).mean()
    pairs = np.log((np.exp(log_w)[:, None] + np.exp(log_w)[None]) / 2)
    return -np.einsum("i,j,ijn->n", w, w, pairs).mean()


def expected_gradient(params, objective, K):
    """∂(expected loss)/∂params by the complex step, in every parameter"""
    gradient = np.empty_like(params.vector)
    shapes = {name: array.shape for name, array in params.items()}
    for i in range(len(gradient)):
        stepped = Parameters(shapes, params.vector.astype(complex))
        stepped.vector[i] += 1e-20j
        gradient[i] = negative_bound(stepped, objective, K).imag / 1e-20
    return gradient


@pytest.mark.parametrize("K", NODES)
@pytest.mark.parametrize("objective", NOT_DERIVATIVES)
def test_the_mean_is_the_gradient_of_the_expected_loss(params, objective, K):
    """1e-6 is the quadrature's own error at these nodes; a score term left in or w̃ for
    w̃² is off by 1e-2 or more.
    """
    loss, backward = OBJECTIVES[objective]
    mean = np.zeros_like(params.vector)
    for t, weight in nodes(K):
        eps = np.repeat(t[:, None, None], len(X), axis=1)
        mean += weight * backward(loss(params, X, eps, CONFIG)[1]).vector
    assert mean == pytest.approx(expected_gradient(params, objective, K), abs=1e-6)


@pytest.mark.parametrize("likelihood_variance", [-0.7, None], ids=["fixed", "learned"])
@pytest.mark.parametrize("K", [1, 5])
@pytest.mark.parametrize("objective", NOT_DERIVATIVES)
def test_at_the_exact_posterior_the_encoders_gradient_is_0(
    objective, K, likelihood_variance
):
    """For every sample, far from q's center too, to 1e-12; there the usual gradients
    still vary.
    """
    config = linear_vae(((0.5, -1.0, 2.0), (0.4, -0.8, 0.1)), likelihood_variance)
    params, rng = random_params(config, orthogonal=True), np.random.default_rng(2)
    put_the_posterior_into_the_encoder(params, config)
    x = rng.normal(0.5, 1.5, (6, config.input_dim))
    for _ in range(20):
        eps = 2 * rng.standard_normal((K, 6, config.latent_dim))
        loss, backward = OBJECTIVES[objective]
        grads = backward(loss(params, x, eps, config)[1])
        assert np.abs(encoder_slice(grads)).max() <= 1e-12
        assert np.abs(grads["decoder.0.W"]).max() > 0.01
        _, usual = OBJECTIVES["iwae"]
        assert (
            np.abs(encoder_slice(usual(negative_iwae(params, x, eps, config)[1]))).max()
            > 0.01
        )


def a_step(config, K, seed=3):
    rng = np.random.default_rng(seed)
    params = init_params(config, rng, np.float64)
    return (
        params,
        rng.random((4, config.input_dim)),
        rng.standard_normal((K, 4, config.latent_dim)),
        config,
    )


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_the_decoders_gradient_is_that_of_the_usual_bound(likelihood):
    config = VAEConfig(
        input_dim=6, hidden_dims=(5,), latent_dim=3, likelihood=likelihood
    )
    step = a_step(config, 5)
    cache = negative_iwae(*step)[1]
    usual, dreg = OBJECTIVES["iwae"][1](cache), OBJECTIVES["iwae-dreg"][1](cache)
    for name in usual:
        assert np.array_equal(usual[name], dreg[name]) == (
            not name.startswith("encoder")
        )


def test_with_one_sample_both_path_derivatives_are_the_same():
    step = a_step(VAEConfig(input_dim=6, hidden_dims=(5,), latent_dim=3), 1)
    (loss_stl, stl), (loss_dreg, dreg) = (
        OBJECTIVES[name][0](*step) for name in NOT_DERIVATIVES
    )
    assert loss_stl == pytest.approx(loss_dreg, rel=1e-15)
    assert OBJECTIVES["elbo-stl"][1](stl).vector == pytest.approx(
        OBJECTIVES["iwae-dreg"][1](dreg).vector, abs=1e-15
    )


def test_stl_averages_over_its_samples():
    params, x, eps, config = a_step(
        VAEConfig(input_dim=6, hidden_dims=(5,), latent_dim=3), 3
    )
    loss, backward = OBJECTIVES["elbo-stl"]
    together, cache = loss(params, x, eps, config)
    alone = [loss(params, x, e[None], config) for e in eps]
    assert together == pytest.approx(np.mean([one for one, _ in alone]), rel=1e-14)
    assert backward(cache).vector == pytest.approx(
        np.mean([backward(c).vector for _, c in alone], axis=0), abs=1e-14
    )


@pytest.mark.parametrize("objective", NOT_DERIVATIVES)
def test_the_upstream_gradient_scales_and_the_destination_is_overwritten(objective):
    config = VAEConfig(input_dim=6, hidden_dims=(5,), latent_dim=3, likelihood="normal")
    loss, backward = OBJECTIVES[objective]
    cache = loss(*a_step(config, 4))[1]
    grads = zero_parameters(config, np.float64)
    grads.vector.fill(np.nan)
    assert backward(cache, dloss=0.25, grads=grads) is grads
    assert grads.vector == pytest.approx(backward(cache).vector / 4, rel=1e-14)


@pytest.mark.parametrize("objective", NOT_DERIVATIVES)
def test_float32_stays_float32(objective):
    config = VAEConfig(input_dim=6, hidden_dims=(5,), latent_dim=3)
    params, x, eps, _ = a_step(config, 4)
    params = Parameters(
        {name: array.shape for name, array in params.items()},
        params.vector.astype(np.float32),
    )
    loss, cache = OBJECTIVES[objective][0](
        params, x.astype(np.float32), eps.astype(np.float32), config
    )
    assert loss.dtype == OBJECTIVES[objective][1](cache).vector.dtype == np.float32
