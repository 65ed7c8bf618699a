"""Builds the bundled icons: every concept is a class, and every artist's drawing of it is an image.

    pip install -r data/requirements-build.txt
    mkdir icon_source && cd icon_source
    npm pack @iconify/json@2.2.535 @lobehub/fluent-emoji-3d@1.1.0     # two .tgz files, 170 MB, read unpacked
    cd .. && python -m fewshot.data.build_icons --source icon_source

It checks the sha256 of both archives and reads icon_concepts.json (the names of every concept) and icons_removed.json
(drawings that a person rejected). It writes icons_mono.npz, icons_colour.npz, icons.json, NOTICE.md and
splits/icons_*.json next to this file, with the same bytes in every run with the same requirements. About two minutes on
one core.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
import json
import re
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL
import resvg_py
from PIL import Image

from . import FOLDER
from .building import drop_shared, fit, write_arrays, write_json, write_split
from .greys import Pixels, pack_greys, quantise
from .icons import LEVELS

Domain = str  # 'mono' | 'colour'

ARCHIVES = {  # file that `npm pack` writes -> sha256
    "iconify-json-2.2.535.tgz": "1a545f86fa224d6531d8fb101dcbe83aac2b28689a21cbed6fc68318a5af4d91",
    "lobehub-fluent-emoji-3d-1.1.0.tgz": "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
}
LICENCES = frozenset(
    {"MIT", "Apache-2.0", "ISC", "BSD-3-Clause", "CC0-1.0", "Unlicense", "OFL-1.1", "MPL-2.0", "CC-BY-3.0", "CC-BY-4.0"}
)
LEFT_OUT_CATEGORIES = frozenset({"Logos", "Programming", "Flags / Maps"})
EMOJI_3D = "fluent-emoji-3d"
CATALOGUE = "https://icon-sets.iconify.design/"  # the address of sets without their own

TILE = 48  # pixels per side
CANVAS = 144  # SVGs are rendered at this size, then cropped and scaled down
DUPLICATE_SIDE, DUPLICATE_RMS = 24, 0.10  # two tiles this close in [0, 1] are the same drawing
FEWEST = {"mono": 20, "colour": 10}
MOST = {"mono": 40, "colour": 40}
SPARE = 20  # chosen beyond MOST, to replace drawings that look-alike classes lose
PER_STYLE = 2  # drawings of one artist in one style, per class

STYLE_OF = {
    word: style
    for style, words in {
        "line": "outline outlined line lined linear stroke regular light thin o",
        "solid": "fill filled solid bold f",
        "two-tone": "duotone duo twotone two-tone bulk",
        "": "round rounded alt simple icon",
    }.items()
    for word in words.split()
} | {word: word for word in ("sharp", "flat", "remix")}
DRAWING_STYLES = frozenset(
    (  # words in the prefix of a set that name its style
        "color",
        "flat",
        "3d",
        "freehand",
        "plump",
        "flex",
        "cyber",
        "pixel",
        "ultimate",
        "sharp",
        "pop",
        "print",
        "pencil",
        "kameleon",
        "stickies",
        "monotone",
        "v1",
        "mdl2",
        "poly",
        "outline",
        "solid",
        "twotone",
        "regular",
        "light",
        "thin",
    )
)
SIZES = frozenset(("8", "10", "12", "16", "18", "20", "24", "28", "32", "36", "40", "48", "64", "24px"))

NOVEL, VALIDATION = frozenset({"animal", "food", "vehicle", "leisure"}), frozenset({"nature"})


@dataclass(frozen=True)
class IconSet:
    """One published set; `bodies` maps an icon name to SVG markup or to WebP bytes."""

    prefix: str
    name: str
    author: str
    artist: str
    licence: str
    url: str
    domain: Domain
    is_emoji: bool
    bodies: Mapping[str, str | bytes]


@dataclass(frozen=True)
class Candidate:
    """A drawing with a name of the concept; `preference` sorts the plainest names first."""

    id: str
    icon_set: IconSet
    style: str
    preference: tuple[int, int, int, str]
    body: str | bytes


@dataclass(frozen=True)
class Tile:
    """A rendered drawing; its `thumbnail` [24 * 24 * 3], float32 in [0, 1], serves to find duplicates."""

    id: str
    icon_set: IconSet
    pixels: Pixels
    thumbnail: npt.NDArray[np.float32]


Selection = dict[str, list[Tile]]  # concept -> tiles, in the order they were chosen
Concepts = Mapping[str, Mapping[str, Mapping[str, Any]]]


# ---- sources -------------------------------------------------------------------------------------


def open_archive(folder: Path, file_name: str) -> tarfile.TarFile:
    """The npm archive, after checking its checksum."""
    path = folder / file_name
    if not path.is_file():
        raise FileNotFoundError(
            f"--source {folder} has no file {file_name}; get it with `npm pack` as the docstring of build_icons.py says"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != ARCHIVES[file_name]:
        raise ValueError(f"{path} has sha256 {digest}, expected {ARCHIVES[file_name]}; fetch it again")
    return tarfile.open(path)


def read_members(archive: tarfile.TarFile, pattern: str) -> Iterator[tuple[str, bytes]]:
    """The text of group 1 and the content of every file whose name matches the pattern, in archive order."""
    for member in archive:
        match = re.fullmatch(pattern, member.name)
        file = archive.extractfile(member) if match else None
        if match and file:
            yield match[1], file.read()


def read_sets(source: Path) -> list[IconSet]:
    """The sets with an allowed licence, with the 3D emoji last."""
    emoji_names: dict[str, str] = {}
    sets = []
    with open_archive(source, "iconify-json-2.2.535.tgz") as archive:
        for _, content in read_members(archive, r"package/json/(.+)\.json"):
            data = json.loads(content)
            if data["info"].get("category") == "Emoji":
                emoji_names |= data.get("chars", {})
            if (
                data["info"]["license"].get("spdx") in LICENCES
                and data["info"].get("category") not in LEFT_OUT_CATEGORIES
            ):
                sets.append(parse_set(data))
    sets.sort(key=lambda icon_set: icon_set.prefix)
    return [*sets, read_3d_emoji(source, emoji_names)]


def parse_set(data: Mapping[str, Any]) -> IconSet:
    """The IconSet of an Iconify file; aliases count as names unless they rotate or flip the drawing."""
    info = data["info"]
    icons = {name: icon for name, icon in data["icons"].items() if not icon.get("hidden")}
    for name, alias in data.get("aliases", {}).items():
        if set(alias) == {"parent"} and alias["parent"] in icons:
            icons[name] = icons[alias["parent"]]
    author = info["author"]
    return IconSet(
        prefix=data["prefix"],
        name=info["name"],
        author=author["name"],
        artist=artist_name(author["name"]),
        licence=info["license"]["spdx"],
        url=author.get("url") or info["license"].get("url") or CATALOGUE + data["prefix"],
        domain="colour" if info.get("palette") else "mono",
        # fluent-emoji is no longer in Iconify's catalogue and so has no category.
        is_emoji=info.get("category") == "Emoji" or data["prefix"] == "fluent-emoji",
        # Animated icons often begin with an empty picture.
        bodies={
            name: svg_document(icon, data)
            for name, icon in icons.items()
            if not re.search(r"<(animate|set)\b", icon["body"])
        },
    )


def artist_name(author: str) -> str:
    """The author, with one name for all names of the same studio."""
    return {
        "Google Inc": "Google",
        "Material Design Authors": "Google",
        "MDI Community": "Google",
        "Lucide Contributors": "Lucide and Feather",
        "Cole Bemis": "Lucide and Feather",
        "Family": "Ben Sperry",
    }.get(author, author)


def svg_document(icon: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The complete SVG of an icon; parts that take the colour of the page are black."""
    left, top = icon.get("left", data.get("left", 0)), icon.get("top", data.get("top", 0))
    width, height = icon.get("width", data.get("width", 16)), icon.get("height", data.get("height", 16))
    scale = CANVAS / max(width, height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{width * scale}" height="{height * scale}">'
        f"{icon['body'].replace('currentColor', '#000')}</svg>"
    )


