"""Two processes that do one piece of work together: what both see, and how each waits for the other.

The second process is forked: it starts as a copy of the first, with everything the first has, and whatever either does
after that is its own affair. Only arrays that were made with `shared` before are the same memory for both. To read there
what the other has written, they must meet: each says that it has come, and waits until the other has, too.

They say so over a pair of sockets. When a process ends, however it ends, the system closes its socket, which ends the
other one's wait. So nobody waits for the dead: if one is killed, the other one knows.

Next: step.
"""

import mmap
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Callable

import numpy as np

LOOKS = 500  # before falling asleep: a look takes 1 µs, being woken 50 to 100, and most waits are over in 50


def shared(array: np.ndarray) -> np.ndarray:
    """A copy of an array, in memory that a forked process shares"""
    copy = np.frombuffer(mmap.mmap(-1, array.nbytes), array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


class Pair:
    """with Pair(2) as pair: pair.fork(work); …        The second process does `work()`, and is gone at the block's end.

    Pair(1) is one process that does everything itself: nothing is forked, and there is nobody to wait for.
    """

    def __init__(self, processes: int = 1):
        if processes not in (1, 2):
            raise ValueError(f"processes must be 1 or 2, not {processes!r}")
        if processes == 2 and not hasattr(os, "fork"):
            raise ValueError("processes must be 1 here: this system cannot fork")
        self.processes, self.number = processes, 0  # number: which of them this is
        self.other = self.second = None  # the socket to the other, and the second one's id

    def fork(self, work: Callable[[], object]) -> None:
        """Start the second process, if there is to be one. It ignores Ctrl-C and SIGTERM: it ends with the first one."""
        if self.processes == 1:
            return
        self.other, theirs = socket.socketpair()
        for end in (self.other, theirs):
            end.settimeout(None)  # whatever a program has made the default
        try:
            self.second = os.fork()
        except OSError as error:  # too many, or no memory
            self.other.close(), theirs.close()
            raise ChildProcessError(f"no second process can be started ({error.strerror}): go on with --processes 1") from None
        if self.second:
            theirs.close()
            return
        status = 1
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            self.other.close()
            self.other, self.number = theirs, 1
            work()
            status = 0
        except ChildProcessError:  # the first one has ended: nothing is left to do
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def part(self, n: int) -> slice:
        """This process's part of n things"""
        return slice(self.number * n // self.processes, (self.number + 1) * n // self.processes)

    def meet(self) -> None:
        """Wait for the other process, which waits for this one. ChildProcessError if it is gone."""
        if self.other is None:
            return
        try:
            self.other.send(b".")
            come = self.look() or self.other.recv(1)
        except ConnectionError:
            come = b""
        if not come:
            raise ChildProcessError("the second process is gone (killed?): go on from what is saved, or with --processes 1")

    def look(self) -> bytes:
        """The other's byte, as soon as it is there; b"" if it does not come soon, or never: recv then knows which"""
        for _ in range(LOOKS):
            try:
                return self.other.recv(1, socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass
        return b""

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, exception, *details) -> None:
        if not self.second:
            return
        with suppress(OSError):  # it is gone already
            self.other.shutdown(socket.SHUT_RDWR)
        self.other.close()
        with suppress(ProcessLookupError, ChildProcessError):  # somebody else has buried it
            if exception:
                os.kill(self.second, signal.SIGKILL)  # whatever it is at, nobody needs it now
            os.waitpid(self.second, 0)
