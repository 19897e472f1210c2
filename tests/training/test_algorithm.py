"""What a training run samples, and that it is Algorithm 1 with these samples, bit for
bit.
"""

import numpy as np
import pytest
from scipy import stats

from numpyvae.data.pixels import to_input
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.loop import sample_noise, train
from numpyvae.training.schedule import learning_rate
from numpyvae.training.state import initial_state
from numpyvae.vae import Adam, init_params
from numpyvae.vae.objectives import OBJECTIVES

CONFIG = VAEConfig(input_dim=4, hidden_dims=(5,), latent_dim=2)
IMAGES = np.random.default_rng(1).integers(0, 256, (50, 2, 2), dtype=np.uint8)


def rng(seed=2):
    return np.random.default_rng(seed)


# Noise


def test_noise_is_standard_normal():
    eps = sample_noise(rng(), 2000, CONFIG, TrainingOptions(num_samples=3))
    assert eps.shape == (3, 2000, 2) and eps.dtype == np.float32
    assert stats.kstest(eps.ravel(), stats.norm.cdf).pvalue > 0.001


@pytest.mark.parametrize("objective", ["elbo", "iwae"])
@pytest.mark.parametrize("samples", [1, 3])
def test_noise_always_has_an_axis_of_samples(objective, samples):
    eps = sample_noise(
        rng(), 7, CONFIG, TrainingOptions(objective=objective, num_samples=samples)
    )
    assert eps.shape == (samples, 7, 2)


# First weights


def test_a_run_starts_as_its_options_say():
    glorot = initial_state(
        IMAGES,
        CONFIG,
        TrainingOptions(initialization="glorot", lr=0.5, adam_epsilon=1e-4),
    )
    assert not glorot.params["encoder.0.b"].any() and (
        glorot.adam.lr,
        glorot.adam.epsilon,
    ) == (0.5, 1e-4)
    uniform = initial_state(IMAGES, CONFIG, TrainingOptions(seed=3))
    assert np.array_equal(uniform.params.vector, init_params(CONFIG, rng(3)).vector)


# Epochs


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_samples": 3},
        {"objective": "iwae", "num_samples": 5},
        {"binarize": "dynamic"},
    ],
    ids=str,
)
def test_two_epochs_are_algorithm_1_bit_for_bit(settings):
    """Every image once an epoch, in minibatches of 16, 16, 16 and 2: pixels, noise,
    loss, gradient, Adam.
    """
    options = TrainingOptions(
        epochs=2, batch_size=16, lr=0.01, seed=5, schedule="burda", **settings
    )
    state = train(IMAGES, IMAGES[:10], CONFIG, options, processes=1)

    loss_of, backward = OBJECTIVES[options.objective]
    params = init_params(CONFIG, rng(5))
    adam = Adam(params.vector)
    for epoch in (1, 2):
        generator, losses = rng([5, epoch]), np.zeros(50)
        order = generator.permutation(50)
        adam.lr = learning_rate(options, epoch)
        for first in (0, 16, 32, 48):
            batch = order[first : first + 16]
            x = to_input(IMAGES[batch], options.binarize, generator)
            eps = generator.standard_normal(
                (options.num_samples, len(x), 2), dtype=np.float32
            )
            loss, cache = loss_of(params, x, eps, CONFIG)
            adam.step(params.vector, backward(cache).vector)
            losses[batch] = loss
        assert state.history[epoch - 1]["train_loss"] == pytest.approx(
            losses.mean(), rel=1e-12
        )
    assert np.array_equal(state.params.vector, params.vector)
    assert adam.t == state.adam.t == 8


def test_order_and_noise_differ_between_epochs_and_between_seeds():
    """With a learning rate too small to change anything, the batches' losses show what
    was sampled.
    """

    def losses(seed):
        seen = []
        options = TrainingOptions(epochs=2, batch_size=25, lr=1e-30, seed=seed)
        train(
            IMAGES,
            None,
            CONFIG,
            options,
            processes=1,
            state=initial_state(IMAGES, CONFIG, TrainingOptions(lr=1e-30)),
            after_batch=lambda state, loss: seen.append(loss),
        )
        return seen

    assert len(set(losses(1) + losses(2))) == 8
    assert losses(1) == losses(1)
