"""The table of oracles: the cases of each exercise, from the function NAME_cases of one of the modules."""

from functools import cache

from . import (oracles_elbo, oracles_layers, oracles_mdp, oracles_model, oracles_normal, oracles_numeric,
               oracles_optimizer, oracles_solvers, oracles_weights)
from .judge import Case

MODULES = (oracles_elbo, oracles_layers, oracles_mdp, oracles_model, oracles_normal, oracles_numeric, oracles_optimizer,
           oracles_solvers, oracles_weights)
CASES = {name: function for module in MODULES for name, function in vars(module).items()
         if name.endswith("_cases") and function.__module__ == module.__name__}


@cache
def cases_for_exercise(name: str) -> list[Case]:
    """The cases of one exercise, in order of size; computed once per process"""
    return CASES[name.lower().replace(".", "_") + "_cases"]()
