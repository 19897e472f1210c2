"""The learner's bench: the two books as exercises, and the checks that say what is right, wrong and why."""

from .check import Verdict, check_functions
from .exercises import write_exercises
from .use import use_functions

__all__ = ["Verdict", "check_functions", "use_functions", "write_exercises"]
