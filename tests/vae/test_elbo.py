"""The ELBO by its definition and by hand, and properties of every configuration and
bound.
"""

import json
import math
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy import stats

from numpyvae.settings import VAEConfig
from numpyvae.vae import (
    Parameters,
    decode,
    decode_backward,
    elbo_terms,
    encode,
    encode_backward,
    init_params,
    negative_elbo,
    negative_elbo_backward,
    parameter_shapes,
    zero_parameters,
)
from numpyvae.vae.adam import Adam
from numpyvae.vae.iwae import negative_iwae, negative_iwae_backward

PRIOR = (0.5, -1.0, 0.0), (0.3, -0.7, 1.2)
SMALL = VAEConfig(input_dim=10, hidden_dims=(8,), latent_dim=3)
ELBO = (negative_elbo, negative_elbo_backward)
IWAE = (negative_iwae, negative_iwae_backward)
CASES = {
    "relu": (SMALL, ELBO, 1),
    "no hidden layer": (replace(SMALL, hidden_dims=()), ELBO, 1),
    "two hidden layers, tanh": (
        replace(SMALL, hidden_dims=(8, 6), activation="tanh"),
        ELBO,
        1,
    ),
    "one prior": (replace(SMALL, prior=(0.5, -0.7)), ELBO, 1),
    "a prior for each latent": (replace(SMALL, prior=PRIOR), ELBO, 1),
    "beta": (
        replace(SMALL, beta=np.float64(0.25)),
        ELBO,
        1,
    ),  # a NumPy number, as from a loop over np.linspace
    "normal, learned": (replace(SMALL, likelihood="normal"), ELBO, 1),
    "normal, fixed": (replace(SMALL, likelihood="normal", logvar_x=-1.5), ELBO, 1),
    "J = 3": (SMALL, ELBO, 3),
    "J = 3, normal, a prior for each latent": (
        replace(SMALL, likelihood="normal", prior=PRIOR),
        ELBO,
        3,
    ),
    "importance-weighted": (SMALL, IWAE, 4),
    "importance-weighted, normal, a prior for each latent": (
        replace(SMALL, likelihood="normal", prior=PRIOR),
        IWAE,
        4,
    ),
}
every_case = pytest.mark.parametrize(
    "config, objective, samples", CASES.values(), ids=CASES
)


def example(config, samples=1, N=5, dtype=np.float64, noise=0.3, seed=3):
    """(params, x, eps) at a point where nothing is special"""
    rng = np.random.default_rng(seed)
    params = init_params(config, rng, dtype)
    params.vector += (noise * rng.standard_normal(params.vector.size)).astype(dtype)
    x = rng.random((N, config.input_dim)).astype(dtype)
    return params, x, rng.standard_normal((samples, N, config.latent_dim)).astype(dtype)


