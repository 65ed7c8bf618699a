"""A results file with runs of one task, their predictions on the same episodes, and a known order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row
from tests.support.report_rows import invented_images, invented_predictions, row


def ranked_runs(
    folder: Path, wrong: Mapping[str, float], n_classes: int = 24, n: int = 60, **columns: object
) -> tuple[list[Row], Results]:
    """One run per evaluator spec, with this share of wrong answers to the same n episodes."""
    images = invented_images(tuple(f"class {c}" for c in range(n_classes)))
    results, rows = Results(folder / "runs.jsonl"), []
    for evaluator, share in wrong.items():
        predictions = invented_predictions(images, n=n, wrong=share)
        values = {"evaluator": evaluator, "n_episodes": n, "n_classes": n_classes, "images_digest": "cd" * 32}
        rows.append(row(float(episode_accuracy(predictions).mean()), **values | columns))
        results.parts(rows[-1].run_id).write(predictions, {})
        results.append(rows[-1])
    return rows, results
