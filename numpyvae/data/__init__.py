"""Data: the IDX file format, MNIST's files, and their download."""

from .idx import IdxError, read_idx, write_idx
from .mnist import load_mnist
