"""Where the package keeps a function: the names and the tables of its modules."""

import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

PACKAGE = __name__.split(".")[0]
BENCH = ".".join(__name__.split(".")[:2])


class Place(NamedTuple):
    """An entry of a module's names, or of one of its tables, and what is to be there"""

    namespace: dict
    key: Any
    value: Any


def package_modules() -> list[ModuleType]:
    """The package's modules that are loaded, except the bench"""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.split(".")[0] == PACKAGE and not f"{name}.".startswith(f"{BENCH}.")
    ]


def find_places(namespaces: Iterable[dict], new: dict[Callable, Any]) -> list[Place]:
    """Where a function stands that is a key of `new`, with its value in its place.

    A module keeps functions under their names, and in tables: dicts of functions, or
    of tuples of them.
    """
    places: list[Place] = []
    for namespace in namespaces:
        places += _changed(namespace, new)
        for key, value in list(namespace.items()):
            if isinstance(value, dict) and not key.startswith("__"):
                places += _changed(value, new)
    return places


def _changed(table: dict, new: dict[Callable, Any]) -> Iterator[Place]:
    for key, value in list(table.items()):
        replacement = _replacement(value, new)
        if replacement is not value and not str(key).startswith("__"):
            yield Place(table, key, replacement)


def _replacement(value: Any, new: dict[Callable, Any]) -> Any:
    if isinstance(value, tuple) and any(callable(item) for item in value):
        items = [_replacement(item, new) for item in value]
        if all(item is old for item, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return new.get(value, value) if callable(value) and _hashable(value) else value


def _hashable(value: Any) -> bool:
    return type(value).__hash__ is not None
