"""Faults in the mathematics, one line each: what it is, the tests that should see it, and the edit, old and new.

Most are errors that have been made: a transpose forgotten, a half, a mean for a sum, a sign; and some that published
programs contain. Those that a gradient check cannot see, because forward and backward agree on the wrong thing, are
under their own heading, some of them two edits.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    what: str
    tests: str  # files, and -k with a choice among their tests
    edits: tuple[tuple[str, str, str], ...]  # (file, old, new), old being there exactly once


FAULTS = []


def fault(what, tests, *edits):
    FAULTS.append(Fault(what, tests, edits))
