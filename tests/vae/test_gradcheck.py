"""gradcheck: the sweep is clean, and it is not clean when something is wrong. The sweep takes about 4 s."""

import json
import math

import numpy as np
import pytest

from numpyvae.vae import bernoulli
from numpyvae.vae import gaussian
from numpyvae.vae import layers
from numpyvae.vae import elbo
from numpyvae.vae.model import ACTIVATIONS
from numpyvae.vae.parameters import parameter_shapes
from numpyvae.vae.gradcheck import central_difference_gradient, check_gradients, complex_step_gradient
from numpyvae.vae.gradcheck_cases import CONFIGURATIONS, HEADER, SEED, check_all, check_loss, format_row, format_summary, to_json
from numpyvae.settings import VAEConfig

EPS = np.finfo(float).eps


@pytest.fixture(scope="module")
def rows():
    return list(check_all())


def test_every_gradient_is_right_to_1e_14_by_complex_step_and_every_entry_to_1e_13(rows):
    for row in rows:
        assert row.passed and row.complex_step <= 1e-14 and row.worst_entry <= 1e-13 and row.central_difference <= 1e-7, row


def test_there_are_more_than_fifty_and_no_two_are_the_same(rows):
    assert len(rows) == len({(row.configuration, row.name) for row in rows}) > 200


def test_every_configuration_is_checked_in_every_parameter_and_in_mu_and_logvar(rows):
    for configuration, config, *_ in CONFIGURATIONS:
        names = {row.name for row in rows if row.configuration == configuration}
        assert names == {*parameter_shapes(config), "mu", "logvar"}


def test_the_configurations_are_those_that_differ():
    configurations = CONFIGURATIONS
    assert {len(config.hidden_dims) for _, config, *_ in configurations} == {0, 1, 2}
    assert {(config.activation, config.likelihood, objective) for _, config, _, _, objective in configurations} >= {
        ("relu", "bernoulli", "elbo"), ("tanh", "bernoulli", "elbo"), ("relu", "normal", "elbo"),
        ("relu", "bernoulli", "iwae"), ("tanh", "normal", "iwae")}
    assert {N for _, _, N, _, _ in configurations} >= {1, 5}
    assert {samples for _, _, _, samples, objective in configurations if objective == "elbo"} >= {1, 3}
    assert {samples for _, _, _, samples, objective in configurations if objective == "iwae"} >= {1, 5}
    assert {np.shape(config.prior[0]) for _, config, *_ in configurations} == {(), (3,)}
    assert {config.logvar_x for _, config, *_ in configurations if config.likelihood == "normal"} >= {None, -1.5}
    assert any(config.beta not in (0, 1) for _, config, *_ in configurations)


def test_no_inputs_are_near_relus_kink(monkeypatch):
    """Within 1e-4 of 0, that is; a central difference moves a parameter by 6e-6, and a pre-activation not much more"""
    nearest = []

    def relu(x):
        nearest.append(np.abs(x).min())
        return layers.relu(x)

    def look(f, inputs, gradients, configuration):
        nearest.append(np.inf)
        f(inputs)
        return []

    monkeypatch.setitem(ACTIVATIONS, "relu", (relu, layers.relu_backward))
    monkeypatch.setattr("numpyvae.vae.gradcheck_cases.check_gradients", look)  # only the inputs that the check would start from
    for i, (configuration, *rest) in enumerate(CONFIGURATIONS):
        list(check_loss(configuration, *rest, np.random.default_rng([SEED, i])))
    assert len(nearest) > 50 and min(nearest) > 1e-4


# What each method can see

SINE = {"x": np.array([0.3, -1.2, 2.0])}


def sine(inputs):
    return np.sin(inputs["x"]).sum()


def test_the_complex_step_gives_all_digits_and_the_central_difference_ten():
    exact = np.cos(SINE["x"])
    assert np.abs(complex_step_gradient(sine, SINE, "x") - exact).max() <= 2 * EPS
    assert 1e-13 < np.abs(central_difference_gradient(sine, SINE, "x") - exact).max() < 1e-10


def test_neither_changes_its_inputs():
    before = SINE["x"].copy()
    complex_step_gradient(sine, SINE, "x"), central_difference_gradient(sine, SINE, "x")
    assert np.array_equal(SINE["x"], before)


def test_at_a_kink_the_difference_takes_the_mean_of_both_sides_and_the_complex_step_one_of_them():
    inputs = {"x": np.array([0.0])}
    f = lambda inputs: layers.relu(inputs["x"])[0].sum()
    assert central_difference_gradient(f, inputs, "x") == 0.5
    assert complex_step_gradient(f, inputs, "x") == 1
    assert layers.relu_backward(np.ones(1), layers.relu(inputs["x"])[1]) == 0


def test_an_error_of_1e_12_in_one_entry_of_two_thousand_is_found_and_named():
    x = np.random.default_rng(1).standard_normal((40, 50))
    gradient = 2 * x
    gradient[12, 34] += 1e-12 * np.abs(gradient).max()
    row, = check_gradients(lambda inputs: (inputs["x"] ** 2).sum(), {"x": x}, {"x": gradient})
    assert not row.passed and row.worst_index == "[12, 34]" and row.worst_entry == pytest.approx(1e-12, rel=1e-3)


