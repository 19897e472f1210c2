"""Chapter 10. Importance weights: tighter bounds, and log p(x).

By (7.1), p(x) = E_q[w] with the importance weight w = p(x,z)/q(z|x). That needs q >
0 wherever p(x,z) > 0, which a normal q meets. Draw K independent samples z₁ … z_K
from q(z|x). Each has a weight:

    (10.1)  wₖ = p(x|zₖ) p(zₖ)/q(zₖ|x)                       with zₖ = mu + σ epsₖ

Since (zₖ − mu)/σ = epsₖ, (2.3) gives log q(zₖ|x) = −½ Σ (log 2π + logvar + epsₖ²),
a sum over the latents. Let M_K = 1/K Σₖ wₖ be the mean of the weights. Its
expectation is p(x), so M_K is an unbiased estimate of p(x). The expectation of its
logarithm is lower:

    (10.2)  ELBO_K = E[log M_K] ≤ log E[M_K] = log p(x)      Jensen: log is concave

ELBO₁ is the ELBO, by (7.2).

More samples give a tighter bound. Take K + 1 weights. Let Mᵢ be the mean of the K
that are left without wᵢ. Each wₖ is in K of the K + 1 sums, all but its own, so

            1/(K+1) Σᵢ Mᵢ = 1/(K+1) Σᵢ 1/K Σ_(k≠i) wₖ = 1/(K+1) Σₖ wₖ = M_(K+1)

Each Mᵢ is a mean of K independent weights, so E[log Mᵢ] = ELBO_K for every i. Hence

            log M_(K+1) = log 1/(K+1) Σᵢ Mᵢ
                        ≥ 1/(K+1) Σᵢ log Mᵢ                  Jensen
    (10.3)  ELBO_(K+1)  ≥ 1/(K+1) Σᵢ E[log Mᵢ] = ELBO_K      the expectation of it

The limit. By the law of large numbers M_K → p(x), since E[w] = p(x) is finite. The
logarithm is continuous, so log M_K → log p(x). Its expectation follows:

    (10.4)  ELBO_K → log p(x) as K → ∞                       if E|log w| is finite

The condition rules out that a few very low values of log M_K keep the expectation
down. By concavity

    log M_K − 1/K Σₖ log wₖ ≥ 0                              Jensen

By the law of large numbers the left side tends to log p(x) − E[log w]. Fatou's
lemma is about functions that are nowhere negative. The limit of their means is at
least the mean of their limit. (If the means have no limit, this holds for the lim
inf.) The subtracted mean is E[log w] for every K. So

    lim inf ELBO_K − E[log w] ≥ log p(x) − E[log w]

E[log w] is finite, so it cancels: lim inf ELBO_K ≥ log p(x). (10.2) is the other
side. The condition holds here: |log w| grows at most like |z|², and every moment of
a normal z is finite.

How fast. Write M_K = p(x)(1 + δ). Then E[δ] = 0 and E[δ²] = var w/(K p(x)²). With
log(1 + δ) ≈ δ − δ²/2,

    (10.5)  log p(x) − ELBO_K ≈ E[δ²]/2 = var w/(2K p(x)²)   if var w is finite

Then the gap falls as 1/K (Domke & Sheldon 2018 have the exact conditions). If q is
the exact posterior, every weight is p(x): no variance, no gap.

A linear normal model shows all this in numbers, since its log p(x) is exact. Let
p(z) = N(0, 1), p(x|z) = N(z, 1) and q = N(0, 1), with x = 1. Then p(x) = N(0, 2),
so log p(1) = −½ log(4π) − ¼ = −1.516. As q = p(z), log w = log p(x|z). By
quadrature over z₁ … z_K:

    >>> nodes, weight = np.polynomial.hermite_e.hermegauss(40)
    >>> weight = weight / weight.sum()                       # of z ~ N(0, 1)
    >>> log_w = -(1 - nodes)**2 / 2 - LOG_2PI / 2            # log p(x|z) at x = 1
    >>> for K in (1, 2, 3):
    ...     probability = np.prod(np.meshgrid(*[weight] * K), axis=0)
    ...     values = log_mean_exp(np.stack(np.meshgrid(*[log_w] * K)))  # log M_K
    ...     print(f"ELBO_{K} = {(probability * values).sum():.3f}")
    ELBO_1 = -1.919
    ELBO_2 = -1.653
    ELBO_3 = -1.594

Here var w/(2 p(x)²) = 0.182. By (10.5) the gap is then about 0.0018 for K = 100.

Is var w finite? It is finite if E_q[w²] is. Take one latent and the prior N(0, 1):

            E_q[w²] = ∫ q w² dz = ∫ p(x|z)² p(z)²/q(z|x) dz
            p(z)²/q(z|x) is a constant times exp(−z² + (z − mu)²/(2σ²))

For large |z| the exponent is about (1/(2σ²) − 1) z². If σ² < ½ it grows, and
p(x|z)² would have to fall faster. A Bernoulli decoder's p(x|z) cannot: its logits
grow at most in proportion to |z|, so log p(x|z) falls at most in proportion to |z|.
With several latents, one that diverges is enough: the integral over it is already
infinite, whatever the others are. The same holds for w alone, whose exponent is
about (1/σ² − 1) z²/2:

    Bernoulli decoder, prior N(0, 1)        w is unbounded      if any σ² is below 1
                                            var w is infinite   if any σ² is below ½

In a trained model the useful latents have a σ² far below ½. So (10.5), and the
standard error below, are not guaranteed there: they describe the samples that were
drawn, not those far out in z that were not. (10.2), (10.3) and (10.4) hold all the
same. A normal decoder's log p(x|z) can fall like |z|², so its var w may be finite.

The effective sample size shows how far the K weights can be trusted. It is K if all
are equal, and near 1 if one is much larger than the others:

    (10.6)  ESS = (Σₖ wₖ)²/Σₖ wₖ²

To first order the standard error of log M_K is that of δ, se = √(s²/K)/M_K, where
s² = Σₖ (wₖ − M_K)²/(K − 1) estimates var w. It is a function of K and ESS alone:

            Σₖ (wₖ − M_K)² = Σₖ wₖ² − K M_K²
                           = K² M_K²/ESS − K M_K²            (10.6), Σₖ wₖ = K M_K
    (10.7)  se² = (K/ESS − 1)/(K − 1)                        about 1/ESS if ESS ≪ K

So se is never above 1, however wrong the estimate is: an se near 1 says that one
weight has nearly all of the sum. Then log p(x) is likely to be nats higher. After
one epoch of the default model on data/sample, for 20 test images, in nats, as
`python -m tests.gradient_estimators` prints it:

    K       median of ESS  median of se  mean of log p(x)
    5                 1.4          0.82           -191.86
    50                2.7          0.60           -189.46
    5000             14.9          0.26           -188.40

A thousand times more samples make some ten times more effective ones.

Of a trained model: the preset `burda` reaches log p(x) = −86.25 nats by 5,000
samples, the mean over the test images (README, Results). Of these samples 60 are
effective, so its error bar is worth something; `evaluate` prints both.

ELBO_K can also be trained. Its gradient weights those of the log wₖ, by the
normalized weights w̃ₖ:

    (10.8)  w̃ₖ = wₖ/Σᵢ wᵢ
            ∂ log Σₖ exp(log wₖ) = Σₖ exp(log wₖ) ∂ log wₖ/Σᵢ exp(log wᵢ)
    (10.9)                       = Σₖ w̃ₖ ∂ log wₖ

In the decoder's gradient sample k has the weight w̃ₖ in place of 1/J: larger wₖ
count for more. For fixed eps, log q(zₖ|x) depends on logvar only, not on zₖ or mu.
So two gradients meet at zₖ, of log p(x|zₖ) and of log p(zₖ), and none of −log q.
Two meet at logvar: one through zₖ, and ½ from the term ½ logvar of −log q(zₖ|x). At
mu there is only the one through zₖ. Unlike J, K changes the loss. The decoder's
time grows as K.

In code, the weights of an image may all be as small as exp(−1000), which is 0 in
float64, and log 0 is −inf. So the image's largest log weight m is taken out first:
log Σₖ exp(log wₖ) = m + log Σₖ exp(log wₖ − m), where the largest term is 1. m must
be the image's own. With the largest of the whole batch, an image whose weights are
all far below it would again have log 0.

An example small enough for paper: the weights 1, 2 and 5. Their sum is 8, the sum
of their squares 30:

    M₃ = 8/3            log M₃ = 0.981                       one estimate of ELBO₃
    M₁ … M₃ without wᵢ: 7/2, 3, 3/2, of mean 8/3             as above (10.3)
    1/3 Σᵢ log Mᵢ = 0.919                                    of ELBO₂
    1/3 Σₖ log wₖ = (log 10)/3 = 0.768                       of ELBO₁
    w̃ = 1/8, 2/8, 5/8                                        by (10.8)
    ESS = 64/30 = 2.13                                       by (10.6)
    se² = (90/64 − 1)/2 = 13/64, se = 0.451                  by (10.7)
    s² = (25/9 + 4/9 + 49/9)/2 = 13/3                        and so directly:
    se = √(13/9)/(8/3) = √13/8 = 0.451

    >>> import numpy as np
    >>> log_w = np.log([[1.0], [2.0], [5.0]])                # (K, N) = (3, 1)
    >>> log_mean_exp(log_w).round(3), normalized_weights(log_w).ravel()
    (array([0.981]), array([0.125, 0.25 , 0.625]))
    >>> effective_sample_size(np.array([13**0.5 / 8]), 3).round(3)
    array([2.133])

The plain form of log_mean_exp is one line. It is the same number where exp neither
overflows nor underflows; log_mean_exp gains all the others:

    >>> def plain_log_mean_exp(a):
    ...     return np.log(np.exp(a).mean(axis=0))
    >>> plain_log_mean_exp(log_w).round(3), log_mean_exp(log_w - 1000).round(3)
    (array([0.981]), array([-999.019]))

The plain form of log_marginal keeps all K weights, and takes exp of each:

    >>> def plain_log_marginal(params, x, config, num_samples, rng):
    ...     (mu, logvar), _ = encode(params, x, config)
    ...     eps = rng.standard_normal((num_samples, *mu.shape))
    ...     log_w, *_ = log_importance_weights(params, x, mu, logvar, eps, config)
    ...     w = np.exp(log_w)
    ...     mean, variance = w.mean(axis=0), w.var(axis=0, ddof=1)
    ...     return np.log(mean), np.sqrt(variance / num_samples) / mean

log_marginal gains memory that does not grow with K, speed, since a chunk's pixels
stay in the processor's cache, and weights of any size. For one image both draw the
same eps:

    >>> from numpyvae.vae import VAEConfig, init_params
    >>> config, x = VAEConfig(4, (), 2), np.array([[0.0, 1.0, 1.0, 0.0]])
    >>> params = init_params(config, np.random.default_rng(1), np.float64)
    >>> noise, same_noise = np.random.default_rng(2), np.random.default_rng(2)
    >>> plain = plain_log_marginal(params, x, config, 1000, noise)
    >>> chunked = log_marginal(params, x, config, 1000, same_noise)
    >>> bool(np.allclose(plain, chunked, rtol=1e-12))
    True

Sources: Burda, Grosse & Salakhutdinov 2016, theorem 1 and eqs. 8, 13 and 14; Domke
& Sheldon 2018 (the gap); Kong 1992 (effective sample size).
"""

