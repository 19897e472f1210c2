"""What is wrong is named by its relation to what is right, without a list of errors."""

import math

import numpy as np
import pytest

from numpyvae.exercises.judge.known_errors import KnownError
from numpyvae.exercises.judge.verdict import Trial, judge
from numpyvae.exercises.oracles import trials_for_exercise
from numpyvae.exercises.table import EXERCISES, package_function
from numpyvae.vae import gaussian, layers
from numpyvae.vae.parameters import Parameters


def name_of(exercise, function, errors=(), trials=None):
    """The name that the judge finds, by default without the known errors"""
    verdict = judge(
        exercise,
        function,
        package_function,
        trials_for_exercise(exercise) if trials is None else trials,
        errors,
    )
    assert verdict.status == "wrong", verdict
    return verdict.error


def changed(result, change):
    """What a function returns, with `change` of each of its arrays"""
    if isinstance(result, Parameters):
        other = result.copy()
        for name, array in other.items():
            other[name] = change(array)
        return other
    if hasattr(result, "_fields"):  # a cache, or a solution
        return result._replace(values=change(result.values))
    if isinstance(result, tuple):
        *arrays, last = result
        cache = not isinstance(last, (np.ndarray, float, Parameters))
        return (
            *(changed(array, change) for array in arrays),
            last if cache else changed(last, change),
        )
    return change(result)


def with_change(exercise, change):
    own = package_function(exercise)
    return lambda *values, **named: changed(own(*values, **named), change)


# The solvers return policies, which are no numbers to multiply; Adam.step nothing.
SOLVERS = (
    "greedy_policy",
    "value_iteration",
    "policy_iteration",
    "modified_policy_iteration",
    "backward_induction",
)
NUMBERS = [
    exercise.name
    for exercise in EXERCISES
    if exercise.name not in SOLVERS and exercise.name != "Adam.step"
]


@pytest.mark.parametrize("exercise", NUMBERS)
def test_a_wrong_sign_or_factor_has_its_name_in_every_exercise(exercise):
    sign = name_of(exercise, with_change(exercise, lambda array: -array))
    assert "the sign is wrong: this is minus what is right" in sign
    twice = name_of(exercise, with_change(exercise, lambda array: 2 * array))
    assert "2 times what is right" in twice
    half = name_of(exercise, with_change(exercise, lambda array: array / 2))
    assert "half of what is right" in half


RELATED = {
    "N": (
        "kl_divergence",
        lambda r: r * (len(r) if np.ndim(r) else 1),
        "this is N times what is right",
    ),
    "1/N": (
        "tanh_backward",
        lambda r: r / len(r),
        "this is what is right divided by N",
    ),
    "S": ("state_visitation", lambda r: r * len(r), "this is S times what is right"),
    "½ log 2π": (
        "log_density",
        lambda r: r - math.log(2 * math.pi) / 2,
        "this is what is right minus ½ log 2π",
    ),
    "log 2π": (
        "entropy",
        lambda r: r + math.log(2 * math.pi),
        "this is what is right plus log 2π",
    ),
    "1": ("sigmoid", lambda r: 1 - r, "this is 1 minus what is right"),
    "a transpose": ("linear", np.transpose, "this is transposed"),
    "a sum": (
        "normalized_weights",
        lambda r: r.sum(axis=1),
        "this is summed over the last axis",
    ),
    "a mean": (
        "action_values",
        lambda r: r.mean(axis=0),
        "this is the mean over the first axis",
    ),
    "an axis": (
        "log_prob",
        lambda r: r[..., None],
        "the numbers are right; an axis is missing or too many",
    ),
    "an exponential": (
        "log_mean_exp",
        np.exp,
        "the logarithm is missing: this is exp of what is right",
    ),
    "float32": (
        "policy_evaluation",
        np.float32,
        "right to seven digits only: is something computed in float32?",
    ),
}


@pytest.mark.parametrize("what", RELATED)
def test_a_relation_to_what_is_right_is_a_name(what):
    exercise, change, words = RELATED[what]
    assert name_of(exercise, with_change(exercise, change)) == words


def test_the_constant_of_the_density_that_is_left_out_is_named():
    def log_density(x, mu, logvar):
        return -0.5 * (logvar + (x - mu) ** 2 / np.exp(logvar))

    name = name_of("log_density", log_density)
    assert name == "this is what is right plus ½ log 2π"


# One output of several


def test_the_output_that_is_wrong_is_named():
    def mean(dy, cache, grads=(None, None)):
        dx, dW, db = layers.linear_backward(dy, cache, grads)
        return dx, dW, db / len(dy)

    def cubed(dy, x, mu, logvar):
        dx, dmu, dlogvar = gaussian.log_density_backward(dy, x, mu, logvar)
        return dx, dmu**3, dlogvar

    name = name_of("linear_backward", mean)
    assert name == "db: this is what is right divided by N"
    assert name_of("log_density_backward", cubed) == "wrong: dmu; the rest is right"


def test_outputs_in_each_others_place_are_named():
    def backward(dz, mu, logvar, eps):
        return gaussian.reparameterize_backward(dz, mu, logvar, eps)[::-1]

    name = name_of("reparameterize_backward", backward)
    assert name == "dmu and dlogvar are exchanged"


def test_a_networks_gradients_have_its_name():
    own = package_function("negative_elbo_backward")

    def backward(cache, dloss=1.0, grads=None):
        result = own(cache, dloss, grads)
        for name in result:
            if name.startswith("encoder"):
                result[name] = -result[name]
        return result

    name = name_of("negative_elbo_backward", backward)
    assert name.startswith("the encoder's gradient: the sign is wrong")


