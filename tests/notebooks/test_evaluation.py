"""`evaluate` by the words of the command line: the same rows, for every way to name the same thing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

import fewshot
from fewshot.cli import main
from fewshot.results.columns import Cost, Provenance
from fewshot.results.resources import Resources
from tests.support.bird_folders import write_birds
from tests.support.worlds import as_tensor

MEASURED_ANEW = {field.name for kind in (Cost, Provenance, Resources) for field in dataclasses.fields(kind)}


@pytest.fixture
def birds(tmp_path, monkeypatch):
    """A working folder with the folder "birds"."""
    monkeypatch.chdir(tmp_path)
    return write_birds(tmp_path / "birds")


def evaluate(backbone="pixels", data="birds", **words):
    return fewshot.evaluate(backbone, data, progress=False, **({"n_episodes": 20} | words))


def columns(row):
    """The columns of a row that the same run has in every process."""
    return {name: value for name, value in row.columns().items() if name not in MEASURED_ANEW}


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ({}, ""),
        (
            {"shots": (1, 2), "evaluators": ["Prototype", "LinearProbe(C=1)"]},
            "--shot 1,2 --evaluator Prototype --evaluator LinearProbe(C=1)",
        ),
        ({"ways": 3, "queries": 4, "seed": 7}, "--way 3 --query 4 --seed 7"),
        ({"ways": "all", "transform": "Identity"}, "--way all --transform Identity"),
        ({"presets": "SimpleShot-L2N", "sampler": "Balanced"}, "--preset SimpleShot-L2N --sampler Balanced"),
        ({"split": "BySeed(seed=1)", "classes": "all"}, "--split BySeed(seed=1) --classes all"),
    ],
)
def test_python_and_the_command_line_give_equal_rows_for_the_same_words(words, options, birds):
    words_of_command = ["run", "--data", "birds", "--backbone", "pixels", "--episodes", "20", *options.split()]
    done = CliRunner().invoke(main, [*words_of_command, "--results", "command.jsonl"])
    assert done.exit_code == 0, done.output
    commanded = fewshot.Results("command.jsonl").rows()
    assert [columns(row) for row in evaluate(**words)] == [columns(row) for row in commanded]


def test_bundled_data_give_equal_rows_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--data", "Icons(domain='mono')", "--backbone", "pixels", "--episodes", "5", "--results", "rows.jsonl"]
    assert CliRunner().invoke(main, ["run", *options]).exit_code == 0
    (row,) = evaluate(data="Icons(domain='mono')", n_episodes=5)
    assert columns(row) == columns(fewshot.Results("rows.jsonl").rows()[0])


def test_finished_runs_of_a_results_file_are_skipped_and_compared(birds):
    first = evaluate(results="rows.jsonl", evaluators=["Prototype", "LinearProbe"])
    again = evaluate(results="rows.jsonl", evaluators=["Prototype", "LinearProbe"])
    assert list(again) == list(first)
    assert fewshot.compare("rows.jsonl").verdict == fewshot.compare(first).verdict
    assert len(Path("rows.jsonl").read_text().splitlines()) == 2


def test_data_are_a_name_a_path_a_member_or_images(birds):
    data = ["birds", Path("birds"), fewshot.ImageFolderSet("birds"), "ImageFolderSet('birds')"]
    rows = [evaluate(data=one)[0] for one in data]
    assert len({row.run_id for row in rows}) == 1
    (held,) = evaluate(data=fewshot.ImageFolderSet("birds").load())
    same = ("accuracy", "accuracy_low", "episodes_digest", "images_digest", "n_way", "k_shot", "n_query", "sampler")
    assert [getattr(held, name) for name in same] == [getattr(rows[0], name) for name in same]


def test_vectors_in_memory_are_data(birds):
    vectors = fewshot.labelled_vectors(np.random.default_rng(0).normal(size=(60, 4)), np.repeat(list("abcdef"), 10))
    (row,) = evaluate("given", vectors, shots=2)
    assert (row.n_way, row.k_shot, row.n_query, row.dataset, row.dim) == (5, 2, 8, "vectors", 4)


def test_a_backbone_is_a_name_a_member_a_network_or_a_function(birds):
    network = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten()).train()
    function = lambda inputs: nn.functional.adaptive_avg_pool2d(inputs, 2).flatten(1).numpy()  # noqa: E731
    named = evaluate(["pixels", "RawPixels(image_size=32)", fewshot.RawPixels(), fewshot.RawPixels().load()])
    assert len({row.accuracy for row in named}) == 1
    live = evaluate([network, function], preprocess=lambda image: as_tensor(image.resize((16, 16))))
    assert live[0].accuracy == live[1].accuracy
    assert network.training
    assert [row.backbone.partition("(")[0] for row in live] == ["Sequential", "function"]
    with pytest.raises(ValueError, match=r"give preprocess= too, a function from an RGB image"):
        evaluate(function)


def test_two_states_of_one_network_are_two_runs(birds):
    network = nn.Sequential(nn.Flatten(), nn.Linear(768, 4))
    words = {"preprocess": lambda image: as_tensor(image.resize((16, 16)))}
    first = evaluate(network, **words)
    nn.init.normal_(network[1].weight, generator=torch.Generator().manual_seed(1))
    second = evaluate(network, **words)
    assert first.run_id != second.run_id
    assert len(fewshot.compare([first, second]).rankings[0].standings) == 2


def test_given_episodes_keep_their_ways_shots_and_queries(birds):
    images = fewshot.ImageFolderSet("birds").load()
    episodes = fewshot.Episodes.sample(images, n_way=3, k_shot=2, n_query=4, n_episodes=10)
    row = fewshot.evaluate("pixels", images, episodes, progress=False)
    assert (row.n_way, row.k_shot, row.n_query, row.n_episodes) == (3, 2, 4, 10)
    by_path = fewshot.evaluate("pixels", "birds", episodes, progress=False)
    assert by_path.accuracy == row.accuracy
    ragged = fewshot.Episodes.from_rows(images, [[0, 9, 10]], [[1, 11]])
    row = fewshot.evaluate("pixels", images, ragged, progress=False)
    assert (row.n_way, row.k_shot, row.n_query) == (None, None, None)


def test_a_list_of_episodes_is_a_path(birds):
    images = fewshot.ImageFolderSet("birds").load()
    fewshot.Episodes.sample(images, 3, 2, 4, 20).save("mine.safetensors")
    done = CliRunner().invoke(
        main, ["run", "--data=birds", "--backbone=pixels", "--list=mine.safetensors", "--results=rows.jsonl"]
    )
    assert done.exit_code == 0, done.output
    rows = evaluate(episodes="mine.safetensors", n_episodes=600)
    assert columns(rows[0]) == columns(fewshot.Results("rows.jsonl").rows()[0])


def test_sampled_episodes_are_those_of_a_run(birds):
    rows = evaluate(ways=3, shots=2, queries=4, seed=5)
    episodes = fewshot.Episodes.sample("birds", n_way=3, k_shot=2, n_query=4, n_episodes=20, seed=5)
    assert episodes.digest == rows.episodes_digest
    some = fewshot.Episodes.sample("birds", 2, 1, 1, 20, classes=["gull", "wren"])
    names = fewshot.ImageFolderSet("birds").load().class_names
    assert {names[label] for label in some.classes.tolist()} == {"gull", "wren"}
