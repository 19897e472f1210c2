"""The chapters of book one: their order, their equations, their examples."""

import ast
import doctest
import importlib
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

import numpyvae.vae as book

DIRECTORY = Path(book.__file__).parent
CHAPTERS = re.findall(r"^ +(\d+)  (\w+) ", book.__doc__, re.MULTILINE)
TEXTS = {name: (DIRECTORY / f"{name}.py").read_text("utf-8") for _, name in CHAPTERS}
# at the start of a line, two blanks after it
DEFINITION = re.compile(r"^ +(?:\w+  )?\((\d+)\.(\d+)\)  ", re.MULTILINE)
CITATION = re.compile(r"(?<!\w)\(([1-9]\d*)\.([1-9]\d*)\)")  # not array(1.0)


def test_the_table_of_contents_numbers_every_module():
    assert [int(number) for number, _ in CHAPTERS] == list(range(1, len(CHAPTERS) + 1))
    assert sorted(TEXTS) == sorted(
        path.stem for path in DIRECTORY.glob("*.py") if path.stem != "__init__"
    )


def test_a_title_starts_with_the_chapters_number():
    for number, name in CHAPTERS:
        assert TEXTS[name].startswith(f'"""Chapter {number}. '), name


def test_a_chapter_imports_only_chapters_before_it():
    names = [name for _, name in CHAPTERS]
    for i, name in enumerate(names):
        imported = re.findall(r"^from \.(\w+) import", TEXTS[name], re.MULTILINE)
        imported += re.findall(
            r"\w+",
            " ".join(re.findall(r"^from \. import (.*)$", TEXTS[name], re.MULTILINE)),
        )
        assert set(imported) <= set(names[:i]), name


def test_equations_are_numbered_in_order_by_chapter():
    for number, name in CHAPTERS:
        equations = DEFINITION.findall(TEXTS[name])
        assert equations == [(number, str(i)) for i in range(1, len(equations) + 1)], (
            name
        )


def test_every_equation_that_is_cited_is_defined_once():
    defined = Counter(
        f"{chapter}.{i}"
        for text in TEXTS.values()
        for chapter, i in DEFINITION.findall(text)
    )
    cited = {
        f"{chapter}.{i}"
        for text in TEXTS.values()
        for chapter, i in CITATION.findall(text)
    }
    assert cited and cited == set(defined) and set(defined.values()) == {1}


@pytest.mark.parametrize("name", TEXTS)
def test_the_examples_print_what_they_say(name):
    module = importlib.import_module(f"numpyvae.vae.{name}")
    result = doctest.testmod(module)
    assert result.failed == 0 and (result.attempted > 0) == (">>>" in TEXTS[name])


@pytest.mark.parametrize("name", sorted({*TEXTS} - {"objectives", "gradcheck_cases"}))
def test_a_chapter_ends_in_an_example_that_runs(name):
    """The two without one are tables."""
    prose = ast.get_docstring(ast.parse(TEXTS[name]))
    assert ">>> " in prose and re.search(r"example (small enough )?for paper", prose)


def columns(text):
    """The width of the widest line; a combining accent takes no column"""
    return max(
        sum(not unicodedata.combining(character) for character in line)
        for line in text.split("\n")
    )


@pytest.mark.parametrize("name", ["", *TEXTS])
def test_pydoc_shows_a_chapter_within_88_columns(name):
    """It indents a module's text by 4, a function's by 8 and a method's by more."""
    module = f"numpyvae.vae.{name}" if name else "numpyvae.vae"
    tree = ast.parse(TEXTS[name] if name else (DIRECTORY / "__init__.py").read_text())
    title, _, prose = ast.get_docstring(tree).partition("\n")
    assert columns(f"    {module} - {title}") <= 88
    assert 4 + columns(prose) <= 88
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            text = ast.get_docstring(node) or ""
            # 4 for the heading, what the source has, and pydoc's bar for methods
            assert 4 + node.body[0].col_offset + columns(text) <= 88, node.name


def test_every_public_name_is_exported_and_documented():
    assert len(book.__all__) == len(set(book.__all__))
    for name in book.__all__:
        value = getattr(book, name)
        assert not callable(value) or value.__doc__, name
    imported = {name for name in vars(book) if not name.startswith("_")} - {
        name for _, name in CHAPTERS
    }
    assert imported == set(book.__all__)


def test_the_front_has_the_sheets_five_errors_and_a_test_shows_each():
    """A heading of test_known_errors.py for each row of the table, in its order"""
    table = book.__doc__.partition("printed  ")[2]
    rows = re.findall(r"\(\d+\.\d+\)", table)
    assert rows == ["(7.2)", "(2.2)", "(2.4)", "(2.5)", "(7.5)"]
    errors = (Path(__file__).parent / "test_known_errors.py").read_text("utf-8")
    headings = re.findall(r"^# ([A-Z][\w ]+): printed", errors, re.MULTILINE)
    assert headings == [
        "The bound",
        "Gaussian moments",
        "Term 1",
        "Term 2",
        "J samples",
    ]
