"""The plot of the four-state example, read back from its coordinates."""

import re
from math import log10, sqrt
from xml.etree import ElementTree

import pytest

from numpyvae.pictures.chain import chain_svg

TAG = "{http://www.w3.org/2000/svg}"
CRITICAL = (sqrt(3) - 1) / 2


def value(policy, s, g):
    if policy == "myopic":
        return [
            1 / (1 - g**2),
            g / (1 - g**2),
            3 * g + g**3 / (1 - g**2),
            3 + g**2 / (1 - g**2),
        ][s]
    return [
        1 + 3 * g**3 / (1 - g**3),
        3 * g**2 / (1 - g**3),
        3 * g / (1 - g**3),
        3 + 3 * g**3 / (1 - g**3),
    ][s]


def axes(panel):
    """Functions from pixels to γ and to the value, from the positions of the tick
    labels.
    """
    ticks = {
        text.text: (float(text.get("x")), float(text.get("y")) - 4.5)
        for text in panel.findall(TAG + "text")
    }
    left = ticks["0"][0]
    right = next(x for name, (x, _) in ticks.items() if name == "0.8")
    low, high = ticks["0.1"][1], ticks["100"][1]
    assert low > high and left < right
    return (lambda x: (x - left) / (right - left) * 0.8), (
        lambda y: 10 ** (-1 + 3 * (low - y) / (low - high))
    )


def points(element):
    return [
        tuple(map(float, pair.split(","))) for pair in element.get("points").split()
    ]


@pytest.mark.parametrize("s", range(4))
def test_the_curves_are_the_closed_forms(s):
    panel = ElementTree.fromstring(chain_svg()).findall(TAG + "g")[s]
    gamma_of, value_of = axes(panel)
    curves = panel.findall(TAG + "polyline")
    assert [curve.get("style") for curve in curves] == [
        "stroke: var(--series-0)",
        "stroke: var(--series-1)",
    ]
    for curve, policy in zip(curves, ("myopic", "farsighted"), strict=True):
        assert len(points(curve)) > 300
        for x, y in points(curve):
            g = gamma_of(x)
            # coordinates have two decimals: 0.005 pixels of 391 across and of 264 over
            # 3.3 decades, and as much again
            # from the ticks; the curve is steep near γ = 1
            close = [value(policy, s, max(g + dg, 0)) for dg in (-5e-5, 5e-5)]
            assert (
                log10(min(close)) - 2e-4
                <= log10(value_of(y))
                <= log10(max(close)) + 2e-4
            )


@pytest.mark.parametrize("s", range(4))
def test_the_critical_discount_is_marked_where_the_curves_cross(s):
    panel = ElementTree.fromstring(chain_svg()).findall(TAG + "g")[s]
    gamma_of, value_of = axes(panel)
    (mark,) = panel.findall(TAG + "circle")
    x, y = float(mark.get("cx")), float(mark.get("cy"))
    assert gamma_of(x) == pytest.approx(CRITICAL, abs=5e-5)
    assert value_of(y) == pytest.approx(value("myopic", s, CRITICAL), rel=5e-4)
    assert all((x, y) in points(curve) for curve in panel.findall(TAG + "polyline"))


@pytest.mark.parametrize("s", range(4))
def test_the_shaded_area_has_the_color_of_the_better_policy(s):
    panel = ElementTree.fromstring(chain_svg()).findall(TAG + "g")[s]
    gamma_of, _ = axes(panel)
    below, above = panel.findall(TAG + "polygon")
    assert below.get("style").startswith("fill: var(--series-0);")
    assert max(gamma_of(x) for x, _ in points(below)) == pytest.approx(
        CRITICAL, abs=5e-5
    )
    assert above.get("style").startswith("fill: var(--series-1);")
    assert min(gamma_of(x) for x, _ in points(above)) == pytest.approx(
        CRITICAL, abs=5e-5
    )


def test_panels_and_legend_have_their_names():
    root = ElementTree.fromstring(chain_svg())
    names = [
        next(
            text.text
            for text in panel.findall(TAG + "text")
            if text.text.startswith("state")
        )
        for panel in root.findall(TAG + "g")
    ]
    assert names == ["state −1", "state 0", "state 1", "state 2"]
    text = "".join(root.itertext())
    assert re.search("← ← → →\\s+myopic: reward 1", text) and re.search(
        "← → → →\\s+farsighted: reward 3", text
    )
    assert "0.366025" in text
