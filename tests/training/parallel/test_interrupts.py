"""Interrupts: whatever line of training Ctrl-C arrives at, the state is the one between
two batches.
"""

import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from numpyvae.settings import TrainingOptions, VAEConfig
from numpyvae.training import loop
from numpyvae.training.loop import train
from numpyvae.training.parallel.interrupts import StopFlag, deferred_interrupt
from numpyvae.training.state import TrainingState, initial_state

PACKAGE = str(Path(loop.__file__).parents[1])
CONFIG = VAEConfig(input_dim=30, hidden_dims=(4,), latent_dim=2)
OPTIONS = TrainingOptions(
    epochs=2, batch_size=55, binarize="dynamic"
)  # two batches per epoch
FILES = [
    "vae/adam.py",
    *(f"training/{name}.py" for name in ("loop", "step", "state", "interrupts")),
]


@pytest.fixture(autouse=True)
def pythons_own_handler():
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # it is ignored in a job in the background
    yield
    signal.signal(signal.SIGINT, before)


class Interrupting:
    """Ctrl-C at line number `when` of those that these files execute; without a number
    they are counted.
    """

    def __init__(self, files, when=None):
        self.files = tuple(f"{PACKAGE}/{file}" for file in files)
        self.when = when
        self.lines = 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.call)
        return self

    def __exit__(self, *exception):
        sys.settrace(self.before)

    def call(self, frame, event, argument):
        return self.line if frame.f_code.co_filename in self.files else None

    def line(self, frame, event, argument):
        if event == "line":
            self.lines += 1
            if self.lines == self.when:
                signal.raise_signal(signal.SIGINT)
        return self.line


def interrupted(images, test_images, files, when):
    """A state that Ctrl-C at line `when` has left, and the number of lines until then"""
    state = initial_state(images, CONFIG, OPTIONS)
    with suppress(KeyboardInterrupt), Interrupting(files, when) as interrupting:
        train(images, test_images, CONFIG, OPTIONS, state=state, processes=1)
        assert when is None, "the interrupt is lost"
    return state, interrupting.lines


def test_ctrl_c_at_any_line_leaves_a_state_that_resumes_bit_for_bit(tiny):
    whole, lines = interrupted(*tiny, FILES, None)
    assert lines > 300
    batches = set()
    for when in range(1, lines + 1):
        state, _ = interrupted(*tiny, FILES, when)
        assert state.adam.t == (
            2 * len(state.history)
            if state.rng is None
            else 2 * (state.epoch - 1) + state.batches_done
        )
        batches.add(state.adam.t)
        train(*tiny, CONFIG, OPTIONS, state=state, processes=1)
        for found, expected in zip(numbers(state), numbers(whole), strict=True):
            assert np.array_equal(found, expected), f"line {when} of {lines}"
    assert batches == {0, 1, 2, 3, 4}


def numbers(state):
    losses = [
        (row["epoch"], row["train_loss"], row["test_loss"]) for row in state.history
    ]
    return state.params.vector, state.adam.m, state.adam.v, [state.adam.t], losses


def test_ctrl_c_with_two_processes_waits_for_the_batch(tiny, monkeypatch):
    batch = TrainingState.end_batch

    def interrupted_batch(self, *arguments):
        if self.adam.t == 3:
            signal.raise_signal(signal.SIGINT)
        batch(self, *arguments)

    whole, state = (initial_state(tiny[0], CONFIG, OPTIONS) for _ in range(2))
    train(*tiny, CONFIG, OPTIONS, state=whole, processes=2)
    monkeypatch.setattr(TrainingState, "end_batch", interrupted_batch)
    with pytest.raises(KeyboardInterrupt):
        train(*tiny, CONFIG, OPTIONS, state=state, processes=2)
    monkeypatch.undo()
    assert (state.epoch, state.batches_done, state.adam.t) == (2, 1, 3)
    train(*tiny, CONFIG, OPTIONS, state=state, processes=2)
    assert all(map(np.array_equal, numbers(state), numbers(whole)))


def test_ctrl_c_in_a_callback_is_immediate(tiny):
    def callback(state, loss):
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the interrupt is late")

    with pytest.raises(KeyboardInterrupt):
        train(*tiny, CONFIG, OPTIONS, processes=1, after_batch=callback)


def test_the_handler_before_is_restored_and_another_programs_is_left_alone():
    with deferred_interrupt():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(ZeroDivisionError), deferred_interrupt():
        1 / 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    received = []
    signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    with deferred_interrupt():
        signal.raise_signal(signal.SIGINT)
        assert received == [signal.SIGINT]


def test_a_second_ctrl_c_does_not_wait_unless_it_follows_at_once(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(
        "numpyvae.training.parallel.interrupts.time.monotonic", lambda: now[0]
    )
    reached = []
    with pytest.raises(KeyboardInterrupt), deferred_interrupt():
        signal.raise_signal(signal.SIGINT)
        now[0] += StopFlag.PATIENCE
        signal.raise_signal(signal.SIGINT)  # a key held down
        reached.append(now[0])
        now[0] += StopFlag.PATIENCE / 10
        signal.raise_signal(signal.SIGINT)
        reached.append(now[0])
    assert reached == [101.0]


def test_outside_the_main_thread_the_block_changes_nothing():
    entered = []

    def work():
        with deferred_interrupt(), StopFlag(signal.SIGINT) as stop:
            entered.append((stop.received, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [(0, signal.default_int_handler)]
