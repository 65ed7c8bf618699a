"""`fewshot compare`: the rankings of tasks with their pairs and costs, as text, as JSON values and as files."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot.files.terminal import width
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.report.comparisons.chosen_pairs import ChosenPairs
    from fewshot.report.comparisons.naming import Naming
    from fewshot.report.comparisons.over_sets import OverSets
    from fewshot.report.rows.costs import Costs

FEW = 6  # pairs, runs or choices with a sentence each


@dataclass(frozen=True)
class Comparison:
    """The ranking of a task with the chosen pairs, and the costs of its runs."""

    pairs: ChosenPairs
    costs: Costs

    def text(self, delta: float) -> str:
        """The ranking, the pairs, and the costs."""
        from fewshot.report.tables.cost_columns import cost_table

        costs = cost_table(self.pairs.ranking, self.costs, width())
        return "\n\n".join(filter(None, [self._accuracies(delta), costs]))

    def _accuracies(self, delta: float) -> str:
        from fewshot.report.comparisons.all_pairs import pairs_table
        from fewshot.report.tables.ranked import ranked_table

        chosen = self.pairs
        table, few = ranked_table([chosen.ranking], width(), with_verdicts=False), len(chosen.claims.pairs) <= FEW
        remarks = [wrapped(text) for text in (*self._choices(), *chosen.ranking.caveats, *chosen.claims.remarks)]
        if chosen.versus is None and few:
            return "\n\n".join([table, *map(wrapped, self._choices()), "All pairs", chosen.claims.text(delta)])
        if chosen.versus is None:
            return "\n\n".join([table, "All pairs", pairs_table(chosen.claims, chosen.names, width()), *remarks])
        against = chosen.claims.against(chosen.versus, chosen.names, chosen.ranking.population, width())
        sentences = [wrapped(chosen.claims.sentences(delta))] if few else []
        return "\n\n".join([table, against, *sentences, *remarks])

    def _choices(self) -> list[str]:
        """The hyperparameters that the best runs chose before they started."""
        from fewshot.report.rows.choices import chosen_before

        standings = self.pairs.ranking.standings
        every = [f"{one.name}: {text}." for one in standings if (text := chosen_before(one.row))]
        rest = len(every) - FEW
        more = (
            [f"{counted(rest, 'more run')} chose hyperparameters; `fewshot results show` has each."] if rest > 0 else []
        )
        return ["\n".join([*every[:FEW], *more])] if every else []

    def values(self, delta: float) -> dict[str, Any]:
        """The same as JSON values."""
        from fewshot.report.tables.cost_columns import cost_values

        ranking, versus = self.pairs.ranking, self.pairs.versus
        return self.pairs.claims.values(delta) | {
            "verdict": ranking.verdict,
            "population": ranking.population,
            "suspicions": list(ranking.suspicions),
            "group": [standing.row.run_id for standing in ranking.group],
            "costs": cost_values(ranking.standings, self.costs),
            "against": None if versus is None else versus.run_id,
        }


def verdicts(compared: Sequence[Comparison]) -> list[str]:
    """The verdicts of all tasks as one paragraph; none without tasks."""
    rankings = [one.pairs.ranking for one in compared]
    texts = [f"{one.task}: {one.verdict}" if len(rankings) > 1 else one.verdict for one in rankings]
    return ["\n".join(map(wrapped, texts))] if texts else []


def over_sets_text(over: Sequence[OverSets], naming: Naming, form: str) -> list[str]:
    """The title and the table of the pairs over several data sets; none without such pairs."""
    from fewshot.report.comparisons.claims import sets_table

    title = "Over several data sets" if form == "simple" else "**Over several data sets**"
    return [title, sets_table(over, naming, form)] if over else []


def write(out: Path, compared: Sequence[Comparison], over: Sequence[OverSets]) -> None:
    """Writes every pair as CSV, or tables and sentences as markdown."""
    from fewshot.files.atomic import write_atomically
    from fewshot.report.comparisons.all_pairs import pairs_csv

    claims = [one.pairs.claims for one in compared]
    if out.suffix.lower() == ".csv":
        names = {run_id: name for one in compared for run_id, name in one.pairs.names.items()}
        write_atomically(out, pairs_csv(claims, names))
        return
    pasted = [text for one in compared for text in (f"**{one.pairs.ranking.verdict}**", one.pairs.claims.markdown())]
    parts = [*pasted, *over_sets_text(over, claims[0].naming, "github")]
    write_atomically(out, "\n\n".join(parts).encode() + b"\n")


def wrapped(text: str) -> str:
    """Every line of a text, wrapped to the terminal."""
    return "\n".join(
        textwrap.fill(line, width(), subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        for line in text.splitlines()
    )
