"""Groups of classes by the nodes of a tree above them, such as the hypernyms of WordNet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

from fewshot.datasets import LabelledImages
from fewshot.episodes.flat import Ints
from fewshot.files.csv_files import CsvFile, csv_text
from fewshot.files.quoting import quoted, shortened
from fewshot.files.regular import parsed_json, read_bytes, read_text
from fewshot.samplers._grouping import ClassGroups

Parents = Mapping[str, frozenset[str]]  # of every node with parents


@dataclass(frozen=True)
class ClassTree:
    """A tree above classes, or a graph without cycles: a node may have several parents."""

    path: Path
    parents: Parents

    @staticmethod
    def read(path: Path) -> ClassTree:
        """The tree in a file; the end of its name gives the format:

        .csv        the columns child and parent, one line per pair
        .json       an object of child: parent, or child: [parents]
        data.noun   the nouns of WordNet (in /usr/share/wordnet of Debian's wordnet-base); nodes have ImageNet's names
                    of synsets, n01440764

        Any fault of the file, such as a cycle, raises a ValueError that names it.
        """
        try:
            status = os.stat(path)
        except OSError as error:
            raise ValueError(f"cannot read the class tree {str(path)!r}: {error.strerror}") from error
        return _read(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def groups(self, images: LabelledImages, classes: Ints) -> ClassGroups:
        """The classes below each inner node above these classes [C], in the order of the nodes' names. A node with one
        child counts as that child."""
        names = {images.class_names[label]: int(label) for label in classes}
        below: dict[str, frozenset[str]] = {}  # the classes below a node
        stands_for: dict[str, str] = {}  # the node itself, or the one below it if it has only one child
        children: dict[str, set[str]] = {}
        for node in self._from_below(names):
            kept = {stands_for[child] for child in children.get(node, ())}
            if kept and node in names:
                raise ValueError(
                    f"the class {quoted(node)} of {images.name} is above other classes in the tree "
                    f"{self.path}, such as {quoted(min(min(below[child]) for child in kept))}; classes must be leaves"
                )
            stands_for[node] = next(iter(kept)) if len(kept) == 1 else node
            below[node] = frozenset().union(*(below[child] for child in kept)) if kept else frozenset({node})
            for parent in self.parents.get(node, ()):
                children.setdefault(parent, set()).add(node)
        inner = sorted(node for node, itself in stands_for.items() if itself == node and node not in names)
        return ClassGroups.of([sorted(names[name] for name in below[node]) for node in inner])

    def _from_below(self, names: Iterable[str]) -> list[str]:
        """The classes and all nodes above them, children before their parents."""
        above: dict[str, frozenset[str]] = {}
        waiting = list(names)
        absent = [name for name in waiting if name not in self.parents]
        if absent:
            raise ValueError(
                f"the tree {self.path} has no parent of {len(absent)} of the {len(waiting)} classes, such as "
                f"{quoted(absent[0])}; it has nodes such as {quoted(next(iter(self.parents), 'none'))}"
            )
        while waiting:
            node = waiting.pop()
            if node not in above:
                above[node] = self.parents.get(node, frozenset())
                waiting.extend(above[node])
        try:
            return list(TopologicalSorter(above).static_order())[::-1]
        except CycleError as error:
            cycle = shortened(" < ".join(map(shortened, error.args[1])), 1000)
            raise ValueError(f"the tree {self.path} has a cycle: {cycle}") from error


def tree_of_groups(images: LabelledImages, levels: Sequence[str]) -> str:
    """The CSV text of a tree of class groups, whose names `levels` go from fine to coarse: a class is below its group
    of the first level, each group below the groups of the next level that share its classes, the last below a root."""
    absent = [level for level in levels if level not in images.class_groups]
    if absent or not levels:
        known = ", ".join(images.class_groups) or "none"
        raise ValueError(f"{images.name} has no class group {quoted(absent[0] if absent else '')}; it has: {known}")
    groups = [images.class_groups[level] for level in levels]
    named = [
        [f"{level}={group.names[code]}" for code in group.codes] for level, group in zip(levels, groups, strict=True)
    ]
    chain = [list(images.class_names), *named, ["all"] * len(images.class_names)]
    pairs = {pair: None for fine, coarse in pairwise(chain) for pair in zip(fine, coarse, strict=True)}
    return csv_text([("child", "parent"), *pairs])


@lru_cache(maxsize=8)
def _read(path: Path, *state: int) -> ClassTree:
    """A file, read once for many blocks of episodes unless it changes."""
    if path.suffix not in _READERS:
        raise ValueError(f"the class tree {path} must be a .csv or .json file, or WordNet's data.noun")
    parents: dict[str, set[str]] = {}
    for child, parent in _READERS[path.suffix](path):
        parents.setdefault(child, set()).add(parent)
    return ClassTree(path, {child: frozenset(above) for child, above in parents.items()})


def _csv_pairs(path: Path) -> list[tuple[str, str]]:
    file = CsvFile.read(path, "class tree", ("child", "parent"))
    pairs = list(zip(file.columns["child"], file.columns["parent"], strict=True))
    for row, pair in enumerate(pairs):
        if not all(pair):
            raise file.error(row, "a line needs a child and a parent, found an empty field")
    return pairs


def _json_pairs(path: Path) -> list[tuple[str, str]]:
    try:
        content = parsed_json(read_bytes(path, "class tree"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a class tree: {error}") from error
    items = content.items() if isinstance(content, dict) else ()
    pairs = [(child, p) for child, above in items for p in (above if isinstance(above, list) else [above])]
    if not pairs or not all(isinstance(parent, str) for _, parent in pairs):
        raise ValueError(f"{path} is not a class tree; expected an object of child: parent, or child: [parents]")
    return pairs


def _wordnet_pairs(path: Path) -> list[tuple[str, str]]:
    """Pairs of each synset with its hypernyms (@) and with the classes of an instance (@i).

    A line of data.noun holds offset, file, type, number of words in hexadecimal, word and sense of each, number of
    pointers, then symbol, offset, part of speech and ends of each pointer. Lines of the licence begin with a space.
    """
    try:
        lines = read_text(path, "class tree").splitlines()
        pairs = []
        for line in lines:
            if not line.startswith(" "):
                fields = line.split(" | ")[0].split()
                pointers = fields[5 + 2 * int(fields[3], 16) :]
                triples = zip(pointers[::4], pointers[1::4], pointers[2::4], strict=False)
                pairs += [(f"n{fields[0]}", f"n{at}") for symbol, at, _ in triples if symbol in ("@", "@i")]
    except (OSError, ValueError, IndexError) as error:
        raise ValueError(f"{path} cannot be read as WordNet's data.noun: {error}") from error
    if not pairs:
        raise ValueError(f"{path} is not WordNet's data.noun: it has no hypernyms")
    return pairs


_READERS = {".csv": _csv_pairs, ".json": _json_pairs, ".noun": _wordnet_pairs}
