"""Class names become words, and words become texts by templates."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fewshot.backbones._templates import check_templates, prompts_of
from fewshot.backbones._words import class_words
from fewshot.plugins.signature import is_path

NAMES = {
    "gull": "gull",
    "001.Black_footed_Albatross": "Black footed Albatross",
    "12_shopping_bag": "shopping bag",
    "AnnualCrop": "Annual Crop",
    "ApplyEyeMakeup": "Apply Eye Makeup",
    "arrow-left": "arrow left",
    "latin/capital-a": "latin capital a",
    "a_b/c": "a b c",
    "Audi S4 Sedan 2012": "Audi S4 Sedan 2012",
    "737-200": "737-200",
    "7": "7",
    "DVD": "DVD",
    "iPhone case": "iPhone case",
    "école_à_vélo": "école à vélo",
    "n02085620-Chihuahua": "Chihuahua",
    "n02123045": "tabby",
    " moon ": "moon",
}


@pytest.mark.parametrize("name", NAMES)
def test_class_names_become_words(name):
    assert class_words(name) == NAMES[name]


@given(st.text("aBC 1._-/", min_size=1))
def test_words_are_stable_and_without_separators(name):
    assume(set(name) - set(" _/"))
    words = class_words(name)
    assert not set(words) & set("_/")
    assert words == " ".join(words.split())


@pytest.mark.parametrize(
    ("name", "error"), [("n99999999", "'n99999999' is a code that no list names"), ("_", "'_' has no words; give")]
)
def test_codes_and_empty_names_are_refused(name, error):
    with pytest.raises(ValueError, match=error):
        class_words(name)


def test_imagenets_synsets_have_clips_own_names():
    pytest.importorskip("open_clip")
    from fewshot.backbones._open_clip_text import clip_words

    assert clip_words("n02123045") == "tabby cat"
    assert clip_words("n02012849") == "crane bird"
    assert clip_words("n03126707") == "construction crane"
    assert clip_words("n02084071") == "dog"  # WordNet's, since ImageNet-1k has no such class


def test_one_line_several_lines_and_published_lists_are_templates():
    assert prompts_of("a {}.", "birds").texts("red_kite") == ["a red kite."]
    assert prompts_of(("b {c}", "a {classname}"), "").texts("kite") == ["a kite", "b kite"]
    imagenet = prompts_of("imagenet", "birds")
    assert (imagenet.name, len(imagenet.lines), len(set(imagenet.lines))) == ("imagenet (80 templates)", 80, 80)
    assert prompts_of("coop", "Flowers102").name == "coop: a photo of a {}, a type of flower."
    assert prompts_of("coop", "oxford_pets").lines == prompts_of("coop:OxfordPets", "birds").lines
    assert prompts_of("coop:EuroSAT", "").texts("AnnualCrop") == ["a centered satellite photo of Annual Crop."]


def test_clips_templates_are_those_of_open_clip():
    open_clip = pytest.importorskip("open_clip")
    assert prompts_of("imagenet", "").lines == tuple(line("{}") for line in open_clip.OPENAI_IMAGENET_TEMPLATES)


def test_the_lines_of_a_file_are_templates(tmp_path: Path):
    path = tmp_path / "zeroshot_classification_templates.txt"
    path.write_text("a photo of a {c}.\n\na drawing of a {c}.\n")
    prompts = prompts_of(str(path), "birds")
    assert prompts.name == "zeroshot_classification_templates.txt (2 templates)"
    assert prompts.texts("gull") == ["a drawing of a gull.", "a photo of a gull."]
    path.write_text("\n")
    with pytest.raises(ValueError, match="has no template; give at least one line"):
        prompts_of(str(path), "birds")


def test_coop_has_no_line_for_an_unknown_set():
    check_templates("coop")  # for which set is not known yet
    with pytest.raises(ValueError, match=r"CoOp has no template for the data set 'birds'; choose one .* EuroSAT"):
        prompts_of("coop", "birds")
    with pytest.raises(ValueError, match="CoOp has no template for the data set 'euro'"):
        check_templates("coop:euro")


@pytest.mark.parametrize(
    ("value", "path"),
    [("openai", False), ("laion2b_s34b_b88k", False), ("a photo of a {}.", False), ("a {}, a pet/animal.", False),
     ("coop:EuroSAT", False), ("x.pt", True), ("./x", True), ("a/b.safetensors", True), (Path("x"), False),
     (("a {}",), False), (None, False)],
)  # fmt: skip
def test_a_text_with_a_separator_or_a_suffix_is_a_path(value, path):
    assert is_path(value) == path
