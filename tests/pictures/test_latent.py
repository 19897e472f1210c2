"""Plots of the latent space: components, points, bars and the manifold, read back from
the SVG.
"""

import base64
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from numpyvae.pictures.latent import (
    CLASS_COLORS,
    class_colors,
    latent_scatter_svg,
    manifold_svg,
    plane_scatter_svg,
    principal_components,
    unit_variance_svg,
)
from numpyvae.pictures.svg import SVG_STYLE
from tests.pictures import reading
from tests.pictures.reading import contrast, palettes

MU_P, SIGMA_P = np.array([0.5, -1.0]), np.array([0.5, 2.0])


def points(svg):
    """The points of each class, (P, 2) in pixels, by color"""
    return {
        reading.color(path): np.array(
            re.findall(r"M([\d.-]+) ([\d.-]+)h0", path.get("d")), float
        ).reshape(-1, 2)
        for path in reading.elements(svg, "path", "points")
    }


# Principal components


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_principal_components_are_where_the_variance_is_largest(seed, latent):
    """Against the eigenvectors of the covariance: the variances of the coordinates are
    its two largest eigenvalues.
    """
    rng = np.random.default_rng(seed)
    mu = rng.standard_normal((40, latent)) @ rng.standard_normal((latent, latent)) + 5
    coordinates, explained = principal_components(mu)
    eigenvalues = np.linalg.eigvalsh(np.cov(mu.T))[::-1]
    assert np.allclose(
        coordinates.var(axis=0, ddof=1),
        eigenvalues[:2],
        rtol=1e-9,
        atol=1e-12 * eigenvalues[0],
    )
    assert np.allclose(
        explained, eigenvalues[:2] / eigenvalues.sum(), rtol=1e-9, atol=1e-12
    )
    assert abs(coordinates.mean(axis=0)).max() < 1e-12 * (1 + abs(mu).max()) * 100


def test_the_sign_of_a_component_does_not_depend_on_the_svd():
    mu = np.array([[0.0, 0], [1, 1], [2, 2], [5, 5]])
    coordinates, explained = principal_components(mu)
    assert (np.diff(coordinates[:, 0]) > 0).all() and explained == pytest.approx([1, 0])


def test_components_have_the_sign_that_their_coefficients_add_up_to():
    """Along (2, −1) the sum is positive, so z₁ grows to the right; images that are
    mirrored in it have mirrored coordinates.
    """
    along = np.array([2.0, -1.0]) / np.sqrt(5)
    t = np.array([-3.0, 0.0, 1.0, 2.0])
    coordinates, _ = principal_components(t[:, None] * along)
    assert coordinates[:, 0] == pytest.approx(t, abs=1e-12)
    mirrored, _ = principal_components(-t[:, None] * along)
    assert mirrored[:, 0] == pytest.approx(-t, abs=1e-12)


@pytest.mark.parametrize("shape", [(5, 1), (1, 3)])
def test_one_latent_or_one_image_has_a_second_coordinate_of_zero(shape):
    coordinates, explained = principal_components(
        np.random.default_rng(0).standard_normal(shape)
    )
    assert (
        coordinates.shape == (shape[0], 2)
        and not coordinates[:, 1].any()
        and explained[1] == 0
    )


# Scatter


def test_the_scatter_has_each_image_at_its_coordinates_in_its_labels_color():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 9, 200)
    coordinates = rng.standard_normal((200, 2)) * [3, 1]
    svg = latent_scatter_svg(coordinates, np.array([0.5, 0.25]), labels)
    names = reading.legend(svg)
    x = reading.reader(svg, "x")
    y = reading.reader(svg, "y")
    assert list(names) == [str(digit) for digit in range(9)]
    for digit in range(9):
        shown = points(svg)[names[str(digit)]]
        assert x(shown[:, 0]) == pytest.approx(
            coordinates[labels == digit, 0], abs=0.03
        )  # a pixel to 0.1
        assert y(shown[:, 1]) == pytest.approx(
            coordinates[labels == digit, 1], abs=0.03
        )
    assert reading.texts(svg, "x-label") == [
        "principal component 1: 50% of mu's variance"
    ]
    assert reading.texts(svg, "y-label") == [
        "principal component 2: 25% of mu's variance"
    ]


