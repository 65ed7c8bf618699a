"""Vectors instead of images, from arrays in memory or from a file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fewshot.datasets import GivenVectors, Group, LabelledImages
from fewshot.datasets._class_names import SILENT, joined_spellings, warn_of_names
from fewshot.datasets._partitions import check_partitions, report_partitions, split_rule, with_partitions
from fewshot.datasets._vector_faults import VectorFaults, warn_of_class_vectors
from fewshot.episodes.flat import Ints
from fewshot.files.quoting import quoted
from fewshot.files.vectors import HeldVectors, Vectors, vectors_digest
from fewshot.plugins.wording import counted

FaultsOf = Callable[[Vectors, Ints], VectorFaults]
_log = logging.getLogger("fewshot")
_NOTHING: Mapping[str, Any] = {}


def labelled_vectors(
    vectors: ArrayLike,
    labels: ArrayLike,
    class_names: Sequence[str] | None = None,
    partition: ArrayLike | None = None,
    image_groups: Mapping[str, ArrayLike] = _NOTHING,
    class_groups: Mapping[str, ArrayLike] = _NOTHING,
    class_vectors: ArrayLike | None = None,
    name: str = "vectors",
) -> LabelledImages:
    """A data set of vectors [n, D] in memory, for `evaluate(Given(), ...)`, samplers and splits.

    The vectors are used as float32 and not copied: do not change them afterwards. `labels` [n] are strings or integers;
    integers index `class_names` [C], or are names themselves without it. `partition` and the image groups hold one
    string or integer per vector, the class groups one per class. `class_vectors` [C, D] are the vectors of the class
    names. A ValueError names an argument that does not fit.
    """
    groups = {key: np.asarray(values) for key, values in image_groups.items()}
    if partition is not None:
        groups["partition"] = np.asarray(partition)
    given = VectorArrays(
        HeldVectors(checked_matrix(np.asarray(vectors), "vectors", name)),
        np.asarray(labels),
        None if class_names is None else np.asarray(class_names),
        groups,
        {key: np.asarray(values) for key, values in class_groups.items()},
        None if class_vectors is None else np.asarray(class_vectors),
    )
    return given.labelled(name, name, vectors_digest(given.vectors, name), VectorFaults.of)


@dataclass(frozen=True, eq=False)
class VectorArrays:
    """The user's arrays, not checked yet: vectors, and labels and groups of vectors or classes."""

    vectors: Vectors
    labels: NDArray[Any]  # [n] integers or strings
    class_names: NDArray[Any] | None = None  # [C] strings
    image_groups: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # [n] each
    class_groups: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # [C] each, or [n], equal inside a class
    class_vectors: NDArray[Any] | None = None  # [C, D]

    def labelled(self, name: str, where: str, digest: bytes, faults: FaultsOf) -> LabelledImages:
        """The data set; `digest` is that of the vectors, and `faults` counts suspicious ones. Errors and warnings start
        with `where`. A warning counts classes without vectors, which are left out."""
        names, labels = self.classes(where)
        held = np.unique(labels)
        absent = np.flatnonzero(~np.isin(names, names[held]))
        if len(absent):
            classes = counted(len(absent), "class")
            _log.warning("%s: skipped %s without vectors, such as %s", where, classes, names[absent[0]])
        groups = {
            key: _group(values, len(self.vectors), f"group {quoted(key)}", where)
            for key, values in sorted(self.image_groups.items())
        }
        class_groups = {
            key: _group(_by_class(values, labels, len(names), key, where)[held], len(held), key, where)
            for key, values in self.class_groups.items()
        }
        class_vectors = None if self.class_vectors is None else self._class_vectors(len(names), where)[held]
        class_names, labels = tuple(names[held].tolist()), np.searchsorted(held, labels)
        check_partitions(groups, lambda row: f"row {row}", where)
        class_groups = with_partitions(groups, class_groups, labels, len(class_names))
        images = LabelledImages(
            name=name,
            images=GivenVectors(self.vectors, name),
            labels=labels,
            class_names=class_names,
            images_digest=digest.hex(),
            image_groups=groups,
            class_groups=class_groups,
            class_vectors=class_vectors,
        )
        warn_of_names(class_names, labels, where)
        report_partitions(groups.get("partition"), class_groups.get("partition"), labels, where)
        faults(self.vectors, labels).warn(len(self.vectors), where)
        if class_vectors is not None:
            warn_of_class_vectors(class_vectors, class_names, where)
        return images

    def classes(self, where: str, log: logging.Logger = _log) -> tuple[NDArray[Any], Ints]:
        """The names [C] of all classes, and the index of each label in them; Unicode forms of one name are joined."""
        check_length(self.labels.shape, len(self.vectors), "labels", where)
        names, labels = _classes(self, where)
        joined = joined_spellings(names.tolist(), where, log)
        if not joined or len(set(names.tolist())) < len(names):
            return names, labels
        written = [joined.get(name, name) for name in names.tolist()]
        first = {name: index for index, name in reversed(list(enumerate(written)))}
        return np.array(written), np.array([first[name] for name in written])[labels]

    def split_rule(self, where: str) -> str | None:
        """The split by partitions, if they hold different classes; else None."""
        if "partition" not in self.image_groups:
            return None
        _, labels = self.classes(where, SILENT)
        groups = {"partition": _group(self.image_groups["partition"], len(labels), "group 'partition'", where)}
        held, labels = np.unique(labels, return_inverse=True)
        return split_rule(with_partitions(groups, {}, labels, len(held)).get("partition"))

    def _class_vectors(self, n_classes: int, where: str) -> NDArray[np.float32]:
        """[C, D], with the same D as the vectors, so that both can be compared."""
        assert self.class_vectors is not None
        values = self.class_vectors
        if values.shape != (n_classes, self.vectors.dim) or values.dtype.kind not in "fiu":
            raise ValueError(
                f"{where}: class_vectors must be numbers of shape [{n_classes}, {self.vectors.dim}], one vector per "
                f"class and as long as the others, found {values.dtype} of shape {list(values.shape)}"
            )
        with np.errstate(over="ignore"):
            return values.astype(np.float32)


