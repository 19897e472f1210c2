"""Check a learner's functions: each is right, wrong or not done.

The learner's code runs in a process of its own, one per file, under a limit of time
and of memory. A function that does not return in time is stopped with its process,
and a new process continues with the next function; so is one that ends its process.

This is a teacher, not an examiner: code that attacks the judge can forge a verdict.

Each function is judged alone first: whatever other exercises it calls in the same file
are the package's. If it is not right so, it is judged once more with the learner's
own, which may have another convention for what a cache contains.
"""

import faulthandler
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import ceil
from typing import Any

from ...errors import InputError
from ..oracles import trials_for_exercise
from ..table import BY_NAME, EXERCISES, package_function
from . import process as processes
from .form import form_problem
from .known_errors import known_errors
from .sources import ImportFailed, alone, is_empty, load, lookup, read_groups
from .verdict import Verdict, Verdicts, judge
from .watch import watched

# Seconds for the import of a file, and for each function; a right one takes less than 1
SECONDS = 10.0
MEMORY = 2 * 2**30  # bytes beyond what the process has at its start


def check_functions(
    source: Any, names: list[str] | str | None = None, seconds: float = SECONDS
) -> Verdicts:
    """A verdict for each exercise, in order of difficulty; in a notebook a table.

    source    a directory of exercises, a Python file with functions of these names,
              globals() of a notebook, a module
    names     the exercises to check, or one, if not all
    seconds   the time limit for each function

    ValueError if there is no function to check, or no exercise of a name;
    FileNotFoundError if there is no such path; OSError if no process can be started.
    """
    order = {exercise.name: i for i, exercise in enumerate(EXERCISES)}
    verdicts: list[Verdict] = []
    for path, mine in read_groups(source, names):
        verdicts += _check_group(source, path, mine, seconds)
    return Verdicts(sorted(verdicts, key=lambda verdict: order[verdict.name]))


def _check_group(
    source: Any, path: str, names: list[str], seconds: float
) -> Iterator[Verdict]:
    """Run processes until each function of one file has a verdict."""
    if not path and not processes.can_fork():
        raise InputError(
            "on this system only files and directories can be checked, not a namespace"
        )
    names = list(names)
    for name in names:
        trials_for_exercise(name)  # a forked process has them, then
    while names:
        arguments = source if not path else str(source), path, names, seconds
        process = processes.start(_judge_all, arguments)
        try:
            message = process.receive(seconds)
            if "problem" in message:  # at the import: none of them can be judged
                for name in names:
                    yield _verdict(name, message)
                return
            while names:
                message = process.receive(seconds)
                yield _verdict(names.pop(0), message)
                if "status" not in message:  # the process has ended, or is stopped
                    break
        finally:
            process.stop()


def _verdict(name: str, message: dict) -> Verdict:
    fields = {
        key: value
        for key, value in message.items()
        if key in Verdict._fields and isinstance(value, str)
    }
    if fields.get("status") not in ("right", "wrong", "not done"):
        fields["status"] = "wrong"
    return Verdict(**{**fields, "name": name, "chapter": BY_NAME[name].chapter})


# In the learner's process


def _judge_all(
    send: Callable[[dict], None],
    source: Any,
    path: str,
    names: list[str],
    seconds: float,
) -> None:
    _limit(seconds * (len(names) + 1))
    try:
        namespace = load(source, path)
    except ImportFailed as error:
        send({"problem": str(error)})
        return
    send({})
    for name in names:
        send(_judge_one(namespace, name)._asdict())


def _limit(seconds: float) -> None:
    """No output, no core file, a limit of memory and of processor time"""
    faulthandler.disable()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    # They stay open as long as the process.
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # Each processor may count the whole time.
        limit = ceil(seconds * (os.cpu_count() or 1)) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def _judge_one(namespace, name: str) -> Verdict:
    """Judge one function: alone, then, if it is not right, with the learner's others."""
    chapter = BY_NAME[name].chapter
    function = namespace.get(BY_NAME[name].owner)
    if (
        function is None
        or function is package_function(name)
        or is_empty(function, name)
    ):
        return Verdict(name, chapter, "not done")
    if not callable(function) or (
        "." in name and not hasattr(function, name.split(".")[1])
    ):
        return Verdict(name, chapter, "wrong", problem=f"{name} is not a function")
    with alone(function, name):
        verdict = _judge_with(name, watched(name, function), package_function)
    if verdict.status != "wrong":
        return verdict
    together = _judge_with(name, watched(name, function), lookup(namespace))
    return together if together.status == "right" else verdict


def _judge_with(name: str, function: Callable, functions: Callable) -> Verdict:
    """Judge one function, its form first; other exercises are those of `functions`."""
    problem = form_problem(name, function, functions)
    if problem is not None:
        return Verdict(name, BY_NAME[name].chapter, "wrong", *problem)
    return judge(
        name, function, functions, trials_for_exercise(name), known_errors(name)
    )
