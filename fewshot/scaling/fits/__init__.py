"""Fits of laws to tables, their intervals, and tests of how far to trust a fit."""
