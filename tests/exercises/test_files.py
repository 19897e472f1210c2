"""The exercises are the package's own chapters without the listed bodies, written complete or not at all."""

import ast
import importlib.util
import os

import pytest

from numpyvae.exercises import files as exercises
from numpyvae.exercises.files import (
    BODY,
    PACKAGE,
    exercise_files,
    exercise_source,
    write_exercises,
)
from numpyvae.exercises.judge.sources import is_empty
from numpyvae.exercises.table import EXERCISES, chapter_module, package_function

FILES = exercise_files()


def functions(text):
    """name -> node of each function and method"""
    tree = ast.parse(text)
    found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    for cls in tree.body:
        if isinstance(cls, ast.ClassDef):
            found |= {
                f"{cls.name}.{node.name}": node
                for node in cls.body
                if isinstance(node, ast.FunctionDef)
            }
    return found


def without_body(node):
    return (
        ast.dump(node.args),
        ast.get_docstring(node),
        node.returns and ast.dump(node.returns),
    )


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_signature_and_docstring_stay_and_the_body_goes(exercise):
    path = exercise.chapter.replace(".", "/") + ".py"
    mine, package = (
        functions(FILES[path]),
        functions((PACKAGE / path).read_text("utf-8")),
    )
    assert without_body(mine[exercise.name]) == without_body(package[exercise.name])
    assert [ast.unparse(node) for node in mine[exercise.name].body][-1] == BODY
    assert (
        len(mine[exercise.name].body)
        == (ast.get_docstring(package[exercise.name]) is not None) + 1
    )


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.endswith(".py") and "__init__" not in path]
)
def test_prose_and_unlisted_functions_are_the_packages_own(path):
    text, package = FILES[path], (PACKAGE / path).read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)) == ast.get_docstring(ast.parse(package))
    chapter = path[:-3].replace("/", ".")
    listed = {exercise.name for exercise in EXERCISES if exercise.chapter == chapter}
    omitted = {
        name
        for exercise in EXERCISES
        if exercise.chapter == chapter
        for name in exercise.answers
    }
    mine, theirs = functions(text), functions(package)
    assert set(mine) == set(theirs) - omitted
    assert all(
        ast.dump(mine[name]) == ast.dump(theirs[name])
        for name in mine
        if name not in listed
    )
    names = {
        node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)
    }
    assert not names & omitted  # nothing that is kept calls what is left out


def test_the_directory_imports_on_its_own_and_every_exercise_is_empty(tmp_path):
    directory = tmp_path / "mine"
    assert write_exercises(directory) == len(EXERCISES) >= 35
    assert not [
        line
        for text in FILES.values()
        for line in text.splitlines()
        if line.startswith(("from .", "import ."))
    ]
    for i, path in enumerate(sorted(directory.rglob("*.py"))):
        specification = importlib.util.spec_from_file_location(f"exercise_{i}", path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        chapter = ".".join(path.relative_to(directory).with_suffix("").parts)
        for exercise in EXERCISES:
            if exercise.chapter == chapter:
                assert is_empty(getattr(module, exercise.owner), exercise.name)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_every_exercise_is_a_function_of_its_chapter(exercise):
    function = package_function(exercise.name)
    assert function.__module__ == chapter_module(exercise.chapter).__name__
    assert not is_empty(function, exercise.name)


@pytest.mark.parametrize(
    "wrong", ["a file", "a directory with a file in it", "no parent"]
)
def test_nothing_is_overwritten(tmp_path, wrong):
    directory = tmp_path / "mine"
    if wrong == "a file":
        directory.write_text("x")
    elif wrong == "no parent":
        directory = tmp_path / "missing" / "mine"
    else:
        directory.mkdir()
        (directory / "notes.txt").write_text("x")
    before = {path: path.is_file() and path.read_text() for path in tmp_path.rglob("*")}
    with pytest.raises(ValueError, match="exists already|is not a directory"):
        write_exercises(directory)
    assert {
        path: path.is_file() and path.read_text() for path in tmp_path.rglob("*")
    } == before


def test_an_empty_directory_is_accepted(tmp_path):
    (tmp_path / "mine").mkdir()
    write_exercises(tmp_path / "mine")
    assert (tmp_path / "mine" / "README.md").is_file()


def test_the_directory_appears_complete_or_not_at_all(tmp_path, monkeypatch):
    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exercises.os, "rename", fail)
    with pytest.raises(OSError):
        write_exercises(tmp_path / "mine")
    assert not os.listdir(tmp_path)


def test_the_index_lists_every_exercise_in_order():
    rows = [
        line
        for line in FILES["README.md"].splitlines()
        if line.startswith("| ") and "`" in line
    ]
    assert [row.split("`")[1] for row in rows] == [
        exercise.name for exercise in EXERCISES
    ]
    linked = [row.split("](")[1].split(")")[0] for row in rows]
    assert all(path in FILES for path in linked)


def test_imports_name_the_package_in_full():
    source = (
        "from . import bernoulli\nfrom .layers import (linear,\n    relu)\n"
        "from ..settings import VAEConfig\nimport math\n"
    )
    assert exercise_source(source, "vae.model").splitlines() == [
        "from numpyvae.vae import bernoulli",
        "from numpyvae.vae.layers import (linear,",
        "    relu)",
        "from numpyvae.settings import VAEConfig",
        "import math",
    ]
