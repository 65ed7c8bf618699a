"""Data sets of the package datasets: saved folders, parquet files and folders of images, with their types."""

from __future__ import annotations

import json
import logging
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fewshot.backbones.raw_pixels import RawPixels
from fewshot.conformance import check
from fewshot.datasets import image_digest
from fewshot.datasets._shorthand import dataset_spec
from fewshot.datasets.hugging_face_set import HuggingFaceSet
from fewshot.files.atomic import home
from fewshot.runs.columns import digests as digest_columns
from tests.support.command_line import succeed

hub = pytest.importorskip("datasets", reason="the extra 'hub' is not installed")
pa = pytest.importorskip("pyarrow", reason="the extra 'hub' is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="the extra 'hub' is not installed")
PIXELS = np.random.default_rng(3).integers(0, 256, (8, 8, 8, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own, and no progress bars."""
    monkeypatch.setattr(hub.config, "HF_DATASETS_CACHE", tmp_path / "hub" / "datasets")
    monkeypatch.setattr(hub.config, "HF_CACHE_HOME", str(tmp_path / "hub"))
    hub.disable_progress_bars()


def table(rows: list[int], labels: list[int | None], names: tuple[str, ...] = ("gull", "wren"), **more):
    """A table of images and labels, with further columns."""
    features = {
        "image": hub.Image(),
        "label": hub.ClassLabel(names=list(names)),
        **{n: f for n, (f, _) in more.items()},
    }
    columns = {"image": [Image.fromarray(PIXELS[row]) for row in rows], "label": labels}
    return hub.Dataset.from_dict(columns | {n: v for n, (_, v) in more.items()}, features=hub.Features(features))


@pytest.fixture
def saved(tmp_path) -> Path:
    """A folder of save_to_disk with the splits train and test."""
    parts = {"train": table([0, 1, 2, 3], [0, 1, 1, 0]), "test": table([4, 5], [1, 0])}
    hub.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def refusal(dataset) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        dataset.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_saved_folder_has_its_splits_as_partitions_and_its_class_names(saved):
    images = HuggingFaceSet(path=saved).load()
    assert (images.name, images.class_names, images.labels.tolist()) == ("saved", ("gull", "wren"), [0, 1, 1, 0, 1, 0])
    assert np.flatnonzero(images.mask("partition=test")).tolist() == [4, 5]
    assert [image_digest(images.images[row]) for row in range(6)] == [
        image_digest(Image.fromarray(PIXELS[row])) for row in range(6)
    ]


def test_saved_folders_and_parquet_files_are_recognised_and_obey_the_laws(saved, tmp_path):
    table([0, 1, 2, 3], [0, 1, 1, 0]).save_to_disk(tmp_path / "single")
    table([0, 1, 2, 3], [0, 1, 1, 0]).to_parquet(tmp_path / "one.parquet")
    for place in (saved, tmp_path / "single", tmp_path / "one.parquet"):
        spec = dataset_spec(str(place))
        assert spec.name == "HuggingFaceSet"
        assert check("dataset", spec.make()) == []
    assert HuggingFaceSet(path=tmp_path / "single").load().image_groups == {}


def test_a_parquet_file_of_vectors_is_still_one_of_vectors(tmp_path):
    hub.Dataset.from_dict({"vectors": [[0.5, 1.0]] * 3, "label": ["a", "b", "a"]}).to_parquet(tmp_path / "v.parquet")
    assert dataset_spec(str(tmp_path / "v.parquet")).name == "VectorSet"
    assert dataset_spec("none.parquet").name == "VectorSet"


def test_a_folder_of_parquet_files_or_images_as_on_the_hub_is_read(tmp_path):
    (tmp_path / "copy" / "data").mkdir(parents=True)
    for name, part in (("train", table([0, 1], [0, 1])), ("test", table([2, 3], [1, 0]))):
        part.to_parquet(tmp_path / "copy" / "data" / f"{name}-00000-of-00001.parquet")
    images = HuggingFaceSet(path=tmp_path / "copy").load()
    assert np.flatnonzero(images.mask("partition=test")).tolist() == [2, 3]
    for row, place in enumerate(("train/gull", "train/wren", "test/gull", "test/wren")):
        (tmp_path / "birds" / place).mkdir(parents=True)
        Image.fromarray(PIXELS[row]).save(tmp_path / "birds" / place / "1.png")
    images = HuggingFaceSet(path=tmp_path / "birds").load()
    assert (images.class_names, images.labels.tolist()) == (("gull", "wren"), [0, 1, 0, 1])
    assert dataset_spec(str(tmp_path / "birds")).name == "ImageFolderSet"


def test_an_image_of_a_folder_that_changes_is_decoded_again(tmp_path, monkeypatch):
    for row, place in enumerate(("gull", "wren")):
        (tmp_path / "birds" / "train" / place).mkdir(parents=True)
        Image.fromarray(PIXELS[row]).save(tmp_path / "birds" / "train" / place / "1.png")
    dataset = HuggingFaceSet(path=tmp_path / "birds")
    first = dataset.load().images_digest
    Image.fromarray(PIXELS[5]).save(tmp_path / "birds" / "train" / "wren" / "1.png")
    assert dataset.load().images_digest != first


def test_digests_are_kept_and_labels_are_read_without_images(saved, monkeypatch):
    first = HuggingFaceSet(path=saved).load()
    monkeypatch.setattr("fewshot.datasets._hub_columns.facts_of_file", None)
    monkeypatch.setattr("fewshot.datasets._hub_columns.read_image", None)
    assert HuggingFaceSet(path=saved).load().images_digest == first.images_digest
    assert home().exists()


def test_images_without_a_label_are_skipped_with_a_warning(tmp_path, caplog):
    parts = {"train": table([0, 1, 2], [0, 1, None]), "test": table([3, 4], [-1, -1])}
    hub.DatasetDict(parts).save_to_disk(tmp_path / "set")
    images = HuggingFaceSet(path=tmp_path / "set").load()
    assert len(images) == 2
    assert "skipped 1 images without a label in the split 'train'" in caplog.text
    assert "skipped 2 images without a label in the split 'test'" in caplog.text


def test_columns_are_named_where_several_fit(tmp_path):
    more = {
        "coarse": (hub.ClassLabel(names=["sea", "land"]), [0, 1, 1, 0]),
        "word": (hub.Value("string"), list("baab")),
    }
    table([0, 1, 2, 3], [0, 1, 1, 0], **more).save_to_disk(tmp_path / "set")
    assert refusal(HuggingFaceSet(path=tmp_path / "set")).endswith(
        "has 2 columns of labels; name one of label, coarse with label=..."
    )
    assert HuggingFaceSet(path=tmp_path / "set", label="coarse").load().class_names == ("sea", "land")
    images = HuggingFaceSet(path=tmp_path / "set", label="word").load()
    assert (images.class_names, images.labels.tolist()) == (("a", "b"), [1, 0, 0, 1])
    assert "has no column 'kind'; its columns are image, label, coarse, word" in refusal(
        HuggingFaceSet(path=tmp_path / "set", label="kind")
    )
    assert "the column 'word' holds" in refusal(HuggingFaceSet(path=tmp_path / "set", label="label", image="word"))
    assert "the labels in 'image' must be" in refusal(HuggingFaceSet(path=tmp_path / "set", label="image"))


def test_numbers_are_labels_without_class_names(tmp_path):
    values = table([0, 1, 2], [0, 1, 1]).remove_columns("label").add_column("label", [7, 3, 7])
    values.save_to_disk(tmp_path / "set")
    assert HuggingFaceSet(path=tmp_path / "set").load().class_names == ("3", "7")
    values.remove_columns("label").save_to_disk(tmp_path / "none")
    assert "has no column of labels; name one of image with label=..." in refusal(
        HuggingFaceSet(path=tmp_path / "none")
    )


def test_broken_images_and_files_outside_the_folder_are_refused(tmp_path):
    Image.fromarray(PIXELS[0]).save(tmp_path / "secret.png")
    content = BytesIO()
    Image.fromarray(PIXELS[1]).save(content, "PNG")
    entries = [
        {"bytes": content.getvalue(), "path": None},
        {"bytes": None, "path": str(tmp_path / "secret.png")},
        {"bytes": content.getvalue()[:60], "path": None},
        {"bytes": None, "path": "none.png"},
    ]
    about = {"image": {"_type": "Image"}, "label": {"names": ["gull", "wren"], "_type": "ClassLabel"}}
    schema = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": about}})},
    )
    listed = pa.Table.from_pydict({"image": entries, "label": [0, 1, 0, 1]}, schema=schema)
    pq.write_table(listed, tmp_path / "set.parquet")
    message = refusal(HuggingFaceSet(path=tmp_path / "set.parquet"))
    assert re.match(
        "3 of 4 images cannot be read: all/1: the table names the file .*secret.png, which lies out", message
    )
    assert "all/2: " in message


def test_a_set_that_is_nowhere_says_what_to_fetch_and_where_to_put_it(tmp_path, monkeypatch):
    def offline(*args, **more):
        raise ConnectionError("Couldn't reach 'ylecun/mnist' on the Hub (LocalEntryNotFoundError)\nand more")

    monkeypatch.setattr(hub, "load_dataset", offline)
    assert refusal(HuggingFaceSet("ylecun/mnist")) == (
        "the data set ylecun/mnist is not in the cache of this machine and cannot be read from the hub (Couldn't reach "
        "'ylecun/mnist' on the Hub (LocalEntryNotFoundError)); where there is a network, run `hf download --repo-type "
        "dataset ylecun/mnist --local-dir FOLDER`, copy FOLDER here, and give HuggingFaceSet(path='FOLDER')"
    )
    assert "needs the name of a data set on the hub, or the path" in refusal(HuggingFaceSet())
    assert "needs the name of a data set" in refusal(HuggingFaceSet("a/b", path=tmp_path))
    assert "there is no" in refusal(HuggingFaceSet(path=tmp_path / "none"))
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and no more")
    assert "cannot be read by the package datasets" in refusal(HuggingFaceSet(path=tmp_path / "x.parquet"))


def test_the_revision_of_the_hub_is_passed_on_and_reported(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    asked = []
    part = table([0, 1], [0, 1])
    part.info.download_checksums = {f"hf://datasets/a/b@{'0a' * 20}/data/train.parquet": {}}

    def load(*args, **more):
        asked.append((args, more))
        return hub.DatasetDict({"train": part})

    monkeypatch.setattr(hub, "load_dataset", load)
    images = HuggingFaceSet("a/b", config="small", revision="v1").load()
    assert (len(images), images.revision) == (2, "0a" * 20)
    assert digest_columns(images, RawPixels(image_size=4).load(), "").data_revision == "0a" * 20
    assert f"revision of the hub: {'0a' * 20}" in succeed("look", "--data", "HuggingFaceSet('a/b')")
    del asked[1:]
    assert asked == [(("a/b", "small"), {"revision": "v1"})]
    assert f"a/b: the split train is of the revision {'0a' * 20}" in caplog.text
