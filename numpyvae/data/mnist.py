"""MNIST: find, load and verify its four files.

    train-images-idx3-ubyte    (60000, 28, 28) uint8        t10k-images-idx3-ubyte    (10000, 28, 28) uint8
    train-labels-idx1-ubyte    (60000,)        uint8        t10k-labels-idx1-ubyte    (10000,)        uint8

each with or without .gz, or spelled train-images.idx3-ubyte. Any other image set in this form loads as well:
Fashion-MNIST, the letters of EMNIST, own images, the sample of 10,000 digits in data/sample. Numbers, sizes and classes
may differ, and labels may be absent. Pixels stay uint8, 0 to 255; they are scaled to [0, 1] per minibatch.

Other sets have the same names and shapes, so the files do not identify themselves as MNIST. When `download` has
verified them, it writes a list of their SHA-256 digests beside them, and every load checks the files against it.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
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
DIGEST_FILE = (
    "verified.sha256"  # written by `download`, in the form that `sha256sum -c` reads
)
DIGEST_LINE = re.compile(r"([0-9A-Fa-f]{64})[ \t]+\*?(?:\./)*([^/\s*]+)")
HOW_TO_GET_DATA = (
    "`python -m numpyvae download` fetches all of MNIST into data/mnist; data/sample comes with the "
    "source; $NUMPYVAE_DATA names any other directory"
)


def load_mnist(
    directory: str | os.PathLike, split: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Images (N, rows, cols) and labels (N,), both uint8; `split` is "train" or "test".

    Without a label file, the labels are None. Raises FileNotFoundError for an absent file, IdxError for a damaged one,
    OSError for a list of digests that cannot be read, ValueError for files that are not images with their labels or
    that have changed since `download` verified them.
    """
    if split not in FILES:
        raise InputError(f"the split is {split!r}; expected 'train' or 'test'")
    image_name, label_name = FILES[split]
    image_file = find_file(directory, image_name)
    verify_digest(image_file, image_name)
    images = read_idx(image_file)
    if images.dtype != np.uint8 or images.ndim != 3 or images.size == 0:
        raise InputError(
            f"{image_file}: holds {images.shape} {images.dtype}; expected images, (N, rows, cols) uint8"
        )
    if not _has_labels(directory, label_name):
        return images, None
    label_file = find_file(directory, label_name)
    verify_digest(label_file, label_name)
    labels = read_idx(label_file)
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise InputError(
            f"{label_file}: holds {labels.shape} {labels.dtype}; expected a label for each of the "
            f"{len(images):,} images in {image_file.name}, ({len(images)},) uint8"
        )
    return images, labels


def load_images(directory: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """(training images, test images) of one directory; ValueError if their sizes differ."""
    images, test_images = (load_mnist(directory, split)[0] for split in FILES)
    if images.shape[1:] != test_images.shape[1:]:
        raise InputError(
            f"{directory}: training images are {images.shape[1:]} pixels, "
            f"test images {test_images.shape[1:]}"
        )
    return images, test_images


def find_data_directory(path: str | os.PathLike | None = None) -> Path:
    """The directory to train on: `path`, else $NUMPYVAE_DATA, else data/mnist, else data/sample.

    The last two are below the current directory and count only if training images are in them. Raises FileNotFoundError
    with the ways to get data.
    """
    for name, source in (
        (path, ""),
        (os.environ.get("NUMPYVAE_DATA") or None, " (from $NUMPYVAE_DATA)"),
    ):
        if name is not None:
            if not Path(name).is_dir():
                raise FileNotFoundError(
                    f"{name}: no such directory{source}; {HOW_TO_GET_DATA}"
                )
            return Path(name)
    for directory in (Path("data/mnist"), Path("data/sample")):
        if any(
            path.is_file() for path in candidate_paths(directory, FILES["train"][0])
        ):
            return directory
    raise FileNotFoundError(
        f"no data in data/mnist or data/sample below {Path.cwd()}; {HOW_TO_GET_DATA}"
    )


def find_file(directory: str | os.PathLike, name: str) -> Path:
    """The first candidate path of one of the four names that exists. Raises FileNotFoundError."""
    for path in candidate_paths(directory, name):
        if path.exists():
            return path
    raise FileNotFoundError(
        f"{directory}: there is no {name}, with or without .gz; {HOW_TO_GET_DATA}"
    )


def candidate_paths(directory: str | os.PathLike, name: str) -> list[Path]:
    """Candidate paths of a file, in order."""
    dotted = name.replace("-idx", ".idx")
    return [
        Path(directory) / spelling
        for spelling in (name, name + ".gz", dotted, dotted + ".gz")
    ]


def verify_digest(path: Path, name: str) -> None:
    """Check the file found for one of the four names; ValueError if `download` verified it and it has changed since.

    A file under another spelling than the verified one is refused as well: it would be loaded in its place, unverified.
    """
    digests = read_digests(path.parent)
    verified = [
        candidate.name
        for candidate in candidate_paths(path.parent, name)
        if candidate.name in digests
    ]
    if verified and path.name not in verified:
        raise InputError(
            f"{path}: is not the file that was verified, which is {verified[0]}; "
            f"run `python -m numpyvae download` again, or remove the one that is not wanted"
        )
    if verified and digests[path.name] != sha256_file(path):
        raise InputError(
            f"{path}: has changed since it was verified; run `python -m numpyvae download` "
            f"again, or remove {DIGEST_FILE} if the file was changed on purpose"
        )


def read_digests(directory: Path) -> dict[str, str]:
    """{file name: SHA-256 of the file, in lower case}, written by `download`; empty if absent.

    Raises ValueError for a damaged list, OSError for one that cannot be read or is not a regular file.
    """
    path = directory / DIGEST_FILE
    try:
        with open_regular(path) as file:
            text = file.read(CHUNK_SIZE).decode("latin-1")
    except FileNotFoundError:
        return {}
    digests = {}
    for line in text.splitlines():
        match = DIGEST_LINE.fullmatch(line)
        if (
            match is None
            or digests.setdefault(match[2], match[1].lower()) != match[1].lower()
        ):
            raise InputError(
                f"{path}: is damaged; expected lines of a SHA-256 and a file's name; run "
                "`python -m numpyvae download` again"
            )
    return digests


def sha256_file(path: str | os.PathLike) -> str:
    """SHA-256 of a regular file, in lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while chunk := file.read(CHUNK_SIZE):
            digest.update(chunk)
    return digest.hexdigest()


def _has_labels(directory: str | os.PathLike, name: str) -> bool:
    """Whether there are labels, or there should be: `download` has listed them."""
    candidates = candidate_paths(directory, name)
    digests = read_digests(Path(directory))
    return any(path.exists() or path.name in digests for path in candidates)
