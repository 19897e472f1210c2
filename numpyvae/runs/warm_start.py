"""Warm starts: a new run that begins with the parameters of another one.

The objective, the learning rate, the number of samples and the data may change; the
architecture may not. A common use is to train with the ELBO first, and then with the
importance-weighted bound, each step of which costs K times as much.

Source: Burda et al. 2016, section 5, Table 2: models trained with one objective, then
with another.
"""

import os
from dataclasses import replace

from ..data.dataset import Dataset
from ..errors import InputError
from ..settings import ARCHITECTURE, TrainingOptions, VAEConfig
from ..training.state import TrainingState, make_optimizer
from ..vae.parameters import Parameters, parameter_shapes
from .run import Run


def warm_start(
    earlier: Run,
    config: VAEConfig,
    options: TrainingOptions,
    source: Dataset | None = None,
    *,
    directory: str | os.PathLike | None = None,
    keep_optimizer: bool = False,
) -> Run:
    """A new run, saved in its directory, with a copy of the parameters of `earlier`.

    source: by default the data of the earlier run. keep_optimizer: Adam's moments and
    step count are copied as well; otherwise Adam is new. The new run records where its
    parameters come from. Raises ValueError, naming the option, if the architectures
    differ.
    """
    for name in ARCHITECTURE:
        wanted, found = getattr(config, name), getattr(earlier.config, name)
        if wanted != found:
            raise InputError(
                f"{name} is {wanted}, but {place(earlier)} has {found}: "
                "a warm start needs the same architecture"
            )
    params = Parameters(parameter_shapes(config), earlier.state.params.vector.copy())
    state = TrainingState(params, make_optimizer(params, options), config=config)
    if keep_optimizer:
        state.adam.m[...] = earlier.state.adam.m
        state.adam.v[...] = earlier.state.adam.v
        state.adam.t = earlier.state.adam.t
    record = {
        "run": place(earlier),
        "epochs": len(earlier.state.history),
        "optimizer": keep_optimizer,
    }
    return Run.create(
        replace(config),
        options,
        source or earlier.source,
        state,
        directory,
        warm_start=record,
    )


def place(run: Run) -> str:
    """The directory of a run, as an absolute path."""
    return (
        "a run without a directory"
        if run.directory is None
        else os.path.abspath(run.directory)
    )
