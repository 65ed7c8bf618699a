"""`fewshot list`: all members and their options, read from the source without importing it; networks of timm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatch
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from fewshot import protocols
from fewshot.commands._answers import answer, json_option
from fewshot.commands._names import KINDS, complete_kinds
from fewshot.commands._published import numbers_with, sources
from fewshot.plugins import registry as plugins
from fewshot.plugins.shorthand import PACKAGED, WORDS, shorthand
from fewshot.plugins.signature import REQUIRED, Signature
from fewshot.plugins.suggestions import hint, nearest
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.backbones._timm_catalogue import TimmEntry

_FIELDS = re.compile(r"\{[^}]*\}|[\[\]|]")  # of the template of a short name
_SHORT = f"  Short forms: {', '.join((*PACKAGED, *WORDS))}, any network name of timm, package.module:function."
_MORE = "  fewshot list backbones vit_small lists the networks of timm with this word in their names."
_NO_SEEN = f"Its sets have {protocols.NO_SEEN_CLASSES}"  # a need of most benchmarks
_OF_BENCHMARKS = (
    "  No seen classes: SimpleShot needs them, SimpleShot-L2N does not.",
    "  fewshot list benchmarks NAME shows the command, the data to get, the protocol and the numbers to expect.",
    "  fewshot run --benchmark NAME --data ROOT runs one.",
    "  Reproducible: fewshot reproduce NAME --data ROOT compares your numbers with the published ones.",
)


@click.command("list", short_help="List available components and their options.")
@click.argument("kind", metavar="[KIND]", default="", shell_complete=complete_kinds)
@click.argument("word", metavar="[WORD]", default="")
@json_option
def command(kind: str, word: str) -> int:
    """List data sets, splits, samplers, backbones, pre-training recipes, transforms, evaluators, measures, scaling
    laws, presets, suites, benchmarks of the field and published numbers, with their hyperparameters and defaults.

    KIND is one of these words, such as evaluators. WORD searches names, short names and summaries; with backbones, it
    also searches the networks of timm, by a word or a pattern such as 'vit*', and shows their parameters, image sizes
    and pre-training data.
    With benchmarks, the name of one shows its page: command, data to get, protocol and published numbers.

    \b
      fewshot list evaluators probe
      fewshot list backbones dinov2
      fewshot list published dinov2
      fewshot list benchmarks cifar_fs
      fewshot list shot
    """
    kind = next((known for known in KINDS if known.removesuffix("s") == kind), kind)  # as "evaluator"
    if kind == "backbones" and word:
        return _backbones(word)
    if kind == "published" and word:
        return numbers_with(word)
    if kind == "benchmarks" and word in protocols.names():
        return _benchmark(word)
    if kind in (*KINDS, ""):
        values = {shown: _matching(shown, word) for shown in ([kind] if kind else KINDS)}
    elif word:
        raise click.UsageError(f"there is no kind {kind!r}; known: {', '.join(KINDS)}.{hint(kind, KINDS)}")
    else:
        word = kind
        values = {shown: found for shown in KINDS if (found := _matching(shown, word))}
    if not any(values.values()):
        return _not_listed(kind, word)
    answer("\n".join(_lines(values, all_of_them=not word)), values)
    return 0


def _matching(kind: str, word: str) -> list[dict[str, Any]]:
    """The members of a kind whose names or description have a word in them, or of which a name matches a pattern."""
    own = {
        "measures": _measures,
        "laws": _laws,
        "suites": _suites,
        "presets": _presets,
        "benchmarks": _benchmarks,
        "published": sources,
    }
    members = own.get(kind, partial(_members, kind))()
    return [member for member in members if _fits(member, word.lower())]


def _fits(member: Mapping[str, Any], word: str) -> bool:
    """Whether the name, the short names or the description of a member have a word, or a name matches a pattern."""
    names = [name.lower() for name in (member["name"], *member.get("short_names", ()))]
    description = str(member.get("description", member["summary"])).lower()
    return any(word in text or fnmatch(text, word) for text in names) or word in description


def _lines(values: Mapping[str, Sequence[Mapping[str, Any]]], all_of_them: bool) -> Iterator[str]:
    """The listing: kinds with their members, and what else may be written for a backbone."""
    for kind, members in values.items():
        yield click.style(kind, bold=True)
        for member in members:
            yield f"  {member.get('call', member['name'])}"
            yield click.wrap_text(member["summary"], 100, "      ", "      ")
        if kind == "backbones" and all_of_them:
            yield from (_SHORT, _MORE)
        if kind == "benchmarks" and all_of_them:
            yield from _OF_BENCHMARKS


def _not_listed(kind: str, word: str) -> int:
    """Searches the networks of timm for a word that no member has; with a kind, raises a ValueError."""
    if kind in KINDS:
        near = hint(word, [member["name"] for member in _matching(kind, "")])
        raise ValueError(f"no {kind} match {word!r}; `fewshot list {kind}` shows all{f'.{near}' if near else ''}")
    return _networks(word)


def _backbones(word: str) -> int:
    """The exit code. Answers with the backbones of a word, then with the networks of timm."""
    members = _matching("backbones", word)
    return _networks(word, members) if members else _networks(word)


def _networks(word: str, members: Sequence[Mapping[str, Any]] = ()) -> int:
    """The exit code. Answers with these backbones and with the networks of timm whose names match a pattern or hold a
    word."""
    from fewshot.backbones._timm_catalogue import catalogue, names_near

    entries = catalogue(word) or catalogue(f"*{word.strip('*')}*")
    if members:
        lines = "\n".join(_lines({"backbones": members}, all_of_them=False))
        values = [*members, *(asdict(entry) for entry in entries)]
        answer(f"{lines}\n\n{_network_table(entries)}" if entries else lines, values)
        return 0
    if not entries:
        near = ", ".join(names_near(word) or nearest(word, KINDS))
        instead = f"the nearest names are: {near}" if near else "`fewshot list` shows what else there is"
        raise ValueError(f"nothing is called {word!r}, also no network of timm; {instead}")
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
            "description": signature.summary,
            "short_names": _short_names(kind, signature),
            "defaults": {p.name: None if p.default is REQUIRED else p.default for p in signature.parameters},
            "required": [p.name for p in signature.parameters if p.default is REQUIRED],
        }
        for signature in map(registry.signature, registry.names())
    ]


def _short_names(kind: str, signature: Signature) -> list[str]:
    """What tables call a member, without its fields, and what users may type for it, such as "pixels"."""
    words = _FIELDS.sub(" ", str(signature.declared.get("short_name") or "")).split()
    typed = [word for word in WORDS if kind == "backbones" and shorthand(word).startswith(f"{signature.name}(")]
    return list(filter(None, [*typed, " ".join(words)]))


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


def _benchmarks() -> list[dict[str, Any]]:
    from fewshot.results.published import numbers_of_benchmarks

    values, published = [], numbers_of_benchmarks()
    for name in protocols.names():
        summary, needs, count = protocols.summary(name), protocols.needs_of(name), published.get(name, 0)
        short = (need.replace(_NO_SEEN, "No seen classes.") for need in needs)
        known = [f"Reproducible: {counted(count, 'published number')}."] if count else []
        values.append(
            {
                "name": name,
                "summary": " ".join([summary, *short, *known]),
                "needs": list(needs),
                "published_numbers": count,
            }
        )
    return values


def _benchmark(name: str) -> int:
    """The exit code. Answers with the page of a benchmark."""
    from fewshot.protocols._page import page

    one = protocols.benchmark(name)
    answer(page(one), asdict(one))
    return 0
