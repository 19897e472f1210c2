"""Book two's exercises: a module per chapter, its oracle's trials and its known errors."""
