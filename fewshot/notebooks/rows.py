"""Rows: a sequence of rows with the predictions behind them, with text, tables and plots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from fewshot.plugins.suggestions import nearest
from fewshot.plugins.wording import counted
from fewshot.results.collections import StoredRun
from fewshot.results.copies import copy_runs
from fewshot.results.files import Results
from fewshot.results.predictions import Predictions
from fewshot.results.row import Row, known_columns
from fewshot.results.short_names import ShortNames

if TYPE_CHECKING:
    import pandas

    from fewshot.notebooks.compared import Compared
    from fewshot.notebooks.plots import Plot

_IN_REPR = 3  # accuracies
_OF_ROW = ("measures", "columns", "spec")
_METHODS = ("compare", "plot", "predictions", "save", "to_frame", "to_json")


class Rows(Sequence[Row]):
    """Rows of runs, in the order of their runs. The columns of a single row are attributes: `rows.accuracy`."""

    def __init__(self, runs: Iterable[StoredRun]) -> None:
        self._runs = tuple(runs)

    @staticmethod
    def of(rows: Rows | Row | Results | str | Path | Iterable[Any]) -> Rows:
        """The rows of `evaluate`, of results files or their paths, or of several of these; a row alone has no
        predictions. Anything else is a ValueError."""
        if isinstance(rows, Rows):
            return rows
        if isinstance(rows, Row):
            return Rows([StoredRun(rows, _NONE)])
        if isinstance(rows, Results | str | Path):
            return _read(Results.at(rows))
        if not isinstance(rows, Iterable):
            raise ValueError(f"rows are what evaluate() returns, or the path of a results file; got {rows!r:.80}")
        return Rows(run for part in rows for run in Rows.of(part)._runs)

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Rows: ...
    def __getitem__(self, place: int | slice) -> Row | Rows:
        if isinstance(place, str):
            raise TypeError(f"rows are numbered: write rows[0].{place}, or rows.to_frame()[{place!r}] for all of them")
        return Rows(self._runs[place]) if isinstance(place, slice) else self._runs[place].row

    def __add__(self, other: Rows | Row) -> Rows:
        """The rows of both; those of one run once."""
        return Rows({run.row.run_id: run for run in (*self._runs, *Rows.of(other)._runs)}.values())

    def __getattr__(self, name: str) -> Any:
        """A column of the only row, or all of them."""
        if name.startswith("_") or name not in (*known_columns(), *_OF_ROW):
            near = nearest(name, (*known_columns(), *_METHODS))
            hint = f"; did you mean {near[0]!r}?" if near else "; rows.to_frame(full=True) has all columns"
            raise AttributeError(f"rows have no {name!r}{hint}")
        if len(self) != 1:
            raise AttributeError(f"these are {len(self)} rows; write rows[0].{name}, or rows.to_frame()")
        row = self._runs[0].row
        return row.measures[name] if name in row.measures else getattr(row, name)

    def to_json(self) -> str:
        """One line of JSON per row."""
        return "\n".join(row.to_json() for row in self)

    def predictions(self, row: Row) -> Iterator[Predictions]:
        """The predictions of a row, part by part; a ValueError if there are none."""
        for run in self._runs:
            if run.row.run_id == row.run_id:
                return run.results.predictions(row)
        raise ValueError(f"these rows do not hold the run {row.run_id}")

    def save(self, path: str | Path) -> None:
        """Writes a new results file, with predictions beside it, for `fewshot report` and `fewshot compare`."""
        copy_runs(self._runs, Results.at(path), ShortNames({}))

    def compare(self) -> Compared:
        """Which run is best, and whether the differences are real."""
        from fewshot.notebooks.compared import compared

        once = Rows([]) + self
        return compared(tuple(once), once.predictions)

    def to_frame(self, full: bool = False) -> pandas.DataFrame:
        """A pandas table of one line per row, with short names; accuracies are fractions. `full`: every column, as
        results files hold them. Without pandas, an ImportError says how to install it."""
        from fewshot.notebooks.frames import frame

        return frame(tuple(self), full)

    def plot(self) -> Plot:
        """A figure of all accuracies in % with their 95 % intervals: over shots if there are several, else one line per
        run, the best first. It is a matplotlib figure: `rows.plot().savefig("rows.png")`."""
        from fewshot.notebooks.plots import plot

        return plot(tuple(self))

    def __repr__(self) -> str:
        texts = [_short(row) for row in self[:_IN_REPR]]
        more = f" and {len(self) - _IN_REPR:,} more" if len(self) > _IN_REPR else ""
        return f"Rows({counted(len(self), 'run')}: {'; '.join(texts)}{more})"

    def __str__(self) -> str:
        from fewshot.notebooks.frames import text_table

        return text_table(tuple(self), (Rows([]) + self).predictions)

    def _repr_html_(self) -> str:
        from fewshot.notebooks.frames import table
        from fewshot.notebooks.html import table_html

        return table_html(*table(tuple(self))) if self else "<p>no rows</p>"


class _Without(Results):
    """No predictions."""

    def predictions(self, row: Row) -> Iterator[Predictions]:
        raise ValueError("a row alone has no predictions; give the rows that evaluate() returned")


_NONE = _Without(Path("(none)"))


def _read(results: Results) -> Rows:
    if not results.path.exists():
        raise ValueError(f"there is no results file {results.path}; evaluate(..., results=...) writes one")
    return Rows(StoredRun(row, results) for row in results.rows())


def _short(row: Row) -> str:
    return "failed" if row.accuracy is None else f"{100 * row.accuracy:.1f} %"
