"""Chapter 5. Parameters: named views into one vector.

There are two networks of chapter 1's layers. The encoder maps an image to q(z|x),
the decoder maps z to p(x|z):

    encoder    D pixels -> hidden layers -> 2L outputs
               mu and logvar of q(z|x), side by side
    decoder    L latents -> hidden layers, reversed -> D outputs
               the parameter of p(x|z) for each pixel

Formulas need named arrays. An optimizer and a checkpoint need one vector θ. Views
give both: params["decoder.0.W"] is a part of params.vector, in the shape of W.
Gradients have the same layout: backward passes write by name, the optimizer reads
one vector.

How large should the first weights be? A layer has fan_in inputs and fan_out
outputs. Each output is a sum of fan_in terms. Let the weights be independent of
each other and of the inputs, with mean 0. Then the mixed terms of the square have
mean 0, and

    (5.1)  E[(Σᵢ xᵢ Wᵢ)²] = Σᵢ E[xᵢ²] E[Wᵢ²] = fan_in · Var W · E[x²]

E[x²] stands for the mean square of an input. With Var W = 1/fan_in an output has
the mean square of an input: forward, signals neither grow nor vanish. Backward,
each dx is a sum of fan_out terms, by (1.2), so Var W = 1/fan_out does the same for
gradients. Glorot & Bengio take the variance 2/(fan_in + fan_out), which lies
between the two.

Weights are drawn uniformly from −a to a, where the mean square is the variance:

    (5.2)  Var W = ∫ w²/(2a) dw = a²/3                       from −a to a

- "uniform", the default: a = 1/√fan_in. This is PyTorch's default, kept so that
  results can be compared. Its variance is 1/(3 fan_in): a layer divides the mean
  square by 3.
- "glorot": a = √(6/(fan_in + fan_out)), whose variance by (5.2) is Glorot &
  Bengio's.

relu sets about half of its inputs to 0, the negative ones. That halves the mean
square: E[relu(y)²] = ½ E[y²] if y is distributed symmetrically about 0. With the
default, a linear layer and its relu thus divide the mean square by 6, and the size
of the signals by √6 = 2.4. One or two hidden layers can bear that. One reason is
that Adam's steps do not depend on the size of the gradients (chapter 8). He et al.
2015 make up for relu with Var W = 2/fan_in.

An example small enough for paper: one pixel, one latent, no hidden layer.

    >>> import numpy as np
    >>> from numpyvae.vae import Parameters, VAEConfig, parameter_shapes
    >>> config = VAEConfig(input_dim=1, hidden_dims=(), latent_dim=1)
    >>> shapes = parameter_shapes(config)
    >>> shapes["encoder.0.W"], shapes["encoder.0.b"]         # outputs: mu, logvar
    ((1, 2), (2,))
    >>> params = Parameters(shapes, np.array([1/2, 0, 1/4, 0, 2, -1]))
    >>> params["encoder.0.W"], params["decoder.0.b"]
    (array([[0.5, 0. ]]), array([-1.]))
    >>> params["decoder.0.b"] = np.array([7.0])              # into the vector
    >>> params.vector.tolist()
    [0.5, 0.0, 0.25, 0.0, 2.0, 7.0]

Sources: PyTorch's default (1/√fan_in); Glorot & Bengio 2010, eq. 16; He et al.
2015; Burda et al. 2016 (output bias).
"""

import itertools
import math
from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike

from ..errors import InputError
from ..settings import VAEConfig
from .likelihoods import LIKELIHOODS


