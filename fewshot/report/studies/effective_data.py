"""Effective data transferred: what pre-training is worth, in labelled images of the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fewshot.plugins.wording import counted
from fewshot.report.figures.plots import Plot
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded
from fewshot.scaling.studies.transfer import AT_LEAST, AT_MOST, Transferred
from fewshot.scaling.studies.transfers import SourceTransfer, transfers_of


@dataclass(frozen=True)
class EffectiveData(Study[list[SourceTransfer]]):
    """What pre-training is worth, in labelled images of the target. Compares D_E, the images that a network of the same
    size needs from scratch for the same loss, with D_F, the images of the fine-tuning. `fewshot scaling transfer`
    reads any CSV."""

    title: ClassVar[str] = "Effective data transferred"
    place: ClassVar[int] = 60
    needs: ClassVar[str] = (
        "rows of networks that fewshot trained (Pretrained) on one set, some from scratch and some from a trained "
        "network, such as those of `fewshot bench effective_data`"
    )

    def find(self, rows: StudyRows) -> list[SourceTransfer] | None:
        return transfers_of(rows.trained) or None

    def text(self, findings: list[SourceTransfer]) -> str:
        return (
            "With pre-training, D_F labelled images of the target reach a loss that takes D_E images from scratch. If "
            "D_E / D_F is below 1, pre-training hurts.\n"
            "A loss below the end of the from-scratch curve gives only a lower bound of D_E."
        )

    def tables(self, findings: list[SourceTransfer]) -> Sequence[SectionTable]:
        return [_points(each) for each in findings]

    def remarks(self, findings: list[SourceTransfer]) -> Sequence[str]:
        return [_law(each) for each in findings]

    def plots(self, findings: list[SourceTransfer]) -> Sequence[Plot]:
        from fewshot.report.studies._effective_data_plot import multiplier_plot

        return [multiplier_plot(each, number) for number, each in enumerate(findings)]

    def values(self, findings: list[SourceTransfer]) -> Any:
        return [each.values() for each in findings]


def _points(findings: SourceTransfer) -> SectionTable:
    ordered = sorted(findings.points, key=lambda point: (point.size, point.images))
    lines = tuple(
        (
            f"{p.size:,.0f}",
            f"{p.images:,.0f}",
            f"{p.loss:.3f}",
            *(f"{_sign(p)}{text}" for text in (f"{p.effective:.0f}", f"{p.transferred:.0f}", f"{p.multiplier:.2f}")),
        )
        for p in ordered
    )
    columns = ("weights", "D_F", "loss", "D_E", "D_T", "D_E / D_F")
    return SectionTable(f"Pre-trained on {findings.name}, one line per training seed.", columns, lines)


def _sign(point: Transferred) -> str:
    return {AT_LEAST: "≥ ", AT_MOST: "≤ "}.get(point.bound, "")


def _law(findings: SourceTransfer) -> str:
    fit = findings.fit
    counts = (
        f"{counted(fit.n_fitted, 'measured point')}, {counted(fit.n_censored, 'lower bound')}, {fit.n_left_out} "
        f"omitted. Pre-training hurts at {counted(fit.n_ossified, 'point')}. {findings.n_low_data} of "
        f"{counted(len(findings.points), 'point')} in the low-data regime, which the law is for."
    )
    if fit.law is None:
        return f"{findings.name}: D_T = k D_F^alpha N^beta is {fit.note}. {counts}"
    terms = [
        f"{name} {bounded(getattr(fit.law, name), fit.low[name], fit.high[name], 2)}" for name in ("alpha", "beta")
    ]
    note = f" {fit.note}." if fit.note else ""
    return f"{findings.name}: D_T = k D_F^alpha N^beta with {', '.join(terms)}.{note} {counts}"
