"""Comparisons of runs: pairs, verdicts, claims, matrices and cards."""
