"""Errors: what the package refuses, and why it stopped.

A program that uses the package can catch `NumpyvaeError`; its message is one line that
says what was wrong, where, and what to do. The errors of the operating system, for a
file that is missing or a disk that is full, stay OSError. Any other exception is a
defect of the package.
"""


class NumpyvaeError(Exception):
    """The base of the package's own errors."""


class InputError(NumpyvaeError, ValueError):
    """A value, a file or a combination of options is refused."""
