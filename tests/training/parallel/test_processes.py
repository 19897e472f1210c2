"""A process group: what its members share, how they wait for each other, and that no
worker outlives rank 0.
"""

import contextlib
import functools
import operator
import os
import select
import signal
import socket
import sys
import time
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.training.parallel.processes import SPINS, ProcessGroup, shared_copy

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system cannot fork"
)
BARRIERS = 300


def wait_forever(group):
    while True:
        group.barrier()


def ended(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@given(n=st.integers(0, 1000), size=st.integers(1, 9))
def test_the_shards_are_everything_once_and_differ_by_at_most_one(n, size):
    group = ProcessGroup(size, wait_forever)
    shards = []
    for group.rank in range(size):
        shards.append(list(range(n))[group.shard(n)])
    assert functools.reduce(operator.iadd, shards, []) == list(range(n))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_a_shared_copy_is_common_memory_and_other_arrays_are_not():
    original, own = np.arange(6.0).reshape(2, 3), np.zeros(3)
    ours = shared_copy(original)
    assert ours.shape == (2, 3) and np.array_equal(ours, original)

    def write(group):
        ours[1] = own[:] = 7
        group.barrier()
        wait_forever(group)

    with ProcessGroup(2, write) as group:
        group.barrier()
        assert (
            ours.tolist() == [[0, 1, 2], [7, 7, 7]]
            and not own.any()
            and original[1, 0] == 3
        )


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("late", [None, 0, 1])
def test_after_a_barrier_each_sees_what_the_others_did_before_it(size, late):
    """`late` arrives at one barrier so late that the others have stopped spinning."""
    done = shared_copy(np.zeros(size, int))
    barriers = BARRIERS if late is None else 30

    def work(group):
        for i in range(1, barriers + 1):
            if i == 10 and group.rank == late:
                time.sleep(SPINS * 1e-5)
            done[group.rank] = i
            group.barrier()
            assert (done == i).all()
            group.barrier()

    with ProcessGroup(size, lambda group: (work(group), wait_forever(group))) as group:
        work(group)


def test_a_group_of_one_forks_nothing_and_never_waits():
    with ProcessGroup(1, lambda group: os._exit(1)) as group:
        group.barrier()
    assert not group.workers


def test_no_worker_is_left_after_the_block_whatever_it_was_doing():
    with pytest.raises(KeyError), ProcessGroup(3, wait_forever) as group:
        group.barrier()
        raise KeyError
    assert len(group.workers) == 2 and all(map(ended, group.workers))


def test_a_stopped_worker_does_not_keep_the_block_from_ending():
    with ProcessGroup(2, wait_forever) as group:
        os.kill(group.workers[0], signal.SIGSTOP)
    assert ended(group.workers[0])


@pytest.mark.parametrize("size", [2, 3])
def test_a_killed_worker_is_an_error_and_not_a_wait(size):
    with ProcessGroup(size, wait_forever) as group:
        group.barrier()
        os.kill(group.workers[-1], signal.SIGKILL)
        with pytest.raises(ChildProcessError, match="a training process has ended"):
            wait_forever(group)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's death signal")
@pytest.mark.parametrize("stopped", [False, True], ids=["waiting", "stopped"])
def test_a_worker_ends_when_rank_0_is_killed(stopped):
    reader, writer = os.pipe()
    first = os.fork()
    if not first:
        with ProcessGroup(3, wait_forever) as group:
            os.write(writer, " ".join(map(str, group.workers)).encode())
            time.sleep(60)
        os._exit(0)
    os.close(writer)
    workers = list(map(int, os.read(reader, 100).split()))
    if stopped:
        os.kill(workers[0], signal.SIGSTOP)
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    # the workers have the pipe's other end: it closes with the last of them
    ready, _, _ = select.select([reader], [], [], 60)
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert ready and os.read(reader, 1) == b""
    os.close(reader)


def test_workers_leave_ctrl_c_and_sigterm_to_rank_0():
    with ProcessGroup(2, wait_forever) as group:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(group.workers[0], number)
        group.barrier()
        group.barrier()


@pytest.mark.parametrize("fork_of", [1, 2])
def test_ctrl_c_just_after_a_fork_ends_the_workers(monkeypatch, fork_of):
    """In both processes, as a terminal sends it."""
    fork, forked = os.fork, []

    def interrupted():
        pid = fork()
        if pid:
            forked.append(pid)
        if len(forked) == fork_of or not pid:
            signal.raise_signal(signal.SIGINT)
        return pid

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(os, "fork", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt), ProcessGroup(3, wait_forever):
            pytest.fail("it started")
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(forked) == 2 and all(map(ended, forked))
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {
        signal.SIGINT,
        signal.SIGTERM,
    }


def test_a_warning_of_fork_that_is_an_error_does_not_leave_a_worker(monkeypatch):
    """Python 3.12 and later warn in the parent, after the fork, where there are other
    threads.
    """
    fork, forked = os.fork, []

    def warning():
        pid = fork()
        if pid:
            forked.append(pid)
            warnings.warn(
                "This process is multi-threaded, use of fork() may lead to deadlocks",
                DeprecationWarning,
                stacklevel=2,
            )
        return pid

    monkeypatch.setattr(os, "fork", warning)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ProcessGroup(2, wait_forever) as group:
            group.barrier()
    assert len(forked) == 1 and ended(forked[0])


@pytest.mark.parametrize("room", [0, 1])
def test_a_fork_that_fails_is_one_clear_error_and_ends_the_workers(monkeypatch, room):
    fork, forked = os.fork, []

    def full():
        if len(forked) == room:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        forked.append(fork())
        return forked[-1]

    monkeypatch.setattr(os, "fork", full)
    with (
        pytest.raises(
            ChildProcessError,
            match=rf"process {room + 2} of 3 cannot be started \(Resource temp",
        ),
        ProcessGroup(3, wait_forever),
    ):
        pytest.fail("it started")
    assert all(map(ended, forked))


def test_an_exception_in_a_worker_is_printed_and_ends_the_wait(capfd):
    with (
        pytest.raises(ChildProcessError),
        ProcessGroup(2, lambda group: {}["no such key"]) as group,
    ):
        group.barrier()
        group.barrier()
    assert "KeyError: 'no such key'" in capfd.readouterr().err


def test_an_already_reaped_worker_is_not_an_error():
    with ProcessGroup(2, lambda group: group.barrier()) as group:
        group.barrier()
        os.waitpid(group.workers[0], 0)


def test_a_foreign_process_with_a_copy_of_the_sockets_delays_nothing():
    with ProcessGroup(2, wait_forever) as group:
        group.barrier()
        foreign = os.fork()
        if not foreign:
            time.sleep(60)
            os._exit(0)
    assert ended(group.workers[0])
    os.kill(foreign, signal.SIGKILL)
    os.waitpid(foreign, 0)


def test_a_default_socket_timeout_does_not_end_a_wait():
    socket.setdefaulttimeout(0.01)
    try:
        with ProcessGroup(
            2, lambda group: (time.sleep(0.1), wait_forever(group))
        ) as group:
            group.barrier()
    finally:
        socket.setdefaulttimeout(None)
