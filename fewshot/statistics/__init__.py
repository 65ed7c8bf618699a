"""Statistics: intervals by population, and paired comparisons of runs on the same episodes.

May import: nothing of fewshot; numpy and scipy only, and scipy only inside functions.
A new interval: a function that returns an `Interval`, which names its population and says why there are no bounds.

    interval.py         a mean with bounds, by population   units.py          the classes of episodes, or their groups
    intervals.py        these images, new images, draws     delete_one.py     the mean without each class
    class_intervals.py  new classes                         skewed.py         t, corrected for skewness
    comparison.py       two runs on the same episodes       best_runs.py      all pairs of runs, and the best ones
    paired_means.py     means over data sets                two_means.py      two means with their errors
    students_t.py       quantiles and p-values of t
"""
