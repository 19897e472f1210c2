"""Oracles for chapters 10 and 11: importance weights and the path derivative, by the formulas of reference.py."""

import numpy as np

from .. import reference
from ..judge.verdict import Trial, parts
from .model import Model, backward_trials, models, text, trials_of


def log_importance_weights_trials() -> list[Trial]:
    """By the reference model, from densities in σ"""

    def call(f, functions, params, x, eps, config):
        mu, sigma = reference.posterior(params, x, config)
        return parts(
            f(params, x, mu, 2 * np.log(sigma), eps, config), None, "a tuple (log_w, …)"
        )[0]

    def value(model):
        return reference.log_weights(
            model.params,
            model.x,
            *reference.posterior(model.params, model.x, model.config),
            model.eps,
            model.config,
        )

    return trials_of("log_importance_weights", value, call)


def negative_iwae_trials() -> list[Trial]:
    """By the reference model"""
    return trials_of(
        "negative_iwae",
        lambda model: reference.iwae_loss(*model[2:], model.config),
        lambda f, functions, *inputs: parts(f(*inputs), 2, "a pair (loss, cache)")[0],
    )


def negative_iwae_backward_trials() -> list[Trial]:
    """By complex steps through the reference model"""

    def expected(model):
        return reference.gradient(
            lambda p: reference.iwae_loss(p, model.x, model.eps, model.config),
            model.params,
        )

    return backward_trials("negative_iwae_backward", "negative_iwae", expected)


def negative_elbo_stl_backward_trials() -> list[Trial]:
    """By complex steps through the reference model, with log q's parameters held constant"""

    def expected(model: Model):
        held = reference.posterior(model.params, model.x, model.config)
        return reference.gradient(
            lambda p: reference.stl_loss(p, model.x, model.eps, model.config, held),
            model.params,
        )

    return backward_trials("negative_elbo_stl_backward", "negative_elbo_stl", expected)


def negative_iwae_dreg_backward_trials() -> list[Trial]:
    """By complex steps through Σ w̃² log w, with w̃ and log q's parameters held constant"""

    def expected(model: Model):
        held = reference.posterior(model.params, model.x, model.config)
        w = np.exp(
            reference.log_weights(model.params, model.x, *held, model.eps, model.config)
        )
        w /= w.sum(axis=0)

        def encoder_loss(p):  # a path derivative with the weights squared
            log_w = reference.log_weights(
                p,
                model.x,
                *reference.posterior(p, model.x, model.config),
                model.eps,
                model.config,
                held,
            )
            return -(w**2 * log_w).sum() / len(model.x)

        both = [
            reference.gradient(loss, model.params)
            for loss in (
                encoder_loss,
                lambda p: reference.iwae_loss(p, model.x, model.eps, model.config),
            )
        ]
        return tuple(
            first if name.startswith("encoder") else second
            for name, first, second in zip(model.params, *both, strict=True)
        )

    return backward_trials("negative_iwae_dreg_backward", "negative_iwae", expected)


def log_marginal_trials() -> list[Trial]:
    """By the reference model. The noise is one sequence, however it is divided into chunks, if there is one image."""

    def call(f, functions, params, x, eps, config, num_samples, chunk_rows):
        rng = np.random.default_rng(5)
        return parts(
            f(params, x, config, num_samples, rng, chunk_rows),
            2,
            "a pair (log_px, error)",
        )

    def value(model, x, num_samples):
        eps = np.random.default_rng(5).standard_normal(
            (num_samples, len(x), model.config.latent_dim)
        )
        log_w = reference.log_weights(
            model.params,
            x,
            *reference.posterior(model.params, x, model.config),
            eps,
            model.config,
        )
        w = np.exp(log_w - log_w.max(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = ((w - w.mean(axis=0)) ** 2).sum(axis=0) / np.float64(
                num_samples - 1
            )
        return log_w.max(axis=0) + np.log(w.mean(axis=0)), np.sqrt(
            variance / num_samples
        ) / w.mean(axis=0)

    def trial(model, num_samples, chunk_rows, x=None, words=""):
        x = model.x[:1] if x is None else x
        inputs = {
            "params": model.params,
            "x": x,
            "eps": None,
            "config": model.config,
            "num_samples": num_samples,
            "chunk_rows": chunk_rows,
        }
        return Trial(
            inputs,
            value(model, x, num_samples),
            call,
            delicate=bool(words),
            reached=num_samples > 1 and bool(words),
            text=text(
                model._replace(x=x),
                (f"log_marginal with {num_samples} samples, chunk_rows={chunk_rows}"),
            )
            + words,
        )

    smallest, *_ = found = models()
    far = smallest.x + np.array([[0.0], [60.0]])  # exp(log w) of the second image is 0
    return [
        *(
            trial(model, *sizes)
            for sizes in ((2, 400), (10, 400), (10, 4), (1000, 7))
            for model in found[:3]
        ),
        trial(smallest, 10, 4, far[1:], "; so improbable that exp(log w) is 0"),
        trial(smallest, 10, 400, far, "; one so improbable that exp(log w) is 0"),
        trial(smallest, 1, 400, words="; one weight has no variance"),
    ]
