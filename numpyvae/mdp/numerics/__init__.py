"""What is no chapter of book two: rounding, exact residuals, the checks of what a caller passes."""
