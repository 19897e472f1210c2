"""Images from a model, through decoders that show z in their pixels; and how images are
put together.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from numpyvae.pictures.samples import (
    active_first,
    enlarge,
    image_grid,
    interleave_rows,
    interpolate,
    manifold,
    mean_images,
    reconstruct,
    reconstruction_grid,
    sample_images,
    traverse,
)
from numpyvae.settings import VAEConfig
from numpyvae.vae import encode, init_params

PRIOR = ((0.5, -1.0), (0.4, -0.8))
SHAPE = (1, 2)
STEP = 8 / 255  # of z, when one of 255 gray levels is the smallest difference seen


def revealing(prior=PRIOR):
    """Two pixels, ½ + z/8: z can be read off the image, to half a STEP, for |z| < 4"""
    config = VAEConfig(
        input_dim=2, hidden_dims=(), latent_dim=2, likelihood="normal", prior=prior
    )
    params = init_params(config, np.random.default_rng(1))
    params["decoder.0.W"][...] = np.eye(2) / 8
    params["decoder.0.b"][...] = 0.5
    return params, config


def read(images):
    """z (N, 2)"""
    return (images.reshape(-1, 2) / 255 - 0.5) * 8


def digits(latent_dim=3, input_dim=12):
    config = VAEConfig(input_dim=input_dim, hidden_dims=(8,), latent_dim=latent_dim)
    params = init_params(config, np.random.default_rng(1))
    params.vector *= 3
    return (
        params,
        config,
        np.random.default_rng(2).random((6, input_dim), dtype=np.float32),
    )


def test_everything_is_uint8_images_of_the_shape_asked_for():
    params, config, x = digits(latent_dim=2)
    rng = np.random.default_rng(3)
    for images, n in [
        (sample_images(params, config, (3, 4), rng, 7), 7),
        (reconstruct(params, x, config, (3, 4)), 6),
        (manifold(params, config, (3, 4), side=5), 25),
        (interpolate(params, x, config, (3, 4), steps=9), 33),
        (traverse(params, [1, 0], config, (3, 4), steps=5), 10),
    ]:
        assert images.shape == (n, 3, 4) and images.dtype == np.uint8


# The decoder's mean


def test_a_bernoulli_decoder_shows_the_probability_of_each_pixel():
    config = VAEConfig(input_dim=5, hidden_dims=(), latent_dim=1)
    params = init_params(config, np.random.default_rng(1))
    params["decoder.0.W"][...] = 0
    params["decoder.0.b"][...] = -1e4, -1, 0, 1, 1e4
    expected = [0, round(255 / (1 + np.e)), 128, round(255 / (1 + 1 / np.e)), 255]
    assert (
        mean_images(params, np.ones((1, 1)), config, (1, 5)).ravel().tolist()
        == expected
    )


def test_a_normal_decoder_shows_its_mean_clipped_to_0_and_1():
    config = VAEConfig(input_dim=5, hidden_dims=(), latent_dim=1, likelihood="normal")
    params = init_params(config, np.random.default_rng(1))
    params["decoder.0.W"][...] = 0
    params["decoder.0.b"][...] = -0.5, 0, 0.25, 1, 1.5
    assert mean_images(params, np.ones((1, 1)), config, (1, 5)).ravel().tolist() == [
        0,
        0,
        64,
        255,
        255,
    ]


# Samples


@pytest.mark.parametrize("prior", [(0.0, 0.0), PRIOR], ids=["standard", "general"])
def test_samples_are_those_of_the_prior_decoded(prior):
    """The latents read off 4,000 images: moments to 4 standard errors, uncorrelated"""
    params, config = revealing(prior)
    z = read(sample_images(params, config, SHAPE, np.random.default_rng(4), 4000))
    mu_p = np.broadcast_to(prior[0], 2)
    sigma_p = np.exp(np.broadcast_to(prior[1], 2) / 2)
    assert np.all(np.abs(z.mean(axis=0) - mu_p) <= 4 * sigma_p / np.sqrt(4000))
    assert np.all(np.abs(z.std(axis=0) - sigma_p) <= 4 * sigma_p / np.sqrt(8000))
    assert abs(np.corrcoef(z.T)[0, 1]) <= 4 / np.sqrt(4000)


def test_the_generator_decides_which_samples():
    params, config = revealing()
    first, again, other = (
        sample_images(params, config, SHAPE, np.random.default_rng(seed), 5)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


# Reconstructions


def test_reconstructions_decode_mu_and_do_not_depend_on_sigma():
    params, config, x = digits()
    (mu, _), _ = encode(params, x, config)
    shown = reconstruct(params, x, config, (3, 4))
    assert np.array_equal(shown, mean_images(params, mu, config, (3, 4)))
    assert len(np.unique(shown, axis=0)) == 6
    params["encoder.1.b"][config.latent_dim :] += 10  # σ a hundred times as large
    assert np.array_equal(reconstruct(params, x, config, (3, 4)), shown)


def test_rows_of_originals_stand_above_rows_of_reconstructions():
    originals = np.arange(8)[:, None, None] + np.zeros((8, 2, 3), int)
    rows = interleave_rows(originals, originals + 10, columns=4)
    assert rows.shape == (16, 2, 3) and (rows == rows[:, :1, :1]).all()
    assert rows[:, 0, 0].tolist() == [
        0,
        1,
        2,
        3,
        10,
        11,
        12,
        13,
        4,
        5,
        6,
        7,
        14,
        15,
        16,
        17,
    ]


@pytest.mark.parametrize(
    "count, shown, columns", [(6, 6, 3), (5, 3, 3), (2, 2, 2), (1, 1, 1)]
)
def test_a_grid_of_reconstructions_has_full_rows_or_one_short_row(
    count, shown, columns
):
    params, config, x = digits()
    x = x[:count]
    rows = interleave_rows(
        np.rint(x[:shown] * 255).astype(np.uint8).reshape(-1, 3, 4),
        reconstruct(params, x[:shown], config, (3, 4)),
        columns,
    )
    assert np.array_equal(
        reconstruction_grid(params, x, config, (3, 4), columns=3),
        image_grid(rows, columns),
    )


# The manifold


@pytest.mark.parametrize("latent", [1, 3, 20])
def test_the_manifold_needs_two_latents(latent):
    params, config, _ = digits(latent)
    with pytest.raises(ValueError, match=f"2 latents.*has {latent}"):
        manifold(params, config, (3, 4))


@pytest.mark.parametrize("prior", [(0.0, 0.0), PRIOR], ids=["standard", "general"])
def test_the_manifold_lies_at_the_priors_quantiles(prior):
    """z₁ grows to the right and z₂ upward, each axis in `side` intervals of equal
    probability, at their medians
    """
    params, config = revealing(prior)
    side = 10
    z = read(manifold(params, config, SHAPE, side)).reshape(side, side, 2)
    fractions = (np.arange(side) + 0.5) / side
    mu_p = np.broadcast_to(prior[0], 2)
    sigma_p = np.exp(np.broadcast_to(prior[1], 2) / 2)
    expected_1, expected_2 = (
        stats.norm.ppf(fractions, m, s) for m, s in zip(mu_p, sigma_p, strict=True)
    )
    assert np.abs(z[:, :, 0] - expected_1[None, :]).max() <= 0.51 * STEP
    assert np.abs(z[:, :, 1] - expected_2[::-1, None]).max() <= 0.51 * STEP


# Interpolations


def test_an_interpolation_has_originals_at_its_ends():
    params, config, x = digits()
    walks = interpolate(params, x, config, (3, 4), steps=7).reshape(3, 9, 3, 4)
    originals = np.rint(x * 255).reshape(6, 3, 4)
    shown = reconstruct(params, x, config, (3, 4))
    assert np.array_equal(walks[:, 0], originals[0::2]) and np.array_equal(
        walks[:, -1], originals[1::2]
    )
    assert np.array_equal(walks[:, 1], shown[0::2]) and np.array_equal(
        walks[:, -2], shown[1::2]
    )


def test_an_interpolation_of_two_steps_is_the_two_reconstructions():
    params, config, x = digits()
    assert np.array_equal(
        interpolate(params, x[:2], config, (3, 4), steps=2)[1:3],
        reconstruct(params, x[:2], config, (3, 4)),
    )


def test_an_interpolation_is_a_straight_line_in_equal_steps():
    params, config = revealing()
    x = np.random.default_rng(2).random((4, 2), dtype=np.float32)
    (mu, _), _ = encode(params, x, config)
    z = read(interpolate(params, x, config, SHAPE, steps=5)).reshape(2, 7, 2)[:, 1:-1]
    for walk, start, end in zip(z, mu[0::2], mu[1::2], strict=True):
        assert (
            np.abs(walk - [start + (end - start) * i / 4 for i in range(5)]).max()
            <= 0.51 * STEP
        )


@pytest.mark.parametrize("count, steps", [(3, 6), (2, 1)])
def test_an_interpolation_takes_pairs_and_two_steps(count, steps):
    params, config, x = digits()
    with pytest.raises(
        ValueError, match=f"at least 2 steps; not {count} images and {steps} steps"
    ):
        interpolate(params, x[:count], config, (3, 4), steps)


# Traversals


@pytest.mark.parametrize("prior", [(0.0, 0.0), PRIOR], ids=["standard", "general"])
def test_a_traversal_varies_one_unit_through_the_priors_quantiles(prior):
    params, config = revealing(prior)
    z = read(traverse(params, [1, 0], config, SHAPE, steps=6)).reshape(2, 6, 2)
    mu_p = np.broadcast_to(prior[0], 2)
    sigma_p = np.exp(np.broadcast_to(prior[1], 2) / 2)
    quantiles = stats.norm.ppf((np.arange(6) + 0.5) / 6)
    for row, unit in zip(z, (1, 0), strict=True):
        assert (
            np.abs(row[:, unit] - (mu_p[unit] + sigma_p[unit] * quantiles)).max()
            <= 0.51 * STEP
        )
        assert np.abs(row[:, 1 - unit] - mu_p[1 - unit]).max() <= 0.51 * STEP


def test_a_traversal_can_hold_the_other_units_elsewhere():
    params, config = revealing((0.0, 0.0))
    z = read(traverse(params, [0], config, SHAPE, steps=4, eps=np.array([9.0, -1.5])))
    assert np.abs(z[:, 1] + 1.5).max() <= 0.51 * STEP
    assert (
        np.abs(z[:, 0] - stats.norm.ppf([0.125, 0.375, 0.625, 0.875])).max()
        <= 0.51 * STEP
    )


@pytest.mark.parametrize("unit", [-1, 2])
def test_a_unit_that_does_not_exist_is_refused(unit):
    params, config = revealing()
    with pytest.raises(
        ValueError,
        match=f"latent unit {unit} does not exist; the model has units 0 to 1",
    ):
        traverse(params, [0, unit], config, SHAPE)


def test_units_come_by_falling_variance_and_equal_ones_in_their_order():
    mu = np.array([[1.0, 0, 3, 1], [-1, 0, -3, -1]], np.float32)
    assert active_first(mu).tolist() == [2, 0, 3, 1]


# Images put together


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), st.booleans())
def test_a_grid_has_every_image_in_its_place_and_gray_elsewhere(
    count, columns, padding, in_color
):
    images = np.random.default_rng(0).integers(
        1, 256, size=(count, 4, 6) + (3,) * in_color, dtype=np.uint8
    )
    grid = image_grid(images, columns, padding=padding, pad_value=0)
    rows = math.ceil(count / columns)
    assert (
        grid.shape[:2]
        == (padding + rows * (4 + padding), padding + columns * (6 + padding))
        and grid.dtype == np.uint8
    )
    for i in range(count):
        top = padding + i // columns * (4 + padding)
        left = padding + i % columns * (6 + padding)
        assert np.array_equal(grid[top : top + 4, left : left + 6], images[i])
    assert np.count_nonzero(grid) == images.size  # nothing is anywhere else


def test_a_grid_is_gray_between_images_unless_told_otherwise():
    grid = image_grid(np.full((3, 2, 2), 255, np.uint8), 2)
    assert (
        grid.shape == (10, 10)
        and np.unique(grid).tolist() == [48, 255]
        and (grid == 255).sum() == 12
    )


def test_a_grid_without_columns_is_refused():
    for images, columns, padding in [
        (np.zeros((3, 4, 4)), 0, 1),
        (np.zeros((4, 4)), 1, 1),
        (np.zeros((3, 4, 4)), 1, -1),
    ]:
        with pytest.raises(ValueError, match="a grid takes images"):
            image_grid(images, columns, padding)


@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 3)])
def test_an_enlarged_image_repeats_each_pixel(shape):
    image = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    large = enlarge(image, 3)
    assert large.shape == (9, 6, *shape[2:]) and all(
        large[r, c].tolist() == image[r // 3, c // 3].tolist()
        for r in range(9)
        for c in range(6)
    )
    assert enlarge(image).shape[0] == 12 and np.array_equal(enlarge(image, 1), image)
    with pytest.raises(ValueError, match="1 time or more, not 0"):
        enlarge(image, 0)
