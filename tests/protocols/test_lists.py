"""Benchmarks whose data come with lists: CoOp with its published draws, VTAB, Meta-Album, mini-ImageNet's tables."""

from __future__ import annotations

import csv
import json
import shlex
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from fewshot import protocols
from fewshot.datasets._known_sets import known_sets
from fewshot.datasets._loading import load_images
from fewshot.datasets._published_classes import published_split
from fewshot.plugins.registry import DATASETS
from fewshot.protocols import Benchmark, _counts
from fewshot.protocols._places import copies
from tests.support.benchmark_folders import PIXELS, cut_benchmark, picture, run_benchmark
from tests.support.command_line import fail, succeed

CLASSES = ("ant", "bee", "cat")
SHOTS = (1, 2, 4, 8, 16)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


def write_coop(root: Path, benchmark: Benchmark, draws: bool = True) -> None:
    """Every set with its list, and with the draws of three seeds, which are not nested."""
    for one in benchmark.sets:
        file = root / one.places[0].below
        parts = {}
        for part, number in (("train", 20), ("val", 5), ("test", 4)):
            parts[part] = [
                [f"{name}/{part}{n}.png", label, name] for label, name in enumerate(CLASSES) for n in range(number)
            ]
            for path, label, _ in parts[part]:
                picture(file.parent / "images" / path, label)
        file.write_text(json.dumps(parts))
        if draws:
            write_draws(file.parent, parts)


def write_draws(folder: Path, parts: dict[str, list]) -> None:
    (folder / "split_fewshot").mkdir()
    for place, k_shot in enumerate(SHOTS):
        for seed in (1, 2, 3):
            drawn = {}
            for part, number in (("train", k_shot), ("val", min(k_shot, 4))):
                items = [item for name in CLASSES for item in _turned(parts[part], name, place + seed)[:number]]
                data = [{"impath": f"/home/x/{folder.name}/{i[0]}", "label": i[1], "classname": i[2]} for i in items]
                drawn[part] = {"data": data}
            (folder / "split_fewshot" / f"shot_{k_shot}-seed_{seed}.json").write_text(json.dumps(drawn))


def _turned(items: list, name: str, by: int) -> list:
    own = [item for item in items if item[2] == name]
    return own[by % len(own) :] + own[: by % len(own)]


def distinct_images_of_draws(folder: Path, k_shot: int, part: str) -> set[str]:
    """The images that the files of three draws list, counted from the files alone."""
    files = [folder / "split_fewshot" / f"shot_{k_shot}-seed_{seed}.json" for seed in (1, 2, 3)]
    return {item["impath"] for file in files for item in json.loads(file.read_text())[part]["data"]}


def test_coop_with_its_published_draws_and_its_validation_images_counted(root, monkeypatch):
    benchmark = cut_benchmark(monkeypatch, "coop")
    write_coop(root, benchmark)
    chosen = ("dtd", "oxford_pets")
    answer = run_benchmark("coop", root, "--set", chosen[0], "--set", chosen[1], method=())
    assert [row["k_shot"] for row in answer["rows"]] == [*SHOTS, *SHOTS]
    for row in answer["rows"]:
        assert (row["selection"], row["n_trials"], row["n_episodes"]) == ("validation images", 5, 3)
        assert (row["n_way"], row["n_query"], row["protocol"]) == (None, None, "coop@1")
        assert row["sampler"].startswith("PublishedDraws(")
        expected = len(distinct_images_of_draws(root / "dtd", row["k_shot"], "val"))
        assert row["n_labels_selection"] == expected
    assert [one["n_sets"] for one in answer["averages"]] == [2] * 5
    assert {one["of"] for one in answer["averages"]} == {11}


def test_a_draw_that_is_missing_is_named_before_anything_runs_also_below_a_relative_folder(root, monkeypatch):
    write_coop(root, cut_benchmark(monkeypatch, "coop"))
    monkeypatch.chdir(root.parent)
    (root / "dtd" / "split_fewshot" / "shot_8-seed_2.json").unlink()
    words = ("--benchmark", "coop", "--data", root.name, "--set", "dtd", *PIXELS, "--results", "rows.jsonl")
    assert "shot_8-seed_2.json" in fail("run", *words)
    assert not Path("rows.jsonl").exists()


def test_coop_in_all_eleven_sets(root, monkeypatch):
    shapes = protocols.benchmark("coop").shapes[1:2]
    benchmark = cut_benchmark(monkeypatch, "coop", shapes=shapes)
    write_coop(root, benchmark)
    answer = run_benchmark("coop", root)
    assert len(answer["rows"]) == 11
    assert {row["n_labels_selection"] for row in answer["rows"]} == {0}
    [average] = answer["averages"]
    assert average["value"] == pytest.approx(fmean(row["accuracy"] for row in answer["rows"]))


