"""Chapter 6, the model: oracles and known errors; and what the losses need of them.

The oracles are the formulas of reference.py, on four small models.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from ...settings import VAEConfig
from ...vae.layers import (
    linear,
    linear_backward,
    relu,
    relu_backward,
    tanh,
    tanh_backward,
)
from ...vae.model import (
    ACTIVATIONS,
    decode_backward,
    encode_backward,
    mlp_backward,
)
from ...vae.parameters import Parameters, parameter_shapes, zero_parameters
from .. import reference
from ..calculus import in_float32
from ..judge.known_errors import errors_of
from ..judge.outputs import Unusable, kind_of
from ..judge.verdict import Trial, parts

PAPER = np.array([1 / 2, 0, 1 / 4, 0, 2, -1])  # chapter 7's example


class Model(NamedTuple):
    """A small model, its parameters, images and noise"""

    words: str
    config: VAEConfig
    params: Parameters
    x: np.ndarray
    eps: np.ndarray


@cache
def models() -> list[Model]:
    """In order of size; all inputs of a relu are away from 0."""
    rng = np.random.default_rng(3)
    small = VAEConfig(
        input_dim=1, hidden_dims=(), latent_dim=1, likelihood="normal", logvar_x=0.0
    )
    found = [
        Model(
            "x of chapter 7's example",
            small,
            Parameters(parameter_shapes(small), PAPER.copy()),
            np.array([[1.0], [0.0]]),
            np.array([[[0.5]], [[-1.0]]]).reshape(1, 2, 1),
        )
    ]
    for words, N, J, config in (
        (
            "a normal decoder with a learned variance, J = 2",
            2,
            2,
            VAEConfig(
                input_dim=3,
                hidden_dims=(2,),
                latent_dim=2,
                likelihood="normal",
                activation="tanh",
            ),
        ),
        (
            "a Bernoulli decoder, a general prior, beta = 1.7, J = 2",
            3,
            2,
            VAEConfig(
                input_dim=3,
                hidden_dims=(4,),
                latent_dim=2,
                beta=1.7,
                prior=((0.5, -0.25), (0.3, -0.4)),
            ),
        ),
        (
            "two hidden layers, J = 3",
            2,
            3,
            VAEConfig(input_dim=3, hidden_dims=(3, 3), latent_dim=2),
        ),
    ):
        params = zero_parameters(config, np.float64)
        params.vector[:] = rng.normal(0, 0.6, len(params.vector))
        x = rng.random((N, config.input_dim))
        found.append(
            Model(words, config, params, x, rng.normal(size=(J, N, config.latent_dim)))
        )
    return found


def text(model: Model, what: str) -> str:
    """The input in words"""
    c = model.config
    pixels = f"{c.input_dim} pixel{'s' * (c.input_dim > 1)}"
    latents = f"{c.latent_dim} latent{'s' * (c.latent_dim > 1)}"
    hidden = f"hidden_dims={c.hidden_dims}"
    if c.hidden_dims:
        hidden += f" with {c.activation}"
    return (
        f"{what}: {len(model.x)} images, {pixels}, {hidden}, {latents}; {model.words}"
    )


def trials_of(
    what: str,
    expected: Callable,
    call: Callable,
    found: Sequence[Model] | None = None,
    outputs: Callable = lambda params: (),
    **options,
) -> list[Trial]:
    """A trial per model: expected(model), call(f, functions, params, x, eps, config)

    outputs: the names of the outputs, of the model's params
    """
    return [
        Trial(
            {
                "params": model.params,
                "x": model.x,
                "eps": model.eps,
                "config": model.config,
            },
            expected(model),
            call,
            text=text(model, what),
            outputs=outputs(model.params),
            **options,
        )
        for model in (models() if found is None else found)
    ]


# Gradients


def in_order(grads: Any, params: Parameters) -> tuple:
    """The gradients in the order of params; Unusable unless they are Parameters"""
    vector = getattr(grads, "vector", None)
    if not isinstance(grads, dict) or vector is None:
        raise Unusable(
            f"returns {kind_of(grads)}; Parameters were expected, as "
            "zero_parameters(config) makes them"
        )
    if grads.keys() != params.keys():
        raise Unusable(f"returns gradients with the keys {', '.join(grads)}")
    arrays = [np.ravel(grads[name]) for name in params]
    if not np.array_equal(np.concatenate(arrays), vector, equal_nan=True):
        raise Unusable(
            "returns Parameters whose entries are not those of their vector; write "
            "into them: grads[name][...] = …"
        )
    return tuple(grads[name] for name in params)


def network_gradients(
    model: Model, prefix: str, rows: np.ndarray, dy: np.ndarray | float = 1.0
) -> dict:
    """Of the loss Σ y dy, y = network(rows), by the names of params"""

    def loss(p):
        return (reference.network(p, prefix, rows, model.config.activation) * dy).sum()

    gradients = reference.gradient(loss, model.params)
    return dict(zip(model.params, gradients, strict=True))


def upstream(*shape: int) -> np.ndarray:
    """A fixed dy"""
    return np.cos(np.arange(np.prod(shape))).reshape(shape)


def outputs(config: VAEConfig, prefix: str) -> int:
    """The number of a network's outputs"""
    return 2 * config.latent_dim if prefix == "encoder" else config.input_dim


