"""Settings: every option of a model and of its training, once.

A field has an option's default, the values that it accepts, its help text and its name on the command line. The checks
below, the argument parser, the estimator, the report and the command that reproduces a run read these fields; none of
them repeats a default or a choice.

A setting is stored as a plain Python number, string or tuple. (A NumPy scalar would promote float32 arrays to float64,
and JSON cannot hold it.) A value that a field does not accept, of any type, is a ValueError that names the field.
"""

import math
from dataclasses import Field, dataclass, field, fields
from numbers import Integral, Real
from typing import Any

ACTIVATIONS = ("relu", "tanh")
LIKELIHOODS = ("bernoulli", "normal")
OBJECTIVES = ("elbo", "iwae", "elbo-stl", "iwae-dreg")
BINARIZATIONS = {
    "none": "grayscale pixels",
    "threshold": "pixels binarized at ½",
    "dynamic": "pixels sampled every time",
    "static": "pixels sampled once",
}
SCHEDULES = ("constant", "burda")
INITIALIZATIONS = ("uniform", "glorot")


def option(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    positive: bool = False,
    choices: tuple[str, ...] = (),
    flag: str | None = None,
) -> Any:
    """A dataclass field with its rule and its help text. `flag`: its name on the command line, if it differs."""
    rule = {
        "help": help,
        "minimum": minimum,
        "positive": positive,
        "choices": choices,
        "flag": flag,
    }
    return field(default=default, metadata=rule)


@dataclass(frozen=True)
class VAEConfig:
    """The model: sizes, activation, likelihood p(x|z), prior p(z) and the weight β of the KL term.

    prior is (mu_p, logvar_p), each a number or one number per latent. logvar_x is the normal decoder's log s²; None
    learns it, from 0. ValueError names the field that is wrong.
    """

    input_dim: int = option(784, "number of pixels, or columns of the data", minimum=1)
    hidden_dims: tuple[int, ...] = option(
        (400,),
        "sizes of the hidden layers; none: a linear model",
        minimum=1,
        flag="--hidden",
    )
    latent_dim: int = option(20, "number of latents", minimum=1, flag="--latent")
    activation: str = option(
        "relu", "activation of the hidden layers", choices=ACTIVATIONS
    )
    likelihood: str = option(
        "bernoulli", "the decoder's distribution p(x|z)", choices=LIKELIHOODS
    )
    logvar_x: float | None = option(
        None, "log variance of the normal decoder; learned unless given"
    )
    prior: tuple = (0.0, 0.0)
    beta: float = option(1.0, "weight of the KL term", minimum=0)

    def __post_init__(self):
        check_fields(self)
        if self.logvar_x is not None and self.likelihood != "normal":
            raise ValueError(
                f"logvar_x is {self.logvar_x}, but only the normal likelihood has it: "
                "use likelihood 'normal'"
            )


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained. ValueError names the field that is wrong."""

    epochs: int = option(30, "passes over the training set", minimum=1)
    batch_size: int = option(128, "images per batch", minimum=1)
    lr: float = option(1e-3, "learning rate", positive=True)
    seed: int = option(1, "random seed", minimum=0)
    num_samples: int = option(
        1,
        "samples of z per image: J of the ELBO, K of the importance-weighted bound",
        minimum=1,
        flag="--samples",
    )
    objective: str = option(
        "elbo",
        "the bound to maximize: the ELBO, the importance-weighted one (iwae), or "
        "either with the path derivative (elbo-stl, iwae-dreg)",
        choices=OBJECTIVES,
    )
    binarize: str = option(
        "none",
        "pixels: gray, or binarized: at 0.5 (threshold), sampled with the gray value as "
        "probability every time (dynamic) or once (static)",
        choices=tuple(BINARIZATIONS),
    )
    schedule: str = option(
        "constant",
        "learning rate: constant, or falling in 8 stages (burda)",
        choices=SCHEDULES,
    )
    decay_epochs: int = option(
        0, "decay the learning rate linearly over the last N epochs", minimum=0
    )
    warmup: int = option(
        0, "raise the weight of the KL term from 0 over the first N epochs", minimum=0
    )
    initialization: str = option(
        "uniform",
        "initial weights: by fan-in, or glorot, with the mean image as output bias",
        choices=INITIALIZATIONS,
    )
    adam_epsilon: float = option(1e-8, "Adam's epsilon", minimum=1e-12)

    def __post_init__(self):
        check_fields(self)


PRESETS = {  # Burda et al. 2016, with the changes that the README names
    "burda": {
        "hidden_dims": (200, 200),
        "latent_dim": 50,
        "activation": "tanh",
        "binarize": "dynamic",
        "epochs": 1100,
        "batch_size": 100,
        "lr": 4e-3,
        "schedule": "burda",
        "decay_epochs": 60,
        "initialization": "glorot",
        "adam_epsilon": 1e-4,
    }
}


def check_fields(settings: VAEConfig | TrainingOptions) -> None:
    """Check each field of a new settings object by its rule, and store the plain value."""
    for each in fields(settings):
        value = getattr(settings, each.name)
        if each.name == "prior":
            plain = _prior(value, settings.latent_dim)
        elif each.name == "hidden_dims":
            plain = _sequence(each, value)
        elif each.name == "logvar_x" and value is None:
            plain = None
        else:
            plain = plain_value(each, value)
        object.__setattr__(settings, each.name, plain)


def check_together(config: VAEConfig, options: TrainingOptions) -> None:
    """ValueError if a model and its training contradict each other."""
    if options.objective != "elbo" and (config.beta != 1 or options.warmup):
        raise ValueError(
            f"beta is {config.beta} and warmup {options.warmup}, but objective {options.objective!r} "
            "has no separate KL term: beta must be 1 and warmup 0"
        )


def plain_value(each: Field, value: Any) -> Any:
    """The value as a plain int, float or str; ValueError, naming the field, if it breaks the field's rule."""
    rule = each.metadata
    if rule["choices"]:
        if isinstance(value, str) and value in rule["choices"]:
            return str(value)
        raise ValueError(
            f"{each.name} must be one of {', '.join(rule['choices'])}, not {value!r}"
        )
    if each.type is int:
        if _is_number(value, Integral) and value >= rule["minimum"]:
            return int(value)
        raise ValueError(
            f"{each.name} must be an integer, {rule['minimum']} or more, not {value!r}"
        )
    enough = rule["minimum"] is None or (
        is_finite_number(value) and value >= rule["minimum"]
    )
    if is_finite_number(value) and enough and (value > 0 or not rule["positive"]):
        return float(value)
    bound = (
        ", positive"
        if rule["positive"]
        else ""
        if rule["minimum"] is None
        else f", {rule['minimum']} or more"
    )
    raise ValueError(f"{each.name} must be a finite number{bound}, not {value!r}")


