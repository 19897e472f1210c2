"""The table of oracles: the trials of each exercise, from the function NAME_trials of one of the modules."""

from functools import cache

from .judge.verdict import Trial
from .mdp import bellman as oracles_mdp
from .mdp import solvers as oracles_solvers
from .vae import (
    adam as oracles_optimizer,
)
from .vae import (
    bernoulli as oracles_numeric,
)
from .vae import (
    elbo as oracles_elbo,
)
from .vae import (
    gaussian as oracles_normal,
)
from .vae import (
    iwae as oracles_weights,
)
from .vae import (
    layers as oracles_layers,
)
from .vae import (
    model as oracles_model,
)

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
