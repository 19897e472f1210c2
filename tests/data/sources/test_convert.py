"""Own images: PNG files, CSV and arrays become data to train on; each unusable input is
one clear line.
"""

import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.data import Dataset
from numpyvae.data.mnist import CLASS_FILE, load_mnist
from numpyvae.data.sources import convert
from numpyvae.data.sources.arrays import (
    Reading,
    as_bytes,
    resize_by_area,
    to_gray,
    white_of,
)
from numpyvae.data.sources.convert import convert_images
from numpyvae.errors import InputError
from numpyvae.pictures.png import write_png


def read_source(source, size=None, **how):
    return convert.read_source(source, Reading(size, **how))["train"]


def images(n=10, rows=4, cols=5, seed=0):
    return np.random.default_rng(seed).integers(
        256, size=(n, rows, cols), dtype=np.uint8
    )


def write_images(directory, array, start=0):
    directory.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(array, start):
        write_png(directory / f"image {i:03d}.png", image)


def as_set(*arrays):
    return sorted(image.tobytes() for array in arrays for image in array)


# Directories


def test_a_directory_of_png_files_becomes_a_training_and_a_test_set(tmp_path):
    array = images(20)
    write_images(tmp_path / "photos", array)
    (tmp_path / "photos" / "README.txt").write_text("not an image")
    (tmp_path / "photos" / ".hidden.png").write_text("not an image")
    seen = []
    split = convert_images(
        tmp_path / "photos", tmp_path / "out", progress=lambda *at: seen.append(at)
    )
    data = Dataset.open(tmp_path / "out")
    train, test = data.images, data.test_images
    assert (
        train.shape == (18, 4, 5)
        and test.shape == (2, 4, 5)
        and as_set(train, test) == as_set(array)
    )
    assert (
        load_mnist(tmp_path / "out", "train")[1] is None
        and load_mnist(tmp_path / "out", "test")[1] is None
    )
    assert np.array_equal(split["train"].images, train) and np.array_equal(
        split["test"].images, test
    )
    assert sorted(os.listdir(tmp_path / "out")) == [
        "t10k-images-idx3-ubyte.gz",
        "train-images-idx3-ubyte.gz",
    ]
    assert seen == [(i, 20) for i in range(1, 21)]
    assert sorted(os.listdir(tmp_path)) == ["out", "photos"]


