"""Training: Algorithm 1 of Kingma & Welling 2014, by epochs and minibatches.

An epoch visits the images once, in a new random order, minibatch by minibatch. A
minibatch is scaled to [0, 1] and, if the options say so, binarized. It gets its noise
eps and goes through one step: forward, backward, update (`step`). The epoch's training
loss is the mean over the images of the loss that each had in its minibatch, before the
update. Then the model is evaluated on the test images. (`history` says when the
training loss and the test loss are the same quantity.)

Same seed, same number of processes, same machine: identical results, also when training
is interrupted and resumed. Each epoch has a random generator of its own. In an
interrupted epoch

    sampled again    the order of the images, from the seed and the epoch
    skipped          the minibatches that are done, `batches_done`
    restored         from the state: θ, Adam's m, v and t, the sum of the losses, and
                     the generator, as the last minibatch left it

tests/training/test_algorithm.py writes two epochs once more, in 20 plain lines, and
compares the bits.

Source: Kingma & Welling 2014, Algorithm 1.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from ..data.dataset import Dataset
from ..data.pixels import check_columns, check_images
from ..errors import InputError
from ..settings import TrainingOptions, VAEConfig, check_together
from ..vae.likelihoods import LIKELIHOODS
from .evaluation import ElboTerms, evaluate_elbo
from .history import COLUMNS
from .model_input import check_labels, model_input
from .parallel.interrupts import deferred_interrupt
from .parallel.step import training_step
from .parallel.threads import check_processes, default_processes, limited_blas_threads
from .schedule import kl_weight, learning_rate
from .state import TrainingState, check_model, initial_state
from .step import NotFiniteError
from .streams import stream


def train(
    images: ArrayLike,
    test_images: ArrayLike | None,
    config: VAEConfig,
    options: TrainingOptions,
    *,
    labels: ArrayLike | None = None,
    test_labels: ArrayLike | None = None,
    state: TrainingState | None = None,
    processes: int | None = None,
    after_batch: Callable[[TrainingState, float], object] | None = None,
    after_epoch: Callable[[TrainingState], object] | None = None,
    progress: Callable[[int, int, str], object] | None = None,
) -> TrainingState:
    """Train to the end of epoch `options.epochs`, in place; return the state.

    images, test_images  (N, rows, columns) or (N, D): uint8, 0 to 255, or floats; test
                         images may be None
    labels, test_labels  (N,), integers from 0, for a model that is told the class
    state                where to begin; None: with new parameters
    processes            the number of processes that share each step; None: two where
                         that is safe and faster, else one
    after_batch          called with (state, loss) after each step
    after_epoch          called with (state) after each epoch; its results are
                         state.history[-1], in nats per image
    progress             called with (images done, images in all, "images") after each
                         step

    A callback that returns True, Python's or NumPy's, stops training; any other value
    is ignored. Training the returned state continues it.

    Callbacks may change the state, and references to `state.params` and `state.adam`
    stay live, with any number of processes. (Several processes move the numbers into
    shared memory. So take an array from them inside the callback: one that was taken
    before, such as state.params["encoder.0.W"], has its new numbers when `train` ends.)

    Ctrl-C is KeyboardInterrupt after the batch, from where `state` can be trained on; a
    second Ctrl-C does not wait for the batch.

    Raises InputError for images that do not fit the model, NotFiniteError before an
    update with a loss or gradient that is not finite, and ChildProcessError if a worker
    process is killed (the state may then be inconsistent).
    """
    check_together(config, options)
    unit_interval = LIKELIHOODS[config.likelihood].unit_interval
    images = check_images("images", images, config.input_dim, unit_interval)
    if not unit_interval:
        check_columns("images", images)
    if len(images) == 0:
        raise InputError(
            f"images has shape {images.shape}: there is no image to train on"
        )
    if test_images is not None:
        test_images = check_images(
            "test_images", test_images, config.input_dim, unit_interval
        )
    data = Dataset.in_memory(images, test_images)
    data = replace(data, labels=check_labels("labels", labels, len(images), config))
    if test_images is not None:
        checked = check_labels("test_labels", test_labels, len(test_images), config)
        data = replace(data, test_labels=checked)
    if state is None:
        state = initial_state(images, config, options)
    check_model(state, config)
    if processes is None:
        processes = default_processes()
    check_processes(processes)
    # the step's arrays have the size of a batch: no larger than the data
    options = replace(options, batch_size=min(options.batch_size, len(images)))

    with (
        limited_blas_threads(),
        training_step(state, config, options, processes) as step,
    ):
        while len(state.history) < options.epochs:
            order, rng = state.begin_epoch(options.seed, len(images))
            state.adam.lr = learning_rate(options, state.epoch)
            step.config = replace(config, beta=kl_weight(config, options, state.epoch))

            for batch in minibatches(order, state.batches_done, options.batch_size):
                started = time.perf_counter()
                with deferred_interrupt(), batch_named(state):
                    x = model_input(data, "train", config, options.binarize, rng, batch)
                    eps = sample_noise(rng, len(batch), config, options)
                    loss = step(x, eps)
                    state.end_batch(loss, len(batch), time.perf_counter() - started)
                if progress:
                    done = images_done(state, options, len(images))
                    progress(done, options.epochs * len(images), "images")
                if after_batch and is_true(after_batch(state, loss)):
                    return state

            row = epoch_results(state, data, config, options, processes)
            with deferred_interrupt():
                state.end_epoch(row)
            if after_epoch and is_true(after_epoch(state)):
                return state
    return state


def minibatches(
    order: np.ndarray, batches_done: int, batch_size: int
) -> Iterator[np.ndarray]:
    """The indices of each minibatch left of an epoch; the last may be smaller"""
    for first in range(batches_done * batch_size, len(order), batch_size):
        yield order[first : first + batch_size]


def sample_noise(
    rng: np.random.Generator, n: int, config: VAEConfig, options: TrainingOptions
) -> np.ndarray:
    """eps ~ N(0, 1), (J, N, L), in float32"""
    return rng.standard_normal(
        (options.num_samples, n, config.latent_dim), dtype=np.float32
    )


def epoch_results(
    state: TrainingState,
    data: Dataset,
    config: VAEConfig,
    options: TrainingOptions,
    threads: int = 1,
) -> dict:
    """A row of state.history, in nats per image.

    Without test images their values are NaN, and the active units None.
    """
    terms = ElboTerms(math.nan, math.nan, math.nan, None)
    if len(data.test_images):
        rng = stream("evaluation", options.seed, state.epoch)
        x = model_input(data, "test", config, options.binarize, rng)
        terms = evaluate_elbo(state.params, x, config, rng, threads=threads)
    values = (
        state.epoch,
        state.loss_sum / len(data.images),
        terms.loss,
        terms.reconstruction,
        terms.kl,
        state.epoch_seconds,
        terms.active_units,
    )
    return dict(zip(COLUMNS, values, strict=True))


def images_done(state: TrainingState, options: TrainingOptions, count: int) -> int:
    """The images that all epochs have visited so far, `count` in each"""
    of_this_epoch = min(state.batches_done * options.batch_size, count)
    return (state.epoch - 1) * count + of_this_epoch


def is_true(value: object) -> bool:
    """True or NumPy's True, which a comparison of NumPy numbers gives.

    False for any other value, such as a count.
    """
    return isinstance(value, (bool, np.bool_)) and bool(value)


@contextmanager
def batch_named(state: TrainingState) -> Iterator[None]:
    """Inside the block a NotFiniteError is told its epoch and batch."""
    try:
        yield
    except NotFiniteError as error:
        remedy = "a smaller learning rate may help"
        if state.adam.t == 0:  # which has had no effect yet
            remedy = "the data or the first parameters are too large"
        raise NotFiniteError(
            f"epoch {state.epoch}, batch {state.batches_done + 1}: {error}; {remedy}"
        ) from None
