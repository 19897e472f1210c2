"""What the encoder has made of its latent space, as SVG: where the digits lie, and which units it uses.

`scatter` shows mu of test images on the two axes along which mu varies most, its principal axes: with the centred mu
(N, L) as U S Vᵀ, they are the first two columns of V, and s² / Σ s² is their share of the variance. A point is an image,
its colour the digit that is written there; the encoder has never seen the labels.

`units` shows the variance over the images of each unit's mu. A unit that the data does not move, below 0.01, only
repeats the prior: it is not active (Burda et al. 2016, section 5.2).

Next: report.
"""

import math

import numpy as np

from .plots import STYLE, round_ticks

DIGITS = ("#4e79a7", "#f28e2b", "#e15759", "#17a2b3", "#59a14f", "#c9a227", "#9467bd", "#e377a8", "#9c6b4a", "#8a8f98")
POINTS = ".points { fill: none; stroke-linecap: round; stroke-width: 4.5; opacity: .75 }"


def principal_axes(mu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """mu (N, L) -> coordinates (N, 2) along the two principal axes, and the axes' shares of the variance (2,)

    With one latent, or one image, the second coordinate is 0. Of an axis' two directions it takes the one whose components
    have a sum above 0, so that the picture does not turn around by chance.
    """
    u, s, vt = np.linalg.svd(mu - mu.mean(axis=0), full_matrices=False)
    sign = np.where(vt.sum(axis=1) < 0, -1, 1)
    coordinates, share = u * s * sign, s**2 / max((s**2).sum(), 1e-300)
    missing = max(0, 2 - len(s))
    return np.pad(coordinates, ((0, 0), (0, missing)))[:, :2], np.pad(share, (0, missing))[:2]


def scatter(coordinates: np.ndarray, share: np.ndarray, labels: np.ndarray) -> str:
    """A point for each image, in its digit's colour        coordinates (N, 2), labels (N,) -> SVG, 480 x 460"""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    span = np.where(high > low, high - low, 1)
    places = np.column_stack([16 + (coordinates[:, 0] - low[0]) / span[0] * 448, 384 - (coordinates[:, 1] - low[1]) / span[1] * 368])
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 460" role="img">',
             "<title>Test images in the latent space, on two principal axes, coloured by digit</title>",
             f"<style>{STYLE} {POINTS}</style>"]
    for digit in range(10):
        dots = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places[labels == digit])
        left = 24 + 46 * digit
        lines += [f'<path class="points" stroke="{DIGITS[digit]}" d="{dots}"/>',
                  f'<circle cx="{left}" cy="414" r="6" fill="{DIGITS[digit]}"/><text x="{left + 11}" y="418.5">{digit}</text>']
    return "\n".join([*lines, f'<text x="240" y="450" text-anchor="middle">two principal axes of mu: '
                              f'{share[0]:.0%} and {share[1]:.0%} of its variance</text>', "</svg>"])


def units(variance: np.ndarray, threshold: float) -> str:
    """A bar for each latent unit, the largest first, on a logarithmic scale        variance (L,) -> SVG, 480 x 320"""
    values = np.sort(variance)[::-1]
    exponents = np.log10(np.maximum(values, 1e-6))
    ticks = round_ticks(min(-3.0, exponents.min()), max(0.5, exponents.max()), finest=1)

    def down(exponent):
        return round(280 - (exponent - ticks[0]) / (ticks[-1] - ticks[0]) * 260, 1)

    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 320" role="img">',
             "<title>Variance of each latent unit's mu over the test images</title>", f"<style>{STYLE}</style>"]
    for tick in ticks:
        lines += [f'<line class="grid" x1="60" x2="470" y1="{down(tick)}" y2="{down(tick)}"/>',
                  f'<text x="52" y="{down(tick) + 4.5}" text-anchor="end">{10.0**tick:g}</text>']
    width = 410 / len(values)
    for i, (value, exponent) in enumerate(zip(values, exponents)):
        colour = DIGITS[0] if value > threshold else DIGITS[9]
        lines.append(f'<rect x="{60 + (i + 0.1) * width:.1f}" y="{down(exponent)}" width="{0.8 * width:.1f}" '
                     f'height="{max(280 - down(exponent), 1):.1f}" fill="{colour}"><title>{value:.3g}</title></rect>')
    level = down(math.log10(threshold))
    return "\n".join([*lines, f'<line x1="60" x2="470" y1="{level}" y2="{level}" stroke="{DIGITS[2]}" stroke-dasharray="5 4"/>',
                      '<text x="265" y="308" text-anchor="middle">latent units: variance of mu over the test images</text>', "</svg>"])
