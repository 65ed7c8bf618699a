"""Classes that do not fit a split are named before an image is opened: here no image can be opened."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from fewshot.datasets._loading import load_images
from fewshot.datasets._published_classes import published_split
from fewshot.datasets.classes_of import ClassesOf
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.partitioned import Partitioned
from fewshot.episodes.shape import EpisodeShape
from fewshot.runs.sizes import open_data
from fewshot.runs.specs import RunSpec, Sampled
from fewshot.runs.workbench import Workbench
from tests.support import list_layouts as layouts
from tests.support.command_line import fail


def folder_of_classes(root: Path) -> Path:
    return layouts.write_images(root, ["gull/1.png", "wren/2.png"])


def manifest(root: Path) -> Path:
    layouts.write_images(root, ["1.png", "2.png"])
    return layouts.write_text(root / "birds.csv", "path,label\n1.png,gull\n2.png,wren\n")


def validation(root: Path) -> Path:
    return layouts.imagenet_validation(root, "val.txt")


def shards(root: Path) -> Path:
    root.mkdir()
    with tarfile.open(root / "0.tar", "w") as tar:
        for key, suffix, content in (
            ("a", "png", b"no image"),
            ("a", "cls", b"gull"),
            ("b", "jpg", b""),
            ("b", "cls", b"wren"),
        ):
            member = tarfile.TarInfo(f"{key}.{suffix}")
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
    return root


def saved_by_datasets(root: Path) -> Path:
    hub = pytest.importorskip("datasets", reason="the extra 'hub' is not installed")
    hub.disable_progress_bars()
    features = hub.Features({"image": hub.Image(), "label": hub.ClassLabel(names=["gull", "wren"])})
    broken = [{"bytes": b"no image", "path": None}] * 2
    hub.Dataset.from_dict({"image": broken, "label": [0, 1]}, features=features).save_to_disk(root)
    return root


def arrays_of_images(root: Path) -> Path:
    root.mkdir()
    np.savez(root / "birds.npz", images=np.full((2, 4, 4), np.nan), labels=np.array(["gull", "wren"]))
    return root / "birds.npz"


def arrays_of_vectors(root: Path) -> Path:
    root.mkdir()
    np.savez(root / "birds.npz", vectors=np.full((2, 4), np.nan), labels=np.array(["gull", "wren"]))
    return root / "birds.npz"


SOURCES = [
    folder_of_classes,
    shards,
    saved_by_datasets,
    arrays_of_images,
    arrays_of_vectors,
    manifest,
    validation,
    layouts.coop,
    layouts.vtab,
    layouts.mini_imagenet,
    layouts.meta_album,
    layouts.cub,
    layouts.chest,
    layouts.isic,
    layouts.imagenet_subset,
]


def spoil(root: Path) -> None:
    """Makes every image unreadable."""
    for path in root.rglob("*"):
        if path.suffix.lower() in (".png", ".jpg", ".jpeg"):
            path.write_bytes(b"no image")


@pytest.fixture(params=SOURCES, ids=lambda source: source.__name__)
def place(request, tmp_path: Path) -> Path:
    where: Path = request.param(tmp_path / "set")
    spoil(tmp_path)
    return where


def test_the_classes_of_a_published_split_are_looked_for_first(place):
    with pytest.raises(
        ValueError, match=r"^omniglot_vinyals splits 1623 classes, but .* has no class for 1623 of them"
    ):
        open_data(place, "Published('omniglot_vinyals')", "novel", load=load_images)
    assert "splits 1623 classes" in fail("run", "--data", place, "--split", "Published('omniglot_vinyals')")


@pytest.mark.parametrize("rule", ["FromFile('other.json')", "Narrowed(FromFile('other.json'), n_seen=1)"])
def test_the_classes_of_a_split_file_are_looked_for_first(rule, place, monkeypatch):
    monkeypatch.chdir(place if place.is_dir() else place.parent)
    Path("other.json").write_text(json.dumps({"seen": ["ant"], "validation": [], "novel": ["bee", "cat"]}))
    with pytest.raises(ValueError, match="this split is for 3 other classes than the"):
        open_data(place, rule, "novel", load=load_images)


def test_a_run_and_a_split_look_for_the_classes_first(tmp_path):
    place = folder_of_classes(tmp_path / "birds")
    spoil(place)
    episodes, rule = Sampled(EpisodeShape(2, 1, 1)), "Published('mini_imagenet')"
    spec = RunSpec(ImageFolderSet(place), "RawPixels(image_size=4)", "Prototype", episodes, split=rule)
    with pytest.raises(ValueError, match="mini_imagenet splits 100 classes, but birds has no class for 100 of them"):
        Workbench().prepare(spec)
    command = ("split", "make", "--data", place, "--rule", rule, "--out", tmp_path / "split.json")
    assert "mini_imagenet splits 100 classes" in fail(*command)


def test_data_sets_of_data_sets_look_for_the_classes_first(tmp_path):
    place = folder_of_classes(tmp_path / "birds")
    spoil(place)
    with pytest.raises(ValueError, match="birds has no class of mini_imagenet"):
        ClassesOf("mini_imagenet", ImageFolderSet(place)).load()
    some = published_split("mini_imagenet").classes[:3]
    layouts.write_images(tmp_path / "some", [f"{name}/1.png" for name in (*some, "other")])
    spoil(tmp_path / "some")
    part = ClassesOf("mini_imagenet", Partitioned(ImageFolderSet(tmp_path / "some")))
    listed = part.class_list()
    assert listed is not None
    assert set(listed.class_names) == set(some)
    with pytest.raises(ValueError, match="but some has no class for 97 of them"):
        open_data(part, None, "novel", load=load_images)
