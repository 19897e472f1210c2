"""Tools of the oracles: quadrature under a normal density, and complex steps."""

import cmath
import math

import numpy as np
from scipy.integrate import quad

from .judge.verdict import Trial

STEP = 1e-20


def density(x: float, mu: float, sigma: float) -> float:
    """N(x; mu, σ²)"""
    return math.exp(-0.5 * ((x - mu) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))


def minus_log(x: float, mu: float, sigma: float) -> float:
    """−log N(x; mu, σ²), without a density that could underflow to 0"""
    return (
        math.log(sigma)
        + math.log(math.sqrt(2 * math.pi))
        + 0.5 * ((x - mu) / sigma) ** 2
    )


def expectation(f, mu: float, logvar: float) -> float:
    """∫ N(x; mu, σ²) f(x) dx by quadrature, over 12 standard deviations to each side"""
    sigma = math.sqrt(math.exp(logvar))
    return quad(
        lambda x: density(x, mu, sigma) * f(x),
        mu - 12 * sigma,
        mu + 12 * sigma,
        points=[mu],
        epsabs=1e-13,
        epsrel=1e-13,
        limit=200,
    )[0]


def deviation(logvar):
    """σ of logvar, complex for a complex step"""
    return cmath.sqrt(cmath.exp(logvar))


def over(f, *arrays):
    """f of each entry of arrays that broadcast"""
    return np.vectorize(f, otypes=[float])(*arrays)


def slope(f, values: tuple, k: int) -> float:
    """∂f/∂values[k] by a complex step, of a formula of cmath"""
    stepped = [complex(v, STEP if i == k else 0) for i, v in enumerate(values)]
    return f(*stepped).imag / STEP


def in_float32(trials: list[Trial]) -> list[Trial]:
    """The last trial again, with float32 arguments; what is expected stays float64's"""
    last = trials[-1]
    inputs = {
        key: value.astype(np.float32) if isinstance(value, np.ndarray) else value
        for key, value in last.inputs.items()
    }
    return [last._replace(inputs=inputs, rtol=2e-5, atol=1e-6)]
