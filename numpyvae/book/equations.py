"""Displayed formulas of a docstring as HTML that looks like mathematics.

A docstring writes its formulas in lines of text: a number, an equation, and behind a
wide gap the reason for the step. Here each line becomes a row of a table, with the
number, the left side, the right side and the reason in columns of their own, so the
relations stand below each other. Variables are italic, x_ni has a subscript, and a side
that is one fraction, a/b, is set as a fraction.

The markup is made of pieces of the line itself: without its tags a row is the line
again. What a formula replaces, such as the underscore of a subscript, is hidden and not
dropped, so it is there for a screen reader's text and for copies.
"""

import re
from collections.abc import Callable, Collection

from ..pictures.svg import escape

COLUMNS = 88  # of a line of the source
RELATIONS = "=≤≥≈≪<>→←"
_RELATION = re.compile(rf"(?:(?<=\s)|^)[{RELATIONS}](?= |$)")
_GAP = re.compile(r" {3,}")
_NUMBER_FIRST = re.compile(r"^(\((?:\d+|[A-Z])\.\d+\))(?= |$)")
_NUMBER_LAST = re.compile(r"(?<= {3})(\((?:\d+|[A-Z])\.\d+\))$")
_LETTERS = r"A-Za-zΑ-Ωα-ω"
_TOKEN = re.compile(
    r"(?P<code>`[^`]+`)"
    r"|(?P<cited>\((?:\d+|[A-Z])\.\d+\)|\bchapter \d+\b)"
    r"|(?P<function>[a-z]+_[a-z_]{3,})"
    rf"|(?P<sub>(?<=[{_LETTERS}\u0302\u0303′])(?<!log)_"
    rf"(?:\{{[^}}]*\}}|\([^)]*\)|[{_LETTERS}0-9]{{1,2}}′?(?![{_LETTERS}0-9])))"
    rf"|(?P<power>\^(?:\([^)]*\)|[{_LETTERS}0-9]+))"
    r"|(?P<word>[A-Za-z]+[\u0302\u0303]*|[α-ω][\u0302\u0303]*)"
)
_SHORT = re.compile(
    rf"(?<![\w`.#=\"-])(mu|[{_LETTERS}][{_LETTERS}\u0302\u0303]?)"
    rf"_(?:([{_LETTERS}0-9]{{1,2}}′?)(?!\w|\.\w)|\{{([^{{}}<>]*)\}})"
)
_TERM = re.compile(r" (?=[+−·] )")  # where a long formula may break
_UPRIGHT = re.compile("log|exp|max|min|det|relu|tanh|sigmoid|softplus|[Vv]ar|Im|Re|E")


def is_display(lines: list[str]) -> bool:
    """Whether a run of indented lines is formulas, and not a table, an example or a
    diagram: at least half of them have a relation, and none has many columns.
    """
    text = "\n".join(lines)
    if re.search(r"^ *>>> |[│┌└─┐┘]", text, re.MULTILINE):
        return False
    if not all(line.startswith(" ") for line in lines):
        return False
    counts = [len(_GAP.split(_bare(line))) for line in lines]
    if max(counts) > 4 or (len(lines) > 1 and min(counts) > 2):
        return False
    if counts[0] > 1 and not _RELATION.search(lines[0]):
        return False  # a table's head
    related = [line for line in lines if _RELATION.search(line)]
    return 2 * len(related) >= len(lines)


def _bare(line: str) -> str:
    """A line without its equation's number"""
    return _NUMBER_FIRST.sub("", _NUMBER_LAST.sub("", line.strip())).strip()


