"""One step of training: the gradient of a minibatch, then Adam; by one process, or shared out between two.

The loss of a minibatch is a mean over its images: the sum of its two halves' losses, each weighed by its share of the
images. Its gradient, then, is the same sum of their gradients. And Adam moves every parameter by itself. So two
processes, p = 0 and 1, can do a step together:

    gₚ = shareₚ ∂lossₚ/∂θ        each for its half of the images
    θ ← Adam(g₀ + g₁)            each for its half of the parameters

They meet after the first line, because the second needs both gradients, and after the second, because the next step's
first needs all of θ. It is the same step as one process makes, but for the order in which numbers are added.

Why two: the matrix products, which BLAS shares out among cores by itself, are half of a step's time, and through the
other half one core would wait. (Threads would share memory without further ado. But only one of them can be in Python
at a time; at each of a step's hundred operations one may have to wait for the other, falls asleep over it, and what was
won is lost.) Each process should have half of the cores for its BLAS, and no more: with two cores, OMP_NUM_THREADS=1,
set before NumPy is loaded, as the command line does.

Source: Kingma & Welling 2014, Algorithm 1. Next: training.
"""

import math

import numpy as np

from ..vae.adam import Adam
from ..vae.iwae import OBJECTIVES
from .parallel import Pair, shared
from ..settings import VAEConfig
from ..vae.parameters import Parameters, parameter_shapes


class NotFiniteError(ArithmeticError):
    """A loss or gradient is not a finite number. Raised before the step, so that the parameters are still good."""


class Step:
    """step(n, x, eps) moves the parameters once, and returns the loss before.

    x (…, D) and eps (…, L) are this process's part of a minibatch of n images, and of their noise. Make the Step first, then
    fork; with two processes, params and adam's m and v must be `shared`.
    """

    def __init__(self, params: Parameters, adam: Adam, config: VAEConfig, objective: str, pair: Pair):
        self.params, self.adam, self.config, self.pair = params, adam, config, pair
        self.loss, self.backward = OBJECTIVES[objective]
        vectors = shared(np.zeros((pair.processes, params.vector.size), params.vector.dtype))
        self.grads = [Parameters(parameter_shapes(config), g) for g in vectors]
        self.sums = shared(np.zeros((pair.processes, 2)))  # each process's share of the loss, and |gₚ|²

    def __call__(self, n: int, x: np.ndarray, eps: np.ndarray) -> float:
        with np.errstate(over="ignore", invalid="ignore"):  # a number that is not finite is caught by name, below
            self.sums[self.pair.number] = self.gradient(x, eps, len(x) / n)
        self.pair.meet()
        loss, square = (sum(column) for column in self.sums.T.tolist())
        self.check_finite(loss, square)
        part = self.pair.part(self.params.vector.size)
        mine = self.grads[self.pair.number].vector  # in its own core's cache: adding into the other's costs 0.4 ms more
        for grads in self.grads:
            if grads.vector is not mine:
                mine[part] += grads.vector[part]
        self.adam.step(self.params.vector, mine, part)
        self.pair.meet()
        return loss

    def gradient(self, x: np.ndarray, eps: np.ndarray, share: float) -> tuple[float, float]:
        """Writes gₚ; returns shareₚ lossₚ and |gₚ|²."""
        grads = self.grads[self.pair.number]
        if not len(x):  # half of a single image
            grads.vector.fill(0)
            return 0.0, 0.0
        loss, cache = self.loss(self.params, x, eps, self.config)
        self.backward(cache, out=grads, dloss=share)
        return share * loss, grads.vector @ grads.vector

    def check_finite(self, loss: float, square: float) -> None:
        """NotFiniteError names what is not finite. An infinite square alone proves nothing: large numbers have one."""
        if not math.isfinite(loss):
            raise NotFiniteError(f"the loss is {loss}")
        if not math.isfinite(square):
            with np.errstate(over="ignore", invalid="ignore"):
                names = [name for name in self.params if not np.isfinite(sum(grads[name] for grads in self.grads)).all()]
            self.pair.meet()  # until both have looked, neither adds anything
            if names:
                raise NotFiniteError(f"the gradient of {', '.join(names)} is not finite")
