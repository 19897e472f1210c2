"""Chapter 13. The gradients that are checked.

A primitive is one function with its backward. Its loss is Σ y dy with a random dy:
the gradient of that is what the backward returns for dy. A case is a model, a loss
and fixed noise. Its gradient is checked in every parameter, and for one image in mu
and logvar. The models are small, since each entry costs a forward pass; together
they cover every branch. Of the path derivatives of chapter 11 only the decoder's
are checked: the encoder's are not derivatives of the loss.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..settings import VAEConfig
from . import bernoulli, gaussian, layers
from .gradcheck import GradientCheck, check_gradients
from .objectives import NOT_DERIVATIVES, OBJECTIVES
from .parameters import init_params

SEED = 1  # of all inputs: one for which no input of a relu is within 1e-4 of its kink


def check_primitive(
    rng: np.random.Generator,
    name: str,
    function: Callable,
    backward: Callable,
    *constants: Any,
    **inputs: np.ndarray,
) -> list[GradientCheck]:
    """Check a function in each of its inputs; the loss is Σ y dy, with a random dy.

    function(*inputs, *constants) -> y
    backward(dy, *inputs, *constants) -> a gradient for each input
    """
    dy = rng.standard_normal(function(*inputs.values(), *constants).shape)
    gradients = backward(dy, *inputs.values(), *constants)
    if not isinstance(gradients, tuple):
        gradients = (gradients,)

    def loss(x):
        return (function(*x.values(), *constants) * dy).sum()

    by_name = dict(zip(inputs, gradients, strict=True))
    return check_gradients(loss, inputs, by_name, name)


def without_cache(forward: Callable, backward: Callable) -> tuple[Callable, Callable]:
    """A layer, which has a cache, with the signatures of check_primitive"""

    def function(*inputs):
        y, _ = forward(*inputs)
        return y

    def function_backward(dy, *inputs):
        _, cache = forward(*inputs)
        return backward(dy, cache)

    return function, function_backward


def check_primitives(rng: np.random.Generator) -> Iterator[GradientCheck]:
    """Check each function with its backward."""
    N, L, J, I, O = 5, 3, 4, 7, 6
    normal = rng.standard_normal

    yield from check_primitive(
        rng,
        "log density",
        gaussian.log_density,
        gaussian.log_density_backward,
        x=normal((N, L)),
        mu=normal((N, L)),
        logvar=normal((N, L)),
    )
    p = normal(L), normal(L)
    q = {"mu_q": normal((N, L)), "logvar_q": normal((N, L))}

    def cross_entropy_minus_entropy(mu, logvar, *p):
        return gaussian.cross_entropy(mu, logvar, *p) - gaussian.entropy(logvar)

    for name, function, constants in (
        ("KL, standard prior", gaussian.kl_divergence, ()),
        ("KL, general prior", gaussian.kl_divergence, p),
        ("KL = cross-entropy − entropy", cross_entropy_minus_entropy, p),
    ):
        backward = gaussian.kl_divergence_backward
        yield from check_primitive(rng, name, function, backward, *constants, **q)
    for name, eps in (
        ("reparameterize", normal((1, N, L))),
        (f"reparameterize, J = {J}", normal((J, N, L))),
    ):
        yield from check_primitive(
            rng,
            name,
            gaussian.reparameterize,
            gaussian.reparameterize_backward,
            eps,
            mu=normal((N, L)),
            logvar=normal((N, L)),
        )
    x = rng.random((N, O))
    yield from check_primitive(
        rng,
        "Bernoulli",
        lambda logits: bernoulli.log_prob(x, logits),
        lambda dy, logits: bernoulli.log_prob_backward(dy, x, logits),
        logits=5 * normal((N, O)),
    )
    yield from check_primitive(
        rng,
        "linear",
        *without_cache(layers.linear, layers.linear_backward),
        x=normal((N, I)),
        W=normal((I, O)),
        b=normal(O),
    )
    relu = without_cache(layers.relu, layers.relu_backward)
    tanh = without_cache(layers.tanh, layers.tanh_backward)
    yield from check_primitive(rng, "relu", *relu, x=normal((N, I)))
    yield from check_primitive(rng, "tanh", *tanh, x=normal((N, I)))


class Case(NamedTuple):
    """A model and a loss to check: N images, num_samples of z for each, J or K"""

    name: str
    config: VAEConfig
    N: int = 5
    num_samples: int = 1
    objective: str = "elbo"


SMALL: dict[str, Any] = {"input_dim": 9, "hidden_dims": (6,), "latent_dim": 3}
PRIOR = (0.5, -1.0, 0.0), (0.3, -0.7, 1.2)  # one mu_p and one logvar_p for each latent
OTHERS: dict[str, Any] = {
    "activation": "tanh",
    "likelihood": "normal",
    "prior": PRIOR,
}  # no default value
CASES = [
    Case("784-400-20 as 36-12-3", VAEConfig(36, (12,), 3)),
    Case("no hidden layer", VAEConfig(9, (), 3)),
    Case("two hidden layers", VAEConfig(9, (6, 5), 3)),
    Case("tanh, one hidden layer", VAEConfig(**SMALL, activation="tanh")),
    Case("tanh, two hidden layers", VAEConfig(9, (6, 5), 3, activation="tanh")),
    Case("one image", VAEConfig(**SMALL), N=1),
    Case("one image, J = 3", VAEConfig(**SMALL), N=1, num_samples=3),
    Case("one prior for all latents", VAEConfig(**SMALL, prior=(0.5, -0.7))),
    Case("a prior for each latent", VAEConfig(**SMALL, prior=PRIOR)),
    Case("J = 3", VAEConfig(**SMALL), num_samples=3),
    Case("β = 4", VAEConfig(**SMALL, beta=4.0)),
    Case("normal, learned variance", VAEConfig(**SMALL, likelihood="normal")),
    Case(
        "normal, fixed variance", VAEConfig(**SMALL, likelihood="normal", logvar_x=-1.5)
    ),
    Case("importance-weighted, K = 1", VAEConfig(**SMALL), objective="iwae"),
    Case(
        "importance-weighted, K = 5",
        VAEConfig(**SMALL),
        num_samples=5,
        objective="iwae",
    ),
    Case("all at once", VAEConfig(9, (6, 5), 3, **OTHERS, beta=0.5), num_samples=3),
    Case(
        "all at once, K = 5",
        VAEConfig(9, (6, 5), 3, **OTHERS),
        num_samples=5,
        objective="iwae",
    ),
    Case(
        "path derivative, J = 3",
        VAEConfig(**SMALL),
        num_samples=3,
        objective="elbo-stl",
    ),
    Case(
        "path derivative, K = 5",
        VAEConfig(**SMALL),
        num_samples=5,
        objective="iwae-dreg",
    ),
    Case("class given", VAEConfig(**SMALL, num_classes=3)),
    Case(
        "class given, K = 5",
        VAEConfig(9, (6, 5), 3, **OTHERS, num_classes=3),
        num_samples=5,
        objective="iwae",
    ),
]


def check_loss(case: Case, rng: np.random.Generator) -> Iterator[GradientCheck]:
    """Check the loss in every parameter, and for one image in mu and logvar."""
    name, config, N, num_samples, objective = case
    loss, backward = OBJECTIVES[objective]
    params = init_params(config, rng, np.float64)
    params.vector += 0.3 * rng.standard_normal(params.vector.size)
    x = rng.random((N, config.input_dim))
    if config.num_classes > 0:  # chapter 14: a 1 at the class, beside the pixels
        labels = rng.integers(config.num_classes, size=N)
        x = np.hstack([x, np.eye(config.num_classes)[labels]])
    eps = rng.standard_normal((num_samples, N, config.latent_dim))

    def of_params(p: Any) -> Any:
        return loss(p, x, eps, config)[0]

    _, cache = loss(params, x, eps, config)
    gradients = dict(backward(cache))
    if objective in NOT_DERIVATIVES:
        for key in params:
            if key.startswith("encoder"):
                del gradients[key]
    yield from check_gradients(of_params, params, gradients, name)
    if objective in NOT_DERIVATIVES:
        return
    # If the encoder's last weights are 0, its last bias is mu and logvar side by side.
    # The gradient of this bias is the sum of all images' gradients of mu and logvar. So
    # for one image it is the gradient of mu and logvar themselves.
    last = len(config.hidden_dims)
    weights, bias = f"encoder.{last}.W", f"encoder.{last}.b"
    x, eps = x[:1], eps[:, :1]
    params[weights][...] = 0
    mu, logvar = np.split(params[bias], 2)
    _, cache = loss(params, x, eps, config)
    dmu, dlogvar = np.split(backward(cache)[bias], 2)

    def of_mu_and_logvar(p: Any) -> Any:
        mu_and_logvar = np.concatenate([p["mu"], p["logvar"]])
        return loss(p | {bias: mu_and_logvar}, x, eps, config)[0]

    inputs = params | {"mu": mu, "logvar": logvar}
    yield from check_gradients(
        of_mu_and_logvar, inputs, {"mu": dmu, "logvar": dlogvar}, name
    )


def check_all() -> Iterator[GradientCheck]:
    """Check every primitive, then every case; yield results as they come."""
    yield from check_primitives(np.random.default_rng(SEED))
    for i, case in enumerate(CASES):
        yield from check_loss(case, np.random.default_rng([SEED, i]))
