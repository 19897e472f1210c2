"""Form comes before numbers: each deviation has its sentence, in the exercise's names."""

import textwrap

import numpy as np
import pytest

from numpyvae.exercises import check_functions
from numpyvae.exercises.table import EXERCISES, package_function
from numpyvae.vae import elbo, gradient_estimators, iwae, model
from numpyvae.vae.parameters import zero_parameters
from tests.exercises.exercise_files import source, write_chapter


def verdict_of(name, function):
    (verdict,) = check_functions({name: function}, name)
    return verdict


def assert_wrong(name, function, *words):
    verdict = verdict_of(name, function)
    assert verdict.status == "wrong", verdict
    text = " ".join(verdict[3:])
    assert all(word in text for word in words), verdict
    assert "\n" not in text


# Destinations


def _added(name):
    """The package's function, whose gradients are added to grads"""
    own = package_function(name)

    def backward(*arguments, grads=None, **named):
        result = own(*arguments, **named)
        fresh = result[1] if isinstance(result, tuple) else result
        if grads is None:
            return result
        prefix = {"encode_backward": "encoder", "decode_backward": "decoder"}
        for key in grads:
            if key.startswith(prefix.get(name, "")):
                grads[key] += fresh[key]
        return (result[0], grads) if isinstance(result, tuple) else grads

    return backward


def _not_written(name):
    own = package_function(name)

    def backward(*arguments, grads=None, **named):
        return own(*arguments, **named)

    return backward


def _zeroed(name):
    """The package's function, which sets all of grads to 0 first"""
    own = package_function(name)

    def backward(*arguments, grads=None, **named):
        if grads is not None:
            grads.vector[:] = 0
        return own(*arguments, grads=grads, **named)

    return backward


NETWORKS = ["encode_backward", "decode_backward"]
LOSSES = [
    "negative_elbo_backward",
    "negative_iwae_backward",
    "negative_elbo_stl_backward",
    "negative_iwae_dreg_backward",
]


def positional(name, backward):
    """grads as the last positional argument of encode_backward and decode_backward"""
    places = {"encode_backward": 4, "decode_backward": 3}

    def call(*arguments, **named):
        place = places.get(name, 2)
        if len(arguments) > place:
            named["grads"] = arguments[place]
            arguments = arguments[:place]
        return backward(*arguments, **named)

    return call


@pytest.fixture
def unwatched(monkeypatch):
    """The package's own functions are at hand, to make wrong ones of."""
    from numpyvae.exercises.judge import watch

    monkeypatch.setattr(watch, "find_places", lambda *ignored: [])


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize("name", NETWORKS + LOSSES)
def test_gradients_that_are_not_written_into_grads_have_a_sentence(name):
    wrong = positional(name, _not_written(name))
    assert_wrong(name, wrong, "nothing was written into grads[")


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize("name", NETWORKS + LOSSES)
def test_gradients_that_are_added_to_grads_have_a_sentence(name):
    wrong = positional(name, _added(name))
    assert_wrong(name, wrong, "the gradient is added to grads[", "overwrite it")


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize(
    "name, other", [("encode_backward", "decoder"), ("decode_backward", "encoder")]
)
def test_the_other_networks_gradients_are_not_touched(name, other):
    wrong = positional(name, _zeroed(name))
    assert_wrong(name, wrong, f"changes grads['{other}.0.W']", "another part")


