"""Fetching: a hostile server costs no more than the deadline, a few buffers and one
line of plain text.

Each attack is a function that is given the connection after the request, on a server of
this machine.
"""

import shutil
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
from contextlib import ExitStack, suppress

import pytest

from numpyvae.data.sources import fetch
from numpyvae.data.sources.fetch import (
    DownloadError,
    is_allowed,
    printable,
    read_chunks,
)

HEADER = b"HTTP/1.1 200 OK\r\n"
SECONDS = 0.4  # the deadline where it is what ends an attack
PATIENT = 10.0  # the deadline where something else does: a busy machine takes a while
# an attack ends by itself after so long, and the test fails: the client has no deadline
ENDLESS = 60.0


class Attacker:
    """Serves one connection after another; `sent` counts the bytes that left,
    `outlasted` attacks that came to their end.
    """

    def __init__(self, attack, context=None):
        self.attack, self.sent, self.connections, self.outlasted, self.context = (
            attack,
            0,
            0,
            0,
            context,
        )
        self.closing, self.open = threading.Event(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        scheme, host = ("https", "localhost") if context else ("http", "127.0.0.1")
        self.address = f"{scheme}://{host}:{self.listener.getsockname()[1]}"
        self.threads = [threading.Thread(target=self.listen)]
        self.threads[0].start()

    def listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.threads.append(threading.Thread(target=self.serve, args=(connection,)))
            self.threads[-1].start()

    def serve(self, connection):
        try:
            with connection:
                self.open.append(connection)
                if self.context:
                    connection = self.context.wrap_socket(connection, server_side=True)
                    self.open.append(connection)
                with connection:
                    self.connection, request = connection, b""
                    while b"\r\n\r\n" not in request:
                        request += connection.recv(2**16)
                    self.attack(self)
        except OSError:
            pass  # the client has hung up

    def send(self, data):
        self.connection.sendall(data)
        self.sent += len(data)

    def forever(self, data, pause=0.0):
        end = time.monotonic() + ENDLESS
        while time.monotonic() < end and not self.closing.wait(pause):
            self.send(data)
        self.outlasted += not self.closing.is_set()

    def close(self):
        self.closing.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()


@pytest.fixture
def attacker():
    started = []

    def start(attack, context=None):
        started.append(Attacker(attack, context))
        return started[-1]

    yield start
    for server in started:
        server.close()


def receive(address, max_bytes=10**6, timeout=PATIENT):
    return b"".join(
        chunk for chunk, _, _ in read_chunks(address + "/file", max_bytes, timeout)
    )


def failure(address, timeout=PATIENT):
    """The error's text, with little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(DownloadError) as error:
            receive(address, timeout=timeout)
        assert (
            tracemalloc.get_traced_memory()[1] < 2 * 10**7
        )  # urllib, TLS and http.client with their buffers
    finally:
        tracemalloc.stop()
    text = str(error.value)
    assert text.isprintable() and len(text) < 400
    return text


def answer(body, header=b""):
    return lambda server: server.send(
        HEADER + b"Content-Length: %d\r\n" % len(body) + header + b"\r\n" + body
    )


# Time


def endless_continue(server):
    server.forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def endless_continue_header(server):
    server.send(b"HTTP/1.1 100 Continue\r\n")
    server.forever(b"X: 1\r\n", pause=0.05)


def dripping_status(server):
    server.forever(b"H", pause=0.05)


def dripping_header(server):
    server.send(HEADER + b"X: ")
    server.forever(b"x", pause=0.05)


def dripping_body(server):
    server.send(HEADER + b"\r\n")
    server.forever(b"x", pause=0.05)


def dripping_chunk_size(server):
    server.send(HEADER + b"Transfer-Encoding: chunked\r\n\r\n")
    server.forever(b"0", pause=0.05)


def endless_trailers(server):
    server.send(HEADER + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
    server.forever(b"X: 1\r\n" * 1000)


def silence(server):
    server.outlasted += not server.closing.wait(ENDLESS)


def slow_body(server):
    """Faster than a timeout per read would see, slower than the minimum rate."""
    server.send(HEADER + b"Content-Length: 1000000\r\n\r\n")
    server.forever(bytes(fetch.MIN_BYTES_PER_SECOND // 100), pause=0.05)


TIME = [
    endless_continue,
    endless_continue_header,
    dripping_status,
    dripping_header,
    dripping_body,
    dripping_chunk_size,
    endless_trailers,
    silence,
    slow_body,
]


@pytest.mark.parametrize("attack", TIME)
def test_one_deadline_covers_all_that_a_server_may_send(attacker, attack):
    server = attacker(attack)
    assert (
        failure(server.address, SECONDS).startswith("the server is too slow: ")
        and not server.outlasted
    )


def test_a_server_above_the_minimum_rate_may_take_longer_than_the_timeout(attacker):
    def steady(server):
        server.send(HEADER + b"\r\n")
        for _ in range(8):
            server.send(bytes(fetch.MIN_BYTES_PER_SECOND))  # in a tenth of a second
            time.sleep(0.1)

    began = time.monotonic()
    assert (
        len(receive(attacker(steady).address, timeout=0.4))
        == 8 * fetch.MIN_BYTES_PER_SECOND
    )
    assert time.monotonic() - began > 0.7


def test_a_host_that_does_not_accept_is_given_up(monkeypatch):
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as full,
        ExitStack() as waiting,
    ):
        for _ in range(3):  # until the queue is full
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(full.getsockname())
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())
        ] * 40  # 40 times the timeout
        monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **more: addresses)
        assert "too slow" in failure(
            f"http://127.0.0.1:{full.getsockname()[1]}", SECONDS
        )


# Memory and traffic


def redirect(location, header=b"", body=b""):
    def attack(server):
        server.send(
            b"HTTP/1.1 302 Found\r\nLocation: "
            + location
            + b"\r\n"
            + header
            + b"\r\n"
            + body
        )
        server.forever(bytes(2**16))

    return attack


@pytest.mark.parametrize(
    "header",
    [b"", b"Content-Length: 1000000000000\r\n", b"Transfer-Encoding: chunked\r\n"],
)
@pytest.mark.parametrize(
    "location", [b"https://127.0.0.1:1/", b"http://example.org/", b"/again", b""]
)
def test_the_body_of_a_redirect_is_never_read(attacker, header, location):
    server = attacker(redirect(location, header))
    failure(server.address)
    assert (
        server.sent < 2 * 10**7
    )  # what the system's own buffers took; reading gives hundreds of megabytes
    assert server.connections == 1


@pytest.mark.parametrize("status", [b"301", b"302", b"303", b"307", b"308"])
@pytest.mark.parametrize(
    "location, shown",
    [
        (b"http://127.0.0.1:99/x?secret", "http://127.0.0.1:99"),
        (b"ftp://example.org/secret", "ftp://example.org"),
        (b"file:///etc/secret", "file://"),
        (b"https://user:secret@127.0.0.1/", "an address with credentials"),
        (b"https://secret@127.0.0.1/", "an address with credentials"),
        (b"//user:secret@x/", "an address with credentials"),
    ],
)
def test_a_redirect_to_anything_but_plain_https_is_refused_unread(
    attacker, status, location, shown
):
    text = failure(
        attacker(
            lambda server: server.send(
                b"HTTP/1.1 "
                + status
                + b" Found\r\nLocation: "
                + location
                + b"\r\nContent-Length: 0\r\n\r\n"
            )
        ).address
    )
    if status != b"308" or "redirects" in text:  # Python 3.10 does not follow 308
        assert (
            text
            == f"the server redirects to {shown}, which is not allowed; expected https"
        )
    assert "secret" not in text


def test_a_body_of_any_length_stops_at_the_limit(attacker):
    endless = attacker(
        lambda server: (server.send(HEADER + b"\r\n"), server.forever(bytes(2**16)))
    )
    assert failure(endless.address) == "the server sends more than 1,000,000 bytes"
    huge = attacker(
        lambda server: server.send(HEADER + b"Content-Length: 1000001\r\n\r\n")
    )
    assert (
        failure(huge.address)
        == "the server offers 1,000,001 bytes; expected at most 1,000,000"
    )
    assert len(receive(attacker(answer(bytes(10**6))).address)) == 10**6


OK, FOUND = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        OK + b"X" * 70_000,
        OK + b"X: 1\r\n" * 200 + b"\r\n",
        OK + b"Content-Length: 5\r\n\r\nabc",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"5\r\nabc",
        FOUND + b"\r\n",
        FOUND + b"Location: https://[\r\n\r\n",
        FOUND + b"Location: https://x:y/\r\n\r\n",
        FOUND + b"Location: https://\xff\xfe/\r\n\r\n",
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n",
        b"HTTP/1.1 407 No\r\n\r\n",
        b"HTTP/1.1 304 Not\r\n\r\n",
    ],
)
def test_every_malformed_answer_is_one_line(attacker, data):
    failure(attacker(lambda server: server.send(data)).address)


# Text


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 503 \x1b[2J\x1b]0;owned\x07\r\n\r\n",
        b"HTTP/1.1 503 \xc2\x9b31m\r\n\r\n",
        b"\x1b[31mnonsense\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ftp://\x1b[31m/\r\n\r\n",
        b"HTTP/1.1 503 " + b"long " * 1000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\x1b[31m\r\n",
        b"HTTP/1.1 \x1b[31m x\r\n\r\n",
    ],
)
def test_control_characters_from_a_server_are_never_printed(attacker, data):
    text = failure(
        attacker(lambda server: server.send(data)).address
    )  # failure asserts that it is printable and short
    assert "\x1b" not in text and "\x9b" not in text


def test_printable_text_keeps_letters_and_escapes_the_rest():
    assert printable("café 503") == "café 503"
    assert (
        printable("\x1b[31m\x07\r\n\x9b\u202e\ud800")
        == "\\x1b[31m\\x07\\r\\n\\x9b\\u202e\\ud800"
    )
    assert printable("x" * 1000) == "x" * 200 and printable(OSError("a\tb")) == "a\\tb"


@pytest.mark.parametrize(
    "address, allowed",
    [
        ("https://example.org/mnist/", True),
        ("https://example.org:8443", True),
        ("http://localhost:1/", True),
        ("http://127.0.0.1/", True),
        ("http://[::1]:5/", True),
        ("http://example.org/", False),
        ("http://127.0.0.2/", False),
        ("https://", False),
        ("https:///x", False),
        ("HTTPS://example.org/", True),
        ("https://a@b/", False),
        ("https://a/?b", False),
        ("https://a/#b", False),
        ("https://a/ b", False),
        ("https://a\\b/", False),
        ("https://a/\n", False),
        ("https://a:b/", False),
        ("https://[a/", False),
        ("file:///a", False),
        ("", False),
    ],
)
def test_only_https_addresses_without_secrets_are_allowed(address, allowed):
    assert is_allowed(address) is allowed


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A context for the server, and the file that makes its certificate trusted."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    directory = tmp_path_factory.mktemp("tls")
    key, file = directory / "key.pem", directory / "certificate.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            key,
            "-out",
            file,
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context, file


@pytest.fixture
def trusted(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return certificate[0]


def test_a_trusted_certificate_is_needed(attacker, certificate, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert "CERTIFICATE_VERIFY_FAILED" in failure(
        attacker(answer(b"data"), certificate[0]).address
    )


def test_a_redirect_to_https_is_followed_whatever_its_body(attacker, trusted):
    target = attacker(answer(b"data"), trusted)
    server = attacker(
        redirect(f"{target.address}/x".encode(), b"Content-Length: 1000000000000\r\n"),
        trusted,
    )
    assert receive(server.address) == b"data"
    assert server.sent < 2 * 10**7


def test_redirects_in_a_circle_end(attacker, trusted):
    server = attacker(redirect(b"/file"), trusted)
    assert "302" in failure(server.address)
    assert server.connections <= 11


@pytest.mark.parametrize(
    "attack",
    [endless_continue, dripping_header, dripping_body, endless_trailers, silence],
)
def test_the_deadline_holds_under_tls(attacker, trusted, attack):
    assert failure(attacker(attack, trusted).address, SECONDS).startswith(
        "the server is too slow: "
    )


def test_a_silent_handshake_is_given_up(trusted):
    with socket.create_server(
        ("127.0.0.1", 0)
    ) as listener:  # accepts, and says nothing
        assert "too slow" in failure(
            f"https://localhost:{listener.getsockname()[1]}", SECONDS
        )
