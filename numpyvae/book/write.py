"""The two books as one self-contained page: every chapter's prose beside its code, and
the figures.

The page is made from the package's own source. Each line of a module stands on it once:
the module's docstring and those of its functions as prose, all other lines as code
beside it. Names link to their definitions, and equation numbers to their equations.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from ..pictures.page import html_page
from ..pictures.svg import escape
from . import live
from .chapters import (
    BOOKS,
    PACKAGE,
    Anchors,
    Chapter,
    book_anchors,
    definitions,
    name_links,
    read_book,
)
from .figures.all import Figure
from .highlight import highlight
from .page import STYLE, figure_html, piece_html
from .prose import Prose

TITLE = "numpyvae: two books in code"
INTRODUCTION = (
    "Two books that are programs: the source of the package, chapter by chapter, with "
    "its prose beside it. Every figure was computed by the functions on this page when "
    "the page was made."
)


Definition = ast.FunctionDef | ast.ClassDef


class Row(NamedTuple):
    """A piece of a module: lines first to last (from 1, last excluded), its name, and
    the lines of its docstring.
    """

    first: int
    last: int
    name: str
    docstring: str
    docstring_lines: range


def book_html(
    figures: Iterable[Figure] = (), appendix: str = "", package: Path = PACKAGE
) -> str:
    """The page. figures: see `make_figures`; appendix: markup that ends book one.

    Raises ValueError if a figure belongs to a chapter that does not exist.
    """
    figures = list(figures)
    books = {name: read_book(name, package) for name in BOOKS}
    check_figures(figures, books)
    contents, body = "", []
    for name, (introduction, chapters) in books.items():
        contents += _contents(name, chapters)
        anchors = book_anchors(chapters)
        prose = book_prose(name, chapters, anchors)
        body += [
            f'<h2 id="{name}">{escape(BOOKS[name])}</h2>',
            f'<div class="chapter">{prose.blocks(introduction)}</div>',
        ]
        for i, chapter in enumerate(chapters):
            own = [f for f in figures if f.chapter == (name, chapter.name)]
            turn = _turn(chapters, i)
            body.append(_chapter(chapter, anchors, prose, own, turn))
        if name == "vae":
            body.append(appendix)
    return html_page(
        TITLE,
        STYLE,
        f"<h1>{escape(TITLE)}</h1>",
        f'<p class="lead">{escape(INTRODUCTION)}</p>',
        f'<div class="page"><nav class="contents">{contents}</nav><main>',
        *body,
        "</main></div>",
        script=live.script(),
    )


def check_figures(
    figures: Iterable[Figure], books: Mapping[str, tuple[str, list[Chapter]]]
) -> None:
    """ValueError names a figure whose chapter does not exist."""
    known = {
        (name, chapter.name)
        for name, (_, chapters) in books.items()
        for chapter in chapters
    }
    for figure in figures:
        if figure.chapter not in known:
            raise InputError(
                f"the figure {figure.name} belongs to numpyvae/"
                f"{'/'.join(figure.chapter)}.py, which does not exist"
            )


def book_prose(book: str, chapters: list[Chapter], anchors: Anchors) -> Prose:
    """How a book's docstrings become HTML: what its equations, chapters and names link
    to. A name that two chapters define links to the first.
    """
    equations = {}
    names: dict[str, str] = {}
    for chapter in chapters:
        for number in chapter.equations:
            equations[number] = equation_id(book, number)
        for name, address in anchors[chapter.name].items():
            names.setdefault(name, address)
    names.update({chapter.name: chapter.id for chapter in chapters})
    numbers = {chapter.number: chapter.id for chapter in chapters}
    return Prose(equations, numbers, names, variables(chapters))


def variables(chapters: Iterable[Chapter]) -> set[str]:
    """The names of two letters or more that functions of the book use: mu, eps, dy."""
    found = set()
    for chapter in chapters:
        for node in ast.walk(chapter.tree):
            if isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return found


def equation_id(book: str, number: str) -> str:
    """ "(2.3)" of book one -> "vae-2.3\""""
    return f"{book}-{number.strip('()')}"


def _contents(book: str, chapters: list[Chapter]) -> str:
    """A book's part of the table of contents; a chapter's summary is its tooltip"""
    items = "".join(
        f'<li><a href="#{c.id}" title="{escape(_summary(c))}">{escape(c.name)}</a></li>'
        for c in chapters
    )
    return f'<h2><a href="#{book}">{escape(BOOKS[book])}</a></h2><ol>{items}</ol>'


