"""Sampling: what is drawn, decoded and laid out, through decoders that show z in their pixels."""

import numpy as np
import pytest
from scipy import stats

from numpyvae.pictures.samples import interpolations, manifold, mean_images, pairs, reconstructions, samples
from numpyvae.settings import VAEConfig
from numpyvae.vae import encode, init_params

PRIOR = ((0.5, -1.0), (0.4, -0.8))
SHAPE = (1, 2)
STEP = 8 / 255  # of z, when one of 255 grey levels is the smallest difference seen


def revealing(prior=PRIOR):
    """Two pixels, ½ + z/8: z can be read off the image, to half a STEP, for |z| < 4"""
    config = VAEConfig(input_dim=2, hidden_dims=(), latent_dim=2, likelihood="normal", prior=prior)
    params = init_params(config, np.random.default_rng(1))
    params["decoder.0.W"][...] = np.eye(2) / 8
    params["decoder.0.b"][...] = 0.5
    return params, config


def read(images):
    """z (N, 2)"""
    return (images.reshape(-1, 2) / 255 - 0.5) * 8


def digits(latent_dim=3, input_dim=12):
    config = VAEConfig(input_dim=pixels, hidden_dims=(8,), latent_dim=latent)
    params = init_params(config, np.random.default_rng(1))
    params.vector *= 3
    return params, config, np.random.default_rng(2).random((6, pixels), dtype=np.float32)


def test_everything_is_uint8_images_of_the_shape_asked_for():
    params, config, x = digits(latent_dim=2)
    rng = np.random.default_rng(3)
    for images, n in [(samples(params, config, (3, 4), rng, 7), 7), (reconstructions(params, x, config, (3, 4)), 6),
                      (manifold(params, config, (3, 4), side=5), 25), (interpolations(params, x, config, (3, 4), steps=9), 27)]:
        assert images.shape == (n, 3, 4) and images.dtype == np.uint8


# The decoder's mean

def test_a_bernoulli_decoder_shows_the_probability_of_ink():
    config = VAEConfig(input_dim=5, hidden_dims=(), latent_dim=1)
    params = init_params(config, np.random.default_rng(1))
    params["decoder.0.W"][...] = 0
    params["decoder.0.b"][...] = -1e4, -1, 0, 1, 1e4
    expected = [0, round(255 / (1 + np.e)), 128, round(255 / (1 + 1 / np.e)), 255]
    assert mean_images(params, np.ones((1, 1)), config, (1, 5)).ravel().tolist() == expected


def test_a_normal_decoder_shows_its_mean_cut_off_at_0_and_1():
    config = VAEConfig(input_dim=5, hidden_dims=(), latent_dim=1, likelihood="normal")
    params = init_params(config, np.random.default_rng(1))
    params["decoder.0.W"][...] = 0
    params["decoder.0.b"][...] = -0.5, 0, 0.25, 1, 1.5
    assert mean_images(params, np.ones((1, 1)), config, (1, 5)).ravel().tolist() == [0, 0, 64, 255, 255]


# Samples

@pytest.mark.parametrize("prior", [(0.0, 0.0), PRIOR], ids=["standard", "general"])
def test_samples_are_draws_from_the_prior_decoded(prior):
    """The latents read off 4,000 images: moments to 4 standard errors, uncorrelated"""
    params, config = revealing(prior)
    z = read(samples(params, config, SHAPE, np.random.default_rng(4), 4000))
    mu_p, sigma_p = np.broadcast_to(prior[0], 2), np.exp(np.broadcast_to(prior[1], 2) / 2)
    assert np.all(np.abs(z.mean(axis=0) - mu_p) <= 4 * sigma_p / np.sqrt(4000))
    assert np.all(np.abs(z.std(axis=0) - sigma_p) <= 4 * sigma_p / np.sqrt(8000))
    assert abs(np.corrcoef(z.T)[0, 1]) <= 4 / np.sqrt(4000)


def test_the_generator_decides_which():
    params, config = revealing()
    first, again, other = (samples(params, config, SHAPE, np.random.default_rng(seed), 5) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


# Reconstructions

def test_reconstructions_decode_mu_and_know_nothing_of_sigma():
    params, config, x = digits()
    (mu, _), _ = encode(params, x, config)
    shown = reconstructions(params, x, config, (3, 4))
    assert np.array_equal(shown, mean_images(params, mu, config, (3, 4)))
    assert len(np.unique(shown, axis=0)) == 6
    params["encoder.1.b"][config.latent_dim :] += 10  # σ a hundred times as large
    assert np.array_equal(reconstructions(params, x, config, (3, 4)), shown)


def test_pairs_are_rows_of_originals_above_rows_of_reconstructions():
    originals, others = np.arange(8).reshape(8, 1, 1), 10 + np.arange(8).reshape(8, 1, 1)
    assert pairs(originals, others, columns=4).ravel().tolist() == [0, 1, 2, 3, 10, 11, 12, 13, 4, 5, 6, 7, 14, 15, 16, 17]


# The manifold

@pytest.mark.parametrize("latent", [1, 3, 20])
def test_the_manifold_needs_two_latents(latent):
    params, config, _ = digits(latent)
    with pytest.raises(ValueError, match=f"2 latents.*has {latent}"):
        manifold(params, config, (3, 4))


@pytest.mark.parametrize("prior", [(0.0, 0.0), PRIOR], ids=["standard", "general"])
def test_the_manifold_lies_at_the_priors_quantiles(prior):
    """z₁ grows to the right and z₂ upward, each axis cut into `side` parts of equal probability, seen at their medians"""
    params, config = revealing(prior)
    side = 10
    z = read(manifold(params, config, SHAPE, side)).reshape(side, side, 2)
    shares = (np.arange(side) + 0.5) / side
    mu_p, sigma_p = np.broadcast_to(prior[0], 2), np.exp(np.broadcast_to(prior[1], 2) / 2)
    expected_1, expected_2 = (stats.norm.ppf(shares, m, s) for m, s in zip(mu_p, sigma_p))
    assert np.abs(z[:, :, 0] - expected_1[None, :]).max() <= 0.51 * STEP
    assert np.abs(z[:, :, 1] - expected_2[::-1, None]).max() <= 0.51 * STEP


# Interpolations

def test_an_interpolation_ends_at_the_two_reconstructions():
    params, config, x = digits()
    shown = reconstructions(params, x, config, (3, 4))
    walks = interpolations(params, x, config, (3, 4), steps=7).reshape(3, 7, 3, 4)
    assert np.array_equal(walks[:, 0], shown[0::2])
    assert np.array_equal(walks[:, -1], shown[1::2])


def test_and_is_a_straight_line_between_them_in_equal_steps():
    params, config = revealing()
    x = np.random.default_rng(2).random((4, 2), dtype=np.float32)
    (mu, _), _ = encode(params, x, config)
    z = read(interpolations(params, x, config, SHAPE, steps=5)).reshape(2, 5, 2)
    for walk, start, end in zip(z, mu[0::2], mu[1::2]):
        assert np.abs(walk - [start + (end - start) * i / 4 for i in range(5)]).max() <= 0.51 * STEP
