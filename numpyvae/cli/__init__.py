"""The command line: argument parsing and error reporting. Each command is a module of
this package.

Results and logs go to standard output, progress and warnings to standard error. What
the package refuses, and what the operating system cannot do, is reported in one line,
`numpyvae: error: …`, with exit status 2. An interrupted training run exits with 130
(Ctrl-C) or 143 (SIGTERM). Any other exception is a defect of the package: one line says
so, with exit status 70. NUMPYVAE_TRACEBACK=1 shows the traceback of every error.

A command's module has HELP, one line; add_arguments(parser); and run(args, console),
which returns the exit status. The docstring of `run` is the command's description, with
examples. NumPy is imported inside `run`, so --help answers quickly.
"""

import argparse
import inspect
import os
import re
import sys
from importlib import import_module
from typing import Any, NoReturn

from .. import __version__
from ..errors import InputError, NumpyvaeError
from .console import Console, ignore_interrupts

COMMANDS = (
    "train",
    "evaluate",
    "report",
    "compare",
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
  numpyvae train                     train on the sample of MNIST; a report in runs/001
  numpyvae evaluate runs/001         evaluate the model on test images
  numpyvae help COMMAND              the options of a command, with examples

exit status:
  0     done
  1     gradcheck found a wrong gradient, or check a wrong function
  2     refused, or impossible; one line says what is wrong
  70    an error in numpyvae itself; NUMPYVAE_TRACEBACK=1 shows the traceback
  130   interrupted by Ctrl-C, train having saved; 143 by SIGTERM
  141   standard output is closed"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are InputErrors that name the command's help."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see `{self.prog} --help`)")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print --version. argparse's own way hides that a stream is full."""
        print(message, end="", file=file, flush=True)

    def print_help(self, file: Any = None) -> None:
        """Print the help. argparse's own way hides that a stream is full."""
        print(self.format_help(), end="", file=file, flush=True)

    def parse_known_args(self, args=None, namespace=None):
        """Report an unknown option here, where the command that was meant is known."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return namespace, unknown


def main(argv: list[str] | None = None) -> int:
    """Run a command, and return its exit status.

    Errors end in one line on standard error, without a traceback.
    """
    console = Console()
    try:
        status = run_command(sys.argv[1:] if argv is None else argv, console)
        if argv is None and status > 128:  # a signal ended it: so no other one does
            ignore_interrupts()
        console.flush()
        return status
    except BrokenPipeError:  # `numpyvae train | head`: standard output is closed
        console.discard(sys.stdout)
        return 141
    except (NumpyvaeError, OSError, MemoryError) as error:
        show_traceback(console)
        console.error(f"error: {error_message(error)}")
        return 2
    except KeyboardInterrupt:
        # this process ends now: more of them would end it with a traceback
        if argv is None:
            ignore_interrupts()
        console.error("interrupted")
        return 130
    except Exception as error:  # noqa: BLE001, whatever it is ends in one line
        show_traceback(console)
        if is_library_missing(error):
            console.error(f"error: {import_message(error)}")
            return 2
        console.error(f"defect: {defect_message(error)}")
        return 70


def run_command(argv: list[str], console: Console) -> int:
    """Parse the arguments and run their command; without one, print the help."""
    if argv and argv[0] == "help":  # help, help COMMAND
        argv = [*argv[1:], "--help"]
    parser = build_parser(argv[0] if argv else "")
    if not argv:
        console.line(parser.format_help().rstrip())
        return 0
    try:
        with console.output():
            args = parser.parse_args(join_negative_numbers(argv))
    except SystemExit:  # --help and --version; errors raise InputError
        return 0
    return args.command(args, console)


def error_message(error: BaseException) -> str:
    """The error in one line: file and reason of a system error, else its text."""
    if isinstance(error, OSError) and error.strerror:
        if error.filename is None:
            return error.strerror
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})" if str(error) else "not enough memory"
    return " ".join(str(error).split()) or type(error).__name__


def defect_message(error: Exception) -> str:
    """An exception that nothing in the package expects, in one line."""
    import traceback

    what = f"{type(error).__name__}: {' '.join(str(error).split())}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{what} ({os.path.basename(last.filename)}, line {last.lineno}). This is an "
        "error in numpyvae, not in what it was given; NUMPYVAE_TRACEBACK=1 shows the "
        "traceback"
    )


def show_traceback(console: Console) -> None:
    """Print the traceback of the exception at hand, if NUMPYVAE_TRACEBACK is set."""
    if os.environ.get("NUMPYVAE_TRACEBACK"):
        import traceback

        console.error(traceback.format_exc().rstrip())


def is_library_missing(error: Exception) -> bool:
    """Whether a library, and not a module of this package, could not be imported."""
    name = getattr(error, "name", None) or ""
    return isinstance(error, ImportError) and name.split(".")[0] != "numpyvae"


def import_message(error: Exception) -> str:
    """The reason why NumPy or SciPy cannot be imported, in one line.

    Their own error is a page of advice, raised from the one that has the reason.
    """
    reason = " ".join(str(error.__cause__ or error).split())
    return f"{reason}; are NumPy and SciPy installed, and is there enough memory?"


def join_negative_numbers(argv: list[str]) -> list[str]:
    """--logvar-x -1e-5 -> --logvar-x=-1e-5

    argparse takes a negative number with an exponent for an option.
    """
    words: list[str] = []
    for word in argv:
        if words and re.fullmatch(r"--[a-z-]+", words[-1]) and NEGATIVE.fullmatch(word):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser of all commands.

    only    the one command that has its arguments, which is quicker; None: all have
    """
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
        # python -OO has no docstrings
        description = inspect.cleandoc(command.run.__doc__ or command.HELP)
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
