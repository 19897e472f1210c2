"""Settings: each option stands once, is checked once, and comes back from the command
line that it makes.
"""

import ast
import math
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numpyvae
from numpyvae import settings
from numpyvae.cli import build_parser, join_negative_numbers
from numpyvae.cli.arguments import given_settings, split_settings
from numpyvae.data.pixels import BINARIZATIONS
from numpyvae.estimator import VAE
from numpyvae.settings import (
    PRESETS,
    TrainingOptions,
    VAEConfig,
    arguments,
    check_together,
    flags,
)
from numpyvae.training.schedule import SCHEDULES
from numpyvae.vae import ACTIVATIONS, LIKELIHOODS, OBJECTIVES
from numpyvae.vae.adam import MIN_EPSILON

PACKAGE = Path(numpyvae.__file__).parent
FIELDS = {
    each.name: each for kind in (VAEConfig, TrainingOptions) for each in fields(kind)
}


def make(name, value):
    """The settings with one field changed"""
    if name == "logvar_x":
        return VAEConfig(likelihood="normal", logvar_x=value)
    return (VAEConfig if hasattr(VAEConfig, name) else TrainingOptions)(**{name: value})


# Checks

WRONG = [
    None,
    "x",
    "",
    b"3",
    [],
    {},
    object(),
    math.nan,
    math.inf,
    -1,
    True,
    1j,
    Fraction(1, 2),
    "3",
    np.zeros((2, 2)),
]


def is_allowed(name, value):
    """The few of WRONG that are right for one field or another"""
    if name == "hidden_dims":
        return value in ([], {}) if isinstance(value, (list, dict)) else False
    if name == "logvar_x":
        return value is None or (
            isinstance(value, (int, Fraction)) and value is not True
        )
    return FIELDS[name].type is float and isinstance(value, Fraction)


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"prior"}))
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_wrong_value_of_any_type_is_a_value_error_with_its_name(name, value):
    if is_allowed(name, value):
        make(name, value)
        return
    with pytest.raises(ValueError, match=name):
        make(name, value)


@pytest.mark.parametrize(
    "prior",
    [
        None,
        0,
        (0,),
        (0, 0, 0),
        ("0", 0),
        (math.nan, 0),
        ((0, 0), 0),
        ((0,) * 20, (1,) * 19),
        "00",
    ],
)
def test_a_wrong_prior_is_named(prior):
    with pytest.raises(ValueError, match="prior must be"):
        VAEConfig(prior=prior)


@pytest.mark.parametrize(
    "name, least",
    [
        (name, each.metadata["minimum"])
        for name, each in FIELDS.items()
        if each.metadata and each.type is int
    ],
)
def test_the_smallest_integer_is_accepted_and_the_one_below_is_not(name, least):
    assert getattr(make(name, least), name) == least
    with pytest.raises(
        ValueError, match=f"{name} must be an integer, {least} or more, not {least - 1}"
    ):
        make(name, least - 1)


def test_a_number_that_must_be_positive_is_not_zero_but_beta_may_be():
    assert VAEConfig(beta=0).beta == 0 and TrainingOptions(lr=5e-324).lr > 0
    with pytest.raises(ValueError, match="lr must be a finite number, positive, not 0"):
        TrainingOptions(lr=0)


@pytest.mark.parametrize("epsilon", [0, 1e-46, 1e-13])
def test_adams_epsilon_is_far_above_the_moments_that_are_rounded_to_zero(epsilon):
    with pytest.raises(ValueError, match="adam_epsilon must be a finite number, 1e-12"):
        TrainingOptions(adam_epsilon=epsilon)


def test_the_smallest_adam_epsilon_is_the_one_that_adam_accepts():
    assert TrainingOptions(adam_epsilon=MIN_EPSILON).adam_epsilon == MIN_EPSILON
    with pytest.raises(ValueError, match="adam_epsilon"):
        TrainingOptions(adam_epsilon=MIN_EPSILON / 2)


