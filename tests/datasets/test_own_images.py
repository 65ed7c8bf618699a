"""Likely mistakes in a folder of your own images, planted in a folder of icons: fewshot copes with each, or reports
it in one sentence that says what to do."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from fewshot.cli import main
from fewshot.datasets import ArrayImages, LabelledImages, image_digest
from fewshot.datasets.icons import Icons
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.episodes.shape import EpisodeShape
from fewshot.samplers.balanced import Balanced

N_CLASSES, PER_CLASS = 6, 8


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six classes of eight different icons, one folder per class."""
    root, icons = tmp_path_factory.mktemp("exported"), Icons("mono").load()
    rows = [rows for rows in icons.pool().by_class() if len(rows) >= 20]
    for label, some in enumerate(rows[:N_CLASSES]):
        folder = root / icons.class_names[icons.labels[some[0]]].replace("/", "-")
        folder.mkdir()
        seen: set[bytes] = set()
        for row in some:
            image = icons.images[row]
            if len(seen) < PER_CLASS and image_digest(image) not in seen:
                seen.add(image_digest(image))
                image.save(folder / f"{len(seen):02}.png")
        assert len(seen) == PER_CLASS, label
    return root


@pytest.fixture
def root(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported, tmp_path / "birds"))


def first(root: Path, number: int = 1, label: int = 0) -> Path:
    return sorted(root.iterdir())[label] / f"{number:02}.png"


