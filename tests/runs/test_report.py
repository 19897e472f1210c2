"""The report of a run: one page that fetches nothing, shows what the run has, and
escapes all that it is given.
"""

import base64
import dataclasses
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from numpyvae.data.mnist import load_mnist
from numpyvae.data.pixels import to_input
from numpyvae.pictures.page import BASE_STYLE
from numpyvae.pictures.plots import loss_floor
from numpyvae.pictures.samples import (
    active_first,
    enlarge,
    image_grid,
    interpolate,
    mean_images,
    reconstruction_grid,
    sample_images,
    traverse,
)
from numpyvae.runs.frames import save_frame
from numpyvae.runs.html import (
    STYLE,
    format_value,
    html_command,
    html_table,
    reloads,
)
from numpyvae.runs.report import (
    FAILURE,
    FILE,
    MAX_POINTS,
    SECONDS_BETWEEN,
    LiveReport,
    is_complete,
    report_html,
    write_report,
)
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.state import initial_state
from numpyvae.vae.model import encode
from tests.pictures import reading

VOID = ("meta", "link", "img")
PAGE_STYLE = BASE_STYLE + STYLE
SIXES = np.arange(24) % 6


class Page(HTMLParser):
    """A page: tags, checked to be closed in order; addresses; text and markup by
    section; and the texts outside them.
    """

    def __init__(self, html):
        super().__init__()
        self.open, self.links, self.sections, self.tags, self.outside = (
            [],
            [],
            {},
            [],
            {},
        )
        self.feed(html)
        assert not self.open, f"left open: {self.open}"
        parts = re.findall(r"<section><h2>(.*?)</h2>(.*?)</section>", html, re.DOTALL)
        self.markup = dict(zip(self.sections, [body for _, body in parts], strict=True))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [
            value
            for name, value in attributes
            if name in ("src", "href", "xlink:href", "action", "srcset")
        ]
        assert not [name for name, _ in attributes if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "h2" in self.open:
            self.sections[data] = ""
        elif "section" in self.open and "style" not in self.open:
            self.sections[[*self.sections][-1]] += data + "\n"
        elif data.strip():
            self.outside.setdefault(self.open[-1], []).append(data)

    def table(self, section):
        """{name: value} of a section's tables, also of the folded one"""
        cells = re.findall(r"<th>(.*?)</th><td>(.*?)</td>", self.markup[section])
        assert cells and self.markup[section].count("<tr>") == len(cells)
        return dict(cells)

    def plots(self, section):
        return re.findall(
            r"<svg xmlns.*?\n</svg>", self.markup[section], re.DOTALL
        )  # a nested one ends in a line

    def images(self, section):
        addresses = re.findall(
            r'<img[^>]* src="data:image/png;base64,([^"]*)">', self.markup[section]
        )
        return [reading.decode_png(base64.b64decode(address)) for address in addresses]


class Source(SimpleNamespace):
    test_images, test_labels = np.empty((0, 6, 5), np.uint8), None
    classes = None

    def __str__(self):
        return self.path or "arrays in memory"


def history(epochs):
    """Rows whose values all differ"""
    return [
        {
            "epoch": e,
            "train_loss": 130.25 - e,
            "test_loss": 131.5 - e,
            "reconstruction": 111.125 - 2 * e,
            "kl": 20.375 + e,
            "seconds": 10.5 + e,
            "active_units": min(e, 3),
        }
        for e in range(1, epochs + 1)
    ]


@pytest.fixture
def run(tiny):
    """Makes a run of the tiny data with random parameters, 3 latents and a history of
    its 5 epochs.
    """

    def make(epochs=5, conditions=(), path="some/where", options=(), **config):
        config = VAEConfig(
            **{"input_dim": 30, "hidden_dims": (8,), "latent_dim": 3, **config}
        )
        options = TrainingOptions(**{"epochs": 5, "seed": 7, **dict(options)})
        state = initial_state(tiny[0], config, options)
        state.params.vector *= 3
        state.history = history(epochs)

        def image_grids(test_images, labels=None):
            x = (test_images[:16] / 255).reshape(-1, 30).astype(np.float32)
            return (
                image_grid(
                    sample_images(
                        state.params, config, (6, 5), np.random.default_rng(0), 16
                    ),
                    8,
                ),
                reconstruction_grid(state.params, x, config, (6, 5)),
            )

        return SimpleNamespace(
            directory=Path("runs/004"),
            config=config,
            options=options,
            state=state,
            source=Source(path=path, digest="d1ge57", image_shape=(6, 5)),
            conditions=dict(conditions),
            command_line=lambda: "numpyvae train --data some/where",
            image_grids=image_grids,
        )

    return make


@pytest.fixture
def page(tiny):
    """Makes the report of a run, with the tiny test images."""

    def make(run, labels=SIXES, images=tiny[1], problem=""):
        run.conditions |= {FAILURE: problem} if problem else {}
        return Page(report_html(run, images, labels))

    return make


# The page as such


def test_the_page_is_one_file_that_fetches_nothing_and_runs_no_script(run, tiny):
    html = report_html(run(latent_dim=2), tiny[1], None)
    page = Page(html)
    assert all(link.startswith("data:") for link in page.links) and len(page.links) >= 6
    assert "script" not in page.tags and "@import" not in html and "url(" not in html
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_the_text_of_the_page_has_a_contrast_of_4_5(mode):
    colors = reading.palettes(BASE_STYLE)[mode]
    rules = dict(
        re.findall(r"([\w.]+) \{[^}]*?(?<![-\w])color: var\(--([-\w]+)\)", PAGE_STYLE)
    )
    assert rules == {
        "body": "text",
        "a": "series-0",
        "p": "muted",
        "p.status": "alert",
        "summary": "muted",
    }
    assert (
        "background: var(--page)" in PAGE_STYLE
        and "background: var(--paper)" in PAGE_STYLE
    )
    for name in rules.values():
        assert (
            min(
                reading.contrast(colors[name], colors[surface])
                for surface in ("page", "paper")
            )
            >= 4.5
        )


def test_headings_are_not_doubled_by_titles_of_plots(run, page):
    made = page(run())
    assert len(set(made.sections)) == len(made.sections) == made.tags.count("h2")
    assert not any(
        reading.texts(plot, "title")
        for section in made.sections
        for plot in made.plots(section)
    )


@pytest.mark.parametrize(
    "more", [{}, {"latent_dim": 1}, {"latent_dim": 2}, {"epochs": 0}, {"epochs": 1}]
)
@pytest.mark.parametrize("count", [0, 1, 2, 24])
def test_no_card_is_blank_whatever_the_run_has(run, tiny, more, count):
    made = Page(report_html(run(**more), tiny[1][:count], np.zeros(count, int)))
    for section, markup in made.markup.items():
        assert (
            "<tr>" in markup
            or "<svg" in markup
            or "<img" in markup
            or "<span>" in markup
        ), section


def test_a_run_without_test_images_or_without_labels_has_a_page(run, page):
    trained = run()
    trained.state.history = [
        row
        | {
            "test_loss": math.nan,
            "reconstruction": math.nan,
            "kl": math.nan,
            "active_units": 0,
        }
        for row in trained.state.history
    ]
    made = page(trained, None, None)
    assert not {
        "Terms of the test loss",
        "Active units by epoch",
        "Latent units",
        "Latent space",
    } & set(made.sections)
    assert list(reading.legend(made.plots("Learning curve")[0])) == ["train 125.25"]
    assert "KL term" not in made.table("Metrics") and "active units" not in made.table(
        "Metrics"
    )
    assert not reading.legend(page(run(), None).plots("Latent space")[0])


def test_any_number_of_classes_is_in_the_legend(run, page):
    plot = page(run(), np.arange(24)).plots("Latent space")[0]
    assert list(reading.legend(plot)) == [str(label) for label in range(24)]
    assert len(set(reading.legend(plot).values())) == 24


def test_everything_that_a_file_or_a_name_holds_is_escaped(run, tiny):
    evil = "<script>alert('\"&')</script>\x1b[31m\udcff"
    bad = run(4, conditions={evil: evil, "list": [evil, 1.5], FAILURE: evil}, path=evil)
    bad.directory, bad.source.digest, bad.command_line = (
        Path(evil.replace("/", "")),
        evil,
        lambda: f"numpyvae --x {evil} --{evil}",
    )
    html = report_html(bad, tiny[1], np.array([evil.replace("\udcff", "")] * 24))
    made = Page(html)
    assert "script" not in made.tags and "<script" not in html and "\x1b" not in html
    assert html.count("&lt;script&gt;alert") >= 8
    html.encode()  # also a path that is not UTF-8


@pytest.mark.parametrize(
    "name",
    [
        "epoch",
        "train_loss",
        "test_loss",
        "reconstruction",
        "kl",
        "seconds",
        "active_units",
    ],
)
def test_a_history_with_something_else_than_numbers_is_refused(run, tiny, name):
    bad = run()
    bad.state.history[2][name] = "<script>"
    with pytest.raises(
        ValueError,
        match=f"runs/004: the history has {name} '<script>', which is not a number",
    ):
        report_html(bad, tiny[1], None)


# What it says


def test_the_heading_has_the_architecture_the_epochs_and_the_data(run, page):
    made = page(run(hidden_dims=(8, 4)))
    assert made.outside["h1"] == ["30-8-4-3-4-8-30, 5\u00a0epochs on some/where"]
    assert made.outside["title"] == ["numpyvae: 004"]
    assert page(run(epochs=1, options={"epochs": 1})).outside["h1"] == [
        "30-8-3-8-30, 1\u00a0epoch on some/where"
    ]


@pytest.mark.parametrize(
    "epochs, problem, status",
    [
        (5, "", None),
        (2, "", "Stopped after 2 of 5 epochs."),
        (0, "", "Stopped after 0 of 5 epochs."),
        (3, "the loss is nan", "Training failed after 3 of 5 epochs: the loss is nan"),
    ],
)
def test_a_run_that_ended_early_says_so(run, page, epochs, problem, status):
    paragraphs = page(run(epochs), problem=problem).outside["p"]
    assert paragraphs[:-1] == ([status] if status else [])
    assert paragraphs[-1].startswith("A variational autoencoder of ")


def test_a_run_that_diverged_has_a_page_without_images(run, page):
    diverged = run()
    diverged.state.params.vector[...] = 1e30
    made = page(diverged, problem="the loss is not finite")
    assert "not finite" in made.sections["Images"] and "img" not in made.tags
    assert {"Metrics", "Learning curve", "Settings", "Do it again"} <= set(
        made.sections
    )


def test_metrics_are_those_of_the_last_epoch(run, page):
    assert page(run()).table("Metrics") == {
        "training loss (negative ELBO)": "125.2500",
        "test loss (negative ELBO)": "126.5000",
        "reconstruction term, −log p(x|z)": "101.1250",
        "KL term": "25.3750",
        "active units": "3 of 3",
        "parameters": f"{30 * 8 + 8 + 2 * (8 * 3 + 3) + 3 * 8 + 8 + 8 * 30 + 30:,}",
        "training time": "68 s",
    }  # 67.5


def test_without_an_epoch_there_is_no_training_time(run, page):
    assert list(page(run(epochs=0)).table("Metrics")) == ["parameters"]


def test_a_short_training_time_is_not_0_seconds(run, page):
    made = run(epochs=1)
    made.state.history[0]["seconds"] = 0.16
    assert page(made).table("Metrics")["training time"] == "0.2 s"


@pytest.mark.parametrize(
    "config, options, name",
    [
        ({"beta": 4.0}, {}, "training loss (reconstruction + 4 KL)"),
        (
            {},
            {"objective": "iwae", "num_samples": 5},
            "training loss (negative IWAE bound, K = 5)",
        ),
    ],
)
def test_the_quantity_that_training_minimizes_is_named(
    run, page, config, options, name
):
    made = page(run(options=options, **config))
    assert list(made.table("Metrics"))[:2] == [name, "test loss (negative ELBO)"]
    names = reading.legend(made.plots("Learning curve")[0])
    assert list(names) == [f"train: {name[15:-1]} 125.25", "test: negative ELBO 126.5"]


@pytest.mark.parametrize(
    "binarize, words", [("none", "grayscale pixels"), ("dynamic", "pixels sampled")]
)
def test_the_kind_of_pixels_and_densities_are_said(run, page, binarize, words):
    made = page(run(options={"binarize": binarize}))
    assert (
        words in made.outside["p"][-1]
        and "may be positive" not in made.outside["p"][-1]
    )
    assert "may be positive" in page(run(likelihood="normal")).outside["p"][-1]


def test_every_setting_and_condition_is_shown(run, page):
    trained = run(
        conditions={"processes": 2, "blas_threads": 1, "numpy": "2.1.3"}, beta=0.5
    )
    made = page(trained)
    assert made.markup["Settings"].index("<details>") > made.markup["Settings"].index(
        "<th>beta</th>"
    )
    differing, _ = made.markup["Settings"].split("<details>")
    assert re.findall("<th>(.*?)</th>", differing) == [
        "input dim",
        "hidden dims",
        "latent dim",
        "beta",
        "epochs",
        "seed",
    ]
    settings = made.table("Settings")
    assert len(settings) == len(dataclasses.fields(VAEConfig)) + len(
        dataclasses.fields(TrainingOptions)
    )
    assert (
        settings["beta"] == "0.5"
        and settings["seed"] == "7"
        and settings["hidden dims"] == "8"
    )
    assert (
        settings["adam epsilon"] == "1e-08"
        and settings["logvar x"] == "none"
        and settings["prior"] == "0, 0"
    )
    assert page(trained).table("Conditions") == {
        "data": "some/where",
        "data digest": "d1ge57",
        "processes": "2",
        "blas threads": "1",
        "numpy": "2.1.3",
    }


def test_values_are_shown_as_text():
    assert [
        format_value(v)
        for v in ((), (400, 200), None, 0.001, 3, ((0.0, 1.5), 2.0), "a")
    ] == ["none", "400, 200", "none", "0.001", "3", "0, 1.5, 2", "a"]
    assert html_table({"a_b": 1}) == "<table><tr><th>a b</th><td>1</td></tr></table>"


def test_the_command_breaks_between_options_only_and_keeps_its_words(run, page):
    command = "numpyvae train --data 'a b' --hidden 400 200 --batch-size 16"
    markup = html_command(command)
    assert re.findall("<span>(.*?)</span>", markup) == [
        "numpyvae train",
        "--data &#x27;a b&#x27;",
        "--hidden 400 200",
        "--batch-size 16",
    ]
    assert re.sub("<.*?>", "", markup) == command.replace("'", "&#x27;")
    assert (
        "display: inline-block" in PAGE_STYLE
        and "numpyvae train\n" in page(run()).sections["Do it again"]
    )


# Plots and images


def scaled(value, floor):
    """The value on an even axis, or on one that is logarithmic above a floor"""
    return value if floor is None else math.log10(value - floor)


def test_plots_over_the_epochs_show_the_history(run, page):
    made = page(run())
    (learning, small), terms, (units,) = (
        made.plots(name)
        for name in (
            "Learning curve",
            "Terms of the test loss",
            "Active units by epoch",
        )
    )
    assert list(reading.legend(learning)) == ["train 125.25", "test 126.5"]
    for plot, keys in [
        (learning, ("train_loss", "test_loss")),
        (small, ("train_loss", "test_loss")),
        (terms[0], ("reconstruction",)),
        (terms[1], ("kl",)),
        (units, ("active_units",)),
    ]:
        expected = [[row[key] for row in history(5)] for key in keys]
        uneven = plot in (learning, small, terms[0])
        floor = loss_floor(expected) if uneven else None
        y = reading.reader(plot, "y", lambda v, low=floor: scaled(v, low))
        x = reading.reader(plot, "x")
        for points, values in zip(reading.curves(plot), expected, strict=True):
            assert x(points[:, 0]) == pytest.approx([1, 2, 3, 4, 5], abs=0.01)
            assert y(points[:, 1]) == pytest.approx(
                [scaled(value, floor) for value in values], abs=0.02
            )
    assert [next(iter(reading.legend(plot))).split()[0] for plot in terms] == [
        "reconstruction",
        "KL",
    ]
    assert min(reading.ticks(units, "y")) == 0 and max(reading.ticks(units, "y")) == 3
    assert reading.texts(units, "y-label") == ["of 3 latent units"]


def encoded(trained, images):
    """x and mu of the test images, gray"""
    x = to_input(images, "none", np.random.default_rng(0))
    return x, encode(trained.state.params, x, trained.config)[0][0].astype(float)


def test_latent_units_are_those_of_the_test_images(run, page, tiny):
    trained = run()
    _, mu = encoded(trained, tiny[1])
    bars = reading.elements(page(trained).plots("Latent units")[0], "rect", "bar")
    titles = [bar.find(reading.SVG + "title").text for bar in bars]
    assert titles == [
        f"unit {unit}: {mu[:, unit].var():.3g}" for unit in active_first(mu)
    ]


def test_images_are_the_enlarged_ones_of_the_run(run, page, tiny):
    trained = run()
    made, (samples, reconstructions) = page(trained), trained.image_grids(tiny[1])
    assert np.array_equal(made.images("Samples from the prior")[0], enlarge(samples))
    assert np.array_equal(
        made.images("Reconstructions")[0],
        enlarge(reconstructions),
    )


def test_interpolations_have_the_originals_at_their_ends(run, page, tiny):
    trained = run()
    x, _ = encoded(trained, tiny[1])
    (shown,) = page(trained).images("Interpolations")
    walks = interpolate(trained.state.params, x[:16], trained.config, (6, 5))
    assert np.array_equal(shown, enlarge(image_grid(walks, 8)))
    assert np.array_equal(walks.reshape(8, 8, 6, 5)[:, 0], tiny[1][:16:2])
    assert np.array_equal(walks.reshape(8, 8, 6, 5)[:, -1], tiny[1][1:16:2])


def test_traversals_begin_with_the_most_active_unit(run, page, tiny):
    trained = run(latent_dim=12)
    _, mu = encoded(trained, tiny[1])
    made = page(trained)
    (plot,) = made.plots("Traversals")
    (image,) = reading.elements(plot, "image")
    order = np.argsort(-mu.var(axis=0))[:8]
    assert np.array_equal(
        reading.decode_png(base64.b64decode(image.get("href").split(",")[1])),
        image_grid(traverse(trained.state.params, order, trained.config, (6, 5)), 8),
    )
    assert reading.texts(plot) == [f"unit {unit}" for unit in order]
    top, height = float(image.get("y")), float(image.get("height"))
    rows = [float(t.get("y")) - 4.5 for t in reading.elements(plot, "text")]
    assert rows == pytest.approx(
        [top + height / 8 * (i + 0.5) for i in range(8)], abs=0.02
    )
    assert (
        "the 8 units with the largest variance, of 12," in made.sections["Traversals"]
    )
    assert "8 units" not in page(run()).sections["Traversals"]


def points(plot):
    paths = reading.elements(plot, "path", "points")
    return np.concatenate(
        [
            np.array(re.findall(r"M([\d.-]+) ([\d.-]+)h0", path.get("d")), float)
            for path in paths
        ]
    )


def test_a_latent_plane_is_shown_on_the_axes_of_the_scatter(run, page, tiny):
    trained = run(latent_dim=2, prior=((0.5, -1.0), (0.4, -0.8)))
    made = page(trained, None)
    (scatter,), (plane,) = (
        made.plots("Test images in the latent plane"),
        made.plots("The decoder's mean, on the same axes"),
    )
    for axis in "xy":
        assert list(reading.ticks(scatter, axis)) == list(reading.ticks(plane, axis))
    sigma = math.exp(0.2), math.exp(-0.4)
    for axis, mean, s in zip("xy", (0.5, -1.0), sigma, strict=True):
        assert list(reading.ticks(scatter, axis)) == pytest.approx(
            [mean + k * s for k in range(-2, 3)], rel=0.01
        )  # 3 digits
    assert (
        reading.ticks(scatter, "x") == reading.ticks(plane, "x")
        and "Latent space" not in made.sections
    )
    _, mu = encoded(trained, tiny[1])
    middle = (
        reading.ticks(scatter, "x")[0.5],
        reading.ticks(scatter, "y")[-1.0],
    )  # the prior's mean
    assert np.array_equal(
        points(scatter) > middle, np.stack([mu[:, 0] > 0.5, mu[:, 1] < -1], axis=1)
    )
    corner = reconstructed_at(
        trained, [[0.5 - 1.959964 * sigma[0], -1 + 1.959964 * sigma[1]]]
    )  # 1/40
    href = reading.elements(plane, "image")[0].get("href")
    assert np.array_equal(
        reading.decode_png(base64.b64decode(href.split(",")[1]))[:6, :5], corner
    )


def reconstructed_at(trained, z):
    """The decoder's mean at z, as an image"""
    return mean_images(trained.state.params, np.array(z), trained.config, (6, 5))[0]


def test_the_scatter_has_at_most_2500_points(run):
    images = np.random.default_rng(0).integers(
        256, size=(MAX_POINTS + 100, 6, 5), dtype=np.uint8
    )
    made = Page(report_html(run(), images, None))
    assert len(points(made.plots("Latent space")[0])) == MAX_POINTS == 2500


def test_pixels_are_binarized_as_in_the_last_evaluation(run, page, tiny):
    trained = run(options={"binarize": "dynamic"})
    x = to_input(tiny[1], "dynamic", np.random.default_rng([7, 5, 2]))
    (shown,) = page(trained).images("Interpolations")
    assert np.array_equal(
        shown,
        enlarge(
            image_grid(
                interpolate(trained.state.params, x[:16], trained.config, (6, 5)), 8
            )
        ),
    )


def test_the_report_is_written_with_the_test_images_of_the_source(
    run, tiny, tiny_directory, tmp_path
):
    trained = run()
    trained.directory, trained.source.path, trained.conditions[FAILURE] = (
        tmp_path,
        str(tiny_directory),
        "an old problem",
    )
    write_report(trained)
    made = Page((tmp_path / "report.html").read_text("utf-8"))
    images, labels = load_mnist(tiny_directory, "test")
    assert np.array_equal(
        made.images("Reconstructions")[0],
        enlarge(trained.image_grids(images)[1]),
    )
    assert list(reading.legend(made.plots("Latent space")[0])) == [
        str(label) for label in np.unique(labels)
    ]
    assert "Stopped" not in str(made.outside["p"]) and "problem" not in str(
        made.outside["p"]
    )  # all epochs are done
    assert {path.name for path in tmp_path.iterdir()} == {
        tiny_directory.name,
        "report.html",
    }  # no frames yet
    save_frame(tmp_path, 1, np.zeros((6, 5), np.uint8))
    trained.conditions[FAILURE] = "the problem"
    trained.state.history.pop()
    write_report(trained)
    assert len(reading.decode_apng((tmp_path / "learning.png").read_bytes())[0]) == 1
    assert "the problem" in (tmp_path / "report.html").read_text("utf-8")


def test_a_run_on_arrays_has_a_report_without_test_images(run, tmp_path):
    trained = run(path=None)
    trained.directory = tmp_path
    write_report(trained)
    made = Page((tmp_path / "report.html").read_text("utf-8"))
    assert (
        made.outside["h1"][0].endswith("on arrays in memory")
        and made.table("Conditions")["data"] == "arrays in memory"
    )
    assert {"Learning curve", "Traversals"} <= set(made.sections)
    assert "Do it again" not in made.sections  # no command has the arrays
    assert "Latent units" not in made.sections


# Order, captions, class names


def test_the_learning_curve_comes_first_and_the_settings_come_last(run, page):
    assert list(page(run()).sections) == [
        "Learning curve",
        "Metrics",
        "Terms of the test loss",
        "Active units by epoch",
        "Latent units",
        "Samples from the prior",
        "Reconstructions",
        "Interpolations",
        "Latent space",
        "Traversals",
        "Settings",
        "Conditions",
        "Do it again",
    ]


def test_the_words_of_the_plots_are_explained(run, page):
    made = page(run())
    assert "1 nat is 1.44 bits" in made.outside["p"][-1]
    for section, words in {
        "Metrics": "variance of its mu over the test images is above 0.01",
        "Terms of the test loss": "the KL, what z itself costs beyond the prior",
        "Latent space": "first two principal components",
    }.items():
        assert words in made.sections[section]


@pytest.mark.parametrize("count", [1, 7, 9, 17])
def test_an_odd_number_of_test_images_is_shown_in_full_rows(tiny, run, count):
    made = Page(report_html(run(), tiny[1][:count], None))
    (walks,) = made.images("Interpolations") if count > 1 else (None,)
    pairs = min(count, 16) // 2
    if count > 1:
        assert walks.shape == (4 * (2 + pairs * (6 + 2)), 4 * (2 + 8 * (5 + 2)))
    else:
        assert "Interpolations" not in made.sections
    assert len(made.images("Reconstructions")) == 1


def test_classes_are_called_by_their_names(run, page):
    named = run()
    named.source.classes = ("circle", "cross", "ring")
    plot = page(named, np.arange(24) % 3).plots("Latent space")[0]
    assert list(reading.legend(plot)) == ["circle", "cross", "ring"]
    unnamed = page(named, np.arange(24) % 4).plots("Latent space")[0]
    assert list(reading.legend(unnamed)) == ["0", "1", "2", "3"]


# While a run is on


def test_a_report_can_be_watched_while_the_run_is_on(run, tiny, tmp_path, monkeypatch):
    trained, now = run(epochs=2), [100.0]
    trained.directory, trained.source.test_images = tmp_path, tiny[1]
    monkeypatch.setattr("numpyvae.runs.report.time.monotonic", lambda: now[0])
    live = LiveReport()
    live.after_epoch(trained)
    html = (tmp_path / FILE).read_text("utf-8")
    made = Page(html)
    assert reloads(html.encode()) and not is_complete(tmp_path)
    assert made.outside["p"][0].startswith("Training: 2 of 5 epochs are done")
    assert {"Learning curve", "Samples from the prior"} <= set(made.sections)
    assert "Traversals" not in made.sections and "script" not in made.tags
    (tmp_path / FILE).unlink()
    now[0] += SECONDS_BETWEEN - 1
    live.after_epoch(trained)
    assert not (tmp_path / FILE).exists()  # too soon
    now[0] += 2
    trained.state.history = history(5)
    live.after_epoch(trained)
    assert not (tmp_path / FILE).exists()  # the last epoch: the whole report follows
    trained.source.path = None
    write_report(trained)
    assert is_complete(tmp_path)
    assert not reloads((tmp_path / FILE).read_bytes())