def test_sub_directories_become_labels_in_the_order_of_their_names(tmp_path):
    array = images(12)
    names = ["ähre", "cat", "dog", "10"]
    for i, name in enumerate(names):
        write_images(tmp_path / "photos" / name, array[3 * i : 3 * i + 3])
    convert_images(tmp_path / "photos", tmp_path / "out", test_fraction=0.25)
    known = {image.tobytes(): names[i // 3] for i, image in enumerate(array)}
    assert (tmp_path / "out" / CLASS_FILE).read_text(
        "utf-8"
    ) == "0\t10\n1\tcat\n2\tdog\n3\tähre\n"
    for part, count in ("train", 9), ("test", 3):
        loaded, labels = load_mnist(tmp_path / "out", part)
        assert len(labels) == count
        assert [known[image.tobytes()] for image in loaded] == [
            sorted(names)[label] for label in labels
        ]


def test_sub_directories_that_are_numbers_are_those_labels(tmp_path):
    for name in ("7", "010", "255"):
        write_images(tmp_path / "photos" / name, images(2, seed=int(name)))
    array, labels, classes = read_source(tmp_path / "photos")
    assert labels.tolist() == [10, 10, 255, 255, 7, 7] and classes is None
    assert np.array_equal(array[:2], images(2, seed=10)) and np.array_equal(
        array[4:], images(2, seed=7)
    )
    write_images(tmp_path / "photos" / "256", images(1))
    assert read_source(tmp_path / "photos").classes == ["010", "255", "256", "7"]
    write_images(tmp_path / "same" / "1", images(1))
    write_images(tmp_path / "same" / "01", images(1))
    assert read_source(tmp_path / "same").classes == ["01", "1"]


def test_color_becomes_gray_by_luma(tmp_path):
    color = np.random.default_rng(0).integers(256, size=(3, 4, 5, 3), dtype=np.uint8)
    write_images(tmp_path / "photos", color)
    expected = [
        [
            [round(Fraction(299 * r + 587 * g + 114 * b, 1000)) for r, g, b in row]
            for row in image
        ]
        for image in color.tolist()
    ]
    assert read_source(tmp_path / "photos").images.tolist() == expected
    assert to_gray(np.full((1, 3), 255, np.uint8)).tolist() == [255]


def test_names_of_any_bytes_are_read(tmp_path):
    directory = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.mkdir(directory)
    write_images(tmp_path / "Übung ✓", images(2))
    for number, name in enumerate(sorted(os.listdir(tmp_path / "Übung ✓"))):
        os.rename(
            tmp_path / "Übung ✓" / name, os.path.join(directory, b"\xe9%d.PNG" % number)
        )
    write_images(tmp_path / "Übung ✓", images(2))
    assert np.array_equal(read_source(os.fsdecode(directory)).images, images(2))
    out = tmp_path.with_name(tmp_path.name + "-out")
    convert_images(tmp_path, out)
    assert (out / CLASS_FILE).read_text("utf-8") == "0\tÜbung ✓\n1\t\\udcff\\udcfe\n"


# Size


@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
)
def test_resizing_is_the_mean_over_the_covered_area(
    rows, cols, new_rows, new_cols, seed
):
    """The oracle: enlarge both to the least common grid, where areas are complete
    cells, in exact fractions.
    """
    image = np.random.default_rng(seed).integers(256, size=(rows, cols), dtype=np.uint8)
    fine = np.kron(image.astype(object), np.ones((new_rows, new_cols), object))
    resized = resize_by_area(image, (new_rows, new_cols))
    for i in range(new_rows):
        for j in range(new_cols):
            mean = Fraction(
                int(fine[i * rows : (i + 1) * rows, j * cols : (j + 1) * cols].sum()),
                rows * cols,
            )
            assert abs(mean - int(resized[i, j])) <= Fraction(1, 2) + Fraction(
                1, 10**9
            )  # rounding; float64's own


def test_a_constant_image_stays_constant_and_the_same_size_stays_the_same():
    for value in (0, 1, 254, 255):
        assert (
            resize_by_area(np.full((2, 7, 11), value, np.uint8), (28, 5)) == value
        ).all()
    assert np.array_equal(resize_by_area(images(), (4, 5)), images())


def test_images_of_several_sizes_are_resized_to_one(tmp_path):
    write_images(tmp_path / "photos", images(2, 4, 6))
    write_images(tmp_path / "photos", images(2, 8, 2), start=2)
    loaded = read_source(tmp_path / "photos", (4, 6)).images
    assert np.array_equal(loaded[:2], images(2, 4, 6))
    assert np.array_equal(loaded[2:], resize_by_area(images(2, 8, 2), (4, 6)))


# CSV and arrays


def test_a_csv_has_one_image_per_row_and_maybe_labels(tmp_path):
    array, path = images(6, 3, 3), tmp_path / "images.csv"
    np.savetxt(path, array.reshape(6, 9), "%d", ",")
    plain = read_source(path)
    assert np.array_equal(plain.images, array) and plain.labels is None
    rows = [
        ",".join(map(str, [10 * i, *image.ravel()])) for i, image in enumerate(array)
    ]
    for start in ("label", '\ufeff"Label"'):
        header = start + "".join(f",{i}x{i}" for i in range(9))
        path.write_text("\r\n".join([header, *rows, "", ""]), "utf-8")
        labelled = read_source(path)
        assert np.array_equal(labelled.images, array) and labelled.labels.tolist() == [
            0,
            10,
            20,
            30,
            40,
            50,
        ]
    path.write_text("a,b,c,d\n1,2,3,255\n")
    assert (
        read_source(path).images.tolist() == [[[1, 2], [3, 255]]]
        and read_source(path).labels is None
    )
    np.savetxt(path, array.reshape(6, 9)[:, :6], "%d", ",")
    assert np.array_equal(
        read_source(path, (2, 3)).images, array.reshape(6, 9)[:, :6].reshape(6, 2, 3)
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a,
        lambda a: a[..., None],
        lambda a: a.astype(float),
        lambda a: a / 255,
        lambda a: a.reshape(10, 25),
        lambda a: np.asfortranarray(a.astype(">i4")),
        lambda a: a.astype(np.float16),
        lambda a: np.repeat(a[..., None], 3, 3),
    ],
)
def test_arrays_of_every_form_are_the_same_images(tmp_path, change):
    array = images(10, 5, 5)
    np.save(tmp_path / "images.npy", change(array))
    assert np.array_equal(read_source(tmp_path / "images.npy").images, array)
    np.savez(tmp_path / "images.npz", images=change(array), labels=np.arange(10) + 246)
    loaded = read_source(tmp_path / "images.npz")
    assert np.array_equal(loaded.images, array) and loaded.labels.tolist() == list(
        range(246, 256)
    )
    np.savez_compressed(tmp_path / "images.npz", change(array))
    assert np.array_equal(read_source(tmp_path / "images.npz").images, array)


