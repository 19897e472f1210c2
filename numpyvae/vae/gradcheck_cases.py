"""What is checked: every function that has a backward, and the whole loss of every kind of model.

A primitive is such a function by itself; its loss is Σ y dy with a random dy, so that its gradient is what its backward
makes of dy. A model's loss is the one that training minimizes, with its noise held still; its gradient is checked in
every parameter, and for one image in the mu and logvar that the encoder gives it. The models are small, for each entry
costs a forward pass, and differ in whatever takes another way through the code: layers, activation, likelihood, prior,
β, samples, objective.

Next: bellman, for the other half; or atomic, and the machinery that feeds this one.
"""

from collections.abc import Iterator

import numpy as np

from . import bernoulli
from . import gaussian
from . import layers
from .gradcheck import (CENTRAL_DIFFERENCE_LIMIT, COMPLEX_STEP_LIMIT, WORST_ENTRY_LIMIT, GradientCheck,
                        check_gradients)
from .objectives import OBJECTIVES
from ..settings import VAEConfig
from .parameters import init_params

SEED = 1  # of all inputs: one for which no input of a relu is within 1e-4 of its kink


def check_primitives(rng: np.random.Generator) -> Iterator[GradientCheck]:
    """Each function beside its backward: the loss is Σ y dy, with a random dy."""
    N, L, J, I, O = 5, 3, 4, 7, 6

    def primitive(name, function, backward, *fixed, **inputs):
        """function(*inputs, *fixed) -> y        backward(dy, *inputs, *fixed) -> a gradient for each input"""
        dy = rng.standard_normal(function(*inputs.values(), *fixed).shape)
        gradients = backward(dy, *inputs.values(), *fixed)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        return check_gradients(lambda x: (function(*x.values(), *fixed) * dy).sum(), inputs, dict(zip(inputs, gradients)), name)

    def layer(forward, backward):
        """The same two signatures for a layer, which keeps what it needs in a cache"""
        return lambda *inputs: forward(*inputs)[0], lambda dy, *inputs: backward(dy, forward(*inputs)[1])

    def normal(*shape):
        return rng.standard_normal(shape)

    yield from primitive("log density", gaussian.log_density, gaussian.log_density_backward,
                         x=normal(N, L), mu=normal(N, L), logvar=normal(N, L))
    q = dict(mu_q=normal(N, L), logvar_q=normal(N, L))
    p = normal(L), normal(L)
    yield from primitive("KL, standard prior", gaussian.kl_divergence, gaussian.kl_divergence_backward, **q)
    yield from primitive("KL, general prior", gaussian.kl_divergence, gaussian.kl_divergence_backward, *p, **q)
    yield from primitive("KL = cross-entropy − entropy", lambda mu, logvar, *p: gaussian.cross_entropy(mu, logvar, *p)
                         - gaussian.entropy(logvar), gaussian.kl_divergence_backward, *p, **q)
    for name, eps in ("reparameterize", normal(1, N, L)), (f"reparameterize, J = {J}", normal(J, N, L)):
        yield from primitive(name, gaussian.reparameterize, gaussian.reparameterize_backward, eps,
                             mu=normal(N, L), logvar=normal(N, L))
    x = rng.random((N, O))
    yield from primitive("Bernoulli", lambda l: bernoulli.log_prob(x, l),
                         lambda dy, l: bernoulli.log_prob_backward(dy, x, l), logits=5 * normal(N, O))
    yield from primitive("linear", *layer(layers.linear, layers.linear_backward),
                         x=normal(N, I), W=normal(I, O), b=normal(O))
    yield from primitive("relu", *layer(layers.relu, layers.relu_backward), x=normal(N, I))
    yield from primitive("tanh", *layer(layers.tanh, layers.tanh_backward), x=normal(N, I))


