"""Line plots: the coordinates, read back through the ticks, are the values that were
plotted.
"""

import math
import time
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.pictures.plots import (
    HEIGHT,
    WIDTH,
    Curve,
    chart,
    curve_svg,
    intervals_svg,
    learning_curve_svg,
    line_plot_svg,
    loss_floor,
    write_svg,
)
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.history import training_loss_name
from tests.pictures import reading
from tests.pictures.reading import read

PIXEL = 0.02  # coordinates are rounded to 0.01, at both ends


def test_every_curve_passes_through_its_values():
    x = [1, 2, 4, 7]
    curves = {
        "train": [160.0, 130.0, 120.0, 110.0],
        "test": [155.0, 131.0, 119.0, 108.0],
    }
    svg = line_plot_svg(x, curves)
    for (xs, ys), values in zip(read(svg), curves.values(), strict=True):
        assert xs == pytest.approx(x, abs=0.001) and ys == pytest.approx(
            values, abs=0.01
        )


def test_larger_values_are_higher_and_later_ones_to_the_right():
    ((rising, falling),) = [
        reading.curves(line_plot_svg([0, 1], {"a": [0.0, 1.0], "b": [1.0, 0.0]}))
    ]
    assert (
        rising[1, 0] > rising[0, 0]
        and rising[1, 1] < rising[0, 1]
        and falling[1, 1] > falling[0, 1]
    )


def test_logarithmic_axes_show_the_exponents():
    x, y = 10.0 ** np.arange(-12, 1), 10.0 ** np.arange(0, -13, -1)
    svg = line_plot_svg(x, {"error": y}, log_x=True, log_y=True)
    ((xs, ys),) = read(svg, log_x=True, log_y=True)
    assert xs == pytest.approx(np.log10(x), abs=0.01) and ys == pytest.approx(
        np.log10(y), abs=0.02
    )
    ((_, ys),) = read(line_plot_svg(x, {"error": y}, log_y=True), log_y=True)
    assert ys == pytest.approx(np.log10(y), abs=0.02)


def test_the_legend_names_each_curve_in_its_color_with_its_last_value():
    curves = {f"curve {i}": [i, i + 0.123456] for i in range(6)}
    svg = line_plot_svg([0, 1], curves)
    assert list(reading.legend(svg)) == [
        f"curve {i} {i + 0.123456:.5g}" for i in range(6)
    ]
    lines = [reading.color(line) for line in reading.elements(svg, "polyline")]
    assert list(reading.legend(svg).values()) == lines and len(set(lines[:4])) == 4


def test_a_dot_marks_the_last_value_of_each_curve():
    svg = line_plot_svg([0, 1, 2], {"a": [3.0, 1.0, 2.0], "b": [0.0, 5.0, math.nan]})
    dots = [dot for dot in reading.elements(svg, "circle") if dot.get("r") == "3.5"]
    for dot, points, line in zip(
        dots, reading.curves(svg), reading.elements(svg, "polyline"), strict=True
    ):
        assert (float(dot.get("cx")), float(dot.get("cy"))) == pytest.approx(
            tuple(points[-1]), abs=PIXEL
        )
        assert reading.color(dot) == reading.color(line)


def test_title_and_labels_are_shown_and_without_a_title_there_is_more_room():
    svg = line_plot_svg([0, 1], {"a": [0, 1]}, "The title", "seconds", "meters")
    assert reading.texts(svg, "title") == ["The title"]
    assert reading.texts(svg, "x-label") == ["seconds"] and reading.texts(
        svg, "y-label"
    ) == ["meters"]
    bare = line_plot_svg([0, 1], {"a": [0, 1]})
    assert not reading.texts(bare, "title") and "The title" not in bare
    assert max(reading.ticks(bare, "y").values()) == max(
        reading.ticks(svg, "y").values()
    )
    assert min(reading.ticks(bare, "y").values()) < min(
        reading.ticks(svg, "y").values()
    )


def test_the_unit_interval_has_ticks_but_epochs_only_integers():
    assert list(reading.ticks(line_plot_svg([0, 0.5, 1], {"a": [1, 2, 3]}), "x")) == [
        0,
        0.2,
        0.4,
        0.6,
        0.8,
        1,
    ]
    assert list(reading.ticks(curve_svg([1, 2, 3], {"a": [1, 2, 3]}), "x")) == [1, 2, 3]
    assert list(reading.ticks(line_plot_svg([1, 2], {"a": [0, 1]}), "y")) == [
        0,
        0.2,
        0.4,
        0.6,
        0.8,
        1,
    ]
    units = line_plot_svg([1, 2], {"a": [2, 2]}, integer_y=True, y_range=(0, 2))
    assert list(reading.ticks(units, "y")) == [0, 1, 2]


