"""Random mutants: small wrong changes, chosen by a seed; how many do the tests see?

    python -m tests.mutants --seed 1 --count 100            anywhere
    python -m tests.mutants --seed 1 --count 50 vae/ mdp/   in these

operators.py has the changes: another operator or number, a statement, a keyword, a .T
or a .copy() dropped, arguments or strings exchanged, a bound moved. The module's own
test file runs first, then those of its folder. A mutant that survives is printed with
its line: it is a missing test, or it changes nothing that can be observed; such ones
are listed in equivalent.py, by function and operator, and left out. One whose tests
were stopped because they took too long counts as killed, and is printed as well: on a
machine with other work, judge it again.
"""

import argparse
import random
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from .equivalent import EQUIVALENT
from .operators import Mutant, mutants
from .processes import results
from .run import KILLED, TESTS, configure, run, shard

PACKAGE = TESTS.parent / "numpyvae"


class Job(NamedTuple):
    """A mutant of a module, and the selections of tests that are to see it"""

    module: str
    mutant: Mutant
    source: str
    selections: list[str]

    @property
    def changed(self) -> str:
        """The module's text with the change"""
        *_, start, stop, new = self.mutant
        return self.source[:start] + new + self.source[stop:]

    @property
    def is_program(self) -> bool:
        """Whether the changed text can be compiled"""
        try:
            compile(self.changed, self.module, "exec")
        except SyntaxError:
            return False
        return True


def tests_of(module: Path) -> list[str]:
    """Selections of tests: the module's own test file, then the others of its folder

    Where its folder has no tests the parent's are meant.
    """
    folder = TESTS / module.parent
    while folder != TESTS and not any(folder.glob("test_*.py")):
        folder = folder.parent
    if folder == TESTS:
        own = TESTS / f"test_{module.stem}.py"
        return [own.name if own.exists() else "cli runs"]
    files = {*folder.glob("test_*.py")}
    own = {file for file in files if module.stem in file.stem}
    return [
        " ".join(sorted(str(file.relative_to(TESTS)) for file in selection))
        for selection in (own, files - own)
        if selection
    ]


def possible(places: list[str]) -> list[Job]:
    """Every mutant of the package, or of the modules whose path begins so"""
    jobs = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module, source = str(path.relative_to(PACKAGE)), path.read_text("utf-8")
        if places and not module.startswith(tuple(places)):
            continue
        selections = tests_of(Path(module))
        for mutant in mutants(source):
            if (module, mutant.function, mutant.operator) not in EQUIVALENT:
                jobs.append(Job(module, mutant, source, selections))
    return jobs


def sample(jobs: list[Job], seed: int, count: int) -> list[Job]:
    """Programs in an order that the seed gives; the families of operators take turns"""
    random.Random(seed).shuffle(jobs)
    families = {}
    for job in jobs:
        families.setdefault(job.mutant.family, []).append(job)
    chosen = []
    while len(chosen) < count and any(families.values()):
        for family in families.values():
            if family and (job := family.pop()).is_program:
                chosen.append(job)
    return chosen[:count]


def test_one(job: Job, round_: int, seconds: int) -> tuple:
    """(result, output) of one of the job's selections of tests"""
    edit = job.module, job.source, job.changed
    return run((edit,), job.selections[round_], seconds)


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
    jobs = possible(args.places)
    chosen = sample(jobs, args.seed, args.count)[args.shard]
    started, left = time.perf_counter(), [*chosen]
    configure()
    for round_ in range(2):
        now = [job for job in left if len(job.selections) > round_]
        test = partial(test_one, round_=round_, seconds=args.seconds)
        for job, (result, _) in results(test, now, args.seconds):
            last = round_ == len(job.selections) - 1
            if result in KILLED:
                left.remove(job)
            if (last and result == "survived") or result not in ("survived", "killed"):
                mutant = job.mutant
                place = f"{job.module}:{mutant.line}  {mutant.function or 'module'}"
                print(f"{result:8}  {place}  {mutant.operator}", flush=True)
    killed = len(chosen) - len(left)
    rate = 100 * killed / max(1, len(chosen))
    seconds = time.perf_counter() - started
    print(
        f"seed {args.seed}: {killed} of {len(chosen)} mutants killed ({rate:.0f}%), "
        f"of {len(jobs)} possible, in {seconds:.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
