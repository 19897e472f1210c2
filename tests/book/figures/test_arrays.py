"""Arrays as images: the shades, read back, are the values."""

import re
from xml.etree import ElementTree

import numpy as np

from numpyvae.book.figures.arrays import array_image


def shades(markup):
    """{(row, column): fill} of an array's squares, from the runs of its paths; and the
    background's fill
    """
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
