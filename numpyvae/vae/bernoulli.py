"""Chapter 3. The Bernoulli log-likelihood of binary pixels.

For each pixel the decoder outputs a real number l, the logit; the probability that the pixel is 1 is its sigmoid:

    (3.1)  sigmoid(l) = 1/(1 + exp(−l))
    (3.2)  softplus(l) = log(1 + exp(l)), whose derivative is exp(l)/(1 + exp(l)) = sigmoid(l)

    log sigmoid(l)       = −log(1 + exp(−l)) = l − log(exp(l) + 1) = l − softplus(l)
    log(1 − sigmoid(l))  = log(exp(−l)/(1 + exp(−l))) = −log(exp(l) + 1) = −softplus(l)

    log p(x|l) = x log sigmoid(l) + (1 − x) log(1 − sigmoid(l))
               = x (l − softplus(l)) − (1 − x) softplus(l)
    (3.3)      = x l − softplus(l)
    (3.4)  ∂ log p(x|l)/∂l = x − sigmoid(l)                    the pixel minus its predicted probability

An image x has D pixels xᵢ. The model assumes that, given z, they are independent: p(x|z) = Πᵢ p(xᵢ|z). What pixels have
in common must come from z, of which each lᵢ is a function. The logarithm is a sum, and (3.4) holds for each pixel:

    (3.5)  log p(x|z) = Σᵢ log p(xᵢ|lᵢ) = Σᵢ (xᵢ lᵢ − softplus(lᵢ))

Working with logits avoids log 0: in float32 sigmoid(17) is 1 and log(1 − sigmoid(17)) is −inf; −softplus(17) is −17.

For x in {0, 1} this is the log of a probability. For gray x in (0, 1) it is the usual objective, but not the log of a
density that integrates to one. Values for grayscale and for binarized pixels are not comparable.

Source: Kingma & Welling 2014, appendix C.1.
"""

import numpy as np
from numpy import ndarray as Array


def softplus(logits: Array) -> Array:
    """log(1 + exp(l)) = max(l, 0) + log(1 + exp(−|l|)), where the exponential cannot overflow"""
    y = np.log1p(
        np.exp(np.minimum(logits, -logits))
    )  # −|l|; not np.abs: chapter 9 finds derivatives with complex l
    y += np.maximum(logits, 0)
    return y


def log_prob(x: Array, logits: Array) -> Array:
    """log p(x|z) = Σᵢ (xᵢ lᵢ − softplus(lᵢ)), by (3.5)        x, logits (..., D) -> (...), in nats"""
    return (x * logits - softplus(logits)).sum(axis=-1)


def log_prob_backward(dy: Array, x: Array, logits: Array) -> Array:
    """dl = dy (x − sigmoid(l))        dy (...), x and logits (..., D) -> (..., D); x is data: no gradient"""
    dl = sigmoid(logits)
    dl = np.subtract(x, dl, out=dl)
    return np.multiply(np.expand_dims(dy, -1), dl, out=dl)


def sigmoid(logits: Array) -> Array:
    """1/(1 + exp(−l)); exp may overflow: 1/inf = 0 is the correct limit"""
    with np.errstate(over="ignore"):
        e = np.exp(-logits)
    e += 1
    return np.divide(1, e, out=e)
