"""sample: images from a trained model."""

from argparse import ArgumentParser, Namespace

from .arguments import add_seed, file_name, integer
from .console import Console
from .evaluate import test_data

HELP = "sample images from a trained model"
COUNT, COLUMNS, SIDE = 64, 8, 20


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's directory, or its checkpoint.npz")
    parser.add_argument("--out", type=file_name(".png"), metavar="FILE.png", required=True, help="the image to write")
    parser.add_argument("--count", type=integer(1), metavar="N",
                        help=f"number of images, in rows of {COLUMNS} (default: {COUNT})")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--reconstruct", action="store_true", help="N test images, each row above its reconstructions")
    kind.add_argument("--manifold", action="store_true", help="a map of a 2-D latent space")
    kind.add_argument("--interpolate", action="store_true", help=f"from one test image to another, in {COLUMNS} steps")
    parser.add_argument("--data", metavar="DIR", help="directory of IDX files (default: the data of the run)")
    add_seed(parser)


def run(args: Namespace, console: Console) -> int:
    """Sample images from a trained model: the decoder's mean. --reconstruct and --interpolate decode the encoder's mu.

    examples:
      numpyvae sample runs/001 --out digits.png
      numpyvae sample runs/001 --out pairs.png --reconstruct
    """
    import numpy as np

    from ..pictures import samples
    from ..pictures.png import write_png
    from ..runs.run import Run
    from ..data.pixels import apply_static, to_bytes, to_input

    if args.manifold and args.count is not None:
        raise ValueError(f"--count does not apply to --manifold, which is always {SIDE} x {SIDE} images")
    trained = Run.load(args.run)
    params, config, shape = trained.state.params, trained.config, trained.source.image_shape
    rng, columns, count = np.random.default_rng(args.seed), COLUMNS, args.count or COUNT
    if args.reconstruct or args.interpolate:
        source, images, _ = test_data(trained, args)
        binarize = trained.options.binarize
        images = apply_static(images, binarize, "test")[rng.permutation(len(images))]
        x = to_input(images, binarize, rng)
    if args.reconstruct:
        x = x[:count]
        columns = min(columns, len(x))
        x = x[: len(x) // columns * columns]
        originals = to_bytes(x).reshape(-1, *shape)
        made = samples.interleave_rows(originals, samples.reconstruct(params, x, config, shape), columns)
        caption = f"{len(x)} test images of {source}, each row above its reconstructions (mu decoded)"
    elif args.interpolate:
        pairs = min(-(-count // columns), len(x) // 2)
        if not pairs:
            raise ValueError(f"{source}: has one test image; an interpolation needs two")
        made = samples.interpolate(params, x[: 2 * pairs], config, shape, columns - 2)
        caption = f"from one test image's mu to another's, {pairs} times"
    elif args.manifold:
        columns = SIDE
        made = samples.manifold(params, config, shape, columns)
        caption = "the latent plane at the prior's quantiles"
    else:
        made = samples.sample_images(params, config, shape, rng, count)
        caption = "samples from the prior"
    write_png(args.out, samples.enlarge(samples.image_grid(made, columns)))
    console.line(f"Wrote {args.out}: {len(made)} images, {caption}")
    return 0
