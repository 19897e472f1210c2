"""PNG, read: gray, RGB or a palette, with or without transparency; not interlaced.

    signature    89 50 4E 47 0D 0A 1A 0A
    chunks       length (4 bytes), type (4 letters), data, CRC-32 of type and data
                 IHDR first: width, height, bits, color type, 0, 0, interlaced
                 PLTE: the palette, 3 bytes a color;    tRNS: what is transparent
                 IDAT: one zlib stream, maybe in several chunks;    IEND last

The stream holds rows from the top, each one byte for its filter and then its bytes. A
filter predicts a byte x from its neighbors and stores the difference modulo 256. With a
the same byte of the pixel to the left, b above, c above a (0 outside the image):

    0 None       x = stored                  3 Average    x = stored + ⌊(a + b) / 2⌋
    1 Sub        x = stored + a              4 Paeth      x = stored + the nearest of
    2 Up         x = stored + b                           a, b, c to a + b − c; of
                                                          equals a first, then b

Average and Paeth need the result to the left, so a row cannot be computed at once. But
pixels with the same row + column need only earlier diagonals: those are.

What the model does not need is removed. 16 bits become 8, v → round(v / 257). An opaque
share α over a white background leaves α·v + (1 − α)·255.

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
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # gray, RGB, palette, gray + α, RGB + α
BITS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
MAX_SIDE = 2**14  # the number of diagonals, and with it the time, is limited


class PngError(InputError):
    """A file that is not PNG, damaged, or of a kind that is not read."""


def read_png(path: str | os.PathLike, max_pixels: int = 2**26) -> np.ndarray:
    """Read a PNG file over white: uint8 (rows, cols) if gray, (rows, cols, 3) if RGB.

    Raises PngError, and nothing else, for a file that cannot be opened, is damaged,
    truncated or interlaced, or declares more than `max_pixels` or a longer side.
    """
    return read_png_kind(path, max_pixels)[0]


def read_png_kind(
    path: str | os.PathLike, max_pixels: int = 2**26
) -> tuple[np.ndarray, set[str]]:
    """`read_png`, and what was removed: "transparency", "16 bits", both or nothing."""
    try:
        with open_regular(path) as file:
            return _read(file, max_pixels)
    except OSError as error:
        raise PngError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, zlib.error) as error:
        raise PngError(f"{path}: {error}") from error


def _read(file: BinaryIO, max_pixels: int) -> tuple[np.ndarray, set[str]]:
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
    if bits not in BITS.get(color, ()) or compression or filtering or interlaced > 1:
        raise InputError("is damaged: its header is not one of PNG")
    if interlaced:
        raise InputError("is interlaced; save it without interlacing")
    if not 0 < rows * cols <= max_pixels or max(rows, cols) > MAX_SIDE:
        raise InputError(
            f"declares {rows:,} x {cols:,} pixels; at most {max_pixels:,} are read, "
            f"at least one, and no side above {MAX_SIDE:,}"
        )
    depth = bits * CHANNELS[color]  # of a pixel, in bits
    width = -(-cols * depth // 8)  # of a row, in bytes
    size = rows * (1 + width)
    unpacker, data = zlib.decompressobj(), bytearray()
    extra = {b"PLTE": b"", b"tRNS": b""}
    for kind, chunk in chunks:
        if kind == b"IDAT":
            if len(data) <= size:
                data += unpacker.decompress(chunk, size + 1 - len(data))
        elif kind in extra:
            extra[kind] = chunk
        elif kind[:1].isupper() and kind != b"IEND":  # a capital: needed to show it
            raise InputError(
                f"has a chunk {kind.decode('latin-1')!r}, which is not known here"
            )
    if len(data) != size:
        found = "there are more"
        if len(data) < size:
            found = f"only {len(data):,} are present"
        raise InputError(
            f"is damaged: {rows} x {cols} pixels need {size:,} bytes, but {found}"
        )
    if not unpacker.eof:
        raise InputError("is truncated: its compressed data has no end")
    lines = np.frombuffer(data, np.uint8).reshape(rows, 1 + width)
    bytes_ = _unfilter(lines, max(1, depth // 8))
    values = _values(bytes_, bits).reshape(rows, -1)[:, : cols * CHANNELS[color]]
    pixels, alpha = _colors(
        values.reshape(rows, cols, -1), bits, color, extra[b"PLTE"], extra[b"tRNS"]
    )
    removed = {"16 bits"} if bits == 16 else set()
    if alpha is not None:
        removed.add("transparency")
        share = alpha[..., None] / 255
        pixels = np.rint(share * pixels + (1 - share) * 255).astype(np.uint8)
    return (pixels[..., 0] if pixels.shape[-1] == 1 else pixels), removed


def _chunks(file: BinaryIO, limit: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, data) up to IEND, each with its CRC checked."""
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
                f"is damaged: the checksum of its {kind.decode('latin-1')!r} chunk "
                "does not match"
            )
        yield kind, data


