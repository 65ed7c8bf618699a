"""A module with classes of every kind from outside, each with every fault."""

from __future__ import annotations

from itertools import product

HEAD = """
from dataclasses import dataclass
import torch
from fewshot.backbones import BackboneSource
from fewshot.datasets import Dataset
from fewshot.evaluators import FeatureEvaluator, Head, ImageEvaluator, TransductiveEvaluator
from fewshot.samplers import Sampler
from fewshot.splits import SplitRule
from fewshot.transforms import FeatureTransform

class Odd(Head):
    def __call__(self, query):
        return torch.zeros(1, 2)
"""
CLASS = """

@dataclass(frozen=True)
class {base}_{fault}({base}):
    @classmethod
    def examples(cls):
        return [cls()]

    {body}
"""
METHODS = {
    "Dataset": "load",
    "SplitRule": "split",
    "Sampler": "sample",
    "BackboneSource": "load",
    "FeatureTransform": "fit",
    "FeatureEvaluator": "fit",
    "ImageEvaluator": "fit",
    "TransductiveEvaluator": "logits",
}
OPTIONS = {
    "Dataset": "--data",
    "SplitRule": "--split",
    "Sampler": "--sampler",
    "BackboneSource": "--backbone",
    "FeatureTransform": "--transform",
    "FeatureEvaluator": "--evaluator",
    "ImageEvaluator": "--evaluator",
    "TransductiveEvaluator": "--evaluator",
}
FAULTS = {
    "abstract": "pass",
    "signature": "def {method}(self, a, b, c, d, e, f, g, h): return a",
    "nothing": "def {method}(self, *args, **named): return None",
    "number": "def {method}(self, *args, **named): return 3",
    "shape": "def {method}(self, *args, **named): return Odd()",
    "tensor": "def {method}(self, *args, **named): return torch.zeros(1, 2)",
    "raises": "def {method}(self, *args, **named): return {{}}['key']",
    "fields": "size: int  # without a default",
}


def source() -> str:
    """The text of the module."""
    classes = (
        CLASS.format(base=base, fault=fault, body=body.format(method=METHODS[base]))
        for base, (fault, body) in product(METHODS, FAULTS.items())
    )
    return "".join([HEAD, *classes])