def test_our_coop_needs_no_published_draws_and_nests_its_own(root, monkeypatch):
    name = "coop@fewshot"
    benchmark = cut_benchmark(monkeypatch, name, shapes=protocols.benchmark(name).shapes[:2])
    write_coop(root, benchmark, draws=False)
    rows = run_benchmark(name, root, "--set", "dtd")["rows"]
    assert [(row["k_shot"], row["n_episodes"], row["selection"]) for row in rows] == [(1, 5, "none"), (2, 5, "none")]
    assert all(row["new_draws_low"] is not None for row in rows)
    monkeypatch.undo()
    cut_benchmark(monkeypatch, "coop")
    sentence = fail("run", "--benchmark", "coop", "--data", root, *PIXELS, "--set", "dtd")
    assert "\n  dtd without its draws: get them from a run of CoOp's code" in sentence
    assert "without them, run coop@fewshot; put them at " in sentence


def write_vtab(root: Path, benchmark: Benchmark) -> None:
    """Every task with its lists: 8 + 4 training images and 5 test images per class."""
    for one in benchmark.sets:
        folder = (root / one.places[-1].below).parent
        lists: dict[str, list[str]] = {}
        for part, file, number in (("train", "train800", 8), ("val", "val200", 4), ("test", "test", 5)):
            lists[file] = [f"images/{part}/{label}_{n}.png {label}" for label in range(3) for n in range(number)]
            for line in lists[file]:
                path, label = line.split()
                picture(folder / path, int(label))
        lists["train800val200"] = lists["train800"] + lists["val200"]
        for file, lines in lists.items():
            (folder / f"{file}.txt").write_text("\n".join(lines) + "\n")


def test_vtab_in_all_19_tasks_and_three_groups(root, monkeypatch):
    benchmark = cut_benchmark(monkeypatch, "vtab_1k")
    write_vtab(root, benchmark)
    answer = run_benchmark("vtab_1k", root)
    assert len(answer["rows"]) == 19
    by_set = dict(zip([one.name for one in benchmark.sets], answer["rows"], strict=True))
    for row in by_set.values():
        assert (row["n_episodes"], row["n_way"], row["k_shot"], row["n_query"]) == (1, None, None, None)
    sizes = {"all sets": 19, "natural": 7, "specialised": 4, "structured": 8}
    assert {one["group"]: one["n_sets"] for one in answer["averages"]} == sizes
    for one in answer["averages"]:
        names = dict(benchmark.groups).get(one["group"], tuple(by_set))
        assert one["value"] == pytest.approx(fmean(by_set[name]["accuracy"] for name in names))


def test_vtab_chooses_on_the_200_and_learns_from_the_1000(root, monkeypatch):
    benchmark = cut_benchmark(monkeypatch, "vtab_1k")
    write_vtab(root, benchmark)
    [row] = run_benchmark("vtab_1k", root, "--set", "svhn", method=())["rows"]
    # The validation images are in the support too, so no label is beyond it.
    assert (row["selection"], row["n_trials"], row["n_labels_selection"]) == ("validation images", 7, 0)
    assert row["chosen"].startswith("LinearProbe(")


def test_our_vtab_chooses_inside_the_support(root, monkeypatch):
    benchmark = cut_benchmark(monkeypatch, "vtab_1k@fewshot")
    write_vtab(root, benchmark)
    [row] = run_benchmark("vtab_1k@fewshot", root, "--set", "svhn", method=())["rows"]
    assert (row["selection"], row["n_trials"], row["n_labels_selection"]) == ("support", 7, 0)


def write_kitti(root: Path, sizes: dict[str, int]) -> None:
    """KITTI's task with lists of these sizes, all of one picture for each class."""
    folder = root / "kitti"
    for file, size in sizes.items():
        lines = [f"images/{file}/{n}.png {n % 4}" for n in range(size)]
        for n, line in enumerate(lines):
            picture(folder / line.split()[0], n % 4)
        (folder / f"{file}.txt").write_text("\n".join(lines) + "\n")


def test_exchanged_lists_of_vtab_are_called_exchanged(root, caplog):
    write_kitti(root, {"train800": 711, "val200": 200, "test": 800})
    command = ("run", "--benchmark", "vtab_1k", "--data", root, *PIXELS, "--set", "kitti_distance", "--partial")
    sentence = fail(*command)
    assert f"needs KITTI, distance (VTAB), but the copy in {root / 'kitti'} has train and test exchanged" in sentence
    assert ": train 711, val 200" in sentence
    assert not [text for text in caplog.messages if "published" in text]  # one sentence, not a warning before it
    both = (root / "kitti/test.txt").read_text() + (root / "kitti/val200.txt").read_text()
    (root / "kitti/train800val200.txt").write_text(both)
    assert "train800.txt and test.txt seem to be exchanged: exchange their names" in fail(*command)


