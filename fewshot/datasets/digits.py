"""scikit-learn's handwritten digits, which come with the package: 1797 images of 8 x 8 pixels.

fewshot run --data Digits --backbone pixels --evaluator Prototype
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fewshot.datasets import ArrayImages, Dataset, LabelledImages, images_digest


@dataclass(frozen=True)
class Digits(Dataset):
    """Handwritten digits, 8 x 8 pixels, white on black: the test set of Alpaydin and Kaynak (1998) in scikit-learn.

    Their 17 levels of grey become 0 to 255. There is no default split.
    """

    short_name: ClassVar[str] = "digits"

    def load(self) -> LabelledImages:
        from sklearn.datasets import load_digits

        digits = load_digits()
        images = ArrayImages(np.round(digits.images * (255 / 16)).astype(np.uint8))
        labels, names = digits.target.astype(np.int64), tuple(map(str, digits.target_names))
        return LabelledImages("digits", images, labels, names, images_digest(images.digests()))
