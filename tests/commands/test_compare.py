"""`fewshot compare`: runs of one results file in pairs, in tables, in words and as JSON."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.episodes.episodes import EpisodeShape
from fewshot.plugins.registry import DATASETS
from fewshot.report.comparisons.pairing import contests
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.runs.pipeline import Workbench, run_all
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.samplers.balanced import Balanced
from tests.support.command_line import call, succeed

PIXELS = "RawPixels(image_size=4)"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three evaluators on the same glyphs, the last on fewer episodes, and one backbone more."""
    folder = tmp_path_factory.mktemp("compared")
    results, episodes = Results(folder / "runs.jsonl"), Sampled(EpisodeShape(5, 1, 5))
    asked = [(PIXELS, "Prototype()", 60), (PIXELS, "LinearProbe()", 60), (PIXELS, "LinearProbe(C=1.0)", 20)]
    specs = [
        RunSpec("Glyphs()", backbone, evaluator, episodes, "L2()", n_episodes=n)
        for backbone, evaluator, n in [*asked, ("RawPixels(image_size=2)", "Prototype()", 60)]
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWSHOT_HOME", str(folder / "home"))
        assert all(
            row is not None and row.status == "ok" for _, row in run_all(specs, results, Workbench(progress=False))
        )
    return results.path


def values(rows: Path, *options: str) -> Any:
    return json.loads(succeed("compare", rows, *options, "--json"))["contests"]


def test_every_pair_is_compared_on_the_episodes_that_both_solved(rows: Path) -> None:
    [contest] = values(rows)
    assert [pair["n_episodes"] for pair in contest["pairs"]].count(20) == 2
    assert len(contest["pairs"]) == 3
    for pair in contest["pairs"]:
        parts = [Results(rows).parts(pair[side]).read(pair["n_episodes"]) for side in "ab"]
        a, b = (np.concatenate([episode_accuracy(part) for part in read]) for read in parts)
        assert pair["these_images"]["mean"] == pytest.approx((a - b).mean())


def test_units_are_the_classes_of_the_episodes(rows: Path) -> None:
    results = Results(rows)
    [contest] = contests(results, results.rows(), "evaluator")
    images = DATASETS.make("Glyphs()").load()
    novel = np.flatnonzero(np.isin(images.class_names, _split(images).novel))
    drawn = Balanced().sample(images, novel, EpisodeShape(5, 1, 5), 0, 0, 60)
    assert contest.units.n_units == len(novel)
    assert len(np.unique(contest.units.held)) == len(np.unique(drawn.classes))


def _split(images: Any) -> Any:
    from fewshot.plugins.registry import SPLITS

    return SPLITS.make(DATASETS.make("Glyphs()").default_split()).split(images)


def test_backbones_are_compared_too(rows: Path) -> None:
    [contest] = values(rows, "--by", "backbone")
    assert {run["name"] for run in contest["runs"]} == {"raw pixels 4", "raw pixels 2"}
    assert contest["title"].endswith("L2 + Prototype")


def test_groups_can_stand_in_place_of_classes(rows: Path) -> None:
    shown = succeed("compare", rows, "--unit", "script", "--data", "Glyphs")
    assert "new groups (script)" in shown
    assert "has no class group 'size'; it has: " in call("compare", rows, "--unit", "size", "--data", "Glyphs").stderr


def test_the_text_names_populations_needs_and_ranks(rows: Path) -> None:
    shown = succeed("compare", rows, "--delta", "2")
    for words in (
        "these images",
        "new classes",
        "rank",
        "unpaired/paired",
        "Needed to detect a difference of 2 points",
    ):
        assert words in shown


def test_paragraphs_to_paste_are_written(rows: Path, tmp_path: Path) -> None:
    succeed("compare", rows, "--out", tmp_path / "claims.md")
    text = (tmp_path / "claims.md").read_text()
    assert "for these images" in text
    assert "Holm-adjusted over 3 comparisons" in text
    assert "| A minus B" in text


def test_a_comparison_of_single_checkpoints_says_so(rows: Path) -> None:
    assert "this checkpoint only" in succeed("compare", rows, "--by", "backbone")
    assert "this checkpoint only" not in succeed("compare", rows)


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_the_differences_are_drawn(rows: Path, tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path in (first, second):
        succeed("compare", rows, "--plot", path)
    assert first.read_bytes() == second.read_bytes()
    if suffix == ".svg":
        for words in ("L2 + LinearProbe − L2 + Prototype", "new classes", "5-way"):
            assert words in first.read_text(encoding="utf-8")


def test_a_figure_of_an_unknown_kind_is_one_sentence(rows: Path, tmp_path: Path) -> None:
    assert "needs a name that ends in .svg, .png, .pdf" in call("compare", rows, "--plot", tmp_path / "a.bmp").stderr


def test_pairs_on_several_data_sets_are_summed_up(rows: Path, tmp_path: Path) -> None:
    assert "several data sets" not in succeed("compare", rows)
    results, both = Results(rows), Results(tmp_path / "both.jsonl")
    for row in results.rows():
        for run_id, dataset in ((row.run_id, row.dataset), (row.run_id[::-1], "Icons(domain='mono')")):
            both.append(dataclasses.replace(row, run_id=run_id, dataset=dataset))
            for part in results.predictions(row):
                both.parts(run_id).write(part, {})
    shown = succeed("compare", both.path, "--out", tmp_path / "claims.md")
    for text in (shown, (tmp_path / "claims.md").read_text()):
        assert "Over several data sets" in text
        assert "glyphs, icons mono" in text
    found = json.loads(succeed("compare", both.path, "--json"))["over_sets"]
    assert len(found) == 3
    assert all(len(one["a"]) == 2 for one in found)
    assert all(one["new_sets"]["low"] == pytest.approx(one["new_sets"]["mean"]) for one in found)


def test_runs_without_a_rival_are_one_sentence(rows: Path) -> None:
    assert "has no two runs that differ in" in call("compare", rows, "--only", "image_size=2").stderr
    assert "none of the 4 runs of " in call("compare", rows, "--only", "nothing").stderr
    assert "there is no results file" in call("compare", "none.jsonl").stderr


def test_missing_predictions_are_one_sentence(rows: Path, tmp_path: Path) -> None:
    shutil.copy(rows, tmp_path / "alone.jsonl")
    result = call("compare", tmp_path / "alone.jsonl")
    assert result.exit_code == 1
    assert "there are no predictions of the run" in result.stderr
    assert "copy the folder" in result.stderr
