"""Data: sets of images, their files, and how pixels become numbers.

dataset       images, labels, scale, shape, classes; the one way to a model's input
idx           read and write one array in an IDX file
mnist         find, load and verify training and test set
pixels        bytes to floats and back, binarization
sources       what others bring, to IDX: CSV, arrays, PNG files, directories, downloads
"""

from .dataset import Dataset
from .idx import IdxError, read_idx, write_idx
from .mnist import load_mnist
from .pixels import binarize_static, to_bytes, to_input
from .sources.arrays import resize_by_area
from .sources.convert import convert_images
from .sources.png import PngError, read_png

__all__ = [
    "Dataset",
    "IdxError",
    "PngError",
    "binarize_static",
    "convert_images",
    "load_mnist",
    "read_idx",
    "read_png",
    "resize_by_area",
    "to_bytes",
    "to_input",
    "write_idx",
]
