"""A process for a learner's code, which ends with the check, however the check ends.

On Linux there are two processes. The guard runs no code of the learner. It starts the
process that does, and waits for one of two events: that process ends, or the check
does. The guard sees the end of the check at a pipe, the lifeline, of which the check
has the only other end: whatever ends the check closes it. Then the guard kills all
that the learner's code has started: the process group, before its leader is reaped
and its number is free again, and the orphans. Those become children of the guard,
because the guard is a subreaper. If the guard is killed itself, the system kills the
learner's process (its death signal).

Elsewhere fork is not safe. The process is a new interpreter there, with a limit of
its processor time only.

A process sends its results as lines of JSON.
"""

import ctypes
import json
import math
import multiprocessing
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

MAX_MESSAGE = 100_000  # bytes of one result
LONGEST_WAIT = 5.0  # seconds for a kill to have its effect
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <sys/prctl.h>

NO_MESSAGE = {"problem": "its process sent something else than a verdict"}
SIGNALS = {
    -signal.SIGSEGV: ", by a segmentation fault: too deep a recursion?",
    -9: ", killed",
    -24: ": it used more processor time than a check may take",  # SIGXCPU
}


def can_fork() -> bool:
    """Whether a fork is safe here"""
    return sys.platform.startswith("linux")


def start(function: Callable, arguments: tuple) -> "Forked | Spawned":
    """Start function(send, *arguments) in a process; send(dict) sends a result."""
    return (Forked if can_fork() else Spawned)(function, arguments)


class Forked:
    """A forked process and its guard"""

    def __init__(self, function: Callable, arguments: tuple):
        self.buffer = b""
        self.messages, message_end = _pipe()
        self.status, status_end = _pipe()
        guard_end, self.lifeline = _pipe()
        mine = self.messages, self.status, self.lifeline
        theirs = message_end, status_end, guard_end
        try:
            self.pid = _fork()
        except OSError as error:
            for descriptor in mine + theirs:
                os.close(descriptor)
            raise _no_process(error) from None
        if self.pid == 0:
            try:
                for descriptor in mine:
                    os.close(descriptor)
                _guard(function, arguments, *theirs)
            finally:
                os._exit(1)
        for descriptor in theirs:
            os.close(descriptor)

    def receive(self, seconds: float) -> dict:
        """The next result, or one with a problem: it is not there in time, or is none.

        The limit holds for the whole line, not for its first byte.
        """
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            if not _readable(self.messages, deadline - time.monotonic()):
                return late(seconds)
            data = os.read(self.messages, 65536)
            if not data:
                return self._ended()
            self.buffer += data
            if len(self.buffer) > MAX_MESSAGE:
                return NO_MESSAGE
        line, _, self.buffer = self.buffer.partition(b"\n")
        message = read_message(line)
        if "no process" in message:
            raise _no_process(OSError(*message["no process"]))
        return message

    def _ended(self) -> dict:
        if not _readable(self.status, 1.0):
            return {"problem": "closed the connection of its process"}
        return ended(int(os.read(self.status, 100) or b"1"))

    def stop(self) -> None:
        """End the process, and whatever it has started; wait until they have ended."""
        os.close(self.lifeline)
        # The guard writes the exit status, unless it did before, and ends.
        deadline = time.monotonic() + LONGEST_WAIT
        data = b"x"
        while data and _readable(self.status, deadline - time.monotonic()):
            data = os.read(self.status, 100)
        if data:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # reaped already, where SIGCHLD is ignored
            os.waitpid(self.pid, 0)
        os.close(self.status)
        os.close(self.messages)


class Spawned:
    """A new interpreter, where fork is not safe"""

    def __init__(self, function: Callable, arguments: tuple):
        context = multiprocessing.get_context("spawn")
        self.receiver, sender = context.Pipe(duplex=False)
        self.process = context.Process(
            target=_run_spawned, args=(function, sender, arguments), daemon=True
        )
        self.process.start()
        sender.close()

    def receive(self, seconds: float) -> dict:
        """As Forked.receive"""
        try:
            if not self.receiver.poll(seconds):
                return late(seconds)
            return read_message(self.receiver.recv_bytes(MAX_MESSAGE))
        except (EOFError, OSError):
            self.process.join(1)
            return ended(self.process.exitcode or 0)

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.receiver.close()


