"""Pixels: bytes and floats are inverses, and binarized pixels have the probabilities
that they should.
"""

import math

import numpy as np
import pytest

from numpyvae.data.pixels import (
    BINARIZATIONS,
    binarize_static,
    check_array,
    check_columns,
    check_images,
    to_bytes,
    to_input,
)
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.loop import train

EVERY_BYTE = np.arange(256, dtype=np.uint8)


def rng():
    return np.random.default_rng(3)


# Bytes and floats


def test_a_byte_becomes_its_value_over_255_in_float32():
    x = to_input(EVERY_BYTE.reshape(1, 16, 16), "none", rng())
    assert x.shape == (1, 256) and x.dtype == np.float32
    ulp = np.spacing(np.float32(1)) / 2  # one rounding of 1/255, one of the product
    np.testing.assert_allclose(x[0], [v / 255 for v in range(256)], rtol=2 * ulp)
    assert x[0, 0] == 0 and x[0, 255] == 1


def test_to_bytes_inverts_to_input_for_every_byte():
    assert to_bytes(
        to_input(EVERY_BYTE.reshape(2, 128), "none", rng())
    ).ravel().tolist() == list(range(256))


def test_to_bytes_rounds_to_nearest_and_clips():
    mean = np.array(
        [
            [-1.0, -0.001, 0.49 / 255, 0.51 / 255],
            [254.4 / 255, 254.6 / 255, 1.001, np.inf],
        ]
    )
    assert to_bytes(mean).tolist() == [[0, 0, 0, 1], [254, 255, 255, 255]]
    assert to_bytes(mean).dtype == np.uint8
    assert to_bytes(mean.astype(np.float32)).tolist() == to_bytes(mean).tolist()


def test_to_bytes_refuses_nan():
    with pytest.raises(ValueError, match="NaN"):
        to_bytes(np.array([0.5, np.nan]))


def test_floats_are_not_divided_and_images_and_rows_are_the_same():
    x = rng().random((3, 4, 5))
    assert np.array_equal(
        to_input(x, "none", rng()), x.astype(np.float32).reshape(3, 20)
    )
    assert np.array_equal(
        to_input(x.reshape(3, 20), "none", rng()), to_input(x, "none", rng())
    )


def test_the_argument_is_never_modified():
    for images in (np.tile(EVERY_BYTE, (2, 1)), rng().random((2, 6), dtype=np.float32)):
        before = images.copy()
        for binarize in set(BINARIZATIONS) - {"static"}:
            to_input(images, binarize, rng())
        assert np.array_equal(images, before)


# Binarization


def test_the_threshold_is_one_half():
    x = to_input(EVERY_BYTE.reshape(1, 256), "threshold", rng())
    assert x.dtype == np.float32 and x[0].tolist() == [0.0] * 128 + [1.0] * 128
    around = np.array([[0.5, np.nextafter(np.float32(0.5), np.float32(0))]])
    assert to_input(around, "threshold", rng()).tolist() == [[1, 0]]


def test_dynamic_pixels_are_one_where_a_uniform_number_is_less():
    images = rng().integers(256, size=(5, 3, 4), dtype=np.uint8)
    uniform = rng().random((5, 12), dtype=np.float32)
    expected = uniform < images.reshape(5, 12).astype(np.float64) / 255
    assert np.array_equal(
        to_input(images, "dynamic", rng()), expected.astype(np.float32)
    )


@pytest.mark.parametrize(
    "sample",
    [
        lambda images: to_input(images, "dynamic", rng()),
        lambda images: binarize_static(images, 3) / 255.0,
    ],
)
def test_gray_values_are_the_probabilities_of_one(sample):
    n = 40_000
    images = np.tile(np.array([0, 1, 64, 128, 254, 255], np.uint8), (n, 1))
    mean = sample(images).mean(axis=0, dtype=np.float64)
    p = images[0] / 255
    assert mean[0] == 0 and mean[-1] == 1
    assert (abs(mean - p) <= 5 * np.sqrt(p * (1 - p) / n)).all()  # five standard errors


@pytest.mark.parametrize("binarize", ["dynamic", "static"])
def test_pixels_of_an_image_are_sampled_independently(binarize):
    images = np.full((4_000, 2, 3), 128, np.uint8)
    x = (
        to_input(images, "dynamic", rng())
        if binarize == "dynamic"
        else binarize_static(images, 3).reshape(4_000, 6)
    )
    correlation = np.corrcoef(x.T) - np.eye(6)
    assert abs(correlation).max() < 5 / math.sqrt(4_000)  # five standard errors


