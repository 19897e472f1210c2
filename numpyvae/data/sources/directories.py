"""Directories of PNG files: one image per file, one class per sub-directory.

Images of other kinds are counted and left out; a line says so, and how to convert them.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ...errors import InputError
from .arrays import Images, Reading, resize_by_area, to_gray
from .png import read_png_kind
from .tables import Note, kind_of

OTHER_IMAGES = (
    *(".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff"),
    *(".webp", ".pgm", ".ppm", ".pnm", ".heic"),
)
CONVERT = "convert them, as `mogrify -format png` of ImageMagick does"
Progress = Callable[[int, int], object]


def read_directories(
    directories: Mapping[str, Path],
    how: Reading,
    progress: Progress,
    note: Note,
) -> dict[str, Images]:
    """The PNG files of directories, one for each set, with one numbering of classes."""
    others: Counter[str] = Counter()
    files = {
        split: _list_files(directory, others)
        for split, directory in directories.items()
    }
    if others:
        note(f"left out: {_count(others)}; {CONVERT}")
    names = {name for part in files.values() for name, _ in part if name is not None}
    numbers, classes = _number_classes(sorted(names), next(iter(directories.values())))
    total, done = sum(map(len, files.values())), 0
    removed: Counter[str] = Counter()
    parts = {}
    shape, first = how.size, ""
    for split, part in files.items():
        images = []
        for _, path in part:
            image, found = read_png_kind(path)
            removed.update(found)
            image = image if image.ndim == 2 else to_gray(image)
            if how.size is not None and image.shape != how.size:
                image = resize_by_area(image, how.size)
            if shape is None:
                shape, first = image.shape, path.name
            if image.shape != shape:
                raise InputError(
                    f"{path}: has {image.shape[0]} x {image.shape[1]} pixels, {first} "
                    f"has {shape[0]} x {shape[1]}; give a size to resize all images "
                    "to, as --size ROWS COLS"
                )
            images.append(image)
            done += 1
            progress(done, total)
        labels = None
        if all(name is not None for name, _ in part):
            labels = np.array([numbers[name] for name, _ in part], np.uint8)
        parts[split] = Images(np.stack(images), labels, classes)
    if removed["16 bits"]:
        note(f"{removed['16 bits']:,} images of 16 bits became 8 bits")
    if removed["transparency"]:
        note(
            f"{removed['transparency']:,} images with transparency were laid over white"
        )
    return parts


def _list_files(source: Path, others: Counter[str]) -> list[tuple[str | None, Path]]:
    """(class or None, PNG file) for each; the images of other kinds are counted."""
    files, directories = _entries(source, others)
    if files and directories:
        raise InputError(
            f"{source}: has both PNG files and sub-directories "
            f"({directories[0].name}); sub-directories are classes, so put every file "
            "into one of them"
        )
    found: list[tuple[str | None, Path]] = [(None, path) for path in files]
    for directory in directories:
        files, deeper = _entries(directory, others)
        if deeper:
            raise InputError(
                f"{directory}: has a directory, {deeper[0].name}, inside a class; "
                "expected PNG files"
            )
        if not files:
            raise _no_files(directory, others)
        found += [(directory.name, path) for path in files]
    if not found:
        raise _no_files(source, others)
    return found


def _no_files(directory: Path, others: Counter[str]) -> InputError:
    if others:
        return InputError(
            f"{directory}: has no PNG files, but {_count(others)}; {CONVERT}"
        )
    return InputError(f"{directory}: has no PNG files; expected PNG files")


def _count(kinds: Counter[str]) -> str:
    return ", ".join(f"{n:,} {kind} files" for kind, n in sorted(kinds.items()))


def _entries(directory: Path, others: Counter[str]) -> tuple[list[Path], list[Path]]:
    """(PNG files, directories), sorted by name; images of other kinds are counted."""
    files, directories = [], []
    for path in visible(directory):
        if path.is_dir():
            directories.append(path)
        elif kind_of(path) == ".png":
            files.append(path)
        elif kind_of(path) in OTHER_IMAGES:
            others[kind_of(path)] += 1
    return files, directories


def _number_classes(
    names: list[str], source: Path
) -> tuple[dict[str | None, int], list[str] | None]:
    """{name: label}: the number that a name is, if all are and none is above 255.

    Else the place in the sorted names, which are returned.
    """
    if not names:
        return {}, None
    numbers: dict[str | None, int] = {}
    for name in names:
        if name.isascii() and name.isdigit():
            numbers[name] = int(name)
    different = len(set(numbers.values())) == len(names)
    if different and max(numbers.values()) <= 255:
        return numbers, None
    if len(names) > 256:
        raise InputError(
            f"{source}: has {len(names)} classes; IDX labels of one byte hold 256"
        )
    return {name: place for place, name in enumerate(names)}, names


def visible(directory: Path) -> list[Path]:
    """The entries of a directory by name, without hidden ones."""
    found = sorted(directory.iterdir())
    return [path for path in found if not path.name.startswith((".", "__MACOSX"))]
