"""Gains of the network's size and of the source's size from rows, by source, target and shots (after Cherti & Jitsev
2021, arXiv 2106.00116)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fewshot.scaling.gains import Gain, Run, network_gains, source_gains
from fewshot.scaling.trained_rows import source_name, target_name, trained


def gains_of(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, list[Gain]]]:
    """For each source and head: what the network with the most parameters gains over that with the fewest, and what the
    most images gain over the fewest, paired by the seed of the training. A ValueError where nothing varies."""
    usable = [row for row in trained(rows) if row["accuracy"] is not None]
    found = []
    for source, head in dict.fromkeys((source_name(row), str(row["evaluator"])) for row in usable):
        of_source = [row for row in usable if (source_name(row), row["evaluator"]) == (source, head)]
        runs = [_run(row) for row in of_source]
        sizes = sorted({int(row["unique_images"]) for row in of_source})
        params = sorted({int(row["n_params"]) for row in of_source})
        made = network_gains(runs, str(params[0]), str(params[-1])) if len(params) > 1 else []
        made += source_gains(runs, str(sizes[0]), str(sizes[-1])) if len(sizes) > 1 else []
        if made:
            found.append((source, head, made))
    if not found:
        raise ValueError(
            "no gains were found: rows of networks that were trained here (Pretrained), of two sizes or on two numbers "
            "of images, such as those of `fewshot bench near_and_far`"
        )
    return found


def read_distances(path: Path) -> dict[tuple[str, str], float]:
    """The unbiased squared MMD of every source and target in what `fewshot distance --json` printed."""
    try:
        lines = json.loads(path.read_text(encoding="utf-8"))["distances"]
        return {(line["source"], line["target"]): float(line["mmd"]) for line in lines}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} holds no distances ({type(error).__name__}: {error}); make it with: fewshot distance --json"
        ) from error


def _run(row: dict[str, Any]) -> Run:
    classes = "" if row["classes"] == "novel" else f", {row['classes']} classes"
    target = target_name(str(row["dataset"])) + classes
    size = (str(row["n_params"]), str(row["unique_images"]))
    return Run(target, str(row["k_shot"]), *size, str(row["training_seed"]), float(row["accuracy"]))
