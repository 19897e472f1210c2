"""Chapter 5. Parameters: named views into one flat vector, and two ways to initialize them.

There are two networks of chapter 1's layers. The encoder maps an image to q(z|x), the decoder maps z to p(x|z):

    encoder    D pixels -> hidden layers -> 2L outputs               mu and logvar of q(z|x), side by side
    decoder    L latents -> hidden layers, reversed -> D outputs     the parameter of p(x|z) for each pixel

Formulas need named arrays, an optimizer and a checkpoint one vector θ. Views give both: params["decoder.0.W"] is a
slice of params.vector. Gradients have the same layout: backward passes write by name, the optimizer reads one vector.

A layer has fan_in inputs and fan_out outputs, each a sum of fan_in terms. If the weights are independent with mean 0
and variance 1/fan_in, the sum is of the size of one input: forward, signals neither grow nor vanish. Backward,
1/fan_out does the same for gradients. Glorot's 2/(fan_in + fan_out) is between them. (Uniform in ±a: a²/3.)

Sources: PyTorch's default (1/√fan_in); Glorot & Bengio 2010, eq. 16; Burda et al. 2016 (output bias).
"""

import itertools
import math

import numpy as np

from ..settings import VAEConfig
from .likelihoods import LIKELIHOODS


class Parameters(dict[str, np.ndarray]):
    """Named arrays, each a view into one flat vector, `vector`: changing one changes the other."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], vector: np.ndarray):
        super().__init__()
        self.vector = vector
        start = 0
        for name, shape in shapes.items():
            stop = start + math.prod(shape)
            self[name] = vector[start:stop].reshape(shape)
            start = stop

    def __reduce__(
        self,
    ):  # pickled and copied through the constructor, so that the copy's arrays are views again
        return Parameters, (
            {name: array.shape for name, array in self.items()},
            self.vector,
        )


def parameter_shapes(config: VAEConfig) -> dict[str, tuple[int, ...]]:
    """name -> shape: the encoder's layers, the decoder's layers, the likelihood's own parameters"""
    shapes = {}
    D, C, L = config.input_dim, config.num_classes, config.latent_dim
    for prefix, sizes in {
        "encoder": (D + C, *config.hidden_dims, 2 * L),
        "decoder": (L + C, *reversed(config.hidden_dims), D),
    }.items():
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            shapes[f"{prefix}.{i}.W"] = (fan_in, fan_out)
            shapes[f"{prefix}.{i}.b"] = (fan_out,)
    return shapes | LIKELIHOODS[config.likelihood].shapes(config)


def zero_parameters(config: VAEConfig, dtype=np.float32) -> Parameters:
    """Parameters that are all 0, as a destination for gradients or for an initialization"""
    shapes = parameter_shapes(config)
    return Parameters(shapes, np.zeros(sum(map(math.prod, shapes.values())), dtype))


def init_params(
    config: VAEConfig, rng: np.random.Generator, dtype=np.float32
) -> Parameters:
    """Weights and biases uniform in ±1/√fan_in, as in PyTorch: a third of 1/fan_in; a learned logvar_x starts at 0."""
    params = zero_parameters(config, dtype)
    for name in params:
        if name.endswith(".W"):
            for array in (params[name], params[name[:-1] + "b"]):
                array[...] = rng.uniform(-1, 1, array.shape) / math.sqrt(
                    len(params[name])
                )
    return params


def glorot_init(
    params: Parameters,
    mean_image: np.ndarray,
    config: VAEConfig,
    rng: np.random.Generator,
) -> None:
    """Overwrite weights with uniform ±√(6/(fan_in + fan_out)), and biases with 0, except the decoder's last bias.

    Without its weights, the last layer then gives E[x|z] = mean_image (D,), the mean of the training images in float64.
    So training need not spend its first steps on the mean.
    """
    for name, array in params.items():
        if name.endswith(".W"):
            array[...] = rng.uniform(-1, 1, array.shape) * math.sqrt(
                6 / sum(array.shape)
            )
        elif name.endswith(".b"):
            array[...] = 0
    params[f"decoder.{len(config.hidden_dims)}.b"][...] = LIKELIHOODS[
        config.likelihood
    ].output_bias(mean_image)
