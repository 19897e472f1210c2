"""The log-likelihood of pixels, each of them ink or none, under a Bernoulli distribution.

What gives the distribution, the decoder, gives a real number l for each pixel, the logit, and with it the probability of
ink, the sigmoid σ(l) = 1 / (1 + exp(−l)). Then

    log p(x|l) = x log σ(l) + (1 − x) log(1 − σ(l)) = x l − softplus(l)        softplus(l) = log(1 + exp(l))

since log σ(l) = l − softplus(l) and log(1 − σ(l)) = −softplus(l). Its derivative in l is x − σ(l): what the pixel is,
less what the decoder expected. Working with l and not with σ(l) is what keeps a confident decoder finite: in float32
σ(17) is 1 and log(1 − σ(17)) is −inf, where −softplus(17) is −17.

For x in {0, 1} this is the log of a probability. For a grey pixel, x in (0, 1), it is the same expression, and the usual
objective, but not the log of a density that integrates to one: figures for grey and for binarized pixels differ.

Source: Kingma & Welling 2014, appendix C.1.
Next: layers.
"""

import numpy as np
from numpy import ndarray as Array


def log_prob(x: Array, logits: Array) -> Array:
    """log p(x|l) = Σ_d x_d l_d − softplus(l_d)        x, logits (..., D) -> (...), in nats an image

    softplus(l) = max(l, 0) + log(1 + e), where e = exp(−|l|) cannot overflow, and x l − max(l, 0) = (x − [l > 0]) l, with
    [l > 0] for 1 where it is so, else 0. (−|l| is written min(l, −l): np.abs has no complex derivative.)
    """
    e = np.exp(np.minimum(logits, -logits))
    return np.vecdot(x - (logits > 0).astype(logits.real.dtype), logits) - sum_log1p(e)


def log_prob_backward(dy: Array, x: Array, logits: Array) -> Array:
    """dl = dy (x − σ(l))        dy (...), x and logits (..., D) -> (..., D); x is data: no gradient"""
    dl = sigmoid(logits)
    np.subtract(x, dl, out=dl)
    dl *= np.expand_dims(dy, -1)
    return dl


def sum_log1p(e: Array) -> Array:
    """Σ_d log(1 + e_d) = log Π_d (1 + e_d)        e (..., D), from 0 to 1, -> (...)

    A logarithm costs as much as ten products, so halves are multiplied first: (1 + a)(1 + b) = 1 + ((1 + a)b + a), up to
    64 factors or 2⁶⁴. Only what exceeds 1 is kept, because a small e would lose its digits in 1 + e; and what the last
    u = 1 + e has lost, log(1 + e) = log u + (e − (u − 1))/u gives back. (np.log1p is slow in float32.)
    """
    for _ in range(6):
        half, odd = divmod(e.shape[-1], 2)
        if odd:
            break
        a, b = e[..., :half], e[..., half:]
        e = 1 + a
        e *= b
        e += a
    u = 1 + e
    return (np.log(u) + (e - (u - 1)) / u).sum(axis=-1)


def sigmoid(logits: Array) -> Array:
    """σ(l) = 1 / (1 + exp(−l)); where the exponential overflows, 1/inf = 0 is right"""
    with np.errstate(over="ignore"):
        e = np.exp(-logits)
    e += 1
    return np.divide(1, e, out=e)
