"""The graph of one training step: the arrays of one image as images, their shapes, and
the gradients that come back.

mu and logvar reach the loss by two paths, through z and through the KL divergence. So
each receives two gradients, and the graph shows both and their sum. The values are
those of `negative_elbo` and its backward pass, whose lines `step` repeats one by one,
because it keeps what they leave behind.
"""

from collections.abc import Sequence

import numpy as np

from ...errors import InputError
from ...pictures import svg
from ...pictures.svg import SERIES, element, line, text
from ...settings import VAEConfig
from ...vae.elbo import elbo_terms, negative_elbo
from ...vae.gaussian import (
    kl_divergence_backward,
    reparameterize,
    reparameterize_backward,
)
from ...vae.likelihoods import LIKELIHOODS
from ...vae.model import decode_backward, prior_parameters
from ...vae.parameters import Parameters, zero_parameters
from .arrays import array_image

WIDTH, HEIGHT = 888, 416
FORWARD, THROUGH_Z, OF_KL, SUM = SERIES
_ROW, _BACK = 207, 253  # y of the forward and of the backward edges
_STRIP, _IMAGE = 100, 84  # width of a vector of latents, and of an image


def step(
    params: Parameters, x: np.ndarray, eps: np.ndarray, config: VAEConfig
) -> dict[str, np.ndarray]:
    """Every array of one step on one image, x (1, D) and eps (1, 1, L), by name:
    values, and gradients as "dz".
    """
    if len(x) != 1 or len(eps) != 1:
        raise InputError(
            f"the graph shows one image and one sample; x is {x.shape}, eps {eps.shape}"
        )
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    loss, _ = negative_elbo(params, x, eps, config)
    mu, logvar, y = cache.mu, cache.logvar, cache.y
    likelihood, grads = LIKELIHOODS[config.likelihood], zero_parameters(config, y.dtype)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        config.beta, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = likelihood.log_prob_backward(
        np.full((1, 1), -1, y.dtype), params, x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    return {
        "x": x,
        "eps": eps,
        "mu": mu,
        "logvar": logvar,
        "z": reparameterize(mu, logvar, eps),
        "y": y,
        "mean": likelihood.mean(y),
        "loss": np.asarray(loss),
        "kl": kl,
        "log_px": log_px,
        "dy": dy,
        "dz": dz,
        "dmu from z": dmu_z,
        "dmu from KL": dmu_kl,
        "dmu": dmu_z + dmu_kl,
        "dlogvar from z": dlogvar_z,
        "dlogvar from KL": dlogvar_kl,
        "dlogvar": dlogvar_z + dlogvar_kl,
    }


def step_graph_svg(
    params: Parameters,
    x: np.ndarray,
    eps: np.ndarray,
    config: VAEConfig,
    shape: tuple[int, int],
) -> str:
    """The graph of `step` as an SVG document; shape: rows and columns of the image."""
    a = step(params, x, eps, config)
    cell = _IMAGE / max(shape)
    body = [
        _box(128, 186, 70, 88, "encode"),
        _box(380, 186, 128, 88, "reparameterize", "mu + σ eps"),
        _box(664, 186, 70, 88, "decode"),
        _box(384, 36, 120, 44, "kl_divergence"),
        _box(570, 36, 70, 44, "loss", f"{float(a['loss']):.2f}"),
        _box(756, 36, 100, 44, "log_prob"),
    ]
    body += _edges(float(a["kl"][0]), float(a["log_px"][0]), config.beta)
    body += [
        _labeled(f"x {x.shape}", 58, 157),
        _image(a, "x", 16, 165, cell, shape, signed=False),
        text(58, 268, "data:", class_="tick", text_anchor="middle"),
        text(58, 284, "no gradient", class_="tick", text_anchor="middle"),
    ]
    for name, top in (("mu", 92), ("logvar", 236)):
        body += _strips(
            a,
            236,
            top,
            [
                (name, f"{name} {a[name].shape}", FORWARD),
                (f"d{name} from z", "through z", THROUGH_Z),
                (f"d{name} from KL", "of the KL", OF_KL),
                (f"d{name}", f"d{name}, sum", SUM),
            ],
            32,
        )
        body += _sum_node(224, top + 115)
    body += _strips(
        a, 536, 188, [("z", f"z {a['z'].shape}", FORWARD), ("dz", "dz", THROUGH_Z)], 46
    )
    body += [
        _image(a, "eps", 394, 318, _STRIP / config.latent_dim, None),
        text(444, 346, f"eps {eps.shape}", text_anchor="middle", class_="name"),
    ]
    body += [
        _labeled(f"y {a['y'].shape}", 806, 126),
        _image(a, "mean", 764, 134, cell, shape, signed=False),
        text(
            806,
            240,
            "dy",
            class_="name",
            text_anchor="middle",
            style=f"fill: {THROUGH_Z}",
        ),
        _image(a, "dy", 764, 246, cell, shape),
    ]
    for center in (163, 699):
        body += [
            _arrow([(center, 274), (center, 294)], SUM if center == 163 else THROUGH_Z),
            text(center, 310, "dW, db", text_anchor="middle"),
        ]
    legend, _ = svg.legend(
        [
            (FORWARD, "values, forward"),
            (THROUGH_Z, "gradient through z"),
            (OF_KL, "gradient of the KL"),
            (SUM, "sum of both"),
        ],
        WIDTH,
        HEIGHT - 16,
    )
    return svg.document(WIDTH, HEIGHT, "One training step on one image", *body, *legend)


def _edges(kl: float, log_px: float, beta: float) -> list[str]:
    """All arrows but those of the parameters' gradients, and the numbers on them"""
    forward = [
        [(100, _ROW), (128, _ROW)],
        [(198, _ROW), (208, _ROW), (208, 111), (234, 111)],
        [(208, _ROW), (208, 255), (234, 255)],
        [(336, 111), (350, 111), (350, 50), (384, 50)],
        [(336, 255), (350, 255), (350, _ROW), (380, _ROW)],
        [(350, 111), (350, _ROW)],
        [(444, 318), (444, 274)],
        [(508, _ROW), (534, _ROW)],
        [(636, _ROW), (664, _ROW)],
        [(734, _ROW), (764, _ROW)],
        [(806, 112), (806, 80)],
        [(58, 143), (58, 18), (806, 18), (806, 36)],
        [(504, 50), (570, 50)],
        [(756, 50), (640, 50)],
    ]
    through_z = [
        [(640, 68), (756, 68)],
        [(856, 58), (872, 58), (872, 288), (850, 288)],
        [(764, _BACK), (734, _BACK)],
        [(664, _BACK), (638, _BACK)],
        [(536, _BACK), (508, _BACK)],
        [(380, _BACK), (370, _BACK), (370, 143), (338, 143)],
        [(370, _BACK), (370, 287), (338, 287)],
    ]
    of_kl = [
        [(570, 68), (504, 68)],
        [(384, 68), (360, 68), (360, 175), (338, 175)],
        [(360, 175), (360, 319), (338, 319)],
    ]
    summed = [
        [(217, _ROW), (214, _ROW), (214, 231), (198, 231)],
        [(217, 351), (214, 351), (214, 231), (198, 231)],
    ]
    parts = [
        _arrow(points, color, head=points != [(350, 111), (350, _ROW)])
        for paths, color in (
            (forward, FORWARD),
            (through_z, THROUGH_Z),
            (of_kl, OF_KL),
            (summed, SUM),
        )
        for points in paths
    ]
    return [
        *parts,
        text(537, 43, f"kl {svg.number(kl, 4)}", text_anchor="middle"),
        text(
            537,
            85,
            f"dkl = {svg.number(beta, 4)}",
            text_anchor="middle",
            style=f"fill: {OF_KL}",
        ),
        text(698, 43, f"log_px {svg.number(log_px, 4)}", text_anchor="middle"),
        text(
            698, 85, "dlog_prob = −1", text_anchor="middle", style=f"fill: {THROUGH_Z}"
        ),
        text(70, 34, "x", class_="name"),
    ]


def _box(
    x: float, y: float, width: float, height: float, name: str, below: str | None = None
) -> str:
    """A function: a rectangle with its name, and a second line in a lighter color"""
    middle = y + height / 2 + (4.5 if below is None else -4)
    parts = [
        element(
            "rect", x=x, y=y, width=width, height=height, rx=6, class_="paper axis"
        ),
        text(x + width / 2, middle, name, text_anchor="middle", class_="name"),
    ]
    if below is not None:
        parts.append(
            text(x + width / 2, middle + 18, below, text_anchor="middle", class_="tick")
        )
    return element("g", *parts, class_="function")


def _arrow(points: Sequence[tuple[float, float]], color: str, head: bool = True) -> str:
    (x0, y0), (x1, y1) = points[-2:]
    dx, dy = np.sign(x1 - x0), np.sign(y1 - y0)
    shaft = [*points[:-1], (x1 - 6 * dx, y1 - 6 * dy) if head else (x1, y1)]
    sides = [
        (x1, y1),
        *((x1 - 8 * dx + k * 4 * dy, y1 - 8 * dy + k * 4 * dx) for k in (-1, 1)),
    ]
    tip = element(
        "polygon",
        points=" ".join(f"{x:.4g},{y:.4g}" for x, y in sides),
        style=f"fill: {color}",
    )
    return svg.polyline(shaft, style=f"stroke: {color}") + (tip if head else "")


def _labeled(words: str, x: float, y: float) -> str:
    return text(x, y, words, text_anchor="middle", class_="name")


def _image(
    a: dict,
    name: str,
    x: float,
    y: float,
    cell: float,
    shape: tuple[int, int] | None,
    signed: bool = True,
) -> str:
    """An array as an image, in a group that carries its name"""
    array = a[name].reshape(shape) if shape else a[name].reshape(1, -1)
    drawn = array_image(array, x, y, cell, signed=signed)
    if not shape:  # a vector: cells are higher than wide
        drawn = element(
            "g",
            drawn,
            transform=f"translate(0 {y}) scale(1 {10 / cell:.6g}) translate(0 {-y})",
        )
    return element("g", drawn, data_name=name)


def _strips(
    a: dict, x: float, top: float, rows: Sequence[tuple[str, str, str]], pitch: float
) -> list[str]:
    """(name, words, color) of each vector, as rows: the words above the vector"""
    parts = []
    for i, (name, words, color) in enumerate(rows):
        y = top + i * pitch
        bold = "name" if i in (0, len(rows) - 1) else None
        parts += [
            text(x, y + 8, words, class_=bold, style=f"fill: {color}" if i else None),
            _image(a, name, x, y + 14, _STRIP / a[name].size, None),
        ]
    return parts


def _sum_node(x: float, y: float) -> list[str]:
    """A circle with a plus"""
    return [
        element(
            "circle",
            cx=x,
            cy=y,
            r=7,
            class_="paper sum",
            style=f"stroke: {SUM}",
            stroke_width=2,
        ),
        line(x - 4, y, x + 4, y, style=f"stroke: {SUM}", stroke_width=2),
        line(x, y - 4, x, y + 4, style=f"stroke: {SUM}", stroke_width=2),
    ]
