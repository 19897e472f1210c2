"""HTML report of a run, report.html: metrics, plots and settings in one file.

It is made from the run and from the test images: the learning curve, the two terms of
the bound, active units, samples from the prior, reconstructions, interpolations,
traversals, the latent space, the settings, the conditions under which the results were
computed, and the command that does it again. Plots are embedded as SVG, images as PNG
in data: addresses; there is no script. A run that was stopped or that diverged has a
report as well, which says so.

While a run is being trained its report can be watched. It is made again every few
epochs without the plots that take long, and loads itself again until training ends.
"""

import math
import time
from dataclasses import replace
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
    traversal_svg,
    unit_variance_svg,
)
from ..pictures.plots import (
    SMALL,
    Size,
    curve_svg,
    learning_curve_svg,
    line_plot_svg,
)
from ..pictures.samples import (
    active_first,
    change_class,
    image_grid,
    interpolate,
    manifold,
    sample_prior,
    traverse,
)
from ..pictures.svg import escape
from ..settings import BINARIZATIONS, changed_settings
from ..training.evaluation import ACTIVE_UNIT_VARIANCE
from ..training.history import TEST_COLUMNS, TEST_LOSS, training_loss_name
from ..training.model_input import model_input
from ..training.streams import stream
from ..vae.likelihoods import LIKELIHOODS
from ..vae.model import encode
from .frames import write_animation
from .html import (
    Card,
    cards_page,
    folded,
    html_command,
    html_table,
    img_tag,
    reloads,
    two_sizes,
)

FILE = "report.html"
FAILURE = "failure"  # the condition that says why training ended, if it failed
MAX_POINTS = 2500  # in the plot of the latent space
MOST_UNITS = 8  # rows of traversals
SECONDS_BETWEEN = 10  # two reports of a run that is being trained
UNIT = "nats per image"
LARGE = Size(width=760, height=400)  # of the learning curve, on a wide window
SIZE = Size(width=380, height=260)  # of a plot whose text is readable on a phone
NATS = (
    "Losses are in nats, the natural unit of information: 1 nat is 1.44 bits, "
    "and less is better."
)
TERMS = (
    "Their sum is the test loss: the pixels' cost once z is known, "
    "and the KL, what z itself costs beyond the prior."
)
ACTIVE = (
    "A latent unit is active if the variance of its mu over the test images is above "
    f"{ACTIVE_UNIT_VARIANCE:g}."
)


def write_report(run) -> None:
    """Write report.html, and learning.png if the run has frames, into run.directory.

    The test images are those of run.source. A run that was trained on arrays has none,
    and a report without them.
    """
    directory, data = run.require_directory(), run.source
    if data.path is not None and not len(data.test_images):
        data = Dataset.open(data.path)
    _write(run, report_html(run, data.test_images, data.test_labels))
    write_animation(directory)


class LiveReport:
    """Writes the report of a run while it is trained, at most every few seconds.

    It has the curves and the samples, which takes some 20 ms for a model of digits; the
    other plots take longer and are left to the end.
    """

    def __init__(self):
        self.due = -math.inf

    def after_epoch(self, run) -> None:
        """Write the report unless the last one is younger than SECONDS_BETWEEN."""
        if time.monotonic() < self.due or len(run.state.history) >= run.options.epochs:
            return
        data = run.source
        _write(run, report_html(run, data.test_images, data.test_labels, live=True))
        self.due = time.monotonic() + SECONDS_BETWEEN


def is_complete(directory) -> bool:
    """Whether a run's directory has a report that training ended with."""
    try:
        with open(directory / FILE, "rb") as file:
            return not reloads(file.read(20_000))
    except FileNotFoundError:
        return False


def _write(run, html: str) -> None:
    with atomic_write(run.directory / FILE) as file:
        file.write(html.encode())


def report_html(
    run,
    test_images: np.ndarray | None,
    labels: np.ndarray | None,
    *,
    live: bool = False,
) -> str:
    """The report as text.

    run           a Run; its conditions, {name: value}, are processes, versions and the
                  machine, and the failure, an error's message, if training failed
    test_images   uint8 (N, rows, cols), or None
    labels        (N,) of any number of classes, or None
    live          training goes on: the page reloads itself, and has no slow plots

    Raises ValueError if the history has something else than numbers.
    """
    config, options, history = run.config, run.options, run.state.history
    _check_history(run)
    conditions = {
        name: value for name, value in run.conditions.items() if name != FAILURE
    }
    outer = (config.input_dim, *config.hidden_dims)
    sizes = "-".join(map(str, (*outer, config.latent_dim, *reversed(outer))))
    note = f"A variational autoencoder of {BINARIZATIONS[options.binarize]}. {NATS}"
    if LIKELIHOODS[config.likelihood].is_density:
        note += " The decoder's values are log densities and may be positive."

    first = _learning_curve(run)
    first["Metrics"] = Card(
        f"After the last epoch. {ACTIVE}", html_table(_metrics(run))
    )
    cards = _history_cards(run)
    try:
        # The parameters of a run that diverged may be anything.
        with np.errstate(all="ignore"):
            if live:
                cards |= _sample_cards(run, test_images, labels)
            else:
                cards |= _model_cards(run, test_images, labels)
    except ValueError as error:
        cards["Images"] = Card("", html_table({"none": error}))
    cards["Settings"] = _settings_card(run)
    cards["Conditions"] = Card(
        "",
        html_table({"data": run.source})
        + folded(
            "Digest, processes, versions, machine",
            html_table({"data_digest": run.source.digest, **conditions}),
        ),
    )
    if run.source.path is not None:
        cards["Do it again"] = Card(
            "Prints the same numbers on the same machine, from any directory.",
            html_command(run.command_line()),
        )
    epochs = _epochs(len(history)).replace(" ", "\u00a0")  # never at the end of a line
    heading = f"{sizes}, {epochs} on {run.source}"
    return cards_page(
        run.directory.name,
        heading,
        _status(run, live),
        note,
        first,
        cards,
        reload=live,
    )


