"""What a command answers: text for people, or with --json one JSON value and nothing else on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fewshot.results.row import Row

_KEY = "fewshot.json"
NOT_WRITTEN = "; nothing is written in a dry run"


def _keep(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    context.meta[_KEY] = given


json_option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_keep, help="Print one JSON value and nothing else."
)


def wants_json() -> bool:
    """Whether the command that runs was given --json."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(_KEY))


def answer(text: str, value: Any) -> None:
    """Prints the answer of a command, once, at its end."""
    click.echo(_as_json(value) if wants_json() else text)


def _as_json(value: Any) -> str:
    """A number that is none, such as an unknown bound, is null: JSON has no NaN."""
    finite = json.loads(json.dumps(value, default=str), parse_constant=lambda _: None)
    return json.dumps(finite, ensure_ascii=False, indent=1)


def tell(text: str) -> None:
    """Prints what happens meanwhile; with --json on stderr."""
    click.echo(text, err=wants_json())


def row_values(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows as JSON values; NaN is null."""
    return [json.loads(row.to_json()) for row in rows]
