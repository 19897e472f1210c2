"""gradcheck: check every hand-written gradient numerically."""

import math
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from .arguments import add_json
from .console import Console

if TYPE_CHECKING:
    from ..vae.gradcheck import GradientCheck

HELP = "check every gradient numerically"
HEADER = f"{'configuration':28} {'gradient in':13} {'complex step':>12} {'worst entry':>12} {'difference':>12}"


def add_arguments(parser: ArgumentParser) -> None:
    add_json(parser)


def run(args: Namespace, console: Console) -> int:
    """Check every hand-written gradient by complex step and central difference; exit status 1 if one is wrong.

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
    return (
        f"{row.configuration:28} {row.name:13} {row.complex_step:12.1e} {row.worst_entry:12.1e} "
        f"{row.central_difference:12.1e}{'' if row.passed else f'   FAILED: {row.problem}'}"
    )


def format_summary(rows: list["GradientCheck"]) -> str:
    """The largest errors and where they are, the limits, the count"""
    from ..vae.gradcheck import (
        CENTRAL_DIFFERENCE_LIMIT,
        COMPLEX_STEP_LIMIT,
        WORST_ENTRY_LIMIT,
    )
    from ..vae.objectives import NOT_DERIVATIVES

    lines = [
        f"not checked: the encoder's gradients of {', '.join(NOT_DERIVATIVES)}, not derivatives of their loss"
    ]
    for error, limit in (
        ("complex_step", COMPLEX_STEP_LIMIT),
        ("worst_entry", WORST_ENTRY_LIMIT),
        ("central_difference", CENTRAL_DIFFERENCE_LIMIT),
    ):
        worst = max(rows, key=lambda row: getattr(row, error))
        what, entry = (
            error.replace("_", " "),
            worst.worst_index if error == "worst_entry" else "",
        )
        lines.append(
            f"largest {what:18} {getattr(worst, error):.1e}, limit {limit:.0e}"
            f"   {worst.configuration}: {worst.name}{entry}"
        )
    return "\n".join(
        [*lines, f"{sum(row.passed for row in rows)} of {len(rows)} gradients correct"]
    )


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