def table_rows(lines: list[str]) -> list[list[str]] | None:
    """The cells of a table, or None if the lines are not one.

    Either each line has the same number of columns, with wide gaps between them; or
    there are two, a term and its text, and the text goes on below where it began.
    """
    pieces = [_GAP.split(line.strip()) for line in lines]
    if len(lines) > 1 and len(pieces[0]) > 2:
        return pieces if len({len(row) for row in pieces}) == 1 else None
    indent = len(lines[0]) - len(lines[0].lstrip())
    rows: list[list[str]] = []
    starts, previous = set(), ""
    for line, row in zip(lines, pieces, strict=True):
        depth = len(line) - len(line.lstrip())
        if depth == indent and len(row) == 2:
            rows.append(row)
            starts.add(line.rindex(row[1]))
        elif rows and len(row) == 1 and depth in starts:
            room = COLUMNS - len(previous) - 1 >= len(row[0].split()[0])
            rows[-1][1] += ("\n" if room else " ") + row[
                0
            ]  # a break on purpose, or not
        else:
            return None
        previous = line
    return rows if len(rows) > 1 and len(starts) == 1 else None


def table(rows: list[list[str]], cite: Callable[[str], str]) -> str:
    """The cells of a table as HTML"""
    made = ""
    for row in rows:
        cells = [cite(cell).replace("\n", "<br>\n") for cell in row]
        made += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    kind = "terms" if len(rows[0]) == 2 else "values"
    return (
        f'<div class="display" tabindex="0"><table class="{kind}">{made}</table></div>'
    )


def display(
    lines: list[str],
    cite: Callable[[str], str],
    numbered: Callable[[str], str],
    variables: Collection[str],
) -> str:
    """A run of lines as a table of formulas.

    cite        text of a reason to HTML
    numbered    an equation's number, which stands first or last on its line, to HTML
    variables   names of more than one letter that are variables: mu, eps, dy
    """
    bare = [_NUMBER_LAST.sub("", line.rstrip()).rstrip() for line in lines]
    last = [_GAP.split(line)[-1] for line in bare]
    starts = [line.rfind(piece) for line, piece in zip(bare, last, strict=True)]
    aligned = {
        start
        for start, piece in zip(starts, last, strict=True)
        if start > 12 and _is_reason(piece, variables)
    }
    rows = ""
    for line, start in zip(lines, starts, strict=True):
        rows += _row(line.strip(), cite, numbered, variables, start in aligned)
    return f'<div class="display" tabindex="0"><table class="math">{rows}</table></div>'


def _row(line: str, cite, numbered, variables, has_reason: bool) -> str:
    """A line as a row. has_reason: its last piece stands below or above a reason."""
    number = ""
    if found := _NUMBER_FIRST.match(line):
        number, line = numbered(found[1]), line[found.end() :].strip()
    elif found := _NUMBER_LAST.search(line):
        number, line = numbered(found[1]), line[: found.start()].strip()
    pieces = _GAP.split(line)
    reason = ""
    if len(pieces) > 1 and (has_reason or _is_reason(pieces[-1], variables)):
        reason = _inline(pieces.pop(), cite, (), prose=True)
    if len(pieces) > 1 and not _RELATION.search(pieces[0]):
        pieces[:2] = [f"{pieces[0]}  {pieces[1]}"]  # a name, then its equation
    if not any(_RELATION.search(piece) for piece in pieces):
        words = _inline("  ".join(pieces), cite, variables, prose=True)
        return (
            f'<tr><td class="no">{number}</td><td colspan="2" class="text">{words}</td>'
            f'<td class="why">{reason}</td></tr>'
        )
    left, right = _split_at_relation(pieces[0])
    rest = "".join(
        f' <span class="next">{formula(piece, cite, variables)}</span>'
        for piece in pieces[1:]
    )
    return (
        f'<tr><td class="no">{number}</td>'
        f'<td class="left">{formula(left, cite, variables)}</td>'
        f'<td class="right">{formula(right, cite, variables)}{rest}</td>'
        f'<td class="why">{reason}</td></tr>'
    )


def _is_reason(piece: str, variables: Collection[str]) -> bool:
    """Whether the last piece of a line is words, or has no relation of its own"""
    words = re.findall(r"(?<![\w`])[a-z]{2,}(?![\w(`])", piece)
    prose = [
        word for word in words if not _UPRIGHT.fullmatch(word) and word not in variables
    ]
    return not _RELATION.search(piece) or len(prose) >= 1


def _split_at_relation(text: str) -> tuple[str, str]:
    """(left side, relation and all that follows)"""
    found = _RELATION.search(text)
    if found is None:
        return text, ""
    return text[: found.start()].rstrip(), text[found.start() :]


