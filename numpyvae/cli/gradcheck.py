"""gradcheck: check every hand-written gradient numerically."""

import math
from argparse import ArgumentParser, Namespace
from operator import attrgetter
from typing import TYPE_CHECKING

from .arguments import add_json
from .console import Console

if TYPE_CHECKING:
    from ..vae.gradcheck import GradientCheck

HELP = "check every gradient numerically"
HEADER = (
    f"{'configuration':28} {'gradient in':13} {'complex step':>12} "
    f"{'worst entry':>12} {'difference':>12}"
)


def add_arguments(parser: ArgumentParser) -> None:
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Check every hand-written gradient by complex step and central difference.

    Exit status 1 if one is wrong.

    examples:
      numpyvae gradcheck
      numpyvae gradcheck --json
    """
    from ..vae.gradcheck_cases import check_all

    rows = []
    if not args.json:
        console.line(HEADER)
    for row in check_all():
        rows.append(row)
        if not args.json:
            console.line(format_row(row))
    if args.json:
        console.json(to_json(rows))
    else:
        console.line("\n" + format_summary(rows))
    return 0 if all(row.passed for row in rows) else 1


def format_row(row: "GradientCheck") -> str:
    """One row of the table, under HEADER"""
    line = (
        f"{row.configuration:28} {row.name:13} {row.complex_step:12.1e} "
        f"{row.worst_entry:12.1e} {row.central_difference:12.1e}"
    )
    return line if row.passed else f"{line}   FAILED: {row.problem}"


def format_summary(rows: list["GradientCheck"]) -> str:
    """The largest errors and where they are, the limits, the count"""
    from ..vae.gradcheck import (
        CENTRAL_DIFFERENCE_LIMIT,
        COMPLEX_STEP_LIMIT,
        WORST_ENTRY_LIMIT,
    )
    from ..vae.objectives import NOT_DERIVATIVES

    unchecked = ", ".join(NOT_DERIVATIVES)
    reason = "not derivatives of their loss"
    lines = [f"not checked: the encoder's gradients of {unchecked}, {reason}"]
    for error, limit in (
        ("complex_step", COMPLEX_STEP_LIMIT),
        ("worst_entry", WORST_ENTRY_LIMIT),
        ("central_difference", CENTRAL_DIFFERENCE_LIMIT),
    ):
        worst = max(rows, key=attrgetter(error))
        what = error.replace("_", " ")
        entry = worst.worst_index if error == "worst_entry" else ""
        lines.append(
            f"largest {what:18} {getattr(worst, error):.1e}, limit {limit:.0e}"
            f"   {worst.configuration}: {worst.name}{entry}"
        )
    correct = sum(row.passed for row in rows)
    lines.append(f"{correct} of {len(rows)} gradients correct")
    return "\n".join(lines)


def to_json(rows: list["GradientCheck"]) -> dict:
    """The whole table, JSON-serializable; non-finite values become null."""

    def plain(error):
        return error if math.isfinite(error) else None

    return {
        "rows": [
            {
                "configuration": row.configuration,
                "name": row.name,
                "complex_step": plain(row.complex_step),
                "worst_entry": plain(row.worst_entry),
                "central_difference": plain(row.central_difference),
            }
            for row in rows
        ],
        "worst": plain(max(row.complex_step for row in rows)),
        "ok": all(row.passed for row in rows),
    }
