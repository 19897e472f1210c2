"""Train any row of the README's table of log p(x) again, by its name, and evaluate it.

    python tests/benchmark/results.py --list
    python tests/benchmark/results.py vae-1 --data data/mnist
    python tests/benchmark/results.py iwae5 --data data/mnist --out runs/table

A row is the preset `burda` with the options below. A row that begins from another one
trains that first. An interrupted row is resumed, and a finished one is not trained
again. The evaluation takes 5,000 importance samples of each test image. Its figures are
written to tests/benchmark/results/NAME.json, figures only: no weights.

The preset's learning rate falls linearly over nearly all of training. It was chosen
among 2e-3 and 4e-3 on 10,000 training images that were held out, for 200 epochs: −log
p(x) with 200 samples 89.71 and 89.76. That of the warm starts was chosen among 3e-4 and
1e-3 in the same way, for 20 epochs of IWAE with K = 5: 88.78 and 88.74. The test images
decided nothing.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
SAMPLES = 5000  # importance samples, as in Burda et al. 2016

WARM_START = "--lr 1e-3 --epochs 40 --decay-epochs 39"

ROWS = {  # name: (the row that it begins from, its options)
    "vae-1": (None, "--seed 1"),
    "vae-2": (None, "--seed 2"),
    "vae-3": (None, "--seed 3"),
    "stl-1": (None, "--seed 1 --objective elbo-stl"),
    "iwae5": (None, "--seed 1 --objective iwae --samples 5"),
    "dreg5": (None, "--seed 1 --objective iwae-dreg --samples 5"),
    "warm-iwae50": ("vae-1", f"--seed 1 --objective iwae --samples 50 {WARM_START}"),
    "warm-dreg50": (
        "dreg5",
        f"--seed 1 --objective iwae-dreg --samples 50 {WARM_START}",
    ),
}


def numpyvae(*words):
    """Run a command of the package; return what it prints."""
    command = [sys.executable, "-m", "numpyvae", *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def train(name, data, out):
    """The row's run, trained to its end"""
    run = out / name
    before, options = ROWS[name]
    if (run / "checkpoint.npz").exists():
        numpyvae("train", "--resume", run, "--processes", 1, "--quiet")
        return run
    words = ["--preset", "burda", "--data", data, "--out", run]
    if before is not None:
        words += ["--from", train(before, data, out)]
    numpyvae("train", *words, *options.split(), "--processes", 1, "--quiet")
    return run


def figures(run):
    """The evaluation of a run, without the paths of this machine"""
    words = ["evaluate", run, "--importance-samples", SAMPLES, "--json"]
    result = json.loads(numpyvae(*words))
    return {key: value for key, value in result.items() if key not in ("run", "data")}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*ROWS, []], metavar="NAME")
    parser.add_argument("--data", default="data/mnist", help="all of MNIST")
    parser.add_argument("--out", type=Path, default=Path("runs/table"))
    parser.add_argument("--list", action="store_true", help="print the rows")
    args = parser.parse_args()
    if args.list:
        for name, (before, options) in ROWS.items():
            print(f"{name:12} {options}" + (f"  (from {before})" if before else ""))
        return
    RESULTS.mkdir(exist_ok=True)
    for name in args.names:
        result = figures(train(name, args.data, args.out))
        path = RESULTS / f"{name}.json"
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        error = result["log_marginal_se"]
        print(f"{name}: −log p(x) = {-result['log_marginal']:.3f} ± {error:.3f} nats")


if __name__ == "__main__":
    main()
