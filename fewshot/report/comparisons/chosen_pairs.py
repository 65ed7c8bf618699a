"""The pairs that a reader asks for: the best run of each contest or a named run with all others, or all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from fewshot.plugins.wording import counted
from fewshot.report.comparisons.claims import Claims
from fewshot.report.comparisons.naming import Naming
from fewshot.report.comparisons.pairing import Contest
from fewshot.report.comparisons.ranking import Ranking, ranking
from fewshot.report.comparisons.run_pair import RunPair, adjusted
from fewshot.report.comparisons.unique_names import UniqueNames
from fewshot.results.row import Row

_MOST_NAMES = 8  # of runs in an error


@dataclass(frozen=True)
class Request:
    """Which pairs are compared: those of the best run, of a named run, or all."""

    by: str
    against: str | None
    all_pairs: bool

    @property
    def of_best(self) -> bool:
        """Whether the pairs are those of the best run of each contest."""
        return self.against is None and not self.all_pairs


@dataclass(frozen=True)
class ChosenPairs:
    """A contest with its ranking and the chosen pairs."""

    ranking: Ranking
    claims: Claims
    versus: Row | None  # in all pairs; None: all pairs are chosen

    @property
    def names(self) -> dict[str, str]:
        """The names of the runs by run id."""
        return {standing.row.run_id: standing.name for standing in self.ranking.standings}


_Ranked = tuple[Contest, Ranking, Row | None]  # with the run that is in all pairs


def chosen_pairs(
    contests: Sequence[Contest], request: Request, naming: Naming, names: UniqueNames
) -> list[ChosenPairs]:
    """The ranking of each contest with its chosen pairs. Contests without the named run are left out; a ValueError if
    it is in none."""
    ranked = _with_versus([(contest, ranking(contest, names)) for contest in contests], request, names)
    claims = _claims(ranked, naming, request.of_best)
    return [ChosenPairs(of, each, versus) for (_, of, versus), each in zip(ranked, claims, strict=True)]


def _with_versus(ranked: Sequence[tuple[Contest, Ranking]], request: Request, names: UniqueNames) -> list[_Ranked]:
    if request.against is None:
        return [(contest, of, None if request.all_pairs else of.best.row) for contest, of in ranked]
    each = [(contest, of, _named(contest, request.against, names)) for contest, of in ranked]
    if all(row is None for _, _, row in each):
        raise ValueError(_no_such_run(request.against, [of for _, of in ranked]))
    return [one for one in each if one[2] is not None]


def _claims(ranked: Sequence[_Ranked], naming: Naming, of_best: bool) -> list[Claims]:
    """The pairs of every contest. Their p-values are those of the ranking for pairs `of_best`, the best runs; else they
    are adjusted over all pairs of all contests."""
    pairs = [contest.pairs(versus) for contest, _, versus in ranked]
    if of_best:
        return [
            Claims(contest, naming, several, _p_of_best(several, of), len(several), "best")
            for (contest, of, _), several in zip(ranked, pairs, strict=True)
        ]
    together = adjusted([pair for several in pairs for pair in several]).tolist()
    n_tested, remaining = sum(p == p for p in together), iter(together)
    return [
        Claims(contest, naming, several, list(islice(remaining, len(several))), n_tested)
        for (contest, _, _), several in zip(ranked, pairs, strict=True)
    ]


def _p_of_best(pairs: Sequence[RunPair], of: Ranking) -> list[float]:
    """For each pair with the best run the p-value of "the other run is the best". Holm over these pairs would forget
    that the best was chosen by its luck."""
    p_values = {standing.row.run_id: standing.p_adjusted for standing in of.standings}
    best = of.best.row
    return [p_values[(pair.b if pair.a is best else pair.a).run_id] for pair in pairs]


def _named(contest: Contest, text: str, names: UniqueNames) -> Row | None:
    """The run of a contest whose name is or contains a text, the most accurate one of a backbone; a ValueError for
    several backbones."""
    by_name = {names.run(row): row for row in contest.rows}
    if text in by_name:
        return by_name[text]
    fitting = [name for name in by_name if text.casefold() in name.casefold()]
    if len(fitting) > 1 and len(_backbones(contest, text, names)) == 1:
        return max((by_name[name] for name in fitting), key=lambda row: row.accuracy or 0.0)
    if len(fitting) > 1:
        listed = "; ".join(fitting[:5]) + "; ..." * (len(fitting) > 5)
        raise ValueError(f"--against {text!r} fits {counted(len(fitting), 'run')}: {listed}; give more of the name")
    return by_name[fitting[0]] if fitting else None


def _backbones(contest: Contest, text: str, names: UniqueNames) -> set[str]:
    """The backbones whose names contain a text."""
    every = {names.shown.name(row).backbone for row in contest.rows}
    return {name for name in every if text.casefold() in name.casefold()}


def _no_such_run(text: str, ranked: Sequence[Ranking]) -> str:
    names = list(dict.fromkeys(standing.name for one in ranked for standing in one.standings))
    listed = "; ".join(names[:_MOST_NAMES]) + "; ..." * (len(names) > _MOST_NAMES)
    return f"no run is named {text!r}; the runs are: {listed}"
