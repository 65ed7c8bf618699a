"""Parquet files with images that other writers than the package datasets made, alone and in folders."""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot.conformance import check
from fewshot.datasets import image_digest
from fewshot.datasets._shorthand import dataset_spec
from fewshot.datasets.hugging_face_set import HuggingFaceSet

hub = pytest.importorskip("datasets", reason="the extra 'hub' is not installed")
pa = pytest.importorskip("pyarrow", reason="the extra 'hub' is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="the extra 'hub' is not installed")
PIXELS = np.random.default_rng(3).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setattr(hub.config, "HF_DATASETS_CACHE", tmp_path / "hub" / "datasets")
    monkeypatch.setattr(hub.config, "HF_CACHE_HOME", str(tmp_path / "hub"))
    yield
    hub.disable_progress_bars()


def refusal(dataset) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        dataset.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def encoded(row: int) -> bytes:
    content = BytesIO()
    Image.fromarray(PIXELS[row]).save(content, "PNG")
    return content.getvalue()


def write(file: Path, images: list, labels: list | None = None) -> Path:
    """A parquet file as pyarrow writes it, without the types of the package datasets."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"image": images, "label": labels or ["gull", "wren"] * 2}), file)
    return file


STRUCTS = [{"bytes": encoded(row), "path": None} for row in range(4)]


@pytest.mark.parametrize("path", [None, "somewhere/else.png"])
def test_structs_of_bytes_and_path_of_any_writer_are_images(path, tmp_path):
    file = write(tmp_path / "birds.parquet", [one | {"path": path} for one in STRUCTS])
    spec = dataset_spec(str(file))
    assert spec.name == "HuggingFaceSet"
    images = spec.make().load()
    assert images.images_digest == HuggingFaceSet(path=file, image="image").load().images_digest
    wanted = [image_digest(Image.fromarray(PIXELS[row])) for row in range(4)]
    assert [image_digest(images.images[row]) for row in range(4)] == wanted
    assert check("dataset", spec.make()) == []


@pytest.mark.parametrize("kind", ["binary", "large_binary"])
def test_a_column_of_bytes_holds_images_if_it_is_named(kind, tmp_path):
    column = pa.array([encoded(row) for row in range(4)], getattr(pa, kind)())
    file = write(tmp_path / "birds.parquet", column)
    images = HuggingFaceSet(path=file, image="image").load()
    assert image_digest(images.images[3]) == image_digest(Image.fromarray(PIXELS[3]))
    with pytest.raises(ValueError, match=r"if 'image' holds images, type --data .HuggingFaceSet.*, image='image'"):
        dataset_spec(str(file)).make().load()
    assert "name one of image, label with image=..." in refusal(HuggingFaceSet(path=file))


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        ([None, *STRUCTS[1:]], ["a", "b"] * 2, "1 of 4 images cannot be read: all/0: the table holds neither an image"),
        (STRUCTS, [["a"], ["a", "b"]] * 2, "the labels in 'label' must be classes, integers or strings, found lists"),
        ([{"a": one} for one in STRUCTS], ["a", "b"] * 2, "the column 'image' holds {'a': {'bytes': "),
        ([{"bytes": None, "path": "/etc/hostname"}] * 4, ["a", "b"] * 2, "which lies outside the data set"),
        ([1, 2, 3, 4], ["a", "b"] * 2, "the column 'image' holds Value('int64'), not images; name another"),
    ],
)
def test_columns_of_other_kinds_are_refused_in_one_sentence(images, labels, sentence, tmp_path):
    file = write(tmp_path / "birds.parquet", images, labels)
    assert sentence in refusal(HuggingFaceSet(path=file, image="image"))


@pytest.mark.parametrize("place", ["{part}.parquet", "data/{part}-00000-of-00001.parquet"])
def test_a_folder_of_parquet_files_is_read_and_named_after_itself(place, tmp_path):
    folder = tmp_path / "birds"
    for part in ("train", "test"):
        file = write(folder / place.format(part=part), STRUCTS)
    (folder / "README.md").write_text("Birds.")
    spec = dataset_spec(str(folder))
    assert spec.name == "HuggingFaceSet"
    images = spec.make().load()
    assert (images.name, spec.short_name, len(images)) == ("birds", "birds", 8)
    assert np.flatnonzero(images.mask("partition=test")).size == 4
    one = dataset_spec(str(file))
    assert (one.make().load().name, one.short_name) == ("birds", "birds")


def test_a_folder_of_classes_beside_a_parquet_file_stays_one_of_classes(tmp_path):
    write(tmp_path / "train.parquet", STRUCTS)
    (tmp_path / "gull").mkdir()
    (tmp_path / "gull" / "1.png").write_bytes(encoded(0))
    assert dataset_spec(str(tmp_path)).name == "ImageFolderSet"


def test_parquet_files_of_vectors_do_not_make_a_folder_one_of_images(tmp_path):
    write(tmp_path / "birds" / "train.parquet", STRUCTS)
    vectors = write(tmp_path / "birds" / "vectors.parquet", [[0.5, 1.0]] * 4)
    assert dataset_spec(str(vectors)).name == "VectorSet"
    with pytest.raises(ValueError, match=r"but parquet files; if they hold images, name the columns: --data \"Hugg"):
        dataset_spec(str(tmp_path / "birds")).make().load()


@pytest.mark.parametrize("shown", [True, False])
def test_nothing_of_the_package_reaches_the_output_and_its_state_stays(shown, tmp_path, capfd):
    repocard = logging.getLogger("huggingface_hub.repocard")
    write(tmp_path / "birds" / "data" / "train-00000-of-00001.parquet", STRUCTS)
    (tmp_path / "birds" / "README.md").write_text("Birds.")
    (hub.enable_progress_bars if shown else hub.disable_progress_bars)()
    level = repocard.level
    HuggingFaceSet(path=tmp_path / "birds").load()
    assert hub.are_progress_bars_disabled() is not shown
    assert repocard.level == level
    assert capfd.readouterr() == ("", "")
