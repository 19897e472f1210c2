"""What each command but train does: load, call, write, print. The mathematics and the files are the other modules' business.

Modules that need NumPy are imported by the command that uses them, so that --help answers at once. Next: cli.
"""

import json
import os
from argparse import Namespace

from .console import Console


def found_images(given: str | None):
    """The directory that --data or its defaults name, and its images (training, test)"""
    from ..data.mnist import find_data_directory, load_images

    directory = find_data_directory(given)
    return directory, load_images(directory)


def evaluate(args: Namespace, console: Console) -> int:
    """Score a trained model on the test images, in nats an image: the ELBO, its two terms, and log p(x).

    examples:
      numpyvae evaluate runs/001
      numpyvae evaluate runs/001 --importance-samples 5000 --json
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # evaluation has threads of its own
    import numpy as np

    from ..settings import BINARIZATIONS
    from ..vae.likelihoods import LIKELIHOODS
    from ..training import evaluation
    from ..runs import run as runs
    from ..training import loop as training
    from .train import cores

    if args.importance_samples < 0:
        raise ValueError(f"--importance-samples must be 0 or above, not {args.importance_samples}")
    state, config, options, about = runs.load(args.checkpoint)
    directory, (_, images) = found_images(args.data)
    check_pixels(directory, images, config, args.checkpoint)
    result = evaluation.evaluate(state.params, images, config, options.binarize, np.random.default_rng(args.seed),
                                 args.importance_samples, threads=cores(),
                                 progress=lambda done, of: console.progress(done, of, "images"))
    result["data"] = str(directory)
    if args.json:
        console.line(json.dumps(result))
        return 0
    console.line(f"{len(images):,} test images of {directory}, {BINARIZATIONS[options.binarize]}; nats an image")
    if LIKELIHOODS[config.likelihood].is_density:
        console.line("the normal decoder's figures are log densities, and may be positive")
    console.line(f"  ELBO             {result['elbo']:10.4f}")
    console.line(f"  reconstruction   {result['reconstruction']:10.4f}")
    console.line(f"  KL               {result['kl']:10.4f}")
    if args.importance_samples:
        console.line(f"  log p(x)         {result['log_marginal']:10.4f} ± {result['log_marginal_se']:.4f}"
                     f"   ({args.importance_samples:,} importance samples an image)")
    console.line(f"  active units     {result['active_units']:5d} of {config.latent_dim}")
    return 0


def check_pixels(directory, images, config, checkpoint) -> None:
    if images[0].size != config.input_dim:
        raise ValueError(f"{directory}: images have {images[0].size} pixels, the model in {checkpoint} has {config.input_dim}")


def report(args: Namespace, console: Console) -> int:
    """Make a run's page again: report.html in its folder. Training ends with the same.

    examples:
      numpyvae report runs/001
      numpyvae report runs/001 --data data/mnist
    """
    from pathlib import Path

    from ..runs import report as page
    from ..runs import run as runs
    from .train import command

    if not Path(args.run).is_dir():
        raise NotADirectoryError(f"{args.run}: not a run's folder")
    state, config, options, about = runs.load(args.run)
    about, _, _ = runs.find_images(args.run, about, args.data)
    page.write(Path(args.run), state, config, options, about, command(config, options, about))
    console.line(f"Wrote {Path(args.run) / 'report.html'}")
    return 0


def sample(args: Namespace, console: Console) -> int:
    """Draw from a trained model. Pictures show the decoder's mean; --reconstruct and --interpolate decode mu itself.

    examples:
      numpyvae sample runs/001 --out digits.png
      numpyvae sample runs/001 --out pairs.png --reconstruct
    """
    import numpy as np

    from ..pictures import plots as pictures
    from ..runs import run as runs
    from ..pictures import samples as sampling
    from ..training import loop as training

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
    """Solve the four-state chain: optimal policies and values at each discount factor, and where they change.

    examples:
      numpyvae mdp
      numpyvae mdp --gamma 0.3 --gamma 0.4 --json
      numpyvae mdp --out chain.svg
    """
    from . import mdp as command

    return command.run(args, console)


def gradcheck(args: Namespace, console: Console) -> int:
    """Check every hand-written gradient by complex step and central difference; exit status 1 if one is wrong.

    examples:
      numpyvae gradcheck
      numpyvae gradcheck --json
    """
    from ..vae import gradcheck_cases

    rows = []
    if not args.json:
        console.line(gradcheck_cases.HEADER)
    for row in gradcheck_cases.check_all():
        rows.append(row)
        if not args.json:
            console.line(gradcheck_cases.format_row(row))
    console.line(json.dumps(gradcheck_cases.to_json(rows)) if args.json else "\n" + gradcheck_cases.format_summary(rows))
    return 0 if all(row.passed for row in rows) else 1


def download(args: Namespace, console: Console) -> int:
    """Fetch MNIST's four files from public mirrors and verify them. Good files that are already there are kept.

    examples:
      numpyvae download
      numpyvae download --data somewhere/else
    """
    from ..data.download import MIRRORS, download_mnist

    def progress(name, received, total):
        console.progress(received, total or 1, "bytes")

    for fetched in download_mnist(args.data, (*args.mirror, *MIRRORS), progress):
        for failure in fetched.failures:
            console.warn(failure)
        console.line(f"{fetched.path}: verified ({fetched.source})")
    console.line(f"Now: numpyvae train{'' if args.data == 'data/mnist' else ' --data ' + args.data}")
    return 0
