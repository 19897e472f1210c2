"""One training step by several processes.

A process's number is its rank, 0 for the one that starts the others. Its shard is its
slice of the images, or of the parameters. A barrier is a point where each waits for
all. (`processes` makes rank, shard and barrier.)

The loss of a minibatch is a mean over its N images. So its gradient is the sum of the
shards' gradients, each weighted by its fraction of the images. And Adam updates each
parameter independently. One step is therefore:

    x, eps, scalars        rank 0 writes them; the scalars are n, t and the settings
                           that may change between steps
    barrier                every rank needs all of x, eps and the scalars
    gᵣ = Nᵣ/N ∂lossᵣ/∂θ    each rank r, for its shard of Nᵣ images
    barrier                the next line needs every gᵣ
    θ ← Adam(Σᵣ gᵣ)        each rank, for its shard of the parameters
    barrier                the next step needs all of θ, and rank 0's caller may read θ
                           between steps

If Σᵣ |gᵣ|² is not finite there is one barrier more, before θ: each rank reads every gᵣ
to name what is not finite, and no rank may change its gᵣ before all have done so. All
that ranks exchange, x, eps, scalars, gᵣ, |gᵣ|², the losses, θ, m and v, is shared
memory: arrays made by `shared_copy`.

The step equals `step.Step` except for the order in which numbers are added: x and eps
are the same, results agree up to rounding, and identical bits need the same number of
processes. It is faster because BLAS could share only the matrix products, about half of
a step, among the cores; the rest would use one. Threads are slower here, because they
contend for Python's interpreter lock at each of about 100 NumPy calls per step.

Rank 0 prepares x and eps as if it were alone. Between steps the workers, ranks 1, 2, …,
wait at the first barrier, so the caller may do anything with the state.

Source: Kingma & Welling 2014, Algorithm 1.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import numpy as np

from ...settings import TrainingOptions, VAEConfig
from ...vae.parameters import Parameters, parameter_shapes
from ..state import TrainingState, shapes_of
from ..step import NotFiniteError, Step, require_finite
from .processes import ProcessGroup, shared_copy


@contextmanager
def training_step(
    state: TrainingState, config: VAEConfig, options: TrainingOptions, processes: int
) -> Iterator["Step | ParallelStep"]:
    """`Step` for one process, `ParallelStep` for several, which end with the block."""
    if processes == 1:
        yield Step(state.params, state.adam, config, options.objective)
        return
    with _in_shared_memory(state):
        step = ParallelStep(state, config, options, processes)
        with ProcessGroup(processes, step.work) as step.group:
            yield step


class ParallelStep(Step):
    """step(x, eps) -> loss, as `Step`, by the processes of `group`.

    θ, m and v of the state must be shared memory.
    """

    group: ProcessGroup

    def __init__(
        self,
        state: TrainingState,
        config: VAEConfig,
        options: TrainingOptions,
        size: int,
    ):
        super().__init__(state.params, state.adam, config, options.objective)
        dtype, n = self.params.vector.dtype, options.batch_size
        self.moments = {"m": state.adam.m, "v": state.adam.v}
        self.rank_grads = [
            Parameters(parameter_shapes(config), vector)
            for vector in shared_copy(np.zeros((size, self.params.vector.size), dtype))
        ]
        # each rank's weighted loss and |gᵣ|²
        self.totals = shared_copy(np.zeros((size, 2)))
        self.x = shared_copy(
            np.zeros((n, config.input_dim + config.num_classes), dtype)
        )
        self.eps = shared_copy(
            np.zeros((options.num_samples, n, config.latent_dim), dtype)
        )
        self.scalars = shared_copy(np.zeros(7))

    def __call__(self, x: np.ndarray, eps: np.ndarray) -> float:
        n, adam = len(x), self.adam
        self.x[:n] = x
        self.eps[:, :n] = eps
        self.scalars[:] = (
            n,
            self.config.beta,
            adam.t,
            adam.lr,
            adam.beta1,
            adam.beta2,
            adam.epsilon,
        )
        self.adopt_moments()
        self.group.barrier()
        return self.update(n)

    def adopt_moments(self) -> None:
        """Write m and v into shared memory if the caller has put other arrays there."""
        for name, shared in self.moments.items():
            if getattr(self.adam, name) is not shared:
                shared[...] = getattr(self.adam, name)
                setattr(self.adam, name, shared)

    def work(self, group: ProcessGroup) -> None:
        """A worker: its part of every step that rank 0 begins."""
        self.group = group
        adam = self.adam
        while True:
            group.barrier()
            n, beta, adam.t, adam.lr, adam.beta1, adam.beta2, adam.epsilon = (
                self.scalars.tolist()
            )
            if beta != self.config.beta:
                self.config = replace(self.config, beta=beta)
            with suppress(NotFiniteError):  # rank 0 raises the same
                self.update(int(n))

    # what overflows is reported by name
    @np.errstate(over="ignore", invalid="ignore")
    def update(self, n: int) -> float:
        """This rank's part of one step on n images; returns the minibatch's loss."""
        group, g = self.group, self.rank_grads[self.group.rank].vector
        self.totals[group.rank] = self.shard_gradient(n)
        group.barrier()

        losses, squared_norms = self.totals.T.tolist()
        loss, squared_norm = sum(losses), sum(squared_norms)
        try:
            require_finite(loss, squared_norm, self.rank_grads)
        finally:
            if not math.isfinite(squared_norm):
                group.barrier()  # no rank changes its gradient before all have checked

        # the others' gradients are added to this core's: the other way takes longer
        shard = group.shard(g.size)
        for rank, other in enumerate(self.rank_grads):
            if rank != group.rank:
                g[shard] += other.vector[shard]
        self.adam.step(self.params.vector, g, shard)
        group.barrier()
        return loss

    def shard_gradient(self, n: int) -> tuple[float, float]:
        """Write gᵣ; return the shard's weighted loss and |gᵣ|²."""
        shard, grads = self.group.shard(n), self.rank_grads[self.group.rank]
        if shard.start == shard.stop:  # fewer images than processes
            grads.vector.fill(0)
        loss = self.gradient(self.x[shard], self.eps[:, shard], n, grads)
        return loss, float(grads.vector @ grads.vector)


@contextmanager
def _in_shared_memory(state: TrainingState) -> Iterator[None]:
    """Inside the block θ, m and v are shared memory; after it their own arrays again.

    `state.params` and `state.adam` stay the same objects, so that whoever has a
    reference to them sees the numbers of the moment.
    """
    params, adam, shapes = state.params, state.adam, shapes_of(state.params)
    own = params.vector, adam.m, adam.v
    Parameters.__init__(params, shapes, shared_copy(params.vector))
    adam.m = shared_copy(adam.m)
    adam.v = shared_copy(adam.v)
    try:
        yield
    finally:
        trained = params.vector, adam.m, adam.v
        for array, numbers in zip(own, trained, strict=True):
            array[...] = numbers
        vector, adam.m, adam.v = own
        Parameters.__init__(params, shapes, vector)