def checked_matrix(values: NDArray[Any], what: str, where: str) -> NDArray[Any]:
    """The array, after a check that it is [n, D] numbers with n and D at least 1."""
    check_matrix(values.dtype, values.shape, what, where)
    return values


def check_matrix(dtype: np.dtype[Any], shape: Sequence[int], what: str, where: str) -> None:
    """Raises a ValueError unless the array has numbers of shape [n, D], with n and D at least 1."""
    if dtype.kind not in "fiu" or len(shape) != 2 or min(shape) < 1:
        raise ValueError(
            f"{where}: {what} must be numbers of shape [n, D], one row per vector, found {dtype} of shape {list(shape)}"
        )


def _classes(given: VectorArrays, where: str) -> tuple[NDArray[Any], Ints]:
    """The names [C] of all classes, and the index of each label in them."""
    labels = texts(given.labels) if given.labels.dtype.kind not in "iu" else given.labels
    if labels is None:
        raise ValueError(f"{where}: labels must be integers or strings, found {given.labels.dtype}")
    names = given.class_names
    if names is None and labels.dtype.kind == "U":
        if given.class_vectors is not None:
            raise ValueError(
                f"{where}: labels are strings, so class_names must name the class of each row of class_vectors"
            )
        return np.unique(labels, return_inverse=True)
    if names is None:
        return _numbered(labels, given.class_vectors, where)
    names = texts(names)
    if names is None or names.ndim != 1:
        assert given.class_names is not None
        found = f"found {given.class_names.dtype} of shape {list(given.class_names.shape)}"
        raise ValueError(f"{where}: class_names must be strings of shape [C], {found}")
    if not len(names):
        raise ValueError(f"{where}: class_names is empty; list the name of each class, or leave class_names out")
    return names, _places(labels, names, where)


