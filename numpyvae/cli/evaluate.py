"""evaluate: the ELBO, its two terms and log p(x) of a trained model on test images."""

import math
from argparse import ArgumentParser, Namespace

from ..errors import InputError
from .arguments import add_json, add_seed, integer
from .console import Console

HELP = "evaluate a trained model on test images"
IGNORED = 0.01  # nats; the threshold of an active unit is as small


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="a run's directory, or its checkpoint.npz"
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="directory of IDX files (default: the data of the run)",
    )
    parser.add_argument(
        "--importance-samples",
        type=integer(0),
        default=0,
        metavar="K",
        help="estimate log p(x) with K samples per image",
    )
    parser.add_argument(
        "--class-samples",
        type=integer(0),
        default=0,
        metavar="K",
        help="classify by Bayes' rule, with K samples for each class (after "
        "train --conditional)",
    )
    add_seed(parser)
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Evaluate a trained model on test images, in nats per image: the ELBO, its two
    terms, and log p(x).

    The images are those of the run's own data, unless --data names others.
    ELBO = -(reconstruction + KL), estimated with one sample of z per image: other samples
    (--seed, and training's own) change it in the first decimal. With few effective
    samples, below some 100, the error of log p(x) says little.

    examples:
      numpyvae evaluate runs/001
      numpyvae evaluate runs/001 --importance-samples 5000 --json
    """
    from ..training.parallel.threads import set_environment

    set_environment()  # before NumPy is imported: evaluation has threads of its own
    from ..runs.run import Run
    from ..training.evaluation import evaluate
    from ..training.parallel.cores import available_cores
    from ..training.streams import stream

    trained = Run.load(args.run)
    config, options = trained.config, trained.options
    source, images, same = test_data(trained, args)
    if args.class_samples and not config.num_classes:
        raise InputError(
            f"--class-samples {args.class_samples}: {args.run} was trained without "
            "--conditional"
        )
    result = evaluate(
        trained.state.params,
        images,
        config,
        options.binarize,
        stream("evaluate", args.seed),
        args.importance_samples,
        threads=available_cores(),
        progress=console.progress,
        labels=source.test_labels if config.num_classes else None,
        class_samples=args.class_samples,
    )
    result |= {
        "data": str(source),
        "data_of_run": same,
        "classes": source.classes,
        "seed": args.seed,
        "run": args.run,
        "epochs": len(trained.state.history),
        "objective": options.objective,
        "conditions": trained.conditions,
    }
    if args.json:
        console.json(result)
        return 0
    print_results(result, args, config, trained, console)
    return 0


def print_results(
    result: dict, args: Namespace, config, trained, console: Console
) -> None:
    """The values of an evaluation as lines."""
    from ..settings import BINARIZATIONS
    from ..vae.likelihoods import LIKELIHOODS

    console.line(
        f"{result['images']:,} test images of {result['data']}, "
        f"{BINARIZATIONS[result['binarization']]}; nats per image"
    )
    if not result["data_of_run"]:
        console.line(f"not the data that {args.run} was trained on ({trained.source})")
    if LIKELIHOODS[config.likelihood].is_density:
        console.line("the decoder's values are log densities and may be positive")
    console.line(f"  ELBO             {result['elbo']:10.4f}")
    console.line(f"  reconstruction   {result['reconstruction']:10.4f}")
    console.line(f"  KL               {result['kl']:10.4f}")
    if args.importance_samples:
        console.line(log_marginal_line(result))
    console.line(
        f"  active units     {result['active_units']:5d} of {config.latent_dim}"
    )
    if config.num_classes:
        print_classes(result, console)


def print_classes(result: dict, console: Console) -> None:
    """What a model that is told the class makes of it"""
    gain = result["class_gain"]
    console.line(f"  gain by class    {gain:10.4f}   (over a wrong class)")
    if abs(gain) < IGNORED:
        console.line(
            "the bound is the same for a wrong class: the model ignores the class"
        )
    if "accuracy" in result:
        samples = result["class_samples"]
        console.line(
            f"  right by Bayes   {100 * result['accuracy']:10.2f} % ± "
            f"{100 * result['accuracy_se']:.2f}   ({samples:,} samples for each class)"
        )


def log_marginal_line(result: dict) -> str:
    """log p(x), its standard error, and how many samples that error is worth"""
    samples, se = result["importance_samples"], result["log_marginal_se"]
    line = f"  log p(x)         {result['log_marginal']:10.4f}"
    if math.isnan(se):  # one sample
        return f"{line}   (1 importance sample per image)"
    effective = result["effective_sample_size"]
    return (
        f"{line} ± {se:.4f}   ({samples:,} importance samples per image, "
        f"{effective:,.1f} of them effective)"
    )


def test_data(trained, args: Namespace):
    """(data, test images, whether it is the data that the run was trained on)

    The run's own, or --data. InputError if the images do not have the size that the model
    was trained on.
    """
    from ..data.dataset import Dataset

    if args.data is None:
        source = trained.source.load(trained=args.run)
        return source, source.test_images, True
    source = Dataset.open(args.data)
    unknown = trained.source.digest is None and source.pixels == trained.source.pixels
    if source.image_shape != trained.source.image_shape and not unknown:
        rows, columns = source.image_shape
        own_rows, own_columns = trained.source.image_shape
        raise InputError(
            f"{source}: images have {rows} x {columns} pixels, the model in {args.run} has "
            f"{own_rows} x {own_columns} pixels"
        )
    return source, source.test_images, source.digest == trained.source.digest
