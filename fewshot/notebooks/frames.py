"""Rows as tables: of pandas, and as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fewshot.files.terminal import width
from fewshot.report.comparisons.ranking import PredictionsOf, rankings_of
from fewshot.report.rows.intervals import percent
from fewshot.report.rows.shown import Shown
from fewshot.report.rows.tasks import accuracy, measured
from fewshot.report.tables.ranked import ranked_text
from fewshot.results.costs import derived_costs
from fewshot.results.row import Row
from fewshot.results.row_specs import specs_of

if TYPE_CHECKING:
    import pandas

_NUMBERS = (
    *("n_episodes", "accuracy", "accuracy_low", "accuracy_high", "new_classes_low", "new_classes_high"),
    *("seed", "transductive", "seconds_embedding", "seconds_solving", "n_params", "flops", "run_id", "error"),
)
_SIZES = {"ways": "n_way", "shots": "k_shot", "queries": "n_query"}


def frame(rows: Sequence[Row], full: bool) -> pandas.DataFrame:
    """A line per row: short names, sizes, numbers and measures, or with `full` all columns as they are stored."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("rows.to_frame() needs pandas; install it with: pip install 'fewshot[notebook]'") from error
    values = [row.columns() for row in rows] if full else list(_short(rows))
    return pandas.DataFrame(values)


def _short(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    shown = Shown.of(rows)
    known = {name for row in rows for name, value in row.measures.items() if value not in (None, "")}
    for row in rows:
        columns = row.columns()
        yield {
            **dict(zip(("data", "backbone", "evaluator"), names(row, shown), strict=True)),
            **{name: _size(columns[column], row) for name, column in _SIZES.items()},
            **{name: columns[name] for name in _NUMBERS},
            **derived_costs(row),
            **{name: value for name, value in row.measures.items() if name in known},
        }


def names(row: Row, shown: Shown) -> tuple[str, str, str]:
    """The short names of the data, of the backbone, and of the evaluator with its transform."""
    name = shown.name(row)
    return specs_of(row).dataset.short_name, name.backbone, name.learner


def _size(number: int | None, row: Row) -> int | str | None:
    """The number of ways, shots or queries; "all" for open ones of sampled episodes, None if they vary or are not
    known."""
    return "all" if number is None and not specs_of(row).from_file else number


def text_table(rows: Sequence[Row], predictions: PredictionsOf) -> str:
    """The ranked table of `fewshot run`, for terminals, and a line per failed run."""
    shown = Shown.of(rows)
    failed = [f"failed: {', '.join(shown.name(row))}: {row.error}" for row in shown.failed]
    return "\n".join(filter(None, [ranked_text(shown, predictions, width()), *failed])) or "no rows"


def table(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The header and the cells of a table of rows, with the intervals of the ranked table."""
    shown = Shown.of(rows)
    rankings = rankings_of(shown)
    bounds = {one.row.run_id: one.interval for ranking in rankings for one in ranking.standings}
    populations = " or ".join(dict.fromkeys(ranking.population for ranking in rankings))
    lines = [
        (
            *names(row, shown),
            *(str("–" if (size := _size(getattr(row, column), row)) is None else size) for column in _SIZES.values()),
            f"{row.n_episodes:,}",
            _accuracy(row),
            percent(bounds[row.run_id]) if bounds.get(row.run_id) else "",
        )
        for row in rows
    ]
    header = ("data", "backbone", "evaluator", *_SIZES, "episodes", "accuracy in %")
    return (*header, f"95 % for {populations}".removesuffix(" for ")), lines


def _accuracy(row: Row) -> str:
    if row.status == "failed":
        return f"failed: {row.error}"
    return f"{100 * accuracy(row):.1f}" if measured(row) else "–"
