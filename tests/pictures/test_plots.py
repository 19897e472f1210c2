"""Pictures: a PNG holds exactly the pixels that were given, a curve is XML that draws exactly the values."""

import math
import struct
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from numpyvae.pictures.plots import HEIGHT, WIDTH, curve_svg, grid, round_ticks, write_png, write_svg


def decode_png(data):
    """Pixels of an 8-bit grey or RGB picture, written from the specification: chunks, CRC-32, zlib, all five filters."""
    assert data[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
    chunks, position = [], 8
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + length]
        (crc,) = struct.unpack(">I", data[position + 8 + length:position + 12 + length])
        assert len(body) == length and crc == zlib.crc32(kind + body)
        chunks.append((kind, body))
        position += 12 + length
    kinds = [kind for kind, _ in chunks]
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND" and set(kinds[1:-1]) == {b"IDAT"} and chunks[-1][1] == b""
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    assert (depth, compression, filtering, interlace) == (8, 0, 0, 0)
    samples = {0: 1, 2: 3}[colour]
    inflate = zlib.decompressobj()
    raw = inflate.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    assert inflate.eof and inflate.unused_data == b"" and len(raw) == height * (1 + width * samples)
    above, rows = [0] * (width * samples), []
    for start in range(0, len(raw), 1 + width * samples):
        row = list(raw[start + 1:start + 1 + width * samples])
        for i, value in enumerate(row):
            left = row[i - samples] if i >= samples else 0
            corner = above[i - samples] if i >= samples else 0
            paeth = min((abs(above[i] - corner), 0, left), (abs(left - corner), 1, above[i]),
                        (abs(left + above[i] - 2 * corner), 2, corner))[2]
            row[i] = (value + (0, left, above[i], (left + above[i]) // 2, paeth)[raw[start]]) % 256
        above = row
        rows.append(row)
    pixels = np.array(rows, np.uint8)
    return pixels if samples == 1 else pixels.reshape(height, width, 3)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures") / "picture.png"


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))
       | hnp.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))))
def test_a_png_holds_exactly_the_pixels(path, image):
    write_png(path, image)
    assert np.array_equal(decode_png(path.read_bytes()), image)


def test_pixels_need_not_be_contiguous(path):
    image = np.random.default_rng(0).integers(256, size=(30, 40, 3), dtype=np.uint8)
    for view in (image[::-1, ::2], image.transpose(1, 0, 2), image[..., 0].T):
        write_png(path, view)
        assert np.array_equal(decode_png(path.read_bytes()), view)


@pytest.mark.parametrize("image", [np.zeros((4, 4)), np.zeros(4, np.uint8), np.zeros((4, 4, 4), np.uint8),
                                   np.zeros((4, 4, 1), np.uint8), np.zeros((0, 4), np.uint8), np.zeros((4, 4), bool)])
def test_what_is_not_a_picture_is_refused_and_nothing_is_written(tmp_path, image):
    with pytest.raises(ValueError, match=r"a.png: a picture is uint8 pixels of shape \(H, W\) or \(H, W, 3\), not "):
        write_png(tmp_path / "a.png", image)
    assert list(tmp_path.iterdir()) == []


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), st.booleans())
def test_a_grid_has_every_image_in_its_place_and_grey_elsewhere(count, columns, gap, colour):
    images = np.random.default_rng(0).integers(1, 256, size=(count, 4, 6) + (3,) * colour, dtype=np.uint8)
    picture = grid(images, columns, gap=gap, shade=0)
    rows = math.ceil(count / columns)
    assert picture.shape[:2] == (gap + rows * (4 + gap), gap + columns * (6 + gap)) and picture.dtype == np.uint8
    for i in range(count):
        top, left = gap + i // columns * (4 + gap), gap + i % columns * (6 + gap)
        assert np.array_equal(picture[top:top + 4, left:left + 6], images[i])
    assert np.count_nonzero(picture) == images.size                    # nothing is drawn anywhere else


def test_a_grid_without_columns_is_refused():
    for images, columns, gap in [(np.zeros((3, 4, 4)), 0, 1), (np.zeros((4, 4)), 1, 1), (np.zeros((3, 4, 4)), 1, -1)]:
        with pytest.raises(ValueError, match="a grid takes images"):
            grid(images, columns, gap)


