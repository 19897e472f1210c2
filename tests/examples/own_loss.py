"""A loss of one's own: the squared error, loss = 1/N Σₙ (‖xₙ − yₙ‖² + KLₙ), composed of
the book's functions.
"""

import numpy as np

from numpyvae.vae import (
    VAEConfig,
    check_gradients,
    decode,
    decode_backward,
    encode,
    encode_backward,
    init_params,
    kl_divergence,
    kl_divergence_backward,
    reparameterize,
    reparameterize_backward,
    zero_parameters,
)


def loss(params, x, eps, config):  # x (N, D), eps (N, L): one sample of z per image
    (mu, logvar), encoder_cache = encode(params, x, config)
    y, decoder_cache = decode(params, reparameterize(mu, logvar, eps), config)
    value = (((x - y) ** 2).sum() + kl_divergence(mu, logvar).sum()) / len(x)
    return value, (x, eps, mu, logvar, y, encoder_cache, decoder_cache, config)


def loss_backward(cache, dloss=1.0, grads=None):
    x, eps, mu, logvar, y, encoder_cache, decoder_cache, config = cache
    grads = zero_parameters(config, x.dtype) if grads is None else grads
    dz, _ = decode_backward(2 * dloss / len(x) * (y - x), decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu_kl, dlogvar_kl = kl_divergence_backward(dloss / len(x), mu, logvar)
    return encode_backward(
        dmu_z + dmu_kl, dlogvar_z + dlogvar_kl, encoder_cache, config, grads
    )


def checks():
    config = VAEConfig(input_dim=9, hidden_dims=(6,), latent_dim=3)
    rng = np.random.default_rng(1)
    params = init_params(config, rng, np.float64)
    x = rng.random((4, 9))
    eps = rng.standard_normal((4, 3))
    _, cache = loss(params, x, eps, config)
    return check_gradients(
        lambda inputs: loss(inputs, x, eps, config)[0], params, loss_backward(cache)
    )


if __name__ == "__main__":
    for check in checks():
        verdict = "right" if check.passed else f"wrong: {check.problem}"
        print(
            f"{check.name:12} {verdict}, {check.complex_step:.1e} from the numerical one"
        )
