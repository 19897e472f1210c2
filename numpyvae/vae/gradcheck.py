"""Chapter 9. Numerical gradient checking.

Both methods come from the Taylor series of f, here with f and its derivatives at x:

    f(x + h) = f + h f' + ½ h² f'' + ⅙ h³ f''' + …

In the central difference the even powers of h cancel. The next term is the
truncation error:

    (9.1)  (f(x + h) − f(x − h))/2h = f' + ⅙ h² f''' + …

The other error is cancellation. Each f is rounded by about u |f|, where u = 2⁻⁵² is
the distance from 1 to the next float64. The subtraction cancels digits of f, but
not this error, which is then divided by h. So the whole error is about ⅙ h² |f'''|
+ u |f|/h. Its derivative in h is 0 at h³ = 3u |f/f'''|. If f''' is of the size of
f, that is h ≈ ∛u = 6e-6. Then 10 digits are left, fewer if |f'| is far below |f|.

In the complex step the odd powers of ih are imaginary and the even ones real, so
the imaginary part is without f:

    (9.2)  Im f(x + ih)/h = f' − ⅙ h² f''' + …

Nothing is subtracted, so nothing cancels, and h may be tiny. With h = 1e-20 the
truncation error is about 1e-40, and f' is accurate to u. The production code itself
runs in complex128, with real data and noise. So it must be analytic, that is
complex-differentiable: no abs, norm, conjugate, real part. np.maximum(x, −x) is
|x|, since NumPy orders complex numbers by their real part.

The noise is held fixed. eps is drawn once, and every evaluation of f has the same.
With new noise f(x + h) and f(x − h) would be values of two functions, and their
difference, divided by h, no derivative.

What is compared. Let a be a gradient by hand and n the numerical one, both of a
whole tensor. The error of the tensor is ‖a − n‖/‖n‖. The error of an entry is
relative to the largest entry of the tensor, and not to the entry itself. For an
entry is a sum of terms over images and paths, and its rounding error is about u
times the size of the terms. Where the terms cancel, the entry is small, but its
error is not.

The checks detect any difference between a backward pass and the derivative of its
forward pass. They cannot see:

- A kink. At relu's x = 0 the derivative jumps. No relu input in gradcheck_cases is
  within 1e-4 of 0.
- An error that both passes share: the gradient is correct, of the wrong objective.
  Tests of the values detect it.
- Whether float32 is accurate enough. The check runs in float64; the tests compare
  the two.

Try it. In gaussian.py let σ² stand for σ: in reparameterize write
`return mu + np.exp(logvar) * eps`, and in its backward
`return dz, dsigma * np.exp(logvar)`. `python -m numpyvae gradcheck` still passes.
In tests/vae/test_gaussian.py, test_samples_have_the_mean_and_standard_deviation
fails. Errors that were published, each with its test in
tests/vae/test_published_errors.py:

    error                                published in                     check
    noise times the variance             numpy-ml, neural_nets/models/    passes
                                         vae.py; DeZero, examples/vae.py
                                         (of its third book)
    mean over pixels, KL summed: β = D   Keras, VAE example, fixed in     passes
                                         pull request 3383
    sign of log σ in the KL              Flux model-zoo, vae.jl, fixed    passes
                                         in pull request 147
    samples treated as data              Pyro, VAE example, fixed in      seen
                                         pull request 1896
    Adam without bias correction         google-research/bert,            passes: no
                                         issue 153                        gradient

An example small enough for paper: f(x) = x³ at x = 2, where f' = 12 and f''' = 6.
So the truncation errors are h² and −h², and with h = ½ there are no further ones:

    (2.5³ − 1.5³)/1 = 15.625 − 3.375 = 12.25 = 12 + h²       by (9.1)
    (2 + ½i)³ = 8 + 3 · 4 · ½i + 3 · 2 · (½i)² + (½i)³ = 6.5 + 5.875i
    5.875/½ = 11.75 = 12 − h²                                by (9.2)

    >>> def cube(inputs):
    ...     return (inputs["x"] ** 3).sum()
    >>> x = {"x": np.array([2.0])}
    >>> central_difference_gradient(cube, x, "x", h=0.5)
    array([12.25])
    >>> complex_step_gradient(cube, x, "x", h=0.5)
    array([11.75])
    >>> complex_step_gradient(cube, x, "x")
    array([12.])

Sources: Squire & Trapp 1998; Martins, Sturdza & Alonso 2003 (complex step).
"""

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ..errors import InputError

# 45 u: the same sums, some of a hundred terms, in a different order.
COMPLEX_STEP_LIMIT = 1e-14
# Ten times that, since the largest entry may be far below the norm: in a tensor of 100
# equal entries the norm is √100 times the largest.
WORST_ENTRY_LIMIT = 1e-13
# Rounding is u f/h: 1e-9 for a loss of 30 nats, and ‖f'‖ is 0.01 or more.
CENTRAL_DIFFERENCE_LIMIT = 1e-7

Inputs = Mapping[str, np.ndarray]
# Analytic in each input; given real inputs, it returns a real number.
Loss = Callable[[Inputs], complex]


