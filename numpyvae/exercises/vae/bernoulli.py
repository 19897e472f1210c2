"""Chapter 3, Bernoulli: oracles and known errors.

The oracles are arithmetic in 50 decimal digits.
"""

import math
from decimal import Decimal, localcontext

import numpy as np

from ...vae.bernoulli import log_prob, sigmoid, softplus
from ..calculus import in_float32
from ..judge.known_errors import errors_of
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
    """x log sigmoid(l) + (1 − x) log sigmoid(−l)"""
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
    far = np.array([-20.0])  # a clipped probability shows here; lost digits do not
    trials.append(Trial({"logits": far}, each(f, far), rtol=1e-3))
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
        for x, v in [(1.0, 0.0), (1.0, 2.0), (0.0, 2.0), (0.25, -1.0), (1.0, -20.0)]
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


# Known errors


def clipped(v):
    """sigmoid, kept away from 0 and 1 by 1e-7"""
    return np.clip(sigmoid(v), 1e-7, 1 - 1e-7)


def cross_entropy_of(p):
    """log_prob by the two terms of x and 1 − x, with p(logits) for the probability"""
    return lambda x, v: (x * np.log(p(v)) + (1 - x) * np.log(1 - p(v))).sum(axis=-1)


def gradient_of(term):
    """log_prob_backward with term(x, p, l) in the place of x − p, p = sigmoid(l)"""
    return lambda dy, x, v: dy[..., None] * term(x, sigmoid(v), v)


