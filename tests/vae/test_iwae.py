"""Importance weights: the K-sample bound and its gradient, log p(x) and its error.

The exact values come from Gauss-Hermite quadrature on a model with one latent,
E[f(eps)] = Σᵢ ωᵢ f(tᵢ) for eps ~ N(0, 1). Its decoder is smooth (tanh), so 60 nodes and
100 agree to 1e-8 and better.
"""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp

from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    Parameters,
    decode,
    encode,
    init_params,
    negative_elbo,
    negative_elbo_backward,
)
from numpyvae.vae.gradient_estimators import (
    negative_elbo_stl,
    negative_iwae_dreg_backward,
)
from numpyvae.vae.iwae import (
    effective_sample_size,
    log_importance_weights,
    log_marginal,
    log_mean_exp,
    negative_iwae,
    negative_iwae_backward,
)
from numpyvae.vae.parameters import parameter_shapes

ONE_LATENT = VAEConfig(
    input_dim=4, hidden_dims=(3,), latent_dim=1, activation="tanh", prior=(0.3, -0.4)
)
X = np.array([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.2]])


def model(config, seed=1, scale=3.0):
    """Parameters in float64, larger than training starts from: with those, the latent
    hardly matters.
    """
    params = init_params(config, np.random.default_rng(seed), np.float64)
    params.vector *= scale
    return params


def one_latent(seed=0):
    """Parameters of ONE_LATENT whose decoder depends on z, and whose q is a little
    wider than the prior, so that the weights are bounded: the tails of a q too narrow
    are what importance sampling cannot see.
    """
    params = init_params(ONE_LATENT, np.random.default_rng(seed), np.float64)
    params["decoder.0.W"][...] = 1.0, -0.8, 0.5
    params["decoder.1.W"] *= 3
    params["encoder.1.b"][1] = 0.0
    return params


def gauss_hermite(n):
    """tᵢ and ωᵢ, Σ ωᵢ = 1"""
    t, w = np.polynomial.hermite_e.hermegauss(n)
    return t, w / w.sum()


def log_weights_at(params, x, eps, config):
    """log w for each of the numbers eps (K,), one latent -> (K, N)"""
    (mu, logvar), _ = encode(params, x, config)
    return log_importance_weights(
        params, x, mu, logvar, np.tile(eps[:, None, None], (1, len(x), 1)), config
    )[0]


def log_px_by_quadrature(params, x, config, n=100):
    """log ∫ p(x|z) p(z) dz over the prior's own nodes; pixels by scipy.stats. The
    encoder has no part in it.
    """
    t, w = gauss_hermite(n)
    mu_p, logvar_p = config.prior
    y, _ = decode(params, (mu_p + np.exp(logvar_p / 2) * t)[:, None], config)
    log_px = (
        x * -np.log1p(np.exp(-y))[:, None] - (1 - x) * np.log1p(np.exp(y))[:, None]
    ).sum(axis=-1)
    return logsumexp(log_px, axis=0, b=w[:, None])


# log-mean-exp

numbers = st.lists(st.floats(-100, 100), min_size=1, max_size=20)


@given(numbers)
def test_log_mean_exp_is_the_log_of_the_mean_of_exp(a):
    rounding = 1e-13 + 4e-15 * max(map(abs, a))
    assert log_mean_exp(np.array(a)) == pytest.approx(
        logsumexp(a) - np.log(len(a)), abs=rounding
    )


@given(numbers, st.sampled_from([-1e4, 1e4]))
def test_log_mean_exp_commutes_with_a_shift(a, shift):
    """Two roundings each of a + shift and of the result; exp of the shift itself would
    be 0 or inf.
    """
    a = np.array(a)
    assert abs(log_mean_exp(a + shift) - (log_mean_exp(a) + shift)) <= 4 * np.spacing(
        1e4
    )


@given(numbers)
def test_log_mean_exp_lies_between_the_mean_and_the_largest(a):
    rounding = 1e-15 * (1 + max(map(abs, a)))
    assert (
        np.mean(a) - 4 * rounding <= log_mean_exp(np.array(a)) <= max(a) + 4 * rounding
    )


@given(st.integers(1, 5), st.sampled_from([np.float32, np.float64]))
def test_all_minus_infinity_gives_minus_infinity(n, dtype):
    """In silence: a warning is an error in this suite."""
    result = log_mean_exp(np.full((n, 3), -np.inf, dtype))
    assert result.dtype == dtype and np.array_equal(result, [-np.inf] * 3)