@given(
    st.lists(
        st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf]),
        min_size=1,
        max_size=6,
    ),
    st.text(max_size=8),
)
def test_any_values_and_any_name_give_xml_with_every_point_inside(values, name):
    if not any(map(math.isfinite, values)):
        with pytest.raises(ValueError, match="at least one finite value"):
            line_plot_svg(range(len(values)), {name: values})
        return
    svg = line_plot_svg(range(len(values)), {name: values})
    (points,) = reading.curves(svg)
    assert len(points) == sum(map(math.isfinite, values))
    assert ((points > 0) & (points < [WIDTH, HEIGHT])).all()
    assert len(reading.elements(svg, "text")) < 40  # the ticks are few


@pytest.mark.parametrize("value", [0.0, 5e-324, 100.0, -100.0, 1e300])
def test_a_constant_curve_is_plotted(value):
    svg = line_plot_svg([1, 2], {"train": [value, value]})
    assert "nan" not in svg and len(reading.curves(svg)) == 1


@pytest.mark.parametrize(
    "value, low, high",
    [(227.9188, 200, 260), (0.735083, 0.6, 0.9), (-3.0, -3.5, -2.5), (0.0, -1, 1)],
)
def test_the_axis_of_one_value_is_not_a_magnifying_glass(value, low, high):
    """Its ticks differ by some hundredths of the value and not by its rounding."""
    ticks = sorted(reading.ticks(line_plot_svg([1], {"train": [value]}), "y"))
    assert low <= ticks[0] < value < ticks[-1] <= high and ticks[-1] - ticks[
        0
    ] >= 0.1 * abs(value)


@pytest.mark.parametrize(
    "x, curves, more, message",
    [
        (
            [1, 2, 3],
            {"train": [1.0, 2.0]},
            {},
            "the curve 'train' has 2 values, and x has 3",
        ),
        ([1], {}, {}, "at least one curve"),
        ([1, math.nan], {"a": [1, 2]}, {}, "x has values that are not finite"),
        (
            [0, 1],
            {"a": [1, 2]},
            {"log_x": True},
            "the curve 'a' has values that are not positive",
        ),
        (
            [1, 2],
            {"a": [1, 0]},
            {"log_y": True},
            "the curve 'a' has values that are not positive",
        ),
    ],
)
def test_what_cannot_be_plotted_is_refused(x, curves, more, message):
    with pytest.raises(ValueError, match=message):
        line_plot_svg(x, curves, **more)


# Many points


def test_thinning_keeps_the_first_the_last_and_every_extreme():
    rng = np.random.default_rng(0)
    x, y = np.arange(20_000.0), rng.standard_normal(20_000)
    y[[0, -1, 7_777, 13_131]] = 1.5, -1.5, 50, -50
    svg = line_plot_svg(x, {"noise": y})
    ((xs, ys),) = read(svg)
    assert (
        len(xs) <= 4 * WIDTH and (np.diff(xs) >= -40).all()
    )  # 40: a pixel and its rounding
    assert (xs[0], xs[-1]) == pytest.approx((0, 19_999), abs=1) and (
        ys[0],
        ys[-1],
    ) == pytest.approx((1.5, -1.5), abs=0.02)
    assert (ys.max(), ys.min()) == pytest.approx((50, -50), abs=0.02)
    assert xs[ys.argmax()] == pytest.approx(7_777, abs=1) and xs[
        ys.argmin()
    ] == pytest.approx(13_131, abs=1)
    pixels, columns = (
        reading.curves(svg)[0],
        np.floor(64 + (WIDTH - 24 - 64) * x / 19_999),
    )  # the frame's margins
    for column in np.unique(columns)[::37]:  # every pixel column spans what it spanned
        shown = ys[np.floor(pixels[:, 0]) == column]
        there = y[columns == column]
        assert (shown.min(), shown.max()) == pytest.approx(
            (there.min(), there.max()), abs=0.02
        )
        near = ys[
            abs(np.floor(pixels[:, 0]) - column) <= 1
        ]  # rounding may move a point across the border
        assert abs(near - there[0]).min() < 0.02 and abs(near - there[-1]).min() < 0.02


def test_few_points_and_curves_that_turn_back_are_not_thinned():
    x = np.linspace(0, 1, 500)
    ((xs, ys),) = read(line_plot_svg(x, {"a": np.sin(9 * x)}))
    assert xs == pytest.approx(x, abs=1e-3) and ys == pytest.approx(
        np.sin(9 * x), abs=0.01
    )
    t = np.linspace(0, 2 * np.pi, 3000)
    assert (
        len(reading.curves(line_plot_svg(np.cos(t), {"circle": np.sin(t)}))[0]) == 3000
    )


