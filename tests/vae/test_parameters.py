"""Parameters: whatever is done to them, the named arrays and the vector agree."""

import copy
import pickle

import numpy as np
import pytest

from numpyvae.settings import VAEConfig
from numpyvae.vae.parameters import Parameters, init_params, zero_parameters

SHAPES = {"a": (2, 3), "b": (3,), "c": ()}


def make(dtype=np.float64):
    return Parameters(SHAPES, np.arange(10, dtype=dtype))


def agree(params, shapes=SHAPES):
    """The arrays have their names and shapes, and are the vector, in order"""
    arrays = list(params.values())
    return (
        {name: array.shape for name, array in params.items()} == shapes
        and all(np.shares_memory(array, params.vector) for array in arrays)
        and np.array_equal(np.concatenate([a.ravel() for a in arrays]), params.vector)
    )


def test_an_assigned_array_is_written_into_the_vector():
    params, b = make(), np.array([-1.0, -2.0, -3.0])
    view = params["b"]
    params["b"] = b
    assert params.vector.tolist() == [0, 1, 2, 3, 4, 5, -1, -2, -3, 9]
    assert agree(params) and params["b"] is view
    b[0] = 100  # the numbers were copied
    assert params.vector[6] == -1


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros(1),  # would broadcast
        np.zeros((3, 1)),
        0.0,
        np.zeros(3, complex),
        np.ma.masked_array(np.zeros(3), [1, 0, 0]),
        np.array(["x", "y", "z"]),
    ],
    ids=lambda value: f"{type(value).__name__} {np.shape(value)}",
)
def test_what_does_not_fit_is_refused_by_name_and_changes_nothing(wrong):
    params = make()
    with pytest.raises(ValueError, match=r"^b (has|holds) "):
        params["b"] = wrong
    assert params.vector.tolist() == list(range(10))


def test_a_name_that_is_not_there_is_a_key_error_that_lists_the_names():
    params = Parameters({"d": (3,)}, np.zeros(3))
    with pytest.raises(KeyError, match="no parameter 'b': d"):
        params["b"] = np.ones(3)
    assert agree(params, {"d": (3,)})


OTHER_CHANGES = {
    "del": lambda params: params.__delitem__("b"),
    "pop": lambda params: params.pop("b"),
    "pop with default": lambda params: params.pop("x", None),
    "popitem": lambda params: params.popitem(),
    "clear": lambda params: params.clear(),
    "setdefault": lambda params: params.setdefault("x", np.zeros(3)),
    "update": lambda params: params.update({"b": np.zeros(3)}),
    "|=": lambda params: params.__ior__({"b": np.zeros(3)}),
}


@pytest.mark.parametrize("change", OTHER_CHANGES.values(), ids=OTHER_CHANGES)
def test_every_other_change_of_a_dictionary_is_refused(change):
    params = make()
    with pytest.raises(TypeError, match="names of Parameters are fixed"):
        change(params)
    assert agree(params) and params.vector.tolist() == list(range(10))


def test_the_vector_is_written_into_and_never_exchanged():
    params = make()
    vector, new = params.vector, np.arange(10.0) ** 2
    params.vector = new
    assert params.vector is vector and np.array_equal(vector, new) and agree(params)
    params.vector += 1
    assert params.vector is vector and np.array_equal(vector, new + 1) and agree(params)
    with pytest.raises(ValueError, match=r"vector has the shape"):
        params.vector = np.zeros(11)


def test_arithmetic_in_place_by_name_writes_into_the_vector():
    params = make()
    params["b"] *= 2
    params["c"] += 1
    assert params.vector.tolist() == [0, 1, 2, 3, 4, 5, 12, 14, 16, 10]
    assert agree(params)


@pytest.mark.parametrize(
    "duplicate",
    [
        Parameters.copy,
        copy.copy,
        copy.deepcopy,
        lambda params: pickle.loads(pickle.dumps(params)),
    ],
    ids=["copy", "copy.copy", "deepcopy", "pickle"],
)
def test_a_copy_has_a_vector_of_its_own_and_views_into_it(duplicate):
    params = make(np.float32)
    twin = duplicate(params)
    assert type(twin) is Parameters and twin.vector.dtype == np.float32
    twin["a"] = np.zeros((2, 3))
    assert agree(twin) and twin.vector.tolist() == [0] * 6 + [6, 7, 8, 9]
    assert agree(params) and params.vector.tolist() == list(range(10))


def test_a_union_is_a_plain_dictionary_of_the_same_views():
    params = make()
    union = params | {"x": np.ones(2)}
    assert type(union) is dict and list(union) == ["a", "b", "c", "x"]
    assert union["a"] is params["a"] and agree(params)


@pytest.mark.parametrize("vector", [np.zeros(9), np.zeros(11), np.zeros((10, 1)), []])
def test_a_vector_of_another_size_is_refused(vector):
    with pytest.raises(ValueError, match=r"vector must have the shape \(10,\)"):
        Parameters(SHAPES, vector)


def test_the_default_weights_have_a_third_of_the_variance_1_over_fan_in():
    """And their layer a third of the mean square, (5.1); 40,000 weights: 4 errors of
    √(0.8/40000), by the variance 4/45 of a uniform u² about its mean ⅓."""
    config = VAEConfig(input_dim=200, hidden_dims=(200,), latent_dim=2)
    params = init_params(config, np.random.default_rng(1), np.float64)
    W = params["encoder.0.W"]
    assert np.mean(W**2) * 200 == pytest.approx(1 / 3, rel=4 * (0.8 / 40_000) ** 0.5)
    assert np.abs(W).max() <= 200**-0.5


def test_zero_parameters_are_views_of_the_dtype_asked_for():
    config = VAEConfig(input_dim=2, hidden_dims=(3,), latent_dim=1, likelihood="normal")
    params = zero_parameters(config, np.float64)
    assert params.vector.dtype == np.float64 and not params.vector.any()
    assert params["logvar_x"].shape == ()
    assert agree(params, {name: array.shape for name, array in params.items()})
