"""The command line: argument parsing and error reporting. Each command is a module of this package.

Results and logs go to standard output, progress and warnings to standard error. A user's error is reported in one line,
`numpyvae: error: …`, with exit status 2. An interrupted training run exits with 130 (Ctrl-C) or 143 (SIGTERM).

A command's module has HELP, one line; add_arguments(parser); and run(args, console), which returns the exit status. Its
docstring is the description, with examples. NumPy is imported inside `run`, so --help answers quickly.
"""

import argparse
import inspect
import re
import sys
from importlib import import_module
from typing import NoReturn

from .. import __version__
from .console import Console, ignore_interrupts

COMMANDS = (
    "train",
    "evaluate",
    "report",
    "sample",
    "gradcheck",
    "mdp",
    "download",
    "data",
    "exercises",
    "check",
    "book",
)
NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|-inf", re.IGNORECASE)
DESCRIPTION = "A variational autoencoder and a small MDP solver from scratch in NumPy."
EPILOG = """examples:
  numpyvae train                     train on the sample of MNIST; images and a report in runs/001
  numpyvae evaluate runs/001         evaluate the model on test images
  numpyvae COMMAND --help            the options of a command, with examples

exit status: 0; 1 if gradcheck finds a wrong gradient, or check a wrong function; 2 with one line that says what is
wrong; 130 (Ctrl-C) or 143 (SIGTERM) when interrupted, train having saved; 141 if standard output is closed"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ValueErrors that name the command's help."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see `{self.prog} --help`)")

    def _print_message(self, message, file=None):
        """Print --version. argparse's own way hides that standard output is closed or full."""
        print(message, end="", file=file, flush=True)

    def print_help(self, file=None) -> None:
        """Print the help. argparse's own way hides that standard output is closed or full."""
        print(self.format_help(), end="", file=file, flush=True)

    def parse_known_args(self, args=None, namespace=None):
        """Report an unknown option here, so that the message points to the help of the command that was meant."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown


def main(argv: list[str] | None = None) -> int:
    """Run a command, and return its exit status. Errors end in one line on standard error, never in a traceback."""
    console = Console()
    try:
        status = run_command(sys.argv[1:] if argv is None else argv, console)
        console.flush()
        return status
    except BrokenPipeError:  # `numpyvae train | head`: standard output is closed
        console.discard_stdout()
        return 141
    except (ValueError, OSError, ArithmeticError, MemoryError) as error:
        console.error(f"error: {error_message(error)}")
        return 2
    except KeyboardInterrupt:
        if (
            argv is None
        ):  # this process ends now: more of them would end it with a traceback
            ignore_interrupts()
        console.error("interrupted")
        return 130


def run_command(argv: list[str], console: Console) -> int:
    """Parse the arguments and run the command that they name; without one, print the help."""
    parser = build_parser(argv[0] if argv else "")
    if not argv:
        console.line(parser.format_help().rstrip())
        return 0
    try:
        with console.output():
            args = parser.parse_args(join_negative_numbers(argv))
    except SystemExit as done:  # --help and --version
        return done.code or 0
    return args.command(args, console)


def error_message(error: BaseException) -> str:
    """The error in one line: the file and the reason for an OSError of the system, else its text."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})" if str(error) else "not enough memory"
    return " ".join(str(error).split()) or type(error).__name__


def join_negative_numbers(argv: list[str]) -> list[str]:
    """--logvar-x -1e-5 -> --logvar-x=-1e-5: argparse takes a negative number with an exponent for an option."""
    words: list[str] = []
    for word in argv:
        if words and re.fullmatch(r"--[a-z-]+", words[-1]) and NEGATIVE.fullmatch(word):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser of all commands; `only`: with the arguments of this command alone, which is quicker."""
    top = Parser(
        "numpyvae",
        description=DESCRIPTION,
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"numpyvae {__version__}")
    subparsers = top.add_subparsers(
        metavar="COMMAND", required=True, parser_class=Parser
    )
    for name in COMMANDS:
        command = import_module(f".{name}", __name__)
        if only not in (None, name):
            subparsers.add_parser(name, help=command.HELP)
            continue
        description = inspect.cleandoc(
            command.run.__doc__ or command.HELP
        )  # python -OO has no docstrings
        sub = subparsers.add_parser(
            name,
            help=command.HELP,
            description=description,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(sub)
        sub.set_defaults(command=command.run)
    return top
