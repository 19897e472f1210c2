"""What others bring becomes a training and a test set, and IDX files if that is asked.

    directory of PNG files           one image per file; with sub-directories, one class
                                     per sub-directory
    a table or arrays                see `tables`
    directory of tables or arrays    as train.csv, or x_train.npy and y_train.npy

A test set that is there is kept: the sub-directories train and test, files with these
words in their names, arrays as x_test. Else a part of the images, drawn at random from
a seed, becomes the test set. A validation set is left out, and a line says so.

Color becomes gray, and sizes that differ can be resized to one: see `arrays`.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...files import atomic_directory, check_new_directory, write_file
from ..idx import write_idx
from ..mnist import CLASS_FILE, FILES, SET_FILE
from .arrays import (
    Images,
    Reading,
    as_bytes,
    as_images,
    as_labels,
    images_first,
    number_labels,
    white_of,
)
from .directories import OTHER_IMAGES, Progress, read_directories, visible
from .tables import ARRAYS, TABLES, Note, Numbers, kind_of, read_numbers

REMEDIES = {
    ".zip": "unpack it first",
    ".tar": "unpack it first",
    ".gz": "unpack it first",
    ".tgz": "unpack it first",
    ".pkl": "it can run programs when it is loaded; save arrays with numpy.savez",
    ".parquet": "save it as CSV, with pandas.read_parquet(…).to_csv(…, index=False)",
    ".h5": "save its arrays with numpy.savez",
    ".arff": "save it as CSV: its rows, and the names of its attributes as a header",
}
SPLIT = re.compile(r"(?<![a-z])(train|test|valid|val)(ing|ation)?(?![a-z])")
LABEL = re.compile(r"(?<![a-z])(labels?|targets?|y)(?![a-z])")
# in a directory: a .txt there is a text to read
FILES_OF_NUMBERS = {*TABLES, *ARRAYS} - {".txt"}


def convert_images(
    source: str | os.PathLike,
    out: str | os.PathLike,
    size: tuple[int, int] | None = None,
    test_fraction: float = 0.1,
    seed: int = 1,
    progress: Progress = lambda done, total: None,
    note: Note = lambda text: None,
    **reading,
) -> dict[str, Images]:
    """Read a source and write its images to the new directory `out`.

    size, reading   the fields of `Reading`
    test_fraction   the part of the images that is the test set, if the source has none
    note            called with each line of text that says what was assumed or left out

    Returns {"train": Images, "test": Images}. `out` appears complete or not at all.
    Raises InputError for a source that cannot be used, OSError for an `out` that exists
    or cannot be written.
    """
    check_new_directory(out)
    if Path(out).resolve().is_relative_to(Path(source).resolve()):
        raise InputError(
            f"{out}: is inside {source}, whose images it would join; "
            "choose another directory"
        )
    how = Reading(size, **reading)
    split = split_source(source, how, test_fraction, seed, progress, note)
    with atomic_directory(out) as directory:
        for name, part in split.items():
            for file, array in zip(FILES[name], part[:2], strict=True):
                if array is not None:
                    write_idx(directory / f"{file}.gz", array)
        classes = split["train"].classes
        if classes is not None:
            lines = [f"{number}\t{name}\n" for number, name in enumerate(classes)]
            text = "".join(lines).encode(errors="backslashreplace")
            write_file(directory / CLASS_FILE, text)
    return split


def split_source(
    source: str | os.PathLike,
    how: Reading = Reading(),  # noqa: B008 (it cannot change)
    test_fraction: float = 0.1,
    seed: int = 1,
    progress: Progress = lambda done, total: None,
    note: Note = lambda text: None,
) -> dict[str, Images]:
    """{"train": Images, "test": Images} of a source. Errors as of `convert_images`."""
    if not 0 < test_fraction < 1:
        raise InputError(
            f"the test fraction must be above 0 and below 1, not {test_fraction}"
        )
    if how.size is not None and min(how.size) < 1:
        raise InputError(
            f"the size must be at least 1 x 1, not {how.size[0]} x {how.size[1]}"
        )
    if how.white is not None and not 0 < how.white < np.inf:
        raise InputError(f"white must be a number above 0, not {how.white}")
    if seed < 0:
        raise InputError(f"the seed must be a non-negative integer, not {seed}")
    parts = read_source(source, how, progress, note)
    if "test" in parts:
        sizes = [part.images.shape[1:] for part in parts.values()]
        if sizes[0] != sizes[1]:
            raise InputError(
                f"{source}: training images are {sizes[0]} pixels, test images "
                f"{sizes[1]}; resize all to one size, as --size ROWS COLS"
            )
        return parts
    images, labels, classes = parts["train"]
    if len(images) < 2:
        raise InputError(
            f"{source}: holds one image; at least two are needed, to train and to test"
        )
    order = np.random.default_rng(seed).permutation(len(images))
    n_test = min(max(1, round(test_fraction * len(images))), len(images) - 1)
    split = {}
    for name, rows in ("train", order[n_test:]), ("test", order[:n_test]):
        known = None if labels is None else labels[rows]
        split[name] = Images(images[rows], known, classes)
    return split


def holds_images(source: Path) -> bool:
    """Whether there is a file, or a directory of files, for `read_source` to read."""
    if not source.is_dir():
        return source.exists()
    endings = {".png", *OTHER_IMAGES, *FILES_OF_NUMBERS}
    return any(
        kind_of(path) in endings
        for pattern in ("*", "*/*", "*/*/*")
        for path in source.glob(pattern)
    )


def read_source(
    source: str | os.PathLike,
    how: Reading = Reading(),  # noqa: B008 (it cannot change)
    progress: Progress = lambda done, total: None,
    note: Note = lambda text: None,
) -> dict[str, Images]:
    """{"train": Images}, and "test" if the source has a test set of its own.

    Raises InputError, which says what is wrong and where.
    """
    source = Path(source)
    inside = visible(source) if source.is_dir() else []
    directories = [path for path in inside if path.is_dir()]
    tables = [path for path in inside if kind_of(path) in FILES_OF_NUMBERS]
    pictures = any(kind_of(path) == ".png" for path in inside)
    if not source.is_dir():
        tables = [source]
        parts = _to_images(_read_file(source, how, note), how, source, note)
    elif tables and not directories and not pictures:
        numbers = _read_files(tables, how, source, note)
        parts = _to_images(numbers, how, source, note)
    else:
        if how.white is not None or how.label_column is not None:
            raise InputError(
                f"{source}: is a directory of images, whose white and labels are "
                "known; --white and --label-column are for tables and arrays"
            )
        if tables:
            note(f"left out: {', '.join(path.name for path in tables)}")
        sets = _split_directories(source, directories, note)
        parts = read_directories(sets or {"train": source}, how, progress, note)
    turned = any(path.name.lower().startswith("emnist") for path in tables)
    if how.transpose or turned:
        note("rows and columns are exchanged")
    for name, part in parts.items():
        images = part.images
        if how.transpose or turned:
            images = np.ascontiguousarray(images.transpose(0, 2, 1))
        if how.invert:
            images = 255 - images
        parts[name] = part._replace(images=images)
    return parts


def _split_of(path: Path) -> str | None:
    """train, test or validation, if the name has one of these words, or its short."""
    match = SPLIT.search(path.name.lower())
    if match is None:
        return None
    return match[1] if match[1] in ("train", "test") else "validation"


def _split_directories(
    source: Path, directories: Sequence[Path], note: Note
) -> dict[str, Path]:
    """{"train": directory, "test": directory}, if there are such; else nothing."""
    found: dict[str, Path] = {}
    others = []
    for path in directories:
        split = _split_of(path)
        if split not in ("train", "test"):
            others.append(path.name)
        elif split in found:
            raise InputError(
                f"{source}: has {found[split].name} and {path.name}, and nothing says "
                "which to take; leave one of them"
            )
        else:
            found[split] = path
    if len(found) < 2:
        return {}
    train, test = found["train"], found["test"]
    note(f"train: the directory {train.name}, test: {test.name}")
    if others:
        note(f"left out: {', '.join(others)}")
    return {"train": train, "test": test}


def _read_file(path: Path, how: Reading, note: Note) -> dict[str, Numbers]:
    kind = kind_of(path)
    if kind in (*TABLES, *ARRAYS):
        return read_numbers(path, how.label_column, how.size, note)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or directory")
    if SET_FILE.fullmatch(path.name):
        raise InputError(f"{path}: is one of the files of a set; name its directory")
    readable = ", ".join((*TABLES, *ARRAYS))
    remedy = f"expected a directory of PNG files, or a {readable} file"
    raise InputError(f"{path}: {REMEDIES.get(kind, remedy)}")


def _read_files(
    files: Sequence[Path], how: Reading, source: Path, note: Note
) -> dict[str, Numbers]:
    """The numbers of a directory: images and maybe labels, each for one set."""
    places: dict[tuple[str, bool], Path] = {}
    for path in files:
        place = _split_of(path) or "train", bool(LABEL.search(path.name.lower()))
        if place in places:
            raise InputError(
                f"{source}: has {places[place].name} and {path.name}, and nothing says "
                "which to take; name one of them"
            )
        places[place] = path
    if ("train", False) not in places:
        raise InputError(
            f"{source}: has no training images, as train.csv or images.npy"
        )
    parts: dict[str, Numbers] = {}
    order = ("train", False), ("train", True), ("test", False), ("test", True)
    for place in places.keys() - set(order):
        note(f"left out: {places[place].name}")
    for split, is_label in (place for place in order if place in places):
        found = _read_file(places[split, is_label], how, note)
        if not is_label:
            parts |= {split: found["train"]} if len(found) == 1 else found
        elif split in parts:
            values, labels = found["train"]
            labels = values if labels is None else labels
            parts[split] = parts[split]._replace(labels=labels)
    return parts


def _to_images(
    parts: Mapping[str, Numbers], how: Reading, source: Path, note: Note
) -> dict[str, Images]:
    """Numbers to images: of one scale, with one numbering of the classes."""
    where = str(source)
    known = {name: part.labels for name, part in parts.items()}
    labels, classes = number_labels(known)
    arrays = {}
    for name, part in parts.items():
        count = len(labels[name]) if name in labels else None
        arrays[name] = images_first(part.values, count, how.size, where)
        if arrays[name].shape != part.values.shape:
            note(f"{name}: {len(arrays[name]):,} images along the last axis")
    white = how.white or white_of(list(arrays.values()), where)
    made = {}
    for name, values in arrays.items():
        images = as_images(as_bytes(values, white, where), how.size, where)
        numbers = None
        if name in labels:
            numbers = as_labels(labels[name], len(images), where)
        made[name] = Images(images, numbers, classes)
    return made
