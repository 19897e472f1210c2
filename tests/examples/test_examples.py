"""The recipes: each is run as a user runs it, its gradients are checked, its values are
compared with another source.
"""

import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from numpyvae.data import to_input
from numpyvae.settings import TrainingOptions
from numpyvae.training.loop import train
from numpyvae.vae import (
    ACTIVATIONS,
    LIKELIHOODS,
    VAEConfig,
    init_params,
    negative_elbo,
    negative_elbo_backward,
)

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RECIPES = sorted(
    path for path in HERE.glob("*.py") if not path.name.startswith("test_")
)
OWN = ("own_activation", "own_likelihood", "own_loss")


@pytest.fixture(autouse=True)
def tables_as_they_were():
    before = dict(ACTIVATIONS), dict(LIKELIHOODS)
    yield
    for table, entries in zip((ACTIVATIONS, LIKELIHOODS), before, strict=True):
        table.clear()
        table.update(entries)


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, directory):
    return subprocess.run(
        [sys.executable, HERE / f"{name}.py"],
        cwd=directory,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    ).stdout


@pytest.mark.parametrize("name", OWN)
def test_the_gradients_of_a_recipe_pass_its_check(name):
    checks = load(name).checks()
    assert len(checks) > 6 and all(check.passed for check in checks), checks


@pytest.mark.parametrize("name", OWN)
def test_a_recipe_prints_its_checks(name, tmp_path):
    printed = run(name, tmp_path).splitlines()
    assert len(printed) > 6 and all(" right, " in line for line in printed)


@pytest.mark.parametrize(
    "name, tensor",
    [("own_activation", "encoder.0.W"), ("own_likelihood", "decoder.0.W")],
)
def test_the_check_of_a_recipe_finds_a_wrong_backward(name, tensor):
    recipe = load(name)
    if name == "own_activation":
        ACTIVATIONS["softsign"] = (
            recipe.softsign,
            lambda dy, y: dy * (1 - np.abs(y)),
        )  # without the square
    else:
        LIKELIHOODS["laplace"] = LIKELIHOODS["laplace"]._replace(
            log_prob_backward=lambda *args: -recipe.log_prob_backward(*args)
        )
    assert tensor in {check.name for check in recipe.checks() if not check.passed}


def test_softsign_has_the_values_of_the_formula():
    y, _ = load("own_activation").softsign(np.array([-3.0, -1.0, 0.0, 0.25, 1.0]))
    np.testing.assert_array_equal(y, [-3 / 4, -1 / 2, 0, 1 / 5, 1 / 2])


def test_the_laplace_likelihood_is_scipys():
    rng = np.random.default_rng(3)
    x, y, log_b = rng.normal(size=(4, 9)), rng.normal(size=(2, 4, 9)), np.array(-0.7)
    log_px = load("own_likelihood").log_prob({"log_b": log_b}, x, y, None)
    expected = scipy.stats.laplace.logpdf(x, y, np.exp(log_b)).sum(axis=-1)
    np.testing.assert_allclose(
        log_px, expected, rtol=1e-14
    )  # sums of nine terms, in another order


def test_squared_error_is_the_normal_likelihood_of_variance_one_half():
    recipe, rng = load("own_loss"), np.random.default_rng(4)
    config = VAEConfig(9, (6,), 3, likelihood="normal", logvar_x=math.log(1 / 2))
    params = init_params(config, rng, np.float64)
    x = rng.random((4, 9))
    eps = rng.standard_normal((4, 3))
    loss, cache = recipe.loss(params, x, eps, config)
    expected, expected_cache = negative_elbo(params, x, eps[None], config)
    assert loss == pytest.approx(
        expected - 9 / 2 * math.log(math.pi), rel=1e-14
    )  # the normalizing constant
    grads = recipe.loss_backward(cache, 3.0)
    expected_grads = negative_elbo_backward(expected_cache, 3.0)
    np.testing.assert_allclose(
        grads.vector, expected_grads.vector, rtol=0, atol=1e-13
    )  # sums of terms of order 10


@pytest.mark.parametrize("name", ["own_activation", "own_likelihood"])
def test_a_model_with_an_entry_of_its_own_trains(name, tiny):
    config = load(name).Config(30, (12,), 3)
    state = train(
        *tiny, config, TrainingOptions(epochs=8, batch_size=11, lr=3e-3), processes=1
    )
    first, last = state.history[0]["test_loss"], state.history[-1]["test_loss"]
    assert last < first - 1  # nats per image
    x, eps = to_input(tiny[1], "none", None), np.zeros((2, len(tiny[1]), 3), np.float32)
    assert np.isfinite(negative_elbo(state.params, x, eps, config)[0])


@pytest.mark.parametrize(
    "name, field", [("softsign", "activation"), ("laplace", "likelihood")]
)
def test_the_settings_of_the_package_do_not_know_the_entry(name, field):
    load(f"own_{field}")
    with pytest.raises(ValueError, match=f"{field} must be one of"):
        VAEConfig(**{field: name})
