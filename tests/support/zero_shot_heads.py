"""Heads that answer from the class names."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fewshot.evaluators import FeatureEvaluator, LinearHead


@dataclass(frozen=True)
class NamesOnly(FeatureEvaluator):
    """A zero-shot head: the vectors of the class names are the classifier."""

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch):
        names = batch.class_features.double()
        return LinearHead(names.transpose(1, 2), torch.zeros(names.shape[:2], dtype=torch.float64))
