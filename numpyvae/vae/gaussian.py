"""Chapter 2. Normal distributions and their samples.

A diagonal normal distribution factorizes: its dimensions are independent. So
everything here is elementwise, one dimension at a time, and the caller sums. The
code carries logvar = log σ², which may be any real number, whereas σ must be
positive. Units are nats: logarithms are natural.

Two integrals are needed. n!! = n (n − 2) (n − 4) …, so 5!! = 5 · 3 · 1, and (−1)!!
= 1:

    (2.1)  ∫ exp(−x²) dx = √π
    (2.2)  ∫ xⁿ exp(−a x²) dx = (n−1)!!/(2a)^(n/2) · √(π/a)     for even n

For odd n the integral is 0, by symmetry. For n = 0, put t = √a x into (2.1). For
even n ≥ 2, integrate xⁿ⁻¹ · x exp(−a x²) by parts. The integral of x exp(−a x²) is
−exp(−a x²)/(2a), and xⁿ⁻¹ has the derivative (n − 1) xⁿ⁻²:

    ∫ xⁿ exp(−a x²) dx = (n − 1)/(2a) ∫ xⁿ⁻² exp(−a x²) dx   the rest is 0 at ±∞

So each step down by 2 gives one factor of (n−1)!! and one of 1/(2a).

A normal density is proportional to exp(−(x − mu)²/(2σ²)). Take x − mu for x and a =
1/(2σ²). Then (2.2) for n = 0 is its normalizing constant, √(2πσ²). (2.2) for n = 2
over (2.2) for n = 0 is 1!!/(2a) = σ². That is the variance, E[(x − mu)²] = σ².
Hence

    (2.3)  log N(x; mu, σ²) = −½ log(2πσ²) − (x − mu)²/(2σ²)

Let q = N(mu_q, σ_q²) and p = N(mu_p, σ_p²). In a VAE they are the encoder's
distribution and the prior. By (2.3)

            entropy = −E_q[log q]
                    = ½ log(2πσ_q²) + E_q[(x − mu_q)²]/(2σ_q²)
    (2.4)           = ½ log(2πσ_q²) + ½                      E_q[(x − mu_q)²] = σ_q²

The same for log p needs the mean square distance from mu_p. Go there by way of
mu_q:

    E_q[(x − mu_p)²]
      = E_q[((x − mu_q) + (mu_q − mu_p))²]
      = E_q[(x − mu_q)²] + 2 (mu_q − mu_p) E_q[x − mu_q] + (mu_q − mu_p)²
      = σ_q² + (mu_q − mu_p)²                                since E_q[x − mu_q] = 0

            cross-entropy = −E_q[log p]
    (2.5)                 = ½ log(2πσ_p²) + (σ_q² + (mu_q − mu_p)²)/(2σ_p²)

The Kullback-Leibler (KL) divergence is their difference:

    KL(q ‖ p) = E_q[log q − log p]
              = cross-entropy − entropy
              = ½ log(2πσ_p²) − ½ log(2πσ_q²) + (σ_q² + (mu_q − mu_p)²)/(2σ_p²) − ½
    (2.6)     = log(σ_p/σ_q) + (σ_q² + (mu_q − mu_p)²)/(2σ_p²) − ½

Let d = logvar_q − logvar_p = log(σ_q²/σ_p²). Then log(σ_p/σ_q) = −d/2, and
σ_q²/σ_p² = exp(d):

    (2.7)  KL(q ‖ p) = ½ (exp(d) − 1 − d + (mu_q − mu_p)²/σ_p²)

For the prior N(0, 1), d = log σ². Summed over the latents, this is the formula that
most programs have:

    (2.8)  KL(q ‖ N(0, 1)) = ½ Σ (mu² + σ² − 1 − log σ²)

Reparameterization. A loss that depends on a sample z ~ q has to be differentiated
in mu and logvar. If z is drawn from q directly, as rng.normal(mu, σ) does, the
result is just a number: no formula leads from mu and logvar to z, so a backward
pass has no ∂z/∂mu to apply, and the gradient ends at z. The encoder would learn
from the KL alone. So the randomness is moved into eps ~ N(0, 1):

    (2.9)   z = mu + σ eps                                   z ~ N(mu, σ²)
    (2.10)  ∂z/∂mu = 1
            ∂z/∂logvar = eps ∂exp(logvar/2)/∂logvar = eps σ/2

For fixed eps, z is a differentiable function of mu and logvar. eps is data, like x.
Chapter 11 has the alternatives.

A backward function returns one gradient for each argument that has one, in the
order of the arguments. Data (eps) and constants (mu_p, logvar_p) have no entry.
Arguments broadcast; gradients have the shape of the result, unless noted.

An example small enough for paper: q = N(1, 4) and p = N(0, 1).

    entropy        ½ log(8π) + ½                   = 2.112   by (2.4)
    cross-entropy  ½ log(2π) + (4 + 1)/2           = 3.419   by (2.5)
    KL(q ‖ p)      ½ (1 + 4 − 1 − log 4) = 2 − log 2 = 1.307   by (2.8)
    KL(p ‖ q)      log 2 + (1 + 1)/8 − ½           = 0.443   by (2.6): not the same

By (2.7) the gradients of KL(q ‖ p) are mu = 1 in mu and ½ (σ² − 1) = 3/2 in logvar.
The noise eps = ½ gives z = 1 + 2 · ½ = 2, and by (2.10) ∂z/∂logvar = ½ · 2/2 = ½.

    >>> mu, logvar, zero = np.array(1.0), np.log(4.0), np.array(0.0)
    >>> print(f"{entropy(logvar):.3f} {cross_entropy(mu, logvar, zero, 0.0):.3f}")
    2.112 3.419
    >>> there = kl_divergence(mu, logvar)
    >>> back = kl_divergence(zero, 0.0, mu, logvar)
    >>> print(f"{there:.3f} {back:.3f}")
    1.307 0.443
    >>> [float(g) for g in kl_divergence_backward(1.0, mu, logvar)]
    [1.0, 1.5]
    >>> eps = np.array(0.5)
    >>> float(reparameterize(mu, logvar, eps))
    2.0
    >>> [float(g) for g in reparameterize_backward(np.array(1.0), mu, logvar, eps)]
    [1.0, 0.5]

Source: Kingma & Welling 2014, section 2.4 and appendix B (for the standard normal
prior).
"""

