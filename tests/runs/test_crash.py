"""Kill it whenever you like: training goes on from the last checkpoint to the very bits it would have reached."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from numpyvae.runs import checkpoint
from numpyvae.runs import run as runs
from numpyvae.cli import main

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(checkpoint.__file__).parents[2]), "OPENBLAS_NUM_THREADS": "1"}
EPOCHS = 150


def training(*arguments):
    return subprocess.Popen([sys.executable, "-m", "numpyvae", "train", "--quiet", *map(str, arguments)], env=ENVIRONMENT)


def seconds(process):
    began = time.monotonic()
    assert process().wait() == 0
    return time.monotonic() - began


@pytest.mark.slow
def test_fifty_kills_at_random_moments_change_nothing(tiny_directory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = ["--data", tiny_directory, "--hidden", 8, "--latent", 2, "--batch-size", 16, "--epochs", EPOCHS,
                "--checkpoint-every", 1, "--binarize", "dynamic"]
    whole = seconds(lambda: training(*settings, "--out", "whole"))
    start = seconds(lambda: training("--resume", "whole"))  # it is finished: this is loading alone
    moments, kills = random.Random(1), 0
    process = training(*settings, "--out", "cut")
    while kills < 50:
        try:
            process.wait(timeout=moments.uniform(0, start + whole / 30))  # before loading ends, too
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            assert process.returncode == 0, "the run ended before it was killed fifty times"
            break
        if Path("cut/checkpoint.npz").exists():
            runs.load("cut")  # whole, whatever the moment
            process = training("--resume", "cut", "--checkpoint-every", 1)
        else:
            process = training(*settings, "--out", "cut")
    print(f"\n{kills} kills, {runs.load('cut')[0].adam.t} steps before the last run")
    assert kills == 50 and process.wait() == 0
    (a, cut), (b, whole) = checkpoint.load("cut/checkpoint.npz"), checkpoint.load("whole/checkpoint.npz")
    assert all(np.array_equal(a[name], b[name]) for name in b)
    plain = [[{**row, "seconds": 0} for row in meta["history"]] for meta in (cut, whole)]
    assert plain[0] == plain[1] and len(plain[0]) == EPOCHS
    lines = Path("cut/log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["epoch", *map(str, range(1, EPOCHS + 1))]
    for name in ("samples.png", "reconstructions.png"):
        assert Path("cut", name).read_bytes() == Path("whole", name).read_bytes()


def test_a_full_disk_ends_in_one_line_and_leaves_the_last_checkpoint(tiny_directory, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    settings = ["train", "--data", str(tiny_directory), "--hidden", "8", "--latent", "2", "--batch-size", "16"]
    assert main([*settings, "--epochs", "2", "--out", "run", "--quiet"]) == 0
    before = Path("run/checkpoint.npz").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["train", "--resume", "run", "--epochs", "3", "--quiet"]) == 2
    monkeypatch.undo()
    error = capsys.readouterr().err
    assert error.startswith("numpyvae: error: ") and "No space left on device" in error and error.count("\n") == 1
    assert (tmp_path / "run/checkpoint.npz").read_bytes() == before
    assert not list((tmp_path / "run").glob("*.tmp"))


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(tiny_directory, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--data", str(tiny_directory), "--hidden", "8", "--latent", "2", "--epochs", "50", "--lr", "1e4", "--batch-size", "16",
                 "--out", "run", "--quiet", "--checkpoint-every", "1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("numpyvae: error: epoch ") and "smaller learning rate" in error and error.count("\n") == 1
    state, *_ = runs.load("run")
    assert np.isfinite(state.params.vector).all()
