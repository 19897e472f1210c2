"""Every hand-written gradient against independent arithmetic, in two ways.

Central difference, from the real function f alone:

    f'(x) = (f(x + h) − f(x − h)) / 2h + O(h²)

A small h subtracts two nearly equal numbers and loses their digits, a large h bends: at h = ε^⅓ ≈ 6e-6 the two errors
are about equal, and some 10 of 16 digits are left, fewer where the gradient is small beside the loss.

Complex step, from f continued into the complex plane, where f(x + ih) = f(x) + ih f'(x) + O(h²):

    f'(x) = Im f(x + ih) / h + O(h²)

Nothing is subtracted, so h can be 1e-20, with its square below every rounding error: f' comes out to all digits. It is
the production forward pass that runs in complex128, the same lines that train in float32: parameters go in as complex
arrays, data and noise stay real.

What they can see: any difference between a backward pass and the derivative of the forward pass that was run. What they
cannot:

  - A kink. At relu's x = 0 the derivative jumps; a difference across it measures neither side, the complex step and
    the backward pass each take one. Here no pre-activation is within 1e-4 of 0, hundreds of h away (SEED sees to it).
  - An error that both passes share. With the variance for the standard deviation in z = mu + σ² eps, and its derivative
    in the backward pass, every row below is perfect. So is the sum for the mean, a missing 1/J, a KL of the wrong
    formula, noise that is not N(0, 1): the gradient is right, of the wrong objective. Only a look at the values finds
    these: closed forms, moments, quadrature. That is the tests' part.
  - Whether float32 is enough. The check runs in float64; the tests compare the two.

An error is ‖a − n‖/‖n‖ over one tensor, a by hand and n numerical; both zero counts as 0. An entry's error is relative
to the tensor's largest, since an entry in which large terms cancel has no digits of its own to be right in.

Source: Squire & Trapp 1998; Martins, Sturdza & Alonso 2003 (complex step). Next: idx, and the machinery.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from . import bernoulli, gaussian, layers
from .bounds import OBJECTIVES
from .vae import VAEConfig, init_params

COMPLEX_STEP_LIMIT = 1e-14  # 45 ε: the same sums, some of a hundred terms, in two orders
WORST_ENTRY_LIMIT = 1e-13
CENTRAL_DIFFERENCE_LIMIT = 1e-7  # its rounding error is ε f/h, 1e-9 for a loss of 30 nats, and ‖f'‖ is 0.01 or more
SEED = 1  # of all inputs: one for which no pre-activation is within 1e-4 of relu's kink

Inputs = Mapping[str, np.ndarray]
Loss = Callable[[Inputs], complex]  # analytic in each input; given real inputs, it returns a real number


class Row(NamedTuple):
    """One gradient's errors, relative; `where` is its worst entry's index."""

    configuration: str
    name: str
    complex_step: float
    worst_entry: float
    where: str
    central_difference: float
    ok: bool


def complex_step(f: Loss, inputs: Inputs, name: str, h: float = 1e-20) -> np.ndarray:
    """∂f/∂inputs[name], an entry at a time"""
    inputs = {key: array.astype(np.complex128) for key, array in inputs.items()}
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x.imag[i] = h
        gradient[i] = f(inputs).imag / h
        x.imag[i] = 0
    return gradient


def central_difference(f: Loss, inputs: Inputs, name: str, h: float = np.finfo(float).eps ** (1 / 3)) -> np.ndarray:
    """∂f/∂inputs[name], an entry at a time"""
    inputs = {key: array.copy() for key, array in inputs.items()}
    x, original = inputs[name], inputs[name].copy()
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        low, high = original[i] - h, original[i] + h  # rounded: what f sees is their distance, not 2h
        x[i] = high
        above = f(inputs)
        x[i] = low
        gradient[i] = (above - f(inputs)) / (high - low)
        x[i] = original[i]
    return gradient


def relative_error(a: np.ndarray, n: np.ndarray, order: float) -> float:
    """‖a − n‖/‖n‖; 0 when both are zero, inf for a NaN"""
    if not a.any() and not n.any():
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.linalg.norm((a - n).ravel(), order) / np.linalg.norm(n.ravel(), order)
    return np.inf if np.isnan(error) else float(error)


def check(configuration: str, f: Loss, inputs: Inputs, gradients: Inputs) -> Iterator[Row]:
    """A row for each of `gradients`, f's by hand in the inputs of the same names."""
    for name, a in gradients.items():
        n = complex_step(f, inputs, name)
        if a.shape != n.shape:  # would broadcast
            a = np.full(n.shape, np.nan)
        tensor, entry = relative_error(a, n, 2), relative_error(a, n, np.inf)
        difference = relative_error(a, central_difference(f, inputs, name), 2)
        where = [int(i) for i in np.unravel_index(np.abs(a - n).argmax(), n.shape)]
        ok = tensor <= COMPLEX_STEP_LIMIT and entry <= WORST_ENTRY_LIMIT and difference <= CENTRAL_DIFFERENCE_LIMIT
        yield Row(configuration, name, tensor, entry, str(where), difference, ok)


