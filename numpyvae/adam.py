"""Adam: gradient descent with a step size for each parameter, on one flat vector.

Keep a running mean of the gradient, m, and of its square, v:

    m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²

Both start at 0, so after t steps they hold only a share 1 − βᵗ of what they average: (1 − β) Σᵢ β^(t−i) = 1 − βᵗ. Divide
by that share and the mean is right from the first step on. The step is then the mean gradient over its typical size,
so that it does not depend on the loss's scale:

    m̂ = m / (1 − β₁ᵗ)        v̂ = v / (1 − β₂ᵗ)        θ ← θ − lr m̂ / (√v̂ + ε)

Source: Kingma & Ba 2015, Algorithm 1. Next: gradcheck.
"""

import math

import numpy as np


class Adam:
    """Moments and step count for one parameter vector; `lr` may be changed between steps."""

    def __init__(self, theta: np.ndarray, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.t, self.m, self.v = 0, np.zeros_like(theta), np.zeros_like(theta)
        self._scratch = np.empty_like(theta)

    def step(self, theta: np.ndarray, g: np.ndarray) -> None:
        """One step of Algorithm 1; theta is overwritten, g is not.

        Passes over megabytes are what it costs, so there are few, all in place. The two corrections are numbers:
        m̂/(√v̂ + ε) = c m/(√v + ε √(1 − β₂ᵗ)) with c = √(1 − β₂ᵗ)/(1 − β₁ᵗ), to the letter of the algorithm.
        """
        self.t += 1
        m, v, s = self.m, self.v, self._scratch
        np.subtract(g, m, out=s)
        s *= 1 - self.beta1
        m += s  # m + (1 − β₁)(g − m)
        np.multiply(g, g, out=s)
        s -= v
        s *= 1 - self.beta2
        v += s  # v + (1 − β₂)(g² − v)
        root = math.sqrt(1 - self.beta2**self.t)
        np.sqrt(v, out=s)
        s += self.epsilon * root
        np.divide(m, s, out=s)
        s *= self.lr * root / (1 - self.beta1**self.t)
        theta -= s
