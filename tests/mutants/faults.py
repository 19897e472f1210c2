"""The list of faults, one wrong change each: what it is, the tests that should fail, and the edits, old and new text.

The other files of this directory fill it, one per package. Most faults are errors that have been made: a transpose
forgotten, a half, a mean for a sum, a sign; some were published.
"""

from typing import NamedTuple


class Fault(NamedTuple):
    what: str
    tests: str  # files, and -k with a choice among their tests
    edits: tuple[tuple[str, str, str], ...]  # (file, old, new), old being there exactly once


FAULTS = []


def fault(what, tests, *edits):
    FAULTS.append(Fault(what, tests, edits))
