"""Files of numbers: CSV and its relatives, NumPy's arrays, MATLAB's.

.csv .tsv .txt .amat     an image per row, maybe with a header and a column of
                         labels; separated by commas (or semicolons), tabs, spaces;
                         .gz as well
.npy                     an array of images
.npz .mat                an array with a usual name, as `images` or x_train, and maybe
                         others with labels and with a test set; or a single one
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import InputError
from ...files import open_regular
from ..idx import open_maybe_gzip
from .arrays import label_index
from .matlab import read_mat

DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": None, ".amat": None}
TABLES = tuple(DELIMITERS)
ARRAYS = (".npy", ".npz", ".mat")
LABEL_COLUMNS = ("label", "class", "target", "y")
INDEX_COLUMNS = ("", "unnamed: 0", "id", "index")
IMAGES = {
    "train": ("x_train", "train_images", "images", "x", "data"),
    "test": ("x_test", "test_images"),
}
LABELS = {
    "train": ("y_train", "train_labels", "labels", "label", "y", "target"),
    "test": ("y_test", "test_labels"),
}
Note = Callable[[str], object]


class Numbers(NamedTuple):
    """Values and labels as a file has them, before they are images."""

    values: np.ndarray
    labels: np.ndarray | None = None


def kind_of(path: Path) -> str:
    """The ending by which a file is read, in lower case: .csv, also of .csv.gz."""
    packed = Path(path.name.lower().removesuffix(".gz")).suffix
    return packed if packed in TABLES else path.suffix.lower()


def read_numbers(
    path: Path, column: str | None, size: tuple[int, int] | None, note: Note
) -> dict[str, Numbers]:
    """{"train": Numbers}, and "test" if the file has a test set of its own.

    Whatever a reader raises becomes InputError with the file's name.
    """
    try:
        if kind_of(path) in TABLES:
            return {"train": _read_table(path, column, size, note)}
        return _read_arrays(path, column, size, note)
    except OSError as error:
        if error.filename is not None:
            raise
        raise InputError(f"{path}: {error.strerror or error}") from error
    except Exception as error:
        text = " ".join(str(error).split()) or type(error).__name__
        if "allow_pickle" in text or "Object arrays" in text:
            text = "holds Python objects, which are never loaded; save numbers"
        if text.startswith(str(path)):
            raise
        raise InputError(f"{path}: {text}") from error


def _read_table(
    path: Path, column: str | None, size: tuple[int, int] | None, note: Note
) -> Numbers:
    delimiter = DELIMITERS[kind_of(path)]
    try:
        with open_maybe_gzip(path) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig")
            lines = [line for line in text if line.strip()]
    except UnicodeDecodeError:
        raise InputError("is not a text file in UTF-8") from None
    if delimiter == "," and lines and "," not in lines[0] and ";" in lines[0]:
        delimiter = ";"
    first = lines[0].split(delimiter) if lines else []
    fields = [field.strip().strip('"') for field in first]
    names = fields if _is_header(fields) else []
    rows = lines[len(names) > 0 :]
    if not rows:
        raise InputError("has no rows of numbers")
    lower = [name.lower() for name in names]
    left_out = [i for i, name in enumerate(lower) if name in INDEX_COLUMNS]
    if column is None and names:
        usual = [name for name in names if name.lower() in LABEL_COLUMNS]
        if len(usual) > 1:
            raise InputError(
                f"has the columns {', '.join(usual)}; name the labels' with "
                "--label-column, and remove the others"
            )
        column = usual[0] if usual else None
    count = len(fields) - len(left_out)
    label = label_index(column, names, count, size, str(path))
    if column in ("first", "last") and left_out:
        present = [i for i in range(len(fields)) if i not in left_out]
        label = present[0 if column == "first" else -1]
    labels = None
    if label is not None:
        note(
            f"labels: the column {names[label]}"
            if names
            else f"labels: the {column} column"
        )
        labels = np.array([_field(row, delimiter, label, len(fields)) for row in rows])
        left_out.append(label)
    try:
        values = np.loadtxt(
            rows,
            delimiter=delimiter,
            ndmin=2,
            comments=None,
            quotechar='"',
            converters=dict.fromkeys(left_out, lambda text: 0.0) or None,
        )
    except ValueError as error:
        raise InputError(
            f"{str(error).partition('; ')[0]} (rows count from 0, without the header; "
            "for labels, see --label-column)"
        ) from None
    for i in left_out:
        if i != label:
            note(f"left out: the column {names[i] or '(without a name)'}")
    return Numbers(np.delete(values, left_out, axis=1), labels)


def _is_header(fields: list[str]) -> bool:
    """Names; or the numbers 0, 1, … that pandas writes, maybe beside some names."""
    numbers = [field for field in fields if _is_number(field)]
    counted = len(numbers) > 3 and numbers == [str(i) for i in range(len(numbers))]
    named = any(field.lower() in LABEL_COLUMNS for field in fields)
    return named or counted or not numbers


def _field(row: str, delimiter: str | None, place: int, count: int) -> str:
    if place == 0:
        field = row.split(delimiter, 1)[0]
    elif place == count - 1:
        field = row.rsplit(delimiter, 1)[-1]
    else:
        field = row.split(delimiter)[place]
    return field.strip().strip('"')


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_arrays(
    path: Path, column: str | None, size: tuple[int, int] | None, note: Note
) -> dict[str, Numbers]:
    with open_regular(path) as file:
        if kind_of(path) == ".mat":
            arrays = read_mat(file.read())
        else:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"train": _with_label(loaded, None, column, size, path)}
            arrays = {name: loaded[name] for name in loaded.files}
    by_name = {name.lower(): name for name in arrays}
    parts = {}
    for split, usual in IMAGES.items():
        images = _first(usual, by_name)
        labels = _first(LABELS[split], by_name)
        if images is None and split == "train" and len(arrays) == 1:
            images, labels = next(iter(arrays)), None
        if images is not None:
            known = None if labels is None else arrays[labels]
            parts[split] = _with_label(arrays[images], known, column, size, path)
            used = images if labels is None else f"{images}, labels {labels}"
            note(f"{split}: the array {used}")
    if "train" not in parts:
        raise InputError(
            f"has the arrays {', '.join(arrays) or '(none)'}; expected images, and "
            "maybe labels"
        )
    return parts


def _first(names: tuple[str, ...], by_name: dict[str, str]) -> str | None:
    return next((by_name[name] for name in names if name in by_name), None)


def _with_label(
    values: np.ndarray,
    labels: np.ndarray | None,
    column: str | None,
    size: tuple[int, int] | None,
    path: Path,
) -> Numbers:
    """The array, with its labels taken out of one of its columns if that is asked."""
    if values.ndim != 2 or labels is not None:
        return Numbers(values, labels)
    place = label_index(column, [], values.shape[1], size, str(path))
    if place is None:
        return Numbers(values)
    return Numbers(np.delete(values, place, axis=1), values[:, place])
