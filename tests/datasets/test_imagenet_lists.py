"""ImageNet's validation images by their lists, SimCLR's lists of 1 % and 10 %, and ISIC's table of diagnoses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fewshot.conformance import check
from fewshot.datasets._shorthand import dataset_spec
from fewshot.datasets.image_net_subset import ImageNetSubset
from fewshot.datasets.image_net_validation import ImageNetValidation
from fewshot.datasets.isic2018 import Isic2018
from tests.support import list_layouts as layouts

LISTS = ("val.txt", "LOC_val_solution.csv", "imagenet_2012_validation_synset_labels.txt")


def refusal(dataset) -> str:
    """The one sentence that refuses a data set."""
    with pytest.raises(ValueError, match=r".") as caught:
        dataset.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", LISTS)
def test_the_validation_images_are_read_by_each_usual_list_and_by_their_folder(kind, tmp_path):
    file = layouts.imagenet_validation(tmp_path / "imagenet", kind)
    by_list, by_folder = (dataset_spec(str(place)) for place in (file, file.parent / "val"))
    assert (by_list.name, by_folder.name) == ("ImageNetValidation", "ImageNetValidation")
    images = by_list.make().load()
    assert (images.class_names, images.labels.tolist()) == (layouts.SYNSETS, [2, 0, 1, 0, 2])
    assert images.name == "imagenet"
    assert by_folder.make().load().images_digest == images.images_digest
    assert check("dataset", by_list.make()) == []


def test_a_class_index_beside_the_list_gives_the_synset_of_each_number(tmp_path):
    file = layouts.imagenet_validation(tmp_path, "val.txt")
    index = {str(place): [synset, "a name"] for place, synset in enumerate(reversed(layouts.SYNSETS))}
    (tmp_path / "imagenet_class_index.json").write_text(json.dumps(index))
    assert ImageNetValidation(file).load().labels.tolist() == [0, 2, 1, 2, 0]
    (tmp_path / "imagenet_class_index.json").write_text("{}")
    assert "the class number 2 is not below 0" in refusal(ImageNetValidation(file))
    (tmp_path / "imagenet_class_index.json").write_text("[1]")
    assert "imagenet_class_index.json is no class index: expected" in refusal(ImageNetValidation(file))


def test_validation_images_without_a_list_say_which_one_to_get(tmp_path):
    file = layouts.imagenet_validation(tmp_path, "val.txt")
    file.rename(tmp_path / "ILSVRC2012_validation_ground_truth.txt")
    sentence = refusal(dataset_spec(str(tmp_path / "val")).make())
    assert "ILSVRC2012_validation_ground_truth.txt are those of the development kit" in sentence
    assert "put LOC_val_solution.csv (Kaggle), val.txt (Caffe) or imagenet_2012_validation" in sentence
    (tmp_path / "other.txt").write_text("x")
    assert "other.txt is none of the lists LOC_val_solution.csv, val.txt" in refusal(
        ImageNetValidation(tmp_path / "other.txt")
    )


@pytest.mark.parametrize("text", ["", "\n", " \n\n"])
def test_an_empty_list_is_refused_in_one_sentence(text, tmp_path):
    subset = layouts.imagenet_subset(tmp_path)
    validation = layouts.imagenet_validation(tmp_path, LISTS[2])
    for dataset in (ImageNetSubset(subset), ImageNetValidation(validation)):
        Path(dataset.path).write_text(text)
        assert "lists no images; get it again" in refusal(dataset)


def test_entries_without_a_class_and_long_names_are_refused_in_one_short_sentence(tmp_path):
    solution = layouts.imagenet_validation(tmp_path, LISTS[1])
    solution.write_text(solution.read_text().rsplit(",", 1)[0] + ",\n")
    assert "1 of 5 entries have no class: ILSVRC2012_val_00000005.JPEG" in refusal(ImageNetValidation(solution))
    subset = layouts.imagenet_subset(tmp_path)
    for name in ("_10.JPEG", "n01440764" + 9000 * "0" + "_10.JPEG"):
        subset.write_text(f"{name}\nn01440764_10.JPEG\n")
        assert len(refusal(ImageNetSubset(subset))) < 1000


def test_a_list_of_validation_images_names_missing_ones(tmp_path):
    file = layouts.imagenet_validation(tmp_path, "val.txt")
    (tmp_path / "val/ILSVRC2012_val_00000002.JPEG").unlink()
    assert "1 of 5 files are missing: ILSVRC2012_val_00000002.JPEG (val.txt, line 2)" in refusal(
        ImageNetValidation(file)
    )


def test_a_list_of_simclr_is_the_support_and_the_validation_images_are_beside_it(tmp_path):
    file = layouts.imagenet_subset(tmp_path / "imagenet")
    spec = dataset_spec(str(file))
    assert spec.name == "ImageNetSubset"
    images = spec.make().load()
    assert images.image_names is not None
    assert images.image_names[:3] == [
        *("train/n01440764/n01440764_26.JPEG", "train/n01443537/n01443537_26.JPEG"),
        "train/n01440764/n01440764_10.JPEG",
    ]
    assert images.image_groups["partition"].codes.tolist() == [0, 0, 0, 1, 1]
    assert (images.class_names, images.labels.tolist()) == (layouts.SYNSETS[:2], [0, 1, 0, 0, 1])
    assert check("dataset", spec.make()) == []
    moved = file.rename(tmp_path / "1percent.txt")
    assert "there is no image n01440764/n01440764_26.JPEG in" in refusal(ImageNetSubset(moved))
    assert ImageNetSubset(moved, tmp_path / "imagenet").load().images_digest == images.images_digest
    moved.write_text("a.JPEG\n")
    assert "1 of 1 lines are no file names of ImageNet's training images: a.JPEG (line 1)" in refusal(
        ImageNetSubset(moved)
    )


@pytest.mark.parametrize("inside", [True, False])
def test_isic_is_read_by_its_table_and_by_its_folder(inside, tmp_path):
    file = layouts.isic(tmp_path / "ISIC", inside)
    for place in (file, tmp_path / "ISIC"):
        spec = dataset_spec(str(place))
        images = spec.make().load()
        assert spec.name == "Isic2018"
        assert (images.class_names, images.labels.tolist()) == (("MEL", "NV", "VASC"), [1, 0, 1, 2])
    assert check("dataset", Isic2018(file)) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.0,1.0,", "0.0,0.0,", "1 of 4 rows have no diagnosis or several: ISIC_0024300.jpg (line 2); mark one"),
        ("0.0,1.0,", "1.0,1.0,", "1 of 4 rows have no diagnosis or several: ISIC_0024300.jpg (line 2)"),
        ("0.0,1.0,", "0.0,yes,", "1 of 4 rows have no diagnosis or several"),
        ("ISIC_0024301", "ISIC_0024309", "1 of 4 files are missing: ISIC_0024309.jpg (line 3)"),
        (",VASC", "", "has no column 'VASC'"),
    ],
)
def test_a_wrong_table_of_isic_is_refused_in_one_sentence(old, new, message, tmp_path):
    file = layouts.isic(tmp_path)
    file.write_text(file.read_text().replace(old, new, 1))
    assert message in refusal(Isic2018(file))
