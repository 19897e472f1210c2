"""Oracles for chapters 11 and 12: importance weights and the path derivative, by the formulas of reference.py."""

import numpy as np

from . import reference
from .judge import Case, parts
from .oracles_model import Model, backward_cases, cases_of


def log_importance_weights_cases() -> list[Case]:
    """By the reference model, from densities in σ"""
    def call(f, functions, params, x, eps, config):
        mu, sigma = reference.posterior(params, x, config)
        return parts(f(params, x, mu, 2 * np.log(sigma), eps, config), None, "a tuple (log_w, …)")[0]

    def value(model):
        return reference.log_weights(model.params, model.x, *reference.posterior(model.params, model.x, model.config),
                                     model.eps, model.config)

    return cases_of("log_importance_weights", value, call)


def negative_iwae_cases() -> list[Case]:
    """By the reference model"""
    return cases_of("negative_iwae", lambda model: reference.iwae_loss(*model[2:], model.config),
                    lambda f, functions, *inputs: parts(f(*inputs), 2, "a pair (loss, cache)")[0])


def negative_iwae_backward_cases() -> list[Case]:
    """By complex steps through the reference model"""
    def expected(model):
        return reference.gradient(lambda p: reference.iwae_loss(p, model.x, model.eps, model.config), model.params)

    return backward_cases("negative_iwae_backward", "negative_iwae", expected)


def negative_elbo_stl_backward_cases() -> list[Case]:
    """By complex steps through the reference model, with log q's parameters held constant"""
    def expected(model: Model):
        held = reference.posterior(model.params, model.x, model.config)
        return reference.gradient(lambda p: reference.stl_loss(p, model.x, model.eps, model.config, held), model.params)

    return backward_cases("negative_elbo_stl_backward", "negative_elbo_stl", expected)


def negative_iwae_dreg_backward_cases() -> list[Case]:
    """By complex steps through Σ w̃² log w, with w̃ and log q's parameters held constant"""
    def expected(model: Model):
        held = reference.posterior(model.params, model.x, model.config)
        w = np.exp(reference.log_weights(model.params, model.x, *held, model.eps, model.config))
        w /= w.sum(axis=0)

        def encoder_loss(p):  # a path derivative with the weights squared
            log_w = reference.log_weights(p, model.x, *reference.posterior(p, model.x, model.config), model.eps,
                                          model.config, held)
            return -(w**2 * log_w).sum() / len(model.x)

        both = [reference.gradient(loss, model.params) for loss in (
            encoder_loss, lambda p: reference.iwae_loss(p, model.x, model.eps, model.config))]
        return tuple(first if name.startswith("encoder") else second for name, first,
                     second in zip(model.params, *both))

    return backward_cases("negative_iwae_dreg_backward", "negative_iwae", expected)


def log_marginal_cases() -> list[Case]:
    """With one image the noise is one sequence, however it is divided into chunks."""
    def call(f, functions, params, x, eps, config, num_samples, chunk_rows, lift):
        if lift:  # so improbable an image that exp(log w) underflows
            x = x + lift
        return parts(f(params, x, config, num_samples, np.random.default_rng(5), chunk_rows), 2,
                     "a pair (log_px, error)")

    def value(model, num_samples, lift):
        x, L = model.x[:1] + lift, model.config.latent_dim
        eps = np.random.default_rng(5).standard_normal((num_samples, 1, L))
        log_w = reference.log_weights(model.params, x, *reference.posterior(model.params, x, model.config), eps,
                                      model.config)
        w = np.exp(log_w - log_w.max(axis=0))
        error = np.sqrt(((w - w.mean(axis=0)) ** 2).sum(axis=0) / (num_samples - 1) / num_samples) / w.mean(axis=0)
        return log_w.max(axis=0) + np.log(w.mean(axis=0)), error

    cases = []
    for num_samples, chunk_rows, lift in ((2, 400, 0.0), (10, 400, 0.0), (10, 4, 0.0), (1000, 7, 0.0), (10, 4, 60.0)):
        found = cases_of(f"log_marginal with {num_samples} samples, chunk_rows={chunk_rows}",
                         lambda model: value(model, num_samples, lift), call)[: 3 if lift == 0 else 1]
        cases += [case._replace(inputs={**case.inputs, "x": case.inputs["x"][:1], "num_samples": num_samples,
                                        "chunk_rows": chunk_rows, "lift": lift}, delicate=lift > 0) for case in found]
    return cases