def test_both_components_have_the_same_scale_and_every_point_is_inside():
    coordinates = np.random.default_rng(1).standard_normal((50, 2)) * [3, 1] + [7, -2]
    svg = latent_scatter_svg(coordinates, np.array([0.5, 0.25]))
    a, b = (reading.reader(svg, axis)(np.array([0.0, 1.0])) for axis in "xy")
    assert abs(np.diff(a)) == pytest.approx(abs(np.diff(b)), rel=1e-3)
    (shown,) = points(svg).values()
    left, right, bottom = (
        float(reading.elements(svg, "line", "axis")[-1].get(name))
        for name in ("x1", "x2", "y1")
    )
    assert ((shown > [left, bottom - (right - left)]) & (shown < [right, bottom])).all()


def test_without_labels_all_points_have_one_color_and_there_is_no_legend():
    svg = latent_scatter_svg(
        np.random.default_rng(0).standard_normal((20, 2)), np.zeros(2)
    )
    assert list(points(svg)) == ["var(--series-0)"] and not reading.legend(svg)


def test_identical_images_are_one_point_and_not_a_division_by_zero():
    svg = latent_scatter_svg(np.zeros((3, 2)), np.zeros(2), np.zeros(3, int))
    assert "nan" not in svg and np.ptp(
        points(svg)[CLASS_COLORS[0]], axis=0
    ).tolist() == [0, 0]


@pytest.mark.parametrize("classes", [1, 10, 11, 26, 62])
def test_any_number_of_classes_has_colors_that_differ_and_are_seen(classes):
    colors = class_colors(np.arange(classes, dtype=np.uint8))
    assert len(set(colors)) == len(colors) == classes
    for palette in palettes(SVG_STYLE):
        assert all(contrast(color, palette["paper"]) >= 3 for color in colors)


def test_a_digit_keeps_its_color_when_others_are_missing():
    assert class_colors(np.array([3, 7], np.uint8)) == [
        CLASS_COLORS[3],
        CLASS_COLORS[7],
    ]
    assert class_colors(np.array([0, 9], np.uint8)) == [
        CLASS_COLORS[0],
        CLASS_COLORS[9],
    ]
    assert class_colors(np.array([3, 17], np.uint8)) == list(CLASS_COLORS[:2])
    assert class_colors(np.array(["a", "b", "c"])) == list(CLASS_COLORS[:3])


def test_labels_may_be_words_and_are_escaped():
    svg = latent_scatter_svg(
        np.arange(8.0).reshape(4, 2), np.zeros(2), np.array(["<script>", "b", "b", "&"])
    )
    assert set(reading.legend(svg)) == {"<script>", "&", "b"} and "<script>" not in svg
    assert len(points(svg)[reading.legend(svg)["b"]]) == 2


# The latent plane


def quantile_readers(svg):
    """Pixels to probabilities of the prior, along x and along y"""
    return [
        reading.reader(svg, axis, stats.norm(m, s).cdf)
        for axis, m, s in zip("xy", MU_P, SIGMA_P, strict=True)
    ]


def test_the_plane_places_mu_at_its_quantile_of_the_prior():
    rng = np.random.default_rng(0)
    mu, labels = MU_P + SIGMA_P * rng.standard_normal((60, 2)), rng.integers(0, 2, 60)
    svg = plane_scatter_svg(mu, MU_P, SIGMA_P, labels)
    x, y = quantile_readers(svg)
    for label in (0, 1):
        shown = points(svg)[CLASS_COLORS[label]]
        for i, read in enumerate((x, y)):
            expected = stats.norm.cdf(mu[labels == label, i], MU_P[i], SIGMA_P[i])
            assert read(shown[:, i]) == pytest.approx(
                expected, abs=0.001
            )  # a third of a pixel
    assert list(reading.ticks(svg, "x")) == [-0.5, 0, 0.5, 1, 1.5] and list(
        reading.ticks(svg, "y")
    ) == [-5, -3, -1, 1, 3]
    assert reading.texts(svg, "x-label") == ["z₁"] and reading.texts(
        svg, "y-label"
    ) == ["z₂"]


@pytest.mark.parametrize("shape", [(40, 40), (20, 40)])
def test_the_manifold_is_on_the_axes_of_the_plane(shape):
    """The image covers the fractions 0 to 1 of both axes: its cell i of n lies at the
    quantiles from i/n to (i + 1)/n.
    """
    image = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    svg = manifold_svg(image, MU_P, SIGMA_P)
    (shown,) = reading.elements(svg, "image")
    assert np.array_equal(
        reading.decode_png(base64.b64decode(shown.get("href").split(",")[1])), image
    )
    left, top, width, height = (
        float(shown.get(name)) for name in ("x", "y", "width", "height")
    )
    x, y = quantile_readers(svg)
    assert x([left, left + width]) == pytest.approx([0, 1], abs=1e-3)
    assert y([top + height, top]) == pytest.approx([0, 1], abs=1e-3)
    assert (
        height / width == pytest.approx(shape[0] / shape[1])
        and shown.get("preserveAspectRatio") == "none"
    )
    assert reading.ticks(svg, "x") == reading.ticks(
        plane_scatter_svg(np.zeros((1, 2)), MU_P, SIGMA_P), "x"
    )


