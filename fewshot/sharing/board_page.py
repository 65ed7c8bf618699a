"""The leaderboard as one page that asks the network for nothing, in the style of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from fewshot.files.atomic import write_atomically
from fewshot.plugins.wording import counted
from fewshot.report import Part, environment, framed
from fewshot.report.comparisons.ranking import Standing
from fewshot.report.rows.benchmark_means import SetRuns
from fewshot.report.rows.choices import chosen_before
from fewshot.report.rows.costs import TITLES, RunCost, meaning
from fewshot.report.rows.intervals import THESE_IMAGES as ONLY_THESE
from fewshot.report.rows.intervals import bracket
from fewshot.report.rows.shown import Shown
from fewshot.report.sections import Piece
from fewshot.report.sections.benchmarks import TEMPLATE as MEANS
from fewshot.report.tables.benchmark_table import Text, benchmark_table
from fewshot.report.tables.cost_columns import CostCell
from fewshot.results.row_specs import data_name
from fewshot.sharing.about import About
from fewshot.sharing.board import BenchmarkTable, Board, Table
from fewshot.sharing.board_templates import CONFLICTS, REFUSED, SUBMISSIONS, TABLE
from fewshot.sharing.claims import other_version
from fewshot.sharing.entries import Entry, labels_of_mean, never_checked, not_checked_here
from fewshot.sharing.plain_texts import shown as shown_name
from fewshot.sharing.verify import Record, Verified, records
from fewshot.statistics.interval import THESE_IMAGES

_REPORTED = "Times are those of the submitter's machine. Nobody can check times, FLOPs and machines."
_MOST_PROBLEMS = 5  # of a submission that is not ranked


@dataclass(frozen=True)
class Line:
    """A run in a table."""

    place: int
    method: str
    spec: str
    accuracy: str
    value: float
    sign: str
    is_best: bool
    bounds: str
    minus: str
    minus_bounds: str
    minus_value: float
    labels: str
    about: About
    name: str
    also: tuple[str, ...]
    data: str
    verified_by: str
    not_checked: str
    costs: tuple[CostCell, ...]
    episodes: int


def write_board(board: Board, path: Path, title: str) -> None:
    """Writes the leaderboard, completely or not at all; the same submissions give the same bytes."""
    write_atomically(path, page(board, title).encode("utf-8", "replace"))


def page(board: Board, title: str) -> str:
    """The leaderboard as HTML. All texts of submissions are escaped, and only https and http addresses are links."""
    n_refused = len(board.refused)
    refused = (
        f" {counted(n_refused, 'submission')} {'is' if n_refused == 1 else 'are'} not ranked." if n_refused else ""
    )
    lead = (
        f"{counted(board.n_runs, 'run')} of {counted(len(board.submissions), 'submission')} in "
        f"{counted(len(board.tables), 'table')}; each number was computed again from its predictions.{refused}"
    )
    return framed(title, ["leaderboard"], lead, list(_parts(board)))


def _parts(board: Board) -> Iterator[Part]:
    from markupsafe import Markup

    of_page = environment()

    def rendered(template: str, piece: Piece) -> tuple[Piece, Markup]:
        return piece, Markup(of_page.from_string(template).render(piece.values))

    about = {one.folder: one.manifest.about for one in board.submissions if one.manifest}
    means = [_means(number, one, board.names, about) for number, one in enumerate(board.benchmarks, 1)]
    if means:
        yield Part("benchmarks", [rendered(MEANS, piece) for piece in means])
    tables = [_piece(number, table, board.names) for number, table in enumerate(board.tables, 1)]
    if tables:
        yield Part("answer", [rendered(TABLE, piece) for piece in tables])
    if board.submissions:
        piece = Piece("Submissions", {"submissions": [_submission(one, board.names) for one in board.submissions]})
        yield Part("submissions", [rendered(SUBMISSIONS, piece)])
    if board.conflicts:
        piece = Piece("Contradictions", {"remarks": board.conflicts})
        yield Part("contradictions", [rendered(CONFLICTS, piece)])
    if board.refused:
        refused = [
            (
                shown_name(one.folder.name),
                one.manifest.about.name if one.manifest else "",
                one.problems[:_MOST_PROBLEMS],
                more,
            )
            for one in board.refused
            for more in [max(0, len(one.problems) - _MOST_PROBLEMS)]
        ]
        yield Part("not-ranked", [rendered(REFUSED, Piece("Not ranked", {"refused": refused}))])


def _means(number: int, one: BenchmarkTable, names: Mapping[Path, str], about: Mapping[Path, About]) -> Piece:
    """The means of a benchmark over its data sets."""

    def texts(runs: SetRuns) -> tuple[Text, ...]:
        first, *others = one.sources[runs]
        authors = [about[first].authors] if about[first].authors else []
        also = [f"also in {names[folder]}" for folder in others]
        unchecked = not_checked_here(one.entries[runs])
        by = [f"verified by {', '.join(one.verified_by[runs])}"] if one.verified_by[runs] else []
        return (Text(names[first], (*authors, *also, *by, *([unchecked] if unchecked else [])), about[first].url),)

    def remarks(runs: SetRuns) -> tuple[str, ...]:
        return tuple(filter(None, [", ".join(labels_of_mean(one.entries[runs]))]))

    table = benchmark_table(one.ranking, one, ("submission",), texts, remarks)
    never = never_checked(entry for entries in one.entries.values() for entry in entries)
    further = [_REPORTED if table.costs else "", never]
    table = replace(table, caption=" ".join(filter(None, [table.caption, *further])))
    return Piece(table.title, {"number": number, "table": table}, "Benchmark means")


def _piece(number: int, table: Table, names: Mapping[Path, str]) -> Piece:
    """A table; the first one gives all of them their place in the contents."""
    ranking = table.ranking
    shown = Shown.of([standing.row for standing in ranking.standings])
    entries = [table.entries[one.row.run_id] for one in ranking.standings]
    titles, costs = _costs(entries)
    lines = [
        _line(place, standing, entry, table, shown, names[entry.source.folder], cells)
        for place, (standing, entry, cells) in enumerate(zip(ranking.standings, entries, costs, strict=True), 1)
    ]
    known = any(one.interval or one.difference for one in ranking.standings)
    texts = [
        "Accuracy in %.",
        f"[ ]: 95 % interval for {ranking.population}." if known else "",
        "" if ranking.untested else "≈: may be as good as the best, by paired tests of all runs.",
    ]
    values = {
        "number": number,
        "key": table.key,
        "verdict": ranking.verdict,
        "lines": lines,
        "falling": all(a.value >= b.value for a, b in pairwise(lines)),
        "with_minus": any(line.minus for line in lines),
        "with_data": len({line.data for line in lines}) > 1,  # the title names it else
        "costs": titles,
        "filterable": len(lines) > 5,
        "caption": " ".join(filter(None, texts)),
        "remarks": [
            *ranking.caveats,
            *table.data_names,
            *([ONLY_THESE] if ranking.population == THESE_IMAGES else []),
            *([f"{meaning(titles)} {_REPORTED}"] if titles else []),
            *filter(None, [never_checked(entries)]),
        ],
    }
    other = other_version(ranking.best.row)
    return Piece(f"{ranking.task} (not checked: {other})" if other else ranking.task, values, "Tables")


def _costs(entries: Sequence[Entry]) -> tuple[tuple[str, ...], list[tuple[CostCell, ...]]]:
    """The titles of the costs that some run has, and the cells of each run under them."""
    every = [_cells(entry.costs) for entry in entries]
    kept = [number for number in range(len(TITLES)) if any(cells[number].text for cells in every)]
    return tuple(TITLES[number] for number in kept), [tuple(cells[number] for number in kept) for cells in every]


def _cells(cost: RunCost | None) -> list[CostCell]:
    if cost is None:
        return [CostCell("", None)] * len(TITLES)
    values = (cost.n_params, cost.flops, cost.seconds_per_image or None, cost.seconds_per_episode)
    return [CostCell(text, value) for text, value in zip(cost.texts, values, strict=True)]


def _line(
    place: int,
    standing: Standing,
    entry: Entry,
    table: Table,
    shown: Shown,
    name: str,
    costs: tuple[CostCell, ...],
) -> Line:
    row, best = standing.row, standing is table.ranking.best
    difference = None if best else standing.difference
    known = difference is not None and not difference.reason
    minus = standing.accuracy - table.ranking.best.accuracy if difference is None else difference.mean
    assert entry.source.manifest is not None
    return Line(
        place=place,
        method=", ".join(shown.name(row)),
        spec="; ".join(
            filter(
                None, (row.backbone, row.transform, row.evaluator, chosen_before(row), f"run {entry.shared.row.run_id}")
            )
        ),
        accuracy=f"{100 * standing.accuracy:.1f}",
        value=standing.accuracy,
        sign="≈" if standing.leads and not best else "",
        is_best=best,
        bounds=bracket(standing.interval),
        minus="" if best else f"{100 * minus:+z.1f}",
        minus_bounds=bracket((difference.low, difference.high)) if difference is not None and known else "",
        minus_value=0.0 if best else minus,
        labels=", ".join(entry.labels),
        about=entry.source.manifest.about,
        name=name,
        also=entry.also,
        data=data_name(row),
        verified_by=", ".join(entry.verified_by),
        not_checked=not_checked_here([entry]),
        costs=costs,
        episodes=row.n_episodes,
    )


def _submission(one: Verified, names: Mapping[Path, str]) -> dict[str, object]:
    assert one.manifest is not None
    by = [f"{each.by}, {each.when[:10]}: {_checked(each)}" for each in records(one.folder, one.manifest)]
    return {
        "folder": shown_name(one.folder.name),
        "about": one.manifest.about,
        "name": names[one.folder],
        "n_runs": len(one.runs),
        "made": one.manifest.about.made[:10],
        "by": by,
        "left_out": len(one.manifest.left_out),
    }


def _checked(record: Record) -> str:
    """What somebody checked, such as "numbers of 4 runs, episodes of 4, 2 computed again"."""
    parts = [f"numbers of {counted(len(record.statistics), 'run')}"]
    parts += [f"episodes of {len(record.episodes):,}"] if record.episodes else []
    parts += [f"{len(record.reruns):,} computed again"] if record.reruns else []
    return ", ".join(parts)
