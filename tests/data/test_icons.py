"""The embedded icons: what their manifest promises holds, and the cleaning rules were applied."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fewshot.data import FOLDER, contact_sheet, icons

ALLOWED = {
    "MIT",
    "Apache-2.0",
    "ISC",
    "BSD-3-Clause",
    "CC0-1.0",
    "Unlicense",
    "OFL-1.1",
    "MPL-2.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
}
NOVEL, VALIDATION = {"animal", "food", "vehicle", "leisure"}, {"nature"}


@pytest.fixture(scope="module", params=icons.DOMAINS)
def domain(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def arrays(domain: str) -> icons.IconArrays:
    return icons.load(domain)


def read_json(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / name).read_text(encoding="utf-8")))


def test_the_file_is_the_one_the_manifest_names(domain: str) -> None:
    entry = icons.manifest()["domains"][domain]
    assert hashlib.sha256((FOLDER / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]


def test_the_digest_is_that_of_the_decoded_pixels(domain: str, arrays: icons.IconArrays) -> None:
    entry = icons.manifest()["domains"][domain]
    shape = (entry["images"], 48, 48) if domain == "mono" else (entry["images"], 48, 48, 3)
    assert arrays.pixels.shape == shape
    assert arrays.pixels.dtype == np.uint8
    digest = hashlib.sha256(arrays.pixels.tobytes()).hexdigest()
    assert digest == arrays.images_digest == entry["images_digest"]


def test_the_checksum_of_the_class_list_can_be_recomputed() -> None:
    for name in ("mono", "colour", "both"):
        split = read_json(f"splits/icons_{name}.json")
        classes = sorted(split["seen"] + split["validation"] + split["novel"])
        assert hashlib.sha256("\n".join(classes).encode()).hexdigest() == split["classes_digest"]


def test_images_are_sorted_by_class_then_id(arrays: icons.IconArrays) -> None:
    keys = list(zip(arrays.labels.tolist(), arrays.ids.tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert list(arrays.class_names) == sorted(set(arrays.class_names))


def test_every_class_has_enough_images_and_not_too_many(domain: str, arrays: icons.IconArrays) -> None:
    counts = np.bincount(arrays.labels, minlength=len(arrays.class_names))
    listed = [entry[f"{domain}_images"] for entry in icons.manifest()["classes"]]
    assert counts.tolist() == listed
    if domain == "mono":
        assert counts.min() >= 20
    else:
        assert counts[counts > 0].min() >= 10
    assert counts.max() <= 40


def test_every_code_has_a_name_and_every_set_one_artist(arrays: icons.IconArrays) -> None:
    assert len(arrays.sets.codes) == len(arrays.artists.codes) == len(arrays.ids)
    prefixes = [arrays.sets.names[code] for code in arrays.sets.codes]
    assert prefixes == [id.split(":")[0] for id in arrays.ids.tolist()]
    artists: dict[str, str] = {}
    for prefix, code in zip(prefixes, arrays.artists.codes.tolist(), strict=True):
        assert artists.setdefault(prefix, arrays.artists.names[code]) == arrays.artists.names[code]


def test_no_rejected_drawing_is_left(arrays: icons.IconArrays) -> None:
    assert not set(arrays.ids.tolist()) & set(read_json("icons_removed.json"))


def test_removed_drawings_have_a_reason() -> None:
    assert all(isinstance(reason, str) and reason for reason in read_json("icons_removed.json").values())


def thumbnails(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """[n, 24 * 24 * 3] in [0, 1], averaged over 2 x 2 pixels."""
    colour = np.broadcast_to(pixels.reshape(len(pixels), 48, 48, -1), (len(pixels), 48, 48, 3)) / 255
    return np.asarray(colour.reshape(-1, 24, 2, 24, 2, 3).mean(axis=(2, 4)).reshape(len(pixels), -1))


def test_no_class_holds_the_same_drawing_twice(arrays: icons.IconArrays) -> None:
    present = np.unique(arrays.labels)
    for label in np.random.default_rng(0).choice(present, 60, replace=False):
        small = thumbnails(arrays.pixels[arrays.labels == label])
        for place, first in enumerate(small[:-1]):
            nearest = np.sqrt(((small[place + 1 :] - first) ** 2).mean(axis=1)).min()
            assert nearest >= 0.099, arrays.class_names[label]


def test_classes_do_not_share_drawings(arrays: icons.IconArrays) -> None:
    labels = np.random.default_rng(1).choice(np.unique(arrays.labels), 20, replace=False)
    chosen = np.isin(arrays.labels, labels)
    small, of_image = thumbnails(arrays.pixels[chosen]), arrays.labels[chosen]
    squares = (small**2).sum(axis=1)
    distances = (squares[:, None] + squares - 2 * small @ small.T) / small.shape[1]
    assert distances[of_image[:, None] != of_image].min() >= 0.099**2


def test_notice_names_every_set_under_an_allowed_licence() -> None:
    rows = re.findall(
        r"^\| (\S+) \| .* \| (\S+) \| (\S+) \| (\d+) \|$",
        (FOLDER / "NOTICE.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    listing = icons.manifest()
    assert [row[0] for row in rows] == listing["sets"]
    assert {row[1] for row in rows} <= ALLOWED
    assert all(row[2].startswith("http") for row in rows)
    used: Counter[str] = Counter()
    for domain in icons.DOMAINS:
        arrays = icons.load(domain)
        used.update(id.split(":")[0] for id in arrays.ids.tolist())
    assert {row[0]: int(row[3]) for row in rows} == used


def test_splits_divide_the_classes_by_superclass() -> None:
    entries = icons.manifest()["classes"]
    expected = {
        "mono": {entry["id"] for entry in entries if entry["mono_images"]},
        "colour": {entry["id"] for entry in entries if entry["colour_images"]},
    }
    expected["both"] = expected["mono"] & expected["colour"]
    superclass = {entry["id"]: entry["superclass"] for entry in entries}
    for name, classes in expected.items():
        split = read_json(f"splits/icons_{name}.json")
        parts = {part: split[part] for part in ("seen", "validation", "novel")}
        assert sorted(itertools.chain(*parts.values())) == sorted(classes)
        assert {superclass[id] for id in parts["novel"]} == NOVEL
        assert {superclass[id] for id in parts["validation"]} == VALIDATION


def test_direction_matters_for_arrows_and_letters_but_not_for_animals() -> None:
    matters = {entry["id"]: entry["orientation_matters"] for entry in icons.manifest()["classes"]}
    assert all(matters[name] for name in ("arrow-left", "arrow-right", "undo", "redo", "bold", "question"))
    assert not any(matters[name] for name in ("cat", "house", "star", "car"))


def test_an_unknown_domain_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown icon domain 'grey'; known: mono, colour"):
        icons.load("grey")


def test_the_same_seed_draws_the_same_contact_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = []
    for seed, name in ((5, "first.png"), (5, "second.png"), (6, "third.png")):
        out = tmp_path / name
        arguments = ["--seed", str(seed), "--count", "40", "--out", str(out)]
        monkeypatch.setattr(sys, "argv", ["contact_sheet", *arguments])
        contact_sheet.main()
        pictures.append(out.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]
    assert len(capsys.readouterr().out.splitlines()) == 120


def test_a_sample_larger_than_the_data_is_refused(arrays: icons.IconArrays) -> None:
    with pytest.raises(ValueError, match="count = 100,000, but there are"):
        contact_sheet.sample(arrays, 0, 100000)


class TestBuilder:
    """Runs where resvg-py is installed; it is needed to rebuild only."""

    @pytest.fixture(autouse=True)
    def builder(self) -> None:
        pytest.importorskip("resvg_py", reason="resvg-py is needed to build the icons only")

    def test_style_words_and_one_number_are_stripped(self) -> None:
        from fewshot.data.build_icons import strip_style

        stems = [stem for stem, _, _ in strip_style("home-2-outline-24")]
        assert stems == ["home-2-outline-24", "home-2-outline", "home-2", "home"]
        assert [stem for stem, _, _ in strip_style("eye-off-fill")] == ["eye-off-fill", "eye-off"]

    def test_a_missing_archive_is_named(self, tmp_path: Path) -> None:
        from fewshot.data.build_icons import read_sets

        with pytest.raises(FileNotFoundError, match=r"has no file iconify-json-2\.2\.535\.tgz; get it"):
            read_sets(tmp_path)

    def test_another_archive_is_refused(self, tmp_path: Path) -> None:
        from fewshot.data.build_icons import read_sets

        with tarfile.open(tmp_path / "iconify-json-2.2.535.tgz", "w:gz"):
            pass
        with pytest.raises(ValueError, match=r"has sha256 .*, expected 1a545f86.*; fetch it again"):
            read_sets(tmp_path)

    @pytest.mark.parametrize("domain", icons.DOMAINS)
    def test_pack_is_undone_by_unpack(self, domain: str) -> None:
        from fewshot.data.build_icons import pack
        from fewshot.data.greys import level_table

        shape = (3, 48, 48) if domain == "mono" else (3, 48, 48, 3)
        pixels = np.random.default_rng(0).choice(level_table(icons.LEVELS[domain]), shape)
        assert np.array_equal(icons.unpack(pack(pixels), domain), pixels)

    def test_a_drawing_fills_its_tile_but_for_the_margin(self) -> None:
        from fewshot.data.build_icons import render

        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="144" height="144">'
            '<path d="M2 8L12 3L22 8L12 13z"/></svg>'
        )
        tile = render(svg, "mono")
        assert tile is not None
        rows, columns = (np.flatnonzero((tile < 128).any(axis=axis)) for axis in (1, 0))
        assert columns[0] in (2, 3)
        assert columns[-1] in (44, 45)
        assert abs((columns[-1] - columns[0]) / (rows[-1] - rows[0]) - 2) < 0.15

    def test_empty_and_plain_tiles_are_refused(self) -> None:
        from fewshot.data.build_icons import render

        frame = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="144" height="144">{}</svg>'
        assert render(frame.format(""), "mono") is None
        assert render(frame.format('<path d="M1 1h7v7h-7z"/>'), "mono") is None
