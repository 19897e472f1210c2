"""Evaluation of a trained model on test images.

    loss            the negative ELBO, reconstruction + KL, always with β = 1, in nats per
                    image
    active units    latent units whose mu varies with x: its variance over the images is
                    above 0.01
    log p(x)        estimated with importance samples, with the Monte Carlo standard error
                    of the mean over the images

An inactive unit carries almost nothing of the image; a model whose units are all inactive
has collapsed. Each batch has noise or a random generator of its own, so results do not
depend on the number of threads. Unlike in training, threads are faster here: NumPy
releases the interpreter lock in its loops, which are long for many samples.

Values for grayscale and for binarized pixels are not comparable, so the result records
the binarization. With dynamic binarization each test image is sampled once, by the
generator that is passed in.

Source: Burda et al. 2016, sections 5 and 5.2.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..data.dataset import Dataset
from ..data.pixels import check_images
from ..errors import InputError
from ..settings import VAEConfig, is_integer
from ..vae.conditional import (
    class_probabilities,
    log_marginal_by_class,
    with_class,
)
from ..vae.elbo import elbo_terms
from ..vae.iwae import effective_sample_size, log_marginal
from ..vae.likelihoods import LIKELIHOODS
from ..vae.model import split_class
from ..vae.parameters import Parameters
from .model_input import check_labels, model_input
from .parallel.threads import limited_blas_threads

ACTIVE_UNIT_VARIANCE = 0.01


class ElboTerms(NamedTuple):
    """Means over images, in nats, and the number of active units; None: not known

    loss = reconstruction + kl is the negative ELBO.
    """

    loss: float
    reconstruction: float
    kl: float
    active_units: int | None


class LogMarginal(NamedTuple):
    """The mean of log p(x) over images, and what it is worth; None: not estimated

    standard_error           √(Σ se²)/N, of sampling z, not of the choice of images
    effective_sample_size    of an image's importance weights, the mean over the images;
                             below some 100 the error says little
    """

    mean: float | None
    standard_error: float | None
    effective_sample_size: float | None


def evaluate_elbo(
    params: Parameters,
    x: np.ndarray,
    config: VAEConfig,
    rng: np.random.Generator,
    batch_size: int = 250,
    threads: int = 1,
) -> ElboTerms:
    """The ELBO's two terms on x (N, D), with one sample of z per image"""
    batches = batches_of(x, batch_size)
    noise = [
        rng.standard_normal((1, len(batch), config.latent_dim), dtype=np.float32)
        for batch in batches
    ]

    def terms(batch: np.ndarray, eps: np.ndarray) -> tuple:
        log_px, kl, cache = elbo_terms(params, batch, eps, config)
        return log_px.sum(dtype=np.float64), kl.sum(dtype=np.float64), cache.mu

    tasks = list(zip(batches, noise, strict=True))
    log_px_sums, kl_sums, mus = zip(*map_in_threads(terms, tasks, threads), strict=True)
    reconstruction = -float(sum(log_px_sums)) / len(x)
    kl = float(sum(kl_sums)) / len(x)
    mu = np.concatenate(mus, dtype=np.float64)
    return ElboTerms(reconstruction + kl, reconstruction, kl, count_active_units(mu))


def batches_of(x: np.ndarray, size: int) -> list[np.ndarray]:
    """The rows of x in batches; the last one may be smaller"""
    return [x[first : first + size] for first in range(0, len(x), size)]


def count_active_units(mu: np.ndarray) -> int:
    """The latent units whose mu (N, L) varies by more than 0.01 over the images"""
    return int((mu.var(axis=0) > ACTIVE_UNIT_VARIANCE).sum())


def evaluate(
    params: Parameters,
    images: ArrayLike,
    config: VAEConfig,
    binarize: str,
    rng: np.random.Generator,
    importance_samples: int = 0,
    batch_size: int = 50,
    threads: int = 1,
    progress: Callable[[int, int, str], object] | None = None,
    labels: ArrayLike | None = None,
    class_samples: int = 0,
    image_shape: tuple[int, int] | None = None,
) -> dict:
    """Images (N, rows, columns) or (N, D) -> the values of a model on them, by name

    elbo, reconstruction, kl, active_units; log_marginal, log_marginal_se and
    effective_sample_size, which are None without importance samples (see LogMarginal);
    importance_samples, images, binarization.

    image_shape (rows, columns), if given, is that of the images that the model was
    trained on: with 5 x 6 pixels for a model of 6 x 5 every value would be wrong.
    InputError for such images, for no images, and for what is no number of samples.

    A model that is told the class needs the labels (N,). Its values are given the class,
    as log p(x|c), and there are two more: class_gain, by how much the bound falls if each
    image is said to have the next class, with the same noise; and with class_samples the
    accuracy of Bayes' rule, by that many importance samples for each class (see
    `accuracy`). A model that ignores the class has a gain of 0.
    """
    images = check_images(
        "images", images, config.input_dim, LIKELIHOODS[config.likelihood].unit_interval
    )
    if len(images) == 0:
        raise InputError(
            f"images has shape {images.shape}: there is no image to evaluate"
        )
    shape = images.shape[1:]
    if image_shape is not None and len(shape) == 2 and shape != tuple(image_shape):
        raise InputError(
            f"images have {shape[0]} x {shape[1]} pixels, but the model was trained on "
            f"{image_shape[0]} x {image_shape[1]}"
        )
    if not is_integer(importance_samples) or importance_samples < 0:
        raise InputError(
            "importance_samples must be an integer, 0 or more, not "
            f"{importance_samples!r}"
        )
    checked = check_labels("labels", labels, len(images), config)
    data = replace(Dataset.in_memory(images[:0], images), test_labels=checked)
    # once: every value is of the same pixels
    x = model_input(data, "test", config, binarize, rng)
    with limited_blas_threads():
        terms = evaluate_elbo(params, x, config, rng, threads=threads)
        log_px = LogMarginal(None, None, None)
        if importance_samples:
            log_px = mean_log_marginal(
                params,
                x,
                config,
                importance_samples,
                rng,
                batch_size,
                threads,
                progress,
            )
        told = {}
        if checked is not None:
            told = evaluate_classes(params, x, checked, config, rng, class_samples)
    return told | {
        "elbo": -terms.loss,
        "reconstruction": terms.reconstruction,
        "kl": terms.kl,
        "active_units": terms.active_units,
        "log_marginal": log_px.mean,
        "log_marginal_se": log_px.standard_error,
        "effective_sample_size": log_px.effective_sample_size,
        "importance_samples": importance_samples,
        "images": len(x),
        "binarization": binarize,
    }


