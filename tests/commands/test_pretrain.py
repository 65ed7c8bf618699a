"""`fewshot pretrain`, the dry run of trainings, and the guide to pre-training."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from fewshot.backbones.pretrained import Pretrained
from fewshot.files.atomic import home
from fewshot.plugins.registry import BACKBONES
from tests.support.checkout import DOCS
from tests.support.command_line import fail, misuse, succeed

TINY = ("--network", "ConvNet(width=2, depth=2, image_size=8)", "--recipe", "CrossEntropy(steps=3, batch_size=6)")


def folder_options(folder: Path) -> tuple[str, ...]:
    return ("--data", str(folder), "--split", "BySeed(novel=0.5, validation=0.0)", *TINY)


def test_it_trains_once_and_its_spec_is_a_backbone(folder: Path) -> None:
    first = json.loads(succeed("pretrain", *folder_options(folder), "--images", "12", "--seed", "4", "--json"))
    [made] = first
    source = BACKBONES.make(made["spec"])
    assert isinstance(source, Pretrained)
    assert (source.seed, source.n_images, made["unique_images"]) == (4, 12, 12)
    assert made["folder"] == str(source.folder)
    written = source.weights.stat().st_mtime_ns
    again = json.loads(succeed("pretrain", made["spec"], "--json"))
    assert again == first
    assert source.weights.stat().st_mtime_ns == written
    asked = (
        "--split",
        "BySeed(novel=0.5, validation=0.0)",
        "--evaluator",
        "Prototype",
        "--episodes",
        "3",
        "--query",
        "2",
    )
    rows = str(folder.parent / "rows.jsonl")
    shown = succeed("run", "--data", str(folder), *asked, "--backbone", made["spec"], "--results", rows)
    assert "conv net 2 x 2, CrossEntropy 3 steps, 12 images, seed 4" in shown


def test_every_number_of_images_is_trained_with_every_seed(folder: Path) -> None:
    sizes = ("--images", "6", "--images", "all", "--seed", "1", "--seed", "2")
    planned = json.loads(succeed("pretrain", *folder_options(folder), *sizes, "--dry-run", "--json"))["trainings"]
    found = [(p["n_images"], BACKBONES.make(p["spec"]).network.seed) for p in planned]
    assert found == [(6, 1), (6, 2), (36, 1), (36, 2)]


def test_a_dry_run_says_time_and_place_and_writes_no_weights(folder: Path) -> None:
    text = succeed("pretrain", *folder_options(folder), "--dry-run")
    assert "to train on 36 images of 3 classes, 3 steps, 18 image passes" in text
    assert f"into {home() / 'pretrained'}" in text
    assert re.search(r"^1 network to train, 18 image passes, about \d+ s$", text, re.MULTILINE)
    assert not (home() / "pretrained").exists()


def test_the_dry_run_of_a_run_counts_the_training(folder: Path) -> None:
    spec = (
        f"Pretrained(ConvNet(2, 2, 8), ImageFolderSet({str(folder)!r}), CrossEntropy(steps=3), split=BySeed(novel=0.5))"
    )
    text = succeed("run", "--data", str(folder), "--backbone", spec, "--episodes", "3", "--query", "2", "--dry-run")
    assert re.search(
        r"^to train on \d+ images of \d classes, 3 steps, \d+ image passes: Pretrained", text, re.MULTILINE
    )
    assert "image passes of training, " in text.splitlines()[-1]
    assert not (home() / "pretrained").exists()


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("ConvNet()",), "ConvNet() cannot be trained; write Pretrained(network=..., data=..., recipe=...)"),
        (("--data", "Icons", "--recipe", "CrossEntrop"), "unknown recipe 'CrossEntrop'"),
        (("--data", "Icons", "--images", "10"), "--images = 10 is not possible: icons mono has"),
    ],
)
def test_mistakes_are_one_sentence(args: tuple[str, ...], text: str) -> None:
    assert text in fail("pretrain", *args)


def test_nothing_to_train_is_a_command_line_that_cannot_be_read() -> None:
    assert misuse("pretrain") == "nothing to train; give a spec such as Pretrained(...), or --data"


def test_recipes_are_listed() -> None:
    assert "CrossEntropy(epochs=20.0" in succeed("list", "recipes")


def test_the_guide_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    guide = (DOCS / "pretraining.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    commands = [
        line for language, code in blocks if language == "sh" for line in code.replace("\\\n", " ").splitlines()
    ]
    for command in (shlex.split(line) for line in commands if line.startswith("fewshot ")):
        succeed(*command[1:])
    exec("\n".join(code for language, code in blocks if language == "python"), {})
    assert re.search(r"0\.\d+ of the queries right", capsys.readouterr().out)
