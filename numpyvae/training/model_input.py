"""What a model is given: the pixels of images, and for a conditional model their class.

x        (N, D)        without classes
[x, c]   (N, D + C)    with C classes, chapter 14 of book one
"""

import numpy as np

from ..data.dataset import Dataset
from ..errors import InputError
from ..settings import VAEConfig
from ..vae.conditional import with_class


def model_input(
    data: Dataset,
    split: str,
    config: VAEConfig,
    binarize: str,
    rng: np.random.Generator,
    rows: slice | np.ndarray = slice(None),
) -> np.ndarray:
    """Images of a split, "train" or "test", as the model's input; see Dataset.input.

    InputError if a conditional model needs labels and the data has none.
    """
    x = data.input(split, binarize, rng, rows)
    if config.num_classes == 0:
        return x
    labels = {"train": data.labels, "test": data.test_labels}[split]
    if labels is None:
        raise InputError(f"{data} has no labels, but the model is told the class")
    return with_class(x, labels[rows], config)


def check_labels(
    name: str, labels: object, count: int, config: VAEConfig
) -> np.ndarray | None:
    """The labels of `count` images as integers; None for a model without classes.

    InputError, which says `name`, if a conditional model has no labels or others than 0
    to C − 1, and if another model is given labels.
    """
    if config.num_classes == 0:
        if labels is not None:
            raise InputError(f"{name} are given, but the model has no classes")
        return None
    if labels is None:
        raise InputError(f"{name} are missing: the model is told the class")
    array = np.asarray(labels)
    if array.shape != (count,) or array.dtype.kind not in "ui":
        raise InputError(
            f"{name} must be {count} integers, one per image, not {array.dtype} of "
            f"shape {array.shape}"
        )
    wrong = (array < 0) | (array >= config.num_classes)
    if wrong.any():
        raise InputError(
            f"{name}: image {wrong.argmax()} has {array[wrong.argmax()]}, but the "
            f"{config.num_classes} classes are 0 to {config.num_classes - 1}"
        )
    return array.astype(np.intp)
