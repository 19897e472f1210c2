"""Chapter 11. Estimators of the encoder's gradient: why reparameterize, and the path derivatives.

The loss contains E_q[f(z)] with f(z) = log p(x|z), and q = q(z|x) belongs to the encoder, whose parameters are φ. So
∂/∂φ has to pass through the sampling of z. The identity ∂q = q ∂ log q gives (11.1) and (11.2), the chain rule (11.3):

    (11.1)  E_q[∂ log q(z|x)/∂φ] = ∫ ∂q dz = ∂ ∫ q dz = ∂1 = 0
    (11.2)  ∂ E_q[f(z)]/∂φ = ∫ f ∂q dz = E_q[f(z) ∂ log q(z|x)/∂φ]
    (11.3)  ∂ E_q[f(z)]/∂φ = ∂ E[f(mu + σ eps)]/∂φ = E[∂f/∂z ∂z/∂φ]             by (2.8)

- Naive: treat samples as data. Of log p(x|z) + log p(z) − log q(z|x) only the last term then depends on φ, and its
  gradient has mean 0 by (11.1): the encoder learns nothing. If the KL is in closed form, it follows the KL's gradient
  alone, and q(z|x) becomes the prior.
- Score function: (11.2), also called REINFORCE. Unbiased, but it uses only how good a sample was, not in which
  direction a better one lies. And the size of f counts: adding a constant c to f adds c ∂ log q(z|x)/∂φ, whose mean is
  0 by (11.1), but whose variance is c² times that of ∂ log q(z|x)/∂φ. In the table below f is about −200 nats, with a
  standard deviation of 8 over z. So a baseline b(x), a guess of f that has no z, is subtracted.
- Pathwise: (11.3), in `negative_elbo_backward`. It uses ∂f/∂z, in which a constant does not occur.

Path derivative: (11.3) for the whole bound with a sampled KL, f = log w, w = p(x,z)/q(z|x), which depends on φ twice:

    (11.4)  d log w/dφ = ∂ log w/∂z ∂z/∂φ − ∂ log q(z|x)/∂φ |_z        with −∂ log q/∂z = (z − mu)/σ² = eps/σ

The last term has mean 0 by (11.1). It is left out ("sticking the landing", STL), and the estimator stays unbiased. If
q is the exact posterior, w = p(x), constant, so ∂ log w/∂z = 0: what is left is exactly 0 for every sample.

The score function and the pathwise estimator add the KL's gradient in closed form. For the default model after one
epoch, in units of the true gradient's length and, for variances, its square (`python -m tests.gradient_estimators`):

    estimator                 mean, along the true gradient   variance
    naive                                     0.001 ± 0.003       0.37
    score function                            1.276 ± 0.608    1.5e+04
    score function, baseline                  0.998 ± 0.040         41
    pathwise                                  0.989 ± 0.014          1
    path derivative                           0.989 ± 0.013       0.97

The mean of n samples has 1/n of the variance, and the pathwise variance is about 1 here. So with a baseline it takes
some 40 samples to be as precise as one pathwise sample. The score function's mean is 1, within its standard error.

With K samples (10.4) has K score terms. The gap that the encoder closes, and so its mean gradient, falls as 1/K, its
standard deviation only as 1/√K: for large K it is mostly noise (Rainforth et al. 2018). (11.2) and (11.3) are equal
for any f that is held fixed: E[f ∂ log q(zₖ|x)/∂φ] = E[∂f/∂zₖ ∂zₖ/∂φ]. With f = w̃ₖ (doubly reparameterized, DReG):

    Σₖ w̃ₖ d log wₖ/dφ = Σₖ w̃ₖ ∂ log wₖ/∂zₖ ∂zₖ/∂φ − Σₖ w̃ₖ ∂ log q(zₖ|x)/∂φ |_z
    ∂w̃ₖ/∂zₖ = (w̃ₖ − w̃ₖ²) ∂ log wₖ/∂zₖ                        the derivative of the softmax
    (11.5)  ∂ELBO_K/∂φ = E[Σₖ w̃ₖ² ∂ log wₖ/∂zₖ ∂zₖ/∂φ]        since w̃ₖ − (w̃ₖ − w̃ₖ²) = w̃ₖ²

A backward pass is linear in its upstream gradient, row by row: dz for w̃² is w̃ times dz for w̃. One pass gives both
networks' gradients. STL and DReG leave the decoder's unchanged. The encoder's is not the derivative of the loss that
was computed, so no gradient check applies: tests/vae/test_path_derivative.py has its mean by quadrature, and its zero.

Sources: Kingma & Welling 2014; Williams 1992 (score function); Roeder et al. 2017 (STL); Tucker et al. 2019 (DReG).
"""

