"""The state of a training run: everything that changes while it trains.

A checkpoint saves all of it, so a resumed run is bit-for-bit identical to one that was never interrupted. Every epoch
has a random generator of its own, seeded by (seed, epoch), so its random numbers depend on nothing before it.
"""

from dataclasses import dataclass, field

import numpy as np

from ..data.pixels import scale_of
from ..errors import InputError
from ..settings import ARCHITECTURE, TrainingOptions, VAEConfig, check_together
from ..vae.adam import Adam
from ..vae.parameters import Parameters, glorot_init, init_params, parameter_shapes


@dataclass
class TrainingState:
    """Parameters, optimizer, position and results of a run.

    params, adam     the model and its optimizer
    epoch            the current epoch, counted from 1; after an epoch, the one that has just ended
    batches_done     batches of this epoch that are done
    loss_sum         the sum of their images' losses
    epoch_seconds    the time that they took
    rng              this epoch's random generator, in its present state; None between epochs
    config           the model that the parameters belong to; None: any model of their shapes
    history          one row per finished epoch: epoch, train_loss, test_loss, reconstruction, kl, seconds, active_units
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

    def __repr__(self) -> str:
        return f"<TrainingState: epoch {self.epoch}, batch {self.batches_done}, {self.params.vector.size:,} parameters>"

    def begin_epoch(self, seed: int, count: int) -> np.ndarray:
        """Begin the next epoch, or continue the one that was interrupted; return the order of its `count` images."""
        interrupted = self.rng is not None
        if not interrupted:
            self.epoch = len(self.history) + 1
            self.batches_done, self.loss_sum, self.epoch_seconds = 0, 0.0, 0.0
        rng = np.random.default_rng([seed, self.epoch])
        order = rng.permutation(count)
        if (
            not interrupted
        ):  # an interrupted epoch has its generator already, as its last batch left it
            self.rng = rng
        return order

    def end_batch(self, loss: float, count: int, seconds: float) -> None:
        """Count a finished batch of `count` images."""
        self.batches_done += 1
        self.loss_sum += loss * count
        self.epoch_seconds += seconds

    def end_epoch(self, row: dict) -> None:
        """Append the epoch's row of results; the next epoch then starts its own randomness."""
        self.history.append(row)
        self.rng = None


def initial_state(
    images: np.ndarray, config: VAEConfig, options: TrainingOptions
) -> TrainingState:
    """New parameters and optimizer; `images` are for glorot's mean. ValueError if model and options contradict."""
    check_together(config, options)
    rng = np.random.default_rng(options.seed)
    params = init_params(config, rng)
    if options.initialization == "glorot":
        mean_image = images.reshape(len(images), -1).mean(axis=0, dtype=np.float64)
        mean_image /= scale_of(images)
        glorot_init(params, mean_image, config, np.random.default_rng(options.seed))
    return TrainingState(params, make_optimizer(params, options), config=config)


def make_optimizer(params: Parameters, options: TrainingOptions) -> Adam:
    """A new Adam with the options' learning rate and epsilon."""
    return Adam(params.vector, options.lr, epsilon=options.adam_epsilon)


def check_model(state: TrainingState, config: VAEConfig) -> None:
    """ValueError, naming an array or an option, if the state's parameters are not those of this model."""
    params = state.params
    expected = parameter_shapes(config)
    for name in {**expected, **params}:
        found = params[name].shape if name in params else None
        if found != expected.get(name):
            raise InputError(
                f"the state has {name} of shape {found}, but the model has {expected.get(name)}; "
                "it belongs to another model"
            )
    if state.config is None:
        return
    for name in ARCHITECTURE:
        found, wanted = getattr(state.config, name), getattr(config, name)
        if found != wanted:
            raise InputError(
                f"the state has {name} {found}, but the model has {wanted}; "
                "it belongs to another model"
            )
