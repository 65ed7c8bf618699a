"""Meta-Dataset with all ten sets, Omniglot by characters and by alphabets, and CD-FSL, on tiny pictures."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import pytest

from fewshot import protocols
from fewshot.datasets._published_classes import published_split
from tests.support.benchmark_folders import PIXELS, class_folders, cut_benchmark, cut_splits, picture, run_benchmark
from tests.support.command_line import fail, succeed

SETS = ("aircraft", "cu_birds", "dtd", "fungi", "ilsvrc_2012", "mscoco", "omniglot", "quickdraw")
SETS += ("traffic_sign", "vgg_flower")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def whole_splits_afterwards() -> Iterator[None]:
    """Other tests see the whole published splits again."""
    yield
    published_split.cache_clear()


def write_omniglot(root: Path, classes: tuple[str, ...], novel: tuple[str, ...], per_class: int) -> None:
    """Characters below their alphabets, in the two folders that the zip files unpack."""
    tops = {one.partition("/")[0] for one in novel}
    for label, one in enumerate(classes):
        part = "images_evaluation" if one.partition("/")[0] in tops else "images_background"
        for number in range(per_class if part == "images_evaluation" else 2):
            picture(root / "omniglot-py" / part / one / f"{label:04d}_{number:02d}.png", label)


def write_meta_dataset(root: Path, monkeypatch: pytest.MonkeyPatch, splits: Path) -> None:
    """All ten sets with seven classes of each part, alphabets with six characters each, and a tree of two levels."""
    most = {f"meta_dataset_{name}": (7, 0) for name in SETS} | {"meta_dataset_omniglot": (6, 2)}
    cut_splits(monkeypatch, splits, most)
    for one in protocols.benchmark("meta_dataset").sets:
        split = published_split(f"meta_dataset_{one.name}")
        if one.name == "omniglot":
            write_omniglot(root, split.classes, split.novel, 6)
        elif one.name == "traffic_sign":  # folders 00000, 00001, ... as published
            class_folders(root / one.places[0].below, {f"{int(name[:2]):05d}": 6 for name in split.classes})
        else:
            class_folders(root / one.places[0].below, dict.fromkeys(split.classes, 6))
    write_wordnet(root / "wordnet/data.noun", published_split("meta_dataset_ilsvrc_2012").classes)


def write_wordnet(file: Path, classes: tuple[str, ...]) -> None:
    """Nouns in WordNet's format: one node above each seven classes, and a root."""
    above = {one: f"n9000000{place // 7}" for place, one in enumerate(classes)}
    above |= dict.fromkeys(sorted(set(above.values())), "n99999999")
    file.parent.mkdir()
    lines = [f"{child[1:]} 03 n 01 word 0 001 @ {parent[1:]} n 0000 | a gloss" for child, parent in above.items()]
    file.write_text("\n".join(["  1 licence", *lines, "99999999 03 n 01 root 0 000 | the root"]) + "\n")


def test_meta_dataset_in_all_ten_sets(root, monkeypatch, tmp_path):
    write_meta_dataset(root, monkeypatch, tmp_path / "splits")
    benchmark = cut_benchmark(monkeypatch, "meta_dataset", n_episodes=4)
    answer = run_benchmark("meta_dataset", root)
    by_set = dict(zip([one.name for one in benchmark.sets], answer["rows"], strict=True))
    assert len(by_set) == 10
    for name, row in by_set.items():
        assert row["split"] == f"Published(name='meta_dataset_{name}')"
        assert (row["n_way"], row["k_shot"], row["n_query"], row["protocol"]) == (None, None, None, "meta_dataset@1")
    assert "data.noun" in by_set["ilsvrc_2012"]["sampler"]
    assert "superclass" in by_set["omniglot"]["sampler"]
    assert by_set["omniglot"]["new_classes_unit"] == "groups (superclass)"
    assert by_set["mscoco"]["n_classes"] == 7
    groups = {"all sets": tuple(by_set), **dict(benchmark.groups)}
    assert [one["group"] for one in answer["averages"]] == list(groups)
    for one in answer["averages"]:
        assert one["value"] == pytest.approx(fmean(by_set[name]["accuracy"] for name in groups[one["group"]]))
        assert one["n_sets"] == one["of"] == len(groups[one["group"]])


def write_fewtrans(root: Path) -> None:
    """All ten sets with seven classes of twelve images, and a tree above the synsets of ImageNet-Sketch."""
    synsets = tuple(f"n0000000{number}" for number in range(7))
    for one in protocols.benchmark("fewtrans").sets:
        names = synsets if one.name == "imagenet_sketch" else tuple("abcdefg")
        class_folders(root / one.places[-1].below, dict.fromkeys(names, 26))
    write_wordnet(root / "wordnet/data.noun", synsets)


def test_fewtrans_in_all_ten_sets_within_its_limits(root, monkeypatch):
    write_fewtrans(root)
    benchmark = cut_benchmark(monkeypatch, "fewtrans", n_episodes=4)
    answer = run_benchmark("fewtrans", root)
    assert len(answer["rows"]) == 10
    for row in answer["rows"]:
        assert (row["n_way"], row["k_shot"], row["n_query"], row["protocol"]) == (None, None, None, "fewtrans@1")
        assert "ways=(2, 15), most_support=150, most_shots=10" in row["sampler"]
    [average] = answer["averages"]
    assert average["value"] == pytest.approx(fmean(row["accuracy"] for row in answer["rows"]))
    assert (average["n_sets"], average["of"]) == (len(benchmark.sets), 10)


