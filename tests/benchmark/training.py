"""How long does an epoch take, where does the time go, and how does that compare?

    python tests/benchmark/training.py --data data/mnist
    python tests/benchmark/training.py --data data/mnist --rounds 5 --peers DIR
    python tests/benchmark/training.py --data data/mnist --scaling

An epoch is one pass of the default model (784-400-20-400-784, batch 128, float32) over
all training images, the last partial batch included, as `numpyvae train` writes its
seconds into log.csv: evaluation, images and checkpoints are left out. The floor is the
epoch's five large matrix products alone, on as many cores. DIR holds torch_vae.py and
jax_vae.py: the same model in PyTorch and JAX, which print a JSON line with "seconds"
per epoch. Each contender runs two epochs in a process of its own and the second one
counts. The rounds are interleaved, because a machine's speed drifts.

Where the environment holds OpenBLAS to an older kernel (OPENBLAS_CORETYPE,
OPENBLAS_L2_SIZE), --free-kernel removes that for the programs that are measured.
Seconds mean nothing beyond the machine and the minute: read the ratios.
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

from numpyvae.data import Dataset, load_mnist
from numpyvae.data.pixels import to_input
from numpyvae.settings import VAEConfig
from numpyvae.training.parallel.threads import (
    available_cores,
    describe,
    limited_blas_threads,
)
from numpyvae.vae import Adam, bernoulli, init_params, layers, log_marginal

BATCH = 128
SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def seconds(function, repeat=1):
    started = time.perf_counter()
    for _ in range(repeat):
        function()
    return (time.perf_counter() - started) / repeat


def median(function, repeat):
    return statistics.median(seconds(function) for _ in range(repeat))


# Programs


def run(*words, threads=1):
    """A Python program's output, run in a process of its own"""
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    ).stdout


def log_rows(data, *options, epochs=2):
    """The rows of log.csv, and the seconds that the command took in all"""
    with tempfile.TemporaryDirectory() as parent:
        out, started = Path(parent, "run"), time.perf_counter()
        run(
            "-m",
            "numpyvae",
            "train",
            "--quiet",
            "--data",
            data,
            "--epochs",
            epochs,
            "--out",
            out,
            *options,
        )
        took = time.perf_counter() - started
        with open(out / "log.csv") as log:
            return list(csv.DictReader(log)), took


def epoch_seconds(data, *options, epochs=2):
    return float(log_rows(data, *options, epochs=epochs)[0][-1]["seconds"])


def reported_seconds(*command, threads=1):
    """ "seconds" in the last line of a program's output"""
    return json.loads(run(*command, threads=threads).splitlines()[-1])["seconds"]


# The floor and the parts


def products(steps, batch=BATCH, hidden=400, samples=1):
    """The five large matrix products of a step, `steps` times; the decoder's for every
    sample.
    """
    rng = np.random.default_rng(0)
    x, h = rng.random((batch, 784), np.float32), rng.random((batch, hidden), np.float32)
    dy = rng.random((batch * samples, 784), np.float32)
    hz = rng.random((batch * samples, hidden), np.float32)
    W1 = rng.random((784, hidden), np.float32)
    W4 = rng.random((hidden, 784), np.float32)
    y, dW1, dW4 = np.empty_like(dy), np.empty_like(W1), np.empty_like(W4)
    for _ in range(steps):
        np.matmul(x, W1, out=h)
        np.matmul(hz, W4, out=y)
        np.matmul(hz.T, dy, out=dW4)
        np.matmul(dy, W4.T, out=hz)
        np.matmul(x.T, h, out=dW1)


