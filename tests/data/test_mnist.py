"""MNIST's files: found under every usual name, loaded only if they are images, with
their labels if any; the sample.
"""

import contextlib
import gzip
import hashlib
import importlib.util
import io
import json
import os
import re
import signal
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from numpyvae.data import Dataset
from numpyvae.data.idx import IdxError, read_idx, write_idx
from numpyvae.data.mnist import (
    DIGEST_FILE,
    FILES,
    INSTALLED_SAMPLE,
    find_data,
    load_mnist,
)

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
FULL = os.environ.get("NUMPYVAE_DATA")
needs_all_of_mnist = pytest.mark.skipif(
    not FULL, reason="$NUMPYVAE_DATA does not name all of MNIST"
)


def write_set(directory, images=(8, 28, 28), labels=None, split="train", suffix=".gz"):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=images, dtype=np.uint8)
    labels = (
        rng.integers(10, size=len(images), dtype=np.uint8) if labels is None else labels
    )
    for name, array in zip(FILES[split], (images, labels), strict=True):
        write_idx(directory / (name + suffix), array)
    return images, labels


# Loading


@pytest.mark.parametrize("shape", [(8, 28, 28), (3, 20, 20), (1, 1, 5)])
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_images_and_labels_of_any_size_load_as_they_are(tmp_path, split, shape, suffix):
    images, labels = write_set(tmp_path, shape, split=split, suffix=suffix)
    loaded = load_mnist(str(tmp_path), split)
    assert np.array_equal(loaded[0], images) and np.array_equal(loaded[1], labels)
    assert loaded[0].dtype == loaded[1].dtype == np.uint8


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_spelling_with_a_dot_loads(tmp_path, suffix):
    images, _ = write_set(tmp_path, suffix=suffix)
    for path in list(tmp_path.iterdir()):
        path.rename(tmp_path / re.sub("-idx([13])", r".idx\1", path.name))
    assert (tmp_path / f"train-images.idx3-ubyte{suffix}").exists()
    assert np.array_equal(load_mnist(tmp_path, "train")[0], images)


@pytest.mark.parametrize(
    "labels, message",
    [
        (
            np.zeros(7, np.uint8),
            r"holds \(7,\) uint8; expected a label for each of the 8 images in train-images",
        ),
        (np.zeros((8, 1), np.uint8), r"holds \(8, 1\) uint8; expected a label"),
        (np.zeros(8, np.int32), r"holds \(8,\) int32; expected a label"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, labels, message):
    write_set(tmp_path, labels=labels)
    with pytest.raises(ValueError, match=f"train-labels-idx1-ubyte.gz: {message}"):
        load_mnist(tmp_path, "train")


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((8, 784), np.uint8),
        np.zeros((8, 28, 28), np.float32),
        np.zeros((0, 28, 28), np.uint8),
        np.zeros((8, 0, 28), np.uint8),
    ],
)
def test_an_array_that_is_not_images_is_refused(tmp_path, images):
    write_set(tmp_path, labels=np.zeros(len(images), np.uint8))
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", images)
    with pytest.raises(
        ValueError,
        match=r"train-images-idx3-ubyte.gz: holds .*; expected images, \(N, rows, cols\)",
    ):
        load_mnist(tmp_path, "train")


def test_an_absent_file_is_named_with_the_way_to_get_it(tmp_path):
    write_set(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"there is no train-images-idx3-ubyte, with or without .gz; .*download",
    ):
        load_mnist(tmp_path, "train")
    with pytest.raises(FileNotFoundError, match="there is no t10k-images-idx3-ubyte"):
        load_mnist(tmp_path, "test")
    with pytest.raises(
        ValueError, match="the split is 'valid'; expected 'train' or 'test'"
    ):
        load_mnist(tmp_path, "valid")


def test_a_damaged_file_is_refused(tmp_path):
    write_set(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"<html>not found</html>")
    with pytest.raises(IdxError, match=r"train-images-idx3-ubyte.gz: not an IDX file"):
        load_mnist(tmp_path, "train")


# Files that were verified once


