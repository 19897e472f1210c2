"""The history's rows, and what the losses are called."""

import pytest

from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.history import COLUMNS, TEST_LOSS, training_loss_name
from numpyvae.training.loop import train

CONFIG = VAEConfig(input_dim=30, hidden_dims=(4,), latent_dim=2)


def test_a_row_has_the_columns_and_without_test_images_no_active_units(tiny):
    options = TrainingOptions(epochs=1)
    with_test = train(*tiny, CONFIG, options, processes=1).history[0]
    without = train(tiny[0], None, CONFIG, options, processes=1).history[0]
    assert tuple(with_test) == tuple(without) == COLUMNS
    assert with_test["active_units"] in (0, 1, 2) and without["active_units"] is None


@pytest.mark.parametrize(
    "beta, settings, name",
    [
        (1.0, {}, TEST_LOSS),
        (1.0, {"objective": "elbo-stl"}, TEST_LOSS),
        (4.0, {}, "reconstruction + 4 KL"),
        (1.0, {"warmup": 10}, "reconstruction + β KL, β rising to 1"),
        (0.5, {"warmup": 1}, "reconstruction + β KL, β rising to 0.5"),
        (1.0, {"objective": "iwae", "num_samples": 5}, "negative IWAE bound, K = 5"),
        (1.0, {"objective": "iwae-dreg"}, "negative IWAE bound, K = 1"),
    ],
)
def test_a_training_loss_that_is_another_quantity_than_the_test_loss_is_named(
    beta, settings, name
):
    options = TrainingOptions(**settings)
    assert training_loss_name(VAEConfig(beta=beta), options) == name
