"""Check a learner's functions: each is right, wrong or not done.

The learner's code runs in a process of its own, one per file, under a limit of time and of memory. It is never trusted:
what comes back is JSON text. A function that does not return in time is stopped with its process, and a new process
continues with the next function; so is one that ends its process.

Each function is judged alone first: whatever other exercises it calls in the same file are the package's. If it is not
right so, it is judged once more with the learner's own, which may have another convention for what a cache contains.
"""

import faulthandler
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ...errors import InputError
from ..oracles import trials_for_exercise
from ..table import BY_NAME, EXERCISES, package_function
from .forked import Forked
from .known_errors import known_errors
from .sources import ImportFailed, alone, is_empty, load, lookup, read_groups
from .verdict import Verdict, judge

SECONDS = 10.0  # for the import of a file, and for each function; a right one takes less than one
MEMORY = 2 * 2**30  # bytes beyond what the process has at its start
MAX_MESSAGE = 100_000  # bytes of one verdict


def check_functions(
    source: Any, names: list[str] | str | None = None, seconds: float = SECONDS
) -> list[Verdict]:
    """A verdict for each exercise, in order of difficulty.

    source    a directory of exercises, a Python file with functions of these names, globals() of a notebook, a module
    names     the exercises to check, or one, if not all
    seconds   the time limit for each function

    ValueError if there is no function to check, or no exercise of a name; FileNotFoundError if there is no such path.
    """
    order = {exercise.name: i for i, exercise in enumerate(EXERCISES)}
    verdicts = [
        verdict
        for path, mine in read_groups(source, names)
        for verdict in _check_group(source, path, mine, seconds)
    ]
    return sorted(verdicts, key=lambda verdict: order[verdict.name])


def _check_group(
    source: Any, path: str, names: list[str], seconds: float
) -> Iterator[Verdict]:
    """Run child processes until each function of one file has a verdict."""
    names = list(names)
    for name in names:
        trials_for_exercise(name)  # a forked process has them, then
    while names:
        receiver, process = _start(source, path, names)
        try:
            message = _receive(receiver, seconds, process)
            if "problem" in message:  # at the import: none of them can be judged
                yield from (
                    Verdict(
                        name, BY_NAME[name].chapter, "wrong", problem=message["problem"]
                    )
                    for name in names
                )
                return
            while names:
                message = _receive(receiver, seconds, process)
                name = names.pop(0)
                yield _verdict(name, message)
                if "status" not in message:  # the process has ended, or is stopped
                    break
        finally:
            _stop(process)
            receiver.close()


def _verdict(name: str, message: dict) -> Verdict:
    fields = {
        key: value
        for key, value in message.items()
        if key in Verdict._fields and isinstance(value, str)
    }
    if fields.get("status") not in ("right", "wrong", "not done"):
        fields["status"] = "wrong"
    return Verdict(**{**fields, "name": name, "chapter": BY_NAME[name].chapter})


def _start(source: Any, path: str, names: list[str]):
    """A process that judges these functions; and the end of a pipe that gets one message when the file is loaded, then
    one per function. It is forked where that is safe; elsewhere it is a new interpreter, and can import files only."""
    fork = sys.platform.startswith("linux")
    if not fork and not path:
        raise InputError(
            "on this system only files and directories can be checked, not a namespace"
        )
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    arguments = sender, source if not path else str(source), path, names
    if fork:
        process = Forked(_judge_all, arguments)
    else:
        process = context.Process(target=_judge_all, args=arguments)
        process.start()
    sender.close()
    return receiver, process


def _receive(receiver, seconds: float, process) -> dict:
    """The next message, or one with a problem if there is none in time, or it is no message"""
    try:
        if not receiver.poll(seconds):
            return {
                "problem": f"does not return within {seconds:g} s; an endless loop?"
            }
        message = json.loads(receiver.recv_bytes(MAX_MESSAGE))
        return (
            message
            if isinstance(message, dict)
            else {"problem": "its process sent something else than a verdict"}
        )
    except (EOFError, OSError):
        process.join(1)
        code = process.exitcode
        signals = {
            -11: ", by a segmentation fault: too deep a recursion?",
            -9: ", killed",
        }
        why = signals.get(code, f" with exit status {code}")
        return {"problem": f"ended its process{why}"}
    except ValueError:
        return {"problem": "its process sent something else than a verdict"}


def _stop(process) -> None:
    """End the child, and whatever it has started."""
    with suppress(OSError, AttributeError):
        if (
            os.getpgid(process.pid) == process.pid
        ):  # false until the child has a session of its own
            os.killpg(process.pid, 9)
    process.kill()
    process.join()


# In the child process


def _judge_all(sender, source: Any, path: str, names: list[str]) -> None:
    _limit()
    try:
        namespace = load(source, path)
    except ImportFailed as error:
        sender.send_bytes(json.dumps({"problem": str(error)}).encode())
        os._exit(0)
    sender.send_bytes(b"{}")
    for name in names:
        sender.send_bytes(json.dumps(_judge_one(namespace, name)._asdict()).encode())
    os._exit(0)


def _limit() -> None:
    """A session of its own, no output, no core file, and a limit of memory"""
    with suppress(OSError, AttributeError):
        os.setsid()
    faulthandler.disable()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")
    sys.stdin = open(os.devnull, encoding="utf-8")
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))


def _judge_one(namespace, name: str) -> Verdict:
    """Judge one function: alone, then if that is not right with the learner's others."""
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
    trials, errors = trials_for_exercise(name), known_errors(name)
    with alone(function, name):
        verdict = judge(name, function, package_function, trials, errors)
    if verdict.status == "wrong":
        together = judge(name, function, lookup(namespace), trials, errors)
        return together if together.status == "right" else verdict
    return verdict
