"""Chapter 8, Adam: oracles and known errors.

The oracle is Algorithm 1 in 50 decimal digits.
"""

from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from ...vae.adam import adam_update
from ..judge.known_errors import errors_of
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
    """theta, m, v after one step per gradient, in 50 digits

    By (8.3) and (8.4), as the paper has them.
    """
    with localcontext() as context:
        context.prec = 50
        rate, b1, b2, tiny = map(Decimal, (lr, beta1, beta2, epsilon))
        theta = [Decimal(v) for v in theta]
        m, v = [Decimal(0)] * len(theta), [Decimal(0)] * len(theta)
        for t, g in enumerate(gradients, 1):
            g = [Decimal(x) for x in g]
            m = [b1 * a + (1 - b1) * b for a, b in zip(m, g, strict=True)]
            v = [b2 * a + (1 - b2) * b * b for a, b in zip(v, g, strict=True)]
            theta = [
                p - rate * (a / (1 - b1**t)) / ((b / (1 - b2**t)).sqrt() + tiny)
                for p, a, b in zip(theta, m, v, strict=True)
            ]
        return tuple(np.array([float(x) for x in array]) for array in (theta, m, v))


def adam_update_trials() -> list[Trial]:
    """In 50 digits: steps 1, 2 and 5"""
    trials = []
    for settings in (SETTINGS, OTHERS):
        for t in (1, 2, 5):
            theta, m, v = adam_reference(START, GRADIENTS[: t - 1], **settings)
            g = np.array(GRADIENTS[t - 1])
            inputs = {"theta": theta, "g": g, "m": m, "v": v, "t": t, **settings}
            expected = adam_reference(START, GRADIENTS[:t], **settings)
            trials.append(Trial(inputs, expected, rtol=1e-11))
    return trials


def adam_step_trials() -> list[Trial]:
    """In 50 digits: after 1, 2 and 5 steps, for a shard, with another lr from step 2"""

    def walk(f, functions, theta, gradients, settings, shard, second_lr):
        adam, theta = f(theta, **settings), theta.copy()
        for g in gradients:
            if shard is None:
                adam.step(theta, g)
            else:
                adam.step(theta, g, shard)
            adam.lr = second_lr
        return theta, adam.t

    def trial(settings, steps, words, expected=None, shard=None, second_lr=None):
        if expected is None:
            expected = adam_reference(START, GRADIENTS[:steps], **settings)[0]
        inputs = {
            "theta": np.array(START),
            "gradients": [np.array(g) for g in GRADIENTS[:steps]],
            "settings": settings,
            "shard": shard,
            "second_lr": settings["lr"] if second_lr is None else second_lr,
        }
        return Trial(inputs, (expected, steps), walk, rtol=1e-11, text=words)

    trials = []
    for settings in (SETTINGS, OTHERS):
        for steps in (1, 2, 5):
            options = ", ".join(f"{name} = {value}" for name, value in settings.items())
            words = (
                f"theta = {START} and adam.t after {steps} step{'s' * (steps > 1)}: "
                f"g = {GRADIENTS[:steps]}, {options}"
            )
            trials.append(trial(settings, steps, words))
    rest = np.array([START[0], *adam_reference(START, GRADIENTS, **SETTINGS)[0][1:]])
    trials.append(
        trial(
            SETTINGS,
            5,
            "five steps with shard=slice(1, 3), g whole: theta[0] is unchanged",
            rest,
            slice(1, 3),
        )
    )
    # theta changes by lr times something: the second step, ten times as long
    one, two = (adam_reference(START, GRADIENTS[:n], **SETTINGS)[0] for n in (1, 2))
    longer = one + 10 * (two - one)
    words = "two steps, with adam.lr = 0.1 after the first"
    trials.append(trial(SETTINGS, 2, words, longer, second_lr=0.1)._replace(rtol=1e-9))
    return trials


# Known errors


