"""Run ids of rows with published draws and with text towers follow from what a submission holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import BACKBONES, DATASETS, SAMPLERS
from fewshot.results.collections import Collection
from fewshot.results.files import Results
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.sharing.about import About
from fewshot.sharing.images import AtHand
from fewshot.sharing.members import same_but_for_paths
from fewshot.sharing.submit import submit
from fewshot.sharing.verify import verify
from tests.support.bird_folders import write_birds
from tests.support.list_layouts import coop, write_images, write_text
from tests.support.submissions import birds, change_rows

CLASSES = ("banded", "zigzagged")
SIZES = {"train": 6, "val": 2, "test": 4}


def with_draws(folder: Path) -> RunSpec:
    """A run on three published draws of two images per class."""
    parts: dict[str, list[Any]] = {
        part: [[f"{name}/{part}{n}.jpg", label, name] for label, name in enumerate(CLASSES) for n in range(size)]
        for part, size in SIZES.items()
    }
    file = coop(folder, listed=parts)
    write_images(folder / "images", (path for some in parts.values() for path, _, _ in some))
    for seed in (1, 2, 3):
        drawn = [one for one in parts["train"] if one[0].endswith((f"{seed}.jpg", f"{seed + 1}.jpg"))]
        held = {"train": {"data": list(map(entry, drawn))}, "val": {"data": list(map(entry, parts["val"]))}}
        write_text(folder / "draws" / f"shot_2-seed_{seed}.json", json.dumps(held))
    episodes = Sampled(EpisodeShape(None, 2, None), sampler=f"PublishedDraws({str(folder / 'draws')!r})")
    data_set = f"CoOpSplit({str(file)!r})"
    return RunSpec(data_set, "RawPixels(image_size=4)", "Prototype()", episodes, split="AllNovel()", n_episodes=3)


def entry(listed: list[Any]) -> dict[str, Any]:
    """An image as a file of draws names it, with a path of its authors."""
    path, label, name = listed
    return {"impath": f"/authors/{path}", "label": label, "classname": name}


def with_words(folder: Path) -> RunSpec:
    """A zero-shot run of a small CLIP on the birds."""
    from tests.support.tiny_clip import write_tiny_clip

    path = write_tiny_clip(folder / "clip")
    episodes = Sampled(EpisodeShape(n_way=3, k_shot=0, n_query=4))
    backbone = f"OpenCLIP('tiny', {str(path)!r}, templates='a drawing of a {{}}.')"
    return RunSpec(birds(folder), backbone, "ZeroShot()", episodes, split="AllNovel()", n_episodes=4)


OPEN, TWO = EpisodeShape(None, None, None), EpisodeShape(None, 2, None)
SIDES = "support_from='partition=train', query_from='partition=test'"
ONE_EPISODE = {
    "whole partitions": (OPEN, "WholePartitions(('partition=train',))"),
    "all of both sides": (OPEN, f"Balanced({SIDES})"),
    "a support that is drawn": (TWO, f"Balanced({SIDES})"),
}


def with_one_episode(folder: Path, case: str) -> Path:
    """A submission of a run of one episode on a whole test partition."""
    for part in ("train", "test"):
        write_birds(folder / "parts" / part, 4)
    shape, sampler = ONE_EPISODE[case]
    data = f"ImageFolderSet({str(folder / 'parts')!r}, layout='partition/class')"
    results = Results(folder / "mine.jsonl")
    spec = RunSpec(
        data, "RawPixels(image_size=4)", "Prototype()", Sampled(shape, 0, sampler), split="AllNovel()", n_episodes=1
    )
    run(spec, results, Workbench(progress=False))
    submit(Collection.of([results]), folder / "shared", About("mine"), AtHand(own=True))
    return folder / "shared"


@pytest.mark.parametrize("case", ONE_EPISODE)
def test_the_run_id_of_one_episode_is_checked_where_the_second_is_known(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_one_episode(tmp_path, case)
    monkeypatch.setenv("FEWSHOT_HOME", str(tmp_path / "a reader"))  # whose machine knows no data of the run
    at_hand = AtHand((DATASETS.spec(f"ImageFolderSet({str(tmp_path / 'parts')!r}, layout='partition/class')"),))
    drawn = "drawn" in case
    assert (
        bool([text for text in verify(folder).unchecked if "it needs two episodes, and the run has one" in text])
        == drawn
    )
    assert not [text for text in verify(folder, at_hand).unchecked if "run id" in text]
    change_rows(folder, lambda row: row.update(dtype="bfloat16"))
    assert drawn or any("its run id is " in text for text in verify(folder).problems)
    assert any("its run id is " in text for text in verify(folder, at_hand).problems)


@pytest.mark.parametrize("case", ONE_EPISODE)
def test_a_sampler_that_repeats_has_the_same_images_in_every_episode(tmp_path: Path, case: str) -> None:
    for part in ("train", "test"):
        write_birds(tmp_path / "parts" / part, 4)
    images = DATASETS.spec(f"ImageFolderSet({str(tmp_path / 'parts')!r}, layout='partition/class')").make().load()
    shape, text = ONE_EPISODE[case]
    sampler = SAMPLERS.make(text)
    first, second = (sampler.sample(images, np.arange(4), shape, 0, start, 1) for start in (0, 1))
    assert sampler.repeats(shape) == (replace(first, index=second.index).digest == second.digest)


@pytest.fixture(params=[with_draws, with_words])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    results = Results(tmp_path / "mine.jsonl")
    run(request.param(tmp_path), results, Workbench(progress=False))
    submit(Collection.of([results]), tmp_path / "shared", About("mine"), AtHand(own=True))
    return tmp_path / "shared"


def test_the_run_id_is_checked_without_the_files_of_its_author(shared: Path) -> None:
    found = verify(shared)
    assert not found.problems
    assert not [text for text in found.unchecked if "run id" in text]


def test_another_seed_backbone_or_template_does_not_give_the_run_id(shared: Path) -> None:
    change_rows(shared, lambda row: row.update(dtype="bfloat16"))
    assert any("its run id is " in text for text in verify(shared).problems)


def test_other_templates_than_those_of_the_backbone_are_a_problem(shared: Path) -> None:
    change_rows(shared, lambda row: row.update(templates="a picture of a {}."))
    assert any(
        "it names the templates 'a picture of a {}.', but its backbone" in text for text in verify(shared).problems
    )


def test_templates_in_a_file_are_not_read(shared: Path) -> None:
    def forged(row: dict[str, Any]) -> None:
        row.update(backbone="OpenCLIP(model='tiny', pretrained=None, templates='/dev/zero')", templates="zero")

    change_rows(shared, forged)
    assert any("its templates are a file that only its author has" in text for text in verify(shared).unchecked)


@pytest.mark.parametrize(
    ("recorded", "same"),
    [
        ("'sha256:0123456789abcdef'", True),
        ("'sha256:0123456789abcdef open_clip_config.json:0123456789abcdef'", True),
        ("'openai'", False),
        ("None", False),
        ("'sha256:0123456789abcdef', image_size=64", False),
    ],
)
def test_the_content_of_a_file_stands_for_its_path_and_nothing_else_does(recorded: str, same: bool) -> None:
    spec, other = (BACKBONES.read(f"OpenCLIP('tiny', {text})") for text in ("'tiny.safetensors'", recorded))
    assert same_but_for_paths(spec, other) is same
