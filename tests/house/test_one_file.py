"""A new member of a folder is one file: Python, lists, laws, rows and the report find it without another edit."""

from __future__ import annotations

import json

import pytest

from tests.support.package_copies import copied_package, python

HEAD = "from dataclasses import dataclass\nfrom typing import ClassVar\n"
FILES = {
    "evaluators/nearest_median": """
import torch
from fewshot.evaluators import FeatureEvaluator, Head

class MedianHead(Head):
    def __init__(self, medians):
        self.medians = medians

    def __call__(self, query):
        return (-torch.cdist(query.double(), self.medians, p=1)).to(query.dtype)

@dataclass(frozen=True)
class NearestMedian(FeatureEvaluator):
    '''The class whose median is nearest.'''

    short_name: ClassVar[str] = "median of the classes"

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch):
        medians = []
        for way in range(batch.n_way):
            members = (batch.support_labels == way) & batch.support_mask
            rows = batch.support.double().masked_fill(~members[:, :, None], torch.nan)
            medians.append(rows.nanmedian(1).values)
        return MedianHead(torch.stack(medians, 1))
""",
    "transforms/signed_root.py": """
from fewshot.transforms import FeatureTransform

@dataclass(frozen=True)
class SignedRoot(FeatureTransform):
    '''The root of every feature, its sign kept.'''

    short_name: ClassVar[str] = "root"

    def fit(self, seen):
        return lambda features: features.sign() * features.abs().sqrt()
""",
    "samplers/as_balanced.py": """
from fewshot.samplers import Sampler
from fewshot.samplers.balanced import Balanced

@dataclass(frozen=True)
class AsBalanced(Sampler):
    '''Balanced episodes.'''

    short_name: ClassVar[str] = "like balanced ones"
    nests_shots: ClassVar[bool] = True

    @classmethod
    def examples(cls):
        return [cls()]

    def sample(self, images, classes, shape, seed, start, count):
        return Balanced().sample(images, classes, shape, seed, start, count)
""",
    "datasets/grey_squares.py": """
import numpy as np
from fewshot.datasets import ArrayImages, Dataset, LabelledImages, images_digest

@dataclass(frozen=True)
class GreySquares(Dataset):
    '''Grey squares, darker or lighter by class.'''

    short_name: ClassVar[str] = "grey squares"
    split: ClassVar[str] = "FirstNovel()"

    def load(self):
        labels = np.repeat(np.arange(6), 12)
        noise = np.random.default_rng(0).integers(0, 20, (72, 8, 8))
        images = ArrayImages((labels[:, None, None] * 35 + noise).astype(np.uint8))
        return LabelledImages("grey squares", images, labels, tuple("abcdef"), images_digest(images.digests()))
""",
    "splits/first_novel.py": """
from fewshot.splits import ClassSplit, SplitRule

@dataclass(frozen=True)
class FirstNovel(SplitRule):
    '''All classes but the last are novel.'''

    def split(self, images):
        return ClassSplit.of(images.class_names[-1:], [], images.class_names[:-1])
""",
    "backbones/mean_colour.py": """
from dataclasses import replace
from fewshot.backbones import BackboneSource
from fewshot.backbones.raw_pixels import RawPixels

@dataclass(frozen=True)
class MeanColour(BackboneSource):
    '''The mean colour of an image.'''

    short_name: ClassVar[str] = "mean colour"

    def load(self):
        return replace(RawPixels(1).load(), name="mean colour")
""",
    "pretraining/plain.py": """
from fewshot.pretraining import Recipe
from fewshot.pretraining.cross_entropy import CrossEntropy

@dataclass(frozen=True)
class Plain(Recipe):
    '''Cross-entropy for a number of steps.'''

    short_name: ClassVar[str] = "plain, {steps} steps"

    steps: int = 3

    @classmethod
    def examples(cls):
        return [cls()]

    def objective(self, setting):
        return CrossEntropy(steps=self.steps).objective(setting)

    def schedule(self):
        return CrossEntropy(steps=self.steps, batch_size=8).schedule()
""",
}
USE = """
from pathlib import Path
from click.testing import CliRunner
import fewshot
from fewshot.cli import main
from fewshot.report import page
from fewshot.report.rows.shown import Shown

for name in ("NearestMedian", "SignedRoot", "AsBalanced", "GreySquares", "FirstNovel", "MeanColour", "Plain"):
    assert getattr(fewshot, name).__name__ == name
    assert name in dir(fewshot)
for kind, name in (
    ("evaluators", "NearestMedian"), ("transforms", "SignedRoot"), ("samplers", "AsBalanced"),
    ("datasets", "GreySquares"), ("splits", "FirstNovel"), ("backbones", "MeanColour"), ("recipes", "Plain"),
):
    listed = CliRunner().invoke(main, ["list", kind])
    assert name in listed.output, listed.output
for name in ("NearestMedian", "SignedRoot", "AsBalanced", "GreySquares", "MeanColour"):
    checked = CliRunner().invoke(main, ["check", name])
    assert checked.exit_code == 0, checked.output
results = fewshot.Results(Path("rows.jsonl"))
trained = "Pretrained(ConvNet(4, 2, 8), GreySquares, Plain, split=FirstNovel)"
network = fewshot.RunSpec("GreySquares", trained, "Prototype", split="BySeed(seed=1)").backbone
assert network.short_name == "conv net 4 x 2, plain, 3 steps, all images, seed 0", network.short_name
for shot in (1, 2):
    sampled = fewshot.Sampled(fewshot.EpisodeShape(3, shot, 4), sampler="AsBalanced")
    spec = fewshot.RunSpec("GreySquares", "MeanColour", "NearestMedian", sampled, "SignedRoot", n_episodes=10)
    row = fewshot.run(spec, results, fewshot.Workbench(progress=False))
    assert row.accuracy > 0.9
Path("page.html").write_text(page(Shown.of(results.rows()), results, "title"))
"""


@pytest.mark.slow
def test_a_member_of_every_kind_is_found_by_its_file(tmp_path):
    package = copied_package(tmp_path)
    for name, text in FILES.items():
        (package / name).with_suffix(".py").write_text(HEAD + text)
    python(tmp_path, "-c", USE)
    row = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert row["evaluator"] == "NearestMedian()"
    assert (row["dataset"], row["backbone"], row["transform"]) == ("GreySquares()", "MeanColour()", "SignedRoot()")
    assert row["sampler"] == "AsBalanced()"
    html = (tmp_path / "page.html").read_text()
    for said in ("grey squares", "mean colour", "root + median of the classes", "like balanced ones"):
        assert said in html