# Forward and backward through one network


def rows_of(prefix: str, x: np.ndarray, eps: np.ndarray) -> np.ndarray:
    """What goes into a network: images, or the first sample's latents"""
    return x if prefix == "encoder" else eps[0]


def mlp_trials() -> list[Trial]:
    """By einsum, row by row; and whether its caches serve mlp_backward"""
    return [*network_trials("encoder"), *network_trials("decoder")]


def network_trials(prefix: str) -> list[Trial]:
    """Those of one network"""

    def network(f, params, x, eps, config):
        y = f(params, prefix, rows_of(prefix, x, eps), config)
        return parts(y, 2, "a pair (y, caches)")

    def call(f, functions, *inputs):
        return network(f, *inputs)[0]

    def backward(f, functions, params, x, eps, config):
        grads = zero_parameters(config, np.float64)
        _, caches = network(f, params, x, eps, config)
        dy = upstream(len(x), outputs(config, prefix))
        functions("mlp_backward")(dy, caches, prefix, config, grads)
        return later_layers(grads, prefix)

    def value(model):
        rows = rows_of(prefix, model.x, model.eps)
        return reference.network(model.params, prefix, rows, model.config.activation)

    def gradients(model):
        rows = rows_of(prefix, model.x, model.eps)
        dy = upstream(len(rows), outputs(model.config, prefix))
        return later_layers(network_gradients(model, prefix, rows, dy), prefix)

    def names(params):
        return tuple(f"grads[{name!r}]" for name in later_names(params, prefix))

    words = f"mlp with prefix {prefix!r}"
    passed_on = f"{words}: its caches, passed to mlp_backward"
    return [
        *trials_of(words, value, call),
        *trials_of(passed_on, gradients, backward, models()[1:], names),
    ]


def later_names(params: dict, prefix: str) -> list[str]:
    """The names of a network's layers 1, 2, …"""
    own = [name for name in params if name.startswith(prefix)]
    return [name for name in own if not name.startswith(f"{prefix}.0")]


def later_layers(grads: dict, prefix: str) -> tuple:
    """The gradients of a network's layers 1, 2, …"""
    return tuple(grads[name] for name in later_names(grads, prefix))


def mlp_backward_trials() -> list[Trial]:
    """By complex steps through the reference network"""
    return [*written_trials("encoder"), *written_trials("decoder")]


