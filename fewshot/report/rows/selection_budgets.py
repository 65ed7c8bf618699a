"""What rows used beside their supports: trials and labels to choose hyperparameters, and pixels.

A table warns if its rows differ in these.
"""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.plugins.wording import counted, listed
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.results.selection_rule import NOTHING, saw_test_labels


def warnings(rows: Sequence[Row]) -> list[str]:
    """How the budgets of rows in one table differ, one sentence each; none if they are equal."""
    sentences = [_choices(rows), sizes(rows)]
    if any(is_oracle(row) for row in rows):
        sentences.append("An oracle chose its hyperparameters on the test labels, so it is never marked best.")
    return list(filter(None, sentences))


def is_oracle(row: Row) -> bool:
    """Whether hyperparameters were chosen on the test episodes themselves."""
    return saw_test_labels(row.selection)


def choice(row: Row) -> str:
    """Where hyperparameters were chosen, among how many settings and with how many labels; "" if they were not."""
    if row.selection in (NOTHING, ""):
        return ""
    among = f" among {row.n_trials:,} settings" if row.n_trials > 1 else ""
    labels = f" with {counted(row.n_labels_selection, 'extra labelled image')}" if row.n_labels_selection else ""
    return f"chosen on {row.selection}{among}{labels}"


def _choices(rows: Sequence[Row]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        text = choice(row) or "as given"
        counts[text] = counts.get(text, 0) + 1
    if len(counts) < 2:
        return ""
    parts = ", ".join(f"{text} in {counted(n, 'run')}" for text, n in counts.items())
    return f"Budgets to choose hyperparameters differ: {parts}."


def sizes(rows: Sequence[Row]) -> str:
    """How the image sizes in the specs of the backbones differ; "" if they do not."""
    different = set(map(image_size, rows))
    if len(different) < 2:
        return ""
    pixels = [str(size) for size in sorted(size for size in different if size)]
    names = [f"{listed(pixels)} pixels"] if pixels else []
    return f"Image sizes differ: {listed(names + ['a network default'] * (None in different))}."


def image_size(row: Row) -> int | None:
    """The image size in the spec of the backbone; None for the network's default."""
    size = specs_of(row).backbone.fields.get("image_size")
    return size if type(size) is int else None
