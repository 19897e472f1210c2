"""sample: images from a trained model."""

from argparse import ArgumentParser, Namespace

from ..errors import InputError
from .arguments import add_seed, file_name, integer
from .console import Console
from .evaluate import test_data

HELP = "sample images from a trained model"
COUNT, COLUMNS, SIDE = 64, 8, 20
SCALE = 4  # each pixel becomes 4 x 4: 28 pixels are small on today's screens


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="a run's directory, or its checkpoint.npz"
    )
    parser.add_argument(
        "--out",
        type=file_name(".png"),
        metavar="FILE.png",
        help="the image to write (default: by the kind of image, as samples.png)",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--count",
        type=integer(1),
        metavar="N",
        help=f"number of images, in rows of {COLUMNS} (default: {COUNT})",
    )
    size.add_argument(
        "--grid",
        type=integer(1),
        nargs=2,
        metavar=("R", "C"),
        help="R rows of C images instead",
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--reconstruct",
        action="store_true",
        help="test images, each row above its reconstructions",
    )
    kind.add_argument(
        "--manifold",
        action="store_true",
        help=f"a map of a 2-D latent space, {SIDE} x {SIDE} images",
    )
    kind.add_argument(
        "--interpolate",
        type=integer(0),
        nargs="*",
        metavar="A B",
        help=(
            "from test image number A to number B; "
            "without numbers, between random pairs"
        ),
    )
    kind.add_argument(
        "--traverse",
        type=integer(0),
        nargs="*",
        metavar="UNIT",
        help=(
            "a row per latent unit, through the prior's quantiles; "
            "without numbers, active units first"
        ),
    )
    parser.add_argument(
        "--label",
        metavar="CLASS",
        help="the class to sample, by number or name, of a model trained with "
        "--conditional (default: a row of each)",
    )
    parser.add_argument(
        "--scale",
        type=integer(1),
        default=SCALE,
        metavar="N",
        help=f"enlarge each pixel to N x N (default: {SCALE})",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="directory of IDX files (default: the data of the run)",
    )
    add_seed(parser)


def run(args: Namespace, console: Console) -> int:
    """Sample images from a trained model: the decoder's mean. --reconstruct and
    --interpolate decode the encoder's mu.

    examples:
      numpyvae sample runs/001
      numpyvae sample runs/001 --out digits.png --grid 4 12
      numpyvae sample runs/001 --out pairs.png --reconstruct --count 16
      numpyvae sample runs/001 --out walk.png --interpolate 3 7
      numpyvae sample runs/001 --out plane.png --manifold     (with --latent 2)
      numpyvae sample runs/001 --out units.png --traverse
      numpyvae sample runs/001 --label 7                      (after train --conditional)
    """
    from ..files import make_parent
    from ..pictures.png import write_png
    from ..pictures.samples import enlarge, image_grid
    from ..runs.run import Run

    refuse_sizes(args)
    trained = Run.load(args.run)
    refuse_label(trained, args)
    kind = kind_of(args)
    images, columns, caption = IMAGES[kind](trained, args)
    out = args.out or NAMES[kind]
    make_parent(out)
    write_png(out, enlarge(image_grid(images, columns), args.scale))
    console.line(f"Wrote {out}: {len(images)} images, {caption}")
    return 0


def kind_of(args: Namespace) -> str:
    """Which of IMAGES the options ask for."""
    if args.reconstruct:
        return "reconstruct"
    if args.manifold:
        return "manifold"
    if args.interpolate is not None:
        return "interpolate"
    return "prior" if args.traverse is None else "traverse"


def refuse_sizes(args: Namespace) -> None:
    """ValueError for a size that the kind of image cannot have, and for one number of a
    pair.
    """
    for flag, given in (("--count", args.count), ("--grid", args.grid)):
        if given is not None and args.manifold:
            raise InputError(
                f"{flag} does not apply to --manifold, which is always "
                f"{SIDE} x {SIDE} images"
            )
        if given is not None and (args.traverse or args.interpolate):
            raise InputError(
                f"{flag} does not apply to chosen images or units: "
                f"each has a row of {COLUMNS}"
            )
    in_rows = kind_of(args) in ("interpolate", "traverse")
    if kind_of(args) == "reconstruct" and args.count is not None:
        in_rows = args.count > COLUMNS  # fewer are one shorter row
    if in_rows and args.count is not None and args.count % COLUMNS:
        raise InputError(
            f"--count {args.count}: must be a multiple of {COLUMNS} here, "
            "for full rows of images"
        )
    if args.interpolate and len(args.interpolate) != 2:
        raise InputError(
            "--interpolate takes two numbers of test images, or none; "
            f"not {len(args.interpolate)}"
        )


def refuse_label(trained, args: Namespace) -> None:
    """InputError for --label of a model without classes, and of images that have one."""
    if args.label is None:
        return
    if trained.config.num_classes == 0:
        raise InputError(
            f"--label {args.label}: {args.run} was trained without --conditional"
        )
    if kind_of(args) in ("reconstruct", "interpolate"):
        raise InputError("--label does not apply to test images, which have a class")


def label_given(trained, args: Namespace) -> int:
    """The class that --label names, or the first one"""
    if args.label is None:
        return 0
    return trained.source.label_of(args.label, trained.config.num_classes)


def of_class(trained, label: int) -> str:
    """The end of a caption: which class it is; nothing for a model without classes"""
    if trained.config.num_classes == 0:
        return ""
    return f", of class {trained.source.class_name(label)}"


