"""The record of a run: what its checkpoint holds beside the arrays.

A file can have valid digests and still be wrong inside: written by another version, or
by hand. So every field is checked for its type and its range when it is read back,
before anything is computed from it.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..errors import InputError
from ..settings import TrainingOptions, VAEConfig, is_finite_number, is_integer
from ..training.history import COLUMNS, TEST_COLUMNS
from ..training.state import TrainingState, make_optimizer
from ..vae.parameters import Parameters, parameter_shapes
from . import checkpoint

LIMIT = 2**53  # no counter of a run reaches it, and float64 holds every integer below
ARRAYS = ("params", "adam.m", "adam.v")


def arrays_of(state: TrainingState) -> dict[str, np.ndarray]:
    """The arrays of a training state under their names in the checkpoint."""
    return dict(
        zip(ARRAYS, (state.params.vector, state.adam.m, state.adam.v), strict=True)
    )


def state_record(state: TrainingState) -> dict[str, Any]:
    """All of a training state that is not an array, as JSON can hold it."""
    generator = None if state.rng is None else checkpoint.generator_state(state.rng)
    return {
        "epoch": state.epoch,
        "batches_done": state.batches_done,
        "loss_sum": state.loss_sum,
        "epoch_seconds": state.epoch_seconds,
        "adam_t": state.adam.t,
        "generator": generator,
        "history": state.history,
    }


def settings_record(
    config: VAEConfig, options: TrainingOptions, source: Dataset
) -> dict[str, Any]:
    """Settings and data source as JSON can hold them."""
    return {
        "config": asdict(config),
        "options": asdict(options),
        "source": source.record(),
    }


def read_settings(
    meta: Mapping[str, Any],
) -> tuple[VAEConfig, TrainingOptions, Dataset]:
    """The inverse of settings_record. ValueError or TypeError names what is wrong."""
    config = VAEConfig(**_mapping(meta, "config"))
    options = TrainingOptions(**_mapping(meta, "options"))
    source = _mapping(meta, "source")
    path, digest, shape, scale = (
        source.get(name) for name in ("path", "digest", "image_shape", "scale")
    )
    if path is not None and (not isinstance(path, str) or "\0" in path):
        raise InputError(f"the data's path is {path!r}")
    if digest is not None and not (
        isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest)
    ):
        raise InputError(f"the data's digest is {digest!r}")
    if not (isinstance(shape, Sequence) and len(shape) == 2):
        raise InputError(f"the image's shape is {shape!r}")
    rows, columns = (_integer(size, "a size of the image", 1) for size in shape)
    if isinstance(scale, bool) or scale not in (1, 255):
        raise InputError(f"the data's scale is {str(scale)[:60]}")
    classes = read_classes(source.get("classes"))
    return config, options, Dataset(path, digest, (rows, columns), scale, classes)


def read_classes(names: Any) -> tuple[str, ...] | None:
    """The names of the data's classes, a list of text, or None if they have none."""
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"the names of the data's classes are {str(names)[:60]}")
    return tuple(names)


def read_state(
    arrays: Mapping[str, np.ndarray],
    meta: Mapping[str, Any],
    config: VAEConfig,
    options: TrainingOptions,
) -> TrainingState:
    """The inverse of arrays_of and state_record.

    ValueError or TypeError names what is wrong.
    """
    if set(arrays) != set(ARRAYS):
        raise InputError(f"its arrays are {', '.join(sorted(arrays))}")
    shapes = parameter_shapes(config)
    size = sum(math.prod(shape) for shape in shapes.values())
    dtype = arrays["params"].dtype
    if dtype not in (np.float32, np.float64):
        raise InputError(f"'params' is {dtype}; parameters are float32 or float64")
    for name, array in arrays.items():
        if array.dtype != dtype or array.shape != (size,):
            raise InputError(
                f"{name!r} is {array.dtype} of shape {array.shape}; "
                f"its configuration has {size:,} parameters"
            )
        negative = name == "adam.v" and array.min() < 0
        if negative or not np.isfinite(array).all():
            raise InputError(
                f"{name!r} has a value that is not finite or not in its range"
            )
    record = _mapping(meta, "state")
    params = Parameters(shapes, arrays["params"])
    state = TrainingState(params, make_optimizer(params, options), config=config)
    state.adam.m[...] = arrays["adam.m"]
    state.adam.v[...] = arrays["adam.v"]
    state.adam.t = _integer(record["adam_t"], "adam_t", 0)
    state.epoch = _integer(record["epoch"], "epoch", 0)
    state.batches_done = _integer(record["batches_done"], "batches_done", 0)
    state.loss_sum = _real(record["loss_sum"], "loss_sum")
    state.epoch_seconds = _real(record["epoch_seconds"], "epoch_seconds", 0)
    if record["generator"] is not None:
        state.rng = checkpoint.restore_generator(record["generator"])
    done = state.epoch if state.rng is None else state.epoch - 1
    state.history = read_history(record["history"], done)
    return state


def read_history(history: Any, epochs: int) -> list[dict]:
    """The history's rows, one per epoch that is done, each column checked."""
    if not isinstance(history, list) or len(history) != epochs:
        raise InputError(f"the history is not a list of {epochs} rows")
    return [_row(row, number) for number, row in enumerate(history, 1)]


def _row(row: Any, number: int) -> dict:
    """A row of the history; what it lacks without test images may be null or NaN"""
    problem = f"row {number} of the history is {str(row)[:60]}"
    if not isinstance(row, dict) or set(row) != set(COLUMNS):
        raise InputError(problem)
    if _integer(row["epoch"], "epoch", 1) != number:
        raise InputError(problem)
    untested = _is_missing(row["test_loss"])
    checked = {}
    for name in COLUMNS:
        value = row[name]
        if untested and name in TEST_COLUMNS and _is_missing(value):
            checked[name] = None if name == "active_units" else math.nan
            continue
        minimum = 0 if name in ("seconds", "active_units") else None
        _real(value, f"{name} of epoch {number}", minimum)
        checked[name] = value
    return checked


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def read_plain(meta: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A mapping of plain values: text, numbers, true, false, null, lists of text."""
    mapping = _mapping(meta, name)
    for key, value in mapping.items():
        texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
        number = isinstance(value, float) and math.isfinite(value)
        if not (texts or number or value is None or isinstance(value, (str, int))):
            raise InputError(f"{key} of its {name} is {str(value)[:60]}")
    return mapping


def _mapping(meta: Mapping[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(meta, Mapping) or not isinstance(meta.get(name), dict):
        raise InputError(f"it has no {name}")
    return meta[name]


def _integer(value: Any, name: str, minimum: int) -> int:
    if not is_integer(value) or not minimum <= value < LIMIT:
        raise InputError(f"{name} is {str(value)[:60]}")
    return int(value)


def _real(value: Any, name: str, minimum: float | None = None) -> float:
    # an integer as large as 2^1023 would be infinite in some sum
    if not is_finite_number(value) or value >= 2**1023:
        raise InputError(f"{name} is {str(value)[:60]}")
    if minimum is not None and value < minimum:
        raise InputError(f"{name} is {value}")
    return float(value)
