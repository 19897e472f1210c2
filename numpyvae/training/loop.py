"""Training: minibatches, epochs, and the score on held-out images.

An epoch visits the images once, in an order drawn anew, a minibatch at a time: pixels to numbers in [0, 1], forward,
backward, Adam. Its average loss is the mean over all images of the loss that each had when its turn came.

Every epoch has a random generator of its own, seeded by (seed, epoch), for its order, noise and binarization; scoring
has another. So an epoch's randomness depends on nothing before it, and from a generator's state and the number of
batches done, a half-finished epoch goes on as if it had never stopped. Same seed, same machine, same result to the bit.

Grey pixels can be made 0 or 1: by a threshold of ½, or dynamically, each drawn with its grey value as the probability,
anew each time. These are different data: losses with and without are not to be compared.

Source: Kingma & Welling 2014, Algorithm 1; Burda et al. 2016, section 5, for the rate's stages. Next: evaluation.
"""

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Callable, Iterator, NamedTuple

import numpy as np

from ..vae.adam import Adam
from ..settings import TrainingOptions, VAEConfig, check_together
from .parallel import Pair, shared
from .step import NotFiniteError, Step
from ..vae.elbo import negative_elbo
from ..vae.parameters import Parameters, init_params, parameter_shapes

SCORING = 2  # what seeds the scoring generator, beside the seed and the epoch


@dataclass
class State:
    """Where a training run stands: what a checkpoint saves, and all that resuming needs."""

    params: Parameters
    adam: Adam
    epoch: int = 1  # the epoch under way, counted from 1
    batch: int = 0  # how many of its batches are done
    total: float = 0.0  # their summed loss
    seconds: float = 0.0  # the time they took
    rng: np.random.Generator | None = None  # the epoch's generator; None before its first batch
    history: list[dict] = field(default_factory=list)  # a row for each epoch that is done


class Score(NamedTuple):
    """Means over images, in nats: loss = kl − reconstruction, the negative ELBO."""

    loss: float
    reconstruction: float
    kl: float


def start(images: np.ndarray, config: VAEConfig, options: TrainingOptions) -> State:
    """Fresh parameters, by the options' recipe. ValueError if the model and the options do not go together."""
    check_together(config, options)
    params = init_params(config, np.random.default_rng(options.seed))
    if options.initialization == "glorot":
        glorot(params, images, config, np.random.default_rng(options.seed))
    return State(params, optimizer(params, options))


def optimizer(params: Parameters, options: TrainingOptions) -> Adam:
    return Adam(params.vector, options.lr, epsilon=options.adam_epsilon)


def glorot(params: Parameters, images: np.ndarray, config: VAEConfig, rng: np.random.Generator) -> None:
    """Weights uniform in ±√(6/(fan_in + fan_out)), biases 0, but the output's: that is what gives each pixel's mean.

    For a Bernoulli decoder it is the mean's logit, of means kept within 0.001 of 0 and 1. Source: Glorot & Bengio 2010,
    eq. 16; Burda et al. 2016 for the output bias.
    """
    for name, array in params.items():
        if name.endswith(".W"):
            array[...] = rng.uniform(-1, 1, array.shape) * math.sqrt(6 / sum(array.shape))
        elif name.endswith(".b"):
            array[...] = 0
            output_bias = array
    mean = images.reshape(len(images), -1).mean(axis=0, dtype=np.float64) / (255 if images.dtype == np.uint8 else 1)
    clipped = np.clip(mean, 0.001, 0.999)
    output_bias[...] = np.log(clipped / (1 - clipped)) if config.likelihood == "bernoulli" else mean


def pixels(images: np.ndarray, binarize: str, rng: np.random.Generator, part: slice = slice(None)) -> np.ndarray:
    """Images (N, rows, cols) or rows (N, D) -> float32 (N, D), grey or binarized; uint8 is divided by 255, floats are not

    Of a part of the images, if one is named; random numbers are drawn for all.
    """
    x = images.reshape(len(images), -1)[part]
    x = x * np.float32(1 / 255) if x.dtype == np.uint8 else x.astype(np.float32, copy=False)
    if binarize == "threshold":
        return (x >= 0.5).astype(np.float32)
    if binarize == "dynamic":
        return (rng.random((len(images), x.shape[1]), dtype=np.float32)[part] < x).astype(np.float32)
    return x


def learning_rate(options: TrainingOptions, epoch: int) -> float:
    """constant: lr.    burda: stages i = 0 … 7 of 3ⁱ epochs at lr · 10^(−i/7), 3,280 in all, stretched to fit `epochs`

    Over the last `anneal` epochs it falls in equal steps, the next of which would be 0. Adam's steps do not shrink as the
    gradient does, so at a constant rate the parameters end in a walk about their goal; this brings them home.
    """
    left = options.epochs - epoch + 1
    share = min(1.0, left / (options.decay_epochs + 1))
    if options.schedule == "constant":
        return options.lr * share
    place = (epoch - 1) / options.epochs * 3280  # epochs of the recipe that are behind
    stage = sum(place >= (3**i - 1) / 2 for i in range(1, 8))  # 3⁰ + … + 3^(i−1) = (3ⁱ − 1)/2
    return options.lr * 10 ** (-stage / 7) * share


