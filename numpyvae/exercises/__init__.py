"""The reader's bench: the two books as exercises that mark themselves.

files     the books as exercises: prose and signatures kept, bodies taken out
judge     marks a learner's functions; when one is wrong, names the error
replace   trains with a learner's functions in the package's place
vae, mdp  the oracles and the known errors, chapter by chapter
"""

from .files import write_exercises
from .judge.run import check_functions
from .judge.verdict import Verdict
from .replace import use_functions

__all__ = ["Verdict", "check_functions", "use_functions", "write_exercises"]