def read_3d_emoji(source: Path, emoji_names: Mapping[str, str]) -> IconSet:
    """Microsoft's 3D emoji, whose file names are code points; `emoji_names` maps code points to names."""
    bodies = {}
    with open_archive(source, "lobehub-fluent-emoji-3d-1.1.0.tgz") as archive:
        for code_points, content in read_members(archive, r"package/assets/(.+)\.webp"):
            name = emoji_names.get(code_points) or emoji_names.get(code_points.replace("-fe0f", ""))
            if name:
                bodies[name] = content
    return IconSet(
        EMOJI_3D,
        "Fluent Emoji 3D",
        "Microsoft Corporation",
        "Microsoft Corporation",
        "MIT",
        "https://github.com/microsoft/fluentui-emoji",
        "colour",
        True,
        bodies,
    )


# ---- names to concepts ---------------------------------------------------------------------------


def strip_style(name: str) -> Iterator[tuple[str, list[str], bool]]:
    """(name, stripped styles, whether a variant number was stripped), with one style word less each time.

    'home-2-outline-24' gives itself, 'home-2-outline', 'home-2' and 'home'.
    """
    styles: list[str] = []
    numbered = False
    words = name.replace("two-tone", "twotone").split("-")
    while words:
        yield "-".join(words), styles, numbered
        last = words.pop()
        if last in STYLE_OF:
            styles = [*styles, STYLE_OF[last]]
        elif re.fullmatch(r"0?[1-9]", last) and not numbered:
            numbered = True
        elif last not in SIZES:
            return


