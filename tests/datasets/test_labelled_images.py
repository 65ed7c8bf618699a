"""Labelled images, and your own folders: their files are read, or reported in one sentence."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import pickle
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot.datasets import ArrayImages, Group, LabelledImages, classes_digest, image_digest, images_digest
from fewshot.datasets import _digests as digests
from fewshot.datasets import _kept_digests as kept_digests
from fewshot.datasets._image_files import ImageFiles
from fewshot.datasets.icons import Icons
from fewshot.datasets.image_folder_set import ImageFolderSet
from fewshot.plugins.registry import DATASETS

PIXELS = np.random.default_rng(0).integers(0, 256, size=(12, 6, 5, 3), dtype=np.uint8)


def labelled(**changes):
    arguments = {
        "name": "test",
        "images": ArrayImages(PIXELS),
        "labels": np.arange(12) % 3,
        "class_names": ("a", "b", "c"),
        "images_digest": "pixels",
    }
    return LabelledImages(**arguments | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.arange(11) % 3}, "every image needs a label: test has 12 images and 11 labels"),
        ({"labels": np.arange(12)}, r"labels of test must be in \[0, 3\), found 0 to 11"),
        ({"labels": np.arange(12) % 3 - 1}, r"labels of test must be in \[0, 3\), found -1 to 1"),
        ({"class_names": ("a", "b", "a")}, "class names of test must differ; 'a' occurs twice"),
        ({"image_groups": {"domain": Group.of("xy")}}, "the group 'domain' of test must name 12 images, found 2"),
        ({"class_groups": {"kind": Group.of("xyxy")}}, "the group 'kind' of test must name 3 classes, found 4"),
        ({"class_vectors": np.ones((4, 2))}, r"class vectors of test must have the shape \[3, D\], .* found \[4, 2\]"),
        ({"class_vectors": np.ones(3)}, r"class vectors of test must have the shape \[3, D\], .* found \[3\]"),
        ({"class_vectors": np.diag([1, np.nan, 1])}, "the vector of the class 'b' of test has NaN or infinite numbers"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        labelled(**changes)


def test_a_selector_names_a_group_and_one_of_its_names():
    images = labelled(image_groups={"domain": Group.of("xyz" * 4), "set": Group.of("aabb" * 3)})
    assert np.flatnonzero(images.mask("domain=y")).tolist() == [1, 4, 7, 10]
    assert images.mask(None).all()
    for selector in ("domain", "kind=x", "", "=x"):
        with pytest.raises(ValueError, match=r"cannot select .* from test; its image groups are domain=..., set=..."):
            images.mask(selector)
    with pytest.raises(ValueError, match="'w' is not one of 'x', 'y', 'z'"):
        images.mask("domain=w")
    with pytest.raises(ValueError, match="none: this data set has no image groups"):
        labelled().mask("domain=x")


def test_many_group_names_are_not_all_listed():
    with pytest.raises(ValueError, match=r"'000', .*'019' and 40,000 more$"):
        Group.of(f"{i:03}" for i in range(40_020)).mask("x")


def test_a_group_of_more_names_than_16_bits_hold_keeps_them_apart():
    group = Group.of(f"{i:06}" for i in range(70_000))
    assert np.flatnonzero(group.mask("065536")).tolist() == [65_536]


def test_a_pool_holds_the_selected_rows_of_every_class_ascending():
    images = labelled(labels=np.array([2, 0, 2, 0] * 3), image_groups={"domain": Group.of("xxy" * 4)})
    for selector in (None, "domain=x", "domain=y"):
        pool = images.pool(selector)
        rows = [pool.rows[pool.start[c] : pool.start[c + 1]].tolist() for c in range(3)]
        assert rows == [np.flatnonzero((images.labels == c) & images.mask(selector)).tolist() for c in range(3)]
        assert pool.sizes(np.array([2, 1])).tolist() == [len(rows[2]), 0]
        assert images.pool(selector) is pool


def test_images_can_be_sent_to_another_process_after_they_were_pooled():
    images = labelled()
    images.pool()
    assert np.array_equal(pickle.loads(pickle.dumps(images)).pool().rows, images.pool().rows)


def test_the_classes_digest_does_not_depend_on_their_order():
    assert classes_digest(["b", "a"]) == classes_digest(("a", "b")) == hashlib.sha256(b"a\nb").hexdigest()
    assert classes_digest(["a", "b", "c"]) != classes_digest(["a", "b"])


def test_the_digest_of_an_image_is_of_its_size_and_pixels():
    image = Image.fromarray(PIXELS[0])
    assert image_digest(image) == hashlib.sha256(b"5x6 " + PIXELS[0].tobytes()).digest()
    assert image_digest(Image.fromarray(PIXELS[0].reshape(5, 6, 3))) != image_digest(image)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "my set"
    folder.mkdir()
    return folder


def fill(root, *names):
    """Writes images of PIXELS, in the order of the names."""
    for name, values in zip(names, PIXELS, strict=False):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path, Image.registered_extensions().get(path.suffix.lower(), "PNG"))


def digest_of(rows):
    return images_digest(image_digest(Image.fromarray(PIXELS[row])) for row in rows)


@pytest.fixture
def decoded(monkeypatch):
    """The names of the files that are decoded from now on."""
    names = []
    look = digests.facts_of_file
    monkeypatch.setattr(digests, "facts_of_file", lambda path, draft: names.append(path.name) or look(path, draft))
    return names


def test_folders_of_classes_are_read_sorted(root):
    fill(root, "owl/2.png", "owl/1.png", "cat/z.bmp", "cat/deep/er/a.PNG", "owl/3.tif", "Ünïcödé 猫/ä ö.png")
    images = ImageFolderSet(root).load()
    assert images.class_names == ("cat", "owl", "Ünïcödé 猫")
    assert images.labels.tolist() == [0, 0, 1, 1, 1, 2]
    order = [3, 2, 1, 0, 4, 5]
    assert all(np.array_equal(np.asarray(images.images[i]), PIXELS[row]) for i, row in enumerate(order))
    assert (images.name, len(images), images.image_groups) == ("my set", 6, {})


def test_the_same_images_in_an_array_and_in_a_folder_have_the_same_digest(root):
    fill(root, "a/0.png", "a/1.bmp", "b/0.png", "b/1.tiff")
    assert ImageFolderSet(str(root)).load().images_digest == digest_of(range(4))
    arrays = ArrayImages(PIXELS)
    assert digest_of(range(12)) == images_digest(image_digest(arrays[row]) for row in range(12))


def test_train_and_test_folders_are_partitions(root):
    fill(root, "train/cat/1.png", "Test/cat/1.png", "train/owl/1.png", "Test/owl/deep/2.png")
    images = ImageFolderSet(root).load()
    assert images.class_names == ("cat", "owl")
    assert np.flatnonzero(images.mask("partition=train")).tolist() == [2, 3]
    assert np.flatnonzero(images.mask("partition=Test")).tolist() == [0, 1]


def test_classes_may_be_called_like_partitions(root):
    fill(root, "train/1.png", "train/sub/2.png", "plane/1.png")
    assert ImageFolderSet(root).load().class_names == ("plane", "train")


def test_folders_of_partition_names_are_classes_only_if_the_user_says_so(root):
    fill(root, "train/1.png", "test/1.png")
    with pytest.raises(ValueError, match="images lie in test, train without folders of classes") as caught:
        ImageFolderSet(root).load()
    advised = str(caught.value).partition('--data "')[2].partition('"')[0]
    assert DATASETS.make(advised).load().class_names == ("test", "train")


def test_an_image_beside_the_classes_of_a_partition_is_refused(root):
    fill(root, "train/cat/1.png", "test/cat/1.png", "test/stray.png")
    message = "has partitions with class folders, but images of the partition 'test' are not in a class folder; move"
    with pytest.raises(ValueError, match=message):
        ImageFolderSet(root).load()


def test_skipped_files_are_counted_and_hidden_ones_are_not(root, caplog):
    fill(root, "cat/1.png", "owl/1.png", "beside.png", "cat/.hidden.png", ".git/1.png", "cat/.ipynb_checkpoints/1.png")
    (root / "cat" / "notes.txt").write_text("x")
    (root / "readme.md").write_text("x")
    (root / "empty" / "deeper").mkdir(parents=True)
    (root / "only text").mkdir()
    (root / "only text" / "a.txt").write_text("x")
    with caplog.at_level(logging.WARNING, "fewshot"):
        images = ImageFolderSet(root).load()
    assert len(images) == 2
    assert images.class_names == ("cat", "owl")
    assert [record.getMessage() for record in caplog.records] == [
        f"{root}: skipped 4 files that are not images in a class folder, such as beside.png",
        f"{root}: skipped 2 folders without images, such as empty/deeper",
    ]


def test_there_is_no_warning_if_no_file_is_skipped(root, caplog):
    fill(root, "cat/1.png", "owl/deep/1.png", ".DS_Store")
    ImageFolderSet(root).load()
    assert not caplog.records


def test_links_are_followed_and_never_in_a_circle(root, tmp_path):
    fill(root, "cat/1.png")
    fill(tmp_path / "elsewhere", "owl/1.png", "one.png")
    (root / "owl").symlink_to(tmp_path / "elsewhere" / "owl")
    (root / "cat" / "2.png").symlink_to(tmp_path / "elsewhere" / "one.png")
    (root / "cat" / "again").symlink_to(root)
    (root / "cat" / "self").symlink_to(root / "cat" / "self")
    (tmp_path / "elsewhere" / "owl" / "back").symlink_to(root / "owl")
    images = ImageFolderSet(root).load()
    assert images.labels.tolist() == [0, 0, 1]


def test_unreadable_images_are_counted_and_the_first_five_named(root):
    fill(root, *(f"cat/{i}.png" for i in range(9)))
    content = (root / "cat" / "0.png").read_bytes()
    (root / "cat" / "1.png").write_bytes(b"")
    (root / "cat" / "2.png").write_bytes(content[: len(content) // 2])
    for i in (3, 4, 5, 6):
        (root / "cat" / f"{i}.png").write_bytes(b"<html>")
    (root / "cat" / "link.png").symlink_to(root / "gone.png")
    with pytest.raises(ValueError, match="7 of 10 images cannot be read") as caught:
        ImageFolderSet(root).load()
    message = str(caught.value)
    assert message.endswith("and 2 more; repair or remove them")
    assert all(f"{i}.png: " in message for i in (1, 2, 3, 4, 5))
    assert "6.png: " not in message


def test_special_files_and_links_in_a_circle_are_reported(root, caplog):
    fill(root, "cat/1.png", "owl/1.png")
    (root / "cat" / "owls").symlink_to(root / "owl")
    (root / "owl" / "cats").symlink_to(root / "cat")
    os.mkfifo(root / "cat" / "p.png")
    found = ImageFiles.below(root)
    found.warn()
    assert [path.relative_to(root).as_posix() for path in found.images] == [
        *("cat/1.png", "cat/owls/1.png", "owl/1.png", "owl/cats/1.png")
    ]
    assert "skipped 2 pipes, sockets or devices, such as cat/p.png" in caplog.text
    assert "skipped 2 links to folders that contain them, such as cat/owls/cats" in caplog.text


def test_a_broken_link_is_named(root):
    fill(root, "cat/1.png")
    (root / "cat" / "link.png").symlink_to(root / "gone.png")
    with pytest.raises(ValueError, match=r"1 of 2 images cannot be read: .*link.png: .*No such file"):
        ImageFolderSet(root).load()


def test_a_folder_that_cannot_be_read_is_named(root, monkeypatch):
    fill(root, "cat/1.png", "owl/1.png")
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("owl"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ValueError, match=r"cannot read the folder .*owl: Permission denied"):
        ImageFolderSet(root).load()


def test_a_missing_and_an_empty_folder_are_named(root):
    with pytest.raises(
        ValueError, match=r"there is no folder .*none; give the folder that contains one folder per class"
    ):
        ImageFolderSet(root / "none").load()
    fill(root, "beside.png")
    (root / "empty").mkdir()
    with pytest.raises(ValueError, match=r"has no images in class folders; expected .*/<class>/<image>.jpg"):
        ImageFolderSet(root).load()
    with pytest.raises(ValueError, match="there is no folder"):
        ImageFolderSet(root / "beside.png").load()


@pytest.mark.parametrize("old", ["cat/1.png", "cat"])
def test_a_name_that_is_no_unicode_is_named(root, old):
    fill(root, "cat/1.png", "owl/1.png")
    os.rename(root / old, os.fsencode((root / old).parent) + b"/caf\xe9.png")
    what = "folder" if old == "cat" else "file"
    with pytest.raises(ValueError, match=rf"the name of the {what} '.*my set/caf\\xe9.png' is not UTF-8 .*; rename it"):
        ImageFolderSet(root).load()


def test_an_unchanged_file_is_not_decoded_again(root, decoded):
    fill(root, "cat/1.png", "cat/2.png", "owl/1.png")
    first = ImageFolderSet(root).load().images_digest
    assert sorted(decoded) == ["1.png", "1.png", "2.png"]
    decoded.clear()
    assert ImageFolderSet(root).load().images_digest == first
    assert decoded == []


def test_a_changed_file_is_decoded_again_even_with_its_old_size_and_time(root, decoded):
    fill(root, "cat/1.bmp", "cat/2.bmp")
    before = ImageFolderSet(root).load().images_digest
    path = root / "cat" / "2.bmp"
    status = path.stat()
    Image.fromarray(PIXELS[7]).save(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    decoded.clear()
    assert ImageFolderSet(root).load().images_digest == digest_of([0, 7]) != before
    assert decoded == ["2.bmp"]


def test_a_changed_decoder_decodes_again(root, decoded, monkeypatch):
    fill(root, "cat/1.png")
    ImageFolderSet(root).load()
    monkeypatch.setattr(kept_digests, "_DECODING", kept_digests._DECODING + 1)
    ImageFolderSet(root).load()
    assert decoded == ["1.png", "1.png"]


def test_an_unreadable_file_does_not_cost_the_digests_of_the_others(root, decoded):
    fill(root, "cat/1.png", "cat/2.png")
    (root / "cat" / "3.png").write_bytes(b"")
    with pytest.raises(ValueError, match="1 of 3 images cannot be read"):
        ImageFolderSet(root).load()
    decoded.clear()
    (root / "cat" / "3.png").unlink()
    ImageFolderSet(root).load()
    assert decoded == []


def other_table(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE digests (something INTEGER)")
    database.close()


def damaged_pages(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE digests (stamp BLOB PRIMARY KEY, digest BLOB)")
        rows = [(os.urandom(32), os.urandom(32)) for _ in range(2000)]
        database.executemany("INSERT INTO digests VALUES (?, ?)", rows)
    database.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)


def garbage(path):
    path.write_bytes(b"garbage" * 1000)


@pytest.mark.parametrize("damage", [garbage, Path.mkdir, other_table, damaged_pages])
def test_a_damaged_cache_costs_time_and_one_sentence(root, own_home, damage, caplog):
    fill(root, "cat/1.png", "cat/2.png")
    own_home.mkdir()
    damage(own_home / "digests.sqlite")
    for _ in range(2):
        assert ImageFolderSet(root).load().images_digest == digest_of([0, 1])
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert all("digests.sqlite cannot be read (" in message and "delete that file" in message for message in messages)


def test_a_wrong_digest_in_the_cache_is_not_believed(root, own_home, decoded):
    fill(root, "cat/1.png")
    ImageFolderSet(root).load()
    with sqlite3.connect(own_home / "digests.sqlite") as database:
        database.execute("UPDATE digests SET digest = 'text'")
    database.close()
    assert ImageFolderSet(root).load().images_digest == digest_of([0])
    assert decoded == ["1.png", "1.png"]


def test_an_unwritable_cache_folder_costs_time_and_one_sentence(root, own_home, caplog):
    fill(root, "cat/1.png")
    own_home.write_text("a file where the folder should be")
    assert ImageFolderSet(root).load().images_digest == digest_of([0])
    assert len(caplog.records) == 1
    assert "cannot create the folder" in caplog.text


def test_a_full_disk_under_the_cache_costs_one_sentence(root, monkeypatch, caplog):
    fill(root, "cat/1.png")
    opened = kept_digests._open_cache

    def read_only():
        cache = opened()
        cache.execute("PRAGMA query_only = ON")
        return cache

    monkeypatch.setattr(kept_digests, "_open_cache", read_only)
    assert ImageFolderSet(root).load().images_digest == digest_of([0])
    assert [record.getMessage().startswith("digests cannot be cached in") for record in caplog.records] == [True]


@pytest.mark.parametrize("domain", ["mono", "colour", "both"])
def test_icons_are_labelled_and_grouped(domain):
    images = Icons(domain).load()
    assert len(images) > 2000
    assert set(images.image_groups) == {"domain", "set", "artist"}
    assert set(images.class_groups) == {"superclass", "orientation_matters"}
    assert images.images[0].mode == "RGB"
    assert np.bincount(images.labels, minlength=len(images.class_names)).min() >= 1
