"""Book one: the variational autoencoder, in reading order.

    layers, gaussian, bernoulli, parameters, elbo, adam, gradcheck, gradcheck_cases, estimators, iwae
"""

from .adam import Adam
from .elbo import (decode, decode_backward, encode, encode_backward, log_likelihood, log_likelihood_backward,
                   negative_elbo, negative_elbo_backward, prior)
from .gaussian import (cross_entropy, entropy, kl_divergence, kl_divergence_backward, log_density, log_density_backward,
                       reparameterize, reparameterize_backward)
from .iwae import OBJECTIVES, log_marginal, log_mean_exp, log_weights, negative_iwae, negative_iwae_backward
from ..settings import VAEConfig
from .parameters import Parameters, init_params, parameter_shapes
