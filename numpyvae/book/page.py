"""The style of the book's page, and the markup of figures and of code beside prose.

A table of contents stays in view where the window is wide enough. A chapter's prose
stands on the left and its code on the right, both from the chapter's first line; on a
narrow window the code follows the prose, and its lines wrap. Formulas and tables that
are wider than their column scroll within it, and fade at the edge to say so.
"""

import math
import re
from collections.abc import Sequence

import numpy as np

from ..pictures.page import MONOSPACE, image_tag
from ..pictures.samples import image_grid
from ..pictures.svg import FONT, SVG_STYLE, escape
from .figures.costs import Cost

SMALLEST_TEXT, PLOT_TEXT = 11, 13  # pixels: on the page, and in plots as they are made
COSTS = (
    "One model per row, each trained with one error for a few epochs: the same images, "
    "order and initial parameters. The package evaluates all of them, with its own "
    "functions. An error may cost little, because training works around it; the loss "
    "that such a program prints is wrong all the same."
)
_LOWEST = -10_000.0  # of log p(x), that the table shows
MATH = "'STIX Two Math', 'STIX Two Text', 'Cambria Math', Cambria, 'Latin Modern Math'"

STYLE = (
    f"""
html {{ scroll-padding-top: 12px }}
body {{ padding: 20px 12px 60px; max-width: 1720px }}
h1 {{ margin: 0; font-size: 28px; line-height: 1.2 }}
h2 {{ margin: 56px 0 4px; font-size: 24px; line-height: 1.25 }}
h3 {{ margin: 0; font-size: 21px; line-height: 1.3 }}
p, ul {{ margin: 0 0 10px; max-width: 74ch }}
ul {{ padding-left: 22px }} li {{ margin: 0 0 4px }}
:target {{ background: var(--grid); border-radius: 3px;
  outline: 3px solid var(--grid) }}
p code, li code, .why code {{ font-size: 0.87em }}
pre {{ margin: 0 0 12px; overflow-x: auto; tab-size: 4 }}
.step {{ padding-left: 26px; text-indent: -22px }}
.terms, .values {{ font-size: 15px; line-height: 1.45 }}
.terms td, .values td {{ padding: 2px 18px 2px 0; border: 0 }}
.terms td:first-child {{ white-space: nowrap; font-weight: 600 }}
.values td {{ white-space: nowrap; font-variant-numeric: tabular-nums }}
.number {{ font-weight: 600 }}
.lead {{ color: var(--muted) }}

nav.contents {{ padding: 14px 16px; border-radius: 10px; background: var(--paper);
  border: 1px solid var(--grid); font-size: 14px; line-height: 1.4; margin: 16px 0 }}
nav.contents h2 {{ margin: 0 0 6px; font-size: 15px; line-height: 1.3 }}
nav.contents ol {{ margin: 0 0 14px; padding-left: 26px }}
nav.contents li {{ margin: 0 0 2px }}
nav.contents a[aria-current] {{ font-weight: 700; color: var(--text) }}
.turn {{ display: flex; justify-content: space-between; gap: 16px; margin: 14px 0 0;
  padding: 10px 0 0; border-top: 1px solid var(--grid); max-width: none;
  font-size: 14px }}

.chapter {{ margin: 18px 0 0; padding: 18px 16px; border-radius: 10px;
  background: var(--paper); border: 1px solid var(--grid) }}
.about {{ margin: 2px 0 14px; color: var(--muted); font-size: 14px; max-width: none }}
.sides > * {{ min-width: 0 }}
.piece {{ border-top: 1px solid var(--grid); padding: 10px 0 4px }}
.piece .note {{ font-size: 15px; line-height: 1.5; padding-bottom: 4px }}
.note p {{ margin: 0 0 6px }} .note pre {{ white-space: pre-wrap }}
.note h4 {{ margin: 0 0 4px; font: 600 14px/1.5 {MONOSPACE}; overflow-wrap: anywhere }}
.code {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 }}
.code a {{ color: inherit; text-decoration-color: var(--axis) }}
.keyword {{ color: var(--series-3) }} .string {{ color: var(--series-2) }}
.number-token {{ color: var(--series-1) }} .comment {{ color: var(--muted) }}
.defined {{ font-weight: 700 }}

.display, pre:not(.code) {{ margin: 0 0 12px; overflow-x: auto;
  background: linear-gradient(to right, var(--paper) 30%, transparent) left / 40px 100%,
    linear-gradient(to left, var(--paper) 30%, transparent) right / 40px 100%,
    linear-gradient(to right, var(--grid), transparent) left / 16px 100%,
    linear-gradient(to left, var(--grid), transparent) right / 16px 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll }}
.math {{ font: 16px/1.5 {MATH}, Georgia, serif }}
.math td {{ padding: 2px 0; border: 0; vertical-align: baseline }}
.term, .math .left {{ white-space: nowrap }}
.math .no {{ padding-right: 10px; font-size: 15px }}
.math .left {{ text-align: right }}
.math .right {{ padding: 2px 18px 2px 6px }}
.math .text {{ font-size: 15px }}
.math .why {{ min-width: 8em; font: 13.5px/1.4 {FONT}; color: var(--muted) }}
.math .next {{ display: inline-block; margin-left: 18px }}
.math code {{ font-size: 13px }}
sub, sup {{ font-size: 11.5px; line-height: 0 }}
.frac {{ display: inline-block; vertical-align: middle; text-align: center;
  line-height: 1.25; padding: 0 2px }}
.frac > span {{ display: block; padding: 0 3px }}
.frac > span:last-child {{ border-top: 1px solid }}
.hidden, .frac > .hidden {{ display: none }}

.figures {{ display: grid; gap: 20px; margin: 18px 0 6px }}
figure {{ margin: 0; min-width: 0 }}
figcaption {{ margin: 0 0 8px; font-size: 14px; line-height: 1.45;
  color: var(--muted); max-width: 74ch }}
figcaption b {{ display: block; font-size: 16px; color: var(--text) }}
.scroll {{ overflow-x: auto; border: 1px solid var(--grid); border-radius: 8px }}
.scroll > * {{ display: block; width: 100%; height: auto }}
.live {{ padding: 0 0 8px; font-size: 14px }}
.live label {{ display: flex; gap: 10px; align-items: center; margin: 8px 0 }}
.live input {{ flex: 1; min-width: 0; accent-color: var(--series-0) }}
.live output {{ font-variant-numeric: tabular-nums; min-width: 9ch; text-align: right }}
img {{ image-rendering: pixelated }}
td, th {{ padding: 8px 16px 8px 0; text-align: left; vertical-align: top;
  border-top: 1px solid var(--grid) }}
td.value {{ font-variant-numeric: tabular-nums; white-space: nowrap }}
.scroll.plain {{ border: 0; border-radius: 0 }}
td img {{ width: auto !important; max-width: none }}
@media (max-width: 700px) {{
  .costs thead {{ display: none }}
  .costs table, .costs tbody, .costs tr {{ display: block }}
  .costs tr {{ padding: 8px 0; border-top: 1px solid var(--grid) }}
  .costs td {{ display: block; padding: 2px 0; border: 0 }}
  .costs td.value {{ display: inline-block; margin-right: 20px; color: var(--muted) }}
  .costs td.value::before {{ content: attr(data-label) }}
}}
@media (max-width: 700px) {{
  .math, .math tbody {{ display: block }}
  .math tr {{ display: flex; flex-wrap: wrap; align-items: baseline; padding: 3px 0 }}
  .math .no:empty, .math .left:empty, .math .why:empty {{ display: none }}
  .math .left:empty + .right {{ padding-left: 24px }}
  .math .why {{ flex-basis: 100%; padding-left: 24px }}
}}
@media (min-width: 700px) {{
  body {{ padding: 28px 28px 80px }} .chapter {{ padding: 22px 24px }}
}}
@media (min-width: 1180px) {{
  .page {{ display: grid; grid-template-columns: 208px minmax(0, 1fr); gap: 0 24px }}
  nav.contents {{ position: sticky; top: 12px; align-self: start; margin: 18px 0 0;
    max-height: calc(100vh - 24px); overflow-y: auto }}
  .sides {{ display: grid; gap: 0 28px; align-items: start;
    grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) }}
  .code {{ font-size: 12px }}
  .piece:first-child {{ border-top: 0; padding-top: 0 }}
}}
"""
    + SVG_STYLE
)