class GradientCheck(NamedTuple):
    """One gradient's relative errors by each method

    worst_entry is the largest error of an entry, at worst_index; problem says why a
    check has failed, and is empty if it passed.
    """

    configuration: str
    name: str
    complex_step: float
    worst_entry: float
    worst_index: str
    central_difference: float
    passed: bool
    problem: str


def complex_step_gradient(
    f: Loss, inputs: Inputs, name: str, h: float = 1e-20
) -> np.ndarray:
    """∂f/∂inputs[name] by (9.2), one entry at a time, in float64"""
    inputs = {
        key: np.asarray(array).astype(np.complex128) for key, array in inputs.items()
    }
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x.imag[i] = h
        gradient[i] = np.imag(f(inputs)) / h
        x.imag[i] = 0
    return gradient


def central_difference_gradient(
    f: Loss, inputs: Inputs, name: str, h: float = np.finfo(float).eps ** (1 / 3)
) -> np.ndarray:
    """∂f/∂inputs[name] by (9.1), one entry at a time, in float64"""
    inputs = {
        key: np.asarray(array).astype(np.float64) for key, array in inputs.items()
    }
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        original = x[i]
        # Both are rounded: f sees a distance of high − low, and not of 2h.
        low = original - h
        high = original + h
        x[i] = high
        above = f(inputs)
        x[i] = low
        below = f(inputs)
        x[i] = original
        gradient[i] = (above - below) / (high - low)
    return gradient


def relative_error(a: np.ndarray, n: np.ndarray, order: float) -> float:
    """‖a − n‖/‖n‖ in the norm of that order, 2 or inf

    0 when both are zero; inf for a NaN
    """
    if not a.any() and not n.any():
        return 0.0
    distance = np.linalg.norm((a - n).ravel(), order)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = distance / np.linalg.norm(n.ravel(), order)
    return np.inf if np.isnan(error) else float(error)


def check_gradients(
    f: Loss, inputs: Inputs, gradients: Inputs, configuration: str = ""
) -> list[GradientCheck]:
    """Compare f's gradients by hand with both numerical ones.

    f(inputs) takes a dict of arrays, real or complex, and returns one number.
    gradients has those by hand, by the names of the inputs. ValueError if a
    gradient has no input of its name, or f(inputs) is not one finite real number.

    >>> x = np.array([0.5, -2.0])
    >>> def cubes(inputs):
    ...     return (inputs["x"] ** 3).sum()
    >>> check_gradients(cubes, {"x": x}, {"x": 3 * x**2})[0].passed
    True
    >>> def distances(inputs):
    ...     return np.abs(inputs["x"]).sum()
    >>> check_gradients(distances, {"x": x}, {"x": np.sign(x)})[0].problem[:47]
    'f is not analytic: write np.maximum(x, -x) for '
    """
    inputs = {
        name: np.asarray(array).astype(np.float64) for name, array in inputs.items()
    }
    unknown = sorted(set(gradients) - set(inputs))
    if unknown:
        raise InputError(
            f"gradients has {', '.join(unknown)}, but inputs has only "
            f"{', '.join(sorted(inputs))}"
        )
    value = f(inputs)
    if np.ndim(value) or not np.isrealobj(value) or not np.isfinite(value):
        raise InputError(f"f(inputs) must be one finite real number, not {value!r}")
    return [
        _check(configuration, f, inputs, name, np.asarray(gradient))
        for name, gradient in gradients.items()
    ]


def _check(
    configuration: str, f: Loss, inputs: Inputs, name: str, a: np.ndarray
) -> GradientCheck:
    """The check of one gradient, a"""

    def failed(difference: float, problem: str) -> GradientCheck:
        return GradientCheck(
            configuration, name, np.inf, np.inf, "[]", difference, False, problem
        )

    shape = inputs[name].shape
    if a.shape != shape:  # would broadcast
        return failed(np.inf, f"gradient of shape {a.shape}, input of shape {shape}")
    central = central_difference_gradient(f, inputs, name)
    difference = relative_error(a, central, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            n = complex_step_gradient(f, inputs, name)
    except (TypeError, np.exceptions.ComplexWarning) as error:
        return failed(difference, f"f does not accept complex numbers: {error}")

    tensor = relative_error(a, n, 2)
    entry = relative_error(a, n, np.inf)
    worst: tuple[int, ...] = ()
    if a.size:
        index = np.unravel_index(np.abs(a - n).argmax(), shape)
        worst = tuple(int(i) for i in index)
    passed = (
        tensor <= COMPLEX_STEP_LIMIT
        and entry <= WORST_ENTRY_LIMIT
        and difference <= CENTRAL_DIFFERENCE_LIMIT
    )
    if passed:
        problem = ""
    elif relative_error(n, central, 2) <= CENTRAL_DIFFERENCE_LIMIT:
        problem = (
            f"wrong at {list(worst)}: {a[worst]:.17g}, but numerically {n[worst]:.17g}"
        )
    elif difference <= CENTRAL_DIFFERENCE_LIMIT:
        problem = (
            "f is not analytic: write np.maximum(x, -x) for np.abs(x), "
            "no norm, conjugate or real part"
        )
    else:
        problem = (
            "the numerical gradients differ: f is not smooth here, "
            "or its gradient is tiny beside f"
        )
    return GradientCheck(
        configuration,
        name,
        tensor,
        entry,
        str(list(worst)),
        difference,
        passed,
        problem,
    )
