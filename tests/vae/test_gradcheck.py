"""gradcheck: the sweep is clean, and it is not clean when something is wrong. The sweep
takes about 4 s.
"""

import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numpyvae.settings import VAEConfig
from numpyvae.vae import bernoulli, elbo, gaussian, gradcheck, layers
from numpyvae.vae.gradcheck import (
    central_difference_gradient,
    check_gradients,
    complex_step_gradient,
)
from numpyvae.vae.gradcheck_cases import CASES, SEED, check_loss
from numpyvae.vae.model import ACTIVATIONS
from numpyvae.vae.objectives import NOT_DERIVATIVES, OBJECTIVES
from numpyvae.vae.parameters import parameter_shapes

EPS = np.finfo(float).eps


@pytest.fixture
def rows(gradient_checks):
    return gradient_checks


def test_every_gradient_is_correct_to_1e_14(rows):
    for row in rows:
        assert row.passed, row
        assert (
            row.complex_step <= 1e-14
            and row.worst_entry <= 1e-13
            and row.central_difference <= 1e-7
        ), row


def test_there_are_237_different_checks(rows):
    assert len(rows) == len({(row.configuration, row.name) for row in rows}) == 237


def test_every_case_is_checked_in_every_parameter_mu_and_logvar(rows):
    for case in CASES:
        names = {row.name for row in rows if row.configuration == case.name}
        expected = {*parameter_shapes(case.config), "mu", "logvar"}
        if case.objective in NOT_DERIVATIVES:
            expected = {name for name in expected if name.startswith("decoder")}
        assert names == expected


def test_the_cases_cover_every_branch():
    configs = [case.config for case in CASES]
    assert {len(config.hidden_dims) for config in configs} == {0, 1, 2}
    assert {
        (case.config.activation, case.config.likelihood, case.objective)
        for case in CASES
    } >= {
        ("relu", "bernoulli", "elbo"),
        ("tanh", "bernoulli", "elbo"),
        ("relu", "normal", "elbo"),
        ("relu", "bernoulli", "iwae"),
        ("tanh", "normal", "iwae"),
    }
    assert {case.objective for case in CASES} == set(OBJECTIVES)
    assert {case.N for case in CASES} >= {1, 5}
    assert {case.num_samples for case in CASES if case.objective == "elbo"} >= {1, 3}
    assert {case.num_samples for case in CASES if case.objective == "iwae"} >= {1, 5}
    with_class = {case.objective for case in CASES if case.config.num_classes > 0}
    assert with_class == {"elbo", "iwae"}
    assert {np.shape(config.prior[0]) for config in configs} == {(), (3,)}
    assert {config.logvar_x for config in configs if config.likelihood == "normal"} >= {
        None,
        -1.5,
    }
    assert any(config.beta not in (0, 1) for config in configs)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_is_what_its_name_says(case):
    said = dict(re.findall(r"([JKβ]) = (\d+)", case.name))
    samples = "K" if "iwae" in case.objective else "J"
    unsaid = (
        (case.num_samples, case.config.beta) if "all at once" in case.name else (1, 1)
    )
    assert case.num_samples == int(
        said.pop(samples, unsaid[0])
    ) and case.config.beta == float(said.pop("β", unsaid[1]))
    assert not said and (case.N == 1) == ("one image" in case.name)
    assert ("path derivative" in case.name) == (case.objective in NOT_DERIVATIVES)
    layers_said = {"no": 0, "one": 1, "two": 2}.get(
        (re.findall(r"(\w+) hidden layer", case.name) or [None])[0]
    )
    assert layers_said in (None, len(case.config.hidden_dims))


def test_no_inputs_are_near_relus_kink(monkeypatch):
    """Within 1e-4 of 0, that is; a central difference moves a parameter by 6e-6, and a
    pre-activation not much more
    """
    nearest = []

    def relu(x):
        nearest.append(np.abs(x).min())
        return layers.relu(x)

    def look(f, inputs, gradients, configuration):
        nearest.append(np.inf)
        f(inputs)
        return []

    monkeypatch.setitem(ACTIVATIONS, "relu", (relu, layers.relu_backward))
    monkeypatch.setattr("numpyvae.vae.gradcheck_cases.check_gradients", look)
    for i, case in enumerate(CASES):
        list(check_loss(case, np.random.default_rng([SEED, i])))
    assert len(nearest) > 50 and min(nearest) > 1e-4


# What each method can see

SINE = {"x": np.array([0.3, -1.2, 2.0])}


def sine(inputs):
    return np.sin(inputs["x"]).sum()


def test_the_complex_step_gives_all_digits_and_the_central_difference_ten():
    exact = np.cos(SINE["x"])
    assert np.abs(complex_step_gradient(sine, SINE, "x") - exact).max() <= 2 * EPS
    assert (
        1e-13
        < np.abs(central_difference_gradient(sine, SINE, "x") - exact).max()
        < 1e-10
    )


