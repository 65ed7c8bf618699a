"""Copies whose counts or pixels are not those of the edition that a benchmark needs."""

from __future__ import annotations

from fewshot.datasets import LabelledImages
from fewshot.datasets._known_counts import Counts, agrees, counts_of
from fewshot.datasets._known_sets import Edition, difference_from, known_sets, other_checksum, report_known
from fewshot.plugins.registry import DATASETS
from fewshot.plugins.wording import listed
from fewshot.protocols import Benchmark
from fewshot.protocols._places import Copy


def check_counts(benchmark: Benchmark, copy: Copy, images: LabelledImages, outside: str) -> None:
    """Raises a ValueError if a copy has other counts, pixels or checksums than the edition that the benchmark needs; it
    ends with the command `outside`, which evaluates the copy without the benchmark's name. A set without an edition is
    compared with all known ones: the user is warned."""
    edition = copy.of.edition
    if edition is None:
        report_known(images, path=_file(copy))
    else:
        _check_edition(benchmark, copy, images, edition, outside)


def _file(copy: Copy) -> object:
    """The file of a copy, if it is one."""
    return DATASETS.spec(copy.dataset).fields.get("path")


def _check_edition(benchmark: Benchmark, copy: Copy, images: LabelledImages, edition: Edition, outside: str) -> None:
    counts = _counts_of(copy, images, edition)
    known = known_sets()[edition.of]
    differs = difference_from(images, counts, [edition]) or other_checksum(images, known, _file(copy))
    if differs is not None:
        raise ValueError(
            f"{_named(benchmark, copy)} needs {known.title}, but the copy in {_place(copy)} {differs}"
            f"{_other(edition, len(images.class_names), counts)}; get it from {copy.of.get}; or run this copy outside "
            f"the benchmark, so that its rows {_apart(benchmark)}: {outside}"
        )


def _named(benchmark: Benchmark, copy: Copy) -> str:
    """The benchmark, with its set if that has another name."""
    return benchmark.name if copy.of.name == benchmark.name else f"the set {copy.of.name} of {benchmark.name}"


def _place(copy: Copy) -> str:
    """The file or folder that fewshot reads; the place that it looked for may be a folder inside."""
    return str(next(iter(DATASETS.spec(copy.dataset).paths), copy.place.below))


def _apart(benchmark: Benchmark) -> str:
    """What rows outside a benchmark do unlike those of it, as a part of a sentence."""
    parts = [f"do not bear the name {benchmark.protocol}"]
    parts += ["do not count in its mean over data sets"] if len(benchmark.sets) > 1 else []
    parts += ["show the mean of their draws, not the median"] if benchmark.draws == "median" else []
    return listed(parts)


def _counts_of(copy: Copy, images: LabelledImages, edition: Edition) -> Counts:
    """The counts of the partitions of the edition; without partitions in it, of all images."""
    if "all" in edition.images:
        return {"all": len(images)}
    sides = {getattr(copy.place, part): part for part in ("train", "test") if part in edition.images}
    counts = counts_of(images, sides)
    return counts if "all" in counts else {part: counts.get(part, 0) for part in edition.images}


def _other(edition: Edition, n_classes: int, counts: Counts) -> str:
    """The other edition with these counts, as a part of a sentence; "" for none, and for the counts of this one."""
    if n_classes == edition.classes and agrees(counts, edition.images):
        return ""
    for name, each in known_sets()[edition.of].editions.items():
        if name != edition.name and n_classes == each.classes and agrees(counts, each.images):
            return f" (these are the counts of another edition: {name})"
    return ""