ONE = np.float32(1) + np.float32(2) ** -23  # MinMaxScaler's largest number in float32


@pytest.mark.parametrize(
    "values, white, expected",
    [
        ([False, True], None, [0, 255]),
        ([0, 1], None, [0, 255]),
        ([0, 0.5, 1], None, [0, 128, 255]),  # 127.5 to even
        ([0.25, ONE, -1e-7], None, [64, 255, 0]),
        ([0, 7, 255], None, [0, 7, 255]),
        ([0.0, 200.0], None, [0, 200]),
        ([0, 4, 16], 16, [0, 64, 255]),
        ([0, 100], 255, [0, 100]),
        ([0, 65535, 257], 65535, [0, 255, 1]),
    ],
)
def test_white_is_255_or_1_or_the_number_that_is_given(values, white, expected):
    values = np.array(values)
    white = white or white_of([values], "a")
    assert as_bytes(values, white, "a").tolist() == expected


@pytest.mark.parametrize(
    "values, message",
    [
        ([0, 16], "go from 0 to 16, far below 255: .* --white 16 or --white 255"),
        (np.uint8([0, 16]), "far below 255"),
        ([0, 1.02], "go from 0 to 1.02; .* --white 1.02"),
        ([0, 99.5, 200], "go from 0 to 200; .* --white 200"),
        ([-1, 1], "go from -1 to 1; .* shift them first"),
        ([0, 65535], "go from 0 to 65535; .* --white 65535"),
        ([0, np.nan], "a value is nan; expected finite numbers"),
    ],
)
def test_a_scale_that_is_not_plain_is_refused_with_the_range(values, message):
    with pytest.raises(InputError, match=message):
        white_of([np.asarray(values)], "a")


def test_a_value_above_the_white_that_is_given_is_refused_with_its_place():
    with pytest.raises(
        InputError, match=r"the value at \(1,\) is 17; expected 0 to 16"
    ):
        as_bytes(np.array([3, 17]), 16, "a")


# The split


@pytest.mark.parametrize(
    "n, fraction, test",
    [
        (2, 0.1, 1),
        (2, 0.9, 1),
        (10, 0.25, 2),
        (10, 0.26, 3),
        (100, 0.001, 1),
        (100, 0.999, 99),
        (500, 0.1, 50),
    ],
)
def test_the_test_set_has_its_fraction_and_neither_set_is_empty(
    tmp_path, n, fraction, test
):
    np.save(tmp_path / "a.npy", images(n, 8, 8))
    split = convert_images(tmp_path / "a.npy", tmp_path / "out", test_fraction=fraction)
    assert len(split["test"].images) == test and len(split["train"].images) == n - test
    assert as_set(split["train"].images, split["test"].images) == as_set(
        images(n, 8, 8)
    )


def test_the_same_seed_gives_the_same_files_and_another_a_different_split(tmp_path):
    np.save(tmp_path / "a.npy", images(50, 8, 8))
    for out, seed in (("1", 1), ("again", 1), ("2", 2)):
        convert_images(tmp_path / "a.npy", tmp_path / out, seed=seed)
    files = {
        out: [path.read_bytes() for path in sorted((tmp_path / out).iterdir())]
        for out in ("1", "again", "2")
    }
    assert files["1"] == files["again"] and files["1"][0] != files["2"][0]
    first = Dataset.open(tmp_path / "1").test_images
    assert not np.array_equal(
        first, images(50, 8, 8)[:5]
    )  # in random order, not the first five


# What is refused: one line, and no directory


def png(tmp_path, data):
    (tmp_path / "source").mkdir()
    write_png(tmp_path / "source" / "a.png", images(1)[0])
    (tmp_path / "source" / "b.png").write_bytes(data)
    return tmp_path / "source"


def npy(tmp_path, array, **arrays):
    path = tmp_path / ("a.npz" if arrays else "a.npy")
    np.savez(path, **arrays) if arrays else np.save(path, array)
    return path


def csv(tmp_path, text):
    (tmp_path / "a.csv").write_bytes(text)
    return tmp_path / "a.csv"