def _turn(chapters: list[Chapter], i: int) -> str:
    """Links to the chapters before and after"""
    links = ["<span></span>", "<span></span>"]
    if i > 0:
        before = chapters[i - 1]
        links[0] = f'<a href="#{before.id}">← {before.number}. {before.name}</a>'
    if i + 1 < len(chapters):
        after = chapters[i + 1]
        links[1] = f'<a href="#{after.id}">{after.number}. {after.name} →</a>'
    return f'<p class="turn">{"".join(links)}</p>'


def _summary(chapter: Chapter) -> str:
    """The first sentence of a chapter, without its number"""
    first = " ".join(_without_number(chapter.docstring).split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) ", first)[0]


def _without_number(docstring: str) -> str:
    return re.sub(r"^(?:Chapter \w+|Optional reading)[.:] ", "", docstring)


def _chapter(
    chapter: Chapter,
    anchors: Anchors,
    prose: Prose,
    figures: list[Figure],
    turn: str,
) -> str:
    own = anchors[chapter.name]
    rows = module_rows(chapter)
    on_rows = {row.name for row in rows}  # the ids of functions are on their rows
    places = {
        place: own[name]
        for name, place in definitions(chapter.tree).items()
        if name not in on_rows
    }
    lines = highlight(
        chapter.source, name_links(chapter, anchors), places, prose.link_numbers
    )
    pieces = []
    for row in rows:
        code = [
            lines[i - 1]
            for i in range(row.first, row.last)
            if i not in row.docstring_lines
        ]
        if row.docstring or any(code):
            heading = row.name.rpartition(".")[2] if row.docstring else ""
            note = prose.note(row.docstring)
            pieces.append(
                piece_html(heading, note, code, own.get(row.name) if row.name else None)
            )
    text = prose.blocks(_without_number(chapter.docstring), chapter.equations)
    about = f"<code>{chapter.file}</code>, tests in <code>tests/{chapter.book}</code>"
    wide, narrow = "", ""
    for figure in figures:
        shown = figure_html(*figure.shown, live.controls(figure.live))
        if figure.wide:
            wide += shown
        else:
            narrow += shown
    return "\n".join(
        [
            f'<section class="chapter" id="{chapter.id}">',
            f"<h3>{chapter.number}. {escape(chapter.name)}</h3>",
            f'<p class="about">{about}</p>',
            f'<div class="figures">{wide}</div>' if wide else "",
            f'<div class="sides"><div>{text}',
            f'<div class="figures">{narrow}</div>' if narrow else "",
            f"</div><div>{''.join(pieces)}</div></div>",
            f"{turn}</section>",
        ]
    )


def module_rows(chapter: Chapter) -> list[Row]:
    """A module's lines behind its docstring, in rows: one per function, class and
    method, one per run of other code.
    """
    tree, lines = chapter.tree, chapter.source.splitlines()
    first = _end(tree.body[0]) if ast.get_docstring(tree) else 1
    starts: list[tuple[int, str, Definition | None]] = [(first, "", None)]
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            starts += list(_starts(statement, statement.name))
        elif starts[-1][2] is not None:  # other code behind a function
            starts.append((statement.lineno, "", None))
    ends = [start for start, _, _ in starts[1:]] + [len(lines) + 1]
    rows: list[Row] = []
    for (first, name, node), end in zip(starts, ends, strict=True):
        # Comments above the next function belong to it.
        last = end
        while first + 1 < last <= len(lines) and _is_comment(lines[last - 2]):
            last -= 1
        docstring, covered = None, range(0)
        if node is not None and (docstring := ast.get_docstring(node)):
            covered = range(node.body[0].lineno, _end(node.body[0]))
        begin = rows[-1].last if rows else first
        rows.append(Row(begin, last, name, docstring or "", covered))
    return rows


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _starts(node: Definition, name: str) -> Iterator[tuple[int, str, Definition]]:
    """(line, name, node) of a function or class, and of a class's methods"""
    lines = [node.lineno, *(decorator.lineno for decorator in node.decorator_list)]
    yield min(lines), name, node
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.FunctionDef):
                yield from _starts(child, f"{name}.{child.name}")


def _end(node: ast.stmt) -> int:
    """The line behind a statement"""
    return (node.end_lineno or node.lineno) + 1
