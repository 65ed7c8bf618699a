"""The data side of a row without any image: what its numbers and its run id depend on besides predictions and specs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fewshot.datasets import LabelledImages
from fewshot.episodes.lists import EpisodeList
from fewshot.plugins.spec import Spec
from fewshot.results.files import Results
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.runs.design import Design
from fewshot.runs.identity import class_vectors_digest, labels_digest
from fewshot.runs.shared import split_of
from fewshot.sharing.members import KINDS, member
from fewshot.splits import ClassSplit

_MOST_CLASSES = 1 << 20


@dataclass(frozen=True)
class SharedDesign:
    """The parts of a design. Without the images at hand they come from predictions, which leaves some unknown."""

    dataset: str = ""  # the name of the images; "" if unknown
    class_names: tuple[str, ...] = ()  # of every label; empty if unknown
    classes: tuple[int, ...] = ()  # labels of the classes that episodes sample from
    group_name: str = ""  # of the groups of classes that episodes sample; "" if they sample classes
    groups: tuple[int, ...] = ()  # the group of each label
    pools: tuple[int, ...] = ()  # the pool of images of each episode of a list; empty if it has none
    labels_digest: str = ""  # "" if unknown
    class_vectors_digest: str | None = None

    @property
    def has_names(self) -> bool:
        """Whether the names of the classes are known."""
        return bool(self.class_names)

    def whole(self, row: Row) -> Design:
        """The design as scores need it; classes without a name are called by their label."""
        names = self.class_names or tuple(f"class {label}" for label in range(max(self.classes, default=0) + 1))
        groups = (self.group_name, np.array(self.groups, dtype=np.int64)) if self.group_name else None
        listed = np.array(self.pools, dtype=np.int64)
        if specs_of(row).from_file:
            pools_of, depend = np.zeros_like if not len(listed) else listed.__getitem__, False
        else:
            sampler = member(row, "sampler")
            # An older release counted such draws as independent; readers of its rows show no interval.
            pools_of, depend = sampler.pools_of, sampler.draws_depend and row.accuracy_low is None
        return Design(names, np.array(self.classes, dtype=np.int64), pools_of, groups, depend)

    def values(self) -> dict[str, Any]:
        """The JSON values."""
        return asdict(self)

    @staticmethod
    def of_values(values: Any) -> SharedDesign:
        """The design in JSON values of a stranger; a ValueError if they are not a design."""
        try:
            found = SharedDesign(
                str(values["dataset"]),
                tuple(map(str, values["class_names"])),
                _integers(values, "classes"),
                str(values["group_name"]),
                _integers(values, "groups"),
                _integers(values, "pools"),
                str(values["labels_digest"]),
                None if values["class_vectors_digest"] is None else str(values["class_vectors_digest"]),
            )
        except KeyError as error:
            raise ValueError(f"a design in runs.json should have {error}, which is missing") from error
        except TypeError as error:
            raise ValueError(
                f"a design in runs.json should be a JSON object of lists and texts, found {values!r:.80}"
            ) from error
        found._check()
        return found

    def _check(self) -> None:
        names, labels = len(self.class_names), self.classes
        if not labels or list(labels) != sorted(set(labels)) or labels[0] < 0 or labels[-1] >= _MOST_CLASSES:
            raise ValueError("a design should list the labels of its classes in order, each once")
        if names and (len(set(self.class_names)) < names or labels[-1] >= names):
            raise ValueError("a design should name every class once, and sample from named classes only")
        if bool(self.group_name) != bool(self.groups) or (self.groups and len(self.groups) <= labels[-1]):
            raise ValueError("a design should give the group of every class")


def _integers(design: Any, name: str) -> tuple[int, ...]:
    values = design[name]
    if not isinstance(values, list) or any(type(value) is not int for value in values):
        raise ValueError(f"the {name} of a design in runs.json should be a list of integers, found {values!r:.80}")
    return tuple(values)


def of_images(row: Row, dataset: Spec, images: LabelledImages, own: bool) -> tuple[SharedDesign, ClassSplit]:
    """The design of a row from its images, with the split of their classes. A ValueError if they do not fit, and for a
    split or a list in a file that is not one's `own`."""
    if images.images_digest != row.images_digest:
        raise ValueError(f"{images.name} holds other images than those of the row")
    split = split_of(images, _split_rule(row, dataset, own))
    groups: tuple[str, tuple[int, ...]] = ("", ())
    if not specs_of(row).from_file and (name := member(row, "sampler").class_group) is not None:
        groups = (f"groups ({name})", tuple(map(int, images.class_groups[name].codes)))
    found = SharedDesign(
        images.name,
        images.class_names,
        tuple(map(int, split.classes(row.classes, images))),
        *groups,
        _pools(row) if own else (),
        labels_digest(images),
        class_vectors_digest(images),
    )
    return found, split


def _split_rule(row: Row, dataset: Spec, own: bool) -> Spec:
    if not row.split:
        rule = dataset.make().default_split()
        if rule is None:
            raise ValueError(f"{dataset} has no default split, and the row names none")
        return KINDS["split"].spec(rule)
    rule = KINDS["split"].spec(row.split, allow_import=False)
    if rule.paths and not own:
        raise ValueError(f"the split {row.split:.80} is a file that only its author has")
    return rule


def _pools(row: Row) -> tuple[int, ...]:
    """The pools of a list of episodes, where its file is at hand; () for other rows."""
    if not specs_of(row).from_file or row.new_images_low is None:
        return ()
    pools = EpisodeList.load(Path(str(specs_of(row).sampler.fields.get("path", "")))).pools
    return () if pools is None else tuple(pools.tolist())


def of_predictions(row: Row, results: Results) -> SharedDesign:
    """The design of a row as far as its predictions tell it. A ValueError if that is too little for its numbers."""
    if not specs_of(row).from_file and member(row, "sampler").class_group is not None:
        raise ValueError("its episodes sample groups of classes, which only the images tell; name them with --data")
    held = np.unique(np.concatenate([np.unique(part.episodes.classes) for part in results.predictions(row)]))
    if len(held) != row.n_classes:
        raise ValueError(
            f"its episodes hold {len(held):,} of {row.n_classes:,} classes, so only the images tell which the others "
            "are; name them with --data"
        )
    return SharedDesign(classes=tuple(map(int, held)), pools=_pools(row))


def differences(shared: SharedDesign, images: SharedDesign) -> list[str]:
    """The parts of a shared design that differ from the design of the images, where both are known."""
    names = ["classes", "group_name", "groups"]
    names += ["class_names", "labels_digest", "class_vectors_digest"] if shared.has_names else []
    return [name.replace("_", " ") for name in names if getattr(shared, name) != getattr(images, name)]
