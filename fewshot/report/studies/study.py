"""What a page shows of a study of pre-trained networks, and what it calls things."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from fewshot.plugins.registry import BACKBONES, DATASETS, EVALUATORS, SPLITS, TRANSFORMS
from fewshot.report.figures.plots import Plot
from fewshot.report.rows.contenders import learner
from fewshot.scaling.studies.ladders import Arm, Ladder


@dataclass(frozen=True)
class StudyTable:
    """A table of texts, what it shows in its caption."""

    caption: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Study:
    """One study: what was asked, figures, tables, and what was left out and why."""

    title: str
    text: str
    plots: tuple[Plot, ...] = ()
    tables: tuple[StudyTable, ...] = ()
    remarks: tuple[str, ...] = ()


def ladder_name(ladder: Ladder) -> str:
    """The protocol of a ladder in few words."""
    p = ladder.protocol
    if p is None:
        return ladder.name
    dataset, split = DATASETS.read(p.dataset).short_name, SPLITS.read(p.narrowed).fields
    few = f" ({split['n_seen']} seen)" if "n_seen" in split else ""
    return f"{p.classes} of {dataset}{few}, {p.n_way}-way {p.k_shot}-shot, {short_head(p.head)}"


def arm_name(arm: Arm) -> str:
    """Network, rule and source in few words."""
    return f"{BACKBONES.read(arm.network).short_name}, {arm.rule}, on {arm.trained_on}"


def left_out(ladders: Iterable[Ladder]) -> tuple[str, ...]:
    """What was left out of ladders, and why, a sentence each."""
    return tuple(
        f"Left out: {arm_name(ladder.arm)}, {ladder_name(ladder)}, {why}."
        for ladder in ladders
        for why in ladder.dropped
    )


def short_head(head: str) -> str:
    """A head's name, "L2() + Prototype()", in few words."""
    transform, _, evaluator = head.rpartition(" + ")
    return learner(TRANSFORMS.read(transform), EVALUATORS.read(evaluator))


def bounded(value: float, low: float, high: float, digits: int) -> str:
    """A number with its interval, or without where there is none; no "-0", no break of line."""
    texts = [f"{each:z.{digits}f}" for each in (value, low, high)]
    return texts[0] if math.isnan(low) or math.isnan(high) else f"{texts[0]}\u00a0[{texts[1]},\u00a0{texts[2]}]"
