"""How long does an epoch take, where does the time go, and how does that compare?

    python tests/benchmark/training.py --data data/mnist
    python tests/benchmark/training.py --data data/mnist --rounds 5 --peers DIR

An epoch is one pass of the default model (784-400-20-400-784, batch 128, float32) over all training images, the last
partial batch included; scoring, pictures and checkpoints are left out. The floor is the epoch's five large matrix
products alone. DIR holds torch_vae.py and jax_vae.py, the same model in frameworks; each contender runs two epochs in a
process of its own, the second one counts, and the rounds are interleaved, because a machine's speed drifts. Seconds
mean nothing beyond the machine and the minute: read the ratios.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from numpyvae import bernoulli, layers
from numpyvae.adam import Adam
from numpyvae.bounds import log_marginal
from numpyvae.mnist import load_images, load_mnist
from numpyvae.training import Options, pixels, train
from numpyvae.vae import VAEConfig, init_params

BATCH = 128


def seconds(function, repeat=1):
    began = time.perf_counter()
    for _ in range(repeat):
        function()
    return (time.perf_counter() - began) / repeat


def epoch_seconds(images, config=VAEConfig(), batch_size=BATCH, epochs=2):
    """The last epoch's time, as the training loop itself counts it."""
    state = train(images, images[:1], config, Options(epochs=epochs, batch_size=batch_size))
    return state.history[-1]["seconds"]


def products(steps, batch=BATCH, hidden=400):
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
    """Seconds an epoch of each part, on its own."""
    steps, rng = -(-len(images) // BATCH), np.random.default_rng(0)
    params = init_params(VAEConfig(), rng)
    adam, g = Adam(params.vector), rng.random(params.vector.size, dtype=np.float32)
    x, logits = pixels(images[:BATCH], "none", rng), 3 * rng.standard_normal((BATCH, 784), dtype=np.float32)
    order, dy = rng.permutation(len(images))[:BATCH], np.full(BATCH, -1 / BATCH, np.float32)
    hidden = rng.standard_normal((BATCH, 400), dtype=np.float32)

    def activations():  # both hidden layers, forward and backward
        for _ in range(2):
            y, cache = layers.relu(hidden)
            layers.relu_backward(y, cache)

    return {"products (the floor)": seconds(lambda: products(steps)),
            "likelihood and its gradient": steps * seconds(lambda: (bernoulli.log_likelihood(x, logits),
                                                                    bernoulli.log_likelihood_backward(dy, x, logits)), 200),
            "activations": steps * seconds(activations, 200),
            "Adam": steps * seconds(lambda: adam.step(params.vector, g), 200),
            "batches and noise": steps * seconds(lambda: (pixels(images[order], "none", rng),
                                                          rng.standard_normal((BATCH, 20), dtype=np.float32)), 200)}


def around(data, sample):
    """What stands around an epoch, a line each."""
    def command(*words):
        return lambda: subprocess.run([sys.executable, *map(str, words)], capture_output=True, check=True)

    def median(function, repeat):
        return statistics.median(seconds(function) for _ in range(repeat))

    params, x = init_params(VAEConfig(), rng := np.random.default_rng(0)), rng.random((50, 784), dtype=np.float32)
    weights = 400 / median(lambda: log_marginal(params, x, VAEConfig(), 400, rng), 5) * len(x)
    sample_images, _ = load_mnist(sample, "train")
    yield "an epoch on the sample", f"{epoch_seconds(sample_images):.2f} s", "the second of 2"
    yield "loading and checking MNIST", f"{median(lambda: load_images(data), 5):.2f} s", "median of 5"
    yield "python -m numpyvae --help", f"{median(command('-m', 'numpyvae', '--help'), 9):.2f} s", "median of 9"
    yield "import numpyvae.training", f"{median(command('-c', 'import numpyvae.training'), 9):.2f} s", "median of 9"
    yield "importance weights a second", f"{weights:,.0f}", "median of 5 x 20,000"
    yield "peak memory of training", f"{second_epoch(__file__, '--data', data, '--memory', key='megabytes'):.0f} MB", "one run of 1 epoch"


def second_epoch(*command, key="seconds"):
    """A figure of the last line of a contender's output: its second epoch's seconds, unless told otherwise"""
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])[key]


def contenders(data, peers):
    runs = {"numpyvae": lambda: second_epoch(__file__, "--data", data, "--one"),
            "floor": lambda: second_epoch(__file__, "--data", data, "--floor")}
    if peers:
        runs |= {"jax, jit": lambda: second_epoch(peers / "jax_vae.py", "--epochs", 2, "--data", data),
                 "torch, fast": lambda: second_epoch(peers / "torch_vae.py", "--epochs", 2, "--data", data),
                 "torch, example": lambda: second_epoch(peers / "torch_vae.py", "--epochs", 2, "--data", data, "--variant", "example")}
    return runs


def summary(values, digits=2):
    return "  ".join(f"{f(values):7.{digits}f}" for f in (min, statistics.median, max))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="directory of MNIST's IDX files")
    ap.add_argument("--peers", type=Path, help="directory of torch_vae.py and jax_vae.py; needs torch and jax installed")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--scaling", action="store_true", help="how cost grows with batch and hidden size instead")
    ap.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    ap.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    ap.add_argument("--floor", action="store_true", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.memory:
        images, test_images = load_images(args.data)
        train(images, test_images, VAEConfig(), Options(epochs=1))
        print(json.dumps({"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    images, _ = load_mnist(args.data, "train")
    steps = -(-len(images) // BATCH)
    if args.one:
        print(json.dumps({"seconds": epoch_seconds(images)}))
    elif args.floor:
        products(50)
        print(json.dumps({"seconds": seconds(lambda: products(steps))}))
    elif args.scaling:
        print("threads", os.environ.get("OPENBLAS_NUM_THREADS", "default"), "   seconds an epoch; ratio to its own floor")
        for batch, hidden in [(32, 400), (128, 100), (128, 400), (128, 1600), (1024, 400)]:
            took = epoch_seconds(images, VAEConfig(hidden=(hidden,)), batch, epochs=1)
            floor = seconds(lambda: products(-(-len(images) // batch), batch, hidden))
            print(f"batch {batch:5}   hidden {hidden:5}   {took:7.2f}   {took / floor:5.2f}")
    else:
        print(f"an epoch of {len(images):,} images in parts, each alone")
        for name, took in parts(images).items():
            print(f"  {name:30} {took:6.2f} s")
        runs = contenders(args.data, args.peers)
        times = {name: [] for name in runs}
        for _ in range(args.rounds):
            for name, run in runs.items():
                times[name].append(run())
        print()
        for line in around(args.data, Path(__file__).parents[2] / "data" / "sample"):
            print("  {:30} {:>12}   {}".format(*line))
        print(f"\n{'an epoch, seconds':22} {'min':>7}  {'median':>7}  {'max':>7}      {'numpyvae over it: min, median, max':>20}")
        for name, took in times.items():
            ratios = [ours / theirs for ours, theirs in zip(times["numpyvae"], took)]
            print(f"  {name:20} {summary(took)}      {summary(ratios)}")


if __name__ == "__main__":
    main()
