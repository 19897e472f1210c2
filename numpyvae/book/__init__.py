"""The two books as one page, with their figures: `numpyvae book` writes it."""
