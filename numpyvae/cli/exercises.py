"""exercises: write the two books as exercises."""

from argparse import ArgumentParser, Namespace

from .console import Console

HELP = "write the two books as exercises into a directory"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="a new or an empty directory")
    parser.add_argument(
        "--level",
        choices=("formula", "derive"),
        default="formula",
        help="what docstrings say: the formula (default), or only what is wanted, with "
        "shapes and the number of the equation",
    )


def run(args: Namespace, console: Console) -> int:
    """Write the two books as exercises: every chapter with its prose, and functions
    without their bodies. DIR/README.md says how to continue; `numpyvae check DIR` says
    what is right.

    examples:
      numpyvae exercises mine
      numpyvae exercises mine --level derive
    """
    from ..exercises.files import write_exercises
    from ..exercises.table import EXERCISES

    directory = args.directory
    count = write_exercises(directory, args.level)
    first = EXERCISES[0]
    file = f"{directory}/{first.chapter.replace('.', '/')}.py"
    console.line(
        f"Wrote {count} exercises into {directory}; the first is `{first.name}` in "
        f"{file}. Then: numpyvae check {directory}"
    )
    return 0