def summary_html(run) -> str:
    """What a notebook shows of a run: what it is, its last numbers and its curve."""
    curve = ""
    for card in _learning_curve(run, sizes=(SMALL,)).values():
        curve = card.markup
    return (
        f"<p><code>{escape(repr(run))}</code></p>"
        '<div style="display: flex; flex-wrap: wrap; gap: 16px; align-items: start">'
        f"{curve}{html_table(_metrics(run))}</div>"
    )


def _epochs(count):
    return f"{count} epoch{'' if count == 1 else 's'}"


def _status(run, live):
    done, planned = len(run.state.history), _epochs(run.options.epochs)
    if live:
        return (
            f"Training: {done} of {planned} are done, and this page reloads itself. "
            "More plots follow at the end."
        )
    if done >= run.options.epochs:
        return ""
    if FAILURE in run.conditions:
        return f"Training failed after {done} of {planned}: {run.conditions[FAILURE]}"
    return f"Stopped after {done} of {planned}."


def _check_history(run):
    for row in run.state.history:
        for name, value in row.items():
            missing = value is None and name in TEST_COLUMNS
            if not missing and not isinstance(value, Real):
                raise InputError(
                    f"{run.directory}: the history has {name} {value!r}, "
                    "which is not a number"
                )


def _metrics(run):
    rows, history = {}, run.state.history
    if history:
        last = history[-1]
        trained = training_loss_name(run.config, run.options)
        rows[f"training loss ({trained})"] = f"{last['train_loss']:.4f}"
        if math.isfinite(last["test_loss"]):
            rows[f"test loss ({TEST_LOSS})"] = f"{last['test_loss']:.4f}"
            rows["reconstruction term, −log p(x|z)"] = f"{last['reconstruction']:.4f}"
            rows["KL term"] = f"{last['kl']:.4f}"
            rows["active units"] = f"{last['active_units']} of {run.config.latent_dim}"
    rows["parameters"] = f"{run.state.params.vector.size:,}"
    if seconds := sum(row["seconds"] for row in history):
        rows["training time"] = f"{seconds:,.{0 if seconds >= 10 else 1}f} s"
    return rows


def _settings_card(run):
    """The settings that differ from the defaults, and all others folded"""
    changed = changed_settings(run.config, run.options)
    others = {
        name: value
        for name, value in {**vars(run.config), **vars(run.options)}.items()
        if name not in changed
    }
    shown = html_table(changed) if changed else ""
    caption = "What differs from the defaults." if changed else "All are the defaults."
    return Card(caption, shown + folded("Defaults", html_table(others)))


def _learning_curve(run, sizes=(LARGE, SMALL)):
    history = run.state.history
    losses = [row[key] for row in history for key in ("train_loss", "test_loss")]
    if not any(map(math.isfinite, losses)):
        return {}
    caption = (
        "Loss by epoch; the scale is finer below. The training loss is the mean over "
        "an epoch, in which the model changes, and the test loss is measured after it."
    )
    made = [
        learning_curve_svg(history, run.config, run.options, "", **size)
        for size in sizes
    ]
    shown = two_sizes(*made) if len(made) > 1 else made[0]
    return {"Learning curve": Card(caption, shown)}


def _history_cards(run):
    """Plots over the epochs of the test set's numbers, if there are any"""
    latents = run.config.latent_dim
    tested = [row for row in run.state.history if math.isfinite(row["test_loss"])]
    if not tested:
        return {}
    epochs = [row["epoch"] for row in tested]
    reconstruction = [row["reconstruction"] for row in tested]
    kl = {"KL": [row["kl"] for row in tested]}
    units = {"active units": [row["active_units"] for row in tested]}
    terms = curve_svg(epochs, {"reconstruction": reconstruction}, "", UNIT, **SIZE)
    terms += line_plot_svg(epochs, kl, "", "epoch", UNIT, integer_x=True, **SIZE)
    active = line_plot_svg(
        epochs,
        units,
        "",
        "epoch",
        f"of {latents} latent units",
        integer_x=True,
        integer_y=True,
        y_range=(0, latents),
        **SIZE,
    )
    return {
        "Terms of the test loss": Card(TERMS, terms),
        "Active units by epoch": Card("How many latent units are in use.", active),
    }


