"""report: a run's page, and its command line; latent_pictures: what the page draws of the latent space."""

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.runs import report
from numpyvae.runs.run import Run
from numpyvae.runs.source import DataSource
from numpyvae.cli import main
from numpyvae.pictures.latent import principal_axes, scatter, units
from numpyvae.settings import TrainingOptions
from numpyvae.training.state import initial_state
from numpyvae.settings import VAEConfig

SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """The page's tags, checked to be closed in order, its addresses, and its text by section."""

    def __init__(self, html):
        super().__init__()
        self.open, self.links, self.sections, self.tags = [], [], {}, []
        self.feed(html)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action", "srcset")]
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "h2" in self.open:
            self.sections[data] = ""
        elif "section" in self.open and "style" not in self.open:
            self.sections[[*self.sections][-1]] += data + "\n"


@pytest.fixture
def run(tiny_directory, tmp_path, monkeypatch):
    """Trains on the tiny data set; returns (folder, page)."""
    monkeypatch.chdir(tmp_path)

    def train(*options):
        assert main(["train", "--quiet", "--data", str(tiny_directory), "--hidden", "8", "--latent", "3", "--epochs", "2",
                     "--batch-size", "16", *options]) == 0
        folder = max((tmp_path / "runs").iterdir())
        return folder, (folder / "report.html").read_text("utf-8")
    return train


def test_the_page_is_one_file_that_fetches_nothing_and_runs_no_script(run):
    _, html = run()
    page = Page(html)
    assert all(link.startswith("data:") for link in page.links) and len(page.links) == 3
    assert "script" not in page.tags and "@import" not in html and "url(" not in html
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html)


def test_the_page_shows_the_log_s_last_figures_and_every_setting(run):
    folder, html = run("--beta", "0.5", "--seed", "7")
    sections = Page(html).sections
    names, values = (folder / "log.csv").read_text().splitlines()[0].split(","), (folder / "log.csv").read_text().splitlines()[-1].split(",")
    last = dict(zip(names, map(float, values)))
    figures = sections["Figures"].split("\n")
    for label, column in {"training loss": "train_loss", "test loss, the negative ELBO": "test_loss",
                          "its reconstruction, −log p(x|z)": "reconstruction", "its KL": "kl"}.items():
        assert figures[figures.index(label) + 1] == f"{last[column]:.4f}"
    settings = sections["Settings"].split("\n")
    assert settings[settings.index("beta") + 1] == "0.5" and settings[settings.index("seed") + 1] == "7"
    run = Run.load(folder)
    assert len(settings[:-1]) == 2 * len({**vars(run.config), **vars(run.options)})


def test_the_page_s_pictures_are_the_run_s(run):
    folder, html = run()
    pictures = [base64.b64decode(link.split(",")[1]) for link in Page(html).links if link.startswith("data:image/png")]
    assert pictures == [(folder / "samples.png").read_bytes(), (folder / "reconstructions.png").read_bytes()]


def test_a_latent_plane_is_there_if_there_is_a_plane(run):
    assert "The latent plane" not in Page(run()[1]).sections
    assert "The latent plane" in Page(run("--latent", "2")[1]).sections


def test_one_latent_or_a_normal_decoder_has_a_page_too(run):
    assert "and 0% of its variance" in run("--latent", "1")[1]
    assert "may be positive" in run("--likelihood", "normal")[1]
    assert "may be positive" not in run()[1]


def test_the_report_command_makes_the_same_page_again(run, capsys):
    folder, html = run()
    (folder / "report.html").unlink()
    assert main(["report", str(folder)]) == 0
    assert (folder / "report.html").read_text("utf-8") == html
    assert capsys.readouterr().out.endswith("report.html\n")


def test_the_report_command_refuses_what_is_no_run_other_data_and_an_unfinished_epoch(run, capsys, tmp_path, tiny_directory):
    folder, _ = run()
    assert main(["report", "nowhere"]) == 2 and "nowhere: not the directory of a run" in capsys.readouterr().err
    other = tmp_path / "other"
    other.mkdir()
    for path in tiny_directory.iterdir():
        swapped = path.name.replace("train-", "t10k-") if "train-" in path.name else path.name.replace("t10k-", "train-")
        (other / swapped).write_bytes(path.read_bytes())
    assert main(["report", str(folder), "--data", str(other)]) == 2
    assert "other: not the data that" in capsys.readouterr().err
    loaded = Run.load(folder)
    loaded.state.history.clear()
    with pytest.raises(ValueError, match="no epoch is done yet"):
        report.write(loaded)