def tree(tmp_path, *names):
    for name in names:
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else write_png(path, images(1)[0])
    return tmp_path / "source"


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
SQUARE = np.zeros((2, 4))
REFUSED = {
    "truncated PNG": (
        lambda p: png(p, PNG),
        "b.png: is truncated: it ends within a chunk",
    ),
    "JPEG": (
        lambda p: png(p, b"\xff\xd8\xff\xe0JFIF"),
        "b.png: is not a PNG file: it begins with ff d8",
    ),
    "sizes": (
        lambda p: (
            [tree(p, "a.png"), write_png(p / "source" / "b.png", images(1, 9, 5)[0])]
            and p / "source"
        ),
        "b.png: has 9 x 5 pixels, a.png has 4 x 5; give a size to resize all images to",
    ),
    "empty directory": (
        lambda p: tree(p, "none/").joinpath("none"),
        "none: has no PNG files",
    ),
    "empty class": (
        lambda p: tree(p, "a/1.png", "b/"),
        "source/b: has no PNG files; expected PNG files",
    ),
    "mixed": (
        lambda p: tree(p, "a/1.png", "b.png"),
        r"has both PNG files and sub-directories \(a\)",
    ),
    "deep": (
        lambda p: tree(p, "a/1.png", "a/b/1.png"),
        "source/a: has a directory, b, inside a class",
    ),
    "one image": (
        lambda p: tree(p, "a.png"),
        "holds one image; at least two are needed",
    ),
    "classes": (
        lambda p: tree(p, *[f"c{i}/1.png" for i in range(257)]),
        "has 257 classes; .* hold 256",
    ),
    "absent": (lambda p: p / "absent", "absent: no such file or directory"),
    "kind": (
        lambda p: csv(p, b"").rename(p / "a.dat"),
        "a.dat: expected a directory of PNG files, or a .csv",
    ),
    "ragged CSV": (
        lambda p: csv(p, b"1,2,3,4\n1,2,3\n"),
        "number of columns changed from 4 to 3 at row 2",
    ),
    "words in a CSV": (
        lambda p: csv(p, b"1,2,3,4\n1,x,3,4\n"),
        "could not convert string 'x' .* at row 1, column 2",
    ),
    "a word in the first row": (
        lambda p: csv(p, b"1,x,3,4\n1,2,3,4\n"),
        "could not convert string 'x' .* at row 0",
    ),
    "empty CSV": (lambda p: csv(p, b""), "a.csv: has no rows of numbers"),
    "header only": (lambda p: csv(p, b"label,a,b\n"), "a.csv: has no rows of numbers"),
    "binary CSV": (lambda p: csv(p, b"\xff\xfe\0"), "is not a text file in UTF-8"),
    "NaN in a CSV": (
        lambda p: csv(p, b"1,2,3,4\n1,nan,3,4\n"),
        "a value is nan; expected finite numbers",
    ),
    "not square": (
        lambda p: csv(p, b"1,2,255\n1,2,3\n"),
        "a row has 3 pixels, which is not a square; give the size",
    ),
    "CSV labels": (
        lambda p: csv(p, b"label,a\n0.5,1\n"),
        "label 0 is 0.5; expected an integer from 0 to 255",
    ),
    "NaN": (
        lambda p: npy(p, np.full((2, 2, 2), np.nan)),
        "a value is nan; expected finite numbers",
    ),
    "infinity": (
        lambda p: npy(p, SQUARE + np.array([0, 0, 0, np.inf])),
        "a value is inf; expected finite numbers",
    ),
    "negative": (
        lambda p: npy(p, SQUARE - 1),
        "values go from -1 to -1; expected integers 0 to 255, or numbers 0 to 1: shift",
    ),
    "16 bits": (
        lambda p: npy(p, np.full((2, 2, 2), 256, np.uint16)),
        "values go from 256 to 256; expected .*, as --white 256",
    ),
    "objects": (
        lambda p: npy(p, np.array([[1, None]], object)),
        "holds Python objects, which are never loaded",
    ),
    "objects in a .npz": (
        lambda p: npy(p, 0, images=np.array([None])),
        "holds Python objects, which are never",
    ),
    "text": (
        lambda p: npy(p, np.array([["a"]])),
        "the array is of <U1; expected numbers",
    ),
    "complex": (
        lambda p: npy(p, SQUARE * 1j),
        "the array is of complex128; expected numbers",
    ),
    "one color image": (
        lambda p: npy(p, np.zeros((28, 28, 3))),
        r"is \(28, 28, 3\), which looks like one color image",
    ),
    "RGBA": (
        lambda p: npy(p, np.zeros((2, 8, 8, 4))),
        r"is \(2, 8, 8, 4\), with a fourth channel; keep three",
    ),
    "1-D": (lambda p: npy(p, np.zeros(9)), r"is \(9,\); expected \(N, rows, cols\)"),
    "no images": (
        lambda p: npy(p, np.zeros((0, 5, 5))),
        r"is \(0, 5, 5\); it has no pixels",
    ),
    "names": (
        lambda p: npy(p, 0, a=SQUARE, b=SQUARE),
        "has the arrays a, b; expected images, and maybe labels",
    ),
    "labels": (
        lambda p: npy(p, 0, images=SQUARE, labels=np.zeros(3)),
        r"labels are \(3,\) float64; expected an ",
    ),
    "label 256": (
        lambda p: npy(p, 0, images=SQUARE, labels=[0, 256]),
        "label 1 is 256; expected an integer from 0",
    ),
    "label -1": (
        lambda p: npy(p, 0, images=SQUARE, labels=[-1, 0]),
        "label 0 is -1; expected an integer from 0",
    ),
    "no array": (
        lambda p: csv(p, b"\x93NUMPY\1\0\xff\xff{").rename(p / "a.npy"),
        "a.npy: ",
    ),
    "empty .npy": (
        lambda p: csv(p, b"").rename(p / "a.npy"),
        "a.npy: No data left in file",
    ),
    "no archive": (
        lambda p: csv(p, b"PK\3\4 nothing").rename(p / "a.npz"),
        "a.npz: File is not a zip file",
    ),
    "claim": (
        lambda p: csv(
            p,
            b"\x93NUMPY\1\0\x5e\0"
            + b"{'descr': '|u1', 'fortran_order': False, 'shape': (1000000"
            b"000000, 28, 28)}".ljust(94),
        ).rename(p / "a.npy"),
        "a.npy: ",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_unusable_source_is_one_line_and_leaves_no_directory(tmp_path, case):
    make, message = REFUSED[case]
    source = make(tmp_path)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        convert_images(source, tmp_path / "out")
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"test_fraction": 0}, "test fraction must be above 0 and below 1, not 0"),
        ({"test_fraction": 1.0}, "not 1.0"),
        ({"test_fraction": float("nan")}, "not nan"),
        ({"size": (0, 5)}, "size must be at least 1 x 1, not 0 x 5"),
        ({"seed": -1}, "seed must be a non-negative integer, not -1"),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(tmp_path, arguments, message):
    np.save(tmp_path / "a.npy", images(3, 8, 8))
    with pytest.raises(ValueError, match=message):
        convert_images(tmp_path / "a.npy", tmp_path / "out", **arguments)
    assert os.listdir(tmp_path) == ["a.npy"]