def test_a_copy_with_other_counts_runs_outside_the_benchmark_and_its_row_has_no_protocol(root):
    write_kitti(root, {"train800": 20, "val200": 8, "test": 12})
    command = ("--benchmark", "vtab_1k", "--data", root, *PIXELS, "--set", "kitti_distance", "--partial")
    sentence = fail("run", *command)
    apart = "so that its rows do not bear the name vtab_1k@1 and do not count in its mean over data sets: "
    words = shlex.split(sentence.partition(apart)[2])
    results = ("--results", root / "rows.jsonl")
    [row] = json.loads(succeed(*words[1:], *results, "--json"))["rows"]
    assert (row["protocol"], row["n_episodes"], row["n_way"], row["n_query"]) == ("", 1, None, None)
    assert (row["selection"], row["n_trials"], row["transform"]) == ("validation images", 7, "Identity()")
    assert row["sampler"].startswith("WholePartitions(train=('partition=train',), ")


def test_a_copy_with_the_counts_of_another_edition_is_called_by_its_name(root):
    eurosat = {"train": 18, "val": 6, "test": 6}
    known = known_sets()["eurosat"]
    editions = {name: replace(each, images=eurosat) for name, each in known.editions.items() if name == "VTAB"}
    sentence = "these are the counts of another edition: VTAB"
    copy = copies((protocols.benchmark("coop@fewshot").sets[2],), root_of_eurosat(root, eurosat))[0][0]
    table = {"eurosat": replace(known, editions={**known.editions, **editions})}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_counts, "known_sets", lambda: table)
        with pytest.raises(ValueError, match=sentence):
            _counts.check_counts(protocols.benchmark("coop"), copy, load_images(DATASETS.spec(copy.dataset)), "")


def root_of_eurosat(root: Path, sizes: dict[str, int]) -> Path:
    """A folder with CoOp's list of EuroSAT, of these sizes."""
    file, names = root / "eurosat/split_zhou_EuroSAT.json", [f"class {n}" for n in range(10)]
    parts = {part: [[f"{part}{n}.png", n % 10, names[n % 10]] for n in range(size)] for part, size in sizes.items()}
    for label, items in enumerate(parts.values()):
        for path, _, _ in items:
            picture(file.parent / path, label)
    file.write_text(json.dumps(parts))
    return root


def test_meta_album_in_all_its_sets(root, monkeypatch):
    benchmark = cut_benchmark(
        monkeypatch, "meta_album", shapes=protocols.benchmark("meta_album").shapes[:1], n_episodes=3
    )
    for one in benchmark.sets:
        folder = (root / one.places[0].below).parent
        lines = [(f"{c}_{n}.png", f"class {c}", "NAN") for c in range(6) for n in range(17)]
        for name, category, _ in lines:
            picture(folder / "images" / name, int(category.split()[1]))
        with open(folder / "labels.csv", "w", newline="") as file:
            csv.writer(file).writerows([("FILE_NAME", "CATEGORY", "SUPER_CATEGORY"), *lines])
        columns = {"image_column_name": "FILE_NAME", "category_column_name": "CATEGORY"}
        (folder / "info.json").write_text(json.dumps(columns))
    answer = run_benchmark("meta_album", root)
    assert [(row["n_way"], row["k_shot"], row["n_query"]) for row in answer["rows"]] == [(5, 1, 16)] * 10
    [average] = answer["averages"]
    assert (average["n_sets"], average["of"]) == (10, 10)
    assert average["value"] == pytest.approx(fmean(row["accuracy"] for row in answer["rows"]))


@pytest.mark.parametrize("folder", ["miniimagenet", ""])
def test_mini_imagenet_with_tables(folder, root, monkeypatch):
    split = published_split("mini_imagenet")
    for table, classes, number in (("train", split.seen, 1), ("val", split.validation, 1), ("test", split.novel, 20)):
        lines = [(f"{one}{n:08d}.jpg", one) for one in classes for n in range(number)]
        for label, (name, _) in enumerate(lines):
            picture(root / folder / "images" / name, label // number)
        with open(root / folder / f"{table}.csv", "w", newline="") as file:
            csv.writer(file).writerows([("filename", "label"), *lines])
    cut_benchmark(monkeypatch, "mini_imagenet", n_episodes=4)
    rows = run_benchmark("mini_imagenet", root)["rows"]
    assert [(row["n_classes"], row["k_shot"]) for row in rows] == [(20, 1), (20, 5)]
    assert all(row["dataset"].startswith("ClassTables(") for row in rows)
