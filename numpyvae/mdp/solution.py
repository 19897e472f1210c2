"""Optional reading: what a solver returns."""

from typing import NamedTuple

import numpy as np


class Solution(NamedTuple):
    """A policy, its values, how long it took, and how wrong the values can be.

    policy: (S,) action numbers; for which values it is greedy, each solver says
    values: (S,), the computed optimal values
    iterations: what the method counts: policies evaluated, sweeps of T, or rounds
    error_bound: ‖values − v*‖ is at most this, rounding included
    """

    policy: np.ndarray
    values: np.ndarray
    iterations: int
    error_bound: float
