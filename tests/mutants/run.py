"""Run a selection of tests on a copy of the package that has a fault.

Starting Python with NumPy, SciPy, pytest and hypothesis takes longer than most of the
tests, so that is done once: each run is a fork of this process, which never imports the
package itself. A run that does not end is ended from outside.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy: two processes for two cores
os.environ["HYPOTHESIS_PROFILE"] = "mutants"

import hypothesis
import hypothesis.extra.numpy
import numpy  # noqa: F401
import pytest
import scipy.integrate
import scipy.linalg
import scipy.sparse.linalg
import scipy.special
import scipy.stats  # noqa: F401

TESTS = Path(__file__).parents[1]
SECONDS = 60  # for one run, unless told otherwise: some faults make loops endless
KILLED = "killed", "too long", "died"
PASSED, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED


def problem_of(edits, package=TESTS.parent / "numpyvae", write=False):
    """None, or why the edits cannot be made in the package; they are made if `write`"""
    for name, old, new in edits:
        path = package / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if text.count(old) != 1 or old == new:
            return f"does not apply: {name} has {old!r} {text.count(old)} times"
        if write:
            path.write_text(text.replace(old, new), encoding="utf-8")
    return None


def copy_with(edits, directory):
    """Copy the package, with the fault; None, or what is wrong with the fault"""
    shutil.copytree(
        TESTS.parent / "numpyvae",
        directory / "numpyvae",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    return problem_of(edits, directory / "numpyvae", write=True)


def run(edits, tests, seconds=SECONDS):
    """'killed', 'survived', 'too long', or what went wrong instead; and pytest's output"""
    expired = []

    def too_long(signum, frame):
        expired.append(signum)
        raise TimeoutError(f"more than {seconds} seconds")

    with (
        tempfile.TemporaryDirectory() as directory,
        tempfile.TemporaryFile("w+") as output,
    ):
        if problem := copy_with(edits, Path(directory)):
            return problem, ""
        sys.path.insert(0, directory)
        os.environ["PYTHONPATH"] = directory
        sys.dont_write_bytecode = True
        signal.signal(signal.SIGALRM, too_long)
        signal.alarm(seconds)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            status = pytest.main(
                [
                    "-x",
                    "-q",
                    "--no-header",
                    "--tb=line",
                    "-p",
                    "no:cacheprovider",
                    "-W",
                    # hypothesis is here already
                    "ignore::pytest.PytestAssertRewriteWarning",
                    "-W",
                    # hypothesis, where libcst is
                    "ignore:mypy_extensions:DeprecationWarning",
                    "--rootdir",
                    str(TESTS.parent),
                    *arguments(tests),
                ]
            )
        signal.alarm(0)
        output.seek(0)
        import numpyvae

        if not numpyvae.__file__.startswith(directory):
            return f"the tests imported {numpyvae.__file__}, not the copy", ""
        result = {PASSED: "survived", FAILED: "killed"}.get(
            status, f"the tests did not run: {status!r}"
        )
        return "too long" if expired else result, output.read()


def arguments(tests):
    """'test_a.py test_b.py -k words', files and maybe a choice, as pytest takes them"""
    files, _, choice = tests.partition(" -k ")
    return [str(TESTS / name) for name in files.split()] + (
        ["-k", choice] if choice else []
    )


def configure():
    """Hypothesis without shrinking: that a test fails is all there is to know."""
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile(
        "mutants", deadline=None, derandomize=True, database=None, phases=phases
    )


def shard(text):
    """'2/5' as a slice: the second and each fifth after it"""
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise ValueError
    return slice(number - 1, None, count)
