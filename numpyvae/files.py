"""A file is whole or it is not there.

A program can be killed, and a disk can fill, in the middle of a write. So nothing is ever written under its own name:

    1. write all bytes to a temporary file beside the target     (the same folder: a rename must not cross disks)
    2. fsync it                                                  (the bytes are on the disk before the name is)
    3. rename it over the target                                 (atomic: readers see the old file or the new one)
    4. fsync the folder                                          (the name is on the disk too)

Whatever fails in 1 to 3, the target is what it was before and the temporary file is gone. Only a kill can leave a
temporary file behind; nothing ever reads it. Next: idx.
"""

import errno
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Iterator


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """A stream to write to (and read back); leaving the block without an exception makes it the file `path`.

    Raises OSError, naming `path`, when that cannot be done; `path` is then unchanged (or, if the very last step
    failed, new and whole).
    """
    path = Path(path)
    if path.exists() and not path.is_file():        # a rename would replace a device or a pipe, /dev/stdout for one
        raise OSError(errno.EEXIST, "cannot be written: it is not a regular file", str(path))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")      # of this process alone
    try:
        with open(temporary, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        _fsync_folder(path.parent)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise                                   # it came from inside the block and has a message of its own
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _fsync_folder(folder: Path) -> None:
    if os.name != "posix":                          # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:             # some network file systems have no fsync for folders
            raise
    finally:
        os.close(descriptor)
