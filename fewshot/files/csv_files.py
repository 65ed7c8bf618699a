"""CSV files that people wrote: read as a whole, and whatever is wrong is a sentence that names the line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CsvFile:
    """The fields of a file, stripped, by the names of its first line; and the number of the line of every row."""

    path: Path
    columns: dict[str, list[str]]
    number: list[int]

    @staticmethod
    def read(path: Path, what: str, needed: tuple[str, ...], allowed: tuple[str, ...] = ()) -> CsvFile:
        """A file that has the columns `needed`, and no others than these and `allowed`; `what` names its kind."""
        (_, header), *rows = numbered_rows(path, what, needed)
        names = [name.strip() for name in header]
        missing = [name for name in needed if name not in names]
        unknown = [name for name in names if name not in needed + allowed]
        expected = f"expected a first line {','.join(needed)}" + (
            f" and perhaps {', '.join(allowed)}" if allowed else ""
        )
        if missing or unknown or len(set(names)) < len(names):
            problem = f"has no column {missing[0]!r}" if missing else "has a column that is unknown or there twice"
            raise ValueError(f"{path} {problem}; {expected}, separated by commas, found {','.join(names)[:80]!r}")
        if not rows:
            raise ValueError(f"{path} has nothing below its first line; {expected} and a line an entry")
        return CsvFile(path, by_column(path, names, rows), [number for number, _ in rows])

    def error(self, row: int, sentence: str) -> ValueError:
        """The error of a row, with the number of its line."""
        return ValueError(f"{self.path}, line {self.number[row]}: {sentence}")


def check_width(path: Path, number: int, row: list[str], names: list[str]) -> None:
    """Raises a ValueError unless a line has a field for every name."""
    if len(row) != len(names):
        raise ValueError(
            f"{path}, line {number}: expected {len(names)} fields ({', '.join(names[:10])}), found {len(row)}; "
            "put fields that hold a comma in quotes"
        )


def by_column(path: Path, names: list[str], rows: list[tuple[int, list[str]]]) -> dict[str, list[str]]:
    """The stripped fields of numbered rows, at least one, by the names of the columns; every width is checked."""
    for number, row in rows:
        check_width(path, number, row, names)
    values = zip(*(row for _, row in rows), strict=True)
    return {name: [value.strip() for value in column] for name, column in zip(names, values, strict=True)}


def numbered_rows(path: Path, what: str, needed: tuple[str, ...]) -> list[tuple[int, list[str]]]:
    """The fields of every line that is not empty, header first, with the number of the line."""
    columns = f"columns {', '.join(needed[:-1])} and {needed[-1]}"
    try:
        with open(path, encoding="utf-8-sig", newline="") as opened:
            rows = list(_numbered(opened, path))
    except FileNotFoundError as error:
        raise ValueError(f"there is no {what} {path}; give a CSV file with the {columns}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error.reason} at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise ValueError(f"cannot read the {what} {path}: {error.strerror}") from error
    if not rows:
        raise ValueError(f"{path} is empty; expected a header with the {columns}")
    return rows


def _numbered(opened: Iterable[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(opened, strict=True)
    try:
        for row in reader:
            if any(field.strip() for field in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}; a quote inside quotes is written twice") from error
