"""Chapter 7. The bound on log p(x), and the gradient of that bound.

The model samples z from the prior p(z), then x from the decoder's p(x|z): together p(x,z) = p(x|z) p(z). Given z the
pixels are independent, so log p(x|z) is a sum over pixels, (3.5). The integral p(x) = ∫ p(x,z) dz has no closed form,
since z passes through a network; nor has the posterior p(z|x) = p(x,z)/p(x). The encoder's q(z|x) gives a lower bound:

    log p(x) = log ∫ p(x,z) dz
             = log ∫ q(z|x) p(x,z)/q(z|x) dz                    multiply and divide by any density q
    (7.1)    = log E_q[p(x,z)/q(z|x)]                           the definition of an expectation
    (7.2)    ≥ E_q[log(p(x,z)/q(z|x))] = ELBO(x)                Jensen's inequality: log is concave

    ELBO(x) = E_q[log p(x|z)] + E_q[log(p(z)/q(z|x))]           since p(x,z) = p(x|z) p(z)
    (7.3)   = E_q[log p(x|z)] − KL(q(z|x) ‖ p(z))                 KL(q ‖ p) = E_q[log q − log p], chapter 2

    log p(x) − ELBO(x) = E_q[log p(x) − log(p(x,z)/q(z|x))]     log p(x) does not depend on z
                       = E_q[log(q(z|x)/p(z|x))]                p(x,z)/p(x) = p(z|x)
    (7.4)              = KL(q(z|x) ‖ p(z|x)) ≥ 0                the gap: 0 if the diagonal normal q is the posterior

Raising the ELBO raises log p(x) or closes the gap. log p(x) does not depend on the encoder, so training the encoder
only closes the gap. The first term of (7.3) is estimated with J samples zⱼ = mu + σ epsⱼ, the second is (2.7) summed
over the latents. With images n = 1 … N and samples j = 1 … J of each:

    (7.5)  loss = 1/N Σₙ ( β KL(q(z|xₙ) ‖ p(z))  −  1/J Σⱼ log p(xₙ|z_nj) )        in nats per image, minimized

Sign and scale: the loss is the *negative* bound, *summed* over pixels and latents, a *mean* over images and samples,
whose numbers N and J therefore change neither its size nor its expected gradient. (A mean over pixels beside a summed
KL is β = D.) β = 1 is the bound; a larger β presses q(z|x) to the prior, a smaller one favors reconstruction. The
variance that sampling adds falls as 1/J, and the decoder's time grows as J; the encoder runs once per image.

The KL term pushes q(z|x) to the prior, the same for all x. A latent is an active unit if the variance of its mu over
the images is above 0.01; with none, the model has collapsed. A single unit collapses where what it would explain costs
less than its KL: in a linear model, if its principal axis has at most the decoder's variance (book/figures/collapse).

The forward pass, with shapes. The backward pass goes through the same graph from right to left:

                        ┌────────────────────── kl_divergence ───────────────────────> kl (N,) ─┐
    x ── encode ──> mu, logvar ── reparameterize ──> z ── decode ──> y ── log_prob ──> log_px ──┴──> loss
    (N, D)          (N, L)           with eps     (J, N, L)      (J, N, D)   with x     (N,)

mu and logvar reach the loss by two paths, through z and through the KL. So each gets the sum of two gradients: that of
the likelihood, dz = −1/(NJ) ∂ log p(xₙ|z_nj)/∂z_nj, passed on by (2.10), and that of (2.7), with its d, mu_p and σ_p.

    (7.6)  dmu = Σⱼ dzⱼ + β/N (mu − mu_p)/σ_p²        dlogvar = Σⱼ dzⱼ epsⱼ σ/2 + β/(2N) (exp(d) − 1)

An example small enough for paper: two images of one pixel, one latent, no hidden layer, J = 1. The encoder is
mu = x/2 + 1/4, logvar = 0; the decoder y = 2z − 1 with p(x|z) = N(y, 1). (2.3) adds the constant c = ½ log 2π:

    x    mu     eps    z = mu + eps    y = 2z − 1    KL = mu²/2    −log p(x|z) = (x − y)²/2 + c
    1    3/4    1/2     5/4             3/2          9/32           1/8 + c
    0    1/4    −1     −3/4            −5/2          1/32          25/8 + c

    loss = (9/32 + 1/32 + 1/8 + 25/8)/2 + c = 57/32 + c        a mean: 1/N = ½, also in each gradient below

    x     dy = (y − x)/2    dz = 2 dy    dmu = dz + mu/2    dlogvar = dz eps/2 + 0        by (7.6)
    1      1/4               1/2           7/8               1/8
    0     −5/4              −5/2         −19/8               5/4
    sum   −1                              −3/2              11/8                          the gradients of the biases

    >>> import numpy as np
    >>> from numpyvae.vae import Parameters, VAEConfig, negative_elbo, negative_elbo_backward, parameter_shapes
    >>> config = VAEConfig(input_dim=1, hidden_dims=(), latent_dim=1, likelihood="normal", logvar_x=0.0)
    >>> params = Parameters(parameter_shapes(config), np.array([1/2, 0, 1/4, 0, 2, -1]))
    >>> x, eps = np.array([[1.0], [0.0]]), np.array([[[1/2], [-1.0]]])
    >>> loss, cache = negative_elbo(params, x, eps, config)                  # forward
    >>> grads = negative_elbo_backward(cache)                                # backward; then the update, by chapter 8
    >>> print(f"{loss:.6f}, {57/32 + np.log(2 * np.pi)/2:.6f}", grads["encoder.0.b"], grads["decoder.0.b"])
    2.700189, 2.700189 [-1.5    1.375] [-1.]

Sources: Kingma & Welling 2014, eqs. 1 to 3 and 8; Higgins et al. 2017 for β; Burda et al. 2016 for active units.
"""

