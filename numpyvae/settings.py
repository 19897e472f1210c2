"""Settings: every option of a model and of its training, once.

A field has an option's default, the values that it accepts, its help text and its name
on the command line. The checks below, the argument parser, the estimator, the report
and the command that reproduces a run read these fields; none of them repeats a default
or a choice.

A setting is stored as a plain Python number, string or tuple. (A NumPy scalar would
promote float32 arrays to float64, and JSON cannot hold it.) A value that a field does
not accept, of any type, is an InputError that names the field.
"""

import math
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, TypeGuard

from .errors import InputError

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
    """A dataclass field with its rule and its help text.

    flag    its name on the command line, if it is not the field's
    """
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
    """The model: sizes, activation, likelihood p(x|z), prior p(z), weight β of the KL.

    prior is (mu_p, logvar_p), each a number or one number per latent. logvar_x is
    the normal decoder's log s²; None learns it, from 0. InputError names the field
    that is wrong.
    """

    # 784, 400 and 20, with batches of 128 and lr 1e-3, are those of PyTorch's VAE
    # example, so that results can be compared.
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
    prior: tuple = (0.0, 0.0)  # from Python only: it has no rule of one field, no flag
    beta: float = option(1.0, "weight of the KL term", minimum=0)
    num_classes: int = option(0, "classes that the model is told", minimum=0)

    def __post_init__(self):
        check_fields(self)
        if self.logvar_x is not None and self.likelihood != "normal":
            raise InputError(
                f"logvar_x is {self.logvar_x}, but only the normal likelihood has it: "
                "use likelihood 'normal'"
            )


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained. InputError names the field that is wrong."""

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
        "pixels: gray, or binarized: at 0.5 (threshold), sampled with the gray value "
        "as probability every time (dynamic) or once (static)",
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
    # far above 1e-16, the root of the second moments that Adam rounds to 0
    adam_epsilon: float = option(1e-8, "Adam's epsilon", minimum=1e-12)

    def __post_init__(self):
        check_fields(self)


# what two models must share so that one can use the parameters of the other
ARCHITECTURE = tuple(each.name for each in fields(VAEConfig) if each.name != "beta")

PRESETS = {  # Burda et al. 2016, with the changes that the README names
    "burda": {
        "hidden_dims": (200, 200),
        "latent_dim": 50,
        "activation": "tanh",
        "binarize": "dynamic",
        "epochs": 1100,
        "batch_size": 100,
        "lr": 2e-3,
        "decay_epochs": 1000,
        "initialization": "glorot",
        "adam_epsilon": 1e-4,
    }
}


def check_fields(settings: VAEConfig | TrainingOptions) -> None:
    """Check each field of a new settings object, and store the plain value."""
    for each in fields(settings):
        plain = plain_value(each, getattr(settings, each.name))
        object.__setattr__(settings, each.name, plain)
    if isinstance(settings, VAEConfig):
        prior = plain_prior(settings.prior, settings.latent_dim)
        object.__setattr__(settings, "prior", prior)


def check_together(config: VAEConfig, options: TrainingOptions) -> None:
    """InputError if a model and its training contradict each other."""
    weighted = config.beta != 1 or options.warmup > 0
    if options.objective != "elbo" and weighted:
        raise InputError(
            f"beta is {config.beta} and warmup {options.warmup}, but objective "
            f"{options.objective!r} has no separate KL term: beta must be 1, warmup 0"
        )


def plain_value(each: Field, value: Any) -> Any:
    """The value as a plain int, float, str or tuple; the prior as it is.

    InputError names the field if the value breaks its rule.
    """
    if each.name == "prior":  # its rule needs another field: see plain_prior
        return value
    if each.name == "logvar_x" and value is None:
        return None
    if each.name == "hidden_dims":
        return _sizes(each, value)
    if each.metadata["choices"]:
        return _choice(each, value)
    if each.type is int:
        return _integer(each, value)
    return _real(each, value)


def _choice(each: Field, value: Any) -> str:
    choices = each.metadata["choices"]
    if isinstance(value, str) and value in choices:
        return str(value)
    raise InputError(f"{each.name} must be one of {', '.join(choices)}, not {value!r}")


def _integer(each: Field, value: Any) -> int:
    minimum = each.metadata["minimum"]
    if is_integer(value) and value >= minimum:
        return int(value)
    raise InputError(
        f"{each.name} must be an integer, {minimum} or more, not {value!r}"
    )


def _real(each: Field, value: Any) -> float:
    minimum, bound = -math.inf, ""
    if each.metadata["minimum"] is not None:
        minimum = each.metadata["minimum"]
        bound = f", {minimum} or more"
    if each.metadata["positive"]:
        minimum = math.nextafter(0, 1)
        bound = ", positive"
    if is_finite_number(value) and value >= minimum:
        return float(value)
    raise InputError(f"{each.name} must be a finite number{bound}, not {value!r}")


def _sizes(each: Field, values: Any) -> tuple[int, ...]:
    problem = f"{each.name} must be a sequence of positive integers, not {values!r}"
    if isinstance(values, (str, bytes)):
        raise InputError(problem)
    try:
        sizes = tuple(values)
    except TypeError:
        raise InputError(problem) from None
    if not all(is_integer(size) and size >= 1 for size in sizes):
        raise InputError(problem)
    return tuple(map(int, sizes))


def plain_prior(prior: Any, latent_dim: int) -> tuple:
    """(mu_p, logvar_p), each a float or a tuple of one float per latent."""
    problem = (
        f"prior must be (mu_p, logvar_p), each a finite number or {latent_dim} finite "
        f"numbers, not {prior!r}"
    )
    try:
        mu_p, logvar_p = prior
    except (TypeError, ValueError):
        raise InputError(problem) from None
    return tuple(_prior_part(part, latent_dim, problem) for part in (mu_p, logvar_p))


def _prior_part(part: Any, latent_dim: int, problem: str) -> float | tuple[float, ...]:
    if is_finite_number(part):
        return float(part)
    try:
        values = tuple(part)
    except TypeError:
        raise InputError(problem) from None
    if len(values) != latent_dim or not all(map(is_finite_number, values)):
        raise InputError(problem)
    return tuple(map(float, values))


def flag(each: Field) -> str:
    """The option on the command line: latent_dim -> "--latent", lr -> "--lr"."""
    return each.metadata["flag"] or "--" + each.name.replace("_", "-")


def flags() -> dict[str, Field]:
    """{flag: field} of every option that the command line has, the model's first.

    The data decides about input_dim, and the prior has no flag.
    """
    every = (*fields(VAEConfig), *fields(TrainingOptions))
    return {
        flag(each): each
        for each in every
        if each.name not in ("input_dim", "num_classes", "prior")
    }


def arguments(config: VAEConfig, options: TrainingOptions) -> list[str]:
    """The words of a command line that make these settings.

    They are what differs from the defaults, in the order of the fields.
    """
    settings = {**vars(config), **vars(options)}
    words = []
    for name, each in flags().items():
        value = settings[each.name]
        if value == each.default:
            continue
        if isinstance(value, tuple):
            words += [name, *map(str, value)]
        elif str(value).startswith("-"):  # a word of its own would look like a flag
            words.append(f"{name}={value}")
        else:
            words += [name, str(value)]
    if config.num_classes:
        words.append("--conditional")
    return words


def changed_settings(config: VAEConfig, options: TrainingOptions) -> dict[str, Any]:
    """{name: value} of the settings that differ from their defaults."""
    changed = {}
    for settings in (config, options):
        for each in fields(settings):
            value = getattr(settings, each.name)
            if value != each.default:
                changed[each.name] = value
    return changed


def from_text(each: Field, text: str) -> Any:
    """One word of a command line as the field's value.

    Each word of --hidden is a value of its own. InputError names the field if the value
    breaks its rule.
    """
    if each.name == "hidden_dims":
        return _sizes(each, (_number(int, text),))[0]
    if each.metadata["choices"]:
        return plain_value(each, text)
    return plain_value(each, _number(int if each.type is int else float, text))


def _number(kind: Callable[[str], Any], text: str) -> Any:
    """The text as a number; the text itself if it is none, for the field to refuse."""
    try:
        return kind(text)
    except ValueError:
        return text


def is_integer(value: Any) -> TypeGuard[int]:
    """True for an integer of Python or NumPy (no bool)."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite_number(value: Any) -> TypeGuard[float]:
    """True for a finite real number of Python or NumPy (no bool)."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond float64
        return False
