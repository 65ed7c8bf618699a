"""Shards of webdataset: samples with labels from .tar files, also from hostile ones."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fewshot.conformance import check
from fewshot.datasets import image_digest
from fewshot.datasets._shorthand import dataset_spec
from fewshot.datasets.web_dataset_shards import WebDatasetShards
from tests.support.tar_files import PIXELS, picture, samples, shard


@pytest.fixture
def published(tmp_path) -> Path:
    """A data set as CLIP-benchmark publishes it: train/0.tar, test/0.tar, test/1.tar, classnames.txt."""
    root = tmp_path / "wds_vtab-dtd"
    shard(root / "train" / "0.tar", samples(range(6), [0, 1, 1, 0, 10, 10]))
    shard(root / "test" / "0.tar", samples([6, 7], [0, 1], "webp", "WEBP"))
    shard(root / "test" / "1.tar", samples([8, 9], [10, 0]))
    (root / "classnames.txt").write_text("".join(f"class {i}\n" for i in range(11)))
    (root / "test" / "nshards.txt").write_text("2")
    (root / "zeroshot_classification_templates.txt").write_text("a photo of a {c} texture.\n")
    return root


def refusal(place: Path) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        WebDatasetShards(place).load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_published_folder_has_partitions_and_class_names(published):
    spec = dataset_spec(str(published))
    assert spec.name == "WebDatasetShards"
    images = spec.make().load()
    assert (images.name, images.class_names) == ("wds_vtab-dtd", ("class 0", "class 1", "class 10"))
    assert np.flatnonzero(images.mask("partition=test")).tolist() == [0, 1, 2, 3]
    assert images.labels.tolist() == [0, 1, 2, 0, 0, 1, 1, 0, 2, 2]
    wanted = [image_digest(Image.fromarray(PIXELS[row])) for row in (6, 7, 8, 9, *range(6))]
    assert [image_digest(images.images[row]) for row in range(10)] == wanted
    assert images.image_names[0] == "test/s0006"
    assert check("dataset", spec.make()) == []


def test_digests_are_kept_by_shard_and_place(published, monkeypatch):
    first = WebDatasetShards(published).load().images_digest
    monkeypatch.setattr("fewshot.datasets._tar_shards.facts_of_file", None)
    assert WebDatasetShards(published).load().images_digest == first


def test_braces_name_several_shards_and_partitions_come_from_names(tmp_path):
    for number in range(3):
        part = "train" if number < 2 else "test"
        shard(tmp_path / f"{part}-{number:03}.tar", samples([2 * number, 2 * number + 1], ["wren", "gull"]))
    images = WebDatasetShards(names=str(tmp_path / "train-{000..001}.tar")).load()
    assert (len(images), images.name, images.class_names) == (4, tmp_path.name, ("gull", "wren"))
    assert dataset_spec(str(tmp_path / "train-{000..001}.tar")).fields["names"]
    whole = dataset_spec(str(tmp_path)).make().load()
    assert np.flatnonzero(whole.mask("partition=test")).tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"1 of 3 shards are missing, such as .*train-002.tar; give a folder"):
        WebDatasetShards(names=str(tmp_path / "train-{000..002}.tar")).load()
    with pytest.raises(ValueError, match=r"must count upwards"):
        WebDatasetShards(names=str(tmp_path / "train-{2..0}.tar")).load()


def test_a_url_is_read_through_fsspec(tmp_path):
    fsspec = pytest.importorskip("fsspec", reason="the extra 'hub' is not installed")
    file = shard(tmp_path / "0.tar", samples(range(4), [0, 1, 0, 1]))
    with fsspec.open("memory://shards/0.tar", "wb") as out:
        out.write(file.read_bytes())
    spec = dataset_spec("memory://shards/{0..0}.tar")
    assert spec.name == "WebDatasetShards"
    assert spec.make().load().images_digest == WebDatasetShards(file).load().images_digest
    with pytest.raises(ValueError, match=r"cannot open memory://shards/1.tar: .*; copy the shards here and give"):
        WebDatasetShards(names="memory://shards/1.tar").load()


def test_a_tar_file_of_folders_is_still_an_archive_to_unpack(tmp_path):
    file = shard(tmp_path / "birds.tar", {"gull/1.png": picture(0), "wren/1.png": picture(1)})
    with pytest.raises(ValueError, match="it is an archive; unpack it and give the folder"):
        dataset_spec(str(file))
    for row, name in enumerate(("gull", "wren")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(picture(row))
    assert dataset_spec(str(tmp_path)).name == "ImageFolderSet"


def test_other_members_of_a_sample_are_ignored_and_keys_end_at_the_first_dot(tmp_path):
    members = samples([0, 1], [0, 1], folder="a/") | {"a/s0000.json": "{}", "a/s0001.seg.png": picture(5)}
    members |= {"b/s0000.jpg": picture(2, "JPEG"), "b/s0000.cls": "1\n"}
    images = WebDatasetShards(shard(tmp_path / "x.tar", members)).load()
    assert images.labels.tolist() == [0, 1, 1]


def link(info: tarfile.TarInfo) -> None:
    if info.name.endswith(".png"):
        info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/hostname", 0


def device(info: tarfile.TarInfo) -> None:
    if info.name.endswith(".png"):
        info.type, info.size = tarfile.CHRTYPE, 0


@pytest.mark.parametrize(
    ("members", "change", "message"),
    [
        (samples([0], [0]), link, "the member 's0000.png' is a link, a device or a sparse file, not a file"),
        (samples([0], [0]), device, "is a link, a device or a sparse file"),
        ({"/etc/s.png": picture(0), "/etc/s.cls": "0"}, None, "the member '/etc/s.png' leads out of the shard"),
        ({"../s.png": picture(0), "../s.cls": "0"}, None, "the member '../s.png' leads out of the shard"),
        ({"s.png": picture(0)}, None, "1 of 1 images have no label, such as 's'; each needs a file s.cls"),
        ({"s.png": picture(0), "s.jpg": picture(1, "JPEG"), "s.cls": "0"}, None, "the sample 's' has two images"),
        ({"s.png": picture(0), "s.cls": b"B\xe4r"}, None, "the label 's.cls' is not UTF-8"),
        ({"s.png": picture(0), "s.cls": ""}, None, "the label 's.cls' must be a number or a name, found ''"),
        ({"s.png": picture(0), "s.cls": "0\n1"}, None, "must be a number or a name"),
        ({"s.png": picture(0), "s.cls": "x" * 70_000}, None, "has 70,000 bytes; expected at most 65,536"),
        ({"s.png": picture(0)[:50], "s.cls": "0"}, None, "1 of 1 images cannot be read: "),
        ({"s.png": b"", "s.cls": "0"}, None, "not an image in a format that Pillow can read"),
        ({"s.json": "{}"}, None, "holds no samples; expected pairs such as 0001.jpg and 0001.cls"),
    ],
)
def test_a_wrong_or_hostile_shard_is_refused_in_one_sentence(members, change, message, tmp_path):
    assert message in refusal(shard(tmp_path / "x.tar", members, change))


def test_the_same_key_in_two_shards_is_refused(tmp_path):
    shard(tmp_path / "test" / "0.tar", samples([0, 1], [0, 1]))
    shard(tmp_path / "test" / "1.tar", samples([1, 2], [0, 1]))
    assert "the key 'test/s0001' occurs 2 times" in refusal(tmp_path)


def test_class_names_must_cover_the_labels(published):
    (published / "classnames.txt").write_text("one\ntwo\n")
    assert "classnames.txt has 2 names, but there is a label 10; add the others" in refusal(published)
    (published / "classnames.txt").unlink()
    assert WebDatasetShards(published).load().class_names == ("00", "01", "10")


@pytest.mark.parametrize("label", ["-5", "-1", "99", "1.0", "+1", "1234567890"])
def test_no_wrong_number_makes_the_class_names_disappear(label, published):
    shard(published / "test" / "2.tar", samples([10], [label]))
    sentence = refusal(published)
    assert "classnames.txt has 11 names, " in sentence
    assert f"but there is a label {label}; " in sentence


def test_labels_that_are_names_are_read_as_names_and_a_warning_names_those_that_the_list_lacks(tmp_path, caplog):
    shard(tmp_path / "x.tar", samples([0, 1], ["wren", "gull"]))
    (tmp_path / "classnames.txt").write_text("gull\nwren\n")
    assert WebDatasetShards(tmp_path).load().class_names == ("gull", "wren")
    assert not caplog.records
    (tmp_path / "classnames.txt").write_text("gull\nrook\n")
    assert WebDatasetShards(tmp_path).load().class_names == ("gull", "wren")
    assert "the labels are names, so fewshot ignores classnames.txt, which lacks 'wren'" in caplog.text


def test_a_huge_extended_header_is_refused_before_it_is_read(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    (tmp_path / "x.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 2048)
    assert "is no tar file, or it is damaged (an extended header of 1,099,511,627,776 bytes)" in refusal(
        tmp_path / "x.tar"
    )


def test_missing_shards_and_other_files_are_refused(tmp_path):
    assert "1 of 1 shards are missing" in refusal(tmp_path / "none.tar")
    assert "no .tar file; give a folder of shards" in refusal(tmp_path)
    (tmp_path / "x.tar").write_bytes(b"no tar file")
    assert "is no tar file, or it is damaged" in refusal(tmp_path / "x.tar")
    with pytest.raises(ValueError, match="needs a path, or names with braces or a URL; give one of the two"):
        WebDatasetShards().load()


@given(st.data())
def test_no_damage_to_a_shard_is_more_than_one_sentence(tmp_path_factory, data):
    file = shard(tmp_path_factory.mktemp("damaged") / "x.tar", samples(range(3), [0, 1, 1]))
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, 6 * 1024 - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(bytes(content[: data.draw(st.sampled_from([len(content), 700, 1500]))]))
    try:
        assert len(WebDatasetShards(file).load()) <= 3
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_reads_the_same_samples(published):
    webdataset = pytest.importorskip("webdataset", reason="webdataset is not installed")
    images = WebDatasetShards(published / "train").load()
    pairs = list(webdataset.WebDataset(str(published / "train" / "0.tar"), shardshuffle=False))
    assert [pair["cls"].decode() for pair in pairs] == ["0", "1", "1", "0", "10", "10"]
    assert [pair["__key__"] for pair in pairs] == [name.rpartition("/")[2] for name in images.image_names]
