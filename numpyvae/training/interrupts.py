"""Ctrl-C and SIGTERM between two batches: an interrupted run is complete up to its last batch."""

import signal
import time
from contextlib import suppress


class StopFlag:
    """Ctrl-C and SIGTERM are deferred until the batch is done and saved; signals belong to the main thread.

    A batch may not end: its worker may be stopped. So another signal, a second or more later, is KeyboardInterrupt.
    """

    PATIENCE = 1.0  # seconds in which further signals count as the same one: Ctrl-C pressed many times

    def __enter__(self):
        self.received = 0
        self.time = 0.0
        self.before = {}
        with suppress(ValueError):  # not the main thread
            for number in (signal.SIGINT, signal.SIGTERM):
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