def test_numpy_scalars_become_plain_numbers():
    config = VAEConfig(
        hidden_dims=np.array([3, 4]),
        latent_dim=np.int64(2),
        beta=np.float32(0.5),
        prior=(np.zeros(2), np.float64(1)),
    )
    options = TrainingOptions(epochs=np.uint8(3), lr=np.float64(0.1), seed=np.int32(0))
    for value in (
        *config.hidden_dims,
        config.latent_dim,
        config.beta,
        *config.prior[0],
        config.prior[1],
        options.epochs,
        options.lr,
        options.seed,
    ):
        assert type(value) in (int, float)
    assert config.hidden_dims == (3, 4) and config.prior == ((0.0, 0.0), 1.0)


def test_a_decoder_variance_needs_the_normal_likelihood():
    with pytest.raises(
        ValueError, match=r"logvar_x is -1.0, but only the normal likelihood has it"
    ):
        VAEConfig(logvar_x=-1)


@pytest.mark.parametrize(
    "objective", [name for name in settings.OBJECTIVES if name != "elbo"]
)
def test_only_the_elbo_has_a_kl_term_to_weight(objective):
    options = TrainingOptions(objective=objective)
    check_together(VAEConfig(), options)
    for config, chosen in (
        (VAEConfig(beta=2), options),
        (VAEConfig(), replace(options, warmup=1)),
    ):
        with pytest.raises(ValueError, match="beta must be 1, warmup 0"):
            check_together(config, chosen)


# The command line: there and back


def parse(words):
    """The settings that `numpyvae train WORDS` would train with"""
    args = build_parser().parse_args(join_negative_numbers(["train", *words]))
    model, training = split_settings(
        {**PRESETS.get(args.preset, {}), **given_settings(args)}
    )
    return VAEConfig(**model), TrainingOptions(**training)


def values(each):
    """Values that a field accepts"""
    rule = each.metadata
    if each.name == "hidden_dims":
        return st.lists(st.integers(1, 9), max_size=3).map(tuple)
    if rule["choices"]:
        return st.sampled_from(rule["choices"])
    if each.type is int:
        return st.integers(rule["minimum"], 10**6)
    least = 0 if rule["positive"] else rule["minimum"]
    return st.floats(
        least, exclude_min=rule["positive"], allow_nan=False, allow_infinity=False
    )


@given(st.data())
def test_settings_come_back_from_the_words_that_they_make(data):
    chosen = {
        each.name: data.draw(values(each))
        for each in flags().values()
        if data.draw(st.booleans())
    }
    if chosen.get("likelihood") != "normal":
        chosen.pop("logvar_x", None)
    model, training = split_settings(chosen)
    config, options = VAEConfig(**model), TrainingOptions(**training)
    assert parse(arguments(config, options)) == (config, options)


def test_the_words_name_what_differs_from_the_defaults_and_no_more():
    assert arguments(VAEConfig(), TrainingOptions()) == []
    assert arguments(
        VAEConfig(hidden_dims=(5, 6), likelihood="normal", logvar_x=-1e-5),
        TrainingOptions(lr=0.01),
    ) == [
        "--hidden",
        "5",
        "6",
        "--likelihood",
        "normal",
        "--logvar-x=-1e-05",
        "--lr",
        "0.01",
    ]
    assert arguments(VAEConfig(hidden_dims=()), TrainingOptions(warmup=3)) == [
        "--hidden",
        "--warmup",
        "3",
    ]


def test_a_preset_is_its_settings_and_other_options_override_it():
    config, options = parse(["--preset", "burda", "--epochs", "7"])
    expected = {**PRESETS["burda"], "epochs": 7}
    assert {
        name: {**vars(config), **vars(options)}[name] for name in expected
    } == expected
    assert parse(arguments(config, options)) == (config, options)


@pytest.mark.parametrize("word", ["-1e-5", "-2", "-.5", "-1.5E+3"])
def test_a_negative_number_is_a_value(word):
    assert parse(["--likelihood", "normal", "--logvar-x", word])[0].logvar_x == float(
        word
    )


def test_every_option_has_a_flag_but_for_what_the_data_decides_and_the_prior():
    assert {each.name for each in flags().values()} == set(FIELDS) - {
        "input_dim",
        "num_classes",
        "prior",
    }
    assert {
        "--hidden",
        "--latent",
        "--samples",
        "--decay-epochs",
        "--warmup",
        "--initialization",
        "--adam-epsilon",
    } <= set(flags())
    assert "--anneal" not in flags()


