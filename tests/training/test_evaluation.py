"""Evaluation: every value, on models made so that it is known beforehand."""

import math
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from numpyvae.errors import InputError
from numpyvae.settings import VAEConfig
from numpyvae.training import evaluation
from numpyvae.training.evaluation import evaluate, evaluate_elbo, map_in_threads
from numpyvae.vae import init_params

CONFIG = VAEConfig(input_dim=4, hidden_dims=(), latent_dim=5)
IMAGES = np.random.default_rng(1).integers(0, 256, (60, 2, 2), dtype=np.uint8)


def rng():
    return np.random.default_rng(2)


def random_model(config=CONFIG, scale=2):
    params = init_params(config, np.random.default_rng(3))
    params.vector *= scale
    return params


def blind_model(config=CONFIG):
    """Its encoder says N(0, 1) of every image, its decoder σ(l), l = (−1, 0, 1, 2), of
    every z.
    """
    params = random_model(config)
    params.vector[...] = 0
    params["decoder.0.b"][...] = -1, 0, 1, 2
    return params


def blind_log_px(x):
    """Σ x log p + (1 − x) log(1 − p), p = sigmoid(l), for each row of x (N, 4)"""
    p = 1 / (1 + np.exp([1.0, 0.0, -1.0, -2.0]))
    return x @ np.log(p) + (1 - x) @ np.log(1 - p)


def test_a_model_that_ignores_the_latents_is_evaluated_exactly():
    """No KL, no noise: ELBO and log p(x) are Σ x log σ(l) + (1 − x) log(1 − σ(l)), here
    to float32's digits.
    """
    exact = blind_log_px(IMAGES.reshape(-1, 4) / 255).mean()
    result = evaluate(
        blind_model(), IMAGES, CONFIG, "none", rng(), importance_samples=3
    )
    assert result["reconstruction"] == pytest.approx(-exact, abs=1e-6)
    assert result["log_marginal"] == pytest.approx(exact, abs=1e-6)
    assert result["log_marginal_se"] == pytest.approx(0, abs=1e-6)
    assert result["kl"] == 0 and result["active_units"] == 0


def test_the_kl_is_the_mean_over_images_of_the_closed_form():
    """An encoder with mu = (1, 0, 0, 0, 0) and σ = 2 in the last latent: ½ (1) + ½ (4 −
    1 − log 4), for every image
    """
    params = blind_model()
    params["encoder.0.b"][0], params["encoder.0.b"][-1] = 1, math.log(4)
    expected = 0.5 + 0.5 * (3 - math.log(4))
    assert evaluate(params, IMAGES, CONFIG, "none", rng())["kl"] == pytest.approx(
        expected, abs=1e-6
    )


@pytest.mark.parametrize("binarize", ["none", "threshold", "dynamic", "static"])
def test_the_elbo_is_minus_both_terms_and_below_log_p(binarize):
    result = evaluate(
        random_model(), IMAGES, CONFIG, binarize, rng(), importance_samples=500
    )
    assert result["elbo"] == pytest.approx(
        -(result["reconstruction"] + result["kl"]), abs=1e-12
    )
    assert result["kl"] > 0.1 and result["reconstruction"] > 0
    assert result["log_marginal"] > result["elbo"] + 4 * result["log_marginal_se"]
    assert (
        result["importance_samples"] == 500
        and result["images"] == 60
        and result["binarization"] == binarize
    )


def test_beta_is_1_whatever_the_training_beta():
    params = random_model()
    results = [
        evaluate(params, IMAGES, replace(CONFIG, beta=beta), "none", rng(), 10)
        for beta in (1.0, 5.0)
    ]
    assert results[0] == results[1]


@pytest.mark.parametrize("active", range(6))
def test_exactly_the_units_whose_mu_varies_are_active(active):
    """mu = w x₀ with x₀ = 1 in half of the images: variance w²/4, above 0.01 for w =
    0.21 and below it for 0.19. A large mu that is the same for every image, and a
    variance that is not, move nothing.
    """
    images = np.zeros((60, 2, 2), np.uint8)
    images[::2, 0, 0] = 255
    params = blind_model()
    params["encoder.0.W"][0, :5] = [-0.21] * active + [0.19] * (5 - active)
    params["encoder.0.W"][0, 5:] = 1
    params["encoder.0.b"][:5] = 3
    assert (
        evaluate(params, images, CONFIG, "none", rng(), batch_size=7)["active_units"]
        == active
    )


def test_without_importance_samples_there_is_no_estimate_of_log_p():
    result = evaluate(random_model(), IMAGES, CONFIG, "none", rng())
    assert (
        result["log_marginal"] is None
        and result["log_marginal_se"] is None
        and result["importance_samples"] == 0
    )


@pytest.mark.parametrize("samples", [-1, True, 1.0, "3", None])
def test_what_is_no_number_of_importance_samples_is_refused(samples):
    with pytest.raises(InputError, match="importance_samples must be an integer, 0 or"):
        evaluate(random_model(), IMAGES, CONFIG, "none", rng(), samples)