def written_trials(prefix: str) -> list[Trial]:
    """What mlp_backward returns and writes for one network

    Whatever the caller does with layer 0 is its own: its entries are not compared.
    """

    def call(f, functions, params, x, eps, config):
        grads, rows = zero_parameters(config, np.float64), rows_of(prefix, x, eps)
        _, caches = functions("mlp")(params, prefix, rows, config)
        dy = upstream(len(rows), outputs(config, prefix))
        returned = f(dy, caches, prefix, config, grads)
        return (returned, *later_layers(grads, prefix))

    def value(model):
        rows = rows_of(prefix, model.x, model.eps)
        dy = upstream(len(rows), outputs(model.config, prefix))
        gradients = network_gradients(model, prefix, rows, dy)
        # db of layer 0 is the sum of what is returned; one row at a time gives each
        returned = []
        for row, d in zip(rows[:, None], dy[:, None], strict=True):
            own = network_gradients(model, prefix, row, d)
            returned.append(own[f"{prefix}.0.b"])
        return (np.array(returned), *later_layers(gradients, prefix))

    def names(params):
        written = later_names(params, prefix)
        return ("what is returned", *(f"grads[{name!r}]" for name in written))

    words = f"mlp_backward with prefix {prefix!r}"
    return trials_of(words, value, call, outputs=names)


def encode_backward_trials() -> list[Trial]:
    """By complex steps through the reference network"""

    def call(f, functions, params, x, eps, config):
        dy = upstream(len(x), 2 * config.latent_dim)
        dmu, dlogvar = (half.copy() for half in np.split(dy, 2, axis=1))
        _, cache = functions("encode")(params, x, config)
        return in_order(f(dmu, dlogvar, cache, config), params)

    def value(model):
        dy = upstream(len(model.x), 2 * model.config.latent_dim)
        return tuple(network_gradients(model, "encoder", model.x, dy).values())

    return trials_of("encode_backward", value, call)


def decode_backward_trials() -> list[Trial]:
    """By complex steps through the reference network"""

    def call(f, functions, params, x, eps, config):
        dy = upstream(*eps.shape[:-1], config.input_dim)
        _, cache = functions("decode")(params, eps, config)
        dz, grads = parts(f(dy, cache, config), 2, "a pair (dz, grads)")
        return (dz, *in_order(grads, params))

    def value(model):
        config, z = model.config, model.eps
        rows = z.reshape(-1, config.latent_dim)
        dy = upstream(len(rows), config.input_dim)

        def loss(p):
            y = reference.network(model.params, "decoder", p["z"], config.activation)
            return (y * dy).sum()

        (dz,) = reference.gradient(loss, {"z": rows})
        gradients = network_gradients(model, "decoder", rows, dy)
        return (dz.reshape(z.shape), *gradients.values())

    return trials_of("decode_backward", value, call)


def join_class_trials() -> list[Trial]:
    """One sample of one image at a time"""

    def trial(J, N, L, C):
        z = upstream(J, N, L)
        c = np.eye(C)[np.arange(N) * 2 % C] if C > 0 else np.zeros((N, 0))
        joined = [[[*z[j, n], *c[n]] for n in range(N)] for j in range(J)]
        return Trial({"z": z, "c": c}, np.array(joined))

    sizes = (1, 1, 1, 2), (1, 2, 1, 3), (2, 2, 2, 3), (2, 3, 2, 0), (3, 4, 2, 5)
    trials = [trial(*size) for size in sizes]
    return [*trials, *in_float32(trials)]


def backward_trials(name: str, forward: str, expected: Callable) -> list[Trial]:
    """f(cache, dloss, grads) for the cache of `forward`

    expected(model) is the gradient for dloss = 1.
    """
    gradients = {model.words: expected(model) for model in models()}

    def right(model):
        return gradients[model.words]

    def call(f, functions, params, x, eps, config):
        return in_order(f(functions(forward)(params, x, eps, config)[-1]), params)

    def scaled(f, functions, params, x, eps, config):
        return in_order(
            f(functions(forward)(params, x, eps, config)[-1], -0.25), params
        )

    def single(f, functions, params, x, eps, config):
        params = Parameters(parameter_shapes(config), params.vector.astype(np.float32))
        x, eps = x.astype(np.float32), eps.astype(np.float32)
        return in_order(f(functions(forward)(params, x, eps, config)[-1]), params)

    trials = trials_of(name, right, call)
    trials += trials_of(
        f"{name} with dloss=-0.25",
        lambda model: tuple(-0.25 * g for g in right(model)),
        scaled,
        models()[:2],
    )
    trials += trials_of(
        f"{name} in float32", right, single, models()[1:2], rtol=1e-3, atol=1e-5
    )
    return trials


# Known errors


