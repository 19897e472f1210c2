"""Chapter 11. Estimators of the encoder's gradient.

The encoder's parameters are φ, and q = q(z|x) depends on them. The loss contains
E_q[f] with f(z) = log p(x|z). Its gradient in φ has to pass through the sampling of
z. This chapter has five estimators for one sample; the score function counts twice,
with and without a baseline. A sixth is for K samples. A table has the variance of
the five.

Two kinds of derivative. ∂/∂φ holds z fixed. d/dφ, the total derivative, holds only
the noise eps fixed: z = mu + σ eps then moves with φ. For a function F of z and φ

    (11.1)  dF/dφ = ∂F/∂z ∂z/∂φ + ∂F/∂φ                     the chain rule

∂ log q/∂φ is called the score of q. Since ∂ log q = ∂q/q, we have ∂q = q ∂ log q,
so

            E_q[∂ log q/∂φ] = ∫ q ∂ log q/∂φ dz
                            = ∫ ∂q/∂φ dz
                            = ∂(∫ q dz)/∂φ                  ∫ q dz = 1 for every φ
    (11.2)                  = 0                             the score has mean 0

The gradient of E_q[f], for an f without φ, has two forms:

            ∂ E_q[f(z)]/∂φ = ∫ f ∂q/∂φ dz                   f does not depend on φ
    (11.3)                 = E_q[f(z) ∂ log q/∂φ]           ∂q = q ∂ log q
            ∂ E_q[f(z)]/∂φ = ∂ E[f(mu + σ eps)]/∂φ          z = mu + σ eps, (2.9)
    (11.4)                 = E[∂f/∂z ∂z/∂φ]                 eps does not depend on φ

In (11.2) and (11.3) a derivative moves into an integral. That is allowed if, for
all φ nearby, the integrand's derivative has one integrable bound. A normal q has it
if |f| grows at most like a power of |z|, as log p(x|z) does here. For (11.4), f
must also be continuous and piecewise differentiable, and ∂f/∂z must not grow faster
than that. A relu network is such an f. A step function is not: its ∂f/∂z is 0
almost everywhere, but the gradient of its mean is not.

Naive, score function and pathwise take one sample of such an expectation:

- Naive: treat the sample z as data. Of log p(x|z) + log p(z) − log q only log q
  then depends on φ. Its gradient, the score, has mean 0 by (11.2): the encoder
  learns nothing. If the KL is in closed form, the encoder follows the KL's gradient
  alone, and q becomes the prior.
- Score function: f ∂ log q/∂φ, by (11.3), also called REINFORCE. It is unbiased,
  but it uses only how good a sample was, not in which direction a better one lies.
  The size of f counts: a constant c added to f adds c ∂ log q/∂φ. That has mean 0,
  but c² times the variance of the score. In the table below f is about −200 nats,
  with a standard deviation of 8 over z. So a baseline b(x), a guess of f made
  without z, is subtracted.
- Pathwise: ∂f/∂z ∂z/∂φ, by (11.4). This is `negative_elbo_backward`. A constant
  added to f does not occur in it.

Score function and pathwise have the KL's gradient in closed form beside them; the
naive one in the table samples it. The next one samples the KL, too. Then f = log w
with w = p(x,z)/q. This f depends on φ in two ways: through z, and through log q. By
(11.1)

    (11.5)  d log w/dφ = ∂ log w/∂z ∂z/∂φ − ∂ log q/∂φ

where ∂ log w/∂z contains −∂ log q/∂z = (z − mu)/σ² = eps/σ.

- Path derivative: the first term of (11.5). The second, minus the score, has mean 0
  by (11.2), so without it the estimator is still unbiased. If q is the exact
  posterior, w = p(x) for every z. Then ∂ log w/∂z = 0, and the first term is
  exactly 0, without any variance; the score is not. (The paper calls it "sticking
  the landing", STL.)

Away from the posterior the path derivative may be worse than (11.5), since

    var(path − score) = var path + var score − 2 cov(path, score)

If 2 cov(path, score) > var score, the score cancels variance of the path term.
Leaving it out then raises the variance (Roeder et al. 2017).

For the default model after one epoch on data/sample, with G the true gradient and
g an estimate, as `python -m tests.gradient_estimators` prints it:

    estimator                 mean of (g·G)/(G·G)  variance, E|g − E[g]|²/(G·G)
    naive                      0.001 ± 0.003       0.37
    score function             1.276 ± 0.608    1.5e+04
    score function, baseline   0.998 ± 0.040         41
    pathwise                   0.989 ± 0.014          1
    path derivative            0.989 ± 0.013       0.97

An unbiased estimator has the mean 1. The score function's is 1 within its standard
error. The mean of n estimates has 1/n of the variance, and the pathwise variance is
about 1 here. So with a baseline it takes some 40 samples to be as precise as one
pathwise sample.

K importance samples. By (10.9) and (11.5) the gradient of log M_K is

            Σₖ w̃ₖ d log wₖ/dφ
    (11.6)    = Σₖ w̃ₖ ∂ log wₖ/∂zₖ ∂zₖ/∂φ − Σₖ w̃ₖ ∂ log q(zₖ|x)/∂φ

The second sum has K scores. They cannot just be left out: w̃ₖ depends on zₖ, so the
product of w̃ₖ and the score has another mean than 0. But the scores are what makes
the gradient noisy for large K. The gap that the encoder closes, and so its mean
gradient, falls as 1/K, its standard deviation only as 1/√K. So the encoder's
signal-to-noise ratio falls as 1/√K. The decoder's rises as √K, as its mean gradient
does not vanish (Rainforth et al. 2018).

So each score is replaced by a derivative along the path. First, choose one k, and
hold the other samples fixed. They are independent of zₖ, so given them zₖ still has
the distribution q.

Second, write w̃ₖ as a function f(zₖ; φ₀) of zₖ alone, with φ₀, the present φ, in
the formula of the weights. φ₀ is a constant. Only the density q of zₖ, and the path
from epsₖ to zₖ, are differentiated in φ.

Third, for this f (11.3) and (11.4) are the same number, at every φ. Then put φ =
φ₀. So on average over zₖ

    (11.7)  E[w̃ₖ ∂ log q(zₖ|x)/∂φ] = E[∂w̃ₖ/∂zₖ ∂zₖ/∂φ]

This holds whatever the other samples are, so on average over all of them, too.

Fourth, differentiate w̃ₖ = wₖ/S with S = Σᵢ wᵢ. Of the weights only wₖ depends on
zₖ:

            ∂w̃ₖ/∂zₖ = (S ∂wₖ/∂zₖ − wₖ ∂wₖ/∂zₖ)/S²           the quotient rule
                    = (wₖ/S − wₖ²/S²) ∂ log wₖ/∂zₖ          ∂wₖ = wₖ ∂ log wₖ
    (11.8)          = (w̃ₖ − w̃ₖ²) ∂ log wₖ/∂zₖ

Put (11.7) and (11.8) into the mean of (11.6). The scores become path terms, with
the factor w̃ₖ − w̃ₖ², which is subtracted from w̃ₖ:

    (11.9)  ∂ELBO_K/∂φ = E[Σₖ w̃ₖ² ∂ log wₖ/∂zₖ ∂zₖ/∂φ]      w̃ₖ − (w̃ₖ − w̃ₖ²) = w̃ₖ²

The sum in (11.9) is the doubly reparameterized estimator (DReG). For K = 1, w̃₁ = 1,
and it is the path derivative.

An example small enough for paper: K = 2. The prior is N(0, 1), p(x|z) = N(z, 1),
and q = N(mu, 1) with φ = mu. Let x = 1 and mu = 0, so z = eps, and all three
densities have variance 1:

            log w = −½ (1 − z)² − ½ z² + ½ z² + c            c = −½ log 2π
                  = −½ (1 − z)² + c
            ∂ log w/∂z = (1 − z) − z + z = 1 − z            score = z − mu = z

    k    zₖ     log wₖ − c    w̃ₖ                    path: 1 − zₖ    score: zₖ
    1     ½     −1/8          1/(1 + 1/e) = 0.731   ½                ½
    2    −½     −9/8          0.269                 3/2             −½

    usual, (11.6)    0.731 (½ − ½) + 0.269 (3/2 + ½)     = 0.538
    DReG, (11.9)     0.731² · ½ + 0.269² · 3/2           = 0.376

    >>> import numpy as np
    >>> from numpyvae.vae import VAEConfig, parameter_shapes, negative_iwae_backward
    >>> config = VAEConfig(1, (), 1, likelihood="normal", logvar_x=0.0)
    >>> vector = np.array([0.0, 0, 0, 0, 1, 0])              # as in chapter 7
    >>> params = Parameters(parameter_shapes(config), vector)
    >>> x, eps = np.array([[1.0]]), np.array([[[1/2]], [[-1/2]]])
    >>> _, cache = negative_iwae(params, x, eps, config)
    >>> for backward in (negative_iwae_backward, negative_iwae_dreg_backward):
    ...     grads = backward(cache)
    ...     print(f"{-grads['encoder.0.b'][0]:.3f}")  # of mu; the loss is −log M_K
    0.538
    0.376

They differ, as two estimates do. Over all z₁ and z₂, by quadrature, they have the
same mean, and DReG has an eighth of the variance. The first sum of (11.6) alone is
biased:

    >>> nodes, weight = np.polynomial.hermite_e.hermegauss(60)
    >>> z = np.stack(np.meshgrid(nodes, nodes))              # z₁ and z₂
    >>> probability = np.outer(weight, weight) / weight.sum()**2
    >>> w = np.exp(-(1 - z)**2 / 2)
    >>> w /= w.sum(axis=0)
    >>> usual, dreg, path = w * (1 - z - z), w**2 * (1 - z), w * (1 - z)
    >>> for name, terms in ("usual", usual), ("DReG", dreg), ("path", path):
    ...     g = terms.sum(axis=0)
    ...     mean = (probability * g).sum()
    ...     variance = (probability * (g - mean)**2).sum()
    ...     print(f"{name:5}  mean {mean:.3f}  variance {variance:.2f}")
    usual  mean 0.386  variance 1.76
    DReG   mean 0.386  variance 0.22
    path   mean 0.693  variance 0.44

In code, a backward pass is linear in its upstream gradient, row by row: dz for w̃²
is w̃ times dz for w̃. So one pass gives both networks' gradients. STL and DReG leave
the decoder's unchanged. The encoder's is not the derivative of the loss that was
computed, so a gradient check cannot be made: tests/vae/test_path_derivative.py has
its mean by quadrature, and that it is 0 where q is the exact posterior.

Sources: Kingma & Welling 2014; Williams 1992 (score function); Roeder et al. 2017
(STL); Rainforth et al. 2018 (signal-to-noise ratio); Tucker et al. 2019 (DReG).
"""

