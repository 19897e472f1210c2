"""MNIST: find its four files, load them, and notice when they are not what they were.

    train-images-idx3-ubyte    (60000, 28, 28) uint8        t10k-images-idx3-ubyte    (10000, 28, 28) uint8
    train-labels-idx1-ubyte    (60000,)        uint8        t10k-labels-idx1-ubyte    (10000,)        uint8

each with or without .gz, or spelled train-images.idx3-ubyte. Any other image set in this form loads as well:
Fashion-MNIST, digits of 20 x 20, the sample of 10,000 digits in data/sample. Pixels stay uint8, 0 to 255; the
minibatch is where they become numbers in [0, 1].

Other sets have the same names and shapes, so the files alone cannot say that they are MNIST. Where `download` has
checked them, it leaves a list of their SHA-256 digests beside them, and every load checks the files against it.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits". Next: download.
"""

import hashlib
import os
from pathlib import Path

import numpy as np

from .idx import read_idx

FILES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
         "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
VERIFIED = "verified.sha256"                        # written by `download`, in the form that `sha256sum -c` reads
HOW_TO_GET_DATA = ("`python -m numpyvae download` fetches all of MNIST into data/mnist; data/sample comes with the "
                   "source; --data or $NUMPYVAE_DATA names any other directory")


def load_mnist(directory: str | os.PathLike, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, rows, cols) and labels (N,), both uint8, labels 0 to 9; `split` is "train" or "test".

    Raises FileNotFoundError for a file that is not there, IdxError for one that is not whole, ValueError for files
    that are not images with their labels or that differ from what `download` verified.
    """
    if split not in FILES:
        raise ValueError(f"the split is {split!r}; expected 'train' or 'test'")
    image_file, label_file = (find_file(directory, name) for name in FILES[split])
    check_verified(image_file)
    check_verified(label_file)
    images, labels = read_idx(image_file), read_idx(label_file)
    if images.dtype != np.uint8 or images.ndim != 3 or images.size == 0:
        raise ValueError(f"{image_file}: holds {images.shape} {images.dtype}; expected images, (N, rows, cols) uint8")
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise ValueError(f"{label_file}: holds {labels.shape} {labels.dtype}; expected a label for each of the "
                         f"{len(images):,} images in {image_file.name}, ({len(images)},) uint8")
    if labels.max() > 9:
        raise ValueError(f"{label_file}: label {labels.argmax():,} is {labels.max()}; expected 0 to 9")
    return images, labels


def load_images(directory: str | os.PathLike) -> tuple[np.ndarray, np.ndarray]:
    """(training images, test images) of one directory; ValueError if they are not of one size."""
    images, test_images = (load_mnist(directory, split)[0] for split in FILES)
    if images.shape[1:] != test_images.shape[1:]:
        raise ValueError(f"{directory}: training images are {images.shape[1:]} pixels, test images {test_images.shape[1:]}")
    return images, test_images


def find_data(given: str | None = None) -> Path:
    """The directory to train on: the given one, else $NUMPYVAE_DATA, else data/mnist, else data/sample, where the
    last two are below the current directory and count only if training images are in them."""
    for name, source in ((given, "--data"), (os.environ.get("NUMPYVAE_DATA") or None, "$NUMPYVAE_DATA")):
        if name is not None:
            if not Path(name).is_dir():
                raise FileNotFoundError(f"{name}: no such directory (from {source}); {HOW_TO_GET_DATA}")
            return Path(name)
    for directory in (Path("data/mnist"), Path("data/sample")):
        if any(path.is_file() for path in spellings(directory, FILES["train"][0])):
            return directory
    raise FileNotFoundError(f"no data in data/mnist or data/sample below {Path.cwd()}; {HOW_TO_GET_DATA}")


def find_file(directory: str | os.PathLike, name: str) -> Path:
    """The first spelling of one of the four names that is there."""
    for path in spellings(directory, name):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{directory}: there is no {name}, with or without .gz; {HOW_TO_GET_DATA}")


def spellings(directory: str | os.PathLike, name: str) -> list[Path]:
    """The paths that a file may have, in the order in which they are tried."""
    dotted = name.replace("-idx", ".idx")
    return [Path(directory) / spelling for spelling in (name, name + ".gz", dotted, dotted + ".gz")]


def check_verified(path: Path) -> None:
    """ValueError if `download` once verified this file and its bytes are others now."""
    for name, digest in verified(path.parent).items():
        if name == path.name and digest != hashlib.sha256(path.read_bytes()).hexdigest():
            raise ValueError(f"{path}: is not what was downloaded and verified; run `python -m numpyvae download` "
                             f"again, or remove {VERIFIED} if the file was changed on purpose")


def verified(directory: Path) -> dict[str, str]:
    """{file name: SHA-256 of the file} as `download` left it in this directory; empty where it has not been."""
    try:
        lines = (directory / VERIFIED).read_text("ascii").splitlines()
        return {name: digest for digest, name in (line.split() for line in lines)}
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{directory / VERIFIED}: is damaged; expected lines of a SHA-256 and a file's name; run "
                         "`python -m numpyvae download` again") from error
