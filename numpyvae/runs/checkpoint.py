"""Checkpoints: what was saved comes back to the bit, or an error comes back; never anything else.

A checkpoint is a NumPy .npz file, that is a zip of .npy arrays, which `numpy.load` opens too:

    format         the version of this layout
    meta           everything that is not an array, as JSON text: configuration, generator, epoch, batch …
    (the arrays)   each under its own name
    sha256         JSON text: the name of every member but this one, with SHA-256(name, dtype, shape, bytes)

`numpy.load` alone would not do. Of a file with one bit flipped it may return wrong numbers, raise any of many
exceptions, or allocate what the file merely claims. So here members are stored, not compressed, and are together no
larger than the file; a shape must account for its member's bytes exactly; there are no pickles; the names are those
that `sha256` lists; and every digest must agree. A flipped bit is then found, or it sits where nothing is read (a date
in the zip).

`save` writes the whole file beside the old one and renames it (see atomic), so a run that is killed in a save, or
whose disk is full, still has the checkpoint before. Next: pictures.
"""

import hashlib
import io
import json
import math
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..files import replacing

FORMAT = 2
OWN = ("format", "meta", "sha256")


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, is not whole, or could not be saved."""


def save(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write numeric arrays and anything that JSON can hold; the same state gives the same bytes.

    Raises CheckpointError when the file cannot be written (one already there stays whole), ValueError or TypeError for
    a state that has no place in it.
    """
    members = {"format": np.array(FORMAT), "meta": np.array(json.dumps(meta))}
    for name, array in arrays.items():
        array = np.asarray(array, order="C")
        if name in (*OWN, "file", "allow_pickle") or not re.fullmatch(r"[\w./-]+", name, re.ASCII):
            raise ValueError(f"{name!r} cannot be the name of an array in a checkpoint")
        if array.dtype.kind not in "biufc":
            raise ValueError(f"the array {name!r} is of {array.dtype}; a checkpoint holds numbers")
        members[name] = array
    members["sha256"] = np.array(json.dumps({name: _digest(name, array) for name, array in members.items()}))
    file_image = io.BytesIO()
    np.savez(file_image, **members)
    try:
        with replacing(path) as file:
            file.write(file_image.getbuffer())
    except OSError as error:
        raise CheckpointError(f"{path}: the checkpoint could not be saved: {error.strerror}; "
                              "one that was there before is still whole") from error


def load(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(arrays, meta) exactly as they were saved (meta as JSON gives it back: tuples are lists).

    Raises CheckpointError, and nothing else, for a file that is missing, damaged, hostile, or of another format.
    """
    try:
        return _read(Path(path).read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path}: the checkpoint cannot be read: {error.strerror}") from error
    except Exception as error:                       # a broken zip has a dozen ways to fail, and all mean one thing
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(f"{path}: not a whole checkpoint of numpyvae: {reason}") from error


def _read(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("a member is compressed; expected all of them stored")
        if sum(entry.file_size for entry in entries) > len(data):
            raise ValueError("the members declare more bytes than the file has")
        members = {entry.filename.removesuffix(".npy"): _parse(archive.read(entry)) for entry in entries}
    if missing := set(OWN) - set(members):
        raise ValueError(f"there is no member {', '.join(sorted(missing))}")
    digests = json.loads(members.pop("sha256").item())
    if digests.keys() != members.keys() or len(entries) != len(members) + 1:
        raise ValueError("the members are not those that it lists")
    for name, array in members.items():
        if digests[name] != _digest(name, array):
            raise ValueError(f"{name!r} is not what was saved: its SHA-256 differs")
    if (version := members.pop("format").item()) != FORMAT:
        raise ValueError(f"its format is {version}; this version of numpyvae reads format {FORMAT}")
    return members, json.loads(members.pop("meta").item())


def _parse(member: bytes) -> np.ndarray:
    """A .npy file's array. numpy.load would allocate what the header declares, and then look how much is there."""
    stream = io.BytesIO(member)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("a member is not of version 1.0 of the .npy format")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.kind not in "biufcU" or fortran_order:
        raise ValueError(f"a member is of {dtype}, fortran_order {fortran_order}; expected numbers in C order")
    if math.prod(shape) * dtype.itemsize != len(member) - stream.tell():
        raise ValueError(f"a member declares {shape} {dtype} but has {len(member) - stream.tell():,} bytes")
    return np.ndarray(shape, dtype, buffer=member, offset=stream.tell()).copy()


def _digest(name: str, array: np.ndarray) -> str:
    return hashlib.sha256(json.dumps([name, array.dtype.str, array.shape]).encode() + array.tobytes()).hexdigest()


# A generator is part of a training state: with it a resumed run draws the very numbers that were due.

def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """The state of a PCG64 generator as JSON can hold it: its two 128-bit integers as text."""
    state = rng.bit_generator.state
    if state["bit_generator"] != "PCG64":
        raise ValueError(f"the generator is a {state['bit_generator']}; expected a PCG64, as default_rng gives")
    return state | {"state": {name: str(value) for name, value in state["state"].items()}}


def restore_generator(state: Mapping[str, Any]) -> np.random.Generator:
    """The generator that goes on where `generator_state` saw it. Raises CheckpointError for anything but its result."""
    rng = np.random.Generator(np.random.PCG64(0))
    try:
        rng.bit_generator.state = {**state, "state": {name: int(text) for name, text in state["state"].items()}}
        if generator_state(rng) != state:
            raise ValueError("its numbers are out of range")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CheckpointError(f"the generator's state is not one of PCG64's: {error}") from error
    return rng
