"""The plot of a grid world, read back from its coordinates."""

from xml.etree import ElementTree

import numpy as np
import pytest

from numpyvae.mdp import MDP
from numpyvae.pictures.gridworld import gridworld_svg
from numpyvae.pictures.svg import PALETTE

TAG = "{http://www.w3.org/2000/svg}"
LAKE = ("left", "down", "right", "up")  # the order of Gymnasium's frozen lake
VALUES = np.array([0.0, 0.25, 0.5, np.nan, 1.0, 0.75])  # two rows of three
ACTIONS = np.zeros((6, 4), bool)
ACTIONS[[0, 1, 1, 2, 5], [2, 1, 2, 3, 0]] = True


def cells(svg, columns):
    """{state: its <g>}, by the positions of their rectangles, which tile the plot"""
    groups = ElementTree.fromstring(svg).findall(TAG + "g")
    corner = min((float(g[0].get("y")), float(g[0].get("x"))) for g in groups)
    found = {}
    for g in groups:
        row = (float(g[0].get("y")) - corner[0]) / float(g[0].get("height"))
        column = (float(g[0].get("x")) - corner[1]) / float(g[0].get("width"))
        assert row == int(row) and column == int(column) < columns
        found[int(row) * columns + int(column)] = g
    assert len(found) == len(groups)
    return found


def arrows(g):
    """The directions of a cell's arrows: from the center to the first corner of a head.

    The line ends inside the head, on the way from the center to its tip.
    """
    found = set()
    pairs = zip(g.findall(TAG + "line"), g.findall(TAG + "polygon"), strict=True)
    for line, head in pairs:
        x1, y1, x2, y2 = (float(line.get(name)) for name in ("x1", "y1", "x2", "y2"))
        corners = [tuple(map(float, c.split(","))) for c in head.get("points").split()]
        (tip_x, tip_y), *sides = corners
        assert x1 == float(g[0].get("x")) + float(g[0].get("width")) / 2
        dx, dy = tip_x - x1, tip_y - y1
        assert dx == 0 or dy == 0
        horizontal, vertical = ("right", "left"), ("down", "up")
        name = horizontal[dx < 0] if dx != 0 else vertical[dy < 0]
        reach = abs(dx) + abs(dy)
        for x, y in sides:
            assert abs(x - x1) + abs(y - y1) < reach
        along = [((x - x1) * dx + (y - y1) * dy) / reach for x, y in (*sides, (x2, y2))]
        assert min(along[:2]) < along[2] < reach
        assert (x2 - x1) * dy == (y2 - y1) * dx
        found.add(name)
    return found


def test_each_state_has_its_value_and_its_arrows():
    found = cells(gridworld_svg(VALUES, ACTIONS, 3, LAKE), 3)
    assert sorted(found) == list(range(6))
    for s, g in found.items():
        texts = [text.text for text in g.findall(TAG + "text")]
        assert texts == ([] if np.isnan(VALUES[s]) else [f"{VALUES[s]:.3g}"])
        expected = {
            name
            for name, taken in zip(
                ("left", "down", "right", "up"), ACTIONS[s], strict=True
            )
            if taken
        }
        assert arrows(g) == expected


def test_the_opacity_of_a_cell_grows_in_proportion_to_its_value():
    found = cells(gridworld_svg(VALUES, ACTIONS, 3, LAKE), 3)
    opacity = [float(found[s][0].get("fill-opacity")) for s in (0, 1, 2, 5, 4)]
    assert opacity == [0, 0.11, 0.23, 0.34, 0.45]  # rounded to a hundredth
    assert {found[s][0].get("style") for s in (0, 1, 2, 5, 4)} == {
        "fill: var(--series-0)"
    }


@pytest.mark.parametrize("page", [0, 1])
def test_words_on_the_darkest_cell_have_a_contrast_of_4_5_to_1(page):
    paper, words, color = (
        channels(PALETTE[name][page]) for name in ("paper", "text", "series-0")
    )
    found = cells(gridworld_svg([0.0, 1.0], np.array([0, 0]), 2, LAKE), 2)
    opacity = float(found[1][0].get("fill-opacity"))
    low, high = sorted([luminance(words), luminance(paper + opacity * (color - paper))])
    assert (high + 0.05) / (low + 0.05) >= 4.5


def channels(color):
    return np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255


def luminance(rgb):
    """Of WCAG 2.2"""
    return [0.2126, 0.7152, 0.0722] @ np.where(
        rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4
    )


def test_a_negative_value_has_a_minus_sign():
    found = cells(gridworld_svg([-1.0, -0.04], np.array([0, 0]), 2, LAKE), 2)
    assert [found[s].find(TAG + "text").text for s in (0, 1)] == ["−1", "−0.04"]


