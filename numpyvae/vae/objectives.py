"""Chapter 12. The table of objectives: the losses that training can minimize, each with its gradient.

An entry is a pair, loss and loss_backward, as in the table of the book's first page. A new objective is one entry, its
name in settings.py and a case in gradcheck_cases (tests/README.md, Contributing). Only elbo has a KL to weight by β.
"""

from .elbo import negative_elbo, negative_elbo_backward
from .gradient_estimators import (
    negative_elbo_stl,
    negative_elbo_stl_backward,
    negative_iwae_dreg_backward,
)
from .iwae import negative_iwae, negative_iwae_backward

OBJECTIVES = {
    "elbo": (negative_elbo, negative_elbo_backward),
    "iwae": (negative_iwae, negative_iwae_backward),
    "elbo-stl": (negative_elbo_stl, negative_elbo_stl_backward),
    "iwae-dreg": (negative_iwae, negative_iwae_dreg_backward),
}
NOT_DERIVATIVES = [
    "elbo-stl",
    "iwae-dreg",
]  # the gradient is not the loss's derivative in the encoder's parameters
