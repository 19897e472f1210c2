"""One training step: forward, backward, update.

    loss, cache = negative_elbo(params, x, eps, config)         forward
    grads = negative_elbo_backward(cache)                       backward
    adam.step(params.vector, grads.vector)                      update

The three lines stand in `Step.__call__`; a check stands between the last two. A loss or gradient that is not finite
must not reach the parameters: after one such update all of them are NaN.

`parallel.ParallelStep` makes the same step with several processes.

Source: Kingma & Welling 2014, Algorithm 1.
"""

import math
from collections.abc import Sequence

import numpy as np

from ..settings import VAEConfig
from ..vae.adam import Adam
from ..vae.objectives import OBJECTIVES
from ..vae.parameters import Parameters, parameter_shapes


class NotFiniteError(ArithmeticError):
    """A loss or gradient is not finite. Raised before the update: the parameters are unchanged."""


class Step:
    """step(x, eps) -> loss: one update of the parameters; the loss is that before it.

    x (N, D) and eps (J, N, L) are a minibatch and its noise. `config` may be replaced between steps.
    Raises NotFiniteError, which names the loss or the gradients that are not finite.
    """

    def __init__(self, params: Parameters, adam: Adam, config: VAEConfig, objective: str):
        self.params = params
        self.adam = adam
        self.config = config
        self.objective, self.backward = OBJECTIVES[objective]
        self.grads = Parameters(parameter_shapes(config), np.empty_like(params.vector))

    @np.errstate(over="ignore", invalid="ignore")  # what overflows is reported by name, below
    def __call__(self, x: np.ndarray, eps: np.ndarray) -> float:
        loss, cache = self.objective(self.params, x, eps, self.config)
        grads = self.backward(cache, grads=self.grads)
        require_finite(loss, grads.vector @ grads.vector, [grads])
        self.adam.step(self.params.vector, grads.vector)
        return float(loss)


def require_finite(loss: float, squared_norm: float, grads: Sequence[Parameters]) -> None:
    """NotFiniteError unless the loss and the sum of the gradients are finite.

    The squared norm is one pass over the gradient. It may overflow although every entry is finite, so only then are
    the entries themselves looked at.
    """
    if not math.isfinite(loss):
        raise NotFiniteError(f"the loss is {loss}")
    if not math.isfinite(squared_norm):
        names = [name for name in grads[0] if not np.isfinite(sum(g[name] for g in grads)).all()]
        if names:
            raise NotFiniteError(f"the gradient of {', '.join(names)} is not finite")
