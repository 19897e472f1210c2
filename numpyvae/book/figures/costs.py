"""The cost of known errors: models trained with one error each, beside one that is
trained correctly.

Each error is a switch in `gradients`, which repeats the lines of `negative_elbo` and
its backward pass with the package's own functions. With no switch it gives their loss
and gradient. All models see the same images in the same order, from the same initial
parameters, and are evaluated by the package: log p(x) with importance samples, and
active units. The words are those of `known_errors`, where it has the error.

A gradient check finds one of them, samples treated as data. In the others forward and
backward agree, or the gradient is right and its use is wrong.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...data.pixels import to_input
from ...errors import InputError
from ...exercises.judge.known_errors import known_errors
from ...pictures.samples import sample_images
from ...settings import TrainingOptions, VAEConfig
from ...training.evaluation import evaluate
from ...training.loop import minibatches
from ...training.parallel.threads import limited_blas_threads
from ...vae.adam import Adam
from ...vae.gaussian import (
    kl_divergence,
    kl_divergence_backward,
    reparameterize,
    reparameterize_backward,
)
from ...vae.likelihoods import LIKELIHOODS
from ...vae.model import (
    decode,
    decode_backward,
    encode,
    encode_backward,
    prior_parameters,
)
from ...vae.parameters import Parameters, init_params, zero_parameters

EPOCHS, EVALUATED, IMPORTANCE_SAMPLES, SAMPLES = 15, 200, 200, 8


class Variant(NamedTuple):
    """One way to train: an error in words, and its switch, the value of one field that
    differs from the default.
    """

    words: str
    kl_weight: float = 1.0
    pixel_mean: bool = False
    variance: bool = False
    detached: bool = False
    noise: str = "normal"
    bias_correction: bool = True


def known_words(name: str, part: str) -> str:
    """The one known error of a function whose words contain `part`, as "name: words".

    Raises ValueError if there is not exactly one.
    """
    found = [error.words for error in known_errors(name) if part in error.words]
    if len(found) != 1:
        raise InputError(
            f"{name} has {len(found)} known errors with the words {part!r}; "
            "it must have one"
        )
    return f"{name}: {found[0]}"


CORRECT = Variant("no error")
ERRORS = (
    Variant(
        known_words("reparameterize", "this is mu + exp(logvar)·eps"), variance=True
    ),
    Variant(known_words("negative_elbo", "the KL has the wrong sign"), kl_weight=-1.0),
    Variant(known_words("kl_divergence", "the factor ½ is missing"), kl_weight=2.0),
    Variant(known_words("log_prob", "this is a mean over the pixels"), pixel_mean=True),
    Variant(known_words("elbo_terms", "the decoder never sees noise"), noise="none"),
    Variant("the noise eps is uniform in [0, 1); it must be normal", noise="uniform"),
    Variant("samples are treated as data: no gradient passes through z", detached=True),
    Variant(known_words("Adam.step", "no bias correction"), bias_correction=False),
)


class Cost(NamedTuple):
    """An error's cost: log p(x) in nats per image, active units, samples (8, rows,
    columns); None if not finite.
    """

    words: str
    log_px: float | None
    active_units: int | None
    samples: np.ndarray | None


def costs(
    images: np.ndarray, test_images: np.ndarray, epochs: int = EPOCHS
) -> Iterator[Cost]:
    """The cost of no error and of each of ERRORS, one after the other. images: uint8
    (N, rows, columns).
    """
    config, shape = VAEConfig(input_dim=images[0].size), images.shape[1:]
    for error in (CORRECT, *ERRORS):
        with limited_blas_threads(1):  # small matrices: more threads would mostly wait
            params = train_with(error, images, config, epochs)
        if not np.isfinite(params.vector).all():
            yield Cost(error.words, None, None, None)
            continue
        results = evaluate(
            params,
            test_images[:EVALUATED],
            config,
            "none",
            np.random.default_rng(2),
            IMPORTANCE_SAMPLES,
        )
        yield Cost(
            error.words,
            results["log_marginal"],
            results["active_units"],
            sample_images(params, config, shape, np.random.default_rng(3), SAMPLES),
        )


def train_with(
    error: Variant, images: np.ndarray, config: VAEConfig, epochs: int
) -> Parameters:
    """Train as `train` does, with the error; stop where the gradient is no longer
    finite.
    """
    options, rng = TrainingOptions(), np.random.default_rng(1)
    params = init_params(config, rng)
    adam = Adam(params.vector, options.lr)
    for _ in range(epochs):
        for batch in minibatches(rng.permutation(len(images)), 0, options.batch_size):
            x = to_input(images[batch], "none", rng)
            eps = sample_noise(error, rng, (1, len(x), config.latent_dim))
            with np.errstate(over="ignore", invalid="ignore"):
                _, grads = gradients(error, params, x, eps, config)
                if not error.bias_correction:
                    adam.t = 10**9  # as if the sums had run forever: nothing to correct
                adam.step(params.vector, grads.vector)
            if not np.isfinite(params.vector).all():
                return params
    return params


def sample_noise(
    error: Variant, rng: np.random.Generator, shape: tuple[int, ...]
) -> np.ndarray:
    """eps, or what the error takes for it"""
    normal = rng.standard_normal(shape, dtype=np.float32)
    uniform = rng.random(shape, dtype=np.float32)
    zero = np.zeros_like(normal)
    return {"normal": normal, "none": zero, "uniform": uniform}[error.noise]


def gradients(
    error: Variant,
    params: Parameters,
    x: np.ndarray,
    eps: np.ndarray,
    config: VAEConfig,
) -> tuple[float, Parameters]:
    """The loss and its gradient, as a program with the error computes them."""
    J, N, _ = eps.shape
    likelihood = LIKELIHOODS[config.likelihood]
    grads = zero_parameters(config, params.vector.dtype)
    scale = 1 / config.input_dim if error.pixel_mean else 1.0
    (mu, logvar), encoder_cache = encode(params, x, config)
    exponent = 2 if error.variance else 1  # exp(2 logvar/2) is σ²
    z = reparameterize(mu, exponent * logvar, eps)
    y, decoder_cache = decode(params, z, config)
    prior = prior_parameters(config, mu.dtype)
    log_px = likelihood.log_prob(params, x, y, config).sum(axis=0) / J
    kl = kl_divergence(mu, logvar, *prior).sum(axis=-1)
    loss = float((error.kl_weight * kl - scale * log_px).mean())

    dmu_kl, dlogvar_kl = kl_divergence_backward(error.kl_weight / N, mu, logvar, *prior)
    dy = likelihood.log_prob_backward(
        np.full((J, N), -scale / (J * N), y.dtype), params, x, y, config, grads
    )
    dz, _ = decode_backward(dy, decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, exponent * logvar, eps)
    through = 0 if error.detached else 1
    return loss, encode_backward(
        dmu_kl + through * dmu_z,
        dlogvar_kl + through * exponent * dlogvar_z,
        encoder_cache,
        config,
        grads,
    )
