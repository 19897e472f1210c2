"""The recipe of a training run, step by step: pixels, noise, rates, first weights, epochs, scores."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from numpyvae.adam import Adam
from numpyvae.bounds import negative_iwae, negative_iwae_backward
from numpyvae.training import Options, draw_noise, glorot, learning_rate, pixels, score, start, train
from numpyvae.vae import VAEConfig, init_params, negative_elbo, negative_elbo_backward

CONFIG = VAEConfig(pixels=4, hidden=(5,), latent=2)
IMAGES = np.random.default_rng(1).integers(0, 256, (50, 2, 2), dtype=np.uint8)


def rng(seed=2):
    return np.random.default_rng(seed)


# Pixels

def test_grey_pixels_are_all_256_levels_from_0_to_1():
    x = pixels(np.arange(256, dtype=np.uint8).reshape(8, 8, 4), "none", rng())
    assert x.shape == (8, 32) and x.dtype == np.float32
    assert x.ravel() == pytest.approx(np.arange(256) / 255, rel=2e-7) and x.max() == 1


def test_a_threshold_of_one_half_is_between_127_and_128():
    x = pixels(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), "threshold", rng())
    assert np.array_equal(x, [[0] * 128 + [1] * 128]) and x.dtype == np.float32


def test_dynamic_pixels_are_bernoulli_draws_with_the_grey_value_as_probability():
    """Each level's share of ink in 4,000 draws, to 4.5 standard errors; black and white are sure."""
    levels = np.tile(np.arange(0, 256, 15, dtype=np.uint8), (4000, 1, 1))
    x, p = pixels(levels, "dynamic", rng()), np.arange(0, 256, 15) / 255
    assert set(np.unique(x)) == {0, 1} and x.dtype == np.float32
    assert np.all(np.abs(x.mean(axis=0) - p) <= 4.5 * np.sqrt(p * (1 - p) / 4000))


def test_each_pixel_is_drawn_by_itself_and_anew_each_time():
    grey = np.full((1000, 2, 1), 128, np.uint8)
    generator = rng()
    first, second = pixels(grey, "dynamic", generator), pixels(grey, "dynamic", generator)
    for a, b in [(first[:, 0], first[:, 1]), (first[:, 0], second[:, 0])]:
        assert abs(np.corrcoef(a, b)[0, 1]) <= 4 / np.sqrt(1000)


# Noise

def test_noise_is_standard_normal():
    eps = draw_noise(rng(), 2000, CONFIG, Options(samples=3))
    assert eps.shape == (3, 2000, 2) and eps.dtype == np.float32
    assert stats.kstest(eps.ravel(), stats.norm.cdf).pvalue > 0.001


def test_noise_has_an_axis_for_samples_where_the_objective_wants_one():
    shapes = {(objective, samples): draw_noise(rng(), 7, CONFIG, Options(objective=objective, samples=samples)).shape
              for objective in ("elbo", "iwae") for samples in (1, 3)}
    assert shapes == {("elbo", 1): (7, 2), ("elbo", 3): (3, 7, 2), ("iwae", 1): (1, 7, 2), ("iwae", 3): (3, 7, 2)}


# Rates

def test_burdas_rate_falls_in_stages_of_3_to_the_i_epochs():
    """3⁰ + 3¹ + … + 3⁷ = 3,280 epochs, from the base rate to a tenth of it"""
    options = Options(epochs=3280, lr=2e-3, schedule="burda")
    expected = [2e-3 * 10 ** (-i / 7) for i in range(8) for _ in range(3**i)]
    assert [learning_rate(options, epoch) for epoch in range(1, 3281)] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("epochs", [328, 1000, 20_000])
def test_the_stages_stay_in_proportion_when_there_are_fewer_epochs(epochs):
    rates = np.array([learning_rate(Options(epochs=epochs, lr=1.0, schedule="burda"), epoch) for epoch in range(1, epochs + 1)])
    assert rates[0] == 1 and np.all(np.diff(rates) <= 0)
    for i in range(8):
        assert abs(np.isclose(rates, 10 ** (-i / 7)).sum() - epochs * 3**i / 3280) <= 1


def test_a_constant_rate_is_constant():
    assert {learning_rate(Options(lr=0.5), epoch) for epoch in range(1, 31)} == {0.5}


# First weights

