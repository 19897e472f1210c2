"""Download: MNIST from public mirrors; what is not verified never gets its name.

For each of the four files, and for each mirror until one of them delivers:

    1. fetch it into a temporary file in the target directory, no more bytes than it can have
    2. unpack it as far as the payload's known size, and compare the payload's SHA-256   (mirrors wrap the same payload
       in different gzip, so it is the payload that is known)
    3. rename the temporary file, and list the SHA-256 of the file itself in verified.sha256, which `mnist` checks at
       every load

A failure at 1 or 2 goes on to the next mirror with nothing left behind. A file that is already there is verified
first: a good one is kept, and a bad one is set aside as NAME.old once a good one is there to take its place.

Addresses are https, and so is whatever they redirect to; plain http is for this machine alone. Next: checkpoint.
"""

import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from .. import __version__
from ..files import atomic_write
from .idx import CHUNK, unpacked
from .mnist import VERIFIED, spellings, verified

PAYLOADS = {                                        # name: (bytes, SHA-256), after gunzip
    "train-images-idx3-ubyte": (47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    "train-labels-idx1-ubyte": (60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    "t10k-images-idx3-ubyte": (7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    "t10k-labels-idx1-ubyte": (10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
}
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/",
           "https://raw.githubusercontent.com/fgnt/mnist/master/")
SLOWEST = 1024                                      # bytes a second; below that a mirror is given up


class DownloadError(OSError):
    """A file that no mirror delivered, with what went wrong at each of them."""


class Fetched(NamedTuple):
    """One file that is there now, and verified."""

    path: Path
    source: str                                     # the address it came from, or "kept"
    failures: list[str]                             # the mirrors before that, and what was wrong with them


def download(directory: str | os.PathLike, mirrors: Sequence[str] = MIRRORS,
             progress: Callable[[str, int, int | None], None] = lambda name, received, total: None,
             payloads: Mapping[str, tuple[int, str]] = PAYLOADS, timeout: float = 30.0) -> list[Fetched]:
    """Have all files of MNIST, verified, in `directory`.

    `progress(name, bytes received, bytes in all or None)` is called as they arrive. `timeout` is in seconds: for the
    connection, for each silence, and before a mirror must have kept up SLOWEST. Raises ValueError for a mirror's address
    that is not allowed, DownloadError when no mirror delivers, OSError when the directory cannot be written.
    """
    for mirror in mirrors:
        parts = urlsplit(mirror)
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or parts.scheme != "https" and not (parts.scheme == "http" and loopback):
            raise ValueError(f"{mirror}: a mirror is an https:// address (http:// for this machine alone)")
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    try:
        digests = verified(directory)
    except ValueError:                              # damaged: made anew
        digests = {}
    fetched = []
    for name, payload in payloads.items():
        fetched.append(_have(directory, name, payload, mirrors, progress, timeout))
        path = fetched[-1].path
        digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        with atomic_write(directory / VERIFIED) as file:
            file.writelines(f"{digest}  {name}\n".encode() for name, digest in digests.items())
    return fetched


def _have(directory: Path, name: str, payload: tuple[int, str], mirrors: Sequence[str], progress: Callable,
          timeout: float) -> Fetched:
    """One file: kept if it is there and good, else fetched."""
    bad = []
    for path in filter(Path.is_file, spellings(directory, name)):
        try:
            check_payload(path, *payload)
        except DownloadError:
            bad.append(path)                        # `mnist` would load it before any good one behind it
        else:
            _set_aside(bad)
            return Fetched(path, "kept", [])
    failures = []
    for mirror in mirrors:
        url, path = f"{mirror.rstrip('/')}/{name}.gz", directory / f"{name}.gz"
        try:
            with atomic_write(path) as file:
                for chunk, received, total in _receive(url, payload[0] + CHUNK, timeout):
                    file.write(chunk)
                    progress(name, received, total)
                file.flush()
                check_payload(file.name, *payload)
                _set_aside(bad)
            return Fetched(path, url, failures)
        except DownloadError as error:
            failures.append(f"{url}: {error}")
    raise DownloadError(f"{name} could not be fetched into {directory}; " + ("; ".join(failures) or "no mirror given"))


def _set_aside(paths: list[Path]) -> None:
    for path in paths:
        path.replace(path.with_name(f"{path.name}.old"))


def check_payload(path: str | os.PathLike, size: int, digest: str) -> None:
    """DownloadError unless the file, gunzipped if it is gzip, has this size and SHA-256. Unpacks no more than that."""
    seen, count, start = hashlib.sha256(), 0, b""
    try:
        with unpacked(path) as stream:
            while count <= size and (chunk := stream.read(min(CHUNK, size + 1 - count))):
                seen.update(chunk)
                count += len(chunk)
                start = start or chunk[:16]
    except (OSError, EOFError, zlib.error) as error:
        raise DownloadError(f"the file is broken: {error}") from error
    if count != size:
        raise DownloadError(f"the payload has {'more' if count > size else f'{count:,}'} bytes, beginning with {start!r}; "
                            f"expected {size:,}")
    if seen.hexdigest() != digest:
        raise DownloadError(f"the payload's SHA-256 is {seen.hexdigest()}; expected {digest}")


def _receive(url: str, most: int, timeout: float) -> Iterator[tuple[bytes, int, int | None]]:
    """(chunk, bytes so far, bytes in all if the server says), and DownloadError for whatever the network does."""
    no_proxy = [urllib.request.ProxyHandler({})] if url.startswith("http:") else []       # loopback
    opener = urllib.request.build_opener(_OnlyToHttps, *no_proxy)
    request = urllib.request.Request(url, headers={"User-Agent": f"numpyvae/{__version__}"})
    began, received = time.monotonic(), 0
    try:
        with opener.open(request, timeout=timeout) as response:
            total = response.length
            if total is not None and total > most:
                raise DownloadError(f"the server offers {total:,} bytes; expected at most {most:,}")
            while chunk := response.read1(CHUNK):
                received += len(chunk)
                if received > most:
                    raise DownloadError(f"the server sends more than {most:,} bytes")
                if time.monotonic() - began > timeout + received / SLOWEST:
                    raise DownloadError(f"the server is too slow: {received:,} bytes in {timeout:g} s and more")
                yield chunk, received, total
            if total is not None and received < total:
                raise DownloadError(f"the connection ended after {received:,} of {total:,} bytes")
    except DownloadError:
        raise
    except urllib.error.HTTPError as error:         # an answer, with a connection to close
        with error:
            raise DownloadError(f"the server answers {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DownloadError(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__) from error


class _OnlyToHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, response, code, message, headers, url):
        if urlsplit(url).scheme != "https":
            raise DownloadError(f"the server redirects to {url}, which is not https")
        return super().redirect_request(request, response, code, message, headers, url)
