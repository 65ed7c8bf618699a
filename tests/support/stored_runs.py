"""Results files with invented runs that have predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row
from tests.support.report_rows import invented_images, invented_predictions, row

PROTOTYPE, PROBE = "Prototype(metric='euclidean')", "LinearProbe(C=1.0, max_iter=100)"


def stored_run(results: Results, wrong: float = 0.25, n: int = 4, **columns: Any) -> Row:
    """Adds a run of `n` episodes with its predictions; the file is created."""
    predictions = invented_predictions(invented_images(("gull", "tern", "skua", "auk", "crow")), n=n, wrong=wrong)
    accuracy = float(episode_accuracy(predictions).mean())
    one = row(accuracy, **{"n_episodes": n, "episodes_digest": predictions.episodes.digest} | columns)
    results.parts(one.run_id).write(predictions, {})
    results.append(one)
    return one


def two_heads(path: Path) -> Results:
    """A file with a run of each of two evaluators at 1 and 5 shots."""
    results = Results(path)
    for k_shot in (1, 5):
        for evaluator, wrong in ((PROTOTYPE, 0.2), (PROBE, 0.4)):
            stored_run(results, wrong, evaluator=evaluator, k_shot=k_shot)
    return results


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder that is no lock, by its path."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".lock" not in path.name)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
