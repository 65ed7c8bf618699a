"""Plug-ins: a folder is a registry. Spec text, signatures read without importing, grids of hyperparameters."""
