"""Oracles for chapter 3, Bernoulli, and for means of exponentials: arithmetic in 50 decimal digits."""

import math
from decimal import Decimal, localcontext

import numpy as np

from ..calculus import in_float32
from ..judge.verdict import Trial


def digits(f, *values) -> float:
    """f of the values as exact Decimals, in 50 digits, rounded once"""
    with localcontext() as context:
        context.prec = 50
        context.Emin, context.Emax = -999999, 999999
        return float(f(*(Decimal(float(v)) for v in values)))


def each(f, *arrays) -> np.ndarray:
    """digits, of each entry"""
    return np.vectorize(lambda *v: digits(f, *v), otypes=[float])(*arrays)


def logistic(v: Decimal) -> Decimal:
    """1/(1 + exp(−l))"""
    return 1 / (1 + (-v).exp())


def pixel(x: Decimal, v: Decimal) -> Decimal:
    """x log sigmoid(l) + (1 − x) log(1 − sigmoid(l)), with 1 − sigmoid(l) = sigmoid(−l)"""
    return x * logistic(v).ln() + (1 - x) * logistic(-v).ln()


LOGITS = np.array([[0.0, 1.0, -2.0, 0.5], [3.0, -0.25, 7.0, -5.0]])
PIXELS = np.array([[1.0, 0.0, 0.25, 1.0], [0.75, 0.0, 1.0, 0.5]])


def elementwise(f, points: tuple, extremes: tuple, rtol: float = 1e-12) -> list[Trial]:
    """Trials of a function of one logit, from one number to arrays, then extremes"""
    trials = [
        Trial({"logits": np.array([v])}, each(f, np.array([v])), rtol=rtol)
        for v in points
    ]
    trials.append(Trial({"logits": LOGITS}, each(f, LOGITS), rtol=rtol))
    trials += in_float32(trials)
    return trials + [
        Trial({"logits": np.array([v])}, np.array([value]), rtol=rtol, delicate=True)
        for v, value in extremes
    ]


def sigmoid_trials() -> list[Trial]:
    """In 50 digits"""
    return elementwise(
        logistic,
        (0.0, 2.0, -1.0),
        ((800.0, 1.0), (-800.0, 0.0), (-30.0, digits(logistic, -30.0))),
    )


def softplus_trials() -> list[Trial]:
    """In 50 digits, as −log sigmoid(−l)"""

    def f(v):
        return -logistic(-v).ln()

    return elementwise(
        f,
        (0.0, 2.0, -1.0),
        (
            (800.0, 800.0),
            (-800.0, 0.0),
            (-30.0, digits(f, -30.0)),
            (40.0, digits(f, 40.0)),
        ),
    )


def log_prob_trials() -> list[Trial]:
    """In 50 digits, as the two terms of x and 1 − x; logits up to ±900"""

    def total(x, logits):
        return each(pixel, x, logits).sum(axis=-1)

    trials = [
        Trial({"x": np.array([[x]]), "logits": np.array([[v]])}, total([[x]], [[v]]))
        for x, v in [(1.0, 0.0), (1.0, 2.0), (0.0, 2.0), (0.25, -1.0)]
    ]
    trials.append(Trial({"x": PIXELS, "logits": LOGITS}, total(PIXELS, LOGITS)))
    samples = np.stack([LOGITS, 2 - LOGITS])  # (J, N, D) beside (N, D)
    trials.append(Trial({"x": PIXELS, "logits": samples}, total(PIXELS, samples)))
    trials += in_float32(trials)
    ones, big = np.ones((1, 2)), np.array([[900.0, 900.0]])
    trials.append(
        Trial({"x": ones, "logits": big}, np.array([0.0]), atol=1e-300, delicate=True)
    )
    trials.append(
        Trial({"x": 0 * ones, "logits": big}, np.array([-1800.0]), delicate=True)
    )
    trials.append(
        Trial(
            {"x": 0 * ones, "logits": -big}, np.array([0.0]), atol=1e-300, delicate=True
        )
    )
    faint = np.array([[-20.0]])
    trials.append(
        Trial(
            {"x": np.zeros((1, 1)), "logits": faint},
            total([[0.0]], faint),
            delicate=True,
        )
    )
    dark = {
        "x": np.zeros((1, 1), np.float32),
        "logits": np.full((1, 1), 20, np.float32),
    }
    trials.append(  # in float32, sigmoid(20) is 1
        Trial(dark, np.array([-20.0]), rtol=1e-6, delicate=True, reached=True)
    )
    many = np.full((1, 2048), 0.125)  # a product of 2,048 factors overflows
    trials.append(
        Trial(
            {"x": 0 * many, "logits": many},
            2048 * total([[0.0]], [[0.125]]),
            delicate=True,
            text="log_prob of 2,048 pixels x = 0, all logits 0.125",
        )
    )
    return trials


