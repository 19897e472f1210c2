"""mdp: solve the four-state chain."""

from argparse import ArgumentParser, Namespace

from .arguments import add_json, file_name
from .console import Console

HELP = "solve the four-state chain at each discount factor"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--gamma", type=float, action="append", metavar="G",
                        help="a discount factor, 0 <= G < 1; repeatable (default: 0.1 and 0.99)")
    parser.add_argument("--out", type=file_name(".svg"), metavar="FILE.svg", help="plot the values against the discount factor")
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Solve the four-state chain: optimal policies and values at each discount factor, and where they change.

    examples:
      numpyvae mdp
      numpyvae mdp --gamma 0.3 --gamma 0.4 --json
      numpyvae mdp --out chain.svg
    """
    from ..mdp import chain

    results = chain.report(args.gamma or [0.1, 0.99])
    if args.out is not None:
        from ..pictures.chain import report_svg
        from ..pictures.plots import write_svg

        write_svg(args.out, report_svg())
    if args.json:
        console.json(results)
    else:
        console.line(chain.report_text(results).rstrip())
        if args.out is not None:
            console.line(f"Wrote {args.out}")
    return 0
