"""The exercises are the package's own chapters without the listed bodies, written
complete or not at all.
"""

import ast
import importlib.util
import inspect
import os

import pytest

from numpyvae.errors import InputError
from numpyvae.exercises import files as exercises
from numpyvae.exercises.files import (
    BODY,
    PACKAGE,
    exercise_files,
    exercise_source,
    write_exercises,
)
from numpyvae.exercises.hints import CONTRACTS, equation, hints
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
    mine = functions(FILES[path])
    package = functions((PACKAGE / path).read_text("utf-8"))
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
    "wrong", ["a file", "a directory with a file in it", "no parent", "a level"]
)
def test_nothing_is_overwritten(tmp_path, wrong):
    directory = tmp_path / "mine"
    if wrong == "a file":
        directory.write_text("x")
    elif wrong == "no parent":
        directory = tmp_path / "missing" / "mine"
    elif wrong != "a level":
        directory.mkdir()
        (directory / "notes.txt").write_text("x")
    before = {path: path.is_file() and path.read_text() for path in tmp_path.rglob("*")}
    words = r"exists already|is not a directory|level must be one of formula, derive"
    with pytest.raises(InputError, match=words):
        write_exercises(directory, "hard" if wrong == "a level" else "formula")
    assert {
        path: path.is_file() and path.read_text() for path in tmp_path.rglob("*")
    } == before


def test_an_empty_directory_is_accepted(tmp_path):
    (tmp_path / "mine").mkdir()
    write_exercises(tmp_path / "mine")
    assert (tmp_path / "mine" / "README.md").is_file()


@pytest.mark.parametrize("path", [".", "..", "../empty"])
def test_the_current_directory_is_not_replaced(tmp_path, monkeypatch, path):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(InputError, match="is where you are"):
        write_exercises(path)
    assert os.listdir(tmp_path) == ["empty"]


def test_a_full_disk_names_the_file_and_leaves_nothing(tmp_path, monkeypatch):
    def fail(path, *arguments, **named):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exercises.Path, "write_text", fail)
    with pytest.raises(OSError, match="No space left") as error:
        write_exercises(tmp_path / "mine")
    assert error.value.filename == str(tmp_path / "mine" / "README.md")
    assert not os.listdir(tmp_path)


def test_a_planted_link_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    (victim / "vae").mkdir(parents=True)
    (victim / "README.md").write_text("precious")
    (tmp_path / f".mine.{os.getpid()}.tmp").symlink_to(victim)
    write_exercises(tmp_path / "mine")
    assert (victim / "README.md").read_text() == "precious"
    assert (tmp_path / "mine" / "vae" / "layers.py").is_file()


# The level "derive"


DERIVE = exercise_files(level="derive")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_at_the_level_derive_the_docstring_is_a_contract(exercise):
    path = exercise.chapter.replace(".", "/") + ".py"
    mine, usual = functions(DERIVE[path])[exercise.name], functions(FILES[path])
    assert ast.dump(mine.args) == ast.dump(usual[exercise.name].args)
    text = ast.get_docstring(mine)
    assert f"numpyvae check --hint {exercise.name}" in text
    usual_text = ast.get_docstring(usual[exercise.name])
    assert text.splitlines()[0] != usual_text.splitlines()[0]
    assert ast.unparse(mine.body[-1]) == BODY and len(mine.body) == 2
    lines = DERIVE[path].splitlines()[mine.lineno : mine.end_lineno]
    assert max(map(len, lines)) <= 88


def test_at_the_level_derive_nothing_else_changes():
    for path, text in DERIVE.items():
        usual = FILES[path]
        if not path.endswith(".py"):
            assert text == usual
            continue
        listed = {exercise.name for exercise in EXERCISES}
        rest, same = functions(text), functions(usual)
        for name in set(rest) - listed:
            assert ast.dump(rest[name]) == ast.dump(same[name])


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_an_exercise_has_two_hints_of_which_the_last_is_its_formula(exercise):
    first, last = hints(exercise.name)
    function = package_function(exercise.name)
    if "." in exercise.name:
        function = getattr(function, exercise.name.split(".")[1])
    assert last.startswith(inspect.getdoc(function))
    for number in CONTRACTS[exercise.name].equations:  # it is in the chapter
        assert f"({number})" in equation(exercise.name, number)
        assert equation(exercise.name, number) in last
    assert first and first not in last


def test_every_exercise_has_a_contract_and_no_other():
    assert set(CONTRACTS) == {exercise.name for exercise in EXERCISES}


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
