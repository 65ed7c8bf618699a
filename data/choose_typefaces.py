"""Chooses the typefaces that differ most, for each script of the glyphs.

    mkdir packages && cd packages
    apt-get update && apt-get download $(python -m fewshot.data.choose_typefaces --list)     # 218 packages, 0.9 GB
    cd .. && python -m fewshot.data.choose_typefaces --source packages

It reads glyph_packages.json (packages whose fonts have a permissive licence; a person read their copyright files),
glyph_characters.json and the typefaces in glyphs_removed.json. It writes glyph_typefaces.json next to this file, which
build_glyphs.py reads. About five minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import FOLDER
from .building import write_json
from .typefaces import Typeface, find_typefaces, unpack_packages, vectors

TYPEFACES = 24  # per script
STYLES = 3  # weights, widths and slants to compare per family
COMPLETE = 0.95  # share of a script's characters that a typeface must have
LEGIBLE = 0.45  # share of its characters that must be nearest to the mean drawing of the same character


def of_families(typefaces: Sequence[Typeface]) -> list[Typeface]:
    """Up to STYLES typefaces of every family, evenly spaced from its lightest to its heaviest."""
    families: dict[str, list[Typeface]] = defaultdict(list)
    for typeface in typefaces:
        families[typeface.family].append(typeface)
    kept = []
    for members in families.values():
        members.sort(key=lambda typeface: (typeface.weight, typeface.name))
        places = np.unique(np.linspace(0, len(members) - 1, min(STYLES, len(members))).round().astype(int))
        kept += [members[place] for place in places]
    return kept


def rendered_vectors(typefaces: Sequence[Typeface], characters: str) -> tuple[list[Typeface], npt.NDArray[np.float32]]:
    """The typefaces that have COMPLETE of the characters, and their drawings [n, characters, D]; missing ones are
    blank."""
    complete, drawings = [], []
    for typeface in typefaces:
        tiles = typeface.render_all(characters)
        if len(tiles) < COMPLETE * len(characters):
            continue
        blank = np.full((32, 32), 255, np.uint8)
        complete.append(typeface)
        drawings.append(vectors(np.stack([tiles.get(c, blank) for c in characters])))
    return complete, np.stack(drawings)


def draws_capitals(drawings: npt.NDArray[np.float32], characters: str) -> npt.NDArray[np.bool_]:
    """[n] whether at least a third of a typeface's small letters are nearer to the mean drawing of their capital."""
    pairs = [(characters.index(c), characters.index(c.upper())) for c in characters if c != c.upper() in characters]
    if not pairs:
        return np.zeros(len(drawings), dtype=np.bool_)
    means = drawings.mean(axis=0)  # [characters, D]
    small, capital = np.array(pairs).T
    to_small, to_capital = (((drawings[:, small] - means[of]) ** 2).sum(axis=2) for of in (small, capital))
    return np.asarray((to_capital < to_small).mean(axis=1) >= 1 / 3)


def legibility(drawings: npt.NDArray[np.float32], families: Sequence[str]) -> npt.NDArray[np.float64]:
    """[n] the share of a typeface's characters nearest to the mean of the same character over other families."""
    parts = []
    for place, family in enumerate(families):
        others = np.array([other != family for other in families])
        means = drawings[others].mean(axis=0)  # [characters, D]
        distances = ((drawings[place][:, None] - means) ** 2).sum(axis=2)
        parts.append(float((distances.argmin(axis=1) == np.arange(len(means))).mean()))
    return np.array(parts)


def farthest_points(drawings: npt.NDArray[np.float32], count: int) -> list[int]:
    """`count` positions: the drawing nearest to the mean, then always the one farthest from those chosen so far."""
    flat = drawings.reshape(len(drawings), -1)
    chosen = [int(((flat - flat.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    nearest = ((flat - flat[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < min(count, len(flat)):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((flat - flat[chosen[-1]]) ** 2).sum(axis=1))
    return chosen


def choose(typefaces: Sequence[Typeface], characters: str, script: str) -> list[Typeface]:
    """The legible typefaces of the script that differ most, sorted by name."""
    codes = {ord(character) for character in characters}
    covering = [one for one in typefaces if len(codes & one.characters) >= COMPLETE * len(codes)]
    complete, drawings = rendered_vectors(of_families(covering), characters)
    legible = legibility(drawings, [typeface.family for typeface in complete]) >= LEGIBLE
    kept = np.flatnonzero(legible & ~draws_capitals(drawings, characters))
    chosen = [complete[kept[place]] for place in farthest_points(drawings[kept], TYPEFACES)]
    families = Counter(typeface.family for typeface in chosen)
    print(
        f"{script}: {len(covering)} cover it, {len(complete)} compared, {len(kept)} legible, "
        f"{len(chosen)} chosen of {len(families)} families",
        flush=True,
    )
    return sorted(chosen, key=lambda typeface: typeface.name)


def removed_typefaces(folder: Path) -> set[tuple[str, str]]:
    """The (script, typeface) pairs that a person rejected as a whole."""
    removed: Mapping[str, str] = json.loads((folder / "glyphs_removed.json").read_text(encoding="utf-8"))
    return {(script, name) for script, slash, name in (key.partition("/") for key in removed) if slash}


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose the typefaces of the bundled glyphs.")
    parser.add_argument("--list", action="store_true", help="print the names of the packages and stop")
    parser.add_argument("--source", type=Path, help="read the .deb files of this folder")
    parser.add_argument(
        "--scratch", type=Path, help="unpack into this folder and keep it (default: a temporary folder)"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="read and write the lists in this folder")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    licences = json.loads((folder / "glyph_packages.json").read_text(encoding="utf-8"))
    if arguments.list:
        print(*licences)
        return
    if arguments.source is None:
        parser.error("--source is missing; give the folder with the .deb files")
    characters = json.loads((folder / "glyph_characters.json").read_text(encoding="utf-8"))
    removed = removed_typefaces(folder)
    with tempfile.TemporaryDirectory() as scratch:
        packages = unpack_packages(arguments.source, licences, arguments.scratch or Path(scratch))
        typefaces = find_typefaces(packages)
        chosen = {
            script: choose([one for one in typefaces if (script, one.name) not in removed], members, script)
            for script, members in characters.items()
        }
    entries = {
        script: [{"package": one.package.name, "file": one.file, "index": one.index, "name": one.name} for one in faces]
        for script, faces in chosen.items()
    }
    write_json(folder / "glyph_typefaces.json", entries)


if __name__ == "__main__":
    main()
