"""What benchmarks with a split of classes share: their shapes, and what holds for all of them."""

from __future__ import annotations

from fewshot.episodes.shape import EpisodeShape

FIVE_WAY = (EpisodeShape(5, 1, 15), EpisodeShape(5, 5, 15))
SEEN_BY_NETWORK = (
    "The source trains its network on the seen classes; a network trained on other data may have seen the novel "
    "classes, which the row then says."
)
ONE_VIEW = (
    "One view of each support image; the source of the head tiles the support five times with augmentation (--preset "
    "RFS does)."
)
CLASS_NAMES = "The class names of your copy are those of the published split: fewshot names each class that is not."
EXACT_IMAGES = "Your copy has the published images: fewshot counts classes and images, and no checksum is published."
