"""data: convert own images to IDX files."""

from argparse import ArgumentParser, Namespace

from .console import Console

HELP = "convert own images to training data"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="directory of PNG files, or a .csv, .tsv, .txt, .amat (or .gz of these), "
        ".npy, .npz or .mat file, or a directory of such files",
    )
    parser.add_argument(
        "--out", metavar="DIR", required=True, help="output directory, new or empty"
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs=2,
        metavar=("R", "C"),
        help="resize to R rows and C columns, or the shape of flat images (default: as "
        "they are)",
    )
    parser.add_argument(
        "--label-column",
        metavar="COLUMN",
        help="labels in a table: first, last, none, or a name in its header (default: "
        "a column named label, class, target or y)",
    )
    parser.add_argument(
        "--white",
        type=float,
        metavar="VALUE",
        help="the number that is white (default: 255 for integers, 1 for fractions)",
    )
    parser.add_argument(
        "--transpose", action="store_true", help="exchange rows and columns"
    )
    parser.add_argument(
        "--invert",
        action="store_true",
        help="exchange black and white: digits of ink on paper become light on dark",
    )
    parser.add_argument(
        "--test-fraction",
        type=float,
        default=0.1,
        metavar="X",
        help="fraction of the images to test on, if there is no test set (default: 0.1)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="random seed of the split (default: 1)",
    )


def run(args: Namespace, console: Console) -> int:
    """Convert own images to IDX files of a training set and a test set.

    SOURCE is a directory of PNG files, of one size unless --size is given, whose
    sub-directories become labels; a table with an image per row; or arrays of images.
    A test set in it is kept: sub-directories or files with train and test in their
    names, arrays as x_test. Else one is split off at random. Color becomes gray,
    transparency white. Labels are optional.

    examples:
      numpyvae data photos --out data/photos --size 28 28
      numpyvae data digits.csv --out data/digits --label-column last --white 16
      numpyvae train --data data/photos
    """
    import shlex

    from ..data.sources.convert import convert_images
    from ..data.sources.fetch import printable

    split = convert_images(
        args.source,
        args.out,
        None if args.size is None else tuple(args.size),
        args.test_fraction,
        args.seed,
        lambda done, total: console.progress(done, total, "images"),
        console.line,
        white=args.white,
        label_column=args.label_column,
        transpose=args.transpose,
        invert=args.invert,
    )
    for name, (images, labels, _) in split.items():
        n, rows, cols = images.shape
        found = 0 if labels is None else len(set(labels.tolist()))
        known = f"{found} class{'es' if found > 1 else ''}" if found else "no labels"
        console.line(
            f"{name + ':':6} {n:,} image{'s' * (n > 1)} of {rows} x {cols} pixels, "
            f"{known}"
        )
    classes = split["train"].classes
    if classes is not None:
        shown = [f"{number} {printable(name)}" for number, name in enumerate(classes)]
        if len(shown) > 10:
            shown[10:] = ["…"]
        console.line(f"classes: {', '.join(shown)}")
    console.line(f"Next: numpyvae train --data {shlex.quote(args.out)}")
    return 0
