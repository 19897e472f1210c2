"""Kill it at any time: training resumes from the last checkpoint, bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.runs import checkpoint
from numpyvae.runs.run import Run

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(checkpoint.__file__).parents[2])}
EPOCHS, KILLS = 150, 50
STEPS = EPOCHS * 7  # 110 images in batches of 16

# The process kills itself, at a moment that is a number of system calls of its saves
# and loads, not a time: so the
# test does not depend on the speed of the machine.
KILLED_AT = """
import os, sys
moment, calls = int(sys.argv[1]), 0
def counted(function):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == moment:
            os.kill(os.getpid(), 9)
        return function(*arguments, **options)
    return call
os.fsync, os.replace = counted(os.fsync), counted(os.replace)
from numpyvae.cli import main
sys.exit(main(sys.argv[2:]))
"""


def training(*arguments, moment=0):
    """The exit status of a training process that kills itself at its `moment`-th fsync
    or rename; 0: never
    """
    words = ["train", "--quiet", *map(str, arguments)]
    return subprocess.run(
        [sys.executable, "-c", KILLED_AT, str(moment), *words], env=ENVIRONMENT
    ).returncode


@pytest.mark.slow
def test_fifty_kills_at_random_moments_change_nothing(
    tiny_directory, tmp_path, monkeypatch
):
    """Half of the kills come at a system call of a save, half a random time after a
    number of steps. About a minute.
    """
    monkeypatch.chdir(tmp_path)
    settings = [
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--batch-size",
        16,
        "--epochs",
        EPOCHS,
        "--checkpoint-every",
        1,
        "--binarize",
        "dynamic",
        "--processes",
        1,
    ]
    assert training(*settings, "--out", "whole") == 0
    moments, kills, places = random.Random(1), 0, set()
    while kills < KILLS:
        resumed = Path("cut/checkpoint.npz").exists()
        words = (
            ["--resume", "cut", "--checkpoint-every", 1]
            if resumed
            else [*settings, "--out", "cut"]
        )
        done = Run.load("cut").state.adam.t if resumed else 0
        # the moments are spread over the steps that are left, so the last kill comes
        # before the last step
        steps = moments.randint(0, 2 * (STEPS - done) // (KILLS - kills + 1))
        if kills % 2:
            status = training(*words, moment=max(1, 3 * steps + moments.randint(-5, 5)))
        else:
            status = killed_after(words, done + steps, moments.uniform(0, 0.01))
        assert status == -signal.SIGKILL, (
            "the run ended before it was killed fifty times"
        )
        kills += 1
        if Path("cut/checkpoint.npz").exists():
            places.add(
                (Run.load("cut").state.epoch, Run.load("cut").state.batches_done)
            )
        elif Path("cut").exists():
            assert not any(
                path.name == "checkpoint.npz" for path in Path("cut").iterdir()
            )
            for path in Path("cut").iterdir():
                path.unlink()  # a run that has not begun has nothing to resume
    steps = Run.load("cut").state.adam.t
    print(
        f"\n{kills} kills at {len(places)} places, {steps} of {STEPS} steps before the last run"
    )
    assert len(places) >= 25 and steps < STEPS and training("--resume", "cut") == 0
    (a, cut), (b, whole) = (
        checkpoint.load("cut/checkpoint.npz"),
        checkpoint.load("whole/checkpoint.npz"),
    )
    assert all(np.array_equal(a[name], b[name]) for name in b)
    plain = [
        [{**row, "seconds": 0} for row in meta["state"]["history"]]
        for meta in (cut, whole)
    ]
    assert plain[0] == plain[1] and len(plain[0]) == EPOCHS
    lines = Path("cut/log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "epoch",
        *map(str, range(1, EPOCHS + 1)),
    ]
    for name in ("samples.png", "reconstructions.png"):
        assert Path("cut", name).read_bytes() == Path("whole", name).read_bytes()


def killed_after(words, steps, delay):
    """The exit status of a training process that is killed `delay` seconds after its
    checkpoint has `steps` steps
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "numpyvae", "train", "--quiet", *map(str, words)],
        env=ENVIRONMENT,
    )
    place, path = None, Path("cut/checkpoint.npz")
    while process.poll() is None:
        if path.exists() and (seen := path.stat().st_mtime_ns) != place:
            place = seen
            if Run.load("cut").state.adam.t >= steps:
                break
        time.sleep(0.001)
    time.sleep(delay)
    process.kill()
    return process.wait()


def test_a_kill_in_a_save_is_resumed_bit_for_bit(tiny_directory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = [
        "--data",
        tiny_directory,
        "--hidden",
        8,
        "--latent",
        2,
        "--batch-size",
        16,
        "--epochs",
        3,
        "--processes",
        1,
    ]
    assert training(*settings, "--out", "whole") == 0
    assert training(*settings, "--out", "cut", moment=30) == -signal.SIGKILL
    assert (
        1 <= len(Run.load("cut").state.history) < 3 and training("--resume", "cut") == 0
    )
    (a, _), (b, _) = (
        checkpoint.load("cut/checkpoint.npz"),
        checkpoint.load("whole/checkpoint.npz"),
    )
    assert all(np.array_equal(a[name], b[name]) for name in b)


@pytest.fixture
def settings(tiny_directory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return [
        "train",
        "--data",
        str(tiny_directory),
        "--hidden",
        "8",
        "--latent",
        "2",
        "--batch-size",
        "16",
        "--out",
        "run",
        "--quiet",
    ]


def test_a_full_disk_ends_in_one_line_and_leaves_the_last_checkpoint(
    settings, monkeypatch, capsys
):
    assert main([*settings, "--epochs", "2"]) == 0
    before = Path("run/checkpoint.npz").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["train", "--resume", "run", "--epochs", "3", "--quiet"]) == 2
    monkeypatch.undo()
    error = capsys.readouterr().err
    assert (
        error.startswith("numpyvae: error: ")
        and "No space left on device" in error
        and error.count("\n") == 1
    )
    path = Path(settings[settings.index("--data") + 1]).parent / "run"
    assert (path / "checkpoint.npz").read_bytes() == before and not list(
        path.glob("*.tmp")
    )


@pytest.mark.parametrize(
    "options", [["--checkpoint-every", "1"], ["--batch-size", "1000"], []]
)
def test_a_run_that_diverges_names_the_epoch_and_keeps_the_last_checkpoint(
    settings, capsys, options
):
    """In a batch, in an epoch of one batch, whose loss is known too late, and between
    checkpoints.
    """
    assert main([*settings, "--epochs", "50", "--lr", "1e4", *options]) == 2
    error = capsys.readouterr().err
    assert (
        error.startswith("numpyvae: error: epoch ")
        and "smaller learning rate" in error
        and error.count("\n") == 1
    )
    assert np.isfinite(Run.load("run").state.params.vector).all()
