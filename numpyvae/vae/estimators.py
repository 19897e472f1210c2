"""Estimators of the encoder's gradient: why reparameterize.

The loss is an expectation over z ~ q(z|x), and q belongs to the encoder, so ∂/∂φ has to pass through the draw itself:

    naive           samples are data. Of log p(x|z) + log p(z) − log q(z|x), only the last depends on φ, directly:
                    ∂ log q(z|x), whose expectation is ∂ ∫ q dz = ∂ 1 = 0. The encoder learns nothing.
    score function  ∂ E_q[log p(x|z)] = E_q[log p(x|z) ∂ log q(z|x)]: unbiased, and noisy, since it knows only how good
                    a sample was, not in which direction a better one lies. (REINFORCE. A baseline, b(x) that does not
                    depend on z, may be subtracted from log p(x|z), since E_q[b ∂ log q] = 0: it helps, and not enough.)
    pathwise        z = mu + σ eps, and the chain rule through z: what `negative_elbo_backward` does.

The last two have the KL's gradient in closed form beside them.
"""

import numpy as np
from numpy import ndarray as Array

from .elbo import elbo_terms, negative_elbo_backward
from .gaussian import kl_divergence_backward, log_density_backward, reparameterize
from .model import encode_backward, prior_parameters
from .parameters import Parameters
from ..settings import VAEConfig

NAIVE, SCORE, BASELINE, PATHWISE = "naive", "score function", "score function, baseline", "pathwise"


def estimate_gradients(params: Parameters, x: Array, eps: Array, config: VAEConfig, baseline: Array) -> dict[str, Array]:
    """Estimate ∂loss/∂(the encoder's parameters) from one sample per image; name -> vector

    x (N, D), eps (1, N, L); baseline (N,), a guess of log p(x|z) made without this eps
    """
    log_px, _, cache = elbo_terms(params, x, eps, config)
    mu, logvar = cache.mu, cache.logvar
    z = reparameterize(mu, logvar, eps)[0]
    _, dmu_q, dlogvar_q = log_density_backward(1.0, z, mu, logvar)  # ∂ log q(z|x), z held
    dmu_kl, dlogvar_kl = kl_divergence_backward(1.0, mu, logvar, *prior_parameters(config, mu.dtype))

    def through_the_encoder(dmu, dlogvar):
        return encoder_slice(encode_backward(dmu / len(x), dlogvar / len(x), cache.encoder_cache, config))

    def score_function(weight):
        return through_the_encoder(dmu_kl - weight[:, None] * dmu_q, dlogvar_kl - weight[:, None] * dlogvar_q)

    return {NAIVE: through_the_encoder(dmu_q, dlogvar_q),
            SCORE: score_function(log_px),
            BASELINE: score_function(log_px - baseline),
            PATHWISE: encoder_slice(negative_elbo_backward(cache))}


def encoder_slice(grads: Parameters) -> Array:
    """The encoder's slice of the vector: its parameters come first."""
    return grads.vector[: sum(array.size for name, array in grads.items() if name.startswith("encoder"))]


def compare_estimators(params: Parameters, x: Array, config: VAEConfig, count: int,
                       rng: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """name -> (mean, its standard error, variance): the mean component along the true gradient, whose length is 1; and
    the variance of all components together, in units of the true gradient's squared length

    The true gradient is the mean of 4 · `count` pathwise estimates, independent of those compared; its own error is part
    of the standard errors. The baseline is log p(x|z) at another z.
    """
    def noise():
        return rng.standard_normal((1, len(x), config.latent_dim), dtype=x.dtype)

    true_gradient = 0.0
    for _ in range(4 * count):
        _, _, cache = elbo_terms(params, x, noise(), config)
        true_gradient = true_gradient + encoder_slice(negative_elbo_backward(cache)).astype(np.float64) / (4 * count)
    length = true_gradient @ true_gradient
    along, total, squares = {}, {}, {}
    for _ in range(count):
        baseline, _, _ = elbo_terms(params, x, noise(), config)
        for name, g in estimate_gradients(params, x, noise(), config, baseline).items():
            g = g.astype(np.float64)
            along.setdefault(name, []).append(g @ true_gradient / length)
            total[name] = total.get(name, 0) + g
            squares[name] = squares.get(name, 0) + g @ g
    error = {name: np.std(along[name], ddof=1) / np.sqrt(count) for name in along}
    results = {}
    for name in along:
        mean = np.mean(along[name])
        standard_error = np.hypot(error[name], mean * error[PATHWISE] / 2)
        variance = (squares[name] - total[name] @ total[name] / count) / (count - 1) / length
        results[name] = mean, standard_error, variance
    return results
