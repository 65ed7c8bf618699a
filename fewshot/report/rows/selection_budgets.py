"""What rows had to spend beside their supports: choices of hyperparameters, labels for them, and pixels.

Rows that differ in these are compared with a warning, in words.
"""

from __future__ import annotations

from collections.abc import Sequence

from fewshot.plugins.registry import BACKBONES
from fewshot.results.row import Row

_OF_A_NETWORK = "a network's own size"


def warnings(rows: Sequence[Row]) -> list[str]:
    """How the budgets of rows in one table differ, a sentence each; none where they are alike."""
    said = [_choices(rows), _sizes(rows)]
    if any(is_oracle(row) for row in rows):
        said.append("An oracle saw the test labels before it answered: it is never marked best.")
    return [sentence for sentence in said if sentence]


def is_oracle(row: Row) -> bool:
    """Whether hyperparameters were chosen on the test episodes themselves."""
    return "oracle" in row.selection


def choice(row: Row) -> str:
    """On what hyperparameters were chosen, among how many settings and with how many labels; "" where they were not."""
    if row.selection in ("none", ""):
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


def _sizes(rows: Sequence[Row]) -> str:
    """Image sizes of the backbones, as their specs say them."""
    sizes = {_size(row.backbone) for row in rows}
    if len(sizes) < 2:
        return ""
    pixels = [str(size) for size in sorted(size for size in sizes if size)]
    named = [f"{' and '.join(pixels)} pixels"] if pixels else []
    return f"Image sizes differ: {' and '.join(named + [_OF_A_NETWORK] * (None in sizes))}."


def _size(backbone: str) -> int | None:
    """The image size that a spec names; None for the network's own."""
    size = BACKBONES.read(backbone).fields.get("image_size")
    return size if type(size) is int else None
