"""Terminal output: results on standard output, warnings and progress on standard error.

Text from files and from the network can contain control characters, which a terminal
would obey. They are printed as escapes. Standard streams may be closed, full, or
replaced by objects without a file descriptor. What a stream could not write is
discarded: else Python would try again at exit, fail, and change the exit status to 120.
"""

import math
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Any, TextIO

CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Console:
    """Prints lines, each flushed, and one line of progress, cleared before each."""

    def __init__(self):
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                # replace characters that the terminal cannot encode
                stream.reconfigure(errors="replace")
        self.interactive = sys.stderr is not None and sys.stderr.isatty()
        self.progress_width = 0
        self.next_update = 0.0
        self.started = self.latest = (0.0, 0.0)  # (time, done)

    def line(self, text: str) -> None:
        """Print on standard output.

        BrokenPipeError if it is closed; OSError, naming it, if it cannot be written.
        """
        self.clear()
        with self.output():
            print(printable(text), flush=True)

    def json(self, results: Any) -> None:
        """Print one JSON object on one line.

        A number that is not finite, which JSON does not have, becomes null.
        """
        import json

        self.line(json.dumps(_finite(results), allow_nan=False))

    def warn(self, text: str) -> None:
        """Print one line on standard error, if it can be written."""
        self.clear()
        self._write_error(f"numpyvae: {printable(text)}\n")

    error = warn

    def progress(self, done: float, total: float, unit: str) -> None:
        """Show how much is done, the rate in `unit` per second and the time left.

        At most ten times a second.
        """
        now = time.monotonic()
        if done < self.latest[1] or not self.latest[1]:  # another task begins
            self.started = now, done
        self.latest = now, done
        if not self.interactive or now < self.next_update:
            return
        rate = (done - self.started[1]) / max(now - self.started[0], 1e-9)
        left = f"{format_duration((total - done) / rate)} left" if rate > 0 else "…"
        text = f"{100 * done / total:3.0f}%  {rate:,.0f} {unit}/s  {left}"
        self._write_error("\r" + text.ljust(self.progress_width))
        self.progress_width = len(text)
        self.next_update = now + 0.1

    def clear(self) -> None:
        """Clear the progress line."""
        if self.progress_width:
            self._write_error("\r" + " " * self.progress_width + "\r")
            self.progress_width = 0

    def flush(self) -> None:
        """Flush standard output here, where a failure can be reported, not at exit."""
        with self.output():
            if sys.stdout is not None:
                sys.stdout.flush()

    def discard(self, stream: TextIO | None) -> None:
        """Send what is left of a stream nowhere, so that the final flush succeeds."""
        with suppress(OSError, ValueError, AttributeError):
            descriptor = os.open(os.devnull, os.O_WRONLY)
            os.dup2(descriptor, stream.fileno())  # type: ignore[union-attr]
            os.close(descriptor)

    @contextmanager
    def output(self) -> Iterator[None]:
        """Give an error of standard output its name."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            self.discard(sys.stdout)
            raise OSError(
                error.errno, error.strerror or str(error), "standard output"
            ) from error

    def _write_error(self, text: str) -> None:
        if sys.stderr is None:
            return
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):  # full or closed: nobody can be told
            self.discard(sys.stderr)


def printable(text: str) -> str:
    """The text with control characters as escapes: ESC becomes \\x1b.

    Tabs and line breaks stay.
    """
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def ignore_interrupts() -> None:
    """Ignore further Ctrl-C while the first is reported.

    Outside the main thread there is nothing to do.
    """
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def format_duration(seconds: float) -> str:
    """61 -> 1:01, 3661 -> 1:01:01"""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"


def _finite(results: Any) -> Any:
    if isinstance(results, dict):
        return {name: _finite(value) for name, value in results.items()}
    if isinstance(results, (list, tuple)):
        return [_finite(value) for value in results]
    if isinstance(results, float) and not math.isfinite(results):
        return None
    return results
