"""The streams of random words: one number for each thing that fewshot draws by `draws.words` or `draws.distinct`.

Two draws of one seed are independent if their streams differ, so no two numbers are equal, and none ever changes: the
number is part of what every stored run has drawn. Members from outside take numbers from `FIRST_OUTSIDE` on.
"""

from __future__ import annotations

from typing import Final

CLASSES: Final = 0  # the classes of an episode
SUPPORT: Final = 1  # its support images
QUERY: Final = 2  # its query images
SHARES: Final = 3  # how much of an imbalanced episode each class has
POOLS: Final = 4  # the pool of each image in DisjointPools
GROUPS: Final = 5  # the class group that an episode is drawn from
SIZES: Final = 6  # ways and shots of VariableWayShot
SPLIT: Final = 16  # the order of the classes in BySeed
SEEDS: Final = 31  # the seeds that evaluators draw from
VIEWS: Final = 47  # the random view of each image of a mini-batch
SUPPORT_VIEWS: Final = 53  # the further views of a support image
PARTITION: Final = 61  # the images that Partitioned holds out
NARROWING: Final = 62  # the seen classes that Narrowed keeps
TRAINED_IMAGES: Final = 63  # the images of each class that a recipe trains on
TRAINED_TURNS: Final = 64  # the class that has the next image, if there are not as many for each
MINI_BATCHES: Final = 65  # the order of the images in an epoch
SOURCE: Final = 66  # the images of the source that a distance compares
TARGET: Final = 67  # the images of the target that a distance compares

# Two pairs share a number, and stored numbers hang on both. No harm: one of each pair draws for a data set, the other
# draws again from the points of a fitted curve, and no result comes from both.
FITTED_POINTS: Final = PARTITION  # the points of a curve that a bootstrapped fit takes
EXTRAPOLATED: Final = NARROWING  # the data sets that benchmarks/extrapolation.py takes

FIRST_OUTSIDE: Final = 100
