"""The benchmarks with a split of classes, end to end on tiny pictures in the layouts in which users have the data."""

from __future__ import annotations

import pickle
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from fewshot import protocols
from fewshot.datasets import _torchvision_files
from fewshot.datasets._published_classes import published_split
from fewshot.results.files import Results
from tests.support.benchmark_folders import (
    PIXELS,
    PROTOTYPE,
    class_folders,
    cut_benchmark,
    run_benchmark,
    sizes_of_split,
)
from tests.support.command_line import fail, misuse, succeed

FEW = 6  # episodes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


def short(name: str) -> str:
    """The name of a class without the folders above it."""
    return name.rpartition("/")[2]


def check_five_way(answer: dict, name: str, novel: int, head: str = "Prototype(metric='euclidean')") -> None:
    """Two rows of 5-way episodes of the novel classes, and averages that are their accuracies."""
    one, five = answer["rows"]
    for row, k_shot in ((one, 1), (five, 5)):
        assert (row["n_way"], row["k_shot"], row["n_query"], row["seed"]) == (5, k_shot, 15, 0)
        assert (row["protocol"], row["classes"], row["n_classes"]) == (f"{name}@1", "novel", novel)
        assert (row["n_episodes"], row["evaluator"], row["selection"]) == (FEW, head, "none")
        assert row["split"] == f"Published(name='{name}')"
    assert [(each["shape"], each["value"], each["n_sets"], each["of"]) for each in answer["averages"]] == [
        ("5-way 1-shot", pytest.approx(one["accuracy"]), 1, 1),
        ("5-way 5-shot", pytest.approx(five["accuracy"]), 1, 1),
    ]


def write_cifar(root: Path, per_class: int) -> None:
    """CIFAR-100 as its publisher packs it, with fewer images: two pickles and the names of the classes."""
    names = sorted(short(one) for one in published_split("cifar_fs").classes)
    noise = np.random.default_rng(0)
    folder = root / "cifar-100-python"
    folder.mkdir(parents=True)
    for part, number in (("train", per_class - 2), ("test", 2)):
        labels = np.arange(100 * number) % 100
        data = noise.integers(0, 256, (len(labels), 3072)).astype(np.uint8)
        (folder / part).write_bytes(pickle.dumps({"data": data, "fine_labels": labels.tolist()}, protocol=3))
    (folder / "meta").write_bytes(pickle.dumps({"fine_label_names": names}, protocol=3))


@pytest.mark.parametrize(("name", "novel"), [("cifar_fs", 20), ("fc100", 20)])
def test_cifar_100_as_published_gives_both_benchmarks(name, novel, root, monkeypatch):
    monkeypatch.setattr(_torchvision_files, "checked", lambda path, *_: path.read_bytes())
    write_cifar(root, 20)
    cut_benchmark(monkeypatch, name, n_episodes=FEW)
    check_five_way(run_benchmark(name, root), name, novel)


@pytest.mark.parametrize(
    ("name", "folder", "novel"),
    [
        ("cifar_fs", "cifar100/data", 20),
        ("mini_imagenet", "mini-imagenet", 20),
        ("mini_imagenet", "", 20),
        ("cub_100_50_50", "CUB_200_2011/images", 50),
        ("cub_140_30_30", "images", 30),
        ("cub_140_30_30", "", 30),
    ],
)
def test_folders_of_classes(name, folder, novel, root, monkeypatch):
    sizes = sizes_of_split(name, 20)
    class_folders(root / folder, {short(one): size for one, size in sizes.items()})
    cut_benchmark(monkeypatch, name, n_episodes=FEW)
    check_five_way(run_benchmark(name, root), name, novel)


@pytest.mark.parametrize(("name", "folder"), [("mini_imagenet", ""), ("mini_imagenet", "miniImageNet")])
def test_folders_of_partitions(name, folder, root, monkeypatch):
    split, sizes = published_split(name), sizes_of_split(name, 20)
    for part, classes in (("train", split.seen), ("val", split.validation), ("test", split.novel)):
        class_folders(root / folder / part, {one: sizes[one] for one in classes})
    cut_benchmark(monkeypatch, name, n_episodes=FEW)
    check_five_way(run_benchmark(name, root), name, 20)


def test_tiered_imagenet_in_all_its_classes(root, monkeypatch):
    class_folders(root / "tiered_imagenet", sizes_of_split("tiered_imagenet", 8))
    name, novel = "tiered_imagenet", 160
    shapes = tuple(protocols.benchmark(name).shapes)
    fewer = tuple(type(shape)(shape.n_way, shape.k_shot, 3) for shape in shapes)
    cut_benchmark(monkeypatch, name, n_episodes=FEW, shapes=fewer)
    answer = run_benchmark(name, root)
    assert [(row["n_classes"], row["n_way"], row["k_shot"]) for row in answer["rows"]] == [(novel, 5, 1), (novel, 5, 5)]


