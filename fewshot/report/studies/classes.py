"""Ladders of pre-training classes: error over classes, the change by more of them, and conclusions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from fewshot.plugins.wording import agreeing, counted
from fewshot.report.figures.plots import Plot, in_parts
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded, omitted, why_unbounded
from fewshot.scaling.studies.class_ladders import (
    HELP,
    HURT,
    UNCLEAR,
    ClassLadder,
    class_ladders,
    classes_name,
    scored_on,
    setting_names,
)
from fewshot.scaling.studies.ladders import Names

_EFFECTS = {HURT: "hurt on {}", HELP: "help on {}", UNCLEAR: "unclear on {}"}


@dataclass(frozen=True)
class Classes(Study[list[ClassLadder]]):
    """What more pre-training classes change, with fixed images per class or a fixed total. Error over classes: mean
    over training seeds with a 95 % t interval. Change: error at the most classes minus error at the fewest, paired by
    seed."""

    title: ClassVar[str] = "What more pre-training classes change"
    place: ClassVar[int] = 30
    needs: ClassVar[str] = (
        "rows of networks that fewshot trained (Pretrained) on 2 or more numbers of classes and scored on the same "
        "ones, such as those of `fewshot bench data_scaling_full`"
    )

    def find(self, rows: StudyRows) -> list[ClassLadder] | None:
        return class_ladders(rows.trained) or None

    def text(self, findings: list[ClassLadder]) -> str:
        return (
            "\n".join(conclusions(findings)) + "\n"
            "New classes: no network has seen them. Seen classes: every network has seen them, and is scored on "
            "held-out images.\n"
            "With fixed images per class, images grow with the classes. With a fixed total, more classes leave fewer "
            "images per class."
        )

    def tables(self, findings: list[ClassLadder]) -> Sequence[SectionTable]:
        names = setting_names(findings)
        settings = in_parts(findings, lambda each: each.setting, len(findings))
        return [table for own in settings for table in (_errors(own, names[own[0].setting]), _changes(own))]

    def remarks(self, findings: list[ClassLadder]) -> Sequence[str]:
        ladders = [each.ladder for each in findings]
        bounds = [(each.change.low, each.change.how) for each in findings]
        return [*omitted(ladders, Names.of(ladders)), *why_unbounded(bounds)]

    def plots(self, findings: list[ClassLadder]) -> Sequence[Plot]:
        from fewshot.report.studies._classes_plot import class_plots

        return class_plots(findings)

    def values(self, findings: list[ClassLadder]) -> Any:
        names = Names.of(each.ladder for each in findings)
        return [_values(each, names.text(each.ladder)) for each in findings]


def conclusions(findings: Sequence[ClassLadder]) -> list[str]:
    """A sentence for each setting and number of images: on which classes and shots more classes hurt or help, and where
    this is unclear. The setting is named if there are several."""
    names = setting_names(findings)
    sentences = []
    for own in in_parts(
        findings, lambda each: (each.setting, each.fixed, each.rungs, each.ladder.seeds), len(findings)
    ):
        count = len(own[0].ladder.seeds)
        about = [counted(count, "seed"), *([names[own[0].setting]] * (len(names) > 1))]
        sentences.append(f"{own[0].rungs}, with {own[0].fixed.text} ({'; '.join(about)}): {'; '.join(_effects(own))}.")
    return sentences


def _effects(own: Sequence[ClassLadder]) -> Iterator[str]:
    """Each effect of more classes, with the classes and shots that show it."""
    for verdict, words in _EFFECTS.items():
        scores = [each for each in own if each.verdict == verdict]
        if scores:
            yield words.format(_scores(scores))


def _scores(own: Sequence[ClassLadder]) -> str:
    """Classes with their shots: "new classes (1 and 5 shots) and seen classes (1 shot)"."""
    texts = []
    for of in in_parts(own, lambda each: each.protocol.target.classes, len(own)):
        shots = [str(each.protocol.k_shot) for each in of]
        noun = agreeing(max(each.protocol.k_shot for each in of), "shot", "shots")
        texts.append(f"{classes_name(of[0].protocol)} ({' and '.join(shots)} {noun})")
    return " and ".join(texts)


def _errors(own: Sequence[ClassLadder], setting: str) -> SectionTable:
    """The errors of one setting: one line for every number of images and of classes."""
    protocols = list(dict.fromkeys(each.protocol for each in own))
    cells = {
        (each.fixed, count, each.protocol): bounded(100 * mean, 100 * low, 100 * high, 1)
        for each in own
        for count, (mean, low, high) in zip(each.classes, each.means, strict=True)
    }
    rungs = sorted({(fixed, count) for fixed, count, _ in cells})
    lines = [
        (fixed.text, str(count), *(cells.get((fixed, count, protocol), "") for protocol in protocols))
        for fixed, count in rungs
    ]
    caption = f"Error in %, mean over training seeds with a 95 % t interval: {setting}."
    return SectionTable(caption, ("images", "classes", *map(scored_on, protocols)), tuple(lines))


def _changes(own: Iterable[ClassLadder]) -> SectionTable:
    lines = [
        (
            each.fixed.text,
            scored_on(each.protocol),
            each.rungs,
            bounded(100 * each.change.value, 100 * each.change.low, 100 * each.change.high, 1),
            str(len(each.ladder.seeds)),
            each.verdict,
        )
        for each in own
    ]
    caption = (
        "Error at the most classes minus error at the fewest, paired by training seed, with a 95 % t interval over "
        "seeds, not corrected for the number of lines. Unclear: the interval contains 0, or is missing."
    )
    columns = ("images", "error on", "classes", "change, points", "seeds", "more classes")
    return SectionTable(caption, columns, tuple(lines))


def _values(each: ClassLadder, protocol: str) -> dict[str, Any]:
    arm, means = each.ladder.arm, each.means
    about = {"trained_on": arm.trained_on, "n_params": arm.n_params, "rule": arm.rule, "protocol": protocol}
    about |= {"images": each.fixed.text, "classes": each.classes, "n_seeds": len(each.ladder.seeds)}
    about |= {"change": asdict(each.change), "more_classes": each.verdict, "dropped": list(each.ladder.dropped)}
    return about | dict(zip(("error", "low", "high"), map(list, zip(*means, strict=True)), strict=True))
