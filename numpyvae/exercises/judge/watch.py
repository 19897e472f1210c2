"""A learner's function, watched: what it was called with, and whom it calls.

In training the learner's function stands in the package's place. If it calls the
package's own function of that name, it calls itself there, without an end. So while it
runs, the package's own is taken away.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from ..table import package_function
from .outputs import Unusable, kind_of
from .places import find_places, package_modules


def watched(name: str, function: Any) -> Any:
    """The learner's function, watched while it runs; for a method its class"""
    own = package_function(name)
    if "." in name:
        return _watched_class(name, function, own)
    return Watched(name, function, own)


class Watched:
    """A learner's function, in whose calls the package's own refuses"""

    def __init__(self, name: str, function: Callable, own: Callable):
        functools.update_wrapper(self, function)
        self.function = function
        self.arguments: dict[str, Any] = {}
        self.running = False
        namespaces = [vars(module) for module in package_modules()]
        learners = getattr(function, "__globals__", None)
        if learners is not None and learners not in namespaces:
            namespaces.append(learners)
        self.places = find_places(namespaces, {own: functools.partial(_refuse, name)})

    def __call__(self, *values: Any, **named: Any) -> Any:
        self.arguments = _bind(self.function, values, named)
        saved = [place.namespace[place.key] for place in self.places]
        for place in self.places:
            place.namespace[place.key] = place.value
        self.running = True
        try:
            result = self.function(*values, **named)
            self.running = False  # it stays true after an exception
            return result
        finally:
            for place, value in zip(self.places, saved, strict=True):
                place.namespace[place.key] = value

    def name_of(self, value: Any, default: str) -> str:
        """The name of the argument that `value` was, in the last call"""
        for name, argument in self.arguments.items():
            if argument is value:
                return name
        return default

    def cache_text(self) -> str:
        """The cache that the last call was given, in words; empty if it has none"""
        for name in ("cache", "caches"):
            if name in self.arguments:
                return f"; {name} is {kind_of(self.arguments[name], parts=True)}"
        return ""


def _refuse(name: str, *values: Any, **named: Any) -> NoReturn:
    raise Unusable(
        f"calls the package's own {name}; in training that would be this function "
        "again, without an end"
    )


def _bind(function: Callable, values: tuple, named: dict) -> dict[str, Any]:
    with suppress(TypeError, ValueError):
        return dict(inspect.signature(function).bind(*values, **named).arguments)
    return {}


def _watched_class(name: str, learners: Any, own: Any) -> Any:
    """A subclass whose method refuses the package's own"""
    if not isinstance(learners, type):
        return learners
    method = name.split(".")[1]

    @contextmanager
    def taken_away() -> Iterator[None]:
        saved = getattr(own, method)
        setattr(own, method, functools.partial(_refuse, name))
        try:
            yield
        finally:
            setattr(own, method, saved)

    function = getattr(learners, method)

    def watch(self: Any, *values: Any, **named: Any) -> Any:
        with taken_away():
            return function(self, *values, **named)

    return type(learners.__name__, (learners,), {method: watch})
