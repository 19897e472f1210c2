"""HTML pages that need nothing else: the frame of a page, and images within it.

A page has its style and its images in itself, as data: addresses; it fetches nothing.
It follows the reader's light or dark setting. All text passes through `escape`.
"""

import base64

import numpy as np

from .png import png_bytes
from .svg import FONT, escape, palette_css

MONOSPACE = (
    "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)
BASE_STYLE = (
    palette_css(":root")
    + f"""
* {{ box-sizing: border-box }}
body {{ margin: 0 auto; background: var(--page); color: var(--text);
  font: 16px/1.55 {FONT}; overflow-wrap: break-word }}
a {{ color: var(--series-0); text-decoration-thickness: 1px;
  text-underline-offset: 2px }}
a:focus-visible, [tabindex]:focus-visible, summary:focus-visible {{
  outline: 2px solid var(--series-0); outline-offset: 2px }}
pre, code {{ font: 12.5px/1.6 {MONOSPACE} }}
table {{ border-collapse: collapse; font-size: 14px }}
"""
)


def html_page(
    title: str, style: str, *body: str, head: str = "", script: str = ""
) -> str:
    """A complete page as text.

    title    for the browser's tab; escaped
    style    what the page adds to BASE_STYLE
    body     markup
    head     markup for the page's head
    script   JavaScript that the page ends with
    """
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{escape(title)}</title>",
        f"<style>{BASE_STYLE}{style}</style>",
        head,
        "</head>",
        "<body>",
        *body,
        f"<script>{script}</script>" if script else "",
        "</body>",
        "</html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def image_tag(pixels: np.ndarray, alt: str) -> str:
    """uint8 pixels, (H, W) or (H, W, 3), as an <img> that carries its own data."""
    height, width = pixels.shape[:2]
    return (
        f'<img alt="{escape(alt)}" width="{width}" height="{height}" '
        f'src="{image_address(pixels)}">'
    )


def image_address(pixels: np.ndarray) -> str:
    """uint8 pixels as a data: address."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(pixels)).decode()
