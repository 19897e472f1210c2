"""Runs: made, saved and loaded from Python; hostile files refused; what a run says of
itself.
"""

import functools
import json
import math
import os
import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.data.dataset import Dataset
from numpyvae.errors import InputError
from numpyvae.files import exclusive_lock
from numpyvae.runs import checkpoint, record
from numpyvae.runs import run as run_module
from numpyvae.runs.checkpoint import CheckpointError
from numpyvae.runs.report import write_report
from numpyvae.runs.run import Run, architecture, new_directory
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.loop import train
from numpyvae.training.state import initial_state
from numpyvae.training.step import NotFiniteError

CONFIG = VAEConfig(input_dim=30, hidden_dims=(8,), latent_dim=2)
OPTIONS = TrainingOptions(epochs=2, batch_size=16)


@pytest.fixture(autouse=True)
def own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(tiny_directory):
    """A run of two epochs, trained and saved from Python"""
    data = Dataset.open(tiny_directory)
    state = initial_state(data.images, CONFIG, OPTIONS)
    run = Run.create(CONFIG, OPTIONS, data, state, "run")
    train(
        data.images,
        data.test_images,
        CONFIG,
        OPTIONS,
        state=run.state,
        processes=1,
        after_epoch=lambda state: run.save(),
    )
    return run


def same(a, b):
    """Two runs agree bit for bit in all that a checkpoint holds"""
    left, right = (
        (
            record.settings_record(x.config, x.options, x.source),
            record.state_record(x.state),
            x.conditions,
            x.warm_start,
        )
        for x in (a, b)
    )
    arrays = [record.arrays_of(x.state) for x in (a, b)]
    return json.dumps(left) == json.dumps(right) and all(
        np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0]
    )


# Saving and loading


def test_a_run_comes_back_bit_for_bit_from_its_directory_or_its_file(run):
    for path in ("run", Path("run"), "run/checkpoint.npz"):
        loaded = Run.load(path)
        assert same(loaded, run) and loaded.directory == Path("run")
        assert (
            loaded.config == CONFIG
            and loaded.options == OPTIONS
            and type(loaded.config.hidden_dims) is tuple
        )


def test_the_docstring_makes_a_run_and_continues_it_bit_for_bit(
    tiny_directory, monkeypatch
):
    one_process = functools.partial(train, processes=1)
    Path("data").mkdir()
    Path("data/sample").symlink_to(tiny_directory)
    code = "\n".join(
        re.findall(r"^    (\S.* = .*|train\(.*\n.*)$", run_module.__doc__, re.MULTILINE)
    )
    names = {
        "Run": Run,
        "Dataset": Dataset,
        "initial_state": initial_state,
        "train": one_process,
        "replace": replace,
        "config": CONFIG,
        "options": OPTIONS,
    }
    exec(code, names)
    data = Dataset.open(tiny_directory)
    uninterrupted = one_process(
        data.images, data.test_images, CONFIG, replace(OPTIONS, epochs=30)
    )
    loaded = Run.load("runs/scripted")
    assert len(loaded.state.history) == loaded.options.epochs == 30
    assert np.array_equal(loaded.state.params.vector, uninterrupted.params.vector)


@pytest.mark.parametrize(
    "config, options",
    [
        (
            VAEConfig(
                input_dim=30,
                hidden_dims=(),
                latent_dim=1,
                likelihood="normal",
                prior=((1.0,), 0.5),
                beta=0.0,
            ),
            TrainingOptions(),
        ),
        (
            VAEConfig(
                input_dim=30, likelihood="normal", logvar_x=-1e-5, activation="tanh"
            ),
            TrainingOptions(warmup=3, seed=2**60),
        ),
        (
            CONFIG,
            TrainingOptions(
                objective="iwae",
                num_samples=3,
                binarize="static",
                schedule="burda",
                decay_epochs=2,
                initialization="glorot",
                adam_epsilon=1e-4,
                lr=0.1,
                batch_size=7,
            ),
        ),
    ],
)
def test_every_setting_comes_back(tiny, config, options):
    run = Run.create(
        config,
        options,
        Dataset.of(*tiny),
        initial_state(tiny[0], config, options),
        "run",
    )
    loaded = Run.load("run")
    assert same(loaded, run) and (loaded.config, loaded.options) == (config, options)