import numpy as np
from numpy import ndarray as Array

from ..settings import VAEConfig
from .elbo import ForwardCache, elbo_terms, negative_elbo_backward
from .gaussian import (
    kl_divergence_backward,
    log_density_backward,
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
    """loss = −1/(NJ) Σₙⱼ log w_nj, in nats per image, and the cache

    The ELBO with a sampled KL. Arguments and errors as negative_elbo; β is not
    used.
    """
    _, cache = negative_iwae(params, x, eps, config)
    return -cache.log_w.mean(), cache


def negative_elbo_stl_backward(
    cache: ForwardCache, dloss: float = 1.0, grads: Parameters | None = None
) -> Parameters:
    """dloss ∂loss/∂params for the decoder; for the encoder the first term of (11.5)

    Written into `grads`, if given, which is overwritten.
    """
    dlog_w = np.full_like(cache.log_w, -dloss / cache.log_w.size)
    return _path_derivative(dlog_w, 1, cache, grads)


def negative_iwae_dreg_backward(
    cache: ForwardCache, dloss: float = 1.0, grads: Parameters | None = None
) -> Parameters:
    """dloss ∂loss/∂params for the decoder, by (10.9); for the encoder (11.9)

    cache of negative_iwae. Written into `grads`, if given, which is overwritten.
    """
    w = normalized_weights(cache.log_w)
    return _path_derivative(-w * (dloss / len(cache.x)), w[..., None], cache, grads)


def _path_derivative(
    dlog_w: Array, factor: Array | float, cache: ForwardCache, grads: Parameters | None
) -> Parameters:
    """The gradients of Σ dlog_w log w; the encoder's through z alone, times factor

    dlog_w (K, N); factor 1 or (K, N, 1)
    """
    dz, grads = joint_backward(dlog_w, cache, grads)
    one_over_sigma = np.exp(-0.5 * cache.logvar)
    dz_q = dlog_w[..., None] * cache.eps * one_over_sigma  # of −log q(z|x): eps/σ
    dmu, dlogvar = reparameterize_backward(
        factor * (dz + dz_q), cache.mu, cache.logvar, cache.eps
    )
    return encode_backward(dmu, dlogvar, cache.encoder_cache, cache.config, grads)


def estimate_gradients(
    params: Parameters, x: Array, eps: Array, config: VAEConfig, baseline: Array
) -> dict[str, Array]:
    """Estimate ∂loss/∂φ from one sample per image, by each of ESTIMATORS

    x (N, D), eps (1, N, L); baseline (N,), a guess of log p(x|z) made without this
    eps. Returns name -> vector of the encoder's parameters. β must be 1.
    """
    log_px, _, cache = elbo_terms(params, x, eps, config)
    mu, logvar = cache.mu, cache.logvar
    one = np.ones_like(mu)
    # ∂ log q(z|x)/∂(mu, logvar), with z held fixed
    _, dmu_q, dlogvar_q = log_density_backward(one, cache.z[0], mu, logvar)
    dmu_kl, dlogvar_kl = kl_divergence_backward(
        1.0, mu, logvar, *prior_parameters(config, mu.dtype)
    )

    def through_the_encoder(dmu, dlogvar):
        dmu, dlogvar = dmu / len(x), dlogvar / len(x)  # the loss is a mean over images
        return encoder_slice(encode_backward(dmu, dlogvar, cache.encoder_cache, config))

    def score_function(f):
        f = f[:, None]
        return through_the_encoder(dmu_kl - f * dmu_q, dlogvar_kl - f * dlogvar_q)

    _, stl_cache = negative_elbo_stl(params, x, eps, config)
    return {
        NAIVE: through_the_encoder(dmu_q, dlogvar_q),
        SCORE: score_function(log_px),
        BASELINE: score_function(log_px - baseline),
        PATHWISE: encoder_slice(negative_elbo_backward(cache)),
        PATH_DERIVATIVE: encoder_slice(negative_elbo_stl_backward(stl_cache)),
    }


def encoder_slice(grads: Parameters) -> Array:
    """The encoder's part of the vector: its parameters come first."""
    sizes = [array.size for name, array in grads.items() if name.startswith("encoder")]
    return grads.vector[: sum(sizes)]
