"""Rows as files for other programs: CSV and parquet with every column, LaTeX and markdown as tables for a paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fewshot.files.csv_files import csv_text
from fewshot.report.comparisons.benchmark_ranking import BenchmarkRanking
from fewshot.report.rows.shown import Shown
from fewshot.report.tables.latex import latex
from fewshot.report.tables.markdown_report import markdown_report
from fewshot.results.row import known_columns

_NAMES = {"backbone_name": "str", "evaluator_name": "str", "task": "str"}  # before the columns of a row
_SEEDS = ("seed", "training_seed")  # up to 2^64 - 1
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


def exported(shown: Shown, suffix: str, benchmarks: Sequence[BenchmarkRanking] = ()) -> bytes:
    """The content of a file with this suffix: .csv, .parquet, .tex or .md. The last two begin with the means of the
    `benchmarks` over their data sets."""
    check_suffix(suffix)
    content = _WRITERS[suffix](shown, benchmarks)
    return content if isinstance(content, bytes) else content.encode()


def check_suffix(suffix: str) -> None:
    """Raises a ValueError for a suffix that no export has."""
    if suffix not in _WRITERS:
        raise ValueError(f"give --out a file that ends in {', '.join(_WRITERS)}, not in {suffix or 'nothing'!r}")


def records(shown: Shown) -> list[dict[str, Any]]:
    """One record per row: short names of backbone, evaluator and task first, then every column."""
    found = []
    for row in shown.rows:
        title = "" if row.status == "failed" else shown.title(row)
        names = (shown.name(row).backbone, shown.name(row).learner, title)
        found.append({**dict(zip(_NAMES, names, strict=True)), **row.columns()})
    return found


def has_means(suffix: str) -> bool:
    """Whether a file with this suffix shows the means of benchmarks."""
    return suffix in (".tex", ".md")


def _csv(shown: Shown, _: Sequence[BenchmarkRanking]) -> str:
    lines = records(shown)
    return csv_text([list(lines[0]), *([safe(value) for value in line.values()] for line in lines)])


def safe(value: Any) -> Any:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _parquet(shown: Shown, _: Sequence[BenchmarkRanking]) -> bytes:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ValueError("a .parquet file needs pyarrow: pip install 'fewshot[parquet]', or give a .csv") from error
    lines = records(shown)
    kinds = _NAMES | {name: kind for name, (kind, *_) in known_columns().items()}
    types = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    schema = pa.schema([(name, types[kinds[name].partition(" |")[0]]) for name in lines[0] if name not in _SEEDS])
    for name in _SEEDS:
        schema = schema.insert(list(lines[0]).index(name), pa.field(name, pa.uint64()))
    file = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(lines, schema), file)
    return bytes(file.getvalue().to_pybytes())


_WRITERS: dict[str, Callable[[Shown, Sequence[BenchmarkRanking]], str | bytes]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".tex": latex,
    ".md": markdown_report,
}
