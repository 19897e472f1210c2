"""An activation of one's own: softsign, y = x/(1 + |x|), with derivative 1/(1 + |x|)² =
(1 − |y|)².

The pair of functions goes into the table ACTIVATIONS. A settings class with one more
choice makes its name valid. The new settings then work with every loss and with
`train`. A saved run cannot be loaded again under such a name.
"""

from dataclasses import dataclass

import numpy as np

from numpyvae.settings import option
from numpyvae.vae import (
    ACTIVATIONS,
    VAEConfig,
    check_gradients,
    init_params,
    negative_elbo,
    negative_elbo_backward,
)


def softsign(x):
    y = x / (
        1 + np.maximum(x, -x)
    )  # |x|; not np.abs: check_gradients computes with complex x
    return y, y


def softsign_backward(dy, cache):
    y = cache
    return dy * (1 - np.abs(y)) ** 2


ACTIVATIONS["softsign"] = softsign, softsign_backward


@dataclass(frozen=True)
class Config(VAEConfig):
    activation: str = option(
        "softsign", "activation of the hidden layers", choices=tuple(ACTIVATIONS)
    )


def checks():
    config = Config(input_dim=9, hidden_dims=(6, 5), latent_dim=3)
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
