"""Known errors in book one's Adam and numerical gradients."""

import numpy as np

from .known_errors import KnownError

BERT = "google-research/bert, issue 153"
EPSILON_ROOT = "theta = theta - lr * m_hat / np.sqrt(v_hat + epsilon)"


def _edit(name, words, *edits):
    return KnownError(name, words, edits=edits)


def _adam(name, words, m_hat="m / (1 - beta1**t)", v_hat="v / (1 - beta2**t)", update=None, published="", **lines):
    """An edit of adam_update's lines"""
    new = dict(m="m = beta1 * m + (1 - beta1) * g", v="v = beta2 * v + (1 - beta2) * g**2", m_hat=f"m_hat = {m_hat}",
               v_hat=f"v_hat = {v_hat}", theta=update or "theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)")
    new.update(lines)
    old = dict(m="m = beta1 * m + (1 - beta1) * g", v="v = beta2 * v + (1 - beta2) * g**2",
               m_hat="m_hat = m / (1 - beta1**t)",
               v_hat="v_hat = v / (1 - beta2**t)", theta="theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)")
    return KnownError(name, words, edits=tuple((old[key], new[key]) for key in old if old[key] != new[key]),
                      published=published)


def _plain_adam(update):
    """A class like Adam, whose step is update(self, g), the change of theta, on m and v of Algorithm 1"""
    class Plain:
        def __init__(self, theta, lr=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
            self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
            self.t, self.m, self.v = 0, np.zeros_like(theta), np.zeros_like(theta)

        def step(self, theta, g, shard=slice(None)):
            self.t += 1
            self.m = self.beta1 * self.m + (1 - self.beta1) * g
            self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
            theta[shard] -= update(self)[shard]

    return Plain


def _corrected(a):
    return a.m / (1 - a.beta1**a.t), a.v / (1 - a.beta2**a.t)


def _one_sided(f, inputs, name, h=1e-6):
    """A one-sided difference"""
    inputs = {key: np.array(value, float) for key, value in inputs.items()}
    x, base = inputs[name], f(inputs)
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x[i] += h
        gradient[i] = (f(inputs) - base) / h
        x[i] -= h
    return gradient


def _central(f, inputs, name, h, over, restore=True):
    inputs = {key: np.array(value, float) for key, value in inputs.items()}
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + h
        above = f(inputs)
        x[i] = old - h
        gradient[i] = (above - f(inputs)) / (over * h)
        x[i] = old if restore else old + h
    return gradient


ERRORS = [
    _adam("adam_update", "no bias correction: the first steps have the wrong size",
          m_hat="m", v_hat="v", published=BERT),
    _adam("adam_update", "m is not corrected", m_hat="m"),
    _adam("adam_update", "v is not corrected", v_hat="v"),
    _adam("adam_update", "both corrections have beta, not betaᵗ: right in step 1 only",
          m_hat="m / (1 - beta1)", v_hat="v / (1 - beta2)"),
    _adam("adam_update", "the correction of m has beta1, not beta1ᵗ: right in step 1 only", m_hat="m / (1 - beta1)"),
    _adam("adam_update", "the correction of v has beta2, not beta2ᵗ: right in step 1 only", v_hat="v / (1 - beta2)"),
    _adam("adam_update", "beta1 and beta2 are exchanged",
          m="m = beta2 * m + (1 - beta2) * g", v="v = beta1 * v + (1 - beta1) * g**2",
          m_hat="m / (1 - beta2**t)", v_hat="v / (1 - beta1**t)"),
    _adam("adam_update", "epsilon is under the root", update=EPSILON_ROOT),
    _adam("adam_update", "the root of v̂ is missing", update="theta = theta - lr * m_hat / (v_hat + epsilon)"),
    _adam("adam_update", "theta grows along the gradient: the sign is turned",
          update="theta = theta + lr * m_hat / (np.sqrt(v_hat) + epsilon)"),
    _adam("adam_update", "v averages g, not g²", v="v = beta2 * v + (1 - beta2) * abs(g)"),
    _adam("adam_update", "the gradient itself is in the place of m̂",
          update="theta = theta - lr * g / (np.sqrt(v_hat) + epsilon)"),
    KnownError("Adam.step", "no bias correction: the first steps have the wrong size", published=BERT,
               function=_plain_adam(lambda a: a.lr * a.m / (np.sqrt(a.v) + a.epsilon))),
    KnownError("Adam.step", "m is not corrected",
               function=_plain_adam(lambda a: a.lr * a.m / (np.sqrt(_corrected(a)[1]) + a.epsilon))),
    KnownError("Adam.step", "v is not corrected",
               function=_plain_adam(lambda a: a.lr * _corrected(a)[0] / (np.sqrt(a.v) + a.epsilon))),
    KnownError("Adam.step", "both corrections have beta, not betaᵗ: right in step 1 only", function=_plain_adam(
        lambda a: a.lr * a.m / (1 - a.beta1) / (np.sqrt(a.v / (1 - a.beta2)) + a.epsilon))),
    KnownError("Adam.step", "epsilon is under the root", function=_plain_adam(
        lambda a: a.lr * _corrected(a)[0] / np.sqrt(_corrected(a)[1] + a.epsilon))),
    KnownError("Adam.step", "epsilon is not scaled where the corrections are folded into the learning rate",
               function=_plain_adam(lambda a: a.lr * np.sqrt(1 - a.beta2**a.t) / (1 - a.beta1**a.t)
                                    * a.m / (np.sqrt(a.v) + a.epsilon))),
    KnownError("Adam.step", "the root of v̂ is missing", function=_plain_adam(
        lambda a: a.lr * _corrected(a)[0] / (_corrected(a)[1] + a.epsilon))),
    KnownError("Adam.step", "theta grows along the gradient: the sign is turned", function=_plain_adam(
        lambda a: -a.lr * _corrected(a)[0] / (np.sqrt(_corrected(a)[1]) + a.epsilon))),
    KnownError("central_difference_gradient", "this is divided by h; it must be 2h",
               lambda f, inputs, name, h=1e-5: _central(
        f, inputs, name, h, 1)),
    KnownError("central_difference_gradient", "this is one-sided, (f(x + h) − f(x))/h: its error falls as h, not as h²",
               _one_sided),
    KnownError("central_difference_gradient", "the entry is not restored before the next: errors add up",
               lambda f, inputs, name, h=1e-3: _central(f, inputs, name, h, 2, restore=False)),
    _edit("complex_step_gradient", "this is not divided by h", ("np.imag(f(inputs)) / h", "np.imag(f(inputs))")),
    _edit("complex_step_gradient", "this is the real part; it must be the imaginary part",
          ("np.imag(f(inputs)) / h", "np.real(f(inputs)) / h")),
    _edit("complex_step_gradient", "the step is not taken back: every later entry sees it",
          ("        x.imag[i] = 0\n", "")),
    KnownError("complex_step_gradient", "this is a central difference: half of the digits are lost to cancellation",
               lambda f, inputs, name, h=1e-20: _central(f, inputs, name, 6e-6, 2)),
]
