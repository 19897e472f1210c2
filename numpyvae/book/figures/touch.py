"""Figures that one can touch: on the page, a script redraws them as the reader moves.

Without the script each is a figure like the others, drawn for one setting. With it, the
numbers in `Live.data` are all that the script knows: it has the formulas of the
chapters, and a test compares what it shows with what the package's functions give.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ...mdp.bellman import bellman_operator
from ...mdp.chain import STATES, four_state_chain
from ...mdp.discount import critical_discounts
from ...pictures import svg
from ...pictures.page import image_address
from ...pictures.plots import SMALL, Curve, chart
from ...pictures.samples import image_grid, manifold
from ...settings import TrainingOptions, VAEConfig
from ...training.loop import train
from ...vae.gaussian import kl_divergence, log_density

X, DECODER_VARIANCE = 1.5, 0.5  # the image of one pixel, and the variance of p(x|z)
MU, SIGMA = 0.25, 1.0  # of q(z|x), before anything is moved
MUS = np.linspace(-1.0, 3.0, 81)
BOUND_RANGE = (-12.0, 0.0)  # nats
GAMMA, SWEEPS = 0.8, 30
VALUE_RANGE = (0.0, 12.0)
PLANE_SIDE, PLANE_EPOCHS = 16, 4


class Live(NamedTuple):
    """What the script needs: the controls, (name, low, high, step, value), what it says
    of them, and its data as JSON can hold it.
    """

    controls: tuple[tuple[str, float, float, float, float], ...]
    says: str
    data: dict[str, Any]


def bound_terms(mu: np.ndarray | float, sigma: float) -> dict[str, np.ndarray]:
    """The bound of one image x of one pixel and one latent, p(x|z) = N(z, s²): in
    closed form, since the mean of (x − z)² over q is (x − mu)² + σ².
    """
    log_s2 = math.log(DECODER_VARIANCE)
    mu = np.asarray(mu, np.float64)
    log_px_z = log_density(np.full_like(mu, X), mu, np.full_like(mu, log_s2))
    reconstruction = -(log_px_z - sigma**2 / (2 * DECODER_VARIANCE))
    kl = kl_divergence(mu, np.full_like(mu, 2 * math.log(sigma)))
    gap = log_px() + reconstruction + kl
    return {"reconstruction": reconstruction, "kl": kl, "gap": gap}


def log_px() -> float:
    """log p(x): x ~ N(0, 1 + s²)."""
    variance = np.log([1 + DECODER_VARIANCE])
    return float(log_density(np.array([X]), np.zeros(1), variance)[0])


def bound_svg() -> str:
    """The ELBO against mu for one σ, log p(x) above it, and a dot at one mu."""
    terms, at = bound_terms(MUS, SIGMA), bound_terms(MU, SIGMA)
    elbo = -(terms["reconstruction"] + terms["kl"])
    dot = -(at["reconstruction"] + at["kl"])
    ends = (MUS[0], MUS[-1])
    return chart(
        "The bound of one image against mu",
        [
            Curve("ELBO", MUS, elbo),
            Curve("log p(x)", ends, (log_px(), log_px()), "dashed", 2),
            Curve("", [MU], [dot], "dots", 1),
        ],
        "mu of q(z|x)",
        "nats",
        y_range=BOUND_RANGE,
        live=True,
    )


def bound_live() -> Live:
    """The sliders of mu and σ."""
    data = {"x": X, "s2": DECODER_VARIANCE, "log_px": log_px(), "mus": MUS.tolist()}
    controls = (("mu", -1.0, 3.0, 0.05, MU), ("σ", 0.2, 2.0, 0.02, SIGMA))
    return Live(controls, "reconstruction, KL and gap, in nats", data)


def sweeps(gamma: float) -> np.ndarray:
    """v after 0 … SWEEPS sweeps of value iteration on the four-state chain, (…, S)."""
    mdp = four_state_chain(gamma)
    values = [np.zeros(len(STATES))]
    for _ in range(SWEEPS):
        values.append(bellman_operator(mdp, values[-1]))
    return np.array(values)


def sweeps_svg() -> str:
    """The value of each state after each sweep."""
    values = sweeps(GAMMA)
    states = [svg.number(state) for state in STATES]
    curves = [
        Curve(f"state {state}", np.arange(SWEEPS + 1), values[:, i], color=i)
        for i, state in enumerate(states)
    ]
    return chart(
        "Values against sweeps of value iteration",
        curves,
        "sweeps",
        "value",
        integer_x=True,
        y_range=VALUE_RANGE,
        live=True,
    )


def sweeps_live() -> Live:
    """The slider of γ. The script iterates on the chain's own transitions."""
    mdp = four_state_chain(0.0)
    (critical,) = critical_discounts(mdp)
    data = {
        "P": np.asarray(mdp.P).tolist(),
        "R": np.asarray(mdp.R).tolist(),
        "sweeps": SWEEPS,
        "critical": critical,
    }
    return Live((("γ", 0.0, 0.9, 0.002, GAMMA),), "the greedy policy", data)


class Plane(NamedTuple):
    """The decoder's images over two latents, a grid of PLANE_SIDE², (H, W) uint8; and z
    of its columns, which are also those of its rows from below.
    """

    image: np.ndarray
    z: np.ndarray


def plane(images: np.ndarray) -> Plane:
    """Train a model of two latents on uint8 images, and decode its plane."""
    from scipy.special import ndtri

    config = VAEConfig(input_dim=images[0].size, hidden_dims=(200,), latent_dim=2)
    options = TrainingOptions(epochs=PLANE_EPOCHS)
    params = train(images, None, config, options, processes=1).params
    decoded = manifold(params, config, images.shape[1:], PLANE_SIDE)
    levels = (np.rint(decoded / 17.0) * 17).astype(np.uint8)  # 16 take half the bytes
    z = ndtri((np.arange(PLANE_SIDE) + 0.5) / PLANE_SIDE)
    return Plane(image_grid(levels, PLANE_SIDE, padding=0), z)


def plane_svg(made: Plane) -> str:
    """The plane, and beside it one of its images, enlarged."""
    width, side, left = SMALL["width"], 250, 12
    height, across = made.image.shape
    tall = side * height / across
    address = image_address(made.image)
    size = {"width": across, "height": height, "style": "image-rendering: pixelated"}
    pixels = svg.element("image", id="plane-pixels", href=address, **size)
    rows, columns = height // PLANE_SIDE, across // PLANE_SIDE
    whole = svg.element(
        "svg",
        pixels,
        class_="whole",
        x=left,
        y=12,
        width=side,
        height=tall,
        viewBox=f"0 0 {across} {height}",
        preserveAspectRatio="none",
    )
    middle = PLANE_SIDE // 2
    one = svg.element(
        "svg",
        svg.element("use", href="#plane-pixels"),
        class_="one",
        x=left + side + 14,
        y=12,
        width=92,
        height=92 * rows / columns,
        viewBox=f"{middle * columns} {middle * rows} {columns} {rows}",
    )
    words = svg.text(left + side + 14, 130, "", class_="name place")
    title = "The decoder's images over two latents"
    return svg.document(width, round(tall + 24), title, whole, one, words)


def plane_live(made: Plane) -> Live:
    """The pointer over the plane: no slider, the places of the cells."""
    data: dict[str, Sequence[float]] = {"z": made.z.round(3).tolist()}
    return Live((), "point at an image of the plane", data)
