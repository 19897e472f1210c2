"""Known errors: wrong implementations of the exercises, each with its words.

Each is easily made; some were published. A check compares a wrong function's outputs with theirs, so that it can say
what is wrong. The lists are in the modules known_errors_*.py. Put in the place of the right function, a known error is
a mutant of the mathematics: the tests of its chapter must fail.
"""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from ..table import package_function

LISTS = (
    ".vae.known_errors_layers",
    ".vae.known_errors_gaussian",
    ".vae.known_errors_vae",
    ".vae.known_errors_optimizer",
    ".mdp.known_errors_bellman",
    ".mdp.known_errors_solvers",
)


class KnownError(NamedTuple):
    """One wrong implementation.

    name       of the function that is wrong
    words      "this is …": what the function computes instead
    function   the wrong function, for a method its class
    published  where it was, if it was
    """

    name: str
    words: str
    function: Callable
    published: str = ""

    @property
    def functions(self) -> Callable:
        """Everything else is the package's."""
        return package_function


def known_errors(name: str | None = None) -> list[KnownError]:
    """All known errors, or those of one function"""
    lists = [
        import_module(part, __package__.rpartition(".")[0]).ERRORS for part in LISTS
    ]
    return [error for errors in lists for error in errors if name in (None, error.name)]
