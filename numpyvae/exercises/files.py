"""Exercises, made from the package's own source.

A chapter keeps its prose, its equations, its signatures and its docstrings. The bodies
of the functions of table.py are taken out; each becomes `...`. Only two more things
change. Imports name the package, so that each chapter can be solved alone: whatever
another chapter defines comes from the package. And a private helper that is the answer
is left out. At the level "derive" the docstrings of hints.py take the place of those
that state the formula.
"""

import ast
import os
import textwrap
from pathlib import Path

from ..errors import InputError
from ..files import atomic_directory
from .hints import contract_text
from .table import EXERCISES

PACKAGE = Path(__file__).parents[1]
BOOKS = {
    "vae": "Book one: the variational autoencoder",
    "mdp": "Book two: Markov decision processes",
}
BODY = "..."
LEVELS = ("formula", "derive")

INDEX = """# The two books, as exercises

Each file is a chapter. In {count} functions the body is `...`, and the docstring says
what belongs there. Write it.

    {check}

then says for every function: right, wrong or not done, and what to do next. If it is
wrong, you see the smallest input for which it is, what your function returned and what
is correct; and if the error is a known one, its name.

- Start with the first function below; they are in order of difficulty. The order of
  reading is in `vae/__init__.py` and `mdp/__init__.py`, with the table of symbols.
- Each function is checked alone: what it calls of the other exercises is the package's
  own. So the order is yours.
- A different way to write it is as good: loops, `einsum`, float64 only. Only the values
  count, and that arguments are not changed unless the docstring says so. Speed
  and the refusal of invalid arguments are not checked.
- A function that is correct on paper and loses digits is right, with a remark: where,
  how many, and the form that keeps them.
- Two hints to a function, the second with its formula: `{check} --hint linear`.
- To check one function: `{check} linear`. To check again whenever you save a file:
  `{check} --watch`. In a notebook: `from numpyvae.exercises import check_functions`,
  then `check_functions(globals())`.
- With every function that is right in the package's place: `{train}`.
- The check is a teacher, not an examiner: code that attacks it can forge a verdict.

{rows}
"""


def write_exercises(directory: str | os.PathLike, level: str = LEVELS[0]) -> int:
    """Write the exercises into a directory, new or empty, and return their number.

    level: "formula", docstrings as in the chapters; or "derive", docstrings that state
    contract and shapes, and lead to an equation.

    The directory appears complete or not at all. InputError if it contains anything, or
    is the current directory or above it; OSError, with the file's name, if one cannot
    be written.
    """
    if level not in LEVELS:
        raise InputError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")
    directory = Path(directory)
    absolute = directory.absolute()
    if Path.cwd().is_relative_to(Path(os.path.normpath(absolute))):
        raise InputError(
            f"{directory} is where you are; exercises are written into a directory of "
            "their own: numpyvae exercises NAME"
        )
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(
            f"{directory} exists already; exercises are written into a new or an empty "
            "directory"
        )
    if not absolute.parent.is_dir():
        parent = absolute.parent
        raise InputError(f"{directory} cannot be made: {parent} is not a directory")
    with atomic_directory(directory) as temporary:
        for path, text in exercise_files(str(directory), level).items():
            try:
                target = temporary / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            except OSError as error:
                file = str(directory / path)
                raise OSError(error.errno, error.strerror, file) from error
    return len(EXERCISES)


def exercise_files(directory: str = "DIR", level: str = LEVELS[0]) -> dict[str, str]:
    """path -> text of every file; `directory` is what the index page calls it"""
    files = {"README.md": _index(directory)}
    for book in BOOKS:
        overview = ast.get_docstring(
            ast.parse((PACKAGE / book / "__init__.py").read_text(encoding="utf-8"))
        )
        files[f"{book}/__init__.py"] = f'"""{overview}\n"""\n'
        for path in sorted((PACKAGE / book).glob("*.py")):
            if path.name != "__init__.py":
                files[f"{book}/{path.name}"] = exercise_source(
                    path.read_text(encoding="utf-8"),
                    f"{book}.{path.stem}",
                    level=level,
                )
    return files


def exercise_source(
    source: str, chapter: str, solved: bool = False, level: str = LEVELS[0]
) -> str:
    """A module's source as an exercise file.

    solved: as one that is done; only its imports differ. level: as write_exercises.
    """
    mine = [exercise for exercise in EXERCISES if exercise.chapter == chapter]
    remove = set() if solved else {exercise.name for exercise in mine}
    omit = set() if solved else {name for each in mine for name in each.answers}
    lines = source.splitlines()
    for name, node in reversed(list(_statements(ast.parse(source)))):
        first, last = node.lineno, node.end_lineno or node.lineno
        if isinstance(node, ast.ImportFrom):
            if node.level:
                lines[first - 1] = _absolute(lines[first - 1], node, chapter)
        elif name in omit:
            lines[first - 1 : last + 2] = []
        elif name in remove and isinstance(node, ast.FunctionDef):
            margin = " " * node.body[0].col_offset
            body = [margin + BODY]
            kept = node.body[0].lineno - 1
            if ast.get_docstring(node) is not None:
                kept = node.body[0].end_lineno or kept
            if level == "derive":
                kept = node.body[0].lineno - 1
                body = _docstring(contract_text(name), margin) + body
            lines[kept:last] = body
    return "\n".join(lines) + "\n"


def _docstring(text: str, margin: str) -> list[str]:
    """The lines of a docstring, each within 88 columns"""
    first, *rest = [
        line
        for paragraph in text.splitlines()
        for line in textwrap.wrap(paragraph, 88 - len(margin) - 3) or [""]
    ]
    lines = [f'{margin}"""{first}', *(f"{margin}{line}".rstrip() for line in rest)]
    return [*lines, f'{margin}"""']


def _statements(tree: ast.Module):
    """(name, node) of each import, function, class and method, in order"""
    for node in tree.body:
        yield getattr(node, "name", ""), node
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    yield f"{node.name}.{method.name}", method


def _absolute(line: str, node: ast.ImportFrom, chapter: str) -> str:
    """`from .layers import …` as `from numpyvae.vae.layers import …`"""
    package = ["numpyvae", *chapter.split(".")[:-1]]
    base = ".".join(
        [*package[: len(package) - node.level + 1], *filter(None, [node.module])]
    )
    return line.replace(
        f"from {'.' * node.level}{node.module or ''} ", f"from {base} ", 1
    )


def _index(directory: str) -> str:
    rows = []
    for book, title in BOOKS.items():
        rows += [f"## {title}", "", "| | function | chapter |", "| --- | --- | --- |"]
        mine = [exercise for exercise in EXERCISES if exercise.chapter.startswith(book)]
        rows += [
            f"| {i} | `{exercise.name}` | [{exercise.chapter.replace('.', '/')}.py]"
            f"({exercise.chapter.replace('.', '/')}.py) |"
            for i, exercise in enumerate(mine, 1)
        ]
        rows.append("")
    return INDEX.format(
        count=len(EXERCISES),
        check=f"numpyvae check {directory}",
        rows="\n".join(rows).rstrip(),
        train=f"numpyvae train --functions {directory}",
    )
