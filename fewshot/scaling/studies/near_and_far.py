"""Gains of the network's size and of the source's size from rows, by source, target and shots (after Cherti & Jitsev
2021, arXiv 2106.00116)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fewshot.scaling.studies.gains import Gain, Run, network_gains, source_gains
from fewshot.scaling.studies.trained_rows import source_name, target_name, trained


class _Training(NamedTuple):
    """What trainings have in common whose gains are compared."""

    source: str
    head: str
    classes: int
    rule: str
    recipe: str


def gains_of(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, list[Gain]]]:
    """For each source and head: what the network with the most parameters gains over that with the fewest, and what the
    most images gain over the fewest, paired by the seed of the training. Trainings on other numbers of classes, or by
    another recipe, are sources of their own, which their names say where there are several. A ValueError where nothing
    varies."""
    usable = [row for row in trained(rows) if row["accuracy"] is not None]
    groups: dict[_Training, list[dict[str, Any]]] = {}
    for row in usable:
        groups.setdefault(_training(row), []).append(row)
    made = {key: gains for key, own in groups.items() if (gains := _gains([_run(row) for row in own]))}
    found = [(_name(key, made), key.head, gains) for key, gains in made.items()]
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


def _training(row: dict[str, Any]) -> _Training:
    head, rule = str(row["evaluator"]), str(row["training_rule"])
    return _Training(source_name(row), head, int(row["training_classes"]), rule, str(row["recipe"]))


def _run(row: dict[str, Any]) -> Run:
    classes = "" if row["classes"] == "novel" else f", {row['classes']} classes"
    target = target_name(str(row["dataset"])) + classes
    size = (str(row["n_params"]), str(row["unique_images"]))
    return Run(target, str(row["k_shot"]), *size, str(row["training_seed"]), float(row["accuracy"]))


def _gains(runs: Sequence[Run]) -> list[Gain]:
    """Of the largest network over the smallest, and of the most images over the fewest."""
    params, sizes = (
        sorted({int(value) for value in each}) for each in zip(*((r.network, r.source) for r in runs), strict=True)
    )
    made = network_gains(runs, str(params[0]), str(params[-1])) if len(params) > 1 else []
    return made + (source_gains(runs, str(sizes[0]), str(sizes[-1])) if len(sizes) > 1 else [])


def _name(training: _Training, among: Collection[_Training]) -> str:
    """The source; with its classes, rule and recipe as far as trainings under the same head differ in them."""
    others = [each for each in among if (each.source, each.head) == (training.source, training.head)]
    told = [f"{training.classes} classes"] if len({each.classes for each in others}) > 1 else []
    recipes, rules = ({getattr(each, name) for each in others} for name in ("recipe", "rule"))
    if len(recipes) > 1:
        told.append(training.rule if len(rules) == len(recipes) else training.recipe)
    return ", ".join([training.source, *told])
