"""What names a run: what changes the number, and nothing else."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace

import numpy as np
import pytest

from fewshot.episodes.lists import EpisodeList
from fewshot.episodes.shape import EpisodeShape
from fewshot.evaluators.linear_probe import LinearProbe
from fewshot.plugins.registry import SPLITS
from fewshot.runs.prepared import PreparedRun
from fewshot.runs.shared import split_of
from fewshot.runs.specs import Listed, RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from fewshot.samplers.balanced import Balanced
from fewshot.splits import ClassSplit
from tests.support.worlds import labelled

IMAGES = labelled(6, 30)


def task(spec, listed=None, images=IMAGES):
    split = ClassSplit((), (), images.class_names, images.classes_digest)
    return PreparedRun(spec, images, split, None if listed is None else EpisodeList(listed))


SPEC = RunSpec("Icons", "pixels", LinearProbe(100), Sampled(EpisodeShape(3, 1, 2)), split="AllNovel")


@pytest.mark.parametrize(
    "evaluator", ["LinearProbe", "LinearProbe(100)", "LinearProbe(C=100.0, max_iter=100)", LinearProbe()]
)
def test_however_an_evaluator_is_written_its_spec_is_one(evaluator):
    assert replace(SPEC, evaluator=evaluator) == SPEC


@pytest.mark.parametrize("count", [1, 2, 3, 1000])
def test_the_count_of_episodes_is_not_part_of_the_name(count):
    episodes = Balanced().sample(IMAGES, np.arange(6), EpisodeShape(3, 1, 2), seed=0, start=0, count=10)
    for listed in (None, episodes):
        spec = SPEC if listed is None else replace(SPEC, episodes=Listed("unused"))
        assert task(replace(spec, n_episodes=count), listed).run_id == task(spec, listed).run_id


def test_another_list_is_another_run_and_the_path_of_a_list_is_not():
    episodes = Balanced().sample(IMAGES, np.arange(6), EpisodeShape(3, 1, 2), seed=0, start=0, count=10)
    named = [
        task(replace(SPEC, episodes=Listed(path)), listed).run_id
        for path, listed in (("a", episodes), ("b", episodes), ("a", episodes[:9]))
    ]
    assert named[0] == named[1] != named[2]


def test_other_labels_of_the_same_images_are_another_run():
    relabelled = replace(IMAGES, labels=np.roll(IMAGES.labels, 1))
    assert task(SPEC, images=relabelled).run_id != task(SPEC).run_id


def test_relative_and_absolute_paths_of_a_data_set_name_one_run(tmp_path, monkeypatch):
    from PIL import Image

    for name in "ab":
        (tmp_path / "birds" / name).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (4, 4), (i, 0, ord(name))).save(tmp_path / "birds" / name / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    spec = replace(SPEC, episodes=Sampled(EpisodeShape(2, 1, 2)))
    names = {
        Workbench(progress=False).prepare(replace(spec, dataset=f"ImageFolderSet({root!r})")).run_id
        for root in ("birds", "./birds/", str(tmp_path / "birds"))
    }
    assert len(names) == 1


def test_rules_that_split_alike_name_one_run():
    ids = {task(replace(SPEC, split=rule)).run_id for rule in ("AllNovel()", "BySeed(novel=1.0, validation=0.0)")}
    assert len(ids) == 1  # `task` splits both alike


def test_a_list_shorter_than_asked_gives_what_it_has():
    episodes = Balanced().sample(IMAGES, np.arange(6), EpisodeShape(3, 1, 2), seed=0, start=0, count=10)
    short = task(replace(SPEC, episodes=Listed("unused"), n_episodes=600), episodes)
    assert short.n_episodes == 10
    assert len(short.episodes(8, 12)) == 2


def test_blocks_are_the_episodes_in_order(monkeypatch):
    monkeypatch.setattr("fewshot.runs.prepared._BLOCK_QUERIES", 6 * 7)
    blocks = list(task(SPEC).blocks([(0, 20), (30, 31)]))
    assert [len(b) for b in blocks] == [7, 7, 6, 1]
    assert np.concatenate([b.index for b in blocks]).tolist() == [*range(20), 30]


@pytest.mark.parametrize("seed", [-1, 1 << 64, 1.0, True, "0", None])
def test_a_seed_is_an_integer_of_64_bits(seed):
    with pytest.raises(ValueError, match=r"seed must be an integer in \[0, 2\^64\), got"):
        Sampled(seed=seed)


@pytest.mark.parametrize("count", [0, -3, 2.5, True])
def test_the_count_of_episodes_is_a_positive_integer(count):
    with pytest.raises(ValueError, match="n_episodes must be an integer of at least 1"):
        replace(SPEC, n_episodes=count)


def test_an_unknown_dtype_is_named():
    with pytest.raises(ValueError, match="unknown dtype 'float16'; known: float32, bfloat16"):
        replace(SPEC, dtype="float16")


VARIED = [
    replace(SPEC, episodes=Sampled(shape, seed), evaluator=evaluator, classes=classes)
    for shape, seed, classes in (
        (EpisodeShape(3, 1, 2), 0, "novel"),
        (EpisodeShape(3, 1, 2), 1, "novel"),
        (EpisodeShape(3, 2, 2), 0, "novel"),
        (EpisodeShape(2, 1, 2), 0, "novel"),
        (EpisodeShape(3, 1, 2), 0, "all"),
    )
    for evaluator in ("LinearProbe()", "Prototype()")
]


def test_first_episodes_are_sampled_once_for_runs_that_share_them(monkeypatch):
    images, sampled, sample = replace(IMAGES), [], Balanced.sample
    alone = [task(spec, images=replace(IMAGES)).run_id for spec in VARIED]

    def counted(self, *arguments):
        sampled.append(arguments[3])
        return sample(self, *arguments)

    monkeypatch.setattr(Balanced, "sample", counted)
    assert [task(spec, images=images).run_id for spec in VARIED] == alone
    assert len(sampled) == 5
    assert len(set(alone)) == len(VARIED)


def test_another_split_or_other_images_draw_again():
    images = replace(IMAGES)
    some = ClassSplit(images.class_names[:1], (), images.class_names[1:], images.classes_digest)
    whole = task(SPEC, images=images)
    assert PreparedRun(SPEC, images, some, None).run_id != whole.run_id
    fewer = replace(images, labels=np.roll(images.labels, 1))
    assert task(SPEC, images=fewer).run_id != whole.run_id


OUTSIDE = """
from dataclasses import dataclass
from fewshot.samplers.balanced import Balanced