def formula(text: str, cite: Callable[[str], str], variables: Collection[str]) -> str:
    """A formula as HTML. A side that is one fraction is set as one, and a long line
    breaks at relations and between terms only.
    """
    parts = []
    for side in re.split(rf"((?:^| )[{RELATIONS}] )", text):
        fraction = _fraction(side)
        if fraction is not None:
            above, below, after = (_inline(each, cite, variables) for each in fraction)
            parts.append(
                f'<span class="frac"><span>{above}</span>'
                f'<span class="hidden">/</span><span>{below}</span></span>{after}'
            )
            continue
        terms = _TERM.split(side)
        parts.append(" ".join(_nowrap(_inline(t, cite, variables)) for t in terms))
    return "".join(parts)


def _nowrap(markup: str) -> str:
    return f'<span class="term">{markup}</span>' if markup.strip() else markup


def _fraction(side: str) -> tuple[str, str, str] | None:
    """(numerator, denominator, what follows) of a side that is one fraction.

    Each part is a number, a symbol, a function's value or a bracket: 1/(1 + exp(−l)) is
    a fraction, and (a/b) c and 1/2 − x are not.
    """
    atom = r"[^\s/()\[\]=,·]*"
    bracket = r"(?:[(\[](?:[^()\[\]]|[(\[](?:[^()\[\]]|\([^()]*\))*[)\]])*[)\]])?"
    part = rf"(?:log )?{atom}{bracket}[²ᵗ]?"
    found = re.fullmatch(rf"({part})/({part})([.,]?)", side)
    if found is None or not found[1] or not found[2]:
        return None
    return found[1], found[2], found[3]


def _inline(
    text: str,
    cite: Callable[[str], str],
    variables: Collection[str],
    prose: bool = False,
) -> str:
    """Text with its variables in italics. prose: the letters a and I are words."""
    parts, end = [], 0
    for found in _TOKEN.finditer(text):
        parts.append(escape(text[end : found.start()]))
        if prose and found[0] in ("a", "I"):
            parts.append(found[0])
        else:
            parts.append(_token(found, cite, variables))
        end = found.end()
    parts.append(escape(text[end:]))
    return "".join(parts)


def _token(found: re.Match, cite: Callable[[str], str], variables) -> str:
    text, kind = found[0], found.lastgroup
    if kind in ("code", "cited"):
        return cite(text)
    if kind == "function":
        return f"<code>{escape(text)}</code>"
    if kind == "sub":
        return _raised("sub", text, cite, variables)
    if kind == "power":
        return _raised("sup", text, cite, variables)
    if len(text.rstrip("\u0302\u0303")) == 1 or text in variables:
        return text if _UPRIGHT.fullmatch(text) else f"<i>{text}</i>"
    return text


def with_subscripts(markup: str) -> str:
    """HTML of prose, with the subscript of each short name set as one: mu_q, E_q[x]"""
    return _SHORT.sub(_lowered, markup)


def _lowered(found: re.Match) -> str:
    name, short, braced = found.groups()
    if short is not None:
        return f'{name}<sub><span class="hidden">_</span><i>{short}</i></sub>'
    return (
        f'{name}<sub><span class="hidden">_{{</span><i>{braced}</i>'
        '<span class="hidden">}</span></sub>'
    )


def _raised(tag: str, text: str, cite, variables) -> str:
    """_ni or _{s′} as a subscript, ^(n/2) as a superscript, with the signs hidden"""
    opening, inner, closing = text[0], text[1:], ""
    if inner[0] == "{" or (tag == "sup" and inner[0] == "("):
        opening, inner, closing = opening + inner[0], inner[1:-1], inner[-1]
        middle = _inline(inner, cite, variables)
    else:
        middle = re.sub(r"[^\W\d]+", r"<i>\g<0></i>", escape(inner))
    hidden = f'<span class="hidden">{opening}</span>'
    end = f'<span class="hidden">{closing}</span>' if closing else ""
    return f"<{tag}>{hidden}{middle}{end}</{tag}>"
