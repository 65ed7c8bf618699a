"""Statistics: intervals by population, and paired comparisons of runs on the same episodes."""
