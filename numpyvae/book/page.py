"""The frame of the book's page: its style sheet, and the markup of figures and of code
beside prose.

The page needs no script and nothing from elsewhere. It follows the reader's light or
dark setting. Prose stands beside its code where the window is wide enough, and above it
elsewhere; what is wider than its column scrolls within it.
"""

import base64
import math
import re
from collections.abc import Sequence

import numpy as np

from ..pictures.png import png_bytes
from ..pictures.samples import image_grid
from ..pictures.svg import FONT, SVG_STYLE, escape, palette_css
from .figures.costs import Cost

SMALLEST_TEXT, PLOT_TEXT = (
    11,
    13,
)  # pixels, on the page, and in the plots as they are made
COSTS = (
    "One model per row, each trained with one error for a few epochs: the same images, order and initial "
    "parameters. The package evaluates all of them, with its own functions. An error may cost little, because "
    "training works around it; the loss that such a program prints is wrong all the same."
)
_LOWEST = -10_000.0  # of log p(x), that the table shows
MONOSPACE = (
    "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)

STYLE = (
    palette_css(":root")
    + f"""
* {{ box-sizing: border-box }}
html {{ scroll-padding-top: 12px }}
body {{ margin: 0 auto; padding: 20px 12px 60px; max-width: 1440px; background: var(--page); color: var(--text);
        font: 16px/1.55 {FONT}; overflow-wrap: break-word }}
h1 {{ margin: 0; font-size: 28px; line-height: 1.2 }}
h2 {{ margin: 56px 0 4px; font-size: 24px; line-height: 1.25 }}
h3 {{ margin: 0; font-size: 21px; line-height: 1.3 }}
p, ul {{ margin: 0 0 10px; max-width: 74ch }} ul {{ padding-left: 22px }} li {{ margin: 0 0 4px }}
a {{ color: var(--series-0); text-decoration-thickness: 1px; text-underline-offset: 2px }}
a:focus-visible, [tabindex]:focus-visible {{ outline: 2px solid var(--series-0); outline-offset: 2px }}
:target {{ background: var(--grid); border-radius: 3px; outline: 3px solid var(--grid) }}
pre, code {{ font: 12.5px/1.6 {MONOSPACE} }} p code, li code {{ font-size: 0.87em }}
pre {{ margin: 0 0 12px; overflow-x: auto; tab-size: 4 }}
.number {{ font-weight: 600 }}
.lead {{ color: var(--muted) }}
nav {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 8px 32px;
       margin: 20px 0 0; padding: 16px; border-radius: 10px; background: var(--paper); border: 1px solid var(--grid) }}
nav h2 {{ margin: 0 0 6px; font-size: 17px }} nav ol {{ margin: 0; padding-left: 30px }} nav li {{ margin: 0 0 3px }}
.chapter {{ margin: 18px 0 0; padding: 18px 16px; border-radius: 10px; background: var(--paper);
            border: 1px solid var(--grid) }}
.about {{ margin: 2px 0 14px; color: var(--muted); font-size: 14px; max-width: none }}
.figures {{ display: flex; flex-wrap: wrap; align-items: flex-start; gap: 20px 28px; margin: 18px 0 6px }}
figure {{ margin: 0; flex: 0 1 430px; min-width: 0; max-width: 100% }} figure.wide {{ flex-basis: 100% }}
figcaption {{ margin: 0 0 8px; font-size: 14px; line-height: 1.45; color: var(--muted); max-width: 74ch }}
figcaption b {{ display: block; font-size: 16px; color: var(--text) }}
.scroll {{ overflow-x: auto; border: 1px solid var(--grid); border-radius: 8px }}
.scroll > * {{ display: block; width: 100%; height: auto }} img {{ image-rendering: pixelated }}
.row {{ display: grid; grid-template-columns: minmax(0, 21rem) minmax(0, 1fr); gap: 0 28px; padding: 12px 0 4px;
        border-top: 1px solid var(--grid) }}
.row > .note {{ font-size: 15px; line-height: 1.5 }} .note p {{ margin: 0 0 8px }} .note pre {{ white-space: pre-wrap }}
.note h4 {{ margin: 0 0 4px; font: 600 14px/1.5 {MONOSPACE}; overflow-wrap: anywhere }}
.code a {{ color: inherit; text-decoration-color: var(--axis) }}
.keyword {{ color: var(--series-3) }} .string {{ color: var(--series-2) }} .number-token {{ color: var(--series-1) }}
.comment {{ color: var(--muted) }} .defined {{ font-weight: 700 }}
table {{ border-collapse: collapse; font-size: 14px }} td, th {{ padding: 8px 16px 8px 0; text-align: left;
        vertical-align: top; border-top: 1px solid var(--grid) }}
td.value {{ font-variant-numeric: tabular-nums; white-space: nowrap }}
.scroll.plain {{ border: 0; border-radius: 0 }} td img {{ width: auto !important; max-width: none }}
@media (max-width: 700px) {{ thead {{ display: none }} table, tbody, tr {{ display: block }}
  tr {{ padding: 8px 0; border-top: 1px solid var(--grid) }} td {{ display: block; padding: 2px 0; border: 0 }}
  td.value {{ display: inline-block; margin-right: 20px; color: var(--muted) }}
  td.value::before {{ content: attr(data-label) }} }}
@media (max-width: 1000px) {{ .row {{ grid-template-columns: minmax(0, 1fr) }} }}
@media (min-width: 700px) {{ body {{ padding: 28px 28px 80px }} .chapter {{ padding: 22px 24px }} }}
@media (min-width: 1640px) {{ body {{ max-width: 1640px }}
  .head {{ display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 32px; align-items: start }}
  .head .figures {{ flex-direction: column; flex-wrap: nowrap; margin: 0 0 12px }}
  .head .figures figure {{ width: 430px; flex: none }}
  .head.stacked {{ display: block }} .head.stacked .figures {{ flex-direction: row; margin: 18px 0 6px }} }}
"""
    + SVG_STYLE
)


def html_page(title: str, *body: str) -> str:
    """A complete page. The body is markup."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def figure_html(name: str, title: str, caption: str, content: str | np.ndarray) -> str:
    """A figure below its caption. On a narrow screen it shrinks until its text has 11
    pixels, and then scrolls.
    """
    if isinstance(content, str):
        width = float(re.search(r'viewBox="0 0 ([\d.]+)', content)[1])
        smallest = math.ceil(width * SMALLEST_TEXT / PLOT_TEXT)
        drawn = content.replace("<svg ", f'<svg style="min-width: {smallest}px" ', 1)
        drawn = re.sub(r"<style>[^<]*</style>\n?", "", drawn)  # the page has it once
    else:
        width, drawn = content.shape[1], image_tag(content, title)
    wide = ' class="wide"' if width > 500 else ""
    return (
        f'<figure id="figure-{name}"{wide}><figcaption><b>{escape(title)}</b>{escape(caption)}</figcaption>'
        f'<div class="scroll" tabindex="0" style="max-width: {width * 1.25:.0f}px">{drawn}</div></figure>'
    )


def image_tag(pixels: np.ndarray, alt: str) -> str:
    """uint8 pixels as an <img> that carries its own data"""
    data = base64.b64encode(png_bytes(pixels)).decode()
    height, width = pixels.shape[:2]
    return f'<img alt="{escape(alt)}" width="{width}" height="{height}" src="data:image/png;base64,{data}">'


def row_html(heading: str, note: str, code: list[str], anchor: str | None) -> str:
    """Prose on the left, the lines of code that it belongs to on the right."""
    title = f"<h4>{escape(heading)}</h4>" if heading else ""
    body = "\n".join(code).strip("\n")
    ident = f' id="{anchor}"' if anchor else ""
    shown = f'<pre class="code" tabindex="0">{body}</pre>' if body else ""
    return f'<div class="row"{ident}><div class="note">{title}{note}</div><div>{shown}</div></div>'


def cost_table(costs: Sequence[Cost]) -> str:
    """A section: one row per error, with log p(x), active units and samples."""
    rows = []
    for cost in costs:
        finite = cost.log_px is not None
        samples = "not finite: no samples"
        if finite:
            samples = image_tag(image_grid(cost.samples, len(cost.samples)), "samples")
        log_px, units = (
            (_log_px(cost.log_px), cost.active_units) if finite else ("diverged", "")
        )
        rows.append(
            f'<tr><td>{escape(cost.words)}</td><td class="value" data-label="log p(x) ">{log_px}</td>'
            f'<td class="value" data-label="active units ">{units}</td><td>{samples}</td></tr>'
        )
    return (
        '<section class="chapter" id="costs"><h3>What known errors cost</h3>'
        f"<p>{escape(COSTS)}</p>"
        '<div class="scroll plain" tabindex="0"><table><thead><tr><th>error</th>'
        "<th>log p(x), nats per image</th><th>active units</th><th>samples</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _log_px(value: float) -> str:
    return (
        f"{value:.1f}".replace("-", "−")
        if value > _LOWEST
        else f"below {_LOWEST:,.0f}".replace("-", "−")
    )
