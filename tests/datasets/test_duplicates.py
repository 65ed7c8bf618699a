"""Images that are there twice are found, whatever hides them, and nothing is missed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageFilter

from fewshot.cli import main
from fewshot.datasets import ArrayImages, LabelledImages
from fewshot.datasets.duplicates import ACROSS, WITHIN, Duplicates, _small, find_duplicates
from fewshot.datasets.labelled_vectors import labelled_vectors
from fewshot.splits import ClassSplit

CLASSES = ("gull", "wren", "crow", "duck")  # the last one is seen


def photographs(n: int = 40, side: int = 48) -> np.ndarray:
    """[n, side, side, 3] smooth pictures, all different."""
    noise = np.random.default_rng(0).integers(0, 256, (n, 6, 6, 3), dtype=np.uint8)
    grown = [Image.fromarray(a).resize((side, side), Image.Resampling.BICUBIC) for a in noise]
    return np.stack([np.asarray(image) for image in grown])


def images(pixels: np.ndarray, labels: np.ndarray | None = None) -> LabelledImages:
    given = np.arange(len(pixels)) % 4 if labels is None else labels
    return LabelledImages("mine", ArrayImages(pixels), given, CLASSES, "pixels")


def found(data: LabelledImages, **options: object) -> Duplicates:
    return find_duplicates(data, np.arange(3), {"seen": np.array([3])}, progress=False, **options)  # type: ignore[arg-type]


def test_pictures_that_differ_are_no_pairs():
    assert found(images(photographs())).total == 0


@pytest.mark.parametrize(("one", "other", "kind"), [(0, 8, WITHIN), (0, 9, ACROSS), (3, 8, "seen"), (8, 3, "seen")])
def test_a_planted_exact_copy_is_found_and_named_by_its_classes(one, other, kind):
    pixels = photographs()
    pixels[other] = pixels[one]
    copies = found(images(pixels))
    assert (copies.exact, copies.near) == ({kind: 1}, {})
    (pair,) = copies.pairs
    assert {pair.first, pair.second} == {one, other}
    assert (pair.exact, pair.similarity, pair.kind) == (True, 1.0, kind)


def test_copies_among_seen_classes_alone_are_nobodys_leak():
    pixels = photographs()
    pixels[7] = pixels[3]
    assert found(images(pixels)).total == 0


def jpeg(image: Image.Image) -> Image.Image:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=30)
    return Image.open(held).convert("RGB")


DISGUISES = {
    "another JPEG quality": jpeg,
    "brighter": lambda image: image.point(lambda value: min(255, value * 5 // 4)),
    "darker": lambda image: image.point(lambda value: value * 3 // 4),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    "half the size and back": lambda image: image.resize((24, 24)).resize((48, 48)),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_planted_near_copy_is_found(disguise):
    pixels = photographs()
    pixels[11] = np.asarray(DISGUISES[disguise](Image.fromarray(pixels[4])))  # the fourth class is the seen one
    near = found(images(pixels))
    assert (near.exact, near.near) == ({}, {"seen": 1})
    assert (near.pairs[0].first, near.pairs[0].second, near.pairs[0].exact) == (4, 11, False)


def test_every_pair_is_found_as_by_comparing_all_with_all(monkeypatch):
    monkeypatch.setattr("fewshot.datasets.duplicates._ROWS", 7)  # blocks that do not divide the number of images
    monkeypatch.setattr("fewshot.datasets.duplicates._COLUMNS", 11)
    mixed = np.random.default_rng(1)
    pixels = np.concatenate([photographs(30)] * 4)
    pixels = np.clip(pixels + mixed.normal(size=pixels.shape) * mixed.uniform(0, 40, (120, 1, 1, 1)), 0, 255).astype(
        np.uint8
    )
    data = images(pixels)
    small = _small(
        np.stack([np.asarray(data.images[i].resize((16, 16), Image.Resampling.BOX)).reshape(-1) for i in range(120)])
    )
    alike = np.argwhere(np.triu(small @ small.T, 1) >= 0.9)
    wanted = {(i, j) for i, j in alike.tolist() if not data.labels[i] == data.labels[j] == 3}
    assert 20 < len(wanted) < 180
    pairs = found(data, least=0.9, most=1000).pairs
    assert {(min(p.first, p.second), max(p.first, p.second)) for p in pairs} == wanted
    assert list(pairs) == sorted(pairs, key=lambda p: (-p.similarity, not p.exact, p.first, p.second))


def test_the_worst_pairs_are_listed_and_all_are_counted():
    pixels = photographs()
    pixels[4::4] = pixels[0]  # ten copies of one gull
    copies = found(images(pixels), most=3)
    assert (copies.exact, copies.total, len(copies.pairs)) == ({WITHIN: 9}, 9, 3)


def test_pictures_of_one_colour_are_alike_only_where_they_are_copies():
    pixels = photographs()
    pixels[0], pixels[4], pixels[8], pixels[1] = 255, 255, 254, 0
    assert found(images(pixels)).exact == {WITHIN: 1}
    assert found(images(pixels)).near == {}


def test_vectors_are_compared_by_their_cosine():
    vectors = np.random.default_rng(0).normal(size=(12, 32)).astype(np.float32)
    vectors[5], vectors[6] = vectors[1], vectors[2] * 3
    data = labelled_vectors(vectors, [CLASSES[i % 4] for i in range(12)])
    pairs = find_duplicates(data, np.arange(4), {}).pairs
    assert [(p.first, p.second, p.exact) for p in pairs] == [(1, 5, True), (2, 6, False)]


def test_similarities_outside_0_to_1_are_refused():
    with pytest.raises(ValueError, match=r"least is a similarity in \(0, 1\], got 97"):
        found(images(photographs()), least=97)


@pytest.fixture
def doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path) -> Path:
    """A folder of four classes, with a picture of the seen one among the novel ones."""
    monkeypatch.chdir(tmp_path)
    pixels = photographs()
    pixels[1] = np.asarray(jpeg(Image.fromarray(pixels[3])))
    for row, picture in enumerate(pixels):
        folder = tmp_path / "birds" / CLASSES[row % 4]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / f"{row}.png")
    ClassSplit.of(["duck"], [], ["crow", "gull", "wren"]).save(tmp_path / "split.json")
    return tmp_path


def duplicates(*options: str) -> Result:
    command = ["duplicates", "--data", "birds", "--split", "FromFile('split.json')", *options]
    return CliRunner().invoke(main, command)


def test_the_command_names_both_files_and_shows_them(doubled):
    done = duplicates("--out", "alike.html")
    assert done.exit_code == 0, done.output
    first, summary, *_ = done.output.splitlines()
    assert "alike, also in a seen class: wren, row" in first
    assert "birds/wren/1.png | duck, row" in first
    assert first.endswith("birds/duck/3.png")
    assert summary.startswith("1 pair of similar images (similarity 0.97 or more): 0 exact and 0 near within a class")
    assert summary.endswith("0 exact and 1 near between novel and seen classes")
    page = (doubled / "alike.html").read_text(encoding="utf-8")
    assert page.count("data:image/") == 2
    assert duplicates("--out", "alike.png").exit_code == 0
    with Image.open(doubled / "alike.png") as picture:
        assert picture.format == "PNG"


def test_the_command_fails_where_it_is_asked_to(doubled):
    assert duplicates("--fail").exit_code == 1
    assert duplicates("--fail", "--least", "0.9999").exit_code == 0
    values = json.loads(duplicates("--json").output)
    assert (values["near"], values["pairs"][0]["kind"]) == ({"seen": 1}, "seen")


def test_the_command_says_what_it_cannot_write(doubled):
    assert "--out must be a .html or .png file" in duplicates("--out", "alike.txt").output
    assert "would compare up to 40 images" in duplicates("--dry-run", "--out", "alike.html").output
    assert not (doubled / "alike.html").exists()


def test_features_of_a_network_are_compared_where_one_is_named(doubled):
    values = json.loads(duplicates("--backbone", "pixels", "--least", "0.99", "--json").output)
    assert [pair["names"][1].split("/")[-1] for pair in values["pairs"]] == ["3.png"]
