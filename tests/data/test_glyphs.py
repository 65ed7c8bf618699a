"""The embedded glyphs: what their manifest promises holds, and the cleaning rules were applied."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fewshot.data import FOLDER, contact_sheet, glyphs
from fewshot.data.greys import level_table, pack_greys, quantise, unpack_greys

from fewshot.datasets.glyphs import Glyphs
from fewshot.splits import PARTS
from fewshot.splits.by_group import ByGroup
from fewshot.splits.committed import Committed

ALLOWED = {
    "OFL-1.1",
    "Apache-2.0",
    "MIT",
    "BSD-3-Clause",
    "CC0-1.0",
    "Bitstream-Vera",
    "Baekmuk",
    "public-domain",
}
NOVEL, VALIDATION = {"hebrew", "hangul", "katakana", "telugu"}, {"arabic"}
SCRIPTS = {"latin", "greek", "cyrillic", "hebrew", "arabic", "hiragana", "katakana", "hangul", "han", "telugu"}


@pytest.fixture(scope="module")
def arrays() -> glyphs.GlyphArrays:
    return glyphs.load()


def read_json(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / name).read_text(encoding="utf-8")))


def thumbnails(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """[n, 256] in [0, 1], averaged over 2 x 2 pixels."""
    small = pixels.reshape(-1, 16, 2, 16, 2).mean(axis=(2, 4), dtype=np.float32) / 255
    return np.asarray(small.reshape(len(pixels), -1))


def test_the_file_is_the_one_the_manifest_names() -> None:
    listing = glyphs.manifest()
    assert hashlib.sha256((FOLDER / listing["file"]).read_bytes()).hexdigest() == listing["sha256"]


def test_the_digest_is_that_of_the_decoded_pixels(arrays: glyphs.GlyphArrays) -> None:
    listing = glyphs.manifest()
    assert arrays.pixels.shape == (listing["images"], 32, 32)
    assert arrays.pixels.dtype == np.uint8
    assert set(np.unique(arrays.pixels)) <= set(level_table(16))
    assert hashlib.sha256(arrays.pixels.tobytes()).hexdigest() == arrays.images_digest == listing["images_digest"]


def test_images_are_sorted_by_class_then_typeface(arrays: glyphs.GlyphArrays) -> None:
    keys = list(zip(arrays.labels.tolist(), arrays.typeface_of.tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert list(arrays.class_names) == sorted(set(arrays.class_names))
    assert list(arrays.typefaces) == sorted(set(arrays.typefaces))
    assert len(set(arrays.ids.tolist())) == len(arrays.ids)


def test_every_class_has_enough_images_and_not_too_many(arrays: glyphs.GlyphArrays) -> None:
    counts = np.bincount(arrays.labels, minlength=len(arrays.class_names))
    assert counts.tolist() == [entry["images"] for entry in glyphs.manifest()["classes"]]
    assert counts.min() >= 20
    assert counts.max() <= 24


def test_there_are_ten_scripts_of_at_most_24_typefaces(arrays: glyphs.GlyphArrays) -> None:
    assert set(arrays.scripts) == SCRIPTS
    script_of_image = np.array(arrays.scripts)[arrays.labels]
    for script in SCRIPTS:
        assert 20 <= len(np.unique(arrays.typeface_of[script_of_image == script])) <= 24, script


def test_a_class_is_named_after_its_character_in_ways_a_file_can_be(arrays: glyphs.GlyphArrays) -> None:
    assert len({name.casefold() for name in arrays.class_names}) == len(arrays.class_names)
    for name, character, script in zip(arrays.class_names, arrays.characters, arrays.scripts, strict=True):
        assert re.fullmatch(rf"{script}/[a-z0-9-]+", name)
        assert set(name.partition("/")[2].split("-")) <= set(
            re.split("[ -]", unicodedata.name(character).lower().replace("cjk unified ideograph-", "u"))
        )
    assert all(re.fullmatch(r"[A-Za-z0-9-]+:U\+[0-9A-F]{4}", id) for id in arrays.ids.tolist())


def test_every_typeface_used_was_chosen_and_comes_from_a_package_under_an_allowed_licence() -> None:
    listing, licences = glyphs.manifest(), read_json("glyph_packages.json")
    packages = {entry["name"]: entry for entry in listing["packages"]}
    assert {entry["licence"] for entry in packages.values()} <= ALLOWED
    assert all(licences[name] == entry["licence"] for name, entry in packages.items())
    assert all(entry["version"] and len(entry["sha256"]) == 64 for entry in packages.values())
    chosen = {(e["name"], e["package"]) for members in read_json("glyph_typefaces.json").values() for e in members}
    used = {(entry["name"], entry["package"]) for entry in listing["typefaces"]}
    assert used <= chosen
    assert {package for _, package in used} == set(packages)


def test_notice_names_every_typeface_and_how_many_of_its_drawings_are_used(arrays: glyphs.GlyphArrays) -> None:
    text = (FOLDER / "NOTICE-glyphs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (\S+) \| .+ \| (\d+) \|$", text, re.MULTILINE)
    licence_of = {entry["name"]: entry["licence"] for entry in glyphs.manifest()["packages"]}
    assert [row[0] for row in rows] == list(arrays.typefaces)
    assert all(licence_of[package] == licence for _, package, licence, _ in rows)
    used = Counter(id.split(":")[0] for id in arrays.ids.tolist())
    assert {row[0]: int(row[3]) for row in rows} == used


def test_no_rejected_drawing_is_left(arrays: glyphs.GlyphArrays) -> None:
    removed = read_json("glyphs_removed.json")
    assert all(isinstance(reason, str) and reason for reason in removed.values())
    assert not set(arrays.ids.tolist()) & set(removed)
    scripts = np.array(arrays.scripts)[arrays.labels].tolist()
    typefaces = {f"{script}/{id.split(':')[0]}" for script, id in zip(scripts, arrays.ids.tolist(), strict=True)}
    assert not typefaces & set(removed)


def test_no_class_holds_the_same_drawing_twice(arrays: glyphs.GlyphArrays) -> None:
    small = thumbnails(arrays.pixels)
    for label in range(len(arrays.class_names)):
        rows = small[arrays.labels == label]
        distances = ((rows[:, None] - rows) ** 2).mean(axis=2) + np.eye(len(rows))
        assert distances.min() >= 0.059**2, arrays.class_names[label]


def test_no_two_classes_look_alike(arrays: glyphs.GlyphArrays) -> None:
    small = thumbnails(arrays.pixels)
    chosen = np.isin(arrays.labels, np.random.default_rng(1).choice(len(arrays.class_names), 80, replace=False))
    squares = (small**2).sum(axis=1)
    distances = (squares[chosen, None] + squares - 2 * small[chosen] @ small.T) / small.shape[1]
    assert distances[arrays.labels[chosen, None] != arrays.labels].min() >= 0.099**2


def test_the_split_divides_the_classes_by_script() -> None:
    dataset = Glyphs()
    images = dataset.load()
    split = Committed("glyphs").split(images)
    assert dataset.default_split() == "Committed(name='glyphs')"
    script = images.class_groups["script"]
    found = {part: {script.names[script.codes[c]] for c in split.classes(part, images)} for part in PARTS}
    assert found == {"novel": NOVEL, "validation": VALIDATION, "seen": SCRIPTS - NOVEL - VALIDATION}
    assert split == ByGroup("script", tuple(sorted(NOVEL)), tuple(VALIDATION)).split(images)


def test_the_data_set_groups_images_by_typeface_and_family_and_classes_by_script(arrays: glyphs.GlyphArrays) -> None:
    images = Glyphs().load()
    assert len(images) == len(arrays.labels)
    assert images.images[0].mode == "RGB"
    assert images.images[0].size == (32, 32)
    typeface, family = images.image_groups["typeface"], images.image_groups["family"]
    assert [typeface.names[code] for code in typeface.codes] == [id.split(":")[0] for id in arrays.ids.tolist()]
    families = {entry["name"]: entry["family"] for entry in glyphs.manifest()["typefaces"]}
    assert all(
        families[typeface.names[t]] == family.names[f] for t, f in zip(typeface.codes, family.codes, strict=True)
    )
    assert images.class_groups["script"].mask("hangul").sum() == sum(script == "hangul" for script in arrays.scripts)
    assert images.class_groups["orientation_matters"].names == ("yes",)


def test_greys_are_packed_two_to_a_byte_and_back() -> None:
    pixels = np.random.default_rng(0).choice(level_table(16), (3, 32, 32))
    packed = pack_greys(pixels)
    assert packed.shape == (3, 16, 32)
    assert np.array_equal(unpack_greys(packed), pixels)


@pytest.mark.parametrize("levels", [16, 32])
def test_black_and_white_survive_quantisation(levels: int) -> None:
    every = np.arange(256, dtype=np.uint8)
    quantised = quantise(every, levels)
    assert quantised[0] == 0
    assert quantised[-1] == 255
    assert np.abs(quantised.astype(int) - every).max() <= 255 / (levels - 1) / 2 + 0.5


def test_a_contact_sheet_of_glyphs_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--domain", "glyphs", "--seed", "5", "--count", "40", "--out", str(tmp_path / "sheet.png")]
    monkeypatch.setattr(sys, "argv", ["contact_sheet", *arguments])
    contact_sheet.main()
    assert (tmp_path / "sheet.png").stat().st_size > 0
    assert len(capsys.readouterr().out.splitlines()) == 40


class TestBuilder:
    """Runs where fontTools is installed; it is needed to rebuild only."""

    @pytest.fixture(autouse=True)
    def builder(self) -> None:
        pytest.importorskip("fontTools", reason="fontTools is needed to build the glyphs only")

    def test_class_names_are_read_from_unicode(self) -> None:
        from fewshot.data.build_glyphs import class_name

        assert class_name("latin", "A") == "latin/capital-a"
        assert class_name("latin", "a") == "latin/small-a"
        assert class_name("hebrew", "ך") == "hebrew/final-kaf"
        assert class_name("hangul", "가") == "hangul/ga"
        assert class_name("han", "水") == "han/u6c34"

    def test_a_missing_package_is_named(self, tmp_path: Path) -> None:
        from fewshot.data.typefaces import unpack_packages

        with pytest.raises(ValueError, match=r"has 0 files fonts-none_\*\.deb, expected one; get it with"):
            unpack_packages(tmp_path, ["fonts-none"], tmp_path)

    def test_a_drawing_in_two_classes_is_dropped_from_both(self) -> None:
        from fewshot.data.building import drop_shared

        points = np.array([[0.0], [0.05], [0.5], [0.9], [0.91]], np.float32)
        kept, shared = drop_shared(["a", "b", "b", "c", "c"], points, 0.1)
        assert kept.tolist() == [False, False, True, True, True]
        assert shared == {("a", "b"): 1}

    def test_farthest_points_begin_in_the_middle_and_spread(self) -> None:
        from fewshot.data.choose_typefaces import farthest_points

        drawings = np.array([0.0, 4.0, 5.0, 6.0, 11.0], np.float32).reshape(5, 1, 1)
        assert farthest_points(drawings, 3) == [2, 4, 0]

    def test_a_typeface_with_capitals_for_small_letters_is_recognised(self) -> None:
        from fewshot.data.choose_typefaces import draws_capitals

        alphabet = np.eye(4, dtype=np.float32)  # A, B, a, b
        capitals_only = alphabet[[0, 1, 0, 1]]
        drawings = np.stack([alphabet, alphabet, alphabet, capitals_only])
        assert draws_capitals(drawings, "ABab").tolist() == [False, False, False, True]
        assert not draws_capitals(drawings[:, :2], "אב").any()

    def test_a_typeface_draws_black_on_white_up_to_the_margin(self) -> None:
        import matplotlib
        from fewshot.data.typefaces import Package, read_typefaces

        path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
        [typeface] = read_typefaces(Package("fonts-test", "1", "", path.parent), path)
        assert (typeface.name, typeface.family) == ("DejaVuSans", "DejaVu Sans")
        tile = typeface.render("H")
        assert tile is not None
        assert tile.shape == (32, 32)
        assert (tile[:2] == 255).all()
        assert tile[2:30].min(axis=1).max() < 128
        assert set(typeface.render_all("H\u3042")) == {"H"}
