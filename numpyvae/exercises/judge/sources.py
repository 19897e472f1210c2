"""Where a learner's functions come from.

They come from a directory of exercises, a Python file, or the names of a notebook.
"""

import ast
import difflib
import errno
import importlib
import importlib.machinery
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ...errors import InputError, NumpyvaeError
from ..table import BY_NAME, EXERCISES, OTHERS, Exercise, package_function
from .places import PACKAGE


class ImportFailed(NumpyvaeError):
    """A file of the learner cannot be imported; the message is one line."""


def read_groups(
    source: Any, names: list[str] | str | None
) -> list[tuple[str, list[str]]]:
    """(what to load, names of exercises), in order.

    What to load is a chapter's file in a directory, one file, or "" for a namespace. Of
    a file or a namespace only what it defines itself counts, not what it imports from
    the package. InputError if there is nothing to check, or no exercise of a name.
    """
    names = [names] if isinstance(names, str) else names
    for name in names or ():
        require_exercise(name)
    wanted = [exercise for exercise in EXERCISES if not names or exercise.name in names]
    groups = list(_groups(source, wanted))
    if not any(mine for _, mine in groups):
        is_path = isinstance(source, (str, os.PathLike))
        where = source if is_path else "the namespace"
        functions = ", ".join(exercise.name for exercise in wanted)
        raise InputError(f"{where} has none of the functions {functions}")
    return groups


def _groups(source: Any, wanted: list[Exercise]) -> Iterator[tuple[str, list[str]]]:
    """What to load, and the names of the exercises that it defines"""
    if not isinstance(source, (str, os.PathLike)):
        namespace = namespace_of(source)
        mine = [exercise.name for exercise in wanted if exercise.owner in namespace]
        yield "", [n for n in mine if not _is_the_packages(namespace, n)]
        return
    path = Path(source)
    if path.is_dir():
        for chapter in dict.fromkeys(exercise.chapter for exercise in wanted):
            file = path.joinpath(*chapter.split(".")).with_suffix(".py")
            if file.is_file():
                mine = [each.name for each in wanted if each.chapter == chapter]
                yield str(file), mine
    elif path.is_file():
        defined = _defined_names(path.read_text(encoding="utf-8", errors="replace"))
        yield str(source), [each.name for each in wanted if each.owner in defined]
    elif path.exists():
        words = "is neither a directory of exercises nor a file of Python"
        raise OSError(errno.EINVAL, words, str(source))
    else:
        raise FileNotFoundError(
            errno.ENOENT, "there is no such file or directory", str(source)
        )


def _is_the_packages(namespace: Mapping[str, Any], name: str) -> bool:
    return namespace[BY_NAME[name].owner] is package_function(name)


def require_exercise(name: str) -> None:
    """InputError, with the nearest names, unless there is an exercise of this name"""
    if name in BY_NAME:
        return
    close = difflib.get_close_matches(name, BY_NAME, n=3)
    close = close or [other for other in BY_NAME if name in other][:3]
    hint = f"there are {', '.join(BY_NAME)}"
    if close:
        hint = f"did you mean {' or '.join(close)}?"
    raise InputError(f"no exercise is called {name!r}; {hint}")


def _defined_names(text: str) -> set[str]:
    """The functions, classes and variables that a file defines.

    What cannot be read as Python, or is nested too deeply, is read by its lines. If
    they define nothing, every word counts, so that the import says what is wrong.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = re.findall(r"^(?:(?:def|class)\s+(\w+)|(\w+)\s*=)", text, re.MULTILINE)
        names = {defined or assigned for defined, assigned in found}
        return names or set(re.findall(r"\w+", text))
    names = {
        node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))
    }
    targets = [
        target
        for node in body
        if isinstance(node, ast.Assign)
        for target in node.targets
    ]
    return names | {
        name.id
        for target in targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name)
    }


def namespace_of(source: Any) -> Mapping[str, Any]:
    """A dict such as globals(), or a module's"""
    return source if isinstance(source, Mapping) else vars(source)


def load(source: Any, path: str) -> Mapping[str, Any]:
    """The names of one group's file, imported; or of the namespace.

    ImportFailed with one line if that fails.
    """
    if not path:
        return namespace_of(source)
    directory = Path(source) if Path(source).is_dir() else Path(path).parent
    name = ".".join(Path(path).relative_to(directory).with_suffix("").parts)
    sys.path.insert(0, str(directory.absolute()))
    try:
        if "." in name:
            _forget(name.split(".")[0], directory)
            return vars(importlib.import_module(name))
        return vars(_from_file(path))
    except SyntaxError as error:
        raise ImportFailed(
            f"{path}, line {error.lineno}: {type(error).__name__}: {error.msg}"
        ) from None
    except BaseException as error:  # noqa: BLE001 (whatever a learner's file raises)
        words = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        words = "it calls sys.exit" if isinstance(error, SystemExit) else words
        raise ImportFailed(f"{path} cannot be imported: {words}") from None


def _forget(package: str, directory: Path) -> None:
    """Forget an imported package of the same name that comes from another directory."""
    files = getattr(sys.modules.get(package), "__path__", ())
    if all(Path(file).absolute() != (directory / package).absolute() for file in files):
        for name in [name for name in sys.modules if name.split(".")[0] == package]:
            del sys.modules[name]


def _from_file(path: str) -> ModuleType:
    """The module of a file, whatever its suffix is"""
    loader = importlib.machinery.SourceFileLoader("learner", path)
    specification = importlib.machinery.ModuleSpec("learner", loader, origin=path)
    specification.has_location = True
    module = importlib.util.module_from_spec(specification)
    sys.modules["learner"] = module
    loader.exec_module(module)
    return module


def is_empty(function: Any, name: str) -> bool:
    """Whether a function has no body but a docstring, `...` or pass.

    name: the exercise's, Class.method for a method
    """
    if "." in name:
        function = getattr(function, name.split(".")[1], None)
    code = getattr(function, "__code__", None)
    return (
        code is not None
        and code.co_code in _EMPTY
        and set(code.co_consts) <= {None, function.__doc__}
    )


def _empty_1(): ...


def _empty_2():
    """Documented."""


def _empty_3():
    """Documented."""
    return


_EMPTY = {f.__code__.co_code for f in (_empty_1, _empty_2, _empty_3)}


def lookup(namespace: Mapping[str, Any]) -> Callable:
    """name -> the learner's function, if there is one that is done, else the package's"""

    def find(name):
        mine = namespace.get(name.split(".")[0])
        return (
            mine
            if callable(mine) and not is_empty(mine, name)
            else package_function(name)
        )

    return find


@contextmanager
def alone(function: Any, name: str) -> Iterator[None]:
    """Within the block all other exercises of a function's file are the package's."""
    namespace = getattr(
        getattr(function, name.split(".")[1], None) if "." in name else function,
        "__globals__",
        None,
    )
    name_of_module = "" if namespace is None else namespace.get("__name__", "")
    if namespace is None or name_of_module.startswith(f"{PACKAGE}."):
        yield
        return
    others = {
        exercise.owner: exercise.name
        for exercise in EXERCISES
        if exercise.owner in namespace and exercise.owner != name.split(".")[0]
    } | {other: other for other in OTHERS if other in namespace}
    saved = {owner: namespace[owner] for owner in others}
    namespace.update(
        (owner, package_function(other)) for owner, other in others.items()
    )
    try:
        yield
    finally:
        namespace.update(saved)
