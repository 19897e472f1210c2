"""The controls and the script of the figures that one can touch.

The script is plain JavaScript in live.js, which the page has in itself. Without it the
controls stay hidden, and the figures are what they are in any other page.
"""

import json
from pathlib import Path

from ..pictures.svg import escape, number
from .figures.touch import Live


def script() -> str:
    """The JavaScript that the page ends with."""
    return Path(__file__).with_name("live.js").read_text("utf-8")


def controls(live: Live | None) -> str:
    """The sliders of a figure, and the line that says what they give; none for others."""
    if live is None:
        return ""
    rows = ""
    for name, low, high, step, value in live.controls:
        rows += (
            f'<label>{escape(name)} <input type="range" min="{low:g}" max="{high:g}" '
            f'step="{step:g}" value="{value:g}"><output>{number(value)}</output></label>'
        )
    data = escape(json.dumps(live.data))
    says = f'<output class="says">{escape(live.says)}</output>'
    return f'<div class="live" data-live="{data}" hidden>{rows}{says}</div>'
