"""Is the same work equally fast, wherever it is started and whatever is exported?

    python tests/benchmark/threads.py                          all of it: idle, then beside a busy loop on one core
    python tests/benchmark/threads.py --only train --values 1 2 --rounds 1 --python PATH

Each row is a way to start some work: three epochs on the sample with one process or
with two, two fits of a grid search at once, an evaluation with importance samples,
estimators of the gradient. Each column is the exported value of OMP_NUM_THREADS (OM) or
OPENBLAS_NUM_THREADS (OP); "-" is neither. A cell is a ratio: the median time of this
way, to the shortest median of all ways of the same work in the same condition. The
bounds are 1.1 on an idle machine and 1.5 beside a busy loop. Every run is a process of
its own. All ways run in turn in each round, because a machine's speed drifts. Of
training, the seconds of the epochs count; of the rest, those of the call or of the
command.

The grid search needs scikit-learn, and is left out if the Python that runs the programs
does not have it.
"""

import argparse
import csv
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
VARIABLES = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"
BOUNDS = {"idle": 1.1, "beside a busy loop": 1.5}
TRAIN_COMMAND = ["-m", "numpyvae", "train", "--quiet", "--data", SAMPLE]

LOAD = f"""
import json, threading, time
import numpy as np
from numpyvae.data import Dataset
from numpyvae.settings import TrainingOptions, VAEConfig
data = Dataset.open({str(SAMPLE)!r})
images, test_images = data.images, data.test_images
def show(seconds):
    print(json.dumps(seconds))
"""
TRAIN = (
    LOAD
    + """
from numpyvae.training.loop import train
def fit(processes):
    state = train(images, test_images, VAEConfig(), TrainingOptions(epochs=3), processes=processes)
    show(sum(row["seconds"] for row in state.history))
"""
)
ESTIMATOR = (
    LOAD
    + """
from numpyvae.estimator import VAE
X, model = images.reshape(len(images), -1), VAE(epochs=3, random_state=1)
"""
)
FIT = (
    ESTIMATOR
    + """
def fit():
    show(sum(row["seconds"] for row in model.fit(X).history_))
"""
)
IN_A_THREAD = "\nthreading.Thread(target=fit{arguments}).start()"
GRID = (
    ESTIMATOR
    + """
from sklearn.model_selection import GridSearchCV
every = np.arange(len(X))
search = GridSearchCV(model, {"beta": [1.0, 0.5]}, cv=[(every, every[:10])], n_jobs=2, refit=False)
show(float(np.mean(search.fit(X).cv_results_["mean_fit_time"])))
"""
)
EVALUATE = (
    LOAD
    + """
from numpyvae.training.parallel.cores import available_cores
from numpyvae.training.evaluation import evaluate
from numpyvae.vae import init_params
rng = np.random.default_rng(0)
params, started = init_params(VAEConfig(), rng), time.perf_counter()
evaluate(params, test_images, VAEConfig(), "none", rng, importance_samples=400, threads=available_cores())
show(time.perf_counter() - started)
"""
)
ESTIMATORS = """
import json, time
import numpy as np
from tests.gradient_estimators import main
started = time.perf_counter()
main(count=50)
print(json.dumps(time.perf_counter() - started))
"""


