"""A copy with other counts runs outside its benchmark by one command: the same runs without the benchmark's name."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot import protocols
from fewshot.commands import run as run_command
from fewshot.commands._choice_request import ChoiceRequest
from fewshot.commands._outside import outside
from fewshot.datasets._shorthand import dataset_spec
from fewshot.episodes.shape import EpisodeShape
from fewshot.protocols import Benchmark, BenchmarkSet, Head
from fewshot.protocols._places import Copy
from fewshot.results.selection_rule import Selection
from fewshot.runs.benchmark_runs import benchmark_runs
from fewshot.runs.specs import RunSpec, Sampled
from tests.support.benchmark_folders import class_folders, cut_benchmark, sizes_of_split
from tests.support.command_line import fail, succeed

BACKBONES = ("RawPixels(image_size=4)", "Timm('vit_small_patch16_224', pool='token')")
NAMED = (
    Head("CentredL2()", "Prototype()"),
    Head("Identity()", "LinearProbe(C=0.5)", Selection("validation", (("C", (0.01, 1.0)),), n_episodes=7)),
)


def specs_of_words(words: Sequence[str]) -> Iterator[RunSpec]:
    """The runs that a command names if it leaves no size open: those of `fewshot run` without a look at the data."""
    assert words[:2] == ["fewshot", "run"]
    typed: dict[str, Any] = run_command.command.make_context("run", list(words[2:])).params
    choice = ChoiceRequest(typed["select"], typed["settings"], typed["select_episodes"])
    choice.check()
    number = {"all": None}
    shapes = [
        EpisodeShape(
            number.get(typed["way"], typed["way"]),
            number.get(k, k),
            number.get(typed["query"], typed["query"]),
            typed["at_most"],
        )
        for k in typed["shot"]
    ]
    for backbone, evaluator, shape in product(typed["backbones"], typed["evaluators"], shapes):
        yield RunSpec(
            dataset=dataset_spec(typed["data"]),
            backbone=backbone,
            evaluator=choice.evaluator(evaluator),
            episodes=Sampled(shape, typed["seed"], typed["sampler"]),
            transform=typed["transform"],
            classes=typed["classes"],
            split=typed["split"],
            dtype=typed["dtype"],
            n_episodes=typed["n_episodes"],
            selection=choice.selection,
        )


def copy_of(one: BenchmarkSet, root: Path) -> Copy:
    """A copy of a set where its first place says: an empty folder, or a file of one image."""
    place, path = one.places[0], root / one.places[0].below
    if path.suffix == ".npz":
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, train_images=np.zeros((1, 4, 4), np.uint8), train_labels=np.zeros((1, 1), np.uint8))
    elif not path.suffix:
        path.mkdir(parents=True, exist_ok=True)
    words = {name: repr(str(value)) for name, value in (("path", path), ("folder", path.parent), ("root", root))}
    words |= {side: repr(f"partition={getattr(place, side)}") for side in ("train", "test")}
    words |= {companion.name: repr(str(root / companion.name)) for companion in one.companions}
    return Copy(one, place, place.dataset.format(**words), one.sampler.format(**words))


def without_name(specs: Sequence[RunSpec]) -> set[RunSpec]:
    return {replace(spec, protocol="", benchmark_set="") for spec in specs}


@pytest.mark.parametrize("heads", [(), NAMED], ids=["its own heads", "named heads"])
@pytest.mark.parametrize("name", protocols.names())
def test_the_command_gives_the_runs_of_the_benchmark_without_its_name(
    name: str, heads: tuple[Head, ...], tmp_path: Path
) -> None:
    benchmark: Benchmark = protocols.benchmark(name)
    different = {(one.places[0].dataset, one.sampler, one.split, one.shapes): one for one in benchmark.sets}
    for one in different.values():
        copies = [copy_of(one, tmp_path / "my data")]
        specs = benchmark_runs(benchmark, copies, BACKBONES, heads or benchmark.heads, "bfloat16")
        commands = [shlex.split(text) for text in outside(specs, ["--results", "mine.jsonl"]).split(" && ")]
        assert all(words[-2:] == ["--results", "mine.jsonl"] for words in commands)
        given = [spec for words in commands for spec in specs_of_words(words)]
        assert set(given) == without_name(specs)
        assert len(given) == len(specs)


@pytest.mark.parametrize("method", [(), ("--evaluator", "Prototype"), ("--preset", "SimpleShot-UN")])
def test_the_printed_command_plans_the_runs_of_the_benchmark(
    method: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[list[RunSpec]] = []
    monkeypatch.setattr("fewshot.commands._plan.dry_run", lambda specs, *_: planned.append(list(specs)) or 0)
    sizes = {name.rpartition("/")[2]: size for name, size in sizes_of_split("cifar_fs", 20).items()}
    class_folders(tmp_path / "data" / "cifar100" / "data", sizes)
    own = ("--backbone", "RawPixels(image_size=4)", "--backbone", "RawPixels(image_size=5)", *method, "--dry-run")
    words = ("run", "--benchmark", "cifar_fs", "--data", tmp_path / "data", *own)
    with pytest.MonkeyPatch.context() as patch:
        cut_benchmark(patch, "cifar_fs")
        succeed(*words)
    sentence = fail(*words)
    assert "do not bear the name cifar_fs@1: fewshot run --data" in sentence
    printed = shlex.split(sentence.partition("cifar_fs@1: ")[2])
    succeed(*printed[1:], "--dry-run")
    of_benchmark, of_command = planned
    assert {spec.protocol for spec in of_benchmark} == {"cifar_fs@1"}
    assert without_name(of_benchmark) == set(of_command)
    assert len(of_benchmark) == len(of_command) == 4


@pytest.mark.parametrize(("name", "lost"), [("bit_few_shot", "the mean of their draws, not the median"), ("coop", "")])
def test_the_sentence_names_what_no_command_expresses(name: str, lost: str) -> None:
    from fewshot.protocols._counts import _apart

    text = _apart(protocols.benchmark(name))
    assert text.startswith(f"do not bear the name {name}@1")
    assert "do not count in its mean over data sets" in text
    assert ("median" in text) == bool(lost)
    assert lost in text