def _numbered(labels: NDArray[Any], class_vectors: NDArray[Any] | None, where: str) -> tuple[NDArray[Any], Ints]:
    """Classes named by integers: one class per class vector, or without class vectors one per integer that occurs."""
    if class_vectors is None:
        values, places = np.unique(labels, return_inverse=True)
        return values.astype(np.str_), places
    names = np.arange(len(class_vectors))
    return names.astype(np.str_), _in_range(labels, len(names), "class_vectors", where)


def _places(labels: NDArray[Any], names: NDArray[Any], where: str) -> Ints:
    """The index of each label in `names`."""
    if labels.dtype.kind != "U":
        return _in_range(labels, len(names), "class_names", where)
    order = np.argsort(names, kind="stable")
    places = order[np.minimum(np.searchsorted(names, labels, sorter=order), len(names) - 1)]
    unknown = np.flatnonzero(names[places] != labels)
    if len(unknown):
        raise ValueError(
            f"{where}: the label {quoted(str(labels[unknown[0]]))} of row {unknown[0]} is not in class_names"
        )
    return np.asarray(places, dtype=np.int64)


def _in_range(labels: NDArray[Any], size: int, what: str, where: str) -> Ints:
    wrong = np.flatnonzero((labels < 0) | (labels >= size))
    if len(wrong):
        raise ValueError(
            f"{where}: labels index {what}, so they must be in [0, {size}), "
            f"but the label of row {wrong[0]} is {labels[wrong[0]]}"
        )
    return labels.astype(np.int64)


def _by_class(values: NDArray[Any], labels: Ints, n_classes: int, key: str, where: str) -> NDArray[Any]:
    """[C] one value per class, from one per class or one per vector."""
    if len(values) == n_classes or len(values) != len(labels):
        check_length(values.shape, n_classes, f"class group {quoted(key)}", where)
        return values
    _, first = np.unique(labels, return_index=True)
    by_class = np.zeros(n_classes, dtype=values.dtype)
    by_class[labels[first]] = values[first]
    differing = np.flatnonzero(by_class[labels] != values)
    if len(differing):
        raise ValueError(
            f"{where}: the class group {quoted(key)} of row {differing[0]} is "
            f"{quoted(str(values[differing[0]]))}, but another vector of its class has "
            f"{quoted(str(by_class[labels[differing[0]]]))}; give each class one value"
        )
    return by_class


def _group(values: NDArray[Any], size: int, what: str, where: str) -> Group:
    """The group of strings or integers."""
    check_length(values.shape, size, what, where)
    known = values if values.dtype.kind in "iub" else texts(values)
    if known is None:
        raise ValueError(f"{where}: the {what} must hold strings or integers, found {values.dtype}")
    names, codes = np.unique(known, return_inverse=True)
    return Group(codes.astype(np.int32), tuple(names.astype(np.str_).tolist()))


def check_length(shape: tuple[int, ...], size: int, what: str, where: str) -> None:
    """Raises a ValueError unless an array has one value for each of `size` vectors or classes."""
    if shape != (size,):
        raise ValueError(
            f"{where}: {what} must be of shape [{size}], one for each {'class' if 'class' in what else 'vector'}, "
            f"found {list(shape)}"
        )


def texts(values: NDArray[Any]) -> NDArray[np.str_] | None:
    """The array as strings, with bytes decoded as UTF-8; None if it holds anything else."""
    if values.dtype.kind == "S":
        try:
            return np.char.decode(values, "utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"the text {quoted(error.object)} is not UTF-8 (perhaps Latin-1); save it as UTF-8"
            ) from error
    if values.dtype.kind == "O" and all(isinstance(value, str) for value in values.reshape(-1)):
        return values.astype(np.str_)
    return values if values.dtype.kind == "U" else None
