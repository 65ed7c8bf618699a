"""Ladders of pre-training images: power laws, their exponents, and differences of exponents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fewshot.report.figures.plots import Plot
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded, omitted, why_unbounded
from fewshot.scaling.studies import adaptation
from fewshot.scaling.studies.adaptation import Exponent, ExponentDifference
from fewshot.scaling.studies.ladders import Ladder, Names


@dataclass(frozen=True, eq=False)
class _Findings:
    exponents: list[Exponent]
    differences: list[ExponentDifference]
    downstream: list[tuple[Ladder, float, float]]  # rank correlation with the error over all seen classes, and slope
    names: Names

    @property
    def ladders(self) -> list[Ladder]:
        return [exponent.ladder for exponent in self.exponents]


@dataclass(frozen=True)
class Adaptation(Study[_Findings]):
    """Exponents of error over pre-training images, and b_new - b_seen. By network, training rule and protocol.
    Differences are paired over the same checkpoints, equal protocols first. Also how few-shot error follows the error
    over all seen classes."""

    title: ClassVar[str] = "What more pre-training images gain"
    place: ClassVar[int] = 20
    needs: ClassVar[str] = (
        "rows of networks that fewshot trained (Pretrained) on 3 or more numbers of images, such as those of "
        "`fewshot bench data_scaling`"
    )

    def find(self, rows: StudyRows) -> _Findings | None:
        ladders = adaptation.ladders(rows.trained)
        if not ladders:
            return None
        exponents = [adaptation.exponent(ladder) for ladder in ladders]
        return _Findings(
            exponents, adaptation.new_minus_seen(ladders), list(_downstream_of(ladders)), Names.of(ladders)
        )

    def text(self, findings: _Findings) -> str:
        return (
            "How does error fall with the number of pre-training images? A power law is a straight line on log-log "
            "axes, and b is minus its slope. Points are means over seeds, weighted by 1 / var(log error).\n"
            "Compare b only within one training rule (epochs, steps or tuned): the rule changes b more than anything "
            "else.\n"
            "One decade of images shows a gain. It does not establish an exponent."
        )

    def tables(self, findings: _Findings) -> Sequence[SectionTable]:
        return _exponents(findings), _differences(findings), _downstream(findings)

    def remarks(self, findings: _Findings) -> Sequence[str]:
        bounds = [(each.low, each.how) for each in findings.exponents]
        bounds += [(each.difference.low, each.difference.how) for each in findings.differences]
        assumed = dict.fromkeys(ladder.remark for ladder in findings.ladders if ladder.remark)
        return [*omitted(findings.ladders, findings.names), *assumed, *why_unbounded(bounds)]

    def plots(self, findings: _Findings) -> Sequence[Plot]:
        from fewshot.report.studies._adaptation_plot import ladder_plots

        return ladder_plots(findings.exponents, findings.names)

    def values(self, findings: _Findings) -> Any:
        return {
            "exponents": [_exponent_values(each, findings.names) for each in findings.exponents],
            "new_minus_seen": [_difference_values(each, findings.names) for each in findings.differences],
            "downstream": [
                _names(ladder, findings.names) | {"rank_correlation": rank, "slope": slope}
                for ladder, rank, slope in findings.downstream
            ],
        }


def _downstream_of(ladders: Sequence[Ladder]) -> Iterable[tuple[Ladder, float, float]]:
    """For each ladder of episodes, how it follows the ladder over all seen classes of the same arm."""
    upstream = {ladder.arm: ladder for ladder in ladders if ladder.protocol is None}
    for ladder in ladders:
        if ladder.protocol is not None and ladder.arm in upstream:
            yield ladder, *adaptation.downstream(upstream[ladder.arm], ladder)


def _exponents(findings: _Findings) -> SectionTable:
    lines = [
        (
            findings.names.arm(each.ladder),
            findings.names.short(each.ladder),
            f"{each.ladder.sizes[0]:g} to {each.ladder.sizes[-1]:g}",
            bounded(each.b, each.low, each.high, 2),
            str(len(each.ladder.seeds)),
        )
        for each in findings.exponents
    ]
    caption = "Exponent b of error over images, with a 95 % interval over training seeds."
    return SectionTable(caption, ("trained", "error on", "images", "b", "seeds"), tuple(lines))


def _differences(findings: _Findings) -> SectionTable:
    lines = []
    for each in findings.differences:
        equal, d = each.first.protocol is not None, each.difference
        against = "seen classes, same protocol" if equal else "all seen classes at once"
        text = bounded(d.value, d.low, d.high, 2)
        lines.append((findings.names.arm(each.second), findings.names.short(each.second), against, text))
    caption = (
        "b of new classes minus b of seen classes (b_new - b_seen), over the same checkpoints, equal protocols first."
    )
    return SectionTable(caption, ("trained", "b of", "minus b of", "difference"), tuple(lines))


def _downstream(findings: _Findings) -> SectionTable:
    lines = [
        (findings.names.arm(ladder), findings.names.short(ladder), f"{rank:.2f}", f"{slope:.2f}")
        for ladder, rank, slope in findings.downstream
        if not math.isnan(rank)
    ]
    caption = "Few-shot error against the error over all seen classes, checkpoint by checkpoint."
    columns = ("trained", "error on", "rank correlation", "slope of log errors")
    return SectionTable(caption, columns, tuple(lines))


def _names(ladder: Ladder, names: Names) -> dict[str, Any]:
    arm = ladder.arm
    return {"trained_on": arm.trained_on, "n_params": arm.n_params, "rule": arm.rule, "protocol": names.text(ladder)}


def _exponent_values(findings: Exponent, names: Names) -> dict[str, Any]:
    ladder = findings.ladder
    about = {"n_seeds": len(ladder.seeds), "images": ladder.sizes.tolist(), "dropped": list(ladder.dropped)}
    about |= {"remark": ladder.remark}
    return (
        _names(ladder, names)
        | {"b": findings.b, "low": findings.low, "high": findings.high, "how": findings.how}
        | about
    )


def _difference_values(findings: ExponentDifference, names: Names) -> dict[str, Any]:
    d = findings.difference
    about = {"protocol": names.text(findings.second), "minus": names.text(findings.first)}
    return _names(findings.second, names) | about | {"difference": d.value, "low": d.low, "high": d.high, "how": d.how}
