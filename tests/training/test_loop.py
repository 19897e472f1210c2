"""True statements about training."""

import copy
import os
from dataclasses import replace

import numpy as np
import pytest

from numpyvae.training import loop as training
from numpyvae.data.mnist import load_mnist
from numpyvae.settings import TrainingOptions
from numpyvae.training.loop import NotFiniteError, learning_rate, pixels, score, start, train
from numpyvae.settings import VAEConfig
from numpyvae.vae import init_params, negative_elbo

CONFIG = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2)
QUICK = TrainingOptions(epochs=3, batch_size=16, seed=5)


def same(a, b):
    """Two states agree to the bit in all that training can reach."""
    return (all(np.array_equal(x, y) for x, y in ((a.params.vector, b.params.vector), (a.adam.m, b.adam.m), (a.adam.v, b.adam.v)))
            and (a.epoch, a.batch, a.total, a.adam.t) == (b.epoch, b.batch, b.total, b.adam.t)
            and [{**row, "seconds": 0} for row in a.history] == [{**row, "seconds": 0} for row in b.history])


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(tiny):
    assert same(train(*tiny, CONFIG, QUICK), train(*tiny, CONFIG, QUICK))
    other = TrainingOptions(epochs=3, batch_size=16, seed=6)
    assert not np.array_equal(train(*tiny, CONFIG, QUICK).params.vector, train(*tiny, CONFIG, other).params.vector)


def test_training_beats_the_best_model_that_ignores_the_latents(tiny):
    config = VAEConfig(input_dim=30, hidden_dims=(16,), latent_dim=2)
    history = train(*tiny, config, TrainingOptions(epochs=100, batch_size=16, lr=1e-2)).history
    mean = np.mean(pixels(tiny[1], "none", None), axis=0, dtype=np.float64)
    without_latents = -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean)).sum()  # the pixels' own means as decoder
    assert history[-1]["test_loss"] < without_latents < history[0]["test_loss"]


def test_an_epoch_visits_every_image_once_in_an_order_drawn_anew(tiny, monkeypatch):
    seen = []
    original = training.pixels
    monkeypatch.setattr(training, "pixels", lambda images, *rest: (seen.append(images), original(images, *rest))[1])
    train(*tiny, CONFIG, TrainingOptions(epochs=2, batch_size=16))
    steps = [images for images in seen if len(images) != len(tiny[1])]
    first, second = (np.concatenate(steps[7 * epoch : 7 * epoch + 7]) for epoch in (0, 1))
    as_rows = lambda images: sorted(map(bytes, images))
    assert as_rows(first) == as_rows(second) == as_rows(tiny[0])
    assert not np.array_equal(first, second) and not np.array_equal(first, tiny[0])


def test_the_average_loss_weighs_the_last_partial_batch_by_its_images(tiny):
    losses = []
    state = train(*tiny, CONFIG, TrainingOptions(epochs=1, batch_size=16), after_batch=lambda state, loss: losses.append(loss))
    sizes = [16] * 6 + [14]
    assert state.history[0]["train_loss"] == pytest.approx(np.dot(losses, sizes) / 110, rel=1e-12)  # sums in float64


@pytest.mark.parametrize("stop_at", [1, 4, 7, 8, 13, 21])
def test_going_on_from_any_batch_gives_the_bits_of_never_having_stopped(tiny, stop_at):
    class Stop(Exception):
        pass

    saved = []

    def after_batch(state, loss):
        if state.adam.t == stop_at:
            saved.append(copy.deepcopy(state))
            raise Stop

    options = TrainingOptions(epochs=3, batch_size=16, binarize="dynamic")
    with pytest.raises(Stop):
        train(*tiny, CONFIG, options, after_batch=after_batch)
    state = saved[0]
    state.params = init_like(state.params)
    assert same(train(*tiny, CONFIG, options, state=state), train(*tiny, CONFIG, options))


def init_like(params):
    """deepcopy makes views into arrays of their own; bind them to one vector again, as loading a checkpoint does."""
    fresh = init_params(CONFIG, np.random.default_rng(0))
    fresh.vector[...] = params.vector
    return fresh


def test_a_loss_that_is_not_finite_stops_before_the_step(tiny):
    state = start(tiny[0], CONFIG, QUICK)
    state.params["decoder.1.b"][0] = np.inf
    before = state.params.vector.copy()
    with pytest.raises(NotFiniteError, match="epoch 1, batch 1: the loss is"):
        train(*tiny, CONFIG, QUICK, state=state)
    assert np.array_equal(state.params.vector, before) and state.adam.t == 0


def test_a_gradient_that_is_not_finite_is_named(tiny, monkeypatch):
    def broken(cache, out, dloss):
        out.vector[...] = 0
        out["encoder.0.W"][2, 3] = np.nan
        return out

    monkeypatch.setitem(training.OBJECTIVES, "elbo", (negative_elbo, broken))
    with pytest.raises(NotFiniteError, match="epoch 1, batch 1: the gradient of encoder.0.W is not finite"):
        train(*tiny, CONFIG, QUICK)


