"""What a training run draws, and that it is Algorithm 1 with these draws, to the bit."""

import numpy as np
import pytest
from scipy import stats

from numpyvae.vae.adam import Adam
from numpyvae.vae.iwae import OBJECTIVES
from numpyvae.settings import TrainingOptions
from numpyvae.training.loop import draw_noise, glorot, learning_rate, pixels, start, train
from numpyvae.settings import VAEConfig
from numpyvae.vae import init_params

CONFIG = VAEConfig(input_dim=4, hidden_dims=(5,), latent_dim=2)
IMAGES = np.random.default_rng(1).integers(0, 256, (50, 2, 2), dtype=np.uint8)


def rng(seed=2):
    return np.random.default_rng(seed)


# Pixels

def test_each_pixel_is_drawn_by_itself_and_anew_each_time():
    grey = np.full((1000, 2, 1), 128, np.uint8)
    generator = rng()
    first, second = pixels(grey, "dynamic", generator), pixels(grey, "dynamic", generator)
    for a, b in [(first[:, 0], first[:, 1]), (first[:, 0], second[:, 0])]:
        assert abs(np.corrcoef(a, b)[0, 1]) <= 4 / np.sqrt(1000)


# Noise

def test_noise_is_standard_normal():
    eps = draw_noise(rng(), 2000, CONFIG, TrainingOptions(num_samples=3))
    assert eps.shape == (3, 2000, 2) and eps.dtype == np.float32
    assert stats.kstest(eps.ravel(), stats.norm.cdf).pvalue > 0.001


def test_noise_has_an_axis_for_samples_where_the_objective_wants_one():
    shapes = {(objective, samples): draw_noise(rng(), 7, CONFIG, TrainingOptions(objective=objective, num_samples=samples)).shape
              for objective in ("elbo", "iwae") for samples in (1, 3)}
    assert shapes == {("elbo", 1): (7, 2), ("elbo", 3): (3, 7, 2), ("iwae", 1): (1, 7, 2), ("iwae", 3): (3, 7, 2)}


# The rate

def test_annealing_takes_the_rate_down_in_equal_steps_to_one_above_0():
    rates = [learning_rate(TrainingOptions(epochs=10, decay_epochs=4, lr=5.0), epoch) for epoch in range(1, 11)]
    assert rates == [5.0] * 6 + [4.0, 3.0, 2.0, 1.0]
    assert [learning_rate(TrainingOptions(epochs=3, decay_epochs=5, lr=6.0), epoch) for epoch in (1, 2, 3)] == [3.0, 2.0, 1.0]


def test_annealing_is_on_top_of_the_recipes_stages():
    plain, annealed = TrainingOptions(epochs=300, schedule="burda"), TrainingOptions(epochs=300, schedule="burda", decay_epochs=9)
    shares = [learning_rate(annealed, epoch) / learning_rate(plain, epoch) for epoch in range(1, 301)]
    assert shares[:291] == [1.0] * 291 and shares[291:] == pytest.approx([k / 10 for k in range(9, 0, -1)], rel=1e-15)


# First weights

def test_glorots_weights_are_uniform_and_the_output_starts_at_the_pixels_logits():
    config = VAEConfig(input_dim=4, hidden_dims=(300, 200), latent_dim=50)
    images = np.array([[0, 51], [102, 255]], np.uint8)[None].repeat(2, axis=0)  # 0, 0.2, 0.4 and 1
    params = init_params(config, rng(), np.float64)
    glorot(params, images, config, rng())
    for name, array in params.items():
        if name.endswith(".W"):
            bound = np.sqrt(6 / (array.shape[0] + array.shape[1]))
            assert np.abs(array).max() <= bound
            assert stats.kstest(array.ravel() / bound, stats.uniform(-1, 2).cdf).pvalue > 0.001
        elif name != "decoder.2.b":
            assert not array.any()
    assert 1 / (1 + np.exp(-params["decoder.2.b"])) == pytest.approx([0.001, 0.2, 0.4, 0.999])  # kept off 0 and 1


def test_a_run_starts_as_its_options_say():
    glorots = start(IMAGES, CONFIG, TrainingOptions(initialization="glorot", lr=0.5, adam_epsilon=1e-4))
    assert not glorots.params["encoder.0.b"].any() and (glorots.adam.lr, glorots.adam.epsilon) == (0.5, 1e-4)
    assert np.array_equal(start(IMAGES, CONFIG, TrainingOptions(seed=3)).params.vector, init_params(CONFIG, rng(3)).vector)


# Epochs

@pytest.mark.parametrize("settings", [{}, {"samples": 3}, {"objective": "iwae", "samples": 5}, {"binarize": "dynamic"}], ids=str)
def test_two_epochs_are_algorithm_1_to_the_bit(settings):
    """Every image once an epoch, in minibatches of 16, 16, 16 and 2: pixels, noise, loss, gradient, Adam."""
    options = TrainingOptions(epochs=2, batch_size=16, lr=0.01, seed=5, schedule="burda", **settings)
    state = train(IMAGES, IMAGES[:10], CONFIG, options)

    loss_of, backward = OBJECTIVES[options.objective]
    params = init_params(CONFIG, rng(5))
    adam = Adam(params.vector)
    for epoch in (1, 2):
        generator, losses = rng([5, epoch]), np.zeros(50)
        order = generator.permutation(50)
        adam.lr = learning_rate(options, epoch)
        for first in (0, 16, 32, 48):
            batch = order[first : first + 16]
            x = pixels(IMAGES[batch], options.binarize, generator)
            shape = (len(x), 2) if options.num_samples == 1 else (options.num_samples, len(x), 2)
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
        train(IMAGES, IMAGES[:10], CONFIG, TrainingOptions(epochs=2, batch_size=25, lr=1e-30, seed=seed),
              state=start(IMAGES, CONFIG, TrainingOptions(lr=1e-30)), after_batch=lambda state, loss: seen.append(loss))
        return seen

    assert len(set(losses(1) + losses(2))) == 8
    assert losses(1) == losses(1)
