"""Training with a learner's functions: the same losses, and whose functions they are is
said.
"""

import sys

import numpy as np
import pytest

from numpyvae.exercises import use_functions
from numpyvae.exercises.table import EXERCISES
from numpyvae.mdp import bellman
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training import loop
from numpyvae.vae import (
    adam,
    bernoulli,
    elbo,
    gaussian,
    iwae,
    layers,
    likelihoods,
    model,
    objectives,
)
from tests.exercises.alternatives import ALTERNATIVES
from tests.exercises.exercise_files import source, write_chapter, write_solved
from tests.exercises.judge.test_check import ON_PAPER

CONFIG = VAEConfig(input_dim=30, hidden_dims=(16,), latent_dim=3)
SLOW_KL = """
import numpy as np
def kl_divergence(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
    kl_divergence.calls.append(1)
    d = logvar_q - logvar_p
    r = mu_q - mu_p
    with np.errstate(all="ignore"):
        return 0.5 * (np.expm1(d) - d + np.where(r == 0, r, r / np.exp(0.5 * np.asarray(logvar_p))) ** 2)
kl_divergence.calls = []
"""


def losses(tiny, **options):
    images, test_images = tiny
    state = loop.train(
        images,
        test_images,
        CONFIG,
        TrainingOptions(epochs=2, batch_size=32, **options),
        processes=1,
    )
    return [(row["train_loss"], row["test_loss"]) for row in state.history]


@pytest.fixture(scope="module")
def own(tiny):
    """The losses of the package's functions, of two objectives"""
    return losses(tiny), losses(tiny, objective="iwae", num_samples=3)


def everything():
    """Every name and table entry of the modules that hold functions"""
    modules = (
        adam,
        bernoulli,
        elbo,
        gaussian,
        iwae,
        layers,
        likelihoods,
        model,
        objectives,
    )
    found = {
        (module.__name__, name): value
        for module in modules
        for name, value in vars(module).items()
        if not name.startswith("__")
    }
    for module in (likelihoods.LIKELIHOODS, model.ACTIVATIONS, objectives.OBJECTIVES):
        found |= {(id(module), name): value for name, value in module.items()}
    return found | {"step": adam.Adam.step}


def test_a_learners_function_is_used_wherever_the_package_calls_it(tmp_path, tiny):
    path = tmp_path / "mine.py"
    path.write_text(SLOW_KL)
    own = losses(tiny)
    before = everything()
    with use_functions(path) as words:
        assert (
            words
            == f"1 function of yours: kl_divergence; the other {len(EXERCISES) - 1} are the package's"
        )
        theirs = elbo.kl_divergence
        assert (
            theirs
            is gaussian.kl_divergence
            is not before["numpyvae.vae.elbo", "kl_divergence"]
        )
        mine = losses(tiny)
    assert len(theirs.calls) > 8
    np.testing.assert_allclose(mine, own, rtol=1e-5)  # other rounding in float32
    assert everything() == before


def test_a_full_set_of_solutions_gives_the_same_losses(tmp_path, tiny, own):
    write_solved(tmp_path)
    before = everything()
    with use_functions(tmp_path) as words:
        assert words == f"all {len(EXERCISES)} functions are yours"
        for function in (
            layers.linear,
            model.linear,
            model.mlp,
            model.ACTIVATIONS["relu"][0],
            bernoulli.log_prob,
            adam.Adam.step,
            objectives.OBJECTIVES["elbo"][1],
            elbo.decode_backward,
            iwae.log_mean_exp,
        ):
            assert str(tmp_path) in function.__code__.co_filename
        learner = vars(elbo)[
            "negative_elbo_backward"
        ].__globals__  # which has names of another of the learner's files
        assert str(tmp_path) in learner["kl_divergence_backward"].__code__.co_filename
        assert (losses(tiny), losses(tiny, objective="iwae", num_samples=3)) == own
    assert everything() == before


@pytest.mark.parametrize("way", [0, 1, 2, "on paper"])
def test_what_the_check_calls_right_trains(tiny, own, way):
    if way == "on paper":
        functions = {name: function for name, function, _ in ON_PAPER.values()}
    else:
        functions = {name: functions[way] for name, functions in ALTERNATIVES.items()}
    with use_functions(functions) as words:
        assert words.startswith(f"{len(functions)} functions of yours")
        mine = losses(tiny), losses(tiny, objective="iwae", num_samples=3)
    np.testing.assert_allclose(mine, own, rtol=1e-4)  # rounding in float32


def test_what_is_not_done_stays_the_packages_and_what_is_wrong_is_refused(
    tmp_path, tiny
):
    text = source("vae.layers")
    write_chapter(
        tmp_path,
        "vae.layers",
        text
        + "\n\ndef linear_backward_params(dy, cache, grads=(None, None)):\n    ...\n",
    )
    with use_functions(tmp_path) as words:
        assert "linear_backward_params" not in words and "linear_backward" in words
        assert layers.linear_backward_params.__module__ == "numpyvae.vae.layers"
        assert layers.linear_backward.__module__ == "vae.layers"  # and calls the other
        losses(tiny)
    write_chapter(tmp_path, "vae.layers", text + "\n\ndef relu(x):\n    return x, x\n")
    with (
        pytest.raises(ValueError, match=r"relu is wrong; `numpyvae check .*` says why"),
        use_functions(tmp_path),
    ):
        pass
    (tmp_path / "none.py").write_text("def relu(x): ...\n")
    with (
        pytest.raises(ValueError, match="none of its functions is done"),
        use_functions(tmp_path / "none.py"),
    ):
        pass


def test_the_packages_functions_come_back_after_an_exception(tmp_path):
    for chapter in ("vae.layers", "vae.model", "vae.adam"):
        write_chapter(tmp_path, chapter)
    before = everything()
    with pytest.raises(KeyError), use_functions(tmp_path):
        raise KeyError
    assert everything() == before


def test_two_directories_in_turn_do_not_mix(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        for chapter in ("vae.layers", "vae.model", "mdp.bellman"):
            write_chapter(tmp_path / name, chapter)
    for name in ("first", "second", "first"):
        with use_functions(tmp_path / name):
            for function in (layers.linear, model.mlp, bellman.bellman_operator):
                assert f"/{name}/" in function.__code__.co_filename
    assert not {"vae", "mdp", "learner"} & set(sys.modules)


@pytest.mark.slow
def test_a_full_set_of_solutions_trains_the_sample_to_the_packages_loss(tmp_path):
    from pathlib import Path

    from numpyvae.data import Dataset

    data = Dataset.open(Path(__file__).parents[2] / "data" / "sample")
    images, test_images = data.images, data.test_images
    config, options = VAEConfig(), TrainingOptions(epochs=5)
    own = loop.train(images, test_images, config, options, processes=2).history[-1][
        "test_loss"
    ]
    with use_functions(write_solved(tmp_path)):
        mine = loop.train(images, test_images, config, options, processes=2).history[
            -1
        ]["test_loss"]
    assert abs(mine - own) < 1e-3