def run(python, arguments, exported):
    """The output of a Python program and its seconds, with `exported` and no other
    numbers of threads.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_NUM_THREADS")
    }
    environment |= {"PYTHONPATH": str(ROOT), **exported}
    started = time.perf_counter()
    done = subprocess.run(
        [python, *map(str, arguments)],
        env=environment,
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    return done.stdout, time.perf_counter() - started


def program(text):
    """A function that runs a program, whose last line is its seconds."""
    return lambda python, exported: json.loads(
        run(python, ["-c", text], exported)[0].splitlines()[-1]
    )


def train_command(*options):
    def seconds(python, exported):
        with tempfile.TemporaryDirectory() as directory:
            run(
                python,
                [*TRAIN_COMMAND, "--epochs", 3, "--out", directory + "/run", *options],
                exported,
            )
            with open(directory + "/run/log.csv") as log:
                return sum(float(row["seconds"]) for row in csv.DictReader(log))

    return seconds


def evaluate_command(checkpoint):
    words = [
        "-m",
        "numpyvae",
        "evaluate",
        checkpoint,
        "--data",
        SAMPLE,
        "--importance-samples",
        400,
    ]
    return lambda python, exported: run(python, words, exported)[1]


def ways(checkpoint):
    """(the work, how it is started) -> a function of Python and the environment that
    returns seconds
    """
    return {
        ("train, 1 process", "command, --processes 1"): train_command("--processes", 1),
        ("train, 1 process", "script, NumPy first"): program(TRAIN + "fit(1)"),
        ("train, 1 process", "thread"): program(
            TRAIN + IN_A_THREAD.format(arguments=", args=(None,)")
        ),
        ("train, 1 process", "estimator in a thread"): program(
            FIT + IN_A_THREAD.format(arguments="")
        ),
        ("train, 2 processes", "command"): train_command(),
        ("train, 2 processes", "command, --processes 2"): train_command(
            "--processes", 2
        ),
        ("train, 2 processes", "script, NumPy first"): program(TRAIN + "fit(2)"),
        ("train, 2 processes", "script, default"): program(TRAIN + "fit(None)"),
        ("train, 2 processes", "estimator"): program(FIT + "fit()"),
        ("grid search", "two fits at once"): program(GRID),
        ("evaluate, command", "command"): evaluate_command(checkpoint),
        ("evaluate, call", "script, NumPy first"): program(EVALUATE),
        ("estimators", "script, NumPy first"): program(ESTIMATORS),
    }


@contextmanager
def busy_loop():
    """A process that never waits, on the first core that this one may use."""
    code = f"import os\nos.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\nwhile True:\n    pass"
    loop = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield
    finally:
        loop.kill()
        loop.wait()


def measure(chosen, columns, python, rounds):
    """{(work, way): {column: median seconds}}"""
    times = {way: {column: [] for column in columns} for way in chosen}
    for number in range(rounds):
        for way, seconds in chosen.items():
            for column, exported in columns.items():
                times[way][column].append(seconds(python, exported))
            print(f"round {number + 1}: {', '.join(way)}", file=sys.stderr, flush=True)
    return {
        way: {column: statistics.median(took) for column, took in row.items()}
        for way, row in times.items()
    }


def table(condition, medians, columns):
    """Lines: ratios to the fastest way of the same work; the last column is the
    largest.
    """
    bound = BOUNDS[condition]
    yield f"{condition} (bound {bound}); ratios to the fastest way of the same work"
    yield f"{'':44}" + "".join(f"{column:>7}" for column in columns) + "  worst"
    fastest = {}
    for (work, _), row in medians.items():
        fastest[work] = min(*row.values(), fastest.get(work, math.inf))
    for work in fastest:
        yield f"{work}: {fastest[work]:.2f} s"
        for (other, way), row in medians.items():
            if other == work:
                ratios = [seconds / fastest[work] for seconds in row.values()]
                mark = "" if max(ratios) <= bound else "  above the bound"
                yield (
                    f"    {way:40}"
                    + "".join(f"{ratio:7.2f}" for ratio in ratios)
                    + f"{max(ratios):7.2f}{mark}"
                )


def main():
    ap = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument(
        "--values",
        nargs="+",
        default=["1", "2", "4", "64"],
        help="exported numbers of threads",
    )
    ap.add_argument(
        "--only", default="", metavar="WORD", help="ways that have this word in them"
    )
    ap.add_argument("--condition", choices=BOUNDS, help="only this one")
    ap.add_argument(
        "--python",
        default=sys.executable,
        metavar="PATH",
        help="the Python that runs them",
    )
    args = ap.parse_args()
    columns = {"-": {}} | {
        f"{name[:2]} {value}": {name: value}
        for name in VARIABLES
        for value in args.values
    }
    with tempfile.TemporaryDirectory() as directory:
        checkpoint = directory + "/run"
        chosen = {
            way: seconds
            for way, seconds in ways(checkpoint).items()
            if args.only in ", ".join(way)
        }
        if subprocess.run(
            [args.python, "-c", "import sklearn"], stderr=subprocess.DEVNULL
        ).returncode:
            chosen.pop(("grid search", "two fits at once"), None)
        if any(work == "evaluate, command" for work, _ in chosen):
            run(args.python, [*TRAIN_COMMAND, "--epochs", 1, "--out", checkpoint], {})
        print(
            f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start, rounds: {args.rounds}"
        )
        for condition in [args.condition] if args.condition else BOUNDS:
            with nullcontext() if condition == "idle" else busy_loop():
                medians = measure(chosen, columns, args.python, args.rounds)
            print("\n" + "\n".join(table(condition, medians, columns)), flush=True)


if __name__ == "__main__":
    main()
