"""Runs: named by what changes the number, resumed, refined, sharded, and honest when they fail."""

from __future__ import annotations

import logging
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from fewshot.episodes.episodes import Episodes
from fewshot.episodes.shape import EpisodeShape
from fewshot.results.files import Results
from fewshot.results.parts import PredictionParts
from fewshot.runs.pipeline import run, run_all
from fewshot.runs.specs import Listed, RunSpec, Sampled
from fewshot.samplers.balanced import Balanced
from tests.support.workbenches import bench


@pytest.fixture
def spec(folder):
    return RunSpec(
        dataset=f"ImageFolderSet(root={str(folder)!r})",
        backbone="RawPixels(image_size=4)",
        evaluator="Prototype",
        split="AllNovel",
        episodes=Sampled(EpisodeShape(3, 2, 4)),
        n_episodes=40,
    )


def test_a_run_gives_a_row_with_its_spec_measures_and_provenance(spec, results):
    row = run(spec, results, bench())
    assert row.status == "ok"
    assert row.accuracy_low < row.accuracy < row.accuracy_high
    assert row.accuracy > 1 / 3 + 0.1
    assert (row.n_way, row.k_shot, row.n_query, row.n_episodes, row.n_classes) == (3, 2, 4, 40, 6)
    assert row.evaluator == "Prototype(metric='euclidean')"
    assert row.population == "these images"
    assert row.images_digest
    assert row.weights_digest
    assert row.episodes_digest
    assert "torch" in row.versions
    assert results.rows() == [row]


def test_a_second_call_computes_nothing(spec, results):
    row = run(spec, results, bench())
    assert run(spec, results, bench(backbone=lambda _: pytest.fail("loaded a backbone"))) == row