def network_with(active=lambda i, depth: True, activation=None, bias=1.0):
    """mlp with another rule of where the input of layer i > 0 is activated, or how"""

    def network(params, prefix, x, config):
        depth = len(config.hidden_dims)
        activate, _ = activation or ACTIVATIONS[config.activation]
        caches = []
        for i in range(depth + 1):
            if i > 0:
                y, activation_cache = activate(x)
                caches.append(activation_cache)
                if active(i, depth):
                    x = y
            layer = f"{prefix}.{i}"
            x, linear_cache = linear(
                x, params[f"{layer}.W"], bias * params[f"{layer}.b"]
            )
            caches.append(linear_cache)
        return x, caches

    return network


def activated_input(params, prefix, x, config):
    """mlp whose input is activated as well"""
    activate, _ = ACTIVATIONS[config.activation]
    return network_with()(params, prefix, activate(x)[0], config)


def activated_output(params, prefix, x, config):
    """mlp whose output is activated as well"""
    activate, _ = ACTIVATIONS[config.activation]
    y, caches = network_with()(params, prefix, x, config)
    return activate(y)[0], caches


def network_back(
    order: Callable = reversed, active=lambda i, depth: True, activation=None, bias=1.0
):
    """mlp_backward in another order of layers, or with other activations"""

    def backward(dy, caches, prefix, config, grads):
        depth = len(config.hidden_dims)
        _, activate_backward = activation or ACTIVATIONS[config.activation]
        for i in order(range(1, depth + 1)):
            destinations = grads[f"{prefix}.{i}.W"], grads[f"{prefix}.{i}.b"]
            dy, _, _ = linear_backward(dy, caches[2 * i], destinations)
            grads[f"{prefix}.{i}.b"][...] *= bias
            if active(i, depth):
                dy = activate_backward(dy, caches[2 * i - 1])
        return dy

    return backward


def without_first_layer(dmu, dlogvar, cache, config, grads=None):
    """encode_backward that ends after mlp_backward"""
    grads = zero_parameters(config, dmu.dtype) if grads is None else grads
    mlp_backward(np.hstack([dmu, dlogvar]), cache, "encoder", config, grads)
    return grads


def decode_without_first_layer(dy, cache, config, grads=None):
    """decode_backward that leaves the gradients of decoder.0 as they are"""
    grads = zero_parameters(config, dy.dtype) if grads is None else grads
    rows = dy.reshape(-1, config.input_dim)
    dh = mlp_backward(rows, cache, "decoder", config, grads)
    return (dh @ cache[0][1].T).reshape(*dy.shape[:-1], config.latent_dim), grads


def decode_with(dz=lambda dz: dz, dy=lambda dy: dy):
    """decode_backward of another dy, or that returns another dz"""

    def backward(upstream, cache, config, grads=None):
        found, grads = decode_backward(dy(upstream), cache, config, grads)
        return dz(found), grads

    return backward


def first_sample(dy):
    """dy, and 0 for all samples but the first"""
    return np.concatenate([dy[:1], 0 * dy[1:]])


def joined_with(classes):
    """join_class with other classes, of z and c"""
    return lambda z, c: np.concatenate([z, classes(z, c)], axis=-1)


def for_each_sample(z, c):
    """The classes (J, N, C)"""
    return np.broadcast_to(c, (*z.shape[:-1], c.shape[1]))


def for_the_first_sample(z, c):
    """The classes, and 0 for all samples but the first"""
    return first_sample(for_each_sample(z, c))


def repeated(z, c):
    """Each class J times in a row: 0, 0, 1, 1, …, which are then divided into samples"""
    return np.repeat(c, len(z), axis=0).reshape(*z.shape[:-1], c.shape[1])


def numbered(z, c):
    """The class's number, in one column"""
    return for_each_sample(z, c @ np.arange(c.shape[1], dtype=z.dtype)[:, None])


