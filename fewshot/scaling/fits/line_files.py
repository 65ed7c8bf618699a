"""Lines of a file by column: a CSV with a header, or JSON with one object per line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fewshot.files.csv_files import CsvFile
from fewshot.files.regular import parsed_json, read_text

_JSON = (".jsonl", ".ndjson", ".json")
_READ = "give a .csv with a header, or a .jsonl with one JSON object per line"

Line = dict[str, Any]


def read_lines(path: Path) -> list[Line]:
    """The lines of a .jsonl file (for each run the last that did not fail), or of a CSV with any other name. Raises a
    ValueError if there are none."""
    if not path.exists() or path.is_dir():
        raise ValueError(f"there is no file {path}")
    try:
        text = read_text(path, "table")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text, so it holds no rows: {error}") from error
    lines = _json_lines(path, text) if path.suffix.lower() in _JSON else _csv_lines(path, text)
    if not lines:
        raise ValueError(f"{path} holds no lines; {_READ}")
    return lines


def _csv_lines(path: Path, text: str) -> list[Line]:
    if text.lstrip()[:1] in ("[", "{"):
        raise ValueError(f"{path} holds JSON{_kind(text)}, but is named like a table; {_READ}")
    return list(CsvFile.read(path, "table", further=None).rows())


def _json_lines(path: Path, text: str) -> list[Line]:
    lines: dict[Any, Line] = {}
    for number, part in enumerate(text.split("\n"), 1):
        if not part.strip():
            continue
        try:
            line = parsed_json(part)
        except ValueError as error:
            whole = _kind(text)
            if whole:
                raise ValueError(f"{path} is one JSON value{whole}; {_READ}") from error
            raise ValueError(f"line {number} of {path} is not JSON: {error}") from error
        if not isinstance(line, dict):
            raise ValueError(f"line {number} of {path} is JSON, but not an object{_kind(part)}; {_READ}")
        run_id = line.get("run_id", number)
        if not isinstance(run_id, str | int):
            raise ValueError(f"'run_id' of line {number} of {path} must be text, got {str(run_id)[:40]}")
        if line.get("status", "ok") == "ok":
            lines[run_id] = line
    return list(lines.values())


def _kind(text: str) -> str:
    """The type of a JSON value, and how to turn a list into lines; "" for text that is not JSON."""
    try:
        value = parsed_json(text)
    except ValueError:
        return ""
    if isinstance(value, list):
        return f", a list of {len(value):,} (write its items as lines with: jq -c '.[]' FILE > FILE.jsonl)"
    return f" ({type(value).__name__ if not isinstance(value, dict) else 'an object'})"