@pytest.mark.parametrize("count", [1, 9])
def test_what_a_name_or_a_path_holds_cannot_break_the_page_nor_can_a_single_image(count):
    history = [dict(epoch=1, train_loss=1.0, test_loss=1.0, reconstruction=0.5, kl=0.5, seconds=1.0)]
    config = VAEConfig(input_dim=4, hidden_dims=(), latent_dim=2)
    images = np.zeros((count, 2, 2), np.uint8)
    state = initial_state(images, config, TrainingOptions())
    state.history = history
    source = DataSource("<i>'\"", None, (2, 2))
    html = report.page(Run("<b>&", config, TrainingOptions(), source, state), images, np.zeros(count, int))
    page = Page(html)
    assert not {"b", "i"} & set(page.tags) and "<i>" in page.sections["Do it again"]


# Pictures of the latent space

@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_principal_axes_are_where_the_variance_is_largest(seed, latent):
    """Against the eigenvectors of the covariance: the variances along the axes are its two largest eigenvalues."""
    rng = np.random.default_rng(seed)
    mu = rng.standard_normal((40, latent)) @ rng.standard_normal((latent, latent)) + 5
    coordinates, share = principal_axes(mu)
    eigenvalues = np.linalg.eigvalsh(np.cov(mu.T))[::-1]
    assert np.allclose(coordinates.var(axis=0, ddof=1), eigenvalues[:2], rtol=1e-9, atol=1e-12 * eigenvalues[0])
    assert np.allclose(share, eigenvalues[:2] / eigenvalues.sum(), rtol=1e-9, atol=1e-12)
    assert abs(coordinates.mean(axis=0)).max() < 1e-12 * (1 + abs(mu).max()) * 100


def test_principal_axes_do_not_turn_around_with_the_sign_that_the_svd_happens_to_give():
    mu = np.array([[0.0, 0], [1, 1], [2, 2], [5, 5]])
    coordinates, share = principal_axes(mu)
    assert (np.diff(coordinates[:, 0]) > 0).all() and share == pytest.approx([1, 0])


def test_the_scatter_has_a_point_for_each_image_in_its_digit_s_colour_inside_the_frame():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 9, 200)  # no nines
    root = ElementTree.fromstring(scatter(rng.standard_normal((200, 2)), np.array([0.5, 0.25]), labels))
    paths = root.findall(SVG + "path")
    for digit, path in enumerate(paths):
        points = np.array(re.findall(r"M([\d.]+) ([\d.]+)h0", path.get("d")), float).reshape(-1, 2)
        assert len(points) == (labels == digit).sum()
        assert not len(points) or (points.min() >= 16 and points[:, 0].max() <= 464 and points[:, 1].max() <= 384)
    assert len({path.get("stroke") for path in paths}) == 10
    assert root.findall(SVG + "text")[-1].text == "two principal axes of mu: 50% and 25% of its variance"


def test_identical_images_are_one_point_and_not_a_division_by_zero():
    assert "nan" not in scatter(np.zeros((3, 2)), np.zeros(2), np.zeros(3, int))


def test_units_are_bars_in_falling_order_and_grey_below_the_threshold():
    root = ElementTree.fromstring(units(np.array([0.0, 1.0, 0.02, 0.005]), 0.01))
    bars = root.findall(SVG + "rect")
    heights = [float(bar.get("height")) for bar in bars]
    assert heights == sorted(heights, reverse=True) and min(heights) >= 1
    assert [float(bar.find(SVG + "title").text) for bar in bars] == [1.0, 0.02, 0.005, 0.0]
    assert len({bar.get("fill") for bar in bars[:2]}) == len({bar.get("fill") for bar in bars[2:]}) == 1
    assert bars[1].get("fill") != bars[2].get("fill")
