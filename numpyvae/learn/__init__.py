"""The learner's bench: the two books as exercises, the checks that judge them, and the two books as one page.

    exercises       the chapters without the bodies of the functions in table.py
    check           right, wrong or not done, by oracles that share no code with the package; the known error, in words
    use             a learner's functions in the package's place
    book            the page; figures.py has its figures
"""

from .check import Verdict, check_functions
from .exercises import write_exercises
from .use import use_functions

__all__ = ["Verdict", "check_functions", "use_functions", "write_exercises"]