def test_only_dynamic_pixels_use_the_generator():
    images = np.tile(EVERY_BYTE, (2, 1))
    for binarize in BINARIZATIONS:
        generator = rng()
        to_input(
            binarize_static(images, 0) if binarize == "static" else images,
            binarize,
            generator,
        )
        assert (generator.bit_generator.state == rng().bit_generator.state) == (
            binarize != "dynamic"
        )


def test_static_images_are_bytes_of_0_and_255_in_the_same_shape():
    images = rng().integers(256, size=(7, 3, 4), dtype=np.uint8)
    binary = binarize_static(images, 1)
    assert (
        binary.dtype == np.uint8
        and binary.shape == (7, 3, 4)
        and set(binary.ravel()) == {0, 255}
    )
    assert set(to_input(binary, "static", rng()).ravel()) == {0.0, 1.0}


def test_a_static_seed_fixes_the_images_and_another_changes_them():
    images = np.full((50, 4, 4), 128, np.uint8)
    assert np.array_equal(binarize_static(images, 1), binarize_static(images, 1))
    for seed in (2, [1, 1], [1, 2]):
        assert not np.array_equal(
            binarize_static(images, 1), binarize_static(images, seed)
        )


def test_static_images_do_not_depend_on_those_behind_them():
    images = rng().integers(
        256, size=(1_500, 28, 28), dtype=np.uint8
    )  # more than one chunk of random numbers
    whole = binarize_static(images, 5)
    uniform = np.random.default_rng(5).random(images.shape, dtype=np.float32)
    assert np.array_equal(whole, (uniform < images / np.float64(255)) * np.uint8(255))
    assert np.array_equal(binarize_static(images[:3], 5), whole[:3])


def test_a_binarization_that_cannot_be_meant_is_refused():
    gray = np.array([[0, 255, 128]], np.uint8)
    with pytest.raises(
        ValueError, match="one of none, threshold, dynamic, static, not 'yes'"
    ):
        to_input(gray, "yes", rng())
    with pytest.raises(
        ValueError, match="gray pixels; pass them through binarize_static"
    ):
        to_input(gray, "static", rng())
    with pytest.raises(ValueError, match="must be uint8, 0 to 255, not float64"):
        binarize_static(gray / 255, 1)


def test_the_names_are_those_of_the_settings():
    from numpyvae.settings import BINARIZATIONS as names

    assert tuple(names) == BINARIZATIONS


# Arrays that people bring


@pytest.mark.parametrize(
    "check",
    [
        lambda X: check_images("X", X, unit_interval=True),
        lambda X: check_array(X, "X", unit_interval=True),
    ],
)
def test_numbers_that_float32_rounds_beyond_0_and_1_are_clipped(check):
    above = np.nextafter(np.float32(1), np.float32(2))  # MinMaxScaler's, in float32
    X = np.array([[-1e-7, 0.5], [above, 1]], np.float32)
    assert check(X).tolist() == [[0, 0.5], [1, 1]]
    with pytest.raises(ValueError, match=r"1.02"):
        check(np.float32([[0.5, 1.02]]))


def test_a_column_that_the_normal_likelihood_cannot_learn_is_named():
    X = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    check_columns("X", X * 40)
    check_columns("X", X + 100)  # as scikit-learn's own checks of estimators
    far = X.copy()
    far[:, 1] = 812 + 95 * (X[:, 1] - X[:, 1].mean()) / X[:, 1].std()
    with pytest.raises(
        ValueError,
        match=r"^X: column 1 has mean 812 and standard deviation 95 \(1 of 3 columns are "
        r"beyond 200 or 50\).*standardize the columns, \(x - mean\) / std",
    ):
        check_columns("X", far)
    check_columns("X", np.full((3, 2), 200, np.uint8))  # 0.78 to the model


def test_training_refuses_such_columns_before_it_begins():
    X = 1000 * np.random.default_rng(0).normal(size=(20, 3))
    config = VAEConfig(input_dim=3, hidden_dims=(4,), latent_dim=2, likelihood="normal")
    with pytest.raises(ValueError, match=r"images: column .*standardize the columns"):
        train(X, None, config, TrainingOptions(epochs=1), processes=1)