def train(images: np.ndarray, test_images: np.ndarray, config: VAEConfig, options: TrainingOptions, *,
          state: State | None = None, processes: int = 1,
          after_batch: Callable[[State, float], None] = lambda state, loss: None,
          after_epoch: Callable[[State], None] = lambda state: None) -> State:
    """Train on images, as `pixels` takes them, from `state` or from the start, to the end of epoch `options.epochs`.

    `after_batch(state, loss)` is called after each step, `after_epoch(state)` after each epoch's scoring, which appends
    to state.history: epoch, train_loss, test_loss, reconstruction, kl (nats an image; loss = reconstruction + kl), seconds.
    Without test images, (0, …), their figures are NaN.
    `processes` = 2 shares each step out between two (see step). Start Python with OMP_NUM_THREADS at half of the cores, or else
    they are slower by far than one. The callbacks may then read `state`, but not change it: the second process is at the
    next step already.
    Raises NotFiniteError before a step that would use a loss or gradient that is not finite; ChildProcessError if the second
    process is killed, maybe in the middle of a step: go on from a saved state, not from this one.
    """
    state = state or start(images, config, options)
    with in_shared_memory(state, config, processes), Pair(processes) as pair:
        step = Step(state.params, state.adam, config, options.objective, pair)
        pair.fork(lambda: help_out(images, config, options, state, step))
        while state.epoch <= options.epochs:
            began = time.perf_counter()
            for n, loss in steps(images, config, options, state, step):
                state.batch, state.total = state.batch + 1, state.total + loss * n
                state.seconds += time.perf_counter() - began
                after_batch(state, loss)
                began = time.perf_counter()
            rng = np.random.default_rng([options.seed, state.epoch, SCORING])
            test = Score(math.nan, math.nan, math.nan)
            if len(test_images):
                test = score(state.params, pixels(test_images, options.binarize, rng), config, rng)
            state.history.append(dict(epoch=state.epoch, train_loss=state.total / len(images), test_loss=test.loss,
                                      reconstruction=-test.reconstruction, kl=test.kl, seconds=state.seconds))
            state.epoch, state.batch, state.total, state.seconds, state.rng = state.epoch + 1, 0, 0.0, 0.0, None
            after_epoch(state)
    return state


def steps(images: np.ndarray, config: VAEConfig, options: TrainingOptions, state: State, step: Step) -> Iterator[tuple[int, float]]:
    """Takes what is left of the epoch under way, a minibatch at a time: how many images it had, and their loss

    Random numbers are drawn for the whole minibatch, so that they do not depend on who does which part of it.
    """
    state.adam.lr = learning_rate(options, state.epoch)
    rng = np.random.default_rng([options.seed, state.epoch])
    order = rng.permutation(len(images))
    state.rng = rng = state.rng or rng
    for first in range(state.batch * options.batch_size, len(images), options.batch_size):
        batch = images[order[first : first + options.batch_size]]
        part = step.pair.part(len(batch))
        x = pixels(batch, options.binarize, rng, part)
        eps = draw_noise(rng, len(batch), config, options)[..., part, :]
        try:
            loss = step(len(batch), x, eps)
        except NotFiniteError as error:
            raise NotFiniteError(f"epoch {state.epoch}, batch {state.batch + 1}: {error}; "
                                 "a smaller learning rate may help") from None
        yield len(batch), loss


def help_out(images: np.ndarray, config: VAEConfig, options: TrainingOptions, state: State, step: Step) -> None:
    """What the second process does: its part of each step, and nothing else. `state` is a copy, its own."""
    try:
        while state.epoch <= options.epochs:
            for _ in steps(images, config, options, state, step):
                pass
            state.epoch, state.batch, state.rng = state.epoch + 1, 0, None
    except NotFiniteError:
        pass  # the first process has the same figures, and reports them


@contextmanager
def in_shared_memory(state: State, config: VAEConfig, processes: int) -> Iterator[None]:
    """While it lasts, θ and Adam's m and v are where two processes see them; then their values are back in their places."""
    if processes == 1:
        yield
        return
    params, m, v = state.params, state.adam.m, state.adam.v
    state.params = Parameters(parameter_shapes(config), shared(params.vector))
    state.adam.m, state.adam.v = shared(m), shared(v)
    try:
        yield
    finally:
        params.vector[...], m[...], v[...] = state.params.vector, state.adam.m, state.adam.v
        state.params, state.adam.m, state.adam.v = params, m, v


def draw_noise(rng, n, config, options):
    """eps (N, L) for one sample of the ELBO, else (J, N, L)"""
    shape = (n, config.latent_dim) if options.num_samples == 1 and options.objective == "elbo" else (options.num_samples, n, config.latent_dim)
    return rng.standard_normal(shape, dtype=np.float32)


def score(params: Parameters, x: np.ndarray, config: VAEConfig, rng: np.random.Generator, batch_size: int = 500) -> Score:
    """The ELBO's two terms on x (N, D), one sample of z an image, with β = 1 whatever the model is trained with."""
    reconstruction = kl = 0.0
    for first in range(0, len(x), batch_size):
        batch = x[first : first + batch_size]
        eps = rng.standard_normal((len(batch), config.latent_dim), dtype=np.float32)
        _, cache = negative_elbo(params, batch, eps, config)
        reconstruction += float(cache.reconstruction.sum(dtype=np.float64))
        kl += float(cache.kl.sum(dtype=np.float64))
    reconstruction, kl = reconstruction / len(x), kl / len(x)
    return Score(kl - reconstruction, reconstruction, kl)
