"""Means over the sets of a benchmark on a leaderboard: they are verified if all of their runs are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.registry import DATASETS
from fewshot.report.rows.benchmark_means import averages
from fewshot.report.rows.errors import n_test_images
from fewshot.results.collections import Collection
from fewshot.results.files import Results
from fewshot.sharing.about import About
from fewshot.sharing.board import board
from fewshot.sharing.board_page import page
from fewshot.sharing.entries import labels_of_mean
from fewshot.sharing.images import AtHand
from fewshot.sharing.submit import submit
from fewshot.sharing.verify import record, verify
from tests.support.benchmark_folders import PIXELS, class_folders, cut_benchmark
from tests.support.command_line import succeed
from tests.support.submissions import on_another_machine

SETS = ("CropDisease", "EuroSAT")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one submission: a benchmark on two of its sets."""
    cut_benchmark(monkeypatch, "cd_fsl", shapes=(EpisodeShape(3, 1, 2),), n_episodes=2)
    for below in SETS:
        class_folders(tmp_path / "data" / below, dict.fromkeys("abc", 4))
    command = ("run", "--benchmark", "cd_fsl", "--data", tmp_path / "data", "--partial", *PIXELS)
    succeed(*command, "--results", tmp_path / "mine.jsonl")
    (tmp_path / "all").mkdir()
    submit(Collection.of([Results(tmp_path / "mine.jsonl")]), tmp_path / "all" / "a", About("A"), AtHand(own=True))
    return tmp_path


@pytest.fixture
def elsewhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder on a machine that did not make the runs."""
    on_another_machine(monkeypatch)
    return place


def data(place: Path, below: str) -> AtHand:
    return AtHand((DATASETS.spec(f"ImageFolderSet({str(place / 'data' / below)!r})"),))


def verified_by(place: Path) -> tuple[str, ...]:
    (means,) = board(place / "all").benchmarks
    (by,) = means.verified_by.values()
    return by


def test_a_mean_is_verified_by_whoever_checked_all_of_its_runs_by_the_weakest_check(elsewhere):
    assert verified_by(elsewhere) == ()
    record(verify(elsewhere / "all" / "a", data(elsewhere, SETS[0]), n_reruns=1), "A. Reader")
    assert verified_by(elsewhere) == ("A. Reader (statistics)",)
    record(verify(elsewhere / "all" / "a", data(elsewhere, SETS[1])), "A. Reader")
    assert verified_by(elsewhere) == ("A. Reader (episodes)",)
    assert "A. Reader (episodes)" in page(board(elsewhere / "all"), "board")


def test_whoever_made_the_runs_needs_to_name_no_images(place):
    found = verify(place / "all" / "a", AtHand(), n_reruns=2)
    assert len(found.episodes) == len(found.reruns) == len(found.runs) == 2
    assert "not at hand" not in " ".join(found.unchecked)


def test_a_mean_is_not_verified_if_a_run_is_not(place):
    found = verify(place / "all" / "a")
    record(replace(found, statistics=found.statistics[:1]), "A. Reader")
    assert verified_by(place) == ()


def test_a_mean_on_a_board_has_authors_labels_costs_and_the_interval_of_its_author(place):
    results = Results(place / "mine.jsonl")
    (place / "both").mkdir()
    for name in ("first", "second"):
        about = About(name, f"The authors of {name}", "https://example.org/a")
        submit(Collection.of([results]), place / "both" / name, about, AtHand(own=True))
    text = page(board(place / "both"), "board")
    means = text[text.index('id="benchmarks"') : text.index('id="answer"')]
    [mean] = averages(results.rows(), n_test_images(results.predictions))
    assert f">{100 * mean.value:.1f}<" in means
    assert mean.bracket in means
    assert '<a href="https://example.org/a" rel="noopener noreferrer nofollow">first</a>' in means
    assert '<span class="further">The authors of first</span>' in means
    assert '<span class="further">also in second</span>' in means
    for words in ("4 px", "per episode", "Not checked of any run: seconds, device"):
        assert words in means
    (table,) = board(place / "both").benchmarks
    (entries,) = table.entries.values()
    assert labels_of_mean(entries)[0] in means


def test_a_label_of_some_sets_says_of_how_many(place):
    (table,) = board(place / "all").benchmarks
    (entries,) = table.entries.values()
    first = entries[0]
    seen = replace(first, shared=replace(first.shared, row=replace(first.row, n_seen_classes=2, transductive=True)))
    labels = labels_of_mean([seen, *entries[1:]])
    assert "transductive (1 of 2 sets)" in labels
    assert "classes seen in pre-training (1 of 2 sets)" in labels
    assert "4 px" in labels


def test_people_who_checked_all_runs_together_are_named_together(place):
    found = verify(place / "all" / "a")
    for who, run_id in zip(("A. A.", "B. B."), found.statistics, strict=True):
        record(replace(found, statistics=(run_id,)), who)
    assert verified_by(place) == ("A. A. and B. B. together (statistics)",)
