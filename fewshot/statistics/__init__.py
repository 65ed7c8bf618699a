"""Statistics: intervals by population, and paired comparisons of runs on the same episodes.

May import: nothing of fewshot; numpy and scipy only, and scipy only inside functions.
A new interval: a function that returns an `Interval`, which names its population and says why there are no bounds.
"""