def test_neither_changes_its_inputs():
    before = SINE["x"].copy()
    complex_step_gradient(sine, SINE, "x"), central_difference_gradient(sine, SINE, "x")
    assert np.array_equal(SINE["x"], before)


def test_at_a_kink_both_numerical_gradients_are_wrong():
    inputs = {"x": np.array([0.0])}
    f = lambda inputs: layers.relu(inputs["x"])[0].sum()
    assert central_difference_gradient(f, inputs, "x") == 0.5
    assert complex_step_gradient(f, inputs, "x") == 1
    assert layers.relu_backward(np.ones(1), layers.relu(inputs["x"])[1]) == 0


def test_an_error_of_1e_12_in_one_of_two_thousand_entries_is_found():
    x = np.random.default_rng(1).standard_normal((40, 50))
    gradient = 2 * x
    gradient[12, 34] += 1e-12 * np.abs(gradient).max()
    (row,) = check_gradients(
        lambda inputs: (inputs["x"] ** 2).sum(), {"x": x}, {"x": gradient}
    )
    assert (
        not row.passed
        and row.worst_index == "[12, 34]"
        and row.worst_entry == pytest.approx(1e-12, rel=1e-3)
    )


@pytest.mark.parametrize(
    "gradient",
    [
        np.full(3, np.nan),
        np.array([0.0, np.inf, 0.0]),
        np.zeros(3),
        np.cos(SINE["x"])[:, None],
    ],
)
def test_a_gradient_of_nan_zero_or_another_shape_fails(gradient):
    (row,) = check_gradients(sine, SINE, {"x": gradient})
    assert not row.passed and row.complex_step >= 1


def test_a_correct_gradient_of_zero_has_no_error():
    (row,) = check_gradients(
        lambda inputs: (0 * inputs["x"]).sum(), SINE, {"x": np.zeros(3)}
    )
    assert row[2:] == (0, 0, "[0]", 0, True, "")


# Own functions: what is wrong, in words

X3 = {"x": np.array([0.5, -2.0, 3.0])}


@pytest.mark.parametrize(
    "f, gradient, problem",
    [
        (
            lambda i: np.abs(i["x"]).sum(),
            np.sign(X3["x"]),
            r"not analytic: write np.maximum\(x, -x\) for np.abs\(x\)",
        ),
        (
            lambda i: np.linalg.norm(i["x"]),
            X3["x"] / np.linalg.norm(X3["x"]),
            "not analytic",
        ),
        (lambda i: math.fsum(i["x"]), np.ones(3), "does not accept complex numbers"),
        (
            lambda i: np.logaddexp(i["x"], 0).sum(),
            1 / (1 + np.exp(-X3["x"])),
            "does not accept complex numbers",
        ),
        (
            lambda i: i["x"].astype(float).sum(),
            np.ones(3),
            "does not accept complex numbers",
        ),
        (
            sine,
            np.cos(X3["x"])[:, None],
            r"gradient of shape \(3, 1\), input of shape \(3,\)",
        ),
        (
            sine,
            np.cos(X3["x"]) + np.array([0, 1, 0]),
            r"wrong at \[1\]: 0.5838.*, but numerically -0.4161",
        ),
        (sine, np.full(3, np.nan), "wrong at"),
        (
            lambda i: np.maximum(i["x"] - 0.5, 0).sum(),
            np.array([0.0, 0.0, 1.0]),
            "not smooth here",
        ),
    ],
)
def test_a_failed_check_says_why(f, gradient, problem):
    (check,) = check_gradients(f, X3, {"x": gradient}, "mine")
    assert not check.passed and check.configuration == "mine"
    assert re.search(problem, check.problem), check.problem


def test_errors_are_relative_to_the_numerical_gradient():
    (check,) = check_gradients(sine, X3, {"x": 3 * np.cos(X3["x"])})
    assert (check.complex_step, check.worst_entry) == pytest.approx((2, 2))
    assert check.central_difference == pytest.approx(2, rel=1e-9)


def test_integer_inputs_are_taken_as_floats():
    (check,) = check_gradients(
        lambda i: (i["x"] ** 2).sum(), {"x": np.array([1, 2, 3])}, {"x": [2, 4, 6]}
    )
    assert check.passed and check.problem == ""


@pytest.mark.parametrize(
    "f, gradients, problem",
    [
        (sine, {"y": np.ones(3)}, "gradients has y, but inputs has only x"),
        (lambda i: np.sin(i["x"]), {"x": np.ones(3)}, "one finite real number"),
        (lambda i: np.nan, {"x": np.ones(3)}, "one finite real number"),
        (lambda i: 1j * i["x"].sum(), {"x": np.ones(3)}, "one finite real number"),
    ],
)
def test_unknown_names_and_losses_that_are_no_number_are_refused(f, gradients, problem):
    with pytest.raises(ValueError, match=problem):
        check_gradients(f, X3, gradients)