def test_an_interrupted_epoch_is_resumed_bit_for_bit(tiny):
    whole = train(*tiny, CONFIG, OPTIONS, processes=1)
    run = Run(
        "cut",
        CONFIG,
        OPTIONS,
        Dataset.of(*tiny),
        initial_state(tiny[0], CONFIG, OPTIONS),
    )
    train(
        *tiny,
        CONFIG,
        OPTIONS,
        state=run.state,
        processes=1,
        after_batch=lambda state, loss: state.adam.t == 10,
    )
    run.save()
    resumed = train(*tiny, CONFIG, OPTIONS, state=Run.load("cut").state, processes=1)
    assert np.array_equal(
        resumed.params.vector, whole.params.vector
    ) and np.array_equal(resumed.adam.v, whole.adam.v)
    assert [{**row, "seconds": 0} for row in resumed.history] == [
        {**row, "seconds": 0} for row in whole.history
    ]


def test_save_makes_the_directory_and_can_move_the_run(run):
    run.save("deep/er/place")
    assert run.directory == Path("deep/er/place") and same(
        Run.load("deep/er/place"), Run.load("run")
    )
    run.save()
    assert Path("deep/er/place/log.csv").read_text() == Path("run/log.csv").read_text()


def test_a_copy_of_a_checkpoint_loads_but_has_no_directory_to_write_into(run):
    Path("copies").mkdir()
    Path("copies/epoch2.npz").write_bytes(Path("run/checkpoint.npz").read_bytes())
    copy = Run.load("copies/epoch2.npz")
    assert same(copy, run) and copy.directory is None and "no directory" in repr(copy)
    with pytest.raises(ValueError, match=r"save\(directory\) names one"):
        copy.save()
    copy.save("own")
    assert same(Run.load("own"), run) and os.listdir("copies") == ["epoch2.npz"]


def test_a_run_without_a_source_works_from_the_command_line(
    tiny, tiny_directory, capsys
):
    """Trained on arrays from Python, saved with nothing but the four things that a run
    is.
    """
    state = train(*tiny, CONFIG, OPTIONS, processes=1)
    Run("plain", CONFIG, OPTIONS, None, state).save()
    assert main(["sample", "plain", "--out", "x.png"]) == 0
    assert main(["evaluate", "plain", "--data", str(tiny_directory)]) == 0
    assert (
        main(
            [
                "train",
                "--resume",
                "plain",
                "--epochs",
                "3",
                "--data",
                str(tiny_directory),
                "--quiet",
            ]
        )
        == 0
    )
    assert Run.load("plain").source == Dataset.open(tiny_directory)
    Run("known", CONFIG, OPTIONS, Dataset.of(*tiny), state).save()
    assert main(["evaluate", "known", "--data", str(tiny_directory), "--json"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "known"]) == 2
    assert (
        "known was trained on arrays in memory; name a data directory"
        in capsys.readouterr().err
    )
    assert (
        main(
            [
                "train",
                "--resume",
                "known",
                "--epochs",
                "3",
                "--data",
                str(tiny_directory),
                "--quiet",
            ]
        )
        == 0
    )
    assert main(["evaluate", "known"]) == 0


def test_one_line_says_what_a_run_is(run):
    assert repr(run).startswith(
        "<Run run: 30-8-2-8-30, 2 of 2 epochs on tiny>"
    ) and "\n" not in repr(run)
    assert (
        architecture(VAEConfig(input_dim=4, hidden_dims=(3, 2), latent_dim=1))
        == "4-3-2-1-2-3-4"
    )


@pytest.mark.parametrize(
    "changes, name",
    [
        ({"hidden_dims": (9,)}, "encoder.0.W"),
        ({"latent_dim": 3}, "encoder.1.W"),
        ({"likelihood": "normal"}, "logvar_x"),
        ({"hidden_dims": ()}, "encoder.0.W"),
    ],
)
def test_a_state_of_another_model_is_refused_by_name(tiny, changes, name):
    state = initial_state(tiny[0], CONFIG, OPTIONS)
    with pytest.raises(ValueError, match=f"the state has {name}"):
        Run("run", replace(CONFIG, **changes), OPTIONS, Dataset.of(*tiny), state)


