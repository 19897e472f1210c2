"""Atomic writes: a file is complete or absent, no temporary name can be misused, and
locks end with their process.
"""

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from numpyvae import files
from numpyvae.files import (
    atomic_directory,
    atomic_write,
    exclusive_lock,
    open_regular,
    write_file,
)

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files")
HANGS = 300  # seconds; after them a process does not end, also on a busy machine
OLD = time.time() - files.LEFTOVER_SECONDS - 60
PACKAGE = Path(files.__file__).parents[1]


def child(code, *arguments):
    """A process that runs `code`, ready when it has printed a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        cwd=PACKAGE,
    )
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process):
    process.kill()
    process.wait()
    process.stdout.close()


def names(directory):
    return sorted(os.listdir(directory))


# A file


def test_the_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with atomic_write(path) as stream:
        stream.write(b"after")
        stream.flush()
        assert path.read_bytes() == b"before"
        stream.seek(0)
        assert stream.read() == b"after"
    assert path.read_bytes() == b"after" and names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "error", [ValueError("theirs"), OSError("theirs"), KeyboardInterrupt()]
)
def test_an_exception_in_the_block_leaves_the_target_unchanged(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with pytest.raises(type(error)) as caught, atomic_write(path) as stream:
        stream.write(b"half")
        raise error
    assert caught.value is error
    assert path.read_bytes() == b"before" and names(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failing_step_names_the_target_and_leaves_it_unchanged(
    tmp_path, monkeypatch, step
):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left") as caught:
        write_file(path, b"after")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"before" and names(tmp_path) == ["file"]


def test_contents_reach_the_disk_before_the_rename_and_the_rename_after(
    tmp_path, monkeypatch
):
    calls, fsync, replace = [], os.fsync, os.replace

    def record_fsync(descriptor):
        information = os.fstat(descriptor)
        calls.append(
            "directory" if stat.S_ISDIR(information.st_mode) else information.st_size
        )
        fsync(descriptor)

    def record_replace(source, target):
        calls.append("replace")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    write_file(tmp_path / "file", b"data")
    assert calls == [4, "replace", "directory"]


def test_text_is_written_as_utf_8_without_newline_translation(tmp_path):
    write_file(tmp_path / "file", "µ\r\n")
    assert (tmp_path / "file").read_bytes() == b"\xc2\xb5\r\n"


@posix
def test_a_device_or_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for path in ("pipe", "link", "."):
        with pytest.raises(OSError, match="not a regular file"):
            write_file(tmp_path / path, b"data")
    assert names(tmp_path) == ["link", "pipe"]


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    for name in ("n" * 255, "µ" * 127):
        write_file(tmp_path / name, b"data")
        assert (tmp_path / name).read_bytes() == b"data"


@posix
def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "file", b"data")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


# The temporary name


def test_a_temporary_name_is_never_used_twice(tmp_path):
    used = set()
    for _ in range(100):
        with atomic_write(tmp_path / "file") as stream:
            used.add(stream.name)
    assert len(used) == 100


@posix
def test_a_planted_link_or_file_is_an_error_and_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(
        files.secrets, "token_hex", lambda n: "0" * 2 * n
    )  # as if it could be guessed
    victim, planted = tmp_path / "victim", tmp_path / f".file.{'0' * 16}.tmp"
    victim.write_bytes(b"precious")
    for plant in (
        lambda: planted.symlink_to(victim),
        lambda: planted.symlink_to(tmp_path / "absent"),
        lambda: planted.write_bytes(b"theirs"),
        lambda: os.mkfifo(planted),
    ):
        plant()
        with pytest.raises(FileExistsError):
            write_file(tmp_path / "file", b"data")
        assert os.path.lexists(planted)  # it belongs to another
        planted.unlink()
    assert names(tmp_path) == ["victim"] and victim.read_bytes() == b"precious"


def test_writers_at_the_same_time_leave_one_complete_file(tmp_path):
    path, torn, stop = tmp_path / "file", [], threading.Event()
    write_file(path, bytes([0]) * 100_000)

    def write(value):
        while not stop.is_set():
            with atomic_write(path) as stream:
                for _ in range(10):
                    stream.write(bytes([value]) * 10_000)

    threads = [threading.Thread(target=write, args=(value,)) for value in (1, 2, 3)]
    for thread in threads:
        thread.start()
    reads, seen = 0, set()
    while reads < 100 or (
        not {1, 2, 3} <= seen and all(thread.is_alive() for thread in threads)
    ):
        data = path.read_bytes()
        reads += 1
        seen.add(data[0])
        if len(data) != 100_000 or len(set(data)) != 1:
            torn.append(data)
    stop.set()
    for thread in threads:
        thread.join()
    assert {1, 2, 3} <= seen and not torn and names(tmp_path) == ["file"]


# Leftovers

WRITE_AND_WAIT = """
import sys, time
from numpyvae.files import atomic_directory, atomic_write
with (atomic_write if sys.argv[2] == "file" else atomic_directory)(sys.argv[1]) as temporary:
    if sys.argv[2] == "file":
        temporary.write(b"half")
        temporary.flush()
    else:
        (temporary / "half").write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(60)
