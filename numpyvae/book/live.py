"""Figures that one can touch."""

from collections.abc import Iterable

from .figures.all import Figure


def controls(figure: Figure) -> str:
    return ""


def script(figures: Iterable[Figure]) -> str:
    return ""
