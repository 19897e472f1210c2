"""Chapter 1, layers: oracles and known errors.

The oracles are sums written out, derivatives as exact differences, hyperbolic functions
of `math`.
"""

import itertools
import math

import numpy as np

from ..judge.known_errors import errors_of
from ..judge.verdict import Trial, parts

# N, I, O; a square one, where a transpose that is missing has the right shape
SHAPES = [(1, 1, 1), (2, 2, 2), (2, 3, 4)]


def small(*shape: int, start: int = 1) -> np.ndarray:
    """Distinct dyadic numbers of both signs: their products and sums are exact."""
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
    """The gradients of the loss Σ y dy, which is linear in each argument

    A derivative is the increase when an entry grows by 1, exactly.
    """

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


def linear_backward_trials(count: int = 3) -> list[Trial]:
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
    return trials


def linear_backward_params_trials() -> list[Trial]:
    """As linear_backward_trials, without dx"""
    return linear_backward_trials(2)


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
    """dx of dy, with the cache of the forward pass on x: entry by entry, then all"""

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


# Known errors


def write(grads: tuple, gradients: tuple) -> None:
    """Copy gradients into the destinations that are given."""
    for destination, gradient in zip(grads, gradients, strict=True):
        if destination is not None:
            destination[...] = gradient


def params_with(dW=None, db=None):
    """linear_backward_params with a wrong dW(dy, x, W), or db(dy, x, W), or both"""

    def backward(dy, cache, grads=(None, None)):
        x, W = cache
        gradients = (
            x.T @ dy if dW is None else dW(dy, x, W),
            dy.sum(axis=0) if db is None else db(dy, x, W),
        )
        write(grads, gradients)
        return gradients

    return backward


def with_dx(params, dx=lambda dy, x, W: dy @ W.T):
    """linear_backward of a linear_backward_params, and of a dx(dy, x, W)"""
    return lambda dy, cache, grads=(None, None): (
        dx(dy, *cache),
        *params(dy, cache, grads),
    )


def twice(y):
    """An activation's output, which is its cache as well"""
    return y, y


PARAMS_ERRORS = {
    "dW is x dy: the transpose of x is missing": params_with(lambda dy, x, W: x @ dy),
    "db is summed over the outputs; it must be summed over the images": params_with(
        db=lambda dy, x, W: dy.sum(axis=1)
    ),
    "dW is Σ x Σ dy, a product of sums; it must be a sum of products": params_with(
        lambda dy, x, W: np.outer(x.sum(axis=0), dy.sum(axis=0))
    ),
    "dW has W in the place of x": params_with(lambda dy, x, W: W @ dy.T @ dy),
    "db has the last image only": params_with(db=lambda dy, x, W: dy[-1]),
    "db is added to every row of dW": params_with(
        lambda dy, x, W: x.T @ dy + dy.sum(axis=0)
    ),
}
RIGHT_PARAMS = params_with()
ERRORS = [
    *errors_of(
        "linear",
        {
            "this is x W: the bias is missing": lambda x, W, b: (x @ W, (x, W)),
            "this is x Wᵀ + b: the weight is transposed": lambda x, W, b: (
                x @ W.T + b,
                (x, W),
            ),
            "the bias is subtracted": lambda x, W, b: (x @ W - b, (x, W)),
            "this is x (W + b): the bias is inside the product": lambda x, W, b: (
                x @ (W + b),
                (x, W),
            ),
            "every output has the sum of the biases": lambda x, W, b: (
                x @ W + b.sum(),
                (x, W),
            ),
            "the cache is (W, x): exchanged": lambda x, W, b: (x @ W + b, (W, x)),
            "the cache has the output y in the place of x": lambda x, W, b: (
                x @ W + b,
                (x @ W + b, W),
            ),
        },
    ),
    *errors_of(
        "relu",
        {
            "this is |x|: negative inputs change their sign instead of becoming 0": (
                lambda x: twice(abs(x))
            ),
            "this is leaky: negative inputs are scaled by 0.01 instead of becoming 0": (
                lambda x: twice(np.where(x > 0, x, 0.01 * x))
            ),
            "this is min(x, 0): positive inputs become 0": lambda x: twice(
                np.minimum(x, 0)
            ),
            "this is x: negative inputs do not become 0": lambda x: twice(1 * x),
            "this is the mask, 1 where x > 0; it must be x there": lambda x: twice(
                1.0 * (x > 0)
            ),
            "this is max(x, 1)": lambda x: twice(np.maximum(x, 1)),
            "this is softplus, log(1 + exp(x))": lambda x: twice(np.logaddexp(0, x)),
            "the cache is x > 0 turned around: the mask of negative inputs": lambda x: (
                np.maximum(x, 0),
                x <= 0,
            ),
        },
    ),
    *errors_of(
        "relu_backward",
        {
            "this is dy: the gradient is not 0 where the input was negative": (
                lambda dy, y: dy * np.ones_like(y)
            ),
            "the mask is dy > 0, the sign of the gradient; it must be y > 0": (
                lambda dy, y: dy * (dy > 0)
            ),
            "this is dy y: the output itself in the place of the mask": (
                lambda dy, y: dy * y
            ),
            "this is the mask alone: dy is missing": lambda dy, y: 1.0 * (y > 0),
            "the mask is turned around: 0 where the input was positive": (
                lambda dy, y: dy * (y <= 0)
            ),
            "this is leaky: 0.01 dy where the input was negative": lambda dy, y: (
                np.where(y > 0, dy, 0.01 * dy)
            ),
            "where the input was negative this is 1; it must be 0": lambda dy, y: (
                np.where(y > 0, dy, 1)
            ),
        },
    ),
    *errors_of(
        "tanh_backward",
        {
            "this is dy (1 − y): the square is missing": lambda dy, y: dy * (1 - y),
            "this is dy (1 − tanh² y): y is tanh x already": lambda dy, y: (
                dy * (1 - np.tanh(y) ** 2)
            ),
            "this is dy y (1 − y): the derivative of the sigmoid": lambda dy, y: (
                dy * y * (1 - y)
            ),
            "this is 1 − y²: dy is missing": lambda dy, y: 1 - y**2,
            "this is dy (1 + y²): the sign of y²": lambda dy, y: dy * (1 + y**2),
            "this is dy/(1 − y²): divided; it must be multiplied": lambda dy, y: (
                dy / (1 - y**2)
            ),
            "this is dy y²: 1 − is missing": lambda dy, y: dy * y**2,
            "this is 1 − y² dy: the parentheses are missing": lambda dy, y: (
                1 - y**2 * dy
            ),
            "this is dy − y²: the parentheses are missing": lambda dy, y: dy - y**2,
            "this is dy (1 − dy²): the gradient is squared; it must be y": (
                lambda dy, y: dy * (1 - dy**2)
            ),
            "this is dy where y > 0: the derivative of relu": lambda dy, y: (
                dy * (y > 0)
            ),
        },
    ),
    *errors_of("linear_backward_params", PARAMS_ERRORS),
    *errors_of(
        "linear_backward",
        {
            "dx is dy W: the transpose of the weight is missing": with_dx(
                RIGHT_PARAMS, lambda dy, x, W: dy @ W
            ),
            "dx is multiplied by x": with_dx(
                RIGHT_PARAMS, lambda dy, x, W: dy @ W.T * x
            ),
            "dx is summed over the images; every image has its own": with_dx(
                RIGHT_PARAMS,
                lambda dy, x, W: np.broadcast_to((dy @ W.T).sum(axis=0), x.shape),
            ),
            **{words: with_dx(params) for words, params in PARAMS_ERRORS.items()},
        },
    ),
]
