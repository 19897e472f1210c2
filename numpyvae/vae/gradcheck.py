"""Every hand-written gradient against independent arithmetic, in two ways.

Central difference, from the real function f alone:

    f'(x) = (f(x + h) − f(x − h)) / 2h + O(h²)

A small h subtracts two nearly equal numbers and loses their digits, a large h bends: at h = ε^⅓ ≈ 6e-6 (with ε = 2⁻⁵²,
float64's distance from 1 to the next number) the two errors
are about equal, and some 10 of 16 digits are left, fewer where the gradient is small beside the loss.

Complex step, from f continued into the complex plane. In f(x + ih) = f(x) + ih f'(x) − ½ h² f''(x) − … every other term
is real:

    f'(x) = Im f(x + ih) / h + O(h²)

Nothing is subtracted, so h can be 1e-20, with its square below every rounding error: f' comes out to all digits. It is
the production forward pass that runs in complex128, the same lines that train in float32: parameters go in as complex
arrays, data and noise stay real.

What they can see: any difference between a backward pass and the derivative of the forward pass that was run. What they
cannot:

  - A kink. At relu's x = 0 the derivative jumps; a difference across it measures neither side, the complex step and
    the backward pass each take one. In the sweep no input of a relu is within 1e-4 of 0, 16 h away.
  - An error that both passes share. With the variance for the standard deviation in z = mu + σ² eps, and its derivative
    in the backward pass, every row below is perfect. So is the sum for the mean, a missing 1/J, a KL of the wrong
    formula, noise that is not N(0, 1): the gradient is right, of the wrong objective. Only a look at the values finds
    these: closed forms, moments, quadrature. That is the tests' part.
  - Whether float32 is enough. The check runs in float64; the tests compare the two.

An error is ‖a − n‖/‖n‖ over one tensor, a by hand and n numerical; both zero counts as 0. An entry's error is relative
to the tensor's largest, since an entry in which large terms cancel has no digits of its own to be right in.

Source: Squire & Trapp 1998; Martins, Sturdza & Alonso 2003 (complex step). Next: sweep.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

COMPLEX_STEP_LIMIT = 1e-14  # 45 ε: the same sums, some of a hundred terms, in two orders
WORST_ENTRY_LIMIT = 1e-13
CENTRAL_DIFFERENCE_LIMIT = 1e-7  # its rounding error is ε f/h, 1e-9 for a loss of 30 nats, and ‖f'‖ is 0.01 or more

Inputs = Mapping[str, np.ndarray]
Loss = Callable[[Inputs], complex]  # analytic in each input; given real inputs, it returns a real number


class Row(NamedTuple):
    """One gradient's errors, relative; `where` is its worst entry's index."""

    configuration: str
    name: str
    complex_step: float
    worst_entry: float
    where: str
    central_difference: float
    ok: bool


def complex_step(f: Loss, inputs: Inputs, name: str, h: float = 1e-20) -> np.ndarray:
    """∂f/∂inputs[name], an entry at a time"""
    inputs = {key: array.astype(np.complex128) for key, array in inputs.items()}
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x.imag[i] = h
        gradient[i] = f(inputs).imag / h
        x.imag[i] = 0
    return gradient


def central_difference(f: Loss, inputs: Inputs, name: str, h: float = np.finfo(float).eps ** (1 / 3)) -> np.ndarray:
    """∂f/∂inputs[name], an entry at a time"""
    inputs = {key: array.copy() for key, array in inputs.items()}
    x, original = inputs[name], inputs[name].copy()
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        low, high = original[i] - h, original[i] + h  # rounded: what f sees is their distance, not 2h
        x[i] = high
        above = f(inputs)
        x[i] = low
        gradient[i] = (above - f(inputs)) / (high - low)
        x[i] = original[i]
    return gradient


def relative_error(a: np.ndarray, n: np.ndarray, order: float) -> float:
    """‖a − n‖/‖n‖; 0 when both are zero, inf for a NaN"""
    if not a.any() and not n.any():
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.linalg.norm((a - n).ravel(), order) / np.linalg.norm(n.ravel(), order)
    return np.inf if np.isnan(error) else float(error)


def check(configuration: str, f: Loss, inputs: Inputs, gradients: Inputs) -> Iterator[Row]:
    """A row for each of `gradients`, f's by hand in the inputs of the same names."""
    for name, a in gradients.items():
        n = complex_step(f, inputs, name)
        if a.shape != n.shape:  # would broadcast
            a = np.full(n.shape, np.nan)
        tensor, entry = relative_error(a, n, 2), relative_error(a, n, np.inf)
        difference = relative_error(a, central_difference(f, inputs, name), 2)
        where = [int(i) for i in np.unravel_index(np.abs(a - n).argmax(), n.shape)]
        ok = tensor <= COMPLEX_STEP_LIMIT and entry <= WORST_ENTRY_LIMIT and difference <= CENTRAL_DIFFERENCE_LIMIT
        yield Row(configuration, name, tensor, entry, str(where), difference, ok)
