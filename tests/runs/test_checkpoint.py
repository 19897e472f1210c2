"""Checkpoints: loading returns exactly what was saved or raises CheckpointError; a
failed save changes nothing.
"""

import errno
import io
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
import zipfile
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpyvae import files as atomic
from numpyvae.runs.checkpoint import (
    CheckpointError,
    _digest,
    generator_state,
    load,
    restore_generator,
    save,
)

META = {
    "config": {"hidden": [400], "latent": 20, "activation": "relu"},
    "epoch": 3,
    "batch": 17,
    "loss": 0.1 + 0.2,
    "data": None,
    "name": 'ünï "quoted"\n',
    "big": 2**127 + 1,
}


def state(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "params": rng.normal(size=37).astype(np.float32),
        "m": rng.normal(size=(3, 4)),
        "step": np.array(seed),
        "order": rng.permutation(10),
    }, META | {"seed": seed, "rng": generator_state(rng)}


def same(a, b):
    return (
        a[1] == b[1]
        and a[0].keys() == b[0].keys()
        and all(
            a[0][k].dtype == b[0][k].dtype
            and a[0][k].shape == b[0][k].shape
            and a[0][k].tobytes() == b[0][k].tobytes()
            for k in a[0]
        )
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoint") / "checkpoint.npz"


# What is saved comes back

NUMBERS = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?")
)


@given(
    st.dictionaries(
        st.text("abcXYZ019_./-", min_size=1, max_size=6),
        hnp.arrays(
            NUMBERS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
        ),
        max_size=4,
    ),
    st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False)
            | st.text(max_size=5),
            lambda children: st.lists(children, max_size=3),
        ),
        max_size=4,
    ),
)
def test_any_arrays_and_any_json_come_back_bit_for_bit(path, arrays, meta):
    save(path, arrays, meta)
    back = load(path)
    assert same(back, (arrays, meta))
    assert all(
        array.flags.writeable and array.flags.c_contiguous for array in back[0].values()
    )


def test_the_order_in_memory_does_not_matter(path):
    array = np.arange(24.0).reshape(2, 3, 4)
    save(
        path,
        {"t": array.T, "strided": array[:, ::2], "fortran": np.asfortranarray(array)},
        {},
    )
    arrays, _ = load(path)
    assert np.array_equal(arrays["t"], array.T) and np.array_equal(
        arrays["strided"], array[:, ::2]
    )
    assert np.array_equal(arrays["fortran"], array)


def test_the_same_state_gives_the_same_bytes(path):
    save(path, *state())
    first = path.read_bytes()
    save(path, *state())
    assert path.read_bytes() == first


def test_numpy_opens_it_without_pickles(path):
    arrays, meta = state()
    save(path, arrays, meta)
    with np.load(path, allow_pickle=False) as file:
        assert set(file) == {"format", "meta", "sha256", *arrays}
        assert all(np.array_equal(file[name], arrays[name]) for name in arrays)
        assert json.loads(file["meta"].item()) == meta


@pytest.mark.parametrize(
    "name", ["meta", "sha256", "format", "file", "allow_pickle", "", "a\0b", "ä", "a:b"]
)
def test_a_name_that_cannot_be_stored_is_refused(path, name):
    with pytest.raises(
        ValueError, match="cannot be the name of an array in a checkpoint"
    ):
        save(path, {name: np.zeros(3)}, {})


@pytest.mark.parametrize(
    "array",
    [
        np.array([{}]),
        np.array(["text"]),
        np.array(["2020"], "M8[s]"),
        np.zeros(2, "i4,f8"),
    ],
)
def test_an_array_of_anything_but_numbers_is_refused(path, array):
    with pytest.raises(
        ValueError, match=r"the array 'a' is of .*; a checkpoint holds numbers"
    ):
        save(path, {"a": array}, {})


# Generators


def test_a_restored_generator_continues_where_it_was():
    rng = np.random.default_rng(3)
    rng.integers(
        10, size=3, dtype=np.uint32
    )  # an odd count leaves half of a 64-bit draw behind
    told = json.loads(json.dumps(generator_state(rng)))
    again = restore_generator(told)
    assert (
        all(type(value) is str for value in told["state"].values())
        and told["has_uint32"] == 1
    )
    assert (
        rng.integers(10, size=5, dtype=np.uint32).tolist()
        == again.integers(10, size=5, dtype=np.uint32).tolist()
    )
    assert rng.standard_normal(100).tolist() == again.standard_normal(100).tolist()
    assert rng.permutation(100).tolist() == again.permutation(100).tolist()


def test_a_generator_of_another_kind_is_refused():
    with pytest.raises(
        ValueError, match="the generator is a MT19937; expected a PCG64"
    ):
        generator_state(np.random.Generator(np.random.MT19937(0)))


