"""A data set: its images, what is recorded of it, and its one way into a model.

    images, labels             to train on: (N, rows, cols) or rows (N, D); (N,) or None
    test_images, test_labels   to test with, of the same shape; none: an empty array
    scale                      the number that stands for 1: 255 for bytes, 1 for floats
    image_shape                (rows, cols) of one image
    classes                    the names of labels 0, 1, …, or None

`input` is the only place where images become the model's input; training,
evaluation, the report and the samples all take that way:

    static    1 with probability v / scale, sampled once, by a seed of the split
    rows      the images that are asked for
    to_input  v / scale in float32, and the other binarizations: see `pixels`

A run records the data's path, digest, shape, scale and classes, and not the arrays.
The path is absolute, so a run can be evaluated from any directory. The digest covers
training and test images, so no command can use other data without saying so. Arrays
that were trained on from Python have a digest and a shape, but no path.
"""

import hashlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .mnist import exists, find_data, is_set, load_classes, load_mnist
from .pixels import STATIC_SEEDS, binarize_static, scale_of, to_input
from .sources.convert import holds_images, split_source

# of the sample in data/sample, whichever copy of it is read
SAMPLE_DIGEST = "f3a5d2779dac6cd691ef37d62878d667c2ad820ad814f4abab030c4cbd59443f"


def _no_images() -> np.ndarray:
    return np.empty((0, 0, 0), np.uint8)


