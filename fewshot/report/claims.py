"""Comparisons in words and tables: what differs, by how much, for whom, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tabulate import tabulate

from fewshot.comparison import Comparison
from fewshot.pairing import Contest, Pair
from fewshot.report import budgets
from fewshot.report.labels import label, learner
from fewshot.report.tasks import shot_label, tasks
from fewshot.results import Row
from fewshot.statistics import Interval, episode_interval


@dataclass(frozen=True, eq=False)
class Claims:
    """What a contest shows: its pairs with their adjusted p-values, in every form that a reader may want."""

    contest: Contest
    by: str
    pairs: Sequence[Pair]
    p_values: Sequence[float]  # Holm-adjusted over everything that is shown together

    @property
    def title(self) -> str:
        """The task of the contest, and what all of its runs share."""
        row = self.contest.rows[0]
        shared = {
            "evaluator": label(row.backbone),
            "backbone": learner(label(row.transform), label(row.evaluator)),
            "anything": "",
        }[self.by]
        return ", ".join(filter(None, [tasks([row])[0].title, shot_label(row), shared]))

    def text(self, delta: float) -> str:
        """Tables and sentences for a terminal."""
        parts = [self.title, self._runs("simple"), self._table("simple"), *self._sentences(delta)]
        return "\n\n".join(parts)

    def markdown(self) -> str:
        """Tables, and a paragraph for every pair, to paste."""
        words = [
            paragraph(p, self.by, value, len(self.pairs)) for p, value in zip(self.pairs, self.p_values, strict=True)
        ]
        parts = [f"**{self.title}**", self._runs("github"), self._table("github"), *words, *self._warned]
        return "\n\n".join(parts)

    def values(self, delta: float) -> dict[str, Any]:
        """The same as JSON values; fractions."""
        ranks = self.contest.ranks()
        runs = [
            {"run_id": row.run_id, "name": name(row, self.by), "ranks": ranks[row.run_id]} for row in self.contest.rows
        ]
        pairs = [
            {"a": pair.a.run_id, "b": pair.b.run_id, "n_episodes": len(pair.accuracy_a), "p_holm": value}
            | asdict(pair.comparison)
            | {"needed": asdict(pair.needed(delta))}
            for pair, value in zip(self.pairs, self.p_values, strict=True)
        ]
        return {"title": self.title, "by": self.by, "runs": runs, "pairs": pairs, "warnings": self._warned}

    def _runs(self, form: str) -> str:
        """Every run with both intervals and the ranks that it may have."""
        ranks = self.contest.ranks()
        lines = [
            (
                name(row, self.by),
                row.n_episodes,
                points(episode_interval(values)),
                points(self.contest.interval(run)),
                "{} to {}".format(*ranks[row.run_id]),
            )
            for run, (row, values) in enumerate(zip(self.contest.rows, self.contest.accuracy, strict=True))
        ]
        new = f"new {self.contest.units.name}"
        return tabulate(lines, ("run", "episodes", "these images", new, "rank"), form, disable_numparse=True)

    def _table(self, form: str) -> str:
        lines = [line(p, self.by, value) for p, value in zip(self.pairs, self.p_values, strict=True)]
        return tabulate(lines, header(self.contest.units.name), form, disable_numparse=True)

    def _sentences(self, delta: float) -> list[str]:
        needs = [f"  {name(p.a, self.by)} − {name(p.b, self.by)}: {p.needed(delta).sentence}" for p in self.pairs]
        told = f"To show a difference of {100 * delta:.3g} points with 80 % power:"
        return ["\n".join([told, *needs]), *self._warned]

    @property
    def _warned(self) -> list[str]:
        found = warnings(self.contest.rows)
        return [f"Not quite fair: {'; '.join(found)}."] if found else []


def header(units: str) -> tuple[str, ...]:
    """The columns of a table of pairs."""
    return (
        "A minus B",
        "episodes",
        "these images",
        f"new {units}",
        "correlation",
        "unpaired/paired",
        f"p over {units}",
        "detectable",
    )


def name(row: Row, by: str) -> str:
    """What a run is called among runs that differ in `by`."""
    rule = f", {label(row.selection_rule)}" if row.selection_rule else ""
    learned = learner(label(row.transform), label(row.evaluator)) + rule
    backbone = label(row.backbone) + (f" {row.dtype}" if row.dtype != "float32" else "")
    return {"evaluator": learned, "backbone": backbone, "anything": f"{backbone}, {learned}"}[by]


def line(pair: Pair, by: str, p_adjusted: float) -> tuple[str, ...]:
    """The line of a pair under `header`; points are percentage points."""
    found = pair.comparison
    return (
        f"{name(pair.a, by)} − {name(pair.b, by)}",
        str(len(pair.accuracy_a)),
        points(found.these_images),
        points(found.new_classes),
        _number(found.correlation, 2),
        _number(found.width_ratio, 1),
        _p(p_adjusted).removeprefix("= "),
        f"{_points(found.detectable_episodes)} / {_points(found.detectable_classes)}",
    )


def paragraph(pair: Pair, by: str, p_adjusted: float, n_compared: int) -> str:
    """A paragraph to paste: the claim, its populations, and what it does not say."""
    found, row = pair.comparison, pair.a
    images, on = found.these_images, f"{tasks([row])[0].title}, {shot_label(row)}"
    told = "exceeds" if images.low > 0 else "is not told apart from"
    paired = (
        f"Pairing on the same episodes (correlation {found.correlation:.2f}) makes the interval "
        f"{found.width_ratio:.1f} times narrower than two independent samples would."
    )
    sentences = [
        f"On the {len(pair.accuracy_a)} episodes that both solved ({on}), {name(pair.a, by)} {told} "
        f"{name(pair.b, by)}: the difference is {100 * images.mean:.2f} points, 95 % interval {_bounds(images)} for "
        "other episodes from these images.",
        _over_classes(found, pair.units.name, p_adjusted, n_compared),
        paired if math.isfinite(found.width_ratio) else "",
    ]
    return " ".join(filter(None, sentences))


def _over_classes(found: Comparison, units: str, p_adjusted: float, n_compared: int) -> str:
    interval = found.new_classes
    if interval.reason:
        return f"No interval for new {units}: {interval.reason}."
    corrected = f", Holm-adjusted over {n_compared} comparisons" if n_compared > 1 else ""
    return (
        f"For new {units} the interval is {_bounds(interval)} (jackknife over {units}; sign-flip test "
        f"p {_p(p_adjusted)}{corrected}); differences from {_points(found.detectable_classes)} points on would be "
        "found with 80 % power."
    )


def points(interval: Interval) -> str:
    """Such as "0.41 [0.20, 0.62]" in percentage points, or the mean and the reason why it has no bounds."""
    if interval.reason:
        return f"{100 * interval.mean:.2f} ({interval.reason})"
    return f"{100 * interval.mean:.2f} {_bounds(interval)}"


def warnings(rows: Sequence[Row]) -> list[str]:
    """What makes a comparison of these rows unfair, one sentence each."""
    differing = {
        "pretrained_on": "the weights were trained on different data",
        "seen_classes": "the weights have not seen the same classes in training",
        "transductive": "some methods see all queries of an episode at once, others do not",
    }
    found = [said for column, said in differing.items() if len({getattr(row, column) for row in rows}) > 1]
    found += _counts_differ(rows)
    found += [said[0].lower() + said[1:].rstrip(".") for said in budgets.warnings(rows)]
    if any(row.n_not_converged for row in rows):
        found.append("some runs have episodes that did not converge")
    return found


def _counts_differ(rows: Sequence[Row]) -> list[str]:
    """A sentence where all weights have seen classes, but not as many of them."""
    counts = {row.n_seen_classes for row in rows}
    if {row.seen_classes for row in rows} != {"seen"} or len(counts) < 2 or None in counts:
        return []
    told = " and ".join(str(count) for count in sorted(filter(None, counts)))
    return [f"the weights have seen {told} of the {rows[0].n_classes} classes in training"]


def _bounds(interval: Interval) -> str:
    return f"[{100 * interval.low:.2f}, {100 * interval.high:.2f}]"


def _points(value: float) -> str:
    return _number(100 * value, 2)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "not known"


def _p(value: float) -> str:
    if not math.isfinite(value):
        return "no test"
    return f"= {value:.3f}" if value >= 0.001 else "< 0.001"