@pytest.mark.parametrize(
    "change",
    [
        {"state": None},
        {"state": {"state": "1"}},
        {"bit_generator": "MT19937"},
        {"state": {"state": "1", "inc": "x"}},
        {"state": {"state": "1", "inc": str(2**128)}},
        {"uinteger": -1},
        {"uinteger": 2**40},
        {"has_uint32": "no"},
        {"more": 1},
    ],
)
def test_a_state_that_no_generator_has_is_refused(change):
    with pytest.raises(
        CheckpointError, match="the generator's state is not one of PCG64's"
    ):
        restore_generator(generator_state(np.random.default_rng(0)) | change)
    with pytest.raises(CheckpointError):
        restore_generator(None)


# What is damaged is refused


def outcome(path, data, *originals):
    """'error', or 'same' if one of the originals came back; anything else fails."""
    path.unlink(missing_ok=True)  # rewriting a file waits for the disk: 50 times slower
    path.write_bytes(data)
    try:
        back = load(path)
    except CheckpointError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        return "error"
    assert any(same(back, original) for original in originals)
    return "same"


def test_a_missing_file_and_a_directory_are_refused(tmp_path):
    with pytest.raises(
        CheckpointError, match=r"none.npz: the checkpoint cannot be read: No such file"
    ):
        load(tmp_path / "none.npz")
    with pytest.raises(
        CheckpointError, match="the checkpoint cannot be read: Is a directory"
    ):
        load(tmp_path)


def test_a_special_file_is_refused_before_it_is_read(tmp_path):
    """A pipe without a writer would wait forever, and /dev/zero has no end."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "link", "/dev/zero", "/dev/null"):
        with pytest.raises(
            CheckpointError,
            match="the checkpoint cannot be read: is not a regular file",
        ):
            load(path)


def test_memory_that_is_not_there_leaves_the_old_checkpoint(path, monkeypatch):
    save(path, *state(0))

    def no_memory(*arguments, **members):
        raise MemoryError

    monkeypatch.setattr(np, "savez", no_memory)
    with pytest.raises(MemoryError):
        save(path, *state(1))
    assert same(load(path), state(0))


def flips(data, every):
    for bit in range(0, 8 * len(data), every):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def splices(data, other, count, rng):
    """Pieces of one checkpoint in place of, or between, pieces of another or of itself."""
    for _ in range(count):
        donor = data if rng.integers(2) else other
        i, j = sorted(rng.integers(len(data) + 1, size=2))
        k, m = sorted(rng.integers(len(donor) + 1, size=2))
        yield (
            data[:i] + donor[i:j] + data[j:],
            data[:i] + donor[k:m] + data[j:],
            data[:i] + donor[k:m] + data[i:],
            data[:i] + donor[i:],
        )[rng.integers(4)]


def damage(path, every, cut_every, splice_count):
    save(path, *state(1))
    other = path.read_bytes()
    save(path, *state(0))
    data = path.read_bytes()
    counts = {}
    for kind, broken in (
        ("bit flips", flips(data, every)),
        ("truncations", (data[:n] for n in range(0, len(data), cut_every))),
        ("splices", splices(data, other, splice_count, np.random.default_rng(0))),
    ):
        found = [outcome(path, b, state(0), state(1)) for b in broken]
        counts[kind] = found.count("error"), found.count("same")
        print(
            f"{len(found):,} {kind}: {counts[kind][0]:,} refused, {counts[kind][1]:,} came back as saved"
        )
    assert counts["truncations"][1] == 0
    return counts


def test_a_damaged_checkpoint_is_refused_or_comes_back_as_saved(path):
    """A sample of what the next test does; about 1 s."""
    damage(path, every=53, cut_every=13, splice_count=150)


@pytest.mark.slow
def test_thousands_of_bit_flips_and_splices_and_every_truncation(path):
    """About 20 s."""
    counts = damage(path, every=3, cut_every=1, splice_count=5_000)
    assert sum(counts["bit flips"]) >= 10_000
    assert counts["bit flips"][0] > 0.7 * sum(
        counts["bit flips"]
    )  # the rest: dates and attributes in the zip


# What is hostile is refused: these files have digests that agree


def npy(array, shape=None, version=1, fortran=False):
    """A .npy member, whose header may claim another shape."""
    header = repr(
        {
            "descr": array.dtype.str,
            "fortran_order": fortran,
            "shape": array.shape if shape is None else shape,
        }
    )
    header = header.encode() + b"\n"
    return (
        b"\x93NUMPY"
        + bytes([version, 0])
        + len(header).to_bytes(2 if version == 1 else 4, "little")
        + header
        + (pickle.dumps(array) if array.dtype.hasobject else array.tobytes())
    )


def crafted(
    path,
    arrays=MappingProxyType({}),
    raw=MappingProxyType({}),
    compression=zipfile.ZIP_STORED,
    leave=(),
    list_more=(),
    version=2,
):
    members = {"format": np.array(version), "meta": np.array("{}"), **arrays}
    digests = {
        name: _digest(name, array) for name, array in members.items()
    } | dict.fromkeys(list_more, "0" * 64)
    members["sha256"] = np.array(json.dumps(digests))
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, array in members.items():
            if name not in leave:
                archive.writestr(
                    zipfile.ZipInfo(f"{name}.npy"),
                    raw.get(name, npy(array)),
                    compression,
                )
    return path


def refused(path, message):
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=message):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 5 * path.stat().st_size + 10**6
    finally:
        tracemalloc.stop()


def test_a_crafted_file_with_nothing_wrong_loads(path):
    assert same(load(crafted(path, {"a": np.arange(3.0)})), ({"a": np.arange(3.0)}, {}))


@pytest.mark.parametrize(
    "other",
    [
        np.array([1.0, 2.0, 4.0]),
        np.array([1, 2, 3]),
        np.arange(1.0, 4.0).reshape(1, 3),
        np.arange(1.0, 4.0).view(np.int64),
        np.arange(1.0, 4.0).astype(">f8"),
    ],
)
def test_an_array_in_place_of_another_is_refused(path, other):
    """The zip's own CRC agrees; value, shape and type are held by the digest."""
    array = np.array([1.0, 2.0, 3.0])
    refused(
        crafted(path, {"a": array}, raw={"a": npy(other)}), "'a' has the wrong SHA-256"
    )
    refused(
        crafted(
            path, {"a": array, "b": -array}, raw={"a": npy(-array), "b": npy(array)}
        ),
        "'a' has the wrong",
    )


