"""Own images: PNG files, a CSV or an array become IDX files, which `load_mnist` reads.

    directory of PNG files           one image per file; with sub-directories, one class per sub-directory
    .csv                             one image per row; a header that begins with "label" makes the first column labels
    .npy                             an array of images
    .npz                             an array `images` (or a single array), and maybe `labels`

Color becomes gray, and sizes that differ can be resized to one: see `arrays`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import InputError
from ...files import atomic_directory, check_new_directory, write_file
from ..idx import write_idx
from ..mnist import FILES
from .arrays import as_images, as_labels, read_array, read_csv, resize_by_area, to_gray
from .png import read_png

CLASS_FILE = (
    "classes.txt"  # the number and the name of each class, if the classes have names
)


class Images(NamedTuple):
    """images (N, rows, cols) uint8; labels (N,) uint8 or None; the names of classes 0, 1, …, or None."""

    images: np.ndarray
    labels: np.ndarray | None = None
    classes: list[str] | None = None


def convert_images(
    source: str | os.PathLike,
    out: str | os.PathLike,
    size: tuple[int, int] | None = None,
    test_fraction: float = 0.1,
    seed: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Images]:
    """Read the images in `source` and write them to the new directory `out`, split at random into train and test.

    `size` is (rows, cols) to resize to, or the shape of flat images. Returns {"train": Images, "test": Images}.
    `out` appears complete or not at all. Raises ValueError for a source that cannot be used, OSError for an `out` that
    exists or cannot be written.
    """
    check_new_directory(out)
    if Path(source).is_dir() and Path(out).resolve().is_relative_to(
        Path(source).resolve()
    ):
        raise InputError(
            f"{out}: is inside {source}, whose images it would join; choose another directory"
        )
    if not 0 < test_fraction < 1:
        raise InputError(
            f"the test fraction must be above 0 and below 1, not {test_fraction}"
        )
    if size is not None and min(size) < 1:
        raise InputError(f"the size must be at least 1 x 1, not {size[0]} x {size[1]}")
    if seed < 0:
        raise InputError(f"the seed must be a non-negative integer, not {seed}")
    images, labels, classes = read_source(source, size, progress)
    if len(images) < 2:
        raise InputError(
            f"{source}: holds one image; at least two are needed, to train and to test"
        )
    order = np.random.default_rng(seed).permutation(len(images))
    n_test = min(max(1, round(test_fraction * len(images))), len(images) - 1)
    split = {
        name: Images(images[rows], None if labels is None else labels[rows], classes)
        for name, rows in (("train", order[n_test:]), ("test", order[:n_test]))
    }
    with atomic_directory(out) as directory:
        for name, part in split.items():
            for file, array in zip(FILES[name], part[:2], strict=True):
                if array is not None:
                    write_idx(directory / f"{file}.gz", array)
        if classes is not None:
            lines = [f"{number}\t{name}\n" for number, name in enumerate(classes)]
            write_file(
                directory / CLASS_FILE, "".join(lines).encode(errors="backslashreplace")
            )
    return split


def read_source(
    source: str | os.PathLike,
    size: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Images:
    """Read a directory of PNG files, a .csv, .npy or .npz file. ValueError says what is wrong and where."""
    source = Path(source)
    if source.is_dir():
        return _read_directory(source, size, progress)
    readers = {".csv": read_csv, ".npy": read_array, ".npz": read_array}
    if source.suffix.lower() not in readers:
        if not source.exists():
            raise FileNotFoundError(f"{source}: no such file or directory")
        raise InputError(
            f"{source}: expected a directory of PNG files, or a .csv, .npy or .npz file"
        )
    values, labels = readers[source.suffix.lower()](source)
    images = as_images(values, size, str(source))
    return Images(
        images, None if labels is None else as_labels(labels, len(images), str(source))
    )


def _read_directory(
    source: Path, size: tuple[int, int] | None, progress: Callable
) -> Images:
    files, directories = _entries(source)
    if files and directories:
        raise InputError(
            f"{source}: has both PNG files and sub-directories ({directories[0].name}); sub-directories "
            "are classes, so put every file into one of them"
        )
    by_class = (
        {directory.name: _entries(directory) for directory in directories}
        if directories
        else {"": (files, [])}
    )
    for name, (files, deeper) in by_class.items():
        if deeper or not files:
            problem = (
                f"has a directory, {deeper[0].name}, inside a class"
                if deeper
                else "has no PNG files"
            )
            raise InputError(f"{source / name}: {problem}; expected PNG files")
    numbers, classes = (
        _number_classes(list(by_class), source) if directories else ({"": 0}, None)
    )
    paths = [
        (path, numbers[name]) for name, (files, _) in by_class.items() for path in files
    ]
    images, first = [], None
    for done, (path, _) in enumerate(paths, start=1):
        image = read_png(path)
        image = image if image.ndim == 2 else to_gray(image)
        first = image.shape if first is None else first
        if size is None and image.shape != first:
            raise InputError(
                f"{path}: has {image.shape[0]} x {image.shape[1]} pixels, {paths[0][0].name} has "
                f"{first[0]} x {first[1]}; give a size to resize all images to, as --size ROWS COLS"
            )
        images.append(
            image
            if size is None or image.shape == size
            else resize_by_area(image, size)
        )
        progress(done, len(paths))
    labels = (
        np.array([number for _, number in paths], np.uint8) if directories else None
    )
    return Images(np.stack(images), labels, classes)


def _entries(directory: Path) -> tuple[list[Path], list[Path]]:
    """(PNG files, directories), sorted by name; hidden ones and other files are left out."""
    found = sorted(
        path for path in directory.iterdir() if not path.name.startswith(".")
    )
    return (
        [path for path in found if path.suffix.lower() == ".png" and not path.is_dir()],
        [path for path in found if path.is_dir()],
    )


def _number_classes(
    names: list[str], source: Path
) -> tuple[dict[str, int], list[str] | None]:
    """{name: label}: the number that a name is, if all are; else the place in the sorted names, which are returned."""
    numbers = {name: int(name) for name in names if name.isascii() and name.isdigit()}
    if (
        len(numbers) == len(set(numbers.values())) == len(names)
        and max(numbers.values()) <= 255
    ):
        return numbers, None
    if len(names) > 256:
        raise InputError(
            f"{source}: has {len(names)} classes; IDX labels of one byte hold 256"
        )
    return {name: place for place, name in enumerate(names)}, names
