"""Effective data transferred: what pre-training brings, in labelled images of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fewshot.report.figures.plots import Plot
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded
from fewshot.scaling.studies.transfer import AT_LEAST, AT_MOST, Transferred
from fewshot.scaling.studies.transfers import SourceTransfer, transfers_of


@dataclass(frozen=True)
class EffectiveData(Study[list[SourceTransfer]]):
    """What pre-training brings, in labelled images of the target. D_E images that a network of the same size needs from
    scratch for the same loss, against the D_F images that it was fine-tuned on; `fewshot scaling transfer` reads any
    CSV."""

    title: ClassVar[str] = "Effective data transferred"
    place: ClassVar[int] = 60
    needs: ClassVar[str] = (
        "rows of networks that were trained here (Pretrained) on one set, some from scratch and some from a trained "
        "network, such as those of `fewshot bench effective_data`"
    )

    def find(self, rows: StudyRows) -> list[SourceTransfer] | None:
        return transfers_of(rows.trained) or None

    def text(self, found: list[SourceTransfer]) -> str:
        return (
            "With pre-training, D_F labelled images of the target reach a loss that takes D_E images from scratch. A "
            "loss below the end of the from-scratch curve gives a lower bound of D_E. Below the line, pre-training "
            "hurts."
        )

    def tables(self, found: list[SourceTransfer]) -> Sequence[SectionTable]:
        return [_points(each) for each in found]

    def remarks(self, found: list[SourceTransfer]) -> Sequence[str]:
        return [_law(each) for each in found]

    def plots(self, found: list[SourceTransfer]) -> Sequence[Plot]:
        from fewshot.report.studies._effective_data_plot import multiplier_plot

        return [multiplier_plot(each, number) for number, each in enumerate(found)]

    def values(self, found: list[SourceTransfer]) -> Any:
        return [each.values() for each in found]


def _points(found: SourceTransfer) -> SectionTable:
    ordered = sorted(found.points, key=lambda point: (point.size, point.images))
    lines = tuple(
        (
            f"{p.size:g}",
            f"{p.images:g}",
            f"{p.loss:.3f}",
            *(f"{_sign(p)}{text}" for text in (f"{p.effective:.0f}", f"{p.transferred:.0f}", f"{p.multiplier:.2f}")),
        )
        for p in ordered
    )
    columns = ("weights", "D_F", "loss", "D_E", "D_T", "D_E / D_F")
    return SectionTable(f"Pre-trained on {found.name}; a line a seed.", columns, lines)


def _sign(point: Transferred) -> str:
    return {AT_LEAST: "≥ ", AT_MOST: "≤ "}.get(point.bound, "")


def _law(found: SourceTransfer) -> str:
    fit = found.fit
    counts = (
        f"{fit.n_fitted} points measured, {fit.n_censored} as lower bounds, {fit.n_left_out} left out; pre-training "
        f"hurts at {fit.n_ossified}; {found.n_low_data} of {len(found.points)} in the low-data regime that the "
        "law is for."
    )
    if fit.law is None:
        return f"{found.name}: D_T = k D_F^alpha N^beta {fit.note}. {counts}"
    terms = [
        f"{name} {bounded(getattr(fit.law, name), fit.low[name], fit.high[name], 2)}" for name in ("alpha", "beta")
    ]
    note = f" {fit.note}." if fit.note else ""
    return f"{found.name}: D_T = k D_F^alpha N^beta with {', '.join(terms)}.{note} {counts}"
