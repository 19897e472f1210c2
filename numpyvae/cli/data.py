"""data: convert own images to IDX files."""

from argparse import ArgumentParser, Namespace

from .console import Console

HELP = "convert own images to training data"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="directory of PNG files, or a .csv, .npy or .npz file",
    )
    parser.add_argument(
        "--out", metavar="DIR", required=True, help="output directory, new or empty"
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs=2,
        metavar=("R", "C"),
        help="resize to R rows and C columns, or the shape of flat images (default: as they are)",
    )
    parser.add_argument(
        "--test-fraction",
        type=float,
        default=0.1,
        metavar="X",
        help="fraction of the images to test on (default: 0.1)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="random seed of the split (default: 1)",
    )


def run(args: Namespace, console: Console) -> int:
    """Convert own images to IDX files, split at random into a training set and a test set.

    SOURCE is a directory of 8-bit gray or RGB PNG files, of one size unless --size is given. Sub-directories become
    labels. Or it is a .csv with an image per row (a header that begins with "label": labels in the first column),
    or an .npy or .npz array of images. Color becomes gray. Labels are optional.

    examples:
      numpyvae data photos --out data/photos --size 28 28
      numpyvae data digits.csv --out data/digits --test-fraction 0.2 --seed 7
      numpyvae train --data data/photos
    """
    import shlex

    from ..data.sources.convert import convert_images
    from ..data.sources.fetch import printable

    size = None if args.size is None else tuple(args.size)
    split = convert_images(
        args.source,
        args.out,
        size,
        args.test_fraction,
        args.seed,
        lambda done, total: console.progress(done, total, "images"),
    )
    for name, (images, labels, classes) in split.items():
        n, rows, cols = images.shape
        found = 0 if labels is None else len(set(labels.tolist()))
        known = f"{found} class{'es' if found > 1 else ''}" if found else "no labels"
        console.line(
            f"{name + ':':6} {n:,} image{'s' * (n > 1)} of {rows} x {cols} pixels, {known}"
        )
    classes = split["train"].classes
    if classes is not None:
        names = ", ".join(
            f"{number} {printable(name)}" for number, name in enumerate(classes[:10])
        )
        console.line(f"classes: {names}{', …' if len(classes) > 10 else ''}")
    console.line(f"Next: numpyvae train --data {shlex.quote(args.out)}")
    return 0