def test_no_images_are_refused():
    with pytest.raises(InputError, match="there is no image to evaluate"):
        evaluate(random_model(), IMAGES[:0], CONFIG, "none", rng())


def test_images_of_another_shape_with_as_many_pixels_are_refused_if_it_is_known():
    flat = IMAGES.reshape(-1, 1, 4)
    with pytest.raises(InputError, match=r"images have 1 x 4 pixels, but .* on 2 x 2"):
        evaluate(random_model(), flat, CONFIG, "none", rng(), image_shape=(2, 2))
    evaluate(random_model(), IMAGES, CONFIG, "none", rng(), image_shape=(2, 2))


def test_the_effective_sample_size_says_what_the_error_is_worth():
    """All of the samples where all weights are equal, few where they are not"""
    equal = evaluate(blind_model(), IMAGES, CONFIG, "none", rng(), 50)
    assert equal["effective_sample_size"] == pytest.approx(50, rel=1e-5)
    wild = random_model()
    wild["decoder.0.W"][...] *= 1000
    few = evaluate(wild, IMAGES, CONFIG, "none", rng(), 50)
    assert 1 <= few["effective_sample_size"] < 10
    one = evaluate(wild, IMAGES, CONFIG, "none", rng(), 1)
    assert one["effective_sample_size"] == 1 and math.isnan(one["log_marginal_se"])


def test_the_standard_error_is_that_of_the_mean_over_images():
    """200 evaluations of 20 images spread by what each reports; the spread of 200 is
    known to 5%.

    The decoder depends on z and the encoder equals the prior, so no weight is far from
    the others.
    """
    params = blind_model()
    params["decoder.0.W"][...] = np.random.default_rng(5).uniform(-1, 1, (5, 4))
    results = [
        evaluate(params, IMAGES[:20], CONFIG, "none", np.random.default_rng(seed), 200)
        for seed in range(200)
    ]
    spread = np.std([result["log_marginal"] for result in results])
    assert spread == pytest.approx(
        np.mean([result["log_marginal_se"] for result in results]), rel=0.2
    )


@pytest.mark.parametrize("batch_size", [1, 7, 60, 100])
def test_how_the_images_are_batched_does_not_matter(batch_size):
    """Not at all where nothing depends on the noise, and within the standard error
    where it does
    """
    exact = blind_log_px(IMAGES.reshape(-1, 4) / 255).mean()
    result = evaluate(
        blind_model(), IMAGES, CONFIG, "none", rng(), 2, batch_size=batch_size
    )
    assert result["log_marginal"] == pytest.approx(exact, abs=1e-6)
    whole = evaluate(random_model(), IMAGES, CONFIG, "none", rng(), 500)
    parts = evaluate(
        random_model(), IMAGES, CONFIG, "none", rng(), 500, batch_size=batch_size
    )
    assert (
        abs(parts["log_marginal"] - whole["log_marginal"])
        <= 4 * math.sqrt(2) * whole["log_marginal_se"]
    )
    assert {
        parts[key] - whole[key] for key in ("elbo", "kl", "active_units", "images")
    } == {0}


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("batch_size", [1, 7, 60])
def test_the_elbo_has_the_same_bits_with_several_threads(batch_size, threads):
    x = IMAGES.reshape(60, 4).astype(np.float32) / 255
    whole, alone = (
        evaluate_elbo(random_model(), x, CONFIG, rng(), size)
        for size in (60, batch_size)
    )
    assert (
        alone == pytest.approx(whole, rel=1e-5) and whole.active_units > 0
    )  # products of float32 in another order
    assert evaluate_elbo(random_model(), x, CONFIG, rng(), batch_size, threads) == alone


# Binarization: other data, other values


def test_threshold_makes_128_and_more_a_1():
    images = np.tile(np.array([[0, 127], [128, 255]], np.uint8), (10, 1, 1))
    result = evaluate(blind_model(), images, CONFIG, "threshold", rng())
    assert result["reconstruction"] == pytest.approx(
        -blind_log_px(np.array([0, 0, 1, 1])), abs=1e-6
    )


def test_dynamic_samples_with_the_gray_value_as_probability():
    """The log-likelihood is linear in x, so its mean over samples is the gray value, to
    4 standard errors of 300. Each sample is of zeros and ones: one image has one of 16
    values.
    """
    gray = evaluate(blind_model(), IMAGES, CONFIG, "none", rng())["reconstruction"]
    draws = [
        evaluate(blind_model(), IMAGES, CONFIG, "dynamic", np.random.default_rng(seed))[
            "reconstruction"
        ]
        for seed in range(300)
    ]
    assert abs(np.mean(draws) - gray) <= 4 * np.std(draws) / math.sqrt(300)
    possible = blind_log_px((np.arange(16)[:, None] >> np.arange(4) & 1).astype(float))
    one = evaluate(blind_model(), IMAGES[:1], CONFIG, "dynamic", rng())[
        "reconstruction"
    ]
    assert np.abs(possible + one).min() < 1e-6


