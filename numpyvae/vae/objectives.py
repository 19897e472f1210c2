"""Chapter 12. The losses that training can minimize.

An entry is a pair, loss and loss_backward, called as the first page of the book
says:

    elbo         (7.5), the ELBO with the KL in closed form
    iwae         −ELBO_K of (10.2)
    elbo-stl     the ELBO with a sampled KL, and its path derivative, chapter 11
    iwae-dreg    −ELBO_K of (10.2), and the gradient of (11.9)

Only elbo has a KL to weight by β. A new objective is one entry, its name in
settings.py and a case in gradcheck_cases (tests/README.md, Contributing).
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
# Their gradient is not the loss's derivative in the encoder's parameters.
NOT_DERIVATIVES = ["elbo-stl", "iwae-dreg"]
