"""One training step: forward, backward, update.

    loss, cache = negative_elbo(params, x, eps, config)         forward
    grads = negative_elbo_backward(cache)                       backward
    adam.step(params.vector, grads.vector)                      update

The first two lines stand in `Step.gradient`, the third in `Step.__call__`, with a check
before it. A loss or gradient that is not finite must not reach the parameters, which it
would make NaN.

`parallel.step.ParallelStep` makes the same step with several processes.

Source: Kingma & Welling 2014, Algorithm 1.
"""

import math
from collections.abc import Sequence

import numpy as np

from ..errors import NumpyvaeError
from ..settings import VAEConfig
from ..vae.adam import Adam
from ..vae.objectives import OBJECTIVES
from ..vae.parameters import Parameters, parameter_shapes

# images times samples that go through the decoder at once; an image's samples stay
# together
MAX_ROWS = 1024


class NotFiniteError(NumpyvaeError, ArithmeticError):
    """A loss or gradient is not finite; the parameters are those before the update."""


class Step:
    """step(x, eps) -> loss: one update of the parameters; the loss is that before it.

    x (N, D) and eps (J, N, L) are a minibatch and its noise. `config` may be replaced
    between steps. NotFiniteError names the loss or the gradients that are not finite.
    """

    def __init__(
        self, params: Parameters, adam: Adam, config: VAEConfig, objective: str
    ):
        self.params = params
        self.adam = adam
        self.config = config
        self.forward, self.backward = OBJECTIVES[objective]
        shapes = parameter_shapes(config)
        self.grads = Parameters(shapes, np.empty_like(params.vector))
        self.chunk_grads = Parameters(shapes, np.empty_like(params.vector))

    # what overflows is reported by name
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, x: np.ndarray, eps: np.ndarray) -> float:
        loss = self.gradient(x, eps, len(x), self.grads)
        squared_norm = float(self.grads.vector @ self.grads.vector)
        require_finite(loss, squared_norm, [self.grads])
        self.adam.step(self.params.vector, self.grads.vector)
        return loss

    def gradient(
        self, x: np.ndarray, eps: np.ndarray, n: int, grads: Parameters
    ) -> float:
        """Forward and backward on x, some of the n images of a minibatch.

        Write into grads what x contributes to the gradient, and return what it
        contributes to the loss. Both are means over the n images. So the images may go
        in chunks, whose losses and gradients, each weighted by its fraction of the
        images, add up. With many samples per image there are several chunks. So up to
        1,024 samples memory does not grow with them, and the arrays fit the processor's
        cache: a fifth less time for 50 samples.
        """
        images = max(1, MAX_ROWS // len(eps))
        total = 0.0
        for first in range(0, len(x), images):
            chunk = slice(first, first + images)
            fraction = len(x[chunk]) / n
            loss, cache = self.forward(
                self.params, x[chunk], eps[:, chunk], self.config
            )
            if first == 0:
                self.backward(cache, dloss=fraction, grads=grads)
            else:
                self.backward(cache, dloss=fraction, grads=self.chunk_grads)
                grads.vector += self.chunk_grads.vector
            total += fraction * float(loss)
        return total


def require_finite(
    loss: float, squared_norm: float, grads: Sequence[Parameters]
) -> None:
    """NotFiniteError unless the loss and the sum of the gradients are finite.

    The squared norm is one pass over the gradient. It may overflow although every entry
    is finite, so only then are the entries themselves looked at.
    """
    if not math.isfinite(loss):
        raise NotFiniteError(f"the loss is {loss}")
    if math.isfinite(squared_norm):
        return
    names = [
        name for name in grads[0] if not np.isfinite(sum(g[name] for g in grads)).all()
    ]
    if names:
        raise NotFiniteError(f"the gradient of {', '.join(names)} is not finite")