def test_glorots_weights_are_uniform_and_the_output_starts_at_the_pixels_logits():
    config = VAEConfig(pixels=4, hidden=(300, 200), latent=50)
    images = np.array([[0, 51], [102, 255]], np.uint8)[None].repeat(2, axis=0)  # 0, 0.2, 0.4 and 1
    params = init_params(config, rng(), np.float64)
    glorot(params, images, rng())
    for name, array in params.items():
        if name.endswith(".W"):
            bound = np.sqrt(6 / (array.shape[0] + array.shape[1]))
            assert np.abs(array).max() <= bound
            assert stats.kstest(array.ravel() / bound, stats.uniform(-1, 2).cdf).pvalue > 0.001
        elif name != "decoder.2.b":
            assert not array.any()
    assert 1 / (1 + np.exp(-params["decoder.2.b"])) == pytest.approx([0.001, 0.2, 0.4, 0.999])  # kept off 0 and 1


def test_a_run_starts_as_its_options_say():
    glorots = start(IMAGES, CONFIG, Options(initialization="glorot", lr=0.5, adam_epsilon=1e-4))
    assert not glorots.params["encoder.0.b"].any() and (glorots.adam.lr, glorots.adam.epsilon) == (0.5, 1e-4)
    assert np.array_equal(start(IMAGES, CONFIG, Options(seed=3)).params.vector, init_params(CONFIG, rng(3)).vector)


# Epochs

@pytest.mark.parametrize("settings", [dict(), dict(samples=3), dict(objective="iwae", samples=5), dict(binarize="dynamic")], ids=str)
def test_two_epochs_are_algorithm_1_to_the_bit(settings):
    """Every image once an epoch, in minibatches of 16, 16, 16 and 2: pixels, noise, loss, gradient, Adam."""
    options = Options(epochs=2, batch_size=16, lr=0.01, seed=5, schedule="burda", **settings)
    state = train(IMAGES, IMAGES[:10], CONFIG, options)

    loss_of, backward = (negative_iwae, negative_iwae_backward) if options.objective == "iwae" else (negative_elbo, negative_elbo_backward)
    params = init_params(CONFIG, rng(5))
    adam = Adam(params.vector)
    for epoch in (1, 2):
        generator, losses = rng([5, epoch]), np.zeros(50)
        order = generator.permutation(50)
        adam.lr = learning_rate(options, epoch)
        for first in (0, 16, 32, 48):
            batch = order[first : first + 16]
            x = pixels(IMAGES[batch], options.binarize, generator)
            shape = (len(x), 2) if options.samples == 1 else (options.samples, len(x), 2)
            loss, cache = loss_of(params, x, generator.standard_normal(shape, dtype=np.float32), CONFIG)
            adam.step(params.vector, backward(cache).vector)
            losses[batch] = loss
        assert state.history[epoch - 1]["train_loss"] == pytest.approx(losses.mean(), rel=1e-12)
    assert np.array_equal(state.params.vector, params.vector)
    assert adam.t == state.adam.t == 8


def test_the_order_and_the_noise_are_others_in_each_epoch_and_with_each_seed():
    """With a rate too small to move anything, the batches' losses show what was drawn."""
    def losses(seed):
        seen = []
        train(IMAGES, IMAGES[:10], CONFIG, Options(epochs=2, batch_size=25, lr=1e-30, seed=seed),
              state=start(IMAGES, CONFIG, Options(lr=1e-30)), after_batch=lambda state, loss: seen.append(loss))
        return seen

    assert len(set(losses(1) + losses(2))) == 8
    assert losses(1) == losses(1)


# Scores

def test_the_score_is_the_loss_with_beta_1_in_its_two_parts():
    """601 images, in two batches and in one: the mean over images, not over batches"""
    params, x = init_params(CONFIG, rng(), np.float64), rng().random((601, 4))
    whole = score(params, x, replace(CONFIG, beta=7.0), rng(3), batch_size=601)
    eps = rng(3).standard_normal((601, 2), dtype=np.float32)
    loss, cache = negative_elbo(params, x, eps, CONFIG)
    assert whole == pytest.approx((loss, cache.reconstruction.mean(), cache.kl.mean()), rel=1e-12)
    assert whole.loss == whole.kl - whole.reconstruction
    assert score(params, x, CONFIG, rng(3), batch_size=500) == pytest.approx(whole, rel=1e-12)


def test_history_has_a_row_for_each_epoch_and_losses_add_up():
    state = train(IMAGES, IMAGES[:10], CONFIG, Options(epochs=3))
    assert [row["epoch"] for row in state.history] == [1, 2, 3]
    for row in state.history:
        assert row["test_loss"] == pytest.approx(row["reconstruction"] + row["kl"], rel=1e-12)
        assert row["reconstruction"] > 0 and row["kl"] > 0
