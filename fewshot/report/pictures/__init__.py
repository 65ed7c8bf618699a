"""Sample episodes and duplicates as pictures."""
