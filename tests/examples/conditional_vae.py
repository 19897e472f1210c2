"""A conditional VAE: log p(x|y) of an image x with label y is at least E_q[log p(x|z,y)] − KL(q(z|x,y) ‖ p(z))."""

import numpy as np

from numpyvae.data import load_mnist, to_bytes, to_input
from numpyvae.pictures.png import write_png
from numpyvae.vae import (
    Adam,
    Parameters,
    VAEConfig,
    decode,
    decode_backward,
    encode,
    encode_backward,
    glorot_init,
    kl_divergence,
    kl_divergence_backward,
    parameter_shapes,
    reparameterize,
    reparameterize_backward,
)
from numpyvae.vae.bernoulli import log_prob, log_prob_backward, sigmoid

ENCODER = VAEConfig(
    input_dim=784 + 10, hidden_dims=(200,), latent_dim=2
)  # [x, y] -> mu, logvar
DECODER = VAEConfig(
    input_dim=784, hidden_dims=(200,), latent_dim=2 + 10
)  # [z, y] -> logits


def new_parameters(
    dtype=np.float32,
):  # all 0: the encoder of one model, the decoder of the other
    shapes = parameter_shapes(DECODER) | {
        k: v for k, v in parameter_shapes(ENCODER).items() if k.startswith("encoder")
    }
    return Parameters(
        shapes, np.zeros(sum(int(np.prod(shape)) for shape in shapes.values()), dtype)
    )


def loss(
    params, x, y, eps
):  # x (N, D), y (N, C) one-hot, eps (N, L) -> the negative bound, in nats per image; cache
    (mu, logvar), encoder_cache = encode(params, np.hstack([x, y]), ENCODER)
    logits, decoder_cache = decode(
        params, np.hstack([reparameterize(mu, logvar, eps), y]), DECODER
    )
    value = (kl_divergence(mu, logvar).sum() - log_prob(x, logits).sum()) / len(x)
    return value, (x, eps, mu, logvar, logits, encoder_cache, decoder_cache)


def loss_backward(cache, grads):
    x, eps, mu, logvar, logits, encoder_cache, decoder_cache = cache
    dlogits = log_prob_backward(np.full(len(x), -1 / len(x), x.dtype), x, logits)
    dzy, _ = decode_backward(
        dlogits, decoder_cache, DECODER, grads
    )  # of [z, y]; y is data: no gradient
    dmu_z, dlogvar_z = reparameterize_backward(
        dzy[:, : ENCODER.latent_dim], mu, logvar, eps
    )
    dmu_kl, dlogvar_kl = kl_divergence_backward(1 / len(x), mu, logvar)
    return encode_backward(
        dmu_z + dmu_kl, dlogvar_z + dlogvar_kl, encoder_cache, ENCODER, grads
    )


def train(x, y, rng, steps=700, batch_size=128):
    params, grads = new_parameters(), new_parameters()
    glorot_init(params, x.mean(axis=0, dtype=float), DECODER, rng)
    adam = Adam(params.vector, lr=3e-3)
    for _ in range(steps):
        batch = rng.integers(len(x), size=batch_size)
        eps = rng.standard_normal((batch_size, ENCODER.latent_dim), np.float32)
        adam.step(
            params.vector,
            loss_backward(loss(params, x[batch], y[batch], eps)[1], grads).vector,
        )
    return params


def sample(
    params, y, rng
):  # one image for each row of y: the probability that a pixel is 1
    return sigmoid(
        decode(
            params,
            np.hstack([rng.standard_normal((len(y), ENCODER.latent_dim)), y]),
            DECODER,
        )[0]
    )


if __name__ == "__main__":
    (images, labels), one_hot, rng = (
        load_mnist("data/sample", "train"),
        np.eye(10),
        np.random.default_rng(1),
    )
    params = train(
        to_input(images, "none", rng), one_hot[labels].astype(np.float32), rng
    )
    write_png(
        "sevens.png",
        np.hstack(to_bytes(sample(params, one_hot[[7] * 8], rng)).reshape(-1, 28, 28)),
    )
