"""PNG, read: 8-bit gray or RGB, not interlaced, the kind that most programs write.

    signature    89 50 4E 47 0D 0A 1A 0A
    chunks       length (4 bytes), type (4 letters), data, CRC-32 of type and data (4 bytes)
                 IHDR first: width, height, bits, color type, 0, 0, interlaced
                 IDAT: one zlib stream, maybe in several chunks;    IEND last

The stream holds rows from the top, each one byte for its filter and then its bytes. A filter predicts a byte x from its
neighbors and stores the difference modulo 256. With a the same channel of the pixel to the left, b above, c above a
(0 outside the image):

    0 None       x = stored                  3 Average    x = stored + ⌊(a + b) / 2⌋
    1 Sub        x = stored + a              4 Paeth      x = stored + the nearest of a, b, c to a + b − c,
    2 Up         x = stored + b                           the first of them if several are equally near

Reading stops one byte past the size that the header declares.

Source: W3C, "Portable Network Graphics (PNG) Specification", sections 5, 9 and 11.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from ...errors import InputError
from ...files import open_regular

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3}  # color type: gray, RGB
REFUSED = {3: "a palette", 4: "an alpha channel (gray)", 6: "an alpha channel (RGB)"}


class PngError(InputError):
    """A file that is not PNG, damaged, or of a kind that is not read."""


def read_png(path: str | os.PathLike, max_pixels: int = 2**26) -> np.ndarray:
    """Read a PNG file: uint8 (rows, cols) if it is gray, (rows, cols, 3) if it is RGB.

    Raises PngError, and nothing else, for a file that cannot be opened, is damaged or truncated, has other than 8 bits,
    a palette, transparency or interlacing, or declares more than `max_pixels`.
    """
    try:
        with open_regular(path) as file:
            return _read(file, max_pixels)
    except OSError as error:
        raise PngError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, zlib.error) as error:
        raise PngError(f"{path}: {error}") from error


def _read(file: BinaryIO, max_pixels: int) -> np.ndarray:
    start = file.read(len(SIGNATURE))
    if start != SIGNATURE:
        raise InputError(
            f"is not a PNG file: it begins with {start.hex(' ') or 'nothing'}"
        )
    chunks = _chunks(file, limit=8 * max_pixels)
    kind, header = next(chunks)
    if kind != b"IHDR" or len(header) != 13:
        raise InputError("is damaged: it does not begin with a header of 13 bytes")
    cols, rows, bits, color, compression, filtering, interlaced = struct.unpack(
        ">IIBBBBB", header
    )
    if color in REFUSED:
        raise InputError(f"has {REFUSED[color]}; save it as 8-bit gray or RGB")
    if color not in CHANNELS or compression or filtering or interlaced > 1:
        raise InputError("is damaged: its header is not one of PNG")
    if bits != 8:
        raise InputError(f"has {bits} bits per channel; save it with 8")
    if interlaced:
        raise InputError("is interlaced; save it without interlacing")
    if not 0 < rows * cols <= max_pixels:
        raise InputError(
            f"declares {rows:,} x {cols:,} pixels; at most {max_pixels:,} are read, and at least one"
        )
    channels = CHANNELS[color]
    size = rows * (1 + cols * channels)
    unpacker, data = zlib.decompressobj(), bytearray()
    for kind, chunk in chunks:
        if kind == b"tRNS":
            raise InputError("has a transparent color; save it without transparency")
        if kind == b"IDAT":
            data += (
                unpacker.decompress(chunk, size + 1 - len(data))
                if len(data) <= size
                else b""
            )
        elif kind[:1].isupper() and kind not in (
            b"IEND",
            b"PLTE",
        ):  # a capital letter: needed to show the image
            raise InputError(
                f"has a chunk {kind.decode('latin-1')!r}, which is not known here"
            )
    if len(data) != size:
        found = (
            f"only {len(data):,} are present" if len(data) < size else "there are more"
        )
        raise InputError(
            f"is damaged: {rows} x {cols} pixels need {size:,} bytes, but {found}"
        )
    if not unpacker.eof:
        raise InputError("is truncated: its compressed data has no end")
    pixels = _unfilter(
        np.frombuffer(data, np.uint8).reshape(rows, 1 + cols * channels), channels
    )
    return pixels.reshape((rows, cols, channels) if channels > 1 else (rows, cols))


def _chunks(file: BinaryIO, limit: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, data) up to IEND, each with its CRC checked; ValueError if the file ends before."""
    kind = b""
    while kind != b"IEND":
        start = file.read(8)
        if len(start) < 8:
            raise InputError("is truncated: it ends without an IEND chunk")
        size, kind = struct.unpack(">I4s", start)
        if size > limit:
            raise InputError(
                f"declares a chunk of {size:,} bytes; at most {limit:,} are read"
            )
        data, crc = file.read(size), file.read(4)
        if len(crc) < 4:
            raise InputError("is truncated: it ends within a chunk")
        if zlib.crc32(kind + data) != int.from_bytes(crc, "big"):
            raise InputError(
                f"is damaged: the checksum of its {kind.decode('latin-1')!r} chunk does not match"
            )
        yield kind, data


def _unfilter(lines: np.ndarray, channels: int) -> np.ndarray:
    """Undo the filters: (rows, 1 + n) stored bytes -> (rows, n) bytes."""
    pixels = np.empty((len(lines), lines.shape[1] - 1), np.uint8)
    above = np.zeros(lines.shape[1] - 1, np.uint8)
    for line, x in zip(lines, pixels, strict=True):
        kind, stored = line[0], line[1:]
        if kind == 0:
            x[:] = stored
        elif kind == 1:  # x[i] is the sum of all that is stored up to i, modulo 256
            x.reshape(-1, channels)[:] = np.add.accumulate(
                stored.reshape(-1, channels), axis=0, dtype=np.uint8
            )
        elif kind == 2:
            x[:] = stored + above
        elif kind in (3, 4):
            x[:] = _sequential(
                stored.tolist(), above.tolist(), channels, paeth=kind == 4
            )
        else:
            raise InputError(f"is damaged: a row has filter {kind}; expected 0 to 4")
        above = x
    return pixels


def _sequential(
    stored: list[int], above: list[int], channels: int, paeth: bool
) -> list[int]:
    """Average and Paeth, byte by byte: each needs the result for the pixel to the left."""
    left, x = [0] * channels, []
    corner = left + above
    for i, (byte, b) in enumerate(zip(stored, above, strict=True)):
        a = x[i - channels] if i >= channels else 0
        x.append((byte + (_nearest(a, b, corner[i]) if paeth else (a + b) // 2)) % 256)
    return x


def _nearest(a: int, b: int, c: int) -> int:
    p = a + b - c
    return min(
        (a, b, c), key=lambda value: abs(p - value)
    )  # min returns the first of equals
