"""What each command does: load, call, write, print. The mathematics and the files are the other modules' business.

Modules that need NumPy are imported by the command that uses them, so that --help answers at once.
"""

import json
import signal
from argparse import Namespace
from pathlib import Path

from .console import Console

MODEL = {"hidden": (400,), "latent": 20, "activation": "relu", "likelihood": "bernoulli", "logvar_x": None, "beta": 1.0}
OPTIONS = {"epochs": 30, "batch_size": 128, "lr": 1e-3, "seed": 1, "samples": 1, "objective": "elbo",
           "binarize": "none", "schedule": "constant", "initialization": "uniform", "adam_epsilon": 1e-8}
DEFAULTS = {**MODEL, **OPTIONS}
PRESETS = {"burda": {"hidden": (200, 200), "latent": 50, "activation": "tanh", "binarize": "dynamic", "epochs": 1000,
                     "batch_size": 100, "lr": 2e-3, "schedule": "burda", "initialization": "glorot", "adam_epsilon": 1e-4}}


def train(args: Namespace, console: Console) -> int:
    """Train a model. Writes log.csv, checkpoint.npz, samples.png, reconstructions.png and curve.svg into a run's folder.

    examples:
      numpyvae train                                 30 epochs on the sample, in well under half a minute
      numpyvae train --data data/mnist --epochs 29   on all of MNIST
      numpyvae train --hidden 400 200 --latent 2     two hidden layers, two latents
      numpyvae train --resume runs/001 --epochs 60   go on with a run
    """
    from . import runs, training

    for name in ("log_interval", "checkpoint_every"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be 1 or above, not {getattr(args, name)}")
    given = {name: getattr(args, name) for name in DEFAULTS if hasattr(args, name)}
    say = (lambda text: None) if args.quiet else console.line
    if args.resume is not None:
        folder, state, config, options, about = resumed(args, given)
        images, test_images = load_images(about["data"] if args.data is None else args.data)
        if runs.digest(images, test_images) != about["digest"]:
            raise ValueError(f"the data is not what {args.resume} was trained on ({about['data']}); name that with --data")
        if state.epoch > options.epochs:
            say(f"{args.resume} has all of its {options.epochs} epochs; ask for more with --epochs")
            return 0
        runs.write_log(folder, state.history)
        say(f"Going on with {folder} at epoch {state.epoch}, batch {state.batch + 1}, on {about['data']}")
    else:
        settings = {**DEFAULTS, **PRESETS.get(args.preset, {}), **given}
        options = training.Options(**{name: settings[name] for name in OPTIONS})
        directory, (images, test_images) = found_images(args.data)
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
            training.train(images, test_images, config, options, state=state, after_batch=after_batch, after_epoch=after_epoch)
    except Stopped:
        console.warn(f"stopped and saved; go on with `numpyvae train --resume {folder}`")
        return 128 + stop.received
    say(f"Wrote {folder}: samples.png, reconstructions.png, curve.svg, log.csv, checkpoint.npz")
    return 0


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

    from . import runs

    if args.out is not None or args.preset is not None:
        raise ValueError("--resume goes on in the run's own folder with its own settings: leave --out and --preset out")
    state, config, options, about = runs.load(args.resume)
    epochs = given.pop("epochs", options.epochs)
    for name, value in given.items():
        saved = getattr(config if name in MODEL else options, name)
        if (tuple(value) if name == "hidden" else value) != saved:
            raise ValueError(f"--{name.replace('_', '-')} {value} contradicts {args.resume}, which has {saved}")
    if epochs < state.epoch - 1:
        raise ValueError(f"--epochs {epochs}: {args.resume} has {state.epoch - 1} already")
    if epochs != options.epochs and options.schedule != "constant":
        raise ValueError(f"--epochs {epochs}: the schedule of {args.resume} is laid out for {options.epochs}")
    folder = Path(args.resume)
    return folder if folder.is_dir() else folder.parent, state, config, replace(options, epochs=epochs), about


def load_images(directory):
    from .mnist import load_mnist

    return load_mnist(directory, "train")[0], load_mnist(directory, "test")[0]


def found_images(given: str | None):
    from .mnist import find_data

    directory = find_data(given)
    images, test_images = load_images(directory)
    if images.shape[1:] != test_images.shape[1:]:
        raise ValueError(f"{directory}: training images are {images.shape[1:]}, test images {test_images.shape[1:]}")
    return directory, (images, test_images)


def introduction(directory, images, test_images) -> str:
    text = f"Training on {directory}: {len(images):,} images, {len(test_images):,} to test."
    if Path(directory).name == "sample":
        text = (f"Training on the sample in {directory}: {len(images):,} digits of MNIST, {len(test_images):,} to test. "
                "For all of MNIST: numpyvae download")
    return text


def model_config(settings: dict, images):
    from .vae import VAEConfig

    return VAEConfig(pixels=images[0].size, **{name: settings[name] for name in MODEL})


def evaluate(args: Namespace, console: Console) -> int:
    """Score a trained model on the test images, in nats an image: the ELBO, its two terms, and log p(x).

    examples:
      numpyvae evaluate runs/001
      numpyvae evaluate runs/001 --importance-samples 5000 --json
    """
    import numpy as np

    from . import evaluation, runs

    if args.importance_samples < 0:
        raise ValueError(f"--importance-samples must be 0 or above, not {args.importance_samples}")
    state, config, options, about = runs.load(args.checkpoint)
    directory, (_, images) = found_images(args.data)
    check_pixels(directory, images, config, args.checkpoint)
    result = evaluation.evaluate(state.params, images, config, options.binarize, np.random.default_rng(args.seed),
                                 args.importance_samples, progress=lambda done, of: console.progress(done, of, "images"))
    result["data"] = str(directory)
    if args.json:
        console.line(json.dumps(result))
        return 0
    pixels = {"none": "grey pixels", "threshold": "pixels binarized at ½", "dynamic": "pixels binarized at random"}
    console.line(f"{len(images):,} test images of {directory}, {pixels[options.binarize]}; nats an image")
    if config.likelihood == "normal":
        console.line("the normal decoder's figures are log densities, and may be positive")
    console.line(f"  ELBO             {result['elbo']:10.4f}")
    console.line(f"  reconstruction   {result['reconstruction']:10.4f}")
    console.line(f"  KL               {result['kl']:10.4f}")
    if args.importance_samples:
        console.line(f"  log p(x)         {result['log_marginal']:10.4f} ± {result['log_marginal_se']:.4f}"
                     f"   ({args.importance_samples:,} importance samples an image)")
    console.line(f"  active units     {result['active_units']:5d} of {config.latent}")
    return 0


def check_pixels(directory, images, config, checkpoint) -> None:
    if images[0].size != config.pixels:
        raise ValueError(f"{directory}: images have {images[0].size} pixels, the model in {checkpoint} has {config.pixels}")


def sample(args: Namespace, console: Console) -> int:
    """Draw from a trained model. Pictures show the decoder's mean; --reconstruct and --interpolate decode mu itself.

    examples:
      numpyvae sample runs/001 --out digits.png
      numpyvae sample runs/001 --out pairs.png --reconstruct
    """
    import numpy as np

    from . import pictures, runs, sampling, training

    if args.count < 1:
        raise ValueError(f"--count must be 1 or above, not {args.count}")
    state, config, options, about = runs.load(args.checkpoint)
    rng, shape, columns = np.random.default_rng(args.seed), tuple(about["shape"]), 8
    if args.reconstruct or args.interpolate:
        directory, (_, images) = found_images(args.data)
        check_pixels(directory, images, config, args.checkpoint)
        x = training.pixels(images[rng.permutation(len(images))], options.binarize, rng)
    if args.reconstruct:
        x = x[: -(-args.count // 8) * 8]
        x = x[: len(x) // 8 * 8]
        originals = np.rint(x * 255).astype(np.uint8).reshape(-1, *shape)
        drawn = sampling.pairs(originals, sampling.reconstructions(state.params, x, config, shape))
    elif args.interpolate:
        drawn = sampling.interpolations(state.params, x[: 2 * -(-args.count // 8)], config, shape)
    elif args.manifold:
        columns = 20
        drawn = sampling.manifold(state.params, config, shape, columns)
    else:
        drawn = sampling.samples(state.params, config, shape, rng, args.count)
    pictures.write_png(args.out, pictures.grid(drawn, columns))
    what = ("test images, each above its reconstruction (mu decoded)" if args.reconstruct else
            "from one test image's mu to another's" if args.interpolate else
            "the latent plane, at the prior's quantiles" if args.manifold else "draws from the prior")
    console.line(f"Wrote {args.out}: {len(drawn)} images, {what}")
    return 0


def mdp(args: Namespace, console: Console) -> int:
    """Solve the four-state chain: optimal policies and values at each discount, and the discount where they change.

    examples:
      numpyvae mdp
      numpyvae mdp --gamma 0.3 --gamma 0.4 --json
      numpyvae mdp --out chain.svg
    """
    from . import chain

    report = chain.report(args.gamma or [0.1, 0.99])
    if args.out is not None:
        from .chain_picture import report_svg
        from .pictures import write_svg

        write_svg(args.out, report_svg())
    console.line(json.dumps(report) if args.json else chain.report_text(report))
    if args.out is not None:
        console.warn(f"wrote {args.out}")
    return 0


def gradcheck(args: Namespace, console: Console) -> int:
    """Check every hand-written gradient by complex step and central difference; exit status 1 if one is wrong.

    examples:
      numpyvae gradcheck
      numpyvae gradcheck --json
    """
    from . import gradcheck as check

    rows = []
    if not args.json:
        console.line(check.HEADER)
    for row in check.sweep():
        rows.append(row)
        if not args.json:
            console.line(check.line(row))
    console.line(json.dumps(check.report(rows)) if args.json else "\n" + check.summary(rows))
    return 0 if all(row.ok for row in rows) else 1


def download(args: Namespace, console: Console) -> int:
    """Fetch MNIST's four files from public mirrors and verify them. Good files that are already there are kept.

    examples:
      numpyvae download
      numpyvae download --data somewhere/else
    """
    from .download import MIRRORS, download

    def progress(name, received, total):
        console.progress(received, total or 1, "bytes")

    for fetched in download(args.data, (*args.mirror, *MIRRORS), progress):
        for failure in fetched.failures:
            console.warn(failure)
        console.line(f"{fetched.path}: verified ({fetched.source})")
    console.line(f"Now: numpyvae train{'' if args.data == 'data/mnist' else ' --data ' + args.data}")
    return 0