def _run_spawned(function: Callable, sender: Any, arguments: tuple) -> NoReturn:
    function(
        lambda message: sender.send_bytes(json.dumps(message).encode()), *arguments
    )
    os._exit(0)


# Results


def read_message(line: bytes) -> dict:
    """A line of JSON as a dict; if it is none, a problem"""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return NO_MESSAGE
    return message if isinstance(message, dict) else NO_MESSAGE


def late(seconds: float) -> dict:
    """The problem of a process that has sent nothing in time"""
    return {"problem": f"does not return within {seconds:g} s; an endless loop?"}


def ended(code: int) -> dict:
    """The problem of a process that has ended; code −n: by signal n"""
    why = SIGNALS.get(code, f" with exit status {code}")
    return {"problem": f"ended its process{why}"}


def _no_process(error: OSError) -> OSError:
    return OSError(
        error.errno,
        f"no process can be started for the functions to be checked "
        f"({error.strerror}); end other programs, and check again",
    )


# Pipes


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are above 2: those below may be closed, and are replaced."""
    ends = []
    for descriptor in os.pipe():
        ends.append(_above_2(descriptor))
    return ends[0], ends[1]


def _above_2(descriptor: int) -> int:
    if descriptor > 2:
        return descriptor
    import fcntl

    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return moved


def _readable(descriptor: int, seconds: float) -> bool:
    """Whether there is something to read, or the end, within some seconds"""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0, math.ceil(1000 * seconds))))


# In the guard


def _fork() -> int:
    with warnings.catch_warnings():
        # A fork beside threads: the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _guard(
    function: Callable, arguments: tuple, messages: int, status: int, lifeline: int
) -> NoReturn:
    """Start the process; when it or the check has ended, kill what is left."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    try:
        pid = _fork()
    except OSError as error:
        message = {"no process": [error.errno, error.strerror]}
        os.write(messages, json.dumps(message).encode() + b"\n")
        os._exit(1)
    if pid == 0:
        try:
            os.close(status)
            os.close(lifeline)
            _child(guard, function, messages, arguments)
        finally:
            os._exit(1)
    os.close(messages)
    _wait_for_either(pid, lifeline)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # its number is in use until it is reaped
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # it may have no group of its own yet
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    _kill_orphans()
    os.write(status, str(code).encode())
    os._exit(0)


def _wait_for_either(pid: int, lifeline: int) -> None:
    """Wait until a process has ended, or the other end of the lifeline is closed."""
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    with suppress(OSError, AttributeError):  # a kernel without pidfd: look often
        poll.register(os.pidfd_open(pid), select.POLLIN)
        poll.poll()
        return
    ends = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while not poll.poll(20) and os.waitid(os.P_PID, pid, ends) is None:
        pass


def _kill_orphans() -> None:
    """Kill the children of this process, and theirs, which become its own."""
    deadline = time.monotonic() + LONGEST_WAIT / 2
    me = os.getpid()
    with suppress(ChildProcessError):  # none is left
        while time.monotonic() < deadline:
            for name in os.listdir("/proc"):
                if name.isdecimal() and _parent(name) == me:
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(int(name), signal.SIGKILL)
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.005)


def _parent(pid: str) -> int:
    """The number of a process' parent; 0 if there is no such process"""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may contain anything.
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


# In the learner's process


def _child(guard: int, function: Callable, messages: int, arguments: tuple) -> NoReturn:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:  # it has ended before the call
        os._exit(1)
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)

    def send(message: dict) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(messages, data) :]

    function(send, *arguments)
    os._exit(0)


def _prctl(option: int, value: int) -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
