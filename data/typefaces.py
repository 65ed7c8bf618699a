"""Typefaces of Debian packages, and their characters rendered as tiles; needs Pillow, fontTools and dpkg-deb."""

from __future__ import annotations

import hashlib
import logging
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from fontTools.ttLib import TTCollection, TTFont  # type: ignore[import-untyped]
from PIL import Image, ImageDraw, ImageFont

from .building import fit
from .greys import GREYS, Pixels, quantise

TILE = 32  # pixels per side
POINTS = 112  # characters are rendered at this size, then cropped and scaled down
LARGEST = 1200  # pixels per side; a larger drawing is not a character
NOT_A_CHARACTER = "\U0010fffd"  # no font has it, so it gives the font's drawing for missing characters
DUPLICATE_RMS = 0.08  # two tiles of one typeface this close are the same drawing

logging.getLogger("fontTools").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Package:
    """A .deb file, unpacked into `folder`."""

    name: str
    version: str
    sha256: str
    folder: Path


@dataclass(frozen=True)
class Typeface:
    """One outline font; `characters` are the codes that its cmap maps to a glyph."""

    name: str  # PostScript name, without characters that a file name cannot hold
    family: str
    rights: str  # the copyright line inside the font, or ""
    package: Package
    file: str  # below the package's folder
    index: int  # within a collection
    weight: tuple[int, int, str]  # weight, width, style: sorts a family
    characters: frozenset[int]

    @cached_property
    def font(self) -> ImageFont.FreeTypeFont:
        path = self.package.folder / self.file
        return ImageFont.truetype(path, POINTS, self.index, layout_engine=ImageFont.Layout.BASIC)

    def render(self, character: str) -> Pixels | None:
        """[TILE, TILE] the cropped character in 16 greys, black on white; None if it has no ink."""
        left, top, right, bottom = (round(side) for side in self.font.getbbox(character))
        if not (0 < right - left < LARGEST and 0 < bottom - top < LARGEST):
            return None
        page = Image.new("L", (right - left + 8, bottom - top + 8), "white")
        ImageDraw.Draw(page).text((4 - left, 4 - top), character, fill="black", font=self.font)
        tile = fit(page, TILE)
        return None if tile is None else quantise(np.asarray(tile), GREYS)

    def render_all(self, characters: Sequence[str]) -> dict[str, Pixels]:
        """The tiles of the characters with a drawing of their own: neither the box for missing characters nor the
        drawing of another of these characters."""
        tiles = {c: self.render(c) for c in characters if ord(c) in self.characters}
        rendered = {c: tile for c, tile in tiles.items() if tile is not None}
        if not rendered:
            return {}
        missing = self.render(NOT_A_CHARACTER)
        stack = np.stack([*rendered.values()]).reshape(len(rendered), -1).astype(np.float32) / 255
        distances = np.sqrt(((stack[:, None] - stack) ** 2).mean(axis=2)) + 9 * np.eye(len(stack))
        own = distances.min(axis=1) > DUPLICATE_RMS
        return {
            c: tile
            for (c, tile), is_own in zip(rendered.items(), own, strict=True)
            if is_own and (missing is None or not np.array_equal(tile, missing))
        }


def unpack_packages(source: Path, names: Mapping[str, str] | Sequence[str], scratch: Path) -> list[Package]:
    """The named packages, unpacked below `scratch` from the .deb files that `apt-get download` wrote into `source`."""
    packages = []
    for name in sorted(names):
        files = sorted(source.glob(f"{name}_*.deb"))
        if len(files) != 1:
            raise ValueError(
                f"--source {source} has {len(files)} files {name}_*.deb, expected one; "
                f"get it with `apt-get download {name}`"
            )
        folder = scratch / name
        if not folder.exists():
            subprocess.run(["dpkg-deb", "-x", files[0], folder], check=True)
        version = subprocess.run(
            ["dpkg-deb", "-f", files[0], "Version"], check=True, capture_output=True, text=True
        ).stdout.strip()
        packages.append(Package(name, version, hashlib.sha256(files[0].read_bytes()).hexdigest(), folder))
    return packages


def find_typefaces(packages: Sequence[Package]) -> list[Typeface]:
    """The outline fonts of the packages, one per name; of two fonts with one name, that of the first package."""
    by_name: dict[str, Typeface] = {}
    for package in packages:
        for path in sorted(package.folder.rglob("*")):
            if path.suffix.lower() in {".ttf", ".otf", ".ttc", ".otc"} and path.is_file() and not path.is_symlink():
                for typeface in read_typefaces(package, path):
                    by_name.setdefault(typeface.name, typeface)
    return [by_name[name] for name in sorted(by_name)]


def read_typefaces(package: Package, path: Path) -> Iterator[Typeface]:
    """The outline fonts of one file."""
    is_collection = path.suffix.lower() in {".ttc", ".otc"}
    with TTCollection(path, lazy=True) if is_collection else TTFont(path, lazy=True) as opened:
        for index, font in enumerate(opened.fonts if is_collection else [opened]):
            if not {"glyf", "CFF ", "CFF2"} & set(font.keys()) or "OS/2" not in font or "cmap" not in font:
                continue
            names = {key: font["name"].getDebugName(key) or "" for key in (0, 1, 2, 6, 16, 17)}
            cmap = font.getBestCmap() or {}
            yield Typeface(
                name=re.sub(r"[^A-Za-z0-9-]+", "", names[6]) or path.stem,
                family=" ".join((names[16] or names[1]).split()),
                rights=" ".join(names[0].split()),
                package=package,
                file=path.relative_to(package.folder).as_posix(),
                index=index,
                weight=(font["OS/2"].usWeightClass, font["OS/2"].usWidthClass, names[17] or names[2]),
                characters=frozenset(code for code, glyph in cmap.items() if glyph != ".notdef"),
            )


def vectors(tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """[n, 256] in [0, 1]: tiles averaged over 2 x 2 pixels."""
    half = TILE // 2
    small: npt.NDArray[np.float32] = tiles.reshape(-1, half, 2, half, 2).mean(axis=(2, 4), dtype=np.float32) / 255
    return small.reshape(len(tiles), -1)