from typing import NamedTuple

import numpy as np
from numpy import ndarray as Array

from ..settings import VAEConfig
from .gaussian import (
    kl_divergence,
    kl_divergence_backward,
    reparameterize,
    reparameterize_backward,
)
from .likelihoods import LIKELIHOODS
from .model import (
    check_minibatch,
    decode,
    decode_backward,
    encode,
    encode_backward,
    join_class,
    prior_parameters,
    split_class,
)
from .parameters import Parameters, zero_parameters


class ForwardCache(NamedTuple):
    """The values of a forward pass that its backward pass needs, here and in chapters 10 and 11"""

    params: Parameters
    config: VAEConfig
    x: Array
    eps: Array
    mu: Array
    logvar: Array
    z: Array
    y: Array
    encoder_cache: list
    decoder_cache: list
    # (K, N), the log importance weights of chapter 10; None for the ELBO
    log_w: Array = None  # type: ignore[assignment]


def elbo_terms(
    params: Parameters, x: Array, eps: Array, config: VAEConfig
) -> tuple[Array, Array, ForwardCache]:
    """log_px = 1/J Σⱼ log p(x|zⱼ) and kl = KL(q(z|x) ‖ p(z)) of each image, (N,) and (N,), in nats; and the cache

    x (N, D) in [0, 1], or any real for the normal likelihood; eps ~ N(0, 1) (J, N, L). ValueError: another shape.
    """
    check_minibatch(x, eps, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    z = reparameterize(mu, logvar, eps)
    x, c = split_class(x, config)
    y, decoder_cache = decode(params, join_class(z, c), config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config).sum(
        axis=0
    ) / len(eps)  # 1/J Σⱼ, (7.5)
    kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    return (
        log_px,
        kl,
        ForwardCache(
            params, config, x, eps, mu, logvar, z, y, encoder_cache, decoder_cache
        ),
    )


def negative_elbo(
    params: Parameters, x: Array, eps: Array, config: VAEConfig
) -> tuple[float, ForwardCache]:
    """loss = 1/N Σₙ ( β KLₙ − 1/J Σⱼ log p(xₙ|z_nj) )        in nats per image, and the cache."""
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return (config.beta * kl - log_px).sum() / len(x), cache


def negative_elbo_backward(
    cache: ForwardCache, dloss: float = 1.0, grads: Parameters | None = None
) -> Parameters:
    """dloss ∂loss/∂params, negative_elbo in reverse order; written into `grads`, if given, which is overwritten."""
    params, config, eps, mu, logvar, y = (
        cache.params,
        cache.config,
        cache.eps,
        cache.mu,
        cache.logvar,
        cache.y,
    )
    J, N, _ = eps.shape
    grads = zero_parameters(config, params.vector.dtype) if grads is None else grads
    dkl = dloss * config.beta / N  # ∂loss/∂KLₙ, by (7.5)
    dlog_prob = np.full(
        (J, N), -dloss / (J * N), y.dtype
    )  # ∂loss/∂log p(xₙ|z_nj), one per sample

    dmu_kl, dlogvar_kl = kl_divergence_backward(
        dkl, mu, logvar, *prior_parameters(config, mu.dtype)
    )
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_prob, params, cache.x, y, config, grads
    )
    dz, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dmu_z, dlogvar_z = reparameterize_backward(dz, mu, logvar, eps)
    dmu = dmu_z + dmu_kl  # mu acts through z and through the KL, by (7.6),
    dlogvar = dlogvar_z + dlogvar_kl  # and so does logvar
    return encode_backward(dmu, dlogvar, cache.encoder_cache, config, grads)
