"""PNG files: a second encoder and decoder, pixel by pixel, agree with the reader; all
else is refused in one line.
"""

import itertools
import os
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.data.sources.png import PngError, read_png, read_png_kind
from numpyvae.pictures.png import write_png

SIGNATURE = bytes([137, 80, 78, 71, 13, 10, 26, 10])


def chunk(kind, data):
    return (
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
    )


def header(rows, cols, bits=8, color=0, compression=0, filtering=0, interlaced=0):
    return chunk(
        b"IHDR",
        struct.pack(
            ">IIBBBBB", cols, rows, bits, color, compression, filtering, interlaced
        ),
    )


def prediction(kind, image, i, j, k):
    """The specification's table, for channel k of pixel (i, j); image[i][j][k]."""
    a = int(image[i][j - 1][k]) if j else 0
    b = int(image[i - 1][j][k]) if i else 0
    c = int(image[i - 1][j - 1][k]) if i and j else 0
    if kind == 4:
        p = a + b - c
        pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
        return a if pa <= pb and pa <= pc else b if pb <= pc else c
    return [0, a, b, (a + b) // 2][kind]


def filtered(image, filters):
    """image (rows, cols, channels) -> the bytes that are compressed, row i with
    filters[i].
    """
    rows, cols, channels = image.shape
    data = bytearray()
    for i in range(rows):
        data.append(filters[i])
        for j in range(cols):
            for k in range(channels):
                data.append(
                    (int(image[i, j, k]) - prediction(filters[i], image, i, j, k)) % 256
                )
    return bytes(data)


def reference(data, rows, cols, channels):
    """The second decoder: what `filtered` made -> image."""
    image, at = np.zeros((rows, cols, channels), int), 0
    for i in range(rows):
        kind, at = data[at], at + 1
        for j in range(cols):
            for k in range(channels):
                image[i, j, k] = (data[at] + prediction(kind, image, i, j, k)) % 256
                at += 1
    return image.astype(np.uint8)


def encoded(data, rows, cols, channels, pieces=1, more=b""):
    packed = zlib.compress(data)
    cuts = [len(packed) * i // pieces for i in range(pieces + 1)]
    body = b"".join(chunk(b"IDAT", packed[a:b]) for a, b in itertools.pairwise(cuts))
    return (
        SIGNATURE
        + header(rows, cols, color=0 if channels == 1 else 2)
        + more
        + body
        + chunk(b"IEND", b"")
    )


def body(stored):
    return chunk(b"IDAT", zlib.compress(stored)) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("png") / "image.png"


def read(path, data):
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    return read_png(path)


# What is read


@given(
    st.data(),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from([1, 3]),
    st.integers(1, 3),
)
def test_every_filter_is_undone(path, data, rows, cols, channels, pieces):
    values = data.draw(
        st.lists(
            st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 254, 255])),
            min_size=rows * cols * channels,
            max_size=rows * cols * channels,
        )
    )
    filters = data.draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    image = np.array(values, np.uint8).reshape(rows, cols, channels)
    stored = filtered(image, filters)
    assert np.array_equal(
        reference(stored, rows, cols, channels), image
    )  # the two oracles agree
    back = read(path, encoded(stored, rows, cols, channels, pieces))
    assert back.dtype == np.uint8 and np.array_equal(
        back, image if channels == 3 else image[..., 0]
    )


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("channels", [1, 3])
def test_any_stored_bytes_are_decoded_as_the_reference_does(path, kind, channels):
    rng = np.random.default_rng(kind)
    rows, cols = 9, 11
    stored = b"".join(bytes([kind]) + rng.bytes(cols * channels) for _ in range(rows))
    expected = reference(stored, rows, cols, channels)
    assert np.array_equal(
        read(path, encoded(stored, rows, cols, channels)).reshape(rows, cols, channels),
        expected,
    )


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (1, 1), (300, 2, 3)])
def test_the_package_reads_its_own_images(path, shape):
    image = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    write_png(path, image)
    assert np.array_equal(read_png(path), image)


def test_chunks_that_are_not_needed_are_skipped(path):
    more = (
        chunk(b"tEXt", b"Title\0x")
        + chunk(b"gAMA", bytes(4))
        + chunk(b"PLTE", bytes(6))
    )
    data = (
        encoded(filtered(np.full((2, 2, 3), 9, np.uint8), [0, 0]), 2, 2, 3, more=more)
        + b"after the end"
    )
    assert (read(path, data) == 9).all()


