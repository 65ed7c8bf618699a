"""Short names that a user gave: tables use them, every name stays unique, and no row changes."""

from __future__ import annotations

import json

import pytest

from fewshot.report.rows.renaming import renames
from fewshot.report.rows.shown import Shown
from fewshot.results.short_names import ShortNames
from tests.support.report_rows import quick_rows, row

PIXELS, METHOD = "RawPixels(image_size=32)", "L2() + Prototype(metric='euclidean')"


def names(shown: Shown) -> set[str]:
    return {part for name in shown.names.values() for part in name}


def test_a_given_name_replaces_the_declared_one():
    shown = Shown.of(quick_rows(), ShortNames({PIXELS: "pixels", METHOD: "ProtoNet"}))
    assert {"pixels", "ProtoNet"} <= names(shown)
    assert not {"raw pixels 32", "L2 + Prototype"} & names(shown)
    assert "L2 + LinearProbe(C=1.0)" in names(shown)


def test_one_name_for_two_things_is_made_unique():
    given = {PIXELS: "mine", "RawPixels(image_size=8)": "mine", METHOD: "head", f"Identity() + {METHOD[7:]}": "head"}
    rows = [
        row(backbone=backbone, transform=transform)
        for backbone in (PIXELS, "RawPixels(image_size=8)")
        for transform in ("L2()", "Identity()")
    ]
    shown = Shown.of(rows, ShortNames(given))
    assert len(set(shown.names.values())) == 4
    assert {name.backbone for name in shown.names.values()} == {"mine (image_size=32)", "mine (image_size=8)"}


@pytest.mark.parametrize(
    ("old", "spec"),
    [
        ("raw pixels 32", PIXELS),
        ("pixels", PIXELS),
        (PIXELS, PIXELS),
        ("L2 + Prototype", METHOD),
        ("Prototype", METHOD),
    ],
)
def test_a_name_its_spec_or_a_part_of_one_name_is_found(old, spec):
    assert renames(Shown.of(quick_rows()), [(old, "new")]) == {spec: "new"}


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([("lite1", "new")], "nothing is called 'lite1'; the names are: .*raw pixels 32"),
        ([("lite0", "new")], "'lite0' is a part of several names: .*; write one of them whole"),
        ([("raw pixels 32", "new"), ("mobilenetv2", "new")], "'new' would name two things; choose another name"),
        ([("raw pixels 32", "L2 + Prototype")], "'L2 . Prototype' would name two things"),
    ],
)
def test_other_names_are_refused(pairs, sentence):
    with pytest.raises(ValueError, match=sentence):
        renames(Shown.of(quick_rows()), pairs)


def test_two_names_can_be_swapped():
    pairs = [("raw pixels 32", "mobilenetv2_100 @128"), ("mobilenetv2_100 @128", "raw pixels 32")]
    assert len(renames(Shown.of(quick_rows()), pairs)) == 2


def test_names_are_kept_in_a_file_and_given_back(tmp_path):
    path = tmp_path / "a.names.json"
    assert ShortNames.read(path) == ShortNames()
    kept = ShortNames().changed({PIXELS: "two\nlines", METHOD: "ProtoNet"})
    kept.write(path)
    assert ShortNames.read(path).of == {PIXELS: "two lines", METHOD: "ProtoNet"}
    kept.changed({PIXELS: "", METHOD: ""}).write(path)
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', '{"a": ""}', "{", "\x00", json.dumps({"a": ["b"]})])
def test_a_file_without_names_is_one_sentence(tmp_path, content):
    path = tmp_path / "a.names.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"a\.names\.json holds no short names; delete it, then name again"):
        ShortNames.read(path)


def test_words_that_several_names_share_are_renamed_in_all_of_them():
    rows = [row(0.5, backbone=f"RandomInit(name='resnet18', seed={seed})") for seed in range(3)]
    shown = Shown.of([*rows, row(0.6)])
    new = renames(shown, [("resnet18", "r18")])
    assert sorted(new) == [one.backbone for one in rows]
    assert all(name.startswith("r18 random init") for name in new.values())
    assert len(set(new.values())) == 3
    assert set(renames(shown, [("resnet18", "")]).values()) == {""}