import math

import numpy as np
from numpy import ndarray as Array

from ..errors import InputError

LOG_2PI = math.log(2 * math.pi)


def log_density(x: Array, mu: Array | float, logvar: Array | float) -> Array:
    """log N(x; mu, σ²) = −½ (log 2π + logvar + (x − mu)²/σ²)

    (2.3), elementwise, not summed
    """
    r = x - mu
    return -0.5 * (LOG_2PI + logvar + r**2 * _exp(-logvar, r))


def log_density_backward(
    dy: Array, x: Array, mu: Array | float, logvar: Array | float
) -> tuple[Array, Array, Array]:
    """The gradients of (2.3) in x, mu and logvar

    dx = −dy (x − mu)/σ²    dmu = dy (x − mu)/σ²
    dlogvar = ½ dy ((x − mu)²/σ² − 1)
    """
    r = x - mu
    slope = r * _exp(-logvar, r)  # (x − mu)/σ²
    return -dy * slope, dy * slope, 0.5 * dy * (slope * r - 1)


def entropy(logvar: Array) -> Array:
    """−E_q[log q] = ½ (log 2π + logvar + 1), (2.4)"""
    return 0.5 * (LOG_2PI + logvar + 1)


def cross_entropy(
    mu_q: Array, logvar_q: Array, mu_p: Array | float, logvar_p: Array | float
) -> Array:
    """−E_q[log p] = ½ (log 2π + logvar_p + exp(d) + (mu_q − mu_p)²/σ_p²), (2.5)

    d = logvar_q − logvar_p
    """
    r = mu_q - mu_p
    ratio = _exp(logvar_q - logvar_p, r)
    return 0.5 * (LOG_2PI + logvar_p + ratio + r**2 * _exp(-logvar_p, r))