def test_a_weight_of_zero_counts_in_the_mean():
    a = np.array([[-np.inf, 0.0], [np.log(4.0), 0.0]])
    assert log_mean_exp(a) == pytest.approx([np.log(2.0), 0.0])
    assert log_mean_exp(a, axis=1) == pytest.approx([np.log(0.5), np.log(2.5)])


# The weights


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_the_log_weights_are_those_of_scipys_densities(likelihood):
    config = VAEConfig(
        4, (3,), 2, likelihood=likelihood, prior=((0.3, -1.0), (-0.4, 0.5))
    )
    params, rng = model(config), np.random.default_rng(0)
    x, eps = rng.integers(0, 2, (3, 4)).astype(float), rng.standard_normal((5, 3, 2))
    (mu, logvar), _ = encode(params, x, config)
    log_w, *_ = log_importance_weights(params, x, mu, logvar, eps, config)
    sigma = np.exp(logvar / 2)
    z = mu + sigma * eps
    y, _ = decode(params, z, config)
    log_px = (
        stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-y)))
        if likelihood == "bernoulli"
        else stats.norm.logpdf(x, y, np.exp(params["logvar_x"] / 2))
    )
    log_pz = stats.norm.logpdf(
        z, config.prior[0], np.exp(np.array(config.prior[1]) / 2)
    )
    expected = (
        log_px.sum(axis=-1)
        + log_pz.sum(axis=-1)
        - stats.norm.logpdf(z, mu, sigma).sum(axis=-1)
    )
    assert log_w == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0])
def test_the_mean_weight_is_the_likelihood_for_every_encoder(scale):
    """E_q[w] = p(x): another encoder, the same number."""
    params, (t, w) = one_latent(), gauss_hermite(100)
    for name in params:
        params[name] *= scale if name.startswith("encoder") else 1
    log_w = log_weights_at(params, X, t, ONE_LATENT)
    expected = log_px_by_quadrature(params, X, ONE_LATENT)
    assert logsumexp(log_w, axis=0, b=w[:, None]) == pytest.approx(expected, abs=1e-7)


# The K-sample bound


def bound(params, x, config, K, n):
    """ELBO_K = E[log 1/K Σ w(epsₖ)], a sum over the grid of n^K nodes"""
    t, w = gauss_hermite(n)
    log_w = log_weights_at(params, x, t, config)
    grid = np.stack(np.meshgrid(*[np.arange(n)] * K, indexing="ij")).reshape(K, -1)
    return w[grid].prod(axis=0) @ log_mean_exp(log_w[grid])


@pytest.mark.parametrize("seed", range(3))
def test_the_bound_rises_with_k_from_the_elbo_toward_log_p(seed):
    """By more, each time, than what quadrature with fewer nodes would make of it."""
    params = one_latent(seed)
    log_px = log_px_by_quadrature(params, X, ONE_LATENT)
    fine = np.array(
        [
            bound(params, X, ONE_LATENT, K, n)
            for K, n in [(1, 30), (2, 30), (3, 30), (4, 20)]
        ]
    )
    coarse = np.array(
        [
            bound(params, X, ONE_LATENT, K, n)
            for K, n in [(1, 24), (2, 24), (3, 24), (4, 16)]
        ]
    )
    error = np.abs(fine - coarse).max()
    assert np.diff([*fine, log_px], axis=0).min() > 10 * error


def test_with_k_1_the_expected_bound_is_the_elbo():
    """E[−log w] by quadrature, the KL sampled, is what negative_elbo has with the KL in
    closed form.
    """
    params, (t, w) = one_latent(), gauss_hermite(60)
    sampled = sum(
        w_i * negative_iwae(params, X, np.full((1, 2, 1), t_i), ONE_LATENT)[0]
        for t_i, w_i in zip(t, w, strict=True)
    )
    closed = sum(
        w_i * negative_elbo(params, X, np.full((1, 2, 1), t_i), ONE_LATENT)[0]
        for t_i, w_i in zip(t, w, strict=True)
    )
    assert sampled == pytest.approx(closed, abs=1e-12)
    assert sampled == pytest.approx(
        -bound(params, X, ONE_LATENT, 1, 60).mean(), abs=1e-12
    )


