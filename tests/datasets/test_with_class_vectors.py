"""Vectors of class names beside images: each class gets its vector, and an error names what the file lacks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fewshot
from fewshot.evaluators import FeatureEvaluator, Head
from fewshot.plugins.registry import DATASETS

NAMES = ("lark", "wren", "gull")
SPEC = "WithClassVectors(ImageFolderSet('birds'), 'texts.npz')"


@pytest.fixture(autouse=True)
def birds(tmp_path, monkeypatch):
    """Pictures in birds/, one grey per class, and in texts.npz the vectors of their pixels, with one class more."""
    monkeypatch.chdir(tmp_path)
    for place, name in enumerate(NAMES):
        Path("birds", name).mkdir(parents=True)
        for number in range(4):
            Image.new("RGB", (4, 4), (60 * place + number,) * 3).save(f"birds/{name}/{number}.png")
    write(class_names=["dodo", *NAMES], class_vectors=np.repeat([[0.9], [0.0], [60 / 255], [120 / 255]], 12, axis=1))


def write(**arrays):
    np.savez("texts.npz", **arrays)


def test_each_class_has_the_vector_of_its_name():
    images = DATASETS.make(SPEC).load()
    assert images.class_names == ("gull", "lark", "wren")
    np.testing.assert_allclose(images.class_vectors[:, 0], [120 / 255, 0, 60 / 255])
    assert images.images_digest == fewshot.ImageFolderSet(Path("birds")).load().images_digest
    built = fewshot.WithClassVectors(fewshot.ImageFolderSet(Path("birds")), Path("texts.npz"))
    assert DATASETS.canonical(built) == DATASETS.canonical(SPEC)
    assert DATASETS.spec(SPEC).short_name == "birds with class vectors"


def test_runs_use_the_vectors_and_are_identified_by_the_content_of_the_file():
    shape = fewshot.Sampled(fewshot.EpisodeShape(3, 1, 3))
    spec = fewshot.RunSpec(
        SPEC, "RawPixels(2)", f"{__name__}:Nearest()", shape, "Identity", split="AllNovel()", n_episodes=3
    )
    rows = []
    for scale in (1, -1):
        vectors = scale * np.repeat([[0.0], [60 / 255], [120 / 255]], 12, axis=1)
        write(class_names=np.array(NAMES), class_vectors=vectors)
        rows.append(fewshot.run(spec, fewshot.Results(Path("rows.jsonl")), fewshot.Workbench(progress=False)))
    assert rows[0].accuracy == 1.0
    assert rows[1].accuracy < 1.0
    assert rows[0].run_id != rows[1].run_id


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"class_names": ["lark"]}, "texts.npz must hold class_names and class_vectors; found class_names"),
        ({"class_names": ["lark"], "class_vectors": np.ones((1, 3))}, "no vector for 2 of the 3 classes .* as 'gull'"),
        ({"class_names": NAMES, "class_vectors": np.ones((2, 3))}, r"of shape \[C, D\], found \[3\] and \[2, 3\]"),
        ({"class_names": [1, 2, 3], "class_vectors": np.ones((3, 3))}, r"class_names must be strings of shape \[C\]"),
        (
            {"class_names": NAMES, "class_vectors": np.eye(3) * np.nan},
            "the vector of the class 'gull' of birds has NaN",
        ),
    ],
)
def test_an_error_names_what_the_file_lacks(arrays, message):
    write(**arrays)
    with pytest.raises(ValueError, match=message):
        DATASETS.make(SPEC).load()


@dataclass(frozen=True)
class Nearest(FeatureEvaluator):
    """The nearest class vector."""

    @classmethod
    def examples(cls):
        return [cls()]

    def fit(self, batch):
        return _NearestHead(batch.class_features)


@dataclass(frozen=True)
class _NearestHead(Head):
    names: object

    def __call__(self, query):
        return -(query[:, :, None] - self.names[:, None]).square().sum(3)