@pytest.mark.parametrize("changed", [0, 1])
def test_a_verified_file_that_has_changed_since_is_refused(tmp_path, changed):
    written = write_set(tmp_path)
    paths = [tmp_path / f"{name}.gz" for name in FILES["train"]]
    (tmp_path / DIGEST_FILE).write_text(
        "".join(
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
            for path in paths
        )
    )
    assert np.array_equal(load_mnist(tmp_path, "train")[0], written[0])
    write_idx(paths[changed], written[changed][::-1])
    with pytest.raises(
        ValueError,
        match=f"{paths[changed].name}: has changed since it was verified; "
        f".* remove {DIGEST_FILE}",
    ):
        load_mnist(tmp_path, "train")


def list_digests(directory, line="{digest}  {name}\n"):
    text = "".join(
        line.format(
            digest=hashlib.sha256(path.read_bytes()).hexdigest(), name=path.name
        )
        for path in sorted(directory.iterdir())
    )
    (directory / DIGEST_FILE).write_text(text)


@pytest.mark.parametrize(
    "line",
    [
        "{digest}  {name}\n",
        "{digest} *{name}\n",
        "{digest}  ./{name}\n",
        "{digest}\t{name}\r\n",
    ],
)
@pytest.mark.parametrize("upper", [False, True])
def test_every_usual_form_of_a_digest_is_checked(tmp_path, line, upper):
    written = write_set(tmp_path)
    list_digests(tmp_path, line)
    if upper:
        text = (tmp_path / DIGEST_FILE).read_text()
        (tmp_path / DIGEST_FILE).write_text(
            re.sub("[0-9a-f]{64}", lambda match: match[0].upper(), text)
        )
    assert np.array_equal(load_mnist(tmp_path, "train")[0], written[0])
    write_idx(tmp_path / f"{FILES['train'][0]}.gz", written[0][::-1])
    with pytest.raises(ValueError, match="has changed since it was verified"):
        load_mnist(tmp_path, "train")


@pytest.mark.parametrize("number", [0, 1])
def test_another_spelling_does_not_bypass_the_list_of_digests(tmp_path, number):
    written = write_set(tmp_path)
    list_digests(tmp_path)
    name = FILES["train"][number]
    write_idx(tmp_path / name, written[number][::-1])  # without .gz: found first
    with pytest.raises(
        ValueError,
        match=f"{name}: is not the file that was verified, which is {name}.gz; run",
    ):
        load_mnist(tmp_path, "train")


@pytest.mark.parametrize(
    "text",
    [
        "<html>",
        "a b c\n",
        "\xff\n",
        "a" * 63 + "  x\n",
        "g" * 64 + "  x\n",
        "a" * 64 + "  a/x\n",
        "a" * 64 + "  x\n" + "b" * 64 + "  x\n",
        "a" * 64 + "x\n",
    ],
)
def test_a_damaged_list_of_digests_is_refused(tmp_path, text):
    write_set(tmp_path)
    (tmp_path / DIGEST_FILE).write_text(text, "latin1")
    with pytest.raises(
        ValueError,
        match=f"{DIGEST_FILE}: is damaged; expected lines of a SHA-256 and a file's name",
    ):
        load_mnist(tmp_path, "train")


def test_verified_labels_that_are_gone_are_named(tmp_path):
    write_set(tmp_path)
    list_digests(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"there is no train-labels-idx1-ubyte, with or without .gz; .*download",
    ):
        load_mnist(tmp_path, "train")


# Own images


def test_labels_may_be_absent_and_of_any_number_of_classes(tmp_path):
    images, _ = write_set(tmp_path, labels=np.arange(248, 256, dtype=np.uint8))
    assert load_mnist(tmp_path, "train")[1].tolist() == list(range(248, 256))
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    loaded, nothing = load_mnist(tmp_path, "train")
    assert np.array_equal(loaded, images) and nothing is None


# Special files


@pytest.mark.parametrize(
    "name", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", DIGEST_FILE]
)
@pytest.mark.parametrize(
    "kind", ["pipe", "link to a pipe", "link to a device", "directory"]
)
def test_special_files_are_refused_before_they_are_read(tmp_path, name, kind):
    write_set(tmp_path, suffix="")
    path = tmp_path / name
    path.unlink(missing_ok=True)
    if "pipe" in kind:
        os.mkfifo(tmp_path / "pipe")
    if kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if "device" in kind else "pipe")
        if kind == "pipe":
            (tmp_path / "pipe").rename(path)
    with (
        ends_within(seconds=60),
        pytest.raises((OSError, ValueError), match=name) as caught,
    ):
        load_mnist(tmp_path, "train")
    refused = "is not a regular file" in str(caught.value)
    assert refused or (kind == "directory" and "Is a directory" in str(caught.value))