def primitives(rng: np.random.Generator) -> Iterator[Row]:
    """Each function beside its backward: the loss is Σ y dy, with a random dy."""
    N, L, J, I, O = 5, 3, 4, 7, 6

    def primitive(name, function, backward, *fixed, **inputs):
        """function(*inputs, *fixed) -> y        backward(dy, *inputs, *fixed) -> a gradient for each input"""
        dy = rng.standard_normal(function(*inputs.values(), *fixed).shape)
        gradients = backward(dy, *inputs.values(), *fixed)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        return check(name, lambda x: (function(*x.values(), *fixed) * dy).sum(), inputs, dict(zip(inputs, gradients)))

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
    for name, eps in ("reparameterize", normal(N, L)), (f"reparameterize, J = {J}", normal(J, N, L)):
        yield from primitive(name, gaussian.reparameterize, gaussian.reparameterize_backward, eps,
                             mu=normal(N, L), logvar=normal(N, L))
    x = rng.random((N, O))
    yield from primitive("Bernoulli", lambda l: bernoulli.log_likelihood(x, l),
                         lambda dy, l: bernoulli.log_likelihood_backward(dy, x, l), logits=5 * normal(N, O))
    yield from primitive("linear", *layer(layers.linear, layers.linear_backward),
                         x=normal(N, I), W=normal(I, O), b=normal(O))
    yield from primitive("relu", *layer(layers.relu, layers.relu_backward), x=normal(N, I))
    yield from primitive("tanh", *layer(layers.tanh, layers.tanh_backward), x=normal(N, I))


SMALL = dict(pixels=9, hidden=(6,), latent=3)
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


def whole_loss(configuration: str, config: VAEConfig, N: int, samples: int, objective: str,
               rng: np.random.Generator) -> Iterator[Row]:
    """The loss in every parameter, and for one image in mu and logvar."""
    loss, backward = OBJECTIVES[objective]
    params = init_params(config, rng, np.float64)
    params.vector += 0.3 * rng.standard_normal(params.vector.size)
    x = rng.random((N, config.pixels))
    shape = (N, config.latent) if samples == 1 and objective == "elbo" else (samples, N, config.latent)
    eps = rng.standard_normal(shape)
    gradients = backward(loss(params, x, eps, config)[1])
    yield from check(configuration, lambda p: loss(p, x, eps, config)[0], params, gradients)

    # The last bias of an encoder whose last weights are 0 is mu and logvar, and its gradient, for one image, is theirs.
    weights, bias = f"encoder.{len(config.hidden)}.W", f"encoder.{len(config.hidden)}.b"
    x, eps = x[:1], eps[..., :1, :]
    params[weights][...] = 0
    mu, logvar = np.split(params[bias], 2)
    dmu, dlogvar = np.split(backward(loss(params, x, eps, config)[1])[bias], 2)

    def of_mu_and_logvar(p):
        return loss(p | {bias: np.concatenate([p["mu"], p["logvar"]])}, x, eps, config)[0]

    inputs = params | {"mu": mu, "logvar": logvar}
    yield from check(configuration, of_mu_and_logvar, inputs, {"mu": dmu, "logvar": dlogvar})


def sweep() -> Iterator[Row]:
    """Every primitive, then every configuration; rows come as they are computed."""
    yield from primitives(np.random.default_rng(SEED))
    for i, (configuration, *rest) in enumerate(CONFIGURATIONS):
        yield from whole_loss(configuration, *rest, np.random.default_rng([SEED, i]))


HEADER = f"{'configuration':28} {'gradient in':13} {'complex step':>12} {'worst entry':>12} {'difference':>12}"


def line(row: Row) -> str:
    """One row of the table, under HEADER"""
    return (f"{row.configuration:28} {row.name:13} {row.complex_step:12.1e} {row.worst_entry:12.1e} "
            f"{row.central_difference:12.1e}{'' if row.ok else '   FAILED'}")


def summary(rows: list[Row]) -> str:
    """The worst figures and where they are, the limits, the count"""
    lines = []
    for error, limit in (("complex_step", COMPLEX_STEP_LIMIT), ("worst_entry", WORST_ENTRY_LIMIT),
                         ("central_difference", CENTRAL_DIFFERENCE_LIMIT)):
        worst = max(rows, key=lambda row: getattr(row, error))
        what, entry = error.replace("_", " "), worst.where if error == "worst_entry" else ""
        lines.append(f"largest {what:18} {getattr(worst, error):.1e}, limit {limit:.0e}"
                     f"   {worst.configuration}: {worst.name}{entry}")
    return "\n".join(lines + [f"{sum(row.ok for row in rows)} of {len(rows)} gradients right"])


def describe(rows: list[Row]) -> str:
    """The whole table, for people"""
    return "\n".join([HEADER, *map(line, rows), "", summary(rows)])


def report(rows: list[Row]) -> dict:
    """The whole table, for programs; an error that is not a finite number is None, for which JSON has a word"""
    def plain(error):
        return error if np.isfinite(error) else None

    return {"rows": [{"configuration": row.configuration, "name": row.name, "complex_step": plain(row.complex_step),
                      "worst_entry": plain(row.worst_entry), "central_difference": plain(row.central_difference)}
                     for row in rows],
            "worst": plain(max(row.complex_step for row in rows)),
            "ok": all(row.ok for row in rows)}