def name_tables(concepts: Concepts) -> tuple[dict[str, tuple[str, int]], dict[str, tuple[str, int]]]:
    """Two tables from names to (concept, position among its synonyms): for icons, and for emoji without hyphens."""
    icons: dict[str, tuple[str, int]] = {}
    emoji: dict[str, tuple[str, int]] = {}
    for superclass in concepts.values():
        for concept, names in superclass.items():
            for place, name in enumerate(names["icon_names"]):
                if icons.setdefault(name, (concept, place))[0] != concept:
                    raise ValueError(
                        f"the icon name '{name}' belongs to both '{icons[name][0]}' and '{concept}'; remove it from "
                        "one of them in icon_concepts.json"
                    )
            for place, name in enumerate(names["emoji_names"]):
                emoji.setdefault(name.replace("-", ""), (concept, place))
    return icons, emoji


def find_candidates(sets: Sequence[IconSet], concepts: Concepts, removed: Iterable[str]) -> dict[str, list[Candidate]]:
    """The drawings of each concept: those whose name, without style words, is a name of the concept, except removed
    ones."""
    icon_names, emoji_names = name_tables(concepts)
    rejected = rejected_drawings(sets, removed)
    candidates: dict[str, list[Candidate]] = defaultdict(list)
    for icon_set in sets:
        for name, body in sorted(icon_set.bodies.items()):
            if drawing_of(icon_set, name) in rejected:
                continue
            for stem, styles, numbered in strip_style(name):
                concept, place = (
                    emoji_names.get(stem.replace("-", ""), ("", 0))
                    if icon_set.is_emoji
                    else icon_names.get(stem, ("", 0))
                )
                if concept:
                    id = f"{icon_set.prefix}:{name}"
                    candidates[concept].append(
                        Candidate(id, icon_set, style_of(icon_set, styles), (int(numbered), place, len(name), id), body)
                    )
                if concept or icon_set.is_emoji:
                    break
    return candidates


def drawing_of(icon_set: IconSet, name: str) -> tuple[str, str]:
    """(artist, name without style words): the same for an icon and its outlined, filled, ... versions."""
    # The sets of Streamline differ in their drawings, not only in style.
    artist = icon_set.prefix.removesuffix("-color") if icon_set.artist == "Streamline" else icon_set.artist
    return artist, [stem for stem, _, numbered in strip_style(name) if not numbered][-1]


