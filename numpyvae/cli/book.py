"""book: the two books as one page."""

from argparse import ArgumentParser, Namespace

from .arguments import file_name
from .console import Console

HELP = "write the two books as one page, with figures"
OUT = "book.html"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=file_name(".html"),
        default=OUT,
        metavar="FILE.html",
        help=f"the page to write (default: {OUT})",
    )
    parser.add_argument(
        "--costs",
        action="store_true",
        help="add what eight known errors cost, by training with each: 2 minutes",
    )
    parser.add_argument(
        "--figures",
        metavar="DIR",
        help="also write each figure as a file, into this directory",
    )
    parser.add_argument(
        "--data", metavar="DIR", help="directory of IDX files (default: as for train)"
    )


def run(args: Namespace, console: Console) -> int:
    """Write the two books as one page that needs nothing else: the prose beside the
    code, names and equations as links, and figures that the package's own functions
    compute while the page is made.

    examples:
      numpyvae book
      numpyvae book --out book.html --costs
      numpyvae book --figures figures
    """
    from pathlib import Path

    from ..book.figures import all as figures
    from ..book.figures import costs
    from ..book.page import cost_table
    from ..book.write import book_html
    from ..data.dataset import Dataset
    from ..files import make_parent, write_file
    from ..pictures.png import png_bytes

    data = Dataset.open(args.data)
    images, test_images = data.images, data.test_images
    made, total = [], figures.COUNT + (len(costs.ERRORS) + 1 if args.costs else 0)
    for figure in figures.make_figures(images, test_images):
        made.append(figure)
        console.progress(len(made), total, "figures")
    rows = []
    for cost in costs.costs(images, test_images) if args.costs else ():
        rows.append(cost)
        console.progress(len(made) + len(rows), total, "figures")
    make_parent(args.out)
    write_file(args.out, book_html(made, cost_table(rows) if rows else ""))
    if args.figures is not None:
        directory = Path(args.figures)
        directory.mkdir(parents=True, exist_ok=True)
        for figure in made:
            if isinstance(figure.content, str):
                write_file(directory / f"{figure.name}.svg", figure.content)
            else:
                pixels = png_bytes(figure.content)
                write_file(directory / f"{figure.name}.png", pixels)
    models = f", {len(rows)} trained models" if rows else ""
    console.line(f"Wrote {args.out}: two books, {len(made)} figures{models}")
    return 0
