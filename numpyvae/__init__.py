"""numpyvae: a variational autoencoder and a small Markov-decision-process solver, from
scratch in NumPy.

To read, some 6,500 lines, in this order:

    vae              BOOK ONE: the variational autoencoder, chapter by chapter;
                     begin with `pydoc numpyvae.vae`
    data.pixels      bytes to floats; what binarization does to the numbers
    training.step    one training step: forward, backward, update
    training.loop    Algorithm 1, which takes these steps
    mdp              BOOK TWO: Markov decision processes; `pydoc numpyvae.mdp`

The workshop around them, which nobody has to read:

    training     the rest of it: several processes, schedules, evaluation
    settings     every option of a model and of its training, once
    data         the IDX format, MNIST, pixels
    pictures     PNG and SVG files without a plotting library
    runs         a training run on disk: checkpoint, log, report
    exercises    the reader's bench: exercises that mark themselves
    book         the two books as one page, with their figures
    estimator    the scikit-learn interface
    cli          the command line
    files        atomic writes, locks
    errors       the base of the package's errors

Imports only go down: of the workshop, vae imports nothing but settings and errors, and
mdp nothing but errors.

A script finds what it needs here: `from numpyvae import VAEConfig, TrainingOptions,
train`; `dir(numpyvae)` lists the names. Each is loaded when it is first used, so that
`import numpyvae` does not load NumPy.
"""

from importlib import import_module

__version__ = "0.3.0"

# package or module: the public names loaded from it (__init__.pyi has the same)
_PUBLIC = {
    "errors": "InputError NumpyvaeError",
    "settings": "TrainingOptions VAEConfig",
    "data": "Dataset IdxError load_mnist read_idx write_idx",
    "vae": "Adam Parameters check_gradients decode encode init_params log_marginal "
    "negative_elbo negative_elbo_backward",
    "mdp": "MDP average_policy_iteration average_reward backward_induction "
    "blackwell_policy critical_discounts four_state_chain modified_policy_iteration "
    "optimal_actions optimal_policies policy_evaluation policy_iteration "
    "simulate value_iteration",
    "training.loop": "train",
    "training.state": "TrainingState initial_state",
    "training.step": "NotFiniteError",
    "training.evaluation": "evaluate",
    "training.parallel.threads": "limited_blas_threads",
    "runs.run": "Run",
    "runs.checkpoint": "CheckpointError",
    "runs.warm_start": "warm_start",
    "exercises": "check_functions",
    "estimator": "VAE",
}
_MODULES = {name: module for module in _PUBLIC for name in _PUBLIC[module].split()}
__all__ = ["__version__", *_MODULES]  # noqa: PLE0604  for a star import


def __getattr__(name: str) -> object:
    """A public name, loaded now and kept (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'numpyvae' has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not, beside what is there already."""
    return sorted({*globals(), *_MODULES})
