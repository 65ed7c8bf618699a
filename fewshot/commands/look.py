"""`fewshot look`: the images of a data set as they are read, before any run."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fewshot.commands import _options
from fewshot.commands._answers import NOT_WRITTEN, answer, json_option
from fewshot.commands._names import NameOf
from fewshot.plugins.wording import counted

if TYPE_CHECKING:
    from fewshot.datasets import LabelledImages
    from fewshot.datasets._look import Look

_MOST_NAMES = 8  # of a group


@click.command("look", short_help="Show how the images of a data set are read.")
@click.option(
    "--data",
    required=True,
    type=NameOf("datasets", with_files=True),
    metavar="FOLDER|FILE|SPEC",
    help="Look at this data set, as in fewshot run.",
)
@click.option("--out", type=_options.FILE, help="Write a contact sheet (.png): a row of pictures per class.")
@click.option("--most-classes", type=click.IntRange(1, 200), default=30, help="Show this many classes on the sheet.")
@click.option("--per-class", type=click.IntRange(1, 50), default=10, help="Show this many pictures per class.")
@_options.dry_run_option
@json_option
def command(data: str, out: Path | None, most_classes: int, per_class: int, dry_run: bool) -> int:
    """Show how a data set is read: classes, images per class, partitions, sizes, depths and values of the pictures,
    blank pictures, exact copies, and skipped files."""
    if out is not None and out.suffix.lower() != ".png":
        raise click.UsageError(f"--out writes a .png file; got {str(out)!r}")
    spec = _options.dataset_spec(data)
    if dry_run:
        answer(f"would read {spec}{NOT_WRITTEN}", {"dataset": str(spec), "file": out})
        return 0
    from fewshot.datasets._loading import load_images

    with _warnings() as warnings:
        images = load_images(spec)
        _warn_of_groups(images)
    if images.vectors is not None:
        return _answer_vectors(str(spec), images, out, warnings)
    from fewshot.datasets._look import look

    seen = look(images, lambda row: _place(images, row))
    if out is not None:
        from fewshot.datasets._contact_sheet import write_contact_sheet

        write_contact_sheet(images, out, most_classes, per_class)
    revision = [f"revision of the hub: {images.revision}"] if images.revision else []
    sheet = [f"contact sheet: {out}"] if out else []
    lines = [f"data: {images.name}, read by {spec}", *revision, *_lines(seen), *sheet]
    values = {"dataset": str(spec), "revision": images.revision, **asdict(seen), "warnings": warnings}
    answer("\n".join(lines), {**values, "contact_sheet": out})
    return 0


def _answer_vectors(spec: str, images: LabelledImages, out: Path | None, warnings: list[str]) -> int:
    """The exit code. Answers for a data set of vectors."""
    from fewshot.datasets._look import group_sizes

    if out is not None:
        raise ValueError(f"{images.name} holds vectors, so there are no pictures for --out {out}; leave it out")
    assert images.vectors is not None
    counts, dim = (len(images), len(images.class_names)), images.vectors.dim
    lines = [
        f"data: {images.name}, read by {spec}",
        f"vectors: {counted(counts[0], 'vector')} of {counted(dim, 'number')}, {counted(counts[1], 'class')}",
        *_group_lines(group_sizes(images)),
    ]
    values = {"n_images": counts[0], "n_classes": counts[1], "dim": dim, "groups": group_sizes(images)}
    answer("\n".join(lines), {"dataset": spec, **values, "warnings": warnings})
    return 0


def _warn_of_groups(images: LabelledImages) -> None:
    """The warning of a run with the usual sampler."""
    from fewshot.runs.guards import warn_unseparated_groups
    from fewshot.samplers.balanced import Balanced

    warn_unseparated_groups(images, Balanced())


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """The warnings and errors that are logged meanwhile, such as skipped files."""
    kept: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record.getMessage())

    handler, logger = Kept(logging.WARNING), logging.getLogger("fewshot")
    logger.addHandler(handler)
    try:
        yield kept
    finally:
        logger.removeHandler(handler)


def _place(images: LabelledImages, row: int) -> str:
    """The name of an image, or its class and row."""
    if images.image_names is not None:
        return images.image_names[row]
    return f"{images.class_names[images.labels[row]]} (image {row})"


def _lines(seen: Look) -> list[str]:
    smallest, median, largest = seen.per_class
    (width, height), (widest, highest), n_sizes = seen.sizes
    sizes = f"{width} x {height}" if n_sizes == 1 else f"{width} x {height} to {widest} x {highest}, {n_sizes:,} sizes"
    lines = [
        f"images: {counted(seen.n_images, 'image')}, {counted(seen.n_classes, 'class')}",
        f"images per class: {smallest:,} ({seen.smallest_class}) to {largest:,}, median {median:,g}",
        *_group_lines(seen.groups),
        f"pixels: {sizes}",
        f"modes: {_counts(seen.modes)}",
    ]
    for kind, count in seen.kinds.items():
        low, high = seen.values[kind]
        scale = f", {seen.scales[kind]} become black to white" if kind in seen.scales else ""
        lines.append(f"values: {low:.6g} to {high:.6g} in {counted(count, f'{kind} picture')}{scale}")
    for sign, count in seen.signs.items():
        lines.append(f"{sign}: {counted(count, 'picture')}, such as {', '.join(seen.examples[sign])}")
    for kind, count in seen.copies.items():
        such = f", such as {', '.join(seen.examples[kind])}" if count else ""
        lines.append(f"exact copies {kind}: {count:,}{such}")
    return lines


def _group_lines(groups: Mapping[str, Mapping[str, int]]) -> list[str]:
    return [f"{name}: {_counts(sizes)}" for name, sizes in groups.items()]


def _counts(counts: Mapping[Any, int]) -> str:
    """Names with their numbers, the first few of many."""
    shown = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:_MOST_NAMES])
    return shown + (f" and {len(counts) - _MOST_NAMES:,} more" if len(counts) > _MOST_NAMES else "")
