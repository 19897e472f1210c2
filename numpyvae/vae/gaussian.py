"""Normal distributions: densities, entropy, the Kullback-Leibler (KL) divergence, and how to draw samples.

A diagonal normal factorizes, so everything here is elementwise, one dimension at a time; whoever calls sums over the
dimensions. The code carries logvar = log σ², which may be any real number, where σ would have to be kept positive.
Units are nats: natural logarithms. Two integrals carry the page (5!! is 5 · 3 · 1):

    ∫ exp(−x²) dx = √π        ∫ xⁿ exp(−a x²) dx = (n−1)!! / (2a)^(n/2) · √(π/a)    n even, (−1)!! = 1;  0 for n odd

With a = 1/(2σ²), n = 0 gives the density its constant √(2πσ²), and n = 2 gives E[(x−μ)²] = σ². Hence, for
q = N(mu_q, σ_q²) and p = N(mu_p, σ_p²):

    entropy          −E_q[log q] = ½ (log 2πσ_q² + 1)
    cross-entropy    −E_q[log p] = ½ log 2πσ_p² + (σ_q² + (mu_q − mu_p)²) / (2σ_p²)
    KL(q ‖ p)      =  E_q[log q − log p]  =  cross-entropy − entropy
                   =  log(σ_p/σ_q) + (σ_q² + (mu_q − mu_p)²) / (2σ_p²) − ½

A gradient cannot pass through a sample z ~ q: drawing is not a function of q's parameters. Move the chance out of the
way, eps ~ N(0, 1), and z = mu + σ eps is one: the noise is data, the parameters are arguments, the chain rule applies.

That is reparameterization. What is trained stands above its backward, which takes dy = ∂loss/∂y and returns the
gradients in the order of the arguments, but of none that is data or fixed. Arguments broadcast as in NumPy; gradients
come back in the shape of the result, unless said otherwise.

Source: Kingma & Welling 2014, section 2.4 and appendix B (for the standard normal prior).
Next: bernoulli.
"""

import math

import numpy as np
from numpy import ndarray as Array

LOG_2PI = math.log(2 * math.pi)


def log_density(x: Array, mu: Array, logvar: Array) -> Array:
    """log N(x; mu, σ²) = −½ (log 2π + logvar + (x − mu)²/σ²)"""
    r = x - mu
    return -0.5 * (LOG_2PI + logvar + r**2 * _exp(-logvar, r))


def log_density_backward(dy: Array, x: Array, mu: Array, logvar: Array) -> tuple[Array, Array, Array]:
    """dx = −dy u    dmu = dy u    dlogvar = ½ dy (u (x − mu) − 1)        with u = (x − mu)/σ²"""
    r = x - mu
    u = r * _exp(-logvar, r)
    return -dy * u, dy * u, 0.5 * dy * (u * r - 1)


def entropy(logvar: Array) -> Array:
    """−E_q[log q] = ½ (log 2π + logvar + 1)"""
    return 0.5 * (LOG_2PI + logvar + 1)


def cross_entropy(mu_q: Array, logvar_q: Array, mu_p: Array | float, logvar_p: Array | float) -> Array:
    """−E_q[log p] = ½ (log 2π + logvar_p + exp(logvar_q − logvar_p) + (mu_q − mu_p)²/σ_p²)"""
    r = mu_q - mu_p
    return 0.5 * (LOG_2PI + logvar_p + _exp(logvar_q - logvar_p, r) + r**2 * _exp(-logvar_p, r))


def kl_divergence(mu_q: Array, logvar_q: Array, mu_p: Array | float = 0.0, logvar_p: Array | float = 0.0) -> Array:
    """KL(q ‖ p) = ½ (exp(d) − 1 − d + ((mu_q − mu_p)/σ_p)²)        with d = logvar_q − logvar_p

    Never negative, and 0 when q = p: expm1(d) ≥ d, where exp(d) − 1 loses the digits that decide it. A divergence too
    large for the number format is +inf, never NaN and without a warning (for means whose difference is a number).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        d = np.minimum(logvar_q - logvar_p, 1e4)  # expm1 is inf long before; d = inf would make inf − inf
        r = mu_q - mu_p
        scaled = np.where(r == 0, r, r * _exp(-0.5 * logvar_p, r))  # 0/σ_p is 0 however small σ_p is
        return 0.5 * (np.expm1(d) - d + scaled**2)


def kl_divergence_backward(dy: Array | float, mu_q: Array, logvar_q: Array, mu_p: Array | float = 0.0,
                           logvar_p: Array | float = 0.0) -> tuple[Array, Array]:
    """dmu_q = dy (mu_q − mu_p)/σ_p²    dlogvar_q = ½ dy (exp(d) − 1)        the prior is fixed: it has no gradient"""
    r = mu_q - mu_p
    return dy * r * _exp(-logvar_p, r), 0.5 * dy * np.expm1(logvar_q - logvar_p)


def reparameterize(mu: Array, logvar: Array, eps: Array) -> Array:
    """z = mu + σ eps        with σ = exp(logvar/2), the standard deviation, not the variance

    mu, logvar (N, L) and eps (N, L) or, J samples at once, (J, N, L)  ->  z in the shape of eps. eps ~ N(0, 1) is an
    argument, drawn by the caller: z is then a function of mu and logvar that can be differentiated, on paper or
    numerically, and the backward pass meets the noise of its forward pass and no other.
    """
    return mu + np.exp(0.5 * logvar) * eps


def reparameterize_backward(dz: Array, mu: Array, logvar: Array, eps: Array) -> tuple[Array, Array]:
    """dmu = Σⱼ dzⱼ    dlogvar = Σⱼ dzⱼ epsⱼ σ/2        in the shape of mu; eps is data: it has no gradient"""
    dsigma = dz * eps
    if np.ndim(eps) > np.ndim(mu):
        dz, dsigma = dz.sum(axis=0), dsigma.sum(axis=0)
    return dz, dsigma * (0.5 * np.exp(0.5 * logvar))


def _exp(x: Array | float, r: Array) -> Array:
    """exp(x) in the precision of r: np.exp of a Python float is float64, which would promote a float32 array."""
    return np.exp(np.asarray(x, dtype=np.result_type(x, r)))
