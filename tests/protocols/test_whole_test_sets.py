"""The benchmarks of all classes on whole test sets, end to end on tiny pictures in partitions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean, median

import numpy as np
import pytest
from scipy import stats

from fewshot import protocols
from fewshot.datasets._known_sets import edition
from fewshot.protocols import Benchmark, BenchmarkSet
from tests.support.benchmark_folders import PIXELS, PROTOTYPE, class_folders, cut_benchmark, run_benchmark
from tests.support.command_line import fail, misuse, succeed

CLASSES = ("ant", "bee", "cat")
TRAIN, TEST = 6, 4  # images per class


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


def write_partitions(root: Path, benchmark: Benchmark, leave_out: tuple[str, ...] = (), train: int = TRAIN) -> None:
    """Every set of a benchmark as a folder with partitions: the last of its places."""
    for one in benchmark.sets:
        if one.name not in leave_out:
            place = one.places[-1]
            top = root / Path(place.below).parent
            class_folders(top / place.train, dict.fromkeys(CLASSES, train))
            class_folders(top / place.test, dict.fromkeys(CLASSES, TEST))


def check_whole(answer: dict, name: str, shots: list[int | None], draws: int) -> None:
    """All classes, all queries, and rows in the order of sets, then of shots."""
    for row, k_shot in zip(answer["rows"], shots * (len(answer["rows"]) // len(shots)), strict=True):
        assert (row["n_way"], row["n_query"], row["k_shot"]) == (None, None, k_shot)
        assert (row["protocol"], row["n_episodes"], row["n_classes"]) == (f"{name}@1", draws, 3)
        assert len(row["draws"].split()) == draws


def check_mean(answer: dict, k_shot: int | None, n_sets: int, missing: tuple[str, ...] = ()) -> None:
    """The average of all sets is the mean of their rows, and names the sets without one."""
    assert 0.3 < fmean(row["accuracy"] for row in answer["rows"]) < 0.99
    values = [row["accuracy"] for row in answer["rows"] if row["k_shot"] == k_shot]
    assert len(values) == n_sets
    shape = "all-way, all images" if k_shot is None else f"all-way {k_shot}-shot"
    [average] = [one for one in answer["averages"] if (one["group"], one["shape"]) == ("all sets", shape)]
    assert average["value"] == pytest.approx(fmean(values))
    assert (average["n_sets"], average["of"]) == (n_sets, n_sets + len(missing))
    assert [value for _, value in average["sets"]] == pytest.approx(values)
    assert average["missing"] == list(missing)
    draws = [[float(text) for text in row["draws"].split()] for row in answer["rows"] if row["k_shot"] == k_shot]
    check_half_width(average, draws, answer["rows"][0]["sampler"].startswith("RepeatedPermutation("))


def check_half_width(average: dict, draws: list[list[float]], depend: bool) -> None:
    """The sets are independent, the draws of each too unless one fixes the next: then five count as one."""
    squares = np.array([np.var(each, ddof=1) / (1 if depend else len(each)) for each in draws])
    freedom = squares.sum() ** 2 / (squares**2 / (len(draws[0]) - 1)).sum()
    half = stats.t.ppf(0.975, freedom) * np.sqrt(squares.sum()) / len(draws)
    assert average["half_width"] == pytest.approx(half, rel=1e-3)
    assert average["population"] == "these images"


@pytest.mark.parametrize("name", ["mieb_few_shot", "mieb_few_shot@fewshot"])
def test_mieb_in_all_its_sets(name, root, monkeypatch):
    benchmark = cut_benchmark(monkeypatch, name)
    write_partitions(root, benchmark, train=20)  # more than the 16 shots, so that draws differ
    answer = run_benchmark(name, root)
    check_whole(answer, name, [16], 5)
    check_mean(answer, 16, 21)
    depend = not name.endswith("fewshot")
    sampler = "RepeatedPermutation(" if depend else "Balanced("
    assert all(row["sampler"].startswith(sampler) for row in answer["rows"])
    reason = "the draws depend on each other" if depend else ""
    assert {row["accuracy_reason"] for row in answer["rows"]} == {reason}
    assert all((row["accuracy_low"] is None) == depend for row in answer["rows"])


def test_big_vision_in_all_its_sets_with_its_ridge_probe(root, monkeypatch):
    name = "big_vision_few_shot"
    benchmark = cut_benchmark(monkeypatch, name)
    write_partitions(root, benchmark)
    answer = run_benchmark(name, root, method=())
    check_whole(answer, name, [1, 5, 10, 25], 3)
    check_mean(answer, 5, 7)
    assert {row["evaluator"].split("(")[0] for row in answer["rows"]} == {"Standardised"}


def test_bit_averages_the_medians_of_its_draws(root, monkeypatch):
    shapes = tuple(s for s in protocols.benchmark("bit_few_shot").shapes if s.k_shot in (1, 5, None))
    benchmark = cut_benchmark(monkeypatch, "bit_few_shot", shapes=shapes)
    write_partitions(root, benchmark)
    answer = run_benchmark("bit_few_shot", root)
    check_whole(answer, "bit_few_shot", [1, 5, None], 5)
    for average in answer["averages"]:
        k_shot = {"all-way 1-shot": 1, "all-way 5-shot": 5, "all-way, all images": None}[average["shape"]]
        draws = [[float(text) for text in row["draws"].split()] for row in answer["rows"] if row["k_shot"] == k_shot]
        assert average["value"] == pytest.approx(fmean(median(each) for each in draws))
        assert average["half_width"] is None


def test_dinov3_chooses_inside_the_support(root, monkeypatch):
    shapes = tuple(s for s in protocols.benchmark("dinov3_few_shot").shapes if s.k_shot in (2, 5))
    benchmark = cut_benchmark(monkeypatch, "dinov3_few_shot", shapes=shapes)
    write_partitions(root, benchmark)
    rows = run_benchmark("dinov3_few_shot", root, method=())["rows"]
    assert [(row["selection"], row["n_trials"], row["n_labels_selection"]) for row in rows] == [
        *[("none", 1, 0)] * 2,
        *[("support", 45, 0)] * 2,
    ]


def test_medmnist_as_published(root, monkeypatch):
    root.mkdir()
    noise = np.random.default_rng(0)
    benchmark = cut_benchmark(monkeypatch, "medmnist", shapes=protocols.benchmark("medmnist").shapes[:2])
    for one in benchmark.sets:
        arrays = {}
        for part, number in (("train", TRAIN), ("val", 2), ("test", TEST)):
            labels = np.arange(3 * number) % 3
            arrays[f"{part}_images"] = (
                2 * labels[:, None, None] + noise.integers(0, 200, (len(labels), 28, 28))
            ).astype(np.uint8)
            arrays[f"{part}_labels"] = labels[:, None]
        np.savez(root / f"{one.name}.npz", **arrays)
    answer = run_benchmark("medmnist", root)
    check_whole(answer, "medmnist", [1, 5], 5)
    check_mean(answer, 5, 11)


def test_missing_sets_are_named_first_and_partial_says_how_many_are_there(root, monkeypatch):
    benchmark = cut_benchmark(monkeypatch, "big_vision_few_shot")
    write_partitions(root, benchmark, leave_out=("uc_merced", "imagenet"))
    command = ("run", "--benchmark", "big_vision_few_shot", "--data", root, *PIXELS, "--evaluator", "Prototype")
    sentence, *lines = fail(*command).splitlines()
    assert sentence == f"big_vision_few_shot lacks 2 of the 7 data sets in {root}; run the others with --partial:"
    assert lines == [
        "  uc_merced: get it from weegee.vision.ucmerced.edu/datasets/landuse.html, sorted into train and test; put it "
        "at uc_merced/train",
        "  imagenet: get it from image-net.org after registration; put it at ILSVRC2012_devkit_t12.tar.gz, "
        "imagenet/train or ILSVRC2012/train",
    ]
    answer = run_benchmark("big_vision_few_shot", root, "--partial")
    check_mean(answer, 1, 5, missing=("uc_merced", "imagenet"))


def test_chosen_sets_alone_run_and_the_average_says_so(root, monkeypatch):
    benchmark = cut_benchmark(monkeypatch, "big_vision_few_shot")
    write_partitions(root, benchmark, leave_out=("imagenet",), train=12)
    answer = run_benchmark("big_vision_few_shot", root, "--set", "cars196", "--set", "dtd")
    others = tuple(one.name for one in benchmark.sets if one.name not in ("cars196", "dtd"))
    check_mean(answer, 10, 2, missing=others)
    again = run_benchmark("big_vision_few_shot", root, "--set", "dtd", "--set", "cars196")  # typed in another order
    assert [one["sets"] for one in again["averages"]] == [one["sets"] for one in answer["averages"]]
    assert [row["benchmark_set"] for row in again["rows"]] == [row["benchmark_set"] for row in answer["rows"]]
    missing = fail("run", "--benchmark", "big_vision_few_shot", "--data", root, "--set", "dtds")
    assert "has no set 'dtds'; its sets: caltech101, cars196" in missing


def test_draws_of_all_images_are_equal_and_give_no_interval(root, monkeypatch):
    write_partitions(root, cut_benchmark(monkeypatch, "big_vision_few_shot"), leave_out=("imagenet",))
    averages = run_benchmark("big_vision_few_shot", root, "--set", "cars196", "--set", "dtd")["averages"]
    held = {one["shape"]: one["half_width"] for one in averages if one["group"] == "all sets"}
    assert held["all-way 10-shot"] is held["all-way 25-shot"] is None
    assert held["all-way 5-shot"] > 0


def test_the_table_ends_with_the_number_of_each_set_by_its_name(root, monkeypatch):
    shapes = protocols.benchmark("bit_few_shot").shapes[:1]
    write_partitions(root, cut_benchmark(monkeypatch, "bit_few_shot", shapes=shapes))
    results = ("--results", root / "rows.jsonl")
    shown = succeed("run", "--benchmark", "bit_few_shot", "--data", root, *PIXELS, *PROTOTYPE, *results)
    [line] = [line for line in shown.splitlines() if line.startswith("         ilsvrc_2012 ")]
    assert [part.split()[0] for part in line.split(",")] == ["ilsvrc_2012", "cifar10", "cifar100"]
    planned = succeed("run", "--benchmark", "bit_few_shot", "--data", root, *PIXELS, *PROTOTYPE, *results, "--dry-run")
    assert "[1/3] done" in planned


def test_exchanged_partitions_are_named(root, monkeypatch):
    def changed(one: BenchmarkSet) -> BenchmarkSet:
        known = edition("imagenet", "its own archives")
        return replace(one, edition=replace(known, classes=3, images={"train": 3 * TEST, "test": 3 * TRAIN}))

    benchmark = cut_benchmark(monkeypatch, "bit_few_shot", changed, keep_editions=True)
    write_partitions(root, benchmark)
    sentence = fail("run", "--benchmark", "bit_few_shot", "--data", root, *PIXELS)
    assert "has train and test exchanged: train 18, test 12, as published (its own archives)" in sentence


def test_a_misspelt_option_value_stays_an_error(root):
    assert "fewer" not in misuse("run", "--benchmark", "", "--data", root)


def test_a_run_ends_with_all_missing_sets_and_with_the_verdict_on_two_means(root, monkeypatch):
    name = "big_vision_few_shot"
    benchmark = cut_benchmark(monkeypatch, name, shapes=protocols.benchmark(name).shapes[:1])
    write_partitions(root, benchmark)
    methods = ("--evaluator", "Prototype", "--evaluator", "NearestNeighbour", "--transform", "L2")
    chosen = ("--set", "caltech101", "--set", "dtd")
    results = ("--results", root / "rows.jsonl")
    shown = succeed("run", "--benchmark", name, "--data", root, *PIXELS, *methods, *chosen, *results)
    text = " ".join(shown.partition("mean over sets")[2].split())
    assert text.count("without cars196, cifar100, oxford_iiit_pet, uc_merced, imagenet") == 2
    assert "big_vision_few_shot@1, all-way 1-shot, mean of 2 of 7 sets" in text
    assert "This is not the number of big_vision_few_shot: 5 of its 7 sets are missing." in text
