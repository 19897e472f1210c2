"""IDX, the file format of MNIST: one array.

    bytes    meaning
    0, 1     always zero
    2        type of the elements: 08 uint8, 09 int8, 0B int16, 0C int32,
             0D float32, 0E float64
    3        number of dimensions d
    4 …      d sizes, four bytes each
    …        the elements, the last index fastest

All numbers are big-endian. The header fixes the length of the file, so a strict reader
recognizes truncated, padded or foreign files. The file may be gzipped; gzip is
recognized by its first bytes (1f 8b), not by the file's name.

The header is not trusted: 20 bytes can claim 2 GB, and 10 MB of gzip can unpack to
10 GB. So memory grows with the bytes actually read, and reading stops one byte past the
size that the header declares.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

import gzip
import io
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

TYPES: dict[int, np.dtype] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
CHUNK_SIZE = 2**16
MAX_DIMENSIONS = 64  # NumPy's own limit; the format's is 255
MAX_EMPTY_MEMBERS = 1000  # of a gzip file, one after the other


class IdxError(InputError):
    """A file that is not IDX, truncated, or too large; or an array that IDX has no
    form for."""


def read_idx(path: str | os.PathLike, max_bytes: int = 2**31) -> np.ndarray:
    """Read the array in an IDX file, gzipped or not.

    The array is writable and in the machine's byte order. Raises IdxError, and nothing
    else, for a file that cannot be opened, is not a regular file, is not IDX, is too
    short or too long, or declares more than `max_bytes` of elements (which is refused
    before anything is allocated).
    """
    try:
        with open_maybe_gzip(path) as stream:
            dtype, shape = _read_header(stream, path)
            size = dtype.itemsize * math.prod(max(n, 1) for n in shape)
            if size > max_bytes:
                raise IdxError(
                    f"{path}: the header declares {shape} {dtype.name}, {size:,} "
                    f"bytes; at most {max_bytes:,} are read"
                )
            if 0 in shape:
                size = 0
            data = read_at_most(stream, size + 1)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise IdxError(f"{path}: cannot be read: {reason}") from error
    if len(data) != size:
        found = "there are more"
        if len(data) < size:
            found = f"only {len(data):,} are present"
        raise IdxError(
            f"{path}: the header declares {shape} {dtype.name}, {size:,} bytes of "
            f"elements, but {found}"
        )
    array = np.ndarray(shape, dtype, buffer=data)
    if dtype.isnative:
        return array
    return array.byteswap(inplace=True).view(dtype.newbyteorder("="))


def read_at_most(stream: BinaryIO, size: int) -> bytearray:
    """The next `size` bytes of a stream, or fewer if it ends before."""
    data = bytearray()
    while len(data) < size:
        chunk = stream.read(min(CHUNK_SIZE, size - len(data)))
        if not chunk:
            break
        data += chunk
    return data


def write_idx(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write an array as IDX, atomically; gzipped, without a time, if the name ends in
    .gz. The same array makes the same bytes.

    Raises IdxError for a dtype or a size that IDX cannot represent, OSError when the
    file cannot be written.
    """
    array = np.asarray(array)
    big_endian = array.dtype.newbyteorder(">")
    codes = [code for code, dtype in TYPES.items() if dtype == big_endian]
    if not codes:
        raise IdxError(
            f"{path}: IDX has no type for {array.dtype}; it has "
            + ", ".join(dtype.name for dtype in TYPES.values())
        )
    if max(array.shape, default=0) >= 2**32:
        raise IdxError(
            f"{path}: a size of {max(array.shape):,} does not fit the four bytes that "
            "IDX has for it"
        )
    header = struct.pack(
        f">BBBB{array.ndim}I", 0, 0, codes[0], array.ndim, *array.shape
    )
    data = header + array.astype(big_endian).tobytes()
    with atomic_write(path) as file:
        if str(path).endswith(".gz"):
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                packed.write(data)
        else:
            file.write(data)


@contextmanager
def open_maybe_gzip(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Yield a stream of a regular file's bytes, gunzipped if they begin as gzip."""
    with open_regular(path) as file:
        start = file.read(2)
        file.seek(0)
        if start == b"\x1f\x8b":
            yield io.BufferedReader(_Gunzip(file), CHUNK_SIZE)
        else:
            yield file


class _Gunzip(io.RawIOBase):
    """The unpacked bytes of a gzip file: its members, one after the other.

    OSError if they are damaged, or after MAX_EMPTY_MEMBERS members without a byte, each
    of which takes time.
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        self._unpacker = zlib.decompressobj(wbits=31)  # 31: with gzip's header and CRC
        self._empty = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while True:
            if self._unpacker.eof:
                packed = self._unpacker.unused_data or self._file.read(CHUNK_SIZE)
                packed = packed.lstrip(b"\0")  # zeros may follow a member
                if not packed:
                    return 0
                self._unpacker = zlib.decompressobj(wbits=31)
                self._empty += 1
                if self._empty > MAX_EMPTY_MEMBERS:
                    raise OSError(f"has {self._empty:,} empty gzip members in a row")
            else:
                packed = self._unpacker.unconsumed_tail or self._file.read(CHUNK_SIZE)
            try:
                data = self._unpacker.decompress(packed, len(buffer))
            except zlib.error as error:
                reason = str(error).rpartition(": ")[2]
                raise OSError(f"its gzip data is damaged: {reason}") from error
            if data:
                self._empty = 0
                buffer[: len(data)] = data
                return len(data)
            if not packed and not self._unpacker.eof:
                raise EOFError("its compressed data has no end")


def _read_header(
    stream: BinaryIO, path: str | os.PathLike
) -> tuple[np.dtype, tuple[int, ...]]:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        codes = ", ".join(f"{code:02x}" for code in TYPES)
        raise IdxError(
            f"{path}: not an IDX file: it begins with {start.hex(' ') or 'nothing'}; "
            f"expected 00 00, a type ({codes}) and the number of dimensions"
        )
    dtype, ndim = TYPES[start[2]], start[3]
    if ndim > MAX_DIMENSIONS:
        raise IdxError(
            f"{path}: the header declares {ndim} dimensions; NumPy holds at most "
            f"{MAX_DIMENSIONS}"
        )
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise IdxError(
            f"{path}: the header declares {ndim} dimensions, "
            f"but ends after {len(sizes) // 4} of their sizes"
        )
    return dtype, struct.unpack(f">{ndim}I", sizes)
