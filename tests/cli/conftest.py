"""A directory of its own for each test of a command, and a quick `train`."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from numpyvae.cli import main
from numpyvae.runs import checkpoint


@pytest.fixture(autouse=True)
def own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NUMPYVAE_DATA", raising=False)
    monkeypatch.setenv(
        "PYTHONPATH", str(Path(checkpoint.__file__).parents[2])
    )  # for processes that a test starts


def quick(directory):
    """The words of a quick training"""
    return [
        "train",
        "--data",
        str(directory),
        *("--hidden", "8"),
        *("--latent", "2"),
        *("--batch-size", "16"),
        *("--log-interval", "3"),
        *("--epochs", "2"),
    ]


@pytest.fixture
def train(tiny_directory):
    """Train on the tiny data set, quickly; returns the exit status."""
    return lambda *options: main([*quick(tiny_directory), *options])


@pytest.fixture(scope="session")
def trained_once(tiny_for_all, tmp_path_factory):
    run = tmp_path_factory.mktemp("trained") / "001"
    assert main([*quick(tiny_for_all), "--quiet", "--out", str(run)]) == 0
    return run


@pytest.fixture
def trained(trained_once):
    """runs/001, a copy of a run that is trained once for all tests"""
    shutil.copytree(trained_once, "runs/001")


@pytest.fixture
def error_line(capsys):
    """The one line on standard error, all that a user's mistake may print"""

    def read():
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1 and captured.err.startswith(
            "numpyvae: error: "
        ), captured.err
        return captured.err

    return read


@pytest.fixture
def command():
    """A command as a process of its own, and of its own group, as a terminal starts it;
    ended at the test's end
    """
    started = []

    # a shell starts what is to run in the background with SIGINT ignored
    def heed_interrupts():
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def run(*words, **options):
        process = subprocess.Popen(
            [sys.executable, "-m", "numpyvae", *map(str, words)],
            text=True,
            start_new_session=True,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 (tests have no threads)
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(
                process.pid, signal.SIGKILL
            )  # a stopped worker too, which outlives rank 0
        process.communicate()


@pytest.fixture
def wait_for():
    def read(process, beginning):
        return next(line for line in process.stdout if line.startswith(beginning))

    return read
