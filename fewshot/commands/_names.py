"""Names that the shell completes: those of members, presets, suites and benchmarks, read without importing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import click
from click import Context, Parameter
from click.shell_completion import CompletionItem

KINDS = (
    *("datasets", "splits", "samplers", "backbones", "recipes", "transforms", "evaluators", "measures", "laws"),
    *("presets", "suites", "benchmarks", "published"),
)


class NameOf(click.ParamType[str]):
    """A name or spec of a member of a kind, or a path where one may stand. The shell completes it; an empty text, such
    as that of a variable that is not set, is a usage error."""

    name = "text"

    def __init__(self, kind: str, with_files: bool = False) -> None:
        self._kind, self._with_files = kind, with_files

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> str:
        """The text as it is."""
        if not str(value).strip():
            self.fail("it is empty; give a name, or leave the option out", param, ctx)
        return str(value)

    def shell_complete(self, ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that start so; files and folders where no name does."""
        items = _items(_names(self._kind), incomplete)
        return items or [CompletionItem(incomplete, type="file")] if self._with_files else items


def complete_kinds(context: Context, parameter: Parameter, start: str) -> list[CompletionItem]:
    """The kinds of `fewshot list`."""
    return _items(KINDS, start)


def complete_laws(context: Context, parameter: Parameter, start: str) -> list[CompletionItem]:
    """The scaling laws."""
    return _items(_names("laws"), start)


def _items(names: Iterable[str], start: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.lower().startswith(start.lower())]


def _names(kind: str) -> Iterator[str]:
    """The names of a kind; of backbones their short forms too."""
    from fewshot.plugins import registry
    from fewshot.plugins.shorthand import PACKAGED, WORDS

    if kind == "presets":
        from fewshot.runs.presets import PRESETS

        yield from (preset.name for preset in PRESETS)
    elif kind == "suites":
        from fewshot import benchmarks

        yield from benchmarks.names()
    elif kind == "published":
        from fewshot.results.published import table_names

        yield from table_names()
    elif kind == "benchmarks":
        from fewshot import protocols

        yield from protocols.names()
    else:
        yield from (*PACKAGED, *WORDS) if kind == "backbones" else ()
        yield from getattr(registry, kind.upper()).names()