def test_data_of_another_size_is_refused(tiny):
    config = VAEConfig(input_dim=20, hidden_dims=(8,), latent_dim=2)
    with pytest.raises(
        ValueError,
        match="input_dim is 20, but an image of arrays in memory has 30 pixels",
    ):
        Run(
            "run",
            config,
            OPTIONS,
            Dataset.of(*tiny),
            initial_state(np.zeros((3, 20), np.uint8), config, OPTIONS),
        )


# A checkpoint always holds a model that works


def test_a_loss_or_a_parameter_that_is_not_finite_keeps_the_last_checkpoint(run):
    before = {path: path.read_bytes() for path in Path("run").iterdir()}
    for name, value in (
        ("train_loss", math.nan),
        ("train_loss", math.inf),
        ("test_loss", math.inf),
    ):
        changed = Run.load("run")
        changed.state.history[-1][name] = value
        with pytest.raises(NotFiniteError, match=f"epoch 2: {name} is {value}"):
            changed.save()
    changed = Run.load("run")
    changed.state.history[-1]["test_loss"] = math.nan
    changed.check_finite()  # as it is without test images
    with pytest.raises(NotFiniteError, match="epoch 2: test_loss is nan"):
        changed.check_finite(tested=True)
    changed.state.history[-1]["test_loss"] = 1.0
    changed.state.params.vector[5] = np.inf
    with pytest.raises(NotFiniteError, match="epoch 2: a parameter is not finite"):
        changed.save()
    assert before == {path: path.read_bytes() for path in Path("run").iterdir()}


def test_a_run_without_test_images_is_saved_and_loaded(tiny):
    run = Run(
        "run",
        CONFIG,
        OPTIONS,
        Dataset.of(tiny[0]),
        train(tiny[0], None, CONFIG, OPTIONS, processes=1),
    )
    run.save()
    assert same(Run.load("run"), run) and math.isnan(
        Run.load("run").state.history[-1]["test_loss"]
    )


# Where a run is written


def test_numbers_of_directories_grow_whatever_else_is_there():
    for name in ("003", "0012", "²", "x9", "9" * 40):
        Path("runs", name).mkdir(parents=True)
    assert new_directory(None) == Path("runs/013") and new_directory(None) == Path(
        "runs/014"
    )
    assert new_directory("a/b") == Path("a/b") == new_directory("a/b")  # empty
    Path("a/b/c").write_text("")
    with pytest.raises(
        FileExistsError, match="a/b is not empty; a run never overwrites another"
    ):
        new_directory("a/b")


def test_creating_a_run_never_overwrites_another(run, tiny):
    with pytest.raises(FileExistsError, match="run is not empty"):
        Run.create(CONFIG, OPTIONS, run.source, run.state, "run")


def test_the_command_line_names_the_data_and_what_differs_from_the_defaults(run):
    assert shlex.split(run.command_line()) == [
        "numpyvae",
        "train",
        "--data",
        os.path.abspath("tiny"),
        "--hidden",
        "8",
        "--latent",
        "2",
        "--epochs",
        "2",
        "--batch-size",
        "16",
    ]
    run.config = replace(CONFIG, prior=(1.0, 0.0))
    assert run.command_line().endswith("# prior (1.0, 0.0): from Python only")


# Files with valid digests and wrong values inside


def crafted(run, change):
    """The run's checkpoint with a change, saved with digests that agree"""
    arrays, meta = checkpoint.load("run/checkpoint.npz")
    meta = json.loads(json.dumps(meta))
    change(arrays, meta)
    checkpoint.save("run/checkpoint.npz", arrays, meta)


VALUES = [None, True, -1, 1.5, 10**400, "x", [], {"a": 1}, float("nan")]


