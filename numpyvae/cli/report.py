"""report: rebuild the report of a run."""

from argparse import ArgumentParser, Namespace

from .console import Console

HELP = "rebuild the report of a run, report.html"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run's directory")
    parser.add_argument(
        "--data", metavar="DIR", help="the data of the run, if it has moved"
    )


def run(args: Namespace, console: Console) -> int:
    """Rebuild report.html in the directory of a run. Training writes it at the end.

    examples:
      numpyvae report runs/001
      numpyvae report runs/001 --data data/mnist
    """
    from pathlib import Path

    from ..runs.report import FILE, write_report
    from ..runs.run import Run

    if not Path(args.run).is_dir():
        raise NotADirectoryError(f"{args.run}: not the directory of a run")
    trained = Run.load(args.run)
    # a run that was trained on arrays has no test images, unless --data names them
    if args.data is not None or trained.source.path is not None:
        trained.source = trained.source.load(args.data, args.run)
    write_report(trained)
    console.line(f"Wrote {Path(args.run) / FILE}")
    return 0
