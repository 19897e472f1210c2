"""Hypothesis profiles: `ci` draws the same examples every time, `dev` draws fresh ones, `thorough` draws 10,000.

    HYPOTHESIS_PROFILE=thorough python -m pytest
"""

import os

from hypothesis import settings

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))
