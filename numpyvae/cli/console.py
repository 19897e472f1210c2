"""Two streams to a person: lines on standard output, and on standard error, if it is a terminal, one line of progress.

Next: train_command.
"""

import os
import sys
import time


class Console:
    """Lines are flushed as they are printed. The progress line stands below them and is never left behind."""

    def __init__(self):
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="replace")  # a terminal without Unicode shows ? for an arrow, and no traceback
        self.live = sys.stderr.isatty()
        self.shown = 0
        self.next = 0.0
        self.began = self.last = (0.0, 0.0)  # (time, done)

    def line(self, text: str) -> None:
        self.clear()
        print(text, flush=True)

    def warn(self, text: str) -> None:
        self.clear()
        print(f"numpyvae: {text}", file=sys.stderr, flush=True)

    def progress(self, done: float, of: float, what: str) -> None:
        """`done` of `of`, with the rate per second in units of `what` and the time left; at most ten times a second."""
        now = time.monotonic()
        if done < self.last[1] or not self.last[1]:  # another task begins
            self.began = now, done
        self.last = now, done
        if not self.live or now < self.next:
            return
        rate = (done - self.began[1]) / max(now - self.began[0], 1e-9)
        left = f"{clock((of - done) / rate)} left" if rate > 0 else "…"
        text = f"{100 * done / of:3.0f}%  {rate:,.0f} {what}/s  {left}"
        sys.stderr.write("\r" + text.ljust(self.shown))
        sys.stderr.flush()
        self.shown, self.next = len(text), now + 0.1

    def clear(self) -> None:
        """Wipe the progress line."""
        if self.shown:
            sys.stderr.write("\r" + " " * self.shown + "\r")
            sys.stderr.flush()
            self.shown = 0

    def abandon_output(self) -> None:
        """Nobody reads standard output any more: let the interpreter's last flush go nowhere."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def clock(seconds: float) -> str:
    """61 -> 1:01, 3661 -> 1:01:01"""
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
