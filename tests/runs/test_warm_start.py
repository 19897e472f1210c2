"""Warm starts: a new run with the parameters of another, from Python and from the
command line.
"""

import os
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.data.dataset import Dataset
from numpyvae.runs.run import Run
from numpyvae.runs.warm_start import warm_start
from numpyvae.settings import ARCHITECTURE, TrainingOptions, VAEConfig
from numpyvae.training.loop import train
from numpyvae.training.state import initial_state

CONFIG = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2)
OPTIONS = TrainingOptions(epochs=2, batch_size=16)
LATER = TrainingOptions(
    epochs=1, batch_size=16, objective="iwae", num_samples=3, lr=1e-4, adam_epsilon=1e-4
)


@pytest.fixture
def earlier(tiny_directory, tmp_path, monkeypatch):
    """A run of two epochs"""
    monkeypatch.chdir(tmp_path)
    data = Dataset.open("tiny")
    state = initial_state(data.images, CONFIG, OPTIONS)
    run = Run.create(CONFIG, OPTIONS, data, state, "earlier")
    train(data.images, data.test_images, CONFIG, OPTIONS, state=run.state, processes=1)
    run.save()
    return run


@pytest.mark.parametrize("keep", [False, True])
def test_a_warm_start_has_the_parameters_and_a_new_adam_unless_it_is_kept(
    earlier, keep
):
    run = warm_start(earlier, CONFIG, LATER, directory="later", keep_optimizer=keep)
    assert np.array_equal(run.state.params.vector, earlier.state.params.vector)
    assert not np.shares_memory(run.state.params.vector, earlier.state.params.vector)
    assert (
        run.state.epoch,
        run.state.batches_done,
        run.state.history,
        run.state.rng,
    ) == (0, 0, [], None)
    assert (run.state.adam.lr, run.state.adam.epsilon) == (1e-4, 1e-4)
    if keep:
        assert np.array_equal(
            run.state.adam.m, earlier.state.adam.m
        ) and np.array_equal(run.state.adam.v, earlier.state.adam.v)
        assert run.state.adam.t == earlier.state.adam.t == 14
    else:
        assert (
            not run.state.adam.m.any()
            and not run.state.adam.v.any()
            and run.state.adam.t == 0
        )
    assert Run.load("later").warm_start == {
        "run": str(Path("earlier").absolute()),
        "epochs": 2,
        "optimizer": keep,
    }
    assert run.source == earlier.source


def test_training_on_does_not_touch_the_earlier_run(earlier, tiny):
    before = earlier.state.params.vector.copy()
    file = Path("earlier/checkpoint.npz").read_bytes()
    run = warm_start(earlier, CONFIG, LATER, directory="later", keep_optimizer=True)
    train(*tiny, CONFIG, LATER, state=run.state, processes=1)
    assert (
        np.array_equal(earlier.state.params.vector, before)
        and Path("earlier/checkpoint.npz").read_bytes() == file
    )
    assert (
        not np.array_equal(run.state.params.vector, before)
        and earlier.state.adam.t == 14
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_dims": (9,)},
        {"latent_dim": 3},
        {"activation": "tanh"},
        {"prior": (1.0, 0.0)},
        {"likelihood": "normal"},
        {"likelihood": "normal", "logvar_x": 0.0},
        {"input_dim": 20},
    ],
)
def test_another_architecture_is_refused_by_name(earlier, changes):
    with pytest.raises(
        ValueError,
        match=rf"({'|'.join(changes)}) is .*, but .*earlier has .*: a warm start needs the same",
    ):
        warm_start(earlier, replace(CONFIG, **changes), LATER, directory="later")
    assert not Path("later").exists()


def test_every_field_of_the_model_but_beta_is_architecture(earlier):
    assert set(ARCHITECTURE) == set(vars(CONFIG)) - {"beta"}
    assert (
        warm_start(
            earlier, replace(CONFIG, beta=3.0), OPTIONS, directory="later"
        ).config.beta
        == 3
    )