def test_of_equally_near_neighbors_paeth_takes_the_left_then_the_upper_one(path):
    """Worked by hand: with the corner c = 10, a = 8 and b = 11 are 1, 2 and 1 away from
    a + b - c = 9: a, not c. With a = 11 and b = 8 they are 2, 1 and 1 away: b."""
    for a, b, expected in (8, 11, 8), (11, 8, 8):
        image = np.array([[10, b], [a, expected]], np.uint8)[..., None]
        stored = filtered(image, [0, 0])[:-1] + b"\0"  # the last pixel: as predicted
        stored = stored[:3] + bytes([4, (a - 10) % 256, 0])
        assert read(path, encoded(stored, 2, 2, 1))[1, 1] == expected


# Every kind of pixel, against values written out by hand


def packed(values, bits):
    """Rows of values -> the bytes of a PNG's rows, without a filter."""
    rows = b""
    for row in values:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows += b"\0" + bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    return rows


@pytest.mark.parametrize(
    "bits, color, values, extra, expected, removed",
    [
        (1, 0, [[0, 1, 1], [1, 0, 0]], b"", [[0, 255, 255], [255, 0, 0]], set()),
        (2, 0, [[0, 1, 2, 3, 3]], b"", [[0, 85, 170, 255, 255]], set()),
        (4, 0, [[0, 1, 15]], b"", [[0, 17, 255]], set()),
        (16, 0, [[0, 128, 129, 65535]], b"", [[0, 0, 1, 255]], {"16 bits"}),
        (16, 2, [[257, 514, 65535]], b"", [[[1, 2, 255]]], {"16 bits"}),
        # gray + alpha over white: opaque, half gone, all gone
        (8, 4, [[9, 255, 0, 51, 7, 0]], b"", [[9, 204, 255]], {"transparency"}),
        (8, 6, [[1, 2, 3, 255, 0, 0, 0, 0]], b"", [[[1, 2, 3], [255] * 3]],
         {"transparency"}),
        # a palette of colors, of grays, and with a transparent entry
        (2, 3, [[1, 0, 1]], chunk(b"PLTE", bytes([1, 2, 3, 4, 5, 6])),
         [[[4, 5, 6], [1, 2, 3], [4, 5, 6]]], set()),
        (1, 3, [[1, 0]], chunk(b"PLTE", bytes([7, 7, 7, 9, 9, 9])), [[9, 7]], set()),
        (8, 3, [[0, 1]],
         chunk(b"PLTE", bytes([7, 7, 7, 9, 9, 9])) + chunk(b"tRNS", b"\0"),
         [[255, 9]], {"transparency"}),
        # one color that is transparent, of 4 bits
        (4, 0, [[3, 5]], chunk(b"tRNS", b"\0\3"), [[255, 85]], {"transparency"}),
    ],
)  # fmt: skip
def test_every_kind_of_pixel_becomes_gray_or_rgb(
    path, bits, color, values, extra, expected, removed
):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    start = header(len(values), len(values[0]) // channels, bits=bits, color=color)
    path.write_bytes(SIGNATURE + start + extra + body(packed(values, bits)))
    image, found = read_png_kind(path)
    assert image.dtype == np.uint8
    assert image.tolist() == expected
    assert found == removed


def test_a_large_image_of_paeth_rows_takes_seconds(path):
    """Each pixel is computed with its diagonal: 2,048 x 2,048 of them, well below the
    20 s that they take one by one."""
    rng, side = np.random.default_rng(0), 2048
    stored = np.full((side, 1 + side), 4, np.uint8)
    stored[:, 1:] = rng.integers(3, size=(side, side))
    started = time.process_time()
    image = read(path, encoded(stored.tobytes(), side, side, 1))
    assert time.process_time() - started < 5
    part = np.ascontiguousarray(stored[:30, :31]).tobytes()  # needs nothing beyond it
    assert np.array_equal(image[:30, :30], reference(part, 30, 30, 1)[..., 0])


# What is refused

STORED = filtered(np.arange(6, dtype=np.uint8).reshape(2, 3, 1), [0, 1])
VALID = encoded(STORED, 2, 3, 1)


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "is not a PNG file: it begins with nothing"),
        (b"\xff\xd8\xff\xe0JFIF", "is not a PNG file: it begins with ff d8 ff e0"),
        (SIGNATURE, "is truncated"),
        (
            SIGNATURE + body(STORED),
            "is damaged: it does not begin with a header of 13 bytes",
        ),
        (
            SIGNATURE + header(2, 3, bits=3) + body(STORED),
            "is damaged: its header is not one of PNG",
        ),
        (
            SIGNATURE + header(2, 3, bits=4, color=2) + body(STORED),
            "is damaged: its header is not one of PNG",
        ),
        (
            SIGNATURE + header(2, 3, interlaced=1) + body(STORED),
            "is interlaced; save it without interlacing",
        ),
        (
            SIGNATURE + header(2, 3, color=3) + body(STORED),
            "is damaged: a pixel has color 5 of 0",
        ),
        (
            SIGNATURE + header(2, 3, color=1) + body(STORED),
            "is damaged: its header is not one of PNG",
        ),
        (
            SIGNATURE + header(2, 3, compression=1) + body(STORED),
            "is damaged: its header",
        ),
        (
            SIGNATURE + header(2, 3, filtering=1) + body(STORED),
            "is damaged: its header",
        ),
        (
            SIGNATURE + header(2, 3, interlaced=2) + body(STORED),
            "is damaged: its header",
        ),
        (SIGNATURE + header(0, 3) + body(b""), "declares 0 x 3 pixels"),
        (
            SIGNATURE + header(2**31, 2**31) + body(STORED),
            "declares 2,147,483,648 x 2,147,483,648 pixels; at most",
        ),
        (
            SIGNATURE + header(1, 2**14 + 1) + body(STORED),
            "declares 1 x 16,385 pixels; at most .*, and no side above 16,384",
        ),
        (
            SIGNATURE + header(2, 3) + chunk(b"tRNS", b"\1") + body(STORED),
            "is damaged: its transparent color is not one",
        ),
        (
            SIGNATURE + header(2, 3) + chunk(b"ABCD", b"") + body(STORED),
            "has a chunk 'ABCD', which is not known",
        ),
        (
            SIGNATURE + header(2, 3) + struct.pack(">I4s", 2**31, b"IDAT"),
            "declares a chunk of 2,147,483,648 bytes",
        ),
        (
            SIGNATURE + header(2, 3) + body(STORED[:-1]),
            "need 8 bytes, but only 7 are present",
        ),
        (
            SIGNATURE + header(2, 3) + body(STORED + b"\0"),
            "need 8 bytes, but there are more",
        ),
        (
            SIGNATURE + header(2, 3) + body(b"\5" + STORED[1:]),
            "a row has filter 5; expected 0 to 4",
        ),
        (
            SIGNATURE
            + header(2, 3)
            + chunk(b"IDAT", zlib.compress(STORED)[:-4])
            + chunk(b"IEND", b""),
            "no end",
        ),
        (
            SIGNATURE + header(2, 3) + chunk(b"IDAT", b"no zlib") + chunk(b"IEND", b""),
            "incorrect header check",
        ),
        (
            VALID[:40] + bytes([VALID[40] ^ 1]) + VALID[41:],
            "the checksum of its .* chunk does not match|declares a chunk",
        ),
    ],
)
def test_the_error_names_the_file_and_what_is_wrong(path, data, message):
    with pytest.raises(PngError, match=f"^{path}: .*({message})") as error:
        read(path, data)
    assert "\n" not in str(error.value)


