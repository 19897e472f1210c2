"""Known errors as mutants of the mathematics: do their chapters' tests fail?

    python -m tests.mutants.known_errors                    all of them
    python -m tests.mutants.known_errors linear Adam.step   those of some functions
    python -m tests.mutants.known_errors --sample 40        some, chosen by a seed

A known error replaces the package's function wherever the package has it, in a process
of its own. Only the chapter's test files run then, until the first test fails. One
that survives is printed: it is a missing test.
"""

import argparse
import contextlib
import io
import random
import signal
import sys
import time

from numpyvae.exercises.judge.known_errors import known_errors
from numpyvae.exercises.judge.places import find_places, package_modules
from numpyvae.exercises.table import BY_NAME, package_function

from .processes import results
from .run import FAILED, PASSED, TESTS, configure, pytest

SECONDS = 60  # for one run; a wrong solver may not end
# The test files of a chapter, where it is not one of its name
FILES = {
    "vae.model": ("vae/test_model.py", "vae/test_gradcheck.py"),
    "vae.elbo": ("vae/test_elbo.py", "vae/test_gradcheck.py"),
    "vae.gradient_estimators": (
        "vae/test_gradient_estimators.py",
        "vae/test_path_derivative.py",
    ),
    "mdp.horizon": ("mdp/test_horizon.py", "mdp/test_episodes.py"),
    "mdp.contraction": ("mdp/test_solvers.py",),
    "mdp.improvement": ("mdp/test_solvers.py",),
    "mdp.span": ("mdp/test_solvers.py",),
}


def test_files(chapter):
    """The paths of a chapter's test files"""
    own = f"{chapter.replace('.', '/test_')}.py"
    return [str(TESTS / name) for name in FILES.get(chapter, (own,))]


def run_with(error):
    """'killed' or 'survived', and pytest's output; in a process of its own"""
    right = package_function(error.name)
    namespaces = [vars(module) for module in package_modules()]
    for place in find_places(namespaces, {right: error.function}):
        place.namespace[place.key] = place.value
    signal.alarm(SECONDS)
    output = io.StringIO()
    options = ["-x", "-q", "--tb=line", "--no-header", "-p", "no:cacheprovider"]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = pytest.main(
            [
                *options,
                "-W",
                "ignore::pytest.PytestAssertRewriteWarning",
                "--rootdir",
                str(TESTS.parent),
                *test_files(BY_NAME[error.name].chapter),
            ]
        )
    found = {PASSED: "survived", FAILED: "killed"}
    return found.get(status, f"the tests did not run: {status!r}"), output.getvalue()


def survivors(errors):
    """Yield (error, result, output) for each that no test of its chapter sees

    One that ends its process, or runs into the limit of time, is seen.
    """
    configure()
    for error, (result, output) in results(run_with, errors, SECONDS):
        if result not in ("killed", "died", "too long"):
            yield error, result, output


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *BY_NAME], help="functions")
    parser.add_argument("--sample", type=int, help="how many, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    errors = [e for e in known_errors() if not args.names or e.name in args.names]
    if args.sample is not None:
        count = min(args.sample, len(errors))
        errors = random.Random(args.seed).sample(errors, count)
    started, left = time.perf_counter(), 0
    for error, result, _ in survivors(errors):
        left += 1
        print(f"{result}  {error.name}: {error.words}", flush=True)
    seconds = time.perf_counter() - started
    killed = len(errors) - left
    print(f"{killed} of {len(errors)} known errors killed, in {seconds:.0f} s")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
