"""Oracles for the model: the formulas of reference.py, on four small models; and what the losses need of them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...settings import VAEConfig
from ...vae.parameters import Parameters, parameter_shapes, zero_parameters
from .. import reference
from ..judge.verdict import Trial, parts

PAPER = np.array([1 / 2, 0, 1 / 4, 0, 2, -1])  # chapter 7's example


class Model(NamedTuple):
    """A small model, its parameters, images and noise"""

    words: str
    config: VAEConfig
    params: Parameters
    x: np.ndarray
    eps: np.ndarray


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
    for words, N, J, options in (
        (
            "a normal decoder with a learned variance, J = 2",
            2,
            2,
            {
                "input_dim": 3,
                "hidden_dims": (2,),
                "latent_dim": 2,
                "likelihood": "normal",
                "activation": "tanh",
            },
        ),
        (
            "a Bernoulli decoder, a general prior, beta = 1.7, J = 2",
            3,
            2,
            {
                "input_dim": 3,
                "hidden_dims": (4,),
                "latent_dim": 2,
                "beta": 1.7,
                "prior": ((0.5, -0.25), (0.3, -0.4)),
            },
        ),
        (
            "two hidden layers, J = 3",
            2,
            3,
            {"input_dim": 3, "hidden_dims": (3, 3), "latent_dim": 2},
        ),
    ):
        config = VAEConfig(**options)
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
    return f"{what}: {len(model.x)} images, {pixels}, hidden_dims={c.hidden_dims}, {latents}; {model.words}"


def trials_of(
    what: str,
    expected: Callable,
    call: Callable,
    inputs=("params", "x", "eps", "config"),
    **options,
) -> list[Trial]:
    """A trial per model: expected(model), and call(f, functions, *inputs)"""
    return [
        Trial(
            {name: getattr(model, name) for name in inputs},
            expected(model),
            call,
            text=text(model, what),
            **options,
        )
        for model in models()
    ]


def in_order(grads, params) -> tuple:
    """The gradients in the order of params"""
    missing = [
        name for name in params if not isinstance(grads, dict) or name not in grads
    ]
    return parts(
        [grads[name] for name in params] if not missing else grads,
        len(params),
        "gradients with the keys of params",
    )


def mlp_trials() -> list[Trial]:
    """By einsum, row by row; and whether its caches serve mlp_backward"""

    def value(model):
        return reference.network(
            model.params, "encoder", model.x, model.config.activation
        )

    def backward(f, functions, params, x, eps, config):
        grads = zero_parameters(config, np.float64)
        _, cache = parts(f(params, "encoder", x, config), 2, "a pair (y, caches)")
        functions("mlp_backward")(
            np.ones((len(x), 2 * config.latent_dim)), cache, "encoder", config, grads
        )
        return tuple(
            grads[name]
            for name in params
            if name.startswith("encoder") and ".0." not in name
        )

    def gradients(model):
        return tuple(
            g
            for name, g in zip(
                model.params, network_gradients(model, "encoder", model.x), strict=True
            )
            if name.startswith("encoder") and ".0." not in name
        )

    plain = trials_of(
        "mlp",
        value,
        lambda f, functions, params, x, eps, config: parts(
            f(params, "encoder", x, config), 2, "a pair (y, caches)"
        )[0],
    )
    return (
        plain
        + trials_of("mlp's caches, passed to mlp_backward", gradients, backward)[1:]
    )


def network_gradients(
    model: Model, prefix: str, rows: np.ndarray, dy: np.ndarray | float = 1.0
) -> tuple:
    """Of the loss Σ y dy, y = network(rows)"""
    return reference.gradient(
        lambda p: (
            reference.network(p, prefix, rows, model.config.activation) * dy
        ).sum(),
        model.params,
    )


def upstream(model: Model, columns: int) -> np.ndarray:
    """A fixed dy"""
    return np.cos(np.arange(len(model.x) * columns)).reshape(len(model.x), columns)


def mlp_backward_trials() -> list[Trial]:
    """By complex steps through the reference network"""

    def call(f, functions, params, x, eps, config):
        grads, dy = (
            zero_parameters(config, np.float64),
            np.cos(np.arange(len(x) * 2 * config.latent_dim)).reshape(len(x), -1),
        )
        _, cache = functions("mlp")(params, "encoder", x, config)
        returned = f(dy, cache, "encoder", config, grads)
        return (
            returned,
            *(
                grads[name]
                for name in params
                if name.startswith("encoder") and ".0." not in name
            ),
        )

    def value(model):
        dy = upstream(model, 2 * model.config.latent_dim)
        gradients = dict(
            zip(
                model.params,
                network_gradients(model, "encoder", model.x, dy),
                strict=True,
            )
        )
        # db of layer 0 is the sum of what is returned; one image at a time gives each of its rows
        rows = [
            dict(
                zip(
                    model.params,
                    network_gradients(
                        model, "encoder", model.x[n : n + 1], dy[n : n + 1]
                    ),
                    strict=True,
                )
            )["encoder.0.b"]
            for n in range(len(model.x))
        ]
        return (
            np.array(rows),
            *(
                g
                for name, g in gradients.items()
                if name.startswith("encoder") and ".0." not in name
            ),
        )

    return trials_of("mlp_backward", value, call)


def encode_backward_trials() -> list[Trial]:
    """By complex steps through the reference network"""

    def call(f, functions, params, x, eps, config):
        dy = np.cos(np.arange(len(x) * 2 * config.latent_dim)).reshape(len(x), -1)
        _, cache = functions("encode")(params, x, config)
        L = config.latent_dim
        return in_order(f(dy[:, :L].copy(), dy[:, L:].copy(), cache, config), params)

    def value(model):
        return network_gradients(
            model, "encoder", model.x, upstream(model, 2 * model.config.latent_dim)
        )

    return trials_of("encode_backward", value, call)


def decode_backward_trials() -> list[Trial]:
    """By complex steps through the reference network"""

    def call(f, functions, params, x, eps, config):
        dy = np.cos(np.arange(eps[..., 0].size * config.input_dim)).reshape(
            *eps.shape[:-1], config.input_dim
        )
        _, cache = functions("decode")(params, eps, config)
        dz, grads = parts(f(dy, cache, config), 2, "a pair (dz, grads)")
        return (dz, *in_order(grads, params))

    def value(model):
        config, z = model.config, model.eps
        rows = z.reshape(-1, config.latent_dim)
        dy = np.cos(np.arange(len(rows) * config.input_dim)).reshape(len(rows), -1)
        (dz,) = reference.gradient(
            lambda p: (
                reference.network(model.params, "decoder", p["z"], config.activation)
                * dy
            ).sum(),
            {"z": rows},
        )
        return (dz.reshape(z.shape), *network_gradients(model, "decoder", rows, dy))

    return trials_of("decode_backward", value, call)


def backward_trials(name: str, forward: str, expected: Callable) -> list[Trial]:
    """f(cache, dloss, grads) for the cache of `forward`; expected(model) is the gradient for dloss = 1"""

    def call(f, functions, params, x, eps, config):
        return in_order(f(functions(forward)(params, x, eps, config)[-1]), params)

    def scaled(f, functions, params, x, eps, config):
        return in_order(
            f(functions(forward)(params, x, eps, config)[-1], -0.25), params
        )

    def into(f, functions, params, x, eps, config):
        grads = zero_parameters(config, np.float64)
        grads.vector[:] = np.nan
        f(functions(forward)(params, x, eps, config)[-1], grads=grads)
        return in_order(grads, params)

    def single(f, functions, params, x, eps, config):
        params = Parameters(parameter_shapes(config), params.vector.astype(np.float32))
        return in_order(
            f(
                functions(forward)(
                    params, x.astype(np.float32), eps.astype(np.float32), config
                )[-1]
            ),
            params,
        )

    return [
        *trials_of(name, expected, call),
        *trials_of(
            f"{name} with dloss=-0.25",
            lambda model: tuple(-0.25 * g for g in expected(model)),
            scaled,
        )[:2],
        *trials_of(f"what {name} writes into grads", expected, into)[1:2],
        *trials_of(f"{name} in float32", expected, single, rtol=1e-3, atol=1e-5)[1:2],
    ]
