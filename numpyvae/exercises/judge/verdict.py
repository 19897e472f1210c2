"""The judgment of one function: its outputs on a list of trials, and an oracle's.

A trial is an input and the correct output. An oracle has computed that output without
the package's code. Trials stand in order of size, so the first that fails is the
smallest failing input.

A trial is `delicate` if a formula that is correct on paper may fail it, by rounding or
overflow. A function that fails delicate trials only is right, and the verdict has a
remark: where digits are lost, and the form that keeps them. There is one exception.
If training reaches the input of the trial (`reached`), the function has to return a
number there that is right up to rounding.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ..table import BY_NAME
from .naming import Namer, agrees_exactly
from .outputs import (
    Failure,
    Unusable,
    call_text,
    copied,
    digits_that_differ,
    equal,
    kind_of,
    number_text,
    read_outputs,
    same,
    wrong_entries,
)
from .remarks import remark
from .returns import output_names
from .watch import Watched


class Trial(NamedTuple):
    """One input and its correct output.

    inputs     argument name -> value
    expected   the outputs: an array or number, or a tuple of them
    call       call(f, functions, *values of inputs) -> the outputs; by default
               f(*values). `functions` looks a name up among the learner's functions,
               or the package's.
    rtol       tolerance of each entry, relative to it; plus a thousandth of that,
               relative to the largest entry
    atol       absolute tolerance, in addition
    text       the input in words; by default f(name=value, …)
    delicate   see above
    changes    names of arguments that may be changed
    reached    whether training reaches the input of a delicate trial
    outputs    the names of the outputs, if they are not those of returns.py
    """

    inputs: dict
    expected: Any
    call: Callable | None = None
    rtol: float = 1e-9
    atol: float = 0.0
    text: str = ""
    delicate: bool = False
    changes: tuple[str, ...] = ()
    reached: bool = False
    outputs: tuple[str, ...] = ()


class NotDone(Exception):
    """The function's body is still missing."""


class Verdict(NamedTuple):
    """The verdict on one function.

    status     "right", "wrong" or "not done"
    input      the smallest input for which it is wrong, or where it loses digits
    got        its output there
    expected   the correct output
    error      the error that it makes, in words; empty if it is no known one
    problem    what happened instead of an output: an exception, a changed argument,
               no end, a file that cannot be imported
    published  where that error was published, if it was
    remark     for a function that is right: where it loses digits, and what keeps them
    """

    name: str
    chapter: str
    status: str
    input: str = ""
    got: str = ""
    expected: str = ""
    error: str = ""
    problem: str = ""
    published: str = ""
    remark: str = ""


class Verdicts(list[Verdict]):
    """A list of verdicts, which a notebook shows as a table"""

    def _repr_html_(self) -> str:
        rows = [
            _html_row("th", ("", "function", "chapter", "what was found")),
            *(_html_row("td", _cells(verdict)) for verdict in self),
        ]
        return f"<table>{''.join(rows)}</table><p>{escape(summary(self))}</p>"


def _cells(verdict: Verdict) -> tuple[str, ...]:
    found = verdict.error or verdict.problem or verdict.remark
    labels = ("input", "got", "expected")
    shown = [f"{label}: {getattr(verdict, label)}" for label in labels]
    details = [text for text in shown if not text.endswith(": ")]
    chapter = verdict.chapter.replace(".", "/")
    return verdict.status, verdict.name, chapter, "\n".join([found, *details]).strip()


