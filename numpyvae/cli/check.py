"""check: judge a learner's functions."""

import json
import os
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..errors import InputError
from .console import Console

HELP = "check exercises: what is right, what is wrong, and which error it is"
LOOK_SECONDS = 0.3  # between two looks at the files, with --watch


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
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
    parser.add_argument(
        "--watch",
        action="store_true",
        help="check again whenever a file is saved, until Ctrl-C",
    )
    parser.add_argument(
        "--hint",
        metavar="NAME",
        help="the first hint to a function, and with NAME:2 the second: its formula",
    )


def run(args: Namespace, console: Console) -> int:
    """Check exercises: each function is right, wrong or not done. For a wrong one: the
    smallest input for which it is wrong, its result, the correct one, and the name of
    the error if it is known. Exit status 1 if any is wrong.

    A function that is correct on paper and loses digits is right, with a remark. The
    check is a teacher, not an examiner: code that attacks it can forge a verdict.

    examples:
      numpyvae check mine
      numpyvae check mine reparameterize kl_divergence
      numpyvae check mine --watch
      numpyvae check --hint kl_divergence
      numpyvae check my_vae.py --json
    """
    if args.hint is not None:
        return print_hint(args.hint, console)
    if args.path is None:
        raise InputError("check needs PATH, a directory of exercises or a Python file")
    if not args.watch:
        return check(args.path, args.names, args.json, console)
    if args.json:
        raise InputError("--watch prints again and again; --json is one object")
    return watch(args.path, args.names, console)


def check(path: str, names: list[str], as_json: bool, console: Console) -> int:
    """Print the verdicts; the exit status"""
    from ..exercises.judge.run import check_functions

    verdicts = check_functions(path, names)
    wrong = sum(verdict.status == "wrong" for verdict in verdicts)
    if as_json:
        count = {
            status: sum(verdict.status == status for verdict in verdicts)
            for status in ("right", "wrong", "not done")
        }
        functions = [verdict._asdict() for verdict in verdicts]
        console.line(json.dumps({"functions": functions, **count}))
    else:
        for line in report(verdicts):
            console.line(line)
    return 1 if wrong else 0


def watch(path: str, names: list[str], console: Console) -> int:
    """Check, and again after each change of a file, until Ctrl-C."""
    status = 0
    try:
        while True:
            seen = saved(path)
            try:
                status = check(path, names, False, console)
            except (InputError, OSError) as error:  # an editor may be writing the file
                console.warn(str(error))
            console.line(f"{path} is watched: save a file to check again, Ctrl-C ends")
            while saved(path) == seen:
                time.sleep(LOOK_SECONDS)
            console.line("")
    except KeyboardInterrupt:
        return status


def saved(path: str) -> dict[str, tuple[int, int]]:
    """Of each Python file: when it was saved, and its size"""
    found = {}
    files = sorted(Path(path).rglob("*.py")) if os.path.isdir(path) else [Path(path)]
    for file in files:
        try:
            information = file.stat()
        except OSError:  # gone for a moment, while an editor replaces it
            continue
        found[str(file)] = information.st_mtime_ns, information.st_size
    return found


def print_hint(request: str, console: Console) -> int:
    """Print one hint; request: NAME, or NAME:2 for the second"""
    from ..exercises.hints import hints
    from ..exercises.judge.sources import require_exercise

    name, _, number = request.partition(":")
    require_exercise(name)
    texts = hints(name)
    if number not in ("", *map(str, range(1, len(texts) + 1))):
        raise InputError(f"{name} has {len(texts)} hints; --hint {name}:{len(texts)}")
    k = int(number or 1)
    console.line(f"{name}, hint {k} of {len(texts)}:")
    console.line("")
    console.line(texts[k - 1])
    if k < len(texts):
        console.line("")
        console.line(f"the next one, the formula: numpyvae check --hint {name}:{k + 1}")
    return 0


def report(verdicts: list) -> list[str]:
    """The lines for a person: a row per function, what is wrong below it, and what to
    do next. A chapter that is not begun is one row."""
    from ..exercises.judge.verdict import summary

    lines: list[str] = []
    width = max(len(verdict.name) for verdict in verdicts)
    seen = set()
    idle = not_begun(verdicts)
    for verdict in verdicts:
        if verdict.problem and not verdict.input:
            # Nothing could be judged: one line, for all functions of a file.
            if verdict.problem not in seen:
                lines.append(broken_file(verdict.problem, verdicts))
            seen.add(verdict.problem)
        elif verdict.chapter in idle:
            if verdict.chapter not in seen:
                lines.append(not_begun_line(verdict.chapter, verdicts))
            seen.add(verdict.chapter)
        else:
            lines += rows(verdict, width)
    chapters = by_chapter(verdicts)
    return [*lines, *chapters, summary(verdicts)]


def rows(verdict, width: int) -> list[str]:
    """A row for one function, and what is wrong or remarked below it"""
    what = verdict.chapter.replace(".", "/")
    if verdict.status == "wrong":
        what = verdict.error or verdict.problem or "none of the known errors"
    lines = [f"{verdict.status:8}  {verdict.name:{width}}  {what}"]
    problem = verdict.problem if verdict.error else ""
    for label, value in (
        ("problem", problem),
        ("remark", verdict.remark),
        ("input", verdict.input),
        ("got", verdict.got),
        ("expected", verdict.expected),
        ("published", verdict.published),
    ):
        if value:
            lines.append(f"          {label:9} {value}")
    return lines


def broken_file(problem: str, verdicts: list) -> str:
    """One line for all functions of a file that cannot be judged"""
    names = [verdict.name for verdict in verdicts if verdict.problem == problem]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"wrong     {', '.join(names[:3])}{more}: {problem}"


def not_begun(verdicts: list) -> set[str]:
    """The chapters of several functions of which none is done"""
    chapters = [verdict.chapter for verdict in verdicts]
    begun = {verdict.chapter for verdict in verdicts if verdict.status != "not done"}
    return {name for name in chapters if chapters.count(name) > 1} - begun


def not_begun_line(chapter: str, verdicts: list) -> str:
    """One line for a chapter of which nothing is done"""
    names = [verdict.name for verdict in verdicts if verdict.chapter == chapter]
    more = ", …" if len(names) > 3 else ""
    file = chapter.replace(".", "/")
    return f"not done  {file}: {len(names)} functions, {', '.join(names[:3])}{more}"


def by_chapter(verdicts: list) -> list[str]:
    """A line per chapter that is begun: how many are right, and which is next"""
    done = [verdict.chapter for verdict in verdicts if verdict.status != "not done"]
    begun = list(dict.fromkeys(done))
    if len({verdict.chapter for verdict in verdicts}) == 1:
        return []
    width = max((len(name) for name in begun), default=0)
    lines = []
    for name in begun:
        mine = [verdict for verdict in verdicts if verdict.chapter == name]
        left = [verdict.name for verdict in mine if verdict.status != "right"]
        right = len(mine) - len(left)
        text = f"{name.replace('.', '/'):{width}}  {right} of {len(mine)}"
        lines.append(text + (f"; next: {left[0]}" if left else ""))
    return lines
