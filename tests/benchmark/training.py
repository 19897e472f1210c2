"""How long does an epoch take, where does the time go, and how does that compare?

    python tests/benchmark/training.py --data data/mnist
    python tests/benchmark/training.py --data data/mnist --rounds 5 --peers DIR
    python tests/benchmark/training.py --data data/mnist --scaling

An epoch is one pass of the default model (784-400-20-400-784, batch 128, float32) over all training images, the last
partial batch included, as `numpyvae train` writes its seconds into log.csv: scoring, pictures and checkpoints are left
out. The floor is the epoch's five large matrix products alone, on all cores. DIR holds torch_vae.py and jax_vae.py, the
same model in frameworks; each contender runs two epochs in a process of its own, the second one counts, and the rounds
are interleaved, because a machine's speed drifts. Seconds mean nothing beyond the machine and the minute: read the ratios.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from numpyvae.vae import bernoulli
from numpyvae.vae import layers
from numpyvae.vae.adam import Adam
from numpyvae.vae.iwae import log_marginal
from numpyvae.data.mnist import load_images, load_mnist
from numpyvae.training.parallel import Pair
from numpyvae.training.loop import pixels
from numpyvae.settings import VAEConfig
from numpyvae.vae import init_params

BATCH = 128
SAMPLE = Path(__file__).parents[2] / "data" / "sample"


def seconds(function, repeat=1):
    began = time.perf_counter()
    for _ in range(repeat):
        function()
    return (time.perf_counter() - began) / repeat


def epoch_seconds(data, *options, epochs=2, threads=None):
    """The last epoch's time, as `numpyvae train` gives it"""
    with tempfile.TemporaryDirectory() as out:
        run(threads, "-m", "numpyvae", "train", "--quiet", "--data", data, "--epochs", epochs, "--out", out, *options)
        with open(Path(out) / "log.csv") as log:
            return float(list(csv.DictReader(log))[-1]["seconds"])


def run(threads, *words):
    """A Python program's output, run in a process of its own, with so many BLAS threads if it is told how many"""
    environment = os.environ | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=True, env=environment).stdout


def products(steps, batch=BATCH, hidden_dims=400):
    """The five large matrix products of a step, `steps` times."""
    rng = np.random.default_rng(0)
    x, dy = (rng.random((batch, 784), dtype=np.float32) for _ in "xy")
    W1, W4 = (rng.random(shape, dtype=np.float32) for shape in ((784, hidden), (hidden, 784)))
    h, y, dW1, dW4 = np.empty((batch, hidden), np.float32), np.empty_like(x), np.empty_like(W1), np.empty_like(W4)
    for _ in range(steps):
        np.matmul(x, W1, out=h)
        np.matmul(h, W4, out=y)
        np.matmul(h.T, dy, out=dW4)
        np.matmul(dy, W4.T, out=h)
        np.matmul(x.T, h, out=dW1)


