"""Mutants that change nothing observable: (module, function, operator) -> why."""

EQUIVALENT = {
    ("vae/adam.py", "Adam.step", "100 → 101"): "when tiny moments are cut is free",
    ("vae/adam.py", "Adam.step", "< → <="): "an entry at the limit is as small",
}
