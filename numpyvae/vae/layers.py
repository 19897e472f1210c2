"""The layers of a network, each beside its backward.

A network is a composition y = f(g(x)), and its loss a number that depends on y. Write dy for ∂loss/∂y, an array in the
shape of y. The chain rule turns dy into dx by way of f's own derivative, so that every layer needs to know nothing but
itself: forward, `f(x) -> y, cache`; backward, `f_backward(dy, cache) -> dx`. The cache holds what the derivative needs
again; it trades memory for not computing it twice. Here it is never a copy: linear keeps its input, which the layer
before made anyway, and W itself; relu and tanh keep their output, which is enough: y > 0 exactly where x > 0, and
tanh' = 1 − tanh². So the parameters must not move between a forward pass and its backward pass.

For the linear layer, y_no = Σ_i x_ni W_io + b_o, so ∂y_no/∂x_ni = W_io, ∂y_no/∂W_io = x_ni, ∂y_no/∂b_o = 1, and the
sums that the chain rule asks for are matrix products.

Forward passes return fresh arrays. Little is lost by that: the memory that one step frees serves the next. The
gradients of the parameters are another matter, megabytes that Adam reads as one vector: `out` names the arrays that
they are written into.

Source: Rumelhart, Hinton & Williams 1986. Next: parameters.
"""

import numpy as np
from numpy import ndarray as Array


def linear(x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    """y = x W + b        x (N, I), W (I, O), b (O,)  ->  y (N, O)"""
    y = x @ W
    y += b
    return y, (x, W)


def linear_backward(dy: Array, cache: tuple[Array, Array], grads=(None, None)) -> tuple[Array, Array, Array]:
    """dx = dy Wᵀ        and dW, db        dy (N, O)  ->  dx (N, I), dW (I, O), db (O,)"""
    _, W = cache
    dx = dy @ W.T
    dW, db = linear_backward_params(dy, cache, grads)
    return dx, dW, db


def linear_backward_params(dy: Array, cache: tuple[Array, Array], grads=(None, None)) -> tuple[Array, Array]:
    """dW = xᵀ dy        db = Σₙ dyₙ = 1ᵀ dy        for the first layer, which needs no dx; written into grads = (dW, db) if given"""
    x, _ = cache
    dW, db = grads
    return np.matmul(x.T, dy, out=dW), np.matmul(np.ones(len(dy), dy.dtype), dy, out=db)


def relu(x: Array) -> tuple[Array, Array]:
    """y = max(x, 0)"""
    y = np.maximum(x, 0)
    return y, y


def relu_backward(dy: Array, cache: Array) -> Array:
    """dx = dy where y > 0, else 0        (at the kink x = 0 the derivative is taken to be 0)"""
    y = cache
    return dy * (y > 0)


def tanh(x: Array) -> tuple[Array, Array]:
    """y = tanh x"""
    y = np.tanh(x)
    return y, y


def tanh_backward(dy: Array, cache: Array) -> Array:
    """dx = dy (1 − y²)"""
    y = cache
    return dy * (1 - y * y)
