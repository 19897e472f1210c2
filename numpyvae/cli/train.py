"""train: start or resume a run, log, stop cleanly. The lines of the log are an interface: scripts parse them."""

import shlex
import signal
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

from ..settings import PRESETS
from ..training.threads import set_environment
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
    parser.add_argument("--processes", type=integer(1), metavar="N",
                        help="split each step between N processes (default: 2 on Linux with 2 cores or more, else 1)")
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
    set_environment()  # before NumPy is imported
    log = (lambda text: None) if args.quiet else console.line
    current, images, test_images = resumed_run(args, log) if args.resume is not None else new_run(args, log)

    from ..runs.report import FILE, write_report

    if len(current.state.history) < current.options.epochs:
        processes = choose_processes(args, current, console)
        with StopFlag() as stop:
            train_run(args, current, (images, test_images), processes, stop, console, log)
        if stop.received:
            console.warn(f"saved; resume with `numpyvae train --resume {shlex.quote(str(current.directory))}`")
            return 128 + stop.received
        write_report(current)
        log(f"Wrote {current.directory}: report.html, samples.png, reconstructions.png, curve.svg, log.csv, checkpoint.npz")
        return 0
    if not (current.directory / FILE).exists():  # killed between the last epoch and its report
        write_report(current)
        log(f"Wrote {current.directory / FILE}")
    log(f"{args.resume} has finished its {current.options.epochs} epochs; raise --epochs to continue")
    return 0


def train_run(args: Namespace, current, data: tuple, processes: int, stop: "StopFlag", console: Console, log) -> None:
    """Train to the last epoch, or until a signal: log, save after each epoch, and save the batch that is interrupted."""
    import numpy as np

    from ..training.loop import train

    (images, test_images), options = data, current.options
    batches = -(-len(images) // options.batch_size)

    def after_batch(state, loss):
        done = state.batches_done - 1
        if done % args.log_interval == 0:
            log(f"Train Epoch: {state.epoch} [{done * options.batch_size}/{len(images)} ({100 * done / batches:.0f}%)]"
                f"\tLoss: {loss:.6f}")
        if stop.received or args.checkpoint_every and state.batches_done % args.checkpoint_every == 0:
            current.save()
        return stop.received > 0

    def after_epoch(state):
        current.check_finite(tested=True)
        current.write_images(test_images)
        current.save()  # last: see runs/run.py
        row = state.history[-1]
        log(f"===== Epoch: {row['epoch']} Average loss: {row['train_loss']:.4f} =====")
        log(f"===== Test set loss: {row['test_loss']:.4f} (reconstruction {row['reconstruction']:.4f}, KL {row['kl']:.4f}) =====")
        return stop.received > 0 and row["epoch"] < options.epochs

    with np.errstate(over="ignore", invalid="ignore"):  # a test loss that is not finite is reported by check_finite
        train(images, test_images, current.config, options, state=current.state, processes=processes,
              after_batch=after_batch, after_epoch=after_epoch, progress=console.progress)


def new_run(args: Namespace, log):
    """(run, training images, test images) of a new run, saved in its directory. The data is loaded first."""
    from ..data.mnist import find_data_directory
    from ..runs.run import Run
    from ..runs.source import DataSource
    from ..settings import TrainingOptions, VAEConfig
    from ..training.state import initial_state

    model, training = split_settings({**PRESETS.get(args.preset, {}), **given_settings(args)})
    options = TrainingOptions(**training)
    source, images, test_images = DataSource.open(find_data_directory(args.data))
    config = VAEConfig(input_dim=images[0].size, **model)
    current = Run.create(config, options, source, initial_state(images, config, options), args.out)
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
    done = len(current.state.history)
    if epochs < done:
        raise ValueError(f"--epochs {epochs}: {args.resume} has {done} already")
    if epochs != current.options.epochs and (current.options.schedule != "constant" or current.options.decay_epochs):
        raise ValueError(f"--epochs {epochs}: the schedule of {args.resume} is defined for {current.options.epochs}")
    current.options = replace(current.options, epochs=epochs)
    current.source, images, test_images = current.source.load(args.data, args.resume)
    if done < epochs:
        current.write_log()
        batch = 1 if current.state.rng is None else current.state.batches_done + 1
        log(f"Resuming {current.directory} at epoch {done + 1}, batch {batch}, on {current.source}")
    return current, images, test_images


def start_message(source, images, test_images) -> str:
    """The first line of the log: the data, and where to get all of MNIST if this is the sample of it."""
    if Path(source.path).name == "sample":
        return (f"Training on the sample in {source}: {len(images):,} digits of MNIST, {len(test_images):,} to test. "
                "For all of MNIST: numpyvae download")
    return f"Training on {source}: {len(images):,} images, {len(test_images):,} to test."


def choose_processes(args: Namespace, current, console: Console) -> int:
    """The number of processes: --processes, else that of the run, else what is fastest. It becomes part of the run.

    One line says what differs from the conditions that the run was trained under: it has other last digits then.
    """
    from ..training.threads import check_processes, default_processes, describe

    recorded = current.conditions.get("processes")
    processes = args.processes or recorded or default_processes()
    check_processes(processes)
    now = describe(processes)
    changed = [f"{name} {printable_value(current.conditions[name])} -> {printable_value(value)}"
               for name, value in now.items() if name in current.conditions and current.conditions[name] != value]
    if changed:
        console.warn(f"results can differ in their last digits from an uninterrupted run: {'; '.join(changed)}")
    current.conditions = now
    return processes


def printable_value(value) -> str:
    """A recorded condition as text: a list by its last entries, which are the latest instructions of a processor."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


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
