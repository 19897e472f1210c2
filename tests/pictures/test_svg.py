"""SVG: elements and their escaping, axes and ticks, and colors whose contrast is
computed from the style sheet.
"""

import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.pictures import svg
from numpyvae.pictures.svg import (
    SVG_STYLE,
    Axis,
    document,
    element,
    escape,
    frame,
    legend,
    nice_ticks,
    number,
    text,
)
from tests.pictures import reading
from tests.pictures.reading import contrast, palettes


@given(
    st.text(max_size=12),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12),
)
def test_any_text_comes_back_from_an_element_and_its_attribute(words, value):
    node = ElementTree.fromstring(element("text", escape(words), class_=value))
    kept = "".join(
        c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd"
        for c in words
    )
    kept = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in kept)
    assert (node.text or "") == kept.replace("\r\n", "\n").replace(
        "\r", "\n"
    )  # XML's end of line
    assert node.get("class") == value.replace("\ufffe", "\ufffd").replace(
        "\uffff", "\ufffd"
    )


def test_characters_that_xml_does_not_have_become_one_that_it_has():
    assert escape("a\x00b\x1bc\udcffd\ufffe") == "a\ufffdb\ufffdc\ufffdd\ufffd"
    escape("\udcff").encode()  # a path that is not UTF-8
    assert escape("<script>\"&'") == "&lt;script&gt;&quot;&amp;&#x27;"


def test_an_attribute_is_named_and_rounded_as_svg_expects():
    assert (
        element("a", class_="b", text_anchor="c", d=None)
        == '<a class="b" text-anchor="c"/>'
    )
    assert (
        element("a", x=1.0, y=-0.001, r=2.346, n=3) == '<a x="1" y="0" r="2.35" n="3"/>'
    )
    assert element("a", "<b/>", "c") == "<a><b/>c</a>"


def test_numbers_are_for_people():
    assert [number(v) for v in (0.1, -2.5, 100.0, 1e-5, 0.0, -0.0)] == [
        "0.1",
        "−2.5",
        "100",
        "1e-05",
        "0",
        "0",
    ]


# Axes


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.sampled_from([0, 1]))
def test_ticks_are_nice_few_and_reach_around_the_values(low, span, finest):
    high = low + span
    ticks = nice_ticks(low, high, finest)
    step = ticks[1] - ticks[0]
    rounding = 1e-9 * step  # of i·step
    assert (
        ticks[0] <= low + rounding
        and high <= ticks[-1] + rounding
        and 2 <= len(ticks) <= 10
    )
    assert f"{step:.4e}".split("e")[0] in ("1.0000", "2.0000", "5.0000")
    assert step >= finest * (1 - 1e-9)
    if finest:
        assert all(tick == round(tick) for tick in ticks)


@pytest.mark.parametrize(
    "low, high",
    [
        (0, 0),
        (5e-324, 5e-324),
        (-3, -3),
        (1e300, 1e300),
        (1e-12, 3e-12),
        (0, 1e-300),
        (1, 1 + 1e-12),
    ],
)
def test_ticks_of_constant_tiny_and_huge_values_are_finite_and_increase(low, high):
    ticks = nice_ticks(low, high)
    assert (
        all(map(math.isfinite, ticks))
        and ticks[0] <= low
        and ticks[-1] >= high
        and (np.diff(ticks) > 0).all()
    )


def test_an_axis_beyond_float64_is_refused():
    with pytest.raises(
        ValueError, match=r"an axis cannot reach from -1\.7e\+308 to 1\.7e\+308"
    ):
        nice_ticks(-1.7e308, 1.7e308)


def test_the_unit_interval_has_ticks():
    axis = Axis(0.0, 1.0, 100, 200)
    assert axis.labels == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert axis.tick_pixels() == pytest.approx([100, 120, 140, 160, 180, 200])


@given(st.floats(-1e3, 1e3), st.floats(0.1, 1e3), st.booleans())
def test_an_axis_is_linear_from_first_to_last(low, span, outward):
    axis = Axis(low, low + span, 300, 20, outward=outward)
    assert axis([axis.low, axis.high]) == pytest.approx([300, 20])
    assert axis((axis.low + axis.high) / 2) == pytest.approx(160)
    assert axis.low <= low + 1e-9 * span and axis.high >= low + span - 1e-9 * span
    assert axis(axis.ticks) == pytest.approx(axis.tick_pixels(), abs=1e-6) and len(
        axis.labels
    ) == len(axis.ticks)
    if outward:
        assert (axis.ticks[0], axis.ticks[-1]) == (axis.low, axis.high)
    else:
        assert (axis.low, axis.high) == (low, low + span)
        assert all(
            low - 1e-8 * span <= tick <= low + (1 + 1e-8) * span for tick in axis.ticks
        )


def test_an_axis_is_extended_to_nice_values_only_if_asked():
    inner, outer = Axis(0.3, 9.7, 0, 94), Axis(0.3, 9.7, 0, 100, outward=True)
    assert inner.labels == [
        "2",
        "4",
        "6",
        "8",
    ] and inner.tick_pixels() == pytest.approx([17, 37, 57, 77])
    assert outer.labels == [
        "0",
        "2",
        "4",
        "6",
        "8",
        "10",
    ] and outer.tick_pixels() == pytest.approx([0, 20, 40, 60, 80, 100])