def test_every_truncation_and_every_changed_byte_is_refused(path):
    """CRC-32 sees every change of up to 32 bits in a row; a changed length or signature
    is no PNG.
    """
    for length in range(len(VALID)):
        with pytest.raises(PngError):
            read(path, VALID[:length])
    for i, change in itertools.product(range(len(VALID)), (1, 128, 255)):
        with pytest.raises(PngError):
            read(path, VALID[:i] + bytes([VALID[i] ^ change]) + VALID[i + 1 :])


def test_the_largest_number_of_pixels_is_read_and_one_more_is_not(path):
    path.write_bytes(VALID)
    assert read_png(path, max_pixels=6).shape == (2, 3)
    with pytest.raises(PngError, match="at most 5"):
        read_png(path, max_pixels=5)


def test_a_bomb_is_not_unpacked(path):
    bomb = zlib.compress(bytes(10**7))
    with pytest.raises(PngError, match="need 8 bytes, but there are more"):
        read(
            path,
            SIGNATURE + header(2, 3) + chunk(b"IDAT", bomb) * 3 + chunk(b"IEND", b""),
        )


def test_what_is_no_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for name, message in (
        ("pipe.png", "is not a regular file"),
        (".", "Is a directory"),
        ("none.png", "No such file"),
    ):
        with pytest.raises(PngError, match=f"cannot be read: {message}"):
            read_png(tmp_path / name)
