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

from ..pictures.svg import escape
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
from .page import figure_html, html_page, row_html
from .prose import Prose

TITLE = "numpyvae: two books in code"
INTRODUCTION = (
    "Two books that are programs: the source of the package, chapter by chapter, with its prose beside it. "
    "Every figure was computed by the functions on this page when the page was made."
)


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
    """The page. figures: see `make_figures`; appendix: markup that ends book one."""
    figures = list(figures)
    books = {name: read_book(name, package) for name in BOOKS}
    contents = "".join(
        _contents(name, chapters) for name, (_, chapters) in books.items()
    )
    body = [
        f"<h1>{escape(TITLE)}</h1>",
        f'<p class="lead">{escape(INTRODUCTION)}</p>',
        f"<nav>{contents}</nav>",
    ]
    for name, (introduction, chapters) in books.items():
        anchors = book_anchors(chapters)
        prose = book_prose(name, chapters, anchors)
        body += [
            f'<h2 id="{name}">{escape(BOOKS[name])}</h2>',
            f'<div class="chapter">{prose.blocks(introduction)}</div>',
        ]
        body += [
            _chapter(
                c, anchors, prose, [f for f in figures if f.chapter == (name, c.name)]
            )
            for c in chapters
        ]
        body += [appendix] if name == "vae" and appendix else []
    return html_page(TITLE, *body)


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
    return Prose(equations, numbers, names)


def equation_id(book: str, number: str) -> str:
    """ "(2.3)" of book one -> "vae-2.3\""""
    return f"{book}-{number.strip('()')}"


def _contents(book: str, chapters: list[Chapter]) -> str:
    items = "".join(
        f'<li><a href="#{c.id}">{escape(c.name)}</a> {escape(_summary(c))}</li>'
        for c in chapters
    )
    return f'<div><h2><a href="#{book}">{escape(BOOKS[book])}</a></h2><ol>{items}</ol></div>'


def _summary(chapter: Chapter) -> str:
    """The first sentence of a chapter, without its number"""
    first = " ".join(_without_number(chapter.docstring).split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) ", first)[0]


def _without_number(docstring: str) -> str:
    return re.sub(r"^(?:Chapter \w+|Optional reading)[.:] ", "", docstring)


def _chapter(
    chapter: Chapter, anchors: Mapping, prose: Prose, figures: list[Figure]
) -> str:
    own = anchors[chapter.name]
    rows = module_rows(chapter)
    places = {
        place: own[name]
        for name, place in definitions(chapter.tree).items()
        if name not in {row.name for row in rows}
    }  # a function's id is on its row
    lines = highlight(
        chapter.source, name_links(chapter, anchors), places, prose.link_numbers
    )
    shown = "".join(figure_html(f.name, f.title, f.caption, f.content) for f in figures)
    parts = [
        f"<h3>{chapter.number}. {escape(chapter.name)}</h3>",
        f'<p class="about"><code>{chapter.file}</code>, tests in <code>tests/{chapter.book}</code></p>',
        f'<div class="head{" stacked" if any(f.wide for f in figures) else ""}">'
        f"<div>{prose.blocks(_without_number(chapter.docstring), tuple(chapter.equations))}</div>",
        f'<div class="figures">{shown}</div>' if shown else "",
        "</div>",
    ]
    for row in rows:
        code = [
            lines[i - 1]
            for i in range(row.first, row.last)
            if i not in row.docstring_lines
        ]
        if row.docstring or any(code):
            heading = row.name.rpartition(".")[2] if row.docstring else ""
            parts.append(
                row_html(
                    heading,
                    prose.note(row.docstring),
                    code,
                    own.get(row.name) if row.name else None,
                )
            )
    return (
        f'<section class="chapter" id="{chapter.id}">' + "\n".join(parts) + "</section>"
    )


def module_rows(chapter: Chapter) -> list[Row]:
    """A module's lines behind its docstring, in rows: one per function, class and
    method, one per run of other code.
    """
    starts = [
        (_end(chapter.tree.body[0]) if ast.get_docstring(chapter.tree) else 1, "", None)
    ]
    for node in chapter.tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            starts += list(_starts(node, node.name))
        elif starts[-1][2] is not None:  # other code behind a function
            starts.append((node.lineno, "", None))
    lines, last = chapter.source.splitlines(), len(chapter.source.splitlines()) + 1
    rows = []
    for (first, name, node), following in zip(
        starts, [start for start, _, _ in starts[1:]] + [last], strict=True
    ):
        comment = following  # comments above a function belong to it
        while (
            comment > first + 1
            and comment <= len(lines)
            and lines[comment - 2].lstrip().startswith("#")
        ):
            comment -= 1
        docstring = ast.get_docstring(node) if node is not None else None
        covered = (
            range(node.body[0].lineno, _end(node.body[0])) if docstring else range(0)
        )
        rows.append(
            Row(
                rows[-1].last if rows else first,
                comment,
                name,
                docstring or "",
                covered,
            )
        )
    return rows


def _starts(node: ast.AST, name: str) -> Iterator[tuple[int, str, ast.AST]]:
    """(line, name, node) of a function or class, and of a class's methods"""
    yield (
        min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]),
        name,
        node,
    )
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.FunctionDef):
                yield from _starts(child, f"{name}.{child.name}")


def _end(node: ast.AST) -> int:
    """The line behind a node"""
    return node.end_lineno + 1
