"""The name of an error: a known one, a family, or two known ones together.

Ordinary trials decide. A delicate one may be failed for another reason as well.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..table import package_function
from . import families
from .families import Case
from .outputs import Failure, equal


class Name(NamedTuple):
    """An error in words, and where it was published"""

    words: str
    published: str = ""


class Namer:
    """Finds the name of the error that a wrong function makes.

    run(trial, f, functions) -> outputs; names(trial) -> the names of the outputs
    """

    def __init__(
        self,
        trials: Sequence,
        outputs: list,
        failed: list[bool],
        errors: Iterable,
        run: Callable,
        names: Callable,
    ):
        self.trials, self.outputs, self.failed = trials, outputs, failed
        self.run, self.names = run, names
        self.errors = list(errors)
        self.theirs: dict[tuple[int, int], Any] = {}

    def of_error(self, e: int, t: int) -> tuple | Failure:
        """The outputs of known error e on trial t, computed when they are asked for"""
        if (e, t) not in self.theirs:
            error = self.errors[e]
            outputs = self.run(self.trials[t], error.function, error.functions)
            self.theirs[e, t] = outputs
        return self.theirs[e, t]

    def known(self, agrees: Callable) -> Name | None:
        """The first known error for which agrees(trial, a, b, wrong) in every trial"""
        mine = list(zip(self.trials, self.outputs, self.failed, strict=True))
        for e, error in enumerate(self.errors):
            if all(
                agrees(trial, output, self.of_error(e, t), wrong)
                for t, (trial, output, wrong) in enumerate(mine)
            ):
                return Name(error.words, error.published)
        return None

    def find(self, f: Callable, functions: Callable, name: str) -> Name | None:
        """The name of the error of f, the exercise `name`"""
        found = self.known(agrees_on_all) or self.known(agrees_on_ordinary)
        if found:
            return found
        cases = self.cases()
        if not any(case.wrong for case in cases):
            return None
        words = self.family(cases, f, functions, name)
        return Name(words) if words else None

    def cases(self) -> list[Case]:
        """The ordinary trials"""
        return [
            Case(trial, output, _arrays(trial), wrong)
            for trial, output, wrong in zip(
                self.trials, self.outputs, self.failed, strict=True
            )
            if not trial.delicate
        ]

    def family(
        self, cases: list[Case], f: Callable, functions: Callable, name: str
    ) -> str:
        """The words of the first family, in order of what they say"""
        own = package_function(name)
        count = len(cases[0].expected)
        double = [case for case in cases if not case.single]
        # Trials of another number of outputs ask for moments, or for a cache's use.
        if "params" not in cases[0].trial.inputs:
            double = [case for case in double if len(case.expected) == count]
        words = self.ignored(double, f, functions, own)
        words = words or families.single_inside(double)
        related = families.relation(double, lambda case: self.names(case.trial))
        if related and not related.startswith("wrong: "):
            words = words or related
        words = words or families.mistaken(self.right(own), double)
        return words or self.two(double) or families.right_where(cases) or related

    def ignored(
        self, cases: list[Case], f: Callable, functions: Callable, own: Callable
    ) -> str:
        """An ignored argument, seen in the largest trial"""
        candidates = [
            case
            for case in cases
            if case.wrong and case.direct and not isinstance(case.output, Failure)
        ]
        if not candidates:
            return ""

        def run(trial: Any, inputs: dict) -> Any:
            return self.run(trial._replace(inputs=inputs), f, functions)

        return families.ignored(run, self.right(own), candidates[-1])

    def right(self, own: Callable) -> Callable:
        """(trial, other inputs) -> the outputs of the package's function"""
        return lambda trial, inputs: self.run(
            trial._replace(inputs=inputs), own, package_function
        )

    def two(self, cases: list[Case]) -> str:
        """Two known errors together: their deviations add up; or one, times a factor"""
        if any(isinstance(case.output, Failure) for case in cases):
            return ""
        index = [
            t
            for t, trial in enumerate(self.trials)
            if any(trial is case.trial for case in cases)
        ]
        known = []
        for e, error in enumerate(self.errors):
            theirs = [self.of_error(e, t) for t in index]
            if _usable(theirs, cases):
                known.append((error, theirs))
        for error, theirs in known:
            words = _times(cases, theirs)
            if words:
                return f"two errors at once: {error.words}; and {words}"
        for (first, a), (second, b) in itertools.combinations(known, 2):
            if all(map(_sum_agrees, cases, a, b)):
                return f"two errors at once: {first.words}; and {second.words}"
        return ""


def agrees_on_all(trial: Any, mine: Any, theirs: Any, wrong: bool) -> bool:
    """Whether two outputs of one trial agree.

    Two implementations of one error need not agree on a delicate trial to the last
    digit. They have to fail the same delicate trials, and agree on all others.
    """
    if equal(_arrays(trial), theirs, trial.rtol, trial.atol) == wrong:
        return False
    return trial.delicate or equal(mine, theirs, max(trial.rtol, 1e-7), trial.atol)


def agrees_on_ordinary(trial: Any, mine: Any, theirs: Any, wrong: bool) -> bool:
    """Whether two outputs of one trial agree, if the trial is ordinary"""
    return trial.delicate or agrees_on_all(trial, mine, theirs, wrong)


def agrees_exactly(trial: Any, mine: Any, theirs: Any, wrong: bool) -> bool:
    """Whether two outputs of one trial agree, of a delicate trial as well"""
    return equal(mine, theirs, max(trial.rtol, 1e-7), trial.atol)


def _arrays(trial: Any) -> tuple:
    expected = trial.expected
    values = expected if isinstance(expected, tuple) else (expected,)
    return tuple(map(np.asarray, values))


def _usable(theirs: list, cases: list[Case]) -> bool:
    """Whether an error has outputs of the right shapes, and one of them is wrong"""
    for output, case in zip(theirs, cases, strict=True):
        if isinstance(output, Failure):
            return False
        if any(a.shape != b.shape for a, b in zip(output, case.expected, strict=True)):
            return False
    return not all(
        equal(case.expected, output, *case.tolerance)
        for output, case in zip(theirs, cases, strict=True)
    )


def _times(cases: list[Case], theirs: list) -> str:
    """Words for the factor by which the outputs are larger than those of an error"""
    found: set[str] | None = None
    for case, output in zip(cases, theirs, strict=True):
        here = {
            words.replace("what is right", "that")
            for words, factor in families.factors(case.trial.inputs)
            if equal(
                tuple(factor * array for array in output),
                case.output,
                *case.tolerance,
            )
        }
        found = here if found is None else found & here
    return " or ".join(sorted(found or (), key=len)[:2])


def _sum_agrees(case: Case, a: tuple, b: tuple) -> bool:
    with np.errstate(all="ignore"):
        total = tuple(
            x + y - right for x, y, right in zip(a, b, case.expected, strict=True)
        )
    return equal(total, case.output, *case.tolerance)
