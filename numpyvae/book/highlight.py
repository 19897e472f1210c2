"""Python source as HTML, colored by `tokenize`, line by line.

The markup is made of slices of the source itself: without its tags it is the source
again, character by character.
"""

import io
import keyword
import token
import tokenize
from collections.abc import Callable, Mapping
from functools import partial

from ..pictures.svg import escape

# The last three exist since Python 3.12.
_STRINGS = {"STRING", "FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END"}
_SKIPPED = {"NEWLINE", "NL", "INDENT", "DEDENT", "ENDMARKER", "ENCODING"}
Place = tuple[int, int]  # (line, from 1; column, from 0), in characters


def highlight(
    source: str,
    links: Mapping[Place, str],
    anchors: Mapping[Place, str],
    cite: Callable[[str], str] = escape,
) -> list[str]:
    """The HTML of each line of a module.

    links, anchors: the address that the name at a place links to, and the id that it
    has cite: comments and strings to HTML; it may add links of its own, and must escape
    the rest
    """
    lines = source.splitlines()
    html = ["" for _ in lines]
    row, column = 1, 0
    after = ""

    def copy(until: Place, wrap: Callable[[str], str]) -> None:
        nonlocal row, column
        while (row, column) < until:
            end = until[1] if row == until[0] else len(lines[row - 1])
            piece = lines[row - 1][column:end]
            html[row - 1] += wrap(piece) if piece else ""
            if row == until[0]:
                column = end
            else:
                row, column = row + 1, 0

    for each in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = token.tok_name[each.type]
        if kind in _SKIPPED:
            continue
        copy(each.start, escape)
        style = _style(kind, each.string, after)
        markup = cite if style in ("string", "comment") else escape
        before, behind = _tags(style, links.get(each.start), anchors.get(each.start))
        copy(each.end, partial(_between, before, behind, markup))
        after = each.string
    return html


def _style(kind: str, string: str, after: str) -> str:
    """The class of a token: keyword, string, number, comment, defined (a name after def
    or class), or none
    """
    if kind in _STRINGS:
        return "string"
    if kind == "NAME":
        if keyword.iskeyword(string):
            return "keyword"
        return "defined" if after in ("def", "class") else ""
    return {"NUMBER": "number-token", "COMMENT": "comment"}.get(kind, "")


def _tags(style: str, address: str | None, anchor: str | None) -> tuple[str, str]:
    """The tags around a token: a link, or a span with its id and class, or none"""
    if address is not None:
        return f'<a href="{escape(address)}">', "</a>"
    attributes = ""
    if anchor:
        attributes += f' id="{escape(anchor)}"'
    if style:
        attributes += f' class="{style}"'
    return (f"<span{attributes}>", "</span>") if attributes else ("", "")


def _between(before: str, behind: str, markup: Callable[[str], str], piece: str) -> str:
    return before + markup(piece) + behind
