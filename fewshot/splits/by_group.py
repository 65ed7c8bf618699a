"""A split by groups of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.files.quoting import first_of, quoted
from fewshot.plugins.fields import Rule, declare
from fewshot.splits import ClassSplit, SplitRule

_NAMES = Rule(
    "a tuple of names, such as ('animal',)",
    lambda names: isinstance(names, tuple | list) and all(isinstance(name, str) for name in names),
)


@dataclass(frozen=True)
class ByGroup(SplitRule):
    """Whole groups of classes (superclasses, scripts) become novel or validation; the rest is seen."""

    group: str
    novel: tuple[str, ...]
    validation: tuple[str, ...] = ()

    rules = declare(novel=_NAMES, validation=_NAMES)

    def split(self, images: LabelledImages) -> ClassSplit:
        if self.group not in images.class_groups:
            raise ValueError(
                f"{images.name} has no class group {quoted(self.group)}; it has: {first_of(images.class_groups)}"
            )
        group = images.class_groups[self.group]
        both = set(self.novel) & set(self.validation)
        if both:
            raise ValueError(f"{quoted(min(both))} cannot be both novel and validation; list it once")
        chosen = {
            part: np.any([group.mask(name) for name in names] or [group.codes < 0], axis=0)
            for part, names in (("novel", self.novel), ("validation", self.validation))
        }
        names = np.array(images.class_names)
        masks = ~(chosen["novel"] | chosen["validation"]), chosen["validation"], chosen["novel"]
        return ClassSplit.of(*(names[mask].tolist() for mask in masks))
