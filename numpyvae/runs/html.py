"""HTML of pages about runs: cards, tables, commands, and the values of settings.

A page begins with one or two cards over its whole width, the learning curve first. The
others stand below in one to three columns, each as high as its content. A card has a
title, a sentence that says what it shows, and its markup.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..pictures.page import html_page, image_tag
from ..pictures.samples import enlarge
from ..pictures.svg import escape

STYLE = """
body { padding: 20px 12px 40px; max-width: 1220px; font-size: 15px; line-height: 1.5 }
h1 { margin: 0; font-size: 24px; line-height: 1.25; overflow-wrap: anywhere }
h2 { margin: 0 0 2px; font-size: 16px; line-height: 1.3 }
p { margin: 6px 0 0; max-width: 75ch; color: var(--muted); overflow-wrap: anywhere }
p.status { color: var(--alert); font-weight: 600 }
section > p { margin: 0 0 8px; font-size: 13.5px; line-height: 1.4 }
.first { display: grid; gap: 14px; margin-top: 18px }
main { columns: 3 340px; column-gap: 14px; margin-top: 14px }
section { break-inside: avoid; margin: 0 0 14px; padding: 12px; border-radius: 10px;
  background: var(--paper); border: 1px solid var(--grid); min-width: 0 }
.first section { margin: 0 }
.plot, img { display: block; width: 100%; height: auto }
.plot { width: calc(100% + 24px); margin: -4px -12px -8px }
.plot + .plot { margin-top: 12px }
img { border-radius: 4px; image-rendering: pixelated }
table { width: 100% }
td, th { padding: 4px 0; text-align: left; vertical-align: top; font-weight: 400;
  border-top: 1px solid var(--grid) }
th { padding-right: 12px; min-width: 7em }
tr:first-child > * { border-top: 0 }
td { min-width: 5.5em; text-align: right; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums }
details { margin-top: 8px }
summary { cursor: pointer; color: var(--muted); font-size: 14px }
code { font-size: 14px }
code span { display: inline-block; max-width: 100%; overflow-wrap: anywhere }
.large { display: none }
@media (min-width: 900px) {
  .first { grid-template-columns: minmax(0, 2.1fr) minmax(0, 1fr) }
  .large { display: block } .small { display: none }
}
"""
RELOAD = 10  # seconds between two looks at a run that is being trained


class Card(NamedTuple):
    """A card: a sentence on what it shows, which may be empty, and its markup."""

    caption: str
    markup: str


def cards_page(
    name: str,
    heading: str,
    status: str,
    note: str,
    first: Mapping[str, Card],
    cards: Mapping[str, Card],
    *,
    style: str = "",
    reload: bool = False,
) -> str:
    """A page of cards as text.

    name      in the browser's title
    status    a warning, or nothing
    first     {title: card} over the page's whole width
    style     what the page adds to STYLE
    reload    whether the page loads itself again, every RELOAD seconds

    Everything but the markup of the cards is escaped.
    """
    head = f'<meta http-equiv="refresh" content="{RELOAD}">' if reload else ""
    return html_page(
        f"numpyvae: {name}",
        STYLE + style,
        f"<h1>{escape(heading)}</h1>",
        f'<p class="status">{escape(status)}</p>' if status else "",
        f"<p>{escape(note)}</p>",
        f'<div class="first">{_sections(first)}</div>' if first else "",
        f"<main>\n{_sections(cards)}\n</main>",
        head=head,
    )


def reloads(page: bytes) -> bool:
    """Whether the beginning of a page says that it loads itself again."""
    return b'<meta http-equiv="refresh"' in page.split(b"</head>")[0]


def _sections(cards: Mapping[str, Card]) -> str:
    sections = []
    for title, card in cards.items():
        caption = f"<p>{escape(card.caption)}</p>" if card.caption else ""
        sections.append(
            f"<section><h2>{escape(title)}</h2>{caption}{card.markup}</section>"
        )
    return "\n".join(sections)


def two_sizes(large: str, small: str) -> str:
    """A plot for wide windows, and the same for narrow ones; one of them is shown."""
    return f'<div class="large">{large}</div><div class="small">{small}</div>'


def img_tag(image: np.ndarray, alt: str) -> str:
    """uint8 pixels, enlarged -> an <img>"""
    return image_tag(enlarge(image), alt)


def html_table(rows: Mapping[str, object]) -> str:
    """A table of names, with spaces for underscores, and values"""
    lines = []
    for name, value in rows.items():
        words = escape(str(name).replace("_", " "))
        lines.append(f"<tr><th>{words}</th><td>{escape(format_value(value))}</td></tr>")
    return f"<table>{''.join(lines)}</table>"


def folded(summary: str, markup: str) -> str:
    """Markup that is shown when its summary is clicked"""
    return f"<details><summary>{escape(summary)}</summary>{markup}</details>"


def html_command(command: str) -> str:
    """A command line, which breaks before an option and not between an option and its
    values
    """
    pieces = re.split(r" (?=--)", command)
    return (
        f"<code>{' '.join(f'<span>{escape(piece)}</span>' for piece in pieces)}</code>"
    )


def format_value(value: object) -> str:
    """A setting as text: (400, 200) as 400, 200; nothing as none; 0.001 and 1e-08 as
    they are
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(format_value, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)
