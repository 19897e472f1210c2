"""Chapter 7. The bound on log p(x), and its gradient.

The model samples z from the prior p(z), then x from the decoder's p(x|z): together
p(x,z) = p(x|z) p(z). Given z the pixels are independent, so log p(x|z) is a sum
over pixels, as in (3.5). The integral p(x) = ∫ p(x,z) dz has no closed form, since
z passes through a network; nor has the posterior p(z|x) = p(x,z)/p(x). The
encoder's q(z|x) gives a lower bound:

    log p(x) = log ∫ p(x,z) dz
             = log ∫ q(z|x) p(x,z)/q(z|x) dz                 times q, divided by q
    (7.1)    = log E_q[p(x,z)/q(z|x)]                        this is what E_q means
    (7.2)    ≥ E_q[log(p(x,z)/q(z|x))] = ELBO(x)             Jensen: log is concave

Any density q will do that is positive wherever p(x,z) is: q stands in a
denominator. A normal q is positive everywhere. With p(x,z) = p(x|z) p(z), the bound
has two terms:

    ELBO(x) = E_q[log p(x|z)] + E_q[log(p(z)/q(z|x))]
    (7.3)   = E_q[log p(x|z)] − KL(q(z|x) ‖ p(z))            KL = E_q[log q − log p]

How far below log p(x) is it? log p(x) does not depend on z, so it can go into E_q:

    log p(x) − ELBO(x) = E_q[log p(x) − log(p(x,z)/q(z|x))]
                       = E_q[log(q(z|x)/p(z|x))]             p(x,z)/p(x) = p(z|x)
    (7.4)              = KL(q(z|x) ‖ p(z|x)) ≥ 0

This gap is 0 if q is the posterior. Raising the ELBO raises log p(x) or closes the
gap. log p(x) does not depend on the encoder, so training the encoder only closes
the gap.

The first term of (7.3) is estimated with J samples zⱼ = mu + σ epsⱼ. The second is
(2.7), summed over the latents. With images n = 1 … N and samples j = 1 … J of each:

    (7.5)  loss = 1/N Σₙ ( β KL(q(z|xₙ) ‖ p(z))  −  1/J Σⱼ log p(xₙ|z_nj) )

in nats per image, minimized. N is the minibatch's size. For a minibatch drawn at
random, its mean is an unbiased estimate of the mean over all images.

Sign and scale: the loss is the *negative* bound, *summed* over pixels and latents,
a *mean* over images and samples. So N and J change neither its expected value nor
its expected gradient. Dividing only the log-likelihood by D is, up to the factor
1/D, multiplying the KL by D.

β = 1 is the bound. A larger β presses q(z|x) to the prior, a smaller one favors
reconstruction.

The variance that sampling adds falls as 1/J, and the decoder's time grows as J; the
encoder runs once per image. J = 1 is the default. It suffices if the minibatch is
large, say 100 (Kingma & Welling 2014, section 2.3): the mean over its images
averages out the noise of z, too.

Posterior collapse. The KL term pushes q(z|x) to the prior, the same for all x.
Latent by latent, the KL is the price of information about x in that latent. The
gain is how much E_q[log p(x|z)] rises by it. A latent whose gain is below its price
is better left at the prior: its q(z|x) becomes p(z), its KL 0. One says that it
collapses.

In a linear model it is known which latents do. There both networks are one linear
layer, and p(x|z) is normal with a fixed variance s². At the optimum each latent
belongs to one principal axis, an eigenvector of the data's covariance matrix. Its
eigenvalue is the data's variance along the axis. The latent collapses if that
variance is at most s² (Lucas et al. 2019; book/figures/collapse).

Collapse shows in the outputs. A latent is an active unit if the variance of its mu
over the images is above 0.01, the limit of Burda et al.; the others are counted as
collapsed. If all are, then KL is near 0, "active units" is 0, and the decoder has
no z to learn from. Its best output is the mean image. On the digits the loss is
then near 206 nats.

There are two remedies. The first raises the KL's weight from 0 (`warmup`,
training/schedule; Bowman et al. 2016). While the weight is small, information costs
little. So the decoder learns to use a latent before its full price is due. After
the warm-up the loss is (7.5) again.

The second, free bits, replaces each latent's KL, averaged over the minibatch, by λ
where it is below λ (Kingma et al. 2016). Below λ the KL then has no gradient, so
nothing presses the latent to the prior. This changes the loss for good, and is not
in this program.

The forward pass, with shapes. The backward pass goes through the same graph from
right to left:

    x (N, D)
    └─ encode ─> mu, logvar (N, L)
                 ├─ kl_divergence ──────────────────────────> kl (N,) ─────┐
                 └─ reparameterize ─> z (J, N, L)                          ├─> loss
                    with eps          └─ decode ─> y (J, N, D)             │
                                                   └─ log_prob ─> log_px (N,)
                                                      with x

mu and logvar reach the loss by two paths, through z and through the KL. So each
gets the sum of two gradients. The likelihood's is dz_nj = −1/(NJ) ∂ log
p(xₙ|z_nj)/∂z_nj, passed on by (2.10). The KL's is that of (2.7), with its d, mu_p
and σ_p:

    (7.6)  dmu     = Σⱼ dzⱼ + β/N (mu − mu_p)/σ_p²
           dlogvar = Σⱼ dzⱼ epsⱼ σ/2 + β/(2N) (exp(d) − 1)

An example small enough for paper: two images of one pixel, one latent, no hidden
layer, J = 1. The encoder is mu = x/2 + ¼, logvar = 0; the decoder y = 2z − 1 with
p(x|z) = N(y, 1). (2.3) adds the constant c = ½ log 2π:

    x   mu   eps   z = mu + eps   y = 2z − 1   KL = mu²/2   −log p = (x − y)²/2 + c
    1   ¾    ½      5/4            3/2         9/32         1/8 + c
    0   ¼    −1    −3/4           −5/2         1/32         25/8 + c

    loss = (9/32 + 1/32 + 1/8 + 25/8)/2 + c = 57/32 + c

The loss is a mean, so 1/N = ½ is also in each gradient. By (7.6), with σ = 1:

    x     dy = (y − x)/2    dz = 2 dy    dmu = dz + mu/2    dlogvar = dz eps/2 + 0
    1      1/4               1/2           7/8               1/8
    0     −5/4              −5/2         −19/8               5/4
    sum   −1                              −3/2              11/8

The sums are the gradients of the biases. In code, the six parameters in the order
of the vector are the encoder's weights to mu and to logvar, its biases of mu and of
logvar, and the decoder's weight and bias:

    >>> import numpy as np
    >>> from numpyvae.vae import Parameters, VAEConfig, parameter_shapes
    >>> sizes = {"input_dim": 1, "hidden_dims": (), "latent_dim": 1}
    >>> config = VAEConfig(**sizes, likelihood="normal", logvar_x=0.0)
    >>> W_mu, W_logvar, b_mu, b_logvar, W_y, b_y = 1/2, 0, 1/4, 0, 2, -1
    >>> vector = np.array([W_mu, W_logvar, b_mu, b_logvar, W_y, b_y])
    >>> params = Parameters(parameter_shapes(config), vector)
    >>> x, eps = np.array([[1.0], [0.0]]), np.array([[[1/2], [-1.0]]])
    >>> loss, cache = negative_elbo(params, x, eps, config)          # forward
    >>> grads = negative_elbo_backward(cache)                        # backward
    >>> print(f"{loss:.6f} = {57/32 + np.log(2 * np.pi)/2:.6f}")
    2.700189 = 2.700189
    >>> grads["encoder.0.b"], grads["decoder.0.b"]
    (array([-1.5  ,  1.375]), array([-1.]))

What follows in training is the update, by chapter 8.

Sources: Kingma & Welling 2014, eqs. 1 to 3 and 8; Higgins et al. 2017 for β; Burda
et al. 2016 for active units; Lucas et al. 2019 for collapse; Bowman et al. 2016,
section 3.1, and Kingma et al. 2016 ("inverse autoregressive flow") for its
remedies.
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
    """What a forward pass leaves for its backward pass, here and in chapter 10"""

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
    """1/J Σⱼ log p(x|zⱼ) and KL(q(z|x) ‖ p(z)) of each image; and the cache

    x (N, D) in [0, 1], or any real for the normal likelihood, and eps ~ N(0, 1) (J,
    N, L) -> log_px (N,), kl (N,), in nats. ValueError for another shape or
    integers.
    """
    check_minibatch(x, eps, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    z = reparameterize(mu, logvar, eps)
    x, c = split_class(x, config)  # chapter 14; without classes c has no columns
    y, decoder_cache = decode(params, join_class(z, c), config)
    log_prob = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)  # (J, N)
    log_px = log_prob.sum(axis=0) / len(eps)  # 1/J Σⱼ, (7.5)
    kl = kl_divergence(mu, logvar, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    cache = ForwardCache(
        params, config, x, eps, mu, logvar, z, y, encoder_cache, decoder_cache
    )
    return log_px, kl, cache


def negative_elbo(
    params: Parameters, x: Array, eps: Array, config: VAEConfig
) -> tuple[float, ForwardCache]:
    """loss = 1/N Σₙ ( β KLₙ − 1/J Σⱼ log p(xₙ|z_nj) ), (7.5), and the cache

    In nats per image. Arguments and errors as elbo_terms.
    """
    log_px, kl, cache = elbo_terms(params, x, eps, config)
    return (config.beta * kl - log_px).sum() / len(x), cache


def negative_elbo_backward(
    cache: ForwardCache, dloss: float = 1.0, grads: Parameters | None = None
) -> Parameters:
    """dloss ∂loss/∂params, negative_elbo in reverse order, by (7.6)

    dloss is ∂(what is minimized)/∂loss: 1, or less for a part of a minibatch.
    Written into `grads`, if given, which is overwritten.
    """
    params, config, eps = cache.params, cache.config, cache.eps
    mu, logvar, y = cache.mu, cache.logvar, cache.y
    J, N, _ = eps.shape
    if grads is None:
        grads = zero_parameters(config, params.vector.dtype)
    dkl = dloss * config.beta / N  # ∂loss/∂KLₙ, by (7.5)
    # ∂loss/∂log p(xₙ|z_nj), one per sample
    dlog_prob = np.full((J, N), -dloss / (J * N), y.dtype)

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