# Curves

def elements(svg, tag):
    return ElementTree.fromstring(svg).findall("{http://www.w3.org/2000/svg}" + tag)


def test_a_curve_passes_through_its_values():
    epochs, losses = [1, 2, 4, 7], [160.0, 130.0, 120.0, 110.0]
    svg = curve_svg(epochs, {"train": losses, "test": [v - 5 for v in losses]})
    texts = {text.text: text for text in elements(svg, "text")}
    train, test = ([tuple(map(float, point.split(","))) for point in line.get("points").split()]
                   for line in elements(svg, "polyline"))
    ticks = {value: float(texts[str(value)].get("y")) - 4.5 for value in (120, 130)}     # where two ticks stand
    for (_, y), loss in zip(train, losses):
        assert y == pytest.approx(ticks[120] + (ticks[130] - ticks[120]) * (loss - 120) / 10, abs=0.05)
    assert [x for x, _ in train] == [x for x, _ in test]
    steps = np.diff([x for x, _ in train])
    assert steps == pytest.approx(steps[0] * np.array([1, 2, 3]), abs=0.05)
    assert train[0][0] == float(elements(svg, "line")[0].get("x1")) and "train 110.00" in texts


def test_names_never_cover_each_other():
    svg = curve_svg([1, 2], {"a": [3.0, 1.0], "b": [3.0, 1.001], "c": [3.0, 0.999]})
    heights = [float(text.get("y")) for text in elements(svg, "text") if text.get("class") == "name"]
    assert len(heights) == 3 and np.diff(heights).min() >= 18


def test_the_page_has_its_own_background_so_that_it_reads_on_any():
    first = elements(curve_svg([1], {"a": [1.0]}), "rect")[0]
    assert (first.get("width"), first.get("height"), first.get("fill")) == (str(WIDTH), str(HEIGHT), "#fff")


@given(st.lists(st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf]), min_size=1, max_size=6),
       st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8))
def test_any_values_and_any_name_give_xml_with_every_point_inside_the_frame(values, name):
    if not any(map(math.isfinite, values)):
        with pytest.raises(ValueError, match="at least one finite value"):
            curve_svg(range(len(values)), {name: values})
        return
    svg = curve_svg(range(len(values)), {name: values})
    (line,) = elements(svg, "polyline")
    points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    assert len(points) == sum(map(math.isfinite, values))
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in points)
    assert len(elements(svg, "text")) < 40                             # the ticks are few


@pytest.mark.parametrize("value", [0.0, 5e-324, 100.0, -100.0, 1e300])
def test_a_flat_curve_is_drawn_too(value):
    svg = curve_svg([1, 2], {"train": [value, value]})
    assert "nan" not in svg and len(elements(svg, "polyline")) == 1


def test_curves_that_do_not_fit_the_epochs_are_refused():
    with pytest.raises(ValueError, match="the curve 'train' has 2 values for 3 epochs"):
        curve_svg([1, 2, 3], {"train": [1.0, 2.0]})
    with pytest.raises(ValueError, match="at least one curve"):
        curve_svg([1], {})


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.sampled_from([0, 1]))
def test_ticks_are_round_few_and_reach_around_the_values(low, span, finest):
    high = low + span
    ticks = round_ticks(low, high, finest)
    step = ticks[1] - ticks[0]
    rounding = 1e-9 * step                                             # of i·step
    assert ticks[0] <= low + rounding and high <= ticks[-1] + rounding and 2 <= len(ticks) <= 11
    assert f"{step:.4e}".split("e")[0] in ("1.0000", "2.0000", "5.0000")
    assert step >= finest * (1 - 1e-9)
    if finest:
        assert all(tick == round(tick) for tick in ticks)


def test_a_curve_is_written_as_text(tmp_path):
    write_svg(tmp_path / "curve.svg", svg := curve_svg([1, 2], {"train": [2.0, 1.0]}, title="π & <τ>"))
    assert (tmp_path / "curve.svg").read_text("utf-8") == svg
    assert elements(svg, "title")[0].text == "π & <τ>"
    assert [path.name for path in tmp_path.iterdir()] == ["curve.svg"]
