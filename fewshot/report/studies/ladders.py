"""Ladders of pre-training images on a page: figures of their power laws, exponents, and how these differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fewshot.report.studies.ladders_plot import ladder_plots
from fewshot.report.studies.study import Study, StudyTable, arm_name, bounded, ladder_name, left_out
from fewshot.scaling.studies import adaptation
from fewshot.scaling.studies.adaptation import Exponent
from fewshot.scaling.studies.ladders import Ladder


def ladder_study(rows: Sequence[dict[str, Any]]) -> Study | None:
    """Figures and tables of the ladders of these rows; None where there is none."""
    try:
        ladders = adaptation.ladders(rows)
    except ValueError:
        return None
    exponents = [adaptation.exponent(ladder) for ladder in ladders]
    tables = (_exponents(exponents), _differences(ladders), _downstream(ladders))
    return Study(
        "What more pre-training images bring",
        "Error against the images of pre-training; a power law is a straight line, b minus its slope. A point is "
        "the mean over seeds, and weighs as 1 / var(log error). The rule by which training grows with the images moves "
        "b more than anything else: compare b within a rule only. About a decade of data shows gains and the width of "
        "an interval; it establishes no exponent.",
        ladder_plots(exponents),
        tuple(table for table in tables if table.lines),
        left_out(ladders),
    )


def _exponents(exponents: Sequence[Exponent]) -> StudyTable:
    lines = [
        (
            arm_name(e.ladder.arm),
            ladder_name(e.ladder),
            f"{e.ladder.sizes[0]:g} to {e.ladder.sizes[-1]:g}",
            bounded(e.b, e.low, e.high, 2),
            str(len(e.ladder.seeds)),
        )
        for e in exponents
    ]
    caption = "b of error over images, with a 95 % interval over the seeds of training."
    return StudyTable(caption, ("trained", "error on", "images", "b", "seeds"), tuple(lines))


def _differences(ladders: Sequence[Ladder]) -> StudyTable:
    lines = []
    for found in adaptation.new_minus_seen(ladders):
        d, equal = found.difference, found.first.protocol is not None
        against = "seen classes, same protocol" if equal else "all seen classes at once"
        text = bounded(d.value, d.low, d.high, 2)
        lines.append((arm_name(found.second.arm), ladder_name(found.second), against, text))
    caption = "b of new classes minus b of seen ones, over the same checkpoints: first on equal protocols."
    return StudyTable(caption, ("trained", "b of", "minus b of", "difference"), tuple(lines))


def _downstream(ladders: Sequence[Ladder]) -> StudyTable:
    upstream = {ladder.arm: ladder for ladder in ladders if ladder.protocol is None}
    lines = []
    for ladder in ladders:
        if ladder.protocol is not None and ladder.arm in upstream:
            rank, slope = adaptation.downstream(upstream[ladder.arm], ladder)
            if not math.isnan(rank):
                lines.append((arm_name(ladder.arm), ladder_name(ladder), f"{rank:.2f}", f"{slope:.2f}"))
    caption = "Few-shot error against the error over all seen classes, checkpoint by checkpoint."
    return StudyTable(caption, ("trained", "error on", "rank correlation", "slope of the logarithms"), tuple(lines))