def _html_row(tag: str, cells: Iterable[str]) -> str:
    style = "text-align: left; white-space: pre-wrap"
    texts = (f'<{tag} style="{style}">{escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{''.join(texts)}</tr>"


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many are right, wrong and not done, and what to do next"""
    of = Counter(verdict.status for verdict in verdicts)
    text = f"{of['right']} of {len(verdicts)} right"
    if of["wrong"]:
        text += f", {of['wrong']} wrong"
    if of["not done"]:
        text += f", {of['not done']} not done"
    open_ones = [verdict for verdict in verdicts if verdict.status != "right"]
    if not open_ones:
        return text
    following = open_ones[0]
    file = following.chapter.replace(".", "/")
    return f"{text}; next: {following.name} in {file}.py"


def judge(
    name: str,
    f: Callable,
    functions: Callable,
    trials: Sequence[Trial],
    errors: Iterable,
) -> Verdict:
    """Judge f, the exercise `name`. errors: the known errors of this function."""
    verdict = partial(Verdict, name, BY_NAME[name].chapter)
    try:
        outputs = [run(trial, f, functions, names_of(name, trial)) for trial in trials]
    except NotDone:
        return verdict("not done")
    pairs = list(zip(trials, outputs, strict=True))
    failed = [not correct(trial, output) for trial, output in pairs]
    if not any(failed):
        return verdict("right")
    wrong = [
        fails and not forgiven(trial, output)
        for (trial, output), fails in zip(pairs, failed, strict=True)
    ]
    status = "wrong" if any(wrong) else "right"
    first = wrong.index(True) if any(wrong) else failed.index(True)
    trial, output = pairs[first]
    named = partial(names_of, name)
    namer = Namer(trials, outputs, failed, errors, run, named)
    got, expected = describe(output, trial, named(trial))
    found = verdict(
        status,
        trial.text or call_text(name, trial.inputs),
        got,
        expected,
    )
    if status == "right":
        known = namer.known(agrees_exactly)
        words = known.words if known else ""
        return found._replace(
            remark=remark(name, words, output, expected_arrays(trial))
        )
    error = namer.find(f, functions, name)
    return found._replace(
        error=error.words if error else "",
        problem=output.message if isinstance(output, Failure) else "",
        published=error.published if error else "",
    )


def names_of(name: str, trial: Trial) -> tuple[str, ...]:
    """The names of the outputs of one trial"""
    count = len(expected_arrays(trial))
    return trial.outputs or output_names(name, trial.inputs, count)


def forgiven(trial: Trial, output: tuple | Failure) -> bool:
    """Whether a formula that is correct on paper may give this output."""
    if not trial.delicate or isinstance(output, Failure):
        return False
    if not trial.reached:
        return True
    single = any(
        getattr(value, "dtype", None) == np.float32 for value in trial.inputs.values()
    )
    rounding = 1e3 * float(np.finfo(np.float32 if single else np.float64).eps)
    return equal(expected_arrays(trial), output, rounding, rounding)


def run(
    trial: Trial, f: Callable, functions: Callable, names: tuple[str, ...] = ()
) -> tuple | Failure:
    """The outputs of f on one trial, as a tuple of arrays; or a Failure.

    names: of the outputs. NotDone if f refuses because it is not written yet.
    """
    inputs = {name: copied(value) for name, value in trial.inputs.items()}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if trial.call is None:
                result = f(*inputs.values())
            else:
                result = trial.call(f, functions, *inputs.values())
    except NotImplementedError:
        raise NotDone from None
    except Unusable as error:
        return Failure("type", str(error))
    except SystemExit:
        return Failure("SystemExit", "calls sys.exit")
    except BaseException as error:  # noqa: BLE001 (whatever a learner's code raises)
        words = " ".join(f"raises {type(error).__name__}: {error}".split())[:200]
        _, passed, reader = trial.text.partition(":")[0].partition("passed to ")
        if isinstance(f, Watched) and f.running:
            words += f.cache_text()
        elif isinstance(f, Watched) and passed:
            words = f"its cache cannot be read by {reader}, which {words}"
        return Failure(type(error).__name__, words)
    for name, value in inputs.items():
        if name not in trial.changes and not same(value, trial.inputs[name]):
            if isinstance(f, Watched):
                name = f.name_of(value, name)
            return Failure("changed", f"changes its argument {name}")
    return read_outputs(result, trial.expected, names)


def parts(result: Any, count: int | None, what: str) -> tuple:
    """The parts of a returned tuple.

    Unusable unless it has `count` parts, or, if count is None, at least two.
    """
    if not isinstance(result, (tuple, list)) or (
        len(result) != count if count else len(result) < 2
    ):
        raise Unusable(f"returns {kind_of(result)}; {what} was expected")
    return tuple(result)


def expected_arrays(trial: Trial) -> tuple:
    """The expected outputs as a tuple of arrays"""
    return tuple(
        map(
            np.asarray,
            trial.expected if isinstance(trial.expected, tuple) else (trial.expected,),
        )
    )


def correct(trial: Trial, output: tuple | Failure) -> bool:
    """Whether the outputs are the expected ones, to within the tolerance"""
    return equal(expected_arrays(trial), output, trial.rtol, trial.atol)


def describe(
    output: tuple | Failure, trial: Trial, names: tuple[str, ...] = ()
) -> tuple[str, str]:
    """(got, expected) as text: the whole array if it is small, else its worst entry"""
    expected = expected_arrays(trial)
    if isinstance(output, Failure):
        small = len(expected) == 1 and expected[0].size <= 6
        return "", number_text(expected[0]) if small else ""
    for k, (e, g) in enumerate(zip(expected, output, strict=True)):
        place = f"{names[k]} = " if len(expected) > 1 and names else ""
        if e.shape != g.shape:
            return f"{place}an array of shape {g.shape}", f"shape {e.shape}"
        wrong = wrong_entries(e, g, trial.rtol, trial.atol)
        if wrong.any() and e.size <= 6:
            digits = digits_that_differ(e, g)
            return place + number_text(g, digits), number_text(e, digits)
        if wrong.any():
            with np.errstate(invalid="ignore"):
                size = np.where(wrong, np.nan_to_num(np.abs(g - e), nan=np.inf), -1)
            i = tuple(int(n) for n in np.unravel_index(size.argmax(), e.shape))
            digits = digits_that_differ(e[i], g[i])
            place = f"{names[k]}" if len(expected) > 1 and names else "entry "
            got, correct = number_text(g[i], digits), number_text(e[i], digits)
            return f"{place}{list(i)} is {got}", correct
    return "", ""
