"""A conditional model is one model per class, with biases of its own; Bayes' rule."""

from fractions import Fraction

import numpy as np
import pytest

from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    OBJECTIVES,
    Parameters,
    class_probabilities,
    init_params,
    log_marginal_by_class,
    one_hot,
    parameter_shapes,
    with_class,
)
from numpyvae.vae.elbo import elbo_terms
from numpyvae.vae.iwae import log_marginal

D, L, C = 7, 3, 4
CONFIG = VAEConfig(
    input_dim=D, hidden_dims=(5,), latent_dim=L, activation="tanh", num_classes=C
)


@pytest.fixture(scope="module")
def example():
    """params, pixels, labels, eps"""
    rng = np.random.default_rng(3)
    params = init_params(CONFIG, rng, np.float64)
    labels = np.array([2, 0, 3, 2, 1, 0])
    return params, rng.random((6, D)), labels, rng.standard_normal((2, 6, L))


def of_class(params, label):
    """The model of one class without classes: its rows of W are added to the biases."""
    config = VAEConfig(input_dim=D, hidden_dims=(5,), latent_dim=L, activation="tanh")
    arrays = dict(params)
    for name, columns in (("encoder.0", D), ("decoder.0", L)):
        W = params[f"{name}.W"]
        arrays[f"{name}.W"] = W[:columns]
        arrays[f"{name}.b"] = params[f"{name}.b"] + W[columns + label]
    shapes = parameter_shapes(config)
    vector = np.concatenate([arrays[name].ravel() for name in shapes])
    return Parameters(shapes, vector), config


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_conditional_model_is_one_model_per_class(example, objective):
    """Loss and gradients, by (14.2); the sums have the same terms, 1e-12 is rounding"""
    params, x, labels, eps = example
    loss_of, backward = OBJECTIVES[objective]
    loss, cache = loss_of(params, with_class(x, labels, CONFIG), eps, CONFIG)
    grads = backward(cache)
    total = 0.0
    sums = {name: np.zeros_like(grad) for name, grad in grads.items()}
    for label in range(C):
        chosen = labels == label
        own, config = of_class(params, label)
        part, cache = loss_of(own, x[chosen], eps[:, chosen], config)
        fraction = chosen.mean()
        total += fraction * part
        for name, grad in backward(cache, dloss=fraction).items():
            sums[name][: len(grad)] += grad
            if name in ("encoder.0.b", "decoder.0.b"):
                first = {"encoder": D, "decoder": L}[name[:7]]
                sums[f"{name[:-1]}W"][first + label] += grad
    assert loss == pytest.approx(total, rel=1e-12)
    for name, grad in grads.items():
        assert np.allclose(grad, sums[name], rtol=1e-11, atol=1e-13), name


def test_log_p_of_a_class_is_that_of_its_model(example):
    params, x, _, _ = example
    found = log_marginal_by_class(params, x, CONFIG, 20, np.random.default_rng(1))
    assert found.shape == (6, C)
    seed = np.random.default_rng(1).integers(2**63)
    for label in range(C):
        own, config = of_class(params, label)
        expected, *_ = log_marginal(own, x, config, 20, np.random.default_rng(seed))
        assert np.allclose(found[:, label], expected, rtol=1e-12)


def test_a_linear_model_has_the_log_density_that_algebra_gives():
    """x = W z + V_c + s·noise, one pixel: p(x|c) = N(V_c, W² + s²), and the exact q"""
    W, V, s2 = 0.8, np.array([0.5, -1.0]), 0.25
    variance = W**2 + s2
    config = VAEConfig(
        input_dim=1,
        hidden_dims=(),
        latent_dim=1,
        likelihood="normal",
        logvar_x=float(np.log(s2)),
        num_classes=2,
    )
    params = Parameters(parameter_shapes(config), np.zeros(12))
    params["encoder.0.W"][:, 0] = W / variance * np.array([1, *-V])
    params["encoder.0.b"][1] = np.log(s2 / variance)
    params["decoder.0.W"][:, 0] = [W, *V]
    x = np.array([[0.3], [-2.0]])
    found = log_marginal_by_class(params, x, config, 3, np.random.default_rng(0))
    exact = -0.5 * (np.log(2 * np.pi * variance) + (x - V) ** 2 / variance)
    assert np.allclose(found, exact, rtol=1e-12)


def test_bayes_rule_in_fractions():
    """Against exact arithmetic, where p(x|c) are powers of 2"""
    likelihood = [Fraction(1, 8), Fraction(1, 2), Fraction(1, 4)]
    prior = [Fraction(1, 2), Fraction(1, 8), Fraction(3, 8)]
    joint = [a * b for a, b in zip(likelihood, prior, strict=True)]
    expected = [float(j / sum(joint)) for j in joint]
    scales = np.array([[0.0], [-1000.0], [1000.0]])  # of three images: they cancel
    log_px = np.log([float(p) for p in likelihood]) + scales
    found = class_probabilities(log_px, np.array([float(p) for p in prior]))
    assert np.allclose(found, expected, rtol=1e-12)  # log and exp of −1000: 1e-13


def test_a_class_that_does_not_occur_has_no_probability():
    found = class_probabilities(np.array([[-3.0, -1.0]]), np.array([1.0, 0.0]))
    assert found.tolist() == [[1.0, 0.0]]


def test_a_model_that_ignores_the_class_gives_back_the_prior(example):
    params, x, _, _ = example
    params = params.copy()
    params["encoder.0.W"][D:] = 0
    params["decoder.0.W"][L:] = 0
    log_px = log_marginal_by_class(params, x, CONFIG, 5, np.random.default_rng(1))
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    assert np.allclose(class_probabilities(log_px, prior), prior, rtol=1e-12)


def test_one_hot_has_a_single_1_per_row():
    assert one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_rows_keep_the_precision_of_x():
    x = np.zeros((2, D), np.float32)
    assert with_class(x, np.array([0, 1]), CONFIG).dtype == np.float32


def test_images_without_their_classes_are_refused(example):
    params, x, _, eps = example
    with pytest.raises(ValueError, match=r"x must have the shape \(N, 11\)"):
        elbo_terms(params, x, eps, CONFIG)
