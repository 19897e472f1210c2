"""Arguments that several commands share, and the options of settings.py as flags.

Settings are imported by the functions that need them, so that the list of commands is
printed without them.
"""

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from typing import Any

from ..errors import InputError


def add_settings(parser: ArgumentParser) -> None:
    """Add a flag for each option of the model and of its training.

    The namespace has only those that are given.
    """
    from ..settings import flags

    for flag, each in flags().items():
        choices = each.metadata["choices"] or None
        takes_integers = each.type in (int, tuple[int, ...])
        metavar = "N" if takes_integers else "X"
        default = each.default
        if isinstance(default, tuple):
            default = " ".join(map(str, default))
        help_text = each.metadata["help"]
        if default is not None:
            help_text += f" (default: {default})"
        parser.add_argument(
            flag,
            dest=each.name,
            choices=choices,
            type=setting(each),
            default=SUPPRESS,
            nargs="*" if each.name == "hidden_dims" else None,
            metavar=None if choices else metavar,
            help=help_text,
        )


def given_settings(args: Namespace) -> dict[str, Any]:
    """{field: value} of the options that the command line names."""
    from ..settings import flags

    values = {
        each.name: getattr(args, each.name)
        for each in flags().values()
        if hasattr(args, each.name)
    }
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in values.items()
    }


def split_settings(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of the model, and those of its training."""
    from dataclasses import fields

    from ..settings import TrainingOptions, VAEConfig

    def of(kind: type) -> dict[str, Any]:
        names = [each.name for each in fields(kind)]
        return {name: values[name] for name in names if name in values}

    return of(VAEConfig), of(TrainingOptions)


def setting(each) -> Callable[[str], Any]:
    """An argparse type that checks a value by the rule of a settings' field."""
    from ..settings import from_text

    return _type(lambda text: from_text(each, text))


def integer(minimum: int) -> Callable[[str], int]:
    """An argparse type: an integer, `minimum` or more."""

    def convert(text):
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise InputError(f"must be an integer, {minimum} or more, not {text!r}")
        return value

    return _type(convert)


def discount_factor() -> Callable[[str], float]:
    """An argparse type: a discount factor below 1."""

    def convert(text):
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1:
            raise InputError(f"must be a number, 0 <= G < 1, not {text!r}")
        return value

    return _type(convert)


def file_name(ending: str) -> Callable[[str], str]:
    """An argparse type: a file's name with this ending, which other programs go by."""

    def convert(text):
        if not text.lower().endswith(ending):
            raise InputError(f"must end in {ending}, not {text!r}")
        return text

    return _type(convert)


def add_seed(parser: ArgumentParser) -> None:
    """Add --seed, with the rule and the default of training's seed."""
    from ..settings import TrainingOptions

    seed = TrainingOptions.__dataclass_fields__["seed"]
    parser.add_argument(
        "--seed",
        type=setting(seed),
        default=seed.default,
        metavar="N",
        help=f"random seed (default: {seed.default})",
    )


def add_json(parser: ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object on standard output, nothing else",
    )


def _type(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    def checked(text):
        try:
            return convert(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return checked
