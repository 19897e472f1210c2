"""Use a learner's functions in the package's place."""

import sys
from collections.abc import Iterator
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
    """Within the block the package computes with the learner's right functions. Yields a line that says which.

    source: as for check_functions. ValueError if one of the functions is wrong, or none is done.
    Modules imported within the block use them as well; processes must be forked within the block.
    """
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
    path_before, modules_before = list(sys.path), dict(sys.modules)
    undo = []
    try:
        replaced, methods = {}, []
        for path, names in read_groups(source, right):
            namespace = load(source, path)
            for name in names:
                own, theirs = package_function(name), namespace[BY_NAME[name].owner]
                if "." in name:
                    methods.append(
                        (own, name.split(".")[1], getattr(theirs, name.split(".")[1]))
                    )
                else:
                    replaced[own] = theirs
            for exercise in EXERCISES:  # those of the same file that are not done
                if exercise.owner in namespace and exercise.name not in right:
                    _set(
                        namespace, exercise.owner, package_function(exercise.name), undo
                    )
        for cls, name, method in methods:
            undo.append((setattr, cls, name, getattr(cls, name)))
            setattr(cls, name, method)
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


def summary(right: list[str]) -> str:
    """One line: whose the functions are"""
    if len(right) == len(EXERCISES):
        return f"all {len(right)} functions are yours"
    rest = len(EXERCISES) - len(right)
    functions = "function" if len(right) == 1 else "functions"
    return f"{len(right)} {functions} of yours: {', '.join(right)}; the other {rest} are the package's"


def _set(namespace: dict, key: Any, value: Any, undo: list) -> None:
    undo.append((namespace.__setitem__, key, namespace[key]))
    namespace[key] = value
