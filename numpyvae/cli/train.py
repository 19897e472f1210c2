"""The train command: a new run, or going on with one; its log; and stopping without losing anything.

The log's lines are an interface: scripts parse them. Next: commands.
"""

import os
import shlex
import signal
import sys
from argparse import Namespace
from pathlib import Path

from .console import Console

MODEL = {"hidden_dims": (400,), "latent_dim": 20, "activation": "relu", "likelihood": "bernoulli", "logvar_x": None, "beta": 1.0}
OPTIONS = {"epochs": 30, "batch_size": 128, "lr": 1e-3, "seed": 1, "num_samples": 1, "objective": "elbo",
           "binarize": "none", "schedule": "constant", "decay_epochs": 0, "initialization": "uniform", "adam_epsilon": 1e-8}
DEFAULTS = {**MODEL, **OPTIONS}
PRESETS = {"burda": {"hidden_dims": (200, 200), "latent_dim": 50, "activation": "tanh", "binarize": "dynamic", "epochs": 1100,
                     "batch_size": 100, "lr": 4e-3, "schedule": "burda", "decay_epochs": 60, "initialization": "glorot",
                     "adam_epsilon": 1e-4}}


def train(args: Namespace, console: Console) -> int:
    """Train a model. Writes log.csv, checkpoint.npz, samples.png, reconstructions.png, curve.svg and
    report.html into a run's folder.

    examples:
      numpyvae train                                 30 epochs on the sample, in well under half a minute
      numpyvae train --data data/mnist --epochs 29   on all of MNIST
      numpyvae train --hidden 400 200 --latent 2     two hidden layers, two latents
      numpyvae train --resume runs/001 --epochs 60   go on with a run
    """
    processes = share_out(args.processes)

    from ..runs import report
    from ..runs import run as runs
    from ..settings import TrainingOptions
    from ..training import loop as training
    from ..data.mnist import find_data_directory, load_images

    for name in ("log_interval", "checkpoint_every"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be 1 or above, not {getattr(args, name)}")
    given = {name: getattr(args, name) for name in DEFAULTS if hasattr(args, name)}
    say = (lambda text: None) if args.quiet else console.line
    if args.resume is not None:
        folder, state, config, options, about = resumed(args, given)
        about, images, test_images = runs.find_images(args.resume, about, args.data)
        if state.epoch > options.epochs:
            say(f"{args.resume} has all of its {options.epochs} epochs; ask for more with --epochs")
            return 0
        runs.write_log(folder, state.history)
        say(f"Going on with {folder} at epoch {state.epoch}, batch {state.batch + 1}, on {about['data']}")
    else:
        settings = {**DEFAULTS, **PRESETS.get(args.preset, {}), **given}
        options = TrainingOptions(**{name: settings[name] for name in OPTIONS})
        directory = find_data_directory(args.data)
        images, test_images = load_images(directory)
        config = model_config(settings, images)
        state = training.start(images, config, options)
        about = {"data": str(directory), "digest": runs.digest(images, test_images), "shape": list(images.shape[1:])}
        folder = runs.new_folder(args.out)
        runs.save(folder, state, config, options, about)
        say(introduction(directory, images, test_images))
        if args.preset:
            say(f"Preset {args.preset}: " + ", ".join(f"{name} {settings[name]}" for name in PRESETS[args.preset]))

    batches = -(-len(images) // options.batch_size)
    stop = StopSignals()

    def after_batch(state, loss):
        done = state.batch - 1
        if done % args.log_interval == 0:
            say(f"Train Epoch: {state.epoch} [{done * options.batch_size}/{len(images)} ({100 * done / batches:.0f}%)]"
                f"\tLoss: {loss:.6f}")
        console.progress(((state.epoch - 1) * batches + state.batch) * options.batch_size,
                         options.epochs * batches * options.batch_size, "images")
        if stop.received or args.checkpoint_every and state.batch % args.checkpoint_every == 0:
            runs.save(folder, state, config, options, about)
        if stop.received:
            raise Stopped

    def after_epoch(state):
        row = state.history[-1]
        say(f"===== Epoch: {row['epoch']} Average loss: {row['train_loss']:.4f} =====")
        say(f"===== Test set loss: {row['test_loss']:.4f} (reconstruction {row['reconstruction']:.4f}, KL {row['kl']:.4f}) =====")
        runs.write_log(folder, state.history)
        runs.draw(folder, state, config, options, test_images)
        runs.save(folder, state, config, options, about)  # last: a checkpoint vouches for all that goes with it

    try:
        with stop:
            training.train(images, test_images, config, options, state=state, processes=processes,
                           after_batch=after_batch, after_epoch=after_epoch)
    except Stopped:
        again = f"numpyvae train --resume {folder}" + (f" --processes {args.processes}" if args.processes else "")
        console.warn(f"stopped and saved; go on with `{again}`")
        return 128 + stop.received
    report.write(folder, state, config, options, about, command(config, options, about))
    say(f"Wrote {folder}: report.html, samples.png, reconstructions.png, curve.svg, log.csv, checkpoint.npz")
    return 0


def share_out(asked: int | None) -> int:
    """How many processes train: as asked, else two if there are cores for them; each is given half of the cores for BLAS.

    BLAS asks how many when NumPy is loaded, so this is called before. Where that has happened, or the system is not Linux,
    one process does it all, and BLAS is left as it is.
    """
    if asked == 2 and not hasattr(os, "fork"):
        raise ValueError("--processes 2: this system cannot fork")
    processes = asked or (2 if cores() > 1 and sys.platform == "linux" and "numpy" not in sys.modules else 1)
    if processes == 2:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // 2)))
    return processes


def cores() -> int:
    """How many this process may use"""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def command(config, options, about: dict) -> str:
    """The command line that trains this model: a preset if its recipe was used, and what differs from the defaults."""
    settings = {**vars(config), **vars(options)}
    words, expected = ["numpyvae", "train", "--data", about["data"]], DEFAULTS
    for name, preset in PRESETS.items():
        if all(settings[key] == preset[key] for key in ("initialization", "adam_epsilon")):
            words, expected = [*words, "--preset", name], {**DEFAULTS, **preset}
    for key, value in expected.items():
        if settings[key] != value:
            values = settings[key] if isinstance(settings[key], tuple) else (settings[key],)
            flag = {"hidden_dims": "hidden", "latent_dim": "latent", "num_samples": "samples"}.get(key, key)
            words += ["--" + flag.replace("_", "-"), *map(str, values)]
    return shlex.join(words)


class Stopped(Exception):
    """A signal asked training to stop, and it has saved."""


class StopSignals:
    """Ctrl-C and SIGTERM are noted, not obeyed at once: the batch under way is finished and saved first."""

    def __enter__(self):
        self.received = 0
        self.before = {number: signal.signal(number, self.note) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(self, number, frame):
        self.received = number

    def __exit__(self, *exception):
        for number, handler in self.before.items():
            signal.signal(number, handler)


def resumed(args: Namespace, given: dict):
    """The state of the run --resume names; whatever else is asked for must be what the run has, but for more epochs."""
    from dataclasses import replace

    from ..runs import run as runs

    if args.out is not None or args.preset is not None:
        raise ValueError("--resume goes on in the run's own folder with its own settings: leave --out and --preset out")
    state, config, options, about = runs.load(args.resume)
    epochs = given.pop("epochs", options.epochs)
    for name, value in given.items():
        saved = getattr(config if name in MODEL else options, name)
        if (tuple(value) if name == "hidden_dims" else value) != saved:
            raise ValueError(f"--{name.replace('_', '-')} {value} contradicts {args.resume}, which has {saved}")
    if epochs < state.epoch - 1:
        raise ValueError(f"--epochs {epochs}: {args.resume} has {state.epoch - 1} already")
    if epochs != options.epochs and (options.schedule != "constant" or options.decay_epochs):
        raise ValueError(f"--epochs {epochs}: the schedule of {args.resume} is laid out for {options.epochs}")
    folder = Path(args.resume)
    return folder if folder.is_dir() else folder.parent, state, config, replace(options, epochs=epochs), about


def introduction(directory, images, test_images) -> str:
    text = f"Training on {directory}: {len(images):,} images, {len(test_images):,} to test."
    if Path(directory).name == "sample":
        text = (f"Training on the sample in {directory}: {len(images):,} digits of MNIST, {len(test_images):,} to test. "
                "For all of MNIST: numpyvae download")
    return text


def model_config(settings: dict, images):
    from ..settings import VAEConfig

    return VAEConfig(input_dim=images[0].size, **{name: settings[name] for name in MODEL})