def test_the_help_has_each_options_text_and_default():
    subparsers = next(
        action
        for action in build_parser()._actions
        if hasattr(action, "choices") and action.choices
    )
    help_text = " ".join(subparsers.choices["train"].format_help().split())
    for flag, each in flags().items():
        assert flag in help_text and each.metadata["help"] in help_text.replace(
            "- ", "-"
        )
        if each.default is not None and not isinstance(each.default, tuple):
            assert f"(default: {each.default})" in help_text


def test_the_estimator_has_the_options_and_their_defaults():
    own = VAE().get_params()
    assert {
        name: each.default
        for name, each in FIELDS.items()
        if name not in ("input_dim", "num_classes", "seed", "binarize")
    } == {name: value for name, value in own.items() if name in FIELDS}


# Once


def constant(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def copies(tree):
    """Places that write a default under a field's name, or a list of choices"""
    defaults = {name: each.default for name, each in FIELDS.items()}
    lists = [
        set(each.metadata["choices"])
        for each in FIELDS.values()
        if each.metadata and each.metadata["choices"]
    ]
    for node in ast.walk(tree):
        named = []
        if isinstance(node, ast.Call):
            named = [(keyword.arg, keyword.value) for keyword in node.keywords]
        elif isinstance(node, ast.Dict):
            named = [
                (constant(key), value)
                for key, value in zip(node.keys, node.values, strict=True)
                if key is not None
            ]
            texts = {
                constant(key)
                for key in node.keys
                if key is not None and isinstance(key, ast.Constant)
            }
            if any(len(texts & choices) >= 2 for choices in lists) and all(
                map(constant, node.values)
            ):
                # a table of functions is not a copy: a test compares its keys with the
                # choices
                yield node.lineno
        elif isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            if all(isinstance(each, ast.Constant) for each in node.elts):
                texts = {each.value for each in node.elts}
                if any(len(texts & choices) >= 2 for choices in lists):
                    yield node.lineno
        elif (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.value is not None
        ):
            named = [(node.target.id, node.value)]
        elif isinstance(node, ast.arguments):
            arguments = node.posonlyargs + node.args
            named = list(
                zip(
                    [
                        each.arg
                        for each in arguments[len(arguments) - len(node.defaults) :]
                    ],
                    node.defaults,
                    strict=True,
                )
            )
            named += [
                (each.arg, value)
                for each, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)
                if value is not None
            ]
        for name, value in named:
            if (
                name in defaults
                and constant(value) is not None
                and constant(value) == defaults[name]
            ):
                yield node.lineno if hasattr(node, "lineno") else value.lineno


def test_each_table_has_the_names_that_the_settings_list():
    assert set(ACTIVATIONS) == set(settings.ACTIVATIONS) and set(LIKELIHOODS) == set(
        settings.LIKELIHOODS
    )
    assert set(OBJECTIVES) == set(settings.OBJECTIVES) and set(SCHEDULES) == set(
        settings.SCHEDULES
    )
    assert set(BINARIZATIONS) == set(settings.BINARIZATIONS)


EXEMPT = {  # a value of its own that happens to have an option's name
    "vae/adam.py": "the paper's lr",
    "exercises/vae/adam.py": "optimizers with an error, with the paper's lr",
    "vae/gradcheck_cases.py": "models to check",
    "vae/objectives.py": "the table of objectives, and two of its names",
    "data/sources/convert.py": "the seed of a split of images",
    "data/pixels.py": "imports nothing: its names are compared above",
    "settings.py": "the one place",
}


def test_no_module_has_a_second_copy_of_a_default_or_of_a_list_of_choices():
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name not in EXEMPT and (
            lines := list(copies(ast.parse(path.read_text("utf-8"))))
        ):
            found[name] = lines
    assert not found


@pytest.mark.parametrize(
    "code",
    [
        "def f(epochs=30): pass",
        "OPTIONS = {'batch_size': 128}",
        "x(latent_dim=20)",
        "lr: float = 1e-3",
        "choices = ('relu', 'tanh')",
        "choices = {'none', 'dynamic'}",
        "def f(*, seed=1): pass",
        "texts = {'none': 'gray', 'dynamic': 'sampled'}",
    ],
)
def test_a_second_copy_would_be_found(code):
    assert list(copies(ast.parse(code)))
