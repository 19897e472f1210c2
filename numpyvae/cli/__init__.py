"""The command line: parses, calls, prints. It computes nothing.

Figures and logs go to standard output, progress and warnings to standard error. What a user can get wrong ends in one
line, `numpyvae: error: …`, and exit status 2. An interrupted training run exits with 130 (Ctrl-C) or 143 (SIGTERM).

NumPy is loaded by the command that needs it, so that --help answers at once.
"""

import argparse
import inspect
import sys
from typing import NoReturn

from .. import __version__
from . import commands
from . import train as train_command
from .console import Console

DESCRIPTION = "A variational autoencoder and a small MDP solver from scratch in NumPy."
EPILOG = """examples:
  numpyvae train                     train on the sample of MNIST; pictures and a report in runs/001
  numpyvae evaluate runs/001         how good the model is
  numpyvae COMMAND --help            what a command takes, with examples

exit status: 0; 1 if gradcheck finds a wrong gradient; 2 with one line that says what is wrong; 130 (Ctrl-C) or 143
(SIGTERM) when interrupted, train having saved; 141 if nobody reads the output any more"""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see `{self.prog} --help`)")


def main(argv: list[str] | None = None) -> int:
    console = Console()
    try:
        args = parser().parse_args(argv)
        return args.command(args, console)
    except (ValueError, OSError, ArithmeticError) as error:
        if isinstance(error, BrokenPipeError):  # `numpyvae train | head`: nobody reads any more
            console.abandon_output()
            return 141
        console.clear()
        print("numpyvae: error:", describe(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        console.clear()
        print("numpyvae: interrupted", file=sys.stderr)
        return 130


def describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def parser() -> argparse.ArgumentParser:
    top = Parser("numpyvae", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"numpyvae {__version__}")
    subparsers = top.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    def command(function, name, help):
        sub = subparsers.add_parser(name, help=help, description=inspect.cleandoc(function.__doc__), allow_abbrev=False,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
        sub.set_defaults(command=function)
        return sub

    def say(default):
        if default is None:
            return ""
        return f"(default: {' '.join(map(str, default)) if isinstance(default, tuple) else default})"

    p = command(train_command.train, "train", "train a model; with no option, on the sample of MNIST in data/sample")
    p.add_argument("--data", metavar="DIR", help="directory of IDX files (default: $NUMPYVAE_DATA, data/mnist, data/sample)")
    p.add_argument("--out", metavar="DIR", help="folder for the results, new or empty (default: runs/NNN, the next free number)")
    p.add_argument("--resume", metavar="RUN", help="go on with an interrupted run, or with more --epochs")
    p.add_argument("--preset", choices=tuple(train_command.PRESETS), help="burda: the recipe of Burda et al. 2016; other options override it")
    for name, kind, what in (
            ("hidden_dims", int, "sizes of the hidden layers; none: a linear model"), ("latent_dim", int, "number of latents"),
            ("activation", ("relu", "tanh"), "of the hidden layers"),
            ("likelihood", ("bernoulli", "normal"), "the decoder: p(x|z)"),
            ("logvar_x", float, "the normal decoder's log variance; learned unless given"),
            ("beta", float, "weight of the KL"), ("epochs", int, "passes over the images"),
            ("batch_size", int, "images a step"), ("lr", float, "Adam's step size"), ("seed", int, "of all randomness"),
            ("num_samples", int, "samples of z an image"),
            ("objective", ("elbo", "iwae"), "the bound, or the importance-weighted bound"),
            ("binarize", ("none", "threshold", "dynamic"), "grey pixels, or 0 and 1"),
            ("schedule", ("constant", "burda"), "the learning rate over the epochs"),
            ("decay_epochs", int, "the last epochs, over which the learning rate falls, to end just above 0")):
        more = {"choices": kind} if isinstance(kind, tuple) else {"type": kind, "metavar": "N" if kind is int else "X"}
        flag = {"hidden_dims": "hidden", "latent_dim": "latent", "num_samples": "samples"}.get(name, name)
        p.add_argument("--" + flag.replace("_", "-"), dest=name, help=f"{what} {say(train_command.DEFAULTS[name])}".rstrip(),
                       nargs="*" if name == "hidden_dims" else None, default=argparse.SUPPRESS, **more)
    p.add_argument("--checkpoint-every", type=int, metavar="N", help="save every N batches, too (default: every epoch only)")
    p.add_argument("--log-interval", type=int, default=100, metavar="N", help="a log line every N batches (default: 100)")
    p.add_argument("--processes", type=int, choices=(1, 2), help="share each step out between two (default: 2 on Linux with 2 cores or more, else 1)")
    p.add_argument("--quiet", action="store_true", help="no log on standard output")

    p = command(commands.evaluate, "evaluate", "score a trained model on the test images")
    p.add_argument("checkpoint", metavar="CHECKPOINT", help="a run's folder, or its checkpoint.npz")
    p.add_argument("--data", metavar="DIR", help="directory of IDX files (default: as for train)")
    p.add_argument("--importance-samples", type=int, default=0, metavar="K", help="estimate log p(x) with K samples an image")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="(default: 1)")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output")

    p = command(commands.report, "report", "make a run's page, report.html, again")
    p.add_argument("run", metavar="RUN", help="a run's folder")
    p.add_argument("--data", metavar="DIR", help="where its data is now (default: where it was)")

    p = command(commands.sample, "sample", "draw digits from a trained model")
    p.add_argument("checkpoint", metavar="CHECKPOINT", help="a run's folder, or its checkpoint.npz")
    p.add_argument("--out", metavar="FILE.png", required=True, help="the picture to write")
    p.add_argument("--count", type=int, default=64, metavar="N", help="how many, in rows of 8 (default: 64)")
    kind = p.add_mutually_exclusive_group()
    kind.add_argument("--reconstruct", action="store_true", help="test images above their reconstructions")
    kind.add_argument("--manifold", action="store_true", help="a map of a 2-D latent space")
    kind.add_argument("--interpolate", action="store_true", help="from one test image to another, in 8 steps")
    p.add_argument("--data", metavar="DIR", help="directory of IDX files (default: as for train)")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="(default: 1)")

    p = command(commands.download, "download", "fetch and verify MNIST")
    p.add_argument("--data", metavar="DIR", default="data/mnist", help="where to (default: data/mnist)")
    p.add_argument("--mirror", metavar="URL", action="append", default=[], help="try this one first; repeatable")

    p = command(commands.gradcheck, "gradcheck", "check every gradient against independent arithmetic")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output")

    p = command(commands.mdp, "mdp", "solve the four-state chain at each discount")
    p.add_argument("--gamma", type=float, action="append", metavar="G", help="a discount, 0 <= G < 1; repeatable (default: 0.1 and 0.99)")
    p.add_argument("--out", metavar="FILE.svg", help="draw the values against the discount")
    p.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return top
