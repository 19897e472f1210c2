"""The figures of the book, and the chapter that each belongs to. The package's own
functions make them when asked.

Three of them need images: one training step, and posterior collapse. Everything random
has a fixed seed, so the same images give the same figures on the same machine.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...data.pixels import to_input
from ...pictures.samples import enlarge
from ...settings import TrainingOptions, VAEConfig
from ...training.loop import train
from . import collapse, estimators, mdp, touch, vae
from .step_graph import step_graph_svg

STEP_EPOCHS = 3  # of training before the step that is shown
STEP_IMAGE = 7  # the test image that it shows


class Figure(NamedTuple):
    """One figure: its file's name, its chapter ("vae", "elbo"), title, caption, and an
    SVG document or uint8 pixels; and what makes it live, if it is.
    """

    name: str
    chapter: tuple[str, str]
    title: str
    caption: str
    content: str | np.ndarray
    live: touch.Live | None = None

    @property
    def shown(self) -> tuple[str, str, str, str | np.ndarray]:
        """What a page shows of it: name, title, caption and content."""
        return self.name, self.title, self.caption, self.content

    @property
    def wide(self) -> bool:
        """Whether it takes the whole width of a page."""
        return self.name == "step"


Maker = Callable[[], str]
# name, chapter, title, caption, the function that makes it
_WITHOUT_IMAGES: tuple[tuple[str, tuple[str, str], str, str, Maker], ...] = (
    (
        "kl",
        ("vae", "gaussian"),
        "Where q is nearly p",
        (
            "In float32, exp(d) − 1 − d loses its digits near 0 and even turns "
            "negative. expm1(d) − d does not."
        ),
        vae.kl_cancellation_svg,
    ),
    (
        "adam",
        ("vae", "adam"),
        "Adam's first steps",
        (
            "A constant gradient should give steps of one learning rate. Without bias "
            "correction the first steps are up to 6.6 times as long."
        ),
        vae.adam_steps_svg,
    ),
    (
        "gradcheck",
        ("vae", "gradcheck"),
        "Two numerical derivatives",
        (
            "A central difference loses digits on both sides of its best h. The complex "
            "step subtracts nothing: below h = 10⁻⁸ its error is rounding alone."
        ),
        vae.gradient_errors_svg,
    ),
    (
        "estimators",
        ("vae", "gradient_estimators"),
        "Estimates of one gradient",
        (
            "Each dot is an estimate from one sample, the ring their mean. Lines cross "
            "at the true gradient, which quadrature gives exactly. The naive mean is "
            "elsewhere."
        ),
        estimators.estimator_clouds_svg,
    ),
    (
        "variance",
        ("vae", "gradient_estimators"),
        "Variance against J",
        (
            "The mean of J samples has 1/J of the variance. The score function needs "
            "many times the samples of the pathwise estimator. The naive one varies "
            "little, but about a wrong value."
        ),
        estimators.estimator_variance_svg,
    ),
    (
        "bound",
        ("vae", "iwae"),
        "ELBO_K rises to log p(x)",
        (
            "A linear model, so log p(x) is known exactly. K = 1 is the ELBO; with more "
            "samples the bound closes the gap."
        ),
        vae.importance_bound_svg,
    ),
    (
        "value-iteration",
        ("mdp", "contraction"),
        "Value iteration",
        (
            "Each sweep multiplies the error by γ: a straight line on a logarithmic "
            "axis. Nearer to γ = 1 it falls more slowly."
        ),
        mdp.value_iteration_svg,
    ),
    (
        "grid-world",
        ("mdp", "ties"),
        "A grid world",
        (
            "A step slips to either side with probability 0.1 and costs 0.04; γ = 0.99. "
            "Darker cells have higher values, arrows are optimal actions."
        ),
        mdp.grid_world_svg,
    ),
    (
        "advantage",
        ("mdp", "discount"),
        "A crossing and a touching root",
        (
            "Where p(γ) turns positive, the optimal policy changes, in the four-state "
            "chain at (√3 − 1)/2. Where p only touches 0, nothing changes."
        ),
        mdp.advantage_polynomials_svg,
    ),
)
COUNT = len(_WITHOUT_IMAGES) + 6


def make_figures(images: np.ndarray, test_images: np.ndarray) -> Iterator[Figure]:
    """All COUNT figures, one after the other. images, test_images: uint8 (N, rows,
    columns).
    """
    shape = test_images.shape[1:]
    yield Figure(
        "step",
        ("vae", "elbo"),
        "One training step",
        "One digit passes through the model, blue, and the gradients come back. mu and "
        "logvar each get two gradients, whose sum is passed on. The model has trained "
        f"for {STEP_EPOCHS} epochs; y is shown as the mean of p(x|z). Signed arrays: "
        "orange is positive, blue negative.",
        one_step_svg(images, test_images),
    )
    for name, chapter, title, caption, make in _WITHOUT_IMAGES:
        yield Figure(name, chapter, title, caption, make())
    yield Figure(
        "live-bound",
        ("vae", "elbo"),
        "The bound of one image",
        "One pixel, one latent, p(x|z) = N(z, ½). The dashed line is log p(x); the "
        "distance to it is the gap, KL(q(z|x) ‖ p(z|x)). It is 0 at mu = 1 and "
        "σ = 0.577 only, the posterior.",
        touch.bound_svg(),
        touch.bound_live(),
    )
    yield Figure(
        "live-sweeps",
        ("mdp", "contraction"),
        "Value iteration on the chain",
        "The value of each state after each sweep. The policy that is greedy for the "
        "last values changes at γ = 0.366 only.",
        touch.sweeps_svg(),
        touch.sweeps_live(),
    )
    made = touch.plane(images)
    yield Figure(
        "live-plane",
        ("vae", "model"),
        "The decoder's plane",
        f"A model of two latents, trained for {touch.PLANE_EPOCHS} epochs. Each image is "
        "the decoder's mean at one z; equal lengths are equal probabilities of the prior.",
        touch.plane_svg(made),
        touch.plane_live(made),
    )
    model = collapse.train_linear_model(images)
    yield Figure(
        "collapse",
        ("vae", "likelihoods"),
        "Posterior collapse, unit by unit",
        f"A linear model with a fixed variance of {collapse.DECODER_VARIANCE:g}. A unit "
        "stays active if its principal axis of the images has a larger variance than "
        "that. The others become the prior.",
        collapse.collapse_svg(model),
    )
    yield Figure(
        "traversal",
        ("vae", "likelihoods"),
        "What each unit does",
        "One row per unit, by falling KL: the unit runs through the prior's quantiles. "
        "A collapsed unit changes nothing.",
        enlarge(collapse.traversal_image(model, shape), 2),
    )


def one_step_svg(images: np.ndarray, test_images: np.ndarray) -> str:
    """The graph of one step on a test image, after a few epochs of the default model."""
    config, rng = VAEConfig(input_dim=images[0].size), np.random.default_rng(1)
    params = train(
        images, None, config, TrainingOptions(epochs=STEP_EPOCHS), processes=1
    ).params
    index = STEP_IMAGE % len(test_images)
    x = to_input(test_images[index : index + 1], "none", rng)
    eps = rng.standard_normal((1, 1, config.latent_dim), dtype=np.float32)
    return step_graph_svg(params, x, eps, config, test_images.shape[1:])
