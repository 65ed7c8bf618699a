"""A class split as published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fewshot.datasets import ClassList, LabelledImages
from fewshot.datasets._published_classes import PublishedSplit, matched, published_split
from fewshot.files.quoting import quoted
from fewshot.splits import ClassSplit, SplitRule


@dataclass(frozen=True)
class Published(SplitRule):
    """A class split of the field: cifar_fs, cub_100_50_50, cub_140_30_30, fc100, mini_imagenet, omniglot_vinyals,
    tiered_imagenet, and meta_dataset_ followed by aircraft, cu_birds, dtd, fungi, ilsvrc_2012, mscoco, omniglot,
    quickdraw, traffic_sign or vgg_flower.

    Classes are matched by synset id, name and number prefix. A data set that lacks some of the classes, or has others,
    is refused: its numbers would not be those of the benchmark.
    """

    short_name: ClassVar[str] = "{name}"
    is_published: ClassVar[bool] = True
    names_classes: ClassVar[bool] = True

    name: str

    def check(self, listed: ClassList) -> None:
        published = published_split(self.name)
        _check(published, listed, matched(published.classes, listed.class_names))

    def split(self, images: LabelledImages) -> ClassSplit:
        published = published_split(self.name)
        ours = matched(published.classes, images.class_names)
        _check(published, ClassList(images.name, images.class_names), ours)
        seen, validation, novel = ([ours[one] for one in part] for part in _parts(published))
        return ClassSplit.of(seen, validation, novel)


def _parts(published: PublishedSplit) -> tuple[tuple[str, ...], ...]:
    return published.seen, published.validation, published.novel


def _check(published: PublishedSplit, listed: ClassList, ours: dict[str, str]) -> None:
    """Raises a ValueError that names classes without a partner."""
    lacking = [one for one in published.classes if one not in ours]
    more = sorted(set(listed.class_names).difference(ours.values()))
    if lacking:
        names = ", ".join(map(repr, more[:3])) or "none"
        raise ValueError(
            f"{published.name} splits {len(published.classes)} classes, but {listed.name} has no class for "
            f"{len(lacking)} of them, such as {quoted(lacking[0])}; its classes without a partner: {names}"
            f"{' and others' if len(more) > 3 else ''}"
        )
    if more:
        raise ValueError(
            f"{listed.name} has {len(more)} classes that {published.name} does not split, such as "
            f"{quoted(more[0])}; keep only its classes with --data \"ClassesOf('{published.name}', ...)\""
        )
