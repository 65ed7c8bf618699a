"""Builds the embedded glyphs: one character is one class, one typeface's drawing of it is one image.

    pip install -r data/requirements-build.txt
    mkdir packages && cd packages
    apt-get update && apt-get download $(python -m fewshot.data.build_glyphs --list)     # Debian 12
    cd .. && python -m fewshot.data.build_glyphs --source packages

Reads glyph_typefaces.json (what choose_typefaces.py chose), glyph_characters.json and glyphs_removed.json (drawings
a person rejected); checks each font file's sha256 against glyphs.json, unless --accept-other-versions is given; writes
glyphs.npz, glyphs.json, NOTICE-glyphs.md and splits/glyphs.json next to this file: the same bytes from the same
packages and requirements. About a minute on one core, and dpkg-deb is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fontTools  # type: ignore[import-untyped]
import numpy as np
import PIL
from PIL import features

from . import FOLDER
from .building import drop_shared, near_pairs, write_arrays, write_json, write_split
from .greys import Pixels, pack_greys
from .typefaces import Package, Typeface, find_typefaces, unpack_packages, vectors

LOOK_ALIKE_RMS = 0.10  # tiles of two classes this close at 16 x 16 pixels look alike
LOOK_ALIKE_PART = 0.10  # a class with more of its images like those of another class is dropped
COPY_RMS = 0.06  # tiles of one class this close are the same drawing under two names
FEWEST = 20  # images a class
NOVEL, VALIDATION = frozenset({"hebrew", "hangul", "katakana", "telugu"}), frozenset({"arabic"})
ACKNOWLEDGEMENT = (
    "Baekmuk Batang, Baekmuk Dotum, Baekmuk Gulim, and Baekmuk Headline are registered trademarks owned by "
    "Kim Jeong-Hwan."
)


@dataclass(frozen=True)
class Glyph:
    """A typeface's drawing of a character."""

    label: str
    script: str
    character: str
    typeface: Typeface
    pixels: Pixels


def class_name(script: str, character: str) -> str:
    """'latin/capital-a', 'hebrew/final-kaf', 'hangul/ga', 'han/u6c34': no two differ in case only."""
    words = unicodedata.name(character).lower().replace("cjk unified ideograph-", "u").split()
    return f"{script}/{'-'.join(word for word in words if word not in {script, 'letter', 'syllable'})}"


def draw_glyphs(
    chosen: Mapping[str, Sequence[Typeface]], characters: Mapping[str, str], removed: set[str]
) -> list[Glyph]:
    """Every drawing of every script's characters by its typefaces, without those removed; sorted by (class, name)."""
    glyphs = []
    for script, typefaces in chosen.items():
        for typeface in typefaces:
            for character, pixels in typeface.draw_all(characters[script]).items():
                if f"{typeface.name}:U+{ord(character):04X}" not in removed:
                    glyphs.append(Glyph(class_name(script, character), script, character, typeface, pixels))
    return sorted(glyphs, key=lambda glyph: (glyph.label, glyph.typeface.name))


def drop_look_alikes(glyphs: list[Glyph]) -> list[Glyph]:
    """Without the classes that look like another, of two the one of the later name; then without any drawing that is
    close to one of another class, as when a typeface draws capitals for small letters."""
    while True:
        labels = [glyph.label for glyph in glyphs]
        kept, shared = drop_shared(labels, vectors(np.stack([glyph.pixels for glyph in glyphs])), LOOK_ALIKE_RMS)
        bad = Counter(label for label, is_kept in zip(labels, kept, strict=True) if not is_kept)
        sizes = Counter(labels)
        worst = [pair for pair, _ in shared.most_common() if bad[pair[1]] > LOOK_ALIKE_PART * sizes[pair[1]]]
        if not worst:
            for (first, second), count in shared.most_common():
                print(f"'{first}' and '{second}' share {count} drawings, dropped from both")
            return [glyph for glyph, is_kept in zip(glyphs, kept, strict=True) if is_kept]
        first, second = worst[0]
        print(f"{bad[second]} of {sizes[second]} drawings of '{second}' look like '{first}' or others, dropped")
        glyphs = [glyph for glyph in glyphs if glyph.label != second]


