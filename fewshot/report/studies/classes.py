"""Ladders of pre-training classes on a page: error over classes, what more of them change, and what to conclude."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fewshot.report.figures.plots import in_parts
from fewshot.report.studies.classes_plot import class_plots, named_classes, scored_on, setting_name
from fewshot.report.studies.study import Study, StudyTable, bounded, left_out
from fewshot.scaling.studies.class_ladders import HELP, HURT, UNTOLD, ClassLadder, class_ladders

_DO = {HURT: "they hurt on {}", HELP: "they help on {}", UNTOLD: "it cannot be told whether they help or hurt on {}"}


def class_study(rows: Sequence[dict[str, Any]]) -> Study | None:
    """Figures, tables and conclusions of the ladders of classes of these rows; None where there is none."""
    try:
        found = class_ladders(rows)
    except ValueError:
        return None
    settings = in_parts(found, lambda each: each.setting, len(found))
    return Study(
        "What more pre-training classes bring",
        "Error against the classes of pre-training, on new classes, which no rung has seen, and on held-out images of "
        "seen ones, which every rung has seen. With the images of a class fixed, images grow with the classes; with "
        f"their total fixed, more classes leave fewer images of each. {' '.join(conclusions(found))}",
        class_plots(found),
        tuple(table for own in settings for table in (_errors(own), _changes(own))),
        left_out(each.ladder for each in found),
    )


def conclusions(found: Sequence[ClassLadder]) -> list[str]:
    """A sentence for each setting and what is fixed: on which classes and shots more classes hurt, help, or cannot be
    told to do either. The setting is named where there are several."""
    several = len({each.setting for each in found}) > 1
    sentences = []
    for own in in_parts(found, lambda each: (each.setting, each.fixed, each.rungs, each.ladder.seeds), len(found)):
        count = len(own[0].ladder.seeds)
        about = [f"{count} seed{'s' * (count > 1)}", *([setting_name(own[0].setting)] * several)]
        sentences.append(f"With {own[0].fixed.text}, {own[0].rungs} ({'; '.join(about)}): {'; '.join(_done(own))}.")
    return sentences


def _done(own: Sequence[ClassLadder]) -> Iterator[str]:
    """What more classes do, each with the scores that say so."""
    for verdict, words in _DO.items():
        scores = [each for each in own if each.verdict == verdict]
        if scores:
            yield words.format(_scores(scores))


def _scores(own: Sequence[ClassLadder]) -> str:
    """Classes with their shots in few words: "new classes (1 and 5 shots) and seen classes (1 shot)"."""
    texts = []
    for of in in_parts(own, lambda each: each.protocol.classes, len(own)):
        shots = [str(each.protocol.k_shot) for each in of]
        texts.append(f"{named_classes(of[0].protocol)} ({' and '.join(shots)} shot{'s' * (shots != ['1'])})")
    return " and ".join(texts)


def _errors(own: Sequence[ClassLadder]) -> StudyTable:
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
    caption = f"Error, %, mean over seeds with a 95 % t interval over them: {setting_name(own[0].setting)}."
    return StudyTable(caption, ("images", "classes", *map(scored_on, protocols)), tuple(lines))


def _changes(own: Iterable[ClassLadder]) -> StudyTable:
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
        "seeds, not corrected for the number of lines. Where it holds 0, or one seed has none, it cannot be told."
    )
    columns = ("images", "error on", "classes", "change, points", "seeds", "more classes")
    return StudyTable(caption, columns, tuple(lines))
