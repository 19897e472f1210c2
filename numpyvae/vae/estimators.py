"""Three estimators of the encoder's gradient, side by side; prints a table:

    python -m tests.estimators

The loss is an expectation over z ~ q(z|x), and q belongs to the encoder, so ∂/∂φ has to pass through the draw itself:

    naive           samples are data. Of log p(x|z) + log p(z) − log q(z|x), only the last depends on φ, directly:
                    ∂ log q(z|x), whose expectation is ∂ ∫ q dz = ∂ 1 = 0. The encoder learns nothing.
    score function  ∂ E_q[log p(x|z)] = E_q[log p(x|z) ∂ log q(z|x)]: unbiased, and noisy, since it knows only how good
                    a sample was, not in which direction a better one lies. (REINFORCE. A baseline, b(x) that does not
                    depend on z, may be subtracted from log p(x|z), since E_q[b ∂ log q] = 0: it helps, and not enough.)
    pathwise        z = mu + σ eps, and the chain rule through z: what `negative_elbo_backward` does.

The last two have the KL's gradient in closed form beside them.
"""

from pathlib import Path

import numpy as np

from .gaussian import kl_divergence_backward, log_density_backward, reparameterize
from ..data.mnist import load_mnist
from ..settings import TrainingOptions
from ..training.loop import pixels, train
from .elbo import encode_backward, negative_elbo, negative_elbo_backward, prior
from ..settings import VAEConfig
from .parameters import Parameters

NAIVE, SCORE, BASELINE, PATHWISE = "naive", "score function", "score function, baseline", "pathwise"


def estimates(params, x, eps, config, baseline):
    """∂loss/∂(the encoder's parameters), estimated from one sample an image; name -> vector

    x (N, D), eps (N, L); baseline (N,), a guess of log p(x|z) made without this eps
    """
    _, cache = negative_elbo(params, x, eps, config)
    mu, logvar, log_px = cache.mu, cache.logvar, cache.reconstruction
    _, dmu_q, dlogvar_q = log_density_backward(1.0, reparameterize(mu, logvar, eps), mu, logvar)  # ∂ log q, z held
    dmu_kl, dlogvar_kl = kl_divergence_backward(1.0, mu, logvar, *prior(config, mu.dtype))

    def through_the_encoder(dmu, dlogvar):
        grads = Parameters({name: array.shape for name, array in params.items()}, np.zeros_like(params.vector))
        encode_backward(grads, dmu / len(x), dlogvar / len(x), cache.encoder, config)
        return encoder_part(grads)

    def score_function(reward):
        return through_the_encoder(dmu_kl - reward[:, None] * dmu_q, dlogvar_kl - reward[:, None] * dlogvar_q)

    return {NAIVE: through_the_encoder(dmu_q, dlogvar_q),
            SCORE: score_function(log_px),
            BASELINE: score_function(log_px - baseline),
            PATHWISE: encoder_part(negative_elbo_backward(cache))}


def encoder_part(grads):
    """The encoder's share of the vector: its parameters come first."""
    return grads.vector[: sum(array.size for name, array in grads.items() if name.startswith("encoder"))]


def compare(params, x, config, draws, rng):
    """name -> (mean, its standard error, variance): the mean component along the true gradient, whose length is 1; and
    the variance of all components together, in units of the true gradient's squared length

    The true gradient is the mean of 4 `draws` pathwise estimates, other ones than those compared; its own error is part
    of the standard errors. The baseline is log p(x|z) at another z.
    """
    def noise():
        return rng.standard_normal((len(x), config.latent_dim), dtype=x.dtype)

    truth = sum(encoder_part(negative_elbo_backward(negative_elbo(params, x, noise(), config)[1])).astype(np.float64)
                for _ in range(4 * draws)) / (4 * draws)
    length = truth @ truth
    along, total, squares = {}, {}, {}
    for _ in range(draws):
        baseline = negative_elbo(params, x, noise(), config)[1].reconstruction
        for name, g in estimates(params, x, noise(), config, baseline).items():
            g = g.astype(np.float64)
            along.setdefault(name, []).append(g @ truth / length)
            total[name] = total.get(name, 0) + g
            squares[name] = squares.get(name, 0) + g @ g
    error = {name: np.std(along[name], ddof=1) / np.sqrt(draws) for name in along}
    return {name: (mean := np.mean(along[name]), np.hypot(error[name], mean * error[PATHWISE] / 2),
                   (squares[name] - total[name] @ total[name] / draws) / (draws - 1) / length) for name in along}


def main(draws=400):
    images, _ = load_mnist(Path("data/sample"), "train")
    config = VAEConfig()
    params = train(images, images[:500], config, TrainingOptions(epochs=1)).params
    rng = np.random.default_rng(1)
    x = pixels(images[:128], "none", rng)
    rows = compare(params, x, config, draws, rng)
    print(f"The default model after one epoch on data/sample, the encoder's {encoder_part(params).size:,} parameters, a batch of"
          f" {len(x)} images,\none sample an image, {draws} batches of noise; the true gradient has length 1.\n")
    print(f"{'estimator':24}  {'mean, along the true gradient':>29}  {'variance':>9}  {'samples worth a pathwise one':>28}")
    for name, (mean, error, variance) in rows.items():
        worth = "none are" if name == NAIVE else f"{variance / rows[PATHWISE][2]:,.0f}"
        print(f"{name:24}  {f'{mean:.3f} ± {error:.3f}':>29}  {variance:9.2g}  {worth:>28}")


if __name__ == "__main__":
    main()
