"""Are the tests able to fail? Each fault of this directory is put into a copy of the package, and the tests named beside it run.

    python -m tests.mutants              all of them, in two processes
    python -m tests.mutants KL Adam      those whose description, file or tests contain one of the words
    python -m tests.mutants --sample 200 --seed X    that many at random; that all of them apply is checked as well
    python -m tests.mutants --shard 2/5  each fifth of them, from the second

A fault is killed if a test fails, and survives if none does. First the same tests run on a copy without a fault, where
every one must pass. The exit status is 1 if a fault survives, or no longer applies (its old text must occur in the file
exactly once), or if its tests do not run at all.

Starting Python with NumPy, SciPy, pytest and hypothesis takes longer than most of the tests, so that is done once: each
run is a fork of this process, which never imports the package itself. A run that does not end is ended from outside.
"""

import argparse
import contextlib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy: two processes for two cores
os.environ["HYPOTHESIS_PROFILE"] = "mutants"

import hypothesis
import hypothesis.extra.numpy  # noqa: F401  what the tests import, imported once
import numpy  # noqa: F401
import pytest
import scipy.integrate  # noqa: F401
import scipy.linalg  # noqa: F401
import scipy.sparse.linalg  # noqa: F401
import scipy.special  # noqa: F401
import scipy.stats  # noqa: F401

from .faults import FAULTS
from .processes import results

for path in sorted(set(Path(__file__).parent.glob("[a-z]*.py")) - {Path(__file__).with_name("random_mutants.py")}):
    importlib.import_module(f"tests.mutants.{path.stem}")  # each adds its faults to the list

TESTS = Path(__file__).parents[1]
SECONDS = 60  # for one run, unless told otherwise; one that takes longer is stopped: some faults make loops endless
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
    """The package in a new directory, with the fault; None, or what is wrong with the fault"""
    shutil.copytree(TESTS.parent / "numpyvae", directory / "numpyvae", ignore=shutil.ignore_patterns("__pycache__"))
    return problem_of(edits, directory / "numpyvae", write=True)


def run(edits, tests, seconds=SECONDS):
    """'killed', 'survived', 'too long', or what went wrong instead; and pytest's output. In a process of its own."""
    expired = []

    def too_long(signum, frame):
        expired.append(signum)
        raise TimeoutError(f"more than {seconds} seconds")

    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile("w+") as output:
        if problem := copy_with(edits, Path(directory)):
            return problem, ""
        sys.path.insert(0, directory)
        os.environ["PYTHONPATH"] = directory
        sys.dont_write_bytecode = True
        signal.signal(signal.SIGALRM, too_long)
        signal.alarm(seconds)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            status = pytest.main(["-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider",
                                  "-W", "ignore::pytest.PytestAssertRewriteWarning",  # hypothesis is here already
                                  "-W", "ignore:mypy_extensions:DeprecationWarning",  # hypothesis, where libcst is
                                  "--rootdir", str(TESTS.parent), *arguments(tests)])
        signal.alarm(0)
        output.seek(0)
        import numpyvae

        if not numpyvae.__file__.startswith(directory):
            return f"the tests imported {numpyvae.__file__}, not the copy", ""
        result = {PASSED: "survived", FAILED: "killed"}.get(status, f"the tests did not run: {status!r}")
        return "too long" if expired else result, output.read()


def arguments(tests):
    """'test_a.py test_b.py -k words': files, and maybe a choice among their tests, as pytest takes them"""
    files, _, choice = tests.partition(" -k ")
    return [str(TESTS / name) for name in files.split()] + (["-k", choice] if choice else [])


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="those whose description, file or tests contain one of the words")
    parser.add_argument("--sample", type=int, metavar="N", help="N of them at random; that all apply is checked as well")
    parser.add_argument("--seed", default="", help="of the sample (default: the same every time)")
    parser.add_argument("--shard", type=shard, default=slice(None), metavar="I/N", help="each N-th only, from the I-th")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for one run (default: %(default)s)")
    args = parser.parse_args(arguments)
    faults = [fault for fault in FAULTS
              if not args.words or any(word.lower() in str(fault).lower() for word in args.words)]
    if not faults:
        sys.exit(f"no fault has any of the words {', '.join(args.words)} in it")
    if args.sample:
        stale = [fault for fault in faults if problem_of(fault.edits)]
        chosen = random.Random(args.seed).sample(faults, min(args.sample, len(faults)))
        print(f"{len(chosen)} of {len(faults)} faults, seed {args.seed!r}; {len(stale)} do not apply")
        faults = [*chosen, *(fault for fault in stale if fault not in chosen)]
    faults = faults[args.shard]
    began, bad = time.perf_counter(), []
    configure()
    selections = sorted({fault.tests for fault in faults})
    for tests, (result, output) in results(partial(run, (), seconds=args.seconds), selections, args.seconds):
        if result != "survived":
            bad.append(tests)
            print(f"without a fault, {tests}: {result if result != 'killed' else 'fails'}\n{output}", flush=True)
    print(f"{len(selections)} selections of tests, {len(selections) - len(bad)} pass on the package without a fault", flush=True)
    for fault, (result, output) in results(partial(with_fault, seconds=args.seconds), faults, args.seconds):
        if result not in KILLED:
            bad.append(fault)
            print(output)
        print(f"{result:8}  {fault.edits[0][0]:13}  {fault.what}", flush=True)
    survivors = sum(fault in bad or fault.tests in bad for fault in faults)
    print(f"{len(faults) - survivors} of {len(faults)} faults killed in {time.perf_counter() - began:.0f} s")
    return 1 if bad else 0


def configure():
    """Hypothesis without shrinking: that a test fails is all there is to know."""
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    hypothesis.settings.register_profile("mutants", deadline=None, derandomize=True, database=None, phases=phases)


def shard(text):
    """'2/5' as a slice: the second and each fifth after it"""
    number, count = map(int, text.split("/"))
    if not 1 <= number <= count:
        raise ValueError
    return slice(number - 1, None, count)


def with_fault(fault, seconds):
    return run(fault.edits, fault.tests, seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
