"""A scikit-learn compatible estimator (scikit-learn is not required).

    fit(X)                  training, from new parameters, on the rows of X
    transform(X)            mu of q(z|x)                                              (N, D) -> (N, L)
    inverse_transform(Z)    E[x|z], the decoder's mean, in the scale of X             (N, L) -> (N, D)
    sample(n)               the same for z ~ p(z): means, without the noise of p(x|z)        -> (n, D)
    score_samples(X)        log p(x), from n_importance_samples importance weights    (N, D) -> (N,)
    score(X)                their mean, in nats per row: higher is better
    save(directory)         a run, which the command line evaluates and samples; VAE.load reads it, and any other run

uint8 input is divided by 255, other input is converted to float32. Later calls need the same kind of input as fit. The
Bernoulli likelihood needs numbers in [0, 1]: held-out rows may leave the range of the fitted ones
(MinMaxScaler(clip=True)). The normal likelihood accepts any real number. Gray values stay gray; binarize beforehand.

random_state is an integer, the seed of training; or a NumPy Generator, from which each fit takes a seed; or None, for a
new seed. `sample` also uses it: with an integer, the same rows at each call. Scores are deterministic: each row's noise
is seeded by the fit seed and the row's CRC, so a score does not depend on the other rows.
fit uses two processes where that is safe (training.threads.default_processes); last digits depend on it.

Source: Buitinck et al. 2013, "API design for machine learning software: experiences from the scikit-learn project".
"""

import os
import zlib
from dataclasses import field, fields, make_dataclass
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from .data.dataset import Dataset
from .data.pixels import check_array
from .errors import InputError
from .runs.run import Run
from .settings import TrainingOptions, VAEConfig
from .training.loop import train
from .training.parallel.threads import limited_blas_threads
from .vae.gaussian import reparameterize
from .vae.iwae import log_marginal
from .vae.likelihoods import LIKELIHOODS
from .vae.model import decode, encode, prior_parameters

OPTIONS = [
    (option.name, option.type, field(default=option.default))
    for settings in (VAEConfig, TrainingOptions)
    for option in fields(settings)
    if option.name not in ("input_dim", "num_classes", "seed", "binarize")
]  # fit knows these
OPTIONS += [
    ("n_importance_samples", int, field(default=100)),
    ("random_state", int | np.random.Generator | None, field(default=None)),
]


class NotFittedError(InputError, AttributeError):
    """The model is not fitted."""


