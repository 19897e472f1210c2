"""Adam: gradient descent with a step size for each parameter, on one flat vector.

Keep a running mean of the gradient and one of its square, in which a gradient that is k steps old has weight βᵏ. A
weighted mean is the weighted sum over the sum of the weights, and that is 1 + β + … + β^(t−1) = (1 − βᵗ)/(1 − β):

    m ← β₁ m + g         m̂ = m (1 − β₁)/(1 − β₁ᵗ)
    v ← β₂ v + g²        v̂ = v (1 − β₂)/(1 − β₂ᵗ)

The step is the mean gradient over its typical size, so that it does not depend on the loss's scale; ε keeps it finite:

    θ ← θ − lr m̂ / (√v̂ + ε)

The paper multiplies g by 1 − β as it comes in, so that its m and v are these, times 1 − β; m̂, v̂ and the steps are the
same. Dividing by the weights' sum is what it calls the bias correction. Without it the paper's m and v are both too
small at first: m shortens the steps by 1 − β₁ᵗ, √v lengthens them by 1/√(1 − β₂ᵗ), and the second wins; the first step
would be 0.1/√0.001, over 3 times too long. lr is the learning rate: the length of a step whose gradient never changes.

Source: Kingma & Ba 2015, Algorithm 1. Next: gradcheck.
"""

import math

import numpy as np


class Adam:
    """The two sums and the step count for one parameter vector. `lr` may be changed between steps."""

    def __init__(self, theta: np.ndarray, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999,
                 epsilon: float = 1e-8):
        self.lr, self.beta1, self.beta2, self.epsilon = lr, beta1, beta2, epsilon
        self.t, self.m, self.v = 0, np.zeros_like(theta), np.zeros_like(theta)
        self._scratch = np.empty_like(theta)

    def step(self, theta: np.ndarray, g: np.ndarray, shard: slice = slice(None)) -> None:
        """Update one shard of the vector, all of it unless given; theta is overwritten, g is not.

        Its cost is passes over megabytes, so all is done in place, and the means are not formed:
        m̂/(√v̂ + ε) = c m/(√v + d) with two numbers, d = ε √(v/v̂) and c = (m̂/m) √(v/v̂).
        """
        self.t += 1
        root = math.sqrt((1 - self.beta2**self.t) / (1 - self.beta2))  # √(v/v̂)
        c, d = (1 - self.beta1) / (1 - self.beta1**self.t) * root, self.epsilon * root
        theta, g, m, v, s = (vector[shard] for vector in (theta, g, self.m, self.v, self._scratch))
        m *= self.beta1
        m += g
        v *= self.beta2
        v += np.multiply(g, g, out=s)
        np.sqrt(v, out=s)
        s += d
        np.divide(m, s, out=s)
        s *= self.lr * c
        theta -= s
