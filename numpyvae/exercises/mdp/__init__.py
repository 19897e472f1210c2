"""Book two's exercises: per chapter a module, its oracles and its known errors."""
