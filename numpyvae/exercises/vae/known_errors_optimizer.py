"""Known errors in book one's Adam and numerical gradients."""

import numpy as np

from ..judge.known_errors import KnownError

BERT = "google-research/bert, issue 153"


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


def _adam_update_1(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m
    v_hat = v
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_2(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_3(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_4(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1)
    v_hat = v / (1 - beta2)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_5(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_6(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_7(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta2 * m + (1 - beta2) * g
    v = beta1 * v + (1 - beta1) * g**2
    m_hat = m / (1 - beta2**t)
    v_hat = v / (1 - beta1**t)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_8(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / np.sqrt(v_hat + epsilon)
    return (theta, m, v)


def _adam_update_9(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / (v_hat + epsilon)
    return (theta, m, v)


def _adam_update_10(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta + lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_11(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * abs(g)
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _adam_update_12(theta, g, m, v, t, lr=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * g / (np.sqrt(v_hat) + epsilon)
    return (theta, m, v)


def _complex_step_gradient_1(f, inputs, name, h=1e-20):
    inputs = {
        key: np.asarray(array).astype(np.complex128) for key, array in inputs.items()
    }
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x.imag[i] = h
        gradient[i] = np.imag(f(inputs))
        x.imag[i] = 0
    return gradient


def _complex_step_gradient_2(f, inputs, name, h=1e-20):
    inputs = {
        key: np.asarray(array).astype(np.complex128) for key, array in inputs.items()
    }
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x.imag[i] = h
        gradient[i] = np.real(f(inputs)) / h
        x.imag[i] = 0
    return gradient


def _complex_step_gradient_3(f, inputs, name, h=1e-20):
    inputs = {
        key: np.asarray(array).astype(np.complex128) for key, array in inputs.items()
    }
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x.imag[i] = h
        gradient[i] = np.imag(f(inputs)) / h
    return gradient


ERRORS = [
    KnownError(
        "adam_update",
        "no bias correction: the first steps have the wrong size",
        _adam_update_1,
        published=BERT,
    ),
    KnownError("adam_update", "m is not corrected", _adam_update_2),
    KnownError("adam_update", "v is not corrected", _adam_update_3),
    KnownError(
        "adam_update",
        "both corrections have beta, not betaᵗ: right in step 1 only",
        _adam_update_4,
    ),
    KnownError(
        "adam_update",
        "the correction of m has beta1, not beta1ᵗ: right in step 1 only",
        _adam_update_5,
    ),
    KnownError(
        "adam_update",
        "the correction of v has beta2, not beta2ᵗ: right in step 1 only",
        _adam_update_6,
    ),
    KnownError("adam_update", "beta1 and beta2 are exchanged", _adam_update_7),
    KnownError("adam_update", "epsilon is under the root", _adam_update_8),
    KnownError("adam_update", "the root of v̂ is missing", _adam_update_9),
    KnownError(
        "adam_update",
        "theta grows along the gradient: the sign is turned",
        _adam_update_10,
    ),
    KnownError("adam_update", "v averages g, not g²", _adam_update_11),
    KnownError(
        "adam_update", "the gradient itself is in the place of m̂", _adam_update_12
    ),
    KnownError(
        "Adam.step",
        "no bias correction: the first steps have the wrong size",
        published=BERT,
        function=_plain_adam(lambda a: a.lr * a.m / (np.sqrt(a.v) + a.epsilon)),
    ),
    KnownError(
        "Adam.step",
        "m is not corrected",
        function=_plain_adam(
            lambda a: a.lr * a.m / (np.sqrt(_corrected(a)[1]) + a.epsilon)
        ),
    ),
    KnownError(
        "Adam.step",
        "v is not corrected",
        function=_plain_adam(
            lambda a: a.lr * _corrected(a)[0] / (np.sqrt(a.v) + a.epsilon)
        ),
    ),
    KnownError(
        "Adam.step",
        "both corrections have beta, not betaᵗ: right in step 1 only",
        function=_plain_adam(
            lambda a: (
                a.lr * a.m / (1 - a.beta1) / (np.sqrt(a.v / (1 - a.beta2)) + a.epsilon)
            )
        ),
    ),
    KnownError(
        "Adam.step",
        "epsilon is under the root",
        function=_plain_adam(
            lambda a: a.lr * _corrected(a)[0] / np.sqrt(_corrected(a)[1] + a.epsilon)
        ),
    ),
    KnownError(
        "Adam.step",
        "epsilon is not scaled where the corrections are folded into the learning rate",
        function=_plain_adam(
            lambda a: (
                a.lr
                * np.sqrt(1 - a.beta2**a.t)
                / (1 - a.beta1**a.t)
                * a.m
                / (np.sqrt(a.v) + a.epsilon)
            )
        ),
    ),
    KnownError(
        "Adam.step",
        "the root of v̂ is missing",
        function=_plain_adam(
            lambda a: a.lr * _corrected(a)[0] / (_corrected(a)[1] + a.epsilon)
        ),
    ),
    KnownError(
        "Adam.step",
        "theta grows along the gradient: the sign is turned",
        function=_plain_adam(
            lambda a: -a.lr * _corrected(a)[0] / (np.sqrt(_corrected(a)[1]) + a.epsilon)
        ),
    ),
    KnownError(
        "central_difference_gradient",
        "this is divided by h; it must be 2h",
        lambda f, inputs, name, h=1e-5: _central(f, inputs, name, h, 1),
    ),
    KnownError(
        "central_difference_gradient",
        "this is one-sided, (f(x + h) − f(x))/h: its error falls as h, not as h²",
        _one_sided,
    ),
    KnownError(
        "central_difference_gradient",
        "the entry is not restored before the next: errors add up",
        lambda f, inputs, name, h=1e-3: _central(f, inputs, name, h, 2, restore=False),
    ),
    KnownError(
        "complex_step_gradient", "this is not divided by h", _complex_step_gradient_1
    ),
    KnownError(
        "complex_step_gradient",
        "this is the real part; it must be the imaginary part",
        _complex_step_gradient_2,
    ),
    KnownError(
        "complex_step_gradient",
        "the step is not taken back: every later entry sees it",
        _complex_step_gradient_3,
    ),
    KnownError(
        "complex_step_gradient",
        "this is a central difference: half of the digits are lost to cancellation",
        lambda f, inputs, name, h=1e-20: _central(f, inputs, name, 6e-6, 2),
    ),
]
