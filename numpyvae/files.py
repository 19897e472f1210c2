"""Atomic writes: a file is complete or absent. Also locks, and opening regular files only.

A process can be killed or a disk can fill during a write. Therefore:

    1. write all bytes to a temporary file beside the target     (same directory: a rename must not cross disks)
    2. fsync it                                                  (contents reach the disk before the rename)
    3. rename it over the target                                 (atomic: readers see the old file or the new one)
    4. fsync the directory                                       (the rename reaches the disk)

If steps 1 to 3 fail, the target is unchanged and the temporary file is removed. Only a killed process leaves one; it is
never read. Its name, .NAME.RANDOM.tmp, is new each time, and it is created exclusively: a file or link of that name is
an error, never followed. Its writer holds a lock on it, which ends with the process. So the next write to the same
target can remove a leftover safely: it is old, and its lock is free. A directory is written in the same way.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows: no locks, and leftovers stay
    fcntl = None

LEFTOVER_SECONDS = 3600  # a temporary file younger than this is never removed: its lock may not be set yet


@contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Yield a binary stream whose contents replace `path` when the block ends without an exception.

    The stream can also be read back. Raises OSError, naming `path`, when writing fails; `path` is then unchanged (or,
    if the very last step failed, new and complete).
    """
    path = Path(path)
    if (
        path.exists() and not path.is_file()
    ):  # a rename would replace a device or a pipe, /dev/stdout for one
        raise OSError(
            errno.EEXIST, "cannot be written: it is not a regular file", str(path)
        )
    _remove_leftovers(path)
    temporary = _temporary(path)
    with _errors_name(path, temporary):
        stream = open(temporary, "x+b", opener=_open_no_follow)  # x: exclusive creation
        try:
            with stream:
                if fcntl is not None:
                    _try_lock(stream.fileno())
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
            fsync_directory(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink()


@contextmanager
def atomic_directory(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a new, empty directory that becomes `path` when the block ends without an exception.

    `path` must be absent or an empty directory. Raises OSError, naming `path`, when it is not or cannot be written.
    """
    path = Path(path)
    check_new_directory(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    temporary = _temporary(path)
    with _errors_name(path, temporary):
        temporary.mkdir()  # fails where the name exists
        try:
            with exclusive_lock(temporary):
                yield temporary
                fsync_directory(temporary)
            os.replace(
                temporary, path
            )  # fails where `path` has meanwhile become a file or a directory with files
            fsync_directory(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def check_new_directory(path: str | os.PathLike) -> None:
    """Raise FileExistsError unless `path` is absent or an empty directory."""
    path = Path(path)
    if os.path.lexists(path) and (
        path.is_symlink() or not path.is_dir() or any(path.iterdir())
    ):
        raise OSError(
            errno.EEXIST,
            "exists already and is not an empty directory; choose a new one",
            str(path),
        )


def make_parent(path: str | os.PathLike) -> None:
    """Make the directory that a file is to be written into, if there is none."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def write_file(path: str | os.PathLike, data: bytes | str) -> None:
    """Write bytes, or text as UTF-8, atomically (see atomic_write)."""
    with atomic_write(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def fsync_directory(directory: str | os.PathLike) -> None:
    """Wait until the directory's entries are on the disk. Does nothing on systems that cannot open a directory."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if (
            error.errno != errno.EINVAL
        ):  # some network file systems have no fsync for directories
            raise
    finally:
        os.close(descriptor)


@contextmanager
def exclusive_lock(path: str | os.PathLike) -> Iterator[str | None]:
    """Hold a lock on a directory or file during the block; a file is created if absent. Leaves nothing in a directory.

    The lock (flock) ends with the block, or when the process and its forked children have ended, in whatever way. It is
    advisory: only code that asks for it is kept out. Yields None, or, where there are no locks, the reason in one line.
    Raises BlockingIOError, naming `path`, immediately if another process or another block of this one holds the lock.
    """
    if fcntl is None:
        yield "this system has no flock"
        return
    if os.path.isdir(path):
        descriptor = os.open(path, os.O_RDONLY)
    else:
        descriptor = _open_no_follow(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK)
    try:
        reason = _try_lock(descriptor)
        if reason == "locked":
            raise BlockingIOError(
                errno.EWOULDBLOCK,
                "is in use by another process; wait until it has ended",
                str(path),
            )
        yield reason
    finally:
        os.close(descriptor)


def open_regular(path: str | os.PathLike) -> BinaryIO:
    """Open a regular file, or a link to one, to read bytes; OSError, without reading, for anything else."""
    return open(path, "rb", opener=_open_if_regular)


def _open_if_regular(path: str | os.PathLike, flags: int) -> int:
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(
        os, "O_NOCTTY", 0
    )  # opening a pipe does not wait for a writer
    descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "is not a regular file", str(path))


def _open_no_follow(path: str | os.PathLike, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _temporary(path: Path) -> Path:
    if not path.name:
        raise OSError(errno.EINVAL, "has no name to write to", str(path))
    return path.with_name(
        f".{path.name[:50]}.{secrets.token_hex(8)}.tmp"
    )  # cut: a name has at most 255 bytes


def _remove_leftovers(path: Path) -> None:
    """Remove temporary files and directories of `path` that are old and that no living process has locked."""
    if fcntl is None:  # nothing says whether the writer has ended
        return
    leftover = re.compile(re.escape(f".{path.name[:50]}.") + r"[0-9a-f]{16}\.tmp")
    with suppress(OSError):  # no directory to look into: the write itself reports it
        for found in [
            entry for entry in os.scandir(path.parent) if leftover.fullmatch(entry.name)
        ]:
            with suppress(OSError):  # a pipe, a link, locked, or gone meanwhile
                information = found.stat(follow_symlinks=False)
                if (
                    time.time() - information.st_mtime < LEFTOVER_SECONDS
                    or information.st_uid != os.getuid()
                ):
                    continue
                is_directory = stat.S_ISDIR(information.st_mode)
                if is_directory or stat.S_ISREG(information.st_mode):
                    with exclusive_lock(found.path) as no_lock:
                        if no_lock is None:
                            (shutil.rmtree if is_directory else os.unlink)(found.path)


def _try_lock(descriptor: int) -> str | None:
    """None if the lock is set, "locked" if another holds it, else why there is none."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "locked"
    except OSError as error:  # some network file systems
        return f"this file system has no flock ({error.strerror})"
    return None


@contextmanager
def _errors_name(path: Path, temporary: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename not in (
            None,
            str(temporary),
            temporary,
        ):
            raise  # raised by the caller's code, with a message of its own
        raise OSError(error.errno, error.strerror, str(path)) from error