SMALL = dict(input_dim=9, hidden_dims=(6,), latent_dim=3)
PRIOR = (0.5, -1.0, 0.0), (0.3, -0.7, 1.2)  # one mu_p and one logvar_p for each latent
CONFIGURATIONS = [  # the model, its images, its samples, its objective
    ("784-400-20 as 36-12-3", VAEConfig(36, (12,), 3), 5, 1, "elbo"),
    ("no hidden layer", VAEConfig(9, (), 3), 5, 1, "elbo"),
    ("two hidden layers", VAEConfig(9, (6, 5), 3), 5, 1, "elbo"),
    ("tanh, one hidden layer", VAEConfig(**SMALL, activation="tanh"), 5, 1, "elbo"),
    ("tanh, two hidden layers", VAEConfig(9, (6, 5), 3, activation="tanh"), 5, 1, "elbo"),
    ("one image", VAEConfig(**SMALL), 1, 1, "elbo"),
    ("one image, J = 3", VAEConfig(**SMALL), 1, 3, "elbo"),
    ("one prior for all latents", VAEConfig(**SMALL, prior=(0.5, -0.7)), 5, 1, "elbo"),
    ("a prior for each latent", VAEConfig(**SMALL, prior=PRIOR), 5, 1, "elbo"),
    ("J = 3", VAEConfig(**SMALL), 5, 3, "elbo"),
    ("β = 4", VAEConfig(**SMALL, beta=4.0), 5, 1, "elbo"),
    ("normal, learned variance", VAEConfig(**SMALL, likelihood="normal"), 5, 1, "elbo"),
    ("normal, fixed variance", VAEConfig(**SMALL, likelihood="normal", logvar_x=-1.5), 5, 1, "elbo"),
    ("importance-weighted, K = 1", VAEConfig(**SMALL), 5, 1, "iwae"),
    ("importance-weighted, K = 5", VAEConfig(**SMALL), 5, 5, "iwae"),
    ("all at once", VAEConfig(9, (6, 5), 3, "tanh", "normal", None, PRIOR, 0.5), 5, 3, "elbo"),
    ("all at once, K = 5", VAEConfig(9, (6, 5), 3, "tanh", "normal", None, PRIOR), 5, 5, "iwae"),
]


def check_loss(configuration: str, config: VAEConfig, N: int, samples: int, objective: str,
               rng: np.random.Generator) -> Iterator[GradientCheck]:
    """The loss in every parameter, and for one image in mu and logvar."""
    loss, backward = OBJECTIVES[objective]
    params = init_params(config, rng, np.float64)
    params.vector += 0.3 * rng.standard_normal(params.vector.size)
    x = rng.random((N, config.input_dim))
    eps = rng.standard_normal((samples, N, config.latent_dim))
    gradients = backward(loss(params, x, eps, config)[1])
    yield from check_gradients(lambda p: loss(p, x, eps, config)[0], params, gradients, configuration)

    # The last bias of an encoder whose last weights are 0 is mu and logvar, and its gradient, for one image, is theirs.
    weights, bias = f"encoder.{len(config.hidden_dims)}.W", f"encoder.{len(config.hidden_dims)}.b"
    x, eps = x[:1], eps[:, :1]
    params[weights][...] = 0
    mu, logvar = np.split(params[bias], 2)
    dmu, dlogvar = np.split(backward(loss(params, x, eps, config)[1])[bias], 2)

    def of_mu_and_logvar(p):
        return loss(p | {bias: np.concatenate([p["mu"], p["logvar"]])}, x, eps, config)[0]

    inputs = params | {"mu": mu, "logvar": logvar}
    yield from check_gradients(of_mu_and_logvar, inputs, {"mu": dmu, "logvar": dlogvar}, configuration)


def check_all() -> Iterator[GradientCheck]:
    """Every primitive, then every configuration; rows come as they are computed."""
    yield from check_primitives(np.random.default_rng(SEED))
    for i, (configuration, *rest) in enumerate(CONFIGURATIONS):
        yield from check_loss(configuration, *rest, np.random.default_rng([SEED, i]))


HEADER = f"{'configuration':28} {'gradient in':13} {'complex step':>12} {'worst entry':>12} {'difference':>12}"


def format_row(row: GradientCheck) -> str:
    """One row of the table, under HEADER"""
    return (f"{row.configuration:28} {row.name:13} {row.complex_step:12.1e} {row.worst_entry:12.1e} "
            f"{row.central_difference:12.1e}{'' if row.passed else '   FAILED'}")


def format_summary(rows: list[GradientCheck]) -> str:
    """The worst figures and where they are, the limits, the count"""
    lines = []
    for error, limit in (("complex_step", COMPLEX_STEP_LIMIT), ("worst_entry", WORST_ENTRY_LIMIT),
                         ("central_difference", CENTRAL_DIFFERENCE_LIMIT)):
        worst = max(rows, key=lambda row: getattr(row, error))
        what, entry = error.replace("_", " "), worst.worst_index if error == "worst_entry" else ""
        lines.append(f"largest {what:18} {getattr(worst, error):.1e}, limit {limit:.0e}"
                     f"   {worst.configuration}: {worst.name}{entry}")
    return "\n".join(lines + [f"{sum(row.passed for row in rows)} of {len(rows)} gradients correct"])


def to_json(rows: list[GradientCheck]) -> dict:
    """The whole table, for programs; an error that is not a finite number is None, for which JSON has a word"""
    def plain(error):
        return error if np.isfinite(error) else None

    return {"rows": [{"configuration": row.configuration, "name": row.name, "complex_step": plain(row.complex_step),
                      "worst_entry": plain(row.worst_entry), "central_difference": plain(row.central_difference)}
                     for row in rows],
            "worst": plain(max(row.complex_step for row in rows)),
            "ok": all(row.passed for row in rows)}