class VAE(make_dataclass("VAE", OPTIONS, kw_only=True, eq=False, repr=False)):
    """Settings of VAEConfig and of TrainingOptions, under their names; fit checks them, and ValueError names the field.

    After fit: params_, config_, seed_, n_features_in_, scale_ (255 for uint8, else 1), history_, one row per epoch.
    """

    @classmethod
    def load(cls, path: str | os.PathLike) -> "VAE":
        """The model of a run, from its directory or its checkpoint: fitted, as after fit. CheckpointError if damaged.
        A run that was trained on binarized pixels needs binary input."""
        run = Run.load(path)
        settings = {**vars(run.config), **vars(run.options)}
        model = cls(
            random_state=run.options.seed,
            **{name: settings[name] for name in settings if hasattr(cls, name)},
        )
        model._keep(run)
        return model

    def save(self, directory: str | os.PathLike) -> None:
        """Write the fitted model as a run, into a directory that must be new or empty (FileExistsError)."""
        Run.create(
            self.config_,
            self.run_.options,
            self.run_.source,
            self.run_.state,
            directory,
        )

    def get_params(self, deep: bool = True) -> dict:
        """The settings, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def set_params(self, **params) -> "VAE":
        """Change settings. ValueError, changing none, if a name is not one of them."""
        own = self.get_params()
        if unknown := params.keys() - own.keys():
            raise InputError(
                f"no setting is called {', '.join(sorted(unknown))}; there are {', '.join(own)}"
            )
        vars(self).update(params)
        return self

    def fit(self, X: ArrayLike, y: object = None) -> "VAE":
        """y is ignored. NotFiniteError if the training diverges. An error leaves the model unchanged."""
        unit = (
            self.likelihood in LIKELIHOODS
            and LIKELIHOODS[self.likelihood].unit_interval
        )
        X = check_array(X, "X", unit_interval=unit)
        if X.dtype == np.uint8 and X.max() <= 1:
            raise InputError(
                "X is uint8, read as 0 to 255, and has nothing above 1; convert 0 and 1 to float"
            )
        seed = check_random_state(self.random_state)
        if not isinstance(seed, Integral):
            seed = int(np.random.default_rng(seed).integers(2**63))
        config = VAEConfig(input_dim=X.shape[1], **self._kwargs_for(VAEConfig))
        options = TrainingOptions(seed=seed, **self._kwargs_for(TrainingOptions))
        state = train(X, None, config, options)
        data = Dataset.of(X).without_images()
        self._keep(Run(None, config, options, data, state))
        return self

    def fit_transform(self, X: ArrayLike, y: object = None) -> np.ndarray:
        """fit(X), then transform(X)."""
        return self.fit(X).transform(X)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """mu of q(z|x)        (N, D) -> (N, L)"""
        return encode(self.params_, self._prepare(X), self.config_)[0][0]

    def inverse_transform(self, Z: ArrayLike) -> np.ndarray:
        """E[x|z], the decoder's mean, in the scale of X        (N, L) -> (N, D)"""
        Z = check_array(Z, "Z", self.config_.latent_dim)
        y, _ = decode(self.params_, Z.astype(self.params_.vector.dtype), self.config_)
        return self.scale_ * LIKELIHOODS[self.config_.likelihood].mean(y)

    def sample(
        self, n_samples: int = 1, random_state: int | np.random.Generator | None = None
    ) -> np.ndarray:
        """E[x|z] for z ~ p(z)        -> (n_samples, D)        random_state, if given, replaces the model's own."""
        check_count("n_samples", n_samples)
        rng = np.random.default_rng(
            check_random_state(
                self.random_state if random_state is None else random_state
            )
        )
        eps = rng.standard_normal((n_samples, self.config_.latent_dim))
        return self.inverse_transform(
            reparameterize(*prior_parameters(self.config_, eps.dtype), eps)
        )

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """log p(x), estimated with n_importance_samples samples per row        (N, D) -> (N,)"""
        x, k = self._prepare(X), self.n_importance_samples
        check_count("n_importance_samples", k)
        seeds = ([self.seed_, zlib.crc32(row)] for row in x)
        with limited_blas_threads():
            rows = [
                log_marginal(
                    self.params_,
                    row[None],
                    self.config_,
                    k,
                    np.random.default_rng(seed),
                )[0]
                for row, seed in zip(x, seeds, strict=True)
            ]
        return np.concatenate(rows)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """The mean of score_samples(X). y is ignored."""
        return float(self.score_samples(X).mean())

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """The names of the latents: vae0, vae1, …"""
        return np.array(
            [f"vae{i}" for i in range(self.config_.latent_dim)], dtype=object
        )

    def __repr__(self) -> str:
        values = (
            (each.name, repr(getattr(self, each.name)), repr(each.default))
            for each in fields(self)
        )
        return f"VAE({', '.join(f'{name}={value}' for name, value, default in values if value != default)})"

    def _keep(self, run):
        self.run_, self.params_, self.config_, self.seed_ = (
            run,
            run.state.params,
            run.config,
            run.options.seed,
        )
        self.n_features_in_, self.scale_ = run.config.input_dim, run.source.scale
        self.history_ = [
            {name: row[name] for name in ("epoch", "train_loss", "seconds")}
            for row in run.state.history
        ]

    def _kwargs_for(self, kind):
        return {
            field.name: getattr(self, field.name)
            for field in fields(kind)
            if hasattr(self, field.name)
        }

    def _prepare(self, X):
        X = check_array(
            X,
            "X",
            self.n_features_in_,
            LIKELIHOODS[self.config_.likelihood].unit_interval,
        )
        if (X.dtype == np.uint8) != (self.scale_ == 255):
            kinds = ("numbers that are not uint8", "uint8, 0 to 255")
            raise InputError(
                f"X is {kinds[X.dtype == np.uint8]}, but fit was given {kinds[self.scale_ == 255]}"
            )
        binarize = self.run_.options.binarize
        if binarize != "none" and not np.isin(X, (0, self.scale_)).all():
            raise InputError(
                f"the model was trained on binarized pixels (binarize {binarize!r}), but X has "
                f"others than 0 and {self.scale_}: binarize X first"
            )
        rng = np.random.default_rng(self.seed_)  # not used
        return Dataset.in_memory(X).input("train", "none", rng)

    def __getattr__(self, name):  # called only for missing attributes
        if (
            name.endswith("_")
            and not name.startswith("_")
            and "params_" not in vars(self)
        ):
            raise NotFittedError(
                f"a VAE has no {name} before it is fitted: call fit first"
            )
        raise AttributeError(f"a VAE has no {name}")

    def __sklearn_tags__(self):  # called only by scikit-learn, so the import succeeds
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            None, TargetTags(required=False), TransformerTags(preserves_dtype=[])
        )


def check_count(name: str, value: object) -> None:
    """ValueError if the value is not an integer, 1 or more."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise InputError(f"{name} must be an integer, 1 or more, not {value!r}")


def check_random_state(value: object) -> object:
    """The value; ValueError if it is not a seed, a generator or None."""
    seed = isinstance(value, Integral) and not isinstance(value, bool) and value >= 0
    if value is None or seed or isinstance(value, np.random.Generator):
        return value
    raise InputError(
        f"random_state must be a non-negative integer, a NumPy Generator or None, not {value!r}"
    )
