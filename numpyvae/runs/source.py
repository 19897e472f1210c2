"""Data sources: where the data of a run is, and how to tell whether it is still the same data.

A run records the path of its data directory, the SHA-256 digest of the images, and the shape of one image. The path is
absolute, so a run can be evaluated from any directory. The digest covers training and test images, so no command can
use other data without saying so. Arrays that were trained on from Python have a digest and a shape, but no path.
"""

import hashlib
import math
import os
from dataclasses import dataclass, replace

import numpy as np

from ..data.mnist import load_images
from ..errors import InputError


@dataclass(frozen=True)
class DataSource:
    """The data of a run: path of the directory (None: arrays in memory), digest of the images, shape of one image.

    scale: the number that stands for 1: 255 for bytes, 1 for floats, which are taken as they are.
    """

    path: str | None
    digest: str | None
    image_shape: tuple[int, int]
    scale: int = 255

    @classmethod
    def open(
        cls, path: str | os.PathLike
    ) -> tuple["DataSource", np.ndarray, np.ndarray]:
        """(source, training images, test images) of a directory of IDX files. Errors as from `load_mnist`."""
        images, test_images = load_images(path)
        return cls.of(images, test_images, path), images, test_images

    @classmethod
    def of(
        cls,
        images: np.ndarray,
        test_images: np.ndarray | None = None,
        path: str | os.PathLike | None = None,
    ) -> "DataSource":
        """The source of arrays: images (N, rows, cols), or rows of data (N, D), whose shape is that of `unknown`."""
        arrays = (images,) if test_images is None else (images, test_images)
        shape = (
            images.shape[1:]
            if images.ndim == 3
            else cls.unknown(math.prod(images.shape[1:])).image_shape
        )
        scale = 255 if images.dtype == np.uint8 else 1
        return cls(
            None if path is None else os.path.abspath(path),
            data_digest(*arrays),
            tuple(map(int, shape)),
            scale,
        )

    @classmethod
    def unknown(cls, input_dim: int) -> "DataSource":
        """The source of a run that was saved without one. An image is taken to be square if it can be, else one row."""
        side = math.isqrt(input_dim)
        return cls(
            None, None, (side, side) if side * side == input_dim else (1, input_dim)
        )

    def load(
        self, path: str | os.PathLike | None = None, trained: str = "this model"
    ) -> tuple["DataSource", np.ndarray, np.ndarray]:
        """(source, training images, test images) from the recorded directory, or from `path` if the data has moved.

        The source that is returned has the new path. `trained` names the run in messages. Raises FileNotFoundError if
        there is no such directory, ValueError if the digest differs or no directory is known.
        """
        if path is None:
            path = self.path
        if path is None:
            raise InputError(
                f"{trained} was trained on arrays in memory; name a data directory"
            )
        if not os.path.isdir(path):
            raise FileNotFoundError(
                f"{printable_path(path)}: no such directory; {trained} was trained on {self}; "
                "name the directory where that data is now"
            )
        found, images, test_images = DataSource.open(path)
        if self.digest is None and found.pixels == self.pixels:
            return found, images, test_images
        if found.digest != self.digest:
            raise InputError(
                f"{found}: not the data that {trained} was trained on ({self}); "
                "name the directory of that data"
            )
        return replace(self, path=found.path), images, test_images

    @property
    def pixels(self) -> int:
        """The number of pixels of an image."""
        return math.prod(self.image_shape)

    def __str__(self) -> str:
        """The path, as printed: relative to the current directory if it is below it."""
        return "arrays in memory" if self.path is None else printable_path(self.path)


def printable_path(path: str | os.PathLike) -> str:
    """A path as text that can be printed and encoded, relative to the current directory if it is below it."""
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
        sha.update(np.ascontiguousarray(array))
    return sha.hexdigest()
