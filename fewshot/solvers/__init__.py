"""Solvers: many small problems solved at once at their exact optimum, by torch; `compiled/` holds loops for numba.

May import: nothing of fewshot. Evaluators use solvers.
A new solver: one file with a test against scikit-learn or a closed form; float64 where an optimum is compared.
"""