def test_dynamic_samples_once_for_all_values():
    """Where the latent is ignored ELBO and log p(x) are the same number, if they are of
    the same pixels.
    """
    result = evaluate(blind_model(), IMAGES, CONFIG, "dynamic", rng(), 2)
    assert result["log_marginal"] == pytest.approx(result["elbo"], abs=1e-6)


# All of it


def test_the_generator_decides_everything():
    first, second = (
        evaluate(random_model(), IMAGES, CONFIG, "dynamic", rng(), 5) for _ in range(2)
    )
    assert first == second
    assert first != evaluate(
        random_model(), IMAGES, CONFIG, "dynamic", np.random.default_rng(9), 5
    )


def test_progress_is_reported_after_each_batch():
    told = []
    evaluate(
        random_model(),
        IMAGES,
        CONFIG,
        "none",
        rng(),
        2,
        batch_size=25,
        progress=lambda *call: told.append(call),
    )
    assert told == [(25, 60, "images"), (50, 60, "images"), (60, 60, "images")]


def test_parameters_and_images_are_unchanged():
    params, images = random_model(), IMAGES.copy()
    kept = params.vector.copy()
    evaluate(params, images, CONFIG, "dynamic", rng(), 5)
    assert np.array_equal(params.vector, kept) and np.array_equal(images, IMAGES)


def test_static_binarization_evaluates_the_same_pixels_every_time():
    first, second = (
        evaluate(blind_model(), IMAGES, CONFIG, "static", np.random.default_rng(seed))
        for seed in (1, 2)
    )
    assert first["reconstruction"] == second["reconstruction"]
    dynamic = evaluate(
        blind_model(), IMAGES, CONFIG, "dynamic", np.random.default_rng(9)
    )
    assert first["reconstruction"] != dynamic["reconstruction"]


def test_images_of_another_size_are_refused():
    with pytest.raises(
        ValueError, match="images has 6 pixels per image, but the model has 4"
    ):
        evaluate(random_model(), np.zeros((5, 3, 2), np.uint8), CONFIG, "none", rng())


def test_an_unknown_binarization_is_refused():
    with pytest.raises(
        ValueError,
        match="binarize must be one of none, threshold, dynamic, static, not 'yes'",
    ):
        evaluate(random_model(), IMAGES, CONFIG, "yes", rng())


# Threads


def square(n):
    return n * n


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_tasks(threads):
    assert list(map_in_threads(square, [(n,) for n in range(50)], threads)) == [
        n * n for n in range(50)
    ]


def test_threads_have_the_floating_point_errors_of_the_caller():
    """A model that diverges overflows, which the caller expects; NumPy's errstate is
    that of a context, not a process.
    """
    with np.errstate(over="ignore", divide="raise"):
        assert list(map_in_threads(np.exp, [(1000.0,)] * 20, 2)) == [np.inf] * 20
        with pytest.raises(FloatingPointError):
            list(map_in_threads(lambda n: 1 / np.float64(n), [(0,)], 2))


def test_no_thread_is_left_after_the_last_result(monkeypatch):
    """Training may start processes next, and does not where other threads are alive."""

    class EndsLate(threading.Thread):
        def run(self):
            super().run()
            time.sleep(0.05)

    monkeypatch.setattr(evaluation, "Thread", EndsLate)
    before = threading.active_count()
    assert (
        list(map_in_threads(square, [(3,)], 2)) == [9]
        and threading.active_count() == before
    )


def test_threads_have_the_callers_errstate():
    def overflow(power):
        return np.exp(np.float32([power]))[0]

    for threads in (1, 2):
        with np.errstate(over="ignore"):
            assert list(map_in_threads(overflow, [(1e3,)] * 4, threads)) == [np.inf] * 4
        with pytest.raises(FloatingPointError), np.errstate(over="raise"):
            list(map_in_threads(overflow, [(1e3,)] * 4, threads))


def test_an_error_in_a_thread_is_raised_and_ends_the_work():
    done = []

    def fail_at_3(n):
        done.append(n)
        if n == 3:
            raise ValueError("three")
        time.sleep(0.001)

    with pytest.raises(ValueError, match="three"):
        list(map_in_threads(fail_at_3, [(n,) for n in range(1000)], 2))
    time.sleep(0.1)  # the tasks under way end; all 1,000 would take half a second
    ended = len(done)
    time.sleep(0.2)
    assert len(done) == ended < 1000


@pytest.mark.parametrize("allowed", [0, 1])
def test_fewer_threads_than_asked_for_do_the_work(monkeypatch, allowed):
    started = []

    class Limited(threading.Thread):
        def start(self):
            if len(started) == allowed:
                raise RuntimeError("can't start new thread")
            started.append(self)
            super().start()

    monkeypatch.setattr(evaluation, "Thread", Limited)
    assert list(map_in_threads(square, [(n,) for n in range(9)], 4)) == [
        n * n for n in range(9)
    ]
    assert len(started) == allowed
