"""Chapter 14. A model that is told the class; a classifier.

Each image x has a class, one of C, say the digit that it shows. The label is
written as c, a vector of C numbers: 1 at the class and 0 elsewhere ("one-hot"). A
conditional model explains x given c. Its z need not say which digit it is, only how
the digit is written. And it can be asked for a class: sample z from the prior, and
decode z with c.

The prior of z stays as it is, whatever the class: p(z|c) = p(z). This is a choice:
z then holds style only. Sohn et al. learn p(z|c) instead. Everything else of
chapter 7 is given c:

    log p(x|c) = log ∫ p(x|z,c) p(z) dz
               = log E_q[p(x|z,c) p(z)/q(z|x,c)]            q(z|x,c), the encoder's
               ≥ E_q[log(p(x|z,c) p(z)/q(z|x,c))]           Jensen's inequality
    (14.1)     = E_q[log p(x|z,c)] − KL(q(z|x,c) ‖ p(z))    the ELBO, given c

Training draws z from q(z|x,c), but generation draws it from p(z). Where p(z) is
high, and q(z|x,c) low for every image, the decoder was never trained. So good
reconstructions do not promise good samples. Sohn et al. name this gap.

c enters at two places. The encoder's input is [x, c], D + C numbers, and the
decoder's is [z, c], L + C numbers. Nothing else changes. An objective takes rows
[x, c] for x, and `split_class` (chapter 6) separates them after the encoder. A
one-hot column selects one row of a weight matrix, so each class has a bias of its
own in the first layer:

    (14.2)  [x, c] W + b = x W_x + W_c[class] + b        W = W_x above W_c

The label is data, like x: it gets no gradient. `decode_backward` returns the
columns of dz that belong to z, and leaves out those of c. The gradients of W_c are
part of those of W, by (1.2).

Two errors are easily made. If only the decoder is told c, then q(z|x) has to find
the class in x. (14.1) is still a bound, but q can no longer be another one for each
class. If only the encoder is told c, then p(x|z,c) = p(x|z): log p(x|c) is the same
for every class, and no class can be asked for.

Nor does a model have to use c. z may say which digit it is, as it does without
classes, and then c adds little. The more latents, the less is left to c. After 30
epochs on data/sample, `evaluate --class-samples 10` finds

    latents    bound, given c    better than given a wrong class    right by (14.3)
    2              −137.1                 139.9 nats                     91.3 %
    4              −125.5                  99.2                          91.1 %
    8              −114.0                  42.8                          90.3 %
    20             −108.0                  16.0                          89.5 %

With 4 latents most samples of class 7 are sevens. With 20, many are not: the z that
is sampled belongs to another digit, and outweighs c.

A classifier. By Bayes' rule the probabilities of the classes, given the image, are

    (14.3)  p(c|x) = p(c) p(x|c)/Σ_c' p(c') p(x|c')

p(c) is how frequent the class is. log p(x|c) is estimated by chapter 10, once for
each class: is this image a likely 7? No classifier was trained. If a model ignores
c, log p(x|c) is the same for every class, and p(c|x) = p(c).

It takes log p(x|c) itself. The bound (14.1) is below it by
KL(q(z|x,c) ‖ p(z|x,c)), which differs between the classes.

eps is shared by all classes of an image; mu and σ differ by class. Only the
differences between the classes count, and noise that they share hardly changes
these.

An example for paper: two classes, log p(x|c) = −100 and −102 nats. With p(c) = ½
each,

    p(c|x) = ½ exp(−100)/(½ exp(−100) + ½ exp(−102)) = 1/(1 + exp(−2)) = 0.8808

If the second class is nine times as frequent as the first, p(c) = 0.1 and 0.9, then

    p(c|x) = 0.1/(0.1 + 0.9 exp(−2)) = 0.4509

    >>> import numpy as np
    >>> from numpyvae.vae import class_probabilities
    >>> log_px = np.array([[-100.0, -102.0]])
    >>> print(class_probabilities(log_px, np.array([0.5, 0.5])).round(4))
    [[0.8808 0.1192]]
    >>> print(class_probabilities(log_px, np.array([0.1, 0.9])).round(4))
    [[0.4509 0.5491]]

Sources: Sohn, Lee & Yan 2015; Kingma, Rezende, Mohamed & Welling 2014 (y for c).
"""

import numpy as np
from numpy import ndarray as Array

from ..settings import VAEConfig
from .iwae import log_marginal, normalized_weights
from .parameters import Parameters


def one_hot(
    labels: Array, num_classes: int, dtype: type | np.dtype = np.float32
) -> Array:
    """c of each label: (N,), from 0 to C − 1  ->  (N, C), one 1 in each row"""
    return np.eye(num_classes, dtype=dtype)[labels]


def with_class(x: Array, labels: Array, config: VAEConfig) -> Array:
    """[x, c], the rows that a conditional model takes for x

    x (N, D), labels (N,)  ->  (N, D + C), in the precision of x
    """
    return np.hstack([x, one_hot(labels, config.num_classes, x.dtype)])


def log_marginal_by_class(
    params: Parameters,
    x: Array,
    config: VAEConfig,
    num_samples: int,
    rng: np.random.Generator,
) -> Array:
    """log p(x|c) of each image and each class, from num_samples importance weights

    x (N, D)  ->  (N, C), in nats. All classes of an image have the same noise.
    """
    seed = rng.integers(2**63)
    columns = []
    for label in range(config.num_classes):
        rows = with_class(x, np.full(len(x), label), config)
        noise = np.random.default_rng(seed)
        log_px, *_ = log_marginal(params, rows, config, num_samples, noise)
        columns.append(log_px)
    return np.stack(columns, axis=1)


def class_probabilities(log_px: Array, prior: Array) -> Array:
    """p(c|x), by (14.3)

    log_px (N, C), log p(x|c) in nats; prior (C,), p(c)  ->  (N, C)
    """
    with np.errstate(divide="ignore"):
        log_joint = log_px + np.log(prior)
    return normalized_weights(log_joint.T).T
