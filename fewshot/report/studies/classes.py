"""Ladders of pre-training classes: error over classes, what more of them change, and what to conclude."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from fewshot.report.figures.plots import Plot, in_parts
from fewshot.report.studies import SectionTable, Study, StudyRows
from fewshot.report.studies._words import bounded, left_out, why_unbounded
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

_DO = {HURT: "they hurt on {}", HELP: "they help on {}", UNCLEAR: "unclear whether they help or hurt on {}"}


@dataclass(frozen=True)
class Classes(Study[list[ClassLadder]]):
    """What more pre-training classes bring, with their images fixed or the total of them. Error over classes, mean over
    seeds of training with a 95 % t interval, and error at the most classes minus error at the fewest, paired by
    seed."""

    title: ClassVar[str] = "What more pre-training classes bring"
    place: ClassVar[int] = 30
    needs: ClassVar[str] = (
        "rows of networks that were trained here (Pretrained) on 2 or more numbers of classes and scored on the same "
        "ones, such as those of `fewshot bench data_scaling_full`"
    )

    def find(self, rows: StudyRows) -> list[ClassLadder] | None:
        return class_ladders(rows.trained) or None

    def text(self, found: list[ClassLadder]) -> str:
        return (
            "Error against the classes of pre-training, on new classes, which no rung has seen, and on held-out images "
            "of seen ones, which every rung has seen. With the images per class fixed, images grow with the classes; "
            f"with their total fixed, more classes leave fewer images of each. {' '.join(conclusions(found))}"
        )

    def tables(self, found: list[ClassLadder]) -> Sequence[SectionTable]:
        names = setting_names(found)
        settings = in_parts(found, lambda each: each.setting, len(found))
        return [table for own in settings for table in (_errors(own, names[own[0].setting]), _changes(own))]

    def remarks(self, found: list[ClassLadder]) -> Sequence[str]:
        ladders = [each.ladder for each in found]
        bounds = [(each.change.low, each.change.how) for each in found]
        return [*left_out(ladders, Names.of(ladders)), *why_unbounded(bounds)]

    def plots(self, found: list[ClassLadder]) -> Sequence[Plot]:
        from fewshot.report.studies._classes_plot import class_plots

        return class_plots(found)

    def values(self, found: list[ClassLadder]) -> Any:
        names = Names.of(each.ladder for each in found)
        return [_values(each, names.text(each.ladder)) for each in found]


def conclusions(found: Sequence[ClassLadder]) -> list[str]:
    """A sentence for each setting and what is fixed: on which classes and shots more classes hurt, help, or neither for
    sure. The setting is named where there are several."""
    names = setting_names(found)
    sentences = []
    for own in in_parts(found, lambda each: (each.setting, each.fixed, each.rungs, each.ladder.seeds), len(found)):
        count = len(own[0].ladder.seeds)
        about = [f"{count} seed{'s' * (count > 1)}", *([names[own[0].setting]] * (len(names) > 1))]
        sentences.append(f"With {own[0].fixed.text}, {own[0].rungs} ({'; '.join(about)}): {'; '.join(_done(own))}.")
    return sentences


def _done(own: Sequence[ClassLadder]) -> Iterator[str]:
    """What more classes do, each with the scores that show it."""
    for verdict, words in _DO.items():
        scores = [each for each in own if each.verdict == verdict]
        if scores:
            yield words.format(_scores(scores))


def _scores(own: Sequence[ClassLadder]) -> str:
    """Classes with their shots in few words: "new classes (1 and 5 shots) and seen classes (1 shot)"."""
    texts = []
    for of in in_parts(own, lambda each: each.protocol.target.classes, len(own)):
        shots = [str(each.protocol.k_shot) for each in of]
        texts.append(f"{classes_name(of[0].protocol)} ({' and '.join(shots)} shot{'s' * (shots != ['1'])})")
    return " and ".join(texts)


def _errors(own: Sequence[ClassLadder], setting: str) -> SectionTable:
    """Of the ladders of one setting, a line for every number of classes of what is fixed."""
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
    caption = f"Error, %, mean over seeds with a 95 % t interval over them: {setting}."
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
        "Error at the most classes minus error at the fewest, paired by seed of training, with a 95 % t interval over "
        "seeds, not corrected for the number of lines. Unclear: the interval holds 0, or one seed has none."
    )
    columns = ("images", "error on", "classes", "change, points", "seeds", "more classes")
    return SectionTable(caption, columns, tuple(lines))


def _values(each: ClassLadder, protocol: str) -> dict[str, Any]:
    arm, means = each.ladder.arm, each.means
    about = {"trained_on": arm.trained_on, "n_params": arm.n_params, "rule": arm.rule, "protocol": protocol}
    about |= {"images": each.fixed.text, "classes": each.classes, "n_seeds": len(each.ladder.seeds)}
    about |= {"change": asdict(each.change), "more_classes": each.verdict, "dropped": list(each.ladder.dropped)}
    return about | dict(zip(("error", "low", "high"), map(list, zip(*means, strict=True)), strict=True))
