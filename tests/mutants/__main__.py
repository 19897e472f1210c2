"""Random mutants: small wrong changes anywhere in the package, chosen by a seed; how many of them do the tests see?

    python -m tests.mutants --seed 1 --count 100            anywhere
    python -m tests.mutants --seed 1 --count 50 vae/ mdp/   in these directories or modules

A change is one of: + for −, × for /, operands of @ exchanged, .T dropped, < for ≤, and for or, a number one larger, True
for False, a call or an assignment dropped. The tests of the module run first, then those of its directory. A mutant that
survives is printed with its line: it is a missing test, or it changes nothing that can be observed. One whose tests were
stopped because they took too long counts as killed, and is printed as well: on a machine with other work, judge it again.
"""

import argparse
import ast
import random
import sys
import time
from functools import partial
from itertools import islice
from pathlib import Path

from .processes import results
from .run import KILLED, TESTS, configure, run, shard

PACKAGE = TESTS.parent / "numpyvae"
SWAPS = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.And: "or",
    ast.Or: "and",
    ast.FloorDiv: "/",
    ast.Mod: "*",
}


def mutants(source):
    """(what, line, start, stop, new text) of every change, by offsets into the source"""
    tree, starts = ast.parse(source), line_starts(source)

    def place(node):
        return offset(source, starts, node.lineno, node.col_offset), offset(
            source, starts, node.end_lineno, node.end_col_offset
        )

    skipped = {
        id(inner)
        for node in ast.walk(tree)
        for field in ("annotation", "returns")
        if getattr(node, field, None) is not None
        for inner in ast.walk(getattr(node, field))
    }
    for node in ast.walk(tree):
        if id(node) in skipped or (
            not hasattr(node, "lineno") and not isinstance(node, ast.BoolOp)
        ):
            continue
        if isinstance(node, (ast.BinOp, ast.Compare, ast.BoolOp)):
            parts = {
                ast.BinOp: lambda: (node.left, node.op, node.right),
                ast.Compare: lambda: (node.left, node.ops[0], node.comparators[0]),
                ast.BoolOp: lambda: (node.values[0], node.op, node.values[1]),
            }[type(node)]()
            left, operator, right = parts
            if type(operator) in SWAPS and not is_text(left) and not is_text(right):
                between = place(left)[1], place(right)[0]
                text = source[slice(*between)]
                symbol = (
                    text.strip().strip("()").split()[0]
                    if text.strip().strip("()").split()
                    else ""
                )
                if symbol and text.count(symbol) == 1:
                    yield (
                        f"{symbol} → {SWAPS[type(operator)]}",
                        node.lineno,
                        *between,
                        text.replace(symbol, SWAPS[type(operator)]),
                    )
            if isinstance(operator, ast.MatMult):
                (a, b), (c, d) = place(left), place(right)
                yield (
                    "operands of @ exchanged",
                    node.lineno,
                    a,
                    d,
                    source[c:d] + source[b:c] + source[a:b],
                )
        elif isinstance(node, ast.Attribute) and node.attr == "T":
            yield ".T dropped", node.lineno, place(node.value)[1], place(node)[1], ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield (
                f"{node.value} → {not node.value}",
                node.lineno,
                *place(node),
                str(not node.value),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            yield (
                f"{node.value} → {node.value + 1}",
                node.lineno,
                *place(node),
                repr(node.value + 1),
            )
        elif isinstance(node, ast.AugAssign) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            yield "statement dropped", node.lineno, *place(node), "pass"


def is_text(node):
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def line_starts(source):
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def offset(source, starts, line, column):
    """ast counts a column in UTF-8 bytes"""
    text = source[starts[line - 1] : starts[line]]
    return starts[line - 1] + len(text.encode()[:column].decode())


def tests_of(path):
    """The module's own test files, and the others of its directory"""
    name, directory = path.stem, TESTS / path.parent
    if directory == TESTS or not any(directory.glob("test_*.py")):
        return [
            f"test_{name}.py" if (TESTS / f"test_{name}.py").exists() else "cli runs"
        ]
    own = {file for file in directory.glob("test_*.py") if name in file.stem}
    others = set(directory.glob("test_*.py")) - own
    return [
        " ".join(sorted(str(file.relative_to(TESTS)) for file in files))
        for files in (own, others)
        if files
    ]


def job_of(found):
    """(file, what, line, old text, new text, tests), or None if the new text is no program"""
    name, source, tests, what, line, start, stop, new = found
    changed = source[:start] + new + source[stop:]
    try:
        compile(changed, name, "exec")
    except SyntaxError:
        return None
    return name, what, line, source, changed, tests


def test_one(job, round_, seconds):
    """(result, output) of the tests of the module, in the next round of those of its directory"""
    name, _, _, old, new, selections = job
    return run(((name, old, new),), selections[round_], seconds)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "places",
        nargs="*",
        help="beginnings of paths inside the package (default: all)",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument(
        "--shard",
        type=shard,
        default=slice(None),
        metavar="I/N",
        help="each N-th only, from the I-th",
    )
    parser.add_argument(
        "--seconds",
        type=int,
        default=120,
        help="for one run of tests (default: %(default)s)",
    )
    args = parser.parse_args()
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name, source = str(path.relative_to(PACKAGE)), path.read_text("utf-8")
        if not args.places or name.startswith(tuple(args.places)):
            tests = tests_of(Path(name))
            found += ((name, source, tests, *mutant) for mutant in mutants(source))
    random.Random(args.seed).shuffle(found)
    chosen = [*islice(filter(None, map(job_of, found)), args.count)][args.shard]
    started, left = time.perf_counter(), [*chosen]
    configure()
    for round_ in range(2):
        jobs = [job for job in left if len(job[-1]) > round_]
        for job, (result, _) in results(
            partial(test_one, round_=round_, seconds=args.seconds), jobs, args.seconds
        ):
            last = round_ == len(job[-1]) - 1
            if result in KILLED:
                left.remove(job)
            if (last and result == "survived") or result not in ("survived", "killed"):
                name, what, line, *_ = job
                print(f"{result:8}  {name}:{line}  {what}", flush=True)
    print(
        f"seed {args.seed}: {len(chosen) - len(left)} of {len(chosen)} random mutants killed, of {len(found)} possible, "
        f"in {time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
