"""Two processes: what they share, how they meet, and that neither outlives the other."""

import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.training.parallel import LOOKS, Pair, shared

# Python 3.12 and later warn of any fork beside other threads. BLAS's, which are all there are here, are made for it.
pytestmark = [pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
              pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")]
MEETINGS = 500


@given(n=st.integers(0, 1000))
def test_the_shares_of_a_pair_are_everything_once_and_differ_by_one_at_most(n):
    first, second = Pair(2), Pair(2)
    second.number = 1
    things = list(range(n))
    assert things[first.part(n)] + things[second.part(n)] == things
    assert 0 <= len(things[second.part(n)]) - len(things[first.part(n)]) <= 1
    assert things[Pair(1).part(n)] == things


def test_a_shared_array_is_a_copy_and_whatever_the_second_process_writes_there_the_first_one_sees():
    original, mine = np.arange(6.0).reshape(2, 3), np.zeros(3)
    ours = shared(original)
    assert ours.shape == (2, 3) and np.array_equal(ours, original)

    def write():
        ours[1] = mine[:] = 7
        pair.meet()

    with Pair(2) as pair:
        pair.fork(write)
        pair.meet()
        assert ours.tolist() == [[0, 1, 2], [7, 7, 7]] and not mine.any() and original[1, 0] == 3


@pytest.mark.parametrize("late", [None, 0, 1])
def test_after_a_meeting_each_has_seen_what_the_other_did_before_it(late):
    """Whoever comes first: `late` comes so late to one meeting that the other has fallen asleep."""
    done = shared(np.zeros(2, int))

    def meet_often():
        for i in range(1, MEETINGS + 1):
            if i == 10 and pair.number == late:
                time.sleep(LOOKS * 1e-5)
            done[pair.number] = i
            pair.meet()
            assert done[1 - pair.number] == i
            pair.meet()

    with Pair(2) as pair:
        pair.fork(meet_often)
        meet_often()


def test_a_pair_of_one_forks_nothing_and_waits_for_nobody():
    with Pair(1) as pair:
        pair.fork(lambda: os._exit(1))
        pair.meet()
    assert pair.second is None


@pytest.mark.parametrize("processes", [0, 3, "2"])
def test_there_are_one_or_two(processes):
    with pytest.raises(ValueError, match="processes must be 1 or 2"):
        Pair(processes)


def meet_forever(pair):
    while True:
        pair.meet()


def test_when_the_first_leaves_the_block_the_second_is_gone_however_much_it_had_still_to_do():
    with pytest.raises(KeyError), Pair(2) as pair:
        pair.fork(lambda: meet_forever(pair))
        pair.meet()
        raise KeyError
    with pytest.raises(ProcessLookupError):
        os.kill(pair.second, 0)


def test_when_the_second_is_killed_the_first_is_told_and_does_not_wait():
    with Pair(2) as pair:
        pair.fork(lambda: meet_forever(pair))
        pair.meet()
        os.kill(pair.second, signal.SIGKILL)
        with pytest.raises(ChildProcessError, match="the second process is gone"):
            meet_forever(pair)


def test_when_the_first_is_killed_the_second_ends():
    code = ("import time\nfrom numpyvae.training.parallel import Pair\n"
            "def meet_forever():\n    while True: pair.meet()\n"
            "with Pair(2) as pair:\n    pair.fork(meet_forever)\n    print(pair.second, flush=True)\n    time.sleep(60)")
    first = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"})
    second = int(first.stdout.readline())
    first.kill()
    try:
        first.communicate(timeout=10)  # to the end of its output, which the second has a hand on as long as it lives
    except subprocess.TimeoutExpired:
        os.kill(second, signal.SIGKILL)
        pytest.fail("the second process lives on")


def test_the_second_process_leaves_ctrl_c_and_sigterm_to_the_first():
    with Pair(2) as pair:
        pair.fork(lambda: (pair.meet(), pair.meet(), pair.meet()))
        pair.meet()
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(pair.second, number)
        pair.meet()
        pair.meet()


def test_a_system_that_has_no_room_for_a_second_process_is_one_clear_line(monkeypatch):
    def full():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    with pytest.raises(ChildProcessError, match=r"no second process can be started \(Resource .*\): go on with --processes 1"):
        with Pair(2) as pair:
            pair.fork(lambda: None)


def test_a_fault_in_the_second_process_is_shown_and_ends_the_first_ones_wait(capfd):
    with pytest.raises(ChildProcessError), Pair(2) as pair:
        pair.fork(lambda: {}["no such key"])
        pair.meet()
    assert "KeyError: 'no such key'" in capfd.readouterr().err


def test_a_second_process_that_somebody_else_has_buried_is_no_error():
    with Pair(2) as pair:
        pair.fork(pair.meet)
        pair.meet()
        os.waitpid(pair.second, 0)


def test_a_third_process_with_a_copy_of_the_socket_keeps_nobody_waiting():
    with Pair(2) as pair:
        pair.fork(lambda: meet_forever(pair))
        pair.meet()
        third = os.fork()
        if not third:
            time.sleep(60)
            os._exit(0)
    with pytest.raises(ProcessLookupError):
        os.kill(pair.second, 0)
    os.kill(third, signal.SIGKILL)
    os.waitpid(third, 0)


def test_a_program_whose_sockets_are_impatient_waits_all_the_same():
    socket.setdefaulttimeout(0.01)
    try:
        with Pair(2) as pair:
            pair.fork(lambda: (time.sleep(0.1), pair.meet()))
            pair.meet()
    finally:
        socket.setdefaulttimeout(None)