def test_names_that_are_not_exactly_those_listed_are_refused(path):
    refused(
        crafted(path, {"a": np.zeros(3)}, leave=["a"]),
        "the members do not match the list",
    )
    refused(crafted(path, list_more=["b"]), "the members do not match the list")
    for name in "format", "meta", "sha256":
        refused(crafted(path, leave=[name]), f"there is no member {name}")
    np.savez(path, a=np.zeros(3))
    refused(path, "there is no member format, meta, sha256")
    crafted(path, {"a": np.zeros(3)})
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(path, "a") as archive,
    ):
        archive.writestr(zipfile.ZipInfo("a.npy"), npy(np.zeros(3)))
    refused(path, "the members do not match the list")


def test_another_format_is_refused_by_its_number(path):
    refused(
        crafted(path, version=1),
        "its format is 1; this version of numpyvae reads format 2",
    )


@pytest.mark.parametrize(
    "shape",
    [(10**9,), (2**62, 2**62), (4,), (2,), (-1,), (-3, -1), (1, 3, 0), (10**400,)],
)
def test_a_shape_without_its_bytes_is_refused_and_not_allocated(path, shape):
    array = np.zeros(3)
    refused(
        crafted(path, {"a": array}, raw={"a": npy(array, shape)}),
        "not a valid numpyvae checkpoint",
    )


def test_compressed_members_are_refused(path):
    refused(
        crafted(path, {"a": np.zeros(10**6)}, compression=zipfile.ZIP_DEFLATED),
        "a member is compressed",
    )


def test_members_that_declare_more_bytes_than_the_file_are_refused(path):
    data = crafted(path, {"a": np.zeros(3)}).read_bytes()
    size = len(npy(np.zeros(3))).to_bytes(4, "little")
    assert data.count(size + size) >= 2
    path.write_bytes(data.replace(size + size, (2**31).to_bytes(4, "little") * 2))
    refused(path, "the members declare more bytes than the file has")


