"""What a benchmark needs besides the images of its sets, and which of its sets have no seen classes.

`fewshot list benchmarks` shows these sentences without importing a benchmark: each file repeats its own as the literal
constant NEEDS, or FEWSHOT_NEEDS, and a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from fewshot.datasets._published_classes import published_split
from fewshot.datasets._torchvision_sources import SOURCES
from fewshot.plugins.registry import EVALUATORS, SPLITS, TRANSFORMS
from fewshot.plugins.spec import Spec, specs_in
from fewshot.plugins.wording import agreeing, listed
from fewshot.protocols import NO_SEEN_CLASSES, Benchmark, BenchmarkSet

_TORCHVISION = re.compile(r"TorchvisionSet\('([^']+)'")


def needs(benchmark: Benchmark) -> tuple[str, ...]:
    """What a user must know before a run, one sentence each; often none."""
    return tuple(_sentences(benchmark))


def without_seen(sets: Iterable[BenchmarkSet]) -> list[str]:
    """The names of the sets whose split has no seen classes, known before an image is read."""
    return [one.name for one in sets if not _has_seen(SPLITS.spec(one.split))]


def _has_seen(split: Spec) -> bool:
    if split.declares("is_published"):
        return bool(published_split(split.fields["name"]).seen)
    return split.declares("has_seen") is not False


def _sentences(benchmark: Benchmark) -> Iterator[str]:
    for name in dict.fromkeys(companion.name for one in benchmark.sets for companion in one.companions):
        of = [one.name for one in benchmark.sets if name in {companion.name for companion in one.companions}]
        yield f"Needs the {name} of {'each set' if len(of) == len(benchmark.sets) > 1 else listed(of)}."
    for package, of in _packages(benchmark.sets).items():
        yield f"Needs the package {package} for {listed(of)}."
    evaluators = [EVALUATORS.spec(head.evaluator) for head in benchmark.heads]
    if any(_declares(spec, "uses_names") for spec in evaluators):
        yield "Its head needs class names and a backbone with a text tower."
    if any(spec.declares("runs_network") for spec in evaluators):
        yield "Its head fine-tunes the network."
    if any(TRANSFORMS.spec(head.transform).declares("needs_seen") for head in benchmark.heads):
        yield "Its head needs seen classes, which its split has."
    lacking = without_seen(benchmark.sets)
    if lacking:
        who = "Its sets have" if len(lacking) == len(benchmark.sets) else f"{listed(lacking)} {_have(lacking)}"
        yield f"{who} {NO_SEEN_CLASSES}"


def _packages(sets: Sequence[BenchmarkSet]) -> dict[str, list[str]]:
    """The sets that need a package in torchvision's files, by the package."""
    needed: dict[str, list[str]] = {}
    for one in sets:
        names = [name for place in one.places for name in _TORCHVISION.findall(place.dataset)]
        for package in dict.fromkeys(SOURCES[name].needs for name in names if SOURCES[name].needs):
            needed.setdefault(package, []).append(one.name)
    return needed


def _declares(spec: Spec, attribute: str) -> bool:
    """Whether a member, or one inside it, declares an attribute as true."""
    inside = (inner for _, value in spec.arguments for inner in specs_in(value))
    return bool(spec.declares(attribute)) or any(_declares(inner, attribute) for inner in inside)


def _have(names: Sequence[str]) -> str:
    return agreeing(len(names), "has", "have")
