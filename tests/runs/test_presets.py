"""Presets: every one is a pair that runs, and the command line takes it by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fewshot.conformance import PictureWorld, worlds
from fewshot.evaluators import FeatureEvaluator, ImageEvaluator
from fewshot.plugins.registry import BACKBONES, EVALUATORS, TRANSFORMS
from fewshot.runs.presets import PRESETS, preset
from tests.support.command_line import QUICK, call, fail, misuse, succeed

pytestmark = pytest.mark.usefixtures("working_folder")

# and networks that they are tried on
TUNED = {"TSA": "resnet10t", "TSA-seen": "resnet10t", "CLIP-LoRA": "test_vit", "BiT-HyperRule": "resnet10t"}
LEAST_SHOTS = {"DINOv2-logistic": 2}  # it holds out rows of the support
OF_FEATURES = [named for named in PRESETS if named.name not in TUNED]


@pytest.mark.parametrize("named", OF_FEATURES, ids=lambda p: p.name)
@pytest.mark.parametrize("k_shot", [1, 5])
def test_a_preset_solves_separated_classes(named, k_shot):
    evaluator = EVALUATORS.make(named.evaluator)
    assert isinstance(evaluator, FeatureEvaluator)
    trial = worlds(evaluator)[0].trial(1, k_shot=max(k_shot, LEAST_SHOTS.get(named.name, 1)), separation=10.0)
    mapped = TRANSFORMS.make(named.transform).fit(trial.batch.support.flatten(0, 1))
    views = trial.batch.support_views
    moved = {"support": mapped(trial.batch.support), "support_views": None if views is None else mapped(views)}
    head = evaluator.fit(replace(trial.batch, **moved))
    assert (head(mapped(trial.query)).argmax(2) == trial.query_labels).double().mean() > 0.95


@pytest.mark.parametrize("name", TUNED)
def test_a_preset_that_tunes_a_network_finds_what_it_adapts(name):
    evaluator = EVALUATORS.make(preset(name).evaluator)
    assert isinstance(evaluator, ImageEvaluator)
    backbone = BACKBONES.make(f"RandomInit({TUNED[name]!r})").load()
    trial = PictureWorld().trial(1, n_episodes=1, n_way=2, k_shot=1, n_query=1)
    steps = "max_steps" if name == "BiT-HyperRule" else "steps"
    head = replace(evaluator, **{steps: 1}).fit(trial.batch, backbone)
    assert torch.isfinite(head(trial.query)).all()


@pytest.mark.parametrize("named", PRESETS, ids=lambda p: p.name)
def test_a_preset_is_written_as_rows_hold_it_but_for_defaults(named):
    assert EVALUATORS.make(EVALUATORS.canonical(named.evaluator)) == EVALUATORS.make(named.evaluator)
    assert named.source
    assert named.differs.endswith(".")


def test_names_are_found_in_any_case_and_unknown_ones_list_the_known():
    assert preset("simpleshot") is preset("SimpleShot")
    with pytest.raises(ValueError, match=r"unknown preset 'SimpleShoot'; known: .*Did you mean SimpleShot\?"):
        preset("SimpleShoot")
    assert len({p.name.lower() for p in PRESETS}) == len(PRESETS)


def test_run_takes_presets_and_its_rows_hold_the_pairs():
    shown = succeed(
        "run", "--data", "birds", *QUICK, "--preset", "RFS", "--preset", "RFS-single", "--preset",
        "SimpleShot-UN", "--json",
    )  # fmt: skip
    rows = json.loads(shown)["rows"]
    assert [(row["transform"], row["evaluator"].split("(")[0]) for row in rows] == [
        ("L2()", "AugmentedSupport"),
        ("L2()", "LinearProbe"),
        ("Identity()", "Prototype"),
    ]


@pytest.mark.parametrize("other", [("--evaluator", "Prototype"), ("--transform", "L2()")])
def test_a_preset_excludes_the_options_it_stands_for(other):
    sentence = "--preset sets evaluator and transform; remove --evaluator and --transform"
    assert sentence in misuse("run", "--data", "birds", "--preset", "RFS", *other)


def test_an_unknown_preset_is_one_sentence():
    assert fail("run", "--data", "birds", "--preset", "RFSS").startswith("unknown preset 'RFSS'; known: SimpleShot")


def test_presets_are_listed_with_their_source_and_what_differs():
    shown = succeed("list", "presets")
    assert "big_vision" in shown
    assert "arXiv 2003.11539" in shown
    listed = json.loads(succeed("list", "presets", "--json"))["presets"]
    assert {entry["name"] for entry in listed} == {p.name for p in PRESETS}
    assert listed[0]["evaluator"] == "Prototype()"


@pytest.mark.parametrize(
    "named", [named for named in PRESETS if TRANSFORMS.spec(named.transform).declares("needs_seen")]
)
def test_a_preset_that_needs_seen_classes_names_the_way_out(named):
    instead = preset(named.without_seen)
    assert not TRANSFORMS.spec(instead.transform).declares("needs_seen")
    sentence = refusal("--preset", named.name)
    assert sentence.startswith(f"--preset {named.name} needs seen classes, because it fits ")
    assert sentence.endswith(f'use --preset {instead.name}, or a split with seen classes, such as --split "BySeed()"')


@pytest.mark.parametrize("transform", ["CentredL2()", "Whitening()"])
def test_a_transform_that_needs_seen_classes_names_the_way_out(transform):
    sentence = refusal("--transform", transform)
    assert sentence.startswith(f"--transform {transform} needs seen classes")
    assert '--transform "L2()"' in sentence


def refusal(*words: str) -> str:
    """The sentence that refuses a run on a folder without seen classes, before anything is computed."""
    result = call("run", "--data", "birds", *QUICK, *words)
    assert result.exit_code == 1
    assert not Path("results").exists()
    return result.stderr.splitlines()[-1].removeprefix("Error: ")
