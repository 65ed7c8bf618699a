"""Class names that are probably mistakes: spellings of one name, and texts that mean "no label"."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from fewshot.episodes.episodes import Ints

_NO_LABEL = frozenset({"", "-1", "nan", "none", "null", "n/a", "#n/a", "<na>", "?", "unlabeled", "unlabelled"})
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
