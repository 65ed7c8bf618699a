"""Class names that are probably mistakes: spellings of one name, and texts that mean "no label"."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from fewshot.episodes.flat import Ints
from fewshot.files.quoting import quoted, shortened
from fewshot.plugins.wording import agreeing, counted

_NO_LABEL = frozenset(
    {"", "-1", "nan", "none", "null", "n/a", "#n/a", "<na>", "?", "unlabeled", "unlabelled",
     "undefined", "nil", "<nan>"}
)  # fmt: skip
_NO_LABEL_WORDS = frozenset(
    {
        "unknown",
        "unset",
        "n a",
        "not available",
        "no label",
        "nolabel",
        "no class",
        "not labeled",
        "not labelled",
        "unlabeled",
        "unlabelled",
        "undefined",
        "none",
        "null",
        "nil",
        "nan",
    }
)  # words without brackets, underscores and the like
_JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in some scripts
_NUMBERS = "the writing of a number"
_SEPARATORS = "underscores, hyphens, dots or spaces"
_SEPARATOR = re.compile(r"[\s_\-.]+")
_LOOKALIKES = "letters that look alike in two scripts"
_LATIN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухԁԛԝһӏΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονϲ",
    "ABESIJKMHOPCTYXaesijopcyxdqwhlABEZHIKMNOPTYXaovc",
)  # letters of Cyrillic and Greek that look like Latin ones
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,15})?", re.ASCII)
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
        written = f"{counted(number, 'name')} {agreeing(number, 'is', 'are')} written"
        message = "%s: %s in two Unicode forms (NFC and NFD), such as %r; fewshot joins them"
        log.warning(message, where, written, shortened(min(joined.values())))
    return joined


def warn_of_names(class_names: Sequence[str], labels: Ints, where: str) -> None:
    """Warns of classes whose names differ only in their writing, of invisible characters in names, and of names that
    mean "no label"."""
    counts = np.bincount(labels, minlength=len(class_names))
    pairs = similar_names(class_names)
    if pairs:
        one, other = pairs[0]
        how = f"differ only in {_difference(one, other)}"
        classes = agreeing(len(pairs), f"2 classes {how}", f"{len(pairs):,} pairs of classes {how}")
        message = "%s: %s, such as %r and %r; if they are one class, give them one name"
        _log.warning(message, where, classes, shortened(one), shortened(other))
    odd = [name for name in class_names if name and (name != name.strip() or set(name) - {*_JOINERS, *visible(name)})]
    if odd:
        classes = f"{counted(len(odd), 'class')} {agreeing(len(odd), 'has', 'have')}"
        message = "%s: %s invisible characters in or around the name, such as %r; rename it if they are a mistake"
        _log.warning(message, where, classes, shortened(odd[0]))
    for name, count in zip(class_names, counts.tolist(), strict=True):
        if means_no_label(name):
            message = '%s: the class %r (%s) looks like "no label"; remove these rows or images if they have no class'
            _log.warning(message, where, name, counted(count, "image"))


def check_labels(class_names: Sequence[str], labels: Ints, where: str) -> None:
    """Warns of labels that are probably mistakes; raises a ValueError if classes have only one image because of them:
    several labels in one field, or one label in several cases."""
    warn_of_names(class_names, labels, where)
    counts = dict(zip(class_names, np.bincount(labels, minlength=len(class_names)).tolist(), strict=True))
    legal = (_NUMBERS, _SEPARATORS, _LOOKALIKES)  # 01 or 1-5 can be a code, and letters of two scripts the classes
    alike = [pair for pair in similar_names(class_names) if _difference(*pair) not in legal]
    pair = next((pair for pair in alike if min(counts[name] for name in pair) == 1), None)
    if pair is not None:
        rows = " and ".join(f"{quoted(name)} ({counted(counts[name], 'row')})" for name in pair)
        raise ValueError(f"{where}: the labels {rows} differ only in {_difference(*pair)}; write them alike")
    several = _several_labels(class_names)
    if several is not None:
        one, other, shared, most = several
        sentence = (
            f"{where}: labels such as {quoted(one)} and {quoted(other)} seem to hold several labels "
            f"per image (both contain {quoted(shared)}); keep one label, and put the others into a column of their "
            "own, such as class:superclass"
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
    """The pairs of names that differ only in case, spaces, invisible characters, the writing of a number, what
    separates words, or letters that look alike in two scripts."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(_plain(name), name), name) for name in names]
    return [(one, other) for one, other in pairs if one != other]


def means_no_label(name: str) -> bool:
    """Whether the name is a usual text for a missing label."""
    words = " ".join(re.split(r"[\s_\-./]+", name.strip("<>[](){}#* \t").casefold())).strip()
    return name.strip().casefold() in _NO_LABEL or name == "NA" or words in _NO_LABEL_WORDS


def visible(name: str) -> str:
    """The name without characters that nobody sees: of control, of direction, of no width."""
    return "".join(letter for letter in name if unicodedata.category(letter) not in ("Cc", "Cf"))


def in_latin(name: str) -> str:
    """The name with the Latin letter for each letter of another script that looks like one."""
    return unicodedata.normalize("NFKC", name).translate(_LATIN)


def _difference(one: str, other: str) -> str:
    """What two names of one class differ in."""
    if _spelled(one) == _spelled(other):
        return "case or spaces"
    if _spelled(visible(one)) == _spelled(visible(other)):
        return "invisible characters"
    if _valued(one) == _valued(other):
        return _NUMBERS
    return _SEPARATORS if _separated(_valued(one)) == _separated(_valued(other)) else _LOOKALIKES


def _plain(name: str) -> str:
    """The name as people see it: in Latin letters where they look alike, then as in `_valued`, and with single spaces
    between words."""
    return _separated(_valued(in_latin(name)))


def _separated(name: str) -> str:
    """The name with a space for whatever separates its words; a number and signs alone stay as they are."""
    if _NUMBER.fullmatch(name) or not any(letter.isalnum() for letter in name):
        return name
    return _SEPARATOR.sub(" ", name)


def _valued(name: str) -> str:
    """The name in one case, with single spaces inside, without invisible characters; of a number, its value."""
    spelled = _spelled(visible(name))
    return str(float(spelled)) if _NUMBER.fullmatch(spelled) else spelled


def _spelled(name: str) -> str:
    """The name in one case, without spaces at its ends, and with single ones inside."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
