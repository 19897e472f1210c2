"""Oracles for the bound and its gradient: the formulas of reference.py."""

from .. import reference
from ..judge.verdict import Trial, parts
from .model import Model, backward_trials, in_order, trials_of


def elbo_terms_trials() -> list[Trial]:
    """By the reference model; and whether its cache serves negative_elbo_backward"""

    def call(f, functions, *inputs):
        return parts(f(*inputs), 3, "a triple (log_px, kl, cache)")[:2]

    def backward(f, functions, params, x, eps, config):
        cache = parts(f(params, x, eps, config), 3, "a triple (log_px, kl, cache)")[2]
        return in_order(functions("negative_elbo_backward")(cache), params)

    return trials_of(
        "elbo_terms", lambda model: reference.terms(*model[2:], model.config), call
    ) + trials_of(
        "elbo_terms' cache, passed to negative_elbo_backward", elbo_gradients, backward
    )


def elbo_gradients(model: Model) -> tuple:
    """Of (7.5)"""
    return reference.gradient(
        lambda p: reference.elbo_loss(p, model.x, model.eps, model.config), model.params
    )


def negative_elbo_trials() -> list[Trial]:
    """By the reference model"""
    return trials_of(
        "negative_elbo",
        lambda model: reference.elbo_loss(*model[2:], model.config),
        lambda f, functions, *inputs: parts(f(*inputs), 2, "a pair (loss, cache)")[0],
    )


def negative_elbo_backward_trials() -> list[Trial]:
    """By complex steps through the reference model"""
    return backward_trials("negative_elbo_backward", "negative_elbo", elbo_gradients)
