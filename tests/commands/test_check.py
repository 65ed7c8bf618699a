"""`fewshot check` on members of every kind, from the folders and from outside."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from fewshot.cli import main

OUTSIDE = '''
from dataclasses import dataclass
import numpy as np
import torch
from fewshot.backbones import Backbone, BackboneSource, freeze, weights_digest
from fewshot.datasets import ArrayImages, Dataset, LabelledImages, image_digest, images_digest
from fewshot.evaluators import FeatureEvaluator
from fewshot.samplers import Sampler
from fewshot.samplers.balanced import Balanced
from fewshot.transforms import FeatureTransform

@dataclass(frozen=True)
class Unfinished(FeatureEvaluator):
    """No examples()."""
    def fit(self, batch): return None

@dataclass(frozen=True)
class Empty(FeatureEvaluator):
    """Examples, but none."""
    @classmethod
    def examples(cls): return []
    def fit(self, batch): return None

class Plain:
    """Of no kind."""

@dataclass(frozen=True)
class Both(Sampler, FeatureTransform):
    """Of two kinds."""
    def fit(self, seen): return lambda features: features
    @classmethod
    def examples(cls): return [cls()]
    def sample(self, images, classes, shape, seed, start, count):
        return Balanced().sample(images, classes, shape, seed + count, start, count)

@dataclass(frozen=True)
class Shades(Dataset):
    """Grey squares."""
    n_classes: int
    def load(self):
        pixels = np.arange(4 * self.n_classes, dtype=np.uint8)[:, None, None].repeat(5, 1).repeat(5, 2)
        images = ArrayImages(pixels)
        digest = images_digest(image_digest(images[row]) for row in range(len(images)))
        names = tuple(f"shade {c}" for c in range(self.n_classes))
        return LabelledImages("shades", images, np.arange(len(pixels)) % self.n_classes, names, digest)
'''


@pytest.fixture(autouse=True)
def outside(tmp_path, monkeypatch):
    """A folder with a module of one's own in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "check_outside.py").write_text(OUTSIDE)
    yield
    sys.modules.pop("check_outside", None)


def check(*args):
    return CliRunner().invoke(main, ["check", *args])


@pytest.mark.parametrize(
    "spec",
    ["L2", "Balanced(support_from='domain=mono', query_from='domain=colour')", "RawPixels", "RawPixels(image_size=4)"],
)
def test_a_member_of_any_kind_is_checked_by_its_name(spec):
    result = check(spec)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(spec.partition("(")[0])
    assert result.stdout.endswith(": all rules hold\n")


def test_a_data_set_from_outside_is_checked_as_given():
    assert check("check_outside:Shades(3)").stdout == "Shades(n_classes=3): all rules hold\n"
    broken = check("check_outside:Shades(1)")
    assert broken.exit_code == 1
    assert broken.stdout.splitlines() == [
        "Shades(n_classes=1): 1 rule is broken",
        "  labels_fit: a data set needs at least 2 classes, found 1",
    ]


def test_a_function_is_the_backbone_that_run_takes(tmp_path):
    (tmp_path / "check_net.py").write_text(
        "from torch import nn\n\n\ndef net():\n    return nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())\n"
    )
    result = check("check_net:net")
    sys.modules.pop("check_net", None)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Function(")


def test_a_class_of_two_kinds_is_checked_as_the_kind_that_is_asked_for():
    assert "is a sampler and a transform; choose one with --kind" in check("check_outside:Both").stderr
    assert check("check_outside:Both", "--kind", "transform").exit_code == 0
    result = check("check_outside:Both", "--kind", "sampler", "--json")
    assert result.exit_code == 1
    [laws] = json.loads(result.stdout).values()
    assert [law.partition(":")[0] for law in laws] == [
        "more_episodes_keep_the_first_ones",
        "shards_make_their_own_episodes",
        "other_seeds_and_indices_give_other_episodes",
    ][: len(laws)]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("check_outside:Unfinished", "check_outside:Unfinished ("),
        ("check_outside:Empty", "check_outside:Empty.examples() is empty; return a few cheap instances to check"),
        ("check_outside:Plain", "check_outside:Plain has no base class that fewshot knows; derive it from one of"),
        (
            "check_outside:Shades",
            "check_outside:Shades needs 'n_classes' (int); write check_outside:Shades(n_classes=...)",
        ),
        ("check_outside:Absent", "the module 'check_outside' has no class 'Absent'"),
        ("no.such:Thing", "the class 'no.such:Thing' cannot be imported: No module named 'no'"),
        ("Prototyp", "nothing is called 'Prototyp'; see `fewshot list`, or give package.module:Class. Did you mean"),
        ("AllNovel", "AllNovel is a split; there are rules for: evaluator, sampler, transform, dataset, backbone"),
        ("ImageFolderSet('nowhere')", "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_checked_is_one_sentence(spec, message):
    result = check(spec)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {message}")
    assert len(result.stderr.splitlines()) == 1


def test_a_kind_that_the_class_is_not_of_is_told():
    result = check("check_outside:Shades(3)", "--kind", "sampler")
    assert (
        result.stderr == "Error: check_outside:Shades is no sampler: it does not derive from fewshot.samplers.Sampler\n"
    )
