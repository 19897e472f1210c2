"""Chapter 9, numerical gradients: oracles and known errors.

The oracles are derivatives in closed form. With a large step the truncation error of
(9.1) and (9.2) has one as well.
"""

from collections.abc import Callable

import numpy as np

from ...vae.gradcheck import central_difference_gradient, complex_step_gradient
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial

X = np.array([[0.5, -2.0], [1.0, 0.25]])
Y = np.array([[1.0, 2.0], [-1.0, 0.5]])
LARGE = 0.5  # a step


def cubic(inputs):
    """Σ x³ y, without a term of two entries of x"""
    return (inputs["x"] ** 3 * inputs["y"]).sum()


def exponential(inputs):
    """Σ exp(x) y"""
    return (np.exp(inputs["x"]) * inputs["y"]).sum()


def coupled(inputs):
    """(Σ x y)³: the derivative in one entry of x depends on the others"""
    return (inputs["x"] * inputs["y"]).sum() ** 3


def gradient_trials(rtol: float, sign: int, delicate: bool = False) -> list[Trial]:
    """Derivatives in closed form; sign: that of h² in the truncation error"""

    def call(f, functions, function, x, y, h):
        inputs = {"x": x, "y": y}
        return f(function, inputs, "x") if h is None else f(function, inputs, "x", h)

    def trial(words, function, x, y, derivative, h=None):
        step = "" if h is None else f", h = {h}"
        return Trial(
            {"f": function, "x": x, "y": y, "h": h},
            derivative,
            call,
            rtol=rtol,
            atol=rtol / 10,
            delicate=delicate,
            text=f"the gradient of {words} in x = {x.tolist()}, y = {y.tolist()}{step}",
        )

    trials = []
    for k in (1, 2):
        x, y = X[:k, :k], Y[:k, :k]
        trials.append(trial("(x³ y).sum()", cubic, x, y, 3 * x**2 * y))
        trials.append(trial("(exp(x) y).sum()", exponential, x, y, np.exp(x) * y))
    total = (X * Y).sum()
    trials.append(trial("(x y).sum()³", coupled, X, Y, 3 * total**2 * Y))
    # (s ± h y)³: the difference over 2h is 3 s² y + h² y³; the complex step has − h² y³
    far = 3 * total**2 * Y + sign * LARGE**2 * Y**3
    trials.append(trial("(x y).sum()³", coupled, X, Y, far, LARGE))
    return trials


def step_trial() -> Trial:
    """One entry is moved at a time, by h"""

    def call(f, functions, x, h):
        original, distances, moved = x.copy(), [0.0], [0]

        def recorded(inputs):
            distance = abs(inputs["x"] - original)
            distances.append(distance.max())
            moved.append(int(np.count_nonzero(distance > h / 2)))
            return inputs["x"].sum()

        f(recorded, {"x": x}, "x", h)
        return max(distances), max(moved)

    return Trial(
        {"x": X, "h": LARGE},
        (LARGE, 1),
        call,
        text=f"x = {X.tolist()}, h = {LARGE}: how far entries are moved, and how many",
        outputs=("the distance", "the number of entries"),
    )


def complex_step_gradient_trials() -> list[Trial]:
    """To 14 digits, which a difference does not reach"""
    return [*gradient_trials(1e-14, -1), step_trial()]


def central_difference_gradient_trials() -> list[Trial]:
    """To 4 digits; a one-sided difference does not reach 8, which is delicate"""
    *near, _ = gradient_trials(1e-4, 1)
    return [*near, step_trial(), *gradient_trials(1e-8, 1, delicate=True)]


# Known errors


def entries(slope: Callable, default: float, left: complex = 0.0):
    """∂f/∂inputs[name], an entry at a time: slope(g, h)

    g(d) is f where the entry is d larger.

    left: by how many h the entry stays moved for the entries after it
    """

    def gradient(f, inputs, name, h=default):
        x = inputs[name]
        found = np.empty(x.shape)
        for i in np.ndindex(x.shape):
            unit = np.zeros(x.shape)
            unit[i] = 1

            def g(d, x=x, unit=unit):
                return f({**inputs, name: x + d * unit})

            found[i] = slope(g, h)
            x = x + left * h * unit
        return found

    return gradient


def together(slope: Callable):
    """All entries are moved at once."""
    return lambda f, inputs, name, h=1e-6: np.full(
        inputs[name].shape, slope(lambda d: f({**inputs, name: inputs[name] + d}), h)
    )


def hard_coded(gradient: Callable):
    """The given h is ignored."""
    return lambda f, inputs, name, h=None: gradient(f, inputs, name)


def central(g, h):
    """(9.1)"""
    return (g(h) - g(-h)) / (2 * h)


def imaginary(g, h):
    """(9.2)"""
    return np.imag(g(1j * h)) / h


SMALL = np.finfo(float).eps ** (1 / 3)
ERRORS = [
    *errors_of(
        "central_difference_gradient",
        {
            "this is divided by h; it must be 2h": entries(
                lambda g, h: (g(h) - g(-h)) / h, SMALL
            ),
            "this is one-sided, (f(x + h) − f(x))/h: its error falls as h, not as h²": (
                entries(lambda g, h: (g(h) - g(0)) / h, 1e-6)
            ),
            "this is one-sided, (f(x) − f(x − h))/h: its error falls as h, not as h²": (
                entries(lambda g, h: (g(0) - g(-h)) / h, 1e-6)
            ),
            "the sum f(x + h) + f(x − h); it must be the difference": entries(
                lambda g, h: (g(h) + g(-h)) / (2 * h), SMALL
            ),
            "this is not divided by 2h": entries(lambda g, h: g(h) - g(-h), SMALL),
            "the entry is not restored before the next: errors add up": entries(
                central, SMALL, -1
            ),
            "all entries are moved at once: every entry gets the sum": together(
                central
            ),
            "the given h is ignored": hard_coded(central_difference_gradient),
            "h is so small that cancellation leaves few digits": entries(
                lambda g, h: central(g, 1e-13 if h == SMALL else h), SMALL
            ),
        },
    ),
    *errors_of(
        "complex_step_gradient",
        {
            "this is not divided by h": entries(lambda g, h: np.imag(g(1j * h)), 1e-20),
            "this is the real part; it must be the imaginary part": entries(
                lambda g, h: np.real(g(1j * h)) / h, 1e-20
            ),
            "this is the absolute value; it must be the imaginary part": entries(
                lambda g, h: abs(g(1j * h)) / h, 1e-20
            ),
            "the step is real, h; it must be ih": entries(
                lambda g, h: np.imag(g(h)) / h, 1e-20
            ),
            "the step is not taken back: every later entry sees it": entries(
                imaginary, 1e-20, 1j
            ),
            "all entries are moved at once: every entry gets the sum": together(
                imaginary
            ),
            "the given h is ignored": hard_coded(complex_step_gradient),
            "this is a central difference: half of the digits are lost to cancellation": (
                entries(lambda g, h: central(g, 6e-6 if h == 1e-20 else h), 1e-20)
            ),
        },
    ),
]
