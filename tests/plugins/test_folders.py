"""The signatures of a folder on disk: exactly those of its sources, and never older ones."""

from __future__ import annotations

import json

import pytest

from fewshot.plugins import folders
from fewshot.plugins.registry import LAWS, REGISTRIES, STUDIES
from fewshot.plugins.signature import parse_folder, sources_of

PACKAGES = [place for each in (*REGISTRIES, LAWS, STUDIES) for place in (each.package, *each.further)]


@pytest.fixture
def read(own_home):
    """Reads a folder as a new process does."""
    folders.read_folder.cache_clear()
    yield folders.read_folder.__wrapped__
    folders.read_folder.cache_clear()


def kept(home):
    return sorted((home / "signatures").glob("*.json"))


@pytest.mark.parametrize("package", PACKAGES)
def test_kept_signatures_are_those_of_the_sources(package, read, own_home, monkeypatch):
    parsed = read(package)
    assert kept(own_home)
    monkeypatch.setattr(folders, "parse_folder", None)  # from now on, only the file can answer
    again = read(package)
    assert again == parsed == parse_folder(package, sources_of(package))
    assert list(again) == list(parsed)
    assert [repr(one.declared) for one in again.values()] == [repr(one.declared) for one in parsed.values()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one member, and its file."""
    (tmp_path / "sweets").mkdir()
    (tmp_path / "sweets" / "__init__.py").write_text("class Sweet: pass\n")
    member = tmp_path / "sweets" / "fudge.py"
    member.write_text("@dataclass\nclass Fudge(Sweet):\n    sugar: float = 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return member


def default(read):
    return read("sweets")["Fudge"].parameters[0].default


@pytest.mark.parametrize("text", ["sugar: float = 2.0", "sugar: float = 12.5"])
def test_a_changed_source_is_parsed_again(text, folder, read):
    assert default(read) == 1.0
    folder.write_text(folder.read_text().replace("sugar: float = 1.0", text))
    assert default(read) == float(text.rpartition(" ")[2])


def test_a_new_member_is_found_and_a_removed_one_is_not(folder, read):
    assert list(read("sweets")) == ["Fudge"]
    folder.with_name("toffee.py").write_text("@dataclass\nclass Toffee(Sweet):\n    pass\n")
    assert list(read("sweets")) == ["Fudge", "Toffee"]
    folder.unlink()
    assert list(read("sweets")) == ["Toffee"]


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"form": 1}', "\x00", "form", "signatures"])
def test_a_damaged_file_is_parsed_again(damage, folder, read, own_home):
    read("sweets")
    (file,) = kept(own_home)
    content = json.loads(file.read_text())
    other = {"form": {**content, "form": 0}, "signatures": {**content, "signatures": {"Fudge": [1]}}}
    file.write_text(json.dumps(other[damage]) if damage in other else damage)
    assert default(read) == 1.0


@pytest.mark.parametrize("value", ["9.0", "0.1"])
def test_a_default_that_changed_on_the_disk_is_not_believed(value, folder, read, own_home):
    read("sweets")
    (file,) = kept(own_home)
    assert file.read_text().count("1.0") == 1
    file.write_text(file.read_text().replace("1.0", value))
    assert default(read) == 1.0


def test_a_home_that_cannot_be_written_costs_only_time(folder, read, own_home):
    own_home.write_text("a file, where a folder should be")
    assert default(read) == 1.0


def test_a_literal_that_no_file_can_hold_is_parsed_each_time(folder, read, own_home):
    folder.write_text("@dataclass\nclass Fudge(Sweet):\n    sugar: float = 1.0\n    tags = {'a', 'b'}\n")
    assert read("sweets")["Fudge"].declared["tags"] == {"a", "b"}
    assert not kept(own_home)
