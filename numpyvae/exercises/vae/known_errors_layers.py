"""Known errors in book one's layers and Bernoulli log-likelihood."""

import numpy as np

from ...vae.bernoulli import sigmoid, softplus
from ..judge.known_errors import KnownError


def _error(name, words, wrong, published=""):
    return KnownError(name, words, wrong, published)


def _linear_backward(dy, cache, grads=(None, None), *, dx=None, dW=None, db=None):
    """linear_backward with one of its three gradients replaced; x, W and dy are given to the replacement"""
    x, W = cache
    gradients = (
        dx(dy, x, W) if dx else dy @ W.T,
        dW(dy, x, W) if dW else x.T @ dy,
        db(dy, x, W) if db else dy.sum(axis=0),
    )
    for destination, gradient in zip(grads, gradients[1:], strict=True):
        if destination is not None:
            destination[...] = gradient
    return gradients


def _with(**wrong):
    return lambda dy, cache, grads=(None, None): _linear_backward(
        dy, cache, grads, **wrong
    )


def _params_with(**wrong):
    return lambda dy, cache, grads=(None, None): _linear_backward(
        dy, cache, grads, **wrong
    )[1:]


ERRORS = [
    _error(
        "linear", "this is x W: the bias is missing", lambda x, W, b: (x @ W, (x, W))
    ),
    _error(
        "linear",
        "this is x Wᵀ + b: the weight is transposed",
        lambda x, W, b: (x @ W.T + b, (x, W)),
    ),
    _error(
        "relu",
        "this is |x|: negative inputs change their sign instead of becoming 0",
        lambda x: (abs(x), abs(x)),
    ),
    _error(
        "relu",
        "this is leaky: negative inputs are scaled by 0.01 instead of becoming 0",
        lambda x: (np.where(x > 0, x, 0.01 * x),) * 2,
    ),
    _error(
        "relu_backward",
        "this is dy: the gradient is not 0 where the input was negative",
        lambda dy, y: dy * np.ones_like(y),
    ),
    _error(
        "relu_backward",
        "the mask is dy > 0, the sign of the gradient; it must be y > 0",
        lambda dy, y: dy * (dy > 0),
    ),
    _error(
        "relu_backward",
        "this is dy y: the output itself in the place of the mask",
        lambda dy, y: dy * y,
    ),
    _error(
        "tanh_backward",
        "this is dy (1 − y): the square is missing",
        lambda dy, y: dy * (1 - y),
    ),
    _error(
        "tanh_backward",
        "this is dy (1 − tanh² y): y is tanh x already",
        lambda dy, y: dy * (1 - np.tanh(y) ** 2),
    ),
    _error(
        "tanh_backward",
        "this is dy y (1 − y): the derivative of the sigmoid",
        lambda dy, y: dy * y * (1 - y),
    ),
    _error(
        "linear_backward_params",
        "dW is dyᵀ x: transposed",
        _params_with(dW=lambda dy, x, W: dy.T @ x),
    ),
    _error(
        "linear_backward_params",
        "dW and db are means over the images; they must be sums",
        _params_with(
            dW=lambda dy, x, W: x.T @ dy / len(dy), db=lambda dy, x, W: dy.mean(axis=0)
        ),
    ),
    _error(
        "linear_backward_params",
        "db is a mean over the images; it must be a sum",
        _params_with(db=lambda dy, x, W: dy.mean(axis=0)),
    ),
    _error(
        "linear_backward_params",
        "dW is a mean over the images; it must be a sum",
        _params_with(dW=lambda dy, x, W: x.T @ dy / len(dy)),
    ),
    _error(
        "linear_backward_params",
        "db is summed over the outputs; it must be summed over the images",
        _params_with(db=lambda dy, x, W: dy.sum(axis=1)),
    ),
    _error(
        "linear_backward_params",
        "dW is x dy: the transpose of x is missing",
        _params_with(dW=lambda dy, x, W: x @ dy),
    ),
    _error(
        "linear_backward",
        "dx is dy W: the transpose of the weight is missing",
        _with(dx=lambda dy, x, W: dy @ W),
    ),
    _error(
        "linear_backward",
        "dW is dyᵀ x: transposed",
        _with(dW=lambda dy, x, W: dy.T @ x),
    ),
    _error(
        "linear_backward",
        "db is a mean over the images; it must be a sum",
        _with(db=lambda dy, x, W: dy.mean(axis=0)),
    ),
    _error(
        "linear_backward",
        "dW is a mean over the images; it must be a sum",
        _with(dW=lambda dy, x, W: x.T @ dy / len(dy)),
    ),
    _error(
        "sigmoid",
        "this is sigmoid(−l): the sign in the exponential is missing",
        lambda v: 1 / (1 + np.exp(v)),
    ),
    _error(
        "sigmoid",
        "correct on paper, but exp(l)/(1 + exp(l)) is inf/inf for a large l",
        lambda v: np.exp(v) / (1 + np.exp(v)),
    ),
    _error(
        "softplus",
        "correct on paper, but exp(l) overflows, and 1 + exp(l) loses a small exp(l): use max(l, 0) and np.log1p",
        lambda v: np.log(1 + np.exp(v)),
    ),
    _error(
        "softplus",
        "correct on paper, but exp(l) overflows: use max(l, 0) + log(1 + exp(−|l|))",
        lambda v: np.log1p(np.exp(v)),
    ),
    _error(
        "softplus",
        "this is log(1 + exp(−l)): the sign of l",
        lambda v: np.logaddexp(0, -v),
    ),
    _error(
        "log_prob",
        "this is a mean over the pixels; it must be a sum",
        lambda x, v: (x * v - softplus(v)).mean(axis=-1),
        "Keras, VAE example, pull request 3383",
    ),
    _error(
        "log_prob",
        "this is summed over the images as well",
        lambda x, v: (x * v - softplus(v)).sum(),
    ),
    _error(
        "log_prob",
        "this is −log p: the sign is missing",
        lambda x, v: -(x * v - softplus(v)).sum(axis=-1),
    ),
    _error(
        "log_prob",
        "x and 1 − x are exchanged",
        lambda x, v: ((1 - x) * v - softplus(v)).sum(axis=-1),
    ),
    _error(
        "log_prob",
        "only x log sigmoid(l): the term of 1 − x is missing",
        lambda x, v: -(x * softplus(-v)).sum(axis=-1),
    ),
    _error(
        "log_prob",
        "correct on paper, but log(sigmoid(l)) is log 0 for a large |l|: use logits",
        lambda x, v: (x * np.log(sigmoid(v)) + (1 - x) * np.log(1 - sigmoid(v))).sum(
            axis=-1
        ),
    ),
    _error(
        "log_prob_backward",
        "the sign is turned: sigmoid(l) − x",
        lambda dy, x, v: dy[..., None] * (sigmoid(v) - x),
    ),
    _error(
        "log_prob_backward",
        "this is dy (x − l): the sigmoid is missing",
        lambda dy, x, v: dy[..., None] * (x - v),
    ),
    _error(
        "log_prob_backward",
        "a factor sigmoid(l) (1 − sigmoid(l)) too many, as after a sigmoid layer",
        lambda dy, x, v: (
            dy[..., None] * (x - sigmoid(v)) * sigmoid(v) * (1 - sigmoid(v))
        ),
    ),
    _error(
        "log_prob_backward",
        "this is divided by the number of pixels",
        lambda dy, x, v: dy[..., None] * (x - sigmoid(v)) / x.shape[-1],
    ),
]
