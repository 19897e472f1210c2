"""train: start or resume a run, log, stop cleanly.

The lines of the log are an interface: scripts parse them.
"""

import shlex
import signal
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack

from ..training.parallel.interrupts import StopFlag
from .arguments import add_settings, integer
from .console import Console

FUNCTIONS = "functions"  # the condition that says whose functions a run is trained with
PACKAGE = "the package's"
HELP = "train a model; without options, on the sample of MNIST that comes along"
FILES = (
    "report.html, learning.png, samples.png, reconstructions.png, curve.svg, log.csv, "
    "checkpoint.npz"
)


def add_arguments(parser: ArgumentParser) -> None:
    from ..settings import PRESETS

    parser.add_argument(
        "--data",
        metavar="DIR",
        help="directory of IDX files, or what `numpyvae data` takes (default: "
        "$NUMPYVAE_DATA, data/mnist, data/sample, the installed sample)",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="output directory, new or empty (default: runs/NNN, the next free number)",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--resume",
        metavar="RUN",
        help="resume an interrupted run, or continue it with more --epochs",
    )
    start.add_argument(
        "--from",
        dest="earlier",
        metavar="RUN",
        help="warm start: begin a new run with the parameters of another of the same "
        "architecture",
    )
    parser.add_argument(
        "--keep-optimizer",
        action="store_true",
        help="with --from: also begin with its optimizer's state",
    )
    parser.add_argument(
        "--preset",
        choices=tuple(PRESETS),
        help="burda: the settings of Burda et al. 2016; other options override them",
    )
    add_settings(parser)
    parser.add_argument(
        "--conditional",
        action="store_true",
        help="tell the model the class of each image: `sample RUN --label 7` then "
        "works, best with --latent 2 to 4",
    )
    parser.add_argument(
        "--functions",
        metavar="PATH",
        help="a directory of exercises, or a file: train with its functions once they "
        "are right",
    )
    parser.add_argument(
        "--checkpoint-every",
        type=integer(1),
        metavar="N",
        help="also save every N batches (default: every epoch only)",
    )
    parser.add_argument(
        "--log-interval",
        type=integer(1),
        default=100,
        metavar="N",
        help="a log line every N batches (default: 100)",
    )
    parser.add_argument(
        "--processes",
        type=integer(1),
        metavar="N",
        help="split each step between N processes (default: 2 on Linux with 2 cores or "
        "more, else 1)",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="no log on standard output"
    )


def run(args: Namespace, console: Console) -> int:
    """Train a model. Writes report.html, learning.png, samples.png,
    reconstructions.png, curve.svg, log.csv and checkpoint.npz into the directory of the
    run.

    examples:
      numpyvae train                                 30 epochs on the sample, 15 s or more
      numpyvae train --data data/mnist --epochs 29   on all of MNIST
      numpyvae train --hidden 400 200 --latent 2     two hidden layers, two latents
      numpyvae train --resume runs/001 --epochs 60   continue a run
      numpyvae train --from runs/001 --objective iwae --samples 50   a warm start
    """
    from ..training.parallel.threads import set_environment

    set_environment()  # before NumPy is imported
    from ..runs.report import FILE, is_complete, write_report
    from ..training.history import TEST_LOSS, training_loss_name
    from ..training.parallel.threads import check_processes
    from .open_run import open_run

    if args.processes is not None:
        check_processes(args.processes)  # before there is a directory

    log = (lambda text: None) if args.quiet else console.line
    with ExitStack() as lock:  # on the run's directory, as long as this command runs
        functions = None
        if args.functions is not None:
            from ..exercises.replace import use_functions

            functions = lock.enter_context(use_functions(args.functions))
            log(functions)
        current = open_run(args, log, lock)
        if len(current.state.history) < current.options.epochs:
            name = training_loss_name(current.config, current.options)
            if name != TEST_LOSS:
                log(f"Training loss: {name}. Test loss: {TEST_LOSS}.")
            return train_run(args, current, functions, console, log)
        directory = current.require_directory()
        if not is_complete(directory):
            # killed between the last epoch and its report
            write_report(current)
            log(f"Wrote {directory / FILE}")
        log(
            f"{args.resume} has finished its {current.options.epochs} epochs; "
            "raise --epochs to continue"
        )
        return 0


