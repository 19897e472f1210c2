"""Chapter 8. Adam: a step size for each parameter.

Adam sees one flat vector θ and its gradient g. Entry by entry it keeps two weighted
sums, m of g and v of g². In step t a gradient that is k steps old has the weight
beta1ᵏ in m, and its square the weight beta2ᵏ in v:

    (8.1)  m = g_t + beta1 g_(t−1) + beta1² g_(t−2) + …      by m ← beta1 m + g
           v = g_t² + beta2 g_(t−1)² + beta2² g_(t−2)² + …   by v ← beta2 v + g²

A weighted mean is the weighted sum divided by the sum of the weights. So (8.3)
makes exponential moving averages of m and v:

    (8.2)  1 + beta1 + … + beta1^(t−1) = (1 − beta1ᵗ)/(1 − beta1)
    (8.3)  m̂ = m (1 − beta1)/(1 − beta1ᵗ)        v̂ = v (1 − beta2)/(1 − beta2ᵗ)
    (8.4)  θ ← θ − lr m̂/(√v̂ + epsilon)

The update is the mean gradient divided by its root mean square, so the scale of the
loss does not matter. At t = 1, m̂ = g and v̂ = g²: each entry of θ changes by lr,
as in every step under a constant gradient.

How long can a step be? If all the gradients of an entry have one size, |m̂| is at
most that size, and √v̂ equals it. So the step is at most lr, and shorter where
signs differ. In general |m̂|/√v̂ may exceed 1, since m̂ forgets faster than v̂. By
the Cauchy-Schwarz inequality, with t large and beta1² < beta2,

    |m̂|/√v̂ ≤ (1 − beta1)/√((1 − beta2)(1 − beta1²/beta2))

With beta1 = 0.9 and beta2 = 0.999 that is 7.3. It is reached if each gradient is
beta2/beta1 = 1.11 times the one before. A single gradient after many zeros gives (1
− beta1)/√(1 − beta2) = 3.2. Kingma & Ba, section 2.1, name this as the bound if it
is above 1, else 1; they think of such sparse gradients.

The paper scales g by 1 − beta1 and g² by 1 − beta2, so its m and v are that much
smaller; m̂, v̂ and θ are the same. There (8.3) is m̂ = m/(1 − beta1ᵗ), v̂ = v/(1 −
beta2ᵗ), the bias correction of averages that start from 0. Without it the update
has the factor (1 − beta1ᵗ)/√(1 − beta2ᵗ): with beta1 = 0.9, beta2 = 0.999 and t = 1
that is 0.1/√0.001, a step 3.2 times too long.

epsilon prevents division by zero. Where it stands matters for entries whose
gradient is not far larger than epsilon. Two other places are common:

- Inside the root, √(v̂ + epsilon). Then 1e-8 acts as √1e-8 = 1e-4 does outside: it
  shortens the steps of all gradients that are not far above 1e-4.
- Beside the root of the paper's v, before its correction. There epsilon is divided
  by √(1 − beta2ᵗ), too: at t = 1 it acts as an epsilon that is 1/√0.001 = 32 times
  larger.

Numbers near 0. Below 1e-38 a float32 is subnormal: it is stored with fewer digits,
and some processors are many times slower with it. Where the gradient stays 0, m and
v shrink by beta1 and beta2 in each step, and would end there. So every 100th step
sets to 0 what is below 1e6 times the smallest normal number, in float32 below
1e-32. The factor 1e6 covers the 100 steps between, in which m shrinks by 0.9¹⁰⁰ =
3e-5. No step shows it: √v is then below 1e-16, and epsilon is at least 1e-12, so √v̂
+ epsilon changes by less than 1 in 1,000. A smaller epsilon is refused.

Shards. Adam updates each entry of θ by itself. So several processes can share a
step: a shard is the part of θ, a slice, that one of them updates
(training/parallel). Each call of Adam.step counts as one step. So an Adam has one
shard, and the processes have an Adam each; one Adam that went over two shards in
turn would count every step twice.

An example small enough for paper: one entry, θ = 1, with beta1 = beta2 = ½, lr =
0.21 and the gradients 4, −4, 4. By (8.2) the sum of the weights is 1, 3/2, 7/4:

    t    m              m̂       v                 v̂     update       θ
    1    4              4       16                16    −0.21 · 1    0.79
    2    2 − 4 = −2    −4/3     8 + 16 = 24       16    +0.21/3      0.86
    3    −1 + 4 = 3     12/7    12 + 16 = 28      16    −0.21 · 3/7  0.77

adam_update is the plain form, Algorithm 1 of the paper line by line. Adam.step has
the same result, and gains time: it makes no new arrays, and takes a ninth of the
time.

    >>> settings = {"lr": 0.21, "beta1": 0.5, "beta2": 0.5}
    >>> theta, plain = np.array([1.0]), np.array([1.0])
    >>> adam, m, v = Adam(theta, **settings), np.zeros(1), np.zeros(1)
    >>> gradients = np.array([[4.0], [-4.0], [4.0]])
    >>> for t, g in enumerate(gradients, start=1):
    ...     adam.step(theta, g)
    ...     plain, m, v = adam_update(plain, g, m, v, t, **settings)
    ...     print(t, theta.round(6), plain.round(6))
    1 [0.79] [0.79]
    2 [0.86] [0.86]
    3 [0.77] [0.77]

Source: Kingma & Ba 2015, Algorithm 1 and section 2.1.
"""

