"""MNIST: find, load and verify its four files.

    train-images-idx3-ubyte    (60000, 28, 28) uint8
    train-labels-idx1-ubyte    (60000,)        uint8
    t10k-images-idx3-ubyte     (10000, 28, 28) uint8
    t10k-labels-idx1-ubyte     (10000,)        uint8

each with or without .gz, or spelled train-images.idx3-ubyte. Any other image set in
this form loads as well: Fashion-MNIST, own images, the sample of 10,000 digits.
Numbers, sizes and classes may differ, and labels may be absent. Pixels stay uint8, 0 to
255; they are scaled to [0, 1] per minibatch.

Other archives arrange such files in their own ways, which are found too:

    emnist-letters-train-images-idx3-ubyte, …-test-…   a beginning; test for t10k; its
                                                       columns of pixels become rows
    qmnist-train-labels-idx2-int                       the first number is the digit
    train-images-idx3-ubyte/train-images-idx3-ubyte    a directory per file
    MNIST/raw/train-images-idx3-ubyte                  the directories of torchvision

Other sets have the same names and shapes, so the files do not identify themselves as
MNIST. When `download` has verified them, it writes a list of their SHA-256 digests
beside them, and every load checks the files against it.

Sources: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits";
Cohen et al. 2017, "EMNIST: an extension of MNIST to handwritten letters"; Yadav &
Bottou 2019, "Cold case: the lost MNIST digits" (QMNIST).
"""

import hashlib
import os
import re
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import open_regular
from .idx import CHUNK_SIZE, read_idx

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
# Written by `download`, in the form that `sha256sum -c` reads
DIGEST_FILE = "verified.sha256"
DIGEST_LINE = re.compile(r"([0-9A-Fa-f]{64})[ \t]+\*?(?:\./)*([^/\s*]+)")
CLASS_FILE = "classes.txt"  # a line for each class: its number, a tab, its name
SET_FILE = re.compile(
    r"(.*?)(train|t10k|test)-(images|labels)[-.]idx\d-(?:ubyte|int)(?:\.gz)?"
)
PLACES = ("*", "raw/*", "*/*", "*/raw/*")  # where sets are looked for, in order
INSTALLED_SAMPLE = (
    Path(__file__).parent / "sample",  # installed; see setup.cfg
    Path(__file__).parents[2] / "data" / "sample",  # the source
)
HOW_TO_GET_DATA = (
    "`python -m numpyvae download` fetches all of MNIST into data/mnist; data/sample "
    "comes with the package, where Dataset.open() finds it; $NUMPYVAE_DATA names any "
    "other data"
)