import numpy as np
from numpy import ndarray as Array

from ..errors import InputError
from ..settings import VAEConfig
from .elbo import ForwardCache
from .gaussian import (
    LOG_2PI,
    log_density,
    log_density_backward,
    reparameterize,
    reparameterize_backward,
)
from .likelihoods import LIKELIHOODS
from .model import (
    check_images,
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


def log_mean_exp(a: Array, axis: int = 0) -> Array:
    """log 1/K Σₖ exp(aₖ) = m + log 1/K Σₖ exp(aₖ − m), with m the largest aₖ

    a: real, of any shape; the mean is over `axis`. Nothing overflows; all −inf
    gives −inf.
    """
    m = a.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(a - m).mean(axis=axis)) + m.squeeze(axis)


def normalized_weights(log_w: Array) -> Array:
    """w̃ₖ = wₖ/Σᵢ wᵢ of each image, (10.8)        (K, N) -> (K, N)

    The largest of each image is taken out before exp.
    """
    w = np.exp(log_w - log_w.max(axis=0))
    return w / w.sum(axis=0)


def log_importance_weights(
    params: Parameters,
    x: Array,
    mu: Array,
    logvar: Array,
    eps: Array,
    config: VAEConfig,
) -> tuple[Array, Array, Array, list]:
    """log wₖ = log p(x|zₖ) + log p(zₖ) − log q(zₖ|x)        (10.1)

    x (N, D), mu and logvar (N, L), eps (K, N, L) -> log_w (K, N) in nats; and z, y
    and the decoder's cache
    """
    z = reparameterize(mu, logvar, eps)
    x, c = split_class(x, config)
    y, decoder_cache = decode(params, join_class(z, c), config)
    log_px = LIKELIHOODS[config.likelihood].log_prob(params, x, y, config)
    log_pz = log_density(z, *prior_parameters(config, mu.dtype)).sum(axis=-1)
    log_qz = -0.5 * (LOG_2PI + logvar + eps**2).sum(axis=-1)
    return log_px + log_pz - log_qz, z, y, decoder_cache


