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

import numpy as np

from ..settings import VAEConfig


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
    for part, sizes in {"encoder": (config.input_dim, *config.hidden_dims, 2 * config.latent_dim),
                        "decoder": (config.latent_dim, *reversed(config.hidden_dims), config.input_dim)}.items():
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


def glorot_init(params: Parameters, mean_image: np.ndarray, config: VAEConfig, rng: np.random.Generator) -> None:
    """Weights uniform in ±√(6/(fan_in + fan_out)), biases 0, except the output bias, which is set to the mean image.

    For a Bernoulli decoder it is the mean's logit, of means clipped to [0.001, 0.999]. Source: Glorot & Bengio 2010,
    eq. 16; Burda et al. 2016 for the output bias.
    """
    for name, array in params.items():
        if name.endswith(".W"):
            array[...] = rng.uniform(-1, 1, array.shape) * math.sqrt(6 / sum(array.shape))
        elif name.endswith(".b"):
            array[...] = 0
            output_bias = array
    clipped = np.clip(mean_image, 0.001, 0.999)
    output_bias[...] = np.log(clipped / (1 - clipped)) if config.likelihood == "bernoulli" else mean_image