def evaluate_classes(
    params: Parameters,
    x: np.ndarray,
    labels: np.ndarray,
    config: VAEConfig,
    rng: np.random.Generator,
    class_samples: int,
) -> dict:
    """What only a model that is told the class has: rows [x, c] -> see `evaluate`"""
    pixels, _ = split_class(x, config)
    other = with_class(pixels, (labels + 1) % config.num_classes, config)
    seed = rng.integers(2**63)
    losses = [
        evaluate_elbo(params, rows, config, np.random.default_rng(seed)).loss
        for rows in (x, other)
    ]
    result = {"class_gain": losses[1] - losses[0]}
    if class_samples:
        right, se = accuracy(params, pixels, labels, config, class_samples, rng)
        result |= {
            "accuracy": right,
            "accuracy_se": se,
            "class_samples": class_samples,
        }
    return result


def accuracy(
    params: Parameters,
    pixels: np.ndarray,
    labels: np.ndarray,
    config: VAEConfig,
    samples: int,
    rng: np.random.Generator,
    batch_size: int = 50,
) -> tuple[float, float]:
    """The fraction of images (N, D) whose class Bayes' rule finds, and its error

    All classes have the same prior probability. The standard error √(p(1 − p)/N) is that
    of the choice of images.
    """
    prior = np.full(config.num_classes, 1 / config.num_classes)
    right = 0
    for first in range(0, len(pixels), batch_size):
        batch = slice(first, first + batch_size)
        log_px = log_marginal_by_class(params, pixels[batch], config, samples, rng)
        found = class_probabilities(log_px, prior).argmax(axis=1)
        right += int((found == labels[batch]).sum())
    p = right / len(pixels)
    return p, math.sqrt(p * (1 - p) / len(pixels))


def mean_log_marginal(
    params: Parameters,
    x: np.ndarray,
    config: VAEConfig,
    samples: int,
    rng: np.random.Generator,
    batch_size: int,
    threads: int,
    progress: Callable[[int, int, str], object] | None,
) -> LogMarginal:
    """log p(x) of the images x (N, D); the mean is too low, as each log p(x) is"""
    batches = batches_of(x, batch_size)

    def estimate(batch: np.ndarray, rng: np.random.Generator) -> tuple:
        return log_marginal(params, batch, config, samples, rng)

    tasks = list(zip(batches, rng.spawn(len(batches)), strict=True))
    total, variance, effective, done = 0.0, 0.0, 0.0, 0
    for log_px, se in map_in_threads(estimate, tasks, threads):
        total += float(log_px.sum())
        variance += float((se**2).sum())
        effective += float(effective_sample_size(se, samples).sum())
        done += len(log_px)
        if progress:
            progress(done, len(x), "images")
    return LogMarginal(total / len(x), math.sqrt(variance) / len(x), effective / len(x))


def map_in_threads(
    function: Callable, tasks: Sequence[tuple], threads: int
) -> Iterator[Any]:
    """Yield function(*task) for each task, in order, by up to `threads` threads.

    The threads are daemons: an interrupted caller does not wait for them, as it would for
    those of concurrent.futures. They have the caller's context, to which np.errstate
    belongs.
    """
    results: list[SimpleQueue] = [SimpleQueue() for _ in tasks]
    pending = deque(zip(tasks, results, strict=True))

    def work() -> None:
        with suppress(IndexError):  # no task is left
            while True:
                task, result = pending.popleft()
                result.put(_outcome(function, task))

    started = _start_threads(work, threads)
    try:
        for task, result in zip(tasks, results, strict=True):
            value, error = result.get() if started else _outcome(function, task)
            if error is not None:
                raise error
            yield value
        for thread in started:  # no task is left: they are about to end
            thread.join()
    finally:
        pending.clear()


def _start_threads(work: Callable[[], None], count: int) -> list[Thread]:
    """`count` threads, or as many as the system allows; none for one: the caller works"""
    started: list[Thread] = []
    if count == 1:
        return started
    with suppress(RuntimeError):  # the system allows no more threads
        for _ in range(count):
            run = copy_context().run  # with the caller's np.errstate
            thread = Thread(target=run, args=(work,), daemon=True)
            thread.start()
            started.append(thread)
    return started


def _outcome(function: Callable, task: tuple) -> tuple:
    """(value, None), or (None, the exception)"""
    try:
        return function(*task), None
    except BaseException as error:  # noqa: BLE001, the caller raises it
        return None, error