@dataclass(frozen=True, repr=False)
class Dataset:
    """The data of a run. Two are equal if what is recorded of them is equal.

    path         the directory, as an absolute path; None: arrays in memory
    digest       the SHA-256 of the images (`data_digest`); None: not known
    images …     empty if only the record is known: `load` reads them
    """

    path: str | None
    digest: str | None
    image_shape: tuple[int, int]
    scale: int = 255
    classes: tuple[str, ...] | None = None
    images: np.ndarray = field(default_factory=_no_images, compare=False)
    labels: np.ndarray | None = field(default=None, compare=False)
    test_images: np.ndarray = field(default_factory=_no_images, compare=False)
    test_labels: np.ndarray | None = field(default=None, compare=False)
    _static: dict[str, np.ndarray] = field(
        default_factory=dict, init=False, compare=False
    )

    @classmethod
    def open(
        cls,
        path: str | os.PathLike | None = None,
        note: Callable[[str], object] = lambda text: None,
    ) -> "Dataset":
        """Read a directory of IDX files, or whatever `sources.convert` reads.

        Without a path it is the data that `mnist.find_data` finds, in the end the
        sample. If what `convert` reads has no test set, a tenth of the images becomes
        one, always the same. `note` is called with each line that says what was assumed
        or left out.
        Errors as from `load_mnist` and `split_source`; InputError if training and test
        images have different sizes.
        """
        path = find_data(path)
        if not is_set(path) and holds_images(path):
            try:
                parts = split_source(path, note=note)
            except InputError as error:
                if "--" not in str(error):
                    raise
                raise InputError(
                    f"{error}. With that option, `numpyvae data {path} --out DIR` "
                    "makes files for --data DIR"
                ) from error
            images, labels, names = parts["train"]
            test_images, test_labels, _ = parts["test"]
            classes = None if names is None else tuple(names)
        else:
            images, labels = load_mnist(path, "train")
            test_images, test_labels = load_mnist(path, "test")
            classes = load_classes(path)
        if images.shape[1:] != test_images.shape[1:]:
            raise InputError(
                f"{path}: training images are {images.shape[1:]} pixels, "
                f"test images {test_images.shape[1:]}"
            )
        return replace(
            cls.of(images, test_images, path),
            labels=labels,
            test_labels=test_labels,
            classes=classes,
        )

    @classmethod
    def of(
        cls,
        images: np.ndarray,
        test_images: np.ndarray | None = None,
        path: str | os.PathLike | None = None,
    ) -> "Dataset":
        """The data set of arrays, (N, rows, cols) or rows (N, D), with their digest."""
        arrays = [images] if test_images is None else [images, test_images]
        return replace(
            cls.in_memory(images, test_images),
            path=None if path is None else os.path.abspath(path),
            digest=data_digest(*arrays),
        )

    @classmethod
    def in_memory(
        cls, images: np.ndarray, test_images: np.ndarray | None = None
    ) -> "Dataset":
        """The data set of arrays that nobody has to recognize: without a digest."""
        shape = images.shape[1:]
        if images.ndim != 3:
            shape = cls.unknown(math.prod(shape)).image_shape
        if test_images is None:
            test_images = images[:0]
        return cls(
            None,
            None,
            (int(shape[0]), int(shape[1])),
            scale_of(images),
            images=images,
            test_images=test_images,
        )

    @classmethod
    def unknown(cls, input_dim: int) -> "Dataset":
        """What is known of the data of a run that was saved without any.

        An image is taken to be square if it can be, else one row.
        """
        side = math.isqrt(input_dim)
        shape = (side, side) if side * side == input_dim else (1, input_dim)
        return cls(None, None, shape)

    def load(
        self, path: str | os.PathLike | None = None, trained: str = "this model"
    ) -> "Dataset":
        """Read the images from the recorded directory, or from `path` if it has moved.

        The data set that is returned has the new path. `trained` names the run in
        messages. Raises FileNotFoundError if there is no such directory, ValueError if
        the digest differs or no directory is known.
        """
        if path is None:
            path = self.path
        if path is None:
            raise InputError(
                f"{trained} was trained on arrays in memory; name a data directory"
            )
        if not exists(Path(path)):
            raise FileNotFoundError(
                f"{printable_path(path)}: no such file or directory; {trained} was "
                f"trained on {self}; name the place where that data is now"
            )
        found = Dataset.open(path)
        unrecorded = self.digest is None and found.pixels == self.pixels
        if found.digest != self.digest and not unrecorded:
            raise InputError(
                f"{found}: not the data that {trained} was trained on ({self}); "
                "name the directory of that data"
            )
        return found

    def input(
        self,
        split: str,
        binarize: str,
        rng: np.random.Generator,
        rows: slice | np.ndarray = slice(None),
    ) -> np.ndarray:
        """Images of a split, "train" or "test", as the model's input: float32 (N, D).

        rows   the images' numbers, or a slice of them; all by default
        rng    used by "dynamic" only (see `to_input`)

        Raises ValueError for an unknown `binarize`, and for "static" unless the images
        are uint8.
        """
        images = {"train": self.images, "test": self.test_images}[split]
        if binarize == "static":
            if split not in self._static:
                self._static[split] = binarize_static(images, STATIC_SEEDS[split])
            images = self._static[split]
        return to_input(images[rows], binarize, rng)

    def describe(self, number: int) -> str:
        """The number of a test image, with its class if classes have names: 3, cat."""
        if self.test_labels is None or not self.classes:
            return str(number)
        return f"{number}, {self.class_name(int(self.test_labels[number]))}"

    def num_classes(self) -> int:
        """The number of classes: labels are 0 to this − 1. InputError without labels."""
        if self.labels is None or self.test_labels is None:
            raise InputError(f"{self} has no labels, and a class is to be told")
        labels = np.concatenate([self.labels, self.test_labels])
        return max(int(labels.max()) + 1, len(self.classes or ()))

    def label_of(self, name: str, num_classes: int) -> int:
        """The label of a class, by its name or its number; InputError if it is none."""
        names = list(self.classes or ())
        if name in names:
            return names.index(name)
        if name.isdecimal() and int(name) < num_classes:
            return int(name)
        known = ", ".join(names) if names else f"0 to {num_classes - 1}"
        raise InputError(f"there is no class {name!r}; the classes are {known}")

    def class_name(self, label: int) -> str:
        """The name of a class; its number if it has no name."""
        names = self.classes or ()
        return names[label] if label < len(names) else str(label)

    def record(self) -> dict[str, Any]:
        """What a checkpoint keeps of the data, as JSON can hold it."""
        names = ("path", "digest", "image_shape", "scale", "classes")
        return {name: getattr(self, name) for name in names}

    def without_images(self) -> "Dataset":
        """The same data set with its record alone."""
        return Dataset(**self.record())

    @property
    def pixels(self) -> int:
        """The number of pixels of an image."""
        return math.prod(self.image_shape)

    def __repr__(self) -> str:
        rows, columns = self.image_shape
        return (
            f"<Dataset {self}: {len(self.images):,} images of {rows} x {columns} "
            f"pixels, {len(self.test_images):,} to test>"
        )

    def __str__(self) -> str:
        """The path, as printed: relative to the current directory if it is below it."""
        return "arrays in memory" if self.path is None else printable_path(self.path)


def printable_path(path: str | os.PathLike) -> str:
    """A path as text that can be printed and encoded, relative if it is below here."""
    path = os.fspath(path)
    if os.path.isabs(path):
        relative = os.path.relpath(path)
        path = path if relative.startswith(os.pardir) else relative
    return os.fsencode(path).decode("utf-8", "replace")


def data_digest(*arrays: np.ndarray) -> str:
    """SHA-256 over the dtype, the shape and the bytes of each array."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.dtype} {array.shape}".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()
