"""`fewshot reproduce` and `fewshot list published`: planted rows, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fewshot.results.files import Results
from fewshot.results.published import numbers_called
from tests.support.benchmark_folders import PIXELS, class_folders, cut_benchmark, sizes_of_split
from tests.support.command_line import fail, misuse, succeed
from tests.support.report_rows import row


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Rows of mini-ImageNet at 5 shots: one as published, one off by 3 points, one of another split, one other."""
    [one] = [each for each in numbers_called("simpleshot") if each.model.startswith("SimpleShot R") and each.shots == 5]
    columns = {"transform": "CentredL2()", "k_shot": 5, "n_classes": 20, "split": "Published(name='mini_imagenet')"}
    results = Results(tmp_path / "runs.jsonl")
    planted = [
        row(one.accuracy, 0.006, **columns),
        row(one.accuracy - 0.03, 0.006, **columns, seed=1),
        row(one.accuracy, 0.006, **columns | {"split": "BySeed(seed=0)", "dataset": "Folder('mini_imagenet')"}),
        row(one.accuracy, 0.006, split="Published(name='cifar_fs')"),
    ]
    for each in planted:
        results.append(each)
    return results.path


def test_rows_beside_published_numbers(rows: Path) -> None:
    text = succeed("reproduce", "simpleshot", "--rows", rows, "--model", "ResNet-18")
    assert text.startswith("1 reproduced, 1 not reproduced, 1 not comparable\n")
    value = json.loads(succeed("reproduce", "simpleshot", "--rows", rows, "--model", "ResNet-18", "--json"))
    assert "The exit code says nothing about the verdicts" in " ".join(succeed("reproduce", "--help").split())
    verdicts = [one["verdict"] for one in value["numbers"]]
    assert verdicts == ["reproduced", "not reproduced", "not comparable"]
    assert "other split: BySeed(seed=0), published mini-ImageNet" in value["numbers"][2]["reason"]


def test_no_row_beside_a_number_is_an_error_with_the_networks_and_data(rows: Path) -> None:
    whole = ("reproduce", "simpleshot", "--rows", rows, "--json", "--model")
    assert succeed(*whole, "SimpleShot ResNet-18, CL2N") == succeed(*whole, "SimpleShot ResNet-18 CL2N")
    assert "it has SimpleShot ResNet-18 CL2N, SimpleShot WRN CL2N on mini-ImageNet, tiered-ImageNet" in fail(
        "reproduce", "simpleshot", "--rows", rows
    )
    assert "no published numbers are called 'x'; known: " in fail("reproduce", "x", "--rows", rows)


def test_rows_or_data_are_given_and_a_source_without_a_benchmark_is_not_run(rows: Path, tmp_path: Path) -> None:
    assert "give either --rows FILE, or --data ROOT" in misuse("reproduce", "simpleshot")
    assert "give either --rows FILE, or --data ROOT" in misuse(
        "reproduce", "simpleshot", "--rows", rows, "--data", tmp_path
    )
    assert "no benchmark of fewshot runs the protocol of dinov2" in fail("reproduce", "dinov2", "--data", tmp_path)


@pytest.mark.parametrize("name", ["medmnist", "cifar_fs", "coop@fewshot"])
def test_a_benchmark_without_published_numbers_is_named_as_one(rows: Path, name: str) -> None:
    sentence = fail("reproduce", name, "--rows", rows)
    assert f"fewshot has no published numbers of {name} to compare with; run it without them" in sentence


def test_published_numbers_are_listed_by_source_and_by_word() -> None:
    assert "Meta-Dataset, ProtoNet trained on ILSVRC-2012 only: 10 numbers." in " ".join(
        succeed("list", "published").split()
    )
    shown = succeed("list", "published", "Traffic")
    assert "47.12 ± 1.10" in shown
    assert shown.rstrip().endswith("where there is one.")
    assert len(json.loads(succeed("list", "published", "dinov2-base", "--json"))) == 21
    assert "no published number matches 'nothing'" in fail("list", "published", "nothing")


def test_a_benchmark_on_data_runs_first_and_only_its_rows_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: Path
) -> None:
    class_folders(tmp_path / "data" / "mini_imagenet", sizes_of_split("mini_imagenet", 20, others=2))
    cut_benchmark(monkeypatch, "mini_imagenet", n_episodes=40)
    options = ("--data", tmp_path / "data", *PIXELS, "--model", "ResNet-18", "--results", rows, "--json")
    found = json.loads(succeed("reproduce", "simpleshot", *options))["numbers"]
    assert [one["published"]["shots"] for one in found] == [1, 5]
    assert [one["verdict"] for one in found] == ["not reproduced", "not reproduced"]
    assert all("40 episodes" in one["reason"] for one in found)