def negative_iwae(
    params: Parameters, x: Array, eps: Array, config: VAEConfig
) -> tuple[float, ForwardCache]:
    """loss = −1/N Σₙ log 1/K Σₖ w_nk, in nats per image, and the cache

    x (N, D) and eps ~ N(0, 1) (K, N, L); ValueError for another shape or integers.
    With K = 1 this is the ELBO with a sampled KL. β is not used.
    """
    check_minibatch(x, eps, config)
    (mu, logvar), encoder_cache = encode(params, x, config)
    log_w, z, y, decoder_cache = log_importance_weights(
        params, x, mu, logvar, eps, config
    )
    loss = -log_mean_exp(log_w).mean()
    x, _ = split_class(x, config)
    return loss, ForwardCache(
        params, config, x, eps, mu, logvar, z, y, encoder_cache, decoder_cache, log_w
    )


def negative_iwae_backward(
    cache: ForwardCache, dloss: float = 1.0, grads: Parameters | None = None
) -> Parameters:
    """dloss ∂loss/∂params, by (10.9); written into `grads`, if given"""
    dlog_w = -normalized_weights(cache.log_w) * (dloss / len(cache.x))
    dz, grads = joint_backward(dlog_w, cache, grads)
    dmu, dlogvar_z = reparameterize_backward(dz, cache.mu, cache.logvar, cache.eps)
    dlogvar_q = 0.5 * dlog_w.sum(axis=0)[:, None]  # from −log q = ½ logvar + …
    return encode_backward(
        dmu, dlogvar_z + dlogvar_q, cache.encoder_cache, cache.config, grads
    )


