"""A function that the package could not use is wrong, and the verdict says why."""

import numpy as np
import pytest

from numpyvae import mdp, vae
from numpyvae.exercises.judge.known_errors import known_errors
from numpyvae.exercises.judge.verdict import judge
from numpyvae.exercises.oracles import trials_for_exercise
from numpyvae.exercises.table import package_function
from numpyvae.vae import elbo, iwae, model


def verdict_on(name, function):
    return judge(
        name, function, package_function, trials_for_exercise(name), known_errors(name)
    )


def adding(backward, position):
    """A backward pass that adds to the gradients that are given"""

    def added(*args, **options):
        grads = options.get("grads", args[position] if len(args) > position else None)
        if grads is None:
            return backward(*args, **options)
        before = grads.vector.copy()
        result = backward(*args, **options)
        grads.vector += before
        return result

    return added


def ignoring_grads(backward, count):
    """A backward pass that never looks at the gradients that are given"""
    return lambda *args, **options: backward(*args[:count])


def scratch_mlp_backward(dy, caches, prefix, config, grads):
    scratch = vae.Parameters(vae.parameter_shapes(config), 0 * grads.vector)
    return model.mlp_backward(dy, caches, prefix, config, scratch)


GRADS = {
    "mlp_backward never writes": ("mlp_backward", scratch_mlp_backward),
    "mlp_backward adds": ("mlp_backward", adding(model.mlp_backward, 4)),
    "encode_backward never writes": (
        "encode_backward",
        ignoring_grads(model.encode_backward, 4),
    ),
    "encode_backward adds": ("encode_backward", adding(model.encode_backward, 4)),
    "decode_backward never writes": (
        "decode_backward",
        ignoring_grads(model.decode_backward, 3),
    ),
    "decode_backward adds": ("decode_backward", adding(model.decode_backward, 3)),
    "negative_elbo_backward never writes": (
        "negative_elbo_backward",
        lambda cache, dloss=1.0, grads=None: elbo.negative_elbo_backward(cache, dloss),
    ),
    "negative_iwae_backward adds": (
        "negative_iwae_backward",
        adding(iwae.negative_iwae_backward, 2),
    ),
}


@pytest.mark.parametrize("what", GRADS)
def test_gradients_are_written_into_what_is_given_and_replace_it(what):
    verdict = verdict_on(*GRADS[what])
    assert verdict.status == "wrong", verdict
    assert "grads" in verdict.input


def as_dictionary(cache, dloss=1.0, grads=None):
    return dict(elbo.negative_elbo_backward(cache, dloss, grads))


def as_none(cache, dloss=1.0, grads=None):
    found = elbo.negative_elbo_backward(cache, dloss, grads)
    return found if grads is None else None


def detached(cache, dloss=1.0, grads=None):
    """Entries that are no views of the vector"""
    grads = elbo.negative_elbo_backward(cache, dloss, grads)
    copy = vae.Parameters(
        {name: array.shape for name, array in grads.items()}, 0 * grads.vector
    )
    for name, array in grads.items():
        dict.__setitem__(copy, name, array.copy())
    return copy


def without_cache(loss):
    return lambda *args: (loss(*args)[0], None)


def with_cache_of_its_own(params, x, eps, config):
    log_px, kl, cache = elbo.elbo_terms(params, x, eps, config)
    return log_px, kl, tuple(cache)


RESULTS = {
    "a dictionary of gradients": (
        "negative_elbo_backward",
        as_dictionary,
        "Parameters were expected",
    ),
    "None where grads is given": (
        "negative_elbo_backward",
        as_none,
        "Parameters were expected",
    ),
    "entries beside the vector": (
        "negative_elbo_backward",
        detached,
        "not those of their vector",
    ),
    "negative_elbo without a cache": (
        "negative_elbo",
        without_cache(elbo.negative_elbo),
        "AttributeError",
    ),
    "negative_iwae without a cache": (
        "negative_iwae",
        without_cache(iwae.negative_iwae),
        "AttributeError",
    ),
    "a bare policy and values": (
        "policy_iteration",
        lambda *args, **options: mdp.policy_iteration(*args, **options)[:2],
        "a Solution(policy, values, iterations, error_bound) was expected",
    ),
    "value iteration without a bound": (
        "value_iteration",
        lambda *args, **options: mdp.value_iteration(*args, **options)[:3],
        "a Solution(policy, values, iterations, error_bound) was expected",
    ),
    "a bound that is too small": (
        "policy_iteration",
        lambda *args, **options: mdp.policy_iteration(*args, **options)._replace(
            error_bound=0.0
        ),
        "reports error_bound = 0; its values are",
    ),
    "a callback that is not called": (
        "value_iteration",
        lambda *args, on_sweep=None, **options: mdp.value_iteration(*args, **options),
        "calls on_sweep with k = nothing",
    ),
    "backward induction as a pair": (
        "backward_induction",
        lambda *args: tuple(mdp.backward_induction(*args)),
        "a FiniteHorizonSolution(policies, values) was expected",
    ),
}


@pytest.mark.parametrize("what", RESULTS)
def test_what_the_package_reads_of_a_result_is_there(what):
    name, function, words = RESULTS[what]
    verdict = verdict_on(name, function)
    assert verdict.status == "wrong" and words in verdict.problem, verdict


def test_evaluation_can_read_the_cache_of_elbo_terms():
    assert verdict_on("elbo_terms", with_cache_of_its_own).status == "wrong"


def test_policy_iteration_uses_the_start_that_it_is_given():
    verdict = verdict_on(
        "policy_iteration",
        lambda problem, policy=None, v=None, on_iteration=None: mdp.policy_iteration(
            problem, on_iteration=on_iteration
        ),
    )
    assert (
        verdict.status == "wrong" and "starts from the optimal one" in verdict.problem
    )


def not_restored(f, inputs, name, h=6e-6):
    inputs = {key: np.array(value, float) for key, value in inputs.items()}
    x = inputs[name]
    gradient = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        x[i] += h
        above = f(inputs)
        x[i] -= 2 * h
        gradient[i] = (above - f(inputs)) / (2 * h)
    return gradient


def test_a_central_difference_restores_its_entries():
    verdict = verdict_on("central_difference_gradient", not_restored)
    assert verdict.status == "wrong" and "not restored" in verdict.error


def test_a_step_that_is_restored_up_to_rounding_is_right():
    def restored(f, inputs, name, h=6e-6):
        inputs = {key: np.array(value, float) for key, value in inputs.items()}
        x = inputs[name]
        gradient = np.empty(x.shape)
        for i in np.ndindex(x.shape):
            x[i] += h
            above = f(inputs)
            x[i] -= 2 * h
            gradient[i] = (above - f(inputs)) / (2 * h)
            x[i] += h
        return gradient

    assert verdict_on("central_difference_gradient", restored).status == "right"
