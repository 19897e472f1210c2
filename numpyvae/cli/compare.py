"""compare: several runs side by side."""

from argparse import ArgumentParser, Namespace

from .arguments import add_json, file_name, integer
from .console import Console

HELP = "compare runs: a table, and a page with their curves"
OUT = "compare.html"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("runs", metavar="RUN", nargs="+", help="a run's directory")
    parser.add_argument(
        "--out",
        type=file_name(".html"),
        default=OUT,
        metavar="FILE.html",
        help=f"the page to write (default: {OUT})",
    )
    parser.add_argument(
        "--importance-samples",
        type=integer(0),
        default=0,
        metavar="K",
        help="also estimate log p(x) of each run with K samples per image",
    )
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Compare runs: the settings that differ, the test loss with its terms, log p(x)
    and the time, as a table; and one page with the curves over each other. Runs that
    differ only in their seed are one row: the mean ± its standard error.

    examples:
      numpyvae compare runs/001 runs/002
      numpyvae compare runs/* --importance-samples 100 --out sweep.html
      numpyvae compare runs/* --json
    """
    from ..training.parallel.threads import set_environment

    set_environment()  # before NumPy is imported
    from ..files import make_parent
    from ..runs.compare import compare

    compared = compare(args.runs, args.importance_samples, console.progress)
    make_parent(args.out)
    compared.write(args.out)
    if args.json:
        console.json(compared.record() | {"page": args.out})
        return 0
    console.line(compared.table())
    for warning in compared.warnings:
        console.warn(warning)
    console.line(f"Wrote {args.out}")
    return 0