def drop_copies(glyphs: list[Glyph]) -> list[Glyph]:
    """Without the drawings that a typeface of an earlier name has too."""
    pairs = near_pairs(vectors(np.stack([glyph.pixels for glyph in glyphs])), COPY_RMS)
    copies = {int(second) for first, second in pairs if first < second and glyphs[first].label == glyphs[second].label}
    return [glyph for place, glyph in enumerate(glyphs) if place not in copies]


def drop_small_classes(glyphs: list[Glyph]) -> list[Glyph]:
    """Without the classes of fewer than FEWEST drawings."""
    sizes = Counter(glyph.label for glyph in glyphs)
    for label, size in sizes.items():
        if size < FEWEST:
            print(f"'{label}' has {size} drawings, dropped")
    return [glyph for glyph in glyphs if sizes[glyph.label] >= FEWEST]


def check_files(typefaces: Sequence[Typeface], path: Path) -> None:
    """A ValueError that names a font file other than the one the manifest was built from."""
    known = {entry["name"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))["typefaces"]}
    for typeface in typefaces:
        entry = known.get(typeface.name)
        if entry and entry["sha256"] != file_digest(typeface):
            package = typeface.package
            raise ValueError(
                f"{package.name} {package.version} has another {typeface.file} than the one glyphs.json was built "
                f"from ({entry['package']}); get that version, or pass --accept-other-versions"
            )


def file_digest(typeface: Typeface) -> str:
    return hashlib.sha256((typeface.package.folder / typeface.file).read_bytes()).hexdigest()


def write_manifest(path: Path, glyphs: Sequence[Glyph], licences: Mapping[str, str]) -> None:
    """Writes glyphs.npz beside the manifest, then the manifest."""
    typefaces = sorted({glyph.typeface.name: glyph.typeface for glyph in glyphs}.items())
    code_of = {name: code for code, (name, _) in enumerate(typefaces)}
    classes = [(label, list(group)) for label, group in itertools.groupby(glyphs, key=lambda glyph: glyph.label)]
    pixels = np.stack([glyph.pixels for glyph in glyphs])
    sha256 = write_arrays(
        path.with_suffix(".npz"),
        {
            "pixels": pack_greys(pixels),
            "label": np.repeat(np.arange(len(classes)), [len(group) for _, group in classes]).astype(np.int16),
            "typeface": np.array([code_of[glyph.typeface.name] for glyph in glyphs], np.int16),
        },
    )
    packages: dict[str, Package] = {typeface.package.name: typeface.package for _, typeface in typefaces}
    manifest: dict[str, Any] = {
        "built_from": {
            "freetype": features.version("freetype2"),
            "pillow": PIL.__version__,
            "fonttools": fontTools.version,
            "numpy": np.__version__,
        },
        "packages": [
            {"name": name, "version": one.version, "licence": licences[name], "sha256": one.sha256}
            for name, one in sorted(packages.items())
        ],
        "file": "glyphs.npz",
        "images": len(glyphs),
        "sha256": sha256,
        "images_digest": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "classes": [
            {"id": label, "character": group[0].character, "script": group[0].script, "images": len(group)}
            for label, group in classes
        ],
        "typefaces": [
            {
                "name": name,
                "family": one.family,
                "package": one.package.name,
                "file": one.file,
                "index": one.index,
                "sha256": file_digest(one),
            }
            for name, one in typefaces
        ],
    }
    write_json(path, manifest)


