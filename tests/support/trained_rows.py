"""Rows of networks that were trained here, their errors drawn from known power laws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fewshot.results.row import Row
from fewshot.scaling.studies.trained_rows import TrainedRow, trained

SIZES, SEEDS = (100, 200, 400, 800), (0, 1, 2)
# Exponents of the laws: by classes and shots, and of the error among all seen classes.
B = {("seen", 1): 0.3, ("novel", 1): 0.2, ("novel", 5): 0.5}
B_ALL = 0.35


def row(size: int, seed: int, classes: str = "novel", k_shot: int = 1, **changed: Any) -> Row:
    """A row whose error is a power law of its images; a seed moves all of a ladder."""
    error = 0.9 * (size / 100) ** -B.get((classes, k_shot), 0.2) * (1 + 0.02 * seed)
    fields: dict[str, Any] = {
        "run_id": f"{size} {seed} {classes} {k_shot} {sorted(changed.items())}",
        "dataset": "Icons(domain='mono')", "classes": classes, "evaluator": "Prototype()", "transform": "L2()",
        "sampler": "Balanced()", "n_way": 20, "k_shot": k_shot, "n_query": 5, "accuracy": 1 - error,
        "accuracy_low": 1 - error - 0.01, "accuracy_high": 1 - error + 0.01,
        "pretrained_on": f"icons mono: {size} images",
        "network": "ConvNet()", "n_params": 1000, "recipe": "CrossEntropy()", "training_rule": "epochs",
        "training_seed": seed, "training_classes": 257, "unique_images": size, "first_loss": 5.0, "training_loss": 2.0,
        "seen_error": min(1.0, 0.8 * (size / 100) ** -B_ALL),
    }  # fmt: skip
    return Row(**fields | changed)


def lines(*rows: Row) -> list[dict[str, Any]]:
    """Rows as a results file holds them."""
    return [json.loads(each.to_json()) for each in rows]


def trained_of(*rows: Row) -> list[TrainedRow]:
    """Rows as studies read them."""
    return trained(lines(*rows))


ALL = lines(*(row(size, seed, *key) for size in SIZES for seed in SEEDS for key in B))


def written(path: Path, rows: list[dict[str, Any]]) -> str:
    """The path of a results file, after these rows were written to it."""
    path.write_text("\n".join(json.dumps(line) for line in rows))
    return str(path)