def test_with_k_1_the_bound_is_the_sampled_elbo():
    """−1/N Σ (log p(x|z) − log q(z|x)/p(z)), sample by sample"""
    config = replace(ONE_LATENT, latent_dim=3)
    params, eps = model(config), np.random.default_rng(2).standard_normal((1, 2, 3))
    (mu, logvar), _ = encode(params, X, config)
    sigma, mu_p, sigma_p = np.exp(logvar / 2), 0.3, np.exp(-0.2)
    z = mu + sigma * eps[0]
    y, _ = decode(params, z, config)
    log_px = (X * y - np.log1p(np.exp(y))).sum(axis=1)
    sampled_kl = (
        stats.norm.logpdf(z, mu, sigma) - stats.norm.logpdf(z, mu_p, sigma_p)
    ).sum(axis=1)
    assert negative_iwae(params, X, eps, config)[0] == pytest.approx(
        (sampled_kl - log_px).mean(), abs=1e-13
    )


def test_the_bound_does_not_depend_on_the_order_of_the_samples():
    params, eps = model(ONE_LATENT), np.random.default_rng(2).standard_normal((5, 2, 1))
    loss = negative_iwae(params, X, eps, ONE_LATENT)[0]
    assert negative_iwae(params, X, eps[::-1], ONE_LATENT)[0] == pytest.approx(
        loss, abs=1e-14
    )
    assert negative_iwae(params, X, np.concatenate([eps, eps]), ONE_LATENT)[
        0
    ] == pytest.approx(loss, abs=1e-14)


# Gradients, by complex step: ∂f/∂θ = Im f(θ + ih)/h, without the difference that costs
# digits

CONFIGS = {
    "tanh": VAEConfig(input_dim=6, hidden_dims=(5, 4), latent_dim=3, activation="tanh"),
    "square": VAEConfig(
        4, (4, 4), 2
    ),  # and 4 images: no shape gives away a transpose or an axis
    "relu, general prior": VAEConfig(
        6, (5,), 3, prior=((0.5, -1.0, 0.0), (0.3, -0.7, 0.0))
    ),
    "normal, learned variance": VAEConfig(
        6, (5,), 3, activation="tanh", likelihood="normal"
    ),
    "normal, fixed variance": VAEConfig(
        input_dim=6, hidden_dims=(), latent_dim=3, likelihood="normal", logvar_x=-0.5
    ),
}


def complex_step(loss, params, h=1e-20):
    """∂loss/∂params, an entry at a time, through the forward pass in complex128"""
    shapes = {name: array.shape for name, array in params.items()}
    gradient = Parameters(shapes, np.empty_like(params.vector))
    for i in range(len(params.vector)):
        stepped = Parameters(shapes, params.vector.astype(complex))
        stepped.vector[i] += 1j * h
        gradient.vector[i] = loss(stepped).imag / h
    return gradient


def assert_same(grads, expected):
    """Norms within 1e-14 for each tensor, each entry within 1e-13 of its tensor's
    largest
    """
    assert grads.keys() == expected.keys()
    for name in grads:
        error = np.abs(grads[name] - expected[name])
        assert np.linalg.norm(error) <= 1e-14 * np.linalg.norm(expected[name]), name
        assert error.max() <= 1e-13 * np.abs(expected[name]).max(), name


def setting(name, count, seed=1):
    config, rng = CONFIGS[name], np.random.default_rng(seed)
    x = rng.random((4, config.input_dim))
    return (
        config,
        model(config, scale=1.5),
        x,
        rng.standard_normal((count, 4, config.latent_dim)),
    )


@pytest.mark.parametrize("K", [1, 5])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_gradient_of_the_k_sample_bound(name, K):
    config, params, x, eps = setting(name, K)
    grads = negative_iwae_backward(negative_iwae(params, x, eps, config)[1])
    assert_same(
        grads, complex_step(lambda p: negative_iwae(p, x, eps, config)[0], params)
    )


@pytest.mark.parametrize("J", [1, 3])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_gradient_of_the_elbo_with_j_samples(name, J):
    config, params, x, eps = setting(name, J)
    config = replace(config, beta=0.7)
    grads = negative_elbo_backward(negative_elbo(params, x, eps, config)[1])
    assert_same(
        grads, complex_step(lambda p: negative_elbo(p, x, eps, config)[0], params)
    )


@pytest.mark.parametrize(
    "loss, backward",
    [(negative_elbo, negative_elbo_backward), (negative_iwae, negative_iwae_backward)],
)
def test_j_samples_are_a_mean_over_j_but_k_samples_are_more_than_that(loss, backward):
    config, params, x, eps = setting("tanh", 3)
    together = backward(loss(params, x, eps, config)[1]).vector
    apart = np.mean(
        [backward(loss(params, x, eps[j : j + 1], config)[1]).vector for j in range(3)],
        axis=0,
    )
    # the same sums in another order: 45 roundings of a number of order 1
    assert np.allclose(together, apart, rtol=0, atol=1e-14) == (loss is negative_elbo)


