"""Random streams: each part of a run has a generator of its own, and no two are alike.

A generator is NumPy's `default_rng` of three integers: the run's seed, a number, and
the number of the stream. (To NumPy [seed], [seed, 0] and [seed, 0, 0] are the same. So
the stream stands last, and one stream alone has the number 0.)

    training      [seed, epoch, 0]   epoch 0: the first weights; later ones: the order
                                     of the images, binarization, noise
    evaluation    [seed, epoch, 2]   the test loss after an epoch
    pictures      [seed, 0, 3]       the samples and reconstructions of a run
    evaluate      [seed, 0, 4]       the command `evaluate`
    sample        [seed, 0, 5]       the command `sample`, and the estimator's samples
    score         [seed, CRC, 6]     the estimator's log p(x) of the row with this CRC

The numbers have no other meaning, and stay as they are: results depend on them. Static
binarization has fixed seeds (data.pixels): the same images in every run.
"""

import numpy as np

STREAMS = {
    "training": 0,
    "evaluation": 2,
    "pictures": 3,
    "evaluate": 4,
    "sample": 5,
    "score": 6,
}


def stream(name: str, seed: int, number: int = 0) -> np.random.Generator:
    """A new generator of the stream; number: the epoch, or the CRC of a row."""
    return np.random.default_rng([seed, number, STREAMS[name]])