def _sample_cards(run, test_images, labels):
    """What the model makes: images from the prior, and test images seen again"""
    if test_images is None or not len(test_images):
        return {}
    if run.config.num_classes == 0:
        labels = None
    samples, reconstructions = run.image_grids(test_images, labels)
    text = "Each is a z from the prior, decoded: the mean of p(x|z)."
    if labels is not None:
        text = f"A row for each class. {text}"
    return {
        "Samples from the prior": Card(
            text, img_tag(samples, "samples from the prior, decoded")
        ),
        "Reconstructions": Card(
            "Rows of test images, each above what the decoder makes of their mu.",
            img_tag(reconstructions, "test images above their reconstructions"),
        ),
    }


def _model_cards(run, test_images, labels):
    """Images from the model, and plots of the latent space. ValueError if they have
    values that are not finite
    """
    params, config, options = run.state.params, run.config, run.options
    shape = tuple(run.source.image_shape)
    cards, order = {}, np.arange(config.latent_dim)
    if test_images is not None and len(test_images):
        # as in the last evaluation
        rng = stream("evaluation", options.seed, len(run.state.history))
        data = Dataset.in_memory(test_images[:0], test_images)
        data = replace(data, test_labels=labels)
        x = model_input(data, "test", config, options.binarize, rng)
        mu = encode(params, x, config)[0][0].astype(np.float64)
        if not np.isfinite(mu).all():
            raise InputError("the encoder's output is not finite")
        order = active_first(mu)
        cards["Latent units"] = Card(
            ACTIVE, unit_variance_svg(mu.var(axis=0), ACTIVE_UNIT_VARIANCE)
        )
        cards |= _sample_cards(run, test_images, labels)
        if config.num_classes:
            styles = image_grid(
                change_class(params, x[:8], config, shape), config.num_classes + 1
            )
            cards["The same style in every class"] = Card(
                "Each row begins with a test image; its mu, decoded as every class.",
                img_tag(styles, "test images, and their mu decoded as every class"),
            )
        pairs = x[: min(16, len(x) // 2 * 2)]
        if len(pairs):
            between = image_grid(interpolate(params, pairs, config, shape), 8)
            cards["Interpolations"] = Card(
                "Each row goes from one test image to another along the line "
                "between their mu.",
                img_tag(between, "interpolations, the originals at the ends"),
            )
        names = class_names(run, labels)
        cards |= _latent_cards(
            run, mu[:MAX_POINTS], None if names is None else names[:MAX_POINTS]
        )
    units = order[:MOST_UNITS].tolist()
    rows = image_grid(traverse(params, units, config, shape), 8)
    which = "Each latent unit"
    if len(units) < config.latent_dim:
        which = f"Each of the {len(units)} units with the largest variance, of "
        which += f"{config.latent_dim},"
    cards["Traversals"] = Card(
        f"{which} runs through the prior's quantiles; the others stay at its mean."
        f"{class_shown(run)}",
        traversal_svg(rows, units),
    )
    return cards


def class_names(run, labels: np.ndarray | None) -> np.ndarray | None:
    """The name of each label, if the data's classes have names; else the labels"""
    names = run.source.classes
    if labels is None or not names or labels.max() >= len(names):
        return labels
    return np.array(names)[labels]


def class_shown(run) -> str:
    """A sentence: the class of images that are decoded as the first class"""
    if run.config.num_classes == 0:
        return ""
    return f" The class is {run.source.class_name(0)}."


def _latent_cards(run, mu, labels):
    """The test images in the latent space; with two latents, the decoder's images on
    the same axes as well
    """
    config = run.config
    told = "training saw no labels"
    if config.num_classes > 0:
        told = "the encoder was told the class"
    if config.latent_dim != 2:
        return {
            "Latent space": Card(
                "The mu of test images on their first two principal components, "
                f"the directions in which they vary most; {told}.",
                latent_scatter_svg(*principal_components(mu), labels),
            )
        }
    mu_p = sample_prior(np.zeros(2), config)
    sigma_p = sample_prior(np.ones(2), config) - mu_p
    shape = tuple(run.source.image_shape)
    plane = image_grid(manifold(run.state.params, config, shape), 20, padding=0)
    return {
        "Test images in the latent plane": Card(
            "The mu of test images, where equal lengths on the axes are equal "
            "probabilities of the prior, so mu far from it gather at the edge.",
            plane_scatter_svg(mu, mu_p, sigma_p, labels),
        ),
        "The decoder's mean, on the same axes": Card(
            f"What the decoder makes of each z of the plane.{class_shown(run)}",
            manifold_svg(plane, mu_p, sigma_p),
        ),
    }
