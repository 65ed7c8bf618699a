"""What the levels of folders above images mean: classes, partitions, superclasses, or groups of images."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from fewshot.datasets._partitions import is_partition
from fewshot.plugins.fields import Rule

Folders = frozenset[tuple[str, ...]]  # the folders, below the root, that hold images directly
_COUNTER = re.compile(r"\D*\d{1,4}$")  # a name that only counts: "01", "video_12"
_CLASS_COUNTER = re.compile(r"(character|char|letter|glyph|class|category|species)[\s_-]*\d+$", re.IGNORECASE)
_GROUP_NAME = re.compile(r"([A-Za-z]+)[\s_-]*\d+$")
_MOST_NAMED = 4  # folders in a message
WRAPPERS = frozenset({"images", "image", "imgs", "img", "jpegimages", "pictures", "data"})  # not names of classes


def _is_layout(text: object) -> bool:
    words = text.split("/") if isinstance(text, str) else []
    named = [word for word in words if word != "-"]
    if named.count("class") != 1 or len(set(named)) < len(named) or "superclass" in named[named.index("class") :]:
        return False
    return not any("=" in word or not word for word in words)


LAYOUT = Rule(
    "the meaning of each level of folders, with one 'class', such as 'superclass/class', 'partition/class' or "
    "'class/video' ('-' for a level without a meaning)",
    _is_layout,
)


@dataclass(frozen=True)
class FolderLayout:
    """The meaning of each level of folders, from the root down: "class", "partition", "superclass", the name of another
    group of images, or "-" for none. Deeper folders belong to the last level."""

    root: Path
    words: tuple[str, ...]

    def class_names(self, parts: Sequence[Sequence[str]]) -> list[str]:
        """The class of each image: its folder, or superclass/folder if two superclasses have folders of one name."""
        names = self.level("class", parts)
        if "superclass" not in self.words:
            return names
        pairs = list(zip(self.level("superclass", parts), names, strict=True))
        unique = len(set(pairs)) == len(set(names))
        return names if unique else [f"{above}/{name}" for above, name in pairs]

    def level(self, word: str, parts: Sequence[Sequence[str]]) -> list[str]:
        """The name of each image's folder at one level; a ValueError names an image above that level."""
        at = self.words.index(word)
        high = next((p for p in parts if len(p) - 1 <= at), None)
        if high is not None:
            raise ValueError(
                f"{self.root}: the layout {'/'.join(self.words)} needs at least {at + 1} folders above each image, but "
                f"{'/'.join(high)} has {len(high) - 1}; move the image or choose another layout"
            )
        return [p[at] for p in parts]

    def image_groups(self) -> list[str]:
        """The levels that group images."""
        return [word for word in self.words if word not in ("class", "superclass", "-")]


def detected(root: Path, folders: Collection[tuple[str, ...]], log: logging.Logger) -> FolderLayout:
    """The layout of folders with images; a ValueError says what to type if it is ambiguous, or if no folder is named
    after a class."""
    layout = FolderLayout(root, _Detection(root, log).levels(frozenset(folders), ()))
    at = layout.words.index("class")
    _check_names(layout, sorted({folder[: at + 1] for folder in folders if len(folder) > at}))
    return layout


def is_nameless(folder: str) -> bool:
    """Whether a folder with this name is usually not a class: a partition, or "images" and the like."""
    return is_partition(folder) or folder.casefold() in WRAPPERS


def _check_names(layout: FolderLayout, classes: Sequence[tuple[str, ...]]) -> None:
    """Raises a ValueError if all folders that would be classes bear names of partitions, "images" or the like."""
    if not all(is_nameless(folder[-1]) for folder in classes):
        return
    names = ["/".join(folder) for folder in classes]
    shown = ", ".join(names[:_MOST_NAMED]) + ", ..." * (len(names) > _MOST_NAMED)
    spec = f"ImageFolderSet({str(layout.root)!r}, layout='{'/'.join(layout.words)}')"
    raise ValueError(
        f"{layout.root}: images lie in {shown} without folders of classes, so their classes are unknown; move them to "
        f"folders such as {names[0]}/<class>, list them in a CSV file with the columns path, label and partition, or "
        f'type --data "{spec}" if the classes bear these names'
    )


