"""Chapter 11, path derivatives: oracles and known errors.

The oracles are the formulas of reference.py.
"""

import numpy as np

from ...vae.iwae import negative_iwae_backward
from .. import reference
from ..judge.known_errors import errors_of
from ..judge.verdict import Trial
from .iwae import equal_weights, ignored, iwae_gradients, weighted_backward
from .model import Model, backward_trials


def negative_elbo_stl_backward_trials() -> list[Trial]:
    """By complex steps through the reference model; log q's parameters are constants"""

    def expected(model: Model):
        held = reference.posterior(model.params, model.x, model.config)
        return reference.gradient(
            lambda p: reference.stl_loss(p, model.x, model.eps, model.config, held),
            model.params,
        )

    return backward_trials("negative_elbo_stl_backward", "negative_elbo_stl", expected)


def negative_iwae_dreg_backward_trials() -> list[Trial]:
    """By complex steps through Σ w̃² log w; w̃ and log q's parameters are constants"""

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

        encoder = reference.gradient(encoder_loss, model.params)
        decoder = iwae_gradients(model)
        return tuple(
            first if name.startswith("encoder") else second
            for name, first, second in zip(model.params, encoder, decoder, strict=True)
        )

    return backward_trials("negative_iwae_dreg_backward", "negative_iwae", expected)


# Known errors


def path_of_q(eps, sigma):
    """−∂ log q(z|x)/∂z"""
    return eps / sigma


def stl_with(**wrong):
    """negative_elbo_stl_backward with another part"""
    right = {"weights": equal_weights, "through_q": 0.0, "path_of_q": path_of_q}
    return weighted_backward(**{**right, **wrong})


def dreg_with(**wrong):
    """negative_iwae_dreg_backward with another part"""
    right = {"through_q": 0.0, "path_of_q": path_of_q, "factor": lambda w: w[..., None]}
    return weighted_backward(**{**right, **wrong})


PATH_ERRORS: dict[str, dict] = {
    "log q's gradient is missing": {"path_of_q": None},
    "log q's gradient is not divided by σ": {"path_of_q": lambda eps, sigma: eps},
    "log q's gradient is divided by σ²; it must be by σ": {
        "path_of_q": lambda eps, sigma: eps / sigma**2
    },
    "log q's gradient has the wrong sign": {
        "path_of_q": lambda eps, sigma: -eps / sigma
    },
    "the prior's gradient in z is missing": {"prior": 0.0},
    "the gradient in logvar for fixed eps, ½, is added": {"through_q": 0.5},
    "dloss is ignored": {"scale": ignored},
}
ERRORS = [
    *errors_of(
        "negative_elbo_stl_backward",
        {
            **{words: stl_with(**wrong) for words, wrong in PATH_ERRORS.items()},
            "the last term of (11.5) is not left out: this is the whole derivative": (
                weighted_backward(equal_weights)
            ),
            "the samples have the weights of (10.8); they must be 1/J": stl_with(
                weights=lambda log_w: np.exp(log_w) / np.exp(log_w).sum(axis=0)
            ),
        },
    ),
    *errors_of(
        "negative_iwae_dreg_backward",
        {
            **{words: dreg_with(**wrong) for words, wrong in PATH_ERRORS.items()},
            "w̃ in the place of w̃²: this is neither estimator": dreg_with(
                factor=lambda w: 1.0
            ),
            "w̃² in the decoder's gradient as well; there it stays w̃": dreg_with(
                decoder=lambda w: w**2
            ),
            "w̃ (1 − w̃) in the place of w̃²": dreg_with(
                factor=lambda w: 1 - w[..., None]
            ),
            "this is the gradient of negative_iwae: nothing is left out": (
                negative_iwae_backward
            ),
        },
    ),
]
