"""The commands `data` and `download`: their arguments, and the lines that they print."""

import argparse
import gzip

import numpy as np
import pytest

import numpyvae.data
from numpyvae.cli import data, download, main
from numpyvae.cli.open_run import start_message
from numpyvae.data import Dataset
from numpyvae.data.mnist import INSTALLED_SAMPLE, load_mnist
from numpyvae.data.sources import fetch
from numpyvae.data.sources.convert import convert_images
from numpyvae.data.sources.download import PAYLOADS
from numpyvae.pictures.png import write_png


class Recorder:
    """Stands in for the console."""

    def __init__(self):
        self.lines, self.warnings, self.updates = [], [], []

    def line(self, text):
        self.lines.append(text)

    def warn(self, text):
        self.warnings.append(text)

    def progress(self, *values):
        self.updates.append(values)


def call(command, *words):
    parser, console = argparse.ArgumentParser(), Recorder()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(list(map(str, words))), console) == 0
    return console


def test_data_prints_the_sets_the_classes_and_the_next_command(tmp_path):
    for name in ("cat", "d\x1bg"):
        (tmp_path / "my photos" / name).mkdir(parents=True)
        for i in range(5):
            write_png(
                tmp_path / "my photos" / name / f"{i}.png", np.full((6, 4), i, np.uint8)
            )
    out = tmp_path / "my data"
    console = call(
        data,
        tmp_path / "my photos",
        "--out",
        out,
        "--size",
        3,
        2,
        "--test-fraction",
        0.2,
        "--seed",
        3,
    )
    assert console.lines == [
        "train: 8 images of 3 x 2 pixels, 2 classes",
        "test:  2 images of 3 x 2 pixels, 1 class",
        "classes: 0 cat, 1 d\\x1bg",
        f"Next: numpyvae train --data '{out}'",
    ]
    assert console.updates[-1] == (10, 10, "images") and len(console.updates) == 10
    expected = convert_images(
        tmp_path / "my photos", tmp_path / "expected", (3, 2), 0.2, 3
    )["train"]
    for found, wanted in zip(load_mnist(out, "train"), expected, strict=False):
        assert np.array_equal(found, wanted)


def test_data_without_labels_says_so(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6, 246, 6, dtype=np.uint8).reshape(10, 2, 2))
    console = call(data, tmp_path / "a.npy", "--out", tmp_path / "out")
    assert console.lines == [
        "train: 9 images of 2 x 2 pixels, no labels",
        "test:  1 image of 2 x 2 pixels, no labels",
        f"Next: numpyvae train --data {tmp_path}/out",
    ]


@pytest.mark.parametrize(
    "directory, option", [("data/mnist", ""), ("my data", " --data 'my data'")]
)
def test_download_prints_each_file_and_warns_of_failed_mirrors(
    tmp_path, monkeypatch, directory, option
):
    monkeypatch.chdir(tmp_path)
    asked = []

    def read_chunks(url, max_bytes, timeout):
        asked.append(url)
        if url.startswith("https://first.example/"):
            raise fetch.DownloadError("the server answers 503 no")
        yield gzip.compress(bytes(8)), 10, 20

    monkeypatch.setattr("numpyvae.data.sources.download.read_chunks", read_chunks)
    monkeypatch.setattr(
        "numpyvae.data.sources.download.verify_payload", lambda path, size, digest: None
    )
    mirrors = [
        "--mirror",
        "https://first.example/a",
        "--mirror",
        "https://second.example",
    ]
    console = call(download, "--data", directory, *mirrors)
    names = list(PAYLOADS)
    assert console.lines == [
        *(
            f"{directory}/{name}.gz: verified (https://second.example/{name}.gz)"
            for name in names
        ),
        f"Next: numpyvae train{option}",
    ]
    assert console.warnings == [
        f"https://first.example/a/{name}.gz: the server answers 503 no"
        for name in names
    ]
    assert console.updates == [(10, 20, "bytes")] * 4
    assert (
        call(download, "--data", directory).lines[0]
        == f"{directory}/{names[0]}.gz: verified (kept)"
    )


def test_a_failed_download_has_a_line_for_each_mirror(tmp_path, monkeypatch):
    def read_chunks(url, max_bytes, timeout):
        raise fetch.DownloadError("the server answers 503 no")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("numpyvae.data.sources.download.read_chunks", read_chunks)
    monkeypatch.setattr("numpyvae.data.sources.download.MIRRORS", ["https://a.example"])
    console = Recorder()
    arguments = argparse.Namespace(data="data/mnist", mirror=["https://b.example/"])
    with pytest.raises(fetch.DownloadError, match=r"2 mirrors failed. By hand: put"):
        download.run(arguments, console)
    assert console.warnings == [
        f"https://{host}.example/train-images-idx3-ubyte.gz: the server answers 503 no"
        for host in "ba"
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [data, download])
def test_a_command_has_one_line_of_help_and_examples(command):
    assert (
        "\n" not in command.HELP and "examples:\n      numpyvae " in command.run.__doc__
    )


def test_the_package_exports_what_it_lists():
    assert all(hasattr(numpyvae.data, name) for name in numpyvae.data.__all__)
    assert {"read_idx", "write_idx", "IdxError", "load_mnist"} <= set(
        numpyvae.data.__all__
    )


def test_a_table_is_trained_on_evaluated_and_resumed_without_a_conversion(
    tmp_path, monkeypatch, capsys, tiny
):
    monkeypatch.chdir(tmp_path)
    rows = np.c_[tiny[0].reshape(110, 30)[:, :25], np.arange(110) % 3]
    header = ",".join(f"p{i}" for i in range(25)) + ",class"
    np.savetxt("t.csv", rows, "%d", ",", header=header, comments="")
    small = ["--hidden", "4", "--latent", "2", "--processes", "1"]
    assert main(["train", "--data", "t.csv", "--epochs", "1", *small]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "labels: the column class",
        "Training on t.csv: 99 images, 11 to test.",
    ]
    assert main(["evaluate", "runs/001"]) == 0
    assert main(["train", "--resume", "runs/001", "--epochs", "2"]) == 0
    assert "Resuming runs/001 at epoch 2, batch 1, on t.csv" in capsys.readouterr().out
    rows[0, 0] ^= 1
    np.savetxt("t.csv", rows, "%d", ",", header=header, comments="")
    assert main(["evaluate", "runs/001"]) == 2
    assert "not the data that runs/001 was trained on" in capsys.readouterr().err


def test_only_the_sample_is_announced_as_digits_of_mnist(tiny_directory):
    other = Dataset.open(tiny_directory.rename(tiny_directory.with_name("sample")))
    assert start_message(other).endswith("sample: 110 images, 24 to test.")
    images = Dataset.open(INSTALLED_SAMPLE[-1])
    assert "9,000 digits of MNIST, 1,000 to test" in start_message(images)
