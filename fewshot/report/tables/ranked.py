"""Rankings as one table for a terminal: best first, the group that may be the best marked, names shortened to fit."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fewshot.plugins.wording import counted
from fewshot.report.comparisons.ranking import PredictionsOf, Ranking, Standing, rankings_of
from fewshot.report.rows.benchmark_means import explained
from fewshot.report.rows.intervals import bracket
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.cautions import cautions
from fewshot.report.tables.short_texts import NUMBERS_EXPLAINED, are_numbered, shared_out, shortened
from fewshot.statistics.interval import THESE_IMAGES

_MOST_VERDICTS = 6  # sentences; more tasks are read in the table
_SHORTEST = 18  # characters of a name; a narrower table loses the intervals of the accuracies first
_TITLES = (
    ("accuracy", "accuracy"),
    ("95 % interval", "interval"),
    ("minus the best", "difference"),
    ("episodes", "episodes"),
)
_GAP = "  "


@dataclass(frozen=True)
class Line:
    """A run in the table."""

    names: tuple[str, ...]
    accuracy: str
    interval: str
    difference: str
    episodes: str
    leads: bool


def ranked_text(shown: Shown, predictions: PredictionsOf | None, width: int) -> str:
    """The ranked table of these rows with its verdicts, and below it what to know before you trust it; "" if no run has
    an accuracy."""
    every = rankings_of(shown, predictions)
    return with_cautions(every, shown, width) if every else ""


def with_cautions(rankings: Sequence[Ranking], shown: Shown, width: int) -> str:
    """The table of these rankings and the cautions of these rows, one a paragraph."""
    texts = (f"Caution: {text}" for text in cautions(shown, rankings))
    return "\n".join([ranked_table(rankings, width), *(line for text in texts for line in _wrapped(text, width))])


def ranked_table(rankings: Sequence[Ranking], width: int, with_verdicts: bool = True) -> str:
    """The table of these rankings, a block for each, with its verdict below it; at most `width` characters wide."""
    about = [ranking.task.split(", ") for ranking in rankings]
    shared = [part for part in about[0] if all(part in parts for parts in about)]
    own = [", ".join(part for part in parts if part not in shared) for parts in about]
    if len(rankings) > 1 and all(len(ranking.standings) == 1 for ranking in rankings):
        runs = {ranking.best.parts for ranking in rankings}
        labels = [
            (task, *(ranking.best.parts if len(runs) > 1 else ())) for ranking, task in zip(rankings, own, strict=True)
        ]
        shared += [part for run in runs for part in run if len(runs) == 1]
        blocks = [("", [line for each, names in zip(rankings, labels, strict=True) for line in _lines(each, names)])]
        verdicts: list[str] = []
    else:
        blocks = [(name, _lines(ranking)) for ranking, name in zip(rankings, own, strict=True)]
        verdicts = [ranking.verdict for ranking in rankings] if with_verdicts else []
    parts = list(_blocks(blocks, verdicts if len(verdicts) <= _MOST_VERDICTS else [], width))
    if len(verdicts) > _MOST_VERDICTS:
        parts.append(f"{counted(len(verdicts), 'task')}: `fewshot compare` gives a verdict for each.")
    return "\n".join([*_wrapped(", ".join(shared), width), "", *parts, "", *_wrapped(_legend(rankings), width)])


def table_cells(ranking: Ranking) -> tuple[tuple[str, ...], list[tuple[str, ...]], str]:
    """The same table for HTML: its titles, its cells and its legend."""
    lines = _lines(ranking)
    fields = [(title, field) for title, field in _TITLES if any(getattr(line, field) for line in lines)]
    cells = [
        ("*" * line.leads, ", ".join(line.names), *(getattr(line, field) for _, field in fields)) for line in lines
    ]
    return ("", "run", *(title for title, _ in fields)), cells, _legend([ranking])


def _lines(ranking: Ranking, names: tuple[str, ...] = ()) -> list[Line]:
    differ = len({standing.row.n_episodes for standing in ranking.standings}) > 1
    marked = len(ranking.standings) > 1
    return [
        Line(
            names or standing.parts,
            f"{100 * standing.accuracy:.1f}",
            bracket(standing.interval),
            _difference(standing, ranking),
            f"{standing.row.n_episodes:,}" if differ else "",
            marked and standing.leads,
        )
        for standing in ranking.standings
    ]


def _difference(standing: Standing, ranking: Ranking) -> str:
    if standing is ranking.best:
        return ""
    found = standing.difference
    if found is None:
        untested = " not tested" if standing.untested else ""
        return f"{100 * (standing.accuracy - ranking.best.accuracy):+z.1f}{untested}"
    return f"{100 * found.mean:+z.1f} {bracket((found.low, found.high))}".rstrip()


def _blocks(blocks: Sequence[tuple[str, list[Line]]], verdicts: Sequence[str], width: int) -> Iterator[str]:
    lines = [line for _, block in blocks for line in block]
    columns = _Columns.of(lines, width)
    yield columns.joined("", [""] * len(lines[0].names), columns.titles)
    numbered = False
    for number, (title, block) in enumerate(blocks):
        if title:
            yield from [*[""] * bool(number), *_wrapped(f"{title}:", width)]
        names = columns.names(block)
        numbered |= any(are_numbered(short, line.names) for line, short in zip(block, names, strict=True))
        for line, name in zip(block, names, strict=True):
            yield columns.joined("*" if line.leads else "", name, columns.texts(line))
        if verdicts:
            yield from [*[""] * (len(blocks) == 1), *_wrapped(verdicts[number], width)]
    if numbered:
        yield from ["", *_wrapped(NUMBERS_EXPLAINED, width)]


@dataclass(frozen=True)
class _Columns:
    """The columns of a table: names on the left, then numbers."""

    name_widths: tuple[int, ...]
    numbers: tuple[tuple[str, str, int], ...]  # title, field of a line, width

    @staticmethod
    def of(lines: Sequence[Line], width: int) -> _Columns:
        """The columns that have any text. If names do not fit, the intervals of the accuracies make room for them."""
        fields = [(title, field) for title, field in _TITLES if any(getattr(line, field) for line in lines)]
        columns = _Columns._of(lines, fields, width)
        if columns._loses_names(lines):
            columns = _Columns._of(lines, [each for each in fields if each[1] != "interval"], width)
        return columns

    @staticmethod
    def _of(lines: Sequence[Line], fields: Sequence[tuple[str, str]], width: int) -> _Columns:
        numbers = tuple(
            (title, field, max(len(title), *(len(getattr(line, field)) for line in lines))) for title, field in fields
        )
        wanted = [max(map(len, column)) for column in zip(*(line.names for line in lines), strict=True)]
        left = width - 2 - sum(len(_GAP) + each for *_, each in numbers) - len(_GAP) * (len(wanted) - 1)
        return _Columns(tuple(shared_out(left, wanted, [3] * len(wanted))), numbers)

    @property
    def titles(self) -> list[str]:
        """The headings of the numbers."""
        return [title.rjust(width) for title, _, width in self.numbers]

    def texts(self, line: Line) -> list[str]:
        """The numbers of a line."""
        return [getattr(line, field).rjust(width) for _, field, width in self.numbers]

    def names(self, lines: Sequence[Line]) -> list[tuple[str, ...]]:
        """The names of each line, shortened."""
        columns = zip(*(line.names for line in lines), strict=True)
        return list(
            zip(*(shortened(column, most) for column, most in zip(columns, self.name_widths, strict=True)), strict=True)
        )

    def joined(self, mark: str, names: Sequence[str], numbers: Sequence[str]) -> str:
        """A line of the table."""
        padded = [name.ljust(width) for name, width in zip(names, self.name_widths, strict=True)]
        return f"{mark:<1} {_GAP.join([*padded, *numbers])}".rstrip()

    def _loses_names(self, lines: Sequence[Line]) -> bool:
        return any(
            len(set(column)) > 1 and most < min(_SHORTEST, max(map(len, column)))
            for column, most in zip(zip(*(line.names for line in lines), strict=True), self.name_widths, strict=True)
        )


def _legend(rankings: Sequence[Ranking]) -> str:
    standings = [standing for ranking in rankings for standing in ranking.standings]
    star = (
        "*: the best, or may be as good (95 % confidence). "
        if any(len(one.standings) > 1 and not one.untested for one in rankings)
        else ""
    )
    clear = any(map(_is_clear, (each for ranking in rankings for each in ranking.group)))
    test = "* is corrected for the number of runs; [ ] is not, so it may exclude 0 beside *. " if clear else ""
    counts = sorted({standing.row.n_episodes for standing in standings})
    episodes = (
        f" {counted(counts[0], 'episode')}{' per run' if len(standings) > 1 else ''}." if len(counts) == 1 else ""
    )
    return f"{star}{test}Accuracy in %{_brackets(rankings)}.{episodes}"


def _brackets(rankings: Sequence[Ranking]) -> str:
    """What the square brackets are for: those of accuracies and of differences may be for other populations."""
    lines = [line for ranking in rankings for line in _lines(ranking)]
    accuracies, differences = any(line.interval for line in lines), any("[" in line.difference for line in lines)
    if not (accuracies or differences):
        return ""
    of_differences = _listed(ranking.population for ranking in rankings)
    of_accuracies = _listed(ranking.of_accuracies or ranking.population for ranking in rankings)
    if not (accuracies and differences) or of_accuracies == of_differences:
        return f"; [ ]: 95 % intervals for {of_accuracies if accuracies else of_differences}"
    return f"; [ ] of an accuracy: 95 % interval for {of_accuracies}; of a difference: for {of_differences}"


def _listed(populations: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(map(_explained, populations)))


def _is_clear(standing: Standing) -> bool:
    """Whether the interval of a run's difference to the best excludes 0."""
    found = standing.difference
    return found is not None and found.low < found.high and not found.low <= 0 <= found.high


def _explained(population: str) -> str:
    """The population, with what it holds fixed."""
    return "other episodes of these same images and classes" if population == THESE_IMAGES else explained(population)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
