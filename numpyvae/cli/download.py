"""download: fetch MNIST from mirrors and verify it."""

import shlex
from argparse import ArgumentParser, Namespace

from .console import Console

HELP = "download and verify MNIST"
DIRECTORY = "data/mnist"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        metavar="DIR",
        default=DIRECTORY,
        help=f"target directory (default: {DIRECTORY})",
    )
    parser.add_argument(
        "--mirror",
        metavar="URL",
        action="append",
        default=[],
        help="mirror to try first (repeatable)",
    )


def run(args: Namespace, console: Console) -> int:
    """Download MNIST's four files from public mirrors and verify them. Valid files that
    exist are kept.

    examples:
      numpyvae download
      numpyvae download --data somewhere/else
    """
    from ..data.sources.download import MIRRORS, PAYLOADS, download_mnist
    from ..data.sources.fetch import DownloadError

    def progress(name, received, total):
        if total is None:  # the server states none; unpacked the file has this size
            total = max(received, PAYLOADS[name][0])
        console.progress(received, total, "bytes")

    try:
        files = download_mnist(args.data, (*args.mirror, *MIRRORS), progress)
    except DownloadError as error:
        for failure in error.failures:
            console.warn(failure)
        raise
    for file in files:
        for failure in file.failures:
            console.warn(failure)
        console.line(f"{file.path}: verified ({file.source})")
    console.line(
        "Next: numpyvae train"
        + ("" if args.data == DIRECTORY else f" --data {shlex.quote(args.data)}")
    )
    return 0
