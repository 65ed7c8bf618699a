"""A network that was trained on a folder belongs to the images in it, not to its path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot.backbones.pretrained import Pretrained
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.partitioned import Partitioned
from fewshot.plugins.registry import BACKBONES, DATASETS
from fewshot.pretraining.training import Training
from fewshot.splits.by_seed import BySeed
from tests.support.trained_networks import DATA, NET, SHORT, equal, trained, weights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six classes of eight noisy pictures."""
    pixels = np.random.default_rng(len(str(tmp_path))).integers(0, 256, (6, 8, 16, 16, 3), dtype=np.uint8)
    for label, of_class in enumerate(pixels):
        place = tmp_path / "pictures" / f"class {label}"
        place.mkdir(parents=True)
        for number, picture in enumerate(of_class):
            Image.fromarray(picture).save(place / f"{number}.png")
    return tmp_path / "pictures"


def of(folder: Path) -> Pretrained:
    return Pretrained(NET, Partitioned(ImageFolderSet(folder), test=2, validation=1), SHORT, BySeed(0.4, 0.0))


def test_other_images_at_the_same_path_are_refused(folder: Path) -> None:
    source = trained(of(folder))
    source.load()
    Image.new("RGB", (16, 16)).save(folder / "class 0" / "0.png")
    said = f"the images in {folder} are not those that this network was trained on; .* another seed than 0"
    for use in (trained, Pretrained.load):
        with pytest.raises(ValueError, match=said):
            use(source)
    assert trained(replace(source, seed=1)).load().n_params == source.record.n_params


def test_the_same_images_in_other_classes_are_refused(folder: Path) -> None:
    source = trained(of(folder))
    before = source.data.load()
    (folder / "class 0" / "7.png").rename(folder / "class 1" / "#.png")  # last of the one, first of the other
    assert source.data.load().images_digest == before.images_digest
    with pytest.raises(ValueError, match="are not those that this network was trained on"):
        source.load()


def test_a_folder_that_was_moved_is_known_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = trained(of(folder))
    there = of(folder.rename(folder.with_name("moved")))
    assert source.load().weights_digest == source.record.weights_digest  # gone: no other images can be meant
    with monkeypatch.context() as patched:
        patched.setattr(Training, "run", lambda training: pytest.fail("it was trained again"))
        assert equal(weights(there), weights(source))
    assert there.record == replace(source.record, spec=BACKBONES.canonical(there), data="moved")
    assert there.load().pretrained_on.startswith("moved: ")


@pytest.mark.parametrize("other", [{"seed": 1}, {"n_images": 12}, {"recipe": replace(SHORT, steps=5)}])
def test_a_training_that_differs_in_more_than_the_place_is_another(folder: Path, other: dict[str, object]) -> None:
    source = trained(of(folder))
    there = replace(of(folder.rename(folder.with_name("moved"))), **other)
    assert not equal(weights(there), weights(source))


def test_a_spec_names_its_paths() -> None:
    assert DATASETS.spec("Partitioned(images=ImageFolderSet(root='a b'))").paths == (Path("a b"),)
    assert DATASETS.spec(Partitioned(ImageFolderSet(Path("x")))).paths == (Path("x"),)
    assert DATASETS.spec(DATA).paths == DATASETS.spec("TorchvisionSet('MNIST')").paths == ()
