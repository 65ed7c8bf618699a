"""What to know before you trust a ranked table: classes seen in training, missing intervals, unfair comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fewshot.plugins.wording import counted, listed
from fewshot.protocols._heads import OTHER_HEAD, head_label
from fewshot.report.comparisons.ranking import Ranking
from fewshot.report.comparisons.verdicts import warnings
from fewshot.report.rows import intervals
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.wording import unequal_queries
from fewshot.report.tables.short_texts import shortened

_MOST_NAMES, _LONGEST_NAME = 4, 32


def cautions(shown: Shown, rankings: Sequence[Ranking]) -> list[str]:
    """The gravest first, one sentence each, each once."""
    return list(dict.fromkeys(_cautions(shown, rankings)))


def _cautions(shown: Shown, rankings: Sequence[Ranking]) -> Iterator[str]:
    for ranking in rankings:
        yield from ranking.suspicions
    done = shown.done
    seen = dict.fromkeys(shown.name(row).backbone for row in done if row.seen_classes == "seen")
    if seen:
        yield f"{_names(list(seen), 'backbone')} saw some of the test classes in training."
    other = dict.fromkeys(shown.name(row).learner for row in done if head_label(row))
    if other:
        yield f"{_names(list(other), 'method')}: {OTHER_HEAD}."
    unequal = [text for row in done if (text := unequal_queries(row))]
    if unequal:
        many = "classes have unequally many queries; the report has the means per class"
        text = unequal[0] if len(unequal) == 1 else many
        yield f"{text[:1].upper()}{text[1:]}."
    for ranking in rankings:
        yield from ranking.caveats
        clauses = warnings([standing.row for standing in ranking.standings])
        if clauses:
            yield f"{clauses[0][:1].upper()}{'; '.join(clauses)[1:]}."
    lacking = intervals.without(done)
    if lacking and not any(ranking.caveats or ranking.few for ranking in rankings):
        yield from lacking
    if any(row.n_not_converged for row in done) and len(done) == 1:
        yield "Some episodes did not converge."


def _names(every: Sequence[str], noun: str) -> str:
    """The first few names, shortened, and how many more."""
    rest = len(every) - _MOST_NAMES
    few = shortened(every[:_MOST_NAMES], _LONGEST_NAME)
    return listed([*few, counted(rest, f"more {noun}")] if rest > 0 else few)
