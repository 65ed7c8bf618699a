"""Sections of the report on scaling and transfer."""