"""


def write(path, kind):
    if kind == "file":
        write_file(path, b"data")
    else:
        with atomic_directory(path):
            pass


@posix
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_an_old_leftover_is_removed_only_after_its_writer_has_ended(tmp_path, kind):
    process = child(WRITE_AND_WAIT, tmp_path / "target", kind)
    try:
        (leftover,) = tmp_path.iterdir()
        os.utime(leftover, (OLD, OLD))
        write(tmp_path / "target", kind)
        assert names(tmp_path) == [leftover.name, "target"]  # it is being written
    finally:
        end(process)
    os.utime(leftover, None)
    write(tmp_path / "target", kind)
    assert leftover.exists()  # too young
    os.utime(leftover, (OLD, OLD))
    write(tmp_path / "other", kind)
    assert leftover.exists()  # of another target
    write(tmp_path / "target", kind)
    assert names(tmp_path) == ["other", "target"]


@posix
@pytest.mark.parametrize(
    "name",
    [
        "file.tmp",
        ".file.tmp",
        ".file.0123456789abcde.tmp",
        ".file.0123456789abcdefg.tmp",
        ".file.0123456789abcdef.tmp.gz",
        ".filex0123456789abcdef.tmp",
        ".file.12345.tmp",
        "file.12345.tmp",
        ".file.0123456789ABCDEF.tmp",
    ],
)
def test_files_with_other_names_are_never_removed(tmp_path, name):
    (tmp_path / name).write_bytes(b"theirs")
    os.utime(tmp_path / name, (OLD, OLD))
    write_file(tmp_path / "file", b"data")
    assert (tmp_path / name).read_bytes() == b"theirs"


@posix
def test_a_leftover_that_is_a_link_or_a_pipe_is_left_alone(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    os.utime(victim, (OLD, OLD))
    link, pipe = (tmp_path / f".file.{digit * 16}.tmp" for digit in "12")
    link.symlink_to(victim)
    os.mkfifo(pipe)
    for path in (link, pipe):
        os.utime(path, (OLD, OLD), follow_symlinks=False)
    write_file(tmp_path / "file", b"data")
    assert (
        names(tmp_path) == sorted([link.name, pipe.name, "file", "victim"])
        and victim.read_bytes() == b"precious"
    )


# A directory


def test_a_directory_appears_with_all_its_files(tmp_path):
    path = tmp_path / "parent" / "out"
    with atomic_directory(path) as temporary:
        write_file(temporary / "a", b"1")
        assert not path.exists()
    assert names(path) == ["a"] and names(path.parent) == ["out"]


def test_an_empty_directory_is_replaced_and_a_filled_one_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with atomic_directory(tmp_path / "empty") as temporary:
        write_file(temporary / "a", b"1")
    for taken in (tmp_path / "empty", tmp_path / "empty" / "a"):
        with (
            pytest.raises(
                FileExistsError,
                match="exists already and is not an empty directory; choose a new one",
            ),
            atomic_directory(taken),
        ):
            raise AssertionError("the block must not run")
    assert (
        names(tmp_path) == ["empty"] and (tmp_path / "empty" / "a").read_bytes() == b"1"
    )


def test_an_exception_leaves_no_directory(tmp_path):
    with pytest.raises(ValueError, match="theirs"):
        with atomic_directory(tmp_path / "out") as temporary:
            write_file(temporary / "a", b"1")
            raise ValueError("theirs")
    assert names(tmp_path) == []


def test_a_directory_filled_meanwhile_is_not_overwritten(tmp_path):
    with pytest.raises(OSError) as caught, atomic_directory(tmp_path / "out"):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "theirs").write_bytes(b"theirs")
    assert caught.value.filename == str(tmp_path / "out")
    assert names(tmp_path) == ["out"] and names(tmp_path / "out") == ["theirs"]


# Locks

LOCK_AND_WAIT = """
import sys, time
from numpyvae.files import exclusive_lock
with exclusive_lock(sys.argv[1]) as reason:
    print(reason or "ready", flush=True)
    time.sleep(60)
