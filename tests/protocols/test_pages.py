"""What users read about benchmarks: the list, the page of each, the table in the docs, and `fewshot bench --data`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fewshot import protocols
from fewshot.plugins.registry import EVALUATORS, SPLITS, TRANSFORMS
from fewshot.protocols._needs import needs
from fewshot.protocols._page import page
from tests.support.benchmark_folders import class_folders, cut_benchmark, sizes_of_split
from tests.support.checkout import DOCS
from tests.support.command_line import fail, misuse, modules_after, succeed

NAMES = protocols.names()


def test_the_benchmarks_of_the_field_are_listed_without_loading_anything_heavy():
    shown = succeed("list", "benchmarks")
    assert all(f"  {name}\n" in shown for name in NAMES)
    assert not modules_after("list", "benchmarks") & {"numpy", "torch", "timm"}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_command_data_protocol_and_deviations(name):
    page = succeed("list", "benchmarks", name)
    benchmark = protocols.benchmark(name)
    assert page.startswith(f"{benchmark.protocol}: ")
    assert f"fewshot run --benchmark {name} --data ROOT" in page
    words = " ".join(page.split())
    for one in benchmark.sets:
        assert f"- {one.name}: {one.places[0].below}" in words
        assert one.get in words
    assert "Deviations from the source:" in page
    assert all(" ".join(text.split()) in words for text in (*benchmark.deviations, *benchmark.expected))


_NO_SEEN = "Its sets have no seen classes: use --preset SimpleShot-L2N in place of --preset SimpleShot."


@pytest.mark.parametrize("name", NAMES)
def test_a_list_and_a_page_say_what_a_benchmark_needs(name):
    sentences = needs(protocols.benchmark(name))
    assert protocols.needs_of(name) == sentences
    page = " ".join(succeed("list", "benchmarks", name).split())
    [entry] = [one for one in json.loads(succeed("list", "benchmarks", "--json"))["benchmarks"] if one["name"] == name]
    assert entry["needs"] == list(sentences)
    short = [one.replace(_NO_SEEN, "No seen classes.") for one in sentences]
    assert all(one in page for one in sentences)
    assert all(one in entry["summary"] for one in short)
    assert "No seen classes:" in succeed("list", "benchmarks")
    assert ("Needs:" in page) == bool(sentences)


@pytest.mark.parametrize("evaluator", ["ZeroShot()", "CrossValidated(TipAdapter(), (('alpha', (0.5, 1.0)),))"])
def test_a_head_of_names_is_a_need_also_inside_another(evaluator):
    named = replace(protocols.benchmark("coop"), heads=(protocols.Head("L2()", evaluator),))
    assert "Its head needs class names and a backbone with a text tower." in needs(named)


def test_a_page_names_the_sizes_of_images_where_they_are_published():
    assert "(2 classes, 546 train, 78 val, 156 test, 28 or 64 or 128 or 224 px)" in " ".join(
        succeed("list", "benchmarks", "medmnist").split()
    )


def test_a_page_is_one_json_value_too():
    assert json.loads(succeed("list", "benchmarks", "coop", "--json"))["sets"][0]["name"] == "caltech101"


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_names_members_that_exist_and_sets_of_its_own(name):
    benchmark = protocols.benchmark(name)
    assert (benchmark.name, benchmark.protocol) == (name, f"{name}@{benchmark.version}")
    for head in benchmark.heads:
        TRANSFORMS.spec(head.transform)
        EVALUATORS.spec(head.evaluator)
    names = [one.name for one in benchmark.sets]
    assert len(set(names)) == len(names)
    for one in benchmark.sets:
        SPLITS.spec(one.split)
        assert one.shapes or benchmark.shapes
    assert {each for _, group in benchmark.groups for each in group} <= set(names)


def test_the_table_in_the_docs_has_every_benchmark():
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8").partition("## Benchmarks of the field")[2]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert sorted(name for row in rows for name in re.findall(r"`([^`]+)`", row)) == sorted(NAMES)


def test_the_docs_name_the_file_of_the_class_tree_for_the_benchmarks_that_read_it():
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8").partition("## Benchmarks of the field")[2]
    told = set()
    for _, names, data, *_ in (line.split("|") for line in text.splitlines() if "`data.noun`" in line):
        told |= set(re.findall(r"`([^`]+)`", data)) & set(NAMES) or set(re.findall(r"`([^`]+)`", names))
    companions = {name: [c.name for one in protocols.benchmark(name).sets for c in one.companions] for name in NAMES}
    assert told == {name for name in NAMES if "tree" in companions[name]} != set()


def test_bench_runs_a_benchmark_and_writes_its_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    class_folders(Path("data/CUB_200_2011/images"), sizes_of_split("cub_140_30_30", 20))
    cut_benchmark(monkeypatch, "cub_140_30_30", n_episodes=3, heads=(protocols.Head("Identity()", "Prototype()"),))
    pixels = ("--backbone", "RawPixels(image_size=4)")
    shown = succeed("bench", "cub_140_30_30", "--data", "data", *pixels)
    assert "cub_140_30_30@1, mean over sets in %; [ ]: 95 % interval" in shown
    assert "report: results/cub_140_30_30.html" in shown
    assert Path("results/cub_140_30_30.html").is_file()


def test_bench_says_what_a_benchmark_needs():
    assert "add --data with the folder of its data sets" in misuse("bench", "cifar_fs")
    assert "this would no longer be cifar_fs" in misuse("bench", "cifar_fs", "--data", ".", "--episodes", "3")
    assert "need --data" in misuse("bench", "quick", "--partial")
    assert "unknown benchmark 'quick'" in fail("bench", "quick", "--data", ".")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("medmnist", "Of each set only the published file is accepted: fewshot compares its md5."),
        ("cifar_fs", "In cifar-100-python only the published files are accepted: fewshot compares their md5."),
        ("bit_few_shot", "In cifar-10-batches-py and cifar-100-python only the published files are accepted"),
        ("cd_fsl", ""),
    ],
)
def test_a_page_says_which_files_must_be_the_published_ones(name, line):
    text = " ".join(page(protocols.benchmark(name)).split())
    assert line in text
    assert bool(line) == ("md5" in text)