def places(meta, path=()):
    """Every place in nested dictionaries and lists"""
    items = (
        meta.items()
        if isinstance(meta, dict)
        else enumerate(meta)
        if isinstance(meta, list)
        else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def test_a_wrong_value_anywhere_is_refused_or_harmless(run, capsys, monkeypatch):
    """Every place of the metadata takes each of 9 values; what loads must then be
    usable without a traceback.
    """
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: None
    )  # the disk is not what is tested
    original = Path("run/checkpoint.npz").read_bytes()
    _, meta = checkpoint.load("run/checkpoint.npz")
    refused = accepted = 0
    for place in places(meta):
        for value in VALUES:

            def change(arrays, meta):
                for key in place[:-1]:
                    meta = meta[key]
                meta[place[-1]] = value

            crafted(run, change)
            try:
                loaded = Run.load("run")
            except CheckpointError as error:
                assert "\n" not in str(
                    error
                ) and "run/checkpoint.npz: a valid checkpoint, but not a run" in str(
                    error
                ), place
                refused += 1
            else:
                if accepted % 5 == 0:
                    assert main(["evaluate", "run", "--json"]) in (0, 2), (place, value)
                    assert "Traceback" not in capsys.readouterr().err
                loaded.command_line(), loaded.write_log(), repr(loaded)
                accepted += 1
            Path("run/checkpoint.npz").write_bytes(original)
    print(f"{refused} refused, {accepted} accepted")
    assert refused > 300 and refused > 2 * accepted


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, meta: meta.pop("state"),
        lambda arrays, meta: meta.pop("conditions"),
        lambda arrays, meta: meta.pop("source"),
        lambda arrays, meta: meta["state"].pop("adam_t"),
        lambda arrays, meta: meta["config"].update(latents=3),
        lambda arrays, meta: meta["config"].update(hidden_dims=[9]),
        lambda arrays, meta: meta["state"]["history"].pop(),
        lambda arrays, meta: meta["state"]["history"][0].update(more=1),
        lambda arrays, meta: meta["state"]["history"][0].pop("epoch"),
        lambda arrays, meta: meta["state"]["history"][0].pop("train_loss"),
        lambda arrays, meta: meta["source"].update(image_shape=[5, 5]),
        lambda arrays, meta: meta["source"].update(path="a\0b"),
        lambda arrays, meta: meta["source"].update(digest="0" * 63),
        lambda arrays, meta: meta["source"].update(scale=2),
        lambda arrays, meta: meta["state"].update(adam_t=2**53),
        lambda arrays, meta: arrays.pop("adam.m"),
        lambda arrays, meta: arrays.update(more=np.zeros(3)),
        lambda arrays, meta: arrays.update(
            {name: np.append(array, np.float32(0)) for name, array in arrays.items()}
        ),
        lambda arrays, meta: meta["state"]["history"][0].update(epoch=2),
        lambda arrays, meta: meta["state"].update(adam_t=True),
        lambda arrays, meta: arrays.update({"adam.m": arrays["adam.m"][:1]}),
        lambda arrays, meta: arrays.update(params=arrays["params"][:-1]),
        lambda arrays, meta: arrays.update(params=arrays["params"][None]),
        lambda arrays, meta: arrays.update(params=arrays["params"].astype(np.float64)),
        lambda arrays, meta: arrays.update(
            {name: array.astype(np.int32) for name, array in arrays.items()}
        ),
        lambda arrays, meta: arrays.update(
            {name: array.astype(np.complex64) for name, array in arrays.items()}
        ),
        lambda arrays, meta: arrays.update(
            {name: array.astype(np.float16) for name, array in arrays.items()}
        ),
        lambda arrays, meta: meta["state"]["history"][0].update(active_units=None),
        lambda arrays, meta: meta["state"]["history"][0].update(kl=math.nan),
        lambda arrays, meta: arrays["params"].__setitem__(3, np.nan),
        lambda arrays, meta: arrays["adam.v"].__setitem__(3, -1),
    ],
)
def test_a_run_that_is_not_one_is_refused(run, change):
    crafted(run, change)
    with pytest.raises(
        CheckpointError,
        match=r"run/checkpoint.npz: a valid checkpoint, but not a run of this version",
    ):
        Run.load("run")


