"""JPEG pictures decoded at a part of their size: never too small, a data set of their own, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fewshot.datasets._decoding import Encoded, read_image
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.datasets.manifest import Manifest
from fewshot.plugins.registry import DATASETS

SIDES = st.integers(1, 200)


def gradient(width: int, height: int) -> Image.Image:
    """A smooth picture, which every scale shows alike."""
    x, y = np.meshgrid(np.linspace(0, 200, width), np.linspace(0, 200, height))
    return Image.fromarray(np.dstack([x, y, 200 - x / 2]).astype(np.uint8))


def jpeg(image: Image.Image, folder: Path, **options: object) -> Path:
    path = folder / "picture.jpg"
    image.save(path, quality=95, **options)
    return path


@given(SIDES, SIDES, SIDES)
def test_both_sides_keep_as_many_pixels_as_wanted(tmp_path_factory, width, height, draft):
    path = jpeg(gradient(width, height), tmp_path_factory.getbasetemp())
    found = read_image(path, draft=draft)
    factors = [n for n in (8, 4, 2) if min(width, height) // n >= draft] or [1]
    assert found.size == (-(-width // factors[0]), -(-height // factors[0]))
    assert min(found.size) >= draft or found.size == (width, height)


def test_the_picture_is_the_same_but_smaller(tmp_path):
    path = jpeg(gradient(800, 600), tmp_path)
    whole, found = read_image(path), read_image(path, draft=100)
    assert found.size == (200, 150)
    reduced = whole.resize(found.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(found, np.int16) - np.asarray(reduced, np.int16)).max() <= 3


def test_pictures_are_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    path = jpeg(gradient(800, 600), tmp_path, exif=exif)
    assert read_image(path).size == (600, 800)
    assert read_image(path, draft=100).size == (150, 200)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_have_drafts_too(tmp_path, mode):
    found = read_image(jpeg(gradient(400, 400).convert(mode), tmp_path), draft=100)
    assert (found.mode, found.size) == ("RGB", (100, 100))


@pytest.fixture
def folder(tmp_path):
    """Two classes of two JPEG files and a PNG file."""
    root = tmp_path / "photos"
    for label in range(2):
        (root / f"class{label}").mkdir(parents=True)
        for number in range(2):
            gradient(400 + 8 * number, 300 + 8 * label).save(root / f"class{label}" / f"{number}.jpg")
        gradient(250 + label, 240).save(root / f"class{label}" / "2.png")
    return root


def test_a_draft_is_a_data_set_of_its_own(folder):
    whole, small = ImageFolderSet(folder).load(), ImageFolderSet(folder, draft=100).load()
    again = ImageFolderSet(folder, draft=100).load()  # from kept digests
    assert whole.images_digest != small.images_digest == again.images_digest
    assert [small.images[row].size for row in range(3)] == [(200, 150), (204, 150), (250, 240)]
    assert whole.images_digest == ImageFolderSet(folder).load().images_digest
    assert ImageFolderSet(folder, draft=301).load().images_digest == whole.images_digest  # every picture is whole


def test_files_of_other_formats_stay_as_they_are(folder):
    for path in folder.glob("*/*.jpg"):
        path.unlink()
    assert ImageFolderSet(folder).load().images_digest == ImageFolderSet(folder, draft=10).load().images_digest


def test_a_manifest_gives_the_same_pictures(folder):
    lines = [f"{path.relative_to(folder)},{path.parent.name}" for path in sorted(folder.glob("*/*.*"))]
    (folder / "list.csv").write_text("\n".join(["path,label", *lines]) + "\n")
    small = ImageFolderSet(folder, draft=100).load()
    assert Manifest(folder / "list.csv", draft=100).load().images_digest == small.images_digest


def test_specs_without_a_draft_keep_their_text(folder):
    whole = DATASETS.spec(f"ImageFolderSet({str(folder)!r})")
    small = DATASETS.spec(f"ImageFolderSet({str(folder)!r}, draft=512)")
    assert whole.text == f"ImageFolderSet(root={str(folder)!r})"
    assert small.text == f"ImageFolderSet(root={str(folder)!r}, draft=512)"
    assert small.identity != whole.identity


@pytest.mark.parametrize("draft", [0, -1, 1.5, True, "512", 65_536, 10**30])
def test_a_draft_is_a_number_of_pixels(draft):
    with pytest.raises(
        ValueError, match="'draft' parameter of ImageFolderSet must be a number of pixels from 1 to 65,535"
    ):
        ImageFolderSet("photos", draft=draft)


def test_content_in_memory_has_drafts(tmp_path):
    content = jpeg(gradient(400, 400), tmp_path).read_bytes()
    assert read_image(Encoded(content, "photo"), draft=100).size == (100, 100)
