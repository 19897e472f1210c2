"""Oracles for chapter 1, layers: sums written out, derivatives as exact differences, hyperbolic functions of `math`."""

import itertools
import math

import numpy as np

from ..judge.verdict import Trial, parts

# N, I, O; a square one, where a transpose that is missing has the right shape
SHAPES = [(1, 1, 1), (2, 2, 2), (2, 3, 4)]


def small(*shape: int, start: int = 1) -> np.ndarray:
    """Distinct dyadic numbers of both signs, in the given shape: their products and sums are exact."""
    return np.array(
        [(-1) ** (k // 2) * (k + start) / 4 for k in range(math.prod(shape))]
    ).reshape(shape)


def linear_sum(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(1.1), entry by entry"""
    return np.array(
        [
            [
                b[o] + sum(x[n, i] * W[i, o] for i in range(len(W)))
                for o in range(W.shape[1])
            ]
            for n in range(len(x))
        ]
    )


def linear_gradients(
    dy: np.ndarray, x: np.ndarray, W: np.ndarray, b: np.ndarray
) -> tuple:
    """The loss Σ y dy is linear in each argument: its derivative is its increase when an entry grows by 1, exactly."""

    def loss(arrays):
        return (linear_sum(*arrays) * dy).sum()

    gradients = []
    for k, array in enumerate((x, W, b)):
        gradient = np.zeros(array.shape)
        for i in itertools.product(*map(range, array.shape)):
            larger = [a.copy() for a in (x, W, b)]
            larger[k][i] += 1
            gradient[i] = loss(larger) - loss((x, W, b))
        gradients.append(gradient)
    return tuple(gradients)


def pair(what: str = "a pair (y, cache)"):
    """Call f and return y of (y, cache)."""
    return lambda f, functions, *values: parts(f(*values), 2, what)[0]


def linear_trials() -> list[Trial]:
    """By sums of products, entry by entry"""
    trials = []
    for N, I, O in SHAPES:
        inputs = {"x": small(N, I), "W": small(I, O, start=2), "b": small(O, start=3)}
        trials.append(Trial(inputs, linear_sum(*inputs.values()), pair()))
    x, W, b = inputs.values()
    trials.append(
        Trial(
            {k: v.astype(np.float32) for k, v in inputs.items()},
            linear_sum(x, W, b),
            pair(),
            rtol=1e-5,
        )
    )
    dy = small(2, 4)
    trials.append(
        Trial(
            inputs,
            linear_gradients(dy, x, W, b),
            lambda f, functions, *v: functions("linear_backward")(dy, f(*v)[1]),
            text="linear's cache, passed to linear_backward",
        )
    )
    return trials


def linear_backward_trials(
    count: int = 3, name: str = "linear_backward"
) -> list[Trial]:
    """By exact differences. With count = 2, of linear_backward_params: without dx"""
    trials = []
    for N, I, O in SHAPES:
        inputs = {
            "dy": small(N, O),
            "x": small(N, I, start=2),
            "W": small(I, O, start=3),
        }
        b = small(O)
        expected = linear_gradients(inputs["dy"], inputs["x"], inputs["W"], b)[-count:]

        def call(f, functions, dy, x, W, b=b):
            return f(dy, functions("linear")(x, W, b)[1])

        def call_into(f, functions, dy, x, W, dW, db, b=b):
            f(dy, functions("linear")(x, W, b)[1], (dW, db))
            return dW, db

        trials.append(Trial(inputs, expected, call))
    single = {k: v.astype(np.float32) for k, v in inputs.items()}
    trials.append(
        Trial(
            single,
            expected,
            lambda f, functions, dy, x, W: f(
                dy, functions("linear")(x, W, b.astype(np.float32))[1]
            ),
            rtol=1e-5,
        )
    )
    trials.append(
        Trial(
            {**inputs, "dW": np.full((I, O), np.nan), "db": np.full(O, np.nan)},
            expected[-2:],
            call_into,
            text=f"what {name} writes into grads=(dW, db)",
            changes=("dW", "db"),
        )
    )
    return trials


def linear_backward_params_trials() -> list[Trial]:
    """As linear_backward_trials, without dx"""
    return linear_backward_trials(2, "linear_backward_params")


POINTS = np.array([[0.5, -2.0, 3.0], [-0.25, 0.0, 1.0]])
UPSTREAM = np.array([[2.0, 3.0, -5.0], [7.0, -1.0, 0.5]])


def relu_trials() -> list[Trial]:
    """By max(x, 0) of each number"""
    expected = np.array([[max(v, 0.0) for v in row] for row in POINTS.tolist()])
    return [
        Trial({"x": np.array([[2.0]])}, np.array([[2.0]]), pair()),
        Trial({"x": np.array([[-2.0]])}, np.array([[0.0]]), pair()),
        Trial({"x": POINTS}, expected, pair()),
        Trial({"x": POINTS.astype(np.float32)}, expected, pair(), rtol=1e-5),
        Trial(
            {"x": POINTS},
            np.where(POINTS > 0, UPSTREAM, 0),
            lambda f, functions, x: functions("relu_backward")(UPSTREAM, f(x)[1]),
            text="relu's cache, passed to relu_backward",
        ),
    ]


def relu_backward_trials() -> list[Trial]:
    """dy or 0, by the sign of each input; 0 at the kink"""
    expected = np.array(
        [
            [d if v > 0 else 0.0 for d, v in zip(*rows, strict=True)]
            for rows in zip(UPSTREAM.tolist(), POINTS.tolist(), strict=True)
        ]
    )
    return activation_backward_trials("relu", expected)


def tanh_backward_trials() -> list[Trial]:
    """dy/cosh² x, by `math`"""
    expected = np.array(
        [
            [d / math.cosh(v) ** 2 for d, v in zip(*rows, strict=True)]
            for rows in zip(UPSTREAM.tolist(), POINTS.tolist(), strict=True)
        ]
    )
    return activation_backward_trials("tanh", expected)


def activation_backward_trials(name: str, expected: np.ndarray) -> list[Trial]:
    """dx of dy, where the cache is that of the forward pass on x: one entry at a time, then all"""

    def call(f, functions, dy, x):
        return f(dy, functions(name)(x)[1])

    trials = [
        Trial(
            {"dy": UPSTREAM[i : i + 1, j : j + 1], "x": POINTS[i : i + 1, j : j + 1]},
            expected[i : i + 1, j : j + 1],
            call,
        )
        for i in range(2)
        for j in range(3)
    ]
    trials.append(Trial({"dy": UPSTREAM, "x": POINTS}, expected, call))
    trials.append(
        Trial(
            {"dy": UPSTREAM.astype(np.float32), "x": POINTS.astype(np.float32)},
            expected,
            call,
            rtol=1e-5,
        )
    )
    return trials