def write_notice(path: Path, glyphs: Sequence[Glyph], licences: Mapping[str, str]) -> None:
    """A table of the typefaces used: name, package, licence, rights, number of images."""
    used = Counter(glyph.typeface.name for glyph in glyphs)
    typefaces = sorted({glyph.typeface.name: glyph.typeface for glyph in glyphs}.items())
    lines = [
        "# Notice: the drawings in glyphs.npz",
        "",
        "Written by build_glyphs.py. The characters were drawn with the typefaces below, from Debian packages, whose",
        "fonts are under the licences named. The drawings were cropped, scaled to 32 x 32 pixels on white and reduced",
        "to 16 levels of grey; no font is included. No author endorses this use.",
        "",
        ACKNOWLEDGEMENT,
        "",
        "| typeface | package | licence | copyright line in the font | images |",
        "|---|---|---|---|---|",
    ]
    for name, typeface in typefaces:
        rights = typeface.rights.replace("|", "/")
        rights = rights if len(rights) <= 200 else rights[:197] + "..."
        cells = (name, typeface.package.name, licences[typeface.package.name], rights or "none", str(used[name]))
        lines.append(f"| {' | '.join(cells)} |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def find_chosen(
    typefaces: Sequence[Typeface], entries: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, list[Typeface]]:
    """The typefaces of every script, by package and name."""
    by_name = {(typeface.package.name, typeface.name): typeface for typeface in typefaces}
    for script, members in entries.items():
        for entry in members:
            if (entry["package"], entry["name"]) not in by_name:
                raise ValueError(
                    f"{entry['package']} has no typeface {entry['name']}, which glyph_typefaces.json names for "
                    f"{script}; get another version of the package, or run choose_typefaces.py again"
                )
    return {
        script: [by_name[entry["package"], entry["name"]] for entry in members] for script, members in entries.items()
    }


def build(source: Path, scratch: Path, folder: Path, accept_other_versions: bool) -> None:
    """Writes every file of the glyphs into `folder`, which holds the lists."""
    lists = {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("glyph_packages", "glyph_characters", "glyph_typefaces", "glyphs_removed")
    }
    packages = unpack_packages(source, package_names(folder), scratch)
    chosen = find_chosen(find_typefaces(packages), lists["glyph_typefaces"])
    if not accept_other_versions:
        check_files([one for members in chosen.values() for one in members], folder / "glyphs.json")
    glyphs = draw_glyphs(chosen, lists["glyph_characters"], set(lists["glyphs_removed"]))
    glyphs = drop_small_classes(drop_look_alikes(drop_copies(glyphs)))
    write_manifest(folder / "glyphs.json", glyphs, lists["glyph_packages"])
    write_split(folder / "splits" / "glyphs.json", {one.label: one.script for one in glyphs}, NOVEL, VALIDATION)
    write_notice(folder / "NOTICE-glyphs.md", glyphs, lists["glyph_packages"])
    print(f"{len({glyph.label for glyph in glyphs})} classes, {len(glyphs)} images")


def package_names(folder: Path) -> list[str]:
    """The packages that the chosen typefaces are in."""
    entries = json.loads((folder / "glyph_typefaces.json").read_text(encoding="utf-8"))
    return sorted({entry["package"] for members in entries.values() for entry in members})


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the embedded glyphs.")
    parser.add_argument("--list", action="store_true", help="only print the names of the packages")
    parser.add_argument("--source", type=Path, help="folder with the .deb files")
    parser.add_argument("--scratch", type=Path, help="where to unpack them, to be kept; otherwise a temporary folder")
    parser.add_argument("--accept-other-versions", action="store_true", help="draw font files that are not the same")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the lists are read and files go")
    arguments = parser.parse_args()
    if arguments.list:
        print(*package_names(arguments.folder))
        return
    if arguments.source is None:
        parser.error("--source is missing: the folder with the .deb files")
    with tempfile.TemporaryDirectory() as scratch:
        build(
            arguments.source,
            arguments.scratch or Path(scratch),
            arguments.folder,
            arguments.accept_other_versions,
        )


if __name__ == "__main__":
    main()
