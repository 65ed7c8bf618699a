"""A head that a user names on a benchmark is reported with its differences, and its rows are labelled."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fewshot import protocols
from fewshot.commands._benchmark import BenchmarkRequest
from fewshot.plugins.registry import EVALUATORS, TRANSFORMS
from fewshot.protocols import Head
from fewshot.protocols._heads import OTHER_HEAD, has_own_head, head_differences, head_label
from fewshot.results.row import Row
from fewshot.results.selection_rule import Selection
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.specs import RunSpec
from fewshot.runs.workbench import Workbench
from tests.support.benchmark_folders import PIXELS, class_folders, cut_benchmark, sizes_of_split
from tests.support.command_line import succeed

CHOSEN = Selection("images", (("max_iter", (7, 9)),))


def row_with(head: Head, protocol: str) -> Row:
    """A row of a benchmark with this head, as runs store it."""
    return Row(
        "a",
        transform=TRANSFORMS.spec(head.transform).text,
        evaluator=EVALUATORS.spec(head.evaluator).text,
        selection_rule="" if head.selection is None else repr(head.selection),
        protocol=protocol,
        benchmark_set="any",
    )


@pytest.mark.parametrize("name", protocols.names())
def test_only_the_own_heads_of_a_benchmark_have_no_differences_and_no_label(name: str) -> None:
    benchmark = protocols.benchmark(name)
    for own in benchmark.heads:
        assert head_differences(benchmark, own) == ""
        assert has_own_head(row_with(own, benchmark.protocol), benchmark)
        assert head_label(row_with(own, benchmark.protocol)) == ""
        assert head_label(row_with(own, "quick@1")) == ""
        others = {
            "transform TukeyPower instead of ": replace(own, transform="TukeyPower()"),
            "evaluator TIM instead of ": replace(own, evaluator="TIM()"),
            "max_iter chosen on validation images instead of ": replace(own, selection=CHOSEN),
        }
        for text, head in others.items():
            assert text in head_differences(benchmark, head)
            assert head_label(row_with(head, benchmark.protocol)) == OTHER_HEAD


def test_the_fields_of_the_same_evaluator_are_named() -> None:
    probe = Head("Identity()", "LinearProbe(C=1.0)")
    assert head_differences(protocols.benchmark("cifar_fs"), replace(probe, evaluator="LinearProbe()")) == (
        "transform Identity instead of L2 and C 100.0 instead of 1.0"
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Classes of CIFAR-FS below a folder, and the benchmark on few episodes of them."""
    sizes = {name.rpartition("/")[2]: size for name, size in sizes_of_split("cifar_fs", 20).items()}
    class_folders(tmp_path / "cifar100" / "data", sizes)
    cut_benchmark(monkeypatch, "cifar_fs", n_episodes=4)
    return tmp_path


def shown(root: Path, *method: str) -> str:
    results = ("--results", root / "rows.jsonl")
    return " ".join(succeed("run", "--benchmark", "cifar_fs", "--data", root, *PIXELS, *method, *results).split())


@pytest.mark.parametrize(
    ("method", "differences"),
    [
        (("--evaluator", "LinearProbe"), "C 100.0 instead of 1.0"),
        (
            ("--evaluator", "Prototype", "--transform", "Identity"),
            "transform Identity instead of L2 and evaluator Proto",
        ),
        (("--transform", "CentredL2"), "transform CentredL2 instead of L2"),
        (
            ("--preset", "SimpleShot-UN"),
            "transform Identity instead of L2 and evaluator Prototype instead of LinearPro",
        ),
    ],
)
def test_a_run_names_the_differences_and_labels_its_rows(method: tuple[str, ...], differences: str, root: Path) -> None:
    text = shown(root, *method)
    assert f"is not the own head of cifar_fs@1: it has {differences}" in text
    assert text.count("is not the own head of") == 1
    assert f": {OTHER_HEAD}." in text
    assert f"{OTHER_HEAD}, 5-way 1-shot: its only set" in text
    page = succeed("report", root / "rows.jsonl", "--markdown")
    assert OTHER_HEAD.capitalize() in page


def test_the_own_head_is_not_labelled_and_keeps_its_run_ids(root: Path) -> None:
    text = shown(root)
    assert "own head" not in text
    own = [json.loads(line)["run_id"] for line in (root / "rows.jsonl").read_text().splitlines()]
    assert "own head" not in shown(root, "--evaluator", "LinearProbe(C=1.0)", "--transform", "L2")
    rows = [json.loads(line) for line in (root / "rows.jsonl").read_text().splitlines()]
    assert [row["run_id"] for row in rows] == own
    assert {row["protocol"] for row in rows} == {"cifar_fs@1"}


@pytest.mark.parametrize("name", ["meta_album", "medmnist", "cifar_fs"])
def test_a_named_evaluator_of_the_benchmark_keeps_its_transform(name: str) -> None:
    found, transforms = protocols.benchmark(name), BenchmarkRequest(name, (), False).transforms()
    for head in found.heads:
        evaluator = EVALUATORS.spec(head.evaluator)
        assert "transform" not in head_differences(found, replace(head, transform=transforms[evaluator.name]))


def test_the_check_of_a_copy_prepares_runs_of_every_transform_and_shape_and_none_twice(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, prepare = [], Workbench.prepare

    def counted(bench: Workbench, spec: RunSpec) -> PreparedRun:
        prepared.append(spec)
        return prepare(bench, spec)

    monkeypatch.setattr(Workbench, "prepare", counted)
    methods = [("L2()", "Prototype()"), ("Identity()", "Prototype()"), ("L2()", "LinearProbe()")]
    request, bench = BenchmarkRequest("cifar_fs", (), False), Workbench(progress=False)
    specs = request.plan(str(root), ["RawPixels(image_size=4)"], methods, "float32", bench).specs
    assert len(specs) == 6
    assert {spec.transform for spec in prepared} == {spec.transform for spec in specs}
    assert {spec.episodes for spec in prepared} == {spec.episodes for spec in specs}
    assert len(prepared) == len(set(prepared)) == 3  # two transforms and two shapes, of which one run has both
