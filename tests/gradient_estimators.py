"""Estimators of the encoder's gradient on a trained model, as a table:

    python -m tests.gradient_estimators
"""

from pathlib import Path

import numpy as np

from numpyvae.data.mnist import load_mnist
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.loop import pixels, train
from numpyvae.vae.estimators import NAIVE, PATHWISE, compare_estimators, encoder_slice


def main(count=400):
    images, _ = load_mnist(Path(__file__).parents[1] / "data" / "sample", "train")
    config = VAEConfig()
    params = train(images, images[:500], config, TrainingOptions(epochs=1)).params
    rng = np.random.default_rng(1)
    x = pixels(images[:128], "none", rng)
    results = compare_estimators(params, x, config, count, rng)
    print(f"The default model after one epoch on data/sample, the encoder's {encoder_slice(params).size:,} parameters, a "
          f"batch of {len(x)} images,\none sample per image, {count} batches of noise; the true gradient has length 1.\n")
    print(f"{'estimator':24}  {'mean, along the true gradient':>29}  {'variance':>9}  {'samples for equal variance':>26}")
    for name, (mean, error, variance) in results.items():
        samples = "none are enough" if name == NAIVE else f"{variance / results[PATHWISE][2]:,.2g}"
        print(f"{name:24}  {f'{mean:.3f} ± {error:.3f}':>29}  {variance:9.2g}  {samples:>26}")


if __name__ == "__main__":
    main()