def test_a_gradient_whose_square_overflows_is_still_finite(tiny, monkeypatch):
    def steep(cache, out, dloss):
        out.vector[...] = 1e30  # its square is inf in float32: a matter for Adam's v, which makes the step 0
        return out

    monkeypatch.setitem(training.OBJECTIVES, "elbo", (negative_elbo, steep))
    with np.errstate(over="ignore"):
        state = train(*tiny, CONFIG, TrainingOptions(epochs=1))
    assert np.isfinite(state.params.vector).all() and state.adam.t == 1


def test_too_large_a_step_size_ends_in_an_error_and_without_a_warning(tiny):
    with pytest.raises(NotFiniteError):
        train(*tiny, CONFIG, TrainingOptions(epochs=20, batch_size=16, lr=1e4))


def test_the_score_is_the_elbo_whatever_beta_the_training_weighs(tiny):
    params, x = start(tiny[0], CONFIG, QUICK).params, pixels(tiny[1], "none", None)
    weighed = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2, beta=4.0)
    loss, reconstruction, kl = score(params, x, CONFIG, np.random.default_rng(3))
    assert score(params, x, weighed, np.random.default_rng(3)) == (loss, reconstruction, kl)
    eps = np.random.default_rng(3).standard_normal((24, 2), dtype=np.float32)
    assert loss == kl - reconstruction == pytest.approx(float(negative_elbo(params, x, eps, CONFIG)[0]), rel=1e-6)  # float32


def test_grey_pixels_are_the_bytes_over_255():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    x = pixels(images, "none", None)
    assert x.dtype == np.float32 and x.shape == (1, 256) and x.min() == 0 and x.max() == 1
    assert np.array_equal(np.rint(x * 255), images.reshape(1, -1))


def test_threshold_cuts_at_one_half():
    x = pixels(np.array([[[0, 127, 128, 255]]], np.uint8), "threshold", None)
    assert x.dtype == np.float32 and x.tolist() == [[0, 0, 1, 1]]


def test_dynamic_binarization_draws_anew_with_the_grey_value_as_probability():
    images, rng = np.tile(np.array([[0, 51, 204, 255]], np.uint8), (20_000, 1, 1)), np.random.default_rng(1)
    x = pixels(images, "dynamic", rng)
    assert set(np.unique(x)) == {0, 1} and not np.array_equal(x, pixels(images, "dynamic", rng))
    mean = x.mean(axis=0, dtype=np.float64)
    assert mean[0] == 0 and mean[3] == 1  # black stays black, white white
    assert abs(mean[1] - 0.2) < 5 * 0.4 / 20_000**0.5 and abs(mean[2] - 0.8) < 5 * 0.4 / 20_000**0.5  # 5 standard errors


def test_the_recipes_rate_has_stages_of_1_3_9_and_on_to_2187_epochs():
    options = TrainingOptions(epochs=3280, lr=1.0, schedule="burda")
    rates = [learning_rate(options, epoch) for epoch in range(1, 3281)]
    expected = [10 ** (-i / 7) for i in range(8) for _ in range(3**i)]
    assert rates == pytest.approx(expected, rel=1e-15)  # one rounding


def test_fewer_epochs_keep_the_stages_in_proportion():
    rates = [learning_rate(TrainingOptions(epochs=328, lr=1.0, schedule="burda"), epoch) for epoch in range(1, 329)]
    for i in range(3, 8):
        assert abs(rates.count(10 ** (-i / 7)) - 3**i / 10) <= 1
    assert rates == sorted(rates, reverse=True) and rates[-1] == pytest.approx(0.1)


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_glorot_starts_the_output_at_the_pixels_mean(tiny, likelihood):
    params = start(tiny[0], replace(CONFIG, likelihood=likelihood), TrainingOptions(initialization="glorot")).params
    mean, bias = tiny[0].reshape(110, -1).mean(axis=0) / 255, params["decoder.1.b"]
    means = 1 / (1 + np.exp(-bias)) if likelihood == "bernoulli" else bias
    assert means == pytest.approx(np.clip(mean, 0.001, 0.999), rel=1e-6)  # float32; no mean here is near 0 or 1
    assert not params["encoder.0.b"].any() and np.abs(params["encoder.0.W"]).max() <= (6 / 38) ** 0.5


@pytest.mark.parametrize("field, value", [("epochs", 0), ("epochs", 1.5), ("batch_size", 0), ("lr", -1.0), ("lr", float("nan")),
                                          ("seed", -1), ("samples", 0), ("objective", "elbow"), ("binarize", "yes"),
                                          ("schedule", "cosine"), ("initialization", "he"), ("adam_epsilon", 0.0)])
def test_options_refuse_what_they_cannot_mean_and_name_it(field, value):
    with pytest.raises(ValueError, match=field):
        TrainingOptions(**{field: value})


@pytest.mark.slow
def test_an_epoch_on_all_of_mnist_ends_where_other_implementations_end():
    images, _ = load_mnist(os.environ["NUMPYVAE_DATA"], "train")
    test_images, _ = load_mnist(os.environ["NUMPYVAE_DATA"], "test")
    row = train(images, test_images, VAEConfig(), TrainingOptions(epochs=1)).history[0]
    assert len(images) == 60_000
    assert abs(row["train_loss"] - 164.4) < 1.5  # the same model in two frameworks: 164.3 and 165.3, other random numbers
    assert abs(row["test_loss"] - 127.5) < 1.5
