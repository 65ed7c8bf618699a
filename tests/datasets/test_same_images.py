"""The same pictures as a folder, a manifest, arrays in memory, and as vectors that were exported: one and the same."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fewshot
from fewshot.datasets import ArrayImages, Dataset, image_digest, images_digest
from fewshot.features.table import feature_table
from fewshot.plugins.registry import BACKBONES, DATASETS
from tests.support.machine_columns import MACHINE_COLUMNS

N_CLASSES = 12
BACKBONES_TRIED = ("RawPixels(8)", "RandomInit('test_efficientnet', image_size=32)")
SOURCES = ("ImageFolderSet('icons')", "Manifest('icons.csv')", f"{__name__}:IconArrays()")


@dataclass(frozen=True)
class IconArrays(Dataset):
    """Icons of twelve classes in memory, in the order of the folder that `export` writes."""

    def load(self):
        icons = fewshot.Icons("colour").load()
        names = sorted(icons.class_names)[:N_CLASSES]
        rows = np.concatenate([np.flatnonzero(icons.labels == icons.class_names.index(name)) for name in names])
        pixels = np.stack([np.asarray(icons.images[row]) for row in rows])
        labels = np.array([names.index(icons.class_names[label]) for label in icons.labels[rows]])
        digest = images_digest(image_digest(Image.fromarray(values)) for values in pixels)
        return fewshot.LabelledImages("icons", ArrayImages(pixels), labels, tuple(names), digest)


@cache
def arrays():
    return IconArrays().load()


@pytest.fixture(autouse=True)
def export(tmp_path, monkeypatch):
    """The pictures as PNG files in icons/, and the list of them in icons.csv."""
    monkeypatch.chdir(tmp_path)
    with open("icons.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label"])
        for row, label in enumerate(arrays().labels):
            name = arrays().class_names[label]
            path = Path("icons", name, f"{row:04}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            arrays().images[row].save(path)
            writer.writerow([path, name])


def test_they_have_the_same_digest_labels_and_classes():
    for loaded in (DATASETS.make(source).load() for source in SOURCES):
        assert loaded.images_digest == arrays().images_digest
        assert loaded.class_names == arrays().class_names
        assert np.array_equal(loaded.labels, arrays().labels)


def test_files_that_lose_something_have_another_digest_and_share_it():
    for row in range(len(arrays())):
        path = next(Path("icons").glob(f"*/{row:04}.png"))
        arrays().images[row].save(path.with_suffix(".jpg"))
        path.unlink()
    Path("icons.csv").write_text(Path("icons.csv").read_text().replace(".png", ".jpg"))
    folder, manifest, _ = (DATASETS.make(source).load() for source in SOURCES)
    assert folder.images_digest == manifest.images_digest != arrays().images_digest


@pytest.mark.parametrize("backbone", BACKBONES_TRIED)
def test_they_have_the_same_features_each_from_a_cache_of_its_own(backbone, tmp_path):
    network = BACKBONES.make(backbone).load()
    rows = np.arange(len(arrays()))
    tables = [
        feature_table(DATASETS.make(source).load(), network, rows, progress=False, folder=tmp_path / str(number))
        for number, source in enumerate(SOURCES)
    ]
    assert all(table.n_embedded == len(rows) for table in tables)
    assert len({table.key for table in tables}) == 1
    for table in tables[1:]:
        assert np.array_equal(table.gather(rows), tables[0].gather(rows))


def answer(source, backbone, tmp_path, monkeypatch):
    """The row of a run that shares nothing with another, and what was predicted."""
    home = tmp_path / source.partition("(")[0]
    monkeypatch.setenv("FEWSHOT_HOME", str(home))
    results = fewshot.Results(home / "rows.jsonl")
    shape = fewshot.Sampled(fewshot.EpisodeShape(5, 2, 1), seed=3)
    spec = fewshot.RunSpec(source, backbone, "LinearProbe", shape, "L2()", split="AllNovel()", n_episodes=20)
    row = fewshot.run(spec, results, fewshot.Workbench(progress=False))
    return row, next(results.parts(row.run_id).read(20))


@pytest.mark.parametrize("backbone", BACKBONES_TRIED)
def test_they_have_the_same_rows_and_predictions(backbone, tmp_path, monkeypatch):
    answers = [answer(source, backbone, tmp_path, monkeypatch) for source in SOURCES]
    network = BACKBONES.make(backbone).load()
    table = feature_table(arrays(), network, np.arange(len(arrays())), progress=False)
    names = np.array(arrays().class_names)[arrays().labels]
    np.savez("vectors.npz", vectors=table.gather(np.arange(len(arrays()))).numpy(), labels=names)
    answers.append(answer("VectorSet('vectors.npz')", "given", tmp_path, monkeypatch))
    first, predicted = answers[0]
    assert 0.2 < first.accuracy < 1
    for row, predictions in answers[1:]:
        assert (row.accuracy, row.accuracy_low, row.n_classes) == (first.accuracy, first.accuracy_low, N_CLASSES)
        for name in ("predicted", "confidence", "log_probability", "logits"):
            assert np.array_equal(getattr(predictions, name), getattr(predicted, name))
    other = MACHINE_COLUMNS | {"run_id", "dataset"}
    first, *others = ({k: v for k, v in row.columns().items() if k not in other} for row, _ in answers[:3])
    assert all(columns == first for columns in others)
