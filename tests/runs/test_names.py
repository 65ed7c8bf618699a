"""Runs of heads of class names: vectors from the data set or from the backbone's text tower, never from both."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import fewshot
from fewshot.files.atomic import home
from fewshot.plugins.registry import EVALUATORS
from fewshot.runs.names import uses_names
from tests.support.bird_folders import COLOURS, write_birds
from tests.support.command_line import call
from tests.support.tiny_clip import open_clip, tiny_model, write_tiny_clip

HEADS = ("ZeroShot", "TipAdapter", "LinearProbePlusPlus", "ZeroShotProbe", "ZeroShotGaussian")
TINY = "OpenCLIP('tiny', 'clip/open_clip_model.safetensors')"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Birds, a tiny CLIP model in clip/, and vectors of the birds' names in texts.npz."""
    monkeypatch.chdir(tmp_path)
    write_birds(tmp_path / "birds")
    write_tiny_clip(tmp_path / "clip")
    vectors = np.random.default_rng(0).normal(size=(len(COLOURS), 16))
    np.savez(tmp_path / "texts.npz", class_names=list(COLOURS), class_vectors=vectors)
    return tmp_path


def spec(backbone=TINY, evaluator="ZeroShot", data="ImageFolderSet('birds')", shots=0):
    shape = fewshot.Sampled(fewshot.EpisodeShape(4, shots, 3))
    return fewshot.RunSpec(data, backbone, evaluator, shape, split="AllNovel()", n_episodes=5)


def run(*arguments, **words):
    return fewshot.run(spec(*arguments, **words), "rows.jsonl", fewshot.Workbench(progress=False))


def run_id(*arguments, **words):
    return fewshot.Workbench(progress=False).prepare(spec(*arguments, **words)).run_id


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("shots", [0, 2])
def test_every_head_of_names_takes_the_vectors_of_the_text_tower(head, shots):
    row = run(evaluator=head, shots=shots)
    assert row.status == "ok"
    assert row.templates == "a photo of a {}."
    if not shots:
        assert row.accuracy == run(evaluator="ZeroShot").accuracy


def test_zero_shot_predictions_are_those_of_open_clips_towers(folder):
    images = fewshot.ImageFolderSet(Path("birds")).load()
    model, backbone = tiny_model(), fewshot.OpenCLIP("tiny", "clip/open_clip_model.safetensors").load()
    prepared = fewshot.Workbench(progress=False).prepare(spec())
    episodes = prepared.episodes(0, 5)
    run()
    tokens = open_clip.SimpleTokenizer(context_length=24)([f"a photo of a {name}." for name in images.class_names])
    inputs = torch.stack([backbone.preprocess(images.images[int(row)]) for row in episodes.query])
    with torch.no_grad():
        cosines = model.encode_image(inputs, normalize=True) @ model.encode_text(tokens, normalize=True).T
    results = fewshot.Results(Path("rows.jsonl"))
    [predictions] = results.predictions(results.rows()[0])
    chosen = predictions.episodes.classes.reshape(5, 4)[np.arange(5).repeat(12), predictions.predicted]
    assert np.array_equal(chosen, cosines.argmax(1).numpy())


@pytest.mark.parametrize(
    "changed",
    [
        "templates='the {}.'",
        "templates='imagenet'",
        "templates=('a photo of a {}.', 'the {}.')",
        "templates='coop:EuroSAT'",
        "image_size=48",
    ],
)
def test_other_templates_are_other_runs(changed):
    assert run_id() != run_id(f"{TINY[:-1]}, {changed})")


def test_the_text_weights_and_the_names_are_part_of_the_run_id(folder):
    first = run_id()
    state_changed = write_tiny_clip(folder / "clip", seed=1)
    assert state_changed.is_file()
    second = run_id()
    (folder / "birds/gull").rename(folder / "birds/zz_gull")
    assert len({first, second, run_id()}) == 3


