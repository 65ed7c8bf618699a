"""Comparisons of the report: claims, verdicts, matrices, cards."""
