"""Fits of laws to tables, their intervals, and how far a fit can be trusted."""