def parts(images):
    """Seconds an epoch of each part, on its own, as one of two processes has it: half of each minibatch, half of Adam."""
    steps, rng, pair = -(-len(images) // BATCH), np.random.default_rng(0), Pair(2)
    params = init_params(VAEConfig(), rng)
    adam, g = Adam(params.vector), rng.random(params.vector.size, dtype=np.float32)
    half, part = pair.part(BATCH), pair.part(g.size)
    x, logits = pixels(images[:BATCH], "none", rng, half), 3 * rng.standard_normal((BATCH // 2, 784), dtype=np.float32)
    order, dy = rng.permutation(len(images))[:BATCH], np.full(BATCH // 2, -1 / BATCH, np.float32)
    hidden = rng.standard_normal((BATCH // 2, 400), dtype=np.float32)

    def activations():  # both hidden layers, forward and backward
        for _ in range(2):
            y, cache = layers.relu(hidden)
            layers.relu_backward(y, cache)

    return {"products": seconds(lambda: products(steps, BATCH // 2)),
            "likelihood and its gradient": steps * seconds(lambda: (bernoulli.log_prob(x, logits),
                                                                    bernoulli.log_prob_backward(dy, x, logits)), 200),
            "activations": steps * seconds(activations, 200),
            "Adam": steps * seconds(lambda: adam.step(params.vector, g, part), 200),
            "batches and noise": steps * seconds(lambda: (pixels(images[order], "none", rng, half),
                                                          rng.standard_normal((BATCH, 20), dtype=np.float32)), 200)}


def around(data):
    """What stands around an epoch, a line each."""
    def median(function, repeat):
        return statistics.median(seconds(function) for _ in range(repeat))

    params, x = init_params(VAEConfig(), rng := np.random.default_rng(0)), rng.random((50, 784), dtype=np.float32)
    weights = 400 / median(lambda: log_marginal(params, x, VAEConfig(), 400, rng), 5) * len(x)
    yield "an epoch on the sample", f"{epoch_seconds(SAMPLE):.2f} s", "the second of 2"
    yield "loading and checking MNIST", f"{median(lambda: load_images(data), 5):.2f} s", "median of 5"
    yield "python -m numpyvae --help", f"{median(lambda: run(None, '-m', 'numpyvae', '--help'), 9):.2f} s", "median of 9"
    yield "import numpyvae.training.loop", f"{median(lambda: run(None, '-c', 'import numpyvae.training.loop'), 9):.2f} s", "median of 9"
    yield "importance weights a second", f"{weights:,.0f}", "median of 5 x 20,000"
    for count in (1, 2):
        yield f"peak memory of {count} process{'es' * (count - 1)}", f"{peak_memory(data, count):.0f} MB", "one run of 1 epoch"


def peak_memory(data, processes):
    """MB of training, the whole command; what two processes share is counted once. Looked up 50 times a second."""
    with tempfile.TemporaryDirectory() as out:
        training = subprocess.Popen([sys.executable, "-m", "numpyvae", "train", "--quiet", "--data", data, "--epochs", "1",
                                     "--out", out, "--processes", str(processes)])
        peak = 0
        while training.poll() is None:
            try:
                children = Path(f"/proc/{training.pid}/task/{training.pid}/children").read_text().split()
                peak = max(peak, sum(map(proportional, [training.pid, *children])))
            except (FileNotFoundError, ProcessLookupError):  # one has ended meanwhile
                pass
            time.sleep(0.02)
        return peak / 1024


def proportional(process):
    """kB of memory, that which it shares with others counted in proportion"""
    return sum(int(line.split()[1]) for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
               if line.startswith("Pss:"))


def reported_seconds(*command, threads=None):
    """The seconds in the last line of a program's output"""
    return json.loads(run(threads, *command).splitlines()[-1])["seconds"]


def contenders(data, peers):
    runs = {"numpyvae": lambda: epoch_seconds(data),
            "floor": lambda: reported_seconds(__file__, "--data", data, "--floor")}
    if peers:
        runs |= {"jax, jit": lambda: reported_seconds(peers / "jax_vae.py", "--epochs", 2, "--data", data),
                 "torch, fast": lambda: reported_seconds(peers / "torch_vae.py", "--epochs", 2, "--data", data),
                 "torch, example": lambda: reported_seconds(peers / "torch_vae.py", "--epochs", 2, "--data", data, "--variant", "example")}
    return runs | {"numpyvae, 1 process": lambda: epoch_seconds(data, "--processes", 1)}


def scaling(data):
    """A line for each size: seconds an epoch and the ratio to its own floor, with one core, with two for BLAS, in two processes"""
    for batch, hidden in [(32, 400), (128, 400), (512, 400), (1024, 400), (128, 100), (128, 1600)]:
        cells = []
        for threads, processes in [(1, 1), (2, 1), (1, 2)]:
            took = epoch_seconds(data, "--batch-size", batch, "--hidden", hidden, "--processes", processes, epochs=1, threads=threads)
            floor = reported_seconds(__file__, "--data", data, "--floor", "--batch", batch, "--hidden", hidden, threads=threads * processes)
            cells.append(f"{took:7.2f} {took / floor:6.2f}")
        yield f"{batch:7} {hidden:7}   {'   '.join(cells)}"


def summary(values, digits=2):
    return "  ".join(f"{f(values):7.{digits}f}" for f in (min, statistics.median, max))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="directory of MNIST's IDX files")
    ap.add_argument("--peers", type=Path, help="directory of torch_vae.py and jax_vae.py; needs torch and jax installed")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--scaling", action="store_true", help="how cost grows with batch, hidden size and cores instead")
    for name, default in {"batch": BATCH, "hidden": 400}.items():
        ap.add_argument("--" + name, type=int, default=default, help=argparse.SUPPRESS)
    ap.add_argument("--parts", action="store_true", help=argparse.SUPPRESS)
    ap.add_argument("--floor", action="store_true", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.floor or args.parts:
        images, _ = load_mnist(args.data, "train")
    if args.floor:
        products(50, args.batch, args.hidden)
        print(json.dumps({"seconds": seconds(lambda: products(-(-len(images) // args.batch), args.batch, args.hidden))}))
    elif args.parts:
        print(json.dumps(parts(images)))
    elif args.scaling:
        print("                     1 core           2 for BLAS       2 processes")
        print("  batch  hidden   seconds  ratio   seconds  ratio   seconds  ratio   (of an epoch; to its own floor)")
        for line in scaling(args.data):
            print(line, flush=True)
    else:
        print("an epoch in parts, each alone, as one of two processes has them: half of each minibatch, half of Adam")
        for name, took in json.loads(run(1, __file__, "--data", args.data, "--parts")).items():
            print(f"  {name:30} {took:6.2f} s")
        runs = contenders(args.data, args.peers)
        times = {name: [] for name in runs}
        for _ in range(args.rounds):
            for name, epoch in runs.items():
                times[name].append(epoch())
        print()
        for line in around(args.data):
            print("  {:30} {:>12}   {}".format(*line))
        print(f"\n{'an epoch, seconds':22} {'min':>7}  {'median':>7}  {'max':>7}      {'numpyvae over it: min, median, max':>20}")
        for name, took in times.items():
            ratios = [ours / theirs for ours, theirs in zip(times["numpyvae"], took)]
            print(f"  {name:20} {summary(took)}      {summary(ratios)}")


if __name__ == "__main__":
    main()
