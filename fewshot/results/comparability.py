"""Which rows may stand in one table: a key that comparable rows share, and the choices in which others differ.

Two levels, so that a table never mixes two tasks and still shows how methods used theirs:

- **The task must be equal**: images, class names, split, part of the split, sampler, ways, shots, queries, seed, and
  the benchmark of the field with its version. Two rows that differ here answer two questions, and no label repairs
  that. `comparability_key` hashes these choices; a table, a matrix, `compare` and a leaderboard hold rows of one key.
- **The means are labelled**: transductive or not, what chose hyperparameters, extra labelled images, and the image
  size. Papers show such methods side by side, and readers ask for it; a difference is fair to see and unfair to hide.
  `labels` gives these words for a row. An oracle is shown too, and never marked best.

Neither level holds who is compared: backbone, weights, transform, evaluator, dtype, device. Nor the number of episodes:
episode i is the same for every count, so a longer run refines the same number, and `compare` pairs two runs on the
episodes that both solved. A list of episodes has no such law and no seed, so its content stands for it. The name of a
suite ("quick@1") prescribes nothing that the other columns do not say; a benchmark of the field ("cifar_fs@1") also
prescribes what no column says, such as the image size, so it is part of the key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from fewshot.plugins.wording import counted, listed
from fewshot.results.row import Row
from fewshot.results.row_specs import data_of, specs_of, without_paths
from fewshot.results.selection_rule import NOTHING

SHOTS = ("shots", "fewer shots allowed")  # the choices that the columns of a table vary
_PROTOCOLS = Path(__file__).parent.parent / "protocols"
_LETTERS = 8  # of a digest in a sentence
_MOST_VALUES = 4  # of a choice in a sentence
_FOLLOW_FROM_DATA = ("class names", "split", "classes")
_MOST_ROWS = 64  # among which the nearest one is looked for


@dataclass(frozen=True)
class Choice:
    """A choice behind a number: its name, its value for the hash, and the value in words."""

    name: str
    value: Callable[[Row], object]
    words: Callable[[Row], str]


@dataclass(frozen=True)
class Difference:
    """A choice in which two rows differ. `forbids`: the rows may not stand in one table."""

    choice: str
    a: str
    b: str
    forbids: bool

    @property
    def sentence(self) -> str:
        """Such as "seed: 0 and 1"."""
        return f"{self.choice}: {self.a} and {self.b}"


def comparability_key(row: Row, measure: str = "accuracy") -> str:
    """16 hex digits that rows of one table share: the task, and the measure that the table shows."""
    text = json.dumps([measure, *task_choices(row)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def task_choices(row: Row, without: Iterable[str] = ()) -> tuple[object, ...]:
    """The values of all choices that must be equal, but for those named `without`."""
    omitted = tuple(without)
    return tuple(choice.value(row) for choice in _TASK if choice.name not in omitted)


def differences(a: Row, b: Row) -> list[Difference]:
    """The choices in which two rows differ: first those that forbid a comparison, then those that a table labels."""
    levels = ((choice, choices is _TASK) for choices in (_TASK, _LABELLED) for choice in choices)
    return [
        Difference(choice.name, *_distinct(choice.words(a), choice.words(b)), forbids)
        for choice, forbids in levels
        if choice.value(a) != choice.value(b)
    ]


def labels(row: Row) -> tuple[str, ...]:
    """What a table says beside a row's name: "transductive", "chosen on validation classes", "200 labelled images to
    choose hyperparameters"; nothing for an inductive run with hyperparameters as given."""
    texts = ["transductive"] if row.transductive else []
    if _selection(row) != NOTHING:
        texts.append(f"chosen on {row.selection}")
    if row.n_labels_selection:
        texts.append(f"{counted(row.n_labels_selection, 'labelled image')} to choose hyperparameters")
    return tuple(texts)


def refusal(rows: Sequence[Row]) -> str:
    """Why no two of these rows may be compared: every choice that forbids it, the data first, with its values, as
    "data: icons and glyphs; seed: 0 and 1"; "" if two of them share a task. What follows from other data, such as
    another split, is left out."""
    keys = [task_choices(row) for row in rows]
    if len(set(keys)) < len(keys):
        return ""
    differing = [choice for choice, values in zip(_TASK, zip(*keys, strict=True), strict=True) if len(set(values)) > 1]
    if any(choice.name == "data" for choice in differing):
        differing = [choice for choice in differing if choice.name not in _FOLLOW_FROM_DATA]
    return "; ".join(f"{choice.name}: {_values(choice, rows)}" for choice in differing)