@pytest.mark.usefixtures("unwatched")
def test_mlp_backward_writes_into_grads():
    def not_written(dy, caches, prefix, config, grads):
        return model.mlp_backward(
            dy, caches, prefix, config, zero_parameters(config, dy.dtype)
        )

    assert_wrong("mlp_backward", not_written, "nothing was written into grads['encoder")


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize("name", ["linear_backward", "linear_backward_params"])
def test_linear_backward_overwrites_its_destinations(name):
    own = package_function(name)

    def added(dy, cache, grads=(None, None)):
        result = own(dy, cache)
        for destination, gradient in zip(grads, result[-2:], strict=True):
            if destination is not None:
                destination += gradient
        return result

    def ignored(dy, cache, grads=(None, None)):
        return own(dy, cache)

    assert_wrong(name, added, "the gradient is added to grads' dW")
    assert_wrong(name, ignored, "nothing was written into grads' dW")


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_without_a_vector_have_a_sentence(name):
    own = package_function(name)

    def plain(cache, dloss=1.0, grads=None):
        return dict(own(cache, dloss, grads))

    def nothing(cache, dloss=1.0, grads=None):
        own(cache, dloss, grads)

    assert_wrong(name, plain, "returns dict for grads", "Parameters were expected")
    assert_wrong(name, nothing, "returns None", "Parameters were expected")


# Caches


@pytest.mark.usefixtures("unwatched")
@pytest.mark.parametrize("name", ["negative_elbo", "negative_iwae"])
def test_the_cache_of_a_loss_serves_its_backward_pass(name):
    own = package_function(name)

    def without(*arguments):
        return own(*arguments)[0], None

    def of_another_form(*arguments):
        return own(*arguments)[0], {"z": 1}

    def of_other_noise(params, x, eps, config):
        loss, cache = own(params, x, eps, config)
        return loss, cache._replace(eps=eps + 1, log_w=eps[..., 0])

    reader = f"{name}_backward"
    for wrong in (without, of_another_form):
        assert_wrong(name, wrong, f"its cache cannot be read by {reader}, which raises")
    assert_wrong(name, of_other_noise, f"cache, passed to {reader}")


@pytest.mark.usefixtures("unwatched")
def test_the_evaluation_reads_the_mean_in_the_cache_of_elbo_terms():
    def of_another_form(*arguments):
        *values, cache = elbo.elbo_terms(*arguments)
        return (*values, cache._asdict())

    words = "its cache cannot be read by negative_elbo_backward"
    assert_wrong("elbo_terms", of_another_form, words)


@pytest.mark.usefixtures("unwatched")
def test_log_importance_weights_returns_what_its_callers_use():
    def weights(*arguments):
        log_w, z, y, cache = iwae.log_importance_weights(*arguments)
        return log_w, y, z, cache

    def fewer(*arguments):
        return iwae.log_importance_weights(*arguments)[:3]

    assert_wrong("log_importance_weights", weights, "for z; shape (2, 2, 2)")
    assert_wrong("log_importance_weights", fewer, "returns a tuple of 3", "(log_w, z")


# What is returned


def generator(dy, cache):
    yield dy