def test_the_legend_has_the_minus_sign_of_the_axes():
    svg = line_plot_svg([0, 1], {"a-b": [1.0, -0.25]})
    assert list(reading.legend(svg)) == ["a-b −0.25"] and "−0.2" in reading.texts(
        svg, "tick"
    )


def test_ten_times_as_many_epochs_take_at_most_about_ten_times_as_long():
    """Time is proportional to the points (10, and below that the bounded output); a
    quadratic plot takes 100 times as long. In CPU time, which other processes do not
    take away; the best of five interleaved runs each, and 30 for slow caches.
    """
    seconds = {1_000: [], 10_000: []}
    for _ in range(5):
        for n, taken in seconds.items():
            epochs = list(range(1, n + 1))
            losses = [100 + 100 / (1 + i) + i % 7 for i in range(n)]
            began = time.process_time()
            svg = curve_svg(epochs, {"train": losses, "test": losses})
            taken.append(time.process_time() - began)
            assert len(svg) < 150_000
    assert min(seconds[10_000]) < 30 * min(seconds[1_000])


# Charts of several series


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
    assert (root.get("width"), root.get("height")) == ("380", "300") and root.get(
        "role"
    ) == "img"
    assert root.find(reading.SVG + "title").text == "Title <1>"
    for points in reading.curves(svg):
        assert (points >= 0).all() and (points <= [380, 300]).all()


@pytest.mark.parametrize("y", [[1.0], [np.nan, np.nan], [[1.0, 2.0]]])
def test_a_curve_that_cannot_be_shown_is_named(y):
    with pytest.raises(ValueError, match="'loss'"):
        chart("t", [Curve("loss", [1, 2], y)], "x", "y")


def test_a_band_is_the_area_between_its_two_curves():
    band = ([1.0, 0.0], [3.0, 8.0])
    svg = chart("t", [Curve("a", [0, 1], [2.0, 4.0], band=band)], "x", "y")
    (area,) = reading.elements(svg, "polygon", "band")
    corners = np.array([c.split(",") for c in area.get("points").split()], float)
    assert reading.reader(svg, "x")(corners[:, 0]) == pytest.approx(
        [0, 1, 1, 0], abs=0.01
    )
    assert reading.reader(svg, "y")(corners[:, 1]) == pytest.approx(
        [1, 0, 8, 3], abs=0.05
    )


def test_an_axis_can_end_elsewhere_than_its_values():
    """The line is cut off at the frame, and a last value outside it has no dot."""
    curves = [Curve("a", [0, 1], [0.0, 5.0]), Curve("b", [0, 1], [0.0, 1.0])]
    svg = chart("t", curves, "x", "y", y_range=(0, 2), end_dots=True)
    dots = [dot for dot in reading.elements(svg, "circle") if dot.get("r") == "3.5"]
    assert len(dots) == 1 and max(reading.ticks(svg, "y")) == 2
    top = min(reading.ticks(svg, "y").values())
    frames = reading.elements(svg, "svg")[1:]
    assert all(top - 4 <= float(frame.get("y")) < top for frame in frames)


def test_a_notebook_shows_a_plot_as_the_picture():
    svg = line_plot_svg([0, 1], {"a": [0, 1]})
    assert svg._repr_svg_() == str(svg) and type(svg._repr_svg_()) is str


def test_an_error_bar_reaches_from_value_minus_error_to_value_plus_error():
    rows = [("a & b", 3.0, 0.5), ("c", 5.0, 0.0)]
    svg = intervals_svg(rows, "nats")
    reading.assert_inside(svg)
    x = reading.ticks(svg, "x", "grid")
    values, pixels = np.array([*x]), np.array([*x.values()])
    dots = [float(dot.get("cx")) for dot in reading.elements(svg, "circle")]
    bars = reading.elements(svg, "line", "interval")
    ends = [[float(bar.get(end)) for end in ("x1", "x2")] for bar in bars]
    assert np.interp(dots, pixels, values) == pytest.approx([3, 5], abs=0.01)
    assert np.interp(ends[0], pixels, values) == pytest.approx([2.5, 3.5], abs=0.01)
    assert ends[1][0] == ends[1][1]
    assert reading.texts(svg, "name") == ["a & b: 3.00 ± 0.50", "c: 5.00"]


# Learning curves


def read_uneven(svg, floor):
    """[(x values, y values)] of each curve on an axis that is logarithmic above floor"""
    x = reading.reader(svg, "x")
    y = reading.reader(svg, "y", lambda value: math.log10(value - floor))
    return [
        (x(points[:, 0]), floor + 10 ** y(points[:, 1]))
        for points in reading.curves(svg)
    ]