@dataclass(frozen=True)
class _Detection:
    root: Path
    log: logging.Logger  # for warnings

    def levels(self, folders: Folders, above: tuple[str, ...]) -> tuple[str, ...]:
        """The words of `above`, and those of the levels below it, where images lie directly in `folders`."""
        below = _children(folders)
        direct = [top for top in below if (top,) in folders]
        if "partition" not in above and all(map(is_partition, below)):
            if direct:
                self._check_partitions(direct, len(below))
            return (*above, "class") if direct else self.levels(_without_top(folders), (*above, "partition"))
        if direct:
            self._check_others({top: inside for top, inside in below.items() if top not in direct}, direct[0])
            return (*above, "class")
        if len(below) == 1 and _is_wrapped(folders):
            return self.levels(_without_top(folders), (*above, "-"))
        if all(len(inside) == 1 for inside in below.values()) and not _branches(folders):
            return (*above, "class")
        return (*above, *self._two_levels(folders, below, above))

    def _two_levels(self, folders: Folders, below: dict[str, list[str]], above: tuple[str, ...]) -> tuple[str, ...]:
        """The words of two levels of folders, with images only below the second."""
        inside = [name for names in below.values() for name in names]
        flat = all((top, name) in folders for top, names in below.items() for name in names)
        if "partition" not in above and all(map(is_partition, inside)) and flat:
            return "class", "partition"
        unclear = len(set(inside)) < len(inside) or all(map(_COUNTER.match, inside))
        partitions = "partition" not in above and any(map(is_partition, (*below, *inside)))
        if partitions or (unclear and not all(map(_CLASS_COUNTER.match, inside))) or _branches(folders):
            raise ValueError(self._question(below, above, _branches(folders)))
        return "superclass", "class"

    def _check_others(self, others: dict[str, list[str]], direct: str) -> None:
        """Warns of folders with several folders of images beside a folder of images; partitions are a ValueError."""
        split = [top for top, inside in others.items() if len(inside) > 1]
        partition = next(filter(is_partition, split), None)
        if partition is not None:
            raise ValueError(
                f"{self.root}: {partition!r} seems to be a partition with class folders, but {direct!r} beside it is a "
                f"class folder; move {direct!r}, or type --data \"ImageFolderSet({str(self.root)!r}, layout='class')\" "
                f"if both are classes"
            )
        if split:
            message = "%s: all folders in %r belong to the class %r, because %r beside it holds images; move them if "
            message += "they are classes of their own"
            self.log.warning(message, self.root, split[0], split[0], direct)

    def _check_partitions(self, direct: list[str], number: int) -> None:
        """Raises a ValueError if only some partitions have class folders."""
        if len(direct) < number:
            raise ValueError(
                f"{self.root} has partitions with class folders, but images of the partition {direct[0]!r} are not in "
                "a class folder; move them into one"
            )

    def _question(self, below: dict[str, list[str]], above: tuple[str, ...], deep: bool) -> str:
        (one, [first, *_]), (other, _), *_ = below.items()
        pair = next((n for n, count in Counter(s for i in below.values() for s in i).items() if count > 1), first)
        holder = next(top for top, inside in below.items() if pair in inside)
        start, group = "/".join((*above, "")), _group_word([name for names in below.values() for name in names])
        folders = (
            f"if {one} and {other} are the classes, each with groups of images such as {first} "
            f"(--sampler \"Balanced(apart='{group}')\" keeps a group on one side of an episode)"
        )
        readings = {
            f"class/{group}": folders,
            "superclass/class": f"if {holder}/{pair} is a class of its own",
            "partition/class": f"if {one} and {other} are partitions of the same classes",
        }
        likely = self._likely(below, group)
        order = [likely, *(each for each in readings if each != likely)]
        texts = [f"layout='{start}{each}' {readings[each]}" for each in order]
        if deep:
            texts.append(f"layout='{start}-/superclass/class' if the folders inside are the classes")
        form = f"{self.root}: folders such as {holder}/{pair} can be classes or parts of classes; "
        one_level = f"give one of its folders, such as --data {self.root / one}, if each is a data set; else " * deep
        return f'{form}{one_level}type --data "ImageFolderSet({str(self.root)!r}, {_joined(texts)}'

    def _likely(self, below: dict[str, list[str]], group: str) -> str:
        """The layout that the names speak for: folders that count are groups, the same words in each are classes."""
        names = {name for inside in below.values() for name in inside}
        if all(map(_COUNTER.match, names)):
            return f"class/{group}"
        same = all(len(inside) == len(names) for inside in below.values())
        return "partition/class" if same else "superclass/class"


def _joined(texts: Sequence[str]) -> str:
    """The layouts, the first as the end of the command that has begun."""
    layout, _, reason = texts[0].partition("' ")
    return "; or ".join([f"{layout}')\" {reason}", *texts[1:]])


def _group_word(names: Sequence[str]) -> str:
    """The word that all names of groups begin with, such as "video" of "video_1" and "video_2"; "group" for none."""
    words = {match[1].casefold() for name in names if (match := _GROUP_NAME.match(name))}
    word = words.pop() if len(words) == 1 else "group"
    return "group" if word in ("class", "superclass", "partition") else word


def _children(folders: Folders) -> dict[str, list[str]]:
    """The names of the folders inside each top folder, sorted."""
    inside: dict[str, set[str]] = {}
    for folder in sorted(folders):
        inside.setdefault(folder[0], set()).update(folder[1:2])
    return {top: sorted(names) for top, names in inside.items()}


def _without_top(folders: Folders) -> Folders:
    return frozenset(folder[1:] for folder in folders)


def _is_wrapped(folders: Folders) -> bool:
    """Whether one folder alone, perhaps inside others that are alone, holds two folders or more."""
    inner = _without_top(folders)
    if len({folder[0] for folder in folders}) > 1 or () in inner:
        return False
    return len({folder[0] for folder in inner}) > 1 or _is_wrapped(inner)


def _branches(folders: Folders) -> bool:
    """Whether a folder at the second level holds no images directly, but two folders or more."""
    inside = Counter(folder[:2] for folder in {folder[:3] for folder in folders})
    return any(number > 1 and folder not in folders for folder, number in inside.items())
