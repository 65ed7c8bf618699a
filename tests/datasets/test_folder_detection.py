"""Any tree of folders has a layout or one sentence, and any list of class names has one form per name."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fewshot.datasets._class_names import SILENT, joined_spellings
from fewshot.datasets._folder_layout import LAYOUT, detected, is_nameless

NAMES = st.sampled_from(
    ["train", "test", "val", "unlabeled", "images", "cat", "dog", "owl", "01", "02", "video_1", "character01", "Latin"]
)
TREES = st.sets(st.lists(NAMES, min_size=1, max_size=4).map(tuple), min_size=1, max_size=12)


@given(TREES)
def test_any_tree_has_a_layout_that_fits_or_one_sentence(folders):
    layout, sentence = None, ""
    try:
        layout = detected(Path("set"), folders, SILENT)
    except ValueError as error:
        sentence = str(error)
    assert (layout is None) == sentence.startswith("set")
    assert "\n" not in sentence
    if layout is None:
        return
    assert LAYOUT.holds("/".join(layout.words))
    parts = [(*folder, "1.png") for folder in sorted(folders)]
    assert len(layout.class_names(parts)) == len(parts)
    assert not all(is_nameless(name.rpartition("/")[2]) for name in layout.class_names(parts))
    assert all(len(layout.level(word, parts)) == len(parts) for word in layout.image_groups())


@given(st.sets(st.sampled_from(["cat", "dog", "owl"]), min_size=2), st.booleans())
def test_a_folder_per_class_is_never_anything_else(names, deeper):
    folders = {(name,) for name in names} | ({(min(names), "more", "deep")} if deeper else set())
    assert detected(Path("set"), folders, SILENT).words == ("class",)


@given(st.lists(st.text(st.sampled_from("aeé\u0301 x"), max_size=4)))
def test_joined_names_differ_in_more_than_their_unicode_form(names):
    joined = joined_spellings(names, "set", SILENT)
    written = {joined.get(name, name) for name in names}
    assert len(written) == len({unicodedata.normalize("NFC", name) for name in names})
    assert all(name in written or name in joined for name in names)
