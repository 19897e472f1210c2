"""The learner's bench: the two books as one page, with figures that the package's own functions compute."""
