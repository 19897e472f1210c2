"""Atomic writes: a file is complete or absent. Locks, and opening regular files only.

A process can be killed or a disk can fill during a write. Therefore:

    1. write all bytes to a temporary file beside the target
       (the same directory: a rename must not cross disks)
    2. fsync it                    the contents reach the disk before the rename
    3. rename it over the target   readers see the old file or the new one
    4. fsync the directory         the rename reaches the disk

If steps 1 to 3 fail, the target is unchanged and the temporary file is removed. Only a
killed process leaves one; it is never read. Its name, .NAME.RANDOM.tmp, is new each
time, and it is created exclusively: a file or link of that name is an error, never
followed. Its writer holds a lock on it, which ends with the process. So the next write
to the same target can remove a leftover safely: it is old, and its lock is free. A
directory is written in the same way.
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
from types import ModuleType
from typing import BinaryIO

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows: no locks, and leftovers stay
    fcntl = None

# a temporary file younger than this is never removed: its lock may not be set yet
LEFTOVER_SECONDS = 3600
TEMPORARY = r"[0-9a-f]{16}\.tmp"  # the end of a temporary name

_held: set[tuple[int, int]] = set()  # (device, inode) of what this process has locked


@contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Yield a binary stream whose contents replace `path` when the block ends.

    An exception in the block leaves `path` as it is. The stream can also be read back.
    Raises OSError, naming `path`, when writing fails; `path` is then unchanged (or, if
    the very last step failed, new and complete).
    """
    path = Path(path)
    # a rename would replace a device or a pipe, /dev/stdout for one
    if path.exists() and not path.is_file():
        raise OSError(
            errno.EEXIST, "cannot be written: it is not a regular file", str(path)
        )
    _remove_leftovers(path)
    temporary = _temporary(path)
    with _errors_name(path, temporary):
        # x: exclusive creation
        stream = open(temporary, "x+b", opener=_open_no_follow)  # noqa: SIM115
        try:
            with stream:
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
    """Yield a new, empty directory that becomes `path` when the block ends.

    `path` must be absent or an empty directory. An exception in the block leaves it so.
    Raises OSError, naming `path`, when it is not empty or cannot be written.
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
            # fails where `path` has meanwhile become a file or a directory with files
            os.replace(temporary, path)
            fsync_directory(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def check_new_directory(path: str | os.PathLike) -> None:
    """FileExistsError unless `path` is absent or an empty directory."""
    path = Path(path)
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir() or any(path.iterdir()):
        raise OSError(
            errno.EEXIST,
            "exists already and is not an empty directory; choose a new one",
            str(path),
        )


def is_temporary(path: str | os.PathLike) -> bool:
    """Whether a name is that of a temporary file, which a killed process left."""
    return re.fullmatch(r"\..+\." + TEMPORARY, Path(path).name) is not None


def make_parent(path: str | os.PathLike) -> None:
    """Make the directory that a file is to be written into, if there is none."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def write_file(path: str | os.PathLike, data: bytes | str) -> None:
    """Write bytes, or text as UTF-8, atomically (see atomic_write)."""
    with atomic_write(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def fsync_directory(directory: str | os.PathLike) -> None:
    """Wait until the directory's entries are on the disk.

    Does nothing on systems that cannot open a directory.
    """
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # some network file systems have no fsync for directories
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def exclusive_lock(path: str | os.PathLike) -> Iterator[str | None]:
    """Hold a lock on a directory or file; a file is created if absent.

    Leaves nothing in a directory. Yields None, or why there is no lock, in one line.
    Raises BlockingIOError, naming `path`, immediately if another process or another
    block of this one holds the lock.
    """
    if fcntl is None:
        yield "this system has no flock"
        return
    if os.path.isdir(path):
        descriptor = os.open(path, os.O_RDONLY)
    else:
        descriptor = _open_no_follow(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    identity = status.st_dev, status.st_ino
    try:
        reason = _try_lock(descriptor)
        if reason == "locked":
            raise BlockingIOError(
                errno.EWOULDBLOCK,
                "is in use by another process; wait until it has ended",
                str(path),
            )
        _held.add(identity)
        try:
            yield reason
        finally:
            _held.discard(identity)
    finally:
        os.close(descriptor)


@contextmanager
def lock_unless_held(path: str | os.PathLike) -> Iterator[None]:
    """`exclusive_lock`, or nothing inside a block of this process that holds it."""
    status = os.stat(path)
    if (status.st_dev, status.st_ino) in _held:
        yield
        return
    with exclusive_lock(path):
        yield


def open_regular(path: str | os.PathLike) -> BinaryIO:
    """Open a regular file, or a link to one, to read bytes.

    OSError, without reading, for anything else.
    """
    return open(path, "rb", opener=_open_if_regular)


def _open_if_regular(path: str | os.PathLike, flags: int) -> int:
    # opening a pipe does not wait for a writer
    no_wait = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    descriptor = os.open(path, flags | no_wait)
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
    return path.with_name(f"{_beginning(path)}{secrets.token_hex(8)}.tmp")


def _beginning(path: Path) -> str:
    """How the temporary names of `path` begin; cut, as a name has at most 255 bytes"""
    return f".{path.name[:50]}."


def _remove_leftovers(path: Path) -> None:
    """Remove what killed writers of `path` have left beside it."""
    if fcntl is None:  # nothing says whether the writer has ended
        return
    leftover = re.compile(re.escape(_beginning(path)) + TEMPORARY)
    try:
        entries = list(os.scandir(path.parent))
    except OSError:  # no directory to look into: the write itself reports it
        return
    for entry in entries:
        if leftover.fullmatch(entry.name):
            with suppress(OSError):  # locked, or gone meanwhile
                _remove_if_abandoned(entry)


def _remove_if_abandoned(entry: os.DirEntry) -> None:
    """Remove a file or directory of this user that is old and locked by nobody."""
    status = entry.stat(follow_symlinks=False)
    young = time.time() - status.st_mtime < LEFTOVER_SECONDS
    if young or status.st_uid != os.getuid():
        return
    is_directory = stat.S_ISDIR(status.st_mode)
    if not is_directory and not stat.S_ISREG(
        status.st_mode
    ):  # a pipe, a link: not ours
        return
    with exclusive_lock(entry.path) as no_lock:
        if no_lock is not None:
            return
        if is_directory:
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def _try_lock(descriptor: int) -> str | None:
    """None if the lock is set, "locked" if another holds it, else why there is none."""
    if fcntl is None:
        return "this system has no flock"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "locked"
    except OSError as error:  # some network file systems
        return f"this file system has no flock ({error.strerror})"
    return None


@contextmanager
def _errors_name(path: Path, temporary: Path) -> Iterator[None]:
    """An OSError of writing `temporary` names `path`; others pass as they are."""
    try:
        yield
    except OSError as error:
        ours = error.filename in (None, str(temporary), temporary)
        if error.errno is None or not ours:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