def test_metadata_that_is_not_a_mapping_is_refused(run):
    for meta in ([], 3, "x", None):
        checkpoint.save("run/checkpoint.npz", record.arrays_of(run.state), meta)
        with pytest.raises(CheckpointError, match="not a run of this version"):
            Run.load("run")


# No run is lost


def copies_of(directory):
    return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


def another(tiny):
    return Run.create(
        CONFIG, OPTIONS, None, initial_state(tiny[0], CONFIG, OPTIONS), "another"
    )


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_is_saved_over_another_one_only_if_told(run, tiny, overwrite):
    other, before = another(tiny), copies_of("run")
    if overwrite:
        other.save("run", overwrite=True)
        assert same(Run.load("run"), other)
        return
    with pytest.raises(CheckpointError, match="run: holds another run"):
        other.save("run")
    with pytest.raises(CheckpointError, match="holds another run"):
        Run("run", CONFIG, OPTIONS, None, other.state).save()
    assert copies_of("run") == before
    assert other.directory == Path("another")
    other.save()


def test_a_run_is_not_taken_back_to_fewer_epochs_unless_told(run, tiny):
    """By its own object, and by one that was loaded before the run was trained on"""
    stale = Run.load("run")
    run.options = replace(OPTIONS, epochs=OPTIONS.epochs + 1)
    train(*tiny, CONFIG, run.options, state=run.state, processes=1)
    run.save()
    before = copies_of("run")
    with pytest.raises(CheckpointError, match="run: has been trained further"):
        stale.save()
    run.state = initial_state(tiny[0], CONFIG, OPTIONS)
    with pytest.raises(CheckpointError, match="to batch 7 of epoch 3: load it again"):
        run.save()
    assert copies_of("run") == before
    stale.save(overwrite=True)
    assert same(Run.load("run"), stale)


def test_a_run_that_another_process_trains_is_not_saved(run, monkeypatch):
    before = copies_of("run")
    with exclusive_lock("run"):
        run.save()  # the holder itself may
        # another process does not know of this one's locks
        monkeypatch.setattr("numpyvae.files._held", set())
        with pytest.raises(CheckpointError, match="is in use by another process"):
            run.save()
    assert copies_of("run") == before


def test_a_save_that_fails_leaves_the_directory_of_the_run(run):
    Path("file").write_text("x")
    with pytest.raises(CheckpointError, match="file/below: the run cannot be saved"):
        run.save("file/below")
    assert run.directory == Path("run")
    run.save()


@pytest.mark.parametrize("name", ["write_log", "write_images", "write_report"])
def test_a_copy_without_a_directory_says_so(run, tiny, name):
    Path("copy.npz").write_bytes(Path("run/checkpoint.npz").read_bytes())
    copy = Run.load("copy.npz")
    call = {
        "write_log": copy.write_log,
        "write_images": lambda: copy.write_images(tiny[1]),
        "write_report": lambda: write_report(copy),
    }[name]
    with pytest.raises(InputError, match="loaded from a copy of a checkpoint"):
        call()


def test_what_a_kill_before_the_first_checkpoint_leaves_counts_as_new(run):
    Path("killed").mkdir()
    Path("killed/.checkpoint.npz.0123456789abcdef.tmp").write_bytes(b"PK")
    assert new_directory("killed") == Path("killed")
    Path("killed/.mine.tmp").write_bytes(b"")
    with pytest.raises(FileExistsError, match="killed is not empty"):
        new_directory("killed")


def test_a_new_directory_gets_the_checkpoint_before_the_log(run, monkeypatch):
    def killed(path, text):
        assert path == Path("new/log.csv")
        raise KeyboardInterrupt

    monkeypatch.setattr("numpyvae.runs.run.write_file", killed)
    with pytest.raises(KeyboardInterrupt):
        run.save("new")
    assert same(Run.load("new"), run)


def test_the_command_of_a_run_on_arrays_names_no_data(tiny):
    run = Run("run", CONFIG, OPTIONS, None, initial_state(tiny[0], CONFIG, OPTIONS))
    command = run.command_line()
    assert "--data" not in command
    assert command.endswith("  # trained on arrays in memory: from Python only")
