"""Every sampler, data set, backbone and transform obeys the laws of its kind; a new file needs no new test."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from fewshot.backbones.given import Given
from fewshot.backbones.random_init import RandomInit
from fewshot.backbones.raw_pixels import RawPixels
from fewshot.conformance import backbones, check, datasets, samplers, transforms
from fewshot.datasets.glyphs import Glyphs
from fewshot.datasets.icons import Icons
from fewshot.datasets.image_arrays import ImageArrays
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.manifest import Manifest
from fewshot.datasets.partitioned import Partitioned
from fewshot.datasets.vector_set import VectorSet
from fewshot.plugins.registry import SAMPLERS, TRANSFORMS
from tests.support.deep_pictures import write_scenes

BACKBONES = [RawPixels(8), RandomInit("resnet10t", seed=1, image_size=64)]


def examples(registry):
    return [member for name in registry.names() for member in registry.get(name).examples()]


def cases(laws, members):
    return [
        pytest.param(law, member, world, id=f"{law.__name__}-{member!r}-{number}")
        for member in members
        for number, world in enumerate(laws.worlds(member))
        for law in laws.LAWS
    ]


@pytest.mark.parametrize(("law", "sampler", "world"), cases(samplers, examples(SAMPLERS)))
def test_a_law_of_samplers_holds(law, sampler, world):
    assert law(sampler, world) is None


@pytest.mark.parametrize(("law", "transform", "world"), cases(transforms, examples(TRANSFORMS)))
def test_a_law_of_transforms_holds(law, transform, world):
    assert law(transform, world) is None


@pytest.mark.parametrize("source", BACKBONES, ids=repr)
def test_the_laws_of_backbones_hold(source):
    assert check("backbone", source) == []


@pytest.mark.parametrize("dataset", [Icons("both"), Glyphs(), Partitioned(Glyphs(), test=5)], ids=repr)
def test_the_laws_of_data_sets_hold(dataset):
    assert check("dataset", dataset) == []


@pytest.fixture
def folder(tmp_path):
    """Three classes of four small pictures of many modes and sizes."""
    noise = np.random.default_rng(0)
    for label, mode in enumerate(("RGB", "L", "RGBA")):
        (tmp_path / f"class{label}").mkdir()
        for number in range(4):
            pixels = noise.integers(0, 256, (5 + number, 9, 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(mode).save(tmp_path / f"class{label}" / f"{number}.png")
    return tmp_path


def test_the_laws_of_data_sets_hold_for_a_folder_and_a_manifest(folder):
    assert check("dataset", ImageFolderSet(folder)) == []
    with open(folder / "list.csv", "w", newline="") as file:
        rows = [(path.relative_to(folder), path.parent.name) for path in sorted(folder.glob("*/*.png"))]
        csv.writer(file).writerows([("path", "label"), *rows])
    assert check("dataset", Manifest(folder / "list.csv")) == []


@pytest.mark.parametrize("depth", ["12 bits in 16", "signed 32", "float to 1"])
def test_the_laws_of_data_sets_hold_for_deep_pictures(depth, tmp_path):
    scenes = np.random.default_rng(0).integers(0, 256, (8, 6, 7)).astype(np.uint8)
    write_scenes(tmp_path / "birds", list(scenes), depth)
    assert check("dataset", ImageFolderSet(tmp_path / "birds")) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_laws_of_data_sets_hold_for_arrays(dtype, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (12, 6, 7, 3)).astype(dtype)
    np.savez(tmp_path / "images.npz", images=images, labels=np.arange(12) % 3)
    assert check("dataset", ImageArrays(tmp_path / "images.npz")) == []


def test_the_laws_of_data_sets_hold_for_vectors(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
    np.savez(tmp_path / "vectors.npz", vectors=vectors, labels=np.arange(12) % 3)
    assert check("dataset", VectorSet(tmp_path / "vectors.npz")) == []
    with pytest.raises(ValueError, match=r"stands for given vectors: it has no network to check"):
        check("backbone", Given())


def test_every_member_of_the_laws_is_a_law():
    for laws in (samplers, transforms, datasets, backbones):
        assert len({law.__name__ for law in laws.LAWS}) == len(laws.LAWS)
        assert all(law.__doc__ for law in laws.LAWS)
