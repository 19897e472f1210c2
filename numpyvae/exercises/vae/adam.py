"""Oracles for chapters 8 and 9: Adam in 50 decimal digits, and functions whose derivative has a closed form."""

from decimal import Decimal, localcontext

import numpy as np

from ..judge.verdict import Trial

GRADIENTS = [
    [1.0, -2.0, 1e-7],
    [0.5, -2.0, 3e-7],
    [-3.0, 1.0, 1e-7],
    [0.25, 4.0, -2e-7],
    [1.0, 0.5, 1e-7],
]
START = [0.5, -1.0, 2.0]
SETTINGS = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
OTHERS = {"lr": 0.1, "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-3}


def adam_reference(
    theta: list, gradients: list, lr: float, beta1: float, beta2: float, epsilon: float
) -> tuple:
    """theta, m, v after one step per gradient, in 50 digits, by (8.3) and (8.4) as the paper has them"""
    with localcontext() as context:
        context.prec = 50
        lr, beta1, beta2, epsilon = map(Decimal, (lr, beta1, beta2, epsilon))
        theta = [Decimal(v) for v in theta]
        m, v = [Decimal(0)] * len(theta), [Decimal(0)] * len(theta)
        for t, g in enumerate(gradients, 1):
            g = [Decimal(x) for x in g]
            m = [beta1 * a + (1 - beta1) * b for a, b in zip(m, g, strict=True)]
            v = [beta2 * a + (1 - beta2) * b * b for a, b in zip(v, g, strict=True)]
            theta = [
                p - lr * (a / (1 - beta1**t)) / ((b / (1 - beta2**t)).sqrt() + epsilon)
                for p, a, b in zip(theta, m, v, strict=True)
            ]
        return tuple(np.array([float(x) for x in array]) for array in (theta, m, v))


def adam_update_trials() -> list[Trial]:
    """In 50 digits: steps 1, 2 and 5"""
    trials = []
    for settings in (SETTINGS, OTHERS):
        for t in (1, 2, 5):
            before = adam_reference(START, GRADIENTS[: t - 1], **settings)
            g = np.array(GRADIENTS[t - 1])
            inputs = dict(
                theta=before[0], g=g, m=before[1], v=before[2], t=t, **settings
            )
            trials.append(
                Trial(
                    inputs, adam_reference(START, GRADIENTS[:t], **settings), rtol=1e-11
                )
            )
    return trials


def adam_step_trials() -> list[Trial]:
    """In 50 digits: after 1, 2 and 5 steps, and for one shard"""

    def walk(f, functions, theta, gradients, shards, settings):
        adam, theta = f(theta, **settings), theta.copy()
        for g in gradients:
            if shards is None:
                adam.step(theta, g)
            else:
                adam.step(theta, g, shards)
        return theta

    trials, start = [], np.array(START)
    for settings in (SETTINGS, OTHERS):
        for steps in (1, 2, 5):
            gradients = [np.array(g) for g in GRADIENTS[:steps]]
            trials.append(
                Trial(
                    {
                        "theta": start,
                        "gradients": gradients,
                        "shards": None,
                        "settings": settings,
                    },
                    adam_reference(START, GRADIENTS[:steps], **settings)[0],
                    walk,
                    rtol=1e-11,
                    text=f"theta = {START} after {steps} step{'s' * (steps > 1)}: g = {GRADIENTS[:steps]}, "
                    f"lr = {settings['lr']}, beta1 = {settings['beta1']}, beta2 = {settings['beta2']}, "
                    f"epsilon = {settings['epsilon']}",
                )
            )
    rest = np.array([START[0], *adam_reference(START, GRADIENTS, **SETTINGS)[0][1:]])
    trials.append(
        Trial(
            {
                "theta": start,
                "gradients": [np.array(g) for g in GRADIENTS],
                "shards": slice(1, 3),
                "settings": SETTINGS,
            },
            rest,
            walk,
            rtol=1e-11,
            text="five steps with shard=slice(1, 3): theta[0] is unchanged",
        )
    )
    return trials


# numerical gradients: of functions with a derivative in closed form


def gradient_trials(rtol: float, delicate: bool = False) -> list[Trial]:
    """Derivatives in closed form of x³ y and exp(x) y"""

    def call(f, functions, function, x, y):
        return f(function, {"x": x, "y": y}, "x")

    def cubic(inputs):
        return (inputs["x"] ** 3 * inputs["y"]).sum()

    def exponential(inputs):
        return (np.exp(inputs["x"]) * inputs["y"]).sum() + 0 * inputs["y"].sum()

    x, y = np.array([[0.5, -2.0], [1.0, 0.25]]), np.array([[1.0, 2.0], [-1.0, 0.5]])
    trials = []
    for shape in ((1, 1), (2, 2)):
        a, b = x[: shape[0], : shape[1]], y[: shape[0], : shape[1]]
        for words, function, derivative in (
            ("(x³ y).sum()", cubic, 3 * a**2 * b),
            ("(exp(x) y).sum()", exponential, np.exp(a) * b),
        ):
            trials.append(
                Trial(
                    {"f": function, "x": a, "y": b},
                    derivative,
                    call,
                    rtol=rtol,
                    atol=rtol / 10,
                    delicate=delicate,
                    text=f"the gradient of {words} in x = {a.tolist()}, y = {b.tolist()}",
                )
            )
    # Linear in each entry, so that any difference is exact; an entry that is not
    # restored shows in the next.
    pair = np.array([[1e-3, 1.0]])
    trials.append(
        Trial(
            {"f": lambda inputs: inputs["x"].prod(), "x": pair, "y": pair},
            pair[:, ::-1],
            call,
            rtol=rtol,
            delicate=delicate,
            text="the gradient of x₀ x₁ in x = [[0.001, 1.0]]",
        )
    )
    return trials


def complex_step_gradient_trials() -> list[Trial]:
    """To 14 digits, which a difference does not reach"""
    return gradient_trials(1e-14)


def central_difference_gradient_trials() -> list[Trial]:
    """To 4 digits; a one-sided difference does not reach 8, which is delicate"""
    return gradient_trials(1e-4) + gradient_trials(1e-8, delicate=True)
