"""`fewshot check`: does a member of any kind obey the rules of its kind?"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import answer, json_option
from fewshot.plugins.call import is_name, parse
from fewshot.plugins.registry import BACKBONES, REGISTRIES, Registry, registry_of
from fewshot.plugins.shorthand import shorthand
from fewshot.plugins.spec import refuse_incomplete
from fewshot.plugins.wording import agreeing, counted

_EXAMPLES = ("evaluator", "sampler", "transform")  # kinds whose classes have examples()
_KINDS = (*_EXAMPLES, "dataset", "backbone")


@click.command("check", short_help="Check that an evaluator, sampler, data set, backbone or transform obeys its rules.")
@click.argument("spec")
@click.option("--kind", type=click.Choice(_KINDS), help="Choose the kind, if a class belongs to several kinds.")
@_options.dry_run_option
@json_option
def command(spec: str, kind: str | None, dry_run: bool) -> int:
    """Check SPEC, a name, Name(field=value) or package.module:Class, against the rules of its kind.

    The base class decides the kind. For the bare name of an evaluator, sampler or transform, fewshot checks the
    examples() of the class; it loads a data set or a backbone as SPEC says. For example:

    \b
      fewshot check my_package.my_module:MyEvaluator
    """
    from fewshot.conformance import check

    spec = _in_full(spec, kind)
    registry = _registry(spec, kind)
    members = _members(registry, spec.strip())
    if dry_run:
        answer("\n".join(f"would check: {member!r}" for member in members), [repr(member) for member in members])
        return 0
    checked = {repr(member): check(registry.kind, member) for member in members}
    lines = []
    for member, broken in checked.items():
        count = f"{counted(len(broken), 'rule')} {agreeing(len(broken), 'is', 'are')} broken"
        lines.append(f"{member}: {count if broken else 'all rules hold'}")
        lines += [f"  {rule}" for rule in broken]
    answer("\n".join(lines), checked)
    return 1 if any(checked.values()) else 0


def _in_full(spec: str, kind: str | None) -> str:
    """The spec; a function "module:function" that returns a network is the backbone Function, as in `fewshot run`."""
    return shorthand(spec) if kind in (None, BACKBONES.kind) and ":" in spec and not _is_class(spec) else spec


def _is_class(name: str) -> bool:
    """Whether "module:name" is a class whose name has a small letter."""
    module, _, attribute = name.strip().partition(":")
    try:
        return isinstance(getattr(importlib.import_module(module), attribute, None), type)
    except Exception:  # what reads the spec reports it
        return False


def _registry(spec: str, kind: str | None) -> Registry:
    """The registry of --kind, or of the base class."""
    name = parse(spec, "class").name
    if kind is not None:
        chosen = next(registry for registry in REGISTRIES if registry.kind == kind)
        if not chosen.holds(name):
            raise ValueError(f"{name} is no {kind}: it does not derive from {chosen.package}.{chosen.base}")
        return chosen
    registry = registry_of(name)
    if registry.kind not in _KINDS:
        raise ValueError(f"{name} is a {registry.kind}; there are rules for: {', '.join(_KINDS)}")
    return registry


def _members(registry: Registry, spec: str) -> Sequence[Any]:
    """The member that the spec describes, or the examples of the class that it names."""
    call = parse(spec, "class")
    cls = registry.get(call.name)
    refuse_incomplete(spec, cls)
    if not is_name(spec) or registry.kind not in _EXAMPLES:
        return [registry.make(spec)]
    registry.signature(spec)
    examples: Sequence[Any] = cls.examples()
    if not examples:
        raise ValueError(f"{spec}.examples() is empty; return a few cheap instances to check, or give {spec}(...)")
    return examples
