"""References: every chapter and equation that is cited, anywhere, exists.

In a book, and in what belongs to it, (7.5) is that book's equation; elsewhere it may be
either's.
"""

import importlib
import re
from pathlib import Path

import pytest

from numpyvae.book.chapters import defined_equations, read_book

ROOT = Path(__file__).parents[1]
BOOKS = {book: read_book(book)[1] for book in ("vae", "mdp")}
CHAPTERS = {book: len(chapters) for book, chapters in BOOKS.items()}
EQUATIONS = {
    book: {number for chapter in chapters for number in chapter.equations}
    for book, chapters in BOOKS.items()
}
# Optional reading beside book two
for _path in (ROOT / "numpyvae" / "mdp" / "numerics").glob("*.py"):
    EQUATIONS["mdp"] |= set(defined_equations(_path.read_text("utf-8")))
# Not array(1.0), and not a tuple (2, 4).
EQUATION = re.compile(r"(?<![\w\])])\(([1-9]\d*\.[1-9]\d*|[A-Z]\.[1-9]\d*)\)")
CHAPTER = re.compile(r"\b[Cc]hapters?\s+(\d+)(?:\s*(?:,|and|to)\s+(\d+))?")
# A line of a source list cites the chapters of another book.
SOURCE = re.compile(r"^Sources?: .*?(?=\n\n|\Z|\"\"\")", re.MULTILINE | re.DOTALL)
INVENTED = {"tests/book/test_book.py", "tests/test_references.py"}


def book_of(path):
    """The book that a file belongs to, by its folder or name; None for neither"""
    words = {*path.relative_to(ROOT).with_suffix("").parts}
    if "vae" in words or path.stem in ("reference", "gradient_estimators"):
        return "vae"
    if "mdp" in words or "numerics" in words:
        return "mdp"
    return None


def files():
    for folder in ("numpyvae", "tests"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def citations(text):
    """(equations, chapters) that a text cites, as numbers in text"""
    text = SOURCE.sub("", text)
    equations = {f"({number})" for number in EQUATION.findall(text)}
    chapters = {int(n) for pair in CHAPTER.findall(text) for n in pair if n}
    return equations, chapters


def problems(path, text):
    book = book_of(path)
    equations, chapters = citations(text)
    if book is None:  # any of the two books may be meant
        known = EQUATIONS["vae"] | EQUATIONS["mdp"]
        last = max(CHAPTERS.values())
    else:
        known, last = EQUATIONS[book], CHAPTERS[book]
    wrong = sorted(equations - known)
    return wrong + [f"chapter {n}" for n in sorted(chapters) if not 1 <= n <= last]


def test_every_equation_and_chapter_that_is_cited_exists():
    found = {}
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        if name in INVENTED:
            continue
        wrong = problems(path, path.read_text("utf-8"))
        if wrong:
            found[name] = wrong
    assert not found


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("numpyvae/exercises/reference.py", "log w of (12.1)", ["(12.1)"]),
        ("numpyvae/vae/elbo.py", "by (7.5) and\nchapter 99", ["chapter 99"]),
        ("numpyvae/exercises/mdp/solvers.py", "chapters 1 and 77", ["chapter 77"]),
        ("numpyvae/vae/elbo.py", "np.array(1.0), f(99.5)", []),
        ("numpyvae/mdp/model.py", "Source: Puterman, chapter 77.\n\nMore", []),
    ],
)
def test_a_reference_that_leads_nowhere_is_found(name, text, expected):
    assert problems(ROOT / name, text) == expected


def test_the_title_of_an_oracle_names_the_chapters_of_its_exercises():
    """numpyvae/exercises/vae/X.py: its first line has the numbers of chapters that the
    module X or its neighbors have, or no number at all."""
    numbers = {chapter.name: chapter.number for chapter in BOOKS["vae"]}
    expected = {
        "adam": {numbers["adam"], numbers["gradcheck"]},
        "iwae": {numbers["iwae"], numbers["gradient_estimators"]},
    }
    for path in sorted((ROOT / "numpyvae/exercises/vae").glob("*.py")):
        if path.stem not in numbers:
            continue
        title = path.read_text("utf-8").split('"""')[1].split(".")[0]
        cited = citations(title)[1]
        assert cited <= expected.get(path.stem, {numbers[path.stem]}), path.name


def test_tests_that_chapters_name_exist():
    """A chapter that names tests/…py or a test function means one that is there"""
    for chapters in BOOKS.values():
        for chapter in chapters:
            for name in re.findall(r"tests/[\w/]+\.py", chapter.docstring):
                assert (ROOT / name).is_file(), (chapter.file, name)
    front = importlib.import_module("numpyvae.vae").__doc__
    for name in re.findall(r"tests/[\w/]+\.py", front):
        assert (ROOT / name).is_file(), name