@pytest.mark.parametrize("gradient", [
    np.full(3, np.nan), np.array([0.0, np.inf, 0.0]), np.zeros(3), np.cos(SINE["x"])[:, None]])
def test_a_gradient_that_is_not_finite_or_zero_or_of_another_shape_is_not_right(gradient):
    row, = check_gradients(sine, SINE, {"x": gradient})
    assert not row.passed and row.complex_step >= 1


def test_a_gradient_that_is_zero_as_it_should_be_has_no_error():
    row, = check_gradients(lambda inputs: (0 * inputs["x"]).sum(), SINE, {"x": np.zeros(3)})
    assert row[2:] == (0, 0, "[0]", 0, True, "")


def doubled(backward):
    return lambda *arguments: tuple(2 * g for g in backward(*arguments))


def failing(configuration="784-400-20 as 36-12-3"):
    """The names of the wrong gradients of one configuration"""
    i, rest = next((i, rest) for i, (name, *rest) in enumerate(CONFIGURATIONS) if name == configuration)
    return {row.name for row in check_loss("", *rest, np.random.default_rng([SEED, i])) if not row.passed}


def test_a_wrong_backward_is_wrong_in_every_parameter_before_it(monkeypatch):
    monkeypatch.setattr(elbo, "kl_divergence_backward", doubled(gaussian.kl_divergence_backward))
    assert failing() == {"encoder.0.W", "encoder.0.b", "encoder.1.W", "encoder.1.b", "mu", "logvar"}


def test_an_activation_that_is_not_differentiated_is_wrong_in_what_lies_before_it(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "relu", (layers.relu, lambda dy, cache: dy))
    right = {"decoder.1.W", "decoder.1.b"}
    assert failing() == {*parameter_shapes(VAEConfig()), "mu", "logvar"} - right


def test_noise_drawn_again_for_the_backward_pass_is_wrong_in_logvar_and_right_in_mu(monkeypatch):
    rng = np.random.default_rng(1)
    monkeypatch.setattr(elbo, "reparameterize_backward", lambda dz, mu, logvar, eps:
                        gaussian.reparameterize_backward(dz, mu, logvar, rng.standard_normal(eps.shape)))
    assert failing() == {"encoder.0.W", "encoder.0.b", "encoder.1.W", "encoder.1.b", "logvar"}


# What neither can see. The other tests can: the moments of z (test_gaussian), the definition of the loss (test_vae).

def test_the_variance_for_the_standard_deviation_in_both_passes_goes_unseen(monkeypatch):
    def reparameterize(mu, logvar, eps):
        return mu + np.exp(logvar) * eps

    def reparameterize_backward(dz, mu, logvar, eps):
        return dz.sum(axis=0), (dz * eps).sum(axis=0) * np.exp(logvar)

    monkeypatch.setattr(elbo, "reparameterize", reparameterize)
    monkeypatch.setattr(elbo, "reparameterize_backward", reparameterize_backward)
    assert failing() == set()


def test_a_likelihood_scaled_in_both_passes_goes_unseen(monkeypatch):
    scaled = lambda f: lambda *arguments: f(*arguments) / 784
    monkeypatch.setattr(bernoulli, "log_prob", scaled(bernoulli.log_prob))
    monkeypatch.setattr(bernoulli, "log_prob_backward", scaled(bernoulli.log_prob_backward))
    assert failing() == set()


# The table

def describe(rows):
    return "\n".join([HEADER, *map(format_row, rows), "", format_summary(rows)])


def test_the_table_has_a_line_a_row_all_as_wide_as_its_header_and_ends_with_the_worst_and_the_count(rows):
    header, *lines = describe(rows).splitlines()
    assert {len(line) for line in lines[: len(rows)]} == {len(header)}
    assert lines[-1] == f"{len(rows)} of {len(rows)} gradients correct"
    for line, error in zip(lines[-4:-1], ("complex_step", "worst_entry", "central_difference")):
        worst = max(rows, key=lambda row: getattr(row, error))
        assert f"{getattr(worst, error):.1e}" in line and f"{worst.configuration}: {worst.name}" in line


def test_a_wrong_gradient_says_so_in_the_table_and_the_report(rows):
    wrong = rows[0]._replace(complex_step=math.inf, worst_entry=0.5, worst_index="[1, 2]", passed=False)
    text = describe([wrong, *rows[1:]])
    assert text.splitlines()[1].endswith("FAILED") and "x[1, 2]" in text
    assert text.endswith(f"{len(rows) - 1} of {len(rows)} gradients correct")
    result = json.loads(json.dumps(to_json([wrong, *rows[1:]]), allow_nan=False))
    assert result["ok"] is False and result["worst"] is None and result["rows"][0]["complex_step"] is None


def test_the_report_is_the_table_for_programs(rows):
    result = json.loads(json.dumps(to_json(rows), allow_nan=False))
    assert set(result) == {"rows", "worst", "ok"} and result["ok"] is True
    assert result["worst"] == max(row.complex_step for row in rows)
    assert len(result["rows"]) == len(rows)
    for row in result["rows"]:
        assert list(row) == ["configuration", "name", "complex_step", "worst_entry", "central_difference"]
