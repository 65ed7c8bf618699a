"""Names of files and of columns that suggest groups of images, and names that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fewshot.conformance.samplers import labelled
from fewshot.datasets import Group
from fewshot.samplers._group_evidence import group_evidence

FRAMES = ["{c}/walk_{v}_{f:04}.png", "{c}/g{v:02}_c01_{f}.jpg", "train/{c}/{v}/{f:05}.png", "{c}/v{v} ({f}).png"]
PLAIN = [
    "{c}/{i:04}.png",  # plain numbers
    "{c}/{c}_{i:03}.jpg",  # a stem per class
    "{c}/Bird_{i:04}_{x}.jpg",  # the numbering of CUB
    "{c}/n0153282900{i:06}.jpg",  # miniImageNet
    "{c}/{x:032x}.jpg",  # digests
    "{c}/IMG_{i}.JPG",
]


def named(template, n_images=24, n_videos=4):
    """Two classes of images whose names follow a template: c class, i number, v video, f frame, x an id."""
    images = labelled([n_images, n_images])
    ids, count = np.random.default_rng(0).permutation(10**6), [0, 0]
    names = []
    for row, label in enumerate(images.labels.tolist()):
        i = count[label]
        count[label] += 1
        fields = {"c": "ab"[label], "i": i, "x": ids[row], "v": i % n_videos + 10 * label, "f": i // n_videos + 1}
        names.append(template.format(**fields))
    return replace(images, image_names=names)


@pytest.mark.parametrize("template", FRAMES)
def test_frames_of_several_videos_per_class_are_evidence(template):
    evidence = group_evidence(named(template))
    assert evidence is not None
    assert evidence.apart == ("folder" if "{v}/" in template else "stem")
    assert "numbered like frames of several videos per class" in evidence.words


@pytest.mark.parametrize("template", PLAIN)
def test_plain_numbers_and_a_stem_per_class_are_none(template):
    assert group_evidence(named(template)) is None


SOURCES = ("IMG", "DSC", "photo", "scan", "bing", "google")


@pytest.mark.parametrize(
    ("stems", "known"),
    [
        (SOURCES[:3], False),
        (SOURCES, True),
        (("video1", "video2", "video3"), True),
    ],
)
def test_a_few_stems_of_all_classes_are_cameras_or_sources_unless_they_are_numbered(stems, known):
    images, place = named("{c}/{i}.png"), {0: 0, 1: 0}
    names = []
    for label in images.labels.tolist():
        names.append(f"{'ab'[label]}/{stems[place[label] % len(stems)]}_{place[label] // len(stems):03}.png")
        place[label] += 1
    assert (group_evidence(replace(images, image_names=names)) is not None) is known


def test_stems_of_search_words_with_scattered_numbers_are_none():
    """CIFAR names images after search words, with numbers out of thousands."""
    generator, images = np.random.default_rng(0), labelled([60, 60])
    names = [f"{'ab'[c]}/{'ab'[c]}{r % 5}_s_{generator.integers(5000):06}.png" for r, c in enumerate(images.labels)]
    assert group_evidence(replace(images, image_names=names)) is None


@pytest.mark.parametrize(("column", "known"), [("video", True), ("Patient_ID", True), ("slides", True), ("set", False)])
def test_a_column_named_video_or_patient_is_evidence(column, known):
    images = labelled([12, 12])
    grouped = replace(images, image_groups={column: Group.of(str(row % 6) for row in range(24))})
    alone = replace(images, image_groups={column: Group.of(str(row) for row in range(24))})
    assert (group_evidence(grouped) is not None) is known
    assert group_evidence(alone) is None  # a group of one image is on one side anyway


@pytest.mark.parametrize(
    ("groups", "one_per_class"),
    [
        (lambda label, place: f"{label}", True),  # one video per class
        (lambda label, place: f"{label} {place % 3}" if not label else f"{label}", True),  # of most classes
        (lambda label, place: f"{label} {place % 3}" if label < 2 else "2", False),
        (lambda label, place: f"{label} {place % 3}", False),
        (lambda label, place: "all", None),  # one video of all classes says nothing about a class
        (lambda label, place: f"{label % 2}", None),
    ],
)
def test_a_column_with_one_group_per_class_is_evidence_that_no_sampler_helps(groups, one_per_class):
    images = labelled([12] * 3) if one_per_class is not None else labelled([12] * 4)
    values = [groups(label, row % 12) for row, label in enumerate(images.labels.tolist())]
    evidence = group_evidence(replace(images, image_groups={"video": Group.of(values)}))
    assert (None if evidence is None else evidence.one_per_class) is one_per_class


def test_images_without_names_have_no_evidence():
    assert group_evidence(labelled([12, 12])) is None


@pytest.mark.parametrize("parts", [("train", "test"), ("train2017", "val2017"), ("fold_1", "fold_2")])
@pytest.mark.parametrize(("inside", "is_known"), [("{i:04}.png", False), ("walk_{v}_{f:04}.png", True)])
def test_partitions_that_number_their_files_anew_are_no_videos(parts, inside, is_known):
    halves = [named(f"{part}/{{c}}/{inside}") for part in parts]
    images = labelled([24, 24])
    part = np.arange(48) % 2
    names = [halves[part[row]].image_names[row] for row in range(48)]
    found = group_evidence(replace(images, image_names=names, image_groups={"partition": Group(part, parts)}))
    assert (found is not None) == is_known
