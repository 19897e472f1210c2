"""Download: whatever a mirror does, a file is verified or absent, and the next mirror
is tried.

The mirrors are one server on this machine; the first part of the path says how it
misbehaves.
"""

import gzip
import hashlib
import os
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from numpyvae.data.idx import write_idx
from numpyvae.data.mnist import DIGEST_FILE, FILES, load_mnist
from numpyvae.data.sources.download import (
    MIRRORS,
    PAYLOADS,
    download_mnist,
    verify_payload,
)
from numpyvae.data.sources.fetch import DownloadError
from numpyvae.files import exclusive_lock

FULL = os.environ.get("NUMPYVAE_DATA")


def small_mnist():
    """The four payloads of a data set of 40 and 10 images, as if they were MNIST's."""
    rng = np.random.default_rng(0)
    payloads = {}
    for split, count in ("train", 40), ("test", 10):
        images = rng.integers(256, size=(count, 28, 28))
        labels = rng.integers(10, size=count)
        for name, array in zip(FILES[split], (images, labels), strict=True):
            payloads[name] = (
                struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
                + array.astype(np.uint8).tobytes()
            )
    return payloads


VALID = small_mnist()
TABLE = {
    name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in VALID.items()
}
FIRST_GOOD = {  # of the second file another digest is expected
    "train-images-idx3-ubyte": TABLE["train-images-idx3-ubyte"],
    "train-labels-idx1-ubyte": TABLE["t10k-labels-idx1-ubyte"],
}
ONE = {"train-labels-idx1-ubyte": TABLE["train-labels-idx1-ubyte"]}
BOMB = gzip.compress(bytes(10**7))  # 10 kB that unpack to 10 MB


