"""The two books as data: the modules in reading order, their definitions and numbered
equations, and what links where.

Everything is read from the source of the package, so a page that is made from it cannot
differ from it.

An equation is numbered on an indented line of its module's docstring, before the
formula or behind it: (2.3). The same number anywhere else is a reference to it.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError

BOOKS = {
    "vae": "Book one: the variational autoencoder",
    "mdp": "Book two: Markov decision processes",
}
NUMBER = re.compile(r"\((?:\d+|[A-Z])\.\d+\)")
PACKAGE = Path(__file__).parents[1]


@dataclass
class Chapter:
    """One module of a book: its number, name, source and syntax tree, and the equation
    numbers that it defines.
    """

    book: str
    number: int
    name: str
    source: str
    tree: ast.Module = field(repr=False)
    equations: list[str]

    @property
    def id(self) -> str:
        return f"{self.book}-{self.name}"

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    @property
    def file(self) -> str:
        return f"numpyvae/{self.book}/{self.name}.py"


def read_book(book: str, package: Path = PACKAGE) -> tuple[str, list[Chapter]]:
    """The docstring of the book's __init__, and its chapters in the order that this
    docstring lists.

    Raises ValueError if the docstring does not list each module once.
    """
    front = ast.parse((package / book / "__init__.py").read_text("utf-8"))
    contents = ast.get_docstring(front) or ""
    chapters = []
    for number, name in enumerate(reading_order(book, contents, package), start=1):
        source = (package / book / f"{name}.py").read_text("utf-8")
        tree = ast.parse(source)
        equations = defined_equations(ast.get_docstring(tree) or "")
        chapters.append(Chapter(book, number, name, source, tree, equations))
    return contents, chapters


def reading_order(book: str, contents: str, package: Path = PACKAGE) -> list[str]:
    """The modules of a book in the order of its list: numbered lines "1. name …", then
    a line "Optional: name (…), …".

    A list without numbers is a paragraph of names and commas.
    """
    modules = {path.stem for path in (package / book).glob("*.py")} - {"__init__"}
    listed = re.findall(r"^ *\d+\.? +(\w+) ", contents, re.MULTILINE)
    if not listed:
        for names in re.findall(r"^ *((?:\w+,\s+)+\w+)$", contents, re.MULTILINE):
            listed += re.split(r",\s+", names)
    optional = re.search(r"^ *Optional: (.*(?:\n .*)*)", contents, re.MULTILINE)
    if optional:
        named = re.findall(r"(\w+) \(", optional[1])
        listed += [name for name in named if name in modules]
    if sorted(listed) != sorted(modules):
        raise InputError(
            f"the list in {book}/__init__.py has {', '.join(listed)}; the modules are "
            f"{', '.join(sorted(modules))}"
        )
    return listed


def defined_equations(docstring: str) -> list[str]:
    """The numbers that stand first or last on an indented line, each once, in order."""
    found = re.findall(
        r"^ +(?:(\((?:\d+|[A-Z])\.\d+\)) |.* {3,}(\((?:\d+|[A-Z])\.\d+\))$)",
        docstring,
        re.MULTILINE,
    )
    found += re.findall(
        r"^(?! ).* {3,}()(\((?:\d+|[A-Z])\.\d+\))$", docstring, re.MULTILINE
    )
    return list(dict.fromkeys(first or last for first, last in found))


def definitions(tree: ast.Module) -> dict[str, tuple[int, int]]:
    """{name: (line, column of the name)} of what a module defines: functions, classes
    and constants.
    """
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node.lineno, node.col_offset + len("def ")
        elif isinstance(node, ast.ClassDef):
            found[node.name] = node.lineno, node.col_offset + len("class ")
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        found[name.id] = name.lineno, name.col_offset
    return found


Anchors = Mapping[str, Mapping[str, str]]


def book_anchors(chapters: Iterable[Chapter]) -> dict[str, dict[str, str]]:
    """{module: {name: id}} of a book, with the module's own id under the name ""."""
    anchors = {}
    for chapter in chapters:
        anchors[chapter.name] = {"": chapter.id}
        for name in definitions(chapter.tree):
            anchors[chapter.name][name] = f"{chapter.id}.{name}"
    return anchors


def name_links(chapter: Chapter, anchors: Anchors) -> dict[tuple[int, int], str]:
    """{(line, column): address} of each name in a chapter's code that the book defines.

    A name that a function assigns, or has as an argument, is not linked there.
    """
    lines = chapter.source.splitlines()
    links: dict[tuple[int, int], str] = {}

    def link(line: int, byte: int, address: str) -> None:
        """ast counts bytes of UTF-8, and tokenize characters"""
        column = len(lines[line - 1].encode()[:byte].decode())
        links[line, column] = f"#{address}"

    known = {name: id for name, id in anchors[chapter.name].items() if name}
    modules: dict[str, Mapping[str, str]] = {}  # those that the chapter imports whole
    for node in chapter.tree.body:
        if not isinstance(node, ast.ImportFrom) or node.level != 1:
            continue
        for alias in node.names:
            own_name = alias.asname or alias.name
            if node.module:
                address = anchors.get(node.module, {}).get(alias.name)
                if address:
                    known[own_name] = address
            else:
                modules[own_name] = anchors.get(alias.name, {})
                address = modules[own_name].get("")
            if address:
                link(alias.lineno, alias.col_offset, address)
    for node, local in _names(chapter.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id in known and node.id not in local:
                link(node.lineno, node.col_offset, known[node.id])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = node.value.id
            address = modules.get(owner, {}).get(node.attr)
            if address and owner not in local:
                line = node.end_lineno or node.lineno
                end = node.end_col_offset or node.col_offset
                link(line, end - len(node.attr), address)
    return links


def _names(tree: ast.Module):
    """(node, names local to the function around it) of each node below a module"""
    for statement in tree.body:
        local: dict[int, set[str]] = {}
        for function in ast.walk(statement):  # outer functions first
            if isinstance(function, ast.FunctionDef):
                nodes = list(ast.walk(function))
                names = {each.arg for each in nodes if isinstance(each, ast.arg)}
                names |= {
                    each.id
                    for each in nodes
                    if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                }
                for node in nodes:
                    local.setdefault(id(node), names)
        for node in ast.walk(statement):
            yield node, local.get(id(node), set())
