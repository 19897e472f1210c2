"""layers: against exact arithmetic and the complex step; what is written into, and what
is not.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.vae.gradcheck import complex_step_gradient
from numpyvae.vae.layers import (
    linear,
    linear_backward,
    linear_backward_params,
    relu,
    relu_backward,
    tanh,
    tanh_backward,
)

EPS = np.finfo(float).eps
LAYERS = [  # forward, backward, the shapes of their arguments
    (linear, linear_backward, [(5, 7), (7, 6), (6,)]),
    (relu, relu_backward, [(5, 7)]),
    (tanh, tanh_backward, [(5, 7)]),
]


def arguments(shapes, dtype=np.float64, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def as_tuple(gradients):
    return gradients if isinstance(gradients, tuple) else (gradients,)


def product(A, B):
    """The matrix product by its definition, in exact fractions"""
    A, B = ([[Fraction(float(v)) for v in row] for row in M] for M in (A, B))
    return np.array(
        [
            [
                float(sum(a * b for a, b in zip(row, column, strict=True)))
                for column in zip(*B, strict=True)
            ]
            for row in A
        ]
    )


def test_linear_is_x_times_W_plus_b():
    x, W, b = arguments([(5, 7), (7, 6), (6,)])
    np.testing.assert_allclose(linear(x, W, b)[0], product(x, W) + b, atol=20 * EPS)


def test_linear_backward_is_its_three_matrix_products():
    x, W, b, dy = arguments([(5, 7), (7, 6), (6,), (5, 6)])
    dx, dW, db = linear_backward(dy, linear(x, W, b)[1])
    np.testing.assert_allclose(dx, product(dy, W.T), atol=20 * EPS)
    np.testing.assert_allclose(dW, product(x.T, dy), atol=20 * EPS)
    np.testing.assert_allclose(db, product(np.ones((1, 5)), dy)[0], atol=20 * EPS)


@given(st.floats(allow_nan=False))
def test_relu_passes_positive_inputs_and_their_gradients(x):
    y, cache = relu(np.array([x]))
    assert y == max(x, 0)
    assert relu_backward(np.array([3.0]), cache) == (3.0 if x > 0 else 0.0)


@given(st.floats(-800, 800))
def test_tanh_and_its_gradient_are_correct_for_all_inputs(x):
    y, cache = tanh(np.array([x]))
    assert abs(y) <= 1 and y == np.tanh(x)
    numeric = complex_step_gradient(
        lambda i: tanh(i["x"])[0].sum(), {"x": np.array([x])}, "x"
    )
    assert (
        abs(tanh_backward(np.array([1.0]), cache) - numeric) <= 4 * EPS
    )  # of 1; 1 − y² loses digits


@pytest.mark.parametrize("forward, backward, shapes", LAYERS)
def test_every_layers_gradient_is_the_complex_step(forward, backward, shapes):
    inputs = dict(enumerate(arguments(shapes)))
    y, cache = forward(*inputs.values())
    (dy,) = arguments([y.shape], seed=2)
    gradients = as_tuple(backward(dy, cache))
    assert len(gradients) == len(inputs)
    for i, gradient in enumerate(gradients):
        assert gradient.shape == inputs[i].shape
        numeric = complex_step_gradient(
            lambda inputs: (forward(*inputs.values())[0] * dy).sum(), inputs, i
        )
        np.testing.assert_allclose(gradient, numeric, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("forward, backward, shapes", LAYERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_layer_keeps_dtype_is_reproducible_and_modifies_nothing(
    forward, backward, shapes, dtype
):
    inputs = arguments(shapes, dtype)
    before = [array.copy() for array in inputs]
    y, cache = forward(*inputs)
    kept = [array.copy() for array in as_tuple(cache)]
    (dy,) = arguments([y.shape], dtype, seed=2)
    dy_before = dy.copy()
    gradients = as_tuple(backward(dy, cache))
    assert all(
        np.array_equal(a, b)
        for a, b in zip(
            [*before, *kept, dy_before], [*inputs, *as_tuple(cache), dy], strict=True
        )
    )
    assert {array.dtype for array in (y, *gradients)} == {np.dtype(dtype)}
    assert np.array_equal(y, forward(*inputs)[0])
    assert all(
        np.array_equal(a, b)
        for a, b in zip(gradients, as_tuple(backward(dy, cache)), strict=True)
    )
    assert all(
        not gradient.any() for gradient in as_tuple(backward(np.zeros_like(dy), cache))
    )  # zero in, zero out


@pytest.mark.parametrize("backward", [linear_backward, linear_backward_params])
def test_grads_are_overwritten_and_nothing_else_is(backward):
    x, W, b, dy = before = arguments([(5, 7), (7, 6), (6,), (5, 6)])
    before = [array.copy() for array in before]
    _, cache = linear(x, W, b)
    fresh = backward(dy, cache)
    memory = np.full(
        3 + W.size + 2 + b.size + 4, np.nan
    )  # dW and db with a margin around each
    dW = memory[3 : 3 + W.size].reshape(W.shape)
    db = memory[5 + W.size : 5 + W.size + b.size]
    result = backward(dy, cache, (dW, db))
    assert result[-2] is dW and result[-1] is db
    assert all(np.array_equal(a, b) for a, b in zip(result, fresh, strict=True))
    assert np.isnan(memory).sum() == 9
    assert all(np.array_equal(a, b) for a, b in zip(before, (x, W, b, dy), strict=True))


def test_the_first_layer_gets_the_same_gradients_without_dx():
    x, W, b, dy = arguments([(5, 7), (7, 6), (6,), (5, 6)])
    _, cache = linear(x, W, b)
    for with_dx, without in zip(
        linear_backward(dy, cache)[1:], linear_backward_params(dy, cache), strict=True
    ):
        assert np.array_equal(with_dx, without)
