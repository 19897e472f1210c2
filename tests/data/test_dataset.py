"""A data set: what is recorded of it, how it is found again, and its way into a model."""

from dataclasses import replace

import numpy as np
import pytest

from numpyvae.data.dataset import (
    SAMPLE_DIGEST,
    Dataset,
    data_digest,
    printable_path,
)
from numpyvae.data.pixels import binarize_static, to_input
from numpyvae.data.sources.convert import convert_images
from numpyvae.pictures.png import write_png


@pytest.fixture(autouse=True)
def own_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_data_set_is_its_images_and_knows_them_again(tiny_directory, monkeypatch):
    data = Dataset.open("tiny")
    assert data.path == str(tiny_directory)
    assert data.image_shape == (6, 5)
    assert str(data) == "tiny"
    assert data.digest == data_digest(data.images, data.test_images)
    assert data.digest == Dataset.of(data.images, data.test_images).digest
    assert (len(data.labels), len(data.test_labels)) == (110, 24)
    monkeypatch.chdir("/")
    again = data.without_images().load()
    assert again == data
    assert np.array_equal(again.images, data.images)
    assert str(data) == str(tiny_directory).lstrip("/")


def test_other_data_is_refused_and_moved_data_is_found(tiny_directory):
    data = Dataset.open("tiny")
    moved = tiny_directory.rename("moved")
    with pytest.raises(
        FileNotFoundError,
        match="tiny: no such file or directory; that run was trained on tiny; name the",
    ):
        data.load(trained="that run")
    assert data.load(moved) == replace(data, path=str(moved.absolute()))
    with pytest.raises(
        ValueError, match="moved: not the data that this model was trained on"
    ):
        replace(data, digest="0" * 64).load(moved)


def test_a_record_has_no_images_and_is_the_same_data(tiny_directory):
    data = Dataset.open("tiny")
    assert len(data.without_images().images) == 0
    assert data.without_images() == data == Dataset(**data.record())


def test_a_digest_sees_a_pixel_the_shape_the_type_and_the_split(tiny):
    images, test_images = tiny
    changed = images.copy()
    changed[3, 2, 1] ^= 1
    digests = {
        data_digest(*arrays)
        for arrays in (
            (images, test_images),
            (changed, test_images),
            (images.reshape(-1, 5, 6), test_images),
            (test_images, images),
            (images.view(np.int8), test_images),
            (images,),
            (np.concatenate([images, test_images]),),
        )
    }
    assert len(digests) == 7


def test_rows_of_data_are_square_images_or_images_of_one_row():
    assert Dataset.of(np.zeros((4, 7))).image_shape == (1, 7)
    assert Dataset.of(np.zeros((4, 9))).image_shape == (3, 3)
    assert Dataset.of(np.zeros((4, 7))).scale == 1
    assert Dataset.of(np.zeros((4, 7), np.uint8)).scale == 255
    assert Dataset.unknown(784).image_shape == (28, 28)
    assert Dataset.unknown(10).image_shape == (1, 10)


def test_a_path_that_is_not_utf_8_is_printed_with_a_replacement():
    assert printable_path(b"a\xffb".decode("utf-8", "surrogateescape")) == "a\ufffdb"


@pytest.mark.parametrize("binarize", ["none", "threshold", "dynamic"])
def test_the_input_of_some_rows_is_that_of_their_pixels(tiny, binarize):
    data, rows = Dataset.of(*tiny), np.array([5, 0, 7])
    found = data.input("train", binarize, np.random.default_rng(3), rows)
    expected = to_input(tiny[0][rows], binarize, np.random.default_rng(3))
    assert np.array_equal(found, expected)
    assert found.shape == (3, 30) and found.dtype == np.float32


def test_static_pixels_are_sampled_once_from_the_seed_of_their_split(tiny):
    images = tiny[0]
    data, rng = Dataset.of(images, images), np.random.default_rng(0)
    found = {split: data.input(split, "static", rng) for split in ("train", "test")}
    assert np.array_equal(
        found["train"], (binarize_static(images, 1) > 0).reshape(110, 30)
    )
    assert np.array_equal(
        found["test"], (binarize_static(images, 2) > 0).reshape(110, 30)
    )
    assert (found["train"] != found["test"]).any()
    assert np.array_equal(data.input("test", "static", rng, [9]), found["test"][[9]])


def test_the_names_of_classes_travel_from_directories_to_the_record(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(4):
            pixels = rng.integers(256, size=(3, 2), dtype=np.uint8)
            write_png(tmp_path / "photos" / name / f"{i}.png", pixels)
    convert_images("photos", "converted")
    for data in Dataset.open("photos"), Dataset.open("converted"):
        assert data.classes == ("cat", "dog")
        assert data.record()["classes"] == ("cat", "dog")
        assert data.describe(0) == f"0, {data.classes[data.test_labels[0]]}"
    (tmp_path / "converted/classes.txt").write_text("0 cat\n1 dog\n")
    with pytest.raises(
        ValueError, match=r"classes.txt: is damaged; expected lines of 0"
    ):
        Dataset.open("converted")


def test_what_data_converts_is_read_as_it_is_by_its_name(tmp_path, tiny):
    rows = tiny[0].reshape(110, 30)
    np.savetxt("table.csv", rows, "%d", ",")
    notes = []
    with pytest.raises(
        ValueError, match=r"not a square.*`numpyvae data table.csv --out"
    ):
        Dataset.open("table.csv", notes.append)
    np.savez("set.npz", x_train=tiny[0], x_test=tiny[1], y_test=np.arange(24))
    data = Dataset.open("set.npz", notes.append)
    assert np.array_equal(data.images, tiny[0])
    assert np.array_equal(data.test_images, tiny[1])
    assert data.labels is None and data.test_labels.tolist() == list(range(24))
    assert notes == [
        "train: the array x_train",
        "test: the array x_test, labels y_test",
    ]
    assert data.without_images().load() == data


def test_a_directory_without_images_says_how_to_get_some(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"there is no train-images.*download"):
        Dataset.open("empty")


def test_without_a_path_it_is_the_sample_wherever_one_works(monkeypatch):
    monkeypatch.delenv("NUMPYVAE_DATA", raising=False)
    data = Dataset.open()
    assert data.digest == SAMPLE_DIGEST
    assert repr(data).endswith("9,000 images of 28 x 28 pixels, 1,000 to test>")
