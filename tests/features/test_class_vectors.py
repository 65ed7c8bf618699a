"""Vectors of class names: open_clip's own numbers, each text once, kept on disk under a content key."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fewshot.backbones.open_clip import OpenCLIP
from fewshot.features.class_vectors import class_vectors
from tests.support.tiny_clip import open_clip, tiny_model, write_tiny_clip

NAMES = ("black_footed_albatross", "001.Red_kite", "AnnualCrop")
WORDS = ("black footed albatross", "Red kite", "Annual Crop")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_tiny_clip(tmp_path / "clip")


@pytest.mark.parametrize("templates", ["imagenet", "a photo of a {}.", "coop:DescribableTextures"])
def test_vectors_equal_those_that_open_clip_computes(templates, weights, tmp_path):
    backbone = OpenCLIP("tiny", str(weights), templates=templates).load()
    found = class_vectors(backbone, "birds", NAMES, progress=False)
    lines = backbone.words.prompts("birds").lines
    exact = tiny_model().double()
    theirs = open_clip.build_zero_shot_classifier(exact, open_clip.SimpleTokenizer(context_length=24), WORDS, lines).T
    np.testing.assert_allclose(found, theirs.numpy(), atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_zero_shot_logits_equal_those_of_open_clip(weights):
    backbone, model = OpenCLIP("tiny", str(weights)).load(), tiny_model()
    images = torch.randn(5, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    names = torch.from_numpy(class_vectors(backbone, "birds", NAMES, progress=False))
    found = 100 * torch.nn.functional.normalize(backbone.embed(images), dim=1) @ names.T
    tokens = open_clip.SimpleTokenizer(context_length=24)([f"a photo of a {words}." for words in WORDS])
    with torch.no_grad():
        theirs = 100 * model.encode_image(images, normalize=True) @ model.encode_text(tokens, normalize=True).T
    torch.testing.assert_close(found, theirs, atol=1e-4, rtol=0)


def test_the_order_of_templates_changes_no_bit_and_repetitions_count(weights, tmp_path):
    lines = ("a {}.", "the {}.", "a drawing of a {}.")
    found = [
        class_vectors(OpenCLIP("tiny", str(weights), templates=each).load(), "birds", NAMES, False, tmp_path / str(i))
        for i, each in enumerate((lines, lines[::-1], (*lines, lines[0])))
    ]
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_each_text_is_computed_once_and_kept(weights, tmp_path, monkeypatch):
    backbone = OpenCLIP("tiny", str(weights), templates=("a {}.", "the {}.", "a {}.")).load()
    texts = []
    embed = backbone.words.embed
    monkeypatch.setattr(backbone.words, "embed", lambda some, device: texts.extend(some) or embed(some, device))
    first = class_vectors(backbone, "birds", NAMES, False, tmp_path)
    assert sorted(texts) == sorted({f"{article} {words}." for article in ("a", "the") for words in WORDS})
    again = class_vectors(backbone, "other birds", NAMES, False, tmp_path)
    assert (len(texts), np.array_equal(first, again)) == (6, True)
    class_vectors(backbone, "birds", ("gull",), False, tmp_path)
    assert len(texts) == 8


@pytest.mark.parametrize("change", ["weights", "templates", "names", "activation"])
def test_what_changes_the_vectors_changes_the_file(change, weights, tmp_path):
    backbone = OpenCLIP("tiny", str(weights)).load()
    first = class_vectors(backbone, "birds", NAMES, False, tmp_path / "kept")
    seed, quick = int(change == "weights"), change == "activation"
    other = write_tiny_clip(tmp_path / "other", seed=seed, quick_gelu=quick)
    templates = "the {}." if change == "templates" else "a photo of a {}."
    names = ("gull", *NAMES[1:]) if change == "names" else NAMES
    backbone = OpenCLIP("tiny", str(other), templates=templates).load()
    second = class_vectors(backbone, "birds", names, False, tmp_path / "kept")
    assert not np.array_equal(first, second)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_damaged_file_is_computed_again_with_a_warning(weights, tmp_path, caplog):
    backbone = OpenCLIP("tiny", str(weights)).load()
    first = class_vectors(backbone, "birds", NAMES, False, tmp_path / "kept")
    [path] = (tmp_path / "kept").iterdir()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING, "fewshot"):
        assert np.array_equal(class_vectors(backbone, "birds", NAMES, False, tmp_path / "kept"), first)
    assert "is damaged" in caplog.text


def test_classes_with_the_same_words_are_warned_of(weights, tmp_path, caplog):
    backbone = OpenCLIP("tiny", str(weights)).load()
    with caplog.at_level(logging.WARNING, "fewshot"):
        class_vectors(backbone, "birds", ("1.gull", "2.gull", "kite"), False, tmp_path)
    assert "1 pair of classes has the same words, such as '1.gull' and '2.gull'" in caplog.text


def test_a_network_without_a_text_tower_gives_no_vectors(weights):
    backbone = OpenCLIP("tiny", str(weights), templates=None).load()
    assert backbone.words is None
    with pytest.raises(ValueError, match="has no text tower, so it gives no vectors of the class names of birds"):
        class_vectors(backbone, "birds", NAMES, progress=False)


def test_vectors_of_zeros_are_refused(weights, tmp_path, monkeypatch):
    backbone = OpenCLIP("tiny", str(weights)).load()
    monkeypatch.setattr(backbone.words, "embed", lambda texts, device: torch.zeros(len(texts), 16))
    with pytest.raises(ValueError, match="a vector of zeros or of numbers that are not finite; check its weights"):
        class_vectors(replace(backbone, name="broken"), "birds", NAMES, False, tmp_path)