def rows_and_columns(args: Namespace) -> tuple[int, int]:
    """(number of images, columns) that --grid or --count asks for."""
    if args.grid is not None:
        rows, columns = args.grid
        return rows * columns, columns
    return args.count or COUNT, COLUMNS


def size_asked_for(args: Namespace) -> str:
    """--count 9, or --grid 3 3, as it was given."""
    return (
        f"--count {args.count}"
        if args.grid is None
        else "--grid {} {}".format(*args.grid)
    )


def prior_images(trained, args: Namespace):
    """Samples from the prior."""
    import numpy as np

    from ..pictures.samples import sample_images
    from ..training.streams import stream

    count, columns = rows_and_columns(args)
    rng = stream("sample", args.seed)
    labels, caption = None, "samples from the prior"
    classes = trained.config.num_classes
    if args.label is not None:
        label = label_given(trained, args)
        labels = np.full(count, label)
        caption += of_class(trained, label)
    elif classes:
        if args.count is None and args.grid is None:
            count = classes * columns
        labels = np.arange(count) // columns % classes
        caption += ", a row of each class"
    shape = trained.source.image_shape
    images = sample_images(
        trained.state.params, trained.config, shape, rng, count, labels
    )
    return images, columns, caption


def reconstructed_images(trained, args: Namespace):
    """Random test images, each row above its reconstructions; a last row that is not
    full is left out.
    """
    from ..pictures.samples import reconstruction_rows

    count, columns = rows_and_columns(args)
    source, x = model_input(trained, args)
    if count > len(x) and (args.count or args.grid):
        raise InputError(f"{size_asked_for(args)}: {source} has {len(x):,} test images")
    images, columns = reconstruction_rows(
        trained.state.params,
        x[:count],
        trained.config,
        trained.source.image_shape,
        columns,
    )
    caption = (
        f"{len(images) // 2} test images of {source}, "
        "each row above its reconstructions (mu decoded)"
    )
    return images, columns, caption


def interpolated_images(trained, args: Namespace):
    """A row per pair of test images: the first one, what is between their mu, the
    second one.
    """
    from ..pictures.samples import interpolate

    count, columns = rows_and_columns(args)
    source, x = model_input(trained, args, shuffle=not args.interpolate)
    chosen = ""
    if args.interpolate:
        if max(args.interpolate) >= len(x):
            raise InputError(
                f"--interpolate {max(args.interpolate)}: {source} has test images "
                f"0 to {len(x) - 1}"
            )
        x = x[args.interpolate]
        chosen = f" ({' to '.join(map(source.describe, args.interpolate))})"
    rows = 1 if args.interpolate else -(-count // columns)
    if 2 <= len(x) < 2 * rows and (args.count or args.grid):
        raise InputError(
            f"{size_asked_for(args)}: {rows} rows take {2 * rows:,} test images, "
            f"and {source} has {len(x):,}"
        )
    pairs = min(rows, len(x) // 2)
    if columns < 4:
        raise InputError(
            f"{size_asked_for(args)}: an interpolation needs 4 columns or more, "
            f"not {columns}"
        )
    if not pairs:
        raise InputError(
            f"{source}: an interpolation needs two test images, not {len(x)}"
        )
    images = interpolate(
        trained.state.params,
        x[: 2 * pairs],
        trained.config,
        trained.source.image_shape,
        columns - 2,
    )
    times = "1 time" if pairs == 1 else f"{pairs} times"
    return images, columns, f"from one test image's mu to another's{chosen}, {times}"


def traversed_images(trained, args: Namespace):
    """A row per latent unit: chosen ones, or all that --count allows, by falling
    variance of their mu.
    """
    from ..pictures.samples import active_first, traverse
    from ..vae.model import encode

    count, columns = rows_and_columns(args)
    units = args.traverse
    if not units:
        _, x = model_input(trained, args)
        mu = encode(trained.state.params, x, trained.config)[0][0]
        units = active_first(mu)[: -(-count // columns)].tolist()
    shape = trained.source.image_shape
    label = label_given(trained, args)
    images = traverse(
        trained.state.params, units, trained.config, shape, columns, label=label
    )
    numbers = ", ".join(map(str, units))
    caption = f"latent units {numbers} through the prior's quantiles"
    return images, columns, caption + of_class(trained, label)


def manifold_images(trained, args: Namespace):
    """A map of a 2-D latent space."""
    from ..pictures.samples import manifold

    label = label_given(trained, args)
    shape = trained.source.image_shape
    images = manifold(trained.state.params, trained.config, shape, SIDE, label)
    caption = "the latent plane at the prior's quantiles"
    return images, SIDE, caption + of_class(trained, label)


def model_input(trained, args: Namespace, shuffle: bool = True):
    """(source, test images as the model's input), in random order unless they are
    chosen by number.
    """
    import numpy as np

    from ..training.model_input import model_input as as_input
    from ..training.streams import stream

    rng = stream("sample", args.seed)
    data, images, _ = test_data(trained, args)
    rows = np.arange(len(images))
    if shuffle:
        rows = rng.permutation(rows)
    binarize = trained.options.binarize
    return data, as_input(data, "test", trained.config, binarize, rng, rows)


NAMES = {  # of the file, if none is given
    "prior": "samples.png",
    "reconstruct": "reconstructions.png",
    "interpolate": "interpolations.png",
    "traverse": "traversals.png",
    "manifold": "manifold.png",
}
IMAGES = {
    "prior": prior_images,
    "reconstruct": reconstructed_images,
    "interpolate": interpolated_images,
    "traverse": traversed_images,
    "manifold": manifold_images,
}
