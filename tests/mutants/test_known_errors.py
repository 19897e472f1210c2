"""The tests of a chapter see its known errors, here a sample of them."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_sample_of_known_errors_is_seen_by_the_tests_of_their_chapters():
    command = [sys.executable, "-m", "tests.mutants.known_errors", "--sample", "20"]
    source = Path(__file__).parents[2]
    done = subprocess.run(
        command, cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