@contextlib.contextmanager
def ends_within(seconds):
    """An exception if the block waits at a pipe, or reads without an end"""

    def end(number, frame):
        pytest.fail(f"the block has not ended within {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# Which directory


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NUMPYVAE_DATA", raising=False)
    return tmp_path


def test_the_argument_the_environment_mnist_and_the_sample_come_in_order(
    elsewhere, monkeypatch
):
    assert find_data(None) in INSTALLED_SAMPLE
    for name in ("data/sample", "data/mnist", "environment", "given"):
        (elsewhere / name).mkdir(parents=True)
    write_set(elsewhere / "data" / "sample")
    # an empty data/mnist has no say
    assert find_data(None) == Path("data/sample")
    write_set(elsewhere / "data" / "mnist")
    assert find_data(None) == Path("data/mnist")
    monkeypatch.setenv("NUMPYVAE_DATA", "environment")
    assert find_data(None) == Path("environment")
    assert find_data("given") == Path("given")
    monkeypatch.setenv("NUMPYVAE_DATA", "")
    assert find_data(None) == Path("data/mnist")


def test_without_data_the_error_says_how_to_get_it(elsewhere, monkeypatch):
    monkeypatch.setattr("numpyvae.data.mnist.INSTALLED_SAMPLE", ())
    for given, environment, message in [
        (None, "", f"no data in data/mnist or data/sample below {elsewhere}"),
        ("none", "", "none: no such file or directory"),
        (None, "gone", "gone: no such file or directory \\(from \\$NUMPYVAE_DATA\\)"),
    ]:
        monkeypatch.setenv("NUMPYVAE_DATA", environment)
        with pytest.raises(
            FileNotFoundError,
            match=message + "; .*download.*data/sample.*NUMPYVAE_DATA",
        ) as error:
            find_data(given)
        assert "\n" not in str(error.value)


# The names that other archives use


def test_a_set_is_found_under_the_names_of_other_archives(tmp_path):
    (tmp_path / "plain").mkdir()
    images, labels = write_set(tmp_path / "plain", (5, 4, 3), suffix="")
    for number, (place, ask) in enumerate(
        [
            ("{n}/{n}", ""),  # Kaggle: a directory per file
            ("{d}/{d}", ""),
            ("MNIST/raw/{n}", ""),  # torchvision
            ("FashionMNIST/raw/{n}.gz", "FashionMNIST"),
            ("raw/{n}", ""),
            ("fashion-{n}", ""),
            ("kmnist/kmnist-{n}.gz", "kmnist"),
        ]
    ):
        root = tmp_path / str(number)
        for name in FILES["train"]:
            file = root / place.format(n=name, d=name.replace("-idx", ".idx"))
            file.parent.mkdir(parents=True, exist_ok=True)
            write_idx(file, read_idx(tmp_path / "plain" / name))
        found, known = load_mnist(root / ask, "train")
        assert np.array_equal(found, images), place
        assert np.array_equal(known, labels), place


def test_emnist_is_turned_upright_and_one_of_its_splits_is_named(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for split in ("balanced", "letters"):
        for part in ("train", "test"):
            name = f"emnist-{split}-{part}-images-idx3-ubyte.gz"
            write_idx(tmp_path / name, images + (part == "test"))
    with pytest.raises(
        ValueError, match=r"has several sets; name one: .*emnist-letters"
    ):
        load_mnist(tmp_path, "train")
    data = Dataset.open(tmp_path / "emnist-letters")
    assert np.array_equal(data.images, images.transpose(0, 2, 1))
    assert np.array_equal(data.test_images, images.transpose(0, 2, 1) + 1)
    assert find_data(tmp_path / "emnist-letters") == tmp_path / "emnist-letters"


def test_the_labels_of_qmnist_are_its_first_column(tmp_path):
    images = np.zeros((3, 2, 2), np.uint8)
    write_idx(tmp_path / "qmnist-train-images-idx3-ubyte", images)
    table = np.arange(24, dtype=np.int32).reshape(3, 8)
    write_idx(tmp_path / "qmnist-train-labels-idx2-int", table)
    assert load_mnist(tmp_path, "train")[1].tolist() == [0, 8, 16]


def test_a_test_set_is_not_taken_from_another_place(tmp_path):
    write_set(tmp_path)
    (tmp_path / "old").mkdir()
    write_idx(tmp_path / "old/t10k-images-idx3-ubyte", np.zeros((2, 4, 3), np.uint8))
    with pytest.raises(FileNotFoundError, match="there is no t10k-images"):
        load_mnist(tmp_path, "test")


def test_two_sets_side_by_side_are_not_chosen_between(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_set(tmp_path / name)
    with pytest.raises(ValueError, match=r"has several sets; name one: .*/a, .*/b"):
        load_mnist(tmp_path, "train")


# The sample


def test_the_sample_is_what_its_readme_says():
    readme = (SAMPLE.parent / "README.md").read_text()
    payloads = re.findall(r"\| (\S+-ubyte) \| ([\d,]+) \| ([0-9a-f]{64}) \|", readme)
    assert [name for name, _, _ in payloads] == [*FILES["train"], *FILES["test"]]
    for name, size, digest in payloads:
        payload = gzip.decompress((SAMPLE / f"{name}.gz").read_bytes())
        assert (
            len(payload) == int(size.replace(",", ""))
            and hashlib.sha256(payload).hexdigest() == digest
        )
    for split, count in ("train", 9_000), ("test", 1_000):
        images, labels = load_mnist(SAMPLE, split)
        assert images.shape == (count, 28, 28) and labels.shape == (count,)
        row = re.search(rf"\| {split} \| ([\d,| ]+) \|", readme)[1]
        assert np.bincount(labels).tolist() == [
            int(n.replace(",", "")) for n in row.split("|")
        ]


def test_no_digit_is_in_the_sample_twice():
    images = np.concatenate([load_mnist(SAMPLE, split)[0] for split in FILES])
    assert len({image.tobytes() for image in images}) == 10_000


def test_the_script_refuses_an_archive_of_anything_else(tmp_path):
    spec = importlib.util.spec_from_file_location(
        "make_sample", SAMPLE.parent / "make_sample.py"
    )
    make_sample = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_sample)

    def archive(values):
        with tarfile.open(tmp_path / "archive.tgz", "w:gz") as tar:
            for digit in range(10):
                data = json.dumps({"data": values(digit)}).encode()
                info = tarfile.TarInfo(f"package/src/digits/{digit}.json")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return tmp_path / "archive.tgz"

    distinct = np.round(
        np.random.default_rng(0).integers(256, size=(10, 4, 784)) / 255, 3
    )
    with pytest.raises(
        ValueError, match="holds 40 images, 40 distinct; expected 10,000"
    ):
        make_sample.read_archive(
            archive(lambda digit: distinct[digit].ravel().tolist())
        )
    with pytest.raises(ValueError, match=r"0.json does not hold images of 784 pixels"):
        make_sample.read_archive(archive(lambda digit: [0] * 783))
    with pytest.raises(
        ValueError, match="does not hold images of 784 pixels in \\[0, 1\\]"
    ):
        make_sample.read_archive(archive(lambda digit: [1.1] * 784))


# All of MNIST, where it is at hand


@needs_all_of_mnist
def test_every_digit_of_the_sample_is_in_mnist_with_its_label():
    images, labels = load_mnist(FULL, "train")
    known = {
        image.tobytes(): label for image, label in zip(images, labels, strict=True)
    }
    for split in FILES:
        for image, label in zip(*load_mnist(SAMPLE, split), strict=True):
            assert known[image.tobytes()] == label


@needs_all_of_mnist
def test_loading_all_of_mnist_takes_little_more_than_its_checksums():
    """Reading, checking the digests and the header; the reference is SHA-256 of the
    same bytes, packed and unpacked.
    """
    began = time.process_time()
    train, test = load_mnist(FULL, "train"), load_mnist(FULL, "test")
    loaded = time.process_time()
    for path in Path(FULL).iterdir():
        data = path.read_bytes()
        hashlib.sha256(gzip.decompress(data) if path.suffix == ".gz" else data).digest()
        hashlib.sha256(data).digest()
    print(loaded - began, time.process_time() - loaded)
    assert loaded - began < 3 * (time.process_time() - loaded)
    assert train[0].shape == (60_000, 28, 28) and test[0].shape == (10_000, 28, 28)
    assert np.bincount(train[1]).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
