"""A scikit-learn compatible estimator (scikit-learn is not required).

    fit(X)                  training, from new parameters, on the rows of X
    transform(X)            mu of q(z|x)                          (N, D) -> (N, L)
    inverse_transform(Z)    E[x|z], the decoder's mean, in the
                            scale of X                            (N, L) -> (N, D)
    sample(n)               the same for z ~ p(z): means, without
                            the noise of p(x|z)                          -> (n, D)
    score_samples(X)        log p(x), by n_importance_samples
                            importance weights                    (N, D) -> (N,)
    score(X)                their mean, in nats per row: higher is better
    save(directory)         a run, which the command line evaluates and samples;
                            VAE.load reads it, and any other run

With conditional=True the model is told the class of each row (chapter 14 of book one):

    fit(X, y)               y (N,): any labels, of which classes_ has each once
    transform(X, y), inverse_transform(Z, y), score_samples(X, y), score(X, y)
    sample(n, y=7)          n rows of one class
    predict_proba(X)        p(class|x), by Bayes' rule; the classes are as frequent as
                            in fit                                (N, D) -> (N, C)
    predict(X)              the class with the largest            (N, D) -> (N,)

uint8 input is divided by 255, other input is converted to float32. Later calls need the
same kind of input as fit. The Bernoulli likelihood needs numbers in [0, 1]: held-out
rows may leave the range of the fitted ones (MinMaxScaler(clip=True)). The normal
likelihood accepts any real number. Gray values stay gray; binarize beforehand.

random_state is an integer, the seed of training; or a NumPy Generator, from which each
fit takes a seed; or None, for a new seed. `sample` also uses it: with an integer, the
same rows at each call. Scores are deterministic: each row's noise is seeded by the fit
seed and the row's CRC, so a score does not depend on the other rows. `fit` uses two
processes where that is safe (training.parallel.threads.default_processes); the last
digits depend on it.

With beta other than 1 the model maximizes another bound than log p(x), so a grid search
over beta by `score` compares models by what they were not all trained for.

Source: Buitinck et al. 2013, "API design for machine learning software: experiences
from the scikit-learn project".
"""

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .data.dataset import Dataset
from .data.pixels import check_array, check_columns
from .errors import InputError
from .runs.run import Run
from .settings import TrainingOptions, VAEConfig, is_integer
from .training.loop import train
from .training.parallel.threads import limited_blas_threads
from .training.streams import stream
from .vae.conditional import (
    class_probabilities,
    log_marginal_by_class,
    with_class,
)
from .vae.gaussian import reparameterize
from .vae.iwae import log_marginal
from .vae.likelihoods import LIKELIHOODS
from .vae.model import decode, encode, prior_parameters

CONTAINERS = ("default", "pandas", "polars")


class NotFittedError(InputError, AttributeError):
    """The model is not fitted."""


