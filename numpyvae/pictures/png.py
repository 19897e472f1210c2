"""PNG files, still and animated, without an image library.

PNG is a signature and a row of chunks: four bytes of length, four of type, the data,
and a CRC-32 of type and data. Three types are enough for one image:

    IHDR    width, height, 8 bits per sample, color type (0 gray, 2 RGB), and three
            zeros (the only compression and filtering there are; not interlaced)
    IDAT    the rows from the top, each after one byte that names its filter (2: the
            difference to the row above, modulo 256), compressed by zlib
    IEND    empty

An animated PNG has three more. A program that does not know them shows the first frame:

    acTL    number of frames, number of times to play them (0: forever)
    fcTL    before each frame: sequence number, width, height, x, y, delay as a fraction
            of a second, two zeros (leave the frame standing; replace what was there)
    fdAT    as IDAT, after a sequence number, for each frame but the first

The sequence numbers count fcTL and fdAT together. The same frames give the same bytes
with the same zlib.

The rows of an enlarged image repeat, so most differences are zero, and zlib need only
look for runs of equal bytes (Z_RLE). Of a grid of 64 digits enlarged four times, that
makes 42 kB in 2 ms; without the filter, and with zlib's best and slowest search, it is
47 kB in 86 ms. So images can be written after every epoch.

Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)".
"""

import os
import struct
import zlib
from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from ..files import atomic_write

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def write_png(path: str | os.PathLike, image: np.ndarray) -> None:
    """Write uint8 pixels, gray (H, W) or color (H, W, 3), as a PNG file, atomically.
    ValueError names the path.
    """
    try:
        data = png_bytes(image)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    with atomic_write(path) as file:
        file.write(data)


def png_bytes(image: np.ndarray) -> bytes:
    """Encode uint8 pixels, gray (H, W) or color (H, W, 3), as a PNG file. Raises
    ValueError for anything else.
    """
    image = _checked(image)
    return (
        SIGNATURE
        + _header(image)
        + _chunk(b"IDAT", _compress(image))
        + _chunk(b"IEND", b"")
    )


def animated_png(
    frames: Sequence[np.ndarray],
    milliseconds: int = 200,
    last_milliseconds: int = 2000,
    plays: int = 0,
) -> bytes:
    """Encode uint8 frames of one size, each (H, W) or (H, W, 3), as an animated PNG.

    Each frame is shown for `milliseconds`, the last for `last_milliseconds`; plays = 0
    repeats forever. Raises ValueError if there is no frame, if frames differ in shape,
    if a delay is not from 1 to 65,535, or if plays is negative.
    """
    frames = [_checked(frame) for frame in frames]
    if not frames or any(frame.shape != frames[0].shape for frame in frames):
        shapes = sorted({frame.shape for frame in frames})
        raise InputError(
            f"an animation takes frames of one shape, at least one; not {shapes}"
        )
    if (
        not all(1 <= delay <= 65_535 for delay in (milliseconds, last_milliseconds))
        or plays < 0
    ):
        raise InputError(
            f"an animation takes delays from 1 to 65,535 ms and plays of 0 or more; "
            f"not {milliseconds}, {last_milliseconds} and {plays}"
        )
    height, width = frames[0].shape[:2]
    control = struct.pack(">II", len(frames), plays)
    chunks = [_header(frames[0]), _chunk(b"acTL", control)]
    sequence = 0
    for i, frame in enumerate(frames):
        delay = last_milliseconds if i == len(frames) - 1 else milliseconds
        chunks.append(
            _chunk(
                b"fcTL",
                struct.pack(
                    ">IIIIIHHBB", sequence, width, height, 0, 0, delay, 1000, 0, 0
                ),
            )
        )
        sequence += 1
        if i == 0:
            chunks.append(_chunk(b"IDAT", _compress(frame)))
        else:
            chunks.append(
                _chunk(b"fdAT", struct.pack(">I", sequence) + _compress(frame))
            )
            sequence += 1
    return SIGNATURE + b"".join(chunks) + _chunk(b"IEND", b"")


def _checked(image):
    image = np.asarray(image)
    if (
        image.dtype != np.uint8
        or image.ndim not in (2, 3)
        or image.shape[2:] not in ((), (3,))
        or image.size == 0
    ):
        raise InputError(
            f"an image is uint8 pixels of shape (H, W) or (H, W, 3), not {image.dtype} {image.shape}"
        )
    return image


def _header(image):
    height, width = image.shape[:2]
    return _chunk(
        b"IHDR",
        struct.pack(">IIBBBBB", width, height, 8, 0 if image.ndim == 2 else 2, 0, 0, 0),
    )


def _compress(image):
    pixels = image.reshape(len(image), -1)
    rows = np.full(
        (len(image), 1 + pixels.shape[1]), 2, np.uint8
    )  # column 0: filter 2, up
    rows[:, 1:] = pixels
    rows[1:, 1:] -= pixels[:-1]  # uint8 wraps around, as the filter does
    compressor = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return compressor.compress(rows.tobytes()) + compressor.flush()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return (
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
    )