CLIPPED = "p is clipped to [1e-7, 1 − 1e-7]: "
ERRORS = [
    *errors_of(
        "sigmoid",
        {
            "this is sigmoid(−l): the sign in the exponential is missing": lambda v: (
                1 / (1 + np.exp(v))
            ),
            "correct on paper, but exp(l)/(1 + exp(l)) is inf/inf for a large l": (
                lambda v: np.exp(v) / (1 + np.exp(v))
            ),
            "this is exp(l)/(1 + exp(−l)): one of the two exponentials has the wrong "
            "sign": lambda v: np.exp(v) / (1 + np.exp(-v)),
            "this is 1/(1 − exp(−l)): the sign of the exponential": lambda v: (
                1 / (1 - np.exp(-v))
            ),
            "this is tanh(l): from −1 to 1; it must be from 0 to 1": np.tanh,
            "this is ½ (1 + tanh(l)): tanh must have l/2": lambda v: sigmoid(2 * v),
            "this is p (1 − p): the derivative of the sigmoid": lambda v: (
                sigmoid(v) * sigmoid(-v)
            ),
            CLIPPED + "use the formula as it is": clipped,
        },
    ),
    *errors_of(
        "softplus",
        {
            "correct on paper, but exp(l) overflows, and 1 + exp(l) loses a small "
            "exp(l): use max(l, 0) and np.log1p": lambda v: np.log(1 + np.exp(v)),
            "correct on paper, but exp(l) overflows: use max(l, 0) + log(1 + exp(−|l|))": (
                lambda v: np.log1p(np.exp(v))
            ),
            "this is log(1 + exp(−l)): the sign of l": lambda v: softplus(-v),
            "this is max(l, 0): relu": lambda v: np.maximum(v, 0),
            "this is log(1 + exp(−|l|)): max(l, 0) is missing": lambda v: softplus(
                -abs(v)
            ),
            "this has min(l, 0); it must be max(l, 0)": lambda v: (
                np.minimum(v, 0) + softplus(-abs(v))
            ),
            "this has exp(|l|); it must be exp(−|l|)": lambda v: (
                np.maximum(v, 0) + softplus(abs(v))
            ),
            "this has l in the place of max(l, 0)": lambda v: v + softplus(-abs(v)),
            "this is max(l, 0) + log(1 + exp(−l)): |l| is missing": lambda v: (
                np.maximum(v, 0) + softplus(-v)
            ),
            "this is sigmoid(l): the derivative of softplus": sigmoid,
            "this is l: the 1 + is missing in the logarithm": lambda v: 1 * v,
            "this is log₂(1 + exp(l)); nats are natural logarithms": lambda v: (
                softplus(v) / math.log(2)
            ),
        },
    ),
    *errors_of(
        "log_prob",
        {
            "this is a mean over the pixels; it must be a sum": (
                lambda x, v: (x * v - softplus(v)).mean(axis=-1),
                "Keras, VAE example, pull request 3383",
            ),
            "this is summed over the images as well": lambda x, v: log_prob(x, v).sum(),
            "this is summed over the images; it must be summed over the pixels": (
                lambda x, v: (x * v - softplus(v)).sum(axis=-2)
            ),
            "x and 1 − x are exchanged": lambda x, v: log_prob(1 - x, v),
            "only x log sigmoid(l): the term of 1 − x is missing": lambda x, v: (
                -(x * softplus(-v)).sum(axis=-1)
            ),
            "only (1 − x) log(1 − sigmoid(l)): the term of x is missing": (
                lambda x, v: ((x - 1) * softplus(v)).sum(axis=-1)
            ),
            "this is Σ x l: softplus(l) is missing": lambda x, v: (x * v).sum(axis=-1),
            "this is Σ (x l + softplus(l)): the sign of softplus": lambda x, v: (
                x * v + softplus(v)
            ).sum(axis=-1),
            "this has softplus(−l); it must be softplus(l)": lambda x, v: (
                x * v - softplus(-v)
            ).sum(axis=-1),
            "the logits have passed a sigmoid before: it is applied twice": (
                lambda x, v: log_prob(x, sigmoid(v))
            ),
            "the squared error −½ Σ (x − sigmoid(l))²: a normal density's, without its "
            "constant": lambda x, v: -0.5 * ((x - sigmoid(v)) ** 2).sum(axis=-1),
            "the squared error −½ Σ (x − l)²: a normal density's, without its "
            "constant": lambda x, v: -0.5 * ((x - v) ** 2).sum(axis=-1),
            "correct on paper, but log(sigmoid(l)) is log 0 for a large |l|: use "
            "logits": cross_entropy_of(sigmoid),
            CLIPPED + "far logits all get the same log p": cross_entropy_of(clipped),
            "the term of 1 − x is subtracted; it must be added": lambda x, v: (
                (1 - x) * softplus(v) - x * softplus(-v)
            ).sum(axis=-1),
            "1e-7 is added inside the logarithms": lambda x, v: (
                x * np.log(sigmoid(v) + 1e-7) + (1 - x) * np.log(sigmoid(-v) + 1e-7)
            ).sum(axis=-1),
            "1e-8 is added inside the logarithms": lambda x, v: (
                x * np.log(sigmoid(v) + 1e-8) + (1 - x) * np.log(sigmoid(-v) + 1e-8)
            ).sum(axis=-1),
            "this is in bits, with log₂; nats are natural logarithms": lambda x, v: (
                log_prob(x, v) / math.log(2)
            ),
        },
    ),
    *errors_of(
        "log_prob_backward",
        {
            "the sign is turned: sigmoid(l) − x": gradient_of(lambda x, p, v: p - x),
            "this is dy (x − l): the sigmoid is missing": gradient_of(
                lambda x, p, v: x - v
            ),
            "this is dy (x − softplus(l)): softplus is not differentiated": gradient_of(
                lambda x, p, v: x - softplus(v)
            ),
            "this is dy (x − tanh(l))": gradient_of(lambda x, p, v: x - np.tanh(v)),
            "a factor sigmoid(l) (1 − sigmoid(l)) too many, as after a sigmoid layer": (
                gradient_of(lambda x, p, v: (x - p) * p * (1 - p))
            ),
            "x/p − (1 − x)/(1 − p): the gradient in the probability; it must be that in "
            "the logit": gradient_of(lambda x, p, v: x / p - (1 - x) / (1 - p)),
            "x (1 − p): the term of 1 − x is missing": gradient_of(
                lambda x, p, v: x * (1 - p)
            ),
            "this is dy x: the gradient of softplus is missing": gradient_of(
                lambda x, p, v: x + 0 * p
            ),
            "this is dy (x + sigmoid(l)): the sign of softplus": gradient_of(
                lambda x, p, v: x + p
            ),
        },
    ),
]
