"""Trees of classes are read from CSV, JSON and WordNet, and whatever is wrong with one is a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fewshot.conformance.samplers import labelled
from fewshot.datasets import Group
from fewshot.samplers._class_tree import ClassTree, tree_of_groups

IMAGES = labelled([3] * 4)
PAIRS = [
    ("class 0", "cat"),
    ("class 1", "cat"),
    ("class 2", "dog"),
    ("cat", "pet"),
    ("dog", "pet"),
    ("class 3", "fish"),
]
PAIRS += [("fish", "wet"), ("wet", "pet"), ("class 2", "wet")]
WORDNET = """  1 This software and database is being provided
00001740 03 n 01 pet 0 001 ~ 00001930 n 0000 | anything
00001930 03 n 02 cat 0 house_cat 0 002 @ 00001740 n 0000 ~ 00000010 n 0000 | purrs | often
00000010 05 n 01 tabby 0 002 @ 00001930 n 0000 + 00000011 a 0101 | striped
00000011 05 n 01 Tom 0 002 @i 00001930 n 0000 #m 00001740 n 0000 | one of them
"""


def spans(path, classes=range(4)):
    found = ClassTree.read(path).groups(IMAGES, np.array(classes))
    return [row[:size].tolist() for row, size in zip(found.members, found.sizes, strict=True)]


def written(path, text):
    path.write_text(text)
    return path


def test_csv_and_json_say_the_same_and_a_node_with_one_child_counts_once(tmp_path):
    lines = "".join(f"{child},{parent}\n" for child, parent in PAIRS)
    table = written(tmp_path / "tree.csv", f"child,parent\n{lines}")
    above = {child: [p for c, p in PAIRS if c == child] for child, _ in PAIRS}
    lists = written(tmp_path / "tree.json", json.dumps(above))
    assert spans(table) == spans(lists) == [[0, 1], [0, 1, 2, 3], [2, 3]]  # cat, pet, wet; not dog and not fish
    assert spans(table, [0, 1]) == [[0, 1]]  # pet has only cat below it
    single = written(tmp_path / "single.json", json.dumps({child: above[child][0] for child in above}))
    assert spans(single) == [[0, 1], [0, 1, 2, 3]]


def test_class_groups_of_several_levels_are_a_tree(tmp_path):
    groups = {"genus": Group.of("xxyz"), "family": Group.of("mmnn"), "size": Group.of("btbt")}
    images = labelled([3] * 4, groups)
    path = written(tmp_path / "tree.csv", tree_of_groups(images, ("genus", "family")))
    assert path.read_text().splitlines()[:2] == ["child,parent", "class 0,genus=x"]
    assert spans(path) == [[0, 1, 2, 3], [2, 3], [0, 1]]  # all, family=n, genus=x; others have one child
    assert spans(written(path, tree_of_groups(images, ("genus", "size")))) == [
        [0, 1, 2, 3],
        [0, 1],
        [0, 1, 2],
        [0, 1, 3],
    ]
    with pytest.raises(ValueError, match="test has no class group 'order'; it has: genus, family, size"):
        tree_of_groups(images, ("genus", "order"))


def test_the_nouns_of_wordnet_are_called_as_imagenet_calls_synsets(tmp_path):
    tree = ClassTree.read(written(tmp_path / "data.noun", WORDNET))
    below = {"n00000010": {"n00001930"}, "n00000011": {"n00001930"}, "n00001930": {"n00001740"}}
    assert tree.parents == {child: frozenset(above) for child, above in below.items()}


def test_a_tree_is_read_again_when_its_file_was_changed(tmp_path):
    path = written(tmp_path / "tree.csv", "child,parent\na,b\n")
    assert set(ClassTree.read(path).parents) == {"a"}
    assert set(ClassTree.read(written(path, "child,parent\na,b\nlonger,b\n")).parents) == {"a", "longer"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "child,above\nclass 0,b\n", "t.csv has no column 'parent'; expected a first line child,parent"),
        ("t.csv", "child,parent,x\nclass 0,b,1\n", "t.csv has an unknown column 'x'; expected a first line child,par"),
        ("t.csv", "child,parent\nclass 0\n", "t.csv, line 2: expected 2 fields"),
        ("t.csv", "child,parent\nclass 0,\n", "t.csv, line 2: a line needs a child and a parent, found an empty field"),
        ("t.csv", "child,parent\n", "t.csv has nothing below its first line"),
        ("t.csv", "", "t.csv is empty; expected a header with the columns child and parent"),
        ("t.csv", "child,parent\nclass 0,b\n", "has no parent of 3 of the 4 classes, such as 'class 1'; it has nodes"),
        ("t.json", "[]", "t.json is not a class tree; expected an object of child: parent"),
        ("t.json", '{"a": 3}', "t.json is not a class tree; expected an object of child: parent"),
        ("t.json", "{", "t.json cannot be read as a class tree: Expecting"),
        ("t.yaml", "a: b", r"t.yaml must be a .csv or .json file, or WordNet's data.noun"),
        ("data.noun", "00001740 03 n 01 pet 0 000 | a\n", "data.noun is not WordNet's data.noun: it has no hypernyms"),
        ("data.noun", "child,parent\n", "data.noun cannot be read as WordNet's data.noun"),
        (
            "t.json",
            '{"class 0": "a", "a": "b", "b": "a", "class 1": "a", "class 2": "a", "class 3": "a"}',
            "t.json has a cycle: ",
        ),
        (
            "t.json",
            '{"class 0": "class 1", "class 1": "a", "class 2": "a", "class 3": "a"}',
            "the class 'class 1' of test is above other classes in the tree .* 'class 0'; classes must be leaves",
        ),
    ],
)
def test_what_is_wrong_with_a_tree_is_one_sentence(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        spans(written(tmp_path / name, text))


def test_a_missing_tree_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read the class tree '.*none.csv': No such file"):
        ClassTree.read(tmp_path / "none.csv")
