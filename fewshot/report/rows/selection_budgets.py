"""What rows had to spend beside their supports: choices of hyperparameters, labels for them, and pixels.

Rows that differ in these are compared with a warning, in words.
"""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.results.asked import asked
from fewshot.results.row import Row
from fewshot.results.selection_rule import NOTHING, saw_test_labels

_OF_A_NETWORK = "a network's own size"


def warnings(rows: Sequence[Row]) -> list[str]:
    """How the budgets of rows in one table differ, a sentence each; none where they are alike."""
    said = [_choices(rows), sizes(rows)]
    if any(is_oracle(row) for row in rows):
        said.append("An oracle saw the test labels before it answered: it is never marked best.")
    return [sentence for sentence in said if sentence]


def is_oracle(row: Row) -> bool:
    """Whether hyperparameters were chosen on the test episodes themselves."""
    return saw_test_labels(row.selection)


def choice(row: Row) -> str:
    """On what hyperparameters were chosen, among how many settings and with how many labels; "" where they were not."""
    if row.selection in (NOTHING, ""):
        return ""
    among = f" among {row.n_trials} settings" if row.n_trials > 1 else ""
    labels = f" with {row.n_labels_selection} more labelled images" if row.n_labels_selection else ""
    return f"chosen on {row.selection}{among}{labels}"


def _choices(rows: Sequence[Row]) -> str:
    counted: dict[str, int] = {}
    for row in rows:
        said = choice(row) or "as given"
        counted[said] = counted.get(said, 0) + 1
    if len(counted) < 2:
        return ""
    listed = ", ".join(f"{said} in {n} run{'' if n == 1 else 's'}" for said, n in counted.items())
    return f"Hyperparameters do not come from equal budgets: {listed}."


def sizes(rows: Sequence[Row]) -> str:
    """How the image sizes of the backbones differ, as their specs say them; "" where they do not."""
    asked_for = set(map(image_size, rows))
    if len(asked_for) < 2:
        return ""
    pixels = [str(size) for size in sorted(size for size in asked_for if size)]
    named = [f"{' and '.join(pixels)} pixels"] if pixels else []
    return f"Image sizes differ: {' and '.join(named + [_OF_A_NETWORK] * (None in asked_for))}."


def image_size(row: Row) -> int | None:
    """The image size that the spec of the backbone names; None for the network's own."""
    size = asked(row).backbone.fields.get("image_size")
    return size if type(size) is int else None