def rejected_drawings(sets: Sequence[IconSet], removed: Iterable[str]) -> set[tuple[str, str]]:
    """The removed drawings, each with its versions in other styles, because they show the same thing."""
    by_prefix = {icon_set.prefix: icon_set for icon_set in sets}
    rejected = set()
    for prefix, name in (id.split(":", 1) for id in removed):
        if prefix not in by_prefix or name not in by_prefix[prefix].bodies:
            raise ValueError(f"icons_removed.json names '{prefix}:{name}', but no set has it; correct the name")
        rejected.add(drawing_of(by_prefix[prefix], name))
    return rejected


def style_of(icon_set: IconSet, styles: Iterable[str]) -> str:
    """The style of a drawing, from the words in the prefix of its set and in its own name."""
    of_set = (word for word in icon_set.prefix.split("-") if word in DRAWING_STYLES)
    return "+".join(sorted({STYLE_OF.get(word, word) for word in (*of_set, *styles)} - {""}))


def order_candidates(candidates: Iterable[Candidate], concept: str) -> list[Candidate]:
    """The candidates in order: the first drawing of every artist, then the second of every artist, and so on.

    A hash orders the artists. The drawings of an artist are ordered by rank within their style: the first of each
    style, plain names first, then the second of each.
    """
    by_artist: dict[str, dict[str, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for candidate in sorted(candidates, key=lambda candidate: candidate.preference):
        by_artist[candidate.icon_set.artist][candidate.style].append(candidate)
    artists = sorted(by_artist, key=lambda artist: hashlib.sha256(f"{concept}/{artist}".encode()).digest())
    queues = []
    for artist in artists:
        styles = sorted(by_artist[artist].values(), key=lambda of_style: of_style[0].preference)
        queues.append([one for rank in itertools.zip_longest(*styles) for one in rank if one is not None])
    return [one for rank in itertools.zip_longest(*queues) for one in rank if one is not None]


# ---- drawing -------------------------------------------------------------------------------------


def render(body: str | bytes, domain: Domain) -> Pixels | None:
    """[48, 48] (mono) or [48, 48, 3] (colour) the drawing on white, quantised; None if it is not usable."""
    try:
        encoded: bytes = body if isinstance(body, bytes) else resvg_py.svg_to_bytes(body, skip_system_fonts=True)
    except ValueError:
        return None
    drawing = Image.open(io.BytesIO(encoded)).convert("RGBA")
    page = Image.new("RGBA", drawing.size, "white")
    image = Image.alpha_composite(page, drawing).convert("L" if domain == "mono" else "RGB")
    tile = fit(image, TILE)
    return quantise(np.asarray(tile), LEVELS[domain]) if tile and is_legible(np.asarray(tile), domain) else None


def is_legible(tile: Pixels, domain: Domain) -> bool:
    """False for almost empty tiles and for plain rectangles."""
    ink = 1 - tile.astype(np.float32) / 255
    rows, columns = (np.flatnonzero(ink.max(axis=(axis, *range(2, ink.ndim))) > 0.5) for axis in (1, 0))
    if domain == "colour":
        return bool(ink.mean() > 0.02 and tile[8:40, 8:40].reshape(-1, 3).std(axis=0).max() > 6)
    if not rows.size or ink.mean() < 0.025:
        return False
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return bool(box.mean() < 0.95)


def thumbnail(tile: Pixels) -> npt.NDArray[np.float32]:
    """[24 * 24 * 3] the tile in RGB, averaged over 2 x 2 pixels, in [0, 1]."""
    colour = np.broadcast_to(tile.reshape(TILE, TILE, -1), (TILE, TILE, 3)).astype(np.float32) / 255
    block = TILE // DUPLICATE_SIDE
    small: npt.NDArray[np.float32] = (
        colour.reshape(DUPLICATE_SIDE, block, DUPLICATE_SIDE, block, 3).mean(axis=(1, 3)).reshape(-1)
    )
    return small


# ---- choice --------------------------------------------------------------------------------------


def choose(candidates: Sequence[Candidate], domain: Domain) -> list[Tile]:
    """Up to MOST + SPARE different drawings, in order, with at most two per artist and style."""
    chosen: list[Tile] = []
    of_style: Counter[tuple[str, str]] = Counter()
    for candidate in candidates:
        family = (candidate.icon_set.artist, candidate.style)
        if of_style[family] == PER_STYLE or len(chosen) == MOST[domain] + SPARE:
            continue
        pixels = render(candidate.body, domain)
        if pixels is None:
            continue
        tile = Tile(candidate.id, candidate.icon_set, pixels, thumbnail(pixels))
        if not any(is_duplicate(tile, other) for other in chosen):
            chosen.append(tile)
            of_style[family] += 1
    return chosen


def is_duplicate(tile: Tile, other: Tile) -> bool:
    difference = tile.thumbnail - other.thumbnail
    return bool(np.mean(difference * difference) < DUPLICATE_RMS**2)


def drop_shared_tiles(selection: Selection) -> tuple[Selection, Counter[tuple[str, str]]]:
    """The selection without drawings that two classes share, and the number that each pair of classes shared."""
    flat = [(concept, tile) for concept, tiles in sorted(selection.items()) for tile in tiles]
    thumbnails = np.stack([tile.thumbnail for _, tile in flat])
    is_kept, shared = drop_shared([concept for concept, _ in flat], thumbnails, DUPLICATE_RMS)
    kept: Selection = {concept: [] for concept in selection}
    for (concept, tile), one_is_kept in zip(flat, is_kept, strict=True):
        if one_is_kept:
            kept[concept].append(tile)
    return kept, shared


def select(candidates: Mapping[str, Sequence[Candidate]], domain: Domain, classes: Iterable[str]) -> Selection:
    """The images of a domain: FEWEST to MOST per class, in classes that have FEWEST, no drawing in two classes."""
    chosen = {}
    for concept in sorted(classes):
        of_domain = [one for one in candidates.get(concept, ()) if one.icon_set.domain == domain]
        chosen[concept] = choose(order_candidates(of_domain, concept), domain)
    chosen = {concept: tiles for concept, tiles in chosen.items() if len(tiles) >= FEWEST[domain]}
    kept, shared = drop_shared_tiles(chosen)
    for (first, second), count in shared.most_common(12):
        print(f"{domain}: '{first}' and '{second}' share {count} drawings; dropped from both")
    return {
        concept: sorted(tiles[: MOST[domain]], key=lambda tile: tile.id)
        for concept, tiles in kept.items()
        if len(tiles) >= FEWEST[domain]
    }


# ---- files ---------------------------------------------------------------------------------------


def write_domain(
    path: Path, selection: Selection, classes: Sequence[str], sets: Sequence[str], artists: Sequence[str]
) -> tuple[Pixels, str]:
    """The pixels, sorted by (class, id), and the sha256 of the file, after writing it."""
    rows = [(label, tile) for label, concept in enumerate(classes) for tile in selection.get(concept, ())]
    pixels = np.stack([tile.pixels for _, tile in rows])
    arrays: dict[str, npt.NDArray[Any]] = {
        "pixels": pack(pixels),
        "label": np.array([label for label, _ in rows], np.int16),
        "set": np.array([sets.index(tile.icon_set.prefix) for _, tile in rows], np.int16),
        "artist": np.array([artists.index(tile.icon_set.artist) for _, tile in rows], np.int16),
        "id": np.array([tile.id for _, tile in rows]),
    }
    return pixels, write_arrays(path, arrays)


def pack(pixels: Pixels) -> Pixels:
    """The packed form that icons.unpack reads: mono [n, 24, 48], two rows per byte; colour [n, 3, 48, 48], planes."""
    if pixels.ndim == 3:
        return pack_greys(pixels)
    return np.ascontiguousarray(np.rint(pixels * (31 / 255)).astype(np.uint8).transpose(0, 3, 1, 2))


def write_manifest(
    path: Path,
    selections: Mapping[Domain, Selection],
    classes: Sequence[str],
    sets: Sequence[str],
    artists: Sequence[str],
    concepts: Concepts,
) -> None:
    manifest: dict[str, Any] = {
        "built_from": {
            "@iconify/json": "2.2.535",
            "@lobehub/fluent-emoji-3d": "1.1.0",
            "resvg-py": resvg_py.__version__,
            "pillow": PIL.__version__,
            "numpy": np.__version__,
        },
        "archives": ARCHIVES,
        "domains": {},
        "classes": [],
        "sets": list(sets),
        "artists": list(artists),
    }
    for domain, selection in selections.items():
        file = path.parent / f"icons_{domain}.npz"
        pixels, sha256 = write_domain(file, selection, classes, sets, artists)
        manifest["domains"][domain] = {
            "file": file.name,
            "classes": len(selection),
            "images": len(pixels),
            "sha256": sha256,
            "images_digest": hashlib.sha256(pixels.tobytes()).hexdigest(),
        }
    of_concept = {
        concept: (superclass, entry) for superclass, members in concepts.items() for concept, entry in members.items()
    }
    for concept in classes:
        superclass, entry = of_concept[concept]
        manifest["classes"].append(
            {
                "id": concept,
                "superclass": superclass,
                "orientation_matters": bool(entry.get("orientation_matters", False)),
                **{f"{domain}_images": len(tiles.get(concept, ())) for domain, tiles in selections.items()},
            }
        )
    write_json(path, manifest)


def write_splits(folder: Path, selections: Mapping[Domain, Selection], concepts: Concepts) -> None:
    """Writes the splits by superclass, for each domain and for both."""
    superclass_of = {concept: superclass for superclass, members in concepts.items() for concept in members}
    mono, colour = set(selections["mono"]), set(selections["colour"])
    for name, members in {"mono": mono, "colour": colour, "both": mono & colour}.items():
        group_of = {concept: superclass_of[concept] for concept in members}
        write_split(folder / f"icons_{name}.json", group_of, NOVEL, VALIDATION)


def write_notice(path: Path, selections: Mapping[Domain, Selection]) -> None:
    """Writes a table of the sets: name, author, licence, address, number of images."""
    used = Counter(
        tile.icon_set.prefix for selection in selections.values() for tiles in selection.values() for tile in tiles
    )
    sets = {
        tile.icon_set.prefix: tile.icon_set
        for selection in selections.values()
        for tiles in selection.values()
        for tile in tiles
    }
    lines = [
        "# Notice: the drawings in icons_mono.npz and icons_colour.npz",
        "",
        "Written by build_icons.py. The drawings were taken from the sets below, under the licences",
        "named. All were modified: cropped, scaled to 48 x 48 pixels on white, and reduced to 16 levels",
        "of grey (mono) or 32 levels a channel (colour). No author endorses this use.",
        "",
        "| set | name | author | licence (SPDX) | address | images |",
        "|---|---|---|---|---|---|",
    ]
    for prefix, icon_set in sorted(sets.items()):
        cells = (prefix, icon_set.name, icon_set.author, icon_set.licence, icon_set.url, str(used[prefix]))
        lines.append(f"| {' | '.join(cells)} |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def build(source: Path, folder: Path) -> None:
    """Writes every file of the icons into `folder`, which holds icon_concepts.json and icons_removed.json."""
    concepts: Concepts = json.loads((folder / "icon_concepts.json").read_text(encoding="utf-8"))
    removed = json.loads((folder / "icons_removed.json").read_text(encoding="utf-8"))
    candidates = find_candidates(read_sets(source), concepts, removed)
    mono = select(candidates, "mono", candidates)
    selections = {"mono": mono, "colour": select(candidates, "colour", mono)}
    tiles = [tile for selection in selections.values() for tiles in selection.values() for tile in tiles]
    sets = sorted({tile.icon_set.prefix for tile in tiles})
    artists = sorted({tile.icon_set.artist for tile in tiles})
    write_manifest(folder / "icons.json", selections, sorted(mono), sets, artists, concepts)
    write_splits(folder / "splits", selections, concepts)
    write_notice(folder / "NOTICE.md", selections)
    for domain, selection in selections.items():
        print(f"{domain}: {len(selection)} classes, {sum(map(len, selection.values()))} images")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the bundled icons.")
    parser.add_argument("--source", type=Path, required=True, help="read the archives of `npm pack` in this folder")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="read the lists and write the files here")
    arguments = parser.parse_args()
    build(arguments.source, arguments.folder)


if __name__ == "__main__":
    main()
