"""The tables of the model: activations, likelihoods, objectives."""

import numpy as np
import pytest

from numpyvae import settings
from numpyvae.settings import VAEConfig
from numpyvae.vae.bernoulli import sigmoid
from numpyvae.vae.likelihoods import LIKELIHOODS
from numpyvae.vae.model import ACTIVATIONS, decode, join_class
from numpyvae.vae.objectives import OBJECTIVES
from numpyvae.vae.parameters import glorot_init, init_params


@pytest.mark.parametrize(
    "table, names",
    [
        (ACTIVATIONS, settings.ACTIVATIONS),
        (LIKELIHOODS, settings.LIKELIHOODS),
        (OBJECTIVES, settings.OBJECTIVES),
    ],
    ids=["activations", "likelihoods", "objectives"],
)
def test_each_table_has_the_names_that_settings_offers_in_that_order(table, names):
    assert tuple(table) == tuple(names)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_glorot_initialization_makes_the_mean_image_the_decoders_mean(likelihood):
    """At z = 0, where the biases are all that counts; to float32's rounding, magnified
    by the logit at 0.001
    """
    config = VAEConfig(
        input_dim=6, hidden_dims=(5, 4), latent_dim=2, likelihood=likelihood
    )
    params = init_params(config, np.random.default_rng(1))
    mean_image = np.array([0.001, 0.1, 0.3, 0.5, 0.9, 0.999])
    glorot_init(params, mean_image, config, np.random.default_rng(2))
    y, _ = decode(params, np.zeros((1, 2), np.float32), config)
    assert LIKELIHOODS[likelihood].mean(y)[0] == pytest.approx(mean_image, rel=1e-6)


def test_a_pixel_that_is_always_0_or_1_gets_a_finite_output_bias():
    bias = LIKELIHOODS["bernoulli"].output_bias(np.array([0.0, 1.0]))
    assert sigmoid(bias) == pytest.approx([0.001, 0.999], rel=1e-12)


def test_only_the_normal_likelihood_is_a_density_and_takes_any_real_number():
    assert [name for name, entry in LIKELIHOODS.items() if entry.is_density] == [
        "normal"
    ]
    assert [name for name, entry in LIKELIHOODS.items() if entry.unit_interval] == [
        "bernoulli"
    ]


def test_glorot_weights_are_uniform_by_fan_in_and_fan_out_and_biases_0():
    config = VAEConfig(input_dim=300, hidden_dims=(200,), latent_dim=10)
    params = init_params(config, np.random.default_rng(1))
    glorot_init(params, np.full(300, 0.5), config, np.random.default_rng(2))
    for name, array in params.items():
        if name.endswith(".W"):
            bound = np.sqrt(6 / sum(array.shape))
            assert abs(array).max() <= bound * (1 + 1e-7)  # one rounding to float32
            assert array.std() == pytest.approx(
                bound / np.sqrt(3), rel=2 / np.sqrt(array.size)
            )
        else:
            assert not array.any()


def test_every_sample_of_an_image_has_the_class_of_the_image():
    z, c = np.arange(12.0).reshape(2, 3, 2), np.eye(3)[[2, 0, 1]]
    joined = join_class(z, c)
    assert joined.shape == (2, 3, 5)
    assert np.array_equal(joined[..., :2], z)
    assert np.array_equal(joined[0, :, 2:], c) and np.array_equal(joined[1, :, 2:], c)
