"""The learner's bench: the two books as exercises that mark themselves, and as one page with live figures.

    exercises   the books as exercises: prose and signatures kept, bodies taken out
    check       marks a learner's functions; when one is wrong, names the error
    use         trains with a learner's functions
    book        the two books as one page; figures    its figures
"""

from .check import check_functions
from .exercises import write_exercises
from .judge import Verdict
from .use import use_functions

__all__ = ["Verdict", "check_functions", "use_functions", "write_exercises"]
