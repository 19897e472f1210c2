"""The log-likelihood of pixels under a Bernoulli decoder.

The decoder gives a logit l for each pixel, and with it the probability of ink, σ(l) = 1 / (1 + exp(−l)). Then

    log p(x|l) = x log σ(l) + (1 − x) log(1 − σ(l)) = x l − softplus(l)        softplus(l) = log(1 + exp(l))

since log σ(l) = l − softplus(l) and log(1 − σ(l)) = −softplus(l). Its derivative in l is x − σ(l): what the pixel is,
less what the decoder expected. Working with l and not with σ(l) is what keeps a confident decoder finite: in float32
σ(17) is 1 and log(1 − σ(17)) is −inf, where −softplus(17) is −17.

For x in {0, 1} this is a probability. For a grey pixel, x in (0, 1), it is the same expression, and the usual
objective, but not the log of a density that integrates to one: figures for grey and for binarized pixels differ.

Source: Kingma & Welling 2014, appendix C.1.
Next: layers.
"""

import numpy as np
from numpy import ndarray as Array


def log_likelihood(x: Array, logits: Array) -> Array:
    """log p(x|l) = Σ_d x_d l_d − softplus(l_d)        x, logits (..., D) -> (...), in nats an image"""
    return (x * logits - softplus(logits)).sum(axis=-1)


def log_likelihood_backward(dy: Array, x: Array, logits: Array) -> Array:
    """dl = dy (x − σ(l))        dy (...), x and logits (..., D) -> (..., D); x is data: no gradient"""
    dl = x - sigmoid(logits)
    dl *= np.expand_dims(dy, -1)
    return dl


def softplus(l: Array) -> Array:
    """log(1 + exp(l)) = max(l, 0) + log(1 + e), where e = exp(−|l|) cannot overflow

    A small e loses digits in u = 1 + e; log(1 + e) = log u + (e − (u − 1))/u gives them back. (np.log1p does the same,
    several times slower in float32. And −|l| is a minimum, because np.abs has no complex derivative.)
    """
    e = np.exp(np.minimum(l, -l))
    u = 1 + e
    e -= u - 1
    e /= u
    e += np.log(u)
    e += np.maximum(l, 0)
    return e


def sigmoid(l: Array) -> Array:
    """σ(l) = 1 / (1 + exp(−l)); where the exponential overflows, 1/inf = 0 is right"""
    with np.errstate(over="ignore"):
        e = np.exp(-l)
    e += 1
    return np.divide(1, e, out=e)
