"""Names that the shell completes: those of members, presets and suites, read without importing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from click import Context, Parameter
from click.shell_completion import CompletionItem

KINDS = (
    *("datasets", "splits", "samplers", "backbones", "recipes", "transforms", "evaluators", "measures", "laws"),
    *("presets", "suites"),
)
Complete = Callable[[Context, Parameter, str], list[CompletionItem]]


def complete(kind: str, with_files: bool = False) -> Complete:
    """A completion with the names of a kind, and with files and folders where a path may stand."""

    def completed(context: Context, parameter: Parameter, start: str) -> list[CompletionItem]:
        items = _items(_names(kind), start)
        return items or [CompletionItem(start, type="file")] if with_files else items

    return completed


def complete_kinds(context: Context, parameter: Parameter, start: str) -> list[CompletionItem]:
    """The kinds of `fewshot list`."""
    return _items(KINDS, start)


def _items(names: Iterable[str], start: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.lower().startswith(start.lower())]


def _names(kind: str) -> Iterator[str]:
    """The names of a kind; of backbones their short forms too."""
    from fewshot.plugins import registry
    from fewshot.plugins.shorthand import PACKAGED

    if kind == "presets":
        from fewshot.runs.presets import PRESETS

        yield from (preset.name for preset in PRESETS)
    elif kind == "suites":
        from fewshot import benchmarks

        yield from benchmarks.names()
    else:
        yield from (*PACKAGED, "pixels", "given") if kind == "backbones" else ()
        yield from getattr(registry, kind.upper()).names()
