"""Chapter 1. The layers of a network, forward and backward.

A layer is one step of a network. A linear layer computes sums with weights W and a
bias b, which are learned. Two linear layers in a row equal one linear layer. So
between them stands an activation: a nonlinear function of each entry, here relu or
tanh. Its output is a hidden layer, neither the network's input nor its output.

A network is a composition of functions, y = f(x) with x = g(…). Its loss is one
number that depends on y. Write dy for ∂loss/∂y, an array of the shape of y. dy is
called the upstream gradient. The chain rule turns dy into dx = ∂loss/∂x. For that
it needs the derivative of f, and nothing of the other layers. So each layer is a
pair:

    f(x) -> y, cache
    f_backward(dy, cache) -> dx

The cache holds the values that the derivative needs. Backpropagation runs the
forward functions from first to last, then the backward functions from last to
first.

For the linear layer, entry by entry. Each sum is over all the paths by which one
input reaches the loss:

    (1.1)  y_no  = Σ_i x_ni W_io + b_o
           dx_ni = Σ_o dy_no ∂y_no/∂x_ni = Σ_o dy_no W_io
           dW_io = Σₙ dy_no ∂y_no/∂W_io = Σₙ x_ni dy_no
           db_o  = Σₙ dy_no ∂y_no/∂b_o  = Σₙ dy_no

An input x_ni reaches every output o of image n. A weight W_io reaches output o of
every image n. The same as matrix products:

    (1.2)  dx = dy Wᵀ        dW = xᵀ dy        db = Σₙ dyₙ

The linear layer's cache is x and W. An activation's cache is its output y. That is
enough, since y > 0 exactly where x > 0, and tanh' = 1 − tanh². Nothing is copied,
so the parameters must not be updated between a forward pass and its backward pass.

Without caches each layer would run forward again in the backward pass: a fourth
matrix product beside y, dx and dW. The price is memory, every layer's output for
every image. `grads` are arrays to write the gradients of W and b into, if given;
chapter 5 says why.

An example small enough for paper: one image of two pixels, one output, then relu.
Let the loss have ∂loss/∂(relu's output) = 2.

    x = (1, −2)    W = (3, 1)ᵀ    b = ½
    y  = 1 · 3 − 2 · 1 + ½ = 3/2                             relu(y) = 3/2
    dy = 2, since y > 0                                      through relu
    dx = 2 (3, 1) = (6, 2)    dW = (1, −2)ᵀ · 2    db = 2    by (1.2)

    >>> x, W, b = np.array([[1.0, -2.0]]), np.array([[3.0], [1.0]]), np.array([0.5])
    >>> y, linear_cache = linear(x, W, b)
    >>> h, relu_cache = relu(y)
    >>> dy = relu_backward(np.array([[2.0]]), relu_cache)
    >>> dx, dW, db = linear_backward(dy, linear_cache)
    >>> h.tolist(), dx.tolist(), dW.tolist(), db.tolist()
    ([[1.5]], [[6.0, 2.0]], [[2.0], [-4.0]], [2.0])

Source: Rumelhart, Hinton & Williams 1986.
"""

import numpy as np
from numpy import ndarray as Array

Destination = tuple[Array | None, Array | None]  # (dW, db), to write into


def linear(x: Array, W: Array, b: Array) -> tuple[Array, tuple[Array, Array]]:
    """y = x W + b        x (N, I), W (I, O), b (O,)  ->  y (N, O) and the cache"""
    y = x @ W
    y += b
    return y, (x, W)


def linear_backward(
    dy: Array, cache: tuple[Array, Array], grads: Destination = (None, None)
) -> tuple[Array, Array, Array]:
    """dx = dy Wᵀ, and dW, db        dy (N, O)  ->  dx (N, I), dW (I, O), db (O,)

    grads = (dW, db): arrays to write these two into, overwritten
    """
    _, W = cache
    dx = dy @ W.T
    dW, db = linear_backward_params(dy, cache, grads)
    return dx, dW, db


def linear_backward_params(
    dy: Array, cache: tuple[Array, Array], grads: Destination = (None, None)
) -> tuple[Array, Array]:
    """dW = xᵀ dy        db = Σₙ dyₙ        for the first layer, which needs no dx

    dy (N, O)  ->  dW (I, O), db (O,); grads = (dW, db) to write into, overwritten
    """
    x, _ = cache
    dW, db = grads
    return np.matmul(x.T, dy, out=dW), np.sum(dy, axis=0, out=db)


def relu(x: Array) -> tuple[Array, Array]:
    """y = max(x, 0), of each entry; and the cache, y"""
    y = np.maximum(x, 0)
    return y, y


def relu_backward(dy: Array, cache: Array) -> Array:
    """dx = dy where y > 0, else 0

    At the kink x = 0 the derivative is taken to be 0.
    """
    y = cache
    return dy * (y > 0)


def tanh(x: Array) -> tuple[Array, Array]:
    """y = tanh x, of each entry; and the cache, y"""
    y = np.tanh(x)
    return y, y


def tanh_backward(dy: Array, cache: Array) -> Array:
    """dx = dy (1 − y²)"""
    y = cache
    return dy * (1 - y * y)
