"""The trials of each exercise: the function NAME_trials of its chapter's module."""

from functools import cache
from importlib import import_module

from .judge.verdict import Trial
from .table import BY_NAME


@cache
def trials_for_exercise(name: str) -> list[Trial]:
    """The trials of one exercise, in order of size; computed once per process"""
    module = import_module(f"{__package__}.{BY_NAME[name].chapter}")
    return getattr(module, name.lower().replace(".", "_") + "_trials")()