def kl_divergence(
    mu_q: Array,
    logvar_q: Array,
    mu_p: Array | float = 0.0,
    logvar_p: Array | float = 0.0,
) -> Array:
    """KL(q ‖ p) = ½ (exp(d) − 1 − d + ((mu_q − mu_p)/σ_p)²), (2.7)

    d = logvar_q − logvar_p. Never negative, since exp(d) − 1 ≥ d, and 0 when q = p.
    expm1(d) stands for exp(d) − 1, where digits cancel: at d = 1e-9, exp(d) − 1 − d
    is 8e-17, expm1(d) − d the correct 5e-19. Finite arguments give no NaN: overflow
    is +inf.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        # expm1 overflows long before 1e4; d = inf would make inf − inf.
        d = np.minimum(logvar_q - logvar_p, 1e4)
        r = mu_q - mu_p
        # 0/σ_p is 0 however small σ_p is.
        scaled = np.where(r == 0, r, r * _exp(-0.5 * logvar_p, r))
        return 0.5 * (np.expm1(d) - d + scaled**2)


def kl_divergence_backward(
    dy: Array | float,
    mu_q: Array,
    logvar_q: Array,
    mu_p: Array | float = 0.0,
    logvar_p: Array | float = 0.0,
) -> tuple[Array, Array]:
    """dmu_q = dy (mu_q − mu_p)/σ_p²    dlogvar_q = ½ dy (exp(d) − 1)

    By (2.7), with d = logvar_q − logvar_p and ∂d/∂logvar_q = 1
    """
    r = mu_q - mu_p
    return dy * r * _exp(-logvar_p, r), 0.5 * dy * np.expm1(logvar_q - logvar_p)


def reparameterize(mu: Array, logvar: Array, eps: Array) -> Array:
    """z = mu + σ eps, (2.9)        σ = exp(logvar/2), not the variance

    mu, logvar (N, L), eps ~ N(0, 1) (J, N, L) for J samples -> z (J, N, L). Without
    the axis J, eps and z are (N, L). The caller samples eps and passes it to both
    functions, so the backward pass has the noise of its forward pass.
    """
    return mu + np.exp(0.5 * logvar) * eps


def reparameterize_backward(
    dz: Array, mu: Array, logvar: Array, eps: Array
) -> tuple[Array, Array]:
    """dmu = Σⱼ dzⱼ    dlogvar = Σⱼ dzⱼ epsⱼ σ/2, by (2.10)

    Both are of the shape of mu: all J samples come from one mu. ValueError unless
    dz and eps have that shape, or one axis more, the samples'.
    """
    dsigma = dz * eps
    if np.ndim(eps) > np.ndim(mu):
        dz, dsigma = dz.sum(axis=0), dsigma.sum(axis=0)
    if np.shape(dz) != np.shape(mu) or np.shape(dsigma) != np.shape(mu):
        raise InputError(
            f"eps of shape {np.shape(eps)} must have the shape of mu, {np.shape(mu)}, "
            "or one axis more, for the samples; and dz the shape of eps"
        )
    return dz, dsigma * (0.5 * np.exp(0.5 * logvar))


def _exp(x: Array | float, r: Array) -> Array:
    """exp(x) in the precision of r, for x = −logvar and r = x − mu

    np.exp of a Python float is float64, which would promote a float32 array.
    ValueError for unsigned integers, which are never negative.
    """
    if np.asarray(x).dtype.kind == "u" or np.asarray(r).dtype.kind == "u":
        raise InputError("x, mu and logvar must be floats: unsigned integers wrap")
    return np.exp(np.asarray(x, dtype=np.result_type(x, r)))
