"""Chapter 8. Adam: gradient descent with a step size for each parameter, on one flat vector.

Adam keeps exponential moving averages of the gradient g and of its square, entry by entry. In step t a gradient that is
k steps old has the weight beta1ᵏ. The weighted mean m̂ is the weighted sum m divided by the sum of the weights:

    (8.1)  m = g_t + beta1 g_(t−1) + beta1² g_(t−2) + …, computed as m ← beta1 m + g; likewise v ← beta2 v + g²
    (8.2)  1 + beta1 + … + beta1^(t−1) = (1 − beta1ᵗ)/(1 − beta1)
    (8.3)  m̂ = m (1 − beta1)/(1 − beta1ᵗ)        v̂ = v (1 − beta2)/(1 − beta2ᵗ)
    (8.4)  θ ← θ − lr m̂/(√v̂ + epsilon)

The update is the mean gradient divided by its root mean square, whatever the scale of the loss. At t = 1, m̂ = g and
v̂ = g²: each entry of θ changes by lr, as in every step under a constant gradient. epsilon prevents division by zero.

The paper scales g by 1 − beta1 and g² by 1 − beta2, so its m and v are that much smaller; m̂, v̂ and θ are the same.
There (8.3) is m̂ = m/(1 − beta1ᵗ), v̂ = v/(1 − beta2ᵗ), the bias correction of averages that start from 0. Without it
the update has the factor (1 − beta1ᵗ)/√(1 − beta2ᵗ): at t = 1 that is 0.1/√0.001, a step 3.2 times too long.

Source: Kingma & Ba 2015, Algorithm 1.
"""

import math

import numpy as np


def adam_update(
    theta: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[np.ndarray, ...]:
    """Step t = 1, 2, … of the paper's Algorithm 1 -> new theta, m, v        with the paper's m and v, 0 at first"""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta, m, v


class Adam:
    """Adam's state for one vector: t, and m and v by (8.1), not the paper's. `lr` may change between steps."""

    def __init__(
        self,
        theta: np.ndarray,
        lr: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ):
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.t, self.m, self.v = 0, np.zeros_like(theta), np.zeros_like(theta)
        self._scratch = np.empty_like(theta)

    def step(
        self, theta: np.ndarray, g: np.ndarray, shard: slice = slice(None)
    ) -> None:
        """Update one shard of theta, all of it unless given, in place; g (the same shape) is not changed.

        By (8.3) m̂ = c m and v̂ = v/root², where c and root are numbers: m̂/(√v̂ + epsilon) is
        c root m/(√v + epsilon root), and m̂, v̂ need not be formed. This takes a ninth of adam_update's time.
        """
        self.t += 1
        root = math.sqrt((1 - self.beta2**self.t) / (1 - self.beta2))
        scale = (1 - self.beta1) / (1 - self.beta1**self.t) * root
        theta, g, m, v, s = (
            vector[shard] for vector in (theta, g, self.m, self.v, self._scratch)
        )  # s: scratch
        m *= self.beta1
        m += g
        v *= self.beta2
        v += np.multiply(g, g, out=s)
        np.sqrt(v, out=s)
        s += self.epsilon * root
        np.divide(m, s, out=s)
        s *= self.lr * scale
        theta -= s
        if (
            self.t % 100 == 0
        ):  # where g stays 0, m would end as subnormal numbers, on which some processors are slow;
            for moment in (
                m,
                v,
            ):  # what is below this limit, in float32 1e-32, is too small to change theta
                moment[np.abs(moment) < 1e6 * np.finfo(moment.dtype).tiny] = 0
