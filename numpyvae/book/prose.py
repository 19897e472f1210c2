"""Docstrings as HTML: paragraphs, lists, and formulas, with links to equations,
chapters and names.

A docstring is plain text. Lines at the left edge are prose, and are wrapped to the
width of the page. Indented lines, and lines with columns, keep their form: formulas,
tables, examples. "- " begins an entry of a list.
"""

import html
import re
from collections.abc import Mapping

from ..pictures.svg import escape
from .chapters import NUMBER

_COLUMNS = re.compile(r"\S {3,}\S|^ {2,}\S|[│┌└─]{2}|^>>> ")
_SENTENCE_WITH_NUMBER = re.compile(r"^\S.* {3,}(\((?:\d+|[A-Z])\.\d+\))$")


class Prose:
    """Docstrings of one book to HTML.

    equations: {"(2.3)": id}, chapters: {2: id}, names: {name: id}. An equation's id is
    set where its own chapter defines it, and everything else links there.
    """

    def __init__(
        self,
        equations: Mapping[str, str],
        chapters: Mapping[int, str],
        names: Mapping[str, str],
    ):
        self.equations, self.chapters, self.names = equations, chapters, names

    def link_numbers(self, text: str) -> str:
        """Text to HTML with links on equation numbers and "chapter 3"; nothing else
        changes.
        """
        return re.sub(
            r"\b([Cc]hapter )(\d+)\b",
            self._chapter,
            NUMBER.sub(self._equation, escape(text)),
        )

    def cite(self, text: str) -> str:
        """Text to HTML with links on equation numbers, "chapter 3" and `names`, and
        with *emphasis*.
        """
        markup = re.sub(r"`([^`<>]+)`", self._name, self.link_numbers(text))
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

    def blocks(self, docstring: str, defines: tuple[str, ...] = ()) -> str:
        """A whole docstring to HTML. defines: the equation numbers that get their id
        here, at their first formula.
        """
        left, parts = set(defines), []
        if not docstring.strip():
            return ""
        for block in re.split(r"\n\s*\n", docstring.strip("\n")):
            parts += [
                self._block(kind, lines, left)
                for kind, lines in _groups(block.split("\n"))
            ]
        return "\n".join(parts)

    def _block(self, kind, lines, left):
        if kind == "formula":
            return f"<pre>{chr(10).join(self._formula(line, left) for line in lines)}</pre>"
        if kind == "list":
            items = re.split(r"(?:^|\n) *- ", "\n".join(lines))[1:]
            return (
                "<ul>"
                + "".join(
                    f"<li>{self.cite(' '.join(item.split()))}</li>" for item in items
                )
                + "</ul>"
            )
        return (
            "<p>"
            + " ".join(
                self._formula(" ".join(line.split()), left)
                if _SENTENCE_WITH_NUMBER.match(line)
                else self.cite(" ".join(line.split()))
                for line in lines
            )
            + "</p>"
        )

    def _formula(self, line, left):
        ends = [
            n
            for n in NUMBER.findall(line)
            if line.strip().startswith(n) or line.endswith(n)
        ]
        number = next((n for n in ends if n in left), None)
        if number is None:
            return self.cite(line)
        left.discard(number)
        before, after = (
            line.split(number, 1)
            if line.strip().startswith(number)
            else line.rsplit(number, 1)
        )
        defined = f'<span class="number" id="{self.equations[number]}">{number}</span>'
        return self.cite(before) + defined + self.cite(after)

    def note(self, docstring: str) -> str:
        """A function's docstring to HTML, for a narrow column: what wide gaps set apart
        stands on a line of its own.
        """
        lines = []
        for line in docstring.split("\n"):
            pieces = re.split(r" {3,}", line.strip())
            lines += (
                [line]
                if len(pieces) == 1
                else [each for piece in pieces for each in ("", piece, "")]
            )
        return self.blocks("\n".join(lines))


def _groups(lines: list[str]) -> list[tuple[str, list[str]]]:
    """The runs of one block: ("prose" | "formula" | "list", lines)"""
    groups: list[tuple[str, list[str]]] = []
    for line in lines:
        if re.match(r" *- \S", line) or (
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
