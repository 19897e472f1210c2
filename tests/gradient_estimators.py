"""The tables of chapters 10 and 11, on a trained model:

    python -m tests.gradient_estimators

Effective sample sizes, and the estimators of the encoder's gradient.
"""

from pathlib import Path

import numpy as np

from numpyvae.data.mnist import load_mnist
from numpyvae.data.pixels import to_input
from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training.loop import train
from numpyvae.training.parallel.threads import limited_blas_threads
from numpyvae.vae.elbo import elbo_terms, negative_elbo_backward
from numpyvae.vae.gradient_estimators import PATHWISE, encoder_slice, estimate_gradients
from numpyvae.vae.iwae import effective_sample_size, log_marginal

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def compare_estimators(params, x, config, count, rng):
    """name -> (mean of (g·G)/(G·G), its standard error, variance E|g − E[g]|²/(G·G))

    The true gradient G is the mean of 4 · `count` pathwise estimates, independent
    of those compared; its own error is part of the standard errors. The baseline is
    log p(x|z) at another z.
    """

    def noise():
        return rng.standard_normal((1, len(x), config.latent_dim), dtype=x.dtype)

    true_gradient = np.zeros(encoder_slice(params).size)
    for _ in range(4 * count):
        _, _, cache = elbo_terms(params, x, noise(), config)
        g = encoder_slice(negative_elbo_backward(cache))
        true_gradient += g.astype(np.float64) / (4 * count)
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
    for name, components in along.items():
        mean = np.mean(components)
        standard_error = np.hypot(error[name], mean * error[PATHWISE] / 2)
        variance = (
            (squares[name] - total[name] @ total[name] / count)
            / (count - 1)
            / squared_length
        )
        results[name] = mean, standard_error, variance
    return results


def effective_sizes(params, x, config, num_samples, rng):
    """The medians over the images of ESS and se, and the mean of log p(x)"""
    log_px, se = log_marginal(params, x, config, num_samples, rng)
    ess = effective_sample_size(se, num_samples)
    return np.median(ess), np.median(se), log_px.mean()


def main(count=400):
    images, _ = load_mnist(SAMPLE, "train")
    test_images, _ = load_mnist(SAMPLE, "test")
    config = VAEConfig()
    params = train(images, None, config, TrainingOptions(epochs=1), processes=1).params
    rng = np.random.default_rng(1)
    x = to_input(images[:128], "none", rng)
    with limited_blas_threads():
        results = compare_estimators(params, x, config, count, rng)
    print(
        "The default model after one epoch on data/sample, a batch of "
        f"{len(x)} images, one sample per image.\n"
        f"{count} estimates g of the gradient G in the encoder's "
        f"{encoder_slice(params).size:,} parameters.\n"
    )
    print("estimator                 mean of (g·G)/(G·G)  variance, E|g − E[g]|²/(G·G)")
    for name, (mean, error, variance) in results.items():
        print(f"{name:24}  {f'{mean:.3f} ± {error:.3f}':>15}  {variance:9.2g}")

    x = to_input(test_images[:20], "none", rng)
    print(f"\nImportance samples, {len(x)} test images.\n")
    print(f"{'K':<6}  {'median of ESS':>13}  {'median of se':>12}  mean of log p(x)")
    for num_samples in (5, 50, 5000):
        with limited_blas_threads():
            ess, se, log_px = effective_sizes(
                params, x, config, num_samples, np.random.default_rng(1)
            )
        print(f"{num_samples:<6}  {ess:13.1f}  {se:12.2f}  {log_px:16.2f}")


if __name__ == "__main__":
    main()