def log_prob_backward_trials() -> list[Trial]:
    """In 50 digits"""

    def value(dy, x, logits):
        return dy[..., None] * (x - each(logistic, logits))

    trials = [
        Trial(
            {"dy": np.array([d]), "x": np.array([[x]]), "logits": np.array([[v]])},
            value(np.array([d]), x, np.array([[v]])),
        )
        for d, x, v in [(1.0, 1.0, 0.0), (1.0, 0.0, 2.0), (-2.0, 0.25, -1.0)]
    ]
    dy = np.array([1.0, -3.0])
    trials.append(
        Trial({"dy": dy, "x": PIXELS, "logits": LOGITS}, value(dy, PIXELS, LOGITS))
    )
    trials += in_float32(trials)
    trials.append(
        Trial(
            {"dy": np.ones(1), "x": np.ones((1, 1)), "logits": np.array([[-900.0]])},
            np.array([[1.0]]),
            delicate=True,
        )
    )
    bright = {
        "dy": np.ones(1, np.float32),
        "x": np.zeros((1, 1), np.float32),
        "logits": np.full((1, 1), 20, np.float32),
    }
    trials.append(  # in float32, sigmoid(20) is 1, and 1 − sigmoid(20) is 0
        Trial(bright, np.array([[-1.0]]), rtol=1e-6, delicate=True, reached=True)
    )
    return trials


# means of exponentials


def log_mean_exp_trials() -> list[Trial]:
    """In 50 digits; with shifts by ±2000, and weights that are 0"""

    def value(*values):
        return digits(lambda *v: (sum(a.exp() for a in v) / len(v)).ln(), *values)

    a = np.array([[0.0, -3.0, 0.5], [2.0, -1.0, 1.0]])
    trials = [
        Trial({"a": np.array([1.5])}, 1.5),
        Trial({"a": np.array([0.0, 2.0])}, value(0.0, 2.0)),
        Trial({"a": a}, np.array([value(*column) for column in a.T])),
        Trial({"a": a, "axis": 1}, np.array([value(*row) for row in a])),
    ]
    trials += [Trial({"a": a.astype(np.float32)}, trials[2].expected, rtol=1e-5)]
    trials.append(
        Trial(
            {"a": np.array([-2000.0, -2001.0])},
            value(-2000.0, -2001.0),
            delicate=True,
            reached=True,
        )
    )
    trials.append(
        Trial({"a": np.array([-2000.0, 0.0])}, value(-2000.0, 0.0), delicate=True)
    )
    trials.append(
        Trial({"a": np.array([2000.0, 1999.0])}, value(2000.0, 1999.0), delicate=True)
    )
    trials.append(Trial({"a": np.array([-np.inf, 0.0])}, math.log(0.5), delicate=True))
    trials.append(Trial({"a": np.array([-np.inf, -np.inf])}, -np.inf, delicate=True))
    return trials


def normalized_weights_trials() -> list[Trial]:
    """In 50 digits; with shifts by ±2000"""

    def value(log_w):
        columns = [
            [
                digits(lambda *v, k=k: v[k].exp() / sum(a.exp() for a in v), *column)
                for k in range(len(column))
            ]
            for column in np.asarray(log_w).T
        ]
        return np.array(columns).T

    log_w = np.array([[0.0, -3.0, 0.5], [2.0, -1.0, 1.0]])
    trials = [
        Trial({"log_w": np.array(w)}, value(w))
        for w in ([[0.5]], [[0.0], [1.0]], log_w, [[1.0, 0.5], [0.0, -0.25]])
    ]
    trials.append(Trial({"log_w": log_w.astype(np.float32)}, value(log_w), rtol=1e-5))
    apart = np.array(
        [[0.0, -2000.0], [1.0, -2001.0]]
    )  # a maximum of both images, not of each, makes the second 0/0
    trials.append(Trial({"log_w": apart}, value(apart), delicate=True, reached=True))
    trials.append(
        Trial(
            {"log_w": np.array([[-2000.0], [0.0]])},
            value([[-2000.0], [0.0]]),
            delicate=True,
        )
    )
    for shift in (-2000.0, 2000.0):
        trials.append(Trial({"log_w": log_w + shift}, value(log_w), delicate=True))
    return trials
