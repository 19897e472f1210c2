"""gradcheck: check every hand-written gradient numerically."""

from argparse import ArgumentParser, Namespace

from .arguments import add_json
from .console import Console

HELP = "check every gradient numerically"


def add_arguments(parser: ArgumentParser) -> None:
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Check every hand-written gradient by complex step and central difference; exit status 1 if one is wrong.

    examples:
      numpyvae gradcheck
      numpyvae gradcheck --json
    """
    from ..vae import gradcheck_cases as cases

    rows = []
    if not args.json:
        console.line(cases.HEADER)
    for row in cases.sweep():
        rows.append(row)
        if not args.json:
            console.line(cases.line(row))
    if args.json:
        console.json(cases.report(rows))
    else:
        console.line("\n" + cases.summary(rows))
    return 0 if all(row.ok for row in rows) else 1
