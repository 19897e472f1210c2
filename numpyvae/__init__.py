"""numpyvae: a variational autoencoder, and a small Markov-decision-process solver, from scratch in NumPy.

Read the modules in the order of the derivation:

     1. gaussian     densities, entropy, the KL divergence, reparameterization
     2. bernoulli    the log-likelihood of pixels
     3. layers       linear, relu, tanh, each beside its backward
     4. vae          the model, its negative ELBO, and the gradient
     5. bounds       importance weights, tighter bounds, log p(x)
     6. adam         the optimizer
     7. gradcheck    every gradient against independent arithmetic

and then the machinery that feeds them: idx, mnist, checkpoint, pictures, training, cli.
The second half, mdp, stands on its own.
"""

__version__ = "0.1.0"
