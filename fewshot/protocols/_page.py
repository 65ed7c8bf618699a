"""What users read about a benchmark: its command, the data to get, the protocol, the numbers to expect."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from fewshot.datasets._known_sets import Edition, known_sets
from fewshot.episodes.shape import EpisodeShape
from fewshot.plugins.wording import counted, listed
from fewshot.protocols import OURS, Benchmark, BenchmarkSet, Companion, Place, names
from fewshot.protocols._needs import needs
from fewshot.protocols._shapes import shape_text
from fewshot.results.published import numbers_of_benchmarks

_CIFAR = re.compile(r"TorchvisionSet\('CIFAR")  # pickles, which are never opened without their md5
_WIDE = 100
_TIME = "Images are embedded once per backbone; add --dry-run to see the time on your machine."


def page(benchmark: Benchmark) -> str:
    """The page of a benchmark as text."""
    return "\n".join(_lines(benchmark))


def _lines(benchmark: Benchmark) -> Iterator[str]:
    yield from _wrapped(f"{benchmark.protocol}: {benchmark.title}")
    yield from _wrapped(f"Source: {benchmark.source}. Licence: {benchmark.licence}.")
    yield f"\nfewshot run --benchmark {benchmark.name} --data ROOT --backbone resnet18"
    beside = f"{benchmark.name}{OURS}"
    if beside in names():
        yield f"fewshot run --benchmark {beside} --data ROOT   (nested draws, every label in the support)"
    yield from ("\nData below ROOT:", *_of_sets(benchmark.sets))
    yield from ("\nProtocol:", *_bullets(_protocol(benchmark)))
    for title, sentences in (
        ("Needs:", needs(benchmark)),
        ("Published numbers:", benchmark.expected),
        ("Deviations from the source:", benchmark.deviations),
        ("Only a person with the data can confirm:", benchmark.confirm),
    ):
        if sentences:
            yield from (f"\n{title}", *_bullets(sentences))
    yield from ("\nReproduction:", *_bullets([_reproduction(benchmark)]))


def _reproduction(benchmark: Benchmark) -> str:
    """Whether published numbers of the benchmark are stored, and the command that compares with them."""
    count = numbers_of_benchmarks().get(benchmark.name, 0)
    if not count:
        return "none: no published number of it is stored for fewshot reproduce."
    return f"fewshot reproduce {benchmark.name} --data ROOT compares with {counted(count, 'published number')}."


def _of_sets(sets: Sequence[BenchmarkSet]) -> Iterator[str]:
    sources = {one.get for one in sets}
    for one in sets:
        places = " or ".join(map(_place, one.places))
        source = f" Get it from {one.get}." if len(sources) > 1 or len(sets) == 1 else ""
        yield from _bullets([f"{one.name}: {places}{_counts(one.edition)}.{source}"])
    if len(sources) == 1 and len(sets) > 1:
        yield from _bullets([f"Get all of them from {sets[0].get}."])
    yield from _bullets(_published_only(sets))
    needed: dict[Companion, list[str]] = {}
    for one in sets:
        for companion in one.companions:
            needed.setdefault(companion, []).append(one.name)
    for companion, own in needed.items():
        who = "each set" if len(own) == len(sets) > 1 else listed(own)
        where = " or ".join(place.replace("{folder}", "the folder of the set") for place in companion.places)
        verb = "needs" if len(own) == 1 or who == "each set" else "need"
        yield from _bullets([f"{who} also {verb} {companion.name}: {where}. Get them from {companion.get}."])


def _published_only(sets: Sequence[BenchmarkSet]) -> Iterator[str]:
    """Which files must be the published ones, bit by bit."""
    checked = [one.name for one in sets if one.edition is not None and known_sets()[one.edition.of].md5]
    if checked:
        which = "each set" if len(checked) == len(sets) > 1 else listed(checked)
        yield f"Of {which} only the published file is accepted: fewshot compares its md5."
    pickles = [place.below for one in sets for place in one.places if _CIFAR.search(place.dataset)]
    if pickles:
        yield f"In {listed(pickles)} only the published files are accepted: fewshot compares their md5."


def _place(place: Place) -> str:
    """The folder or file; of folders of partitions both."""
    beside = f" and {place.test} (folders of classes)" if place.test_beside else ""
    return f"{place.below}{beside}"


def _counts(edition: Edition | None) -> str:
    """The counts of an edition, and the sizes of its images, in brackets; "" for no edition."""
    if edition is None:
        return ""
    sizes = [counted(n, "image") if part == "all" else f"{n:,} {part}" for part, n in edition.images.items()]
    pixels = [f"{' or '.join(map(str, edition.pixels))} px"] if edition.pixels else []
    return f" ({', '.join([counted(edition.classes, 'class'), *sizes, *pixels])})"


def _protocol(benchmark: Benchmark) -> Iterator[str]:
    splits = dict.fromkeys(one.split for one in benchmark.sets)
    words = {"{train}": "'partition=train'", "{test}": "'partition=test'"}
    samplers = dict.fromkeys(_filled(one.sampler, words) for one in benchmark.sets)
    shapes = dict.fromkeys(shape for one in benchmark.sets for shape in one.shapes or benchmark.shapes)
    yield f"split {' or '.join(splits)}, {' and '.join(dict.fromkeys(one.classes for one in benchmark.sets))} classes"
    yield f"sampler {' or '.join(samplers)}, seed {benchmark.seed}"
    yield f"{counted(benchmark.n_episodes, 'episode')} of each shape: {'; '.join(map(_shape, shapes))}"
    for head in benchmark.heads:
        choice = "" if head.selection is None else f", with {head.selection.short_name}"
        yield f"default head {head.transform} + {head.evaluator}{choice}"
    yield f"you may exchange: {benchmark.exchangeable}"
    if benchmark.image_size:
        size = f"the source shows images at {benchmark.image_size} px; here the backbone decides"
        yield f"{size}, such as --backbone \"Timm('resnet18', image_size={benchmark.image_size})\""
    yield f"measure: accuracy, the {benchmark.draws} over the episodes of a set, then the mean over sets"
    for group, held in benchmark.groups:
        yield f"also averaged: {group} ({', '.join(held)})"
    yield _TIME


def _filled(text: str, words: Mapping[str, str]) -> str:
    for place, word in words.items():
        text = text.replace(place, word)
    return text


def _shape(shape: EpisodeShape) -> str:
    if shape == EpisodeShape(None, None, None):
        return "sizes of the sampler"
    queries = "all queries" if shape.n_query is None else f"{counted(shape.n_query, 'query')} per class"
    return f"{shape_text(shape)}, {queries}{', fewer shots in smaller classes' if shape.k_shot_at_most else ''}"


def _bullets(sentences: Iterator[str] | Sequence[str]) -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(
            sentence, _WIDE, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False
        )


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDE, break_on_hyphens=False)
