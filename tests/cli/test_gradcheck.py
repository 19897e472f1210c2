"""The table of gradient checks, as text and as JSON."""

import json
import math

import pytest

from numpyvae.cli.gradcheck import HEADER, format_row, format_summary, to_json


@pytest.fixture
def rows(gradient_checks):
    return gradient_checks


def describe(rows):
    return "\n".join([HEADER, *map(format_row, rows), "", format_summary(rows)])


def test_the_table_has_one_line_per_row_the_worst_errors_and_the_count(rows):
    header, *lines = describe(rows).splitlines()
    assert {len(line) for line in lines[: len(rows)]} == {len(header)}
    assert lines[-1] == f"{len(rows)} of {len(rows)} gradients correct"
    for line, error in zip(
        lines[-4:-1], ("complex_step", "worst_entry", "central_difference"), strict=True
    ):
        worst = max(rows, key=lambda row: getattr(row, error))
        assert (
            f"{getattr(worst, error):.1e}" in line
            and f"{worst.configuration}: {worst.name}" in line
        )


def test_a_wrong_gradient_is_marked_in_the_table_and_the_json(rows):
    wrong = rows[0]._replace(
        complex_step=math.inf,
        worst_entry=0.5,
        worst_index="[1, 2]",
        passed=False,
        problem="wrong at [1, 2]",
    )
    text = describe([wrong, *rows[1:]])
    assert (
        text.splitlines()[1].endswith("FAILED: wrong at [1, 2]") and "x[1, 2]" in text
    )
    assert text.endswith(f"{len(rows) - 1} of {len(rows)} gradients correct")
    result = json.loads(json.dumps(to_json([wrong, *rows[1:]]), allow_nan=False))
    assert (
        result["ok"] is False
        and result["worst"] is None
        and result["rows"][0]["complex_step"] is None
    )


def test_the_json_has_every_row(rows):
    result = json.loads(json.dumps(to_json(rows), allow_nan=False))
    assert set(result) == {"rows", "worst", "ok"} and result["ok"] is True
    assert result["worst"] == max(row.complex_step for row in rows)
    assert len(result["rows"]) == len(rows)
    for row in result["rows"]:
        assert list(row) == [
            "configuration",
            "name",
            "complex_step",
            "worst_entry",
            "central_difference",
        ]
