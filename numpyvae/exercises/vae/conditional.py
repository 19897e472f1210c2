"""Chapter 14, a model that is told the class: oracles and known errors.

The oracle is arithmetic in 50 decimal digits.
"""

import numpy as np

from ...vae.conditional import class_probabilities, one_hot
from ...vae.iwae import normalized_weights
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial
from .bernoulli import digits

UNEVEN = np.array([0.1, 0.9])
THREE = np.array([0.5, 0.125, 0.375])
LOG_PX = np.array([[-1.0, -3.0, -2.5], [-2.0, -1.5, 0.25]])


def class_probabilities_trials() -> list[Trial]:
    """In 50 digits; with shifts by ±2000, and a class that does not occur"""

    def probability(c, *values):
        """p(c|x); values: the log p(x|c) of all classes, then their p(c)"""
        C = len(values) // 2
        joint = [values[i].exp() * values[C + i] for i in range(C)]
        return joint[c] / sum(joint)

    def row(log_px, prior):
        return [
            digits(lambda *v, c=c: probability(c, *v), *log_px, *prior)
            for c in range(len(prior))
        ]

    def trial(log_px, prior, **options):
        log_px = np.array(log_px)
        expected = np.array([row(image, prior) for image in log_px])
        return Trial({"log_px": log_px, "prior": prior}, expected, **options)

    far = LOG_PX + np.array([[0.0], [-2000.0]])
    return [
        trial([[-1.0]], np.array([1.0])),
        trial([[-1.0, -3.0]], np.array([0.5, 0.5])),
        trial([[-1.0, -3.0]], UNEVEN),
        trial([[-100.0, -102.0]], UNEVEN),  # chapter 14's example
        trial(LOG_PX, THREE),
        trial(LOG_PX.astype(np.float32), THREE, rtol=1e-5),
        trial(LOG_PX[:, :2], np.array([1.0, 0.0])),
        trial(LOG_PX - 2000, THREE, delicate=True, reached=True),
        trial(LOG_PX + 2000, THREE, delicate=True, reached=True),
        trial(far, THREE, delicate=True, reached=True),
    ]


# Known errors


def log_joint(log_px, prior):
    """log p(c) p(x|c)"""
    return log_px + np.log(prior)


def over_classes(log_joint):
    """exp, normalized over the classes of each image"""
    return normalized_weights(log_joint.T).T


def most_probable(log_px, prior):
    """1 for the most probable class of each image"""
    return one_hot(log_joint(log_px, prior).argmax(axis=1), len(prior), log_px.dtype)


def products_of_logarithms(log_px, prior):
    """p(c) log p(x|c), divided by their sum"""
    products = prior * log_px
    return products / products.sum(axis=1, keepdims=True)


def plain(log_px, prior):
    """(14.3) as it stands"""
    joint = prior * np.exp(log_px)
    return joint / joint.sum(axis=1, keepdims=True)


def largest_of_all(log_px, prior):
    """(14.3) without the largest log p(x|c) of all images"""
    return plain(log_px - log_px.max(), prior)


ERRORS = errors_of(
    "class_probabilities",
    {
        "the prior is missing: right only if all classes are equally frequent": (
            lambda log_px, prior: over_classes(log_px)
        ),
        "the prior itself is added; to log p(x|c) belongs its logarithm": (
            lambda log_px, prior: over_classes(log_px + prior)
        ),
        "divided by the prior: its logarithm must be added, not subtracted": (
            lambda log_px, prior: over_classes(log_px - np.log(prior))
        ),
        "log p(x|c) is multiplied by the prior; the prior's factor belongs to p(x|c)": (
            lambda log_px, prior: over_classes(log_px * prior)
        ),
        "normalized over the images: the classes of each image must sum to 1": (
            lambda log_px, prior: normalized_weights(log_joint(log_px, prior))
        ),
        "normalized before the prior is multiplied: the sum is then not 1": (
            lambda log_px, prior: over_classes(log_px) * prior
        ),
        "not normalized: the most probable class has 1": lambda log_px, prior: np.exp(
            log_joint(log_px, prior)
            - log_joint(log_px, prior).max(axis=1, keepdims=True)
        ),
        "not normalized: this is p(c) p(x|c)": lambda log_px, prior: np.exp(
            log_joint(log_px, prior)
        ),
        "1 for the most probable class, 0 for the others": most_probable,
        "the logarithms are normalized: exp is missing": products_of_logarithms,
        "this is log p(c|x): exp is missing": lambda log_px, prior: np.log(
            class_probabilities(log_px, prior)
        ),
        "improbable images make probable classes: the sign of log p(x|c)": (
            lambda log_px, prior: class_probabilities(-log_px, prior)
        ),
        "the same for every class: 1/C": lambda log_px, prior: np.full_like(
            log_px, 1 / len(prior)
        ),
        "the prior, whatever the image is": lambda log_px, prior: (
            prior + np.zeros_like(log_px)
        ),
        "correct on paper, but exp overflows or becomes 0: take the largest of each "
        "image out first": plain,
        "correct on paper, but the largest of all images is taken out: exp of an image "
        "far below it becomes 0": largest_of_all,
    },
)
