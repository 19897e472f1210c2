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
    from ..vae import gradcheck_cases

    rows = []
    if not args.json:
        console.line(gradcheck_cases.HEADER)
    for row in gradcheck_cases.check_all():
        rows.append(row)
        if not args.json:
            console.line(gradcheck_cases.format_row(row))
    if args.json:
        console.json(gradcheck_cases.to_json(rows))
    else:
        console.line("\n" + gradcheck_cases.format_summary(rows))
    return 0 if all(row.passed for row in rows) else 1
