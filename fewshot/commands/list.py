"""`fewshot list`: all members and their options, read from the source without importing it; networks of timm."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands._answers import answer, json_option
from fewshot.plugins import registry as plugins
from fewshot.plugins.shorthand import PACKAGED
from fewshot.plugins.signature import REQUIRED, Signature
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.backbones._timm_catalogue import TimmEntry

KINDS = (
    "datasets",
    "splits",
    "samplers",
    "backbones",
    "recipes",
    "transforms",
    "evaluators",
    "measures",
    "laws",
    "presets",
    "suites",
)
_SHORT = f"  Short forms: {', '.join(PACKAGED)}, pixels, given, any network name of timm, package.module:function."
_MORE = "  fewshot list backbones 'vit_small*' lists the networks of timm that match."


@click.command("list", short_help="List available components and their options.")
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.argument("pattern", required=False)
@json_option
def command(kind: str | None, pattern: str | None) -> int:
    """List data sets, splits, samplers, backbones, pre-training recipes, transforms, evaluators, measures, scaling
    laws, presets and suites, with their hyperparameters and defaults.

    `fewshot list backbones PATTERN` lists the networks of timm whose names match, such as 'vit*', with their number of
    parameters, image size and pre-training data.
    """
    if pattern is not None:
        return _networks(kind, pattern)
    lines: list[str] = []
    values: dict[str, Any] = {}
    for shown in (kind,) if kind else KINDS:
        own = {"measures": _measures, "laws": _laws, "suites": _suites, "presets": _presets}
        values[shown] = own.get(shown, partial(_members, shown))()
        lines.append(click.style(shown, bold=True))
        for member in values[shown]:
            summary = click.wrap_text(member["summary"], 100, "      ", "      ")
            lines.append(f"  {member.get('call', member['name'])}\n{summary}")
        if shown == "backbones":
            lines += [_SHORT, _MORE]
    answer("\n".join(lines), values)
    return 0


def _networks(kind: str | None, pattern: str) -> int:
    """The exit code. Answers with the networks of timm whose names match."""
    if kind != "backbones":
        raise click.UsageError(f"only backbones take a pattern; write: fewshot list backbones {pattern!r}")
    from fewshot.backbones._timm_catalogue import catalogue

    entries = catalogue(pattern)
    if not entries:
        raise ValueError(f"timm has no network {pattern!r}; quote a pattern, such as '*{pattern.strip('*')}*'")
    answer(_network_table(entries), [asdict(entry) for entry in entries])
    return 0


def _network_table(entries: list[TimmEntry]) -> str:
    """One line per network, and a note about the columns."""
    from tabulate import tabulate

    header = ("name", "params (M)", "size", "pre-trained on", "")
    lines = [
        (e.name, "?" if e.n_params is None else f"{e.n_params / 1e6:.1f}", e.image_size, e.pretrained_on, _source(e))
        for e in entries
    ]
    note = f"{counted(len(entries), 'network')} of timm; parameters include the classifier, image sizes are in pixels"
    aligned = tabulate(lines, header, disable_numparse=True, colalign=("left", "right", "right", "left", "left"))
    return f"{aligned}\n{note}"


def _source(entry: TimmEntry) -> str:
    return "packaged" if entry.packaged else ""


def _members(kind: str) -> list[dict[str, Any]]:
    """Each member with its hyperparameters, its defaults and the first sentence of its docstring."""
    registry: plugins.Registry = getattr(plugins, kind.upper())
    return [
        {
            "name": signature.name,
            "call": _call(signature),
            "summary": signature.sentence,
            "defaults": {p.name: None if p.default is REQUIRED else p.default for p in signature.parameters},
            "required": [p.name for p in signature.parameters if p.default is REQUIRED],
        }
        for signature in map(registry.signature, registry.names())
    ]


def _call(signature: Signature) -> str:
    fields = (p.name if p.default is REQUIRED else f"{p.name}={p.default!r}" for p in signature.parameters)
    return f"{signature.name}({', '.join(fields)})"


def _measures() -> list[dict[str, Any]]:
    """Each measure with its columns in a row and its words."""
    from fewshot.results.declared import declared

    return [
        {"name": m.name, "summary": f"{m.caption.rstrip('.')} ({m.unit}, {m.better} is better)."} | asdict(m)
        for m in sorted(declared(), key=lambda m: m.name)
    ]


def _laws() -> list[dict[str, Any]]:
    """Each scaling law with its formula."""
    return [
        {
            "name": signature.name,
            "call": f"{signature.name}: {signature.declared.get('formula', '')}",
            "summary": signature.sentence,
            "formula": signature.declared.get("formula", ""),
            "for_budgets": bool(signature.declared.get("for_budgets")),
        }
        for signature in map(plugins.LAWS.signature, plugins.LAWS.names())
    ]


def _presets() -> list[dict[str, Any]]:
    from fewshot.runs.presets import PRESETS

    return [
        {"call": f"{p.name} = {p.transform} + {p.evaluator}", "summary": f"{p.source}. {p.differs}"} | asdict(p)
        for p in PRESETS
    ]


def _suites() -> list[dict[str, Any]]:
    from fewshot import benchmarks

    return [{"name": name, "summary": benchmarks.summary(name)} for name in benchmarks.names()]