ERRORS = [
    *errors_of(
        "mlp",
        {
            "no activation between the layers: two linear layers are one": (
                network_with(lambda i, depth: False)
            ),
            "the output is activated as well": activated_output,
            "the input is activated as well": activated_input,
            "only the last hidden layer is activated": network_with(
                lambda i, depth: i == depth
            ),
            "only the first hidden layer is activated": network_with(
                lambda i, depth: i == 1
            ),
            "relu, whatever activation is configured": network_with(
                activation=(relu, relu_backward)
            ),
            "tanh, whatever activation is configured": network_with(
                activation=(tanh, tanh_backward)
            ),
            "the biases are missing": network_with(bias=0.0),
            "the encoder's parameters, whatever the prefix is": (
                lambda params, prefix, x, config: network_with()(
                    params, "encoder", x, config
                )
            ),
        },
    ),
    *errors_of(
        "mlp_backward",
        {
            "the activations are skipped on the way back": network_back(
                active=lambda i, depth: False
            ),
            "the first activation is skipped: what is returned is the gradient of its "
            "output": network_back(active=lambda i, depth: i > 1),
            "the last activation is skipped on the way back": network_back(
                active=lambda i, depth: i < depth
            ),
            "the gradients pass the layers in the wrong order: first layer first": (
                network_back(order=list)
            ),
            "relu's derivative, whatever activation is configured": network_back(
                activation=(relu, relu_backward)
            ),
            "tanh's derivative, whatever activation is configured": network_back(
                activation=(tanh, tanh_backward)
            ),
            "the biases' gradients are 0": network_back(bias=0.0),
            "the gradients are written under the encoder's names, whatever the prefix "
            "is": lambda dy, caches, prefix, config, grads: network_back()(
                dy, caches, "encoder", config, grads
            ),
        },
    ),
    *errors_of(
        "encode_backward",
        {
            "mu and logvar are exchanged on the way back": (
                lambda dmu, dlogvar, *rest: encode_backward(dlogvar, dmu, *rest)
            ),
            "the first layer gets no gradient": without_first_layer,
            "the gradient of logvar is lost: only that of mu is passed on": (
                lambda dmu, dlogvar, *rest: encode_backward(dmu, 0 * dlogvar, *rest)
            ),
            "the gradient of mu is lost: only that of logvar is passed on": (
                lambda dmu, dlogvar, *rest: encode_backward(0 * dmu, dlogvar, *rest)
            ),
            "mu and logvar both get the gradient of mu": (
                lambda dmu, dlogvar, *rest: encode_backward(dmu, dmu, *rest)
            ),
            "mu and logvar both get the sum of their gradients": (
                lambda dmu, dlogvar, *rest: encode_backward(
                    dmu + dlogvar, dmu + dlogvar, *rest
                )
            ),
        },
    ),
    *errors_of(
        "decode_backward",
        {
            "dz is 0: nothing is passed on to the encoder": decode_with(
                lambda dz: 0 * dz
            ),
            "the first layer gets no gradient": decode_without_first_layer,
            "dz is a sum over the samples; each sample has its own": decode_with(
                lambda dz: np.broadcast_to(dz.sum(axis=0), dz.shape)
            ),
            "only the first sample's gradient is passed on": decode_with(
                dy=first_sample
            ),
            "samples and images are exchanged when dy becomes rows": decode_with(
                dy=lambda dy: dy.swapaxes(0, 1).reshape(dy.shape)
            ),
        },
    ),
    *errors_of(
        "join_class",
        {
            "the class is 0: only the encoder is told the class": joined_with(
                lambda z, c: 0 * for_each_sample(z, c)
            ),
            "the class stands before z; decode_backward takes the first columns for "
            "those of z": lambda z, c: np.concatenate(
                [for_each_sample(z, c), z], axis=-1
            ),
            "only the first sample is told the class": joined_with(
                for_the_first_sample
            ),
            "each class is repeated J times in a row, so that images get the classes of "
            "others: the J samples are the first axis": joined_with(repeated),
            "all images get the first image's class": joined_with(
                lambda z, c: for_each_sample(z, c[:1])
            ),
            "images get the classes in reverse order": joined_with(
                lambda z, c: for_each_sample(z, c[::-1])
            ),
            "the class is its number, in one column: class 4 is not twice class 2": (
                joined_with(numbered)
            ),
            "each sample has the J-th part of the class": joined_with(
                lambda z, c: for_each_sample(z, c) / len(z)
            ),
        },
    ),
]
