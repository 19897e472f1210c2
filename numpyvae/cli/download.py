"""The command `download`."""

HELP = "download and verify MNIST"


def add_arguments(parser):
    parser.add_argument("--data", metavar="DIR", default="data/mnist", help="target directory (default: data/mnist)")
    parser.add_argument("--mirror", metavar="URL", action="append", default=[], help="mirror to try first (repeatable)")


def run(args, console) -> int:
    """Download MNIST's four files from public mirrors and verify them. Valid files that exist are kept.

    examples:
      numpyvae download
      numpyvae download --data somewhere/else
      numpyvae download --mirror https://example.org/mnist/
    """
    import shlex

    from ..data.download import MIRRORS, download_mnist

    def progress(name, received, total):
        console.progress(received, total or 1, "bytes")

    for file in download_mnist(args.data, (*args.mirror, *MIRRORS), progress):
        for failure in file.failures:
            console.warn(failure)
        console.line(f"{file.path}: verified ({file.source})")
    option = "" if args.data == "data/mnist" else f" --data {shlex.quote(args.data)}"
    console.line(f"Now: numpyvae train{option}")
    return 0
