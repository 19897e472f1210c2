"""HTML report of a run, report.html: settings, metrics and plots in one self-contained
file.

It is made from the run and from the test images: the learning curve, the two terms of
the bound, active units, samples from the prior, reconstructions, interpolations,
traversals, the latent space, the settings, the conditions under which the results were
computed, and the command that reproduces the run. Plots are embedded as SVG, images as
PNG in data: addresses; there is no script. A run that was stopped or that diverged has
a report as well, which says so.
"""

import math
from numbers import Real

import numpy as np

from ..data.dataset import Dataset
from ..errors import InputError
from ..files import atomic_write
from ..pictures.latent import (
    latent_scatter_svg,
    manifold_svg,
    plane_scatter_svg,
    principal_components,
    unit_variance_svg,
)
from ..pictures.plots import (
    TEST_LOSS,
    curve_svg,
    learning_curve_svg,
    line_plot_svg,
    training_loss_name,
)
from ..pictures.samples import (
    active_first,
    image_grid,
    interpolate,
    manifold,
    sample_prior,
    traverse,
)
from ..settings import BINARIZATIONS
from ..training.evaluation import ACTIVE_UNIT_VARIANCE
from ..training.loop import EVALUATION_STREAM
from ..vae.likelihoods import LIKELIHOODS
from ..vae.model import encode
from .frames import write_animation
from .html import html_command, html_page, html_table, img_tag

FILE = "report.html"
FAILURE = "failure"  # the condition that says why training ended, if it failed
MAX_POINTS = 2500  # in the plot of the latent space
UNIT = "nats per image"
SIZE = {
    "width": 380,
    "height": 260,
}  # of a plot, at which its text is readable on a phone


def write_report(run) -> None:
    """Write report.html, and learning.png if the run has frames, into run.directory.

    The test images are those of run.source. A run that was trained on arrays has none,
    and a report without them.
    """
    data = run.source
    if data.path is not None and not len(data.test_images):
        data = Dataset.open(data.path)
    html = report_html(run, data.test_images, data.test_labels)
    with atomic_write(run.directory / FILE) as file:
        file.write(html.encode())
    write_animation(run.directory)


def report_html(run, test_images: np.ndarray | None, labels: np.ndarray | None) -> str:
    """The report as text.

    run           a Run; its conditions, {name: value}, are processes, versions and the machine, and the failure, an
                  error's message, if training failed
    test_images   uint8 (N, rows, cols), or None
    labels        (N,) of any number of classes, or None

    Raises ValueError if the history has something else than numbers.
    """
    config, options, history = run.config, run.options, run.state.history
    conditions = {
        name: value for name, value in run.conditions.items() if name != FAILURE
    }
    _check_history(run)
    outer = (config.input_dim, *config.hidden_dims)
    sizes = "-".join(map(str, (*outer, config.latent_dim, *reversed(outer))))
    note = f"A variational autoencoder in NumPy. Losses are in nats per image, of {BINARIZATIONS[options.binarize]}."
    if LIKELIHOODS[config.likelihood].is_density:
        note += " The decoder's values are log densities and may be positive."

    cards = {"Metrics": html_table(_metrics(run))} | _history_cards(run)
    try:
        with np.errstate(
            all="ignore"
        ):  # parameters of a run that diverged may be anything
            cards |= _model_cards(run, test_images, labels)
    except ValueError as error:
        cards["Images"] = html_table({"none": error})
    cards["Settings"] = html_table({**vars(config), **vars(options)})
    cards["Conditions"] = html_table(
        {"data": run.source, "data_digest": run.source.digest, **conditions}
    )
    cards["Reproduce"] = html_command(run.command_line())
    epochs = _epochs(len(history)).replace(" ", "\u00a0")  # never at the end of a line
    heading = f"{sizes}, {epochs} on {run.source}"
    return html_page(run.directory.name, heading, _status(run), note, cards)


def _epochs(count):
    return f"{count} epoch{'' if count == 1 else 's'}"


def _status(run):
    done, planned = len(run.state.history), _epochs(run.options.epochs)
    if FAILURE in run.conditions and done < run.options.epochs:
        return f"Training failed after {done} of {planned}: {run.conditions[FAILURE]}"
    return f"Stopped after {done} of {planned}." if done < run.options.epochs else ""


def _check_history(run):
    for row in run.state.history:
        for name, value in row.items():
            if not isinstance(value, Real):
                raise InputError(
                    f"{run.directory}: the history has {name} {value!r}, which is not a number"
                )


