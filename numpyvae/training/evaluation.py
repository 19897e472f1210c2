"""How good a trained model is, on images that it has not seen.

elbo = reconstruction − kl, in nats an image, with β = 1 whatever the training weighed. A latent unit is active if the
data moves it: the variance over x of its mu is above 0.01 (Burda et al. 2016, section 5.2); the others repeat the prior.
log_marginal estimates log p(x) with importance samples, and log_marginal_se is the standard error that this leaves in
the mean over the images.

The images go through in batches, each with a generator of its own, so that threads can share them and the figures do
not depend on how many threads there are. NumPy lets go of the interpreter while it computes; with one BLAS thread to
each of these (OPENBLAS_NUM_THREADS=1, set before NumPy is loaded, as the command line does) all cores are busy.

Grey and binarized pixels give figures that are not to be compared, so the kind is part of the result. With dynamic
binarization each test image is drawn once, by the generator that is passed in.

Next: sampling.
"""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import numpy as np

from ..vae.iwae import log_marginal
from .loop import pixels, score
from ..vae.elbo import encode
from ..settings import VAEConfig
from ..vae.parameters import Parameters

ACTIVE = 0.01


def evaluate(params: Parameters, images: np.ndarray, config: VAEConfig, binarize: str, rng: np.random.Generator,
             importance_samples: int = 0, batch_size: int = 50, threads: int = 1,
             progress: Callable[[int, int], None] = lambda done, of: None) -> dict:
    """uint8 images (N, rows, cols) -> {elbo, reconstruction, kl, active_units, log_marginal, log_marginal_se,
    importance_samples, images, binarization}; the two log_marginal figures are None without importance samples."""
    n = len(images)
    x = pixels(images, binarize, rng)  # once, so that every figure is of the same pixels
    loss, reconstruction, kl = score(params, x, config, rng)
    batches = [x[first : first + batch_size] for first in range(0, n, batch_size)]
    mu = np.concatenate([encode(params, batch, config)[0][0] for batch in batches]).astype(np.float64)
    log_px, variance, done = 0.0, 0.0, 0
    if importance_samples:
        pool = ThreadPoolExecutor(threads)
        try:
            for estimate, se in pool.map(lambda batch, rng: log_marginal(params, batch, config, importance_samples, rng),
                                         batches, rng.spawn(len(batches))):
                log_px, variance, done = log_px + estimate.sum(), variance + (se**2).sum(), done + len(estimate)
                progress(done, n)
        finally:
            pool.shutdown(cancel_futures=True)
    return {"elbo": -loss, "reconstruction": reconstruction, "kl": kl,
            "active_units": int((mu.var(axis=0) > ACTIVE).sum()),
            "log_marginal": float(log_px) / n if importance_samples else None,
            "log_marginal_se": math.sqrt(variance) / n if importance_samples else None,
            "importance_samples": importance_samples, "images": n, "binarization": binarize}
