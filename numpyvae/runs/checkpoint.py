"""Checkpoints: loading returns exactly what was saved, or raises CheckpointError.

A checkpoint is a NumPy .npz file, a zip of .npy arrays, which `numpy.load` opens too:

    format         the version of this layout
    meta           everything that is not an array, as JSON text: configuration,
                   generator, epoch, history …
    (the arrays)   each under its own name: the parameters, and Adam's m and v
                   (see record)
    sha256         JSON text: the name of every member but this one, with
                   SHA-256(name, dtype, shape, bytes)

`numpy.load` alone is not sufficient: with a flipped bit it may return wrong numbers,
raise many exceptions, or allocate as much as the header claims. So here members are
stored, not compressed, and are together no larger than the file. A shape must account
for its member's bytes exactly. There are no pickles. The names are those that `sha256`
lists, and every digest must agree. A flipped bit is detected unless it is in an unused
field (a date in the zip).

`save` writes the complete file beside the old one and renames it (see files). So a run
that is killed during a save, or whose disk is full, keeps the previous checkpoint.
"""

import hashlib
import io
import json
import math
import os
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InputError
from ..files import atomic_write, open_regular

FORMAT = 2
RESERVED = ("format", "meta", "sha256")


class CheckpointError(InputError):
    """A checkpoint that cannot be read, is damaged, or could not be saved."""


def save(
    path: str | os.PathLike, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]
) -> None:
    """Write numeric arrays and anything that JSON can hold; the same state gives the
    same bytes.

    Raises CheckpointError when the file cannot be written (the previous one stays
    intact), ValueError or TypeError for values that cannot be stored.
    """
    members = {"format": np.array(FORMAT), "meta": np.array(json.dumps(meta))}
    for name, array in arrays.items():
        array = np.asarray(array, order="C")
        taken = name in (*RESERVED, "file", "allow_pickle")
        if taken or not re.fullmatch(r"[\w./-]+", name, re.ASCII):
            raise InputError(f"{name!r} cannot be the name of an array in a checkpoint")
        if array.dtype.kind not in "biufc":
            raise InputError(
                f"the array {name!r} is of {array.dtype}; a checkpoint holds numbers"
            )
        members[name] = array
    digests = {name: _digest(name, array) for name, array in members.items()}
    members["sha256"] = np.array(json.dumps(digests))
    buffer = io.BytesIO()
    np.savez(buffer, **members)  # type: ignore[arg-type]
    try:
        with atomic_write(path) as file:
            file.write(buffer.getbuffer())
    except OSError as error:
        raise CheckpointError(
            f"{path}: the checkpoint could not be saved: {error.strerror}; "
            "the previous checkpoint is intact"
        ) from error


def load(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays, meta) exactly as they were saved (meta as JSON gives it back: tuples are
    lists).

    Raises CheckpointError, and nothing else, for a file that is missing, damaged,
    hostile, or of another format.
    """
    try:
        # not a pipe or a device, which may have no end
        with open_regular(path) as file:
            data = file.read()
        return _read(data)
    except OSError as error:
        raise CheckpointError(
            f"{path}: the checkpoint cannot be read: {error.strerror}"
        ) from error
    except Exception as error:  # zipfile and NumPy raise many types for a damaged file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"{path}: not a valid numpyvae checkpoint: {reason}"
        ) from error


def _read(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise InputError("a member is compressed; expected all of them stored")
        if sum(entry.file_size for entry in entries) > len(data):
            raise InputError("the members declare more bytes than the file has")
        members = {
            entry.filename.removesuffix(".npy"): _read_array(archive.read(entry))
            for entry in entries
        }
    if missing := set(RESERVED) - set(members):
        raise InputError(f"there is no member {', '.join(sorted(missing))}")
    digests = json.loads(members.pop("sha256").item())
    if digests.keys() != members.keys() or len(entries) != len(members) + 1:
        raise InputError("the members do not match the list")
    for name, array in members.items():
        if digests[name] != _digest(name, array):
            raise InputError(f"{name!r} has the wrong SHA-256")
    if (version := members.pop("format").item()) != FORMAT:
        raise InputError(
            f"its format is {version}; this version of numpyvae reads format {FORMAT}"
        )
    return members, json.loads(members.pop("meta").item())


def _read_array(member: bytes) -> np.ndarray:
    """The array of a .npy file.

    numpy.load would allocate what the header declares before reading.
    """
    stream = io.BytesIO(member)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise InputError("a member is not of version 1.0 of the .npy format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.kind not in "biufcU" or fortran_order:
        raise InputError(
            f"a member is of {dtype}, fortran_order {fortran_order}; expected numbers "
            "in C order"
        )
    if math.prod(shape) * dtype.itemsize != len(member) - stream.tell():
        raise InputError(
            f"a member declares {shape} {dtype} but has "
            f"{len(member) - stream.tell():,} bytes"
        )
    return np.ndarray(shape, dtype, buffer=member, offset=stream.tell()).copy()


def _digest(name: str, array: np.ndarray) -> str:
    return hashlib.sha256(
        json.dumps([name, array.dtype.str, array.shape]).encode() + array.tobytes()
    ).hexdigest()


# A generator is part of a training state: with it a resumed run samples the same
# numbers as an uninterrupted one.


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """The state of a PCG64 generator as JSON can hold it.

    Its two 128-bit integers are text.
    """
    state = rng.bit_generator.state
    if state["bit_generator"] != "PCG64":
        raise InputError(
            f"the generator is a {state['bit_generator']}; expected a PCG64, as "
            "default_rng gives"
        )
    numbers = {name: str(value) for name, value in state["state"].items()}
    return {**state, "state": numbers}


def restore_generator(state: Mapping[str, Any]) -> np.random.Generator:
    """The generator in the state that `generator_state` returned.

    Raises CheckpointError for anything else.
    """
    rng = np.random.Generator(np.random.PCG64(0))
    try:
        rng.bit_generator.state = {
            **state,
            "state": {name: int(text) for name, text in state["state"].items()},
        }
        if generator_state(rng) != dict(state):
            raise InputError("its numbers are out of range")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CheckpointError(
            f"the generator's state is not one of PCG64's: {error}"
        ) from error
    return rng
