"""Ctrl-C and SIGTERM take effect between two batches.

So θ, m, v and the random generator always belong to the same batch.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class StopFlag:
    """with StopFlag(*signals) as stop: inside the block they only set `stop.received`.

    It is the number of the first signal, or 0. It can happen that a block never ends: a
    batch waits for a worker, and that is stopped. So another signal, a second or more
    later, is KeyboardInterrupt. Signals belong to the main thread: in another one the
    block changes nothing.
    """

    # seconds in which further signals count as the same one: Ctrl-C pressed many times
    PATIENCE = 1.0

    def __init__(self, *signals: int):
        self.signals = signals

    def __enter__(self):
        self.received = 0
        self.time = 0.0
        self.before = {}
        with suppress(ValueError):  # not the main thread
            for number in self.signals:
                self.before[number] = signal.signal(number, self.handle)
        return self

    def handle(self, number, frame):
        if self.received and time.monotonic() - self.time > self.PATIENCE:
            raise KeyboardInterrupt
        if not self.received:
            self.received = number
            self.time = time.monotonic()

    def __exit__(self, *exception):
        for number, handler in self.before.items():
            signal.signal(number, handler)


@contextmanager
def deferred_interrupt() -> Iterator[None]:
    """Inside the block Ctrl-C is deferred: KeyboardInterrupt is raised at its end.

    It costs 5 µs. A program that handles Ctrl-C in another way than Python does, such as
    the command line, continues to do so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    with StopFlag(signal.SIGINT) as stop:
        yield
    if stop.received:
        raise KeyboardInterrupt
