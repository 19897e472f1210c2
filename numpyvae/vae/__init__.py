"""Book one: the variational autoencoder (VAE), from the derivation to the training objective.

A VAE models data x, here images of D pixels, as caused by a few numbers z that are not observed, the latent variables:
z is sampled from a fixed normal distribution, the prior p(z), then x from p(x|z). A neural network, the decoder,
computes the parameters of p(x|z) from z. Which z may have caused an image x is the posterior p(z|x): a second network,
the encoder, computes an approximation of it, q(z|x). Both are trained together to maximize a lower bound on log p(x),
the evidence lower bound (ELBO). Every gradient is derived by hand. A backward function takes dy = ∂loss/∂y, of the
shape of the output y, and returns the gradient of the loss with respect to each input, dx = ∂loss/∂x. Gradients of
parameters are written into `grads`, the last argument, if given: the optimizer reads them as one vector.

    layers         f(x, …) -> y, cache                            f_backward(dy, cache) -> dx, …
    functions      f(x, …) -> y                                   f_backward(dy, x, …) -> dx, …
    losses         loss(params, x, eps, config) -> loss, cache    loss_backward(cache, dloss=1.0, grads=None) -> grads

Each module is a chapter, and (2.7) is equation 7 of chapter 2. Read them in this order:

     1  layers            linear layers and activations, and what a backward pass is
     2  gaussian          normal distributions: density, entropy, KL divergence, reparameterization
     3  bernoulli         the log-likelihood of binary pixels
     4  likelihoods       the table of distributions p(x|z)
     5  parameters        named views into one vector; initialization
     6  model             encoder, decoder, prior
     7  elbo              the bound and its gradient, with an example small enough for paper
     8  adam              the optimizer
     9  gradcheck         numerical gradient checks, and what they cannot see
    10  iwae              importance weights: tighter bounds, and log p(x) itself
    11  gradient_estimators  why reparameterize; the path derivatives
    12  objectives        the table of losses that training can minimize
    13  gradcheck_cases   the gradients that are checked
    14  conditional       a model that is told the class, and a classifier by Bayes' rule

Symbols:

    x (N, D)       images, of D pixels            mu, logvar (N, L)   parameters of q(z|x), logvar = log σ²
    z (J, N, L)    samples of the L latents       mu_p, logvar_p      parameters of the prior p(z)
    eps (J, N, L)  noise ~ N(0, 1), z = mu + σ eps      y (J, N, D)   decoder output: logits or means
    N, J, K        images, samples of z per image, importance samples per image: chapter 10 has K in place of J
    σ, σ_p, s      standard deviations of q(z|x), p(z) and a normal p(x|z)
    l, sigmoid     a pixel's logit; the logistic function               w, w̃   importance weights, normalized weights
    h, u           the step of a numerical derivative; 2⁻⁵², the distance from 1 to the next float64
    d              logvar − logvar_p in a KL; d/dφ is the total derivative, through z and with z held fixed
    θ, φ           all parameters, the encoder's (in Kingma & Welling 2014 θ is the decoder's alone)
    β              weight of the KL term; Adam's coefficients are beta1, beta2 and epsilon
    g, m, v, t     Adam's gradient, averages and step count; in log_mean_exp and log_marginal m is the largest log w
"""

from ..settings import VAEConfig
from .adam import Adam
from .conditional import (
    class_probabilities,
    log_marginal_by_class,
    one_hot,
    with_class,
)
from .elbo import elbo_terms, negative_elbo, negative_elbo_backward
from .gaussian import (
    cross_entropy,
    entropy,
    kl_divergence,
    kl_divergence_backward,
    log_density,
    log_density_backward,
    reparameterize,
    reparameterize_backward,
)
from .gradcheck import check_gradients
from .gradient_estimators import (
    negative_elbo_stl,
    negative_elbo_stl_backward,
    negative_iwae_dreg_backward,
)
from .iwae import (
    log_importance_weights,
    log_marginal,
    log_mean_exp,
    negative_iwae,
    negative_iwae_backward,
)
from .likelihoods import LIKELIHOODS
from .model import (
    ACTIVATIONS,
    decode,
    decode_backward,
    encode,
    encode_backward,
    prior_parameters,
)
from .objectives import OBJECTIVES
from .parameters import (
    Parameters,
    glorot_init,
    init_params,
    parameter_shapes,
    zero_parameters,
)

__all__ = [
    "ACTIVATIONS",
    "LIKELIHOODS",
    "OBJECTIVES",
    "Adam",
    "Parameters",
    "VAEConfig",
    "check_gradients",
    "class_probabilities",
    "cross_entropy",
    "decode",
    "decode_backward",
    "elbo_terms",
    "encode",
    "encode_backward",
    "entropy",
    "glorot_init",
    "init_params",
    "kl_divergence",
    "kl_divergence_backward",
    "log_density",
    "log_density_backward",
    "log_importance_weights",
    "log_marginal",
    "log_marginal_by_class",
    "log_mean_exp",
    "negative_elbo",
    "negative_elbo_backward",
    "negative_elbo_stl",
    "negative_elbo_stl_backward",
    "negative_iwae",
    "negative_iwae_backward",
    "negative_iwae_dreg_backward",
    "one_hot",
    "parameter_shapes",
    "prior_parameters",
    "reparameterize",
    "reparameterize_backward",
    "with_class",
    "zero_parameters",
]