RETURNED = {
    "nothing": (
        "kl_divergence_backward",
        lambda *a: {}.get(len(a)),
        "returns None (is `return` missing?); (dmu_q, dlogvar_q) was expected",
    ),
    "a generator": ("tanh_backward", generator, "it has `yield` where `return`"),
    "one of two": (
        "kl_divergence_backward",
        lambda dy, mu, *a: mu,
        "(dmu_q, dlogvar_q) was expected",
    ),
    "too many": (
        "linear_backward_params",
        lambda dy, cache, grads=(None, None): (dy, *cache),
        "returns a tuple of 3; (dW, db) was expected",
    ),
    "None among them": (
        "linear_backward_params",
        lambda dy, cache, grads=(None, None): (cache[0].T @ dy, None),
        "returns None (is `return` missing?) for db",
    ),
    "a masked array": (
        "entropy",
        lambda logvar: np.ma.array((np.log(2 * np.pi) + logvar + 1) / 2),
        "returns a masked array",
    ),
    "a matrix": (
        "relu_backward",
        lambda dy, cache: np.matrix(np.where(cache > 0, dy, 0)),
        "returns an np.matrix",
    ),
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("what", RETURNED)
def test_what_is_returned_is_named(what):
    name, function, words = RETURNED[what]
    assert_wrong(name, function, words)


@pytest.mark.usefixtures("unwatched")
def test_a_changed_argument_is_named_as_in_the_signature():
    def value_iteration(mdp, tolerance=1e-8, v=None, *rest, **named):
        solution = package_function("value_iteration")(
            mdp, tolerance, v, *rest, **named
        )
        if v is not None:
            v[:] = solution.values
        return solution

    assert_wrong("value_iteration", value_iteration, "changes its argument v")


def test_an_exception_says_what_the_cache_is():
    def linear_backward(dy, cache, grads=(None, None)):
        x, W, _ = cache
        return dy @ W.T, x.T @ dy, dy.sum(axis=0)

    assert_wrong(
        "linear_backward",
        linear_backward,
        "not enough values to unpack",
        "cache is a tuple of 2 (an array of shape (1, 1), an array of shape (1, 1))",
    )


def test_the_digits_that_differ_are_printed():
    def entropy(logvar):
        return (np.log(2 * np.pi) + logvar + 1) / 2 * (1 + 1e-8)

    verdict = verdict_of("entropy", entropy)
    assert verdict.status == "wrong" and verdict.got != verdict.expected


def test_outputs_have_the_exercises_names():
    def linear_backward(dy, cache, grads=(None, None)):
        x, W = cache
        return dy @ W.T, x.T @ dy, 7 + 0 * dy.sum(axis=0)

    assert verdict_of("linear_backward", linear_backward).got == "db = [7]"


# A wrapper of the package's own function


@pytest.mark.parametrize(
    "body",
    [
        "import numpyvae.vae.layers\ndef relu(x): return numpyvae.vae.layers.relu(x)\n",
        (
            "def relu(x):\n    from numpyvae.vae.layers import relu as theirs\n"
            "    return theirs(x)\n"
        ),
        (
            "from numpyvae.vae.layers import relu as theirs\n"
            "def relu(x): return theirs(x)\n"
        ),
        (
            "from numpyvae.vae.model import ACTIVATIONS\n"
            "def relu(x): return ACTIVATIONS['relu'][0](x)\n"
        ),
    ],
    ids=["an attribute", "an import inside", "another name", "a table"],
)
def test_a_function_that_calls_the_packages_own_is_wrong(tmp_path, body):
    path = tmp_path / "mine.py"
    path.write_text(body)
    (verdict,) = check_functions(path)
    assert verdict.status == "wrong" and "the package's own relu" in verdict.problem


def test_a_step_that_calls_the_packages_own_is_wrong(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from numpyvae.vae.adam import Adam as Theirs\nclass Adam(Theirs):\n"
        "    def step(self, *arguments): super().step(*arguments)\n"
    )
    (verdict,) = check_functions(path)
    assert verdict.status == "wrong" and "own Adam.step" in verdict.problem


def test_a_function_may_call_itself(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\ndef softplus(l):\n    if np.ndim(l):\n"
        "        return np.array([softplus(v) for v in l])\n"
        "    return max(l, 0) + np.log1p(np.exp(-abs(l)))\n"
    )
    (verdict,) = check_functions(path)
    assert verdict.status == "right", verdict


def test_every_exercise_of_the_package_has_the_form_that_is_asked_for(tmp_path):
    from numpyvae.exercises.judge.form import form_problem

    assert gradient_estimators  # the chapters are loaded
    for exercise in EXERCISES:
        own = package_function(exercise.name)
        assert form_problem(exercise.name, own, package_function) is None


def test_a_pair_of_learners_functions_may_have_a_cache_of_their_own(tmp_path):
    write_chapter(
        tmp_path,
        "vae.elbo",
        source("vae.elbo")
        + textwrap.dedent("""
        _loss, _backward = negative_elbo, negative_elbo_backward
        def negative_elbo(*inputs):
            loss, cache = _loss(*inputs)
            return loss, {"cache": cache}
        def negative_elbo_backward(cache, dloss=1.0, grads=None):
            return _backward(cache["cache"], dloss, grads)
        """),
    )
    names = ["negative_elbo", "negative_elbo_backward"]
    assert [v.status for v in check_functions(tmp_path, names)] == ["right", "right"]
