"""The copies of a benchmark's data sets below a user's folder, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fewshot.datasets._image_files import folders_in
from fewshot.datasets._known_sets import known_sets
from fewshot.plugins.suggestions import hint
from fewshot.plugins.wording import ItemisedError
from fewshot.protocols import Benchmark, BenchmarkSet, Companion, Place

_FOLDER = "{folder}/"  # begins a place beside the copy of the set
_MOST_NEAR = 50  # folders


@dataclass(frozen=True)
class Copy:
    """A copy of a set: the specs of its data set and of its sampler."""

    of: BenchmarkSet
    place: Place
    dataset: str
    sampler: str


@dataclass(frozen=True)
class Missing:
    """A set without a copy, or a copy without a companion."""

    of: BenchmarkSet
    tried: tuple[str, ...]
    get: str
    what: str = ""  # the companion; "": the set itself

    @property
    def line(self) -> str:
        """What is missing, where its publisher offers it, and where to put it."""
        return self._line(f"get {self._it} from {self.get}; ")

    @property
    def short_line(self) -> str:
        """The same without the publisher, for several sets of one publisher."""
        return self._line("")

    @property
    def _it(self) -> str:
        return "them" if self.what.endswith("s") else "it"

    def _line(self, source: str) -> str:
        what = f" without its {self.what}" if self.what else ""
        *others, last = self.tried
        places = f"{', '.join(others)} or {last}" if others else last
        return f"{self.of.name}{what}: {source}put {self._it} at {places}"


def chosen_sets(benchmark: Benchmark, named: Sequence[str]) -> tuple[BenchmarkSet, ...]:
    """The sets with these names, in the benchmark's order; all for no name. A name is that of the benchmark, or another
    one of the same data, such as "kitti" for kitti_distance; an unknown one is a ValueError."""
    chosen: set[str] = set()
    for name in named:
        own = [one.name for one in benchmark.sets if one.name == name]
        same = own or [one.name for one in benchmark.sets if name in _other_names(one)]
        if not same:
            known = [one.name for one in benchmark.sets]
            raise ValueError(f"{benchmark.name} has no set {name!r}; its sets: {', '.join(known)}.{hint(name, known)}")
        chosen.update(same)
    return tuple(one for one in benchmark.sets if not named or one.name in chosen)


def _other_names(one: BenchmarkSet) -> tuple[str, ...]:
    """What else the data of a set are called; none for a set that fewshot does not know outside the benchmark."""
    return () if one.edition is None else (one.edition.of, *known_sets()[one.edition.of].names)


def copies(sets: Iterable[BenchmarkSet], root: Path) -> tuple[list[Copy], list[Missing]]:
    """The copies of these sets below a folder, and what is missing."""
    if not root.is_dir():
        raise ValueError(f"there is no folder {root}; give the folder that holds the data sets")
    looked = [_copy(one, root) for one in sets]
    return [c for c in looked if isinstance(c, Copy)], [m for m in looked if isinstance(m, Missing)]


def refuse_missing(benchmark: Benchmark, root: Path, missing: Sequence[Missing], present: int, partial: bool) -> None:
    """Raises an error with a line for each missing set, unless some are present and `partial` allows fewer."""
    if not missing or (partial and present):
        return
    total = present + len(missing)
    number = "its data set" if total == 1 else f"{len(missing)} of the {total} data sets"
    elsewhere = _elsewhere(root, missing)
    of_one = len(missing) > 1 and len({one.get for one in missing}) == 1 and not elsewhere
    advice = [elsewhere, "run the others with --partial" if present else ""]
    source = f"get them from {missing[0].get}" if of_one else ""
    sentence = "; ".join(filter(None, [f"{benchmark.name} lacks {number} in {root}", source, *advice]))
    raise ItemisedError(f"{sentence}:", [one.short_line if of_one else one.line for one in missing])


def _elsewhere(root: Path, missing: Sequence[Missing]) -> str:
    """The folder above the user's, or in it, that holds most of the missing sets, in words; "" if none holds one."""
    near = [folder for folder in (root.resolve().parent, *folders_in(root)[:_MOST_NEAR]) if folder != root]
    held = [sum(_has_copy(folder, one.of) for one in missing) for folder in near]
    most = max(held, default=0)
    sets = f"{most} of them" if len(missing) > 1 else "it"
    return f"{near[held.index(most)]} holds {sets}: give --data {near[held.index(most)]}" if most else ""


def _has_copy(folder: Path, one: BenchmarkSet) -> bool:
    return any((folder / place.below).exists() for place in one.places)


def _copy(one: BenchmarkSet, root: Path) -> Copy | Missing:
    place = next((place for place in one.places if (root / place.below).exists()), None)
    if place is None:
        return Missing(one, tuple(place.below for place in one.places), one.get)
    path = root / place.below
    words = {"path": path, "folder": path.parent, "root": root}
    further: dict[str, Path] = {}
    for companion in one.companions:
        held = _companion(companion, root, path.parent)
        if isinstance(held, tuple):
            return Missing(one, held, companion.get, companion.name)
        further[companion.name] = held
    sides = {side: repr(f"partition={getattr(place, side)}") for side in ("train", "test")}
    texts = {name: repr(str(value)) for name, value in {**words, **further}.items()} | sides
    return Copy(one, place, place.dataset.format(**texts), one.sampler.format(**texts))


def _companion(companion: Companion, root: Path, folder: Path) -> Path | tuple[str, ...]:
    """The file or folder, or all that was tried."""
    tried = [
        folder / place.removeprefix(_FOLDER) if place.startswith(_FOLDER) else root / place
        for place in companion.places
    ]
    named = (
        str(path) if place.startswith(_FOLDER) else place for path, place in zip(tried, companion.places, strict=True)
    )
    return next((path for path in tried if path.exists()), tuple(named))