@dataclass(frozen=True)
class Mine(Balanced):
    def sample(self, images, classes, shape, seed, start, count):
        return super().sample(images, classes, shape, seed + {more}, start, count)
"""


def test_a_sampler_from_outside_that_was_edited_is_another_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    ids = []
    for more in (0, 1):
        (tmp_path / "sampler_of_mine.py").write_text(OUTSIDE.format(more=more))
        importlib.invalidate_caches()
        sys.modules.pop("sampler_of_mine", None)
        ids.append(task(replace(SPEC, episodes=Sampled(EpisodeShape(3, 1, 2), 0, "sampler_of_mine:Mine()"))).run_id)
    sys.modules.pop("sampler_of_mine", None)
    assert ids[0] != ids[1]


def test_a_split_file_that_was_edited_is_read_again(tmp_path):
    names, path = IMAGES.class_names, tmp_path / "split.json"
    found = []
    for count in (1, 2):
        ClassSplit.of(names[:count], (), names[count:]).save(path)
        found.append(split_of(IMAGES, SPLITS.spec(f"FromFile({str(path)!r})")))
    assert [len(split.seen) for split in found] == [1, 2]
    assert split_of(IMAGES, SPLITS.spec("BySeed(0.5)")) is split_of(IMAGES, SPLITS.spec("BySeed(novel=0.5)"))