def test_the_gradient_overwrites_what_it_is_given():
    config, params, x, eps = setting("normal, learned variance", 5)
    cache = negative_iwae(params, x, eps, config)[1]
    out = Parameters(
        {name: array.shape for name, array in params.items()},
        np.full_like(params.vector, np.nan),
    )
    assert negative_iwae_backward(cache, grads=out) is out
    assert np.array_equal(out.vector, negative_iwae_backward(cache).vector)


def test_images_of_very_different_likelihoods_do_not_disturb_each_other():
    """log w of −0.002 and of −1e4 in one float32 batch: each is scaled by its own
    maximum, or there is 0/0.
    """
    config = VAEConfig(input_dim=784, hidden_dims=(), latent_dim=1)
    params = init_params(config, np.random.default_rng(1))
    params["decoder.0.b"][...] = -13.0
    x = np.array([np.zeros(784), np.ones(784)], np.float32)
    eps = np.random.default_rng(2).standard_normal((5, 2, 1), dtype=np.float32)
    for backward in (negative_iwae_backward, negative_iwae_dreg_backward):
        loss, cache = negative_iwae(params, x, eps, config)
        alone = [
            negative_iwae(params, x[n : n + 1], eps[:, n : n + 1], config)
            for n in (0, 1)
        ]
        assert np.ptp(cache.log_w, axis=1).min() > 9000
        assert loss == pytest.approx((alone[0][0] + alone[1][0]) / 2, rel=1e-6)
        mean = (backward(alone[0][1]).vector + backward(alone[1][1]).vector) / 2
        assert backward(cache).vector == pytest.approx(
            mean, rel=1e-4, abs=1e-6
        )  # float32, 784 terms
    estimate, se = log_marginal(params, x, config, 5, np.random.default_rng(2))
    assert estimate == pytest.approx(
        logsumexp(cache.log_w.astype(float), axis=0) - np.log(5), rel=1e-12
    )
    assert np.isfinite(se).all()


def test_the_encoder_runs_once_per_image_whatever_k(monkeypatch):
    rows = []

    def counting(params, x, config):
        rows.append(len(x))
        return encode(params, x, config)

    monkeypatch.setattr("numpyvae.vae.iwae.encode", counting)
    params = model(ONE_LATENT)
    for K in (1, 50):
        negative_iwae(params, X, np.zeros((K, 2, 1)), ONE_LATENT)
        log_marginal(params, X, ONE_LATENT, K, np.random.default_rng(1), chunk_rows=1)
    assert rows == [2, 2, 2, 2]


# log p(x)


def test_log_marginal_is_within_4_standard_errors_of_quadrature():
    params = one_latent()
    expected = log_px_by_quadrature(params, X, ONE_LATENT)
    estimate, se = log_marginal(params, X, ONE_LATENT, 20_000, np.random.default_rng(3))
    assert np.all(np.abs(estimate - expected) <= 4 * se)
    assert np.all((se > 0) & (se < 0.02))  # four of them are a statement


def test_the_standard_error_of_log_marginal_is_calibrated():
    """2,000 estimates of the same image, 2,000 samples each: their spread is the error
    that each of them reports, and their mean is low by half its square. The spread of
    2,000 is known to 1.6%; 7% is 4 times that and a little skew.
    """
    params, copies = one_latent(), 2000
    expected = log_px_by_quadrature(params, X[:1], ONE_LATENT)
    estimate, se = log_marginal(
        params, np.tile(X[:1], (copies, 1)), ONE_LATENT, 2000, np.random.default_rng(4)
    )
    z = (estimate - expected) / se
    assert estimate.std() == pytest.approx(np.sqrt(np.mean(se**2)), rel=0.07)
    assert z.std() == pytest.approx(1, rel=0.07)
    assert np.mean(np.abs(z) < 1.96) == pytest.approx(
        0.95, abs=0.02
    )  # 4 standard errors of a share of 2,000
    assert (estimate - expected).mean() == pytest.approx(
        -np.mean(se**2) / 2, abs=4 * estimate.std() / np.sqrt(copies)
    )


