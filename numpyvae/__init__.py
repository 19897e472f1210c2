"""numpyvae: a variational autoencoder, and a small Markov-decision-process solver, from scratch in NumPy.

Two books, and the workshop around them:

    vae         BOOK ONE: the variational autoencoder, chapter by chapter; start with pydoc numpyvae.vae
    mdp         BOOK TWO: Markov decision processes; start with pydoc numpyvae.mdp

    training    Algorithm 1 (loop), one step of it (step), several processes, evaluation
    settings    every option of a model and of its training, once
    data        the IDX format, MNIST, pixels
    pictures    PNG and SVG files without a plotting library
    runs        a training run on disk: checkpoint, log, report
    exercises   the reader's bench: exercises that mark themselves
    book        the two books as one page, with their figures
    estimator   the scikit-learn interface
    cli         the command line
    files       atomic writes

Imports only go down: of the workshop, vae imports nothing but settings, and mdp nothing.
"""

__version__ = "0.2.0"
