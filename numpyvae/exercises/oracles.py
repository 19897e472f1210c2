"""The table of oracles: the trials of each exercise, from NAME_trials of a chapter's module."""

from functools import cache
from importlib import import_module

from .judge.known_errors import CHAPTERS
from .judge.verdict import Trial


@cache
def trials_for_exercise(name: str) -> list[Trial]:
    """The trials of one exercise, in order of size; computed once per process"""
    function = name.lower().replace(".", "_") + "_trials"
    modules = [import_module(chapter, __package__) for chapter in CHAPTERS]
    (chapter,) = [module for module in modules if function in vars(module)]
    return getattr(chapter, function)()
