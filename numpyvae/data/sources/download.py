"""Download MNIST from mirrors and verify it.

For each of the four files, and for each mirror until one succeeds:

    1. fetch it into a temporary file in the target directory, at most the expected size
    2. unpack it as far as the payload's known size, and compare the payload's SHA-256
       (mirrors compress the payload differently, so the digest is of what is in it)
    3. rename the temporary file, and list the SHA-256 of the file itself in
       verified.sha256, which `mnist` checks at every load

A failure at 1 or 2 tries the next mirror and leaves no files. A file that exists is
verified first: a valid file is kept; an invalid one is renamed NAME.old when its
replacement is ready.

Addresses are https, also after redirects; plain http is for localhost only.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ...errors import InputError
from ...files import atomic_write, exclusive_lock, write_file
from ..idx import CHUNK_SIZE, open_maybe_gzip, read_at_most
from ..mnist import DIGEST_FILE, candidate_paths, read_digests, sha256_file
from .fetch import DownloadError, is_allowed, printable, read_chunks

PAYLOADS = {  # name: (bytes, SHA-256), after gunzip
    "train-images-idx3-ubyte": (
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": (
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)


class DownloadedFile(NamedTuple):
    """A verified file."""

    path: Path
    source: str  # the address it came from, or "kept"
    failures: list[str]  # the mirrors before that, and what was wrong with them


def download_mnist(
    directory: str | os.PathLike,
    mirrors: Sequence[str] = MIRRORS,
    progress: Callable[[str, int, int | None], object] = lambda *done: None,
    payloads: Mapping[str, tuple[int, str]] = PAYLOADS,
    timeout: float = 30.0,
) -> list[DownloadedFile]:
    """Ensure that all MNIST files are present and verified in `directory`.

    progress   called with (name, bytes received, total or None) as they arrive
    timeout    of each file and mirror, in seconds: for connecting, headers and, before
               the minimum rate counts, the body

    Raises InputError for a mirror's address that is not allowed, DownloadError when no
    mirror succeeds, BlockingIOError while another download writes to the directory,
    OSError when it cannot be written.
    """
    for number, mirror in enumerate(mirrors, start=1):
        if not is_allowed(mirror):
            shown = printable(mirror)
            if set("@?#") & set(mirror):  # it may hold a secret
                shown = f"mirror {number}"
            raise InputError(
                f"{shown}: a mirror is an https:// address (http:// for localhost "
                "only), without user name, password, query or fragment"
            )
    directory = Path(directory)
    with _made(directory), exclusive_lock(directory):
        try:
            digests = read_digests(directory)
        except ValueError:  # damaged: rewritten
            digests = {}
        files = []
        for name, payload in payloads.items():
            files.append(
                _fetch_file(directory, name, payload, mirrors, progress, timeout)
            )
            path = files[-1].path
            digests[path.name] = sha256_file(path)
            lines = [f"{digest}  {name}\n" for name, digest in digests.items()]
            write_file(directory / DIGEST_FILE, "".join(lines))
    return files


@contextmanager
def _made(directory: Path) -> Iterator[None]:
    """Make a directory; if the block fails, remove what was made and is empty."""
    new = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in new:
            with suppress(OSError):  # a verified file is in it
                path.rmdir()
        raise


def _fetch_file(
    directory: Path,
    name: str,
    payload: tuple[int, str],
    mirrors: Sequence[str],
    progress: Callable,
    timeout: float,
) -> DownloadedFile:
    """One file: kept if valid, else downloaded."""
    invalid = []
    for path in filter(Path.exists, candidate_paths(directory, name)):
        try:
            verify_payload(path, *payload)
        except DownloadError:
            if not path.is_file():
                raise OSError(
                    errno.EEXIST, "is not a regular file; remove it", str(path)
                ) from None
            invalid.append(path)  # `mnist` would load it before any valid one behind it
        else:
            _rename_old(invalid)
            return DownloadedFile(path, "kept", [])
    failures: list[str] = []
    for mirror in mirrors:
        url, path = f"{mirror.rstrip('/')}/{name}.gz", directory / f"{name}.gz"
        try:
            with atomic_write(path) as file:
                for chunk, received, total in read_chunks(
                    url, payload[0] + CHUNK_SIZE, timeout
                ):
                    file.write(chunk)
                    progress(name, received, total)
                file.flush()
                verify_payload(file.name, *payload)
                _rename_old(invalid)
            return DownloadedFile(path, url, failures)
        except DownloadError as error:
            failures.append(f"{url}: {error}")
    raise DownloadError(
        f"{name} could not be fetched into {directory}: {len(failures)} mirrors "
        f"failed. By hand: put {', '.join(f'{file}.gz' for file in PAYLOADS)} into a "
        "directory and name it, as numpyvae train --data DIRECTORY",
        failures,
    )


def _rename_old(paths: list[Path]) -> None:
    for path in paths:
        path.replace(path.with_name(f"{path.name}.old"))


def verify_payload(path: str | os.PathLike, size: int, digest: str) -> None:
    """DownloadError unless the file has this size and SHA-256, gunzipped if it is gzip.

    Unpacks no more than a byte beyond the size.
    """
    try:
        with open_maybe_gzip(path) as stream:
            payload = read_at_most(stream, size + 1)
    except (OSError, EOFError) as error:
        reason = printable(getattr(error, "strerror", None) or error)
        raise DownloadError(f"the file is damaged: {reason}") from error
    if len(payload) != size:
        found = "more" if len(payload) > size else f"{len(payload):,}"
        raise DownloadError(
            f"the payload has {found} bytes, beginning with {bytes(payload[:16])!r}; "
            f"expected {size:,}"
        )
    found = hashlib.sha256(payload).hexdigest()
    if found != digest:
        raise DownloadError(f"the payload's SHA-256 is {found}; expected {digest}")
