"""A page of photographs can be sent by mail: its pictures are few, small and bounded."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.report import page
from fewshot.report.pictures.addresses import MOST_BYTES, address, thumbnail
from fewshot.report.rows.images import RowImages
from fewshot.report.rows.shown import Shown
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from tests.support.report_rows import invented_predictions, row

MOST_BYTES_OF_A_PAGE = 2_000_000


def photographs(n_classes: int = 20, each: int = 25, side: int = 160) -> LabelledImages:
    """Images that no file format compresses well: colours that change everywhere, and noise."""
    rng = np.random.default_rng(0)
    pixels = []
    for _ in range(n_classes * each):
        colours = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)).resize((side, side))
        noise = rng.normal(0, 8, (side, side, 3))
        pixels.append((np.asarray(colours) + noise).clip(0, 255).astype(np.uint8))
    labels = np.repeat(np.arange(n_classes), each)
    names = tuple(f"class {label}" for label in range(n_classes))
    return LabelledImages("photographs", ArrayImages(np.stack(pixels)), labels, names, "cd" * 32)


@pytest.fixture(scope="module")
def images() -> LabelledImages:
    return photographs()


def pictures(text: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/(?:png|webp);base64,([^"]*)"', text)
    return [Image.open(io.BytesIO(base64.b64decode(content))) for content in found]


@pytest.mark.parametrize(("n_runs", "n_way", "n_tasks"), [(14, 20, 1), (200, 5, 4)])
def test_a_page_of_photographs_is_small(images, n_runs, n_way, n_tasks, tmp_path, monkeypatch):
    results, rows = Results(tmp_path / "rows.jsonl"), []
    predictions = invented_predictions(images, n_way=n_way, n=4)
    digest, accuracy = images.images_digest, float(episode_accuracy(predictions).mean())
    for n in range(n_runs):
        task = {"seed": n % n_tasks, "n_way": n_way, "k_shot": 5, "n_episodes": 4, "images_digest": digest}
        rows.append(row(accuracy, backbone=f"Timm(name='net{n}')", **task))
        results.parts(rows[-1].run_id).write(predictions, {})
        results.append(rows[-1])
    monkeypatch.setattr(RowImages, "load", lambda *_: images)
    text = page(Shown.of(rows), results, "t")
    assert len(text.encode()) <= MOST_BYTES_OF_A_PAGE
    shown = pictures(text)
    assert len(shown) == 1 + 2 * n_tasks
    assert all(min(picture.size) >= 400 for picture in shown)  # large enough to see what they show


def test_a_picture_has_at_most_its_bytes_and_drawings_keep_theirs():
    noise = np.random.default_rng(0).integers(0, 256, (900, 700, 3), dtype=np.uint8)
    for most_bytes in (2_000, MOST_BYTES):
        kind, _, content = address(png(noise), most_bytes).partition(";base64,")
        assert kind == "data:image/webp"
        assert len(base64.b64decode(content)) <= most_bytes
    drawing = png(np.zeros((900, 700, 3), np.uint8))
    assert address(drawing) == f"data:image/png;base64,{base64.b64encode(drawing).decode()}"
    assert address(png(noise)) == address(png(noise))


def test_a_thumbnail_of_a_photograph_is_smaller_than_its_png(images):
    photograph = images.images[0]
    small = photograph.convert("RGB")
    small.thumbnail((140, 140))
    shown = thumbnail(photograph, 140)
    assert len(shown) < len(png(np.asarray(small))) / 3


def png(pixels: np.ndarray) -> bytes:
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    return held.getvalue()
