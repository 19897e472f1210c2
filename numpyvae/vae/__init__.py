"""Book one: the variational autoencoder, in reading order.

    layers, gaussian, bernoulli, likelihoods, parameters, model, elbo, adam, gradcheck, gradcheck_cases, estimators, iwae,
    objectives
"""

from .adam import Adam
from .elbo import elbo_terms, negative_elbo, negative_elbo_backward
from .gaussian import (cross_entropy, entropy, kl_divergence, kl_divergence_backward, log_density, log_density_backward,
                       reparameterize, reparameterize_backward)
from .gradcheck import check_gradients
from .iwae import log_importance_weights, log_marginal, log_mean_exp, negative_iwae, negative_iwae_backward
from .likelihoods import LIKELIHOODS
from .model import ACTIVATIONS, decode, decode_backward, encode, encode_backward, prior_parameters
from .objectives import OBJECTIVES
from .parameters import Parameters, glorot_init, init_params, parameter_shapes, zero_parameters
from ..settings import VAEConfig

__all__ = ["ACTIVATIONS", "Adam", "LIKELIHOODS", "OBJECTIVES", "Parameters", "VAEConfig", "check_gradients",
           "cross_entropy", "decode", "decode_backward", "elbo_terms", "encode", "encode_backward", "entropy", "glorot_init",
           "init_params", "kl_divergence", "kl_divergence_backward", "log_density", "log_density_backward",
           "log_importance_weights", "log_marginal", "log_mean_exp", "negative_elbo", "negative_elbo_backward",
           "negative_iwae", "negative_iwae_backward", "parameter_shapes", "prior_parameters", "reparameterize",
           "reparameterize_backward", "zero_parameters"]
