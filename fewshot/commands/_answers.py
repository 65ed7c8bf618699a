"""The answer of a command: text for people, or one JSON value and nothing else on stdout with --json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.results.row import Row

_KEY = "fewshot.json"
_CONTROL = re.compile(r"(?!\x1b\[[0-9;]*m)[\x00-\x08\x0b-\x1f\x7f-\x9f]")
NOT_WRITTEN = "; the dry run writes nothing"


def _keep(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    context.meta[_KEY] = given


json_option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_keep, help="Print one JSON value and nothing else."
)


def wants_json() -> bool:
    """Whether the running command was called with --json."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_KEY))


def answer(text: str, value: Any) -> None:
    """Prints the answer of a command, once, at its end."""
    click.echo(_as_json(value) if wants_json() else printable(text))


def _as_json(value: Any) -> str:
    """The JSON text of a value; NaN, such as an unknown bound, becomes null, because JSON has no NaN."""
    finite = json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
    return json.dumps(finite, ensure_ascii=False, indent=1)


def print_progress(text: str) -> None:
    """Prints what a command reports before its answer; with --json on stderr."""
    click.echo(printable(text), err=wants_json())


def printable(text: str) -> str:
    """The text without control characters, which could move the cursor or write to the clipboard, but with line ends,
    tabs and colours; characters that are not Unicode become "?". Names in rows may come from anybody."""
    return _CONTROL.sub("", text).encode(errors="replace").decode()


def row_values(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows as JSON values; NaN is null."""
    return [json.loads(row.to_json()) for row in rows]


def size(n_bytes: int) -> str:
    """A number of bytes with its unit: "512 bytes", "1.2 MB"."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return counted(n_bytes, "byte")