class Parameters(dict[str, np.ndarray]):
    """Named arrays, each a view into one flat vector, `vector`: both always agree.

    shapes: name -> shape, in the order of the vector; vector: as many numbers, 1-D.

    `params[name] = array` and `params.vector = array` copy the numbers into the
    place that is there; ValueError for another shape, KeyError for a new name.
    Names are fixed: every other way to change a dictionary is a TypeError.
    `params.copy()` has a vector of its own. `params | {…}` is a plain dictionary of
    the same views, without a vector, since a new name has no place in it.
    """

    def __init__(self, shapes: dict[str, tuple[int, ...]], vector: np.ndarray):
        super().__init__()
        size = sum(math.prod(shape) for shape in shapes.values())
        if np.shape(vector) != (size,):
            raise InputError(
                f"vector must have the shape ({size},), the sum of the shapes; "
                f"it has {np.shape(vector)}"
            )
        self._vector = vector
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            super().__setitem__(name, vector[start:stop].reshape(shape))
            start = stop

    @property
    def vector(self) -> np.ndarray:
        """All the numbers, in the order of the names"""
        return self._vector

    @vector.setter
    def vector(self, numbers: np.ndarray) -> None:
        _write(self._vector, "vector", numbers)

    def __setitem__(self, name: str, array: np.ndarray) -> None:
        if name not in self:
            raise KeyError(f"there is no parameter {name!r}: {', '.join(self)}")
        _write(self[name], name, array)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            "the names of Parameters are fixed, each is a part of the vector: write "
            "params[name] = array, or change the dictionary dict(params)"
        )

    __delitem__ = pop = popitem = clear = _refuse
    setdefault = update = __ior__ = _refuse  # type: ignore[assignment, misc]

    def copy(self) -> "Parameters":
        """Parameters with the same numbers in a vector of their own"""
        return Parameters(self._shapes(), self._vector.copy())

    __copy__ = copy

    def __reduce__(self):
        """Pickle by the constructor, so that the arrays are views again."""
        return Parameters, (self._shapes(), self._vector)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: array.shape for name, array in self.items()}


def _write(place: np.ndarray, name: str, array: np.ndarray) -> None:
    """Copy array into place; ValueError for another shape or a type that loses."""
    if array is place:  # params.vector += … assigns what it has changed already
        return
    array = np.asanyarray(array)
    if array.shape != place.shape:
        raise InputError(f"{name} has the shape {place.shape}, not {array.shape}")
    if np.ma.isMaskedArray(array) or not np.can_cast(
        array.dtype, place.dtype, "same_kind"
    ):
        raise InputError(
            f"{name} holds {place.dtype}: a {type(array).__name__} of {array.dtype} "
            "does not fit without loss"
        )
    place[...] = array


def parameter_shapes(config: VAEConfig) -> dict[str, tuple[int, ...]]:
    """name -> shape: the encoder's layers, the decoder's, the likelihood's own"""
    D, C, L = config.input_dim, config.num_classes, config.latent_dim
    networks = {
        "encoder": (D + C, *config.hidden_dims, 2 * L),
        "decoder": (L + C, *reversed(config.hidden_dims), D),
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for prefix, sizes in networks.items():
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            shapes[f"{prefix}.{i}.W"] = (fan_in, fan_out)
            shapes[f"{prefix}.{i}.b"] = (fan_out,)
    return shapes | LIKELIHOODS[config.likelihood].shapes(config)


def zero_parameters(config: VAEConfig, dtype: DTypeLike = np.float32) -> Parameters:
    """Parameters that are all 0, of `dtype`: to write gradients or values into"""
    shapes = parameter_shapes(config)
    size = sum(math.prod(shape) for shape in shapes.values())
    return Parameters(shapes, np.zeros(size, dtype))


def init_params(
    config: VAEConfig, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Parameters:
    """Weights and biases uniform in ±1/√fan_in, as PyTorch's

    A layer's bias is drawn after its weights, from the same range. A learned
    logvar_x is 0.
    """
    params = zero_parameters(config, dtype)
    for name, W in params.items():
        if name.endswith(".W"):
            bias = name.removesuffix("W") + "b"
            for array in (W, params[bias]):
                array[...] = rng.uniform(-1, 1, array.shape) / math.sqrt(len(W))
    return params


def glorot_init(
    params: Parameters,
    mean_image: np.ndarray,
    config: VAEConfig,
    rng: np.random.Generator,
) -> None:
    """Overwrite weights with uniform ±√(6/(fan_in + fan_out)), and biases with 0.

    Except the decoder's last bias: it alone, without weights, gives E[x|z] =
    mean_image (D,), the mean of the training images in float64. So training need
    not spend its first steps on the mean.
    """
    for name, array in params.items():
        if name.endswith(".W"):
            a = math.sqrt(6 / sum(array.shape))
            array[...] = rng.uniform(-1, 1, array.shape) * a
        elif name.endswith(".b"):
            array[...] = 0
    last = len(config.hidden_dims)
    bias = LIKELIHOODS[config.likelihood].output_bias(mean_image)
    params[f"decoder.{last}.b"][...] = bias
