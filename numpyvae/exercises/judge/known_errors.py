"""Known errors: wrong implementations of the exercises, each with its words.

Each is easily made; some were published. A check compares a wrong function's outputs
with theirs, so that it can say what is wrong. They stand beside the oracles, a module
per chapter. Put in the place of the right function, a known error is a mutant of the
mathematics: the tests of its chapter must fail.
"""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from ..table import package_function

CHAPTERS = (
    ".vae.layers",
    ".vae.gaussian",
    ".vae.bernoulli",
    ".vae.model",
    ".vae.elbo",
    ".vae.adam",
    ".vae.gradcheck",
    ".vae.iwae",
    ".vae.gradient_estimators",
    ".vae.conditional",
    ".mdp.bellman",
    ".mdp.horizon",
    ".mdp.contraction",
    ".mdp.improvement",
    ".mdp.span",
    ".mdp.average",
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


def errors_of(name: str, table: dict) -> list[KnownError]:
    """The known errors of one function, from a table

    words -> the wrong function, or (the wrong function, where it was published)
    """
    errors = []
    for words, wrong in table.items():
        function, *published = wrong if isinstance(wrong, tuple) else (wrong,)
        errors.append(KnownError(name, words, function, *published))
    return errors


def known_errors(name: str | None = None) -> list[KnownError]:
    """All known errors, or those of one function"""
    package = __name__.rsplit(".", 2)[0]
    chapters = [import_module(chapter, package) for chapter in CHAPTERS]
    errors = [error for chapter in chapters for error in chapter.ERRORS]
    return [error for error in errors if name in (None, error.name)]