def joint_backward(
    dlog_w: Array, cache: ForwardCache, grads: Parameters | None
) -> tuple[Array, Parameters]:
    """The gradients of Σ dlog_w log p(x,z) in z and in the decoder

    dlog_w (K, N) -> dz (K, N, L), the sum of those of log p(x|z) and log p(z); and
    grads, into which the decoder's are written
    """
    params, config, z = cache.params, cache.config, cache.z
    if grads is None:
        grads = zero_parameters(config, params.vector.dtype)
    dy = LIKELIHOODS[config.likelihood].log_prob_backward(
        dlog_w, params, cache.x, cache.y, config, grads
    )
    dz_likelihood, _ = decode_backward(dy, cache.decoder_cache, config, grads)
    dz_prior, _, _ = log_density_backward(
        dlog_w[..., None], z, *prior_parameters(config, z.dtype)
    )
    return dz_likelihood + dz_prior, grads


def log_marginal(
    params: Parameters,
    x: Array,
    config: VAEConfig,
    num_samples: int,
    rng: np.random.Generator,
    chunk_rows: int = 400,
) -> tuple[Array, Array]:
    """log M_K of each image, which estimates log p(x), and its error by (10.7)

    x (N, D) -> (N,) in nats, (N,); K = num_samples. ValueError unless x has that
    shape with N ≥ 1, is floats or booleans, and K ≥ 1 is an integer.

    The estimate is too low on average, by (10.2), and by about half the squared
    error if that is small. effective_sample_size says what the error is worth. The
    error is NaN for K = 1, and if all weights are 0: then log p(x) is −inf.

    Noise is drawn in the shape (k, N, L) and x's precision, for chunks of k
    samples, about chunk_rows rows. Sums are in float64, relative to each image's
    largest log weight m so far: s1 = Σ exp(log w − m), s2 = Σ (exp(log w − m))².
    Memory does not grow with K.
    """
    check_images(x, config)
    if len(x) == 0:
        raise InputError("x has no images")
    if isinstance(num_samples, bool) or not isinstance(num_samples, (int, np.integer)):
        raise InputError(f"num_samples must be an integer, not {num_samples!r}")
    if num_samples < 1:
        raise InputError(f"num_samples must be at least 1, not {num_samples}")
    (mu, logvar), _ = encode(params, x, config)
    # Not −inf: if every weight is 0, m − new_m would be NaN.
    m = np.full(len(x), np.finfo(np.float64).min)
    s1 = np.zeros(len(x))
    s2 = np.zeros(len(x))
    chunk = max(1, chunk_rows // len(x))
    for done in range(0, num_samples, chunk):
        shape = (min(chunk, num_samples - done), *mu.shape)
        eps = rng.standard_normal(shape, dtype=mu.dtype)
        log_w, *_ = log_importance_weights(params, x, mu, logvar, eps, config)
        log_w = log_w.astype(np.float64)
        new_m = np.maximum(m, log_w.max(axis=0))
        scale = np.exp(m - new_m)
        w = np.exp(log_w - new_m)
        s1 = s1 * scale + w.sum(axis=0)
        s2 = s2 * scale**2 + (w * w).sum(axis=0)
        m = new_m
    mean = s1 / num_samples
    squares = np.maximum(s2 - num_samples * mean**2, 0)  # Σ (w − mean)²
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = squares / np.float64(num_samples - 1)
        return m + np.log(mean), np.sqrt(variance / num_samples) / mean


def effective_sample_size(standard_error: Array, num_samples: int) -> Array:
    """ESS = K/(1 + (K − 1) se²), which is (10.7) solved for ESS        (N,) -> (N,)

    standard_error and K = num_samples as of log_marginal. Between 1 and K: with an
    ESS below some 100 (an se above 0.1) the error says little. 1 for K = 1; NaN if
    all weights are 0.
    """
    if num_samples == 1:
        return np.ones_like(standard_error)
    return num_samples / (1 + (num_samples - 1) * standard_error**2)