def picture(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def load_quietly(root: Path, caplog: pytest.LogCaptureFixture):
    """The images of a folder that loads without a warning."""
    with caplog.at_level(logging.WARNING):
        images = ImageFolderSet(root).load()
    assert caplog.messages == []
    return images


def row_of(images, path: Path) -> int:
    return list(images.images.paths).index(path)


def run(root: Path, tmp_path: Path, *options: str):
    """`fewshot run` on the folder with a backbone that needs no weights."""
    quick = ["--backbone", "RawPixels(image_size=4)", "--evaluator", "Prototype", "--episodes", "5"]
    return CliRunner().invoke(
        main, ["run", "--data", str(root), *quick, "--results", str(tmp_path / "r.jsonl"), *options]
    )


def test_the_exported_icons_are_fine(root, tmp_path, caplog):
    images = load_quietly(root, caplog)
    assert len(images) == N_CLASSES * PER_CLASS
    assert run(root, tmp_path).exit_code == 0


def test_an_error_names_a_class_of_one_image_and_says_how_to_leave_it_out(root, tmp_path):
    for label in (1, 3):
        for path in sorted(sorted(root.iterdir())[label].iterdir())[1:]:
            path.unlink()
    images = ImageFolderSet(root).load()
    with pytest.raises(
        ValueError, match=rf"but class 1 \('{images.class_names[1]}'\) of birds has 1 and 1 more have too"
    ) as e:
        Balanced().sample(images, np.arange(N_CLASSES), EpisodeShape(5, 1, 5), seed=0, start=0, count=1)
    assert "leave such classes out: remove their images, or move them from novel to validation" in str(e.value)
    result = run(root, tmp_path)
    assert result.exit_code == 1
    assert images.class_names[1] in result.stderr


def test_the_advice_to_move_a_class_to_validation_works(root, tmp_path):
    for path in sorted(sorted(root.iterdir())[1].iterdir())[1:]:
        path.unlink()
    split = tmp_path / "split.json"
    written = CliRunner().invoke(
        main, ["split", "make", "--data", str(root), "--rule", "AllNovel()", "--out", str(split)]
    )
    assert written.exit_code == 0
    name = f'"{sorted(root.iterdir())[1].name}"'
    novel = split.read_text()
    moved = novel.replace(f"{name},", "", 1).replace('"validation": []', f'"validation": [{name}]')
    split.write_text(moved)
    assert run(root, tmp_path, "--split", f"FromFile({str(split)!r})").exit_code == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I", "F", "PA"])
def test_an_image_of_any_mode_is_the_same_picture(mode, root, caplog):
    path = first(root)
    before = picture(path)
    path.unlink()
    grey = np.asarray(before.convert("L"))
    made = {
        "I;16": lambda: Image.fromarray(grey.astype(np.uint16) * 257),
        "I": lambda: Image.fromarray(grey.astype(np.int32) * 257),
        "F": lambda: Image.fromarray(grey.astype(np.float32) / 255),
        "HSV": lambda: before,
    }.get(mode, lambda: before.convert("L" if mode == "PA" else "RGB").convert(mode))()
    path = path.with_suffix(".tif" if mode in ("CMYK", "YCbCr", "F", "I", "LA", "I;16") else ".png")
    if mode == "PA":
        made = before.convert("P")
    made.save(path)
    images = load_quietly(root, caplog)
    after = images.images[row_of(images, path)]
    assert (after.mode, after.size) == ("RGB", before.size)
    assert np.abs(np.asarray(after).astype(int) - np.asarray(before)).mean() < (40 if mode == "1" else 3)


def test_a_cmyk_photo_of_a_printer_is_read(root, caplog):
    path = first(root).with_name("print.jpg")
    picture(first(root)).convert("CMYK").save(path, quality=95)
    images = load_quietly(root, caplog)
    assert images.images[row_of(images, path)].mode == "RGB"


def test_what_is_transparent_is_white(root, caplog):
    path = first(root)
    drawn = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    drawn.paste((255, 0, 0, 255), (10, 10, 30, 30))
    drawn.save(path)
    images = load_quietly(root, caplog)
    after = images.images[row_of(images, path)]
    assert [after.getpixel(at) for at in ((0, 0), (20, 20))] == [(255, 255, 255), (255, 0, 0)]


def test_a_photo_that_a_telephone_held_sideways_is_upright(root, caplog):
    path = first(root).with_name("phone.jpg")
    drawn = Image.new("RGB", (60, 40), "black")
    drawn.paste((255, 255, 255), (0, 0, 60, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn.save(path, exif=exif, quality=95)
    images = load_quietly(root, caplog)
    after = images.images[row_of(images, path)]
    assert after.size == (40, 60)
    assert after.getpixel((38, 30))[0] > 200 > 50 > after.getpixel((2, 30))[0]


def test_a_large_photo_is_read(root, caplog):
    path = first(root).with_name("large.jpg")
    large = Image.new("RGB", (6000, 4000), "red")
    large.paste("blue", (0, 0, 3000, 4000))
    large.save(path)
    images = load_quietly(root, caplog)
    assert images.images[row_of(images, path)].size == (6000, 4000)


def test_a_huge_image_is_named_with_its_size(root, monkeypatch):
    path = first(root)
    Image.new("L", (300, 200)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    with pytest.raises(
        ValueError,
        match=r"1 of 48 images cannot be read: .*01.png: .*60,000 pixels, more than the 40,000.*repair or remove them",
    ):
        ImageFolderSet(root).load()


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", None], ids=["empty", "a web page", "cut off"])
def test_unreadable_files_are_named_before_anything_is_computed(content, root, tmp_path):
    for number in (1, 2):
        path = first(root, number)
        path.write_bytes(path.read_bytes()[:100] if content is None else content)
    result = run(root, tmp_path)
    assert result.exit_code == 1
    assert "2 of 48 images cannot be read: " in result.stderr
    assert all(str(first(root, number)) in result.stderr for number in (1, 2))
    assert not (tmp_path / "r.jsonl").exists()


def test_copies_inside_a_class_are_counted_and_two_are_named(root, caplog):
    shutil.copy(first(root, 1), first(root, 1).with_name("01 (copy).png"))
    picture(first(root, 2)).save(first(root, 2).with_name("02.bmp"))  # other bytes, the same picture
    images = ImageFolderSet(root).load()
    name = images.class_names[0]
    assert caplog.messages == [
        f"{root}: 2 exact copies of other images of the same class, such as {name}/01 (copy).png and {name}/01.png; "
        "remove copies, or one picture may be support and query at once"
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_copies_across_classes_are_a_warning_because_the_run_goes_on(root, caplog):
    shutil.copy(first(root, 1), first(root, 1, label=1).with_name("stray.png"))
    images = ImageFolderSet(root).load()
    one, other = images.class_names[:2]
    assert caplog.messages == [
        f"{root}: 1 exact copy of images of ANOTHER class, such as {one}/01.png and {other}/stray.png; "
        "at least one label of each pair is wrong: correct it or remove both images"
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_copies_are_reported_again_when_the_digests_come_from_the_cache(root, caplog):
    shutil.copy(first(root, 1), first(root, 1).with_name("copy.png"))
    for _ in range(2):
        ImageFolderSet(root).load()
    assert len(caplog.messages) == 2


def test_the_command_line_reports_copies(root, tmp_path):
    shutil.copy(first(root, 1), first(root, 1, label=1).with_name("stray.png"))
    result = run(root, tmp_path)
    assert result.exit_code == 0
    assert "1 exact copy of images of ANOTHER class" in result.stderr


def test_other_files_are_counted_and_one_is_named(root, caplog):
    (root / "readme.txt").write_text("x")
    (first(root).parent / "Thumbs.db").write_text("x")
    (root / ".DS_Store").write_text("x")
    assert len(ImageFolderSet(root).load()) == N_CLASSES * PER_CLASS
    [message] = caplog.messages
    assert "skipped 2 files that are not images in a class folder, such as " in message


@pytest.mark.parametrize(
    ("sizes", "advice"),
    [([6], "add a second class"), ([1, 1, 1], "has one image, .*; add images$"), ([9, 1], "lower them")],
)
def test_too_few_classes_or_images_say_what_to_add(sizes, advice):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    names = tuple(f"c{label}" for label in range(len(sizes)))
    images = LabelledImages("set", ArrayImages(np.zeros((len(labels), 1, 1), np.uint8)), labels, names, "digest")
    with pytest.raises(ValueError, match=advice):
        Balanced().sample(images, np.arange(len(sizes)), EpisodeShape(2, 1, 1), seed=0, start=0, count=1)