@pytest.mark.parametrize("rows", [1, 7, 10_000])
def test_log_marginal_does_not_depend_on_its_chunks(rows):
    """The same noise in chunks of another size: the same estimate and standard error as
    from all weights together.
    """
    params = model(ONE_LATENT)
    estimate, se = log_marginal(
        params, X, ONE_LATENT, 50, np.random.default_rng(5), chunk_rows=rows
    )
    (mu, logvar), _ = encode(params, X, ONE_LATENT)
    eps = np.random.default_rng(5).standard_normal((50, 2, 1))
    log_w, *_ = log_importance_weights(params, X, mu, logvar, eps, ONE_LATENT)
    assert estimate == pytest.approx(logsumexp(log_w, axis=0) - np.log(50), abs=1e-13)
    w = np.exp(log_w)
    assert se == pytest.approx(
        w.std(axis=0, ddof=1) / np.sqrt(50) / w.mean(axis=0), rel=1e-9
    )


def test_one_sample_is_one_log_weight():
    params = model(ONE_LATENT)
    estimate, se = log_marginal(params, X, ONE_LATENT, 1, np.random.default_rng(5))
    eps = np.random.default_rng(5).standard_normal((1, 2, 1))
    assert -estimate.mean() == pytest.approx(
        negative_iwae(params, X, eps, ONE_LATENT)[0], abs=1e-14
    )
    assert np.isnan(se).all()  # one weight has no variance


def test_the_standard_error_of_few_samples_is_not_too_small():
    """s² with K − 1 is unbiased: the mean of s²/K over 4,000 images is the variance of
    the mean weight.
    """
    params, copies = one_latent(), 4000
    x = np.tile(X[:1], (copies, 1))
    for K in (2, 3):
        estimate, se = log_marginal(params, x, ONE_LATENT, K, np.random.default_rng(4))
        mean_w = np.exp(estimate)
        # 20%: 4 times the error of a variance from 4,000 skewed numbers; without K − 1
        # it is off by 1/2 and 1/3
        assert np.mean((se * mean_w) ** 2) == pytest.approx(mean_w.var(), rel=0.2)


def test_far_below_what_exp_can_represent():
    """784 pixels against a decoder that is sure of the opposite: log p(x) near −1e4,
    where p(x) itself is 0.
    """
    config = VAEConfig(input_dim=784, hidden_dims=(), latent_dim=1)
    params = model(config, scale=0.1)
    params["decoder.0.b"][...] = -13.0
    estimate, se = log_marginal(
        params, np.ones((1, 784)), config, 10_000, np.random.default_rng(6)
    )
    expected = log_px_by_quadrature(params, np.ones((1, 784)), config)
    assert estimate[0] < -1e4 and np.exp(estimate[0]) == 0
    assert abs(estimate - expected) <= 4 * se and se < 0.05


def test_weights_of_0_count_and_are_no_nan(monkeypatch):
    """Three chunks of one weight for each of three images: log p(x) is the log of their
    mean.
    """
    chunks = iter(
        np.array(
            [
                [[-np.inf, -np.inf, 1.0]],
                [[-np.inf, 2.0, -np.inf]],
                [[-np.inf, 2.0, -np.inf]],
            ]
        )
    )
    monkeypatch.setattr(
        "numpyvae.vae.iwae.log_importance_weights", lambda *arguments: (next(chunks),)
    )
    x, rng = np.tile(X[:1], (3, 1)), np.random.default_rng(0)
    estimate, se = log_marginal(model(ONE_LATENT), x, ONE_LATENT, 3, rng, chunk_rows=1)
    assert estimate == pytest.approx(
        [-np.inf, 2 + np.log(2 / 3), 1 + np.log(1 / 3)], rel=1e-15
    )
    assert np.isnan(se[0]) and se[1:] == pytest.approx(
        [1 / 3 / (2 / 3), 1 / 3 / (1 / 3)], rel=1e-12
    )  # s² = ⅓


def test_memory_does_not_grow_with_the_number_of_samples():
    config = VAEConfig(input_dim=50, hidden_dims=(20,), latent_dim=3)
    params, x = model(config), np.random.default_rng(7).random((10, 50))

    def peak(K):
        tracemalloc.start()
        try:
            log_marginal(params, x, config, K, np.random.default_rng(8))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(200)  # what the first call leaves behind is not counted
    assert peak(5_000) <= 1.02 * peak(500)


# The effective sample size, and what an error bar is worth


