"""What a model is: its configuration, and its parameters, which are views into one flat vector.

Two networks, each a chain of linear layers with an activation between them, without which two would be one. The encoder
says of an image what its few hidden causes z, the latents, may be: a normal distribution q(z|x). The decoder says of z
what image it makes:

    encoder    pixels -> hidden -> 2 · latent        mu and logvar of q(z|x), side by side
    decoder    latent -> hidden, reversed -> pixels        logits, or means

Mathematics wants names, W and b of each layer; an optimizer, a checkpoint or a gradient check wants one vector θ. Views
give both: params["decoder.0.W"] is a part of params.vector, and gradients are laid out likewise.

Next: vae.
"""

import math
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

ACTIVATIONS = ("relu", "tanh")
LIKELIHOODS = ("bernoulli", "normal")


@dataclass(frozen=True)
class VAEConfig:
    """What the model is. Checked once, here; ValueError names the field."""

    pixels: int = 784
    hidden: tuple[int, ...] = (400,)  # the encoder's hidden layers; the decoder's are the same, reversed
    latent: int = 20
    activation: str = "relu"  # or "tanh"
    likelihood: str = "bernoulli"  # or "normal": p(x|z) = N(mean(z), s²)
    logvar_x: float | None = None  # the normal decoder's log s²; None: learned, from 0
    prior: tuple = (0.0, 0.0)  # (mu_p, logvar_p), each a number or a tuple of one for each latent
    beta: float = 1.0

    def __post_init__(self):
        for field in ("hidden", "prior"):
            if not np.iterable(getattr(self, field)):
                raise ValueError(f"{field} must be a tuple, not {getattr(self, field)!r}")
        hidden, prior = tuple(self.hidden), tuple(self.prior)
        for field, sizes in {"pixels": (self.pixels,), "hidden": hidden, "latent": (self.latent,)}.items():
            if not all(isinstance(n, Integral) and n > 0 for n in sizes):
                raise ValueError(f"{field} must be whole numbers above 0, not {getattr(self, field)!r}")
        for field, choices in {"activation": ACTIVATIONS, "likelihood": LIKELIHOODS}.items():
            if getattr(self, field) not in choices:
                raise ValueError(f"{field} must be one of {', '.join(choices)}, not {getattr(self, field)!r}")
        if len(prior) != 2 or any(np.shape(p) not in ((), (self.latent,)) for p in prior):
            raise ValueError(f"prior must be (mu_p, logvar_p), each a number or {self.latent} numbers, not {self.prior!r}")
        if not all(finite(value) for p in prior for value in np.ravel(p)):
            raise ValueError(f"prior must be finite numbers, not {self.prior!r}")
        if not (finite(self.beta) and self.beta >= 0):
            raise ValueError(f"beta must be a finite number, 0 or above, not {self.beta!r}")
        if self.logvar_x is not None and (self.likelihood != "normal" or not finite(self.logvar_x)):
            raise ValueError(f"logvar_x, {self.logvar_x!r}, must be a finite number, and belongs to the normal likelihood")

        # From here on plain numbers: NumPy's own would promote single precision to double, and JSON cannot hold them.
        for field, value in dict(
                pixels=int(self.pixels), hidden=tuple(map(int, hidden)), latent=int(self.latent), beta=float(self.beta),
                logvar_x=None if self.logvar_x is None else float(self.logvar_x),
                prior=tuple(tuple(map(float, p)) if np.ndim(p) else float(p) for p in prior)).items():
            object.__setattr__(self, field, value)


def finite(value) -> bool:
    """Whether it is a real number, and a finite one"""
    return isinstance(value, Real) and math.isfinite(value)


class Parameters(dict[str, np.ndarray]):
    """Named arrays, each a view into one flat vector, `vector`: whoever changes one changes the other."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], vector: np.ndarray):
        super().__init__()
        self.vector, start = vector, 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            self[name] = vector[start:stop].reshape(shape)
            start = stop

    def __reduce__(self):  # pickled and copied as what it is made of, so that the copy's arrays are views again
        return Parameters, ({name: array.shape for name, array in self.items()}, self.vector)


def parameter_shapes(config: VAEConfig) -> dict[str, tuple[int, ...]]:
    """encoder: pixels -> hidden -> mu and logvar, side by side        decoder: latent -> hidden reversed -> pixels"""
    shapes = {}
    for part, sizes in {"encoder": (config.pixels, *config.hidden, 2 * config.latent),
                        "decoder": (config.latent, *reversed(config.hidden), config.pixels)}.items():
        for i, (fan_in, fan_out) in enumerate(zip(sizes, sizes[1:])):
            shapes[f"{part}.{i}.W"] = (fan_in, fan_out)
            shapes[f"{part}.{i}.b"] = (fan_out,)
    if config.likelihood == "normal" and config.logvar_x is None:
        shapes["logvar_x"] = ()
    return shapes


def init_params(config: VAEConfig, rng: np.random.Generator, dtype=np.float32) -> Parameters:
    """Weights and biases uniform in ±1/√fan_in; a learned logvar_x starts at 0."""
    shapes = parameter_shapes(config)
    params = Parameters(shapes, np.zeros(sum(map(math.prod, shapes.values())), dtype))
    for name in params:
        if name.endswith(".W"):
            for array in (params[name], params[name[:-1] + "b"]):
                array[...] = rng.uniform(-1, 1, array.shape) / math.sqrt(len(params[name]))
    return params
