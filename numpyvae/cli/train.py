"""train: start or resume a run, log, stop cleanly. The lines of the log are an interface: scripts parse them."""

import os
import shlex
import signal
import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

from ..settings import PRESETS
from .arguments import add_settings, given_settings, integer, split_settings
from .console import Console

HELP = "train a model; without options, on the sample of MNIST in data/sample"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", help="directory of IDX files (default: $NUMPYVAE_DATA, data/mnist, data/sample)")
    parser.add_argument("--out", metavar="DIR", help="output directory, new or empty (default: runs/NNN, the next free number)")
    parser.add_argument("--resume", metavar="RUN", help="resume an interrupted run, or continue it with more --epochs")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="burda: the settings of Burda et al. 2016; other options override them")
    add_settings(parser)
    parser.add_argument("--checkpoint-every", type=integer(1), metavar="N", help="also save every N batches (default: every epoch only)")
    parser.add_argument("--log-interval", type=integer(1), default=100, metavar="N", help="a log line every N batches (default: 100)")
    parser.add_argument("--processes", type=int, choices=(1, 2),
                        help="split each step between two processes (default: 2 on Linux with 2 cores or more, else 1)")
    parser.add_argument("--quiet", action="store_true", help="no log on standard output")


def run(args: Namespace, console: Console) -> int:
    """Train a model. Writes log.csv, checkpoint.npz, samples.png, reconstructions.png, curve.svg and
    report.html into the directory of the run.

    examples:
      numpyvae train                                 30 epochs on the sample, in less than half a minute
      numpyvae train --data data/mnist --epochs 29   on all of MNIST
      numpyvae train --hidden 400 200 --latent 2     two hidden layers, two latents
      numpyvae train --resume runs/001 --epochs 60   continue a run
    """
    processes = choose_processes(args.processes)

    from ..runs import report
    from ..training.loop import train

    log = (lambda text: None) if args.quiet else console.line
    current, images, test_images = resumed_run(args, log) if args.resume is not None else new_run(args, log)
    options = current.options
    if current.state.epoch > options.epochs:
        log(f"{args.resume} has finished its {options.epochs} epochs; raise --epochs to continue")
        return 0
    batches = -(-len(images) // options.batch_size)
    stop = StopFlag()

    def after_batch(state, loss):
        done = state.batch - 1
        if done % args.log_interval == 0:
            log(f"Train Epoch: {state.epoch} [{done * options.batch_size}/{len(images)} ({100 * done / batches:.0f}%)]"
                f"\tLoss: {loss:.6f}")
        console.progress(((state.epoch - 1) * batches + state.batch) * options.batch_size,
                         options.epochs * batches * options.batch_size, "images")
        if stop.received or args.checkpoint_every and state.batch % args.checkpoint_every == 0:
            current.save()
        if stop.received:
            raise Stopped

    def after_epoch(state):
        row = state.history[-1]
        current.check_finite()
        current.write_images(test_images)
        current.save()  # last: see runs/run.py
        log(f"===== Epoch: {row['epoch']} Average loss: {row['train_loss']:.4f} =====")
        log(f"===== Test set loss: {row['test_loss']:.4f} (reconstruction {row['reconstruction']:.4f}, KL {row['kl']:.4f}) =====")

    try:
        with stop:
            train(images, test_images, current.config, options, state=current.state, processes=processes,
                  after_batch=after_batch, after_epoch=after_epoch)
    except Stopped:
        console.warn(f"saved; resume with `numpyvae train --resume {shlex.quote(str(current.directory))}`")
        return 128 + stop.received
    report.write(current)
    log(f"Wrote {current.directory}: report.html, samples.png, reconstructions.png, curve.svg, log.csv, checkpoint.npz")
    return 0


def new_run(args: Namespace, log):
    """(run, training images, test images) of a new run, saved in its directory. The data is loaded first."""
    from ..data.mnist import find_data
    from ..runs.run import Run
    from ..runs.source import DataSource
    from ..settings import TrainingOptions, VAEConfig
    from ..training.loop import start

    model, training = split_settings({**PRESETS.get(args.preset, {}), **given_settings(args)})
    options = TrainingOptions(**training)
    source, images, test_images = DataSource.open(find_data(args.data))
    config = VAEConfig(input_dim=images[0].size, **model)
    current = Run.create(config, options, source, start(images, config, options), args.out)
    log(start_message(source, images, test_images))
    if args.preset:
        used = {**vars(config), **vars(options)}
        log(f"Preset {args.preset}: " + ", ".join(f"{name} {used[name]}" for name in PRESETS[args.preset]))
    return current, images, test_images


def resumed_run(args: Namespace, log):
    """(run, training images, test images) of --resume; other options must match the run, except for more epochs."""
    from dataclasses import replace

    from ..runs.run import CHECKPOINT, Run
    from ..settings import flag, flags

    if args.out is not None or args.preset is not None:
        raise ValueError("--resume continues in the directory of the run, with its settings: it cannot be combined with --out or --preset")
    path = Path(args.resume)
    if not path.is_dir() and path.name != CHECKPOINT:
        raise ValueError(f"--resume {args.resume}: must be the directory of a run, or its {CHECKPOINT}: the run is continued "
                         f"there; to continue a copy, give it a directory of its own as DIR/{CHECKPOINT}")
    current = Run.load(path)
    given, own = given_settings(args), {**vars(current.config), **vars(current.options)}
    epochs = given.pop("epochs", current.options.epochs)
    for each in flags().values():
        if each.name in given and given[each.name] != own[each.name]:
            raise ValueError(f"{flag(each)} {given[each.name]} contradicts {args.resume}, which has {own[each.name]}")
    done = current.state.epoch - 1
    if epochs < done:
        raise ValueError(f"--epochs {epochs}: {args.resume} has {done} already")
    if epochs != current.options.epochs and (current.options.schedule != "constant" or current.options.decay_epochs):
        raise ValueError(f"--epochs {epochs}: the schedule of {args.resume} is defined for {current.options.epochs}")
    current.options = replace(current.options, epochs=epochs)
    current.source, images, test_images = current.source.load(args.data, args.resume)
    if done < epochs:
        current.write_log()
        log(f"Resuming {current.directory} at epoch {done + 1}, batch {current.state.batch + 1}, on {current.source}")
    return current, images, test_images


def start_message(source, images, test_images) -> str:
    """The first line of the log: the data, and where to get all of MNIST if this is the sample of it."""
    if Path(source.path).name == "sample":
        return (f"Training on the sample in {source}: {len(images):,} digits of MNIST, {len(test_images):,} to test. "
                "For all of MNIST: numpyvae download")
    return f"Training on {source}: {len(images):,} images, {len(test_images):,} to test."


def choose_processes(asked: int | None) -> int:
    """The requested number, or two if cores are available. Sets OMP_NUM_THREADS, which BLAS reads when NumPy is imported,
    so call this first."""
    if asked == 2 and not hasattr(os, "fork"):
        raise ValueError("--processes 2: this system cannot fork")
    processes = asked or (2 if available_cores() > 1 and sys.platform == "linux" and "numpy" not in sys.modules else 1)
    if processes == 2:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, available_cores() // 2)))
    return processes


def available_cores() -> int:
    """Number of available cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Stopped(Exception):
    """A signal asked training to stop, and it has saved."""


class StopFlag:
    """Ctrl-C and SIGTERM are deferred until the batch is done and saved. Outside the main thread, none arrives."""

    received = 0

    def __enter__(self):
        self.before = {}
        with suppress(ValueError):  # signals belong to the main thread
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self.handle)
        return self

    def handle(self, number, frame):
        self.received = number

    def __exit__(self, *exception):
        for number, handler in self.before.items():
            signal.signal(number, handler)
