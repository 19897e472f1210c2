"""The state of a training run: everything that changes while it trains.

A checkpoint saves all of it, so a resumed run is bit-for-bit identical to one that was
never interrupted. Every epoch has a random generator of its own (see streams), so its
random numbers depend on nothing before it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data.pixels import scale_of
from ..errors import InputError
from ..settings import ARCHITECTURE, TrainingOptions, VAEConfig, check_together
from ..vae.adam import Adam
from ..vae.parameters import Parameters, glorot_init, init_params, parameter_shapes
from .streams import stream


@dataclass
class TrainingState:
    """Parameters, optimizer, position and results of a run.

    params, adam     the model and its optimizer
    epoch            the current epoch, counted from 1; after an epoch, the one that has
                     just ended
    batches_done     batches of this epoch that are done
    loss_sum         the sum of their images' losses
    epoch_seconds    the time that they took
    rng              this epoch's random generator, in its present state; None between
                     epochs
    config           the model that the parameters belong to; None: any model of their
                     shapes
    history          one row per finished epoch, with history.COLUMNS

    `state.params = others` and `state.adam = another` write their numbers into those
    that are there. So whoever has a reference to them sees the new numbers: training
    above all. InputError if `others` are of another shape.
    """

    params: Parameters
    adam: Adam
    epoch: int = 0
    batches_done: int = 0
    loss_sum: float = 0.0
    epoch_seconds: float = 0.0
    rng: np.random.Generator | None = None
    config: VAEConfig | None = None
    history: list[dict] = field(default_factory=list)

    def __setattr__(self, name: str, value: Any) -> None:
        own = vars(self).get(name)
        if name == "params" and own is not None:
            check_shapes(value, shapes_of(own))
            own.vector[...] = value.vector
        elif name == "adam" and own is not None:
            copy_optimizer(value, own)
        else:
            super().__setattr__(name, value)

    def __repr__(self) -> str:
        return (
            f"<TrainingState: epoch {self.epoch}, batch {self.batches_done}, "
            f"{self.params.vector.size:,} parameters>"
        )

    def progress(self) -> tuple[int, int]:
        """(epoch, batches of it that are done): the larger is trained further"""
        return self.epoch, self.batches_done

    def begin_epoch(
        self, seed: int, count: int
    ) -> tuple[np.ndarray, np.random.Generator]:
        """Begin the next epoch, or continue the one that was interrupted.

        Return the order of its `count` images, and its generator. An interrupted epoch
        keeps its generator, as its last batch left it; the order is sampled again.
        """
        interrupted = self.rng is not None
        if not interrupted:
            self.epoch = len(self.history) + 1
            self.batches_done = 0
            self.loss_sum = 0.0
            self.epoch_seconds = 0.0
        rng = stream("training", seed, self.epoch)
        order = rng.permutation(count)
        if self.rng is None:
            self.rng = rng
        return order, self.rng

    def end_batch(self, loss: float, count: int, seconds: float) -> None:
        """Count a finished batch of `count` images."""
        self.batches_done += 1
        self.loss_sum += loss * count
        self.epoch_seconds += seconds

    def end_epoch(self, row: dict) -> None:
        """Append the epoch's row; the next epoch starts its own randomness."""
        self.history.append(row)
        self.rng = None


def initial_state(
    images: np.ndarray, config: VAEConfig, options: TrainingOptions
) -> TrainingState:
    """New parameters and a new optimizer; `images` are for glorot's mean.

    InputError if model and options contradict each other.
    """
    check_together(config, options)
    params = init_params(config, stream("training", options.seed))
    if options.initialization == "glorot":
        rows = images.reshape(len(images), -1)
        mean_image = rows.mean(axis=0, dtype=np.float64) / scale_of(images)
        # it replaces all that init_params has drawn, from the same stream
        glorot_init(params, mean_image, config, stream("training", options.seed))
    return TrainingState(params, make_optimizer(params, options), config=config)


def make_optimizer(params: Parameters, options: TrainingOptions) -> Adam:
    """A new Adam with the options' learning rate and epsilon."""
    return Adam(params.vector, options.lr, epsilon=options.adam_epsilon)


def copy_optimizer(source: Adam, target: Adam) -> None:
    """Write the moments, the step count and the settings of one Adam into another."""
    for name, value in vars(source).items():
        if isinstance(value, np.ndarray):
            getattr(target, name)[...] = value
        else:
            setattr(target, name, value)


def check_model(state: TrainingState, config: VAEConfig) -> None:
    """InputError, naming an array or an option, if the state is of another model."""
    check_shapes(state.params, parameter_shapes(config))
    if state.config is None:
        return
    for name in ARCHITECTURE:
        found, wanted = getattr(state.config, name), getattr(config, name)
        if found != wanted:
            raise InputError(
                f"the state has {name} {found}, but the model has {wanted}; "
                "it belongs to another model"
            )


def check_shapes(params: Parameters, expected: dict[str, tuple[int, ...]]) -> None:
    """InputError if parameters do not have these names and shapes."""
    found = shapes_of(params)
    for name in {**expected, **found}:
        if found.get(name) != expected.get(name):
            raise InputError(
                f"the state has {name} of shape {found.get(name)}, but the model has "
                f"{expected.get(name)}; it belongs to another model"
            )


def shapes_of(params: Parameters) -> dict[str, tuple[int, ...]]:
    """name -> shape"""
    return {name: array.shape for name, array in params.items()}
