"""The table of oracles: the trials of each exercise, from the function NAME_trials of one of the modules."""

from functools import cache

from .vae import (
    elbo as oracles_elbo,
    layers as oracles_layers,
    model as oracles_model,
    gaussian as oracles_normal,
    bernoulli as oracles_numeric,
    adam as oracles_optimizer,
    iwae as oracles_weights,
)
from .mdp import bellman as oracles_mdp, solvers as oracles_solvers
from .judge.verdict import Trial

MODULES = (
    oracles_elbo,
    oracles_layers,
    oracles_mdp,
    oracles_model,
    oracles_normal,
    oracles_numeric,
    oracles_optimizer,
    oracles_solvers,
    oracles_weights,
)
TRIALS = {
    name: function
    for module in MODULES
    for name, function in vars(module).items()
    if name.endswith("_trials") and function.__module__ == module.__name__
}


@cache
def trials_for_exercise(name: str) -> list[Trial]:
    """The trials of one exercise, in order of size; computed once per process"""
    return TRIALS[name.lower().replace(".", "_") + "_trials"]()