def test_a_second_call_imports_neither_torch_nor_timm(spec, results):
    run(spec, results, bench())
    code = f"""
import sys
from pathlib import Path
from fewshot.episodes.shape import EpisodeShape
from fewshot.results.files import Results
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
spec = RunSpec({spec.dataset!r}, {spec.backbone!r}, 'Prototype()', Sampled(EpisodeShape(3, 2, 4)), split='AllNovel()',
               n_episodes=40)
row = run(spec, Results(Path({str(results.path)!r})))
assert row.accuracy, row
print(sorted(m for m in ("torch", "timm", "sklearn", "scipy", "matplotlib") if m in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_run_id_holds_what_changes_the_number_and_nothing_else(spec):
    def named(**changes):
        return bench().prepare(replace(spec, **changes)).run_id

    same = named()
    assert named(evaluator="Prototype('euclidean')") == same
    assert named(n_episodes=7) == same
    assert named(protocol="other@2") == same
    others = [
        named(evaluator="Prototype('cosine')"),
        named(transform="Identity"),
        named(backbone="RawPixels(8)"),
        named(episodes=Sampled(EpisodeShape(3, 2, 4), seed=1)),
        named(episodes=Sampled(EpisodeShape(3, 1, 4))),
        named(dtype="bfloat16"),
        named(split="BySeed(novel=1.0, validation=0.0)", classes="all"),
        named(split="BySeed(novel=0.5)"),
    ]
    assert len({same, *others}) == len(others) + 1


def test_the_run_id_follows_the_images_and_not_their_path(spec, folder, tmp_path):
    import shutil

    copied = shutil.copytree(folder, tmp_path / "moved")
    moved = replace(spec, dataset=f"ImageFolderSet({str(copied)!r})")
    assert bench().prepare(moved).run_id == bench().prepare(spec).run_id
    Image.new("RGB", (8, 10)).save(copied / "a" / "0.png")
    assert bench().prepare(moved).run_id != bench().prepare(spec).run_id


def test_more_episodes_compute_only_the_missing_ones(spec, results, monkeypatch):
    import fewshot.runs.solving

    run(spec, results, bench())
    solved = []
    original = fewshot.runs.solving.solve
    monkeypatch.setattr(
        fewshot.runs.solving, "solve", lambda e, **kwargs: (solved.extend(e.index), original(e, **kwargs))[1]
    )
    refined = run(replace(spec, n_episodes=60), results, bench())
    assert solved == list(range(40, 60))
    whole = run(replace(spec, n_episodes=60), Results(results.path.with_name("other.jsonl")), bench())
    assert (refined.accuracy, refined.accuracy_low, refined.episodes_digest) == (
        whole.accuracy,
        whole.accuracy_low,
        whole.episodes_digest,
    )
    assert [row.n_episodes for row in results.rows()] == [60]


def test_two_processes_doing_half_each_give_the_same_row(spec, results, tmp_path):
    whole = run(spec, Results(tmp_path / "whole.jsonl"), bench())
    assert run(spec, results, bench(), shard=(2, 2)) is None
    halves = run(spec, results, bench(), shard=(1, 2))
    for name in ("accuracy", "accuracy_low", "accuracy_high", "episodes_digest", "run_id", "n_episodes"):
        assert getattr(halves, name) == getattr(whole, name)


@pytest.mark.parametrize("budget", [1, 100_000, 1 << 30])
def test_the_memory_budget_changes_nothing_but_memory(spec, results, budget, tmp_path):
    usual = run(spec, Results(tmp_path / "usual.jsonl"), bench())
    assert run(spec, results, bench(budget_bytes=budget)).accuracy == usual.accuracy


def test_a_killed_run_continues_where_it_was(spec, results, monkeypatch):
    import fewshot.runs.portions
    import fewshot.runs.solving

    whole = run(spec, Results(results.path.with_name("whole.jsonl")), bench())
    original, calls = fewshot.runs.solving.solve, []

    def killed(episodes, **kwargs):
        calls.append(len(episodes))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(episodes, **kwargs)

    monkeypatch.setattr(fewshot.runs.portions, "WRITE_SECONDS", 0.0)  # every piece is written at once
    monkeypatch.setattr(fewshot.runs.solving, "solve", killed)
    with pytest.raises(KeyboardInterrupt):
        run(spec, results, bench())
    assert results.rows() == []
    task = bench().prepare(spec)
    stored = task.n_episodes - sum(b - a for a, b in results.parts(task.run_id).missing(0, 40, {}))
    assert stored == sum(calls[:2])
    row = run(spec, results, bench())
    assert row.accuracy == whole.accuracy
    assert sum(calls[3:]) == 40 - stored


def test_what_is_written_is_let_go_of_before_more_is_solved(spec, results, monkeypatch):
    import fewshot.runs.portions
    import fewshot.runs.solving

    written, write, original = [], PredictionParts.write, fewshot.runs.solving.solve

    def watched(episodes, **kwargs):
        assert [ref() for ref in written] == [None] * len(written)
        return original(episodes, **kwargs)

    def kept(parts, predictions, made_from):
        written.append(weakref.ref(predictions))
        write(parts, predictions, made_from)

    monkeypatch.setattr(fewshot.runs.portions, "WRITE_SECONDS", 0.0)  # every piece is written at once
    monkeypatch.setattr(fewshot.runs.solving, "solve", watched)
    monkeypatch.setattr(PredictionParts, "write", kept)
    run(spec, results, bench())
    assert len(written) > 2


def test_a_sampler_that_draws_otherwise_makes_other_runs(spec, monkeypatch):
    before = bench().prepare(spec).run_id
    original = Balanced.sample
    monkeypatch.setattr(
        Balanced, "sample", lambda self, i, c, shape, seed, *n: original(self, i, c, shape, seed + 1, *n)
    )
    assert bench().prepare(spec).run_id != before


def test_other_weights_run_again_and_say_so(spec, results, caplog):
    row = run(spec, results, bench())
    changed = bench()
    real = changed.backbone

    other = bench(backbone=lambda s: replace(real(s), weights_digest="other"))
    with caplog.at_level(logging.WARNING, "fewshot"):
        again = run(replace(spec, n_episodes=41), results, other)
    assert "was computed with other weights" in caplog.text
    assert again.weights_digest == "other"
    assert row.weights_digest != "other"
    assert again.n_episodes == 41


def test_a_failing_run_leaves_its_error_and_the_suite_goes_on(spec, results):
    specs = [replace(spec, evaluator="Prototype('no such')"), replace(spec, split="Committed('icons_mono')"), spec]
    rows = [row for _, row in run_all(specs, results, bench())]
    assert [row.status for row in rows] == ["failed", "failed", "ok"]
    assert "must be one of euclidean, cosine" in rows[0].error
    assert "this split is for" in rows[1].error
    assert len(results.rows()) == 3


def test_a_failed_run_is_tried_again(spec, results, monkeypatch):
    import fewshot.runs.solving

    monkeypatch.setattr(fewshot.runs.solving, "solve", lambda *_, **__: 1 / 0)
    ((_, failed),) = run_all([spec], results, bench())
    assert failed.error.startswith("ZeroDivisionError: division by zero in ")
    monkeypatch.undo()
    assert run(spec, results, bench()).status == "ok"
    assert [row.status for row in results.rows()] == ["ok"]


def test_listed_episodes_run_as_they_are(spec, results, tmp_path):
    images = bench().images(spec.dataset)
    episodes = Balanced().sample(images, np.arange(6), EpisodeShape(3, 2, 4), 0, 0, 40)
    episodes.save(tmp_path / "mine.safetensors")
    listed = run(replace(spec, episodes=Listed(tmp_path / "mine.safetensors")), results, bench())
    sampled = run(spec, results, bench())
    assert listed.accuracy == sampled.accuracy
    assert listed.episodes_digest == sampled.episodes_digest == Episodes.load(tmp_path / "mine.safetensors").digest
    assert listed.run_id != sampled.run_id


def test_a_transform_of_vectors_for_an_evaluator_of_images_is_an_error(spec, results):
    ((_, row),) = run_all([replace(spec, evaluator="FineTune(steps=1)", transform="L2")], results, bench())
    assert "is for feature vectors" in row.error


def test_centred_l2_embeds_the_seen_classes(spec, results):
    row = run(replace(spec, split="BySeed(novel=0.5, validation=0.0)", transform="CentredL2"), results, bench())
    assert row.status == "ok"
    assert row.n_embedded == 72


def test_classes_too_small_for_the_shape_are_named(spec, results):
    wanted = replace(spec, episodes=Sampled(EpisodeShape(3, 5, 10)))
    with pytest.raises(
        ValueError, match=r"k_shot \+ n_query = 5 \+ 10 images a class, but class 0 \('a'\) of .* has 12"
    ):
        run(wanted, results, bench())


STEPS = [
    ("fewshot.runs.learner_setup.learner", "before anything is solved"),
    ("fewshot.results.parts.PredictionParts.write", "between solving and writing"),
    ("fewshot.results.predictions.write_safetensors", "while a part is written"),
    ("fewshot.runs.computation.row_of", "after the parts, before the row"),
    ("fewshot.results.files.Results.append", "while the row is written"),
]


@pytest.mark.parametrize(("step", "when"), STEPS, ids=[when for _, when in STEPS])
@pytest.mark.parametrize("harm", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=repr)
def test_a_run_that_stops_at_any_step_gives_the_same_row_later(spec, results, monkeypatch, step, when, harm):
    whole = run(spec, Results(results.path.with_name("whole.jsonl")), bench())

    def stop(*_, **__):
        raise harm

    monkeypatch.setattr(step, stop)
    with pytest.raises(type(harm)):
        run(spec, results, bench())
    assert results.rows() == []
    monkeypatch.undo()
    again = run(spec, results, bench())
    for name in ("accuracy", "accuracy_low", "episodes_digest", "n_episodes", "run_id"):
        assert getattr(again, name) == getattr(whole, name)


def test_two_processes_that_race_on_a_run_leave_the_right_row(spec, results, tmp_path):
    whole = run(spec, Results(tmp_path / "whole.jsonl"), bench())
    code = f"""
