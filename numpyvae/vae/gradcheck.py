"""Chapter 9. Numerical gradient checking: central differences and the complex-step method.

Both come from the Taylor series f(x + h) = f + h f' + ½ h² f'' + ⅙ h³ f''' + …, with f and its derivatives at x. In the
central difference the even powers of h cancel, and the next term is the truncation error:

    (9.1)  (f(x + h) − f(x − h))/2h = f' + ⅙ h² f''' + …

The other error is cancellation. Each f is rounded by about u |f|, with u = 2⁻⁵², the distance from 1 to the next
float64. The subtraction cancels digits but not this error, which is then divided by h. The sum ⅙ h² |f'''| + u |f|/h is
smallest at h³ = 3u |f/f'''|: h ≈ ∛u = 6e-6 if f''' is of the size of f. 10 digits are left, fewer if |f'| ≪ |f|.

In the complex step the odd powers of ih are imaginary and the even ones real, so the imaginary part is without f:

    (9.2)  Im f(x + ih)/h = f' − ⅙ h² f''' + …

Nothing is subtracted, so nothing cancels, and h may be tiny: with h = 1e-20 the truncation error is about 1e-40, and f'
is accurate to u. The production code itself runs in complex128, with real data and noise. So it must be analytic,
complex-differentiable: no abs, norm, conjugate, real part. np.maximum(x, −x) is |x|, since NumPy orders by real part.

An error is ‖a − n‖/‖n‖ over one tensor, a derived by hand and n numerical. An entry's error is relative to the largest
entry of its tensor: rounding is relative to the terms of a sum, which may cancel in an entry.

The checks detect any difference between a backward pass and the derivative of its forward pass. They cannot see:

  - A kink. At relu's x = 0 the derivative jumps. No relu input in gradcheck_cases is within 1e-4 of 0.
  - An error that both passes share: the gradient is correct, of the wrong objective. Tests of the values detect it.
  - Whether float32 is accurate enough. The check runs in float64; the tests compare the two.

Try it. In gaussian.py let σ² stand for σ, in reparameterize `return mu + np.exp(logvar) * eps`, and in its backward
`return dz, dsigma * np.exp(logvar)`. `python -m numpyvae gradcheck` still passes; in tests/vae/test_gaussian.py,
test_samples_have_the_mean_and_standard_deviation fails. Published errors, in tests/vae/test_published_errors.py:

    error                                       published in                                          gradient check
    noise times the variance                    numpy-ml, neural_nets/models/vae.py;                  passes
                                                DeZero, examples/vae.py (of its third book)
    mean over pixels, KL summed: β = D          Keras, VAE example, fixed in pull request 3383        passes
    sign of log σ in the KL                     Flux model-zoo, vae.jl, fixed in pull request 147       passes
    samples treated as data                     Pyro, VAE example, fixed in pull request 1896         fails: seen
    Adam without bias correction                google-research/bert, issue 153                       passes: no loss

Sources: Squire & Trapp 1998; Martins, Sturdza & Alonso 2003 (complex step).
"""

import warnings
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ..errors import InputError

COMPLEX_STEP_LIMIT = (
    1e-14  # 45 u: the same sums, some of a hundred terms, in a different order
)
WORST_ENTRY_LIMIT = 1e-13  # √100 times that: the largest entry may be that much below the norm of 100 entries
CENTRAL_DIFFERENCE_LIMIT = (
    1e-7  # rounding: u f/h, 1e-9 for a loss of 30 nats, and ‖f'‖ is 0.01 or more
)

Inputs = Mapping[str, np.ndarray]
Loss = Callable[
    [Inputs], complex
]  # analytic in each input; given real inputs, it returns a real number


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


def complex_step_gradient(
    f: Loss, inputs: Inputs, name: str, h: float = 1e-20
) -> np.ndarray:
    """∂f/∂inputs[name] by (9.2), one entry at a time"""
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
    """∂f/∂inputs[name] by (9.1), one entry at a time"""
    inputs = {
        key: np.asarray(array).astype(np.float64) for key, array in inputs.items()
    }
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        original = x[i]
        low, high = (
            original - h,
            original + h,
        )  # rounded: f sees a distance of high − low, not of 2h
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
        error = np.linalg.norm((a - n).ravel(), order) / np.linalg.norm(
            n.ravel(), order
        )
    return np.inf if np.isnan(error) else float(error)


def check_gradients(
    f: Loss, inputs: Inputs, gradients: Inputs, configuration: str = ""
) -> list[GradientCheck]:
    """Compare each of `gradients`, f's gradients by hand, by the names of its inputs, with both numerical ones.

    f(inputs) takes a dict of arrays, real or complex, and returns one number. ValueError if a gradient has no input of
    its name, or f(inputs) is not one finite real number.

    >>> x = np.array([0.5, -2.0])
    >>> check_gradients(lambda inputs: (inputs["x"] ** 3).sum(), {"x": x}, {"x": 3 * x**2})[0].passed
    True
    >>> check_gradients(lambda inputs: np.abs(inputs["x"]).sum(), {"x": x}, {"x": np.sign(x)})[0].problem
    'f is not analytic: write np.maximum(x, -x) for np.abs(x), no norm, conjugate or real part'
    """
    inputs = {
        name: np.asarray(array).astype(np.float64) for name, array in inputs.items()
    }
    if unknown := sorted(set(gradients) - set(inputs)):
        raise InputError(
            f"gradients has {', '.join(unknown)}, but inputs has only {', '.join(sorted(inputs))}"
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
    shape = inputs[name].shape
    if a.shape != shape:  # would broadcast
        return GradientCheck(
            configuration,
            name,
            np.inf,
            np.inf,
            "[]",
            np.inf,
            False,
            f"gradient of shape {a.shape}, input of shape {shape}",
        )
    central = central_difference_gradient(f, inputs, name)
    difference = relative_error(a, central, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            n = complex_step_gradient(f, inputs, name)
    except (TypeError, np.exceptions.ComplexWarning) as error:
        return GradientCheck(
            configuration,
            name,
            np.inf,
            np.inf,
            "[]",
            difference,
            False,
            f"f does not accept complex numbers: {error}",
        )
    tensor, entry = relative_error(a, n, 2), relative_error(a, n, np.inf)
    worst = (
        tuple(int(i) for i in np.unravel_index(np.abs(a - n).argmax(), shape))
        if a.size
        else ()
    )
    problem = ""
    if not (
        tensor <= COMPLEX_STEP_LIMIT
        and entry <= WORST_ENTRY_LIMIT
        and difference <= CENTRAL_DIFFERENCE_LIMIT
    ):
        problem = (
            f"wrong at {list(worst)}: {a[worst]:.17g}, but numerically {n[worst]:.17g}"
        )
        if relative_error(n, central, 2) > CENTRAL_DIFFERENCE_LIMIT:
            problem = "the numerical gradients differ: f is not smooth here, or its gradient is tiny beside f"
            if difference <= CENTRAL_DIFFERENCE_LIMIT:
                problem = "f is not analytic: write np.maximum(x, -x) for np.abs(x), no norm, conjugate or real part"
    return GradientCheck(
        configuration,
        name,
        tensor,
        entry,
        str(list(worst)),
        difference,
        not problem,
        problem,
    )
