"""CSV files written by people, with errors that name the line; and CSV text."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewshot.files.quoting import first_of, quoted, shortened
from fewshot.files.regular import written_text

_SHOWN = 80  # characters of a first line in a message
_OTHERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class CsvFile:
    """The stripped fields of a CSV file by column, and the line number of each row (of its last line).

    The file is UTF-8, with or without a byte order mark, separated by commas, with any line ends. The reader skips
    empty lines.
    """

    path: Path
    columns: dict[str, list[str]]
    number: list[int]

    @staticmethod
    def read(path: Path, what: str, needed: Sequence[str] = (), further: Sequence[str] | None = ()) -> CsvFile:
        """The file, with all columns of `needed`, at least one row, and no columns beyond `needed` and `further`
        (None: any columns). `what` names the kind of file in errors, which are ValueErrors of one sentence."""
        (_, header), *rows = _numbered_rows(path, what, needed)
        names = [name.strip() for name in header]
        _check_separator(path, names)
        _check_header(path, names, needed, further)
        if not rows:
            raise ValueError(f"{path} has nothing below its first line {quoted(_short(names))}; add one line per entry")
        for number, row in rows:
            _check_width(path, number, row, names)
        values = zip(*(row for _, row in rows), strict=True)
        columns = {name: [value.strip() for value in column] for name, column in zip(names, values, strict=True)}
        return CsvFile(path, columns, [number for number, _ in rows])

    def rows(self) -> Iterator[dict[str, str]]:
        """Every row, as a dictionary by column."""
        for fields in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, fields, strict=True))

    def error(self, row: int, sentence: str) -> ValueError:
        """A ValueError for a row, with its line number."""
        return ValueError(f"{self.path}, line {self.number[row]}: {sentence}")


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """The CSV text of rows, header first; fields with a comma, a quote or a line end are quoted."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _numbered_rows(path: Path, what: str, needed: Sequence[str]) -> list[tuple[int, list[str]]]:
    """The line number and the fields of each line that is not empty, header first."""
    wanted = f" with the column{'s' * (len(needed) > 1)} {_in_english(needed)}" if needed else ""
    text = written_text(path, what, f"give a CSV file{wanted}")
    rows = list(_numbered(text, path))
    if not rows:
        raise ValueError(f"{path} is empty; expected a header{wanted}")
    return rows


def _numbered(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}; write a quote inside quotes twice") from error


def _check_separator(path: Path, names: Sequence[str]) -> None:
    """Raises a ValueError if the first line is one field that another separator divides."""
    other = next((word for mark, word in _OTHERS.items() if len(names) == 1 and mark in names[0]), "")
    if other:
        raise ValueError(
            f"{path} seems to be separated by {other}: its first line is {quoted(_short(names))}; "
            "save it as a CSV file with commas between the fields, and write numbers with a point (0.5)"
        )


def _check_header(path: Path, names: Sequence[str], needed: Sequence[str], further: Sequence[str] | None) -> None:
    """Raises a ValueError if a needed column is missing, a column is unknown, or a name occurs twice."""
    such = "such as " if further is None else ""
    others = f" and optionally {', '.join(further)}" if further else ""
    first = ",".join(map(shortened, needed))
    expected = f"expected a first line {such}{first}{others}, separated by commas, found {quoted(_short(names))}"
    missing = [name for name in needed if name not in names]
    if missing:
        raise ValueError(f"{path} has no column {quoted(missing[0])}; {expected}")
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(f"{path} has two columns {quoted(repeated[0])}; name every column once")
    unknown = [] if further is None else [name for name in names if name not in (*needed, *further)]
    if unknown:
        raise ValueError(f"{path} has an unknown column {quoted(unknown[0])}; {expected}")


def _check_width(path: Path, number: int, row: Sequence[str], names: Sequence[str]) -> None:
    if len(row) != len(names):
        raise ValueError(
            f"{path}, line {number}: expected {len(names)} field{'' if len(names) == 1 else 's'} "
            f"({first_of(names, most=10)}), found {len(row)}; put fields with a comma in quotes"
        )


def _in_english(names: Sequence[str]) -> str:
    """The names as English, such as "task, class and image"."""
    names = [shortened(name) for name in names]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _short(names: Sequence[str]) -> str:
    return ",".join(names)[:_SHOWN]
