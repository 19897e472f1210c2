"""Outputs of a function: read as arrays, compared, put into words."""

import copy
import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Failure(NamedTuple):
    """Instead of outputs: an exception, a wrong type, a changed argument"""

    kind: str
    message: str


class Unusable(Exception):
    """Raised by a trial when what a function returned cannot be used."""


def read_outputs(
    result: Any, expected: Any, names: tuple[str, ...] = ()
) -> tuple | Failure:
    """What a function returned, as a tuple of arrays, as many as are expected"""
    if not isinstance(expected, tuple):
        return _read_arrays([result], ("an array or a number",))
    what = f"({', '.join(names)})" if names else f"a tuple of {len(expected)} arrays"
    if not isinstance(result, (tuple, list)) or len(result) != len(expected):
        return Failure("type", f"returns {kind_of(result)}; {what} was expected")
    return _read_arrays(result, names or ("an array or a number",) * len(expected))


def _read_arrays(values: Sequence, names: tuple[str, ...]) -> tuple | Failure:
    arrays = []
    for value, name in zip(values, names, strict=True):
        what = f"returns {kind_of(value)}; {name} was expected"
        if len(values) > 1:
            what = f"returns {kind_of(value)} for {name}"
            what += "; an array or a number was expected"
        if isinstance(value, (np.ma.MaskedArray, np.matrix)):
            return Failure("type", f"{what}: a plain array")
        try:
            array = np.array(value)
        except (ValueError, TypeError):
            array = np.array(None)
        except MemoryError:
            return Failure(
                "type", f"returns {kind_of(value)}, too large to be compared"
            )
        if array.dtype.kind not in "biufc":
            return Failure("type", what)
        arrays.append(array)
    return tuple(arrays)


def kind_of(value: Any, parts: bool = False) -> str:
    """A value's type in words: None, an array of shape (2, 3), a tuple of 2, str.

    parts: with the parts of a tuple or list, or the names of a dict
    """
    if value is None:
        return "None (is `return` missing?)"
    if inspect.isgenerator(value):
        return "a generator (it has `yield` where `return` belongs)"
    if isinstance(value, np.ma.MaskedArray):
        return "a masked array"
    if isinstance(value, np.matrix):
        return "an np.matrix"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        named = hasattr(value, "_fields")
        text = f"a {'tuple' if isinstance(value, tuple) else 'list'} of {len(value)}"
        if named:
            text = f"a {type(value).__name__}"
        if parts and value and not named:
            text += f" ({', '.join(kind_of(item) for item in value)})"
        return text
    return type(value).__name__


def equal(a: tuple | Failure, b: tuple | Failure, rtol: float, atol: float) -> bool:
    """Whether two outputs agree: in shapes and numbers, or as failures of one kind"""
    if isinstance(a, Failure) and isinstance(b, Failure):
        # The words of an exception are the library's; the judge's have to agree.
        return a == b if a.kind == "type" else a.kind == b.kind
    if isinstance(a, Failure) or isinstance(b, Failure):
        return False
    return all(
        x.shape == y.shape and not wrong_entries(x, y, rtol, atol).any()
        for x, y in zip(a, b, strict=True)
    )


def wrong_entries(
    expected: np.ndarray, got: np.ndarray, rtol: float, atol: float
) -> np.ndarray:
    """Where two arrays of one shape differ by more than the tolerance.

    NaN equals NaN, and inf equals inf.
    """
    if got.dtype.kind == "c" and expected.dtype.kind != "c" and np.imag(got).any():
        return np.ones(expected.shape, bool)
    expected = expected.astype(
        np.complex128 if expected.dtype.kind == "c" else np.float64
    )
    if got.dtype.kind == "c":
        got = np.real(got)
    got = got.astype(expected.dtype)
    finite = np.abs(expected)[np.isfinite(expected)]
    with np.errstate(invalid="ignore"):
        limit = rtol * np.abs(expected) + 1e-3 * rtol * finite.max(initial=0.0) + atol
        near = np.abs(got - expected) <= limit
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    return ~np.where(np.isfinite(expected), near, same)


def number_text(value: Any, digits: int = 10) -> str:
    """A number or a nested list of them, to so many digits"""
    if isinstance(value, np.ndarray) and value.ndim:
        return "[" + ", ".join(number_text(v, digits) for v in value) + "]"
    value = value.item() if isinstance(value, np.ndarray) else value
    if isinstance(value, (str, bool, np.bool_)):
        return str(value)
    return f"{value:.{digits}g}"


def digits_that_differ(a: Any, b: Any) -> int:
    """10, or the least number of digits above it that shows that a is not b"""
    for digits in (10, 13):
        if number_text(np.asarray(a), digits) != number_text(np.asarray(b), digits):
            return digits
    return 17


def call_text(name: str, inputs: dict) -> str:
    """f(name=value, …), with large arrays as their shape"""
    arguments = [f"{key}={value_text(value)}" for key, value in inputs.items()]
    return f"{name}({', '.join(arguments)})"


def value_text(value: Any) -> str:
    """An argument in words"""
    if isinstance(value, np.ndarray):
        return (
            number_text(value) if value.size <= 12 else f"<{value.dtype} {value.shape}>"
        )
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(value_text, value))})"
    return f"{value:.10g}" if isinstance(value, float) else repr(value)


def copied(value: Any) -> Any:
    """A copy of an argument, arrays and all.

    What is not an array or a container of arrays is passed as it is.
    """
    if isinstance(value, tuple):
        return (
            type(value)(*map(copied, value))
            if hasattr(value, "_fields")
            else tuple(map(copied, value))
        )
    return (
        copy.deepcopy(value) if isinstance(value, (np.ndarray, dict, list)) else value
    )


def same(a: Any, b: Any) -> bool:
    """Whether an argument is unchanged"""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.shape == b.shape
            and a.dtype == b.dtype
            and np.array_equal(a, b, equal_nan=True)
        )
    if isinstance(a, dict):
        return (
            isinstance(b, dict)
            and a.keys() == b.keys()
            and all(same(a[key], b[key]) for key in a)
        )
    if isinstance(a, (tuple, list)):
        return isinstance(b, type(a)) and len(a) == len(b) and all(map(same, a, b))
    return True
