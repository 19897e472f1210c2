"""Figures of the estimators of the encoder's gradient: as clouds about the true
gradient, and their variance against J.

The model is linear with a normal decoder, so log p(x|z) is quadratic in eps. The mean
of a quadratic over N(0, I) is its mean over the 2L points ±√L eₗ, and that gives the
true gradient without an estimator.
"""

import math

import numpy as np

from ...pictures import svg
from ...pictures.plots import SMALL, Curve, chart, inside
from ...pictures.svg import SERIES, Axis, element, line, text
from ...vae import gradient_estimators as estimators
from ...vae.elbo import elbo_terms, negative_elbo, negative_elbo_backward
from .vae import linear_model

COUNT, SHOWN = 2048, 300  # estimates of each kind, and how many of them the clouds show
PANEL, GAP, TOP = 132, 28, 60  # pixels
_NOT_SHOWN = {estimators.BASELINE}


def estimates() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """{name: (COUNT, 2)}, estimates of ∂loss/∂mu₁ and ∂loss/∂mu₂ from one sample each;
    and the true gradient (2,).
    """
    config, params, x = linear_model()
    rng, L = np.random.default_rng(4), config.latent_dim
    points = math.sqrt(L) * np.concatenate([np.eye(L), -np.eye(L)])[:, None]
    _, cache = negative_elbo(params, x, points, config)
    behind_W = params["encoder.0.W"].size
    components = [behind_W, behind_W + 1]  # the biases of mu₁ and mu₂
    true = estimators.encoder_slice(negative_elbo_backward(cache))[components]
    found: dict[str, list] = {}
    for _ in range(COUNT):
        baseline, _, _ = elbo_terms(params, x, rng.standard_normal((1, 1, L)), config)
        made = estimators.estimate_gradients(
            params, x, rng.standard_normal((1, 1, L)), config, baseline
        )
        for name, g in made.items():
            if name not in _NOT_SHOWN:
                found.setdefault(name, []).append(g[components])
    return {name: np.array(values) for name, values in found.items()}, true


def estimator_clouds_svg() -> str:
    """One panel per estimator: its estimates as dots, their mean as a ring, the true
    gradient where the lines cross.
    """
    clouds, true = estimates()
    shown = np.concatenate([values[:SHOWN] for values in clouds.values()])
    low, high = (np.quantile(shown, q, axis=0) for q in (0.01, 0.99))
    rows = -(-len(clouds) // 2)
    height = TOP + rows * PANEL + (rows - 1) * (GAP + 26) + 20
    body = []
    for i, (name, values) in enumerate(clouds.items()):
        left, top = 24 + i % 2 * (PANEL + GAP + 16), TOP + i // 2 * (PANEL + GAP + 26)
        x_axis = Axis(low[0], high[0], left, left + PANEL)
        y_axis = Axis(low[1], high[1], top + PANEL, top)
        color = SERIES[i % len(SERIES)]
        tx, ty = _pixels(x_axis, y_axis, true)
        mx, my = _pixels(x_axis, y_axis, values.mean(axis=0))
        dots = "".join(
            element(
                "circle",
                cx=float(x_axis(a)),
                cy=float(y_axis(b)),
                r=1.6,
                fill_opacity=0.55,
                style=f"fill: {color}",
            )
            for a, b in values[:SHOWN]
        )
        ring = element(
            "circle",
            cx=mx,
            cy=my,
            r=6,
            fill="none",
            class_="mean",
            stroke_width=2.5,
            style="stroke: var(--text)",
        )
        body += [
            text(left, top - 10, name, class_="name"),
            inside(
                x_axis,
                y_axis,
                dots
                + line(tx, top, tx, top + PANEL, class_="axis true")
                + line(left, ty, left + PANEL, ty, class_="axis true")
                + ring,
            ),
            element(
                "rect",
                x=left,
                y=top,
                width=PANEL,
                height=PANEL,
                fill="none",
                class_="grid",
            ),
        ]
    body += [text(16, 20, "→ ∂loss/∂mu₁, ↑ ∂loss/∂mu₂", class_="tick")]
    return svg.document(
        SMALL["width"], height, "Estimates of the encoder's gradient", *body
    )


def _pixels(x_axis: Axis, y_axis: Axis, point: np.ndarray) -> tuple[float, float]:
    return float(x_axis(point[0])), float(y_axis(point[1]))


def estimator_variance_svg() -> str:
    """The variance of the mean of J estimates against J: lines of slope −1, one below
    the other.
    """
    clouds, _ = estimates()
    sizes = [2**i for i in range(7)]
    curves = [
        Curve(
            name,
            sizes,
            [values.reshape(-1, J, 2).mean(axis=1).var(axis=0).sum() for J in sizes],
            color=i,
        )
        for i, (name, values) in enumerate(clouds.items())
    ]
    return chart(
        "Variance of the gradient against the number of samples",
        curves,
        "samples J per image",
        "variance",
        log_x=True,
        log_y=True,
    )
