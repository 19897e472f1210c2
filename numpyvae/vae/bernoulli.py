"""Chapter 3. The Bernoulli log-likelihood of binary pixels.

For each pixel the decoder outputs a real number l, the logit. The probability that
the pixel is 1 is its sigmoid:

    (3.1)  sigmoid(l) = 1/(1 + exp(−l))
    (3.2)  softplus(l) = log(1 + exp(l))

The derivative of softplus is exp(l)/(1 + exp(l)) = 1/(exp(−l) + 1) = sigmoid(l).
Both log-probabilities of a pixel are a softplus:

    log sigmoid(l)       = −log(1 + exp(−l))
                         = l − log(exp(l) + 1)               since l = log exp(l)
                         = l − softplus(l)
    log(1 − sigmoid(l))  = log(exp(−l)/(1 + exp(−l)))
                         = −log(exp(l) + 1)                  exp(l) up and down
                         = −softplus(l)

A pixel x is 1 or 0. So x picks the first of the two logarithms, 1 − x the second:

    log p(x|l) = x log sigmoid(l) + (1 − x) log(1 − sigmoid(l))
               = x (l − softplus(l)) − (1 − x) softplus(l)
    (3.3)      = x l − softplus(l)
    (3.4)  ∂ log p(x|l)/∂l = x − sigmoid(l)

The gradient is the pixel minus its predicted probability.

An image x has D pixels xᵢ. The model assumes that, given z, they are independent:
p(x|z) = Πᵢ p(xᵢ|z). What pixels have in common must come from z, of which each lᵢ
is a function. The logarithm is a sum, and (3.4) holds for each pixel:

    (3.5)  log p(x|z) = Σᵢ log p(xᵢ|lᵢ) = Σᵢ (xᵢ lᵢ − softplus(lᵢ))

Why logits, and not probabilities? Because of log 0: in float32 sigmoid(17) is 1, so
log(1 − sigmoid(17)) is −inf. By logits it is −softplus(17) = −17.

For x in {0, 1} this is the log of a probability. For gray x in (0, 1) it is the
usual objective, but not the log of a density, since

    ∫ exp(x l − softplus(l)) dx = tanh(l/2)/l                from 0 to 1; not 1

Divided by this number, it is a density, the continuous Bernoulli (Loaiza-Ganem &
Cunningham 2019). So values for grayscale and for binarized pixels are not
comparable; data/pixels has the ways to binarize.

An example small enough for paper: three pixels, x = 1, 0, ½, with logits log 3, log
3 and 0. softplus(log 3) = log(1 + 3) = log 4, and softplus(0) = log 2:

    x    l        sigmoid(l)    x l − softplus(l)               x − sigmoid(l)
    1    log 3    ¾             log 3 − log 4 = log ¾            ¼
    0    log 3    ¾             −log 4        = log ¼           −¾
    ½    0        ½             −log 2        = log ½            0

    log p(x|z) = log(¾ · ¼ · ½) = log(3/32)

    >>> import numpy as np
    >>> x, logits = np.array([1.0, 0.0, 0.5]), np.log([3.0, 3.0, 1.0])
    >>> f"{32 * np.exp(log_prob(x, logits)):.6f} of 32"
    '3.000000 of 32'
    >>> log_prob_backward(np.array(1.0), x, logits).round(6)
    array([ 0.25, -0.75,  0.  ])

The plain form of softplus is (3.2) itself. Its exp overflows, and for l below −37
it loses everything, since 1 + exp(l) is rounded to 1. The form below has neither
fault:

    softplus(l) = log(exp(l) (exp(−l) + 1)) = l + log(1 + exp(−l))      for l > 0
    softplus(l) = max(l, 0) + log(1 + exp(−|l|))                        for every l

    >>> def plain_softplus(l):
    ...     return np.log(1 + np.exp(l))
    >>> bool(np.allclose(plain_softplus(logits), softplus(logits), rtol=1e-15))
    True
    >>> far = np.array([-40.0, 700.0])
    >>> plain_softplus(far), softplus(far)
    (array([  0., 700.]), array([4.24835426e-18, 7.00000000e+02]))

Sources: Kingma & Welling 2014, appendix C.1; Loaiza-Ganem & Cunningham 2019
(continuous Bernoulli).
"""

import numpy as np
from numpy import ndarray as Array

from ..errors import InputError


def softplus(logits: Array) -> Array:
    """log(1 + exp(l)) = max(l, 0) + log(1 + exp(−|l|))        of any shape

    The exponential cannot overflow. |l| is −min(l, −l): np.abs is not analytic, and
    chapter 9 finds derivatives with complex l.
    """
    y = np.log1p(np.exp(np.minimum(logits, -logits)))
    y += np.maximum(logits, 0)
    return y


def log_prob(x: Array, logits: Array) -> Array:
    """log p(x|z) = Σᵢ (xᵢ lᵢ − softplus(lᵢ)), (3.5), in nats

    x, logits (..., D) -> (...). x is floats in [0, 1] or booleans; ValueError for
    bytes, other integers and complex numbers.
    """
    check_pixels(x)
    return (x * logits - softplus(logits)).sum(axis=-1)


def log_prob_backward(dy: Array, x: Array, logits: Array) -> Array:
    """dl = dy (x − sigmoid(l)), (3.4)

    dy (...), x and logits (..., D)  ->  (..., D). x is data: it has no gradient.
    """
    dl = sigmoid(logits)
    dl = np.subtract(x, dl, out=dl)
    return np.multiply(np.expand_dims(dy, -1), dl, out=dl)


def sigmoid(logits: Array) -> Array:
    """1/(1 + exp(−l)), (3.1)        an array of any shape

    exp may overflow: then 1/inf = 0 is the correct limit. ValueError for unsigned
    integers, whose −l is not negative.
    """
    if logits.dtype.kind == "u":
        raise InputError(f"logits must be floats, not {logits.dtype}")
    with np.errstate(over="ignore"):
        e = np.exp(-logits)
    e += 1
    return np.divide(1, e, out=e)


def check_pixels(x: Array) -> None:
    """ValueError unless x is floats or booleans, and no masked array.

    Bytes would count as 0 to 255 and not as 0 to 1, and a mask would be ignored.
    """
    if np.ma.isMaskedArray(x):
        raise InputError("x is a masked array: fill the masked values first")
    dtype = np.asarray(x).dtype
    if dtype.kind not in "fb":
        raise InputError(
            f"x must be real floats, not {dtype}: divide bytes by 255, "
            "convert 0 and 1 with .astype(np.float32)"
        )
