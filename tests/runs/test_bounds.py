"""Requests that cannot fit are refused before any work, with their size and the limit; 0 shots need the right head."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from click.testing import CliRunner

from fewshot.cli import main
from fewshot.episodes.shape import EpisodeShape
from fewshot.results.files import Results
from fewshot.runs.pipeline import run
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench

LARGE = 10**9


def said(*args):
    result = CliRunner().invoke(main, args)
    return result.exit_code, result.output


@pytest.mark.parametrize("n_episodes", [LARGE, 10**30])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_more_episodes_than_fit_are_refused(n_episodes, dry, folder, own_home, tmp_path):
    request = ("--data", str(folder), "--way", "3", "--query", "4", "--episodes", str(n_episodes))
    results = ("--backbone", "pixels", "--evaluator", "Prototype", "--results", str(tmp_path / "rows.jsonl"))
    code, text = said("run", *request, *results, *dry)
    assert code == 1
    assert f"{n_episodes:,} episodes of 15 images each are {15 * n_episodes:,} images, but a run holds at most" in text
    code, text = said("episodes", "make", *request, "--out", str(tmp_path / "list.safetensors"), *dry)
    assert code == 1
    assert "but a list holds at most 67,108,864; lower the number of episodes to at most 4,473,924" in text


def test_a_dry_run_of_many_episodes_samples_until_all_images_are_in_use(folder, own_home, tmp_path, monkeypatch):
    spec = RunSpec(
        dataset=f"ImageFolderSet(root={str(folder)!r})",
        backbone="pixels",
        evaluator="Prototype()",
        split="AllNovel()",
        episodes=Sampled(EpisodeShape(3, 2, 4)),
        n_episodes=10**7,
    )
    prepared = Workbench(progress=False).prepare(spec)
    asked = []
    sample = prepared.episodes
    monkeypatch.setattr(type(prepared), "episodes", lambda self, *ends: asked.append(ends) or sample(*ends))
    assert prepared.used([(0, 10**7)]).all()
    assert len(asked) < 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--way", str(LARGE)), "-way episodes need more classes than the 6"),
        (("--query", str(LARGE)), "has 12 and 5 more have too few"),
        (("--shot", str(LARGE)), "has 12 and 5 more have too few"),
        (
            ("--shot", str(10**15), "--at-most"),
            "--shot must be below 2^31, the most images of a data set, got 1,000,000",
        ),
        (("--query", "9" * 5000), "a number of 5000 digits is too large: a data set has fewer than 2^31 images"),
    ],
)
def test_huge_ways_shots_and_queries_are_one_sentence(options, message, folder, own_home, tmp_path):
    code, text = said("run", "--data", str(folder), "--backbone", "pixels", *options, "--results", str(tmp_path / "r"))
    assert code
    assert message in text


def test_at_most_a_huge_number_of_shots_is_every_image(folder, own_home, tmp_path):
    options = ("--shot", str(LARGE), "--at-most", "--query", "4", "--episodes", "3", "--evaluator", "Prototype")
    code, _ = said("run", "--data", str(folder), "--backbone", "pixels", *options, "--results", str(tmp_path / "r"))
    assert code == 0


@pytest.fixture
def vectors(tmp_path, own_home):
    names, random = [f"c{c}" for c in range(4)], np.random.default_rng(0)
    centres = random.normal(size=(4, 6))
    rows = np.repeat(centres, 20, 0) + random.normal(size=(80, 6)) / 4
    np.savez(
        tmp_path / "v.npz",
        vectors=rows.astype(np.float32),
        labels=np.repeat(names, 20),
        class_vectors=centres.astype(np.float32),
        class_names=names,
    )
    return RunSpec(
        dataset=f"VectorSet(path={str(tmp_path / 'v.npz')!r})",
        backbone="given",
        evaluator="ZeroShot()",
        split="AllNovel()",
        episodes=Sampled(EpisodeShape(3, 0, 5)),
        n_episodes=12,
    )


def test_zero_shots_are_a_shape_of_heads_without_a_support(vectors, tmp_path):
    results, bench = Results(tmp_path / "rows.jsonl"), Workbench(progress=False)
    for evaluator in ("ZeroShot()", "ZeroShotGaussian()", "ZeroShotProbe()"):
        spec = dataclasses.replace(vectors, evaluator=evaluator)
        rows = [run(dataclasses.replace(spec, episodes=Sampled(EpisodeShape(3, k, 5))), results, bench) for k in (0, 1)]
        assert [row.k_shot for row in rows] == [0, 1]
        assert rows[0].accuracy > 0.8
        if evaluator == "ZeroShot()":
            assert rows[0].accuracy == rows[1].accuracy  # the same queries, and no support in either
    assert len({row.accuracy for row in results.rows() if row.k_shot == 0}) == 1


@pytest.mark.parametrize("evaluator", ["LinearProbe()", "Prototype()", "TIM()", "Standardised(ZeroShot())"])
def test_heads_that_learn_from_a_support_refuse_zero_shots(evaluator, vectors):
    with pytest.raises(
        ValueError, match=r"0-shot episodes have no support, but .* learns from it; use at least 1 shot"
    ):
        Workbench(progress=False).prepare(dataclasses.replace(vectors, evaluator=evaluator))