def test_the_effective_sample_size_is_that_of_the_weights():
    params = model(ONE_LATENT)
    _, se = log_marginal(params, X, ONE_LATENT, 50, np.random.default_rng(5))
    (mu, logvar), _ = encode(params, X, ONE_LATENT)
    eps = np.random.default_rng(5).standard_normal((50, 2, 1))
    w = np.exp(log_importance_weights(params, X, mu, logvar, eps, ONE_LATENT)[0])
    expected = w.sum(axis=0) ** 2 / (w**2).sum(axis=0)
    assert effective_sample_size(se, 50) == pytest.approx(expected, rel=1e-12)
    assert np.all((expected > 1) & (expected < 50))


def test_the_effective_sample_size_is_k_for_equal_weights_and_1_for_one_weight():
    assert effective_sample_size(np.array([0.0]), 7) == 7
    assert effective_sample_size(np.array([1.0]), 7) == 1  # (K/1 − 1)/(K − 1) = 1
    assert effective_sample_size(np.array([np.nan]), 1) == 1  # se of one weight is NaN
    assert np.isnan(effective_sample_size(np.array([np.nan]), 7)).all()


def moments_of_w(variance, radius):
    """∫ q w dz and ∫ q w² dz over mu ± radius, mu = 0: one pixel, its logit is 2z"""
    config = VAEConfig(input_dim=1, hidden_dims=(), latent_dim=1)
    numbers = np.array([0, 0, 0, np.log(variance), 2, 0])
    params = Parameters(parameter_shapes(config), numbers)
    eps = np.linspace(-radius, radius, 20_001) / np.sqrt(variance)
    log_w = log_weights_at(params, np.array([[1.0]]), eps, config)[:, 0]
    log_q = stats.norm.logpdf(eps)
    return [np.trapezoid(np.exp(power * log_w + log_q), eps) for power in (1, 2)]


def test_with_a_bernoulli_decoder_w_has_a_mean_but_no_variance_below_one_half():
    """p(x) = ½ by symmetry. Of E[w²] every wider interval has far more, if σ² < ½."""
    for variance in (0.3, 0.6):
        assert moments_of_w(variance, 16)[0] == pytest.approx(0.5, abs=1e-9)
    near, far, farther = (moments_of_w(0.3, radius)[1] for radius in (4, 8, 16))
    assert far > 1e9 * near and farther > 1e40 * far
    _, enough = moments_of_w(0.6, 16)
    assert moments_of_w(0.6, 12)[1] == pytest.approx(enough, rel=1e-6)


# What would be a silent number


@pytest.mark.parametrize("loss", [negative_iwae, negative_elbo, negative_elbo_stl])
@pytest.mark.parametrize(
    "name, wrong",
    [
        ("x", np.full((2, 4), 255, np.uint8)),
        ("x", np.ones((2, 4), int)),
        ("x", X + 0j),
        ("x", np.ma.masked_array(X, X > 0.5)),
        ("eps", np.ones((1, 2, 1), int)),
        ("eps", np.ones((1, 2, 1), complex)),
        ("eps", np.ma.masked_array(np.ones((1, 2, 1)), True)),
    ],
    ids=[
        "bytes",
        "integers",
        "complex",
        "masked",
        "int eps",
        "complex eps",
        "mask eps",
    ],
)
def test_pixels_and_noise_that_are_no_floats_are_refused_by_name(loss, name, wrong):
    inputs = {"x": X, "eps": np.ones((1, 2, 1))} | {name: wrong}
    with pytest.raises(ValueError, match=rf"^{name} (must be|is a masked)"):
        loss(one_latent(), config=ONE_LATENT, **inputs)


@pytest.mark.parametrize("num_samples", [-1, 0, True, 2.0, None])
def test_a_number_of_samples_that_is_no_positive_integer_is_refused(num_samples):
    with pytest.raises(ValueError, match=r"^num_samples must be"):
        log_marginal(one_latent(), X, ONE_LATENT, num_samples, np.random.default_rng(1))


@pytest.mark.parametrize("x", [X.astype(np.uint8), X[:, :3], X[0], X[:0]])
def test_log_marginal_refuses_other_pixels_and_no_images(x):
    with pytest.raises(ValueError, match=r"^x "):
        log_marginal(one_latent(), x, ONE_LATENT, 5, np.random.default_rng(1))


def test_the_gradient_is_multiplied_by_dloss():
    eps = np.random.default_rng(2).standard_normal((3, 2, 1))
    _, cache = negative_iwae(one_latent(), X, eps, ONE_LATENT)
    part = negative_iwae_backward(cache, -0.25).vector
    assert part == pytest.approx(-0.25 * negative_iwae_backward(cache).vector, rel=1e-14)
