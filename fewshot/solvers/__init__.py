"""Solvers: batched optimisers on Gram matrices; `compiled/` holds the loops that numba compiles."""
