"""PNG: a file holds exactly the pixels that were given, still or animated; an
independent decoder reads them.
"""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpyvae.pictures.png import animated_png, png_bytes, write_png
from tests.pictures.reading import decode_apng, decode_png, png_chunks


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("images") / "image.png"


@given(
    hnp.arrays(
        np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)
    )
    | hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))
    )
)
def test_a_png_holds_exactly_the_pixels(path, image):
    write_png(path, image)
    assert np.array_equal(decode_png(path.read_bytes()), image)
    assert [kind for kind, _ in png_chunks(path.read_bytes())] == [
        b"IHDR",
        b"IDAT",
        b"IEND",
    ]


def test_pixels_need_not_be_contiguous(path):
    image = np.random.default_rng(0).integers(256, size=(30, 40, 3), dtype=np.uint8)
    for view in (image[::-1, ::2], image.transpose(1, 0, 2), image[..., 0].T):
        write_png(path, view)
        assert np.array_equal(decode_png(path.read_bytes()), view)


BAD = [
    np.zeros((4, 4)),
    np.zeros(4, np.uint8),
    np.zeros((4, 4, 4), np.uint8),
    np.zeros((4, 4, 1), np.uint8),
    np.zeros((0, 4), np.uint8),
    np.zeros((4, 4), bool),
]


@pytest.mark.parametrize("image", BAD)
def test_other_arrays_are_refused_and_nothing_is_written(tmp_path, image):
    with pytest.raises(
        ValueError,
        match=r"a.png: an image is uint8 pixels of shape \(H, W\) or \(H, W, 3\), not ",
    ):
        write_png(tmp_path / "a.png", image)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="an image is uint8"):
        animated_png([np.zeros((4, 4), np.uint8), image])


@given(
    st.integers(1, 6),
    st.booleans(),
    st.integers(1, 65_535),
    st.integers(1, 65_535),
    st.integers(0, 3),
)
def test_an_animation_holds_every_frame_in_order_with_its_delay(
    count, in_color, delay, last, plays
):
    shape = (count, 5, 7, 3) if in_color else (count, 5, 7)
    frames = np.random.default_rng(count).integers(256, size=shape, dtype=np.uint8)
    decoded, delays, times = decode_apng(animated_png(frames, delay, last, plays))
    assert np.array_equal(decoded, frames) and times == plays
    assert delays == pytest.approx([delay / 1000] * (count - 1) + [last / 1000])


def test_a_program_without_animation_shows_the_first_frame():
    frames = np.random.default_rng(0).integers(256, size=(3, 4, 4), dtype=np.uint8)
    assert np.array_equal(decode_png(animated_png(frames)), frames[0])


def test_an_animation_has_the_chunks_of_the_specification_in_their_order():
    chunks = png_chunks(animated_png(np.zeros((3, 2, 2), np.uint8)))
    assert [kind for kind, _ in chunks] == [
        b"IHDR",
        b"acTL",
        b"fcTL",
        b"IDAT",
        b"fcTL",
        b"fdAT",
        b"fcTL",
        b"fdAT",
        b"IEND",
    ]
    assert chunks[1][1] == struct.pack(">II", 3, 0) and all(
        len(body) == 26 for kind, body in chunks if kind == b"fcTL"
    )


def test_the_same_frames_give_the_same_bytes():
    frames = np.random.default_rng(0).integers(256, size=(3, 9, 9), dtype=np.uint8)
    assert animated_png(frames) == animated_png(frames.copy()) and png_bytes(
        frames[0]
    ) == png_bytes(frames[0].copy())


@pytest.mark.parametrize(
    "frames, more",
    [
        ([], {}),
        ([np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)], {}),
        ([np.zeros((2, 2), np.uint8)], {"milliseconds": 0}),
        ([np.zeros((2, 2), np.uint8)], {"last_milliseconds": 65_536}),
        ([np.zeros((2, 2), np.uint8)], {"plays": -1}),
    ],
)
def test_an_animation_without_frames_or_with_unequal_ones_is_refused(frames, more):
    with pytest.raises(ValueError, match="an animation takes"):
        animated_png(frames, **more)


def test_an_enlarged_image_takes_little_more_than_a_small_one():
    """Smooth waves; without the filter the enlarged file is eight times as large as the
    small one.
    """
    rows, columns = np.mgrid[:120, :120]
    image = (127 + 120 * np.sin(rows / 7) * np.cos(columns / 5)).astype(np.uint8)
    assert len(png_bytes(image.repeat(4, 0).repeat(4, 1))) < 2 * len(png_bytes(image))
