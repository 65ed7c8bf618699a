"""Builds the bundled glyphs: every character is a class, and every typeface's drawing of it is an image.

    pip install -r data/requirements-build.txt
    mkdir packages && cd packages
    apt-get update && apt-get download $(python -m fewshot.data.build_glyphs --list)     # Debian 12
    cd .. && python -m fewshot.data.build_glyphs --source packages

It reads glyph_typefaces.json (from choose_typefaces.py), glyph_characters.json and glyphs_removed.json (drawings that a
person rejected). It compares the sha256 of each font file with glyphs.json, unless --accept-other-versions is given,
and writes glyphs.npz, glyphs.json, NOTICE-glyphs.md and splits/glyphs.json next to this file, with the same bytes from
the same packages and requirements. It takes about a minute on one core and needs dpkg-deb.
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
LOOK_ALIKE_PART = 0.10  # a class is dropped if more than this share of its images look like another class
COPY_RMS = 0.06  # tiles of one class this close are the same drawing under two names
FEWEST = 20  # images per class
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


def render_glyphs(
    chosen: Mapping[str, Sequence[Typeface]], characters: Mapping[str, str], removed: set[str]
) -> list[Glyph]:
    """All drawings of the scripts' characters by their typefaces, except removed ones, sorted by (class, typeface)."""
    glyphs = []
    for script, typefaces in chosen.items():
        for typeface in typefaces:
            for character, pixels in typeface.render_all(characters[script]).items():
                if f"{typeface.name}:U+{ord(character):04X}" not in removed:
                    glyphs.append(Glyph(class_name(script, character), script, character, typeface, pixels))
    return sorted(glyphs, key=lambda glyph: (glyph.label, glyph.typeface.name))


def drop_look_alikes(glyphs: list[Glyph]) -> list[Glyph]:
    """The glyphs without classes that look like another (of two, the one with the later name is dropped), and without
    drawings that look like one of another class, such as capitals in place of small letters."""
    while True:
        labels = [glyph.label for glyph in glyphs]
        kept, shared = drop_shared(labels, vectors(np.stack([glyph.pixels for glyph in glyphs])), LOOK_ALIKE_RMS)
        bad = Counter(label for label, is_kept in zip(labels, kept, strict=True) if not is_kept)
        sizes = Counter(labels)
        worst = [pair for pair, _ in shared.most_common() if bad[pair[1]] > LOOK_ALIKE_PART * sizes[pair[1]]]
        if not worst:
            for (first, second), count in shared.most_common():
                print(f"'{first}' and '{second}' share {count} drawings; dropped from both")
            return [glyph for glyph, is_kept in zip(glyphs, kept, strict=True) if is_kept]
        first, second = worst[0]
        print(f"{bad[second]} of {sizes[second]} drawings of '{second}' look like '{first}' or others; dropped")
        glyphs = [glyph for glyph in glyphs if glyph.label != second]


def drop_copies(glyphs: list[Glyph]) -> list[Glyph]:
    """The glyphs without copies of drawings of earlier typefaces."""
    pairs = near_pairs(vectors(np.stack([glyph.pixels for glyph in glyphs])), COPY_RMS)
    copies = {int(second) for first, second in pairs if first < second and glyphs[first].label == glyphs[second].label}
    return [glyph for place, glyph in enumerate(glyphs) if place not in copies]


def drop_small_classes(glyphs: list[Glyph]) -> list[Glyph]:
    """The glyphs without classes of fewer than FEWEST drawings."""
    sizes = Counter(glyph.label for glyph in glyphs)
    for label, size in sizes.items():
        if size < FEWEST:
            print(f"'{label}' has only {size} drawings; dropped")
    return [glyph for glyph in glyphs if sizes[glyph.label] >= FEWEST]


def check_files(typefaces: Sequence[Typeface], path: Path) -> None:
    """Raises a ValueError if a font file differs from the one that the manifest was built from."""
    known = {entry["name"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))["typefaces"]}
    for typeface in typefaces:
        entry = known.get(typeface.name)
        if entry and entry["sha256"] != file_digest(typeface):
            package = typeface.package
            raise ValueError(
                f"{typeface.file} of {package.name} {package.version} differs from the file that glyphs.json was built "
                f"from ({entry['package']}); get that version, or pass --accept-other-versions"
            )


def file_digest(typeface: Typeface) -> str:
    return hashlib.sha256((typeface.package.folder / typeface.file).read_bytes()).hexdigest()


def write_manifest(path: Path, glyphs: Sequence[Glyph], licences: Mapping[str, str]) -> None:
    """Writes glyphs.npz, then the manifest beside it."""
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
    """Writes a table of the typefaces: name, package, licence, rights, number of images."""
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
                    f"glyph_typefaces.json names the typeface {entry['name']} for {script}, but {entry['package']} has "
                    "no such typeface; get another version of the package, or run choose_typefaces.py again"
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
    glyphs = render_glyphs(chosen, lists["glyph_characters"], set(lists["glyphs_removed"]))
    glyphs = drop_small_classes(drop_look_alikes(drop_copies(glyphs)))
    write_manifest(folder / "glyphs.json", glyphs, lists["glyph_packages"])
    write_split(folder / "splits" / "glyphs.json", {one.label: one.script for one in glyphs}, NOVEL, VALIDATION)
    write_notice(folder / "NOTICE-glyphs.md", glyphs, lists["glyph_packages"])
    print(f"{len({glyph.label for glyph in glyphs})} classes, {len(glyphs)} images")


def package_names(folder: Path) -> list[str]:
    """The packages of the chosen typefaces."""
    entries = json.loads((folder / "glyph_typefaces.json").read_text(encoding="utf-8"))
    return sorted({entry["package"] for members in entries.values() for entry in members})


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the bundled glyphs.")
    parser.add_argument("--list", action="store_true", help="print the names of the packages and stop")
    parser.add_argument("--source", type=Path, help="read the .deb files of this folder")
    parser.add_argument(
        "--scratch", type=Path, help="unpack into this folder and keep it (default: a temporary folder)"
    )
    parser.add_argument(
        "--accept-other-versions", action="store_true", help="accept font files that differ from those in glyphs.json"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="read the lists and write the files here")
    arguments = parser.parse_args()
    if arguments.list:
        print(*package_names(arguments.folder))
        return
    if arguments.source is None:
        parser.error("--source is missing; give the folder with the .deb files")
    with tempfile.TemporaryDirectory() as scratch:
        build(
            arguments.source,
            arguments.scratch or Path(scratch),
            arguments.folder,
            arguments.accept_other_versions,
        )


if __name__ == "__main__":
    main()
