"""What is no chapter of book two: rounding, reachability, checks of arguments."""
