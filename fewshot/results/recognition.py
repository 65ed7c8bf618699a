"""What a file is that holds no rows, in words."""

from __future__ import annotations

from pathlib import Path

from fewshot.files.regular import parsed_json

_HEAD_BYTES = 64 << 10
_SHOWN = 60  # characters of a first line
_MAGIC = {
    b"\x89PNG": "a PNG picture",
    b"PK\x03\x04": "a .zip, .npz or .xlsx file",
    b"\x1f\x8b": "a gzip file",
    b"%PDF": "a PDF file",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
    b"\x93NUMPY": "a .npy array",
}


def what_is(path: Path) -> str:
    """The kind of an existing regular file, such as "a CSV table with the columns model, shots, acc"."""
    with open(path, "rb") as file:
        head = file.read(_HEAD_BYTES)
    for start, name in _MAGIC.items():
        if head.startswith(start):
            return name
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not a character that the end of the head cuts
            return "not UTF-8 text"
        text = head[: error.start].decode("utf-8-sig")
    return _text(text.strip(), len(head) < _HEAD_BYTES)


def _text(text: str, is_whole: bool) -> str:
    if not text:
        return "empty"
    line = text.splitlines()[0].strip()
    if text[0] == "<":
        return "HTML or XML"
    if text[0] == "[":
        return "a JSON list"
    if text[0] == "{":
        return _json(line, text, is_whole)
    for separator, name in ((",", "CSV"), ("\t", "TSV"), (";", "CSV")):
        if separator in line:
            columns = ", ".join(part.strip().strip('"') for part in line.split(separator))
            return f"a {name} table with the columns {_short(columns)}"
    return f"text that begins with {_short(line)!r}"


def _json(line: str, text: str, is_whole: bool) -> str:
    """An object per line, or one object over several lines."""
    try:
        keys = ", ".join(parsed_json(line))
        return f"JSON objects that are not rows of fewshot, with {_short(keys) or 'no fields'}"
    except ValueError:
        pass
    try:
        parsed_json(text)
    except ValueError:
        return "not JSON lines" if is_whole else "JSON, but not one object per line"
    return "one JSON object over several lines"


def _short(text: str) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= _SHOWN else f"{printable[:_SHOWN]}..."
