"""numpyvae: a variational autoencoder, and a small Markov-decision-process solver, from scratch in NumPy.

Read the modules in the order of the derivation:

     1. gaussian     densities, entropy, the KL divergence, reparameterization
     2. bernoulli    the log-likelihood of pixels
     3. layers       linear, relu, tanh, each beside its backward
     4. parameters   what a model is: its configuration, and its parameters in one vector
     5. vae          the model's bound on log p(x), and the gradient of that bound
     6. bounds       importance weights, tighter bounds, log p(x)
     7. adam         the optimizer
     8. gradcheck    a gradient against independent arithmetic
     9. sweep        every gradient, that way

Then what feeds them and what comes of them:

        files        atomic, idx, mnist, download, checkpoint, pictures
        a run        pair, step, training, evaluation, sampling, runs, latent_pictures, report; estimator
        a terminal   console, train_command, commands, cli

The second half, Markov decision processes, stands on its own: bellman, rounding, mdp, discount; chain, chain_picture.
"""

__version__ = "0.1.0"
