"""The table of oracles: the cases of each exercise, `NAME_cases` of the module beside its chapter."""

from . import (oracles_layers, oracles_mdp, oracles_model, oracles_normal, oracles_numeric, oracles_optimizer,
               oracles_solvers, oracles_weights)
from .judge import Case

MODULES = (oracles_layers, oracles_normal, oracles_numeric, oracles_model, oracles_optimizer, oracles_weights, oracles_mdp,
           oracles_solvers)


def cases_for_exercise(name: str) -> list[Case]:
    """The cases of one exercise, in order of size"""
    attribute = name.lower().replace(".", "_") + "_cases"
    module, = [module for module in MODULES if attribute in vars(module) and vars(module)[attribute].__module__ == module.__name__]
    return getattr(module, attribute)()
