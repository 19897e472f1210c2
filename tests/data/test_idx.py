"""IDX files: what is written is read back, and no other file is read as IDX."""

import gzip
import itertools
import math
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpyvae.data.idx import MAX_DIMENSIONS, TYPES, IdxError, read_idx, write_idx

FORMATS = {0x08: "B", 0x09: "b", 0x0B: "h", 0x0C: "i", 0x0D: "f", 0x0E: "d"}
SMALL = struct.pack(">BBBBII", 0, 0, 0x0B, 2, 2, 3) + struct.pack(
    ">6h", 1, -2, 300, -400, 32767, -32768
)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "file"


def reference(data):
    """The array that an IDX file holds, or None: a second reader, element by element
    through `struct`.
    """
    if (
        len(data) < 4
        or data[0]
        or data[1]
        or data[2] not in FORMATS
        or data[3] > MAX_DIMENSIONS
    ):
        return None
    sizes, rest = data[4 : 4 + 4 * data[3]], data[4 + 4 * data[3] :]
    if len(sizes) < 4 * data[3]:
        return None
    shape = struct.unpack(f">{data[3]}I", sizes)
    number = FORMATS[data[2]]
    itemsize = struct.calcsize(number)
    if (
        math.prod(max(n, 1) for n in shape) * itemsize > 2**31
        or len(rest) != math.prod(shape) * itemsize
    ):
        return None
    return np.array(
        struct.unpack(f">{math.prod(shape)}{number}", rest), dtype="=" + number
    ).reshape(shape)


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def put(path, data):
    path.unlink(missing_ok=True)  # rewriting a file waits for the disk: 50 times slower
    path.write_bytes(data)


def check_against_reference(scratch, data):
    """read_idx gives what the reference gives, or IdxError where it gives nothing; True
    if it was refused.
    """
    put(scratch, data)
    expected = reference(data)
    try:
        array = read_idx(scratch)
    except IdxError:
        assert expected is None
        return True
    assert expected is not None
    if array.dtype.kind == "f":  # of a NaN, struct keeps that it is one, not its bits
        assert np.array_equal(np.isnan(array), np.isnan(expected))
        array, expected = np.nan_to_num(array), np.nan_to_num(expected)
    assert same(array, expected)
    return False


# Valid files are read


@given(
    array=st.sampled_from(
        [dtype.newbyteorder("=") for dtype in TYPES.values()]
    ).flatmap(
        lambda dtype: hnp.arrays(
            dtype, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
        )
    ),
    suffix=st.sampled_from(["", ".gz"]),
)
def test_what_is_written_is_read_back_bit_for_bit(scratch, array, suffix):
    path = scratch.with_name("round-trip" + suffix)
    write_idx(path, array)
    back = read_idx(path)
    assert same(back, array) and back.flags.writeable and back.dtype.isnative
    data = path.read_bytes()
    assert same(reference(gzip.decompress(data) if suffix else data), array)


def test_a_file_laid_out_by_hand_is_read(scratch):
    scratch.write_bytes(SMALL)
    array = read_idx(scratch)
    assert array.dtype == np.int16 and array.tolist() == [
        [1, -2, 300],
        [-400, 32767, -32768],
    ]


def test_the_order_in_memory_does_not_matter(scratch):
    array = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    for view in (
        array.transpose(),
        array[::-1, :, ::2],
        array.astype(">i4"),
        np.asfortranarray(array),
    ):
        write_idx(scratch, view)
        assert np.array_equal(read_idx(scratch), view)


def test_gzip_is_known_by_its_bytes_and_not_by_the_name(scratch):
    disguised, plain = scratch.with_name("images"), scratch.with_name("images.gz")
    disguised.write_bytes(gzip.compress(SMALL))
    plain.write_bytes(SMALL)
    assert same(read_idx(disguised), reference(SMALL)) and same(
        read_idx(plain), reference(SMALL)
    )


def test_empty_gzip_members_are_read_up_to_a_number_that_costs_nothing(scratch):
    empty, array = gzip.compress(b"", mtime=0), np.arange(3, dtype=np.uint8)
    packed = gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2]))
    scratch.write_bytes(empty * 1000 + packed)
    assert same(read_idx(scratch), array)
    scratch.write_bytes(packed + empty * 500_000)
    started = time.process_time()
    with pytest.raises(IdxError, match="has 1,001 empty gzip members in a row"):
        read_idx(scratch)
    assert time.process_time() - started < 1  # all of them take 17 s


def test_gzip_in_several_members_is_read(scratch):
    scratch.write_bytes(gzip.compress(SMALL[:7]) + gzip.compress(SMALL[7:]))
    assert same(read_idx(scratch), reference(SMALL))


def test_the_same_array_gives_the_same_bytes(scratch):
    first, second = scratch.with_name("first.gz"), scratch.with_name("second.gz")
    write_idx(first, np.arange(100, dtype=np.uint8))
    write_idx(second, np.arange(100, dtype=np.uint8))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4)  # gzip's date