def test_a_logarithmic_axis_has_powers_of_ten_at_equal_distances():
    axis = Axis(1e-5, 1e3, 0, 80, log=True)
    assert axis([1e-5, 1e-3, 1.0, 1e3]) == pytest.approx([0, 20, 50, 80])
    assert axis.labels == [
        "10⁻⁵",
        "10⁻⁴",
        "0.001",
        "0.01",
        "0.1",
        "1",
        "10",
        "100",
        "1000",
    ]


def test_a_logarithmic_axis_has_a_tick_at_each_decade_and_none_between():
    axis = Axis(0.02, 400, 0, 100, log=True)
    assert axis.ticks == [-1, 0, 1, 2]
    assert axis.labels == ["0.1", "1", "10", "100"]
    assert Axis(20, 80, 0, 100, log=True, outward=True).ticks == [1, 2]


def test_an_axis_above_a_floor_has_equal_lengths_for_equal_factors():
    axis = Axis(101, 200, 300, 0, floor=100)
    places = axis([101, 110, 200])
    assert places == pytest.approx([300, 150, 0])  # distances 1, 10 and 100
    assert axis.ticks == sorted(axis.ticks) and axis.ticks[0] >= 101
    assert {110, 150, 200} <= set(axis.ticks)


def test_a_single_value_stands_in_the_middle():
    assert Axis(5, 5, 100, 200)(5) == 150


def test_a_frame_labels_each_tick_where_it_is_and_both_axes():
    x_axis, y_axis = Axis(0, 10, 60, 260), Axis(-2, 2, 220, 20, outward=True)
    markup = document(300, 260, "title", *frame(x_axis, y_axis, "the x", "the y"))
    assert reading.ticks(markup, "x") == {
        0: 60,
        2: 100,
        4: 140,
        6: 180,
        8: 220,
        10: 260,
    }
    assert reading.ticks(markup, "y") == pytest.approx(
        {-2: 220, -1.5: 195, -1: 170, -0.5: 145, 0: 120, 0.5: 95, 1: 70, 1.5: 45, 2: 20}
    )
    assert reading.texts(markup, "x-label") == ["the x"] and reading.texts(
        markup, "y-label"
    ) == ["the y"]
    (x,), (y,) = (
        reading.elements(markup, "text", "x-label"),
        reading.elements(markup, "text", "y-label"),
    )
    assert (
        float(x.get("y")) > 220 + 20 and float(y.get("y")) < 20
    )  # below and above the frame


def test_a_legend_wraps_and_never_leaves_the_plot():
    entries = [(f"#{i:06d}", "a name " * (i % 4 + 1)) for i in range(12)]
    parts, last = legend(entries, 300)
    markup = document(300, 300, "t", *parts)
    assert reading.legend(markup) == {name: color for color, name in entries}
    names = reading.elements(markup, "text", "name")
    rows = {}
    for name in names:
        rows.setdefault(float(name.get("y")), []).append(float(name.get("x")))
        assert float(name.get("x")) + 6.5 * len(name.text.rstrip()) <= 300
    assert {min(xs) for xs in rows.values()} == {
        30
    }  # each row begins at the same place
    assert (
        max(rows) == last
        and min(np.diff([*rows])) >= 18
        and all(xs == sorted(xs) for xs in rows.values())
    )


# Documents and colors


def test_a_document_has_its_size_its_title_and_its_own_background():
    root = ElementTree.fromstring(document(300, 200, "a & <b>", text(1, 2, "<c>")))
    assert root.get("viewBox") == "0 0 300 200" and (
        root.get("width"),
        root.get("height"),
    ) == ("300", "200")
    assert (
        root.find(reading.SVG + "title").text == "a & <b>"
        and root.find(reading.SVG + "text").text == "<c>"
    )
    paper = root.find(reading.SVG + "rect")
    assert (paper.get("width"), paper.get("height"), paper.get("class")) == (
        "300",
        "200",
        "paper",
    )
    assert (
        ".plot .paper { fill: var(--paper) }" in SVG_STYLE
        and root.get("class") == "plot"
    )


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_text_has_a_contrast_of_4_5_and_lines_and_marks_of_3(mode):
    colors = palettes(SVG_STYLE)[mode]
    for paper in ("paper", "page"):
        for name in (
            "text",
            "muted",
            "alert",
            *[n for n in colors if n.startswith("series")],
        ):
            assert contrast(colors[name], colors[paper]) >= 4.5, (name, paper)
    assert contrast(colors["axis"], colors["paper"]) >= 3
    assert contrast(colors["text"], colors["paper"]) > contrast(
        colors["muted"], colors["paper"]
    )


def test_the_two_palettes_are_light_and_dark_and_name_the_same_colors():
    light, dark = palettes(SVG_STYLE)
    assert set(light) == set(dark) == set(svg.PALETTE)
    for surface in ("page", "paper"):
        assert (
            reading.relative_luminance(light[surface]) > 0.8
            and reading.relative_luminance(dark[surface]) < 0.05
        )
    assert (
        len({light[name.strip("var(-)")] for name in svg.SERIES})
        == len(svg.SERIES)
        == 4
    )


def test_the_contrast_of_the_test_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21) and contrast(
        "#777777", "#ffffff"
    ) == pytest.approx(4.48, abs=0.005)
