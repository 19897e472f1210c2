"""Chapter 2. Normal distributions: density, entropy, Kullback-Leibler (KL) divergence, reparameterization.

A diagonal normal distribution factorizes, so everything here is elementwise, one dimension at a time; the caller sums.
The code carries logvar = log σ², which may be any real number, whereas σ must be positive. Units are nats: natural
logarithms. Two integrals are needed, where n!! = n (n − 2) (n − 4) …, so 5!! = 5 · 3 · 1, and (−1)!! = 1:

    (2.1)  ∫ exp(−x²) dx = √π
    (2.2)  ∫ xⁿ exp(−a x²) dx = (n−1)!! / (2a)^(n/2) · √(π/a)        for even n; 0 for odd n, by symmetry

n = 0 is (2.1) with √a x for x. Integration by parts gives (n − 1)/(2a) times the integral for n − 2, hence (n−1)!!.
With x − mu for x and a = 1/(2σ²), n = 0 is the normalizing constant √(2πσ²); n = 2, divided by it, E[(x − mu)²] = σ²:

    (2.3)  log N(x; mu, σ²) = −½ log(2πσ²) − (x − mu)²/(2σ²)

Let q = N(mu_q, σ_q²) and p = N(mu_p, σ_p²); in a VAE they are the encoder's distribution and the prior. By (2.3):

    (2.4)  entropy          −E_q[log q] = ½ log(2πσ_q²) + ½                since E_q[(x − mu_q)²] = σ_q²

    E_q[(x − mu_p)²] = E_q[((x − mu_q) + (mu_q − mu_p))²]
                     = E_q[(x − mu_q)²] + 2 (mu_q − mu_p) E_q[x − mu_q] + (mu_q − mu_p)²
                     = σ_q² + (mu_q − mu_p)²                                since E_q[x − mu_q] = 0

    (2.5)  cross-entropy    −E_q[log p] = ½ log(2πσ_p²) + (σ_q² + (mu_q − mu_p)²)/(2σ_p²)

    KL(q ‖ p) = E_q[log q − log p]
              = cross-entropy − entropy
              = ½ log(2πσ_p²) − ½ log(2πσ_q²) + (σ_q² + (mu_q − mu_p)²)/(2σ_p²) − ½
    (2.6)     = log(σ_p/σ_q) + (σ_q² + (mu_q − mu_p)²)/(2σ_p²) − ½

With d = logvar_q − logvar_p = log(σ_q²/σ_p²), the first term is log(σ_p/σ_q) = −d/2, and σ_q²/σ_p² = exp(d):

    (2.7)  KL(q ‖ p) = ½ (exp(d) − 1 − d + (mu_q − mu_p)²/σ_p²)

Reparameterization. A loss that depends on a sample z ~ q has to be differentiated with respect to mu and logvar. But
sampling is not a differentiable function of them. Move the randomness into eps ~ N(0, 1):

    (2.8)  z = mu + σ eps                    z ~ N(mu, σ²), and for fixed eps a differentiable function of mu and logvar
    (2.9)  ∂z/∂mu = 1        ∂z/∂logvar = eps ∂exp(logvar/2)/∂logvar = eps σ/2

eps is data, like x; chapter 11 has the alternatives. A backward function returns gradients in the order of the
arguments, none for data and constants. Arguments broadcast; gradients have the shape of the result, unless noted.

Source: Kingma & Welling 2014, section 2.4 and appendix B (for the standard normal prior).
"""

import math

import numpy as np
from numpy import ndarray as Array

LOG_2PI = math.log(2 * math.pi)


def log_density(x: Array, mu: Array, logvar: Array) -> Array:
    """log N(x; mu, σ²) = −½ (log 2π + logvar + (x − mu)²/σ²)        (2.3), elementwise, not summed"""
    r = x - mu
    return -0.5 * (LOG_2PI + logvar + r**2 * _exp(-logvar, r))


