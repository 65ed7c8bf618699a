"""`fewshot compare`: runs of one results file in pairs, in tables, in words and as JSON."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import DATASETS
from fewshot.report.comparisons.contests import contests
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.runs.pipeline import run_all
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
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


BY_EVALUATOR = ("--by", "evaluator", "--pairs")


def values(rows: Path, *options: str) -> Any:
    return json.loads(succeed("compare", rows, *(options or BY_EVALUATOR), "--json"))["contests"]


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
    [contest], [lone] = contests(results, results.rows(), "evaluator")
    assert lone.reason == "no other run of its task differs from it in evaluator alone"
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
    shown = succeed("compare", rows, *BY_EVALUATOR, "--delta", "2")
    for words in (
        "these images",
        "new classes",
        "rank",
        "unpaired/paired",
        "Needed to detect a difference of 2 points",
    ):
        assert words in shown


def test_paragraphs_to_paste_are_written(rows: Path, tmp_path: Path) -> None:
    succeed("compare", rows, *BY_EVALUATOR, "--out", tmp_path / "claims.md")
    text = (tmp_path / "claims.md").read_text()
    assert "for these images" in text
    assert "Holm-adjusted over 3 comparisons" in text
    assert "| A minus B" in text


def test_a_comparison_of_single_checkpoints_says_so(rows: Path) -> None:
    assert "this checkpoint only" in succeed("compare", rows, "--by", "backbone", "--pairs")
    assert "this checkpoint only" not in succeed("compare", rows, *BY_EVALUATOR)


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_the_differences_are_drawn(rows: Path, tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    for path in (first, second):
        succeed("compare", rows, *BY_EVALUATOR, "--plot", path)
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
    shown = succeed("compare", both.path, *BY_EVALUATOR, "--out", tmp_path / "claims.md")
    for text in (shown, (tmp_path / "claims.md").read_text()):
        assert "Over several data sets" in text
        assert "glyphs, icons mono" in text
    found = json.loads(succeed("compare", both.path, *BY_EVALUATOR, "--json"))["over_sets"]
    assert len(found) == 3
    assert all(len(one["a"]) == 2 for one in found)
    assert all(one["new_sets"]["low"] is None and one["new_sets"]["mean"] is not None for one in found)
    assert {one["new_sets"]["reason"] for one in found} == {"2 data sets are too few to speak of others"}


def test_data_sets_without_the_groups_are_named_and_the_others_compared(rows: Path, tmp_path: Path) -> None:
    results, both = Results(rows), Results(tmp_path / "both.jsonl")
    icons = DATASETS.make("Icons(domain='mono')").load()
    for row in results.rows():
        for run_id, dataset in ((row.run_id, row.dataset), (row.run_id[::-1], "Icons(domain='mono')")):
            digest = row.images_digest if dataset == row.dataset else icons.images_digest
            both.append(dataclasses.replace(row, run_id=run_id, dataset=dataset, images_digest=digest))
            for part in results.predictions(row):
                both.parts(run_id).write(part, {})
    result = call("compare", both.path, "--unit", "script", "--data", "Glyphs", "--data", "Icons(domain='mono')")
    assert result.exit_code == 0, result.output
    assert "new groups (script)" in result.stdout
    [line] = result.stderr.splitlines()
    assert line.startswith("Warning: icons mono, ")
    assert "not compared, because icons mono has no class group 'script'; it has: " in line
    assert line.endswith("Compare its runs without --unit, or with --unit superclass")


def test_runs_of_one_episode_are_named_and_the_others_compared(rows: Path, tmp_path: Path) -> None:
    results, some = Results(rows), Results(tmp_path / "some.jsonl")
    for row in results.rows():
        some.append(row)
        alone = row.run_id[::-1]
        some.append(dataclasses.replace(row, run_id=alone, seed=7, n_episodes=1))
        for part in results.predictions(row):
            some.parts(row.run_id).write(part, {})
        some.parts(alone).write(next(results.predictions(row))[:1], {})
    result = call("compare", some.path)
    assert result.exit_code == 0, result.output
    assert "not compared, because each run has 1 episode, and a comparison needs 2 or more" in result.stderr


def test_runs_beside_a_benchmark_without_pairs_are_named(rows: Path, tmp_path: Path) -> None:
    """Two sets of VTAB have a table of means and no pairs; runs of other tasks are still named, with their own
    reason."""
    some = Results(tmp_path / "some.jsonl")
    [first, second, *_] = Results(rows).rows()
    sampler = "WholePartitions(train=('partition=train',), validation=(), test=('partition=test',))"
    whole = {"sampler": sampler, "n_way": None, "k_shot": None, "n_query": None, "n_episodes": 1}
    for number, (row, name) in enumerate(product((first, second), ("dtd", "pets"))):
        ours = {"protocol": "vtab_1k@1", "benchmark_set": name, "images_digest": name, "run_id": f"{number}" * 32}
        some.append(dataclasses.replace(row, **whole, **ours))
    for number, seed in enumerate((7, 8)):
        some.append(dataclasses.replace(first, seed=seed, run_id=f"{number + 4}" * 32))
    text = " ".join(succeed("compare", some.path).split())
    assert "mean of 2 of 19 sets" in text
    assert "vtab_1k@1 on dtd and pets: not compared, because each run has one episode" in text
    for seeds in ("7 and 8", "8 and 7"):
        assert f"not compared, because no other run has its task; the nearest differs in seed: {seeds}" in text
    assert len(json.loads(succeed("compare", some.path, "--json"))["not_compared"]) == 3


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


def test_the_verdict_comes_first_then_the_ranking_then_the_pairs_of_the_best(rows: Path) -> None:
    text = succeed("compare", rows)
    verdict, table, pairs = (text.index(words) for words in (" with ", "95 % interval", "minus each other, in points:"))
    assert verdict < table < pairs
    [contest] = json.loads(succeed("compare", rows, "--json"))["contests"]
    assert len(contest["runs"]) == 4
    assert len(contest["pairs"]) == 3
    assert all(contest["against"] in (pair["a"], pair["b"]) for pair in contest["pairs"])
    assert contest["against"] in contest["group"]
    assert " ".join(text.split()).startswith(contest["verdict"])


def test_all_runs_are_compared_with_a_named_one(rows: Path) -> None:
    text = succeed("compare", rows, "--against", "raw pixels 2")
    assert "raw pixels 2, L2 + Prototype minus each other, in points:" in text
    assert "Holm-adjusted over 3 pairs" in text
    assert "fits 4 runs: " in call("compare", rows, "--against", "raw pixels").stderr
    assert "no run is named 'resnet'; the runs are: " in call("compare", rows, "--against", "resnet").stderr
    assert call("compare", rows, "--against", "raw pixels 2", "--pairs").exit_code == 2


def test_a_backbone_alone_names_its_best_run(rows: Path) -> None:
    best = max((row for row in Results(rows).rows() if row.backbone == PIXELS), key=lambda row: row.accuracy or 0)
    [contest] = json.loads(succeed("compare", rows, "--against", "raw pixels 4", "--json"))["contests"]
    assert contest["against"] == best.run_id


def test_many_pairs_are_a_short_table_and_a_whole_file(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fewshot.commands._comparison.FEW", 2)
    monkeypatch.setattr("fewshot.report.comparisons.all_pairs.MOST", 4)
    monkeypatch.setenv("COLUMNS", "80")
    text = succeed("compare", rows, "--pairs", "--out", tmp_path / "pairs.csv")
    table = text[text.index("All pairs") :]
    assert "2 more pairs: --out FILE.csv or --json writes all of them." in " ".join(table.split())
    assert max(map(len, text.splitlines())) <= 80
    lines = list(csv.DictReader((tmp_path / "pairs.csv").read_text().splitlines()))
    assert len(lines) == 6
    assert all(float(line["difference_these_images"]) >= 0 for line in lines if line["episodes"] == "60")
    assert lines[0]["a"] == lines[1]["a"] == lines[2]["a"]


def test_runs_of_several_files_that_meet_a_condition_are_compared(rows: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    for file, sign in ((first, "="), (second, "!=")):
        succeed("results", "filter", rows, "--where", f"backbone{sign}{PIXELS}", "--out", file)
    options = ("--where", "n_episodes >= 60", "--json")
    of_both, of_one = (
        json.loads(succeed("compare", *files, *options))["contests"] for files in ((first, second), (rows,))
    )
    assert {run["run_id"] for run in of_both[0]["runs"]} == {run["run_id"] for run in of_one[0]["runs"]}
    assert len(of_both[0]["runs"]) == 3
    assert of_both[0]["verdict"] == of_one[0]["verdict"]


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_text_fits_the_terminal(rows: Path, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = succeed("compare", rows)
    ranking = text[: text.index("minus each other")].splitlines()
    assert max(map(len, ranking)) <= columns
