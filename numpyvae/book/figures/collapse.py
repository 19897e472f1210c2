"""Figures of posterior collapse, unit by unit, in a linear model of the digits, where
theory says which units collapse.

A linear model with a normal decoder of fixed variance s² is probabilistic PCA. At its
optimum each latent unit belongs to one principal axis of the data. A unit whose axis
has the variance λ > s² has, averaged over the images,

    KL = ½ log(λ/s²)

and a unit whose axis has λ ≤ s² is switched off: its mu and logvar are the prior's for
every image, and its KL is 0.

Source: Lucas et al. 2019, "Don't blame the ELBO!"
"""

import math
from typing import NamedTuple

import numpy as np

from ...data.pixels import to_input
from ...pictures.plots import Curve, chart
from ...pictures.samples import image_grid, traverse
from ...settings import TrainingOptions, VAEConfig
from ...training.loop import train
from ...vae.gaussian import kl_divergence
from ...vae.model import encode
from ...vae.parameters import Parameters

UNITS, DECODER_VARIANCE, EPOCHS = 10, 2.0, 16
ACTIVE_KL = 0.02  # nats per image, between the two groups
_EVALUATED, _LOWEST = 2000, 1e-5  # images; the smallest KL that the plot shows
_STEPS = 8  # images per unit


class Collapse(NamedTuple):
    """A trained linear model: parameters, config, and the KL of each unit after each
    epoch (EPOCHS + 1, UNITS).
    """

    params: Parameters
    config: VAEConfig
    kl: np.ndarray


def train_linear_model(images: np.ndarray) -> Collapse:
    """Train on uint8 images (N, rows, columns); the KL is the mean over the first 2,000
    of them.
    """
    config = VAEConfig(
        input_dim=images[0].size,
        hidden_dims=(),
        latent_dim=UNITS,
        likelihood="normal",
        logvar_x=math.log(DECODER_VARIANCE),
    )
    options = TrainingOptions(
        epochs=EPOCHS, lr=5e-3, batch_size=100, decay_epochs=EPOCHS // 2
    )
    x, kl = to_input(images[:_EVALUATED], "none", np.random.default_rng(1)), []

    def record(state):
        (mu, logvar), _ = encode(state.params, x, config)
        kl.append(kl_divergence(mu, logvar).mean(axis=0))

    state = train(images, None, config, options, processes=1, after_epoch=record)
    return Collapse(state.params, config, np.array(kl))


def collapse_svg(model: Collapse) -> str:
    """The KL of each unit after each epoch: some level off at ½ log(λ/s²), the others
    fall to 0.
    """
    epochs, active = np.arange(1, len(model.kl) + 1), model.kl[-1] > ACTIVE_KL
    names = {
        True: f"{active.sum()} active units",
        False: f"{(~active).sum()} collapsed, below {ACTIVE_KL:g}",
    }
    curves = []
    for unit in np.argsort(-model.kl[-1], kind="stable"):
        kl, on = np.maximum(model.kl[:, unit], _LOWEST), bool(active[unit])
        curves.append(Curve(names[on], epochs, kl, color=0 if on else 1))
    border = Curve("", (1, len(epochs)), (ACTIVE_KL, ACTIVE_KL), "dashed", 3)
    return chart(
        "KL divergence of each latent unit",
        [*curves, border],
        "epoch",
        "KL, nats per image",
        log_y=True,
        integer_x=True,
    )


def traversal_image(model: Collapse, shape: tuple[int, int]) -> np.ndarray:
    """One row per unit, by falling KL: that unit through the prior's quantiles, the
    others 0. uint8 (height, width).
    """
    units = np.argsort(-model.kl[-1], kind="stable")
    return image_grid(
        traverse(model.params, units.tolist(), model.config, shape, _STEPS), _STEPS
    )
