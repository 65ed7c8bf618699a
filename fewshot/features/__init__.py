"""Features: every needed image goes through a backbone once; tables, cache files, distances between sets."""
