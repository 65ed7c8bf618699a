"""`fewshot list`: what there is, read from the source without importing it."""

from __future__ import annotations

import re

import click

from fewshot import plugins
from fewshot.names import PACKAGED

KINDS = ("datasets", "splits", "samplers", "backbones", "transforms", "evaluators", "suites")


@click.command("list", short_help="Show what there is, with its hyperparameters.")
@click.argument("kind", type=click.Choice(KINDS), required=False)
def command(kind: str | None) -> None:
    """Data sets, splits, samplers, backbones, transforms, evaluators and suites, with their hyperparameters."""
    for shown in (kind,) if kind else KINDS:
        click.secho(shown, bold=True)
        for name, summary in _suites() if shown == "suites" else _members(shown):
            click.echo(f"  {name}\n{click.wrap_text(summary, 100, '      ', '      ')}")
        if shown == "backbones":
            click.echo(f"  In short: {', '.join(PACKAGED)}, pixels, any name of timm's, package.module:function.")


def _members(kind: str) -> list[tuple[str, str]]:
    """Each member with its hyperparameters and defaults, and the first sentence of its docstring."""
    registry: plugins.Registry = getattr(plugins, kind.upper())
    return [
        (_call(signature), _first_sentence(signature.summary))
        for signature in map(registry.signature, registry.names())
    ]


def _call(signature: plugins.Signature) -> str:
    fields = (p.name if p.default is plugins.REQUIRED else f"{p.name}={p.default!r}" for p in signature.parameters)
    return f"{signature.name}({', '.join(fields)})"


def _first_sentence(text: str) -> str:
    return re.split(r"(?<!et al)\. (?=[A-Z`])", text)[0].rstrip(".") + "." if text else ""


def _suites() -> list[tuple[str, str]]:
    from fewshot import benchmarks

    return [(name, benchmarks.summary(name)) for name in benchmarks.names()]
