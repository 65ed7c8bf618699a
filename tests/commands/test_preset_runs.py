"""Published presets from the command line to their rows, on tiny networks with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from fewshot.backbones.checkpoint import Checkpoint
from fewshot.runs.presets import preset
from tests.support.command_line import succeed

pytestmark = pytest.mark.usefixtures("working_folder")
WORDS = ("CLIP", "Tip-Adapter", "LP++", "CLAP")


def rows_of(*words: str | Path) -> list[dict]:
    """The rows of a run of three episodes, which has succeeded."""
    answer = json.loads(succeed("run", "--data", "birds", *words, "--episodes", "3", "--query", "2", "--json"))
    assert {row["status"] for row in answer["rows"]} == {"ok"}
    return answer["rows"]


def test_the_presets_of_class_names_run_from_names_to_rows(tmp_path):
    from tests.support.tiny_clip import write_tiny_clip

    weights = write_tiny_clip(tmp_path / "clip")
    presets = [word for name in WORDS for word in ("--preset", name)]
    rows = rows_of("--backbone", f"OpenCLIP('tiny', {str(weights)!r})", *presets, "--shot", "2", "--way", "3")
    assert [row["evaluator"].partition("(")[0] for row in rows] == [
        preset(name).evaluator.partition("(")[0] for name in WORDS
    ]
    assert len({row["run_id"] for row in rows}) == 4
    assert all(0 <= row["accuracy"] <= 1 for row in rows)


def test_dinov2_logistic_chooses_inside_the_support_of_a_random_network():
    [row] = rows_of("--backbone", "RandomInit('test_vit')", "--preset", "DINOv2-logistic", "--shot", "2")
    assert (row["selection"], row["n_trials"], row["n_labels_selection"]) == ("support", 45, 0)


def test_the_hyper_rule_tunes_a_random_network():
    evaluator = preset("BiT-HyperRule").evaluator
    assert evaluator.startswith("BigTransfer(")
    few = f"{evaluator[:-1]}{', ' * (evaluator[-2] != '(')}max_steps=1, resize=32, crop=32)"
    [row] = rows_of("--backbone", "RandomInit('test_resnet')", "--evaluator", few, "--shot", "1", "--way", "2")
    assert row["evaluator"].startswith("BigTransfer(variant='paper'")


def checkpoint(folder: Path, **fields: object) -> Checkpoint:
    """A weight file of a small network with random weights, and its source."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = timm.create_model("test_vit", num_classes=0)
    save_file(network.state_dict(), folder / "weights.safetensors")
    return Checkpoint("test_vit", folder / "weights.safetensors", **fields)


def test_crop_pct_keeps_that_share_of_the_picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    other = pixels.copy()
    other[:8], other[-8:], other[:, :8], other[:, -8:] = 0, 0, 0, 0  # a frame outside the middle half
    whole, half = (checkpoint(tmp_path, image_size=32, crop_pct=share).load() for share in (1.0, 0.5))
    changed = [
        not torch.equal(*(one.preprocess(Image.fromarray(picture)) for picture in (pixels, other)))
        for one in (whole, half)
    ]
    assert changed == [True, False]
    assert half.preprocess(Image.fromarray(pixels)).shape == (3, 32, 32)


def test_the_training_data_of_a_checkpoint_are_in_its_row(tmp_path):
    source = checkpoint(tmp_path, pretrained_on="ImageNet-1k")
    assert source.load().pretrained_on == "ImageNet-1k"
    named, unnamed = rows_of(
        *("--backbone", f"Checkpoint('test_vit', {str(source.path)!r}, pretrained_on='ImageNet-1k')"),
        *("--backbone", f"Checkpoint('test_vit', {str(source.path)!r})"),
        *("--evaluator", "Prototype", "--shot", "1"),
    )
    assert named["pretrained_on"] == "ImageNet-1k"
    assert unnamed["pretrained_on"] == "unknown"
    assert named["accuracy"] == unnamed["accuracy"]