def figure_html(
    name: str, title: str, caption: str, content: str | np.ndarray, live: str = ""
) -> str:
    """A figure below its caption, as wide as its column. On a narrow screen it shrinks
    until its text has 11 pixels, and then scrolls. live: markup of its controls.
    """
    if isinstance(content, str):
        width = float(content.partition('viewBox="0 0 ')[2].split()[0])
        smallest = math.ceil(width * SMALLEST_TEXT / PLOT_TEXT)
        drawn = content.replace("<svg ", f'<svg style="min-width: {smallest}px" ', 1)
        drawn = re.sub(r"<style>[^<]*</style>\n?", "", drawn)  # the page has it once
    else:
        drawn = image_tag(content, title)
    return (
        f'<figure id="figure-{name}"><figcaption><b>{escape(title)}</b>'
        f'{escape(caption)}</figcaption>{live}<div class="scroll" tabindex="0">'
        f"{drawn}</div></figure>"
    )


def piece_html(heading: str, note: str, code: list[str], anchor: str | None) -> str:
    """A function, class or run of other code: its docstring above its lines."""
    title = f"<h4>{escape(heading)}</h4>" if heading else ""
    body = "\n".join(code).strip("\n")
    ident = f' id="{anchor}"' if anchor else ""
    above = f'<div class="note">{title}{note}</div>' if title or note else ""
    shown = f'<pre class="code">{body}</pre>' if body else ""
    return f'<div class="piece"{ident}>{above}{shown}</div>'


def cost_table(costs: Sequence[Cost]) -> str:
    """A section: one row per error, with log p(x), active units and samples."""
    rows = []
    for cost in costs:
        log_px, units, samples = "diverged", "", "not finite: no samples"
        if cost.log_px is not None and cost.samples is not None:
            log_px, units = _log_px(cost.log_px), str(cost.active_units)
            samples = image_tag(image_grid(cost.samples, len(cost.samples)), "samples")
        rows.append(
            f"<tr><td>{escape(cost.words)}</td>"
            f'<td class="value" data-label="log p(x) ">{log_px}</td>'
            f'<td class="value" data-label="active units ">{units}</td>'
            f"<td>{samples}</td></tr>"
        )
    return (
        '<section class="chapter" id="costs"><h3>What known errors cost</h3>'
        f"<p>{escape(COSTS)}</p>"
        '<div class="scroll plain costs" tabindex="0"><table><thead><tr><th>error</th>'
        "<th>log p(x), nats per image</th><th>active units</th><th>samples</th></tr>"
        "</thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _log_px(value: float) -> str:
    shown = f"{value:.1f}" if value > _LOWEST else f"below {_LOWEST:,.0f}"
    return shown.replace("-", "−")