# Arguments


def test_an_argument_that_is_ignored_is_named():
    def kl(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        return gaussian.kl_divergence(mu_q, logvar_q, 0.0, logvar_p)

    def density(x, mu, logvar):
        return gaussian.log_density(x, mu, 0 * logvar)

    def standard(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        return gaussian.kl_divergence(mu_q, logvar_q)

    assert name_of("kl_divergence", kl) == "mu_p is ignored"
    assert name_of("kl_divergence", standard) == "mu_p and logvar_p are ignored"
    assert name_of("log_density", density) == "logvar is ignored"


def test_an_argument_that_is_taken_for_something_else_is_named():
    def variance(logvar):
        return gaussian.entropy(np.log(logvar))

    def exchanged(mu, logvar, eps):
        return gaussian.reparameterize(logvar, mu, eps)

    def deviation(x, mu, logvar):
        return gaussian.log_density(x, mu, 2 * logvar)

    name = name_of("entropy", variance)
    assert name == "this is right with log(logvar) in the place of logvar"
    name = name_of("log_density", deviation)
    assert name == "this is right with 2 logvar in the place of logvar"
    assert name_of("reparameterize", exchanged) == "mu and logvar are exchanged"


def test_a_field_of_the_configuration_that_is_ignored_is_named():
    import dataclasses

    own = package_function("negative_elbo")

    def loss(params, x, eps, config):
        return own(params, x, eps, dataclasses.replace(config, beta=1.0))

    assert name_of("negative_elbo", loss) == "config.beta is ignored"


def test_noise_of_its_own_is_named():
    rng = np.random.default_rng(0)

    def sample(mu, logvar, eps):
        return mu + np.exp(logvar / 2) * rng.standard_normal(eps.shape)

    name = name_of("reparameterize", sample)
    assert name == "returns other numbers at each call: does it draw noise of its own?"


# Right for some inputs only


def test_what_is_right_for_some_inputs_only_is_named():
    def first_step(theta, g, m, v, t, *settings, **named):
        own = package_function("adam_update")
        theta, m, v = own(theta, g, m, v, t, *settings, **named)
        return (theta, m, v) if t == 1 else (theta + v, m**2, v + 1)

    def one_image(dy, cache):
        result = layers.tanh_backward(dy, cache)
        return result if len(dy) == 1 else result**3

    def double_only(x):
        if x.dtype == np.float32:
            raise TypeError
        return layers.relu(x)

    assert name_of("adam_update", first_step) == "right for step t = 1 only"
    assert name_of("tanh_backward", one_image).startswith("right for one image (N = 1)")
    assert name_of("relu", double_only) == "right for float64 arguments only"


# Two errors; delicate trials


def _kl_error(words, formula):
    def function(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        return formula(mu_q - mu_p, logvar_q - logvar_p, logvar_p)

    return KnownError("kl_divergence", words, function)


KL_ERRORS = [
    _kl_error("no −1", lambda r, d, s: 0.5 * (np.exp(d) - d + r**2 / np.exp(s))),
    _kl_error(
        "σ for σ²", lambda r, d, s: 0.5 * (np.expm1(d) - d + r**2 / np.exp(s / 2))
    ),
]


def test_two_known_errors_together_are_named():
    def both(mu_q, logvar_q, mu_p=0.0, logvar_p=0.0):
        d = logvar_q - logvar_p
        return 0.5 * (np.exp(d) - d + (mu_q - mu_p) ** 2 / np.exp(logvar_p / 2))

    name = name_of("kl_divergence", both, KL_ERRORS)
    assert name == "two errors at once: no −1; and σ for σ²"


def test_a_known_error_and_a_factor_are_named():
    wrong = KL_ERRORS[1].function
    name = name_of("kl_divergence", lambda *values: 2 * wrong(*values), KL_ERRORS)
    assert name == "two errors at once: σ for σ²; and this is 2 times that"


def test_a_delicate_trial_does_not_hide_the_name_of_an_error():
    def log_mean_exp(a, axis=0):  # without 1/K, and the largest is not taken out
        return np.log(np.exp(a).sum(axis=axis))

    stable = KnownError(
        "log_mean_exp",
        "1/K is missing",
        lambda a, axis=0: (
            a.max(axis) + np.log(np.exp(a - a.max(axis, keepdims=True)).sum(axis))
        ),
    )
    assert name_of("log_mean_exp", log_mean_exp, [stable]) == "1/K is missing"


def test_a_known_error_is_run_no_further_than_it_agrees():
    runs = []

    def another(logvar):
        runs.append(logvar)
        return gaussian.entropy(logvar) + 7

    def wrong(logvar):
        return gaussian.entropy(logvar) + 8

    errors = [
        KnownError("entropy", "7 more", another),
        KnownError("entropy", "8 more", wrong),
    ]
    assert name_of("entropy", wrong, errors) == "8 more"
    assert len(runs) == 1


def test_an_error_that_fails_other_trials_is_not_the_name():
    zero = KnownError("entropy", "this is 0", lambda logvar: 0 * logvar)
    trials = [Trial({"logvar": np.array(1.0)}, np.array(1e-8), rtol=1e-12, atol=1e-30)]
    assert (
        name_of("entropy", lambda logvar: logvar * 2e-8, [zero], trials) != "this is 0"
    )


def test_a_relation_has_to_hold_in_every_trial():
    def twice_or_thrice(logvar):
        right = gaussian.entropy(logvar)
        return 2 * right if np.ndim(right) == 0 else 3 * right

    assert "times" not in name_of("entropy", twice_or_thrice)
