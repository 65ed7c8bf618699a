"""Planted rows of Meta-Album, ten sets: each contender answers the same episodes of a set, with predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fewshot import protocols
from fewshot.results.files import Results
from fewshot.results.predictions import episode_accuracy
from fewshot.results.row import Row
from tests.support.report_rows import invented_images, invented_predictions, row

META_ALBUM = protocols.benchmark("meta_album")
SETS = tuple(one.name for one in META_ALBUM.sets)


def benchmark_rows(folder: Path, wrong: Mapping[str, float], sets: Sequence[str] = SETS, n: int = 40) -> Results:
    """A results file with a run of each evaluator on each of these sets, with this share of wrong answers."""
    results, plain = Results(folder / "runs.jsonl"), invented_images(tuple(f"class {c}" for c in range(24)))
    for name in sets:
        images = replace(plain, images_digest=_digest(name))
        for evaluator, share in wrong.items():
            predictions = invented_predictions(images, n=n, wrong=share)
            accuracy = episode_accuracy(predictions)
            one = set_row(
                name,
                float(accuracy.mean()),
                float(2 * accuracy.std(ddof=1) / n**0.5),
                evaluator=evaluator,
                n_episodes=n,
            )
            results.parts(one.run_id).write(predictions, {})
            results.append(one)
    return results


def set_row(name: str, accuracy: float, half: float | None = 0.01, **columns: object) -> Row:
    """A row of Meta-Album's 5-way 5-shot on one of its sets."""
    values = {
        "dataset": f"MetaAlbum(folder='{name}')",
        "images_digest": _digest(name),
        "split": "AllNovel()",
        "transform": "Identity()",
        "k_shot": 5,
        "n_query": 16,
        "n_classes": 24,
        "protocol": "meta_album@1",
        "benchmark_set": name,
    }
    return row(accuracy, half, **values | columns)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


VTAB = protocols.benchmark("vtab_1k")
TASKS = tuple(one.name for one in VTAB.sets)


def one_draw_rows(folder: Path, wrong: Mapping[str, float], sets: Sequence[str] = TASKS, **columns: object) -> Results:
    """A results file with a run of each evaluator on each of these tasks of VTAB: one draw that answers 75 images."""
    results, plain = Results(folder / "runs.jsonl"), invented_images(tuple(f"class {c}" for c in range(5)))
    for place, name in enumerate(sets):
        images = replace(plain, images_digest=_digest(name))
        for evaluator, share in wrong.items():
            predictions = invented_predictions(images, n=1, wrong=share + place / 100)
            accuracy = float(episode_accuracy(predictions)[0])
            one = set_row(
                name,
                accuracy,
                None,
                evaluator=evaluator,
                protocol=VTAB.protocol,
                n_episodes=1,
                n_classes=5,
                n_way=None,
                k_shot=None,
                n_query=None,
                draws=f"{accuracy}",
                accuracy_reason="one episode has no spread",
                population="",
                **columns,
            )
            results.parts(one.run_id).write(predictions, {})
            results.append(one)
    return results
