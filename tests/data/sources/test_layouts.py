"""Layouts in which data sets are published, and in which people keep theirs.

Each case is written as the documentation of the data set or of its loader describes it,
with seven images of 6 x 6 pixels, three to test where there is a test set. It is read
back against the arrays that it was made from, or refused with the words that help.
"""

import gzip
import shutil

import numpy as np
import pytest
import scipy.io

from numpyvae.data import Dataset
from numpyvae.data.idx import write_idx
from numpyvae.data.sources.arrays import Reading
from numpyvae.data.sources.convert import split_source
from numpyvae.data.sources.matlab import read_mat
from numpyvae.errors import InputError
from numpyvae.pictures.png import write_png

RNG = np.random.default_rng(30)
IMAGES = RNG.integers(256, size=(7, 6, 6), dtype=np.uint8)
TEST = RNG.integers(256, size=(3, 6, 6), dtype=np.uint8)
IMAGES[0, 0, 0] = TEST[0, 0, 0] = 255
LABELS = np.array([3, 1, 4, 1, 5, 9, 2])
TEST_LABELS = np.array([6, 5, 3])
FLAT, TEST_FLAT = IMAGES.reshape(7, 36), TEST.reshape(3, 36)


def table(path, values, labels=None, last=False, header="", delimiter=",", more=""):
    """Write a CSV: a row per image, the labels in the first or the last column."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header] if header else []
    for number, row in enumerate(values):
        fields = list(map(str, row))
        if labels is not None:
            fields = [*fields, str(labels[number])] if last else [
                str(labels[number]), *fields
            ]  # fmt: skip
        if more:
            fields.insert(0, more.format(number))
        lines.append(delimiter.join(fields))
    data = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def pixels(first=0, name="pixel{}"):
    return ",".join(name.format(i) for i in range(first, first + 36))


def kaggle_digits(p):
    table(p / "s/train.csv", FLAT, LABELS, header="label," + pixels())
    table(p / "s/test.csv", TEST_FLAT, header=pixels())


def mnist_in_csv(p):
    table(p / "s/mnist_train.csv", FLAT, LABELS)
    table(p / "s/mnist_test.csv", TEST_FLAT, TEST_LABELS)


def fashion_csv(p):
    head = "label," + pixels(1)
    table(p / "s/fashion-mnist_train.csv", FLAT, LABELS, header=head)
    table(p / "s/fashion-mnist_test.csv", TEST_FLAT, TEST_LABELS, header=head)


def sign_csv(p):  # Sign Language MNIST: directories of their own, and pictures beside
    head = "label," + pixels(1)
    table(p / "s/sign_mnist_train.csv", FLAT, LABELS, header=head)
    table(p / "s/sign_mnist_test.csv", TEST_FLAT, TEST_LABELS, header=head)
    (p / "s/amer_sign2.png.txt").write_text("no table")


def emnist_csv(p):  # its images are stored column by column
    turned = IMAGES.transpose(0, 2, 1).reshape(7, 36)
    table(p / "emnist-letters-train.csv", turned, LABELS)
    (p / "emnist-letters-train.csv").rename(p / "emnist-letters.csv")


def openml_csv(p):
    table(p / "s.csv", FLAT, LABELS, last=True, header=pixels(1) + ",class")


def pandas_index(p):
    table(p / "s.csv", FLAT, LABELS, header="," + "label," + pixels(), more="{}")


def pandas_numbers(p):
    table(p / "s.csv", FLAT, header=pixels(name="{}"))


def pandas_target(p):
    table(p / "s.csv", FLAT, LABELS, last=True, header=pixels(name="{}") + ",target")


def gzipped(p):
    table(p / "s.csv.gz", FLAT, LABELS, header="label," + pixels())


def tabs(p):
    head = ("y," + pixels()).replace(",", "\t")
    table(p / "s.tsv", FLAT, LABELS, header=head, delimiter="\t")


def semicolons(p):
    head = ("label," + pixels()).replace(",", ";")
    table(p / "s.csv", FLAT, LABELS, header=head, delimiter=";")


def quoted(p):
    values = [[f'"{v}"' for v in row] for row in FLAT]
    head = '"label",' + pixels(name='"{}"')
    table(p / "s.csv", values, [f'"{label}"' for label in LABELS], header=head)


def words(p):
    names = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 9: "nine"}
    table(p / "s.csv", FLAT, [names[i] for i in LABELS], header="class," + pixels())


def amat(p):  # Larochelle: binary pixels, divided by spaces
    np.savetxt(p / "s.amat", FLAT > 127, "%d")


def amat_split(p):
    (p / "s").mkdir()
    for name, rows in ("train", FLAT), ("valid", TEST_FLAT), ("test", TEST_FLAT):
        np.savetxt(p / f"s/binarized_mnist_{name}.amat", rows > 127, "%d")


def variations_amat(p):  # Larochelle's variations: fractions, the label last
    rows = np.c_[FLAT / 255, LABELS]
    np.savetxt(p / "s.amat", rows, "%.6f")


def keras(p):
    np.savez(p / "s.npz", x_train=IMAGES, y_train=LABELS, x_test=TEST,
             y_test=TEST_LABELS)  # fmt: skip


def keras_one_hot(p):
    np.savez(p / "s.npz", x_train=IMAGES[..., None] / np.float32(255),
             y_train=np.eye(10)[LABELS], x_test=TEST[..., None] / np.float32(255),
             y_test=np.eye(10)[TEST_LABELS])  # fmt: skip


def kmnist(p):
    (p / "s").mkdir()
    for name, array in {
        "train-imgs": IMAGES, "train-labels": LABELS.astype(np.uint8),
        "test-imgs": TEST, "test-labels": TEST_LABELS.astype(np.uint8),
    }.items():  # fmt: skip
        np.savez(p / f"s/kmnist-{name}.npz", array)


def medmnist(p):
    np.savez(p / "s.npz", train_images=IMAGES, train_labels=LABELS[:, None],
             val_images=TEST, val_labels=TEST_LABELS[:, None],
             test_images=TEST, test_labels=TEST_LABELS[:, None])  # fmt: skip


def four_npy(p):
    (p / "s").mkdir()
    for name, array in {
        "X_train": IMAGES, "y_train": LABELS, "X_test": TEST, "y_test": TEST_LABELS,
    }.items():  # fmt: skip
        np.save(p / f"s/{name}.npy", array)


def scikit(p):
    np.savez(p / "s.npz", data=np.rint(FLAT / 255 * 16), target=LABELS)


def float32_scaled(p):
    np.save(p / "s.npy", (IMAGES / np.float32(255)) * np.float32(1.0000001))


def channels_first(p):
    np.save(p / "s.npy", np.repeat(IMAGES[:, None], 3, axis=1))


def matlab_order(p):
    scipy.io.savemat(
        p / "s.mat", {"X": IMAGES.transpose(1, 2, 0), "y": LABELS[:, None]}
    )


def svhn(p):
    color = np.repeat(IMAGES.transpose(1, 2, 0)[:, :, None], 3, axis=2)
    scipy.io.savemat(p / "s.mat", {"X": color, "y": LABELS[:, None]})


def mnist_original(p):
    scipy.io.savemat(p / "s.mat", {"data": FLAT.T, "label": LABELS[None]})


def frey(p):
    scipy.io.savemat(p / "s.mat", {"ff": FLAT.T})


def torchvision(p):
    (p / "s/MNIST/raw").mkdir(parents=True)
    write_set(p / "s/MNIST/raw/{}-idx{}-ubyte", "t10k")


def kaggle_idx(p):
    for name, number in ("images", 3), ("labels", 1):
        for split in ("train", "t10k"):
            (p / f"s/{split}-{name}-idx{number}-ubyte").mkdir(parents=True)
    write_set(p / "s/{0}-idx{1}-ubyte/{0}-idx{1}-ubyte", "t10k")
    write_set(p / "s/{}.idx{}-ubyte", "t10k")


def emnist_idx(p):
    (p / "s/gzip").mkdir(parents=True)
    write_set(p / "s/gzip/emnist-digits-{}-idx{}-ubyte.gz", "test", (0, 2, 1))


def write_set(pattern, test, axes=(0, 1, 2)):
    for split, images, labels in (
        ("train", IMAGES, LABELS), (test, TEST, TEST_LABELS),
    ):  # fmt: skip
        file = str(pattern)
        write_idx(file.format(f"{split}-images", 3), images.transpose(axes))
        write_idx(file.format(f"{split}-labels", 1), labels.astype(np.uint8))


def image_folder(p):
    for split, images, labels in (
        ("train", IMAGES, LABELS), ("test", TEST, TEST_LABELS),
    ):  # fmt: skip
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            (p / f"s/{split}/{label}").mkdir(parents=True, exist_ok=True)
            write_png(p / f"s/{split}/{label}/{i}.png", image)


def mac_archive(p):
    image_folder(p)
    (p / "s/__MACOSX/train").mkdir(parents=True)
    (p / "s/train/.DS_Store").write_bytes(b"x")
    (p / "s/Thumbs.db").write_bytes(b"x")


# name: (write it, how to read it, has a test set, has labels of train and of test)
READ = {
    "Kaggle's digit recognizer": (kaggle_digits, {}, True, (True, False)),
    "MNIST in CSV": (mnist_in_csv, {"label_column": "first"}, True, (True, True)),
    "Fashion-MNIST in CSV": (fashion_csv, {}, True, (True, True)),
    "Sign Language MNIST": (sign_csv, {}, True, (True, True)),
    "EMNIST in CSV": (emnist_csv, {"label_column": "first"}, False, (True,)),
    "OpenML's mnist_784": (openml_csv, {}, False, (True,)),
    "pandas with its index": (pandas_index, {}, False, (True,)),
    "pandas, columns 0 to 35": (pandas_numbers, {}, False, (False,)),
    "pandas, and target": (pandas_target, {}, False, (True,)),
    "gzipped CSV": (gzipped, {}, False, (True,)),
    "TSV": (tabs, {}, False, (True,)),
    "a spreadsheet's semicolons": (semicolons, {}, False, (True,)),
    "numbers in quotes": (quoted, {}, False, (True,)),
    "classes in words": (words, {}, False, ("names",)),
    "binarized MNIST, one file": (amat, {}, False, (False,)),
    "binarized MNIST, three files": (amat_split, {}, True, (False, False)),
    "MNIST variations": (variations_amat, {"label_column": "last"}, False, (True,)),
    "Keras' mnist.npz": (keras, {}, True, (True, True)),
    "Keras, scaled and one-hot": (keras_one_hot, {}, True, (True, True)),
    "KMNIST": (kmnist, {}, True, (True, True)),
    "MedMNIST": (medmnist, {}, True, (True, True)),
    "four .npy files": (four_npy, {}, True, (True, True)),
    "scikit-learn's digits": (scikit, {"white": 16}, False, (True,)),
    "MinMaxScaler in float32": (float32_scaled, {}, False, (False,)),
    "PyTorch's (N, C, H, W)": (channels_first, {}, False, (False,)),
    "MATLAB's (H, W, N)": (matlab_order, {}, False, (True,)),
    "SVHN": (svhn, {}, False, (True,)),
    "mnist-original.mat": (mnist_original, {}, False, (True,)),
    "Frey faces": (frey, {"size": (6, 6)}, False, (False,)),
    "torchvision's root": (torchvision, None, True, (True, True)),
    "Kaggle's directories of IDX": (kaggle_idx, None, True, (True, True)),
    "EMNIST's own files": (emnist_idx, None, True, (True, True)),
    "torchvision's ImageFolder": (image_folder, {}, True, (True, True)),
    "an archive made on a Mac": (mac_archive, {}, True, (True, True)),
}


def source_in(directory):
    """The only file or directory that a case has written."""
    (path,) = directory.iterdir()
    return path


@pytest.mark.parametrize("name", READ)
def test_a_published_layout_is_read_as_the_images_that_are_in_it(tmp_path, name):
    write, how, tested, labeled = READ[name]
    write(tmp_path)
    source = source_in(tmp_path)
    if how is None:
        data = Dataset.open(source)
        images, labels = data.images, data.labels
        test, test_labels, classes = data.test_images, data.test_labels, data.classes
    else:
        parts = split_source(source, Reading(**how), test_fraction=0.3, seed=1)
        images, labels, classes = parts["train"]
        test, test_labels, _ = parts["test"]
    expected, known = IMAGES, LABELS
    if "binarized" in name:
        expected = np.where(IMAGES > 127, 255, 0)
    if not tested:
        images = np.concatenate([images, test])
        labels = None if labels is None else np.concatenate([labels, test_labels])
    images, labels = in_order(images, labels, expected)
    tolerance = 8 if name == "scikit-learn's digits" else 0  # 17 levels of 256
    assert images.shape == (7, 6, 6) and images.dtype == np.uint8
    assert abs(images.astype(int) - expected).max() <= tolerance
    if tested:
        expected = np.where(TEST > 127, 255, 0) if "binarized" in name else TEST
        test, test_labels = in_order(test, test_labels, expected)
        assert np.array_equal(test, expected)
        assert (test_labels is not None) == labeled[1]
        if labeled[1]:
            assert test_labels.tolist() == TEST_LABELS.tolist()
    if labeled[0] == "names":
        assert classes == ["five", "four", "nine", "one", "three", "two"]
        known = [4, 3, 1, 3, 0, 2, 5]
    assert (labels is not None) == bool(labeled[0])
    if labeled[0]:
        assert labels.tolist() == list(known)


def in_order(images, labels, expected):
    """For each expected image the one of `images` that differs least, and its label."""
    distances = abs(images[None].astype(int) - expected[:, None]).sum(axis=(2, 3))
    order = distances.argmin(axis=1)
    return images[order], None if labels is None else labels[order]


def write_zip(p):
    image_folder(p)
    shutil.make_archive(str(p / "s"), "zip", p / "s")
    shutil.rmtree(p / "s")


def jpg_only(p):
    (p / "s/cat").mkdir(parents=True)
    for i in range(3):
        (p / f"s/cat/{i}.JPG").write_bytes(b"\xff\xd8")


def test_flat_images_are_rows_unless_only_the_columns_have_the_size(tmp_path):
    """Nothing is turned where the rows are images, even if their number is a size."""
    rows = RNG.integers(256, size=(36, 49), dtype=np.uint8)
    np.save(tmp_path / "a.npy", rows)
    notes = []
    parts = split_source(tmp_path / "a.npy", Reading((6, 6)), note=notes.append)
    assert sum(len(part.images) for part in parts.values()) == 36 and notes == []
    np.save(tmp_path / "a.npy", rows[:, :30])
    with pytest.raises(InputError, match="a row has 30 pixels, which is not a square"):
        split_source(tmp_path / "a.npy")
    parts = split_source(tmp_path / "a.npy", Reading((6, 6)), note=notes.append)
    assert sum(len(part.images) for part in parts.values()) == 30
    assert notes == ["train: 30 images along the last axis"]


REFUSED = {
    "no header, label first": (
        lambda p: table(p / "s.csv", FLAT, LABELS),
        "has 37 numbers, one more than 6 x 6: .* --label-column first",
    ),
    "a .npy with labels in a column": (
        lambda p: np.save(p / "s.npy", np.c_[FLAT, LABELS]),
        "has 37 numbers, one more than 6 x 6: .* --label-column last",
    ),
    "a label and --size": (
        lambda p: table(p / "s.csv", FLAT, LABELS),
        "one more than 6 x 6",
        {"size": (1, 37)},
    ),
    "a column that is not there": (
        lambda p: table(p / "s.csv", FLAT, LABELS, header="digit," + pixels()),
        "has no column 'number'; it has digit, pixel0",
        {"label_column": "number"},
    ),
    "words that are not marked": (
        lambda p: table(p / "s.csv", FLAT, ["a"] * 7),
        "one more than 6 x 6",
    ),
    "scikit-learn's digits": (
        lambda p: np.save(p / "s.npy", np.rint(FLAT / 255 * 16)),
        "go from 0 to 16, far below 255: .* --white 16",
    ),
    "[-1, 1]": (
        lambda p: np.save(p / "s.npy", IMAGES / 127.5 - 1),
        "go from -0.98.* to 1; .* shift them first",
    ),
    "MATLAB's order without a size": (
        lambda p: np.save(p / "s.npy", IMAGES.transpose(1, 2, 0)),
        r"6 images of 6 x 7, or 7 of 6 x 6\? Give the size, as --size ROWS COLS",
    ),
    "JPG": (jpg_only, "has no PNG files, but 3 .jpg files; .*mogrify -format png"),
    "zip": (write_zip, "s.zip: unpack it first"),
    "a pickle": (lambda p: (p / "s.pkl").write_bytes(b"x"), "save arrays with"),
    "two columns of labels": (
        lambda p: table(p / "s.csv", FLAT, LABELS, header="label,y," + pixels(2)),
        "has the columns label, y; name the labels' with --label-column",
    ),
    "a damaged .csv.gz": (
        lambda p: (p / "s.csv.gz").write_bytes(gzip.compress(b"1,2,3,4\n") + b"more"),
        "s.csv.gz: its gzip data is damaged: incorrect header check",
    ),
    "a truncated .csv.gz": (
        lambda p: (p / "s.csv.gz").write_bytes(gzip.compress(b"1,2,3,4\n")[:-4]),
        "s.csv.gz: its compressed data has no end",
    ),
    "a packed array": (lambda p: (p / "s.npy.gz").write_bytes(b"x"), "unpack it first"),
    "two directories to train on": (
        lambda p: [
            image_folder(p),
            (p / "s/train").rename(p / "s/train1"),
            shutil.copytree(p / "s/test", p / "s/train2"),
        ],
        "has train1 and train2, and nothing says which to take",
    ),
    "white of PNG files": (
        image_folder,
        "is a directory of images, whose white and labels are known",
        {"white": 16},
    ),
    "parquet": (lambda p: (p / "s.parquet").write_bytes(b"PAR1"), "save it as CSV"),
    "HDF5": (lambda p: (p / "s.h5").write_bytes(b"\x89HDF"), "numpy.savez"),
    "MATLAB 7.3": (
        lambda p: (p / "s.mat").write_bytes(
            b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM"
        ),
        "s.mat: is of MATLAB's version 7.3, which is HDF5; save it with -v7",
    ),
    "one IDX file": (
        lambda p: write_idx(p / "train-images-idx3-ubyte.gz", IMAGES),
        "is one of the files of a set; name its directory",
    ),
    "a test set alone": (
        lambda p: table(p / "s/test.csv", FLAT),
        "has no training images, as train.csv or images.npy",
    ),
    "two tables": (
        lambda p: [table(p / f"s/{name}.csv", FLAT) for name in "ab"],
        "has a.csv and b.csv, and nothing says which to take",
    ),
    "train and test of other sizes": (
        lambda p: [
            (p / "s").mkdir(),
            np.save(p / "s/train.npy", IMAGES),
            np.save(p / "s/test.npy", TEST[:, :5]),
        ],
        r"training images are \(6, 6\) pixels, test images \(5, 6\); resize",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_with_what_to_do(tmp_path, name):
    write, message, *how = REFUSED[name]
    write(tmp_path)
    source = source_in(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        split_source(source, Reading(**(how[0] if how else {})))
    assert str(source) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("packed", [False, True])
def test_the_arrays_of_a_matlab_file_are_those_that_scipy_wrote(tmp_path, packed):
    wanted = {
        "d": np.arange(6.0).reshape(2, 3), "s": np.float32([[1.5]]),
        "u": IMAGES, "i": np.int16([[-3, 7]]), "b": np.array([[True, False]]),
        "l": np.int64([[2**40]]), "e": np.zeros((0, 3)),
    }  # fmt: skip
    more = {"text": "abc", "cell": np.array([1, "a"], object), "c": np.array([[1j]])}
    scipy.io.savemat(tmp_path / "a.mat", wanted | more, do_compression=packed)
    found = read_mat((tmp_path / "a.mat").read_bytes())
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        assert np.array_equal(found[name], array), name


@pytest.mark.parametrize("ending", ["npy", "npz", "mat", "csv"])
def test_a_damaged_file_is_read_or_refused_by_name(tmp_path, ending):
    """Whatever a reader raises (KeyError, TokenError, BadZipFile …), it is one line."""
    rng, path, source = np.random.default_rng(0), tmp_path / f"a.{ending}", {}
    np.save(tmp_path / "b.npy", IMAGES)
    np.savez(tmp_path / "b.npz", x_train=IMAGES, y_train=LABELS)
    scipy.io.savemat(tmp_path / "b.mat", {"X": IMAGES, "y": LABELS})
    table(tmp_path / "b.csv", FLAT, LABELS, header="label," + pixels())
    source = (tmp_path / f"b.{ending}").read_bytes()
    refused = 0
    for _ in range(100):
        data = bytearray(source)
        i, j = sorted(rng.integers(len(data), size=2))
        match rng.integers(4):
            case 0:
                del data[i:]
            case 1:
                data[i] ^= 1 << rng.integers(8)
            case 2:
                del data[i : min(j, i + 9)]
            case 3:
                data[i:i] = rng.bytes(4)
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        try:
            split_source(path)
        except InputError as error:
            refused += 1
            assert str(path) in str(error) and "\n" not in str(error)
    assert refused > 50


def test_what_was_assumed_or_left_out_is_said(tmp_path):
    image_folder(tmp_path)
    (tmp_path / "s/train/3/x.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "s/train/3/y.JPEG").write_bytes(b"\xff\xd8")
    notes = []
    split_source(tmp_path / "s", note=notes.append)
    assert notes == [
        "train: the directory train, test: test",
        "left out: 1 .jpeg files, 1 .jpg files; convert them, as `mogrify -format png` "
        "of ImageMagick does",
    ]
    notes.clear()
    (tmp_path / "s/valid").mkdir()
    (tmp_path / "s/labels.csv").write_text("0\n")
    split_source(tmp_path / "s", note=notes.append)
    assert notes[0] == "left out: labels.csv" and notes[2] == "left out: valid"
    notes.clear()
    shutil.rmtree(tmp_path / "s")
    amat_split(tmp_path)
    split_source(tmp_path / "s", note=notes.append)
    assert notes == ["left out: binarized_mnist_valid.amat"]
    pandas_index(tmp_path)
    notes.clear()
    split_source(tmp_path / "s.csv", note=notes.append)
    assert notes == [
        "labels: the column label",
        "left out: the column (without a name)",
    ]


@pytest.mark.parametrize("last", [False, True])
def test_the_first_or_last_column_is_counted_without_the_index(tmp_path, last):
    names = f"{pixels()},digit" if last else f"digit,{pixels()}"
    table(tmp_path / "s.csv", FLAT, LABELS, last, header="," + names, more="{}")
    how = Reading(label_column="last" if last else "first")
    parts = split_source(tmp_path / "s.csv", how, test_fraction=0.3)
    labels = np.concatenate([parts["train"].labels, parts["test"].labels])
    images = np.concatenate([parts["train"].images, parts["test"].images])
    assert in_order(images, labels, IMAGES)[1].tolist() == LABELS.tolist()


def test_ink_on_paper_is_inverted_and_columns_become_rows(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES[:, :, :5])
    how = Reading(invert=True, transpose=True)
    parts = split_source(tmp_path / "a.npy", how, test_fraction=0.3)
    made = np.concatenate([parts["train"].images, parts["test"].images])
    expected = 255 - IMAGES[:, :, :5].transpose(0, 2, 1)
    assert sorted(map(bytes, made)) == sorted(map(bytes, expected))
