"""Docstrings as HTML: paragraphs, lists, and formulas, with links to equations,
chapters and names.

A docstring is plain text. Lines at the left edge are prose, and are wrapped to the
width of the page. Indented lines, and lines with columns, keep their form: formulas,
tables, examples. "- " begins an entry of a list.
"""

import html
import re
from collections.abc import Collection, Iterable, Mapping
from functools import partial

from ..pictures.svg import escape
from .chapters import NUMBER
from .equations import display, is_display, table, table_rows, with_subscripts

_COLUMNS = re.compile(r"\S {3,}\S|^ {2,}\S|[│┌└─]{2}|^>>> ")
_STEP = re.compile(r" +\d+\. \S")  # of a numbered list of sentences
_WIDE_GAP = re.compile(r"\S {3,}\S")
_SENTENCE_WITH_NUMBER = re.compile(r"^\S.* {3,}(\((?:\d+|[A-Z])\.\d+\))$")


class Prose:
    """Docstrings of one book to HTML.

    equations: {"(2.3)": id}, chapters: {2: id}, names: {name: id}. An equation's id is
    set where its own chapter defines it, and everything else links there. variables:
    names of more than one letter that formulas set in italics.
    """

    def __init__(
        self,
        equations: Mapping[str, str],
        chapters: Mapping[int, str],
        names: Mapping[str, str],
        variables: Collection[str] = (),
    ):
        self.equations, self.chapters, self.names = equations, chapters, names
        self.variables = variables

    def link_numbers(self, text: str) -> str:
        """Text to HTML with links on equation numbers and "chapter 3"; nothing else
        changes.
        """
        return re.sub(
            r"\b([Cc]hapter )(\d+)\b",
            self._chapter,
            NUMBER.sub(self._equation, escape(text)),
        )

    def cite(self, text: str, subscripts: bool = True) -> str:
        """Text to HTML with links on equation numbers, "chapter 3" and `names`, and
        with *emphasis*.
        """
        pieces = re.split(r"(`[^`<>]+`)", self.link_numbers(text))
        if subscripts:
            pieces[::2] = map(with_subscripts, pieces[::2])  # code is in between
        markup = re.sub(r"`([^`<>]+)`", self._name, "".join(pieces))
        return re.sub(r"(?<![\w*])\*(\w+)\*(?![\w*])", r"<em>\1</em>", markup)

    def _equation(self, match):
        address = self.equations.get(match[0])
        return f'<a href="#{address}">{match[0]}</a>' if address else match[0]

    def _chapter(self, match):
        address = self.chapters.get(int(match[2]))
        return f'<a href="#{address}">{match[0]}</a>' if address else match[0]

    def _name(self, match):
        name = html.unescape(match[1])
        address = self.names.get(name)
        code = f"<code>{match[1]}</code>"
        return f'<a href="#{address}">{code}</a>' if address else code

    def blocks(self, docstring: str, defines: Iterable[str] = ()) -> str:
        """A whole docstring to HTML. defines: the equation numbers that get their id
        here, at their first formula.
        """
        if not docstring.strip():
            return ""
        left, parts = set(defines), []
        for block in re.split(r"\n\s*\n", docstring.strip("\n")):
            for kind, lines in _groups(block.split("\n")):
                parts.append(self._block(kind, lines, left))
        return "\n".join(parts)

    def _block(self, kind: str, lines: list[str], left: set[str]) -> str:
        if kind == "list":
            items = re.split(r"(?:^|\n) *- ", "\n".join(lines))[1:]
            entries = [
                f"<li>{self.cite(' '.join(item.split()))}</li>" for item in items
            ]
            return f"<ul>{''.join(entries)}</ul>"
        if kind == "steps":
            items = re.split(r"(?:^|\n) *(\d+)\. ", "\n".join(lines))[1:]
            return "".join(
                f'<p class="step">{number}. {self.cite(" ".join(item.split()))}</p>'
                for number, item in zip(items[::2], items[1::2], strict=True)
            )
        if kind == "formula" and is_display(lines):
            number = partial(self._number, left)
            return display(lines, self.cite, number, self.variables)
        if kind == "formula" and (rows := self._table(lines, left)):
            return table(rows, self.cite)
        if kind == "formula":
            text = "\n".join(self._with_number(line, left) for line in lines)
            return f'<pre tabindex="0">{text}</pre>'
        sentences = []
        for line in lines:
            words = " ".join(line.split())
            if _SENTENCE_WITH_NUMBER.match(line):
                sentences.append(self._with_number(words, left))
            else:
                sentences.append(self.cite(words))
        return f"<p>{' '.join(sentences)}</p>"

    def _table(self, lines: list[str], left: set[str]) -> list[list[str]] | None:
        """The cells, if the lines are a table that defines no equation"""
        text = "\n".join(lines)
        if any(number in text for number in left) or re.search(r">>> |[│┌└]", text):
            return None
        return table_rows(lines)

    def _number(self, left: set[str], number: str) -> str:
        """An equation's number: with its id where it is defined, else a link"""
        if number not in left:
            return self.cite(number)
        left.discard(number)
        return f'<span class="number" id="{self.equations[number]}">{number}</span>'

    def _with_number(self, line: str, left: set[str]) -> str:
        """A line in its own form, which may begin or end with an equation's number"""
        words = line.strip()
        for number in NUMBER.findall(line):
            if number in left and words.startswith(number):
                before, after = line.split(number, 1)
            elif number in left and words.endswith(number):
                before, after = line.rsplit(number, 1)
            else:
                continue
            marked = self._number(left, number)
            return self.cite(before, False) + marked + self.cite(after, False)
        return self.cite(line, False)

    def note(self, docstring: str) -> str:
        """A function's docstring to HTML, for a narrow column: what wide gaps set apart
        stands on a line of its own.
        """
        lines = []
        for line in docstring.split("\n"):
            pieces = re.split(r" {3,}", line.strip())
            if len(pieces) == 1:
                lines.append(line)
            else:
                for piece in pieces:
                    lines += ["", piece, ""]
        return self.blocks("\n".join(lines))


def _groups(lines: list[str]) -> list[tuple[str, list[str]]]:
    """The runs of one block: ("prose" | "formula" | "list", lines)"""
    groups: list[tuple[str, list[str]]] = []
    example = False  # from the first >>> on, also the lines that it prints
    for line in lines:
        example = example or line.lstrip().startswith(">>> ")
        if example:
            kind = "formula"
        elif (_STEP.match(line) and not _WIDE_GAP.search(line)) or (
            groups and groups[-1][0] == "steps" and line.startswith(" ")
        ):
            kind = "steps"
        elif re.match(r" *- \S", line) or (
            groups and groups[-1][0] == "list" and line.startswith(" ")
        ):
            kind = "list"
        elif _COLUMNS.search(line) and not _SENTENCE_WITH_NUMBER.match(line):
            kind = "formula"
        else:
            kind = "prose"
        if groups and groups[-1][0] == kind:
            groups[-1][1].append(line)
        else:
            groups.append((kind, [line]))
    return groups