def test_a_pickle_is_never_opened(path, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    array = np.array([Trap()], object)
    refused(crafted(path, {}, raw={"meta": npy(array)}), "a member is of object")
    assert not (tmp_path / "sprung").exists()


def test_members_that_are_not_plain_arrays_are_refused(path):
    for array in (np.zeros(2, "i4,f8"), np.zeros(2, "M8[s]"), np.array([b"x"])):
        refused(crafted(path, {"a": array}), "not a valid numpyvae checkpoint")
    refused(
        crafted(path, {"a": np.zeros(3)}, raw={"a": npy(np.zeros(3), fortran=True)}),
        "fortran_order True",
    )
    refused(
        crafted(path, {"a": np.zeros(3)}, raw={"a": npy(np.zeros(3), version=2)}),
        "not of version 1.0",
    )
    refused(
        crafted(path, {"a": np.zeros(3)}, raw={"a": b"no array"}),
        "not a valid numpyvae checkpoint",
    )


# A save that fails changes nothing. The system calls of a save, in turn, refuse, do
# half of their work, or are the last
# that the process makes.


class Faults:
    """Stands in for the system under `atomic`: at call `at` raises `error`, or kills
    the process if it is 'kill'.

    A write takes at most 1,000 bytes, as a system may do, so that a save has several;
    at a fault it takes half.
    """

    def __init__(self, monkeypatch, at=None, error=None):
        self.calls, self.at, self.error = [], at, error
        faults = self

        class File(io.FileIO):
            def write(self, data):
                done = super().write(
                    bytes(data[: 500 if len(faults.calls) == at else 1000])
                )
                faults.call("write")
                return done

        def wrap(name, function):
            def wrapped(*args):
                faults.call(name)
                return function(*args)

            return wrapped

        monkeypatch.setattr(
            atomic,
            "open",
            lambda *args, **more: (
                self.call("open"),
                io.BufferedRandom(File(*args, **more)),
            )[1],
            raising=False,
        )
        fsync, replace = os.fsync, os.replace
        monkeypatch.setattr(os, "fsync", wrap("fsync", fsync))
        monkeypatch.setattr(os, "replace", wrap("replace", replace))

    def call(self, name):
        self.calls.append(name)
        if len(self.calls) - 1 == self.at:
            if self.error == "kill":
                os._exit(9)
            raise OSError(self.error, os.strerror(self.error))


def calls_of_a_save(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        faults = Faults(patch)
        save(tmp_path / "checkpoint.npz", *state(0))
    return faults.calls


def test_the_bytes_reach_the_disk_before_the_name_does(tmp_path):
    calls = calls_of_a_save(tmp_path)
    writes = calls.count("write")
    assert writes >= 4 and calls == ["open"] + ["write"] * writes + [
        "fsync",
        "replace",
        "fsync",
    ]
    assert same(load(tmp_path / "checkpoint.npz"), state(0))


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EACCES])
def test_an_error_at_any_call_leaves_only_the_old_checkpoint(tmp_path, error):
    path = tmp_path / "checkpoint.npz"
    calls = calls_of_a_save(tmp_path)
    for at, name in enumerate(calls):
        with pytest.MonkeyPatch.context() as patch:
            Faults(patch, at, error)
            with pytest.raises(
                CheckpointError,
                match=f"{path}: the checkpoint could not be saved: "
                f"{os.strerror(error)}; the previous checkpoint is intact",
            ):
                save(path, *state(1))
        after = state(
            1 if at == len(calls) - 1 else 0
        )  # the last call comes after the rename
        assert same(load(path), after) and os.listdir(tmp_path) == ["checkpoint.npz"], (
            at,
            name,
        )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_kill_at_any_call_leaves_the_old_checkpoint_or_the_new(tmp_path):
    """A process for each call"""
    calls = calls_of_a_save(tmp_path)
    last = len(calls) - 1
    for at in range(len(calls)):
        path = tmp_path / f"killed at {at}" / "checkpoint.npz"
        path.parent.mkdir()
        save(path, *state(0))
        child = os.fork()
        if not child:
            try:
                Faults(pytest.MonkeyPatch(), at, "kill")
                save(path, *state(1))
            finally:
                os._exit(0)  # which Faults has come before
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        # the last call comes after the rename
        assert same(load(path), state(1 if at == last else 0))
        save(path, *state(2))  # what a kill leaves behind does no harm
        assert same(load(path), state(2))
    left = os.listdir(tmp_path / "killed at 3")
    assert len(left) == 2  # the checkpoint, and what was not renamed


def test_a_full_disk_is_reported_in_one_line(tmp_path):
    """A real failure, by the system's own limit on the size of a file."""
    save(path := tmp_path / "checkpoint.npz", *state(0))
    script = (
        "import resource, signal, sys, numpy as np\n"
        "from numpyvae.runs.checkpoint import save, CheckpointError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: save(sys.argv[1], {'a': np.zeros(10**5)}, {})\n"
        "except CheckpointError as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, path],
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.stdout == (
        f"{path}: the checkpoint could not be saved: File too large; "
        "the previous checkpoint is intact\n"
    )
    assert (
        run.stderr == ""
        and same(load(path), state(0))
        and os.listdir(tmp_path) == ["checkpoint.npz"]
    )


def test_an_unwritable_place_is_named(tmp_path):
    with pytest.raises(
        CheckpointError,
        match=r"none/c.npz: the checkpoint could not be saved: No such file",
    ):
        save(tmp_path / "none" / "c.npz", *state())
