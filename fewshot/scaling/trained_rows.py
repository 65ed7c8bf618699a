"""What the studies read of rows of networks that were trained here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fewshot.plugins import DATASETS

ONE_SEED = "one seed: no interval"


def trained(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that a training here stands behind and that did not fail."""
    return [row for row in rows if row.get("unique_images") and row.get("status", "ok") == "ok"]


def head_name(row: dict[str, Any]) -> str:
    """The evaluator of a row behind its transform, where there is one, as specs."""
    transform, evaluator = str(row["transform"]), str(row["evaluator"])
    return evaluator if transform == "Identity()" else f"{transform} + {evaluator}"


def source_name(row: dict[str, Any]) -> str:
    """The name of the set that the network of a row was trained on."""
    return str(row["pretrained_on"]).partition(":")[0]


def target_name(dataset: str) -> str:
    """The name of a data set as its images bear it, where its spec says so: its field `name`, or "icons mono" of
    Icons(domain='mono'); else what was given."""
    try:
        name = DATASETS.given(dataset).get("name")
    except ValueError:  # of a stranger's row
        return dataset
    if isinstance(name, str) and name:
        return name
    plain = {"Icons(domain='mono')": "icons mono", "Icons(domain='colour')": "icons colour", "Glyphs()": "glyphs"}
    return plain.get(dataset, dataset)