def test_the_lines_behind_a_name_of_templates_are_part_of_the_run_id(monkeypatch):
    first = run_id(f"{TINY[:-1]}, templates='coop:EuroSAT')")
    monkeypatch.setattr("fewshot.backbones._templates._coop", lambda name: "another {}.")
    assert run_id(f"{TINY[:-1]}, templates='coop:EuroSAT')") != first


def test_heads_without_names_compute_no_texts_and_name_no_templates():
    row = run(evaluator="Prototype", shots=1)
    assert (row.status, row.templates) == ("ok", "")
    assert not (home() / "class_vectors").exists()


@pytest.mark.parametrize("head", HEADS)
def test_a_head_of_names_declares_that_it_uses_them(head):
    assert uses_names(EVALUATORS.spec(head))
    assert uses_names(EVALUATORS.spec(f"CrossValidated({head}(), ())"))


def test_the_other_evaluators_do_not_use_names():
    assert {name for name in EVALUATORS.names() if EVALUATORS.signature(name).declared["uses_names"]} == set(HEADS)


def test_vectors_on_both_sides_are_refused_until_one_is_taken_away():
    data = "WithClassVectors(ImageFolderSet('birds'), 'texts.npz')"
    with pytest.raises(ValueError, match=r"would find vectors of the class names twice, .* set templates=None to use"):
        run_id(data=data)
    assert run(f"{TINY[:-1]}, templates=None)", data=data).templates == ""
    assert run(evaluator="Prototype", data=data, shots=1).status == "ok"  # it uses neither


@pytest.mark.parametrize(
    ("backbone", "reason"),
    [
        ("pixels", "has no text tower"),
        ("vit_base_patch16_clip_224.openai", "is the image tower alone"),
        ("vit_base_patch16_siglip_224.webli", "is the image tower alone"),
        (f"{TINY[:-1]}, templates=None)", "has templates=None"),
    ],
)
def test_a_head_of_names_without_vectors_is_one_sentence_before_anything_runs(backbone, reason, folder):
    with pytest.raises(ValueError, match=rf"uses vectors of the class names, but .* {reason} and birds has none; use"):
        run_id(backbone)
    heads = ("--evaluator", "Prototype", "--evaluator", "ZeroShot")
    result = call("run", "--data", "birds", "--backbone", backbone, *heads, "--episodes", 2)
    assert result.exit_code == 1
    assert reason in result.output
    assert not Path("results/runs.jsonl").exists() or not Path("results/runs.jsonl").read_text()


def test_one_command_goes_from_class_names_to_a_table():
    heads = [word for head in HEADS[:3] for word in ("--evaluator", head)]
    backbone = f"{TINY[:-1]}, templates='imagenet')"
    result = call("run", "--data", "birds", "--backbone", backbone, *heads, "--shot", "0,1,4", "--episodes", 4)
    assert result.exit_code == 0
    assert "Class names of tiny open_clip_model.safetensors as: imagenet (80 templates)" in result.output
    rows = [json.loads(line) for line in Path("results/runs.jsonl").read_text().splitlines()]
    assert len(rows) == 9
    assert {(row["templates"], row["pretrained_on"]) for row in rows} == {("imagenet (80 templates)", "unknown")}


def test_evaluate_takes_a_loaded_backbone_with_both_towers():
    backbone = fewshot.OpenCLIP("tiny", "clip/open_clip_model.safetensors").load()
    [row] = fewshot.evaluate(backbone, "birds", shots=0, evaluator="ZeroShot", n_episodes=5, queries=3, progress=False)
    assert (row.accuracy, row.templates) == (run().accuracy, "a photo of a {}.")
    episodes = fewshot.Workbench(progress=False).prepare(spec()).episodes(0, 5)
    [given] = fewshot.evaluate(backbone, "birds", episodes=episodes, evaluator="ZeroShot", progress=False)
    assert (given.accuracy, given.templates) == (row.accuracy, row.templates)