def test_action_numbers_and_named_directions_are_accepted():
    found = cells(
        gridworld_svg(
            [1, 2], np.array([1, 0]), 2, directions=("up", "right", "down", "left")
        ),
        2,
    )
    assert arrows(found[0]) == {"right"} and arrows(found[1]) == {"up"}


def test_labels_stand_in_place_of_arrows_and_are_escaped():
    found = cells(
        gridworld_svg(
            [1, 2], np.array([1, 0]), 1, LAKE, labels=["<G>", ""], title="A & B"
        ),
        1,
    )
    assert [text.text for text in found[0].findall(TAG + "text")] == [
        "1",
        "<G>",
    ] and not arrows(found[0])
    assert arrows(found[1]) == {"left"}
    assert "A & B" in "".join(
        ElementTree.fromstring(
            gridworld_svg([1], np.array([0]), 1, LAKE, title="A & B")
        ).itertext()
    )


@pytest.mark.parametrize("values", [[2.0, 2.0], [np.nan, 2.0], [np.nan, np.nan]])
def test_equal_values_and_walls_alone_are_drawn(values):
    rectangles = [
        g[0]
        for g in cells(gridworld_svg(values, np.array([0, 0]), 2, LAKE), 2).values()
    ]
    fills = [
        (rectangle.get("style"), rectangle.get("fill-opacity"))
        for rectangle in rectangles
    ]
    assert fills == [
        ("fill: var(--axis)", None) if np.isnan(v) else ("fill: var(--series-0)", "0")
        for v in values
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("up", "right", "down", "left"),
        ("North", "East", "South", "West"),
        ("n", "e", "s", "w"),
        ("↑", "→", "↓", "←"),
        ("^", ">", "v", "<"),
    ],
)
def test_directions_are_the_labels_of_actions(names):
    mdp = MDP(np.ones((1, 4, 1)), np.zeros((1, 4)), 0.5, actions=names)
    svg = gridworld_svg([0.0] * 4, np.arange(4), 4, mdp.actions)
    found = [arrows(g) for _, g in sorted(cells(svg, 4).items())]
    assert found == [{"up"}, {"right"}, {"down"}, {"left"}]


def test_without_directions_the_picture_asks_for_them():
    message = r"needs directions=, which way each action goes: mdp\.actions if they"
    with pytest.raises(ValueError, match=message):
        gridworld_svg(VALUES, ACTIONS, 3)


MAP = "SFH#G."


@pytest.mark.parametrize(
    "map_of_cells", [MAP, ["start", "", "hole", "wall", "goal", ""]]
)
def test_hole_goal_wall_and_start_are_drawn_as_such(map_of_cells):
    values = np.array([0.5, 0.25, 0.0, 0.0, 0.0, 0.75])
    actions = np.ones((6, 4), bool)
    found = cells(gridworld_svg(values, actions, 3, LAKE, cells=map_of_cells), 3)
    words = [[t.text for t in found[s].findall(TAG + "text")] for s in range(6)]
    assert words == [["start", "0.5"], ["0.25"], ["hole"], [], ["0", "goal"], ["0.75"]]
    number_of_arrows = [len(arrows(found[s])) for s in range(6)]
    assert number_of_arrows == [4, 4, 0, 0, 0, 4]
    marks = {s: [part.get("style") for part in found[s][1:]] for s in (2, 4)}
    assert any("var(--alert)" in (style or "") for style in marks[2])
    assert any("var(--series-2)" in (style or "") for style in marks[4])
    assert found[3][0].get("style") == "fill: var(--axis)"


def test_a_hole_does_not_set_the_scale_of_colors():
    svg = gridworld_svg([1.0, 2.0, -100.0], [0, 0, 0], 3, LAKE, cells="FFH")
    found = cells(svg, 3)
    assert [found[s][0].get("fill-opacity") for s in range(3)] == ["0", "0.45", None]
    assert [t.text for t in found[2].findall(TAG + "text")] == ["−100", "hole"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((VALUES, ACTIONS, 4, LAKE), "S a multiple of its 4 columns"),
        ((VALUES, ACTIONS[:5], 3, LAKE), r"not \(6,\) and \(5, 4\)"),
        ((VALUES, ACTIONS, 0, LAKE), "0 columns"),
        (([], np.zeros((0, 4), bool), 1, LAKE), r"not \(0,\) and \(0, 4\)"),
        ((VALUES, ACTIONS[:, :3], 3, LAKE), r"actions \(S, 4\)"),
        ((VALUES, ACTIONS, 3, range(4)), "directions: 0 is none of up, right, down"),
        ((VALUES, ACTIONS, 3, LAKE, ["G"]), "labels: 1 for 6 cells"),
        ((VALUES, ACTIONS, 3, LAKE, None, "", "SFH"), "cells: 3 for 6 cells"),
        (
            (VALUES, ACTIONS, 3, LAKE, None, "", ["pit"] * 6),
            "cells: cell 0 is 'pit'; it must be wall, hole, goal, start",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        gridworld_svg(*arguments)