def _metrics(run):
    rows, history = {}, run.state.history
    if history:
        last = history[-1]
        rows[f"training loss ({training_loss_name(run.config, run.options)})"] = (
            f"{last['train_loss']:.4f}"
        )
        if math.isfinite(last["test_loss"]):
            rows[f"test loss ({TEST_LOSS})"] = f"{last['test_loss']:.4f}"
            rows["reconstruction term, −log p(x|z)"] = f"{last['reconstruction']:.4f}"
            rows["KL term"] = f"{last['kl']:.4f}"
            rows["active units"] = f"{last['active_units']} of {run.config.latent_dim}"
    rows["parameters"] = f"{run.state.params.vector.size:,}"
    if seconds := sum(row["seconds"] for row in history):
        rows["training time"] = f"{seconds:,.{0 if seconds >= 10 else 1}f} s"
    return rows


def _history_cards(run):
    """Plots over the epochs; those without a finite value are left out"""
    history, latents, cards = run.state.history, run.config.latent_dim, {}
    if any(
        math.isfinite(row[key])
        for row in history
        for key in ("train_loss", "test_loss")
    ):
        cards["Learning curve"] = learning_curve_svg(
            history, run.config, run.options, "", **SIZE
        )
    tested = [row for row in history if math.isfinite(row["test_loss"])]
    if tested:
        epochs = [row["epoch"] for row in tested]
        reconstruction, kl, units = (
            [row[key] for row in tested]
            for key in ("reconstruction", "kl", "active_units")
        )
        cards["Terms of the test loss"] = curve_svg(
            epochs, {"reconstruction": reconstruction}, "", UNIT, **SIZE
        ) + curve_svg(epochs, {"KL": kl}, "", UNIT, **SIZE)
        cards["Active units by epoch"] = line_plot_svg(
            epochs,
            {"active units": units},
            "",
            "epoch",
            f"of {latents} latent units",
            integer_x=True,
            integer_y=True,
            y_min=0,
            y_max=latents,
            **SIZE,
        )
    return cards


def _model_cards(run, test_images, labels):
    """Images from the model, and plots of the latent space. ValueError if they have
    values that are not finite
    """
    params, config, options, shape = (
        run.state.params,
        run.config,
        run.options,
        tuple(run.source.image_shape),
    )
    cards, order = {}, np.arange(config.latent_dim)
    if test_images is not None and len(test_images):
        rng = np.random.default_rng(
            [options.seed, len(run.state.history), EVALUATION_STREAM]
        )  # the last evaluation's
        data = Dataset.in_memory(test_images[:0], test_images)
        x = data.input("test", options.binarize, rng)
        mu = encode(params, x, config)[0][0].astype(np.float64)
        if not np.isfinite(mu).all():
            raise InputError("the encoder's output is not finite")
        order = active_first(mu)
        cards["Latent units"] = unit_variance_svg(mu.var(axis=0), ACTIVE_UNIT_VARIANCE)
        samples, reconstructions = run.image_grids(test_images)
        cards["Samples from the prior"] = img_tag(
            samples, "64 samples from the prior, decoded"
        )
        cards["Test images, each row above its reconstructions"] = img_tag(
            reconstructions, "reconstructions"
        )
        if len(pairs := x[: min(16, len(x) // 2 * 2)]):
            cards["Interpolations between two test images"] = img_tag(
                image_grid(interpolate(params, pairs, config, shape), 8),
                "interpolations, the originals at the ends",
            )
        cards |= _latent_cards(
            run, mu[:MAX_POINTS], None if labels is None else labels[:MAX_POINTS]
        )
    units = order[:8].tolist()
    alt = f"traversals of latent units {', '.join(map(str, units))}"
    cards["One latent unit per row, through the prior's quantiles"] = img_tag(
        image_grid(traverse(params, units, config, shape), 8), alt
    )
    return cards


def _latent_cards(run, mu, labels):
    """The test images in the latent space; with two latents, the decoder's images on
    the same axes as well
    """
    config = run.config
    if config.latent_dim != 2:
        return {"Latent space": latent_scatter_svg(*principal_components(mu), labels)}
    mu_p = sample_prior(np.zeros(2), config)
    sigma_p = sample_prior(np.ones(2), config) - mu_p
    plane = image_grid(
        manifold(run.state.params, config, tuple(run.source.image_shape)), 20, padding=0
    )
    return {
        "Test images in the latent plane": plane_scatter_svg(mu, mu_p, sigma_p, labels),
        "The decoder's mean, on the same axes": manifold_svg(plane, mu_p, sigma_p),
    }
