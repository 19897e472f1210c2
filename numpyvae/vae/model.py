"""Chapter 6. The model: encoder, decoder and prior.

    encode    x (N, D) -> mu, logvar (N, L)
              q(z|x) = N(mu, σ²), diagonal: the approximate posterior
    decode    z (J, N, L) -> y (J, N, D)
              the parameter of p(x|z) for each pixel, of each sample, of each image
    prior     p(z) = N(mu_p, σ_p²)
              diagonal and fixed; mu_p = 0 and σ_p = 1 unless configured

The encoder's output is logvar = log σ², since a linear layer gives any real number,
and σ must be positive. The prior need not be learned: the decoder's first layer can
shift and scale z.

Both networks are multilayer perceptrons (MLP): linear layers with an activation
between them. With one hidden layer of H units, and a for the activation:

    (6.1)  y = a(x W₀ + b₀) W₁ + b₁        W₀ (I, H), b₀ (H,), W₁ (H, O), b₁ (O,)

The backward pass goes from right to left, by (1.2) for each linear layer. Its last
step, the gradient of the input, is needed for the decoder, whose input z depends on
the encoder. The encoder's input is data. So its first dx = dy W₀ᵀ is left out.

That saves one of the six large products of a training step. Two layers have D
inputs or outputs: the encoder's first and the decoder's last. Each has the products
y, dx and dW. The encoder's dx is the one that is saved.

To add an activation: tests/README.md, Contributing.

An example small enough for paper: two pixels, one hidden unit with relu, one
latent. The encoder has W₀ = (1, 2)ᵀ, b₀ = −1, W₁ = (1, −1), b₁ = (0, ½):

    x         x W₀ + b₀    relu    mu = y₀    logvar = y₁
    (1, 1)    2            2       2          −2 + ½ = −3/2
    (0, ¼)    −½           0       0          ½

    >>> import numpy as np
    >>> from numpyvae.vae import VAEConfig
    >>> config = VAEConfig(input_dim=2, hidden_dims=(1,), latent_dim=1)
    >>> params = zero_parameters(config, np.float64)
    >>> params["encoder.0.W"] = np.array([[1.0], [2.0]])
    >>> params["encoder.0.b"] = np.array([-1.0])
    >>> params["encoder.1.W"] = np.array([[1.0, -1.0]])
    >>> params["encoder.1.b"] = np.array([0.0, 0.5])
    >>> x = np.array([[1.0, 1.0], [0.0, 0.25]])
    >>> (mu, logvar), _ = encode(params, x, config)
    >>> mu.ravel(), logvar.ravel()
    (array([2., 0.]), array([-1.5,  0.5]))

Source: Kingma & Welling 2014, appendix C.
"""

import numpy as np
from numpy import ndarray as Array

from ..errors import InputError
from ..settings import VAEConfig
from .bernoulli import check_pixels
from .layers import (
    linear,
    linear_backward,
    linear_backward_params,
    relu,
    relu_backward,
    tanh,
    tanh_backward,
)
from .parameters import Parameters, zero_parameters

ACTIVATIONS = {"relu": (relu, relu_backward), "tanh": (tanh, tanh_backward)}


def mlp(
    params: Parameters, prefix: str, x: Array, config: VAEConfig
) -> tuple[Array, list]:
    """linear, then an activation and linear again for each hidden layer, (6.1)

    x (N, I) -> y (N, O), and caches = [linear 0, activation 1, linear 1, …]: that
    of linear i is at 2i, that of the activation before it at 2i − 1. `prefix` is
    "encoder" or "decoder".
    """
    activate, _ = ACTIVATIONS[config.activation]
    x, linear_cache = linear(x, params[f"{prefix}.0.W"], params[f"{prefix}.0.b"])
    caches: list = [linear_cache]
    for i in range(1, len(config.hidden_dims) + 1):
        x, activation_cache = activate(x)
        W, b = params[f"{prefix}.{i}.W"], params[f"{prefix}.{i}.b"]
        x, linear_cache = linear(x, W, b)
        caches += [activation_cache, linear_cache]
    return x, caches


def mlp_backward(
    dy: Array, caches: list, prefix: str, config: VAEConfig, grads: Parameters
) -> Array:
    """Write the gradients of linear 1, 2, … into grads; dy (N, O) -> dy of linear 0

    What it returns, ∂loss/∂(the output of linear 0), is left to the caller, since
    only the decoder needs a dx of linear 0.
    """
    _, activate_backward = ACTIVATIONS[config.activation]
    for i in range(len(config.hidden_dims), 0, -1):
        destination = (grads[f"{prefix}.{i}.W"], grads[f"{prefix}.{i}.b"])
        dx, _, _ = linear_backward(dy, caches[2 * i], destination)
        dy = activate_backward(dx, caches[2 * i - 1])
    return dy