def test_an_output_directory_with_files_is_refused_before_reading(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")
    with pytest.raises(
        FileExistsError, match="exists already and is not an empty directory"
    ):
        convert_images(tmp_path / "absent", tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["mine"]


def test_pipes_are_refused_before_they_are_read(tmp_path):
    for name in ("a.csv", "a.npy", "a.npz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(OSError, match="is not a regular file"):
            convert_images(tmp_path / name, tmp_path / "out")
    write_images(tmp_path / "photos", images(2))
    os.mkfifo(tmp_path / "photos" / "pipe.png")
    with pytest.raises(
        ValueError, match=r"pipe.png: cannot be read: is not a regular file"
    ):
        convert_images(tmp_path / "photos", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "header", ["0,1,2,3", '"0","1","2","3"', "label,0,1,2,3", "Label,a,b,c,d"]
)
def test_the_header_that_pandas_writes_is_a_header(tmp_path, header):
    label = header.lower().startswith("label")
    rows = [f"{'7,' if label else ''}{i},0,0,255" for i in range(3)]
    (tmp_path / "digits.csv").write_text("\n".join([header, *rows]))
    images, labels, _ = read_source(tmp_path / "digits.csv")
    assert images[:, 0, 0].tolist() == [0, 1, 2] and images.shape == (3, 2, 2)
    assert (labels is None) != label


def test_a_csv_with_semicolons_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("0;255;2;4\n1;2;3;4\n")
    assert read_source(tmp_path / "a.csv").images.reshape(2, 4)[0, 1] == 255


def test_an_output_inside_the_source_is_refused(tmp_path):
    write_png(tmp_path / "a.png", np.zeros((2, 2), np.uint8))
    with pytest.raises(ValueError, match="is inside"):
        convert_images(tmp_path, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