def _values(choice: Choice, rows: Iterable[Row]) -> str:
    """The values of a choice in these rows, in words: the first few, and how many more."""
    words = {choice.value(row): choice.words(row) for row in rows}
    texts = list(_distinct(*words.values()) if len(words) == 2 else dict.fromkeys(words.values()))
    few = texts if len(texts) <= _MOST_VALUES + 1 else [*texts[:_MOST_VALUES], f"{len(texts) - _MOST_VALUES} others"]
    return listed(few)


def nearest(row: Row, rows: Iterable[Row]) -> str:
    """The choices in which a row differs from the nearest other row, as "seed: 0 and 1"; "" if one shares its task."""
    return _fewest((row, other) for other in islice((one for one in rows if one is not row), _MOST_ROWS))


def _fewest(pairs: Iterable[tuple[Row, Row]]) -> str:
    """The differences that forbid the comparison of the pair that has the fewest."""
    forbidden = ([one for one in differences(a, b) if one.forbids] for a, b in pairs)
    return "; ".join(one.sentence for one in min(forbidden, key=len, default=[]))


def benchmark(row: Row) -> str:
    """The benchmark of the field that a row followed, with its version, such as "cifar_fs@1"; "" for other suites."""
    name = row.protocol.partition("@")[0]
    return row.protocol if name in _benchmarks() else ""


@cache
def _benchmarks() -> frozenset[str]:
    """The names of all benchmarks of the field: one file each."""
    return frozenset(file.stem for file in _PROTOCOLS.glob("[a-z]*.py"))


def _sampler(row: Row) -> str:
    return without_paths(specs_of(row).sampler)


def _listed(row: Row) -> str:
    return row.episodes_digest if specs_of(row).from_file else ""


def _selection(row: Row) -> str:
    return row.selection or NOTHING


def _image_size(row: Row) -> object:
    return specs_of(row).backbone.fields.get("image_size")


def _split(row: Row) -> str:
    return f"{specs_of(row).split.short_name or 'the default split'} {row.split_digest[:_LETTERS]}".strip()


def _distinct(a: str, b: str) -> tuple[str, str]:
    """Two texts; equal ones are numbered, because their values differ."""
    return (a, b) if a != b else (f"{a} (one content)", f"{b} (another content)")


def _column(name: str, column: str, absent: str = "none") -> Choice:
    """A choice that one column holds."""

    def words(row: Row) -> str:
        value = getattr(row, column)
        return absent if value in (None, "") else f"{value:,}" if type(value) is int and name != "seed" else str(value)

    return Choice(name, lambda row: getattr(row, column), words)


def _digest(name: str, value: Callable[[Row], str]) -> Choice:
    """A choice that a digest names."""
    return Choice(name, value, lambda row: value(row)[:_LETTERS] or "unknown")


_TASK = (
    Choice("data", data_of, lambda row: f"{specs_of(row).dataset.short_name} {row.images_digest[:_LETTERS]}".strip()),
    _digest("class names", lambda row: row.classes_digest),
    Choice("split", lambda row: row.split_digest or row.split, _split),
    _column("classes", "classes", "all"),
    Choice("sampler", _sampler, lambda row: specs_of(row).sampler.short_name),
    _digest("listed episodes", _listed),
    _column("ways", "n_way", "open"),
    _column("shots", "k_shot", "open"),
    Choice("fewer shots allowed", lambda row: row.k_shot_at_most, lambda row: "yes" if row.k_shot_at_most else "no"),
    _column("queries per class", "n_query", "all others"),
    _column("seed", "seed"),
    Choice("benchmark", benchmark, lambda row: benchmark(row) or "none"),
)
_LABELLED = (
    Choice("queries", lambda row: row.transductive, lambda row: "all at once" if row.transductive else "one by one"),
    Choice("hyperparameters chosen on", _selection, _selection),
    Choice(
        "labels to choose hyperparameters",
        lambda row: row.n_labels_selection,
        lambda row: counted(row.n_labels_selection, "image") if row.n_labels_selection else "none",
    ),
    Choice(
        "image size",
        _image_size,
        lambda row: "the network's default" if _image_size(row) is None else f"{_image_size(row)} px",
    ),
)
