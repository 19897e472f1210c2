"""A forked child process, which a daemonic process of `multiprocessing` may start as well."""

import os
import time
import warnings
from collections.abc import Callable
from contextlib import suppress


class Forked:
    """function(*arguments) in a forked process: pid, exitcode (None while it runs, −n after signal n), join, kill"""

    def __init__(self, function: Callable, arguments: tuple):
        self.exitcode = None
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # fork beside threads: the child uses none of them
            self.pid = os.fork()
        if self.pid == 0:
            try:
                function(*arguments)
            finally:
                os._exit(1)

    def join(self, seconds: float | None = None) -> None:
        """Wait until the process has ended, or for some seconds."""
        stop = None if seconds is None else time.monotonic() + seconds
        while self.exitcode is None:
            pid, status = os.waitpid(self.pid, 0 if stop is None else os.WNOHANG)
            if pid:
                self.exitcode = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > stop:
                return
            else:
                time.sleep(0.01)

    def kill(self) -> None:
        """End the process, if it has not ended."""
        if self.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, 9)
