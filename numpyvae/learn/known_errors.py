"""Known errors: wrong implementations of the exercises, each with its words.

Each is easily made; some were published. A check compares a wrong function's outputs with theirs, so that it can say
what is wrong. An error is written as an edit of the package's function, or as a small function. The lists are in the
modules known_errors_*.py.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from .table import BY_NAME, chapter_module, package_function


LISTS = "layers", "gaussian", "vae", "optimizer", "mdp", "solvers"


class KnownError(NamedTuple):
    """One wrong implementation.

    name       of the function that is wrong
    words      "this is …": what the function computes instead
    function   the wrong function; or None, and
    edits      (old, new) pairs: what to replace in the source of the package's function, where `old` occurs once
    published  where it was, if it was
    """

    name: str
    words: str
    function: Callable | None = None
    edits: tuple[tuple[str, str], ...] = ()
    published: str = ""

    @property
    def implementation(self) -> Callable:
        """The wrong function, for a method its class"""
        return self.function or edited_function(self.name, self.edits)

    @property
    def functions(self) -> Callable:
        """Everything else is the package's."""
        return package_function


def edited(name: str, edits: tuple) -> list[tuple[str, str]]:
    """(source, edited source) of the package's function or class, and of the private helpers that are its answer

    ValueError if an edit does not apply.
    """
    module = chapter_module(BY_NAME[name].chapter)
    functions = [*(getattr(module, answer) for answer in BY_NAME[name].answers), package_function(name)]
    sources = [inspect.getsource(function) for function in functions]
    changed = list(sources)
    for old, new in edits:
        count = sum(text.count(old) for text in changed)
        if count != 1 or old == new:
            raise ValueError(f"{name} has {old!r} {count} times; it must be there once")
        changed = [text.replace(old, new) for text in changed]
    return list(zip(sources, changed))


@cache
def edited_function(name: str, edits: tuple) -> Callable:
    """The package's function or class with the edits, in its module's names"""
    module = chapter_module(BY_NAME[name].chapter)
    namespace = dict(vars(module))
    for _, source in edited(name, edits):
        exec(compile(source, f"<known error in {name}>", "exec"), namespace)
    return namespace[BY_NAME[name].owner]


def known_errors(name: str | None = None) -> list[KnownError]:
    """All known errors, or those of one function"""
    lists = [import_module(f".known_errors_{part}", __package__).ERRORS for part in LISTS]
    return [error for errors in lists for error in errors if name in (None, error.name)]


def faults() -> Iterator[tuple]:
    """(what, (file, old, new), …) of each error that is an edit, for mutation testing: old is a whole function."""
    for error in known_errors():
        if error.edits:
            file = f"{BY_NAME[error.name].chapter.replace('.', '/')}.py"
            yield error.words, *((file, old, new) for old, new in edited(error.name, error.edits) if old != new)