def train_run(
    args: Namespace, current, functions: str | None, console: Console, log
) -> int:
    """Train to the last epoch, or until a signal; write the report.

    Returns the exit status.
    """
    from ..runs.report import FAILURE, write_report
    from ..runs.run import Run
    from ..training.step import NotFiniteError

    directory = current.require_directory()
    processes = choose_processes(args, current, functions, console)
    resume = f"resume with `numpyvae train --resume {shlex.quote(str(directory))}`"
    try:
        with StopFlag(signal.SIGINT, signal.SIGTERM) as stop:
            train_epochs(args, current, processes, stop, console, log)
            write_report(current)
    except KeyboardInterrupt:  # the second one: a batch that does not end
        console.warn(f"stopped; the last checkpoint is intact; {resume}")
        return 128 + stop.received
    except NotFiniteError as error:
        # the last epoch whose parameters are finite; the next training begins with new
        # conditions
        saved = Run.load(directory)
        saved.conditions = {**current.conditions, FAILURE: str(error)}
        saved.save()
        write_report(saved)
        raise
    if stop.received:
        console.warn(f"saved; {resume}")
        return 128 + stop.received
    log(f"Wrote {directory}: {FILES}")
    return 0


def train_epochs(
    args: Namespace,
    current,
    processes: int,
    stop: StopFlag,
    console: Console,
    log,
) -> None:
    """Train, log, save after each epoch and in the batch in which a signal arrives."""
    import numpy as np

    from ..runs.report import LiveReport
    from ..training.loop import train

    data, options = current.source, current.options
    labels, test_labels = None, None
    if current.config.num_classes:
        labels, test_labels = data.labels, data.test_labels
    live = LiveReport()
    total = len(data.images)
    batches = -(-total // options.batch_size)

    def after_batch(state, loss):
        done = state.batches_done - 1
        if done % args.log_interval == 0:
            log(
                f"Train Epoch: {state.epoch} [{done * options.batch_size}/{total} "
                f"({100 * done / batches:.0f}%)]"
                f"\tLoss: {loss:.6f}"
            )
        every = args.checkpoint_every
        due = every is not None and state.batches_done % every == 0
        if stop.received or due:
            current.save()
        return stop.received > 0

    def after_epoch(state):
        current.check_finite(tested=True)
        current.write_images(data.test_images, test_labels)
        current.save()  # last: see runs/run.py
        live.after_epoch(current)
        row = state.history[-1]
        log(f"===== Epoch: {row['epoch']} Average loss: {row['train_loss']:.4f} =====")
        log(
            f"===== Test set loss: {row['test_loss']:.4f} "
            f"(reconstruction {row['reconstruction']:.4f}, KL {row['kl']:.4f}) ====="
        )
        return stop.received > 0

    # a test loss that is not finite is reported by check_finite
    with np.errstate(over="ignore", invalid="ignore"):
        train(
            data.images,
            data.test_images,
            current.config,
            options,
            state=current.state,
            processes=processes,
            after_batch=after_batch,
            after_epoch=after_epoch,
            progress=console.progress,
            labels=labels,
            test_labels=test_labels,
        )


def choose_processes(
    args: Namespace, current, functions: str | None, console: Console
) -> int:
    """The number of processes: --processes, else the run's, else what is fastest.

    A run from elsewhere may name more processes than there are cores here: then it gets
    one for each core. The conditions become part of the run. One line says what differs
    from those that the run was trained under: it has other last digits then.
    """
    from ..training.parallel.cores import available_cores
    from ..training.parallel.threads import check_processes, default_processes, describe

    recorded = current.conditions.get("processes")
    if args.processes is not None:
        processes = args.processes
    elif recorded is not None:
        check_processes(recorded)
        processes = min(recorded, available_cores())
    else:
        processes = default_processes()
    check_processes(processes)
    now = describe(processes)
    if functions is not None:
        now[FUNCTIONS] = functions
    changed = changes(current.conditions, now)
    if changed:
        console.warn(
            "results can differ in their last digits from an uninterrupted run: "
            + "; ".join(changed)
        )
    current.conditions = now
    return processes


def changes(before: dict, now: dict) -> list[str]:
    """The conditions that are recorded and are others now: "processes 2 -> 1", …"""
    if not before:  # a new run
        return []
    names = [name for name in now if name in before and name != FUNCTIONS]
    words = [
        f"{name} {condition(before[name])} -> {condition(now[name])}"
        for name in names
        if before[name] != now[name]
    ]
    then, today = before.get(FUNCTIONS, PACKAGE), now.get(FUNCTIONS, PACKAGE)
    if then != today:
        words.append(f"{FUNCTIONS}: {then} -> {today}")
    return words


def condition(value) -> str:
    """A recorded condition as text."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
