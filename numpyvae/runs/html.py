"""HTML of a report: the page with its style, a card for each section, tables and
embedded images.

The page follows the reader's light or dark setting and the width of the window: cards
stand in one to three columns, each as high as its content. All text passes through
`escape`.
"""

import base64

import numpy as np

from ..pictures.png import png_bytes
from ..pictures.samples import enlarge
from ..pictures.svg import FONT, escape, palette_css

PAGE_STYLE = (
    palette_css(":root")
    + f"""
* {{ box-sizing: border-box }}
body {{ margin: 0 auto; padding: 20px 12px 40px; max-width: 1220px; background: var(--page); color: var(--text);
        font: 15px/1.5 {FONT} }}
h1 {{ margin: 0; font-size: 24px; line-height: 1.25; overflow-wrap: anywhere }}
h2 {{ margin: 0 0 8px; font-size: 16px; line-height: 1.3 }}
p {{ margin: 6px 0 0; max-width: 75ch; color: var(--muted); overflow-wrap: anywhere }}
p.status {{ color: var(--alert); font-weight: 600 }}
main {{ columns: 3 340px; column-gap: 14px; margin-top: 18px }}
section {{ break-inside: avoid; margin: 0 0 14px; padding: 12px; border-radius: 10px; background: var(--paper);
           border: 1px solid var(--grid) }}
.plot, img {{ display: block; width: 100%; height: auto }} .plot {{ width: calc(100% + 24px); margin: -8px -12px }}
.plot + .plot {{ margin-top: 12px }}
img {{ border-radius: 4px }}
table {{ width: 100%; border-collapse: collapse; font-size: 14px }}
td, th {{ padding: 4px 0; text-align: left; vertical-align: top; font-weight: 400; border-top: 1px solid var(--grid) }}
th {{ padding-right: 12px; min-width: 7em }} tr:first-child > * {{ border-top: 0 }}
td {{ min-width: 5.5em; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums }}
code {{ font: 14px/1.6 ui-monospace, Menlo, Consolas, monospace }}
code span {{ display: inline-block; max-width: 100%; overflow-wrap: anywhere }}
"""
)


def html_page(
    name: str, heading: str, status: str, note: str, cards: dict[str, str]
) -> str:
    """The page as text: `name` in the browser's title, a heading, a warning if `status`
    is one, a note, and the cards, {title: markup}. Everything but the cards' markup is
    escaped.
    """
    sections = [
        f"<section><h2>{escape(title)}</h2>{body}</section>"
        for title, body in cards.items()
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>numpyvae: {escape(name)}</title>",
            f"<style>{PAGE_STYLE}</style>",
            "</head>",
            "<body>",
            f"<h1>{escape(heading)}</h1>",
            *([f'<p class="status">{escape(status)}</p>'] if status else []),
            f"<p>{escape(note)}</p>",
            "<main>",
            *sections,
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def img_tag(image: np.ndarray, alt: str) -> str:
    """uint8 pixels -> an <img> with the enlarged image in its address"""
    large = enlarge(image)
    data = base64.b64encode(png_bytes(large)).decode()
    height, width = large.shape[:2]
    return f'<img alt="{escape(alt)}" width="{width}" height="{height}" src="data:image/png;base64,{data}">'


def html_table(rows: dict[str, object]) -> str:
    """A table of names, with spaces for underscores, and values"""
    lines = (
        f"<tr><th>{escape(str(name).replace('_', ' '))}</th><td>{escape(format_value(value))}</td></tr>"
        for name, value in rows.items()
    )
    return f"<table>{''.join(lines)}</table>"


def html_command(command: str) -> str:
    """A command line, which breaks before an option and not between an option and its
    values
    """
    head, *options = command.split(" --")
    return f"<code>{' '.join(f'<span>{escape(words)}</span>' for words in [head, *('--' + o for o in options)])}</code>"


def format_value(value: object) -> str:
    """A setting as text: (400, 200) as 400, 200; nothing as none; 0.001 and 1e-08 as
    they are
    """
    if isinstance(value, (tuple, list)):
        return ", ".join(map(format_value, value)) or "none"
    return (
        f"{value:g}"
        if isinstance(value, float)
        else "none"
        if value is None
        else str(value)
    )