def test_the_head_of_fewtrans_is_a_vote_that_the_row_names(root, monkeypatch):
    write_fewtrans(root)
    head = protocols.benchmark("fewtrans").heads[0]
    fewer = protocols.Head(head.transform, head.evaluator.replace("steps=70", "steps=2"))
    cut_benchmark(monkeypatch, "fewtrans", n_episodes=2, heads=(fewer,))
    network = ("--backbone", "RandomInit('test_vit', image_size=16)")
    results = ("--results", root / "rows.jsonl")
    words = ("run", "--benchmark", "fewtrans", "--data", root, "--set", "dtd", "--partial", *network, *results)
    [row] = json.loads(succeed(*words, "--json"))["rows"]
    assert row["evaluator"].startswith("TunedVote(inner=FineTune(tune='all', steps=2, lr=0.01, optimizer='adam'")
    assert "('head_lr', (0.0004, 0.002, 0.01))" in row["evaluator"]
    assert (row["selection"], row["n_trials"], row["n_labels_selection"]) == ("none", 1, 0)


def test_our_fewtrans_has_nested_shots(root, monkeypatch):
    write_fewtrans(root)
    cut_benchmark(monkeypatch, "fewtrans@fewshot", n_episodes=3)
    rows = run_benchmark("fewtrans@fewshot", root, "--set", "eurosat", "--partial")["rows"]
    assert [(row["n_way"], row["k_shot"], row["n_query"]) for row in rows] == [(5, 1, 15), (5, 5, 15), (5, 10, 15)]


def test_the_class_tree_is_named_if_it_is_missing(root, monkeypatch, tmp_path):
    cut_splits(monkeypatch, tmp_path / "splits", {"meta_dataset_ilsvrc_2012": (7, 0)})
    class_folders(root / "imagenet/train", dict.fromkeys(published_split("meta_dataset_ilsvrc_2012").classes, 2))
    sentence = fail("run", "--benchmark", "meta_dataset", "--data", root, *PIXELS, "--set", "ilsvrc_2012")
    if not Path("/usr/share/wordnet/data.noun").exists():
        assert "; put it at wordnet/data.noun, data.noun or /usr/share/" in sentence
        assert "\n  ilsvrc_2012 without its tree: get it from " in sentence


def test_omniglot_by_characters_and_by_alphabets(root, monkeypatch, tmp_path):
    cut_splits(monkeypatch, tmp_path / "splits", {"omniglot_vinyals": (60, 0)})
    split = published_split("omniglot_vinyals")
    write_omniglot(root, split.classes, split.novel, 20)
    cut_benchmark(monkeypatch, "omniglot", n_episodes=3)
    answer = run_benchmark("omniglot", root)
    *characters, alphabets = answer["rows"]
    assert [(row["n_way"], row["k_shot"], row["n_query"]) for row in characters] == [
        *((5, 1, 15), (5, 5, 15), (20, 1, 15), (20, 5, 15)),
    ]
    assert {row["n_classes"] for row in characters} == {60}
    assert (alphabets["n_way"], alphabets["k_shot"], alphabets["n_query"]) == (20, 1, 1)
    assert alphabets["new_classes_unit"] == "groups (superclass)"
    assert [(one["shape"], one["of"]) for one in answer["averages"]][3:] == [("20-way 5-shot", 1), ("20-way 1-shot", 1)]


def test_cd_fsl_in_all_four_sets(root, monkeypatch):
    for folder in ("CropDisease", "EuroSAT/2750", "ISIC"):
        class_folders(root / folder, dict.fromkeys("abcdef", 35))
    findings = ("Atelectasis", "Cardiomegaly", "Effusion", "Mass", "Nodule", "Pneumothorax", "Effusion|Mass")
    lines = [(f"{f}_{n}.png", finding) for f, finding in enumerate(findings) for n in range(35)]
    for name, _ in lines:
        picture(root / "ChestX/images" / name, int(name[0]))
    with open(root / "ChestX/Data_Entry_2017.csv", "w", newline="") as file:
        csv.writer(file).writerows([("Image Index", "Finding Labels"), *lines])
    shapes = protocols.benchmark("cd_fsl").shapes[:2]
    cut_benchmark(monkeypatch, "cd_fsl", n_episodes=3, shapes=shapes)
    answer = run_benchmark("cd_fsl", root)
    assert [(row["n_way"], row["k_shot"], row["n_query"]) for row in answer["rows"]] == [(5, 5, 15), (5, 20, 15)] * 4
    assert {row["n_classes"] for row in answer["rows"]} == {6}
    for one, start in zip(answer["averages"], (0, 1), strict=True):
        assert one["value"] == pytest.approx(fmean(row["accuracy"] for row in answer["rows"][start::2]))
        assert (one["n_sets"], one["of"]) == (4, 4)
