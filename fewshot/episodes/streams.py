"""The streams of random words: one number for each kind of draw by `draws.words` or `draws.distinct`.

Two draws with one seed are independent if their streams differ, so no two numbers are equal. A number never changes,
because stored runs depend on it. Members from outside use numbers from `FIRST_OUTSIDE` on.
"""

from __future__ import annotations

from typing import Final

CLASSES: Final = 0  # the classes of an episode
SUPPORT: Final = 1  # its support images
QUERY: Final = 2  # its query images
SHARES: Final = 3  # the share of each class in an imbalanced episode
POOLS: Final = 4  # the pool of each image in DisjointPools
GROUPS: Final = 5  # the class group of an episode
SIZES: Final = 6  # ways and shots of VariableWayShot
APART: Final = 7  # the order of the image groups that an episode keeps apart
SPLIT: Final = 16  # the order of the classes in BySeed
SEEDS: Final = 31  # the seeds that evaluators draw from
VIEWS: Final = 47  # the random view of each image of a mini-batch
SUPPORT_VIEWS: Final = 53  # the further views of a support image
PARTITION: Final = 61  # the images that Partitioned holds out
NARROWING: Final = 62  # the seen classes that Narrowed keeps
TRAINED_IMAGES: Final = 63  # the images of each class that a recipe trains on
TRAINED_TURNS: Final = 64  # the class that gets the next image, if classes get unequal numbers
MINI_BATCHES: Final = 65  # the order of the images in an epoch
SOURCE: Final = 66  # the images of the source that a distance compares
TARGET: Final = 67  # the images of the target that a distance compares

# Two pairs share a number, and stored results depend on both. This does no harm: one of each pair draws for a data set,
# the other resamples the points of a fitted curve, and no result uses both.
FITTED_POINTS: Final = PARTITION  # the points of a curve that a bootstrapped fit uses
EXTRAPOLATED: Final = NARROWING  # the data sets that benchmarks/extrapolation.py uses

FIRST_OUTSIDE: Final = 100
