"""Ladders of pre-training images: their power laws, exponents, and how these differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from fewshot.report.figures.plots import Plot
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded, left_out, why_unbounded
from fewshot.scaling.studies import adaptation
from fewshot.scaling.studies.adaptation import Exponent, ExponentDifference
from fewshot.scaling.studies.ladders import Ladder, Names


@dataclass(frozen=True, eq=False)
class _Found:
    exponents: list[Exponent]
    differences: list[ExponentDifference]
    followed: list[tuple[Ladder, float, float]]  # the rank correlation with the error upstream, and the slope
    names: Names

    @property
    def ladders(self) -> list[Ladder]:
        return [exponent.ladder for exponent in self.exponents]


@dataclass(frozen=True)
class Adaptation(Study[_Found]):
    """Exponents of error over pre-training images, and b_new - b_seen. By network, rule and protocol; differences are
    paired over the same checkpoints, first on equal protocols. And how few-shot error follows the error over all seen
    classes."""

    title: ClassVar[str] = "What more pre-training images bring"
    place: ClassVar[int] = 20
    needs: ClassVar[str] = (
        "rows of networks that were trained here (Pretrained) on 3 or more numbers of images, such as those of "
        "`fewshot bench data_scaling`"
    )

    def find(self, rows: StudyRows) -> _Found | None:
        ladders = adaptation.ladders(rows.trained)
        if not ladders:
            return None
        exponents = [adaptation.exponent(ladder) for ladder in ladders]
        return _Found(exponents, adaptation.new_minus_seen(ladders), list(_followed(ladders)), Names.of(ladders))

    def text(self, found: _Found) -> str:
        return (
            "Error against the images of pre-training. A power law is a straight line, and b is minus its slope. A "
            "point is the mean over seeds, weighted by 1 / var(log error). Compare b within one rule only: the rule by "
            "which training grows with the images moves b more than anything else. A decade of images shows gains and "
            "the width of an interval; it does not establish an exponent."
        )

    def tables(self, found: _Found) -> Sequence[SectionTable]:
        return _exponents(found), _differences(found), _downstream(found)

    def remarks(self, found: _Found) -> Sequence[str]:
        bounds = [(each.low, each.how) for each in found.exponents]
        bounds += [(each.difference.low, each.difference.how) for each in found.differences]
        assumed = dict.fromkeys(ladder.remark for ladder in found.ladders if ladder.remark)
        return [*left_out(found.ladders, found.names), *assumed, *why_unbounded(bounds)]

    def plots(self, found: _Found) -> Sequence[Plot]:
        from fewshot.report.studies._adaptation_plot import ladder_plots

        return ladder_plots(found.exponents, found.names)

    def values(self, found: _Found) -> Any:
        return {
            "exponents": [_exponent_values(each, found.names) for each in found.exponents],
            "new_minus_seen": [_difference_values(each, found.names) for each in found.differences],
            "downstream": [
                _names(ladder, found.names) | {"rank_correlation": rank, "slope": slope}
                for ladder, rank, slope in found.followed
            ],
        }


def _followed(ladders: Sequence[Ladder]) -> Iterable[tuple[Ladder, float, float]]:
    """Each ladder of episodes that has one over all seen classes beside it."""
    upstream = {ladder.arm: ladder for ladder in ladders if ladder.protocol is None}
    for ladder in ladders:
        if ladder.protocol is not None and ladder.arm in upstream:
            yield ladder, *adaptation.downstream(upstream[ladder.arm], ladder)


def _exponents(found: _Found) -> SectionTable:
    lines = [
        (
            found.names.arm(each.ladder),
            found.names.short(each.ladder),
            f"{each.ladder.sizes[0]:g} to {each.ladder.sizes[-1]:g}",
            bounded(each.b, each.low, each.high, 2),
            str(len(each.ladder.seeds)),
        )
        for each in found.exponents
    ]
    caption = "b of error over images, with a 95 % interval over the seeds of training."
    return SectionTable(caption, ("trained", "error on", "images", "b", "seeds"), tuple(lines))


def _differences(found: _Found) -> SectionTable:
    lines = []
    for each in found.differences:
        equal, d = each.first.protocol is not None, each.difference
        against = "seen classes, same protocol" if equal else "all seen classes at once"
        text = bounded(d.value, d.low, d.high, 2)
        lines.append((found.names.arm(each.second), found.names.short(each.second), against, text))
    caption = (
        "b of new classes minus b of seen ones (b_new - b_seen), over the same checkpoints: equal protocols first."
    )
    return SectionTable(caption, ("trained", "b of", "minus b of", "difference"), tuple(lines))


def _downstream(found: _Found) -> SectionTable:
    lines = [
        (found.names.arm(ladder), found.names.short(ladder), f"{rank:.2f}", f"{slope:.2f}")
        for ladder, rank, slope in found.followed
        if not math.isnan(rank)
    ]
    caption = "Few-shot error against the error over all seen classes, checkpoint by checkpoint."
    columns = ("trained", "error on", "rank correlation", "slope of the logarithms")
    return SectionTable(caption, columns, tuple(lines))


def _names(ladder: Ladder, names: Names) -> dict[str, Any]:
    arm = ladder.arm
    return {"trained_on": arm.trained_on, "n_params": arm.n_params, "rule": arm.rule, "protocol": names.text(ladder)}


def _exponent_values(found: Exponent, names: Names) -> dict[str, Any]:
    ladder = found.ladder
    about = {"n_seeds": len(ladder.seeds), "images": ladder.sizes.tolist(), "dropped": list(ladder.dropped)}
    about |= {"remark": ladder.remark}
    return _names(ladder, names) | {"b": found.b, "low": found.low, "high": found.high, "how": found.how} | about


def _difference_values(found: ExponentDifference, names: Names) -> dict[str, Any]:
    d = found.difference
    about = {"protocol": names.text(found.second), "minus": names.text(found.first)}
    return _names(found.second, names) | about | {"difference": d.value, "low": d.low, "high": d.high, "how": d.how}
