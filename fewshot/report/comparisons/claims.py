"""Comparisons in tables: what differs, by how much, and how certain that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from textwrap import wrap
from typing import Any

from tabulate import tabulate

from fewshot.plugins.wording import agreeing, counted
from fewshot.report.comparisons.naming import MarkdownNaming, Naming
from fewshot.report.comparisons.over_sets import OverSets
from fewshot.report.comparisons.pairing import Contest
from fewshot.report.comparisons.run_pair import RunPair
from fewshot.report.comparisons.verdicts import (
    THESE_WEIGHTS,
    about_weights,
    caution,
    more_episodes,
    needs,
    number,
    p_value,
    paragraph,
    points,
    single_checkpoints,
    too_few,
    verdict,
)
from fewshot.report.rows.tasks import shot_label
from fewshot.report.tables.short_texts import shortened_or_wrapped
from fewshot.report.tables.task_table import plain
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of
from fewshot.statistics.interval import FRACTION
from fewshot.statistics.intervals import episode_interval

_WIDTH = 100  # characters of a sentence in a terminal
_MOST_LINES = 20  # pairs of one run in a terminal, the best first


@dataclass(frozen=True, eq=False)
class Claims:
    """The pairs of a contest with their adjusted p-values, as text, markdown or JSON values."""

    contest: Contest
    naming: Naming
    pairs: Sequence[RunPair]
    p_values: Sequence[float]  # adjusted; NaN without a test
    n_shown: int  # pairs that are shown together
    correction: str = "holm"  # or "best": each p is that of "this run is the best", corrected for its comparisons

    @property
    def title(self) -> str:
        """The task of the contest, and what all its runs share."""
        row = self.contest.rows[0]
        return ", ".join(filter(None, [self.naming.task(row), self.naming.shared(row)]))

    def text(self, delta: float) -> str:
        """Tables and sentences for a terminal. `delta`: the difference to detect, a fraction."""
        others = counted(max(1, len(self.contest.rows) - 1), "comparison")
        tested = (
            f"p: Holm-adjusted over {counted(self.n_shown, 'pair')}, so it may be larger than in the ranking, which "
            f"corrects for the {others} of a run."
        )
        parts = [
            self.title,
            self._runs("simple"),
            self._table("simple"),
            "\n".join(wrap(tested, _WIDTH)),
            *self._sentences(delta),
        ]
        return "\n\n".join(parts)

    def against(self, versus: Row, names: Mapping[str, str], population: str, width: int) -> str:
        """The pairs of one run in a narrow table: that run minus each other, for a terminal of this width. `names`: by
        run id."""
        pairs = [pair if pair.a is versus else pair.turned() for pair in self.pairs]
        numbers = [
            (points(pair.comparison.these_images), points(pair.comparison.new_classes), p_value(p).removeprefix("= "))
            for pair, p in zip(pairs, self.p_values, strict=True)
        ]
        titles = ("these images", f"new {self.contest.units.name}", "p")
        taken = sum(2 + max(map(len, column)) for column in zip(titles, *numbers, strict=True))
        shown = shortened_or_wrapped([names[pair.b.run_id] for pair in pairs], max(6, width - taken))
        lines = [(run, *texts) for run, texts in zip(shown, numbers, strict=True)][:_MOST_LINES]
        rest = len(pairs) - len(lines)
        more = [f"{counted(rest, 'more pair')}: --out FILE.csv or --json writes all of them."] if rest else []
        table = tabulate(lines, ("", *titles), "simple", disable_numparse=True)
        tested = f"p: no difference for {population}, Holm-adjusted over {counted(self.n_shown, 'pair')}."
        if self.correction == "best":
            several = f", corrected for its {len(pairs)} comparisons" if len(pairs) > 1 else ""
            tested = f"p: this run is the best for {population}{several}."
        title = f"{names[versus.run_id]} minus each other, in points:"
        known = any(math.isfinite(p) for p in self.p_values)
        return "\n".join([*wrap(title, width), "", table, *more, *(wrap(tested, width) if known else [])])

    def sentences(self, delta: float) -> str:
        """A verdict for each pair, and what it takes to detect a difference of `delta`, a fraction."""
        return "\n\n".join(self._sentences(delta)[:2])

    @property
    def remarks(self) -> list[str]:
        """What limits the comparison, one sentence each."""
        return self._remarks

    def markdown(self) -> str:
        """Tables and a paragraph per pair, to paste."""
        escaped = replace(self, naming=MarkdownNaming(self.naming.shown, self.naming.by))
        paragraphs = [paragraph(p, escaped.naming, value, self.n_shown, self.correction) for p, value in self._tested]
        tables = [escaped._runs("github"), escaped._table("github")]
        return "\n\n".join([f"**{escaped.title}**", *tables, *paragraphs, *map(plain, self._remarks)])

    def values(self, delta: float) -> dict[str, Any]:
        """The same as JSON values, accuracies as fractions."""
        ranks, tied, rows = self.contest.ranks(), self.contest.tied_ranks(), self.contest.rows
        runs = [
            {"run_id": row.run_id, "name": self.naming.run(row), "n_episodes": row.n_episodes}
            | {
                "these_images": asdict(episode_interval(values).inside(FRACTION)),
                "new_classes": asdict(self.contest.interval(run)),
            }
            | {"ranks": ranks.get(row.run_id), "tied_rank": tied[row.run_id]}
            for run, (row, values) in enumerate(zip(rows, self.contest.accuracy, strict=True))
        ]
        pairs = [
            {"a": pair.a.run_id, "b": pair.b.run_id, "n_episodes": len(pair.accuracy_a), f"p_{self.correction}": value}
            | asdict(pair.comparison)
            | {"needed": asdict(pair.needed(delta)), "verdict": verdict(pair, value)}
            for pair, value in self._tested
        ]
        shared_by_all = {
            "title": self.title,
            "by": self.naming.by,
            "shots": shot_label(rows[0]),
            "with": self.naming.shared(rows[0]),
        }
        texts = {"warnings": self._warnings, "more_episodes": more_episodes(self.pairs)}
        return shared_by_all | {"runs": runs, "pairs": pairs} | texts

    @property
    def _tested(self) -> list[tuple[RunPair, float]]:
        return list(zip(self.pairs, self.p_values, strict=True))

    def _runs(self, form: str) -> str:
        """Every run with both intervals and its possible ranks."""
        ranks, tied, rows = self.contest.ranks(), self.contest.tied_ranks(), self.contest.rows
        single = single_checkpoints(rows) if self.naming.by != "evaluator" else set()
        columns = {
            "run": [self.naming.run(row) for row in rows],
            "episodes": [row.n_episodes for row in rows],
            "these images": [points(episode_interval(values).inside(FRACTION)) for values in self.contest.accuracy],
            f"new {self.contest.units.name}": [points(self.contest.interval(run)) for run in range(len(rows))],
            "rank": ["{} to {}".format(*of) if (of := ranks.get(row.run_id)) else "" for row in rows],
        }
        if specs_of(rows[0]).sampler.declares("ranks_with_ties"):
            columns["Meta-Dataset's rank"] = [f"{tied[row.run_id]:g}" for row in rows]
        if single:
            columns["applies to"] = [THESE_WEIGHTS if specs_of(row).backbone in single else "" for row in rows]
        return tabulate(columns, "keys", form, disable_numparse=True)

    def _table(self, form: str) -> str:
        lines = [line(p, self.naming, value) for p, value in self._tested]
        titles = header(self.contest.units.name, self.pairs[0].population if self.pairs else "")
        return tabulate(lines, titles, form, disable_numparse=True)

    def _sentences(self, delta: float) -> list[str]:
        few = next((text for pair in self.pairs if (text := too_few(pair))), "")
        verdicts = [f"{self.naming.pair(pair)}: {_without(verdict(pair, value), few)}." for pair, value in self._tested]
        verdicts += [f"{few[:1].upper()}{few[1:]}."] if few else []
        lines = [f"  {self.naming.pair(pair)}: {needs(pair, delta)}" for pair in self.pairs]
        size = f"{100 * delta:.3g} {agreeing(100 * delta, 'point', 'points')}"
        heading = f"Needed to detect a difference of {size} with 80 % power:"
        return ["\n".join(verdicts), "\n".join([heading, *lines]), *self._remarks]

    @property
    def _remarks(self) -> list[str]:
        return list(filter(None, [*self._warnings, more_episodes(self.pairs)]))

    @property
    def _warnings(self) -> list[str]:
        return list(filter(None, [about_weights(self.contest.rows), caution(self.contest.rows)]))


def _without(sentence: str, clause: str) -> str:
    """A sentence without a last clause that stands below all of them."""
    return sentence.removesuffix(f"; {clause}") if clause else sentence


def header(units: str, population: str) -> tuple[str, ...]:
    """The columns of a table of pairs. `population`: of the p-values."""
    return (
        "A minus B",
        "episodes",
        "these images",
        f"new {units}",
        "correlation",
        "unpaired/paired",
        f"p over {units}" if population == f"new {units}" else f"p for {population}",
        "detectable",
    )


def line(pair: RunPair, naming: Naming, p_adjusted: float) -> tuple[str, ...]:
    """The line of a pair under `header`, in percentage points."""
    comparison = pair.comparison
    least = (comparison.detectable_episodes, comparison.detectable_classes)
    return (
        naming.pair(pair),
        str(len(pair.accuracy_a)),
        points(comparison.these_images),
        points(comparison.new_classes),
        number(comparison.correlation, 2),
        number(comparison.width_ratio, 1),
        p_value(p_adjusted).removeprefix("= "),
        " / ".join(number(100 * one, 2) for one in least),
    )


def sets_table(summaries: Sequence[OverSets], naming: Naming, form: str) -> str:
    """A line for every pair that was compared on several data sets, with intervals for these sets and new sets."""
    if form == "github":
        naming = MarkdownNaming(naming.shown, naming.by)
    lines = [
        (
            naming.pair(one.pairs[0]),
            naming.shared(one.a),
            shot_label(one.a),
            ", ".join(naming.data(pair.a) for pair in one.pairs),
            points(one.these_sets) + ("" if one.of_classes else " (these images)"),
            points(one.shown_new_sets),
        )
        for one in summaries
    ]
    titles = ("A minus B", "with", "shots", "data sets", "new classes of these sets", "new sets")
    return tabulate(lines, titles, form, disable_numparse=True)


def sets_values(summaries: Sequence[OverSets]) -> list[dict[str, Any]]:
    """The same as JSON values, accuracies as fractions."""
    return [
        {
            "a": [pair.a.run_id for pair in one.pairs],
            "b": [pair.b.run_id for pair in one.pairs],
            "these_sets": asdict(one.these_sets),
            "new_sets": asdict(one.shown_new_sets),
            "of_classes": one.of_classes,
        }
        for one in summaries
    ]
