"""The form of what a function does, checked before its numbers.

The package uses more of a function than its numbers: the destinations that it writes
into, and the cache that it hands to another function. A destination is filled with 7
before the call, then with NaN: what is still there was not written, and a sum with it
was added. Gradients of the other network must stay as they are.

Shapes and caches are measured by the package's own function, numbers by the oracles.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...vae.parameters import Parameters, parameter_shapes
from ..table import package_function
from ..vae.model import Model, models, text
from .outputs import kind_of

FILLS = (7.0, np.nan)


def form_problem(name: str, f: Callable, functions: Callable) -> tuple | None:
    """(input, got, expected, error, problem) of what is wrong in form, or None.

    An exception is left to the trials, which show a smaller input for it.
    """
    check = CHECKS.get(name)
    if check is None:
        return None
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for where, problem in check(name, f, functions):
                return where, "", "", "", problem
    except BaseException:  # noqa: BLE001 (whatever a learner's code raises)
        return None
    return None


# Destinations


def written(
    label: str, after: np.ndarray, before: float, expected: np.ndarray, whole: str
) -> Iterator[str]:
    """What is wrong with a destination that had `before` in each entry"""
    if np.allclose(after, expected, rtol=1e-6, atol=1e-9, equal_nan=True):
        return
    if np.array_equal(after, np.full_like(after, before), equal_nan=True):
        yield f"nothing was written into {label}: {whole}"
    elif np.allclose(after, before + expected, rtol=1e-6, atol=1e-9):
        yield (
            f"the gradient is added to {label}; overwrite it: destination[...] = value"
        )
    elif np.isnan(before) and np.isnan(after).any():
        yield f"{label} is written in part only, or the old numbers are used"


def linear_destinations(name: str, f: Callable, functions: Callable) -> Iterator:
    """grads = (dW, db) of linear_backward and linear_backward_params"""
    x, W, b, dy = (
        np.cos(np.arange(np.prod(shape))).reshape(shape)
        for shape in ((2, 3), (3, 4), (4,), (2, 4))
    )
    expected = x.T @ dy, dy.sum(axis=0)
    _, cache = functions("linear")(x, W, b)
    returned = f(dy, cache)
    right = all(
        np.shape(g) == e.shape and np.allclose(g, e)
        for g, e in zip(returned[-2:], expected, strict=True)
    )
    for fill in FILLS if right else ():
        grads = np.full(W.shape, fill), np.full(b.shape, fill)
        f(dy, cache, grads)
        for label, after, value in zip(("dW", "db"), grads, expected, strict=True):
            words = "grads = (dW, db) are arrays to write into, where they are not None"
            for problem in written(f"grads' {label}", after, fill, value, words):
                yield f"what {name} writes into grads=(dW, db)", problem


def network_destinations(
    prefix: str, call: Callable, whole: bool = False
) -> Callable[..., Iterator]:
    """A check of the entries of grads that belong to one network.

    call(f, functions, model, grads) -> what f returns; whole: f returns grads, too
    """

    def check(name: str, f: Callable, functions: Callable) -> Iterator:
        for model in models()[1:3]:
            where = text(model, f"what {name} writes into grads")
            for fill in FILLS:
                problems = _network(name, f, functions, model, fill)
                yield from ((where, problem) for problem in problems)
            if whole:
                result = call(f, functions, model, None)
                yield from ((where, p) for p in _is_parameters(result, model))

    def _network(
        name: str, f: Callable, functions: Callable, model: Model, fill: float
    ) -> Iterator[str]:
        shapes = parameter_shapes(model.config)
        grads, expected = (
            Parameters(shapes, np.full(len(model.params.vector), fill)) for _ in "12"
        )
        call(package_function(name), package_function, model, expected)
        result = call(f, functions, model, grads)
        for key, after in grads.items():
            label = f"grads[{key!r}]"
            if key.startswith(prefix):
                words = "grads is given, so the gradients belong there"
                yield from written(label, after, fill, expected[key], words)
            elif not np.array_equal(after, np.full_like(after, fill), equal_nan=True):
                yield (
                    f"changes {label}, which belongs to another part of the model; "
                    f"write the {prefix}'s entries only"
                )
        if whole:
            yield from _is_parameters(result, model)

    return check


def _is_parameters(result: Any, model: Model) -> Iterator[str]:
    if not hasattr(result, "vector"):
        yield (
            f"returns {kind_of(result)} for grads; Parameters were expected, whose "
            "`vector` the optimizer reads: zero_parameters(config, dtype)"
        )
    elif list(result) != list(model.params):
        yield "returns gradients whose names are not those of params"


def encoder_dy(model: Model) -> np.ndarray:
    """A fixed gradient of (mu, logvar), side by side"""
    size = len(model.x) * 2 * model.config.latent_dim
    return np.cos(np.arange(size)).reshape(len(model.x), -1)


def call_mlp(f: Callable, functions: Callable, model: Model, grads: Any) -> Any:
    """mlp_backward of the encoder"""
    _, caches = functions("mlp")(model.params, "encoder", model.x, model.config)
    return f(encoder_dy(model), caches, "encoder", model.config, grads)


def call_encode(f: Callable, functions: Callable, model: Model, grads: Any) -> Any:
    """encode_backward"""
    _, cache = functions("encode")(model.params, model.x, model.config)
    dmu, dlogvar = np.split(encoder_dy(model), 2, axis=1)
    return f(dmu, dlogvar, cache, model.config, grads)


def call_decode(f: Callable, functions: Callable, model: Model, grads: Any) -> Any:
    """decode_backward: its grads"""
    y, cache = functions("decode")(model.params, model.eps, model.config)
    dy = np.cos(np.arange(y.size)).reshape(y.shape)
    return f(dy, cache, model.config, grads)[1]


def call_loss(forward: str) -> Callable:
    """The backward pass of a loss"""

    def call(f: Callable, functions: Callable, model: Model, grads: Any) -> Any:
        cache = functions(forward)(model.params, model.x, model.eps, model.config)[-1]
        return f(cache, grads=grads)

    return call


# What is returned beside the numbers


def weights_and_more(name: str, f: Callable, functions: Callable) -> Iterator:
    """z, y and decoder_cache beside log_w"""
    model = models()[1]
    config = model.config
    (mu, logvar), _ = package_function("encode")(model.params, model.x, config)
    inputs = model.params, model.x, mu, logvar, model.eps, config
    where = text(model, name)
    result, right = f(*inputs), package_function(name)(*inputs)
    if not isinstance(result, tuple) or len(result) != 4:
        words = "(log_w, z, y, decoder_cache) was expected"
        yield where, f"returns {kind_of(result)}; {words}"
        return
    for label, mine, expected in zip("zy", result[1:3], right[1:3], strict=True):
        if np.shape(mine) != expected.shape:
            shapes = f"shape {expected.shape} was expected"
            yield where, f"returns {kind_of(mine)} for {label}; {shapes}"
        elif not np.allclose(mine, expected, 1e-6):
            meaning = "mu + σ eps" if label == "z" else "the decoder's output for z"
            yield where, f"what it returns for {label} is not {meaning}"
    dy = np.ones(right[2].shape)
    try:
        dz, _ = functions("decode_backward")(dy, result[3], config)
    except Exception as error:  # noqa: BLE001 (of any kind, from a wrong cache)
        words = f"{type(error).__name__}: {error}"
        yield where, f"its decoder_cache cannot be read by decode_backward ({words})"
        return
    expected, _ = package_function("decode_backward")(dy, right[3], config)
    if not np.allclose(dz, expected, 1e-6):
        yield where, "from its decoder_cache decode_backward computes another dz"


CHECKS: dict[str, Callable[..., Iterator]] = {
    "linear_backward": linear_destinations,
    "linear_backward_params": linear_destinations,
    "mlp_backward": network_destinations("encoder", call_mlp),
    "encode_backward": network_destinations("encoder", call_encode, whole=True),
    "decode_backward": network_destinations("decoder", call_decode, whole=True),
    "log_importance_weights": weights_and_more,
}
for backward, forward in (
    ("negative_elbo_backward", "negative_elbo"),
    ("negative_iwae_backward", "negative_iwae"),
    ("negative_elbo_stl_backward", "negative_elbo_stl"),
    ("negative_iwae_dreg_backward", "negative_iwae"),
):
    CHECKS[backward] = network_destinations("", call_loss(forward), whole=True)
