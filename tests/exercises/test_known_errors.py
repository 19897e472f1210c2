"""Every known error is found, and named by its own name."""

import numpy as np
import pytest

from numpyvae.exercises.judge.known_errors import known_errors
from numpyvae.exercises.judge.verdict import judge
from numpyvae.exercises.oracles import trials_for_exercise
from numpyvae.exercises.table import BY_NAME, EXERCISES, package_function

NAMES = [exercise.name for exercise in EXERCISES]


def test_there_are_at_least_320_and_some_for_each_exercise():
    assert len(known_errors()) >= 320
    assert {error.name for error in known_errors()} == set(NAMES)
    assert len({(error.name, error.words) for error in known_errors()}) == len(
        known_errors()
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_known_error_is_named_by_its_own_name(name):
    """The confusion matrix of the exercise: a row per error, the name it gets in the
    columns; `-s` prints it.
    """
    errors, trials = known_errors(name), trials_for_exercise(name)
    words = [error.words for error in errors]
    verdicts = [
        judge(name, error.function, package_function, trials, errors)
        for error in errors
    ]
    matrix = np.array(
        [
            [word == v.error or v.remark.startswith(word) for word in words]
            for v in verdicts
        ]
    )
    print(f"\n{name}")
    for word, row in zip(words, matrix, strict=True):
        print("  ", "".join(".#"[int(cell)] for cell in row), word)
    assert all(v.status == "wrong" or v.remark for v in verdicts)
    assert (matrix == np.eye(len(errors), dtype=bool)).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_packages_own_function_is_right(name):
    assert (
        judge(
            name,
            package_function(name),
            package_function,
            trials_for_exercise(name),
            known_errors(name),
        ).status
        == "right"
    )


@pytest.mark.parametrize(
    "name, wrong, words",
    [
        (
            "reparameterize",
            lambda m, s, noise: np.exp(s) * noise + m,
            "variance where the standard deviation",
        ),
        (
            "kl_divergence",
            lambda m, s, a=0.0, b=0.0: (
                -0.5 * (1 + (s - b) - (m - a) ** 2 / np.exp(b) - np.exp(s - b)) * 2
            ),
            "½ is missing",
        ),
        (
            "kl_divergence",
            lambda m, s, a=0.0, b=0.0: (
                0.5 * (np.exp(s - b) - 1 - (s - b) + (m - a) ** 2 / np.exp(b))
            ),
            "loses its digits",
        ),
        (
            "log_mean_exp",
            lambda a, axis=0: np.log(np.sum(np.exp(a), axis) / a.shape[axis]),
            "take the largest out",
        ),
    ],
)
def test_an_error_written_differently_gets_its_name(name, wrong, words):
    verdict = judge(
        name, wrong, package_function, trials_for_exercise(name), known_errors(name)
    )
    assert words in verdict.error + verdict.remark


def test_an_unknown_error_is_wrong_without_a_name():
    verdict = judge(
        "entropy",
        lambda logvar: 7 + logvar**3,
        package_function,
        trials_for_exercise("entropy"),
        known_errors("entropy"),
    )
    assert verdict.status == "wrong" and not verdict.error
    assert (
        verdict.input == "entropy(logvar=0)"
        and verdict.got == "7"
        and verdict.expected == "1.418938533"
    )


def test_published_errors_say_where():
    published = [error for error in known_errors() if error.published]
    assert {"reparameterize", "adam_update", "kl_divergence", "log_prob"} <= {
        error.name for error in published
    }
    assert BY_NAME.keys() >= {error.name for error in published}
