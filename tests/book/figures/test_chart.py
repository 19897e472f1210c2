"""Charts and arrays as images: the coordinates and shades, read back, are the values."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from numpyvae.book.figures.chart import HEIGHT, WIDTH, Curve, array_image, chart
from tests.pictures import reading

PIXEL = 0.02  # coordinates are rounded to 0.01, at both ends


def read(svg, log_x=False, log_y=False):
    """[(x values, y values)] of each line"""
    x = reading.reader(svg, "x", math.log10 if log_x else float)
    y = reading.reader(svg, "y", math.log10 if log_y else float)
    return [(x(points[:, 0]), y(points[:, 1])) for points in reading.curves(svg)]


def shades(markup):
    """{(row, column): fill} of an array's squares, from the runs of its paths; and the background's fill"""
    root = ElementTree.fromstring(markup)
    background, *_ = root.iter("rect")
    left, top = (float(background.get(name)) for name in ("x", "y"))
    found = {}
    for path in root.iter("path"):
        for x, y, width, cell, back in re.findall(
            r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-([\d.]+)z", path.get("d")
        ):
            assert width == back
            for k in range(round(float(width) / float(cell))):
                place = (
                    round((float(y) - top) / float(cell)),
                    round((float(x) - left) / float(cell)) + k,
                )
                assert found.setdefault(place, path.get("fill")) == path.get("fill")
    return found, background.get("fill")


def test_lines_pass_through_their_values_on_both_kinds_of_axes():
    x, y = [1, 10, 1000], [0.01, 3.0, 200.0]
    ((xs, ys),) = read(
        chart("t", [Curve("a", x, y)], "x", "y", log_x=True, log_y=True), True, True
    )
    assert 10**xs == pytest.approx(x, rel=0.01) and 10**ys == pytest.approx(y, rel=0.01)
    ((xs, ys),) = read(chart("t", [Curve("a", x, y)], "x", "y"))
    assert xs == pytest.approx(x, abs=0.3) and ys == pytest.approx(y, abs=0.05)


def test_dots_stand_at_their_values_and_one_name_is_one_entry():
    x, y = np.arange(30), np.arange(30) ** 2
    svg = chart(
        "t",
        [Curve("a", x, y, "dots"), Curve("a", x, y), Curve("b", x, y, color=1)],
        "x",
        "y",
    )
    dots = [dot for dot in reading.elements(svg, "circle") if dot.get("r") == "1.6"]
    to_x, to_y = reading.reader(svg, "x"), reading.reader(svg, "y")
    assert to_x([float(dot.get("cx")) for dot in dots]) == pytest.approx(x, abs=0.01)
    assert to_y([float(dot.get("cy")) for dot in dots]) == pytest.approx(y, abs=0.3)
    assert list(reading.legend(svg)) == ["a", "b"]


def test_what_an_axis_cannot_show_is_left_out():
    ((xs, ys),) = read(
        chart(
            "t",
            [Curve("a", [1, 2, 3, 4], [1.0, 0.0, np.nan, 10.0])],
            "x",
            "y",
            log_y=True,
        ),
        log_y=True,
    )
    assert xs == pytest.approx([1, 4], abs=0.01) and 10**ys == pytest.approx(
        [1, 10], rel=0.01
    )


def test_notes_stand_at_their_values_and_dashes_are_dashed():
    svg = chart(
        "t",
        [Curve("a", [0, 10], [0, 5], "dashed")],
        "x",
        "y",
        notes=[(4, 2, "here & there", "end")],
    )
    note = next(t for t in reading.elements(svg, "text") if t.text == "here & there")
    assert reading.reader(svg, "x")(float(note.get("x"))) == pytest.approx(4, abs=0.01)
    assert reading.reader(svg, "y")(float(note.get("y"))) == pytest.approx(2, abs=0.01)
    assert "stroke-dasharray" in reading.elements(svg, "polyline")[0].get("style")


def test_a_chart_stays_within_its_frame_and_says_its_title_to_screen_readers():
    svg = chart("Title <1>", [Curve("a", [0, 1], [0, 1])], "x", "y")
    root = ElementTree.fromstring(svg)
    assert (root.get("width"), root.get("height")) == (
        str(WIDTH),
        str(HEIGHT),
    ) and root.get("role") == "img"
    assert root.find(reading.SVG + "title").text == "Title <1>"
    for points in reading.curves(svg):
        assert (points >= 0).all() and (points <= [WIDTH, HEIGHT]).all()


@pytest.mark.parametrize("y", [[1.0], [np.nan, np.nan], [[1.0, 2.0]]])
def test_a_curve_that_cannot_be_shown_is_named(y):
    with pytest.raises(ValueError, match="'loss'"):
        chart("t", [Curve("loss", [1, 2], y)], "x", "y")


def test_signed_arrays_are_blue_white_and_orange_by_their_largest_value():
    array = np.array([[0.0, 2.0, 2.0], [-2.0, 0.01, 1.0]])
    found, background = shades(array_image(array, 10, 20, 3))
    assert background == "#ffffff" and set(found) == {(0, 1), (0, 2), (1, 0), (1, 2)}
    assert found[0, 1] == found[0, 2] == "#c8520a" and found[1, 0] == "#1f5fa8"
    assert found[1, 2] == "#e4a884"  # half way from white


def test_pixels_are_black_to_white():
    pixels = np.linspace(0, 1, 17)[None]
    found, background = shades(array_image(pixels, 0, 0, 2, signed=False))
    gray = [int(found[0, i][1:3], 16) for i in range(1, 17)]
    assert (
        background == "#0c0e12" and gray[-1] == 255 and np.all(np.diff([12, *gray]) > 0)
    )


def test_an_array_of_zeros_is_drawn():
    found, background = shades(array_image(np.zeros((2, 2)), 0, 0, 1))
    assert found == {} and background == "#ffffff"
