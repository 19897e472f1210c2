"""What known errors cost: without a switch the gradient is the package's, with one it
is that of the error.
"""

import math

import numpy as np
import pytest

from numpyvae.book.figures import costs
from numpyvae.book.figures.costs import CORRECT, ERRORS, gradients
from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    Parameters,
    elbo_terms,
    init_params,
    negative_elbo,
    negative_elbo_backward,
    parameter_shapes,
)
from numpyvae.vae.gradcheck import central_difference_gradient, relative_error

CONFIG = VAEConfig(input_dim=5, hidden_dims=(4,), latent_dim=2, activation="tanh")


def inputs():
    rng = np.random.default_rng(1)
    return (
        init_params(CONFIG, rng, np.float64),
        rng.random((3, 5)),
        rng.standard_normal((2, 3, 2)),
    )


def by_words(part):
    (error,) = [error for error in ERRORS if part in error.words]
    return error


def test_without_an_error_loss_and_gradient_are_the_packages():
    params, x, eps = inputs()
    loss, grads = gradients(CORRECT, params, x, eps, CONFIG)
    expected, cache = negative_elbo(params, x, eps, CONFIG)
    assert loss == pytest.approx(expected, abs=1e-13)
    assert grads.vector == pytest.approx(
        negative_elbo_backward(cache).vector, abs=1e-14
    )


def test_there_are_eight_errors_and_each_differs_from_the_correct_step():
    assert len(ERRORS) == 8 == len({error.words for error in ERRORS})
    for error in ERRORS:
        fields = [
            name
            for name in error._fields[1:]
            if getattr(error, name) != getattr(CORRECT, name)
        ]
        assert len(fields) == 1, error.words


@pytest.mark.parametrize(
    "error",
    [error for error in ERRORS if not error.detached],
    ids=lambda error: error.words[:24],
)
def test_a_gradient_check_does_not_see_the_error(error):
    params, x, eps = inputs()
    _, grads = gradients(error, params, x, eps, CONFIG)

    def loss(arrays):
        return gradients(
            error, Parameters(parameter_shapes(CONFIG), arrays["theta"]), x, eps, CONFIG
        )[0]

    numerical = central_difference_gradient(loss, {"theta": params.vector}, "theta")
    assert relative_error(grads.vector, numerical, 2) < 1e-8


def test_samples_as_data_leave_the_encoder_the_kls_gradient_only():
    params, x, eps = inputs()
    _, detached = gradients(by_words("treated as data"), params, x, eps, CONFIG)
    _, cache = negative_elbo(params, x, eps, CONFIG)
    correct = negative_elbo_backward(cache)
    encoder = sum(a.size for name, a in correct.items() if name.startswith("encoder"))
    assert (detached.vector[encoder:] == correct.vector[encoder:]).all()
    assert np.abs(correct["encoder.1.b"] - detached["encoder.1.b"]).min() > 1e-4
    kl_only = np.concatenate(
        [cache.mu.mean(axis=0), (np.exp(cache.logvar) - 1).mean(axis=0) / 2]
    )
    assert detached["encoder.1.b"] == pytest.approx(kl_only, abs=1e-14)


def test_the_losses_of_the_errors_are_those_that_they_say():
    params, x, eps = inputs()
    log_px, kl, cache = elbo_terms(params, x, eps, CONFIG)
    log_px, kl = log_px.mean(), kl.mean()

    def loss(part):
        return gradients(by_words(part), params, x, eps, CONFIG)[0]

    assert loss("wrong sign") == pytest.approx(-log_px - kl, abs=1e-13)
    assert loss("½ is missing") == pytest.approx(-log_px + 2 * kl, abs=1e-13)
    assert loss("mean over the pixels") == pytest.approx(-log_px / 5 + kl, abs=1e-13)
    wider = eps * np.exp(cache.logvar / 2)  # σ² eps = σ (σ eps)
    assert loss("variance") == pytest.approx(
        negative_elbo(params, x, wider, CONFIG)[0], abs=1e-13
    )


def test_noise_is_what_the_error_takes_for_it():
    rng = np.random.default_rng(1)
    normal, uniform, none = (
        costs.sample_noise(error, rng, (1, 20_000, 1))
        for error in (CORRECT, by_words("uniform"), by_words("never sees noise"))
    )
    assert abs(normal.mean()) < 0.03 and normal.std() == pytest.approx(
        1, abs=0.03
    )  # four standard errors
    assert (
        uniform.min() >= 0
        and uniform.max() < 1
        and uniform.std() == pytest.approx(math.sqrt(1 / 12), abs=0.01)
    )
    assert not none.any() and {normal.dtype, uniform.dtype, none.dtype} == {
        np.dtype(np.float32)
    }


def test_without_bias_correction_the_first_step_is_over_three_times_as_long(tiny):
    config = VAEConfig(input_dim=30, hidden_dims=(), latent_dim=2)
    images = tiny[0]
    start = init_params(config, np.random.default_rng(1)).vector
    lengths = [
        np.abs(costs.train_with(error, images, config, 1).vector - start).max()
        for error in (CORRECT, by_words("bias correction"))
    ]  # 110 images: one step
    assert lengths == pytest.approx([1e-3, 1e-3 * 0.1 / math.sqrt(0.001)], rel=1e-3)


def test_every_error_has_a_row_and_the_correct_model_is_among_the_best(tiny):
    rows = list(costs.costs(*tiny, epochs=3))
    assert [row.words for row in rows] == [error.words for error in (CORRECT, *ERRORS)]
    assert all(
        row.samples.shape == (8, 6, 5) and row.samples.dtype == np.uint8 for row in rows
    )
    assert all(
        math.isfinite(row.log_px) and 0 <= row.active_units <= 20 for row in rows
    )


def test_parameters_that_are_not_finite_are_a_row_without_values(tiny, monkeypatch):
    def broken(error, images, config, epochs):
        params = init_params(config, np.random.default_rng(1))
        params.vector[3] = np.nan
        return params

    monkeypatch.setattr(costs, "train_with", broken)
    assert {row[1:] for row in costs.costs(*tiny, epochs=1)} == {(None, None, None)}


def test_words_that_are_not_of_one_known_error_are_refused():
    with pytest.raises(ValueError, match="0 known errors"):
        costs.known_words("kl_divergence", "no such words")
    with pytest.raises(ValueError, match="it must have one"):
        costs.known_words("negative_elbo", "")
