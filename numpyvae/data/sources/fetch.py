"""Fetch one URL over https. What a server costs in time and memory is limited.

    deadline     `timeout` seconds, and one second more for each MIN_BYTES_PER_SECOND
                 bytes of the body that have arrived: for connecting, TLS, redirects,
                 headers, body and trailers together. A thread watches it and shuts the
                 connection down, whatever the server is sending. A timeout per read
                 would start again with every byte.
    size         at most `max_bytes` of the body, and nothing of a redirect's body
    addresses    https, also after a redirect; http for localhost only; never with a
                 user name or password
    messages     text from the server is cut, and its control characters are escaped

Looking up a host's name is the operating system's work, and so is its limit on time.
"""

import http.client
import io
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from ... import __version__
from ...errors import NumpyvaeError
from ..idx import CHUNK_SIZE

MIN_BYTES_PER_SECOND = 16 * 1024  # slower servers are skipped


class DownloadError(NumpyvaeError, OSError):
    """A file that could not be fetched, and the reason.

    failures   the mirrors that were tried, and what was wrong with each
    """

    def __init__(self, message: str, failures: Sequence[str] = ()):
        super().__init__(message)
        self.failures = list(failures)


def is_allowed(url: str) -> bool:
    """Whether this is an https:// address (http:// for localhost).

    It has no user name, password, query or fragment.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or not url.isprintable() or set("@?#\\ ") & set(url):
        return False
    if parts.scheme == "http":
        return host in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https"


def printable(text: object) -> str:
    """Text from a server, fit for a terminal: at most 200 characters, none of which
    controls it."""
    return "".join(
        char if char.isprintable() else ascii(char)[1:-1] for char in str(text)[:200]
    )


def read_chunks(
    url: str, max_bytes: int, timeout: float
) -> Iterator[tuple[bytes, int, int | None]]:
    """Yield (chunk, bytes so far, total if the server states one).

    Whatever goes wrong becomes DownloadError.
    """
    deadline, received = _Deadline(timeout), 0
    request = urllib.request.Request(
        url, headers={"User-Agent": f"numpyvae/{__version__}"}
    )
    try:
        with (
            deadline,
            _opener(url, deadline).open(request, timeout=timeout) as response,
        ):
            total = response.length
            if total is not None and total > max_bytes:
                raise DownloadError(
                    f"the server offers {total:,} bytes; expected at most {max_bytes:,}"
                )
            while chunk := response.read1(CHUNK_SIZE):
                received += len(chunk)
                if received > max_bytes:
                    raise DownloadError(
                        f"the server sends more than {max_bytes:,} bytes"
                    )
                deadline.received = received
                deadline.left()
                yield chunk, received, total
            deadline.left()  # a connection that was shut down seems to have ended
            if total is not None and received < total:
                raise DownloadError(
                    f"the connection ended after {received:,} of {total:,} bytes"
                )
    except DownloadError:
        raise
    except Exception as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()  # it is an answer, and has a connection
            raise DownloadError(
                f"the server answers {error.code} {printable(error.reason)}"
            ) from None
        reason = getattr(error, "reason", error)
        if deadline.passed or isinstance(reason, TimeoutError):
            raise DownloadError(
                f"the server is too slow: {received:,} bytes in {timeout:g} s and more"
            ) from None
        text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise DownloadError(printable(text)) from error


class _Deadline:
    """Shuts the watched connections down when the time is over; a context manager."""

    def __init__(self, seconds: float):
        self.end = time.monotonic() + seconds
        self.received = 0
        self.passed = False
        self._sockets: list[socket.socket] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def left(self) -> float:
        """Seconds that are left; TimeoutError if there are none."""
        left = self._left()
        if self.passed or left <= 0:
            self.passed = True
            raise TimeoutError("timed out")
        return left

    def connect(self, address: tuple[str, int], *unused) -> socket.socket:
        """socket.create_connection, but for all of a host's addresses together."""
        error = OSError("the host has no address")
        host, port = address
        for family, kind, protocol, _, place in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self.left())
                connection.connect(place)
            except OSError as failure:
                connection.close()
                error = failure
            else:
                self.watch(connection)
                return connection
        raise error

    def watch(self, connection: socket.socket) -> None:
        self._sockets.append(connection)
        if self.passed:
            self._shut_down()

    def _left(self) -> float:
        return self.end + self.received / MIN_BYTES_PER_SECOND - time.monotonic()

    def _watch(self) -> None:
        while (left := self._left()) > 0:
            if self._stop.wait(left):
                return
        self.passed = True
        self._shut_down()

    def _shut_down(self) -> None:
        for connection in self._sockets:
            with suppress(OSError):  # closed already
                # past the TLS layer, which another thread uses
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def _opener(url: str, deadline: _Deadline) -> urllib.request.OpenerDirector:
    class Watched(http.client.HTTPConnection):
        def connect(self):
            self._create_connection = deadline.connect
            super().connect()
            deadline.watch(self.sock)  # with TLS, this is another socket object

    class Https(Watched, http.client.HTTPSConnection):
        pass

    class HttpHandler(urllib.request.HTTPHandler):
        def http_open(self, request):
            return self.do_open(Watched, request)

    class HttpsHandler(urllib.request.HTTPSHandler):
        def https_open(self, request):
            return self.do_open(Https, request, context=ssl.create_default_context())

    handlers: list = [HttpHandler, HttpsHandler, _HttpsRedirectHandler]
    if url.startswith("http:"):  # localhost, without a proxy
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


class _HttpsRedirectHandler(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https addresses.

    The base class reads a redirect's body to its end; this one does not.
    """

    def http_error_302(self, req, fp, code, msg, headers):
        fp.close()
        location = headers.get("location", headers.get("uri"))
        if location is not None:
            parts = urlsplit(urljoin(req.full_url, location))
            to = f"{parts.scheme}://{parts.netloc}"
            if "@" in parts.netloc:
                to = "an address with credentials"
            if parts.scheme != "https" or "@" in parts.netloc:
                raise DownloadError(
                    f"the server redirects to {printable(to)}, which is not allowed; "
                    "expected https"
                )
        return super().http_error_302(req, io.BytesIO(), code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
