"""What the studies read of rows of networks that were trained here."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from fewshot.plugins.registry import DATASETS, TRANSFORMS

ONE_SEED = "one seed: no interval"
_SCORED = ("dataset", "classes", "transform", "evaluator", "sampler")
_TEXTS = (*_SCORED, "pretrained_on", "network", "recipe", "training_rule")
_WHOLE = {"unique_images": 1, "n_params": 1, "training_seed": 0, "training_classes": 2}  # and the least there can be
_WHOLE_OR_NONE = {"n_way": 1, "k_shot": 0, "n_query": 0, "n_held_out": 0, "n_classes": 0, "n_seen_classes": 0}
_FRACTIONS = ("accuracy", "seen_error")
_NUMBERS = ("accuracy_low", "first_loss", "training_loss")


def trained(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that a training here stands behind and that did not fail, the columns that studies read as numbers and
    text; a ValueError names the first that is neither."""
    return [_checked(row) for row in rows if row.get("unique_images") and row.get("status", "ok") == "ok"]


def _checked(row: dict[str, Any]) -> dict[str, Any]:
    for name in _TEXTS:
        if not isinstance(row.get(name), str):
            raise _wrong(row, name, "text")
    read: dict[str, Any] = {name: _whole(row, name, least) for name, least in _WHOLE.items()}
    for name, least in _WHOLE_OR_NONE.items():
        read[name] = None if row.get(name) in (None, "") else _whole(row, name, least)
    for name in (*_FRACTIONS, *_NUMBERS):
        read[name] = None if row.get(name) in (None, "") else _number(row, name, name in _FRACTIONS)
    return row | read


def _whole(row: dict[str, Any], name: str, least: int) -> int:
    value = _as_number(row.get(name))
    if value is None or value < least or value != int(value):
        raise _wrong(row, name, f"a whole number of at least {least}")
    return int(value)


def _number(row: dict[str, Any], name: str, fraction: bool) -> float:
    value = _as_number(row[name])
    if value is None or (fraction and not 0 <= value <= 1):
        raise _wrong(row, name, "a number in [0, 1]" if fraction else "a number")
    return value


def _as_number(value: Any) -> float | None:
    """A finite number, or a text of one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _wrong(row: dict[str, Any], name: str, wanted: str) -> ValueError:
    found = repr(row[name])[:60] if name in row else "nothing"
    return ValueError(
        f"the column {name!r} of the row {repr(row.get('run_id', ''))[:60]} must be {wanted}, got {found}; studies "
        "read rows that `fewshot run` or `fewshot bench` wrote"
    )


def head_name(row: dict[str, Any]) -> str:
    """The evaluator of a row behind its transform, where that changes anything, as specs."""
    transform, evaluator = TRANSFORMS.read(str(row["transform"])), str(row["evaluator"])
    return evaluator if transform.declares("keeps_features") else f"{transform} + {evaluator}"


def source_name(row: dict[str, Any]) -> str:
    """The name of the set that the network of a row was trained on."""
    return str(row["pretrained_on"]).partition(":")[0]


def target_name(dataset: str) -> str:
    """The name of a data set as its images bear it, where its spec says so: its field `name`, or "icons mono" of
    Icons(domain='mono'); else what was given."""
    spec = DATASETS.read(dataset)
    name = spec.fields.get("name")
    if isinstance(name, str) and name:
        return name
    return spec.short_name if spec.declares("names_images") else dataset
