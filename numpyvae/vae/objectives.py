"""The table of objectives: the losses that training can minimize, each with its gradient.

An entry is a pair of functions, loss(params, x, eps, config) -> (loss, cache) and
backward(cache, dloss=1.0, grads=None) -> grads. A new objective is one entry and its name in settings.py.
"""

from .elbo import negative_elbo, negative_elbo_backward
from .iwae import negative_iwae, negative_iwae_backward

OBJECTIVES = {
    "elbo": (negative_elbo, negative_elbo_backward),
    "iwae": (negative_iwae, negative_iwae_backward),
}
