"""A function that the package could not use is wrong, and the verdict says why."""

import numpy as np
import pytest

from numpyvae import mdp, vae
from numpyvae.exercises.judge.known_errors import known_errors
from numpyvae.exercises.judge.verdict import judge
from numpyvae.exercises.oracles import trials_for_exercise
from numpyvae.exercises.table import package_function
from numpyvae.vae import elbo


def verdict_on(name, function):
    return judge(
        name, function, package_function, trials_for_exercise(name), known_errors(name)
    )


def detached(cache, dloss=1.0, grads=None):
    """Entries that are no views of the vector"""
    grads = elbo.negative_elbo_backward(cache, dloss, grads)
    copy = vae.Parameters(
        {name: array.shape for name, array in grads.items()}, 0 * grads.vector
    )
    for name, array in grads.items():
        dict.__setitem__(copy, name, array.copy())
    return copy


RESULTS = {
    "entries beside the vector": (
        "negative_elbo_backward",
        detached,
        "not those of their vector",
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