def load_mnist(
    directory: str | os.PathLike, split: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Images (N, rows, cols) and labels (N,), both uint8; `split` is "train" or "test".

    Without a label file, the labels are None. Raises FileNotFoundError for an absent
    file, IdxError for a damaged one, OSError for a list of digests that cannot be read,
    InputError (a ValueError) for files that are not images with their labels or that
    have changed since `download` verified them.
    """
    if split not in FILES:
        raise InputError(f"the split is {split!r}; expected 'train' or 'test'")
    image_name, label_name = FILES[split]
    image_file = find_file(directory, image_name)
    verify_digest(image_file, image_name)
    images = read_idx(image_file)
    if images.dtype != np.uint8 or images.ndim != 3 or images.size == 0:
        raise InputError(
            f"{image_file}: holds {images.shape} {images.dtype}; "
            "expected images, (N, rows, cols) uint8"
        )
    if image_file.name.startswith("emnist"):  # EMNIST's files hold columns of pixels
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    try:
        label_file = find_file(directory, label_name)
    except FileNotFoundError:
        if verified_names(image_file.parent, label_name):
            raise
        return images, None
    verify_digest(label_file, label_name)
    labels = read_idx(label_file)
    if label_file.name.startswith("qmnist") and labels.ndim == 2:
        labels = labels[:, 0].astype(np.uint8)  # the digit, then its writer and so on
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise InputError(
            f"{label_file}: holds {labels.shape} {labels.dtype}; expected a label for "
            f"each of the {len(images):,} images in {image_file.name}, "
            f"({len(images)},) uint8"
        )
    return images, labels


def load_classes(directory: str | os.PathLike) -> tuple[str, ...] | None:
    """The names of classes 0, 1, …, which `numpyvae data` writes; None: no names.

    Raises InputError if the list is damaged, OSError if it cannot be read.
    """
    path = find_set(Path(directory))[0] / CLASS_FILE
    try:
        with open_regular(path) as file:
            lines = file.read(CHUNK_SIZE).decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    names = tuple(line.partition("\t")[2] for line in lines)
    if lines != [f"{number}\t{name}" for number, name in enumerate(names)]:
        raise InputError(
            f"{path}: is damaged; expected lines of 0, 1, … and a class's name"
        )
    return names


def find_data(path: str | os.PathLike | None = None) -> Path:
    """The data to train on: the first that is there of

    `path`, $NUMPYVAE_DATA, data/mnist, data/sample, the sample of the installation.

    data/mnist and data/sample are below the current directory and count only if
    training images are in them. Raises FileNotFoundError with the ways to get data.
    """
    environment = os.environ.get("NUMPYVAE_DATA")
    for name, source in (path, ""), (environment, " (from $NUMPYVAE_DATA)"):
        if name:
            if not exists(Path(name)):
                raise FileNotFoundError(
                    f"{name}: no such file or directory{source}; {HOW_TO_GET_DATA}"
                )
            return Path(name)
    for directory in (Path("data/mnist"), Path("data/sample"), *INSTALLED_SAMPLE):
        images = candidate_paths(directory, FILES["train"][0])
        if any(file.is_file() for file in images):
            return directory
    raise FileNotFoundError(
        f"no data in data/mnist or data/sample below {Path.cwd()}; {HOW_TO_GET_DATA}"
    )


def find_file(path: str | os.PathLike, name: str) -> Path:
    """The file of the set at `path` that MNIST calls `name`, under any usual name.

    Raises FileNotFoundError, and InputError if there are several sets.
    """
    directory, beginning = find_set(Path(path))
    for pattern in ("*", "*-*-*/*"):
        for match, file in _set_files(directory, pattern):
            split = "train" if match[2] == "train" else "t10k"
            if match[1] == beginning and name.startswith(f"{split}-{match[3]}"):
                return file
    for file in candidate_paths(directory, name):
        if file.exists():  # a directory, which cannot be read
            return file
    raise FileNotFoundError(
        f"{path}: there is no {name}, with or without .gz; {HOW_TO_GET_DATA}"
    )


def find_set(path: Path) -> tuple[Path, str]:
    """(directory, beginning of the names) of the set of IDX files at `path`.

    The first of PLACES that has one counts. `path` may end in the beginning of the
    names, as gzip/emnist-letters. Raises InputError if there are several sets.
    """
    directory, beginning = path, ""
    if not path.is_dir():
        directory, beginning = path.parent, f"{path.name}-"
    for place in PLACES:
        sets = set()
        for match, file in _set_files(directory, place):
            nested = SET_FILE.fullmatch(file.parent.name) is not None
            if match[1].startswith(beginning):
                sets.add((file.parents[nested], match[1]))
        if (directory, "") in sets:
            return directory, ""
        if len(sets) == 1:
            return sets.pop()
        if sets:
            names = sorted(str(home / name).rstrip("-") for home, name in sets)
            raise InputError(f"{path}: has several sets; name one: {', '.join(names)}")
    return directory, beginning


def is_set(path: str | os.PathLike) -> bool:
    """Whether there are IDX files of an image set. InputError if of several sets."""
    directory, beginning = find_set(Path(path))
    return any(
        match[1] == beginning
        for pattern in ("*", "*-*-*/*")
        for match, _ in _set_files(directory, pattern)
    )


def _set_files(directory: Path, pattern: str) -> list[tuple[re.Match[str], Path]]:
    """The files of image sets that match `pattern`, with their parts, by name."""
    found = []
    for file in sorted(directory.glob(pattern)):
        match = SET_FILE.fullmatch(file.name)
        if match is not None and file.exists() and not file.is_dir():
            found.append((match, file))
    return found


def exists(path: Path) -> bool:
    """Whether there is such a path, or a set whose files' names begin with it."""
    return path.exists() or any(
        file.name.startswith(f"{path.name}-")
        for file in (path.parent.iterdir() if path.parent.is_dir() else ())
    )


def candidate_paths(directory: str | os.PathLike, name: str) -> list[Path]:
    """Candidate paths of a file, in order."""
    dotted = name.replace("-idx", ".idx")
    return [
        Path(directory) / spelling
        for spelling in (name, name + ".gz", dotted, dotted + ".gz")
    ]


def verified_names(directory: Path, name: str) -> list[str]:
    """The spellings of a name that `download` has verified in this directory."""
    digests = read_digests(directory)
    spellings = [path.name for path in candidate_paths(directory, name)]
    return [spelling for spelling in spellings if spelling in digests]


def verify_digest(path: Path, name: str) -> None:
    """Check the file found for one of the four names, if `download` has verified it.

    Raises InputError if the file has changed since. A file under another spelling than
    the verified one is refused as well: it would be loaded in its place, unverified.
    """
    verified = verified_names(path.parent, name)
    if not verified:
        return
    if path.name not in verified:
        raise InputError(
            f"{path}: is not the file that was verified, which is {verified[0]}; "
            "run `python -m numpyvae download` again, or remove the one that is not "
            "wanted"
        )
    if read_digests(path.parent)[path.name] != sha256_file(path):
        raise InputError(
            f"{path}: has changed since it was verified; run `python -m numpyvae "
            f"download` again, or remove {DIGEST_FILE} if the file was changed on "
            "purpose"
        )


def read_digests(directory: Path) -> dict[str, str]:
    """{file name: SHA-256 of the file, in lower case}, written by `download`.

    Empty if there is no list. Raises InputError for a damaged list, OSError for one
    that cannot be read or is not a regular file.
    """
    path = directory / DIGEST_FILE
    try:
        with open_regular(path) as file:
            text = file.read(CHUNK_SIZE).decode("latin-1")
    except FileNotFoundError:
        return {}
    digests: dict[str, str] = {}
    for line in text.splitlines():
        match = DIGEST_LINE.fullmatch(line)
        digest = match[1].lower() if match else ""
        if match is None or digests.setdefault(match[2], digest) != digest:
            raise InputError(
                f"{path}: is damaged; expected lines of a SHA-256 and a file's name; "
                "run `python -m numpyvae download` again"
            )
    return digests


def sha256_file(path: str | os.PathLike) -> str:
    """SHA-256 of a regular file, in lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while chunk := file.read(CHUNK_SIZE):
            digest.update(chunk)
    return digest.hexdigest()
