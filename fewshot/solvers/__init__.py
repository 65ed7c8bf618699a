"""Solvers: solve many small problems together to their exact optimum, with torch; `compiled/` holds loops for numba.

May import: nothing of fewshot. Evaluators use solvers.
A new solver: one file, with a test against scikit-learn or a closed form. Use float64 to compare optima.
"""
