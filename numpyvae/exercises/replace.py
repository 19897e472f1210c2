"""Use a learner's functions in the package's place."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import InputError
from .files import BOOKS
from .judge.places import find_places, package_modules
from .judge.run import check_functions
from .judge.sources import load, read_groups
from .table import BY_NAME, EXERCISES, package_function


@contextmanager
def use_functions(source: Any) -> Iterator[str]:
    """Within the block the package computes with the learner's right functions.

    source: as for check_functions. Yields a line that says which they are. InputError
    if one of the functions is wrong, or none is done. Modules imported within the block
    use them as well; processes must be forked within the block.
    """
    right = _right_functions(source)
    path_before, modules_before = list(sys.path), dict(sys.modules)
    undo: list[tuple] = []
    try:
        replaced: dict[Callable, Any] = {}
        for path, names in read_groups(source, right):
            namespace = load(source, path)
            for name in names:
                _take(name, namespace, replaced, undo)
            # Those of the same file that are not done are the package's.
            for exercise in EXERCISES:
                if exercise.owner in namespace and exercise.name not in right:
                    own = package_function(exercise.name)
                    _set(namespace, exercise.owner, own, undo)
        learners = [
            module
            for name, module in list(sys.modules.items())
            if modules_before.get(name) is not module
        ]
        modules = {id(module): module for module in package_modules() + learners}
        namespaces = [vars(module) for module in modules.values()]
        for place in find_places(namespaces, replaced):
            _set(*place, undo)
        yield summary(right)
    finally:
        for change, *arguments in reversed(undo):
            change(*arguments)
        sys.path[:] = path_before
        for name in set(sys.modules) - set(modules_before):
            if name.split(".")[0] in ("learner", *BOOKS):
                del sys.modules[name]
        sys.modules.update(modules_before)


def _right_functions(source: Any) -> list[str]:
    """The names of the learner's functions, which all have to be right"""
    verdicts = check_functions(source)
    wrong = [verdict.name for verdict in verdicts if verdict.status == "wrong"]
    right = [verdict.name for verdict in verdicts if verdict.status == "right"]
    if wrong:
        verb = "is" if len(wrong) == 1 else "are"
        raise InputError(
            f"{', '.join(wrong)} {verb} wrong; `numpyvae check {source}` says why"
        )
    if not right:
        raise InputError(f"{source}: none of its functions is done")
    return right


def _take(
    name: str, namespace: Mapping[str, Any], replaced: dict, undo: list[tuple]
) -> None:
    """Note a function that is to be replaced; replace a method at once."""
    own, theirs = package_function(name), namespace[BY_NAME[name].owner]
    if "." not in name:
        replaced[own] = theirs
        return
    method = name.split(".")[1]
    undo.append((setattr, own, method, getattr(own, method)))
    setattr(own, method, getattr(theirs, method))


def summary(right: list[str]) -> str:
    """One line: whose the functions are"""
    if len(right) == len(EXERCISES):
        return f"all {len(right)} functions are yours"
    rest = len(EXERCISES) - len(right)
    functions = "function" if len(right) == 1 else "functions"
    names = ", ".join(right)
    own = f"{len(right)} {functions} of yours: {names}"
    return f"{own}; the other {rest} are the package's"


def _set(namespace: Any, key: Any, value: Any, undo: list[tuple]) -> None:
    undo.append((namespace.__setitem__, key, namespace[key]))
    namespace[key] = value
