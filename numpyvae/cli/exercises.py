"""exercises: write the two books as exercises."""

from argparse import ArgumentParser, Namespace

from .console import Console

HELP = "write the two books as exercises into a directory"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="a new or an empty directory")


def run(args: Namespace, console: Console) -> int:
    """Write the two books as exercises: every chapter with its prose, and functions without their bodies.
    DIR/README.md says how to continue; `numpyvae check DIR` says what is right.

    examples:
      numpyvae exercises mine
    """
    from ..exercises.files import write_exercises
    from ..exercises.table import EXERCISES

    count, first = write_exercises(args.directory), EXERCISES[0]
    console.line(
        f"Wrote {count} exercises into {args.directory}; the first is `{first.name}` in "
        f"{args.directory}/{first.chapter.replace('.', '/')}.py. Then: numpyvae check {args.directory}"
    )
    return 0
