"""Class names that are probably mistakes: spellings of one name, and texts that mean "no label"."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from fewshot.episodes.episodes import Ints

_NO_LABEL = frozenset({"", "-1", "nan", "none", "null", "n/a", "#n/a", "<na>", "?", "unlabeled", "unlabelled"})
SILENT = logging.Logger("silent", logging.CRITICAL + 1)  # for a first look at files that `load` reports later
_log = logging.getLogger("fewshot")


def joined_spellings(names: Iterable[str], where: str, log: logging.Logger = _log) -> dict[str, str]:
    """The common form, NFC, of names that differ only in their Unicode form (an accent as part of a letter, or as a
    character of its own). A warning counts them. Other names are not in the dictionary, so they stay as they are."""
    forms: dict[str, set[str]] = {}
    for name in set(names):
        forms.setdefault(unicodedata.normalize("NFC", name), set()).add(name)
    joined = {spelling: form for form, spellings in forms.items() if len(spellings) > 1 for spelling in spellings}
    if joined:
        number = len(set(joined.values()))
        what = "name is written" if number == 1 else "names are written"
        message = "%s: %d %s in two Unicode forms (NFC and NFD), such as %r; fewshot joins them"
        log.warning(message, where, number, what, min(joined.values()))
    return joined


def warn_of_names(class_names: Sequence[str], labels: Ints, where: str) -> None:
    """Warns of classes whose names differ only in case or spaces, and of names that mean "no label"."""
    counts = np.bincount(labels, minlength=len(class_names))
    pairs = similar_names(class_names)
    if pairs:
        one, other = pairs[0]
        classes = "2 classes differ" if len(pairs) == 1 else f"{len(pairs)} pairs of classes differ"
        message = "%s: %s only in case or spaces, such as %r and %r; if they are one class, give them one name"
        _log.warning(message, where, classes, one, other)
    for name, count in zip(class_names, counts.tolist(), strict=True):
        if means_no_label(name):
            message = '%s: the class %r (%s) looks like "no label"; remove these rows or images if they have no class'
            _log.warning(message, where, name, "1 image" if count == 1 else f"{count:,} images")


def check_labels(class_names: Sequence[str], labels: Ints, where: str) -> None:
    """Warns of labels that are probably mistakes; raises a ValueError if classes have only one image because of them:
    several labels in one field, or one label in several cases."""
    warn_of_names(class_names, labels, where)
    counts = dict(zip(class_names, np.bincount(labels, minlength=len(class_names)).tolist(), strict=True))
    pair = next((pair for pair in similar_names(class_names) if min(counts[name] for name in pair) == 1), None)
    if pair is not None:
        rows = " and ".join(f"{name!r} ({counts[name]:,} rows)".replace("(1 rows)", "(1 row)") for name in pair)
        raise ValueError(f"{where}: the labels {rows} differ only in case or spaces; write them alike")
    several = _several_labels(class_names)
    if several is not None:
        one, other, shared, most = several
        sentence = (
            f"{where}: labels such as {one!r} and {other!r} seem to hold several labels per image (both contain "
            f"{shared!r}); keep one label, and put the others into a column of their own, such as class:superclass"
        )
        alone = min(counts[name] for name in (one, other)) == 1
        if most and alone:
            raise ValueError(sentence)
        if most or alone:
            _log.warning(sentence)


def _several_labels(names: Sequence[str]) -> tuple[str, str, str, bool] | None:
    """Two labels that are lists (a,b or a;b or a|b) and share an entry, the entry, and whether most labels do so."""
    lists = {name: [part.strip() for part in re.split("[,;|]", name) if part.strip()] for name in names}
    holders: dict[str, list[str]] = {}
    for name, parts in lists.items():
        for part in dict.fromkeys(parts):
            holders.setdefault(part, []).append(name)
    shared = {part: some for part, some in holders.items() if len(some) > 1}
    in_lists = [name for name, parts in lists.items() if any(part in shared for part in parts)]
    if not shared:
        return None
    part = max(shared, key=lambda part: len(shared[part]))
    return shared[part][0], shared[part][1], part, 2 * len(in_lists) >= len(names)


def similar_names(names: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of names that differ only in case or spaces."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(_plain(name), name), name) for name in names]
    return [(one, other) for one, other in pairs if one != other]


def means_no_label(name: str) -> bool:
    """Whether the name is a usual text for a missing label."""
    return name.strip().casefold() in _NO_LABEL or name == "NA"


def _plain(name: str) -> str:
    """The name in one case, without spaces at its ends, and with single ones inside."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