import numpy as np
from numpy import ndarray as Array

from ..settings import VAEConfig
from .elbo import ForwardCache, elbo_terms, negative_elbo_backward
from .gaussian import (
    kl_divergence_backward,
    log_density_backward,
    reparameterize,
    reparameterize_backward,
)
from .iwae import joint_backward, negative_iwae, normalized_weights
from .model import encode_backward, prior_parameters
from .parameters import Parameters

ESTIMATORS = (
    "naive",
    "score function",
    "score function, baseline",
    "pathwise",
    "path derivative",
)
NAIVE, SCORE, BASELINE, PATHWISE, PATH_DERIVATIVE = ESTIMATORS


def negative_elbo_stl(
    params: Parameters, x: Array, eps: Array, config: VAEConfig
) -> tuple[float, ForwardCache]:
    """loss = −1/(NJ) Σₙⱼ log w_nj, the ELBO with a sampled KL, and the cache; arguments as negative_elbo, β unused"""
    _, cache = negative_iwae(params, x, eps, config)
    return -cache.log_w.mean(), cache


def negative_elbo_stl_backward(
    cache: ForwardCache, dloss: float = 1.0, grads: Parameters | None = None
) -> Parameters:
    """dloss ∂loss/∂params for the decoder; for the encoder (11.4) without its last term"""
    dlog_w = np.full_like(cache.log_w, -dloss / cache.log_w.size)
    return _path_derivative(dlog_w, 1, cache, grads)


def negative_iwae_dreg_backward(
    cache: ForwardCache, dloss: float = 1.0, grads: Parameters | None = None
) -> Parameters:
    """As negative_iwae_backward; for the encoder (11.5)"""
    w = normalized_weights(cache.log_w)
    return _path_derivative(-w * (dloss / len(cache.x)), w[..., None], cache, grads)


def _path_derivative(
    dlog_w: Array, factor: Array | float, cache: ForwardCache, grads: Parameters | None
) -> Parameters:
    """The gradients of Σ log w dlog_w, for the encoder through z alone, and times `factor`"""
    dz, grads = joint_backward(dlog_w, cache, grads)
    dz_q = (
        dlog_w[..., None] * cache.eps * np.exp(-0.5 * cache.logvar)
    )  # of −log q(z|x): eps/σ
    dmu, dlogvar = reparameterize_backward(
        factor * (dz + dz_q), cache.mu, cache.logvar, cache.eps
    )
    return encode_backward(dmu, dlogvar, cache.encoder_cache, cache.config, grads)


def estimate_gradients(
    params: Parameters, x: Array, eps: Array, config: VAEConfig, baseline: Array
) -> dict[str, Array]:
    """Estimate ∂loss/∂φ from one sample per image, by each of ESTIMATORS; name -> vector

    x (N, D), eps (1, N, L); baseline (N,), a guess of log p(x|z) made without this eps. β must be 1.
    """
    log_px, _, cache = elbo_terms(params, x, eps, config)
    mu, logvar = cache.mu, cache.logvar
    z = reparameterize(mu, logvar, eps)[0]
    _, dmu_q, dlogvar_q = log_density_backward(
        1.0, z, mu, logvar
    )  # ∂ log q(z|x), z held fixed
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        1.0, mu, logvar, *prior_parameters(config, mu.dtype)
    )

    def through_the_encoder(dmu, dlogvar):
        return encoder_slice(
            encode_backward(dmu / len(x), dlogvar / len(x), cache.encoder_cache, config)
        )

    def score_function(f):
        return through_the_encoder(
            dmu_kl - f[:, None] * dmu_q, dlogvar_kl - f[:, None] * dlogvar_q
        )

    return {
        NAIVE: through_the_encoder(dmu_q, dlogvar_q),
        SCORE: score_function(log_px),
        BASELINE: score_function(log_px - baseline),
        PATHWISE: encoder_slice(negative_elbo_backward(cache)),
        PATH_DERIVATIVE: encoder_slice(
            negative_elbo_stl_backward(negative_elbo_stl(params, x, eps, config)[1])
        ),
    }


def encoder_slice(grads: Parameters) -> Array:
    """The encoder's slice of the vector: its parameters come first."""
    return grads.vector[
        : sum(array.size for name, array in grads.items() if name.startswith("encoder"))
    ]