def encode(
    params: Parameters, x: Array, config: VAEConfig
) -> tuple[tuple[Array, Array], list]:
    """q(z|x) = N(mu, exp(logvar)), diagonal

    x (N, D)  ->  (mu, logvar), each (N, L), and the cache
    """
    y, cache = mlp(params, "encoder", x, config)
    mu, logvar = y[:, : config.latent_dim], y[:, config.latent_dim :]
    return (mu, logvar), cache


def encode_backward(
    dmu: Array,
    dlogvar: Array,
    cache: list,
    config: VAEConfig,
    grads: Parameters | None = None,
) -> Parameters:
    """Write the encoder's gradients into grads, and return grads.

    dmu, dlogvar (N, L). Without grads, new ones are made: 0 for the decoder.
    """
    if grads is None:
        grads = zero_parameters(config, dmu.dtype)
    # mu and logvar are halves of one array, and so are their gradients.
    dy = np.concatenate([dmu, dlogvar], axis=1)
    dy = mlp_backward(dy, cache, "encoder", config, grads)
    destination = (grads["encoder.0.W"], grads["encoder.0.b"])
    linear_backward_params(dy, cache[0], destination)  # x is data: no dx
    return grads


def decode(params: Parameters, z: Array, config: VAEConfig) -> tuple[Array, list]:
    """The parameter of p(x|z): logits (bernoulli) or means (normal)

    z (..., L)  ->  y (..., D), and the cache. The network sees the samples as rows.
    """
    rows = z.reshape(-1, z.shape[-1])
    y, cache = mlp(params, "decoder", rows, config)
    return y.reshape(*z.shape[:-1], config.input_dim), cache


def decode_backward(
    dy: Array, cache: list, config: VAEConfig, grads: Parameters | None = None
) -> tuple[Array, Parameters]:
    """dy (..., D) -> dz (..., L), and grads, into which the decoder's are written

    Without grads, new ones are made: 0 for the encoder.
    """
    if grads is None:
        grads = zero_parameters(config, dy.dtype)
    shape = dy.shape[:-1]
    rows = dy.reshape(-1, config.input_dim)
    rows = mlp_backward(rows, cache, "decoder", config, grads)
    destination = (grads["decoder.0.W"], grads["decoder.0.b"])
    dz, _, _ = linear_backward(rows, cache[0], destination)
    return dz.reshape(*shape, -1)[..., : config.latent_dim], grads


def prior_parameters(config: VAEConfig, dtype: np.dtype) -> tuple[Array, Array]:
    """(mu_p, logvar_p) as arrays of dtype that broadcast against (N, L)"""
    mu_p, logvar_p = config.prior
    return np.asarray(mu_p, dtype), np.asarray(logvar_p, dtype)


def split_class(x: Array, config: VAEConfig) -> tuple[Array, Array]:
    """x (N, D + C)  ->  the pixels (N, D), and the class c (N, C)

    Chapter 14 introduces classes; without them C is 0.
    """
    return x[:, : config.input_dim], x[:, config.input_dim :]


def join_class(z: Array, c: Array) -> Array:
    """[z, c], the decoder's input; z itself without classes

    z (J, N, L), c (N, C)  ->  (J, N, L + C)
    """
    if c.shape[1] == 0:
        return z
    c = np.broadcast_to(c, (*z.shape[:-1], c.shape[1]))
    return np.concatenate([z, c], axis=-1)


def check_images(x: Array, config: VAEConfig) -> None:
    """ValueError unless x is (N, D + C), rows of floats or booleans."""
    check_pixels(x)
    columns = config.input_dim + config.num_classes
    if np.ndim(x) != 2 or np.shape(x)[1] != columns:
        raise InputError(
            f"x must have the shape (N, {columns}), one row per image; "
            f"it has {np.shape(x)}"
        )


def check_minibatch(x: Array, eps: Array, config: VAEConfig) -> None:
    """ValueError unless x is rows and eps (J, N, L), J ≥ 1, both of real numbers.

    Noise of another shape would broadcast.
    """
    check_images(x, config)
    if np.ma.isMaskedArray(eps) or np.asarray(eps).dtype.kind != "f":
        raise InputError(
            "eps must be an array of floats, as standard_normal draws them"
        )
    N, L = len(x), config.latent_dim
    if np.ndim(eps) != 3 or np.shape(eps)[0] < 1 or np.shape(eps)[1:] != (N, L):
        raise InputError(
            f"eps must have the shape (J, {N}, {L}): J samples of {L} latents for "
            f"each of the {N} images; it has {np.shape(eps)}"
        )
