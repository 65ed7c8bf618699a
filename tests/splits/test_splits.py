"""Splits are disjoint, complete, and bound to their classes by a digest."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from fewshot.datasets import ArrayImages, Group, LabelledImages, classes_digest
from fewshot.datasets.icons import DOMAINS, Icons
from fewshot.plugins.registry import SPLITS
from fewshot.splits import PARTS, ClassSplit
from fewshot.splits.all_novel import AllNovel
from fewshot.splits.by_group import ByGroup
from fewshot.splits.by_seed import BySeed
from fewshot.splits.committed import Committed, committed_folder
from fewshot.splits.from_file import FromFile


def labelled(names, kinds=None):
    labels = np.repeat(np.arange(len(names)), 2)
    groups = {} if kinds is None else {"kind": Group.of(kinds), "size": Group.of(["any"] * len(names))}
    pixels = np.zeros((len(labels), 1, 1), np.uint8)
    return LabelledImages("test", ArrayImages(pixels), labels, tuple(names), "pixels", class_groups=groups)


NAMES = ["owl", "cat", "pie", "bus", "cab", "ant"]
KINDS = ["animal", "animal", "food", "vehicle", "vehicle", "animal"]
IMAGES = labelled(NAMES, KINDS)
RULES = [AllNovel(), BySeed(), BySeed(0.5, 0.5, 3), ByGroup("kind", ("animal",), ("food",)), ByGroup("kind", ())]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_the_parts_of_a_rule_are_sorted_disjoint_and_all_classes(rule):
    split = rule.split(IMAGES)
    parts = [getattr(split, part) for part in PARTS]
    assert sorted(name for part in parts for name in part) == sorted(NAMES)
    assert all(part == tuple(sorted(part)) for part in parts)
    assert split.classes_digest == IMAGES.classes_digest


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_rule_does_not_look_at_the_order_of_the_classes(rule):
    order = [4, 2, 0, 5, 1, 3]
    other = labelled([NAMES[i] for i in order], [KINDS[i] for i in order])
    assert rule.split(other) == rule.split(IMAGES)
    assert rule.split(other).digest == rule.split(IMAGES).digest


@pytest.mark.parametrize("rule", [*RULES, Committed("icons_mono")], ids=repr)
def test_the_repr_of_a_rule_makes_the_same_rule(rule):
    assert SPLITS.make(repr(rule)) == rule


def test_the_classes_of_a_part_are_labels_of_the_data_set():
    split = ByGroup("kind", ("animal", "food"), ("vehicle",)).split(IMAGES)
    assert split.classes("novel", IMAGES).tolist() == [0, 1, 2, 5]
    assert split.classes("validation", IMAGES).tolist() == [3, 4]
    assert split.classes("all", IMAGES).tolist() == list(range(6))
    other = labelled(NAMES[::-1])
    assert [other.class_names[c] for c in split.classes("validation", other)] == ["cab", "bus"]


def test_an_unknown_and_an_empty_part_are_refused():
    split = AllNovel().split(IMAGES)
    with pytest.raises(ValueError, match="unknown part 'base' of a split; known: seen, validation, novel, all"):
        split.classes("base", IMAGES)
    with pytest.raises(ValueError, match="this split of test has no seen classes; choose another part or split"):
        split.classes("seen", IMAGES)


@pytest.mark.parametrize("names", [NAMES[:-1], [*NAMES, "new"], [*NAMES[:-1], "bee"]])
def test_the_split_of_other_classes_is_refused(names):
    odd = sorted(set(names) ^ set(NAMES))[0]
    message = f"this split is for 6 other classes than the {len(names)} of test: '{odd}' is in only one of them"
    for part in ("novel", "all"):
        with pytest.raises(ValueError, match=message):
            AllNovel().split(IMAGES).classes(part, labelled(names))


@pytest.mark.parametrize("parts", [(["a"], ["a"], []), (["a"], [], ["b", "a"]), (["a", "a"], [], [])])
def test_a_class_in_two_parts_is_refused(parts):
    with pytest.raises(ValueError, match="a split lists each class once, but 'a' is listed twice"):
        ClassSplit.of(*parts)


def test_a_split_whose_classes_have_another_digest_is_refused():
    with pytest.raises(ValueError, match="the split's 2 classes do not match its classes_digest"):
        ClassSplit(("a",), (), ("b",), classes_digest(["a", "c"]))


def test_the_digest_of_a_split_names_its_parts():
    splits = [rule.split(IMAGES) for rule in RULES]
    assert len({split.digest for split in splits}) == len(splits)
    assert len(splits[0].digest) == 64


MANY = labelled([f"class {i}" for i in range(200)])


@pytest.mark.parametrize(("novel", "validation"), [(0.4, 0.1), (0.0, 0.0), (1, 0), (0.5, 0.5), (0.333, 0.333)])
@pytest.mark.parametrize("images", [MANY, IMAGES, labelled("abcde")], ids=len)
def test_a_random_split_has_the_given_fractions(novel, validation, images):
    split, n_classes = BySeed(novel, validation).split(images), len(images.class_names)
    assert abs(len(split.novel) - novel * n_classes) <= 0.5
    assert abs(len(split.validation) - validation * n_classes) <= 1
    if novel + validation == 1:
        assert split.seen == ()


def test_a_random_split_is_a_function_of_its_seed():
    splits = [BySeed(seed=seed).split(MANY) for seed in (0, 0, 1, 2)]
    assert splits[0] == splits[1]
    assert len({split.novel for split in splits}) == 3
    assert BySeed(seed=5).split(IMAGES).novel == ("ant", "cat")  # pinned: it must never change


def test_every_class_is_novel_as_often():
    """Within five standard deviations, fixed seeds."""
    counts = dict.fromkeys(NAMES, 0)
    for seed in range(600):
        for name in BySeed(0.5, 0.0, seed).split(IMAGES).novel:
            counts[name] += 1
    assert all(abs(count - 300) < 5 * 150**0.5 for count in counts.values())


@pytest.mark.parametrize(
    ("novel", "validation", "message"),
    [
        (0.7, 0.4, "the fractions novel and validation must add up to at most 1, got 0.7 and 0.4"),
        (-0.1, 0.5, r"The 'novel' parameter of BySeed must be a number in \[0, 1\]. Got -0.1 instead"),
        (0.5, -0.1, r"The 'validation' parameter of BySeed must be a number in \[0, 1\]. Got -0.1 instead"),
        (1.1, 0.0, "Got 1.1 instead"),
    ],
)
def test_fractions_outside_their_range_are_refused(novel, validation, message):
    with pytest.raises(ValueError, match=message):
        BySeed(novel, validation)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda: ByGroup("colour", ("red",)), "test has no class group 'colour'; it has: kind, size"),
        (lambda: ByGroup("kind", ("plant",)), "'plant' is not one of 'animal', 'food', 'vehicle'"),
        (lambda: ByGroup("kind", ("food",), ("plant",)), "'plant' is not one of"),
        (lambda: ByGroup("kind", ("food",), ("food",)), "'food' cannot be both novel and validation; list it once"),
        (lambda: ByGroup("kind", "food"), r"must be a tuple of names, such as \('animal',\). Got 'food' instead"),
        (
            lambda: Committed("../icons_mono"),
            r"unknown split '../icons_mono'; known: .*icons_both, icons_colour, icons_mono",
        ),
    ],
)
def test_the_error_of_a_rule_that_does_not_fit_is_one_sentence(rule, message):
    with pytest.raises(ValueError, match=message):
        rule().split(IMAGES)


def test_a_data_set_without_groups_says_so():
    with pytest.raises(ValueError, match="it has: none"):
        ByGroup("kind", ("food",)).split(labelled(NAMES))


def test_a_saved_split_comes_back(tmp_path):
    split, path = ByGroup("kind", ("food",), ("vehicle",)).split(IMAGES), tmp_path / "new" / "split.json"
    split.save(path)
    assert ClassSplit.load(path) == split == FromFile(path).split(IMAGES)


WHOLE = {"seen": ["a"], "validation": [], "novel": ["b"], "classes_digest": classes_digest("ab")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a split: expected JSON with the lists seen, validation and novel; Expecting value"),
        (b"\xff\xfe{}", "is not a split: .*codec can't decode byte 0xff"),
        (b"[" * 100_000, "is not a split: .*nested too deeply"),
        ([WHOLE], "is not a split: .*found \\[{"),
        (None, "is not a split: .*found None"),
        (WHOLE | {"novel": 3}, "is not a split: .*found 3"),
        ({k: v for k, v in WHOLE.items() if k != "novel"}, "is not a split: .*the list 'novel' is missing"),
        (WHOLE | {"novel": "gull"}, "is not a split: .*expected lists of class names, found 'gull'"),
        (
            {"seen": ["a"], "validation": [], "novel": ["b", "a"]},
            r"split.json is damaged: .* 'a' is listed twice",
        ),
        (
            WHOLE | {"classes_digest": "0"},
            r"split.json is damaged: the split's 2 classes do not match its classes_digest 0: a class name",
        ),
        (WHOLE | {"novel": ["c"]}, r"split.json is damaged: the split's 2 classes do not match its classes_digest"),
        (WHOLE | {"novel": ["b", "a"]}, r"split.json is damaged: .* 'a' is listed twice"),
    ],
)
def test_the_error_for_a_file_that_is_not_a_split_is_one_sentence(tmp_path, content, message):
    path = tmp_path / "split.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(ValueError, match=message):
        FromFile(path).split(IMAGES)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"there is no split file .*none.json"):
        FromFile(tmp_path / "none.json").split(IMAGES)
    with pytest.raises(ValueError, match=r"cannot read the split .*: it is a folder, not a regular file"):
        FromFile(tmp_path).split(IMAGES)


@pytest.mark.parametrize("missing", ["absent", None])
def test_a_split_written_by_hand_gets_its_digest_and_stays_as_it_is(tmp_path, caplog, missing):
    path, rule = tmp_path / "split.json", ByGroup("kind", ("animal",), ("food",))
    parts = {part: list(getattr(rule.split(IMAGES), part))[::-1] for part in PARTS}
    text = json.dumps(parts if missing else parts | {"classes_digest": None})
    path.write_text(text)
    with caplog.at_level(logging.INFO):
        assert FromFile(path).split(IMAGES) == rule.split(IMAGES)
    assert f'add "classes_digest": "{IMAGES.classes_digest}"' in caplog.text
    assert path.read_text() == text
    path.write_text(json.dumps(parts | {"novel": ["owl"]}))
    with pytest.raises(ValueError, match="this split is for 4 other classes than the 6 of test: 'ant' is in only one"):
        FromFile(path).split(IMAGES).classes("novel", IMAGES)


@pytest.mark.parametrize("path", sorted(committed_folder().glob("*.json")), ids=lambda path: path.stem)
def test_a_committed_split_is_complete_sorted_and_has_no_other_fields(path, tmp_path):
    ClassSplit.load(path).save(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads(path.read_text())


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_committed_split_of_the_icons_is_by_superclass(domain):
    dataset = Icons(domain)
    images = dataset.load()
    rule = SPLITS.make(dataset.default_split())
    assert rule == Committed(f"icons_{domain}")
    split = rule.split(images)
    superclass = images.class_groups["superclass"]
    groups = {part: {superclass.names[superclass.codes[c]] for c in split.classes(part, images)} for part in PARTS}
    assert groups["novel"] == {"animal", "food", "vehicle", "leisure"}
    assert len(groups["validation"]) == 1
    assert not groups["seen"] & (groups["validation"] | groups["novel"])
    by_group = ByGroup("superclass", tuple(sorted(groups["novel"])), tuple(groups["validation"]))
    assert by_group.split(images) == split


GOOD = {"seen": ["a"], "validation": [], "novel": ["b"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            json.dumps({"seen": ["a"], "validation": []}),
            "the list 'novel' is missing; add it, empty if no class is novel",
        ),
        (
            json.dumps(GOOD | {"test": ["c"]}),
            "the key 'test' is unknown; remove it, or name it seen, validation, novel",
        ),
        ('{"seen": ["a"], "validation": [], "novel": ["b"], "novel": []}', "the key 'novel' occurs twice; keep one"),
        (json.dumps(GOOD | {"novel": "b"}), "expected lists of class names, found 'b'"),
        (json.dumps(GOOD | {"novel": [None]}), "expected lists of class names"),
        (json.dumps([GOOD]), "expected JSON with the lists seen, validation and novel; found"),
    ],
)
def test_a_split_file_with_a_mistake_says_which(text, message, tmp_path):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        ClassSplit.load(tmp_path / "split.json")
    assert "Error" not in str(error.value)  # no name of a Python exception


def test_the_missing_digest_of_a_split_is_reported_once(tmp_path, caplog):
    (tmp_path / "split.json").write_text(json.dumps(GOOD))
    with caplog.at_level("INFO"):
        assert ClassSplit.load(tmp_path / "split.json") == ClassSplit.load(tmp_path / "split.json")
    assert caplog.text.count("has no classes_digest") == 1
