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

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

COMPLEX_STEP_LIMIT = 1e-14  # 45 u: the same sums, some of a hundred terms, in a different order
WORST_ENTRY_LIMIT = 1e-13
CENTRAL_DIFFERENCE_LIMIT = 1e-7  # its rounding error is u f/h, 1e-9 for a loss of 30 nats, and ‖f'‖ is 0.01 or more

Inputs = Mapping[str, np.ndarray]
Loss = Callable[[Inputs], complex]  # analytic in each input; given real inputs, it returns a real number


class GradientCheck(NamedTuple):
    """One gradient's relative errors; `worst_index` is the index of its worst entry, `problem` says why it failed."""

    configuration: str
    name: str
    complex_step: float
    worst_entry: float
    worst_index: str
    central_difference: float
    passed: bool
    problem: str


def complex_step_gradient(f: Loss, inputs: Inputs, name: str, h: float = 1e-20) -> np.ndarray:
    """∂f/∂inputs[name], one entry at a time"""
    inputs = {key: np.asarray(array).astype(np.complex128) for key, array in inputs.items()}
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x.imag[i] = h
        gradient[i] = np.imag(f(inputs)) / h
        x.imag[i] = 0
    return gradient


def central_difference_gradient(f: Loss, inputs: Inputs, name: str,
                                h: float = np.finfo(float).eps ** (1 / 3)) -> np.ndarray:
    """∂f/∂inputs[name], one entry at a time"""
    inputs = {key: np.asarray(array).astype(np.float64) for key, array in inputs.items()}
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        original = x[i]
        low = original - h
        high = original + h  # rounded: f sees a distance of high − low, not of 2h
        x[i] = high
        above = f(inputs)
        x[i] = low
        gradient[i] = (above - f(inputs)) / (high - low)
        x[i] = original
    return gradient


def relative_error(a: np.ndarray, n: np.ndarray, order: float) -> float:
    """‖a − n‖/‖n‖; 0 when both are zero, inf for a NaN"""
    if not a.any() and not n.any():
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.linalg.norm((a - n).ravel(), order) / np.linalg.norm(n.ravel(), order)
    return np.inf if np.isnan(error) else float(error)


def check_gradients(f: Loss, inputs: Inputs, gradients: Inputs, configuration: str = "") -> list[GradientCheck]:
    """Compare each of `gradients`, f's analytic gradients by the names of its inputs, with both numerical ones.

    f(inputs) takes a dict of arrays and returns one number. It must accept complex arrays: write np.maximum(x, -x) for
    np.abs(x). ValueError if a gradient has no input of its name, or f(inputs) is not one finite real number.

        >>> x = np.array([0.5, -2.0])
        >>> check, = check_gradients(lambda inputs: (inputs["x"] ** 3).sum(), {"x": x}, {"x": 3 * x**2})
        >>> check.passed, check.problem
        (True, '')
    """
    inputs = {name: np.asarray(array).astype(np.float64) for name, array in inputs.items()}
    if unknown := sorted(set(gradients) - set(inputs)):
        raise ValueError(f"gradients has {', '.join(unknown)}, but inputs has only {', '.join(sorted(inputs))}")
    value = f(inputs)
    if np.ndim(value) or not np.isrealobj(value) or not np.isfinite(value):
        raise ValueError(f"f(inputs) must be one finite real number, not {value!r}")
    return [_check(configuration, f, inputs, name, np.asarray(gradient)) for name, gradient in gradients.items()]


def _check(configuration: str, f: Loss, inputs: Inputs, name: str, a: np.ndarray) -> GradientCheck:
    """The check of one gradient, a"""
    shape = inputs[name].shape
    if a.shape != shape:  # would broadcast
        return GradientCheck(configuration, name, np.inf, np.inf, "[]", np.inf, False,
                             f"gradient of shape {a.shape}, input of shape {shape}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            n = complex_step_gradient(f, inputs, name)
        problem = ""
    except (TypeError, np.exceptions.ComplexWarning) as error:
        n = np.full(shape, np.nan)
        problem = f"f does not accept complex numbers ({error})"
    d = central_difference_gradient(f, inputs, name)
    tensor = relative_error(a, n, 2)
    entry = relative_error(a, n, np.inf)
    difference = relative_error(a, d, 2)
    worst_index = [int(i) for i in np.unravel_index(np.abs(a - n).argmax(), shape)] if a.size else []
    passed = tensor <= COMPLEX_STEP_LIMIT and entry <= WORST_ENTRY_LIMIT and difference <= CENTRAL_DIFFERENCE_LIMIT
    if not passed and not problem:
        problem = _problem(a, n, d, worst_index, difference)
    return GradientCheck(configuration, name, tensor, entry, str(worst_index), difference, passed, problem)


def _problem(a: np.ndarray, n: np.ndarray, d: np.ndarray, worst_index: list[int], difference: float) -> str:
    """Why a gradient a failed, where n is the complex step's and d the central difference's"""
    if not np.isfinite(a).all():
        return "the gradient is not finite"
    if not (relative_error(n, d, 2) <= CENTRAL_DIFFERENCE_LIMIT):
        if difference <= CENTRAL_DIFFERENCE_LIMIT:
            return "f is not analytic: use max(x, -x) for abs(x), and no conjugate, real part or norm"
        return "the two numerical gradients differ: f is not analytic or not smooth here, or the gradient is tiny beside f"
    i = tuple(worst_index)
    return f"wrong at {worst_index}: {a[i]:.17g}, numerically {n[i]:.17g}"
