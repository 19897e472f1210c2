"""IDX, the file format of MNIST: one array.

    bytes    meaning
    0, 1     always zero
    2        type of the elements: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64
    3        number of dimensions d
    4 …      d sizes, four bytes each
    …        the elements, the last index fastest

All numbers are big-endian. The header fixes the length of the file, so a strict reader recognizes truncated, padded or
foreign files. The file may be gzipped; gzip is recognized by its first bytes (1f 8b), not by the file's name.

The header is not trusted: 20 bytes can claim 2 GB, and 10 MB of gzip can unpack to 10 GB. So memory grows with the
bytes actually read, and reading stops one byte past the size that the header declares.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from ..errors import InputError
from ..files import atomic_write, open_regular

TYPES = {
    code: np.dtype(name)
    for code, name in {
        0x08: ">u1",
        0x09: ">i1",
        0x0B: ">i2",
        0x0C: ">i4",
        0x0D: ">f4",
        0x0E: ">f8",
    }.items()
}
CHUNK_SIZE = 2**16
MAX_DIMENSIONS = 64  # NumPy's own limit; the format's is 255


class IdxError(InputError):
    """A file that is not IDX, truncated, or too large; or an array that IDX cannot represent."""


def read_idx(path: str | os.PathLike, max_bytes: int = 2**31) -> np.ndarray:
    """Read the array in an IDX file, gzipped or not; it is writable and in the machine's byte order.

    Raises IdxError, and nothing else, for a file that cannot be opened, is not a regular file, is not IDX, is too short
    or too long, or declares more than `max_bytes` of elements (which is refused before anything is allocated).
    """
    try:
        with open_maybe_gzip(path) as stream:
            dtype, shape = _read_header(stream, path)
            size = dtype.itemsize * math.prod(max(n, 1) for n in shape)
            if size > max_bytes:
                raise IdxError(
                    f"{path}: the header declares {shape} {dtype.name}, {size:,} bytes; "
                    f"at most {max_bytes:,} are read"
                )
            size = size if all(shape) else 0
            data = bytearray()
            while len(data) <= size and (
                chunk := stream.read(min(CHUNK_SIZE, size + 1 - len(data)))
            ):
                data += chunk
    except (OSError, EOFError, zlib.error) as error:
        raise IdxError(
            f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    if len(data) != size:
        found = (
            f"only {len(data):,} are present" if len(data) < size else "there are more"
        )
        raise IdxError(
            f"{path}: the header declares {shape} {dtype.name}, {size:,} bytes of elements, but {found}"
        )
    array = np.ndarray(shape, dtype, buffer=data)
    return (
        array
        if dtype.isnative
        else array.byteswap(inplace=True).view(dtype.newbyteorder("="))
    )


def write_idx(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write an array as IDX, atomically; gzipped, without a timestamp, if the name ends in .gz. Deterministic.

    Raises IdxError for a dtype or a size that IDX cannot represent, OSError when the file cannot be written.
    """
    array = np.asarray(array)
    code = next(
        (
            code
            for code, dtype in TYPES.items()
            if dtype == array.dtype.newbyteorder(">")
        ),
        None,
    )
    if code is None:
        raise IdxError(
            f"{path}: IDX has no type for {array.dtype}; it has "
            + ", ".join(dtype.name for dtype in TYPES.values())
        )
    if max(array.shape, default=0) >= 2**32:
        raise IdxError(
            f"{path}: a size of {max(array.shape):,} does not fit the four bytes that IDX has for it"
        )
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    data = header + array.astype(TYPES[code]).tobytes()
    with atomic_write(path) as file:
        if str(path).endswith(".gz"):
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                packed.write(data)
        else:
            file.write(data)


@contextmanager
def open_maybe_gzip(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Yield a stream of a regular file's bytes, gunzipped if they begin as gzip does."""
    with open_regular(path) as file:
        if file.peek(2)[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=file) as stream:
                yield stream
        else:
            yield file


def _read_header(
    stream: BinaryIO, path: str | os.PathLike
) -> tuple[np.dtype, tuple[int, ...]]:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        raise IdxError(
            f"{path}: not an IDX file: it begins with {start.hex(' ') or 'nothing'}; expected 00 00, "
            f"a type ({', '.join(f'{code:02x}' for code in TYPES)}) and the number of dimensions"
        )
    dtype, ndim = TYPES[start[2]], start[3]
    if ndim > MAX_DIMENSIONS:
        raise IdxError(
            f"{path}: the header declares {ndim} dimensions; NumPy holds at most {MAX_DIMENSIONS}"
        )
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise IdxError(
            f"{path}: the header declares {ndim} dimensions, "
            f"but ends after {len(sizes) // 4} of their sizes"
        )
    return dtype, struct.unpack(f">{ndim}I", sizes)