def test_the_default_head_is_that_of_the_source(root, monkeypatch):
    class_folders(root / "mini_imagenet", sizes_of_split("mini_imagenet", 20, others=2))
    cut_benchmark(monkeypatch, "mini_imagenet", n_episodes=FEW)
    answer = run_benchmark("mini_imagenet", root, method=())
    check_five_way(answer, "mini_imagenet", 20)
    assert {row["transform"] for row in answer["rows"]} == {"CentredL2()"}


def test_the_average_is_that_of_the_shown_rows_and_one_line_per_shape(root, monkeypatch):
    class_folders(root / "cifar100/data", {short(one): n for one, n in sizes_of_split("cifar_fs", 20).items()})
    cut_benchmark(monkeypatch, "cifar_fs", n_episodes=FEW)
    results = ("--results", root / "rows.jsonl")
    shown = succeed("run", "--benchmark", "cifar_fs", "--data", root, *PIXELS, *PROTOTYPE, *results)
    assert "cifar_fs@1, mean over sets in %; [ ]: 95 % interval" in shown
    assert shown.count("its only set") == 2
    assert "5-way 1-shot" in shown


def test_a_copy_with_other_counts_is_named_before_anything_runs(root):
    class_folders(root / "CUB_200_2011/images", {short(one): 1 for one in published_split("cub_100_50_50").classes})
    sentence = fail("run", "--benchmark", "cub_100_50_50", "--data", root, *PIXELS)
    assert sentence.startswith(
        f"cub_100_50_50 needs CUB-200-2011, but the copy in {root / 'CUB_200_2011/images'} has other numbers of "
        "images: 200 in all, as published (without partitions): 11,788 in all; get it from data.caltech.edu"
    )


@pytest.mark.parametrize("below", ["images", "."])
def test_a_copy_that_is_found_by_a_class_folder_is_named_by_its_own_folder(root, below):
    class_folders(root / below, {short(one): 1 for one in published_split("cub_100_50_50").classes})
    sentence = fail("run", "--benchmark", "cub_100_50_50", "--data", root, *PIXELS)
    assert sentence.startswith(f"cub_100_50_50 needs CUB-200-2011, but the copy in {root / below} has other numbers ")
    assert "001.Black_footed_Albatross" not in sentence


def test_a_copy_with_other_classes_is_named(root, monkeypatch):
    class_folders(root / "cifar100/data", dict.fromkeys("abcdef", 20))
    cut_benchmark(monkeypatch, "cifar_fs")
    assert "cifar_fs splits 100 classes, but" in fail("run", "--benchmark", "cifar_fs", "--data", root, *PIXELS)


def test_missing_data_are_named_with_their_publisher_and_their_place(root):
    root.mkdir()
    sentence = fail("run", "--benchmark", "fc100", "--data", root, *PIXELS)
    first, line = sentence.splitlines()
    assert first == f"fc100 lacks its data set in {root}:"
    assert line.startswith("  fc100: get it from cs.toronto.edu/~kriz/cifar.html")
    assert "; put it at cifar-100-python, cifar100/data" in line


def test_a_folder_that_does_not_exist_is_named(root):
    assert f"there is no folder {root}" in fail("run", "--benchmark", "fc100", "--data", root, *PIXELS)


@pytest.mark.parametrize(
    "option",
    [
        *(("--way", "3"), ("--shot", "2"), ("--query", "all"), ("--seed", "1"), ("--episodes", "7"), ("--at-most",)),
        *(("--sampler", "DisjointPools()"), ("--split", "AllNovel"), ("--classes", "all"), ("--list", "a.safetensors")),
        *(("--select", "oracle", "--grid", "C=1"), ("--support-from", "a=b"), ("--query-from", "a=b")),
    ],
    ids=lambda option: option[0],
)
def test_options_that_change_the_protocol_are_refused(option, root):
    sentence = misuse("run", "--benchmark", "cifar_fs", "--data", root, *option)
    assert sentence.startswith(f"{option[0]} changes the protocol: this would no longer be cifar_fs; remove")


def test_sets_and_partial_need_a_benchmark(root):
    for option in (("--set", "dtd"), ("--partial",)):
        assert "need --benchmark" in misuse("run", "--data", root, *option)


def test_an_unknown_benchmark_is_an_error_that_lists_the_known_ones(root):
    sentence = fail("run", "--benchmark", "cifar_sf", "--data", root)
    assert "unknown benchmark 'cifar_sf'; known: " in sentence
    assert "cifar_fs" in sentence


def test_an_independent_mean_of_predictions_is_the_accuracy(root, monkeypatch):
    class_folders(root / "cifar100/data", {short(one): n for one, n in sizes_of_split("cifar_fs", 20).items()})
    cut_benchmark(monkeypatch, "cifar_fs", n_episodes=FEW)
    answer = run_benchmark("cifar_fs", root)
    results = Results(root / "rows.jsonl")
    for row, shown in zip(results.rows(), answer["averages"], strict=True):
        [found] = results.predictions(row)
        episodes, right = found.episodes, []
        assert len(episodes.support) == FEW * 5 * row.k_shot
        for e in range(FEW):
            truth = np.repeat(np.arange(5), 15)
            right.append(float((found.predicted[e * 75 : (e + 1) * 75] == truth).mean()))
        assert shown["value"] == pytest.approx(fmean(right))
