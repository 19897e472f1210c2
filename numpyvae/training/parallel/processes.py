"""A group of processes that work together: shared arrays and a barrier.

    size     the number of processes
    rank     a process's number, 0 to size − 1; rank 0 is the one that starts the group
    shard    the slice of n things that one rank works on
    barrier  a point where every process waits until all of them have arrived

Workers are forked: each starts as a copy of rank 0, and afterwards only arrays made by
`shared_copy` are common memory. A barrier is one byte to each other process and one from
each, over sockets. When a process ends, however it ends, the system closes its sockets,
and that ends the others' wait.

Source: Message Passing Interface Forum 1994, for the words.
"""

import ctypes
import mmap
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress

import numpy as np

# attempts before a receive blocks: an attempt takes 1 µs, waking up 50 to 100; most waits
# are shorter
SPINS = 500
PR_SET_PDEATHSIG = 1  # of Linux's prctl


class ProcessGroup:
    """with ProcessGroup(size, target) as group: …

    Ranks 1 to size − 1 run target(group), and end with the block. In a worker Ctrl-C and
    SIGTERM stay blocked: they are for rank 0. ChildProcessError if a worker cannot be
    started.
    """

    def __init__(self, size: int, target: Callable[["ProcessGroup"], None]):
        self.size = size
        self.rank = 0
        self.target = target
        self.workers: list[int] = []  # process ids
        self.peers: list[socket.socket] = []  # a socket to each other process

    def shard(self, n: int) -> slice:
        """This rank's slice of n things"""
        return slice(self.rank * n // self.size, (self.rank + 1) * n // self.size)

    def barrier(self) -> None:
        """Wait until every process has arrived. ChildProcessError if one has ended."""
        try:
            for peer in self.peers:
                peer.send(b".")
            arrived = all(_receive_byte(peer) for peer in self.peers)
        except ConnectionError:
            arrived = False
        if not arrived:
            raise ChildProcessError(
                "a training process has ended (killed?); continue from the last "
                "checkpoint, or train with one process"
            )

    def __enter__(self):
        ends: dict[tuple[int, int], socket.socket] = {}  # [i, j]: rank i's to rank j
        for i in range(self.size):
            for j in range(i):
                ends[i, j], ends[j, i] = socket.socketpair()
        blocked = signal.pthread_sigmask(
            signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM)
        )
        try:
            for rank in range(1, self.size):
                self.workers.append(self._fork(rank, ends))
            self._keep(ends)
        except OSError as error:
            self._keep(ends)
            self._end()
            raise ChildProcessError(
                f"process {len(self.workers) + 2} of {self.size} cannot be started "
                f"({error.strerror}); train with fewer processes"
            ) from None
        finally:
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            except BaseException:
                # KeyboardInterrupt: Ctrl-C that has waited since the first fork
                self._end()
                raise
        return self

    def __exit__(self, *exception) -> None:
        self._end()

    def _fork(self, rank: int, ends: dict) -> int:
        with warnings.catch_warnings():
            # of other threads: BLAS's, which are made for a fork
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            self._work(rank, ends)
        return pid

    def _work(self, rank: int, ends: dict) -> None:
        """A worker, from the fork to its end"""
        status = 1
        try:
            _end_with_parent()
            self.rank = rank
            self._keep(ends)
            self.target(self)
            status = 0
        except ChildProcessError:  # another process has ended: nothing is left to do
            status = 0
        except BaseException:  # noqa: BLE001, the process ends with it
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _keep(self, ends: dict) -> None:
        """Keep this rank's sockets, and close the others'.

        A closed socket must mean that its process has ended.
        """
        for (i, _), end in ends.items():
            if i == self.rank:
                end.settimeout(None)  # whatever default the program has set
                self.peers.append(end)
            else:
                end.close()

    def _end(self) -> None:
        """End the workers, whatever they are doing."""
        for peer in self.peers:
            peer.close()
        for pid in self.workers:
            with suppress(ProcessLookupError, ChildProcessError):  # already reaped
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _end_with_parent() -> None:
    """Ask Linux to kill this process when the one that forked it ends.

    A closed socket ends a running worker. This ends one that is stopped, too.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def shared_copy(array: np.ndarray) -> np.ndarray:
    """A copy of an array in memory that forked processes share"""
    memory = mmap.mmap(-1, max(array.nbytes, 1))
    flat = np.frombuffer(memory, array.dtype, count=array.size)
    copy = flat.reshape(array.shape)
    copy[...] = array
    return copy


def _receive_byte(peer: socket.socket) -> bytes:
    """One byte; b"" at the end of the connection.

    Spin first: blocking costs more than most waits last.
    """
    for _ in range(SPINS):
        try:
            return peer.recv(1, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
    return peer.recv(1)
