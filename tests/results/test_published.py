"""The published numbers that come with fewshot: whole, in range, and those of the facts that they were read from."""

from __future__ import annotations

import csv
import re

import pytest

from fewshot import protocols
from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.results.published import numbers_called, published_numbers, published_table, table_names
from tests.support.checkout import ROOT

MIEB = ROOT.parent / "shared" / "reference" / "field" / "mieb_16shot.csv"
NAMES = {
    "Food101Classification": "Food101",
    "Imagenet1k": "ImageNet1k",
    "OxfordFlowersClassification": "OxfordFlowers",
}
QUOTED = [
    ("mieb_few_shot", "facebook/dinov2-base", "ImageNet1k", 16, 0.7592),
    ("mieb_few_shot", "openai/clip-vit-base-patch16", "CIFAR100", 16, 0.7124),
    ("mieb_few_shot", "facebook/dinov2-large", "OxfordPets", 16, 0.9490),
    ("dinov2", "ViT-L/14", "ImageNet1k", "all", 0.835),
    ("open_clip", "ViT-B-16 openai", "DTD", 0, 0.4495),
    ("tip_adapter", "CLIP RN50", "EuroSAT", 16, 0.7054),
    ("feat", "ResNet-12 FEAT", "tiered-ImageNet", 5, 0.8479),
    ("simpleshot", "SimpleShot ResNet-18 CL2N", "mini-ImageNet", 5, 0.801),
    ("meta_dataset", "ProtoNet", "Traffic Sign", "variable", 0.4712),
    ("bit_few_shot", "BiT 21k R152x4", "CIFAR100", 500, 0.886),
    ("vtab_1k", "Rotation", "mean of 19 tasks", "1000 images", 0.605),
]


@pytest.mark.parametrize("name", table_names())
def test_each_table_is_whole(name: str) -> None:
    table = published_table(name)
    assert table.title
    assert table.source
    assert table.numbers
    assert table.benchmark in ("", *protocols.names())
    keys = [(one.model, one.head, one.data.name, one.shots) for one in table.numbers]
    assert len(set(keys)) == len(keys)
    for one in table.numbers:
        assert 0 < one.accuracy < 1
        assert not one.draws or min(one.draws) - 5e-4 <= one.accuracy <= max(one.draws) + 5e-4
        assert not one.evaluator or EVALUATORS.read(one.evaluator).name in EVALUATORS.names()
        assert not one.transform or TRANSFORMS.read(one.transform).name in TRANSFORMS.names()
        assert one.data.aliases
        assert "," not in one.model + one.head  # messages list them
        assert all(re.fullmatch(r"[a-z0-9]+", alias) for alias in (*one.data.aliases, *one.data.splits))


@pytest.mark.parametrize(("source", "model", "data", "shots", "accuracy"), QUOTED)
def test_numbers_are_those_of_their_sources(source: str, model: str, data: str, shots: object, accuracy: float) -> None:
    found = [one for one in numbers_called(source) if (one.model, one.data.name, one.shots) == (model, data, shots)]
    assert accuracy in [pytest.approx(one.accuracy, abs=5e-5) for one in found]


@pytest.mark.skipif(not MIEB.is_file(), reason="the table of the source is not beside this checkout")
def test_every_number_of_mieb_is_there_with_its_draws() -> None:
    ours = {(one.model, one.data.name): one for one in numbers_called("mieb_few_shot")}
    with open(MIEB, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(ours)
    for line in lines:
        one = ours[line["model"], NAMES.get(line["task"], line["task"])]
        assert one.accuracy == pytest.approx(float(line["accuracy"]), abs=5e-7)
        assert list(one.draws) == [float(line[f"draw_{n}"]) for n in range(1, 6) if line[f"draw_{n}"]]
        assert ("validation images" in one.labels) == (line["split"] == "validation")


def test_labels_say_what_is_wrong_with_a_number() -> None:
    flowers = [one for one in published_numbers("mieb") if one.data.name == "OxfordFlowers"]
    assert all("unofficial split" in one.labels for one in flowers)
    adapters = [one for one in published_numbers("tip_adapter") if one.head == "Tip-Adapter"]
    assert len(adapters) == 11
    assert all("oracle" in " ".join(one.labels) for one in adapters)


def test_a_benchmark_has_the_numbers_of_all_its_sources() -> None:
    assert {one.source for one in numbers_called("mini_imagenet")} == {"feat", "simpleshot"}
    with pytest.raises(ValueError, match="no published numbers are called 'mieb'; known: bit_few_shot, "):
        numbers_called("mieb")