class Mirror(BaseHTTPRequestHandler):
    def do_GET(self):
        _, fault, name = self.path.split("/")
        self.server.seen.append((fault, name, self.server.look()))
        body = gzip.compress(VALID[name.removesuffix(".gz")])
        if fault == "unavailable":
            return self.send_error(503)
        if fault == "redirect":
            return self.answer(
                b"",
                status=302,
                headers={"Location": self.server.address + "/good/" + name},
            )
        if fault == "silent":
            return self.server.closing.wait(60)
        if fault in ("reset", "dripping"):
            self.answer(body, send=body[: len(body) // 2])
            if fault == "reset":  # linger for 0 s: closing sends a reset
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                return self.connection.close()
            for byte in body[len(body) // 2 :]:
                if self.server.closing.wait(0.1):
                    return
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
            return
        if fault == "endless":
            self.answer(None)
            while not self.server.closing.is_set():
                self.wfile.write(bytes(2**16))
        other = bytearray(VALID[name.removesuffix(".gz")])
        other[-1] ^= 1
        self.answer(
            {
                "good": body,
                "plain": VALID[name.removesuffix(".gz")],
                "unsized": body,
                "short": body,
                "html": b"<html>503 Service Unavailable, but politely</html>",
                "empty": b"",
                "wrong": gzip.compress(other),
                "cut": body[:-9],
                "longer": gzip.compress(VALID[name.removesuffix(".gz")] + b"\0"),
                "shorter": gzip.compress(VALID[name.removesuffix(".gz")][:-1]),
                "tail": body + b"tail",
                "bomb": BOMB,
                "huge": b"",
            }[fault],
            send=body[:-9] if fault == "short" else None,
            headers={"Content-Length": str(10**12)} if fault == "huge" else {},
            sized=fault != "unsized",
        )

    def answer(self, body, send=None, status=200, headers={}, sized=True):
        self.send_response(status)
        if body is not None and sized and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        if body is not None:
            self.wfile.write(body if send is None else send)
            self.wfile.flush()

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that hangs up is what these tests are about."""


@pytest.fixture
def mirror(tmp_path):
    """mirror(fault) is an address; mirror.seen lists (fault, name, what was in the
    directory then).
    """
    directory = tmp_path / "mnist"
    with Server(("127.0.0.1", 0), Mirror) as server:
        server.address = f"http://127.0.0.1:{server.server_port}"
        server.seen, server.closing = [], threading.Event()
        server.look = lambda: sorted(
            path.name for path in directory.iterdir() if path.suffix != ".tmp"
        )
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        thread.start()

        def address(fault):
            return f"{server.address}/{fault}"

        address.seen, address.directory = server.seen, directory
        yield address
        server.closing.set()
        server.shutdown()
        thread.join()


FAULTS = {
    "unavailable": "the server answers 503 Service Unavailable",
    "redirect": r"the server redirects to http://127.0.0.1:\d+, which is not allowed; expected https",
    "reset": "Connection reset by peer",
    "short": r"the connection ended after \d+ of \d+ bytes",
    "html": "the payload has more bytes, beginning with b'<html>503 Servic'; expected 48",
    "empty": "the payload has 0 bytes, beginning with b''; expected 48",
    "wrong": f"the payload's SHA-256 is [0-9a-f]{{64}}; expected {ONE['train-labels-idx1-ubyte'][1]}",
    "cut": "the file is damaged: its compressed data has no end",
    "longer": "the payload has more bytes, .*; expected 48",
    "shorter": "the payload has 47 bytes, .*; expected 48",
    "tail": "the file is damaged: its gzip data is damaged: incorrect header",
    "bomb": "the payload has more bytes, .*; expected 48",
    "endless": "the server sends more than 65,584 bytes",
    "huge": "the server offers 1,000,000,000,000 bytes; expected at most 65,584",
    "silent": "the server is too slow: 0 bytes in 1 s and more",
    "dripping": r"the server is too slow: \d+ bytes in 1 s and more",
}
SECONDS = {
    fault: 1 if fault in ("silent", "dripping") else 10 for fault in FAULTS
}  # 10: a busy machine takes a while


# A mirror that works


def test_all_four_files_are_downloaded_verified_and_load(mirror):
    fetched = download_mnist(mirror.directory, [mirror("good")], payloads=TABLE)
    assert [(f.path.name, f.source, f.failures) for f in fetched] == [
        (f"{name}.gz", f"{mirror('good')}/{name}.gz", []) for name in TABLE
    ]
    for name in VALID:
        assert (
            gzip.decompress((mirror.directory / f"{name}.gz").read_bytes())
            == VALID[name]
        )
    assert sorted(os.listdir(mirror.directory)) == sorted(
        [DIGEST_FILE, *(f"{name}.gz" for name in VALID)]
    )
    assert (
        load_mnist(mirror.directory, "train")[0].tobytes()
        == VALID["train-images-idx3-ubyte"][16:]
    )
    assert (
        load_mnist(mirror.directory, "test")[1].tobytes()
        == VALID["t10k-labels-idx1-ubyte"][8:]
    )


@pytest.mark.parametrize("kind", ["unsized", "plain"])
def test_a_server_may_leave_out_the_size_or_the_gzip(mirror, kind):
    (fetched,) = download_mnist(mirror.directory, [mirror(kind)], payloads=ONE)
    assert fetched.source.startswith(mirror(kind))
    verify_payload(fetched.path, *ONE["train-labels-idx1-ubyte"])


def test_progress_is_called_as_bytes_arrive(mirror):
    calls = []
    download_mnist(
        mirror.directory,
        [mirror("good")],
        lambda *args: calls.append(args),
        payloads=ONE,
    )
    size = (mirror.directory / "train-labels-idx1-ubyte.gz").stat().st_size
    assert calls[-1] == ("train-labels-idx1-ubyte", size, size)
    assert [received for _, received, _ in calls] == sorted(
        received for _, received, _ in calls
    )


# A mirror that fails


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_leaves_no_files_and_the_next_mirror_is_tried(mirror, fault):
    (fetched,) = download_mnist(
        mirror.directory,
        [mirror(fault), mirror("good")],
        payloads=ONE,
        timeout=SECONDS[fault],
    )
    assert (
        fetched.source == f"{mirror('good')}/train-labels-idx1-ubyte.gz"
        and len(fetched.failures) == 1
    )
    assert [(what, there) for what, _, there in mirror.seen] == [
        (fault, []),
        ("good", []),
    ]
    verify_payload(fetched.path, *ONE["train-labels-idx1-ubyte"])
    assert sorted(os.listdir(mirror.directory)) == [
        "train-labels-idx1-ubyte.gz",
        DIGEST_FILE,
    ]


@pytest.mark.parametrize("fault", FAULTS)
def test_if_no_mirror_succeeds_the_error_has_the_reason_of_each(mirror, fault):
    with pytest.raises(
        DownloadError,
        match=r"^train-labels-idx1-ubyte could not be fetched into .*: 2 mirrors failed. "
        "By hand: put train-images-idx3-ubyte.gz, .* numpyvae train --data DIRECTORY",
    ) as error:
        download_mnist(
            mirror.directory,
            [mirror(fault), mirror("unavailable")],
            payloads=ONE,
            timeout=SECONDS[fault],
        )
    first, second = error.value.failures
    name = "train-labels-idx1-ubyte.gz"
    assert re.match(f"{mirror(fault)}/{name}: ({FAULTS[fault]})", first)
    assert second.startswith(f"{mirror('unavailable')}/{name}: the server answers 503")
    assert "\n" not in str(error.value) + first
    assert not mirror.directory.exists()  # it was made for the files


def test_each_file_is_listed_as_verified_before_the_next_is_fetched(mirror):
    """A download that is killed leaves files that are verified at every load."""
    with pytest.raises(DownloadError):
        download_mnist(mirror.directory, [mirror("good")], payloads=FIRST_GOOD)
    listed = (mirror.directory / DIGEST_FILE).read_text().split()
    assert listed[1::2] == ["train-images-idx3-ubyte.gz"]


def test_a_mirror_that_does_not_answer_is_skipped(mirror):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
        (fetched,) = download_mnist(
            mirror.directory, [closed, mirror("good")], payloads=ONE
        )
    assert "Connection refused" in fetched.failures[0]


def test_files_fetched_before_a_failure_stay_and_are_not_fetched_again(mirror):
    names = list(TABLE)
    first = {name: TABLE[name] for name in names[:2]}
    download_mnist(mirror.directory, [mirror("good")], payloads=first)
    with pytest.raises(DownloadError):
        download_mnist(mirror.directory, [mirror("cut")], payloads=TABLE)
    mirror.seen.clear()
    fetched = download_mnist(mirror.directory, [mirror("good")], payloads=TABLE)
    assert [f.source == "kept" for f in fetched] == [True, True, False, False]
    assert [name for _, name, _ in mirror.seen] == [f"{name}.gz" for name in names[2:]]


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/mnist",
        "ftp://example.org/",
        "file:///tmp",
        "example.org",
        "",
        "http://127.0.0.1@example.org/",
        "http://localhost.example.org/",
        "https://",
        "https://[",
        "https://example.org:x/",
        "https://example.org/a b",
        "https://a\\b/",
        "https://example.org/\x1b[31m",
        "https://example.org/?a",
        "https://example.org/#a",
    ],
)
def test_an_address_that_is_not_https_is_refused_before_anything_is_done(
    mirror, address
):
    with pytest.raises(ValueError, match="a mirror is an https:// address"):
        download_mnist(mirror.directory, [mirror("good"), address], payloads=ONE)
    assert mirror.seen == [] and not mirror.directory.exists()


@pytest.mark.parametrize(
    "address",
    [
        "https://user:secret@example.org/",
        "https://secret@example.org/",
        "https://us:se/cret@example.org/",
        "https://example.org/?token=secret",
        "https://us:sec?ret@example.org/",
        "https://user:secret@[",
        "http://:secret@localhost/",
        "https://example.org/#secret",
        "https://example.org/?a@b=secret",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(tmp_path, address):
    with pytest.raises(
        ValueError, match=r"^mirror 2: .* without user name, password"
    ) as error:
        download_mnist(tmp_path / "mnist", [MIRRORS[0], address], payloads=ONE)
    assert (
        "ret" not in str(error.value)
        and "sec" not in str(error.value)
        and not (tmp_path / "mnist").exists()
    )


def test_a_refused_address_is_printed_without_control_characters(tmp_path):
    with pytest.raises(
        ValueError, match=r"^http://example.org/\\x1b\[31m\\u202e: a mirror is"
    ):
        download_mnist(tmp_path, ["http://example.org/\x1b[31m\u202e"], payloads=ONE)


def test_the_default_mirrors_are_https():
    assert len(MIRRORS) == 3 and all(
        mirror.startswith("https://") for mirror in MIRRORS
    )


# Files that exist


@pytest.mark.parametrize(
    "name",
    [
        "train-labels-idx1-ubyte",
        "train-labels-idx1-ubyte.gz",
        "train-labels.idx1-ubyte.gz",
    ],
)
def test_a_valid_file_is_verified_and_kept_under_any_spelling(mirror, name):
    mirror.directory.mkdir()
    data = VALID["train-labels-idx1-ubyte"]
    (mirror.directory / name).write_bytes(
        gzip.compress(data) if name.endswith(".gz") else data
    )
    (fetched,) = download_mnist(mirror.directory, [], payloads=ONE)
    assert fetched == (mirror.directory / name, "kept", []) and mirror.seen == []
    assert (mirror.directory / DIGEST_FILE).read_text().endswith(f"  {name}\n")


@pytest.mark.parametrize(
    "name", ["train-labels-idx1-ubyte", "train-labels-idx1-ubyte.gz"]
)
def test_an_invalid_file_is_renamed_when_its_replacement_is_ready(mirror, name):
    mirror.directory.mkdir()
    write_idx(mirror.directory / name, np.zeros(40, np.uint8))
    before = (mirror.directory / name).read_bytes()
    with pytest.raises(DownloadError):
        download_mnist(mirror.directory, [mirror("wrong")], payloads=ONE)
    assert (
        os.listdir(mirror.directory) == [name]
        and (mirror.directory / name).read_bytes() == before
    )
    (fetched,) = download_mnist(mirror.directory, [mirror("good")], payloads=ONE)
    verify_payload(fetched.path, *ONE["train-labels-idx1-ubyte"])
    assert sorted(os.listdir(mirror.directory)) == sorted(
        ["train-labels-idx1-ubyte.gz", f"{name}.old", DIGEST_FILE]
    )
    assert (mirror.directory / f"{name}.old").read_bytes() == before


def test_an_invalid_file_in_front_of_a_valid_one_is_renamed(mirror):
    """`mnist` would load train-labels-idx1-ubyte before train-labels-idx1-ubyte.gz."""
    download_mnist(mirror.directory, [mirror("good")], payloads=ONE)
    (mirror.directory / "train-labels-idx1-ubyte").write_bytes(b"invalid")
    (fetched,) = download_mnist(mirror.directory, [], payloads=ONE)
    assert fetched.path.name == "train-labels-idx1-ubyte.gz"
    assert not (mirror.directory / "train-labels-idx1-ubyte").exists()
    assert (mirror.directory / "train-labels-idx1-ubyte.old").read_bytes() == b"invalid"


def test_a_verified_file_that_changes_is_refused_until_downloaded_again(mirror):
    download_mnist(mirror.directory, [mirror("good")], payloads=TABLE)
    path = mirror.directory / "train-images-idx3-ubyte.gz"
    write_idx(path, np.zeros((40, 28, 28), np.uint8))  # a valid IDX file, but another
    with pytest.raises(
        ValueError,
        match=r"train-images-idx3-ubyte.gz: has changed since it was verified",
    ):
        load_mnist(mirror.directory, "train")
    download_mnist(mirror.directory, [mirror("good")], payloads=TABLE)
    assert load_mnist(mirror.directory, "train")[0].any()


def test_the_list_of_digests_keeps_its_entries(mirror):
    download_mnist(mirror.directory, [mirror("good")], payloads=TABLE)
    before = (mirror.directory / DIGEST_FILE).read_text()
    assert len(before.splitlines()) == 4
    download_mnist(mirror.directory, [], payloads=ONE)
    assert (mirror.directory / DIGEST_FILE).read_text() == before


def test_a_damaged_list_of_digests_is_rewritten(mirror):
    download_mnist(mirror.directory, [mirror("good")], payloads=TABLE)
    (mirror.directory / DIGEST_FILE).write_text("<html>")
    download_mnist(mirror.directory, [], payloads=TABLE)
    assert load_mnist(mirror.directory, "train")


def test_a_directory_that_cannot_be_written_ends_the_download(mirror):
    mirror.directory.write_text("a file")
    with pytest.raises(FileExistsError):
        download_mnist(mirror.directory, [mirror("good")], payloads=ONE)
    assert mirror.seen == []


def test_two_downloads_into_one_directory_do_not_mix(mirror):
    mirror.directory.mkdir()
    with exclusive_lock(mirror.directory):
        with pytest.raises(BlockingIOError, match="in use by another process"):
            download_mnist(mirror.directory, [mirror("good")], payloads=ONE)
    assert mirror.seen == [] and os.listdir(mirror.directory) == []


@pytest.mark.parametrize(
    "name", ["train-labels-idx1-ubyte", "train-labels-idx1-ubyte.gz", DIGEST_FILE]
)
def test_a_special_file_in_the_way_is_refused_and_kept(mirror, name):
    mirror.directory.mkdir()
    os.mkfifo(mirror.directory / name)
    with pytest.raises(OSError, match="is not a regular file"):
        download_mnist(mirror.directory, [mirror("good")], payloads=ONE)
    assert mirror.seen == [] and os.listdir(mirror.directory) == [name]


@pytest.mark.skipif(not FULL, reason="$NUMPYVAE_DATA does not name all of MNIST")
def test_the_table_is_that_of_mnist():
    for name, payload in PAYLOADS.items():
        verify_payload(
            next(path for path in Path(FULL).iterdir() if path.name.startswith(name)),
            *payload,
        )