# From the command line

WORDS = [
    "--epochs",
    "1",
    "--batch-size",
    "16",
    "--objective",
    "iwae",
    "--samples",
    "3",
    "--lr",
    "1e-4",
    "--adam-epsilon",
    "1e-4",
    "--quiet",
    "--processes",
    "1",
]


@pytest.mark.parametrize("keep", [[], ["--keep-optimizer"]])
def test_the_command_is_the_function_bit_for_bit(earlier, tiny, keep):
    """The architecture, tanh and sizes, is that of the earlier run without being given."""
    assert main(["train", "--from", "earlier", "--out", "command", *keep, *WORDS]) == 0
    run = warm_start(
        earlier, CONFIG, LATER, directory="function", keep_optimizer=bool(keep)
    )
    train(*tiny, CONFIG, LATER, state=run.state, processes=1)
    loaded = Run.load("command")
    assert (
        loaded.config == CONFIG
        and loaded.options == LATER
        and loaded.warm_start == run.warm_start
    )
    assert (
        np.array_equal(loaded.state.params.vector, run.state.params.vector)
        and loaded.state.adam.t == run.state.adam.t
    )
    words = shlex.split(loaded.command_line())
    assert words[-2 - len(keep) :] == ["--from", os.path.abspath("earlier"), *keep]
    assert main([*words[1:], "--quiet", "--processes", "1", "--out", "again"]) == 0
    assert np.array_equal(
        Run.load("again").state.params.vector, loaded.state.params.vector
    )


def test_an_interrupted_warm_start_is_resumed(earlier, tiny):
    run = warm_start(earlier, CONFIG, LATER, directory="cut", keep_optimizer=True)
    train(
        *tiny,
        CONFIG,
        LATER,
        state=run.state,
        processes=1,
        after_batch=lambda state, loss: state.batches_done == 3,
    )
    run.save()
    assert main(["train", "--resume", "cut", "--quiet", "--processes", "1"]) == 0
    assert (
        main(
            ["train", "--from", "earlier", "--keep-optimizer", "--out", "whole", *WORDS]
        )
        == 0
    )
    assert np.array_equal(
        Run.load("cut").state.params.vector, Run.load("whole").state.params.vector
    )
    assert Run.load("cut").warm_start == run.warm_start


@pytest.mark.parametrize(
    "words, message",
    [
        (["--hidden", "9"], "--hidden (9,) contradicts earlier, which has (8,)"),
        (["--latent", "3"], "--latent 3 contradicts earlier"),
        (
            ["--activation", "tanh"],
            "--activation tanh contradicts earlier, which has relu",
        ),
        (["--preset", "burda"], "contradicts earlier"),
        (["--resume", "earlier"], "not allowed with argument"),
        (["--data", "nowhere"], "nowhere"),
        (["--objective", "iwae", "--warmup", "2"], "warmup"),
    ],
)
def test_what_cannot_begin_warm_is_one_line_and_leaves_nothing(
    earlier, capsys, words, message
):
    assert main(["train", "--from", "earlier", *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and message in error and not Path("runs").exists()


def test_keep_optimizer_needs_a_run_to_keep_it_from(tiny_directory, capsys):
    assert main(["train", "--data", str(tiny_directory), "--keep-optimizer"]) == 2
    assert "--keep-optimizer needs --from RUN" in capsys.readouterr().err


def test_the_log_names_the_earlier_run_and_what_is_different(earlier, capsys):
    assert (
        main(
            [
                "train",
                "--from",
                "earlier",
                "--epochs",
                "1",
                "--batch-size",
                "16",
                "--lr",
                "0.01",
                "--out",
                "later",
            ]
        )
        == 0
    )
    assert (
        "Starting with the parameters of earlier, 2 epochs; epochs 1 (2 there); lr 0.01 (0.001 there)\n"
        in capsys.readouterr().out
    )
    earlier = os.path.abspath("earlier")
    assert f"--from {earlier}" in Path("later/report.html").read_text("utf-8")