from pathlib import Path
from fewshot.episodes.shape import EpisodeShape
from fewshot.results.files import Results
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
spec = RunSpec({spec.dataset!r}, {spec.backbone!r}, 'Prototype()', Sampled(EpisodeShape(3, 2, 4)), split='AllNovel()',
               n_episodes=40)
run(spec, Results(Path({str(results.path)!r})), Workbench(progress=False))
"""
    racing = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(120) for process in racing] == [0, 0]
    (row,) = results.rows()
    assert (row.accuracy, row.episodes_digest) == (whole.accuracy, whole.episodes_digest)


def test_fewer_episodes_are_the_first_of_a_longer_run_that_was_killed(spec, results, monkeypatch):
    short = run(replace(spec, n_episodes=15), Results(results.path.with_name("short.jsonl")), bench())
    monkeypatch.setattr("fewshot.runs.computation.row_of", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(spec, results, bench())
    monkeypatch.undo()
    monkeypatch.setattr("fewshot.runs.solving.solve", lambda *_, **__: pytest.fail("solved again"))
    found = run(replace(spec, n_episodes=15), results, bench())
    assert (found.n_episodes, found.accuracy, found.episodes_digest) == (15, short.accuracy, short.episodes_digest)


def test_a_list_gives_as_many_episodes_as_it_has_and_is_then_done(spec, results, tmp_path):
    images = bench().images(spec.dataset)
    Balanced().sample(images, np.arange(6), EpisodeShape(3, 2, 4), 0, 0, 10).save(tmp_path / "ten.safetensors")
    listed = replace(spec, episodes=Listed(tmp_path / "ten.safetensors"), n_episodes=600)
    row = run(listed, results, bench())
    assert row.n_episodes == 10
    assert run(listed, results, bench(backbone=lambda _: pytest.fail("loaded a backbone"))) == row


def test_another_preprocessing_of_the_same_weights_runs_again(spec, results, monkeypatch):
    import fewshot.runs.solving

    run(spec, results, bench())
    real, original, solved = bench().backbone, fewshot.runs.solving.solve, []
    monkeypatch.setattr(
        fewshot.runs.solving, "solve", lambda e, **kwargs: (solved.extend(e.index), original(e, **kwargs))[1]
    )
    other = bench(backbone=lambda s: replace(real(s), preprocess_digest="other"))
    assert run(replace(spec, n_episodes=41), results, other).preprocess_digest == "other"
    assert solved == list(range(41))


@pytest.mark.parametrize("shard", [(0, 2), (3, 2), (1, 0), (-1, -1)])
def test_a_shard_that_is_no_part_is_an_error(spec, results, shard):
    with pytest.raises(ValueError, match="must be shard i of n with 1 <= i <= n"):
        run(spec, results, bench(), shard=shard)


def test_more_shards_than_episodes_are_fine(spec, results):
    few = replace(spec, n_episodes=2)
    rows = [run(few, results, bench(), shard=(i, 5)) for i in range(1, 6)]
    assert [row is None for row in rows[:2]] == [True, True]
    assert rows[-1].n_episodes == 2


def fail(*_):
    raise RuntimeError("a driver\nfell over: b\udcfc.png")


@pytest.mark.parametrize("part", ["images", "backbone"])
def test_a_data_set_or_backbone_that_cannot_be_loaded_fails_its_run_alone(spec, results, part):
    real = getattr(bench(), part)
    name = {"images": spec.dataset, "backbone": spec.backbone}[part]
    broken = bench(**{part: lambda wanted: fail() if wanted == name else real(wanted)})
    other = {"images": {"dataset": "Icons"}, "backbone": {"backbone": "RawPixels(8)"}}[part]
    good = replace(spec, **other, split="AllNovel", episodes=Sampled(EpisodeShape(3, 1, 1)), n_episodes=2)
    (_, failed), (_, fine) = run_all([spec, good], results, broken)
    assert failed.status == "failed"
    assert failed.error.startswith("RuntimeError: a driver fell over: b?.png in ")
    assert fine.status == "ok"
    assert [row.status for row in results.rows()] == ["failed", "ok"]
    assert run(spec, results, bench()).status == "ok"
    assert [row.status for row in results.rows()] == ["ok", "ok"]