# Invalid files are refused, by name


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "begins with nothing"),
        (b"\0\0", "begins with 00 00;"),
        (b"\x1f\0\0\0", "begins with 1f 00 00 00;"),
        (b"<html>", "begins with 3c 68 74 6d; expected 00 00"),
        (b"\0\1\x08\1", "not an IDX file"),
        (
            b"\0\0\x0a\1" + bytes(4),
            "expected 00 00, a type \\(08, 09, 0b, 0c, 0d, 0e\\)",
        ),
        (b"\0\0\x08\3" + bytes(9), "3 dimensions, but ends after 2"),
        (b"\0\0\x08\x41" + bytes(4 * 65), "65 dimensions; NumPy holds at most 64"),
        (SMALL[:-1], r"\(2, 3\) int16, 12 bytes of elements, but only 11 are present"),
        (SMALL + b"\0", r"12 bytes of elements, but there are more"),
        (gzip.compress(SMALL + b"\0"), "there are more"),
        (gzip.compress(SMALL)[:-1], "cannot be read: its compressed data has no end"),
        (
            gzip.compress(SMALL)[:-8] + bytes(8),
            "cannot be read: its gzip data is damaged: incorrect data check",
        ),
        (
            gzip.compress(SMALL) + b"tail",
            "cannot be read: its gzip data is damaged: incorrect header",
        ),
        (
            gzip.compress(SMALL)[:10] + b"\x07" * 30,
            "cannot be read: .*invalid block type",
        ),
        (b"\x1f\x8b", "cannot be read"),
    ],
)
def test_the_error_names_the_file_what_is_wrong_and_what_was_expected(
    scratch, data, message
):
    scratch.write_bytes(data)
    with pytest.raises(IdxError, match=message) as error:
        read_idx(scratch)
    assert str(error.value).startswith(f"{scratch}: ") and "\n" not in str(error.value)


def test_a_missing_file_and_a_directory_are_refused(tmp_path):
    with pytest.raises(IdxError, match="none: cannot be read: No such file"):
        read_idx(tmp_path / "none")
    with pytest.raises(IdxError, match="cannot be read: Is a directory"):
        read_idx(tmp_path)


@pytest.mark.parametrize(
    "dtype", ["bool", "int64", "uint16", "float16", "complex128", "U3", "O", "M8[s]"]
)
def test_an_array_without_an_idx_type_is_refused_and_nothing_is_written(
    tmp_path, dtype
):
    with pytest.raises(IdxError, match="IDX has no type for"):
        write_idx(tmp_path / "file", np.zeros(3, dtype))
    assert list(tmp_path.iterdir()) == []


def test_a_size_beyond_four_bytes_is_refused(tmp_path):
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (2**32,), (0,))
    with pytest.raises(IdxError, match="4,294,967,296 does not fit"):
        write_idx(tmp_path / "file", huge)


def test_an_unwritable_place_is_an_os_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="none/file"):
        write_idx(tmp_path / "none" / "file", np.zeros(3, np.uint8))
    with pytest.raises(OSError, match="not a regular file"):
        write_idx(tmp_path, np.zeros(3, np.uint8))


# Claims cost nothing


def peak_memory(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_header_that_declares_too_much_is_refused_unread(scratch):
    scratch.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31 + 1, 1, 1))

    def refused():
        with pytest.raises(
            IdxError, match="2,147,483,649 bytes; at most 2,147,483,648 are read"
        ):
            read_idx(scratch)

    assert peak_memory(refused) < 10**6


def test_the_most_that_may_be_read_counts_bytes_of_elements(scratch):
    scratch.write_bytes(SMALL)
    assert read_idx(scratch, max_bytes=12).shape == (2, 3)
    with pytest.raises(IdxError, match="at most 11 are read"):
        read_idx(scratch, max_bytes=11)


def test_no_elements_of_absurd_sizes_are_refused(scratch):
    scratch.write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, 0, 2**32 - 1, 2**32 - 1))
    with pytest.raises(IdxError, match="at most"):
        read_idx(scratch)


@pytest.mark.parametrize(
    "present, gzipped", [*itertools.product([0, 10**5, 10**7], [False, True])]
)
def test_memory_follows_the_bytes_present_and_not_the_header(scratch, present, gzipped):
    data = struct.pack(">BBBBI", 0, 0, 0x0E, 1, 2**28) + np.random.default_rng(0).bytes(
        present
    )
    scratch.write_bytes(gzip.compress(data, 1) if gzipped else data)

    def refused():
        with pytest.raises(IdxError, match=f"only {present:,} are present"):
            read_idx(scratch)

    assert (
        peak_memory(refused) < 1.3 * present + 500_000
    )  # the constant: buffers of reading and gzip


