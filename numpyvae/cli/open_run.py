"""Open a run to train: a new one, a warm start from another one, or one to resume.

Its directory is locked first.
"""

from argparse import Namespace
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path

from ..data.dataset import SAMPLE_DIGEST, Dataset
from ..errors import InputError
from ..files import exclusive_lock, is_temporary
from ..runs.run import CHECKPOINT, Run, new_directory
from ..runs.warm_start import warm_start
from ..settings import (
    ARCHITECTURE,
    PRESETS,
    TrainingOptions,
    VAEConfig,
    check_together,
    flag,
    flags,
)
from ..training.state import initial_state
from .arguments import given_settings, split_settings


def open_run(args: Namespace, log, lock: ExitStack) -> Run:
    """The run, whose `source` has its images.

    The lock holds until `lock` is closed; `log` prints a line. BlockingIOError, naming
    the directory, if another process is training there.
    """
    if args.keep_optimizer and args.earlier is None:
        raise InputError("--keep-optimizer needs --from RUN, whose optimizer it keeps")
    if args.resume is not None:
        return resumed_run(args, log, lock)
    if args.earlier is not None:
        return continued_run(args, log, lock)
    return new_run(args, log, lock)


def new_run(args: Namespace, log, lock: ExitStack) -> Run:
    """A new run. The data is loaded first: an error there leaves no directory behind."""
    preset = PRESETS.get(args.preset, {})
    model, training = split_settings({**preset, **given_settings(args)})
    options = TrainingOptions(**training)
    data = Dataset.open(args.data, log)
    classes = data.num_classes() if args.conditional else 0
    config = VAEConfig(input_dim=data.pixels, num_classes=classes, **model)
    state = initial_state(data.images, config, options)
    directory = locked_directory(args.out, lock)
    current = Run.create(config, options, data, state, directory)
    log(start_message(data))
    if preset:
        used = {**vars(config), **vars(options)}
        chosen = [f"{name} {used[name]}" for name in preset]
        log(f"Preset {args.preset}: {', '.join(chosen)}")
    return current


def continued_run(args: Namespace, log, lock: ExitStack) -> Run:
    """A new run that begins with the parameters of --from RUN.

    The data is that of RUN unless --data names other. The architecture is that of RUN;
    the other options are those given, or their defaults, as for any new run.
    """
    earlier = Run.load(args.earlier)
    given = {**PRESETS.get(args.preset, {}), **given_settings(args)}
    own = {name: getattr(earlier.config, name) for name in ARCHITECTURE}
    given_again = {name: value for name, value in given.items() if name in own}
    refuse_contradictions(given_again, own, args.earlier)
    refuse_classes(args, earlier.config, args.earlier)
    model, training = split_settings({**given, **own})
    config, options = VAEConfig(**model), TrainingOptions(**training)
    check_together(config, options)
    if args.data is None:
        data = earlier.source.load(trained=args.earlier)
    else:
        data = Dataset.open(args.data, log)
    directory = locked_directory(args.out, lock)
    current = warm_start(
        earlier,
        config,
        options,
        data,
        directory=directory,
        keep_optimizer=args.keep_optimizer,
    )
    log(start_message(data))
    start = f"the parameters of {args.earlier}, {len(earlier.state.history)} epochs"
    log("; ".join([f"Starting with {start}", *differences(options, earlier.options)]))
    return current


def differences(options: TrainingOptions, earlier: TrainingOptions) -> list[str]:
    """The options that two runs do not share: "lr 0.01 (0.001 there)", …"""
    words = []
    for each in fields(options):
        here, there = getattr(options, each.name), getattr(earlier, each.name)
        if here != there:
            words.append(f"{flag(each)[2:]} {here} ({there} there)")
    return words


def resumed_run(args: Namespace, log, lock: ExitStack) -> Run:
    """The run of --resume; other options must match the run, except for more epochs."""
    if args.out is not None or args.preset is not None:
        raise InputError(
            "--resume continues in the directory of the run, with its settings: "
            "it cannot be combined with --out or --preset"
        )
    path = Path(args.resume)
    if not path.is_dir() and path.name != CHECKPOINT:
        raise InputError(
            f"--resume {args.resume}: must be the directory of a run, or its "
            f"{CHECKPOINT}; to continue a copy, give it a directory of its own, as "
            f"DIR/{CHECKPOINT}"
        )
    directory = path if path.is_dir() else path.parent
    if directory.is_dir() and all(map(is_temporary, directory.iterdir())):
        raise InputError(
            f"--resume {args.resume}: has no checkpoint yet; begin with --out {directory}"
        )
    if (directory / CHECKPOINT).exists():  # else loading says what is missing
        lock.enter_context(exclusive_lock(directory))
    current = Run.load(path)
    given = given_settings(args)
    epochs = given.pop("epochs", current.options.epochs)
    own = {**vars(current.config), **vars(current.options)}
    refuse_contradictions(given, own, args.resume)
    refuse_classes(args, current.config, args.resume)
    done = len(current.state.history)
    if epochs < done:
        raise InputError(f"--epochs {epochs}: {args.resume} has {done} already")
    planned = current.options.epochs
    by_epoch = current.options.schedule != "constant" or current.options.decay_epochs
    if epochs != planned and by_epoch:
        raise InputError(
            f"--epochs {epochs}: the schedule of {args.resume} is defined for {planned}"
        )
    current.options = replace(current.options, epochs=epochs)
    current.source = current.source.load(args.data, args.resume)
    if done < epochs:
        current.write_log()
        batch = 1 if current.state.rng is None else current.state.batches_done + 1
        log(
            f"Resuming {directory} at epoch {done + 1}, batch {batch}, on "
            f"{current.source}"
        )
    return current


def refuse_contradictions(given: dict, own: dict, run: str) -> None:
    """InputError names the first option that was given and is not what the run has."""
    for each in flags().values():
        if each.name in given and given[each.name] != own[each.name]:
            raise InputError(
                f"{flag(each)} {given[each.name]} contradicts {run}, which has "
                f"{own[each.name]}"
            )


def refuse_classes(args: Namespace, config: VAEConfig, run: str) -> None:
    """InputError if --conditional is given for a run whose model has no classes."""
    if args.conditional and not config.num_classes:
        raise InputError(
            f"--conditional contradicts {run}, whose model is not told the class"
        )


def locked_directory(given: str | None, lock: ExitStack) -> Path:
    """A new directory for a run, locked: no other command can begin a run in it."""
    directory = new_directory(given)
    lock.enter_context(exclusive_lock(directory))
    return directory


def start_message(data: Dataset) -> str:
    """The first line of the log: the data, and where to get all of MNIST."""
    images, test_images = len(data.images), len(data.test_images)
    if data.digest == SAMPLE_DIGEST:
        return (
            f"Training on the sample in {data}: {images:,} digits of MNIST, "
            f"{test_images:,} to test. For all of MNIST: numpyvae download"
        )
    return f"Training on {data}: {images:,} images, {test_images:,} to test."
