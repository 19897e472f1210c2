"""Judging a learner's function: run apart, compared with an oracle, and its verdict in words."""
