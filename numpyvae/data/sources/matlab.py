"""MATLAB's files of level 5 (-v6, -v7): the arrays of real numbers in them.

    header     128 bytes; the last four are the version, 01 00, and the order of bytes
    element    type and size, four bytes each; the data, filled up to eight bytes; or,
               if the data has at most four bytes: type, size (two bytes each), data
    type 15    an element, packed by zlib
    type 14    an array: its class and flags, its sizes, its name and its numbers, each
               an element; the first index is the fastest

Cells, structures, text, sparse and complex arrays are left out.

Source: The MathWorks, "MAT-File Format".
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from ...errors import InputError

MATRIX, COMPRESSED = 14, 15
NUMBERS = dict(
    zip(
        (1, 2, 3, 4, 5, 6, 7, 9, 12, 13),
        ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8", "i8", "u8"),
        strict=True,
    )
)
REAL_CLASSES = range(6, 16)  # double, single, and the integers
COMPLEX = 0x0800


def read_mat(data: bytes) -> dict[str, np.ndarray]:
    """{name: array} of a file's bytes; InputError if damaged or of version 7.3."""
    order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
    if order is None:
        raise InputError("is not a MATLAB file of level 5 (-v6, -v7)")
    if struct.unpack(f"{order}H", data[124:126]) != (0x0100,):
        raise InputError("is of MATLAB's version 7.3, which is HDF5; save it with -v7")
    arrays = {}
    for kind, body in _elements(data[128:], order):
        if kind == COMPRESSED:
            kind, body = _unpack(body, order)
        if kind == MATRIX:
            arrays.update(_matrix(body, order))
    return arrays


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield (type, data) of one element after the other."""
    place = 0
    while place + 8 <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        start = place + 8
        if kind >> 16:  # the short form
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
        if start + size > len(data):
            raise InputError("is truncated")
        yield kind, data[start : start + size]
        place = start + size
        if kind != COMPRESSED:
            place += -place % 8


def _unpack(packed: bytes, order: str) -> tuple[int, bytes]:
    """The element in a packed one, which is unpacked as far as its size says."""
    unpacker = zlib.decompressobj()
    start = unpacker.decompress(packed, 8)
    if len(start) < 8:
        raise InputError("is truncated")
    kind, size = struct.unpack(f"{order}II", start)
    body = unpacker.decompress(unpacker.unconsumed_tail, size) if size else b""
    if len(body) < size:
        raise InputError("is truncated")
    return kind, body


def _matrix(body: bytes, order: str) -> dict[str, np.ndarray]:
    """{name: array}, or nothing if the array is not of real numbers."""
    parts = list(_elements(body, order))
    flags = np.frombuffer(parts[0][1], f"{order}u4")[0] if parts else 0
    if len(parts) < 4 or flags & 0xFF not in REAL_CLASSES or flags & COMPLEX:
        return {}
    shape = np.frombuffer(parts[1][1], f"{order}i4").tolist()
    kind, data = parts[3]
    if kind not in NUMBERS or min(shape, default=0) < 0:
        raise InputError("is damaged: an array has no numbers or no sizes")
    values = np.frombuffer(data, order + NUMBERS[kind])
    values = values.astype(NUMBERS[kind]).reshape(shape, order="F")
    return {parts[2][1].decode("latin-1"): values}
