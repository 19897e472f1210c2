"""The model behind the verbs that scikit-learn has made common. It fits into its pipelines, and does not need it.

    fit(X)                  training.train, from the start, on the rows of X
    transform(X)            mu of q(z|x)                                              (N, D) -> (N, L)
    inverse_transform(Z)    E[x|z], the decoder's mean, in the scale of X             (N, L) -> (N, D)
    sample(n)               the same for z ~ p(z): means, without the noise of p(x|z)        -> (n, D)
    score_samples(X)        log p(x), from n_importance_samples importance weights    (N, D) -> (N,)
    score(X)                their mean, in nats a row: higher is better

A uint8 X holds pixels, 0 to 255, and the model is one of x/255; other numbers are taken as they are, in single precision.
Later calls want the kind that fit had. The bernoulli likelihood is of numbers in [0, 1], and others are refused (held-out
rows may leave the range of those fitted: MinMaxScaler(clip=True)); the normal one, a density, takes all reals. Grey
values stay grey: binarizing is a step before this one.

random_state is a whole number, training's seed, and gives the same bits each time; or a numpy Generator, from which each
fit draws a seed; or None, for a fresh one. `sample` draws from it, too: with a whole number, the same rows at each call.
Scores repeat in every case, for a row's noise comes from fit's seed and the row's own bytes, whatever the rows around it.

Source: Buitinck et al. 2013, "API design for machine learning software". Next: console.
"""

import zlib
from dataclasses import field, fields, make_dataclass
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from .vae.iwae import log_marginal
from .pictures.samples import decoder_mean, sample_prior
from .settings import TrainingOptions
from .training.loop import train
from .vae.likelihoods import LIKELIHOODS
from .vae.model import encode
from .settings import VAEConfig


class NotFittedError(ValueError, AttributeError):
    """Something was asked of a model that only a fitted one has."""


OPTIONS = [(option.name, option.type, field(default=option.default))
           for settings in (VAEConfig, TrainingOptions) for option in fields(settings)
           if option.name not in ("input_dim", "seed", "binarize")]  # fit knows these
OPTIONS += [("n_importance_samples", int, field(default=100)),
            ("random_state", int | np.random.Generator | None, field(default=None))]


class VAE(make_dataclass("Options", OPTIONS, kw_only=True, eq=False)):
    """Settings of VAEConfig and of TrainingOptions, under their names; fit checks them, and ValueError names the wrong one.

    After fit: params_, config_, seed_, n_features_in_, scale_ (255 for uint8, else 1), and history_, a row for each epoch.
    """

    def get_params(self, deep: bool = True) -> dict:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def set_params(self, **params) -> "VAE":
        if unknown := params.keys() - self.get_params().keys():
            raise ValueError(f"no setting is called {', '.join(sorted(unknown))}; there are {', '.join(self.get_params())}")
        vars(self).update(params)
        return self

    def fit(self, X: ArrayLike, y: object = None) -> "VAE":
        """y is ignored. NotFiniteError if the training diverges. An error leaves the model as it was."""
        X = matrix(X, "X", unit=self.likelihood in LIKELIHOODS and LIKELIHOODS[self.likelihood].unit_interval)
        if X.dtype == np.uint8 and X.max() <= 1:
            raise ValueError("X is uint8, read as 0 to 255, and has nothing above 1; if these are 0 and 1, convert X to float")
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = int(np.random.default_rng(seed).integers(2**63))
        config = VAEConfig(input_dim=X.shape[1], **self._settings_of(VAEConfig))
        state = train(X, X[:0], config, TrainingOptions(seed=seed, **self._settings_of(TrainingOptions)))
        self.params_, self.config_, self.seed_, self.n_features_in_ = state.params, config, seed, X.shape[1]
        self.scale_ = 255 if X.dtype == np.uint8 else 1
        self.history_ = [{name: row[name] for name in ("epoch", "train_loss", "seconds")} for row in state.history]
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        (mu, _), _ = encode(self.params_, self._model_scale(X), self.config_)
        return mu

    def fit_transform(self, X: ArrayLike, y: object = None) -> np.ndarray:
        return self.fit(X).transform(X)

    def inverse_transform(self, Z: ArrayLike) -> np.ndarray:
        return self.scale_ * decoder_mean(self.params_, matrix(Z, "Z", self.config_.latent_dim), self.config_)

    def sample(self, n_samples: int = 1, random_state: int | np.random.Generator | None = None) -> np.ndarray:
        """random_state, if given, is used in place of the model's own."""
        rng = np.random.default_rng(self.random_state if random_state is None else random_state)
        eps = rng.standard_normal((n_samples, self.config_.latent_dim))
        return self.inverse_transform(sample_prior(eps, self.config_))

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        x, k = self._model_scale(X), self.n_importance_samples
        if not isinstance(k, Integral) or k < 1:
            raise ValueError(f"n_importance_samples must be a whole number above 0, not {k!r}")
        generators = (np.random.default_rng([self.seed_, zlib.crc32(row)]) for row in x)
        estimates = [log_marginal(self.params_, row[None], self.config_, k, rng)[0] for row, rng in zip(x, generators)]
        return np.concatenate(estimates)

    def score(self, X: ArrayLike, y: object = None) -> float:
        return float(self.score_samples(X).mean())

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        return np.array([f"vae{i}" for i in range(self.config_.latent_dim)], dtype=object)

    def _settings_of(self, kind):
        return {field.name: getattr(self, field.name) for field in fields(kind) if hasattr(self, field.name)}

    def _model_scale(self, X):
        X = matrix(X, "X", self.n_features_in_, LIKELIHOODS[self.config_.likelihood].unit_interval)
        if (X.dtype == np.uint8) != (self.scale_ == 255):
            kinds = ("numbers that are not uint8", "uint8, 0 to 255")
            raise ValueError(f"X is {kinds[X.dtype == np.uint8]}, but fit was given {kinds[self.scale_ == 255]}")
        return X * np.float32(1 / self.scale_)

    def __getattr__(self, name):  # only what is not there is asked for here
        if name.endswith("_") and not name.startswith("_"):
            raise NotFittedError(f"a VAE has no {name} before it is fitted: call fit first")
        raise AttributeError(f"a VAE has no {name}")

    def __sklearn_tags__(self):  # only scikit-learn asks, so that it is there to be imported
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False),
                    transformer_tags=TransformerTags(preserves_dtype=[]))


def matrix(X: ArrayLike, name: str, columns: int | None = None, unit: bool = False) -> np.ndarray:
    """X as uint8, if it is that, else as float32. ValueError if it is not a matrix of finite numbers, in [0, 1] if `unit`."""
    X = np.asarray(X, order="C")  # a row is then a piece of memory, whose bytes can seed its noise
    if X.dtype.kind not in "buif" or X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"{name} must be a matrix of real numbers, a row for each sample, not {X.dtype} of shape {X.shape}")
    if columns and X.shape[1] != columns:
        raise ValueError(f"{name} has {X.shape[1]} features, but VAE is expecting {columns} features as input")
    if X.dtype == np.uint8:
        return X
    with np.errstate(over="ignore"):
        X = X.astype(np.float32)
    if not np.isfinite(X).all():
        raise ValueError(f"{name} has NaN, infinity, or a number too large for single precision")
    if unit and (X.min() < 0 or X.max() > 1):
        raise ValueError(f"{name} goes from {X.min():.6g} to {X.max():.6g}, but the bernoulli likelihood is of numbers in "
                         "[0, 1]; scale it, or use likelihood='normal'")
    return X