def parts(images):
    """Seconds per epoch of each part alone, as one of two processes has it: half of
    each minibatch, half of Adam.
    """
    steps, rng, half = -(-len(images) // BATCH), np.random.default_rng(0), BATCH // 2
    params = init_params(VAEConfig(), rng)
    adam, g = Adam(params.vector), rng.random(params.vector.size, dtype=np.float32)
    shard = slice(0, g.size // 2)
    x = to_input(images[:half], "none", rng)
    logits = 3 * rng.standard_normal((half, 784), dtype=np.float32)
    order = rng.permutation(len(images))[:BATCH]
    dy = np.full(half, -1 / BATCH, np.float32)
    hidden = rng.standard_normal((half, 400), dtype=np.float32)

    def activations():  # both hidden layers, forward and backward
        for _ in range(2):
            y, cache = layers.relu(hidden)
            layers.relu_backward(y, cache)

    def likelihood():
        bernoulli.log_prob(x, logits)
        bernoulli.log_prob_backward(dy, x, logits)

    def batch():  # by rank 0 alone
        to_input(images[order], "none", rng)
        rng.standard_normal((BATCH, 20), dtype=np.float32)

    return {
        "products": seconds(lambda: products(steps, half)),
        "likelihood and its gradient": steps * seconds(likelihood, 200),
        "activations": steps * seconds(activations, 200),
        "Adam": steps * seconds(lambda: adam.step(params.vector, g, shard), 200),
        "batches and noise": steps * seconds(batch, 200),
    }


# Tables


def around(data):
    """What stands around an epoch, one line each"""
    params = init_params(VAEConfig(), np.random.default_rng(0))
    rng = np.random.default_rng(0)
    x = rng.random((50, 784), dtype=np.float32)
    with limited_blas_threads():
        weights = (
            400
            / median(lambda: log_marginal(params, x, VAEConfig(), 400, rng), 5)
            * len(x)
        )
    (short, one), (long, five) = (log_rows(data, epochs=n) for n in (1, 5))
    in_epochs = sum(float(row["seconds"]) for row in long) - float(short[0]["seconds"])
    beside = (five - one - in_epochs) / 4
    yield "an epoch on the sample", f"{epoch_seconds(SAMPLE):.2f} s", "the second of 2"
    yield (
        "evaluation, images, checkpoint",
        f"{beside:.2f} s",
        "per epoch, beside its seconds",
    )
    yield (
        "loading and checking MNIST",
        f"{median(lambda: Dataset.open(data), 5):.2f} s",
        "median of 5",
    )
    yield (
        "python -m numpyvae --help",
        f"{median(lambda: run('-m', 'numpyvae', '--help'), 9):.2f} s",
        "median of 9",
    )
    yield (
        "importance weights per second",
        f"{weights:,.0f}",
        "one thread, median of 5 x 20,000",
    )
    for samples in (1, 5, 50):
        took = epoch_seconds(
            SAMPLE, "--objective", "iwae", "--samples", samples, epochs=1
        )
        yield (
            f"milliseconds per image, K = {samples}",
            f"{took / 9:.3f}",
            "an epoch on the sample",
        )
    for count in (1, 2):
        yield (
            f"peak memory, {count} process{'es' * (count - 1)}",
            f"{peak_memory(data, count):.0f} MB",
            "1 epoch",
        )


def peak_memory(data, processes):
    """MB of the whole command; shared memory is counted once. Looked up 50 times per
    second.
    """
    with tempfile.TemporaryDirectory() as parent:
        command = [
            sys.executable,
            "-m",
            "numpyvae",
            "train",
            "--quiet",
            "--data",
            data,
            "--epochs",
            "1",
            "--out",
            str(Path(parent, "run")),
            "--processes",
            str(processes),
        ]
        training, peak = subprocess.Popen(command), 0
        while training.poll() is None:
            try:
                children = (
                    Path(f"/proc/{training.pid}/task/{training.pid}/children")
                    .read_text()
                    .split()
                )
                peak = max(peak, sum(map(proportional, [training.pid, *children])))
            except (FileNotFoundError, ProcessLookupError):  # one has ended meanwhile
                pass
            time.sleep(0.02)
        return peak / 1024


def proportional(process):
    """kB of memory; what is shared with others is counted in proportion"""
    return sum(
        int(line.split()[1])
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )


def contenders(data, peers):
    def peer(*command):
        return lambda: reported_seconds(
            peers / command[0],
            "--epochs",
            2,
            "--data",
            data,
            *command[1:],
            threads=available_cores(),
        )

    floor = [Path(__file__), "--data", data, "--floor"]
    runs = {
        "numpyvae": lambda: epoch_seconds(data),
        "floor": lambda: reported_seconds(*floor, threads=available_cores()),
    }
    if peers:
        runs |= {
            "jax, jit": peer("jax_vae.py"),
            "torch, fast": peer("torch_vae.py"),
            "torch, example": peer("torch_vae.py", "--variant", "example"),
        }
    return runs | {
        "numpyvae, 1 process": lambda: epoch_seconds(data, "--processes", 1),
        "floor, 1 core": lambda: reported_seconds(*floor),
    }


def scaling(data):
    """A line per size: seconds per epoch and the ratio to its own floor, with one
    process and with two
    """
    for batch, hidden, samples in [
        (32, 400, 1),
        (128, 400, 1),
        (512, 400, 1),
        (1024, 400, 1),
        (128, 100, 1),
        (128, 1600, 1),
        (128, 400, 5),
    ]:
        size = ["--batch", batch, "--hidden", hidden, "--samples", samples]
        cells = []
        for processes in (1, 2):
            took = epoch_seconds(
                data,
                "--batch-size",
                batch,
                "--hidden",
                hidden,
                "--samples",
                samples,
                "--processes",
                processes,
                epochs=1,
            )
            floor = reported_seconds(
                __file__, "--data", data, "--floor", *size, threads=processes
            )
            cells.append(f"{took:7.2f} {took / floor:6.2f}")
        yield f"{batch:7} {hidden:7} {samples:7}   {'   '.join(cells)}"


def more_cores(images):
    """Seconds per epoch with N processes, computed: one worker's shard alone, measured,
    and the barriers, measured
    """
    barrier = float(run("-c", BARRIER))
    for count in (1, 2, 4, 8):
        half = max(1, BATCH // count)
        alone = shard_seconds(images, half, count)
        steps = -(-len(images) // BATCH)
        yield f"{count:7}   {steps * alone:7.2f}   {steps * (alone + (count > 1) * 3 * barrier):7.2f}"


BARRIER = """
import time
from numpyvae.training.parallel.processes import ProcessGroup
def work(group):
    while True: group.barrier()
with ProcessGroup(2, work) as group:
    for _ in range(200): group.barrier()
    started = time.perf_counter()
    for _ in range(2000): group.barrier()
    print((time.perf_counter() - started) / 2000)
"""


def shard_seconds(images, n, count):
    """One rank's part of a step: forward and backward on n images, count − 1 additions,
    its shard of Adam
    """
    from numpyvae.vae import negative_elbo, negative_elbo_backward

    config, rng = VAEConfig(), np.random.default_rng(0)
    params = init_params(config, rng)
    adam, x = Adam(params.vector), to_input(images[:n], "none", rng)
    eps = rng.standard_normal((1, n, 20), dtype=np.float32)
    shard = slice(0, params.vector.size // count)
    other = np.zeros_like(params.vector)

    def part():
        grads = negative_elbo_backward(negative_elbo(params, x, eps, config)[1])
        for _ in range(count - 1):
            grads.vector[shard] += other[shard]
        adam.step(params.vector, grads.vector, shard)

    return median(lambda: seconds(part, 20), 9) / 20


def summary(values, digits=2):
    return "  ".join(f"{f(values):7.{digits}f}" for f in (min, statistics.median, max))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="directory of MNIST's IDX files")
    parser.add_argument(
        "--peers",
        type=Path,
        help="directory of torch_vae.py and jax_vae.py; needs torch and jax",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--free-kernel", action="store_true", help="let OpenBLAS choose its kernel"
    )
    parser.add_argument(
        "--scaling",
        action="store_true",
        help="how cost grows with batch, width, samples and cores instead",
    )
    for name, default in {"batch": BATCH, "hidden": 400, "samples": 1}.items():
        parser.add_argument(
            "--" + name, type=int, default=default, help=argparse.SUPPRESS
        )
    for name in ("--parts", "--floor", "--cores"):
        parser.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peers and not (args.peers / "torch_vae.py").is_file():
        parser.error(f"--peers {args.peers}: there is no torch_vae.py")
    if args.free_kernel and any(
        name in os.environ for name in PINS
    ):  # in a new process, before NumPy is loaded
        environment = {
            name: value for name, value in os.environ.items() if name not in PINS
        }
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    if args.floor or args.parts or args.cores:
        images, _ = load_mnist(args.data, "train")
    if args.floor:
        size = args.batch, args.hidden, args.samples
        products(50, *size)
        print(
            json.dumps(
                {
                    "seconds": seconds(
                        lambda: products(-(-len(images) // args.batch), *size)
                    )
                }
            )
        )
        return
    if args.parts:
        print(json.dumps(parts(images)))
        return
    if args.cores:
        print(*more_cores(images), sep="\n")
        return
    machine = describe(2)
    print(
        f"{machine['blas']}; NumPy {machine['numpy']} with {' '.join(machine['cpu_features'])}; {available_cores()} cores\n"
    )
    if args.scaling:
        print("                              1 process         2 processes")
        print(
            "  batch  hidden samples   seconds  ratio   seconds  ratio   (per epoch; to its own floor)"
        )
        for line in scaling(args.data):
            print(line, flush=True)
        print(
            "\n  cores   a shard alone   with barriers   (seconds per epoch, computed from one shard and one barrier)"
        )
        print(run(__file__, "--data", args.data, "--cores"), end="")
        return
    print(
        "an epoch in parts, each alone, as one of two processes has it: half of each minibatch, half of Adam"
    )
    for name, took in json.loads(run(__file__, "--data", args.data, "--parts")).items():
        print(f"  {name:30} {took:6.2f} s")
    runs = contenders(args.data, args.peers)
    times = {name: [] for name in runs}
    for _ in range(args.rounds):
        for name, epoch in runs.items():
            times[name].append(epoch())
    print()
    for line in around(args.data):
        print("  {:32} {:>10}   {}".format(*line))
    print(
        f"\n{'an epoch, seconds':22} {'min':>7}  {'median':>7}  {'max':>7}      numpyvae over it: min, median, max"
    )
    for name, took in times.items():
        ratios = [
            ours / theirs for ours, theirs in zip(times["numpyvae"], took, strict=True)
        ]
        print(f"  {name:20} {summary(took)}      {summary(ratios)}")


if __name__ == "__main__":
    main()
