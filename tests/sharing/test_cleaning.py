"""Shared texts name no place, no user and no host of this machine, and stay the same otherwise."""

from __future__ import annotations

import getpass
import platform
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fewshot.plugins.registry import REGISTRIES
from fewshot.sharing.cleaning import clean_row, cleaned, cleaned_spec, private_word_in, private_words
from tests.support.report_rows import quick_rows, row

PATHS = {
    "ImageFolderSet('/home/ann/birds')": "ImageFolderSet('birds')",
    "ImageFolderSet(root='/home/ann lee/my, birds')": "ImageFolderSet(root='my, birds')",
    'ImageFolderSet("/Users/ann/it\'s")': 'ImageFolderSet("it\'s")',
    "Manifest(path='C:\\\\Users\\\\ann\\\\list.csv')": "Manifest(path='list.csv')",
    "Manifest(path='C:/Users/ann/list.csv')": "Manifest(path='list.csv')",
    "VectorSet('~/vectors.npz')": "VectorSet('vectors.npz')",
    "VectorSet('../ann/vectors.npz')": "VectorSet('vectors.npz')",
    "VectorSet('\\\\\\\\server\\\\share\\\\a.npz')": "VectorSet('a.npz')",
    "Listed('/tmp/a/b.safetensors')": "Listed('b.safetensors')",
    "fewshot run --data /mnt/x/birds --shot 5": "fewshot run --data birds --shot 5",
    "cannot read /home/ann/a.png, it is empty": "cannot read a.png, it is empty",
}
SAME = (
    "Icons(domain='mono')",
    "Balanced(support_from='domain=mono', query_from=None)",
    "timm/vit_base_patch16_224.augreg_in21k",
    "torch 2.8.0, timm 1.0.20",
    "https://example.org/a/b",
    "groups (superclass)",
    "1/2 of the classes",
    "and/or, n/a",
    "~5 points",
    "ImageFolderSet('birds')",
    "ImageFolderSet('/')",
)


@pytest.mark.parametrize("text", PATHS)
def test_only_the_last_name_of_a_path_is_left(text):
    assert cleaned(text) == PATHS[text]


# How a user writes the place of "last": each keeps its last name alone.
PLACES = (
    *("/home/secret/last", "secret/last", "./secret/last", "../secret/last", "~/secret/last", "~secret/last"),
    *("C:\\secret\\last", "C:/secret/last", "C:last", "secret\\last", "\\\\secret\\share\\last", "secret/last/"),
    *("file:///home/secret/last", "file:/secret/last", "/secret/../secret/last"),
)
FIELDS = [
    (registry, name, parameter)
    for registry in REGISTRIES
    for name in registry.names()
    for parameter in registry.signature(name).parameters
    if parameter.base in ("Path", "NameOrPath")
]


@pytest.mark.parametrize(("registry", "name", "parameter"), FIELDS, ids=lambda one: getattr(one, "name", str(one)))
def test_every_field_that_is_a_place_keeps_the_last_name_alone(registry, name, parameter):
    for place in PLACES:
        text = f"{name}({parameter.name}={place!r})"
        if parameter.holds_path(place):
            value = registry.read(cleaned_spec(registry, text)).fields[parameter.name]
            assert value in ("last", "./last"), place
            assert parameter.holds_path(value), "it would name something else"
        else:
            assert cleaned_spec(registry, text) == text


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("dataset", "ImageFolderSet({})"),
        ("dataset", "PseudoLabels(images=ImageFolderSet({}), backbone='resnet18')"),
        ("dataset", "PseudoLabels(images=Icons(), backbone={})"),
        ("split", "FromFile({})"),
        ("backbone", "Checkpoint('resnet18', {})"),
        ("backbone", "Pretrained(network=Checkpoint('resnet18', {}), images=Icons())"),
        ("backbone", "mine:Net(weights={})"),
        ("evaluator", "mine:Head(inner=Prototype(), weights={})"),
        ("sampler", "Listed({})"),
        ("sampler", "PublishedDraws({})"),
        ("network", "Checkpoint('resnet18', {})"),
        ("chosen", "mine:Head(weights={})"),
        ("recipe", "mine:Recipe(weights={})"),
    ],
)
def test_every_column_with_a_spec_loses_its_places(column, text, place):
    inner = f"Checkpoint('resnet18', {place!r})" if "backbone={}" in text else place
    if ":" in text and place == "C:last":
        return  # in own code nobody knows it from a name with a tag
    found = getattr(clean_row(row(**{column: text.format(repr(inner))})), column)
    assert "secret" not in found
    assert "last" in found
    assert clean_row(row(**{column: found})) == row(**{column: found})


@pytest.mark.parametrize("place", PLACES)
def test_a_file_in_a_field_of_text_keeps_its_last_name_alone(place):
    text = f"WebDatasetShards(names={place.rstrip('/') + '-{000..012}.tar'!r})"
    found = clean_row(row(dataset=text)).dataset
    assert "secret" not in found
    assert "last-{000..012}.tar" in found


def test_names_of_a_hub_in_own_code_are_no_places():
    text = "mine:Net(name='hf-hub:owner/network', url='https://example.org/a', group='domain=mono')"
    assert clean_row(row(backbone=text)).backbone == text


def test_known_places_are_cleaned_from_any_sentence():
    text = "cannot read data/birds/gull/1.png of ImageFolderSet(root='./data/birds'), not of mydata/birds2"
    assert cleaned(text, [Path("data/birds")]) == (
        "cannot read birds/gull/1.png of ImageFolderSet(root='birds'), not of mydata/birds2"
    )


@pytest.mark.parametrize("text", SAME)
def test_other_texts_stay(text):
    assert cleaned(text) == text


def test_rows_without_paths_stay():
    for one in quick_rows():
        assert clean_row(one) == one


@given(st.lists(st.text("abcXYZ 012.-_", min_size=1).filter(str.strip), min_size=2, max_size=6))
def test_no_folder_of_any_path_is_left(parts):
    parts = [f"secret{part}" for part in parts[:-1]] + [parts[-1].strip(". ") or "x"]
    found = clean_row(row(dataset=f"ImageFolderSet(root={'/' + '/'.join(parts)!r})"))
    assert "secret" not in found.dataset
    assert found.run_id == row(dataset=f"ImageFolderSet(root={'/' + '/'.join(parts)!r})").run_id


def test_names_of_this_user_and_machine_are_found_as_words(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "annlee")
    monkeypatch.setattr(platform, "node", lambda: "gpu-17.lab.example")
    monkeypatch.setattr(Path, "home", lambda: Path("/home/annlee"))
    words = private_words()
    assert {"annlee", "gpu-17", "gpu-17.lab.example", "/home/annlee"} == set(words)
    assert private_word_in("ImageFolderSet('annlee/birds')", words) == "annlee"
    assert private_word_in("ImageFolderSet('annlees/birds')", words) == ""
    assert private_word_in("a run on gpu-17", words) == "gpu-17"


def test_general_names_are_no_private_words(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    monkeypatch.setattr(platform, "node", lambda: "localhost")
    monkeypatch.setattr(Path, "home", lambda: Path("/root"))
    assert private_words() == []
