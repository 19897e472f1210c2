"""Estimators of the encoder's gradient on a trained model, as a table:

python -m tests.gradient_estimators
"""

from pathlib import Path

import numpy as np

from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.vae.elbo import elbo_terms, negative_elbo_backward
from numpyvae.vae.gradient_estimators import PATHWISE, encoder_slice, estimate_gradients

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def compare_estimators(params, x, config, count, rng):
    """name -> (mean, its standard error, variance): the mean component along the true gradient, whose length is 1; and
    the variance of all components together, in units of the true gradient's squared length

    The true gradient is the mean of 4 · `count` pathwise estimates, independent of those compared; its own error is
    part of the standard errors. The baseline is log p(x|z) at another z.
    """

    def noise():
        return rng.standard_normal((1, len(x), config.latent_dim), dtype=x.dtype)

    true_gradient = 0.0
    for _ in range(4 * count):
        _, _, cache = elbo_terms(params, x, noise(), config)
        true_gradient = true_gradient + encoder_slice(
            negative_elbo_backward(cache)
        ).astype(np.float64) / (4 * count)
    squared_length = true_gradient @ true_gradient
    along, total, squares = {}, {}, {}
    for _ in range(count):
        baseline, _, _ = elbo_terms(params, x, noise(), config)
        for name, g in estimate_gradients(params, x, noise(), config, baseline).items():
            g = g.astype(np.float64)
            along.setdefault(name, []).append(g @ true_gradient / squared_length)
            total[name] = total.get(name, 0) + g
            squares[name] = squares.get(name, 0) + g @ g
    error = {name: np.std(along[name], ddof=1) / np.sqrt(count) for name in along}
    results = {}
    for name in along:
        mean = np.mean(along[name])
        standard_error = np.hypot(error[name], mean * error[PATHWISE] / 2)
        variance = (
            (squares[name] - total[name] @ total[name] / count)
            / (count - 1)
            / squared_length
        )
        results[name] = mean, standard_error, variance
    return results


def main(count=400):
    from numpyvae.data.mnist import load_mnist
    from numpyvae.data.pixels import to_input
    from numpyvae.training.loop import train
    from numpyvae.training.parallel.threads import limited_blas_threads

    images, _ = load_mnist(SAMPLE, "train")
    config = VAEConfig()
    params = train(images, None, config, TrainingOptions(epochs=1), processes=1).params
    rng = np.random.default_rng(1)
    x = to_input(images[:128], "none", rng)
    with limited_blas_threads():
        results = compare_estimators(params, x, config, count, rng)
    print(
        f"The default model after one epoch on data/sample, a batch of {len(x)} images, one sample per image.\n"
        f"{count} estimates of the gradient in the encoder's {encoder_slice(params).size:,} parameters; the true "
        "gradient has length 1.\n"
    )
    print(f"{'estimator':24}  {'mean, along the true gradient':>29}  {'variance':>9}")
    for name, (mean, error, variance) in results.items():
        print(f"{name:24}  {f'{mean:.3f} ± {error:.3f}':>29}  {variance:9.2g}")


if __name__ == "__main__":
    main()