def doubled(backward):
    return lambda *arguments: tuple(2 * g for g in backward(*arguments))


def failing(configuration="784-400-20 as 36-12-3"):
    """The names of the wrong gradients of one configuration"""
    i, case = next(
        (i, case) for i, case in enumerate(CASES) if case.name == configuration
    )
    return {
        row.name
        for row in check_loss(case, np.random.default_rng([SEED, i]))
        if not row.passed
    }


def test_a_wrong_backward_is_wrong_in_every_parameter_before_it(monkeypatch):
    monkeypatch.setattr(
        elbo, "kl_divergence_backward", doubled(gaussian.kl_divergence_backward)
    )
    assert failing() == {
        "encoder.0.W",
        "encoder.0.b",
        "encoder.1.W",
        "encoder.1.b",
        "mu",
        "logvar",
    }


def test_a_missing_activation_backward_fails_in_earlier_layers(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "relu", (layers.relu, lambda dy, cache: dy))
    right = {"decoder.1.W", "decoder.1.b"}
    assert failing() == {*parameter_shapes(VAEConfig()), "mu", "logvar"} - right


def test_new_noise_in_the_backward_pass_fails_in_logvar_but_not_in_mu(monkeypatch):
    rng = np.random.default_rng(1)
    monkeypatch.setattr(
        elbo,
        "reparameterize_backward",
        lambda dz, mu, logvar, eps: gaussian.reparameterize_backward(
            dz, mu, logvar, rng.standard_normal(eps.shape)
        ),
    )
    assert failing() == {
        "encoder.0.W",
        "encoder.0.b",
        "encoder.1.W",
        "encoder.1.b",
        "logvar",
    }


# What neither can see. The other tests can: the moments of z (test_gaussian), the
# definition of the loss (test_vae).


def test_variance_for_standard_deviation_in_both_passes_is_not_detected(monkeypatch):
    def reparameterize(mu, logvar, eps):
        return mu + np.exp(logvar) * eps

    def reparameterize_backward(dz, mu, logvar, eps):
        return dz.sum(axis=0), (dz * eps).sum(axis=0) * np.exp(logvar)

    monkeypatch.setattr(elbo, "reparameterize", reparameterize)
    monkeypatch.setattr(elbo, "reparameterize_backward", reparameterize_backward)
    assert failing() == set()


def test_a_likelihood_scaled_in_both_passes_is_not_detected(monkeypatch):
    scaled = lambda f: lambda *arguments: f(*arguments) / 784
    monkeypatch.setattr(bernoulli, "log_prob", scaled(bernoulli.log_prob))
    monkeypatch.setattr(
        bernoulli, "log_prob_backward", scaled(bernoulli.log_prob_backward)
    )
    assert failing() == set()


@pytest.mark.slow
def test_the_lesson_of_the_chapter_goes_as_it_says(tmp_path):
    """Two lines of gaussian.py are changed in a copy: gradcheck passes there, and the
    named test fails.
    """
    root = Path(__file__).parents[2]
    ignore = shutil.ignore_patterns("__pycache__", ".git", "runs")
    for name in ("numpyvae", "tests", "setup.cfg", "pyproject.toml"):
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(
            root / name,
            tmp_path / name,
            **({"ignore": ignore} if (root / name).is_dir() else {}),
        )
    source = tmp_path / "numpyvae" / "vae" / "gaussian.py"
    text = source.read_text("utf-8")
    lesson = " ".join(gradcheck.__doc__.partition("Try it.")[2].split())
    forward, backward = re.findall(r"`(return [^`]*)`", lesson)
    for old, new in (
        ("return mu + np.exp(0.5 * logvar) * eps", forward),
        ("return dz, dsigma * (0.5 * np.exp(0.5 * logvar))", backward),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    source.write_text(text, "utf-8")
    run = [sys.executable, "-m", "numpyvae", "gradcheck"]
    assert (
        subprocess.run(run, cwd=tmp_path, capture_output=True, check=False).returncode
        == 0
    )
    (name,) = re.findall(r"test_samples\w+", lesson)
    run = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/vae/test_gaussian.py",
        "-k",
        name,
    ]
    assert (
        subprocess.run(run, cwd=tmp_path, capture_output=True, check=False).returncode
        == 1
    )


def test_the_step_is_the_h_that_is_given():
    """Of x³ the truncation errors of (9.1) and (9.2) are h² and −h²."""
    inputs = {"x": np.array([0.5, -2.0])}

    def cube(inputs):
        return (inputs["x"] ** 3).sum()

    central = central_difference_gradient(cube, inputs, "x", 0.5)
    complex_step = complex_step_gradient(cube, inputs, "x", 0.5)
    exact = 3 * inputs["x"] ** 2
    assert central == pytest.approx(exact + 0.25, rel=1e-14)
    assert complex_step == pytest.approx(exact - 0.25, rel=1e-14)
