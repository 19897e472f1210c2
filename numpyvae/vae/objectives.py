"""The table of objectives: the losses that training can minimize, each with its gradient.

An entry is a pair of functions, loss(params, x, eps, config) -> (loss, cache) and backward(cache, dloss=1.0,
grads=None) -> grads. A new objective is one entry, and its name in settings.py. Only elbo has a KL term to weight by β.
"""

from .elbo import negative_elbo, negative_elbo_backward
from .estimators import negative_elbo_stl, negative_elbo_stl_backward, negative_iwae_dreg_backward
from .iwae import negative_iwae, negative_iwae_backward

OBJECTIVES = {"elbo": (negative_elbo, negative_elbo_backward),
              "iwae": (negative_iwae, negative_iwae_backward),
              "elbo-stl": (negative_elbo_stl, negative_elbo_stl_backward),
              "iwae-dreg": (negative_iwae, negative_iwae_dreg_backward)}
NOT_DERIVATIVES = [name for name, (_, backward) in OBJECTIVES.items()  # of the loss, in the encoder's parameters
                   if backward in (negative_elbo_stl_backward, negative_iwae_dreg_backward)]