def flag(each: Field) -> str:
    """The option's name on the command line: latent_dim -> "--latent", batch_size -> "--batch-size"."""
    return each.metadata["flag"] or "--" + each.name.replace("_", "-")


def flags() -> dict[str, Field]:
    """{flag: field} of every option that the command line has, the model's first."""
    every = (*fields(VAEConfig), *fields(TrainingOptions))
    return {
        flag(each): each for each in every if each.metadata and each.name != "input_dim"
    }


def arguments(config: VAEConfig, options: TrainingOptions) -> list[str]:
    """The words of a command line that make these settings: what differs from the defaults, in the fields' order."""
    words = []
    for name, each in flags().items():
        value = vars(config).get(each.name, vars(options).get(each.name))
        if value == each.default:
            continue
        if isinstance(value, tuple):
            words += [name, *map(str, value)]
        elif str(value).startswith("-"):  # a word of its own would look like a flag
            words.append(f"{name}={value}")
        else:
            words += [name, str(value)]
    return words


def from_text(each: Field, text: str) -> Any:
    """One word of a command line as the field's value; ValueError, naming the field, if it breaks the field's rule."""
    kind = (
        str
        if each.metadata["choices"]
        else int
        if each.type in (int, tuple[int, ...])
        else float
    )
    try:
        value = kind(text)
    except ValueError:
        value = text
    return (
        _sequence(each, (value,))[0]
        if each.name == "hidden_dims"
        else plain_value(each, value)
    )


def is_finite_number(value: Any) -> bool:
    """True for a finite real number (no bool)."""
    try:
        return _is_number(value, Real) and math.isfinite(float(value))
    except OverflowError:  # an integer beyond float64
        return False


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _sequence(each: Field, values: Any) -> tuple[int, ...]:
    if not isinstance(values, (str, bytes)):
        try:
            plain = tuple(values)
        except TypeError:
            plain = (None,)
        if all(_is_number(n, Integral) and n >= 1 for n in plain):
            return tuple(map(int, plain))
    raise ValueError(
        f"{each.name} must be a sequence of positive integers, not {values!r}"
    )


def _prior(prior: Any, latent_dim: int) -> tuple:
    """(mu_p, logvar_p), each a float or a tuple of one float per latent"""
    problem = f"prior must be (mu_p, logvar_p), each a finite number or {latent_dim} finite numbers, not {prior!r}"
    try:
        parts = tuple(p if _is_number(p, Real) else tuple(p) for p in prior)
    except TypeError:
        raise ValueError(problem) from None
    if len(parts) != 2 or any(
        isinstance(p, tuple) and len(p) != latent_dim for p in parts
    ):
        raise ValueError(problem)
    if not all(
        is_finite_number(value)
        for p in parts
        for value in (p if isinstance(p, tuple) else (p,))
    ):
        raise ValueError(problem)
    return tuple(
        tuple(map(float, p)) if isinstance(p, tuple) else float(p) for p in parts
    )