"""


@posix
@pytest.mark.parametrize("kind", ["directory", "file"])
def test_a_lock_keeps_out_other_processes_until_its_process_is_killed(tmp_path, kind):
    path = tmp_path if kind == "directory" else tmp_path / "lock"
    process = child(LOCK_AND_WAIT, path)
    try:
        with (
            pytest.raises(BlockingIOError, match="in use by another process") as caught,
            exclusive_lock(path),
        ):
            raise AssertionError("the block must not run")
        assert (
            caught.value.filename == str(path) and process.poll() is None
        )  # refused while the other has the lock
        process.send_signal(signal.SIGKILL)
        process.wait()
        with exclusive_lock(path) as reason:
            assert reason is None
    finally:
        end(process)


@posix
def test_a_lock_ends_with_its_block_and_excludes_its_own_process(tmp_path):
    for _ in range(2):
        with exclusive_lock(tmp_path), pytest.raises(BlockingIOError):
            with exclusive_lock(tmp_path):
                raise AssertionError("the block must not run")
    assert names(tmp_path) == []


@posix
def test_a_directory_is_locked_through_a_link_and_a_file_is_not(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "latest").symlink_to("run")
    with exclusive_lock(tmp_path / "latest"), pytest.raises(BlockingIOError):
        with exclusive_lock(tmp_path / "run"):
            raise AssertionError("the block must not run")
    (tmp_path / "planted").symlink_to(tmp_path / "absent")
    with pytest.raises(OSError), exclusive_lock(tmp_path / "planted"):
        raise AssertionError("the block must not run")
    assert not (tmp_path / "absent").exists()


def test_without_locks_the_block_runs_and_is_given_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    with exclusive_lock(tmp_path) as reason, exclusive_lock(tmp_path):
        assert reason == "this system has no flock"
    leftover = tmp_path / f".file.{'1' * 16}.tmp"
    leftover.write_bytes(b"")
    os.utime(leftover, (OLD, OLD))
    write_file(tmp_path / "file", b"data")
    assert leftover.exists()  # without locks nothing says that its writer has ended


@posix
def test_a_file_system_without_locks_is_a_reason_and_not_an_error(
    tmp_path, monkeypatch
):
    def no_locks(*arguments):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(files.fcntl, "flock", no_locks)
    with exclusive_lock(tmp_path) as reason:
        assert reason == "this file system has no flock (Operation not supported)"
    leftover = tmp_path / f".file.{'1' * 16}.tmp"
    leftover.write_bytes(b"")
    os.utime(leftover, (OLD, OLD))
    write_file(tmp_path / "file", b"data")
    assert leftover.exists()


# Regular files only

OPEN = """
import sys
from numpyvae.files import open_regular
try:
    open_regular(sys.argv[1])
except OSError as error:
    print(error)
"""


@posix
def test_pipes_devices_and_links_to_them_are_refused_before_reading(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "link").symlink_to("pipe")
    for path in (
        str(tmp_path / "pipe"),
        str(tmp_path / "zero"),
        str(tmp_path / "link"),
        "/dev/zero",
    ):
        opened = subprocess.run(
            [sys.executable, "-c", OPEN, path],
            cwd=PACKAGE,
            capture_output=True,
            text=True,
            timeout=HANGS,
        )
        assert (
            opened.stdout == f"[Errno {errno.EINVAL}] is not a regular file: {path!r}\n"
        )
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


def test_a_regular_file_and_a_link_to_one_are_read(tmp_path):
    (tmp_path / "file").write_bytes(b"data")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"data"


@pytest.mark.parametrize("number, kept", [(errno.EINVAL, True), (errno.EIO, False)])
def test_only_a_file_system_without_fsync_for_directories_is_excused(
    tmp_path, monkeypatch, number, kept
):
    """The rename has happened by then; EIO says that it may not have reached the disk."""
    fsync = os.fsync

    def fails_for_directories(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fails_for_directories)
    if kept:
        write_file(tmp_path / "a", b"1")
    else:
        with pytest.raises(OSError, match=os.strerror(number)):
            write_file(tmp_path / "a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"