def log_density_backward(
    dy: Array, x: Array, mu: Array, logvar: Array
) -> tuple[Array, Array, Array]:
    """dx = −dy score    dmu = dy score    dlogvar = ½ dy (score (x − mu) − 1)    by (2.3), score = (x − mu)/σ²"""
    r = x - mu
    score = r * _exp(-logvar, r)
    return -dy * score, dy * score, 0.5 * dy * (score * r - 1)


def entropy(logvar: Array) -> Array:
    """−E_q[log q] = ½ (log 2π + logvar + 1)"""
    return 0.5 * (LOG_2PI + logvar + 1)


def cross_entropy(
    mu_q: Array, logvar_q: Array, mu_p: Array | float, logvar_p: Array | float
) -> Array:
    """−E_q[log p] = ½ (log 2π + logvar_p + exp(logvar_q − logvar_p) + (mu_q − mu_p)²/σ_p²)"""
    r = mu_q - mu_p
    return 0.5 * (
        LOG_2PI + logvar_p + _exp(logvar_q - logvar_p, r) + r**2 * _exp(-logvar_p, r)
    )


def kl_divergence(
    mu_q: Array,
    logvar_q: Array,
    mu_p: Array | float = 0.0,
    logvar_p: Array | float = 0.0,
) -> Array:
    """KL(q ‖ p) = ½ (exp(d) − 1 − d + ((mu_q − mu_p)/σ_p)²)        with d = logvar_q − logvar_p

    Never negative, since exp(d) − 1 ≥ d, and 0 when q = p. expm1(d) stands for exp(d) − 1, where digits cancel: at
    d = 1e-9, exp(d) − 1 − d is 8e-17, expm1(d) − d the correct 5e-19. Finite arguments give no NaN: overflow is +inf.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        d = np.minimum(
            logvar_q - logvar_p, 1e4
        )  # expm1 overflows long before; d = inf would make inf − inf
        r = mu_q - mu_p
        scaled = np.where(
            r == 0, r, r * _exp(-0.5 * logvar_p, r)
        )  # 0/σ_p is 0 however small σ_p is
        return 0.5 * (np.expm1(d) - d + scaled**2)


def kl_divergence_backward(
    dy: Array | float,
    mu_q: Array,
    logvar_q: Array,
    mu_p: Array | float = 0.0,
    logvar_p: Array | float = 0.0,
) -> tuple[Array, Array]:
    """dmu_q = dy (mu_q − mu_p)/σ_p²    dlogvar_q = ½ dy (exp(d) − 1)    by (2.7), ∂d/∂logvar_q = 1"""
    r = mu_q - mu_p
    return dy * r * _exp(-logvar_p, r), 0.5 * dy * np.expm1(logvar_q - logvar_p)


def reparameterize(mu: Array, logvar: Array, eps: Array) -> Array:
    """z = mu + σ eps        with σ = exp(logvar/2), the standard deviation, not the variance

    mu, logvar (N, L), eps ~ N(0, 1) (J, N, L) for J samples  ->  z (J, N, L), or other shapes that broadcast. The
    caller samples eps and passes it to both functions, so the backward pass has the noise of its forward pass.
    """
    return mu + np.exp(0.5 * logvar) * eps


def reparameterize_backward(
    dz: Array, mu: Array, logvar: Array, eps: Array
) -> tuple[Array, Array]:
    """dmu = Σⱼ dzⱼ    dlogvar = Σⱼ dzⱼ epsⱼ σ/2        by (2.9), in the shape of mu: all J samples come from one mu"""
    dsigma = dz * eps
    if np.ndim(eps) > np.ndim(mu):
        dz, dsigma = dz.sum(axis=0), dsigma.sum(axis=0)
    return dz, dsigma * (0.5 * np.exp(0.5 * logvar))


def _exp(x: Array | float, r: Array) -> Array:
    """exp(x) in the precision of r: np.exp of a Python float is float64, which would promote a float32 array."""
    return np.exp(np.asarray(x, dtype=np.result_type(x, r)))
