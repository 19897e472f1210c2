"""Evaluation of a trained model on test images.

    loss            the negative ELBO, reconstruction + KL, always with β = 1          in nats per image
    active units    latent units whose mu varies with x: its variance over the images is above 0.01
    log p(x)        estimated with importance samples, with the Monte Carlo standard error of the mean over the images

An inactive unit carries almost nothing of the image; a model whose units are all inactive has collapsed. Each batch has
noise or a random generator of its own, so results do not depend on the number of threads. Unlike in training, threads
are faster here: NumPy releases the interpreter lock in its loops, which are long for many samples.

Values for grayscale and for binarized pixels are not comparable, so the result records the binarization. With dynamic
binarization each test image is sampled once, by the generator that is passed in.

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
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..data.dataset import Dataset
from ..data.pixels import check_images
from ..settings import VAEConfig
from ..vae.conditional import (
    class_probabilities,
    log_marginal_by_class,
    with_class,
)
from ..vae.elbo import elbo_terms
from ..vae.iwae import log_marginal
from ..vae.likelihoods import LIKELIHOODS
from ..vae.model import split_class
from ..vae.parameters import Parameters
from .model_input import check_labels, model_input
from .parallel.threads import limited_blas_threads

ACTIVE_UNIT_VARIANCE = 0.01


class ElboTerms(NamedTuple):
    """Means over images, in nats: loss = reconstruction + kl, the negative ELBO; and the number of active units"""

    loss: float
    reconstruction: float
    kl: float
    active_units: int


def evaluate_elbo(
    params: Parameters,
    x: np.ndarray,
    config: VAEConfig,
    rng: np.random.Generator,
    batch_size: int = 250,
    threads: int = 1,
) -> ElboTerms:
    """The ELBO's two terms on x (N, D), with one sample of z per image"""
    batches = [x[first : first + batch_size] for first in range(0, len(x), batch_size)]
    noise = [
        rng.standard_normal((1, len(batch), config.latent_dim), dtype=np.float32)
        for batch in batches
    ]

    def terms(batch, eps):
        log_px, kl, cache = elbo_terms(params, batch, eps, config)
        return log_px.sum(dtype=np.float64), kl.sum(dtype=np.float64), cache.mu

    log_px, kl, mu = zip(
        *map_in_threads(terms, list(zip(batches, noise, strict=True)), threads),
        strict=True,
    )
    reconstruction, kl = -float(sum(log_px)) / len(x), float(sum(kl)) / len(x)
    return ElboTerms(
        reconstruction + kl,
        reconstruction,
        kl,
        count_active_units(np.concatenate(mu, dtype=np.float64)),
    )


def count_active_units(mu: np.ndarray) -> int:
    """The number of latent units whose mu (N, L) has a variance above 0.01 over the images"""
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
) -> dict:
    """Images (N, rows, columns) or (N, D) -> elbo, reconstruction, kl, active_units, log_marginal, log_marginal_se,
    importance_samples, images, binarization; log_marginal and its error are None without importance samples.

    A model that is told the class needs the labels (N,). Its values are given the class,
    as log p(x|c), and there are two more: elbo_other_class, the bound if each image is
    said to have the next class, and with class_samples the accuracy of Bayes' rule, by
    that many importance samples for each class (see `accuracy`).
    """
    images = check_images(
        "images", images, config.input_dim, LIKELIHOODS[config.likelihood].unit_interval
    )
    checked = check_labels("labels", labels, len(images), config)
    data = replace(Dataset.in_memory(images[:0], images), test_labels=checked)
    # once: every value is of the same pixels
    x = model_input(data, "test", config, binarize, rng)
    with limited_blas_threads():
        terms = evaluate_elbo(params, x, config, rng, threads=threads)
        log_px, se = None, None
        if importance_samples:
            log_px, se = mean_log_marginal(
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
        "log_marginal": log_px,
        "log_marginal_se": se,
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
    result = {"elbo_other_class": -evaluate_elbo(params, other, config, rng).loss}
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
) -> tuple[float, float]:
    """The mean of log p(x) over x (N, D), and its standard error √(Σ se²)/N

    That is the error of sampling z, not of the choice of images. The mean is too low, as each log p(x) is.
    """
    batches = [x[first : first + batch_size] for first in range(0, len(x), batch_size)]

    def estimate(batch, rng):
        return log_marginal(params, batch, config, samples, rng)

    total, variance, done = 0.0, 0.0, 0
    for log_px, se in map_in_threads(
        estimate, list(zip(batches, rng.spawn(len(batches)), strict=True)), threads
    ):
        total += float(log_px.sum())
        variance += float((se**2).sum())
        done += len(log_px)
        if progress:
            progress(done, len(x), "images")
    return total / len(x), math.sqrt(variance) / len(x)


def map_in_threads(
    function: Callable, tasks: Sequence[tuple], threads: int
) -> Iterator:
    """Yield function(*task) for each task, in order, computed by as many threads as the system allows.

    The threads are daemons: an interrupted caller does not wait for them, as it would for those of concurrent.futures.
    They have the caller's context, to which np.errstate belongs.
    """
    results = [SimpleQueue() for _ in tasks]
    pending = deque(zip(tasks, results, strict=True))

    def work() -> None:
        with suppress(IndexError):  # no task is left
            while True:
                task, result = pending.popleft()
                result.put(_outcome(function, task))

    started = []
    with suppress(RuntimeError):  # the system allows no more threads
        while 1 < threads != len(started):
            thread = Thread(
                target=copy_context().run, args=(work,), daemon=True
            )  # with the caller's np.errstate
            thread.start()
            started.append(thread)
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


def _outcome(function: Callable, task: tuple) -> tuple:
    """(value, None), or (None, the exception)"""
    try:
        return function(*task), None
    except BaseException as error:
        return None, error