def _unfilter(lines: np.ndarray, unit: int) -> np.ndarray:
    """Undo the filters: (rows, 1 + n) stored bytes -> (rows, n) bytes.

    unit   the bytes of a pixel, or 1: how far to the left a is
    """
    kinds, stored = lines[:, 0], lines[:, 1:]
    if kinds.max() > 4:
        raise InputError(
            f"is damaged: a row has filter {kinds[kinds > 4][0]}; expected 0 to 4"
        )
    if kinds.max() > 2:
        return _by_diagonals(stored, kinds, unit)
    x, above = np.empty_like(stored), np.zeros(stored.shape[1], np.uint8)
    for kind, line, row in zip(kinds, stored, x, strict=True):
        row[:] = line
        if kind == 1:  # the sum of all that is stored up to there, modulo 256
            pixels = line.reshape(-1, unit)
            row[:] = np.add.accumulate(pixels, axis=0, dtype=np.uint8).reshape(-1)
        elif kind == 2:
            row += above
        above = row
    return x


def _by_diagonals(stored: np.ndarray, kinds: np.ndarray, unit: int) -> np.ndarray:
    """All pixels with the same row + column at once."""
    rows, cols = len(stored), stored.shape[1] // unit
    stored = stored.reshape(-1, unit)
    x = np.zeros(((rows + 1) * (cols + 1), unit), np.uint8)  # zeros above and left
    for diagonal in range(rows + cols - 1):
        first = max(0, diagonal - cols + 1)
        count = min(rows, diagonal + 1) - first
        source = first * cols + diagonal - first
        target = (first + 1) * (cols + 1) + diagonal - first + 1

        def along(start: int, n: int = count) -> slice:  # one row down, one column left
            return slice(start, start + (n - 1) * cols + 1, cols)

        a = x[along(target - 1)].astype(np.int16)
        b = x[along(target - cols - 1)].astype(np.int16)
        c = x[along(target - cols - 2)].astype(np.int16)
        to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
        nearest = np.where(to_b <= to_c, b, c)
        nearest = np.where((to_a <= to_b) & (to_a <= to_c), a, nearest)
        kind = kinds[first : first + count, None]
        guess = np.choose(kind, (np.zeros_like(a), a, b, (a + b) // 2, nearest))
        step = max(1, cols - 1)
        byte = stored[source : source + (count - 1) * step + 1 : step]
        x[along(target)] = byte + guess.astype(np.uint8)
    return x.reshape(rows + 1, cols + 1, unit)[1:, 1:].reshape(rows, -1)


def _values(data: np.ndarray, bits: int) -> np.ndarray:
    """(rows, bytes) -> (rows, values): 8 in a byte for 1 bit, the first on top."""
    if bits == 16:
        return data.view(">u2")
    if bits == 8:
        return data
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    return (data[..., None] >> shifts) & np.uint8(2**bits - 1)


def _colors(
    values: np.ndarray, bits: int, color: int, palette: bytes, transparent: bytes
) -> tuple[np.ndarray, np.ndarray | None]:
    """Values (rows, cols, channels) -> bytes, gray or RGB, and α or None."""
    if color == 3:
        colors = np.frombuffer(palette[: len(palette) // 3 * 3], np.uint8)
        colors = colors.reshape(-1, 3)
        if len(colors) <= values.max():
            raise InputError(
                f"is damaged: a pixel has color {values.max()} of {len(colors)}"
            )
        alpha = np.full(len(colors), 255, np.uint8)
        given = np.frombuffer(transparent, np.uint8)[: len(colors)]
        alpha[: len(given)] = given
        if (colors == colors[:, :1]).all():  # shades of gray
            colors = colors[:, :1]
        index = values[..., 0]
        return colors[index], alpha[index] if transparent else None
    pixels, top = values, 2**bits - 1
    if bits != 8:  # round(255 v / top)
        pixels = ((values.astype(np.uint32) * 510 + top) // (2 * top)).astype(np.uint8)
    if color in (4, 6):
        return pixels[..., :-1], pixels[..., -1]
    if not transparent:
        return pixels, None
    if len(transparent) != 2 * values.shape[-1]:
        raise InputError("is damaged: its transparent color is not one")
    one = np.frombuffer(transparent, ">u2")
    return pixels, np.where((values == one).all(axis=-1), 0, 255)