def update_with(
    m=lambda m, g, b: b * m + (1 - b) * g,
    v=lambda v, g, b: b * v + (1 - b) * g**2,
    m_hat=lambda m, b, t: m / (1 - b**t),
    v_hat=lambda v, b, t: v / (1 - b**t),
    step=lambda m, v, g, epsilon: m / (np.sqrt(v) + epsilon),
    returned=lambda m, v, m_hat, v_hat: (m, v),
):
    """adam_update with another part; the step's m and v are m̂ and v̂"""

    def update(
        theta, g, moment1, moment2, t, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8
    ):
        new_m, new_v = m(moment1, g, beta1), v(moment2, g, beta2)
        hats = m_hat(new_m, beta1, t), v_hat(new_v, beta2, t)
        theta = theta - lr * step(*hats, g, epsilon)
        return (theta, *returned(new_m, new_v, *hats))

    return update


def unscaled_epsilon(theta, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """The corrections are folded into the learning rate; epsilon stays as it is."""
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
    return theta - rate * m / (np.sqrt(v) + epsilon), m, v


def betas_exchanged(theta, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """adam_update with beta2 for m and beta1 for v"""
    return adam_update(theta, g, m, v, t, lr, beta2, beta1, epsilon)


def of_deviations(theta, g, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """adam_update where v averages (g − m)²"""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g - m) ** 2
    step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    return theta - lr * step, m, v


def decayed(theta, g, m, v, t, lr=1e-3, *settings):
    """adam_update with lr/√t"""
    return adam_update(theta, g, m, v, t, lr / t**0.5, *settings)


def late(theta, g, m, v, t, *settings):
    """adam_update that counts one step too many"""
    return adam_update(theta, g, m, v, t + 1, *settings)


def early(theta, g, m, v, t, *settings):
    """adam_update that counts one step too few; the first divides by 0"""
    last: Any = np.float64(t - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return adam_update(theta, g, m, v, last, *settings)


def as_it_is(moment, beta, t):
    """No correction"""
    return moment


def first_step(moment, beta, t):
    """The correction of step 1"""
    return moment / (1 - beta)


UPDATE_ERRORS = {
    "no bias correction: the first steps have the wrong size": (
        update_with(m_hat=as_it_is, v_hat=as_it_is),
        "google-research/bert, issue 153",
    ),
    "m is not corrected": update_with(m_hat=as_it_is),
    "v is not corrected": update_with(v_hat=as_it_is),
    "both corrections have beta, not betaᵗ: right in step 1 only": update_with(
        m_hat=first_step, v_hat=first_step
    ),
    "the correction of m has beta1, not beta1ᵗ: right in step 1 only": update_with(
        m_hat=first_step
    ),
    "the correction of v has beta2, not beta2ᵗ: right in step 1 only": update_with(
        v_hat=first_step
    ),
    "the corrections have t + 1; the first step is t = 1": late,
    "the corrections have t − 1; the first step is t = 1": early,
    "v is corrected outside the root: √v/(1 − beta2ᵗ)": update_with(
        v_hat=lambda v, b, t: v / (1 - b**t) ** 2
    ),
    "the corrections multiply by 1 − betaᵗ; they must divide": update_with(
        m_hat=lambda m, b, t: m * (1 - b**t), v_hat=lambda v, b, t: v * (1 - b**t)
    ),
    "beta1 and beta2 are exchanged": betas_exchanged,
    "beta and 1 − beta are exchanged": update_with(
        lambda m, g, b: (1 - b) * m + b * g, lambda v, g, b: (1 - b) * v + b * g**2
    ),
    "m is beta1 m + g: the factor 1 − beta1 is missing": update_with(
        lambda m, g, b: b * m + g
    ),
    "v is beta2 v + g²: the factor 1 − beta2 is missing": update_with(
        v=lambda v, g, b: b * v + g**2
    ),
    "epsilon is under the root": update_with(
        step=lambda m, v, g, epsilon: m / np.sqrt(v + epsilon)
    ),
    "epsilon is not scaled where the corrections are folded into the learning rate": (
        unscaled_epsilon
    ),
    "epsilon is missing": update_with(step=lambda m, v, g, epsilon: m / np.sqrt(v)),
    "the root of v̂ is missing": update_with(
        step=lambda m, v, g, epsilon: m / (v + epsilon)
    ),
    "this is momentum: the division by √v̂ is missing": update_with(
        step=lambda m, v, g, epsilon: m
    ),
    "theta grows along the gradient: the sign is turned": update_with(
        step=lambda m, v, g, epsilon: -m / (np.sqrt(v) + epsilon)
    ),
    "v averages g, not g²": update_with(v=lambda v, g, b: b * v + (1 - b) * abs(g)),
    "v averages (g − m)², a variance; it must average g²": of_deviations,
    "v never falls, as in AMSGrad": update_with(
        v=lambda v, g, b: np.maximum(v, b * v + (1 - b) * g**2)
    ),
    "v is the sum of all g²: this is AdaGrad's": update_with(
        v=lambda v, g, b: v + g**2, v_hat=as_it_is
    ),
    "v is one mean over all entries; each entry has its own": update_with(
        v=lambda v, g, b: b * v + (1 - b) * np.full_like(g, (g**2).mean())
    ),
    "the gradient itself is in the place of m̂": update_with(
        step=lambda m, v, g, epsilon: g / (np.sqrt(v) + epsilon)
    ),
    "the learning rate falls as 1/√t": decayed,
}


def stepping(update) -> Any:
    """A class like Adam, whose step is a wrong adam_update"""

    class Wrong:
        def __init__(self, theta, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
            self.first_lr = self.lr = lr
            self.settings = beta1, beta2, epsilon
            self.t, self.m, self.v = 0, np.zeros_like(theta), np.zeros_like(theta)

        def step(self, theta, g, shard=slice(None)):
            self.t += 1
            new, self.m, self.v = update(
                theta, g, self.m, self.v, self.t, self.lr, *self.settings
            )
            theta[shard] = new[shard]

    return Wrong


Right: Any = stepping(adam_update)


class FirstRate(Right):
    """The learning rate is read once."""

    def step(self, theta, g, shard=slice(None)):
        self.lr = self.first_lr
        super().step(theta, g, shard)


class WholeVector(Right):
    """The shard is ignored."""

    def step(self, theta, g, shard=slice(None)):
        super().step(theta, g)


class NotInPlace(Right):
    """A new vector is made, and lost."""

    def step(self, theta, g, shard=slice(None)):
        super().step(theta.copy(), g, shard)


class Forgetful(Right):
    """m and v start from 0 in every step."""

    def step(self, theta, g, shard=slice(None)):
        self.m, self.v = np.zeros_like(theta), np.zeros_like(theta)
        super().step(theta, g, shard)


class Uncounted(Right):
    """t counts elsewhere."""

    count = 0

    def step(self, theta, g, shard=slice(None)):
        self.t = self.count
        super().step(theta, g, shard)
        self.count, self.t = self.t, 0


def step_error(wrong):
    """A wrong adam_update, or the pair with its publication, as a wrong Adam"""
    if isinstance(wrong, tuple):
        return stepping(wrong[0]), wrong[1]
    return stepping(wrong)


ERRORS = [
    *errors_of(
        "adam_update",
        {
            **UPDATE_ERRORS,
            "m̂ and v̂ are returned in the place of m and v, to be corrected again in "
            "the next step": update_with(
                returned=lambda m, v, m_hat, v_hat: (m_hat, v_hat)
            ),
        },
    ),
    *errors_of(
        "Adam.step",
        {
            **{words: step_error(wrong) for words, wrong in UPDATE_ERRORS.items()},
            "self.t stays 0: a checkpoint would not know the step": Uncounted,
            "a later change of adam.lr has no effect": FirstRate,
            "the shard is ignored: all of theta is updated": WholeVector,
            "theta is not updated in place: a new array is made, and lost": NotInPlace,
            "m and v are not kept from step to step": Forgetful,
        },
    ),
]