@pytest.mark.parametrize(
    "labels", [None, np.arange(60)], ids=["no labels", "60 labels"]
)
def test_everything_is_inside_the_document(labels):
    mu = np.random.default_rng(0).standard_normal((60, 2))
    for svg in (
        latent_scatter_svg(mu, np.ones(2), labels),
        plane_scatter_svg(mu, np.zeros(2), np.ones(2), labels),
        manifold_svg(np.zeros((40, 40), np.uint8), np.zeros(2), np.ones(2)),
        unit_variance_svg(mu[0] ** 2, 0.01),
    ):
        reading.assert_inside(svg)


# Units


def bars(svg):
    return reading.elements(svg, "rect", "bar")


def test_units_are_bars_in_falling_order_and_the_threshold_is_apart_from_their_base():
    variance = np.array([0.0, 1.0, 0.02, 0.005])
    svg = unit_variance_svg(variance, 0.01)
    titles = [bar.find(reading.SVG + "title").text for bar in bars(svg)]
    assert titles == ["unit 1: 1", "unit 2: 0.02", "unit 3: 0.005", "unit 0: 0"]
    y = reading.reader(svg, "y", np.log10)
    lefts = [float(bar.get("x")) for bar in bars(svg)]
    (line,) = reading.elements(svg, "line", "threshold")
    left, right = float(line.get("x1")), float(line.get("x2"))
    assert lefts == pytest.approx(
        [left + (right - left) / 4 * (i + 0.1) for i in range(4)], abs=0.02
    )
    assert [float(bar.get("width")) for bar in bars(svg)] == pytest.approx(
        [(right - left) / 5] * 4, abs=0.02
    )
    assert y(float(line.get("y1"))) == pytest.approx(-2, abs=0.01) and line.get(
        "y1"
    ) == line.get("y2")
    shown = (1, 0.02, 0.005, 1e-6)  # a variance of zero has a bar of this height
    for bar, value in zip(bars(svg), shown, strict=True):
        top = float(bar.get("y"))
        base, end = y([top + float(bar.get("height")), top])
        assert base == pytest.approx(-7, abs=0.03)
        assert end == pytest.approx(np.log10(value), abs=0.03)
    all_active = unit_variance_svg(np.array([1.0, 0.5]), 0.01)
    assert min(reading.ticks(all_active, "y")) == 0.001  # a decade below 0.01


def test_active_units_differ_in_color_and_are_counted():
    svg = unit_variance_svg(np.array([0.0, 1.0, 0.02, 0.005, 0.01]), 0.01)
    names = reading.legend(svg)
    assert (
        list(names) == ["2 active", "3 inactive", "threshold 0.01"]
        and len(set(names.values())) == 3
    )
    assert [reading.color(bar) for bar in bars(svg)] == [names["2 active"]] * 2 + [
        names["3 inactive"]
    ] * 3
    assert (
        reading.color(reading.elements(svg, "line", "threshold")[0])
        == names["threshold 0.01"]
    )
    assert 0.01 in reading.ticks(svg, "y")


def test_few_units_are_numbered_under_their_bars_and_many_are_not():
    svg = unit_variance_svg(np.array([0.5, 2.0, 1.0]), 0.01)
    numbers = reading.ticks(svg, "x")
    assert list(numbers) == [1, 2, 0]
    for pixel, bar in zip(numbers.values(), bars(svg), strict=True):
        assert pixel == pytest.approx(
            float(bar.get("x")) + float(bar.get("width")) / 2, abs=0.02
        )
    many = unit_variance_svg(np.linspace(0, 2, 200), 0.01)
    assert not reading.ticks(many, "x") and len(bars(many)) == 200
    assert float(bars(many)[-1].get("x")) + float(bars(many)[-1].get("width")) <= 380


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_every_bar_is_inside_the_frame(variance):
    svg = unit_variance_svg(np.array(variance), 0.01)
    pixels = reading.ticks(svg, "y").values()
    for bar in bars(svg):
        top, height = float(bar.get("y")), float(bar.get("height"))
        assert (
            min(pixels) - 0.1 <= top
            and top + height <= max(pixels) + 0.6
            and height >= 0.5
        )
