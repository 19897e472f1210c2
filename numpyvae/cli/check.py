"""check: judge a learner's functions."""

import json
from argparse import ArgumentParser, Namespace

from .console import Console

HELP = "check exercises: what is right, what is wrong, and which error it is"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path",
        metavar="PATH",
        help="a directory of exercises, or a Python file with functions of their names",
    )
    parser.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        default=[],
        help="the functions to check (default: all of them)",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on standard output"
    )


def run(args: Namespace, console: Console) -> int:
    """Check exercises: each function is right, wrong or not done. For a wrong one: the smallest input for which it is
    wrong, its result, the correct one, and the name of the error if it is known. Exit status 1 if any is wrong.

    examples:
      numpyvae check mine
      numpyvae check mine reparameterize kl_divergence
      numpyvae check my_vae.py --json
    """
    from ..exercises.judge.run import check_functions

    verdicts = check_functions(args.path, args.names)
    wrong = sum(verdict.status == "wrong" for verdict in verdicts)
    if args.json:
        count = {
            status: sum(verdict.status == status for verdict in verdicts)
            for status in ("right", "wrong", "not done")
        }
        console.line(
            json.dumps(
                {"functions": [verdict._asdict() for verdict in verdicts], **count}
            )
        )
    else:
        for line in report(verdicts):
            console.line(line)
    return 1 if wrong else 0


def report(verdicts: list) -> list[str]:
    """The lines for a person: a row per function, and what is wrong below it"""
    lines, width, seen = [], max(len(verdict.name) for verdict in verdicts), set()
    for verdict in verdicts:
        if (
            verdict.problem and not verdict.input
        ):  # nothing could be judged: one line, for all functions of a file
            if verdict.problem not in seen:
                names = [
                    other.name for other in verdicts if other.problem == verdict.problem
                ]
                more = f" and {len(names) - 3} more" if len(names) > 3 else ""
                lines.append(
                    f"wrong     {', '.join(names[:3])}{more}: {verdict.problem}"
                )
            seen.add(verdict.problem)
            continue
        what = verdict.chapter.replace(".", "/")
        if verdict.status == "wrong":
            what = verdict.error or verdict.problem or "none of the known errors"
        lines.append(f"{verdict.status:8}  {verdict.name:{width}}  {what}")
        if verdict.status == "wrong" or verdict.remark:
            lines += [
                f"          {words:9} {value}"
                for words, value in (
                    ("remark", verdict.remark),
                    ("input", verdict.input),
                    ("got", verdict.got),
                    ("expected", verdict.expected),
                    ("published", verdict.published),
                )
                if value
            ]
    counts = {
        status: sum(verdict.status == status for verdict in verdicts)
        for status in ("right", "wrong", "not done")
    }
    following = next(
        (verdict for verdict in verdicts if verdict.status == "not done"), None
    )
    lines.append(
        ", ".join(f"{count} {status}" for status, count in counts.items())
        + (
            f"; next: {following.name} in {following.chapter.replace('.', '/')}.py"
            if following
            else ""
        )
    )
    return lines