def relative(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


# What the loss is


def by_definition(params, x, eps, config):
    """The loss one number at a time, with densities by SciPy"""

    def network(part, row):
        layers = len(config.hidden_dims) + 1
        for i in range(layers):
            W, b = params[f"{part}.{i}.W"], params[f"{part}.{i}.b"]
            row = [
                sum(row[j] * W[j, k] for j in range(len(row))) + b[k]
                for k in range(len(b))
            ]
            if i < layers - 1:
                row = [
                    math.tanh(v) if config.activation == "tanh" else max(v, 0.0)
                    for v in row
                ]
        return row

    prior = [np.broadcast_to(np.array(p), config.latent_dim) for p in config.prior]
    total = 0.0
    for n, image in enumerate(x):
        heads = network("encoder", image)
        mu = heads[: config.latent_dim]
        sigma = [math.exp(v) ** 0.5 for v in heads[config.latent_dim :]]
        for m, s, mu_p, logvar_p in zip(mu, sigma, *prior, strict=True):
            sigma_p = math.exp(logvar_p) ** 0.5
            total += config.beta * (
                math.log(sigma_p / s)
                + (s**2 + (m - mu_p) ** 2) / (2 * sigma_p**2)
                - 0.5
            )
        for noise in eps[:, n]:
            y = network(
                "decoder", [m + s * e for m, s, e in zip(mu, sigma, noise, strict=True)]
            )
            if config.likelihood == "bernoulli":
                p = [1 / (1 + math.exp(-v)) for v in y]
                log_px = sum(
                    v * math.log(q) + (1 - v) * math.log(1 - q)
                    for v, q in zip(image, p, strict=True)
                )
            else:
                logvar_x = (
                    float(params["logvar_x"])
                    if config.logvar_x is None
                    else config.logvar_x
                )
                log_px = stats.norm.logpdf(image, y, math.exp(logvar_x) ** 0.5).sum()
            total -= log_px / len(eps)
    return total / len(x)


@pytest.mark.parametrize(
    "config, samples",
    [(case[0], case[2]) for case in CASES.values() if case[1] is ELBO],
)
def test_loss_is_what_the_definition_says(config, samples):
    params, x, eps = example(config, samples)
    assert negative_elbo(params, x, eps, config)[0] == pytest.approx(
        by_definition(params, x, eps, config), rel=1e-13
    )


def test_loss_and_gradient_of_a_model_small_enough_for_paper():
    """Two images of one pixel; logvar is 0, so σ is 1, and all but ½ log 2π is a binary
    fraction, to be met exactly.

    x = 1:  mu = ¾, z = 5/4, y = 3/2      KL = mu²/2 = 9/32      (x − y)²/2 = 1/8
    x = 0:  mu = ¼, z = −¾, y = −5/2      KL = 1/32              25/8

    (x − y)²/2 is −log p(x|z) − ½ log 2π. The mean of the sums is 57/32.
    """
    config = VAEConfig(
        input_dim=1, hidden_dims=(), latent_dim=1, likelihood="normal", logvar_x=0.0
    )
    params = Parameters(parameter_shapes(config), np.array([1 / 2, 0, 1 / 4, 0, 2, -1]))
    x, eps = np.array([[1.0], [0.0]]), np.array([[[1 / 2], [-1.0]]])
    loss, cache = negative_elbo(params, x, eps, config)
    assert loss == pytest.approx(57 / 32 + math.log(2 * math.pi) / 2, rel=1e-15)
    assert elbo_terms(params, x, eps, config)[1].tolist() == [9 / 32, 1 / 32]
    grads = negative_elbo_backward(cache)
    # dy = (y − x)/2 = 1/4, −5/4        dz = 2 dy = 1/2, −5/2
    # dmu = dz + mu/2 = 7/8, −19/8      dlogvar = dz eps/2
    assert grads["decoder.0.W"].tolist() == [[5 / 4]] and grads[
        "decoder.0.b"
    ].tolist() == [-1]
    assert grads["encoder.0.W"].tolist() == [[7 / 8, 1 / 8]] and grads[
        "encoder.0.b"
    ].tolist() == [-3 / 2, 11 / 8]


def test_a_model_of_zeros_has_a_loss_of_log_2_per_pixel():
    params, x, eps = example(SMALL)
    params.vector[...] = 0
    loss, _ = negative_elbo(params, x, eps, SMALL)
    assert (
        loss == pytest.approx(10 * math.log(2), rel=1e-15)
        and not elbo_terms(params, x, eps, SMALL)[1].any()
    )


def test_loss_is_beta_times_the_kl_minus_the_log_likelihood():
    params, x, eps = example(SMALL)
    log_px, kl, _ = elbo_terms(params, x, eps, SMALL)
    for beta in (0.0, 1.0, 4.0):
        config = replace(SMALL, beta=beta)
        assert all(
            np.array_equal(a, b)
            for a, b in zip(
                elbo_terms(params, x, eps, config)[:2], (log_px, kl), strict=True
            )
        )
        loss, _ = negative_elbo(params, x, eps, config)
        assert loss == pytest.approx(beta * kl.mean() - log_px.mean(), rel=1e-14)


@every_case
def test_loss_and_gradient_of_a_batch_are_the_means_over_its_images(
    config, objective, samples
):
    params, x, eps = example(config, samples)
    negative, backward = objective
    loss, cache = negative(params, x, eps, config)
    alone = [
        negative(params, x[n : n + 1], eps[:, n : n + 1], config) for n in range(len(x))
    ]
    assert loss == pytest.approx(np.mean([one for one, _ in alone]), rel=1e-13)
    assert (
        relative(
            np.mean([backward(c).vector for _, c in alone], axis=0),
            backward(cache).vector,
        )
        < 1e-13
    )


@pytest.mark.parametrize(
    "config", [config for config, _, samples in CASES.values() if samples == 3]
)
def test_three_samples_are_the_mean_of_three_losses_of_one_sample(config):
    params, x, eps = example(config, 3)
    loss, cache = negative_elbo(params, x, eps, config)
    losses, caches = zip(
        *(negative_elbo(params, x, e[None], config) for e in eps), strict=True
    )
    assert loss == pytest.approx(np.mean(losses), rel=1e-14)
    mean = np.mean([negative_elbo_backward(c).vector for c in caches], axis=0)
    assert relative(mean, negative_elbo_backward(cache).vector) < 1e-14


@pytest.mark.parametrize(
    "shape",
    [(5, 3), (1, 5, 1), (1, 1, 3), (5, 1, 3), (0, 5, 3), (1, 1, 5, 3), (3,), ()],
)
@pytest.mark.parametrize("negative", [negative_elbo, negative_iwae])
def test_noise_that_would_broadcast_is_refused_by_name(negative, shape):
    params, x, _ = example(SMALL)
    with pytest.raises(ValueError, match=r"eps must have the shape \(J, 5, 3\)"):
        negative(params, x, np.zeros(shape), SMALL)


@pytest.mark.parametrize("shape", [(5, 9), (5,), (5, 2, 5), (5, 11)])
@pytest.mark.parametrize("negative", [negative_elbo, negative_iwae])
def test_images_of_another_size_are_refused_by_name(negative, shape):
    params, _, eps = example(SMALL)
    with pytest.raises(ValueError, match=r"x must have the shape \(N, 10\)"):
        negative(params, np.zeros(shape), eps, SMALL)


# What its parts are


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_a_network_without_hidden_layers_maps_affinely(likelihood):
    config = replace(SMALL, hidden_dims=(), likelihood=likelihood)
    params, x, eps = example(config)
    encoder = lambda x: np.hstack(encode(params, x, config)[0])
    decoder = lambda z: decode(params, z, config)[0]
    for net, a in (encoder, x), (decoder, eps[0]):
        b = a[::-1]
        np.testing.assert_allclose(
            net(0.3 * a + 0.7 * b), 0.3 * net(a) + 0.7 * net(b), rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_network_with_hidden_layers_does_not(activation):
    config = replace(SMALL, activation=activation)
    params, _, (a,) = example(config)
    b = a[::-1]
    y_a, y_b, y_halfway = (decode(params, z, config)[0] for z in (a, b, (a + b) / 2))
    assert abs(y_halfway - (y_a + y_b) / 2).max() > 0.01


def test_every_sample_of_every_image_is_decoded_by_itself():
    params, _, z = example(SMALL, 4)
    y, _ = decode(params, z, SMALL)
    assert y.shape == (4, 5, 10)
    np.testing.assert_allclose(
        y[2, 3], decode(params, z[2, 3:4], SMALL)[0][0], rtol=1e-13
    )


@every_case
def test_zero_in_is_exactly_zero_out_in_both_networks(config, objective, samples):
    params, x, eps = example(config, samples)
    grads = zero_parameters(config, np.float64)
    (mu, logvar), encoder = encode(params, x, config)
    y, decoder = decode(params, eps, config)
    assert not decode_backward(np.zeros_like(y), decoder, config, grads)[0].any()
    encode_backward(np.zeros_like(mu), np.zeros_like(logvar), encoder, config, grads)
    assert not grads.vector.any()


# Parameters


def test_default_model_is_784_400_20_400_784():
    shapes = parameter_shapes(VAEConfig())
    assert shapes == {
        "encoder.0.W": (784, 400),
        "encoder.0.b": (400,),
        "encoder.1.W": (400, 40),
        "encoder.1.b": (40,),
        "decoder.0.W": (20, 400),
        "decoder.0.b": (400,),
        "decoder.1.W": (400, 784),
        "decoder.1.b": (784,),
    }
    assert sum(math.prod(shape) for shape in shapes.values()) == 652_824


def test_decoder_mirrors_the_encoder_and_may_learn_a_variance():
    shapes = parameter_shapes(replace(SMALL, hidden_dims=(8, 6)))
    assert [shapes[f"encoder.{i}.W"] for i in range(3)] == [(10, 8), (8, 6), (6, 6)]
    assert [shapes[f"decoder.{i}.W"] for i in range(3)] == [(3, 6), (6, 8), (8, 10)]
    assert "logvar_x" not in shapes
    assert "logvar_x" in parameter_shapes(replace(SMALL, likelihood="normal"))
    assert "logvar_x" not in parameter_shapes(
        replace(SMALL, likelihood="normal", logvar_x=0.0)
    )


@every_case
def test_parameters_are_views_into_one_vector(config, objective, samples):
    params = init_params(config, np.random.default_rng(1))
    params.vector[...] = np.arange(params.vector.size)
    assert np.array_equal(
        np.concatenate([array.ravel() for array in params.values()]), params.vector
    )
    for array in params.values():
        array += 1
    assert np.array_equal(params.vector, np.arange(params.vector.size) + 1)


def test_initial_values_are_uniform_within_1_over_the_root_of_fan_in():
    params = init_params(VAEConfig(), np.random.default_rng(1))
    for name, array in params.items():
        bound = 1 / math.sqrt(len(params[name[:-1] + "W"]))
        assert abs(array).max() <= bound * (
            1 + np.finfo(np.float32).eps
        )  # one rounding to float32
        assert abs(array.mean()) < 4 * bound / math.sqrt(
            3 * array.size
        )  # four standard errors
        assert abs(array.std() / bound - 1 / math.sqrt(3)) < 2 / math.sqrt(array.size)
        assert (
            stats.kstest(array.ravel(), stats.uniform(-bound, 2 * bound).cdf).pvalue
            > 0.001
        )


def test_no_two_units_start_alike_so_neither_do_the_two_heads():
    params = init_params(VAEConfig(), np.random.default_rng(1), np.float64)
    assert len(np.unique(params.vector)) == params.vector.size
    mu, logvar = np.split(params["encoder.1.W"], 2, axis=1)
    assert abs(np.corrcoef(mu.ravel(), logvar.ravel())[0, 1]) < 4 / math.sqrt(mu.size)


def test_initial_parameters_depend_on_the_generator_only():
    config = replace(SMALL, likelihood="normal")
    a, b, c = (init_params(config, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(a.vector, b.vector) and not np.array_equal(a.vector, c.vector)
    assert a.vector.dtype == np.float32 and a["logvar_x"] == 0


@pytest.mark.parametrize(
    "field, value",
    [
        ("input_dim", 0),
        ("input_dim", 784.0),
        ("input_dim", "784"),
        ("latent_dim", 0),
        ("latent_dim", None),
        ("hidden_dims", (400, 0)),
        ("hidden_dims", (-1,)),
        ("hidden_dims", (1.5,)),
        ("hidden_dims", 400),
        ("hidden_dims", "40"),
        ("hidden_dims", None),
        ("activation", "sigmoid"),
        ("activation", None),
        ("likelihood", "gaussian"),
        ("prior", (0.0,)),
        ("prior", 0.0),
        ("prior", None),
        ("prior", (0.0, 0.0, 0.0)),
        ("prior", ((0.0, 0.0), 0.0)),
        ("prior", (0.0, math.inf)),
        ("prior", (math.nan, 0.0)),
        ("prior", ("a", 0.0)),
        ("beta", -1.0),
        ("beta", math.nan),
        ("beta", math.inf),
        ("beta", "1"),
        ("beta", None),
        ("logvar_x", 0.0),  # the default likelihood has none
    ],
)
def test_an_invalid_configuration_is_refused_by_the_name_of_its_field(field, value):
    with pytest.raises(ValueError, match=field):
        VAEConfig(**{field: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, "0"])
def test_a_normal_decoders_variance_must_be_a_finite_number(value):
    with pytest.raises(ValueError, match="logvar_x"):
        VAEConfig(likelihood="normal", logvar_x=value)


def test_a_configuration_of_numpy_numbers_is_one_of_plain_numbers():
    numbers = VAEConfig(
        np.int64(9),
        np.array([8]),
        np.int32(2),
        likelihood="normal",
        logvar_x=np.float32(-1),
        prior=np.zeros((2, 2)),
        beta=np.float64(2),
    )
    assert json.loads(json.dumps(asdict(numbers)))["beta"] == 2.0
    assert numbers == VAEConfig(
        9, (8,), 2, "relu", "normal", -1.0, ((0.0, 0.0), (0.0, 0.0)), 2.0
    )


def test_lists_and_arrays_are_accepted_for_tuples():
    config = VAEConfig(
        hidden_dims=[8], latent_dim=3, prior=[np.zeros(3), [1.0, 2.0, 3.0]]
    )
    assert config == VAEConfig(
        hidden_dims=(8,), latent_dim=3, prior=((0.0, 0.0, 0.0), (1.0, 2.0, 3.0))
    )
    assert hash(config) == hash(replace(config))


# Every objective and configuration alike


def arrays_in(value):
    if isinstance(value, (np.ndarray, np.floating)):
        yield value
    elif isinstance(value, dict):
        yield from arrays_in(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from arrays_in(item)


@every_case
def test_backward_modifies_nothing_and_is_reproducible(config, objective, samples):
    negative, backward = objective
    params, x, eps = example(config, samples)
    loss, cache = negative(params, x, eps, config)
    kept = [*arrays_in(list(cache)), params.vector, x, eps]
    before = [array.copy() for array in kept]
    grads = backward(cache)
    assert all(np.array_equal(a, b) for a, b in zip(before, kept, strict=True))
    assert np.array_equal(grads.vector, backward(cache).vector)
    again, cache_again = negative(params, x, eps, config)
    assert loss == again and np.array_equal(grads.vector, backward(cache_again).vector)


@every_case
def test_grads_are_overwritten_completely(config, objective, samples):
    negative, backward = objective
    params, x, eps = example(config, samples)
    _, cache = negative(params, x, eps, config)
    out = Parameters(parameter_shapes(config), np.full_like(params.vector, np.nan))
    grads = backward(cache)
    assert backward(cache, grads=out) is out
    assert np.array_equal(out.vector, grads.vector)
    assert list(grads) == list(params) and all(
        grads[name].shape == params[name].shape for name in params
    )


@every_case
def test_every_array_of_a_step_in_single_precision_is_in_single_precision(
    config, objective, samples
):
    """Looks at whatever has a name in one of the package's functions, at its end"""
    negative, backward = objective
    params, x, eps = example(config, samples, dtype=np.float32)
    adam, seen, wide = Adam(params.vector), 0, []

    def look(frame, event, result):
        nonlocal seen
        if event == "return" and "numpyvae" in frame.f_globals.get("__name__", ""):
            for name, value in [*frame.f_locals.items(), ("result", result)]:
                for array in arrays_in(value):
                    seen += 1
                    if array.dtype.kind == "f" and array.dtype != np.float32:
                        wide.append(f"{frame.f_code.co_name}: {name}")

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        loss, cache = negative(params, x, eps, config)
        grads = backward(cache)
        adam.step(params.vector, grads.vector)
    finally:
        sys.setprofile(before)
    assert not wide and seen > 50 and loss.dtype == np.float32


@pytest.mark.parametrize(
    "config, objective, samples, limit",
    [
        (VAEConfig(), ELBO, 1, 1e-6),
        (VAEConfig(), ELBO, 5, 1e-6),  # measured: 3e-7
        (VAEConfig(activation="tanh"), ELBO, 1, 1e-6),
        (VAEConfig(likelihood="normal"), ELBO, 1, 1e-6),
        (VAEConfig(), IWAE, 5, 1e-4),
    ],
)  # its weights are exponentials of some −550 nats, which float32 knows to 3e-5
def test_single_precision_gives_the_gradient_to_six_digits(
    config, objective, samples, limit
):
    negative, backward = objective
    params, *inputs = example(config, samples, N=32, noise=0.01, dtype=np.float32)
    double = Parameters(parameter_shapes(config), params.vector.astype(np.float64))
    exact = backward(
        negative(double, *(array.astype(np.float64) for array in inputs), config)[1]
    )
    grads = backward(negative(params, *inputs, config)[1])
    errors = {name: relative(grads[name], exact[name]) for name in exact}
    assert max(errors.values()) <= limit, errors


@every_case
def test_the_remainder_after_the_gradient_is_of_second_order(
    config, objective, samples
):
    """loss(θ + hδ) − loss(θ) − h g·δ falls as h²; with tanh, for across relu's kinks
    there is no second order
    """
    negative, backward = objective
    config = replace(config, activation="tanh")
    params, x, eps = example(config, samples)
    direction = np.random.default_rng(4).standard_normal(params.vector.size)
    loss, cache = negative(params, x, eps, config)
    slope = backward(cache).vector @ direction
    steps = 2.0 ** -np.arange(12, 17)
    thetas = [
        Parameters(parameter_shapes(config), params.vector + h * direction)
        for h in steps
    ]
    moved = np.array([negative(theta, x, eps, config)[0] for theta in thetas])
    order = np.polyfit(np.log(steps), np.log(np.abs(moved - loss - steps * slope)), 1)[
        0
    ]
    assert abs(order - 2) <= 0.02