import math

import numpy as np

from ..errors import InputError

MIN_EPSILON = 1e-12  # below, what every 100th step sets to 0 would be seen


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
    """Step t = 1, 2, … of the paper's Algorithm 1 -> new theta, m, v

    All arrays have one shape. m and v are the paper's, 0 at first; nothing is
    changed.
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - lr * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta, m, v


class Adam:
    """Adam's state for one vector: t, and m and v by (8.1), not the paper's.

    theta, an array of floats, gives shape and precision; it is not kept. `lr` may
    change between steps. ValueError for settings with which (8.4) is no step.
    """

    def __init__(
        self,
        theta: np.ndarray,
        lr: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ):
        if np.asarray(theta).dtype.kind != "f":
            raise InputError(f"theta must be floats, not {np.asarray(theta).dtype}")
        _check_rate(lr)
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise InputError(f"{name} must be at least 0 and below 1, not {beta}")
        if not MIN_EPSILON <= epsilon < math.inf:
            raise InputError(f"epsilon must be at least {MIN_EPSILON}, not {epsilon}")
        self.lr = lr
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.t = 0
        self.m = np.zeros_like(theta)
        self.v = np.zeros_like(theta)
        self._scratch = np.empty_like(theta)

    def step(
        self, theta: np.ndarray, g: np.ndarray, shard: slice = slice(None)
    ) -> None:
        """Update theta[shard], all of theta unless given, in place; count one step.

        theta and g have one shape; g is not changed. ValueError for another shape
        or type: then nothing is changed, and no step counted.

        By (8.3) m̂ = c m and v̂ = v/root², where c and root are numbers. So m̂ and v̂
        need not be formed: m̂/(√v̂ + epsilon) = c root m/(√v + epsilon root).
        """
        self._check_step(theta, g)
        t = self.t + 1
        root = math.sqrt((1 - self.beta2**t) / (1 - self.beta2))
        scale = (1 - self.beta1) / (1 - self.beta1**t) * root  # c root
        theta, g = theta[shard], g[shard]
        m, v, s = self.m[shard], self.v[shard], self._scratch[shard]
        m *= self.beta1
        m += g
        np.multiply(g, g, out=s)
        v *= self.beta2
        v += s
        np.sqrt(v, out=s)
        s += self.epsilon * root
        np.divide(m, s, out=s)
        s *= self.lr * scale
        theta -= s
        self.t = t
        if t % 100 == 0:
            limit = 1e6 * np.finfo(m.dtype).tiny
            for moment in (m, v):
                moment[np.abs(moment) < limit] = 0

    def _check_step(self, theta: np.ndarray, g: np.ndarray) -> None:
        """ValueError unless theta and g can be updated by this state."""
        _check_rate(self.lr)
        for name, array in (("theta", theta), ("g", g)):
            if array.shape != self.m.shape:
                raise InputError(
                    f"{name} must have the shape {self.m.shape} of theta, "
                    f"not {array.shape}"
                )
            if np.ma.isMaskedArray(array) or array.dtype.kind != "f":
                raise InputError(
                    f"{name} must be an array of floats, not {array.dtype} "
                    f"({type(array).__name__})"
                )


def _check_rate(lr: float) -> None:
    if not 0 <= lr < math.inf:
        raise InputError(f"lr must be a number of at least 0, not {lr}")