def test_the_axis_of_the_loss_shows_both_ends_of_the_curve():
    losses = [500.0, 300.0] + [110 - 0.1 * i for i in range(28)]
    svg = curve_svg(range(1, 31), {"train": losses})
    ((xs, ys),) = read_uneven(svg, loss_floor([losses]))
    assert xs == pytest.approx(range(1, 31), abs=0.01)
    assert ys == pytest.approx(losses, abs=0.3)  # 0.02 pixels at the upper end
    pixels = reading.curves(svg)[0][:, 1]
    height = pixels.max() - pixels.min()
    later = pixels[2:].max() - pixels[2:].min()  # 2.7 of 393 nats
    assert 0.15 < later / height < 0.6
    assert {200, 500} <= set(reading.ticks(svg, "y"))
    assert len([tick for tick in reading.ticks(svg, "y") if tick < 111]) >= 2


@pytest.mark.parametrize("losses", [[3.0, 2.0, 1.0], [5.0] * 6, [math.nan] * 5])
def test_a_short_or_constant_curve_has_an_even_axis(losses):
    assert loss_floor([losses]) is None


def test_an_uneven_axis_has_round_ticks_with_room_between_them():
    for losses in (
        [1e6, 90.0, 80.0, 79.0, 78.5],
        [3.0, -2.0, -4.0, -4.2],
        [9, 7, 6, 5],
    ):
        svg = curve_svg(range(1, len(losses) + 1), {"a": losses})
        ticks = reading.ticks(svg, "y")
        assert 3 <= len(ticks) <= 15
        assert max(ticks) <= max(losses) and min(ticks) >= min(losses)
        assert (np.abs(np.diff([*ticks.values()])) >= 24 - PIXEL).all()
        assert all(len(f"{abs(tick):.10g}") <= 8 for tick in ticks)


def test_a_late_rise_stays_in_the_plot():
    losses = [200.0, 100.0, 100.0, 100.0, 100.0, 400.0]
    svg = curve_svg(range(1, 7), {"a": losses})
    assert max(reading.ticks(svg, "y")) == 400
    assert reading.curves(svg)[0][-1, 1] == reading.curves(svg)[0][:, 1].min()


def test_everything_is_inside_the_document():
    x, curves = range(12), {f"a long name {i}": [i, 2.0] * 6 for i in range(9)}
    for more in (
        {},
        {"title": "A title", "x_label": "x", "y_label": "y"},
        {"width": 380, "height": 300},
    ):
        reading.assert_inside(line_plot_svg(x, curves, **more))


HISTORY = [
    {"epoch": e, "train_loss": 130.0 - e, "test_loss": 128.0 - e} for e in (1, 2, 3)
]


@pytest.mark.parametrize(
    "config, options, train, test",
    [
        ({}, {}, "train", "test"),
        ({"beta": 4}, {}, "train: reconstruction + 4 KL", "test: negative ELBO"),
        (
            {},
            {"objective": "iwae", "num_samples": 5},
            "train: negative IWAE bound, K = 5",
            "test: negative ELBO",
        ),
        (
            {},
            {"objective": "iwae-dreg", "num_samples": 5},
            "train: negative IWAE bound, K = 5",
            "test: negative ELBO",
        ),
        ({}, {"objective": "elbo-stl"}, "train", "test"),
    ],
)
def test_the_learning_curve_names_quantities_that_differ(config, options, train, test):
    config, options = VAEConfig(**config), TrainingOptions(**options)
    svg = learning_curve_svg(HISTORY, config, options)
    assert list(reading.legend(svg)) == [f"{train} 127", f"{test} 125"]
    (xs, ys), (_, tests) = read(svg)  # of three epochs: an even axis
    assert xs == pytest.approx([1, 2, 3], abs=0.01)
    assert ys == pytest.approx([129, 128, 127], abs=0.02) and tests == pytest.approx(
        [127, 126, 125], abs=0.02
    )
    assert training_loss_name(config, options) in (
        train.removeprefix("train: "),
        "negative ELBO",
    )
    assert reading.texts(svg, "x-label") == ["epoch"]


def test_a_run_without_test_images_has_one_curve():
    history = [row | {"test_loss": math.nan} for row in HISTORY]
    assert list(
        reading.legend(learning_curve_svg(history, VAEConfig(), TrainingOptions()))
    ) == ["train 127"]


def test_a_plot_is_written_as_text(tmp_path):
    write_svg(
        tmp_path / "curve.svg",
        svg := curve_svg([1, 2], {"train": [2.0, 1.0]}, title="π & <τ>"),
    )
    assert (tmp_path / "curve.svg").read_text("utf-8") == svg
    assert ElementTree.fromstring(svg).find(reading.SVG + "title").text == "π & <τ>"
    assert [path.name for path in tmp_path.iterdir()] == ["curve.svg"]
