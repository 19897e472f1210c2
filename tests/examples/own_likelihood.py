"""A likelihood of one's own: Laplace, log p(x|z) = Σᵢ (−|xᵢ − yᵢ|/b − log 2b), with y
the median and log b learned.
"""

from dataclasses import dataclass

import numpy as np

from numpyvae.settings import option
from numpyvae.vae import (
    LIKELIHOODS,
    VAEConfig,
    check_gradients,
    init_params,
    negative_elbo,
    negative_elbo_backward,
)
from numpyvae.vae.likelihoods import Likelihood


def log_prob(params, x, y, config):
    r, log_b = x - y, params["log_b"]
    return (-np.maximum(r, -r) * np.exp(-log_b) - np.log(2) - log_b).sum(axis=-1)


def log_prob_backward(dlog_prob, params, x, y, config, grads=None):
    r, b, dy = x - y, np.exp(params["log_b"]), dlog_prob[..., None]
    if grads is not None:
        grads["log_b"][...] = (dy * (np.abs(r) / b - 1)).sum()
    return dy * np.sign(r) / b


LIKELIHOODS["laplace"] = Likelihood(
    log_prob,
    log_prob_backward,
    mean=lambda y: y,
    output_bias=lambda mean_image: mean_image,
    shapes=lambda config: {"log_b": ()},
    is_density=True,
    unit_interval=False,
)


@dataclass(frozen=True)
class Config(VAEConfig):
    likelihood: str = option(
        "laplace", "the decoder's distribution p(x|z)", choices=tuple(LIKELIHOODS)
    )


def checks():
    config = Config(input_dim=9, hidden_dims=(6,), latent_dim=3)
    rng = np.random.default_rng(1)
    params = init_params(config, rng, np.float64)
    x = rng.random((4, 9))
    eps = rng.standard_normal((2, 4, 3))
    _, cache = negative_elbo(params, x, eps, config)
    grads = negative_elbo_backward(cache)
    return check_gradients(
        lambda inputs: negative_elbo(inputs, x, eps, config)[0], params, grads
    )


if __name__ == "__main__":
    for check in checks():
        verdict = "right" if check.passed else f"wrong: {check.problem}"
        print(
            f"{check.name:12} {verdict}, {check.complex_step:.1e} from the numerical one"
        )
