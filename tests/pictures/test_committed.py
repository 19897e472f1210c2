"""The pictures in data/pictures are what data/make_pictures.py makes."""

import importlib.util
import re
import struct
from pathlib import Path

import pytest

from tests.pictures import reading

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "data" / "pictures"


@pytest.fixture(scope="module")
def script():
    path = ROOT / "data" / "make_pictures.py"
    spec = importlib.util.spec_from_file_location("make_pictures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["chain.svg", "gridworld.svg"])
def test_plots_without_training_are_made_again_to_the_last_character(script, name):
    assert script.DRAWN[name]() == (PICTURES / name).read_text("utf-8")


def skeleton(svg):
    """An SVG without what depends on trained numbers: digits, and how many shades"""
    svg = re.sub(r"<path [^>]*/>", "", svg)
    return re.sub(r"[−-]?\d+(\.\d+)?(e-?\d+)?", "0", svg)


def test_the_step_has_the_same_parts_and_words_with_other_last_digits(script):
    made, committed = script.step_svg(), (PICTURES / "step.svg").read_text("utf-8")
    assert skeleton(made) == skeleton(committed)


def test_pictures_of_the_run_are_whole_and_nothing_else_is_committed(script):
    names = {path.name for path in PICTURES.iterdir()}
    assert names == {*script.DRAWN, *script.OF_A_RUN, "sevens.png", "styles.png"}
    grid = 4 * (2 + 8 * (28 + 2))  # 8 x 8 images of MNIST, enlarged
    for name in script.OF_A_RUN:
        chunks = reading.png_chunks((PICTURES / name).read_bytes())
        assert struct.unpack(">II", chunks[0][1][:8]) == (grid, grid)
    assert [kind for kind, _ in chunks].count(b"fcTL") > 10  # frames of learning.png