@dataclass(kw_only=True, eq=False, repr=False)
class VAE:
    """The settings of VAEConfig and of TrainingOptions, under their names.

    fit checks them; its InputError names the field that is wrong. After fit there are
    params_, config_, seed_, n_features_in_, scale_ (255 for uint8, else 1), and
    history_, one row per epoch.
    """

    # the model's
    hidden_dims: tuple[int, ...] = VAEConfig.hidden_dims
    latent_dim: int = VAEConfig.latent_dim
    activation: str = VAEConfig.activation
    likelihood: str = VAEConfig.likelihood
    logvar_x: float | None = VAEConfig.logvar_x
    prior: tuple = VAEConfig.prior
    beta: float = VAEConfig.beta
    # its training's
    epochs: int = TrainingOptions.epochs
    batch_size: int = TrainingOptions.batch_size
    lr: float = TrainingOptions.lr
    num_samples: int = TrainingOptions.num_samples
    objective: str = TrainingOptions.objective
    schedule: str = TrainingOptions.schedule
    decay_epochs: int = TrainingOptions.decay_epochs
    warmup: int = TrainingOptions.warmup
    initialization: str = TrainingOptions.initialization
    adam_epsilon: float = TrainingOptions.adam_epsilon
    # the estimator's own
    conditional: bool = False
    n_importance_samples: int = 100
    random_state: int | np.random.Generator | None = None

    @classmethod
    def load(cls, path: str | os.PathLike) -> "VAE":
        """The fitted model of a run, from its directory or its checkpoint.

        A run that was trained on binarized pixels needs binary input. CheckpointError
        if the file is damaged.
        """
        run = Run.load(path)
        classes = run.config.num_classes
        model = cls(random_state=run.options.seed, conditional=classes > 0)
        for name, value in {**vars(run.config), **vars(run.options)}.items():
            if hasattr(cls, name):
                setattr(model, name, value)
        model._keep(run)
        model._keep_classes(np.arange(classes), np.ones(classes))
        return model

    def save(self, directory: str | os.PathLike) -> None:
        """Write the fitted model as a run, into a directory that is new or empty."""
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
        unknown = sorted(params.keys() - own.keys())
        if unknown:
            raise InputError(
                f"no setting is called {', '.join(unknown)}; there are {', '.join(own)}"
            )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def set_output(self, *, transform: str | None = None) -> "VAE":
        """What transform and fit_transform return; None changes nothing.

        "default" is an array; "pandas" and "polars" are a DataFrame whose columns are
        the names of the latents.
        """
        if transform is not None:
            if transform not in CONTAINERS:
                raise InputError(
                    f"transform must be one of {', '.join(CONTAINERS)}, "
                    f"not {transform!r}"
                )
            # scikit-learn's clone copies an attribute of this name
            self._sklearn_output_config = {"transform": transform}
        return self

    def fit(self, X: ArrayLike, y: object = None) -> "VAE":
        """Train from new parameters on the rows of X; y is ignored unless conditional.

        NotFiniteError if the training diverges. An error leaves the model unchanged.
        """
        known = LIKELIHOODS.get(self.likelihood)  # an unknown one is refused below
        unit_interval = known is not None and known.unit_interval
        X = check_array(X, "X", unit_interval=unit_interval)
        if X.dtype == np.uint8 and X.max() <= 127:
            raise InputError(
                f"X is uint8, read as 0 to 255, and has nothing above {X.max()}; divide "
                "it by the number that is white, as X / 255 or X / 16"
            )
        if not unit_interval:
            check_columns("X", X)
        seed = check_random_state(self.random_state)
        if not is_integer(seed):
            seed = int(np.random.default_rng(seed).integers(2**63))
        classes: np.ndarray = np.empty(0)
        counts: np.ndarray = np.empty(0)
        labels: np.ndarray | None = None
        if self.conditional:
            check_rows("y", y, len(X))
            classes, labels, counts = np.unique(
                np.asarray(y), return_inverse=True, return_counts=True
            )
        config = VAEConfig(
            input_dim=X.shape[1],
            num_classes=len(classes),
            **self._settings_of(VAEConfig),
        )
        options = TrainingOptions(seed=seed, **self._settings_of(TrainingOptions))
        state = train(X, None, config, options, labels=labels)
        data = Dataset.of(X).without_images()
        self._keep(Run(None, config, options, data, state))
        self._keep_classes(classes, counts)
        return self

    def fit_transform(self, X: ArrayLike, y: object = None) -> np.ndarray:
        """fit(X), then transform(X)."""
        return self.fit(X, y).transform(X, y)

    def transform(self, X: ArrayLike, y: object = None) -> np.ndarray:
        """mu of q(z|x)        (N, D) -> (N, L)        in the container of set_output"""
        x = self._told(self._prepare(X), y)
        (mu, _), _ = encode(self.params_, x, self.config_)
        output = vars(self).get("_sklearn_output_config", {"transform": "default"})
        return self._contained(mu, output["transform"], getattr(X, "index", None))

    def inverse_transform(self, Z: ArrayLike, y: object = None) -> np.ndarray:
        """E[x|z], the decoder's mean, in the scale of X        (N, L) -> (N, D)"""
        Z = check_array(Z, "Z", self.config_.latent_dim)
        z = self._told(Z.astype(self.params_.vector.dtype), y)
        output, _ = decode(self.params_, z, self.config_)
        return self.scale_ * LIKELIHOODS[self.config_.likelihood].mean(output)

    def sample(
        self,
        n_samples: int = 1,
        random_state: int | np.random.Generator | None = None,
        *,
        y: Any = None,
    ) -> np.ndarray:
        """E[x|z] for z ~ p(z)        -> (n_samples, D)

        random_state, if given, replaces the model's own. y: the class of all rows, or
        one for each row, of a conditional model.
        """
        check_count("n_samples", n_samples)
        if y is not None and not self.conditional:
            raise InputError("y is given, but only a conditional VAE draws a class")
        if random_state is None:
            random_state = self.random_state
        rng = check_random_state(random_state)
        if is_integer(rng):
            rng = stream("sample", rng)
        rng = np.random.default_rng(rng)
        eps = rng.standard_normal((n_samples, self.config_.latent_dim))
        mu_p, logvar_p = prior_parameters(self.config_, eps.dtype)
        if y is not None and np.ndim(y) == 0:
            y = np.full(n_samples, y)
        return self.inverse_transform(reparameterize(mu_p, logvar_p, eps), y)

    def score_samples(self, X: ArrayLike, y: object = None) -> np.ndarray:
        """log p(x), by n_importance_samples samples per row        (N, D) -> (N,)

        Of a conditional model log p(x|y).
        """
        x = self._told(self._prepare(X), y)

        def score(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            samples = self.n_importance_samples
            return log_marginal(self.params_, row, self.config_, samples, rng)[0]

        return self._by_rows(score, x)

    def score(self, X: ArrayLike, y: object = None) -> float:
        """The mean of score_samples(X, y). y is ignored unless conditional."""
        return float(self.score_samples(X, y).mean())

    @property
    def predict(self) -> Callable[[ArrayLike], np.ndarray]:
        """The class of each row, by Bayes' rule; only a conditional model has it."""
        self._require_conditional()
        return self._predict

    @property
    def predict_proba(self) -> Callable[[ArrayLike], np.ndarray]:
        """p(class|x) of each row; only a conditional model has it."""
        self._require_conditional()
        return self._predict_proba

    def _predict(self, X: ArrayLike) -> np.ndarray:
        return self.classes_[self._predict_proba(X).argmax(axis=1)]

    def _predict_proba(self, X: ArrayLike) -> np.ndarray:
        def score(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
            samples = self.n_importance_samples
            return log_marginal_by_class(self.params_, row, self.config_, samples, rng)

        log_px = self._by_rows(score, self._prepare(X))
        return class_probabilities(log_px, self.class_prior_)

    def _by_rows(
        self,
        score: Callable[[np.ndarray, np.random.Generator], np.ndarray],
        x: np.ndarray,
    ) -> np.ndarray:
        """score(row, rng) of each row of x, whose noise no other row changes"""
        check_count("n_importance_samples", self.n_importance_samples)
        scores = []
        with limited_blas_threads():
            for i in range(len(x)):
                row = x[i : i + 1]
                rng = stream("score", self.seed_, zlib.crc32(row.tobytes()))
                scores.append(score(row, rng))
        return np.concatenate(scores)

    def _require_conditional(self) -> None:
        """A missing attribute, so that scikit-learn sees no classifier"""
        if not self.conditional:
            raise AttributeError("only a conditional VAE predicts")

    def _told(self, rows: np.ndarray, y: object) -> np.ndarray:
        """[rows, c] for the classes y of a conditional model, else the rows"""
        if self.config_.num_classes == 0:
            return rows
        check_rows("y", y, len(rows))
        labels = np.searchsorted(self.classes_, np.asarray(y))
        labels = np.minimum(labels, len(self.classes_) - 1)
        unknown = self.classes_[labels] != y
        if unknown.any():
            raise InputError(
                f"y has {np.asarray(y)[unknown.argmax()]!r}; the classes are "
                f"{', '.join(map(str, self.classes_))}"
            )
        return with_class(rows, labels, self.config_)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """The names of the latents: vae0, vae1, …"""
        return np.array(
            [f"vae{i}" for i in range(self.config_.latent_dim)], dtype=object
        )

    def __repr__(self) -> str:
        own = self.get_params()
        changed = [
            f"{each.name}={own[each.name]!r}"
            for each in fields(self)
            if repr(own[each.name]) != repr(each.default)
        ]
        return f"VAE({', '.join(changed)})"

    def _keep(self, run: Run) -> None:
        """The attributes of a fitted model"""
        self.run_ = run
        self.params_ = run.state.params
        self.config_ = run.config
        self.seed_ = run.options.seed
        self.n_features_in_ = run.config.input_dim
        self.scale_ = run.source.scale
        self.history_ = [
            {name: row[name] for name in ("epoch", "train_loss", "seconds")}
            for row in run.state.history
        ]

    def _keep_classes(self, classes: np.ndarray, counts: np.ndarray) -> None:
        """The classes of a conditional model, and p(c): how frequent each is"""
        if self.conditional:
            self.classes_ = classes
            self.class_prior_ = counts / counts.sum()

    def _settings_of(self, kind: type) -> dict[str, Any]:
        """The settings that are fields of VAEConfig, or of TrainingOptions"""
        names = [each.name for each in fields(kind)]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def _prepare(self, X: ArrayLike) -> np.ndarray:
        """X (N, D), checked against what fit was given, as the model's input"""
        unit_interval = LIKELIHOODS[self.config_.likelihood].unit_interval
        X = check_array(X, "X", self.n_features_in_, unit_interval)
        kinds = {255: "uint8, 0 to 255", 1: "numbers that are not uint8"}
        scale = 255 if X.dtype == np.uint8 else 1
        if scale != self.scale_:
            raise InputError(
                f"X is {kinds[scale]}, but fit was given {kinds[self.scale_]}"
            )
        binarize = self.run_.options.binarize
        if binarize != "none" and not np.isin(X, (0, scale)).all():
            raise InputError(
                f"the model was trained on binarized pixels (binarize {binarize!r}), "
                f"but X has others than 0 and {scale}: binarize X first"
            )
        rng = np.random.default_rng(self.seed_)  # not used
        return Dataset.in_memory(X).input("train", "none", rng)

    def _contained(self, mu: np.ndarray, container: str, index: Any) -> Any:
        """mu in the container of set_output; index: the rows' names, if X had them"""
        if container == "default":
            return mu
        names = self.get_feature_names_out().tolist()
        frame = import_module(container).DataFrame  # pandas or polars
        if container == "polars":
            return frame(mu, schema=names)
        return frame(mu, columns=names, index=index)

    def __getattr__(self, name: str) -> Any:  # called only for missing attributes
        learned = name.endswith("_") and not name.startswith("_")
        if learned and "params_" not in vars(self):
            raise NotFittedError(
                f"a VAE has no {name} before it is fitted: call fit first"
            )
        raise AttributeError(f"a VAE has no {name}")

    def __sklearn_tags__(self) -> Any:  # called only by scikit-learn: it is there
        tags = import_module("sklearn.utils")
        return tags.Tags(
            None,
            tags.TargetTags(required=False),
            tags.TransformerTags(preserves_dtype=[]),
        )


def check_count(name: str, value: object) -> None:
    """InputError if the value is not an integer, 1 or more."""
    if not is_integer(value) or value < 1:
        raise InputError(f"{name} must be an integer, 1 or more, not {value!r}")


def check_rows(name: str, values: Any, count: int) -> None:
    """InputError unless there is one value for each of `count` rows."""
    if values is None:
        raise InputError(f"{name} is missing: a conditional model is told the class")
    if np.shape(values) != (count,):
        raise InputError(
            f"{name} must have one class for each of {count} rows, not the shape "
            f"{np.shape(values)}"
        )


def check_random_state(value: Any) -> Any:
    """The value; InputError if it is not a seed, a generator or None."""
    if value is None or isinstance(value, np.random.Generator):
        return value
    if is_integer(value) and value >= 0:
        return value
    raise InputError(
        "random_state must be a non-negative integer, a NumPy Generator or None, not "
        f"{value!r}"
    )