def test_an_intact_file_takes_less_than_twice_its_size(scratch):
    write_idx(scratch, np.zeros((1000, 1250), np.float64))
    assert peak_memory(lambda: read_idx(scratch)) < 1.3 * 10**7


@pytest.mark.parametrize("declared", [784, 10**10])
def test_a_gzip_bomb_is_refused_immediately(scratch, declared):
    """10 MB that unpack to 10 GB: one deflated block of zeros, 10,000 times over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(
        struct.pack(">BBBBII", 0, 0, 8, 2, *divmod(declared, 2**20))
        if declared > 2**32
        else struct.pack(">BBBBI", 0, 0, 8, 1, declared)
    ) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    scratch.write_bytes(start + 10_000 * block)
    assert scratch.stat().st_size > 10**7

    def refused():
        with pytest.raises(IdxError, match=r"there are more|at most"):
            read_idx(scratch)

    began = time.process_time()
    refused()
    seconds = time.process_time() - began
    unpacker = zlib.decompressobj(31)
    unpacker.decompress(start)
    for _ in range(100):
        unpacker.decompress(block)
    assert (
        seconds < time.process_time() - began - seconds
    )  # than a hundredth of it takes to unpack
    assert peak_memory(refused) < 10**6


# Fuzzing, against the second reader


def test_every_truncation_of_a_small_file_is_refused(scratch):
    for data in (SMALL, gzip.compress(SMALL)):
        for length in range(len(data)):
            put(scratch, data[:length])
            with pytest.raises(IdxError):
                read_idx(scratch)


def test_every_changed_byte_gives_an_error_or_what_the_reference_reads(scratch):
    refused = sum(
        check_against_reference(scratch, SMALL[:i] + bytes([value]) + SMALL[i + 1 :])
        for i in range(len(SMALL))
        for value in range(256)
    )
    print(f"{refused:,} of {len(SMALL) * 256:,} refused")
    assert (
        refused == 12 * 256 - 9 - 3
    )  # each header byte but the right one, and int16 does not pass for another


@given(
    st.binary(max_size=40)
    | st.binary(max_size=40).map(lambda tail: SMALL[:6] + tail)
    | st.tuples(
        st.sampled_from(sorted(FORMATS)),
        st.lists(st.integers(0, 3), max_size=4),
        st.binary(max_size=40),
    ).map(
        lambda t: struct.pack(f">BBBB{len(t[1])}I", 0, 0, t[0], len(t[1]), *t[1]) + t[2]
    )
)
def test_any_bytes_give_an_error_or_what_they_say(scratch, data):
    check_against_reference(scratch, data)


def mutants(rng, originals):
    """Malformed files without end: truncated, padded, spliced, flipped, with sizes
    swapped and types exchanged.
    """
    while True:
        data = bytearray(originals[rng.integers(len(originals))])
        other = originals[rng.integers(len(originals))]
        for _ in range(rng.integers(1, 4)):
            i, j = sorted(rng.integers(len(data) + 1, size=2))
            match rng.integers(7):
                case 0:
                    del data[i:]
                case 1:
                    data += rng.bytes(rng.integers(1, 9))
                case 2:
                    data[i:j] = other[rng.integers(len(other)) :]
                case 3 if i < len(data):
                    data[i] ^= 1 << rng.integers(8)
                case 4:
                    del data[i:j]
                case 5:
                    data[i:i] = data[i:j]
                case 6:
                    data[2:4] = bytes([rng.integers(7, 15), rng.integers(5)])
        yield bytes(data)


@pytest.mark.slow
def test_20_000_malformed_files_are_refused(scratch):
    """About 8 s."""
    rng = np.random.default_rng(6)
    originals = [SMALL]
    for code, dtype in TYPES.items():
        for ndim in range(4):
            shape = tuple(rng.integers(1, 5, size=ndim))
            elements = rng.integers(0, 100, size=shape).astype(dtype)
            originals.append(
                struct.pack(f">BBBB{ndim}I", 0, 0, code, ndim, *shape)
                + elements.tobytes()
            )
    refused = 0
    for data in itertools.islice(mutants(rng, originals), 20_000):
        refused += check_against_reference(scratch, data)

    array, packed = reference(SMALL), gzip.compress(SMALL)
    malformed = [
        packed[:i] + bytes([value]) + packed[i + 1 :]
        for i in range(len(packed))
        for value in range(256)
    ]
    malformed += itertools.islice(
        mutants(rng, [packed, gzip.compress(originals[-1])]), 10_000
    )
    harmless = 0
    for data in malformed:
        put(scratch, data)
        try:
            assert any(
                same(read_idx(scratch), valid)
                for valid in (array, reference(originals[-1]))
            )
            harmless += 1  # a date, a flag of gzip's header
        except IdxError:
            refused += 1
    print(
        f"{refused:,} malformed inputs refused, {harmless:,} changes of no consequence, no wrong array"
    )
    assert refused >= 20_000
