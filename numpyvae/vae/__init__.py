"""Book one: the variational autoencoder (VAE), derived step by step.

A VAE models data x, here images of D pixels, as caused by a few numbers z that are
not observed, the latent variables. z is sampled from a fixed normal distribution,
the prior p(z), then x from p(x|z). A neural network, the decoder, computes the
parameters of p(x|z) from z. Which z may have caused an image x is the posterior
p(z|x). A second network, the encoder, computes an approximation of it, q(z|x). Both
are trained together to maximize a lower bound on log p(x), the evidence lower bound
(ELBO).

Every gradient is derived by hand. A backward function takes dy = ∂loss/∂y, of the
shape of the output y, and returns the gradient of the loss in each input, dx =
∂loss/∂x. By what a backward function needs to know, there are three ways to call
it:

    layers       f(x, …) -> y, cache
                 f_backward(dy, cache) -> dx, …
    functions    f(x, …) -> y
                 f_backward(dy, x, …) -> dx, …
    losses       loss(params, x, eps, config) -> loss, cache
                 loss_backward(cache, dloss=1.0, grads=None) -> grads

A layer keeps in its cache what its backward pass would else compute again. A
function of chapters 2 and 3 is cheap and elementwise. So it has no cache, and its
backward function gets the inputs once more. A loss is a number, so its upstream
gradient dloss is one, too: 1 for the gradient of the loss itself, or the weight of
a part of a minibatch in the whole (training/step). Gradients of parameters are
written into `grads`, the last argument, if given: the optimizer reads them as one
vector.

Each module is a chapter, and (2.7) is equation 7 of chapter 2. Read them in this
order:

     1  layers            linear layers and activations; what a backward pass is
     2  gaussian          normals: density, entropy, KL, reparameterization
     3  bernoulli         the log-likelihood of binary pixels
     4  likelihoods       the table of distributions p(x|z)
     5  parameters        named views into one vector; initialization
     6  model             encoder, decoder, prior
     7  elbo              the bound and its gradient; posterior collapse
     8  adam              the optimizer
     9  gradcheck         numerical gradient checks, and what they cannot see
    10  iwae              importance weights: tighter bounds, and log p(x) itself
    11  gradient_estimators  why reparameterize; the path derivatives
    12  objectives        the table of losses that training can minimize
    13  gradcheck_cases   the gradients that are checked
    14  conditional       a model that is told the class; a classifier by Bayes

Chapters 1 to 8, then data/pixels (what binarization does to the numbers),
training/loop and training/step are all of training. Each chapter ends in an example
for paper, which the tests run.

Symbols:

    x (N, D)       images, of D pixels
    c (N, C)       the images' classes, of C, in chapter 14; before, c is a constant
    z (J, N, L)    samples of the L latents
    eps (J, N, L)  noise ~ N(0, 1), z = mu + σ eps
    y (J, N, D)    decoder output: logits or means
    mu, logvar     (N, L), parameters of q(z|x), logvar = log σ²
    mu_p, logvar_p parameters of the prior p(z)
    N              the number of images
    J              the number of samples of z per image
    K              the number of importance samples per image, in place of J, in
                   chapters 10 and 11
    σ, σ_p, s      standard deviations of q(z|x), p(z) and a normal p(x|z)
    l, sigmoid     a pixel's logit; the logistic function
    d              logvar − logvar_p in a KL
    w, w̃           importance weight, and normalized, w̃ₖ = wₖ/Σᵢ wᵢ
    M_K            the mean of K importance weights
    θ, φ           all parameters; the encoder's (in Kingma & Welling 2014 θ is the
                   decoder's alone)
    d/dφ, ∂/∂φ     the total derivative, also through z; the partial one, z fixed
    β              weight of the KL term; Adam's are beta1 and beta2
    g, m, v, t     Adam's gradient, weighted sums and step count
    lr, epsilon    Adam's learning rate, and what keeps it from dividing by 0
    h, u           step of a numerical derivative; 2⁻⁵², from 1 to the next float64

Of one chapter only: a the limit of a uniform distribution (5), the activation (6),
a gradient by hand (9); r a difference from the mean (2, 4); n a numerical gradient
(9); c a constant (7, 11); f and F functions, G and g the true gradient and an
estimate, S a sum of weights, φ₀ the present φ (11); λ the KL that is free (7). In
log_mean_exp and log_marginal, m is the largest log weight.

The model is the subject of an exercise sheet whose printed solutions have eight
errors. Five are about this book. tests/vae/test_known_errors.py shows for each that
what is printed fails, and that what stands here holds. Three are about book two,
and in tests/mdp/test_chain.py.

    printed                                    here
    E_q[p(x,z)/q(z|x)] for the bound           with the logarithm inside, (7.2)
    (n−1)! in the moments of a normal          (n−1)!!, (2.2); equal only for n = 2
    log(2π√·) in the entropy                   log(2πσ²), (2.4)
    ∫ q log p, subtracted; the same name,      the cross-entropy, with its minus
    later, for −∫ q log p, added               inside, (2.5), and added
    Σⱼ over J samples                          1/J Σⱼ, (7.5)
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
    effective_sample_size,
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
    "effective_sample_size",
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
